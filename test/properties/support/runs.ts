/** As `runs` of all tests, for `FastCheck.assert` and `FastCheck.sample`. */
import * as Properties from "../../utils/properties.js"

export const runs = (usually: number): { readonly numRuns: number } => Properties.runs(usually).fastCheck

/** For a machine that is busy with other things: a property that does not end is found by its assertions. */
export const { timeout } = Properties.runs(1)
