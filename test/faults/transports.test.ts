/**
 * Transports that a user wrote, and wrote badly: none of them unbalances the ledger, fills the memory or holds anybody up.
 */
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber, FiberId, Layer, Scope, TestClock } from "effect"
import type * as LangfuseConfig from "effect-langfuse/LangfuseConfig"
import * as LangfuseIngest from "effect-langfuse/LangfuseIngest"
import * as LangfuseTransport from "effect-langfuse/LangfuseTransport"
import { collectLogs, event, isBalanced, range, turns, until } from "../utils/ingest.js"

type Send = LangfuseTransport.Service["send"]

const start = (transport: Partial<LangfuseTransport.Service>, options: LangfuseConfig.IngestOptions = {}) =>
  Effect.gen(function*() {
    const logs = collectLogs()
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) =>
      Effect.gen(function*() {
        const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
        yield* turns()
        yield* TestClock.adjust("1 day")
        yield* Fiber.join(closing)
      }))
    const service: LangfuseTransport.Service = { send: () => Effect.void, drain: () => Effect.void, ...transport }
    const context = yield* Layer.buildWithScope(
      Layer.scoped(LangfuseIngest.LangfuseIngest, LangfuseIngest.make(options)).pipe(
        Layer.provide(Layer.succeed(LangfuseTransport.LangfuseTransport, service)),
        Layer.provideMerge(logs.layer)
      ),
      scope
    )
    const ingest = Context.get(context, LangfuseIngest.LangfuseIngest)
    const enqueue = (count: number, prefix = "e") =>
      Effect.forEach(range(count, prefix), (id) => ingest.enqueue(event(id)))
    return { ingest, logs, enqueue, close: Scope.close(scope, Exit.void) }
  })

/** What plain JavaScript can hand in, whatever the types say. */
const anything = (value: unknown): never => value as never // of no type on purpose

const settleAll: Send = (batch, report) => Effect.sync(() => report.settle(batch, "delivered"))

const failure = { reason: "Status", status: 500, description: "no" } as const

describe("a transport of the user's own", () => {
  it.scoped("that does what it should gets plain events, and settles each once", () =>
    Effect.gen(function*() {
      const events: Array<unknown> = []
      const { enqueue, ingest } = yield* start({
        send: (batch, report) =>
          Effect.sync(() => {
            for (const entry of batch) events.push(entry.event)
            report.settle(batch.slice(0, 1), "delivered")
            report.settle(batch.slice(1, 2), { rejected: { ...failure, reason: "Rejected", status: 400 } })
            report.settle(batch.slice(2), { failed: failure })
          })
      })
      yield* enqueue(4)
      assert.deepStrictEqual(yield* ingest.flush, { delivered: 1, rejected: 1, failed: 2, pending: 0 })
      assert.deepStrictEqual(events, range(4).map((id) => event(id)))
      assert.isTrue(events.every((each) => Object.getPrototypeOf(each) === Object.prototype))
    }))

  const forgetful: ReadonlyArray<readonly [title: string, send: Send]> = [
    ["forgets", () => Effect.void],
    ["dies", () => Effect.die(new Error("s3cr3t"))],
    ["throws", () => {
      throw new Error("s3cr3t")
    }],
    ["fails, whatever its type", () => anything(Effect.fail("s3cr3t"))],
    ["interrupts itself", () => Effect.interrupt],
    ["returns no effect", () => anything(undefined)],
    ["settles nothing that it was given", (batch, report) =>
      Effect.sync(() => {
        report.settle(anything(batch.map((entry) => ({ ...entry }))), "delivered")
        report.settle(anything(batch.map(({ event }) => event)), "delivered")
        report.settle(anything(batch.map(({ id }) => id)), "delivered")
        report.settle(anything([null, undefined, 1, {}]), "delivered")
        report.settle(anything(undefined), "delivered")
        report.withhold(anything(null))
        report.withhold(anything([{ ...batch[0] }, null]))
      })],
    ["gives outcomes that are none", (batch, report) =>
      Effect.sync(() => {
        report.settle(batch, anything(undefined))
        report.settle(batch, anything("lost"))
        report.settle(batch, anything(null))
        report.settle(batch, anything(7))
      })],
    ["empties its batch", (batch) => Effect.sync(() => void Reflect.set(batch, "length", 0))]
  ]

  for (const [title, send] of forgetful) {
    it.scoped(`that ${title}: its events have failed, and the next batch is sent`, () =>
      Effect.gen(function*() {
        let batches = 0
        const { enqueue, ingest, logs } = yield* start({
          send: (batch, report) => batches++ === 0 ? send(batch, report) : settleAll(batch, report)
        })
        yield* enqueue(3)
        assert.deepStrictEqual(yield* ingest.flush, { delivered: 0, rejected: 0, failed: 3, pending: 0 })
        yield* enqueue(2, "f")
        assert.deepStrictEqual(yield* ingest.flush, { delivered: 2, rejected: 0, failed: 0, pending: 0 })
        assert.isTrue(isBalanced(yield* ingest.stats))
        assert.strictEqual(logs.warnings().length, 1)
        assert.notInclude(JSON.stringify(logs.lines), "s3cr3t")
      }))
  }

  it.scoped("that settles twice, or some of it again: the first word stands", () =>
    Effect.gen(function*() {
      const { enqueue, ingest } = yield* start({
        send: (batch, report) =>
          Effect.sync(() => {
            const [first] = batch
            report.settle([first, first, first], "delivered")
            report.settle(batch, { failed: failure })
            report.settle(batch, "delivered")
            report.withhold(batch)
          })
      })
      yield* enqueue(3)
      assert.deepStrictEqual(yield* ingest.flush, { delivered: 1, rejected: 0, failed: 2, pending: 0 })
      assert.deepInclude(yield* ingest.stats, { delivered: 1, failed: 2, pending: 0 })
    }))

  it.scoped("that gives a problem of no known kind, or none: counted, and warned of all the same", () =>
    Effect.gen(function*() {
      const { enqueue, ingest, logs } = yield* start({
        send: (batch, report) =>
          Effect.sync(() => {
            report.settle(batch.slice(0, 1), anything({ failed: undefined }))
            report.settle(batch.slice(1, 2), anything({ rejected: { reason: "Mercury", description: 7 } }))
            report.settle(batch.slice(2), anything({}))
          })
      })
      yield* enqueue(3)
      assert.deepStrictEqual(yield* ingest.flush, { delivered: 0, rejected: 2, failed: 1, pending: 0 })
      assert.strictEqual(logs.warnings().length, 2)
      assert.strictEqual((yield* ingest.status).lastFailure?.error.reason, "Defect")
    }))

  it.scoped("that settles the events of another service changes nothing there", () =>
    Effect.gen(function*() {
      const stolen: Array<LangfuseTransport.Entry> = []
      const hanging = yield* start({
        send: (batch) => Effect.zipRight(Effect.sync(() => stolen.push(...batch)), Effect.never)
      })
      yield* hanging.enqueue(3)
      yield* TestClock.adjust("2 seconds")
      yield* until(() => stolen.length === 3)
      const thief = yield* start({
        send: (batch, report) =>
          Effect.sync(() => {
            report.settle([...stolen, ...batch], "delivered")
            report.withhold(stolen)
          })
      })
      yield* thief.enqueue(2)
      yield* thief.ingest.flush
      assert.deepInclude(yield* thief.ingest.stats, { offered: 2, delivered: 2, pending: 0 })
      assert.deepInclude(yield* hanging.ingest.stats, { offered: 3, delivered: 0, pending: 3 })
    }))

  it.scoped("that hangs: capacity bounds what is held, flush and close end in time", () =>
    Effect.gen(function*() {
      const { close, enqueue, ingest } = yield* start(
        { send: () => Effect.uninterruptible(Effect.never), drain: () => Effect.uninterruptible(Effect.never) },
        { capacity: 10, maxBatch: 5, flushTimeout: "200 millis", shutdownTimeout: "1 second" }
      )
      yield* enqueue(50)
      const flushing = yield* Effect.fork(ingest.flush)
      yield* turns()
      yield* TestClock.adjust("200 millis")
      assert.deepInclude(yield* Fiber.join(flushing), { delivered: 0 })
      const stats = yield* ingest.stats
      assert.isAtMost(stats.pending, 15)
      assert.isTrue(isBalanced(stats))
      const closing = yield* Effect.fork(close)
      yield* turns()
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(closing)
      assert.deepInclude(yield* ingest.stats, { pending: 0, failed: stats.pending })
    }))

  it.scoped("that answers late changes nothing: neither after its send nor after the close", () =>
    Effect.gen(function*() {
      const words: Array<() => void> = []
      const gate = Deferred.unsafeMake<true>(FiberId.none)
      const { close, enqueue, ingest } = yield* start({
        send: (batch, report) =>
          Effect.suspend(() => {
            words.push(() => report.settle(batch, "delivered"), () => report.withhold(batch))
            return words.length > 2 ? Effect.asVoid(Deferred.await(gate)) : Effect.void
          })
      }, { shutdownTimeout: "1 second" })
      yield* enqueue(2)
      assert.deepInclude(yield* ingest.flush, { failed: 2 })
      words.forEach((say) => say())
      assert.deepInclude(yield* ingest.stats, { delivered: 0, failed: 2, pending: 0 })
      yield* enqueue(3)
      const closing = yield* Effect.fork(close)
      yield* turns()
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(closing)
      words.forEach((say) => say())
      assert.deepInclude(yield* ingest.stats, { offered: 5, delivered: 0, failed: 5, pending: 0 })
    }))

  it.scoped(
    "that withholds everything cannot fill the memory: beyond 100,000 events they have failed",
    () =>
      Effect.gen(function*() {
        const { close, ingest, logs } = yield* start({
          send: (batch, report) => Effect.sync(() => report.withhold(batch))
        }, { capacity: 20_000 })
        for (let round = 0; round < 6; round++) {
          for (let n = 0; n < 18_000; n++) ingest.unsafeEnqueue(event(`e${n}`))
          yield* ingest.flush
        }
        assert.deepInclude(yield* ingest.stats, { offered: 108_000, dropped: 0, pending: 100_000, failed: 8000 })
        assert.isTrue(logs.warnings().some((line) => line.includes("keeps too many events back")))
        yield* close
        assert.deepInclude(yield* ingest.stats, { pending: 0, failed: 108_000 })
      }),
    60_000
  )

  it.scoped("that withholds everything cannot fill the memory: nor beyond 64 MiB", () =>
    Effect.gen(function*() {
      const { ingest } = yield* start({ send: (batch, report) => Effect.sync(() => report.withhold(batch)) })
      for (let n = 0; n < 100; n++) {
        yield* ingest.enqueue(event(`e${n}`, { input: "x".repeat(900_000) }))
        yield* ingest.flush
      }
      const { dropped, failed, pending } = yield* ingest.stats
      assert.strictEqual(dropped, 0)
      assert.isAtLeast(pending, 60)
      assert.isAtMost(pending, 75)
      assert.strictEqual(failed, 100 - pending)
    }), 60_000)

  it.scoped("that withholds and settles later: the queue has room meanwhile, and the outcome counts", () =>
    Effect.gen(function*() {
      const kept: Array<LangfuseTransport.Entry> = []
      let told: LangfuseTransport.Report | undefined
      const { enqueue, ingest } = yield* start({
        send: (batch, report) =>
          Effect.sync(() => {
            told = report
            kept.push(...batch)
            report.withhold(batch)
          })
      }, { capacity: 10, maxQueueBytes: 10_000 })
      for (let n = 0; n < 20; n++) {
        yield* enqueue(5, `r${n}-`)
        assert.deepInclude(yield* ingest.flush, { pending: 5 * (n + 1) })
      }
      told?.settle(kept, "delivered")
      assert.deepInclude(yield* ingest.stats, { offered: 100, delivered: 100, pending: 0, dropped: 0 })
      assert.isTrue(kept.every((entry) => JSON.stringify(entry.event).length < 200), "a settled entry holds nothing")
    }))

  it.scoped("whose answers to questions are nonsense is asked no harm", () =>
    Effect.gen(function*() {
      const broken = () => {
        throw new Error("s3cr3t")
      }
      for (
        const hostile of [
          { concurrency: broken, protocol: broken },
          { concurrency: () => NaN },
          { concurrency: () => -1 },
          { concurrency: () => anything("many") },
          { concurrency: () => anything(undefined) },
          { maxBatchBytes: 0 },
          { maxBatchBytes: -1 },
          { maxBatchBytes: NaN }
        ]
      ) {
        const { enqueue, ingest } = yield* start({ send: settleAll, ...hostile }, { maxBatch: 2 })
        yield* enqueue(5)
        yield* ingest.flush
        assert.deepInclude(yield* ingest.stats, { delivered: 5 })
        assert.deepStrictEqual(yield* ingest.status, { protocol: undefined, lastFailure: undefined })
      }
    }))

  it.scoped("that dies when it drains does not hold the close up", () =>
    Effect.gen(function*() {
      for (const drain of [() => Effect.die("s3cr3t"), () => anything(undefined), anything(undefined)]) {
        const { close, enqueue, ingest } = yield* start({ send: settleAll, drain })
        yield* enqueue(2)
        yield* close
        assert.deepInclude(yield* ingest.stats, { delivered: 2, pending: 0 })
      }
    }))
})
