/**
 * The process of one subject: takes its steps from the command line, writes one line of JSON for each to descriptor 3.
 */
import { writeSync } from "node:fs"
import type { Step } from "./scenario.js"
import { run, warm } from "./scenario.js"
import type { Subject } from "./subject.js"

export const main = async (subject: Subject): Promise<void> => {
  const given = process.argv[2]
  if (given === undefined) throw new Error("started by the harness only")
  const steps: ReadonlyArray<Step> = JSON.parse(given)
  const [first] = steps
  if (first !== undefined && first.scenario.kind !== "close" && first.scenario.kind !== "down") {
    await warm(subject, first)
  }
  for (const step of steps) writeSync(3, `${JSON.stringify(await run(subject, step))}\n`)
  // What a subject still does, retries most of all, is no part of any measure.
  process.exit(0)
}
