/**
 * The batcher against a model of it, over random scripts. A script that fails is shrunk, and printed with its seed.
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, FastCheck, Fiber, FiberId, Scope } from "effect"
import * as Batcher from "../../src/internal/batcher.js"
import * as Clock from "./support/clock.js"
import { runs, timeout } from "./support/runs.js"

interface Options {
  readonly capacity: number
  readonly maxBatch: number
  /** Milliseconds. */
  readonly interval: number
  readonly concurrency: number
}

interface Batch {
  readonly items: ReadonlyArray<number>
  readonly gate: Deferred.Deferred<void>
  isDone: boolean
}

interface Flushing {
  /** Items that were taken before it. */
  readonly upTo: number
  readonly fiber: Fiber.RuntimeFiber<void>
}

/** What is known from outside: items are numbered in the order in which they were taken. */
interface Model {
  readonly options: Options
  accepted: number
  isClosed: boolean
  /** When an item was last taken, or a batch last ended. */
  lastChange: number
}

interface Real {
  readonly clock: Clock.VirtualClock
  readonly scope: Scope.CloseableScope
  readonly batcher: Batcher.Batcher<number>
  readonly batches: Array<Batch>
  readonly flushes: Array<Flushing>
}

const start = async (options: Options): Promise<{ readonly model: Model; readonly real: Real }> => {
  const clock = Clock.make()
  const batches: Array<Batch> = []
  const scope = Effect.runSync(Scope.make())
  const batcher = await Effect.runPromise(
    Batcher.make<number>({
      ...options,
      interval: Duration.millis(options.interval),
      send: (items) =>
        Effect.suspend(() => {
          const batch: Batch = { items, gate: Deferred.unsafeMake(FiberId.none), isDone: false }
          batches.push(batch)
          return Effect.map(Deferred.await(batch.gate), () => {
            batch.isDone = true
          })
        })
    }).pipe(Scope.extend(scope), Effect.withClock(clock))
  )
  const now = clock.unsafeCurrentTimeMillis()
  return {
    model: { options, accepted: 0, isClosed: false, lastChange: now },
    real: { clock, scope, batcher, batches, flushes: [] }
  }
}

const started = (real: Real): ReadonlyArray<number> => real.batches.flatMap(({ items }) => items)

const open = (real: Real): ReadonlyArray<Batch> => real.batches.filter(({ isDone }) => !isDone)

const check = (model: Model, real: Real): void => {
  const { capacity, concurrency, interval, maxBatch } = model.options
  const width = Math.min(capacity, maxBatch)
  const sent = started(real)
  const inFlight = open(real).length
  const waiting = model.accepted - sent.length

  assert.deepStrictEqual(sent, sent.map((_, index) => index), "in order, each once, none left out")
  assert.isTrue(real.batches.every(({ items }) => items.length >= 1 && items.length <= width), "no batch is too large")
  assert.isAtLeast(waiting, 0)
  assert.isAtMost(waiting, capacity)
  if (model.isClosed) {
    assert.isTrue(real.flushes.every(({ fiber }) => fiber.unsafePoll() !== null), "closing ends every flush")
    return
  }
  assert.isAtMost(inFlight, concurrency)
  assert.strictEqual(real.batcher.hasRoom(), waiting < capacity)
  const done = new Set(real.batches.filter(({ isDone }) => isDone).flatMap(({ items }) => items))
  const isOver = (upTo: number) => Array.from({ length: upTo }, (_, item) => item).every((item) => done.has(item))
  // What comes after a flush leaves when all before it has ended, so that flushes tell the truth.
  if (inFlight < concurrency && real.flushes.every(({ upTo }) => isOver(upTo))) {
    assert.isBelow(waiting, width, "a full batch does not wait while it could leave")
    if (real.clock.unsafeCurrentTimeMillis() - model.lastChange >= interval) {
      assert.strictEqual(waiting, 0, "nothing waits for longer than the interval while it could leave")
    }
  }
  for (const { fiber, upTo } of real.flushes) {
    const exit = fiber.unsafePoll()
    if (exit === null) assert.isFalse(isOver(upTo), "a flush ends when all that came before it was sent")
    else if (Exit.isSuccess(exit)) assert.isTrue(isOver(upTo), "a flush does not end before")
  }
}

/** A command that runs, settles, and is held against the model. */
abstract class Command implements FastCheck.AsyncCommand<Model, Real> {
  check(model: Readonly<Model>): boolean {
    return !model.isClosed
  }
  protected abstract perform(model: Model, real: Real): Promise<void> | void
  async run(model: Model, real: Real): Promise<void> {
    await this.perform(model, real)
    await Clock.settle()
    check(model, real)
  }
  abstract toString(): string
}

class Offer extends Command {
  readonly count: number
  constructor(count: number) {
    super()
    this.count = count
  }
  protected perform(model: Model, real: Real): void {
    for (let i = 0; i < this.count; i++) {
      const room = model.accepted - started(real).length < model.options.capacity
      const isTaken = real.batcher.unsafeOffer(model.accepted)
      assert.strictEqual(isTaken, room, "an item is taken exactly when there is room")
      if (!isTaken) continue
      model.accepted++
      model.lastChange = real.clock.unsafeCurrentTimeMillis()
    }
  }
  toString(): string {
    return `offer(${this.count})`
  }
}

class Advance extends Command {
  readonly milliseconds: number
  constructor(milliseconds: number) {
    super()
    this.milliseconds = milliseconds
  }
  protected perform(_: Model, real: Real): Promise<void> {
    return real.clock.advance(this.milliseconds)
  }
  toString(): string {
    return `advance(${this.milliseconds})`
  }
}

/** One of the batches in flight comes to its end, not always the oldest. */
class End extends Command {
  readonly which: number
  constructor(which: number) {
    super()
    this.which = which
  }
  protected perform(model: Model, real: Real): void {
    const batches = open(real)
    const batch = batches[this.which % Math.max(1, batches.length)]
    if (batch === undefined) return
    model.lastChange = real.clock.unsafeCurrentTimeMillis()
    Deferred.unsafeDone(batch.gate, Exit.void)
  }
  toString(): string {
    return `end(${this.which})`
  }
}

class Flush extends Command {
  protected perform(model: Model, real: Real): void {
    real.flushes.push({ upTo: model.accepted, fiber: Effect.runFork(real.batcher.flush) })
  }
  toString(): string {
    return "flush"
  }
}

class InterruptFlush extends Command {
  readonly which: number
  constructor(which: number) {
    super()
    this.which = which
  }
  protected async perform(_: Model, real: Real): Promise<void> {
    const flush = real.flushes[this.which % Math.max(1, real.flushes.length)]
    if (flush !== undefined) await Effect.runPromise(Fiber.interrupt(flush.fiber))
  }
  toString(): string {
    return `interruptFlush(${this.which})`
  }
}

class Close extends Command {
  protected async perform(model: Model, real: Real): Promise<void> {
    model.isClosed = true
    await Effect.runPromise(Scope.close(real.scope, Exit.void))
  }
  toString(): string {
    return "close"
  }
}

const options = FastCheck.record({
  capacity: FastCheck.integer({ min: 1, max: 12 }),
  maxBatch: FastCheck.integer({ min: 1, max: 8 }),
  interval: FastCheck.constantFrom(1, 10, 100),
  concurrency: FastCheck.integer({ min: 1, max: 3 })
})

const times = FastCheck.constantFrom(1, 5, 50, 100, 250)

const living = [
  FastCheck.integer({ min: 1, max: 15 }).map((count) => new Offer(count)),
  FastCheck.constant(new Offer(1)),
  times.map((milliseconds) => new Advance(milliseconds)),
  FastCheck.nat(5).map((which) => new End(which)),
  FastCheck.constant(new End(0)),
  FastCheck.constant(new Flush()),
  FastCheck.nat(5).map((which) => new InterruptFlush(which))
]

const size = { size: "medium", maxCommands: 60 } as const

describe("batcher", () => {
  it("does what its model does, and in the end has sent all that it took, in order, each once", () =>
    FastCheck.assert(
      FastCheck.asyncProperty(options, FastCheck.commands(living, size), async (options, commands) => {
        const { model, real } = await start(options)
        await FastCheck.asyncModelRun(() => ({ model, real }), commands)
        await new Flush().run(model, real)
        for (let i = 0; open(real).length > 0; i++) {
          assert.isBelow(i, model.accepted + 1, "it comes to an end")
          await new End(0).run(model, real)
        }
        assert.strictEqual(started(real).length, model.accepted)
        await new Close().run(model, real)
        assert.strictEqual(real.clock.sleeping(), 0, "no timer is left")
      }),
      runs(60)
    ), timeout)

  it("ends everything when it is closed in the middle of anything", () =>
    FastCheck.assert(
      FastCheck.asyncProperty(
        options,
        FastCheck.commands([...living, FastCheck.constant(new Close())], size),
        async (options, commands) => {
          const { model, real } = await start(options)
          await FastCheck.asyncModelRun(() => ({ model, real }), commands)
          if (!model.isClosed) await new Close().run(model, real)
          const before = real.batches.length
          await real.clock.advance(10_000)
          assert.strictEqual(real.batches.length, before, "nothing is sent afterwards")
          assert.strictEqual(real.clock.sleeping(), 0, "no timer is left")
        }
      ),
      runs(40)
    ), timeout)
})
