/**
 * From single items to batches: a dropping queue and two fibers. One sends as soon as there is a full batch or something is
 * due; the other makes what waits due when the first item has waited for the interval.
 *
 * `Stream.groupedWithin` only times the window; items stay in the queue until the batch is sent. An item that went through
 * the stream would cost 20 to 600 microseconds, and one in a window could not be flushed.
 */
import * as Chunk from "effect/Chunk"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Backing from "./backing.js"
import { turnOfEventLoop } from "./turn.js"

export interface Options<A> {
  readonly capacity: number
  /** Room that only some items may use. */
  readonly reserve: number
  readonly maxBatch: number
  /** A batch of about so many bytes leaves at once. */
  readonly maxBytes: number
  readonly interval: Duration.DurationInput
  /** Batches in flight at one time. Asked before each. */
  readonly concurrency: () => number
  readonly send: (batch: ReadonlyArray<A>) => Effect.Effect<void>
}

export interface Batcher<A> {
  readonly hasRoom: (isPrivileged: boolean) => boolean
  /** `false` when there is no room. */
  readonly unsafeOffer: (item: A) => boolean
  /** Sends all that was offered before, and ends when that and what was in flight has been sent. Sent even if interrupted. */
  readonly flush: Effect.Effect<void>
  /** To be called when `concurrency` has grown. */
  readonly widen: () => void
}

export const make = <A extends { readonly bytes: number }>(
  options: Options<A>
): Effect.Effect<Batcher<A>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const queue = yield* Backing.dropping<A>(options.capacity)
    const sending = new Set<Fiber.RuntimeFiber<void>>()
    // What others may fill must be enough for a batch.
    const maxBatch = Math.max(1, Math.min(options.maxBatch, options.capacity - options.reserve))
    /** Open while something waits that is not due. */
    const some = Effect.unsafeMakeLatch(false)
    const enough = Effect.unsafeMakeLatch(false)
    const free = Effect.unsafeMakeLatch(true)
    let inFlight = 0
    let offered = 0
    let taken = 0
    let bytes = 0
    /** What was offered up to here leaves without waiting for more. */
    let due = 0
    let isClosed = false

    const isEnough = () => taken < due || offered - taken >= maxBatch || (offered > taken && bytes >= options.maxBytes)

    const setDue = (upTo: number): void => {
      due = upTo
      if (offered === due) some.unsafeClose()
      if (isEnough()) enough.unsafeOpen()
    }

    const take: Effect.Effect<ReadonlyArray<A>> = Effect.map(Queue.takeUpTo(queue, maxBatch), (chunk) => {
      const batch = Chunk.toReadonlyArray(chunk)
      taken += batch.length
      for (const item of batch) bytes -= item.bytes
      if (taken > due) setDue(taken)
      if (!isEnough()) enough.unsafeClose()
      return batch
    })

    const release = Effect.sync(() => {
      inFlight--
      free.unsafeOpen()
    })

    /** In a turn of its own: whoever offers or flushes does not wait for the writing. */
    const fork = (batch: ReadonlyArray<A>): Effect.Effect<void> =>
      turnOfEventLoop.pipe(
        Effect.zipRight(Effect.suspend(() => options.send(batch))),
        Effect.interruptible,
        Effect.ensuring(release),
        Effect.forkDaemon,
        Effect.map((fiber) => {
          sending.add(fiber)
          fiber.addObserver(() => void sending.delete(fiber))
        })
      )

    const sendWhile = (isNeeded: () => boolean): Effect.Effect<void> =>
      Effect.uninterruptibleMask((restore) => {
        const go: Effect.Effect<void> = Effect.suspend(() => {
          if (isClosed || !isNeeded()) return Effect.void
          if (inFlight >= options.concurrency()) {
            free.unsafeClose()
            return Effect.zipRight(restore(free.await), go)
          }
          inFlight++
          return Effect.zipRight(Effect.flatMap(take, fork), go)
        })
        return go
      })

    const window = Stream.concat(Stream.make("an item waits"), Stream.never).pipe(
      Stream.groupedWithin(2, options.interval),
      Stream.runHead
    )

    // A layer may be built in an uninterruptible region, and a fiber inherits that.
    const forkLoop = (loop: Effect.Effect<unknown>) => Effect.forkScoped(Effect.interruptible(Effect.forever(loop)))
    yield* forkLoop(Effect.zipRight(enough.await, sendWhile(isEnough)))
    yield* forkLoop(some.await.pipe(Effect.zipRight(window), Effect.zipRight(Effect.sync(() => setDue(offered)))))
    // Not awaited: what is sent with may not be interruptible.
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        isClosed = true
        sending.forEach((fiber) => fiber.unsafeInterruptAsFork(FiberId.none))
      })
    )

    return {
      hasRoom: (isPrivileged) =>
        offered - taken < (isPrivileged ? options.capacity : options.capacity - options.reserve),
      unsafeOffer: (item) => {
        if (!Queue.unsafeOffer(queue, item)) return false
        offered++
        bytes += item.bytes
        some.unsafeOpen()
        if (isEnough()) enough.unsafeOpen()
        return true
      },
      flush: Effect.suspend(() => {
        const upTo = offered
        setDue(upTo)
        return Effect.zipRight(
          sendWhile(() => taken < upTo),
          Effect.suspend(() => Effect.asVoid(Fiber.awaitAll([...sending])))
        )
      }),
      widen: () => free.unsafeOpen()
    }
  })
