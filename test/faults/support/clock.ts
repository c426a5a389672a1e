/**
 * A clock that runs at another pace than the wall, and can be set: an hour of pauses in a second of a test.
 */
import { Clock, Duration, Effect } from "effect"

export interface SettableClock extends Clock.Clock {
  /** Sets the clock ahead, or back when negative. Sleeps that run are not touched, as on a real machine. */
  readonly jump: (milliseconds: number) => void
}

/** `rate` seconds pass on it in a real one. */
export const make = (rate = 1): SettableClock => {
  const real = Clock.make()
  const start = real.unsafeCurrentTimeMillis()
  let offset = 0
  const now = () => start + (real.unsafeCurrentTimeMillis() - start) * rate + offset
  const nanos = () => BigInt(Math.round(now() * 1e6))
  return {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: now,
    unsafeCurrentTimeNanos: nanos,
    currentTimeMillis: Effect.sync(now),
    currentTimeNanos: Effect.sync(nanos),
    sleep: (duration) => real.sleep(Duration.millis(Duration.toMillis(duration) / rate)),
    jump: (milliseconds) => {
      offset += milliseconds
    }
  }
}
