/**
 * A clock that stands still until it is told to go on.
 *
 * Like `TestClock`, but without its search for fibers that still run, which takes some milliseconds of real time for every
 * step: the properties take thousands of them. Here nothing but the scheduler can run, so a few turns of the event loop
 * settle everything.
 */
import { Clock, Duration, Effect } from "effect"

export interface VirtualClock extends Clock.Clock {
  /** Lets time pass, waking sleepers in order, and everything happen that they cause. */
  readonly advance: (milliseconds: number) => Promise<void>
  /** Sleeps under way. */
  readonly sleeping: () => number
}

/** Lets everything happen that can happen without time passing. */
export const settle = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise<void>((resolve) => setImmediate(resolve))
}

export const make = (): VirtualClock => {
  let now = Date.UTC(2026, 10, 23, 12)
  const sleeps = new Set<{ readonly at: number; readonly wake: () => void }>()
  const next = (until: number) => {
    const due = [...sleeps].filter(({ at }) => at <= until)
    return due.length === 0 ? undefined : due.reduce((first, each) => each.at < first.at ? each : first)
  }
  const nanos = () => BigInt(now) * 1_000_000n
  return {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => now,
    unsafeCurrentTimeNanos: nanos,
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.async((resume) => {
        const sleep = { at: now + Duration.toMillis(duration), wake: () => resume(Effect.void) }
        sleeps.add(sleep)
        return Effect.sync(() => void sleeps.delete(sleep))
      }),
    advance: async (milliseconds) => {
      const until = now + milliseconds
      await settle()
      for (let due = next(until); due !== undefined; due = next(until)) {
        now = Math.max(now, due.at)
        sleeps.delete(due)
        due.wake()
        await settle()
      }
      now = until
    },
    sleeping: () => sleeps.size
  }
}
