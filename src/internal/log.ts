/** Log lines of the exporter. They hold no key and no payload, and cannot become a storm. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Throttle } from "../core/flow/throttle.js"

const annotated = (log: Effect.Effect<void>): Effect.Effect<void> =>
  log.pipe(
    Effect.annotateLogs("package", "effect-langfuse"),
    // A logger that throws must not take the exporter down with it.
    Effect.catchAllCause(() => Effect.void)
  )

export const warning = (message: string): Effect.Effect<void> => annotated(Effect.logWarning(message))

export const info = (message: string): Effect.Effect<void> => annotated(Effect.logInfo(message))

/** Writes the first line of each kind, and then at most one in ten seconds, with the number of those held back. */
export type Throttled = (kind: string, message: string) => Effect.Effect<void>

const throttled = (write: (message: string) => Effect.Effect<void>): Throttled => {
  const throttle = new Throttle()
  return (kind, message) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const heldBack = throttle.pass(kind, now)
      if (heldBack === undefined) return Effect.void
      return write(heldBack === 0 ? message : `${message} (${heldBack} more like this were not logged)`)
    })
}

export const makeWarn = (): Throttled => throttled(warning)

export const makeInform = (): Throttled => throttled(info)
