/** How transports tell what became of events, and of the traces that were derived beside them. */
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type { Entry } from "../core/flow/ledger.js"
import type { Outcome } from "../core/flow/outcome.js"
import type { Trace } from "../core/item/item.js"
import { adviceOn } from "./advice.js"
import { errorOf, type Tell } from "./deliver.js"
import * as Log from "./log.js"
import * as Metrics from "./metrics.js"

export interface Report {
  readonly settle: (entries: ReadonlyArray<Entry>, outcome: Outcome) => void
  readonly withhold: (entries: ReadonlyArray<Entry>) => void
}

/** Counts derived traces by their outcome, and warns of those that did not arrive. */
export type TellTraces = (traces: ReadonlyArray<Trace>, outcome: Outcome) => void

export const makeTellTraces: Effect.Effect<TellTraces> = Effect.map(Effect.runtime<never>(), (runtime) => {
  const warn = Log.makeWarn()
  return (traces, outcome) => {
    if (traces.length === 0) return
    if (outcome === "delivered") return Metrics.derivedTraces.delivered.count(traces.length)
    const isFailed = "failed" in outcome
    Metrics.derivedTraces[isFailed ? "failed" : "rejected"].count(traces.length)
    const error = errorOf(isFailed ? outcome.failed : outcome.rejected)
    Runtime.runFork(runtime)(
      warn(
        `trace ${error.reason} ${error.status ?? ""}`,
        `${traces.length} Langfuse traces ${isFailed ? "failed" : "were rejected"}, derived from observations: ` +
          `${error.message}; ${adviceOn(error)}`
      )
    )
  }
})

/** Settles the events of pieces, and tells of the traces before them. */
export const tellTo = (report: Report, tellTraces: TellTraces): Tell => (pieces, { before, outcome }) => {
  report.settle(pieces.flatMap(({ entries }) => entries), outcome)
  tellTraces(pieces.flatMap((piece) => piece.before === undefined ? [] : [piece.before]), before)
}
