/**
 * What the doctor found out, as plain values.
 */

/** Each is looked at in this order, and has one verdict or several. */
export const checks = [
  "configuration",
  "address",
  "server",
  "clock",
  "keys",
  "otlp-endpoint",
  "batch-endpoint",
  "protocol",
  "canary-trace",
  "canary-score"
] as const

export type Check = typeof checks[number]

/**
 * `"problem"`: events are lost, or would be. `"warning"`: they arrive, but this may be why somebody looks for them in vain.
 * `"skipped"`: not looked at, because something before it has to be put right first.
 */
export type Outcome = "ok" | "warning" | "problem" | "skipped"

export interface Verdict {
  readonly check: Check
  readonly outcome: Outcome
  /** One line. */
  readonly message: string
  /** What to do about it, of a problem always. */
  readonly cure?: string | undefined
}

export const ok = (check: Check, message: string): Verdict => ({ check, outcome: "ok", message })

export const skipped = (check: Check, message: string): Verdict => ({ check, outcome: "skipped", message })

export const warning = (check: Check, message: string, cure: string): Verdict => ({
  check,
  outcome: "warning",
  message,
  cure
})

export const problem = (check: Check, message: string, cure: string): Verdict => ({
  check,
  outcome: "problem",
  message,
  cure
})

export interface Report {
  readonly verdicts: ReadonlyArray<Verdict>
  /** Without a trailing slash; `undefined` when the configuration does not tell. */
  readonly baseUrl: string | undefined
  /** As the health check says it. */
  readonly serverVersion: string | undefined
  /** Where `auto` sends traces and observations; `undefined` when it cannot find out. */
  readonly protocol: "otlp" | "ingestion" | undefined
  /** A link to the canary, when it arrived. */
  readonly traceUrl: string | undefined
}

export const count = (report: Report, outcome: Outcome): number =>
  report.verdicts.filter((verdict) => verdict.outcome === outcome).length

export const isHealthy = (report: Report): boolean => count(report, "problem") === 0
