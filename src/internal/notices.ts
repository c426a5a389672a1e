/**
 * Warnings that cannot become a storm: at most one for each reason in ten seconds, with the number held back.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Milliseconds in which one reason is reported once. */
const window = 10_000

/** Reasons are few (kinds of failure, statuses); the bound is for a server that makes up a new one each time. */
const maxReasons = 256

export interface Notices {
  /** Warns, unless the same reason was warned of within the window: then it only counts. */
  readonly warn: (reason: string, message: string) => Effect.Effect<void>
}

const annotated = (log: Effect.Effect<void>): Effect.Effect<void> =>
  log.pipe(
    Effect.annotateLogs("package", "effect-langfuse"),
    // A logger that throws must not take the exporter down with it.
    Effect.catchAllCause(() => Effect.void)
  )

/** One warning, always written. */
export const warning = (message: string): Effect.Effect<void> => annotated(Effect.logWarning(message))

/** One line of information, always written. */
export const info = (message: string): Effect.Effect<void> => annotated(Effect.logInfo(message))

/** One line for whoever turned debug logging on. */
export const debug = (message: string): Effect.Effect<void> => annotated(Effect.logDebug(message))

export const make = (): Notices => {
  const reasons = new Map<string, { readonly until: number; heldBack: number }>()
  return {
    warn: (reason, message) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const known = reasons.get(reason)
        // A clock that was set back must not silence a reason for longer than the window.
        if (known !== undefined && now < known.until && known.until - now <= window) {
          known.heldBack++
          return Effect.void
        }
        if (reasons.size >= maxReasons) reasons.clear()
        reasons.set(reason, { until: now + window, heldBack: 0 })
        const heldBack = known?.heldBack ?? 0
        return warning(heldBack === 0 ? message : `${message} (${heldBack} more like this were not logged)`)
      })
  }
}
