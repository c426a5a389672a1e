/**
 * From single items to batches: a dropping queue, and a fiber that groups what comes out of it by count and by time.
 *
 * Items stay in the queue until a batch of them is sent. A whole batch leaves at once; for less, `Stream.groupedWithin` keeps
 * the time. It is given a mere token when the first item comes, and when it lets go of the token, what waits is sent. Tens of
 * steps through the stream for each item would cost more than all else here, and would keep items alive that are gone.
 *
 * A window that `Stream.groupedWithin` has open cannot be closed from outside, so the batcher runs in *epochs*. An epoch is
 * one queue and one fiber that drains it. `flush` puts a fresh epoch in place and closes the old one, which then sends what
 * is left without waiting for its time. An epoch starts to send when the one before it has ended, so the order of items
 * survives.
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
import { once, Slot, takeFrom } from "./slot.js"
import { turnOfEventLoop } from "./turn.js"

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

interface Epoch<A> {
  /**
   * Of slots, since the nodes of a queue keep their values after those were taken, and one that has come to be old keeps
   * all that came after it.
   */
  readonly queue: Queue.Queue<Slot<A>>
  /** Items in the queue. */
  queued: number
  /** Its fiber sleeps until there are so many. */
  enough: number
  readonly awake: Effect.Latch
  readonly closed: Deferred.Deferred<void>
  /** Completed when the epoch before this one has closed. */
  readonly ready: Deferred.Deferred<void>
  used: boolean
  /** What is in the queue is all there will be. */
  isClosing: boolean
}

export const make = <A>(options: Options<A>): Effect.Effect<Batcher<A>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const runtime = yield* Effect.runtime()
    const permits = yield* Effect.makeSemaphore(options.concurrency)
    // A window wider than the capacity could never fill, and would hold a full queue back until its time is up.
    const maxBatch = Math.min(options.maxBatch, options.capacity)
    // Offered and not yet on their way: in the queues of all epochs.
    let waiting = 0

    const take = (epoch: Epoch<A>): Effect.Effect<ReadonlyArray<A>> =>
      Effect.map(Queue.takeUpTo(epoch.queue, maxBatch), (slots) => {
        epoch.queued -= slots.length
        waiting -= slots.length
        return Chunk.toReadonlyArray(slots).map(takeFrom)
      })

    const sending = new Set<Fiber.RuntimeFiber<unknown>>()
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const fiber of sending) fiber.unsafeInterruptAsFork(FiberId.none)
      })
    )

    /** Interrupted when the scope closes, but not waited for: what is sent with may not be interruptible. */
    const forkSend = (send: Effect.Effect<unknown>): Effect.Effect<void> =>
      Effect.map(Effect.forkDaemon(send), (fiber) => {
        sending.add(fiber)
        fiber.addObserver(() => void sending.delete(fiber))
      })

    /** In a turn of its own: the program whose item made the batch full need not wait until it is encoded. */
    const send = (batch: Arr.NonEmptyReadonlyArray<A>): Effect.Effect<void> =>
      Effect.zipRight(turnOfEventLoop, options.send(batch))

    /** Sends the first of what waits, as soon as it may. */
    const dispatch = (epoch: Epoch<A>): Effect.Effect<void> =>
      Effect.uninterruptibleMask((restore) =>
        restore(permits.take(1)).pipe(
          Effect.zipRight(take(epoch)),
          Effect.flatMap((batch) =>
            Arr.isNonEmptyReadonlyArray(batch)
              ? forkSend(Effect.ensuring(restore(once(batch, send)), permits.release(1)))
              : Effect.asVoid(permits.release(1))
          )
        )
      )

    const drain = (epoch: Epoch<A>): Effect.Effect<void> =>
      Effect.suspend(() => {
        let isTimed = false

        const token: Effect.Effect<void, Option.Option<never>> = Effect.suspend(() => {
          if (epoch.queued >= maxBatch || (epoch.isClosing && epoch.queued > 0)) {
            return Effect.zipRight(dispatch(epoch), token)
          }
          if (epoch.isClosing) return Effect.fail(Option.none())
          if (epoch.queued > 0 && !isTimed) {
            isTimed = true
            return Effect.void
          }
          epoch.enough = isTimed ? maxBatch : 1
          epoch.awake.unsafeClose()
          return Effect.zipRight(epoch.awake.await, token)
        })

        return Stream.repeatEffectOption(token).pipe(
          Stream.groupedWithin(maxBatch, options.interval),
          Stream.runForEach(() =>
            Effect.zipRight(
              dispatch(epoch),
              Effect.sync(() => {
                isTimed = false
                epoch.awake.unsafeOpen()
              })
            )
          )
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
          queue: yield* Queue.dropping<Slot<A>>(options.capacity),
          queued: 0,
          enough: Infinity,
          awake: Effect.unsafeMakeLatch(false),
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
      old.awake.unsafeOpen()
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
        if (!Queue.unsafeOffer(epoch.queue, new Slot(item))) {
          waiting--
          return false
        }
        if (++epoch.queued >= epoch.enough) epoch.awake.unsafeOpen()
        return true
      },
      flush
    }
  })
