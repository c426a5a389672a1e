/** For work that is long: whoever shares the event loop gets a turn in between. */
import * as Effect from "effect/Effect"

type Later = (run: () => void) => void

// A timer of no time takes a millisecond or more. Taken before a test may put a clock of its own in its place, since this is
// not a matter of time.
const immediate: unknown = Reflect.get(globalThis, "setImmediate")

const later: Later = typeof immediate === "function"
  ? immediate as Later // by its documentation
  : (run) => void setTimeout(run, 0)

/** Effect's own `yieldNow` lets only other fibers run. */
export const turnOfEventLoop: Effect.Effect<void> = Effect.async((resume) => later(() => resume(Effect.void)))
