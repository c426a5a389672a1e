import { assert, describe, it } from "@effect/vitest"
import { type Clock, Deferred, Duration, Effect, Exit, Fiber, TestClock } from "effect"
import { within } from "../../src/internal/within.js"

const options = { duration: Duration.seconds(10), onTimeout: () => "late" as const }

/** Never ends, and says when it was interrupted. */
const endless = (interrupted: Deferred.Deferred<unknown>) =>
  Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))

describe("within", () => {
  it.effect("is what the work comes to, without waiting for the time", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* within(Effect.succeed(1), options), 1)
      assert.strictEqual(yield* Effect.flip(within(Effect.fail("refused"), options)), "refused")
      const died = yield* Effect.exit(within(Effect.die("broken"), options))
      assert.deepStrictEqual(died, Exit.die("broken"))
    }))

  it.effect("fails when the time is up, and interrupts the work", () =>
    Effect.gen(function*() {
      const interrupted = yield* Deferred.make<unknown>()
      const fiber = yield* Effect.fork(Effect.flip(within(endless(interrupted), options)))
      yield* TestClock.adjust("9999 millis")
      assert.isNull(fiber.unsafePoll())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(fiber), "late")
      yield* Deferred.await(interrupted)
    }))

  it.effect("does not wait for work that cannot be interrupted, neither when the time is up nor when it is interrupted", () =>
    Effect.gen(function*() {
      const stubborn = within(Effect.uninterruptible(Effect.never), options)
      const late = yield* Effect.fork(Effect.flip(stubborn))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Fiber.join(late), "late")
      const given = yield* Effect.fork(stubborn)
      yield* Effect.yieldNow()
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(given)))
    }))

  it.effect("interrupts the work with itself, and in any case its timer", () =>
    Effect.gen(function*() {
      let started = 0
      let running = 0
      const clock: Clock.Clock = {
        ...(yield* Effect.clock),
        sleep: () =>
          Effect.suspend(() => {
            started++
            running++
            return Effect.onInterrupt(Effect.never, () => Effect.sync(() => running--))
          })
      }
      const timed = <A, E>(work: Effect.Effect<A, E>) => Effect.withClock(within(work, options), clock)
      const interrupted = yield* Deferred.make<unknown>()
      const fiber = yield* Effect.fork(timed(endless(interrupted)))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(fiber)
      yield* Deferred.await(interrupted)
      yield* timed(Effect.void)
      yield* Effect.exit(timed(Effect.fail("refused")))
      yield* TestClock.adjust(0)
      assert.isAbove(started, 0)
      assert.strictEqual(running, 0)
    }))

  it.effect("is bounded where nothing can be interrupted", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.fork(Effect.uninterruptible(Effect.flip(within(Effect.never, options))))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), "late")
    }))
})
