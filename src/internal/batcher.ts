/**
 * From single items to batches: a dropping queue, and a fiber that groups what comes out of it by count and by time.
 *
 * A window that `Stream.groupedWithin` has open cannot be closed from outside, so the batcher runs in *epochs*. An epoch
 * is one queue and one fiber that drains it. `flush` puts a fresh epoch in place and closes the old one: its stream goes on
 * with what is left in the queue, ends, and so emits its open window at once. An epoch starts to send when the one before it
 * has ended, so the order of items survives.
 *
 * Items stay in the queue until a window opens or fills: waking the stream for each of them would cost far more than all
 * else. When a whole batch is waiting and no window is open, the batch skips the window, which takes a few fibers.
 */
import * as Arr from "effect/Array"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Runtime from "effect/Runtime"
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

/** Lets the fiber of an epoch sleep until it is worth waking. */
interface Gate {
  /** Items in the queue. */
  queued: number
  /** So many are worth it. */
  enough: number
  readonly latch: Effect.Latch
}

interface Epoch<A> {
  readonly queue: Queue.Queue<A>
  readonly gate: Gate
  readonly closed: Deferred.Deferred<void>
  /** Completed when the epoch before this one has closed. */
  readonly ready: Deferred.Deferred<void>
  used: boolean
  /** What is in the queue is all there will be. */
  isClosing: boolean
}

const nothing = Effect.succeed<ReadonlyArray<never>>([])

export const make = <A>(options: Options<A>): Effect.Effect<Batcher<A>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const runtime = yield* Effect.runtime()
    const permits = yield* Effect.makeSemaphore(options.concurrency)
    // A window wider than the capacity could never fill, and would hold a full queue back until its time is up.
    const maxBatch = Math.min(options.maxBatch, options.capacity)
    // Offered and not yet on their way: in the queues of all epochs and in the open window.
    let waiting = 0

    /** `late`: what belongs to the batch and came while it waited for its turn. */
    const dispatch = (
      batch: Arr.NonEmptyReadonlyArray<A>,
      late: Effect.Effect<ReadonlyArray<A>> = nothing
    ): Effect.Effect<void> =>
      Effect.uninterruptibleMask((restore) =>
        restore(permits.take(1)).pipe(
          Effect.zipRight(late),
          Effect.flatMap((more) => {
            const all = Arr.appendAll(batch, more)
            waiting -= all.length
            return Effect.forkIn(Effect.ensuring(restore(options.send(all)), permits.release(1)), scope)
          }),
          Effect.asVoid
        )
      )

    const drain = (epoch: Epoch<A>): Effect.Effect<void> =>
      Effect.suspend(() => {
        const { gate, queue } = epoch
        // Items that entered the window stream and have not left it.
        let open = 0

        /** What waits, as far as the open window has room for it. */
        const take: Effect.Effect<ReadonlyArray<A>> = Effect.suspend(() =>
          Effect.map(Queue.takeUpTo(queue, maxBatch - open), (items) => {
            gate.queued -= items.length
            return Chunk.toReadonlyArray(items)
          })
        )

        const pull: Effect.Effect<Chunk.Chunk<A>, Option.Option<never>> = Effect.suspend(() => {
          // One opens a window, and then as many as fill it: each one that enters the stream by itself costs much more.
          // Behind a full window everything waits, or it would overtake it.
          const enough = open === 0 ? 1 : open < maxBatch ? maxBatch - open : Infinity
          if (gate.queued < enough && !(epoch.isClosing && open < maxBatch)) {
            gate.enough = enough
            gate.latch.unsafeClose()
            return Effect.zipRight(gate.latch.await, pull)
          }
          return Effect.flatMap(take, (items) => {
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
              // While nothing else is in the stream, what waits in the queue comes next.
              dispatch(batch, Effect.suspend(() => open === batch.length ? take : nothing)),
              Effect.sync(() => {
                open -= batch.length
                gate.latch.unsafeOpen()
              })
            )
          })
        )
      })

    /**
     * A fiber as the one that made the batcher would fork it. One that is forked by whoever flushes would send with their
     * clock, their context and their log annotations from then on, and not to be interrupted if they cannot be.
     */
    const forkOwn = (effect: Effect.Effect<void>): Effect.Effect<Fiber.Fiber<void>> =>
      Effect.sync(() => Runtime.runFork(runtime)(Effect.interruptible(effect), { scope, immediate: false }))

    const openEpoch = (ready: Deferred.Deferred<void>): Effect.Effect<Epoch<A>> =>
      Effect.gen(function*() {
        const epoch: Epoch<A> = {
          queue: yield* Queue.dropping<A>(options.capacity),
          gate: { queued: 0, enough: Infinity, latch: Effect.unsafeMakeLatch(false) },
          closed: Deferred.unsafeMake(FiberId.none),
          ready,
          used: false,
          isClosing: false
        }
        yield* forkOwn(
          Deferred.await(ready).pipe(
            Effect.zipRight(drain(epoch)),
            // All permits at once: every send of this epoch has ended.
            Effect.zipRight(permits.withPermits(options.concurrency)(Effect.void)),
            Effect.ensuring(Deferred.succeed(epoch.closed, undefined))
          )
        )
        return epoch
      })

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
      old.isClosing = true
      old.gate.latch.unsafeOpen()
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
        if (!Queue.unsafeOffer(epoch.queue, item)) {
          waiting--
          return false
        }
        if (++epoch.gate.queued >= epoch.gate.enough) epoch.gate.latch.unsafeOpen()
        return true
      },
      flush
    }
  })
