/**
 * From single items to batches: a dropping queue, and a fiber that groups what comes out of it by count and by time.
 *
 * A window that `Stream.groupedWithin` has open cannot be closed from outside, so the batcher runs in *epochs*. An epoch
 * is one queue and one fiber that drains it. `flush` puts a fresh epoch in place and closes the old one: what is left is
 * taken out, the queue is shut down, the stream goes on with what was left, ends, and so emits its open window at once.
 * An epoch starts to send when the one before it has ended, so the order of items survives.
 *
 * Opening a window costs a few fibers. When a whole batch is waiting and no window is open, the batch skips the window.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

export interface Options<A> {
  readonly capacity: number
  readonly maxBatch: number
  readonly interval: Duration.Duration
  readonly concurrency: number
  /** Total: it must not fail. */
  readonly send: (batch: Arr.NonEmptyReadonlyArray<A>) => Effect.Effect<void>
}

export interface Batcher<A> {
  /** Whether there is room for one more. */
  readonly hasRoom: () => boolean
  /** `false` when there is no room. */
  readonly unsafeOffer: (item: A) => boolean
  /**
   * Sends all that was offered before now, without waiting for the interval, and ends when those sends have ended. Safe
   * to interrupt and to run several times at once: the work goes on in the batcher's own scope.
   */
  readonly flush: Effect.Effect<void>
}

/** What was left in the queue of an epoch when it closed. */
interface Rest<A> {
  items: Array<A>
}

interface Epoch<A> {
  readonly queue: Queue.Queue<A>
  readonly rest: Rest<A>
  readonly fiber: Fiber.Fiber<void>
  readonly closed: Deferred.Deferred<void>
  /** Completed when the epoch before this one has closed. */
  readonly ready: Deferred.Deferred<void>
  used: boolean
}

export const make = <A>(options: Options<A>): Effect.Effect<Batcher<A>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const permits = yield* Effect.makeSemaphore(options.concurrency)
    // A window wider than the capacity could never fill, and would hold a full queue back until its time is up.
    const maxBatch = Math.min(options.maxBatch, options.capacity)
    // Offered and not yet on their way: in the queues of all epochs and in the open window.
    let waiting = 0

    const dispatch = (batch: Arr.NonEmptyReadonlyArray<A>): Effect.Effect<void> =>
      Effect.uninterruptibleMask((restore) =>
        restore(permits.take(1)).pipe(
          Effect.zipRight(Effect.sync(() => {
            waiting -= batch.length
          })),
          Effect.zipRight(
            restore(options.send(batch)).pipe(
              Effect.ensuring(permits.release(1)),
              Effect.forkIn(scope)
            )
          ),
          Effect.asVoid
        )
      )

    /** The next items of an epoch: from its queue, and once that is shut down from what was left in it. */
    const take = (queue: Queue.Queue<A>, rest: Rest<A>, max: number): Effect.Effect<ReadonlyArray<A>> =>
      Queue.takeBetween(queue, 1, max).pipe(
        Effect.map(Chunk.toReadonlyArray),
        Effect.catchAllCause((cause) =>
          Effect.flatMap(Queue.isShutdown(queue), (isShutdown) =>
            isShutdown && Cause.isInterrupted(cause)
              ? Effect.sync(() => rest.items.splice(0, max))
              : Effect.failCause(cause))
        )
      )

    const drain = (queue: Queue.Queue<A>, rest: Rest<A>): Effect.Effect<void> =>
      Effect.suspend(() => {
        // Items that entered the window stream and have not left it.
        let open = 0
        const latch = Effect.unsafeMakeLatch(true)

        const pull: Effect.Effect<Chunk.Chunk<A>, Option.Option<never>> = Effect.suspend(() => {
          if (open >= maxBatch) {
            // The window is full and about to be emitted: what comes next belongs behind it.
            latch.unsafeClose()
            return Effect.zipRight(latch.await, pull)
          }
          return Effect.flatMap(take(queue, rest, maxBatch - open), (items) => {
            if (!Arr.isNonEmptyReadonlyArray(items)) return Effect.fail(Option.none())
            if (open === 0 && items.length === maxBatch) return Effect.zipRight(dispatch(items), pull)
            open += items.length
            return Effect.succeed(Chunk.unsafeFromArray(items))
          })
        })

        return Stream.repeatEffectChunkOption(pull).pipe(
          Stream.groupedWithin(maxBatch, options.interval),
          Stream.runForEach((window) => {
            const batch = Chunk.toReadonlyArray(window)
            if (!Arr.isNonEmptyReadonlyArray(batch)) return Effect.void
            return Effect.zipRight(
              dispatch(batch),
              Effect.sync(() => {
                open -= batch.length
                latch.unsafeOpen()
              })
            )
          })
        )
      })

    const openEpoch = (ready: Deferred.Deferred<void>): Effect.Effect<Epoch<A>> =>
      Effect.gen(function*() {
        const queue = yield* Queue.dropping<A>(options.capacity)
        const closed: Deferred.Deferred<void> = Deferred.unsafeMake(FiberId.none)
        const rest: Rest<A> = { items: [] }
        const fiber = yield* Deferred.await(ready).pipe(
          Effect.zipRight(drain(queue, rest)),
          // An epoch is opened where a flush cannot be interrupted; its fiber must not inherit that.
          Effect.interruptible,
          Effect.forkIn(scope)
        )
        return { queue, rest, fiber, closed, ready, used: false }
      })

    const close = (epoch: Epoch<A>): Effect.Effect<void> =>
      Effect.gen(function*() {
        yield* Deferred.await(epoch.ready)
        // Shutting a queue down discards what is in it, so it is taken out first.
        epoch.rest.items = Arr.fromIterable(yield* Queue.takeAll(epoch.queue))
        yield* Queue.shutdown(epoch.queue)
        yield* Fiber.await(epoch.fiber)
        // All permits at once: every send of this epoch has ended.
        yield* permits.withPermits(options.concurrency)(Effect.void)
      }).pipe(Effect.ensuring(Deferred.succeed(epoch.closed, undefined)))

    const first: Deferred.Deferred<void> = Deferred.unsafeMake(FiberId.none)
    yield* Deferred.succeed(first, undefined)
    let current = yield* openEpoch(first)

    const turn = yield* Effect.makeSemaphore(1)

    /** Puts a fresh epoch in place; returns what tells that all before it has been sent. */
    const turnOver: Effect.Effect<Deferred.Deferred<void>> = Effect.gen(function*() {
      const old = current
      // Nothing came since the last flush: its end is the end of this one.
      if (!old.used) return old.ready
      current = yield* openEpoch(old.closed)
      yield* Effect.forkIn(Effect.interruptible(close(old)), scope)
      return old.closed
    })

    const flush = turn.withPermits(1)(Effect.uninterruptible(turnOver)).pipe(
      Effect.flatMap(Deferred.await)
    )

    return {
      hasRoom: () => waiting < options.capacity,
      unsafeOffer: (item) => {
        if (waiting >= options.capacity) return false
        const epoch = current
        waiting++
        epoch.used = true
        if (Queue.unsafeOffer(epoch.queue, item)) return true
        waiting--
        return false
      },
      flush
    }
  })
