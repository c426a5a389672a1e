/**
 * The whole ingest service against a model of it, over random scripts of a program and a server. A script that fails is
 * shrunk, and printed with its seed.
 *
 * The model is what the two sides can see: the program knows what it enqueued, and the server what it was sent and said.
 */
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, FastCheck, Fiber, FiberId, Layer, Logger, Schedule, Scope } from "effect"
import * as LangfuseIngest from "effect-langfuse/LangfuseIngest"
import * as Client from "../utils/client.js"
import { event, isBalanced, keys } from "../utils/ingest.js"
import * as Clock from "./support/clock.js"
import { runs, timeout } from "./support/runs.js"

interface Options {
  readonly capacity: number
  readonly maxBatch: number
  readonly interval: number
  readonly concurrency: number
  readonly requestTimeout: number
  readonly flushTimeout: number
  readonly shutdownTimeout: number
}

/** How the server answers one request. */
type Verdict = "accept" | "refuse some" | "omit some" | "500" | "413" | "html" | "429" | "throw"

type Outcome = "delivered" | "rejected" | "failed"

interface Request {
  readonly ids: ReadonlyArray<string>
  readonly gate: Deferred.Deferred<Verdict>
  /** What became of its events, once that is settled. */
  outcomes: ReadonlyArray<Outcome> | undefined
  /** Whether it was refused as too large: its events then come again, in two halves. */
  isDivided: boolean
}

interface Flushing {
  /** What was pending when it began. */
  readonly ids: ReadonlyArray<string>
  readonly since: number
  readonly fiber: Fiber.RuntimeFiber<LangfuseIngest.FlushReport>
}

interface Closing {
  readonly since: number
  readonly fiber: Fiber.RuntimeFiber<void>
}

interface Enqueuer {
  readonly fiber: Fiber.RuntimeFiber<void>
}

interface Model {
  readonly options: Options
  /** Ids of the events that were taken, in order. */
  readonly accepted: Array<string>
  offered: number
  closing: Closing | undefined
}

interface Real {
  readonly clock: Clock.VirtualClock
  readonly scope: Scope.CloseableScope
  readonly ingest: LangfuseIngest.Service
  readonly requests: Array<Request>
  readonly flushes: Array<Flushing>
  readonly enqueuers: Array<Enqueuer>
}

const start = async (options: Options): Promise<{ readonly model: Model; readonly real: Real }> => {
  const clock = Clock.make()
  const requests: Array<Request> = []
  const respond: Client.Responder = (seen) =>
    Effect.suspend(() => {
      const request: Request = {
        ids: seen.ids,
        gate: Deferred.unsafeMake(FiberId.none),
        outcomes: undefined,
        isDivided: false
      }
      requests.push(request)
      return Deferred.await(request.gate).pipe(
        Effect.map((verdict) => answer(request, verdict)),
        Effect.onInterrupt(() =>
          Effect.sync(() => {
            request.outcomes = request.ids.map(() => "failed")
          })
        )
      )
    })
  const scope = Effect.runSync(Scope.make())
  const layer = LangfuseIngest.layer({
    ...keys,
    ...options,
    baseUrl: "https://langfuse.test",
    protocol: "ingestion"
  }).pipe(Layer.provide(Client.make(respond).layer), Layer.provide(Logger.remove(Logger.defaultLogger)))
  const context = await Effect.runPromise(Layer.buildWithScope(layer, scope).pipe(Effect.withClock(clock)))
  return {
    model: { options, accepted: [], offered: 0, closing: undefined },
    real: {
      clock,
      scope,
      ingest: Context.get(context, LangfuseIngest.LangfuseIngest),
      requests,
      flushes: [],
      enqueuers: []
    }
  }
}

const answer = (request: Request, verdict: Verdict): Response => {
  const all = (outcome: Outcome) => request.ids.map(() => outcome)
  const everySecond = (outcome: Outcome) =>
    request.ids.map((_, index): Outcome => index % 2 === 0 ? outcome : "delivered")
  const body = (outcomes: ReadonlyArray<Outcome>) =>
    Client.json(207, {
      successes: request.ids.filter((_, i) => outcomes[i] === "delivered").map((id) => ({ id, status: 201 })).reverse(),
      errors: request.ids.filter((_, i) => outcomes[i] === "rejected").map((id) => ({ id, status: 400, message: "no" }))
    })
  const settled = (outcomes: ReadonlyArray<Outcome>) => {
    request.outcomes = outcomes
    return outcomes
  }
  switch (verdict) {
    case "accept":
      return body(settled(all("delivered")))
    case "refuse some":
      return body(settled(everySecond("rejected")))
    case "omit some":
      return body(settled(everySecond("failed")))
    case "413":
      if (request.ids.length > 1) request.isDivided = true
      else settled(all("failed"))
      return new Response("Body exceeded 4.5mb limit", { status: 413 })
    case "500":
      settled(all("failed"))
      return Client.json(500, { error: "Internal Server Error" })
    case "429":
      settled(all("failed"))
      return Client.json(429, { message: "Rate limit exceeded" }, { "retry-after": "1" })
    case "html":
      settled(all("failed"))
      return new Response("<html></html>", { status: 200, headers: { "content-type": "text/html" } })
    case "throw":
      settled(all("failed"))
      throw new Error("the client broke")
  }
}

const open = (real: Real): ReadonlyArray<Request> =>
  real.requests.filter(({ isDivided, outcomes }) => outcomes === undefined && !isDivided)

/** What is known to have become of each event that was sent. */
const outcomesOf = (real: Real): ReadonlyMap<string, Outcome> =>
  new Map(
    real.requests.flatMap(({ ids, outcomes }) =>
      outcomes === undefined ? [] : ids.map((id, i) => [id, outcomes[i]] as const)
    )
      .filter((entry): entry is [string, Outcome] => entry[1] !== undefined)
  )

const count = (ids: ReadonlyArray<string>, outcomes: ReadonlyMap<string, Outcome>) => {
  const of = (outcome: Outcome) => ids.filter((id) => outcomes.get(id) === outcome).length
  const counts = { delivered: of("delivered"), rejected: of("rejected"), failed: of("failed") }
  return { ...counts, pending: ids.length - counts.delivered - counts.rejected - counts.failed }
}

const isOver = (fiber: Fiber.RuntimeFiber<unknown>): boolean => fiber.unsafePoll() !== null

const check = (model: Model, real: Real): void => {
  const { capacity, concurrency, flushTimeout, maxBatch, shutdownTimeout } = model.options
  const stats = Effect.runSync(real.ingest.stats)
  const now = real.clock.unsafeCurrentTimeMillis()
  const outcomes = outcomesOf(real)
  const isClosed = model.closing !== undefined && isOver(model.closing.fiber)

  assert.isTrue(isBalanced(stats), "the ledger balances")
  assert.strictEqual(stats.offered, model.offered)
  assert.strictEqual(stats.dropped, model.offered - model.accepted.length)

  const known = count(model.accepted, outcomes)
  const expected = isClosed ? { ...known, failed: known.failed + known.pending, pending: 0 } : known
  const { delivered, failed, pending, rejected } = stats
  assert.deepStrictEqual({ delivered, rejected, failed, pending }, expected, "the server says the same as the ledger")
  assert.isAtMost(pending, capacity + concurrency * Math.min(maxBatch, capacity), "what is held is bounded")

  const whole = real.requests.filter(({ ids }) => ids.length > 0)
  assert.isTrue(whole.every(({ ids }) => ids.length <= maxBatch), "no batch is too large")
  assert.isAtMost(open(real).length, concurrency)
  const times = new Map<string, number>()
  for (const { ids, isDivided } of whole) for (const id of ids) if (!isDivided) times.set(id, (times.get(id) ?? 0) + 1)
  assert.isTrue([...times.values()].every((n) => n === 1), "each event is sent at most once")
  const firsts = [...new Set(whole.flatMap(({ ids }) => ids))]
  assert.deepStrictEqual(firsts, model.accepted.slice(0, firsts.length), "in the order in which they were enqueued")

  for (const { fiber, ids, since } of real.flushes) {
    const exit = fiber.unsafePoll()
    const mine = count(ids, outcomes)
    if (exit === null) {
      assert.isAbove(mine.pending, 0, "a flush ends when all that was pending is settled")
      assert.isBelow(now - since, flushTimeout, "a flush ends at flushTimeout")
    } else if (Exit.isSuccess(exit)) {
      const report = exit.value
      const sum = report.delivered + report.rejected + report.failed + report.pending
      assert.strictEqual(sum, ids.length, "a flush reports all that was pending")
      if (report.pending === 0 && !isClosed) assert.deepStrictEqual(report, { ...mine, pending: 0 })
      else assert.isAtMost(report.delivered, mine.delivered)
    } else {
      assert.isTrue(Exit.isInterrupted(exit), "a flush does not fail")
    }
  }
  if (model.closing !== undefined && !isClosed) {
    assert.isBelow(now - model.closing.since, shutdownTimeout, "closing ends at shutdownTimeout")
  }
}

/** A command that runs, settles, and is held against the model. */
abstract class Command implements FastCheck.AsyncCommand<Model, Real> {
  check(_: Readonly<Model>): boolean {
    return true
  }
  protected abstract perform(model: Model, real: Real): Promise<void> | void
  async run(model: Model, real: Real): Promise<void> {
    await this.perform(model, real)
    await Clock.settle()
    check(model, real)
  }
  abstract toString(): string
}

const enqueue = (model: Model, real: Real): void => {
  const id = `e${model.offered}`
  model.offered++
  const isTaken = model.offered % 2 === 0
    ? real.ingest.unsafeEnqueue(event(id))
    : Effect.runSync(real.ingest.enqueue(event(id)))
  if (isTaken) model.accepted.push(id)
  if (model.closing !== undefined) assert.isFalse(isTaken, "nothing is taken once the end has begun")
}

class Enqueue extends Command {
  readonly count: number
  constructor(count: number) {
    super()
    this.count = count
  }
  protected perform(model: Model, real: Real): void {
    for (let i = 0; i < this.count; i++) enqueue(model, real)
  }
  toString(): string {
    return `enqueue(${this.count})`
  }
}

/** A fiber that enqueues one event after the other, giving way in between. */
class EnqueueSlowly extends Command {
  readonly count: number
  constructor(count: number) {
    super()
    this.count = count
  }
  protected perform(model: Model, real: Real): void {
    const fiber = Effect.sync(() => enqueue(model, real)).pipe(
      Effect.zipLeft(Effect.sleep("1 millis")),
      Effect.repeatN(this.count),
      Effect.withClock(real.clock),
      Effect.runFork
    )
    real.enqueuers.push({ fiber })
  }
  toString(): string {
    return `enqueueSlowly(${this.count})`
  }
}

class InterruptEnqueuers extends Command {
  protected async perform(_: Model, real: Real): Promise<void> {
    await Effect.runPromise(Fiber.interruptAll(real.enqueuers.map(({ fiber }) => fiber)))
  }
  toString(): string {
    return "interruptEnqueuers"
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

class Answer extends Command {
  readonly which: number
  readonly verdict: Verdict
  constructor(which: number, verdict: Verdict) {
    super()
    this.which = which
    this.verdict = verdict
  }
  protected perform(_: Model, real: Real): void {
    const requests = open(real)
    const request = requests[this.which % Math.max(1, requests.length)]
    if (request !== undefined) Deferred.unsafeDone(request.gate, Exit.succeed(this.verdict))
  }
  toString(): string {
    return `answer(${this.which}, ${this.verdict})`
  }
}

class Flush extends Command {
  protected perform(model: Model, real: Real): void {
    const outcomes = outcomesOf(real)
    const isClosed = model.closing !== undefined && isOver(model.closing.fiber)
    real.flushes.push({
      ids: isClosed ? [] : model.accepted.filter((id) => !outcomes.has(id)),
      since: real.clock.unsafeCurrentTimeMillis(),
      fiber: Effect.runFork(Effect.withClock(real.ingest.flush, real.clock))
    })
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
  override check(model: Readonly<Model>): boolean {
    return model.closing === undefined
  }
  protected perform(model: Model, real: Real): void {
    model.closing = {
      since: real.clock.unsafeCurrentTimeMillis(),
      fiber: Effect.runFork(Effect.withClock(Scope.close(real.scope, Exit.void), real.clock))
    }
  }
  toString(): string {
    return "close"
  }
}

const options: FastCheck.Arbitrary<Options> = FastCheck.record({
  capacity: FastCheck.integer({ min: 1, max: 12 }),
  maxBatch: FastCheck.integer({ min: 1, max: 6 }),
  interval: FastCheck.constantFrom(1, 20, 200),
  concurrency: FastCheck.integer({ min: 1, max: 2 }),
  requestTimeout: FastCheck.constantFrom(50, 500, 5000),
  flushTimeout: FastCheck.constantFrom(100, 1000),
  shutdownTimeout: FastCheck.constantFrom(100, 1000)
})

const verdicts = FastCheck.oneof(
  { weight: 3, arbitrary: FastCheck.constant<Verdict>("accept") },
  {
    weight: 4,
    arbitrary: FastCheck.constantFrom<Verdict>("refuse some", "omit some", "500", "413", "html", "429", "throw")
  }
)

const answers = FastCheck.tuple(FastCheck.nat(3), verdicts).map(([which, verdict]) => new Answer(which, verdict))

const living = [
  FastCheck.integer({ min: 1, max: 10 }).map((count) => new Enqueue(count)),
  FastCheck.constant(new Enqueue(1)),
  FastCheck.integer({ min: 1, max: 10 }).map((count) => new EnqueueSlowly(count)),
  FastCheck.constant(new InterruptEnqueuers()),
  FastCheck.constantFrom(1, 10, 100, 600).map((milliseconds) => new Advance(milliseconds)),
  answers,
  answers,
  FastCheck.constant(new Flush()),
  FastCheck.nat(5).map((which) => new InterruptFlush(which))
]

const size = { size: "medium", maxCommands: 60 } as const

const end = async (model: Model, real: Real): Promise<void> => {
  await new InterruptEnqueuers().run(model, real)
  if (model.closing === undefined) await new Close().run(model, real)
  await new Advance(model.options.shutdownTimeout).run(model, real)
  assert.isTrue(model.closing !== undefined && isOver(model.closing.fiber), "closing ends")
  assert.deepStrictEqual(open(real), [], "no request is left")
  const sent = real.requests.length
  await new Enqueue(3).run(model, real)
  await new Flush().run(model, real)
  await new Advance(100_000).run(model, real)
  assert.strictEqual(real.requests.length, sent, "nothing is sent afterwards")
  assert.strictEqual(real.clock.sleeping(), 0, "no timer is left")
}

describe("ingest", () => {
  it("ends a flush when its own events are settled, although a later one of their batch is sent again", async () => {
    const { model, real } = await start({
      capacity: 2,
      maxBatch: 2,
      interval: 1,
      concurrency: 1,
      requestTimeout: 50,
      flushTimeout: 100,
      shutdownTimeout: 100
    })
    const script = [
      new Enqueue(1),
      new Flush(),
      new Enqueue(1),
      new Flush(),
      new Enqueue(1),
      new Answer(0, "refuse some"),
      new Answer(0, "413"),
      new Answer(0, "accept")
    ]
    for (const command of script) await command.run(model, real)
    assert.isTrue(real.flushes.every(({ fiber }) => isOver(fiber)))
    await end(model, real)
  })

  it("does what its model does, whatever the program and the server do", () =>
    FastCheck.assert(
      FastCheck.asyncProperty(options, FastCheck.commands(living, size), async (options, commands) => {
        const { model, real } = await start(options)
        await FastCheck.asyncModelRun(() => ({ model, real }), commands)
        await end(model, real)
      }),
      runs(40)
    ), timeout)

  it("does what its model does when it is closed in the middle of anything", () =>
    FastCheck.assert(
      FastCheck.asyncProperty(
        options,
        FastCheck.commands([...living, FastCheck.constant(new Close())], size),
        async (options, commands) => {
          const { model, real } = await start(options)
          await FastCheck.asyncModelRun(() => ({ model, real }), commands)
          await end(model, real)
        }
      ),
      runs(40)
    ), timeout)
})

describe("retry", () => {
  const statuses = FastCheck.constantFrom(201, 201, 400, 401, 404, 408, 429, 500, 503, 0)
  const isRetryable = (status: number | undefined) =>
    status === 408 || status === 429 || (status !== undefined && status >= 500)

  it(
    "tries again exactly the events that are worth it, as often as the schedule says, with their ids",
    () =>
      FastCheck.assert(
        FastCheck.asyncProperty(
          // What the server will say of each event, one time after the other; 0 is not a word.
          FastCheck.array(FastCheck.array(statuses, { minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 8 }),
          FastCheck.integer({ min: 0, max: 3 }),
          // How often each request as a whole fails before that.
          FastCheck.array(FastCheck.constantFrom(0, 0, 503, 400), { maxLength: 3 }),
          async (events, times, failures) => {
            const clock = Clock.make()
            const said = new Map<string, number>()
            const whole = [...failures]
            const fake = Client.make((seen) => {
              const failure = whole.shift() ?? 0
              if (failure > 0) return Client.json(failure, { message: "for now" })
              const verdicts = seen.ids.map((id) => {
                const time = said.get(id) ?? 0
                said.set(id, time + 1)
                return { id, status: events[Number(id)]?.[time] ?? 201 }
              })
              return Client.json(207, {
                successes: verdicts.filter(({ status }) => status === 201),
                errors: verdicts.filter(({ status }) => status > 201).map((verdict) => ({ ...verdict, message: "no" }))
              })
            })

            /** The reference: what is sent each time, and what becomes of each event. */
            const model = () => {
              const batches: Array<ReadonlyArray<number>> = []
              const outcomes = events.map((): Outcome => "failed")
              const heard = events.map(() => 0)
              const left = [...failures]
              let remaining = events.map((_, index) => index)
              for (let time = 0; time <= times && remaining.length > 0; time++) {
                batches.push(remaining)
                const failure = left.shift() ?? 0
                if (failure > 0) { for (const index of remaining) outcomes[index] = "failed" }
                if (failure === 503) continue
                if (failure === 400) break
                const answered = remaining
                remaining = []
                for (const index of answered) {
                  const status = events[index]?.[heard[index] ?? 0]
                  heard[index] = (heard[index] ?? 0) + 1
                  outcomes[index] = status === 201 ? "delivered" : status === 0 ? "failed" : "rejected"
                  if (isRetryable(status)) remaining.push(index)
                }
              }
              return { batches, outcomes }
            }
            const expected = model()

            const scope = Effect.runSync(Scope.make())
            const context = await Effect.runPromise(
              Layer.buildWithScope(
                LangfuseIngest.layer({
                  ...keys,
                  protocol: "ingestion",
                  baseUrl: "https://langfuse.test",
                  retry: Schedule.recurs(times)
                }).pipe(Layer.provide(fake.layer), Layer.provide(Logger.remove(Logger.defaultLogger))),
                scope
              ).pipe(Effect.withClock(clock))
            )
            const ingest = Context.get(context, LangfuseIngest.LangfuseIngest)
            for (const index of events.keys()) ingest.unsafeEnqueue(event(String(index)))
            const flushing = Effect.runPromise(Effect.withClock(ingest.flush, clock))
            await clock.advance(4_900)
            const report = await flushing
            await Effect.runPromise(Scope.close(scope, Exit.void))

            assert.deepStrictEqual(fake.batches(), expected.batches.map((batch) => batch.map(String)))
            const of = (outcome: Outcome) => expected.outcomes.filter((each) => each === outcome).length
            assert.deepStrictEqual(report, {
              delivered: of("delivered"),
              rejected: of("rejected"),
              failed: of("failed"),
              pending: 0
            })
          }
        ),
        {
          ...runs(60),
          // Refused in the same words and told together, and tried again in their order all the same.
          examples: [[[[500, 201, 201, 201], [429, 201, 201, 201], [500, 201, 201, 201]], 1, []]]
        }
      ),
    timeout
  )
})
