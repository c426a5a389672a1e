/**
 * The batcher against a model of it, over random scripts. A script that fails is shrunk.
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, FastCheck, Fiber, FiberId, Scope } from "effect"
import * as Batcher from "../../src/internal/batcher.js"
import * as Clock from "./support/clock.js"
import { runs, timeout } from "./support/runs.js"

interface Options {
  readonly capacity: number
  /** Of the capacity. */
  readonly reserve: number
  readonly maxBatch: number
  /** Milliseconds. */
  readonly interval: number
  readonly concurrency: number
}

interface Item {
  readonly index: number
  readonly bytes: number
}

/** Bytes that make a batch full. */
const maxBytes = 1000

interface Batch {
  readonly items: ReadonlyArray<Item>
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
  /** When each item was taken. */
  readonly accepted: Array<number>
  /** Their bytes. */
  readonly bytes: Array<number>
  isClosed: boolean
}

interface Real {
  readonly clock: Clock.VirtualClock
  readonly scope: Scope.CloseableScope
  readonly batcher: Batcher.Batcher<Item>
  readonly batches: Array<Batch>
  readonly flushes: Array<Flushing>
}

const start = async (options: Options): Promise<{ readonly model: Model; readonly real: Real }> => {
  const clock = Clock.make()
  const batches: Array<Batch> = []
  const scope = Effect.runSync(Scope.make())
  const batcher = await Effect.runPromise(
    Batcher.make<Item>({
      ...options,
      maxBytes,
      interval: Duration.millis(options.interval),
      concurrency: () => options.concurrency,
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
  return {
    model: { options, accepted: [], bytes: [], isClosed: false },
    real: { clock, scope, batcher, batches, flushes: [] }
  }
}

const started = (real: Real): ReadonlyArray<number> =>
  real.batches.flatMap(({ items }) => items.map(({ index }) => index))

const open = (real: Real): ReadonlyArray<Batch> => real.batches.filter(({ isDone }) => !isDone)

const check = (model: Model, real: Real): void => {
  const { capacity, concurrency, interval, maxBatch, reserve } = model.options
  const width = Math.max(1, Math.min(capacity - reserve, maxBatch))
  const sent = started(real)
  const inFlight = open(real).length
  const waiting = model.accepted.length - sent.length

  assert.deepStrictEqual(sent, sent.map((_, index) => index), "in order, each once, none left out")
  assert.isTrue(real.batches.every(({ items }) => items.length >= 1 && items.length <= width), "no batch is too large")
  assert.isAtLeast(waiting, 0)
  assert.isAtMost(waiting, capacity)
  if (model.isClosed) {
    assert.isTrue(real.flushes.every(({ fiber }) => fiber.unsafePoll() !== null), "closing ends every flush")
    return
  }
  assert.isAtMost(inFlight, concurrency)
  assert.strictEqual(real.batcher.hasRoom(true), waiting < capacity)
  assert.strictEqual(real.batcher.hasRoom(false), waiting < capacity - reserve)
  const done = new Set(
    real.batches.filter(({ isDone }) => isDone).flatMap(({ items }) => items.map(({ index }) => index))
  )
  const isOver = (upTo: number) => Array.from({ length: upTo }, (_, item) => item).every((item) => done.has(item))
  if (inFlight < concurrency) {
    assert.isBelow(waiting, width, "a full batch does not wait while it could leave")
    const bytes = model.bytes.slice(sent.length).reduce((sum, bytes) => sum + bytes, 0)
    assert.isTrue(waiting === 0 || bytes < maxBytes, "nor does one that is full by its bytes")
    const now = real.clock.unsafeCurrentTimeMillis()
    for (const at of model.accepted.slice(sent.length)) {
      assert.isBelow(now - at, interval, "nothing waits for longer than the interval while it could leave")
    }
    for (const { upTo } of real.flushes) assert.isAtLeast(sent.length, upTo, "what was flushed does not wait either")
  }
  for (const { fiber, upTo } of real.flushes) {
    const exit = fiber.unsafePoll()
    if (exit === null) assert.isAbove(inFlight, 0, "a flush ends when nothing is in flight")
    else if (Exit.isSuccess(exit)) assert.isTrue(isOver(upTo), "a flush does not end before all of it was sent")
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
  readonly bytes: number
  constructor(count: number, bytes: number) {
    super()
    this.count = count
    this.bytes = bytes
  }
  protected perform(model: Model, real: Real): void {
    for (let i = 0; i < this.count; i++) {
      const index = model.accepted.length
      const room = index - started(real).length < model.options.capacity
      const isTaken = real.batcher.unsafeOffer({ index, bytes: this.bytes })
      assert.strictEqual(isTaken, room, "an item is taken exactly when there is room")
      if (!isTaken) continue
      model.accepted.push(real.clock.unsafeCurrentTimeMillis())
      model.bytes.push(this.bytes)
    }
  }
  toString(): string {
    return `offer(${this.count}, ${this.bytes})`
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
  protected perform(_: Model, real: Real): void {
    const batches = open(real)
    const batch = batches[this.which % Math.max(1, batches.length)]
    if (batch === undefined) return
    Deferred.unsafeDone(batch.gate, Exit.void)
  }
  toString(): string {
    return `end(${this.which})`
  }
}

class Flush extends Command {
  protected perform(model: Model, real: Real): void {
    real.flushes.push({ upTo: model.accepted.length, fiber: Effect.runFork(real.batcher.flush) })
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
  reserve: FastCheck.constantFrom(0, 0, 1, 3),
  maxBatch: FastCheck.integer({ min: 1, max: 8 }),
  interval: FastCheck.constantFrom(1, 10, 100),
  concurrency: FastCheck.integer({ min: 1, max: 3 })
}).filter(({ capacity, reserve }) => reserve < capacity)

const times = FastCheck.constantFrom(1, 5, 50, 100, 250)

const living = [
  FastCheck.integer({ min: 1, max: 15 }).map((count) => new Offer(count, 10)),
  FastCheck.constant(new Offer(1, 10)),
  FastCheck.constantFrom(300, 600, 1500).map((bytes) => new Offer(1, bytes)),
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
          assert.isBelow(i, model.accepted.length + 1, "it comes to an end")
          await new End(0).run(model, real)
        }
        assert.strictEqual(started(real).length, model.accepted.length)
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
