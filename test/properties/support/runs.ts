/**
 * How many random cases are tried: a few in every run of the tests, and as many as one likes by hand.
 *
 *     PROPERTY_RUNS=20 npx vitest run test/properties
 */
const factor = Number(process.env["PROPERTY_RUNS"] ?? "1")

export const runs = (usually: number): { readonly numRuns: number } => ({ numRuns: Math.ceil(usually * factor) })

/** For a machine that is busy with other things: a property that does not end is found by its assertions. */
export const timeout = 60_000 * Math.max(1, factor)
