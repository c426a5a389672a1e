/**
 * A clock for replays: it starts at the present, and only sleeping moves it on, which takes no time. So spans have the
 * durations of the recording.
 */
import { Clock, Duration, Effect } from "effect"

export const make: Effect.Effect<Clock.Clock> = Effect.map(Effect.clock, (real) => {
  let time = BigInt(real.unsafeCurrentTimeMillis()) * 1_000_000n
  const now = () => time
  const millis = () => Number(now() / 1_000_000n)
  return {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeNanos: now,
    unsafeCurrentTimeMillis: millis,
    currentTimeNanos: Effect.sync(now),
    currentTimeMillis: Effect.sync(millis),
    sleep: (duration) =>
      Effect.sync(() => {
        time += Duration.unsafeToNanos(Duration.decode(duration))
      })
  }
})
