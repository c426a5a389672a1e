/**
 * How many random cases a property is tried with: a few in `npm test`, always the same ones, and thousands of others in
 * `npm run test:random`, which sets both variables.
 */
import { FastCheck } from "effect"

/** The cases are a function of it. */
export const seed = Number(process.env["PROPERTY_SEED"] ?? "20261128")

const factor = Number(process.env["PROPERTY_RUNS"] ?? "1")

/** Options for `it.prop`. */
export const runs = (
  usually: number
): { readonly fastCheck: { readonly numRuns: number }; readonly timeout: number } => ({
  fastCheck: { numRuns: Math.ceil(usually * factor) },
  timeout: 60_000 * Math.max(1, factor)
})

FastCheck.configureGlobal({
  seed,
  numRuns: Math.ceil(100 * factor),
  // Properties do not yield, and vitest gives up on a worker that says nothing for a minute.
  ...(factor > 1 ? { interruptAfterTimeLimit: 30_000 } : {})
})
