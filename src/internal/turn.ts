/** For work that is long: whoever shares the event loop gets a turn in between. */
import * as Effect from "effect/Effect"

/** Not a matter of time: Effect's own `yieldNow` lets only other fibers run. */
export const turnOfEventLoop: Effect.Effect<void> = Effect.async((resume) => {
  const timer = setTimeout(() => resume(Effect.void), 0)
  return Effect.sync(() => clearTimeout(timer))
})
