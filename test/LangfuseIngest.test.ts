import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Metric, TestClock, Tracer } from "effect"
import type * as IngestionEvent from "effect-langfuse/IngestionEvent"
import * as LangfuseIngest from "effect-langfuse/LangfuseIngest"
import * as Client from "./utils/client.js"
import { balance, collectLogs, event, isBalanced, keys, range, start, turns, until } from "./utils/ingest.js"

const enqueueAll = (ingest: LangfuseIngest.Service, ids: ReadonlyArray<string>) =>
  Effect.forEach(ids, (id) => ingest.enqueue(event(id)))

const never: Client.Responder = () => Effect.never

/** On the clock of the machine, over a client that never answers and cannot be interrupted. */
const hanging = Effect.gen(function*() {
  const layer = LangfuseIngest.layer({
    ...keys,
    baseUrl: "https://langfuse.test",
    protocol: "ingestion",
    flushTimeout: "200 millis",
    shutdownTimeout: "50 millis"
  })
  const client = Client.make(() => Effect.uninterruptible(Effect.never))
  const context = yield* Layer.build(layer.pipe(Layer.provide(client.layer), Layer.provide(collectLogs().layer)))
  const ingest = Context.get(context, LangfuseIngest.LangfuseIngest)
  return { ingest, enqueue: ingest.enqueue(event("a")) }
})

describe("LangfuseIngest", () => {
  describe("windows", () => {
    it.scoped("sends a batch as soon as it is full", () =>
      Effect.gen(function*() {
        const { batches, ingest } = yield* start({ maxBatch: 3, interval: "1 hour" })
        yield* enqueueAll(ingest, range(3))
        yield* until(() => batches().length === 1)
        assert.deepStrictEqual(batches(), [["e0", "e1", "e2"]])
      }))

    it.scoped("sends a batch that is not full when the interval has passed, and not before", () =>
      Effect.gen(function*() {
        const { batches, ingest } = yield* start({ interval: "2 seconds" })
        yield* enqueueAll(ingest, range(2))
        yield* turns()
        yield* TestClock.adjust("1999 millis")
        yield* turns()
        assert.deepStrictEqual(batches(), [])
        yield* TestClock.adjust("1 millis")
        yield* until(() => batches().length === 1)
        assert.deepStrictEqual(batches(), [["e0", "e1"]])
      }))

    it.scoped("times each first event by itself: one that comes after a pause has a whole interval", () =>
      Effect.gen(function*() {
        const { batches, ingest } = yield* start({ interval: "2 seconds" })
        yield* enqueueAll(ingest, ["a"])
        yield* TestClock.adjust("2 seconds")
        yield* until(() => batches().length === 1)
        yield* TestClock.adjust("1500 millis")
        yield* enqueueAll(ingest, ["b"])
        yield* TestClock.adjust("1999 millis")
        yield* turns()
        assert.deepStrictEqual(batches(), [["a"]])
        yield* TestClock.adjust("1 millis")
        yield* until(() => batches().length === 2)
        assert.deepStrictEqual(batches(), [["a"], ["b"]])
      }))

    it.scoped("an event that waited for the interval leaves as soon as a batch may be sent", () =>
      Effect.gen(function*() {
        const gate = Client.gated()
        const { batches, ingest } = yield* start({ interval: "2 seconds", requestTimeout: "1 minute" }, gate.responder)
        yield* enqueueAll(ingest, ["a"])
        yield* TestClock.adjust("2 seconds")
        yield* until(() => batches().length === 1)
        yield* enqueueAll(ingest, ["b"])
        yield* TestClock.adjust("2 seconds")
        yield* enqueueAll(ingest, ["c"])
        yield* TestClock.adjust("5 seconds")
        yield* gate.release(0)
        yield* until(() => batches().length === 2)
        assert.deepStrictEqual(batches(), [["a"], ["b", "c"]])
      }))

    it.scoped("a batch is full by its bytes as well", () =>
      Effect.gen(function*() {
        const { batches, ingest } = yield* start({ interval: "1 hour", maxBatchBytes: 100_000 })
        const big = (id: string) => event(id, { input: "x".repeat(20_000) })
        for (const id of range(4)) yield* ingest.enqueue(big(id))
        yield* turns()
        assert.deepStrictEqual(batches(), [])
        yield* ingest.enqueue(big("e4"))
        yield* until(() => batches().flat().length === 5)
        assert.deepStrictEqual(batches().flat(), range(5))
      }))

    it.scoped("keeps the order of events over full batches, windows and flushes", () =>
      Effect.gen(function*() {
        const { batches, ingest } = yield* start({ maxBatch: 4, interval: "1 second" })
        const ids = range(50)
        for (const [i, id] of ids.entries()) {
          yield* ingest.enqueue(event(id))
          if (i % 7 === 0) yield* turns(2)
          if (i % 11 === 0) yield* TestClock.adjust("1 second")
          if (i % 17 === 0) yield* ingest.flush
        }
        yield* ingest.flush
        assert.deepStrictEqual(batches().flat(), ids)
        assert.isTrue(batches().every((batch) => batch.length <= 4))
      }))

    it.scoped("a burst goes out in full batches without waiting for the interval", () =>
      Effect.gen(function*() {
        const { batches, ingest } = yield* start({ maxBatch: 10, capacity: 1000, interval: "1 hour" })
        yield* enqueueAll(ingest, range(100))
        yield* until(() => batches().flat().length === 100)
        assert.deepStrictEqual(batches().map((batch) => batch.length), Array.from({ length: 10 }, () => 10))
        assert.deepStrictEqual(batches().flat(), range(100))
      }))

    it.scoped("maxBatch of 0 is 1", () =>
      Effect.gen(function*() {
        const { batches, ingest } = yield* start({ maxBatch: 0 })
        yield* enqueueAll(ingest, range(3))
        yield* until(() => batches().length === 3)
        assert.deepStrictEqual(batches(), [["e0"], ["e1"], ["e2"]])
      }))

    it.scoped("a capacity below maxBatch does not hold a full queue back until the interval", () =>
      Effect.gen(function*() {
        const { batches, ingest } = yield* start({ maxBatch: 100, capacity: 5, interval: "1 hour" })
        yield* enqueueAll(ingest, range(5))
        yield* until(() => batches().length === 1)
        assert.deepStrictEqual(batches(), [range(5)])
      }))

    it.scoped("with concurrency 2, a second batch leaves while the first is in flight, and a third waits", () =>
      Effect.gen(function*() {
        const gate = Client.gated()
        const { batches, ingest } = yield* start({ maxBatch: 1, concurrency: 2 }, gate.responder)
        yield* enqueueAll(ingest, range(3))
        yield* until(() => batches().length === 2)
        yield* turns()
        assert.strictEqual(batches().length, 2)
        yield* gate.release(0)
        yield* until(() => batches().length === 3)
      }))
  })

  describe("no room", () => {
    it.scoped("drops what exceeds the capacity, at once, and says so", () =>
      Effect.gen(function*() {
        const { ingest } = yield* start({ capacity: 3, interval: "1 hour", maxBatch: 100 }, never)
        const accepted = range(5).map((id) => ingest.unsafeEnqueue(event(id)))
        assert.deepStrictEqual(accepted, [true, true, true, false, false])
        const stats = yield* ingest.stats
        assert.deepInclude(stats, { offered: 5, pending: 3, dropped: 2 })
        assert.isTrue(isBalanced(stats))
      }))

    it.scoped("drops what exceeds maxQueueBytes, and takes events again when some have left", () =>
      Effect.gen(function*() {
        const gate = Client.gated()
        const { batches, ingest } = yield* start(
          { capacity: 1000, maxQueueBytes: 10_000, maxBatch: 5, interval: "1 hour" },
          gate.responder
        )
        const big = (id: string) => event(id, { input: "x".repeat(1000) })
        const accepted = range(20).filter((id) => ingest.unsafeEnqueue(big(id)))
        // Each takes some 1600 bytes of memory.
        assert.strictEqual(accepted.length, 6)
        yield* until(() => batches().length === 1)
        assert.isFalse(ingest.unsafeEnqueue(big("late")))
        yield* gate.release(0)
        yield* until(Effect.map(ingest.stats, ({ delivered }) => delivered === 5))
        assert.isTrue(ingest.unsafeEnqueue(big("later")))
        assert.isTrue(isBalanced(yield* ingest.stats))
      }))

    it.scoped("warns on the first drop, and then at most once in ten seconds, with the count", () =>
      Effect.gen(function*() {
        const { ingest, logs } = yield* start(
          { capacity: 1, interval: "1 hour", maxBatch: 10, requestTimeout: "1 hour" },
          never
        )
        for (let second = 0; second < 25; second++) {
          for (const id of range(100)) ingest.unsafeEnqueue(event(id))
          yield* TestClock.adjust("1 second")
        }
        const dropped = logs.warnings().map((line) => /(\d+) dropped so far/.exec(line)?.[1])
        // One is in flight, and one waits.
        assert.deepStrictEqual(dropped, ["1", "999", "1999"])
      }))

    it.scoped("does not serialise an event there is no room for", () =>
      Effect.gen(function*() {
        const { ingest } = yield* start({ capacity: 1, interval: "1 hour", maxBatch: 10 }, never)
        ingest.unsafeEnqueue(event("first"))
        let read = 0
        const input = {
          get value() {
            read++
            return 1
          }
        }
        assert.isFalse(ingest.unsafeEnqueue(event("second", { input })))
        assert.strictEqual(read, 0)
      }))

    it.scoped("many flushes against a hanging server do not raise the number of events held", () =>
      Effect.gen(function*() {
        const { ingest } = yield* start(
          { capacity: 10, maxBatch: 5, requestTimeout: "1 hour", interval: "1 hour" },
          never
        )
        for (let round = 0; round < 10; round++) {
          yield* enqueueAll(ingest, range(10, `r${round}-`))
          yield* Effect.fork(ingest.flush)
          yield* turns(2)
        }
        const stats = yield* ingest.stats
        assert.isAtMost(stats.pending, 10 + 2 * 5)
        assert.isTrue(isBalanced(stats))
      }))
  })

  describe("flush", () => {
    it.scoped("sends at once what is waiting for the interval, and reports it", () =>
      Effect.gen(function*() {
        const { batches, ingest } = yield* start({ interval: "1 hour" })
        yield* enqueueAll(ingest, range(3))
        assert.deepStrictEqual(yield* ingest.flush, { delivered: 3, rejected: 0, failed: 0, pending: 0 })
        assert.deepStrictEqual(batches(), [range(3)])
      }))

    it.scoped("ends at once when there is nothing to send", () =>
      Effect.gen(function*() {
        const { ingest, requests } = yield* start()
        assert.deepStrictEqual(yield* ingest.flush, { delivered: 0, rejected: 0, failed: 0, pending: 0 })
        assert.strictEqual(requests.length, 0)
      }))

    it.scoped("waits for a request that is in flight already", () =>
      Effect.gen(function*() {
        const gate = Client.gated()
        const { ingest, requests } = yield* start({ maxBatch: 2 }, gate.responder)
        yield* enqueueAll(ingest, range(2))
        yield* until(() => requests.length === 1)
        const flushing = yield* Effect.fork(ingest.flush)
        yield* turns()
        assert.isNull(flushing.unsafePoll())
        yield* gate.release(0)
        assert.deepStrictEqual(yield* Fiber.join(flushing), { delivered: 2, rejected: 0, failed: 0, pending: 0 })
        assert.strictEqual(requests.length, 1)
      }))

    it.scoped("ends after flushTimeout and says what is pending; the events still arrive", () =>
      Effect.gen(function*() {
        const gate = Client.gated()
        const { ingest } = yield* start(
          { flushTimeout: "3 seconds", requestTimeout: "1 minute", interval: "1 hour", maxBatch: 2 },
          gate.responder
        )
        yield* enqueueAll(ingest, range(5))
        const flushing = yield* Effect.fork(ingest.flush)
        yield* turns()
        yield* gate.release(0)
        yield* turns()
        yield* TestClock.adjust("3 seconds")
        assert.deepStrictEqual(yield* Fiber.join(flushing), { delivered: 2, rejected: 0, failed: 0, pending: 3 })
        yield* gate.release(1)
        yield* gate.release(2)
        yield* until(Effect.map(ingest.stats, ({ delivered }) => delivered === 5))
      }))

    it.scoped("that is interrupted, or runs into flushTimeout, has its events sent all the same, without the interval", () =>
      Effect.gen(function*() {
        const gate = Client.gated()
        const { batches, ingest } = yield* start({ interval: "1 hour", maxBatch: 2 }, gate.responder)
        yield* enqueueAll(ingest, range(5))
        const flushing = yield* Effect.fork(ingest.flush)
        yield* until(() => batches().length === 1)
        yield* Fiber.interrupt(flushing)
        for (const n of [0, 1, 2]) yield* gate.release(n)
        yield* until(Effect.map(ingest.stats, ({ delivered }) => delivered === 5))
        assert.deepStrictEqual(batches(), [range(2), ["e2", "e3"], ["e4"]])
      }))

    it.scoped("interrupting a flush loses nothing", () =>
      Effect.gen(function*() {
        const gate = Client.gated()
        const { ingest } = yield* start({ interval: "1 hour" }, gate.responder)
        yield* enqueueAll(ingest, range(4))
        const flushing = yield* Effect.fork(ingest.flush)
        yield* turns()
        yield* Fiber.interrupt(flushing)
        yield* enqueueAll(ingest, range(2, "later"))
        yield* gate.release(0)
        yield* gate.release(1)
        assert.deepStrictEqual(yield* ingest.flush, { delivered: 6, rejected: 0, failed: 0, pending: 0 })
      }))

    it.scoped("concurrent flushes send each event once and report what was pending when each began", () =>
      Effect.gen(function*() {
        const gate = Client.gated()
        const { batches, ingest } = yield* start({ interval: "1 hour" }, gate.responder)
        yield* enqueueAll(ingest, range(2, "a"))
        const first = yield* Effect.fork(ingest.flush)
        yield* turns()
        yield* enqueueAll(ingest, range(3, "b"))
        const second = yield* Effect.fork(ingest.flush)
        const third = yield* Effect.fork(ingest.flush)
        yield* turns()
        yield* gate.release(0)
        yield* gate.release(1)
        assert.deepInclude(yield* Fiber.join(first), { delivered: 2, pending: 0 })
        assert.deepInclude(yield* Fiber.join(second), { delivered: 5, pending: 0 })
        assert.deepInclude(yield* Fiber.join(third), { delivered: 5, pending: 0 })
        assert.deepStrictEqual(batches(), [range(2, "a"), range(3, "b")])
      }))

    it.scoped("works while the queue is full", () =>
      Effect.gen(function*() {
        const { batches, ingest } = yield* start({ capacity: 10, maxBatch: 4, interval: "1 hour" })
        for (const id of range(15)) ingest.unsafeEnqueue(event(id))
        assert.deepInclude(yield* ingest.flush, { delivered: 10, pending: 0 })
        assert.deepStrictEqual(batches().flat(), range(10))
        assert.deepInclude(yield* ingest.stats, { offered: 15, dropped: 5, delivered: 10 })
      }))

    it.scoped("does not wait for events that are enqueued while it runs; they arrive after it, in order", () =>
      Effect.gen(function*() {
        const gate = Client.gated()
        const { batches, ingest } = yield* start({ interval: "1 second", maxBatch: 2 }, gate.responder)
        yield* enqueueAll(ingest, range(3, "a"))
        const flushing = yield* Effect.fork(ingest.flush)
        yield* turns()
        yield* enqueueAll(ingest, range(3, "b"))
        yield* gate.release(0)
        yield* gate.release(1)
        assert.deepInclude(yield* Fiber.join(flushing), { delivered: 3, pending: 0 })
        yield* gate.release(2)
        yield* gate.release(3)
        yield* turns()
        yield* TestClock.adjust("1 second")
        yield* until(() => batches().flat().length === 6)
        assert.deepStrictEqual(batches().flat(), [...range(3, "a"), ...range(3, "b")])
      }))

    it.scoped("reports failures and rejections of its own events only", () =>
      Effect.gen(function*() {
        const { ingest } = yield* start({ interval: "1 hour", maxBatch: 10 }, (seen, index) =>
          index === 0
            ? Client.json(500, { error: "Internal Server Error" })
            : Client.json(207, {
              successes: seen.ids.slice(1).map((id) => ({ id, status: 201 })),
              errors: seen.ids.slice(0, 1).map((id) => ({ id, status: 400, message: "Invalid request data" }))
            }))
        yield* enqueueAll(ingest, range(3, "a"))
        assert.deepStrictEqual(yield* ingest.flush, { delivered: 0, rejected: 0, failed: 3, pending: 0 })
        yield* enqueueAll(ingest, range(3, "b"))
        assert.deepStrictEqual(yield* ingest.flush, { delivered: 2, rejected: 1, failed: 0, pending: 0 })
      }))
  })

  describe("flush, wherever it runs, ends at flushTimeout", () => {
    const regions: ReadonlyArray<
      readonly [title: string, run: (flush: Effect.Effect<unknown>) => Effect.Effect<unknown>]
    > = [
      ["anywhere", (flush) => flush],
      ["in an uninterruptible region", (flush) => Effect.uninterruptible(flush)],
      ["in Effect.ensuring", (flush) => Effect.ensuring(Effect.void, flush)],
      ["in Effect.ensuring of an effect that fails", (flush) => Effect.exit(Effect.ensuring(Effect.fail("no"), flush))],
      ["in a finalizer", (flush) => Effect.scoped(Effect.addFinalizer(() => flush))],
      ["in a release", (flush) => Effect.acquireUseRelease(Effect.void, () => Effect.void, () => flush)],
      ["in a fiber that is being interrupted", (flush) =>
        Effect.flatMap(
          Effect.fork(Effect.onInterrupt(Effect.never, () => flush)),
          (fiber) => Effect.zipRight(Effect.yieldNow(), Fiber.interrupt(fiber))
        )],
      ["masked, and restored inside", (flush) => Effect.uninterruptibleMask((restore) => restore(flush))]
    ]
    for (const [title, run] of regions) {
      it.live(title, () =>
        Effect.scoped(Effect.gen(function*() {
          const { enqueue, ingest } = yield* hanging
          yield* enqueue
          const before = performance.now()
          yield* run(ingest.flush)
          const took = performance.now() - before
          assert.isAtLeast(took, 195)
          assert.isBelow(took, 1500)
        })))
    }

    it.live("also of a layer that was built in an uninterruptible region", () =>
      Effect.scoped(Effect.gen(function*() {
        const { enqueue, ingest } = yield* Effect.uninterruptible(hanging)
        yield* enqueue
        const before = performance.now()
        yield* Effect.uninterruptible(ingest.flush)
        assert.isBelow(performance.now() - before, 1500)
      })))
  })

  describe("close", () => {
    it.scoped("sends what is left", () =>
      Effect.gen(function*() {
        const { batches, close, ingest } = yield* start({ interval: "1 hour", maxBatch: 4 })
        yield* enqueueAll(ingest, range(10))
        yield* close
        assert.deepStrictEqual(batches().flat(), range(10))
        assert.deepInclude(yield* ingest.stats, { delivered: 10, pending: 0 })
      }))

    it.scoped("ends at shutdownTimeout when the server hangs; the rest has failed, with one warning", () =>
      Effect.gen(function*() {
        const { close, ingest, interrupted, logs } = yield* start(
          { interval: "1 hour", maxBatch: 2, shutdownTimeout: "3 seconds", requestTimeout: "1 minute" },
          never
        )
        yield* enqueueAll(ingest, range(5))
        const closing = yield* Effect.fork(close)
        yield* turns()
        yield* TestClock.adjust("2999 millis")
        yield* turns()
        assert.isNull(closing.unsafePoll())
        yield* TestClock.adjust("1 millis")
        yield* Fiber.join(closing)
        assert.deepInclude(yield* ingest.stats, { offered: 5, failed: 5, pending: 0 })
        // While closing, more than one request is in flight.
        assert.strictEqual(interrupted(), 3)
        assert.deepStrictEqual(logs.warnings().length, 1)
        assert.match(logs.warnings()[0] ?? "", /5 Langfuse events failed/)
      }))

    it.scoped("counts what arrived before the deadline as delivered, although the rest of its batch did not", () =>
      Effect.gen(function*() {
        // Two requests for one batch: the first is answered, the second hangs.
        const { close, ingest, requests } = yield* start(
          { interval: "1 hour", maxBatchBytes: 400, shutdownTimeout: "3 seconds", requestTimeout: "1 minute" },
          (seen, index) => index === 0 ? Client.accepted(seen.ids) : Effect.never
        )
        yield* ingest.enqueue(event("a", { input: "x".repeat(200) }))
        yield* ingest.enqueue(event("b", { input: "x".repeat(200) }))
        const closing = yield* Effect.fork(close)
        yield* until(() => requests.length === 2)
        yield* TestClock.adjust("3 seconds")
        yield* Fiber.join(closing)
        assert.deepInclude(yield* ingest.stats, { delivered: 1, failed: 1, pending: 0 })
      }))

    it.scoped("is not held up by a client that cannot be interrupted", () =>
      Effect.gen(function*() {
        const { close, ingest } = yield* start(
          { shutdownTimeout: "1 second", requestTimeout: "1 minute" },
          () => Effect.uninterruptible(Effect.never)
        )
        yield* enqueueAll(ingest, range(1))
        const closing = yield* Effect.fork(close)
        yield* turns()
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(closing)
        assert.deepInclude(yield* ingest.stats, { failed: 1, pending: 0 })
      }))

    it.scoped("after it, events are dropped and counted, and flush ends at once", () =>
      Effect.gen(function*() {
        const { close, ingest, requests } = yield* start()
        yield* close
        assert.isFalse(yield* ingest.enqueue(event("late")))
        assert.deepStrictEqual(yield* ingest.flush, { delivered: 0, rejected: 0, failed: 0, pending: 0 })
        assert.deepInclude(yield* ingest.stats, { offered: 1, dropped: 1 })
        assert.strictEqual(requests.length, 0)
      }))
  })

  describe("failures", () => {
    it.scoped("a client that throws fails its batch, and the next one goes through", () =>
      Effect.gen(function*() {
        const { ingest } = yield* start({ maxBatch: 1 }, (seen, index) => {
          if (index === 0) throw new Error("boom")
          return Client.accepted(seen.ids)
        })
        yield* ingest.enqueue(event("a"))
        yield* ingest.enqueue(event("b"))
        yield* ingest.flush
        assert.deepInclude(yield* ingest.stats, { delivered: 1, failed: 1 })
      }))

    it.scoped("one warning for each reason in ten seconds, with the number held back", () =>
      Effect.gen(function*() {
        const { ingest, logs } = yield* start({ maxBatch: 1 }, () =>
          Client.json(401, { error: "UnauthorizedError", message: "Invalid credentials." }))
        yield* enqueueAll(ingest, range(5))
        yield* ingest.flush
        assert.strictEqual(logs.warnings().length, 1)
        assert.match(logs.warnings()[0] ?? "", /401: Invalid credentials\..*LANGFUSE_SECRET_KEY/)
        yield* TestClock.adjust("10 seconds")
        yield* ingest.enqueue(event("later"))
        yield* ingest.flush
        assert.strictEqual(logs.warnings().length, 2)
        assert.match(logs.warnings()[1] ?? "", /4 more like this/)
      }))

    it.scoped("never shows the keys or the payload, whatever the server answers", () =>
      Effect.gen(function*() {
        const { ingest, logs, requests } = yield* start(
          { maxBatch: 1 },
          (seen) => Client.json(400, { message: `you sent sk-lf-test-secret and ${seen.headers["authorization"]}` })
        )
        yield* ingest.enqueue(event("a", { input: "payload-marker" }))
        yield* ingest.flush
        const token = requests[0]?.headers["authorization"]?.replace("Basic ", "") ?? "?"
        const text = JSON.stringify(logs.lines)
        assert.notInclude(text, "sk-lf-test-secret")
        assert.notInclude(text, token)
        assert.notInclude(text, "payload-marker")
      }))

    it.scoped("an event that cannot even be looked at is dropped, and enqueue does not throw", () =>
      Effect.gen(function*() {
        const { ingest } = yield* start()
        const hostile = new Proxy(event("x"), {
          get() {
            throw new Error("hostile")
          }
        })
        assert.doesNotThrow(() => ingest.unsafeEnqueue(hostile))
        assert.isTrue(isBalanced(yield* ingest.stats))
      }))
  })

  describe("what is sent", () => {
    it.scoped("an event as it was when it was enqueued, not as it became", () =>
      Effect.gen(function*() {
        const { ingest, requests } = yield* start()
        const messages = [{ role: "user", content: "first" }]
        yield* ingest.enqueue(event("a", { input: messages }))
        messages.push({ role: "assistant", content: "second" })
        yield* ingest.flush
        const sent = JSON.parse(requests[0]?.text ?? "")
        assert.deepStrictEqual(sent.batch[0].body.input, [{ role: "user", content: "first" }])
      }))

    it.scoped("to the batch endpoint, with Basic credentials and our own name", () =>
      Effect.gen(function*() {
        const { ingest, requests } = yield* start({ baseUrl: "https://langfuse.test/prefix/" })
        yield* ingest.enqueue(event("a"))
        yield* ingest.flush
        const [seen] = requests
        assert.strictEqual(seen?.method, "POST")
        assert.strictEqual(seen?.url, "https://langfuse.test/prefix/api/public/ingestion")
        assert.strictEqual(
          seen?.headers["authorization"],
          `Basic ${Buffer.from("pk-lf-test:sk-lf-test-secret").toString("base64")}`
        )
        assert.strictEqual(seen?.headers["content-type"], "application/json")
        assert.strictEqual(seen?.headers["x-langfuse-sdk-name"], "effect-langfuse")
      }))

    it.scoped("nothing of a trace that sampling leaves out", () =>
      Effect.gen(function*() {
        const { ingest } = yield* start({ sampleRate: 0 })
        assert.isFalse(yield* ingest.enqueue(event("a")))
        assert.deepInclude(yield* ingest.stats, { offered: 1, sampledOut: 1, pending: 0 })
      }))

    it.scoped("the tracer sees no span of the exporter, and no trace header leaves", () =>
      Effect.gen(function*() {
        const spans: Array<string> = []
        const native = yield* Effect.tracer
        const tracer = Tracer.make({
          span: (name, ...rest) => {
            spans.push(name)
            return native.span(name, ...rest)
          },
          context: (f, fiber) => native.context(f, fiber)
        })
        const requests = yield* Effect.gen(function*() {
          const { close, ingest, requests } = yield* start({ maxBatch: 2 })
          yield* enqueueAll(ingest, range(5))
          yield* ingest.flush
          yield* close
          return requests
        }).pipe(Effect.withSpan("program"), Effect.withTracer(tracer))
        assert.deepStrictEqual(spans, ["program"])
        assert.isTrue(
          requests.every((seen) => seen.headers["traceparent"] === undefined && seen.headers["b3"] === undefined)
        )
      }))
  })

  it.scoped("metrics count outcomes", () =>
    Effect.gen(function*() {
      const delivered = Metric.counter("langfuse_ingest_events_total", {
        incremental: true,
        description: "Events by their outcome."
      }).pipe(
        Metric.tagged("outcome", "delivered")
      )
      const before = yield* Metric.value(delivered)
      const { ingest } = yield* start()
      yield* enqueueAll(ingest, range(7))
      yield* ingest.flush
      const after = yield* Metric.value(delivered)
      assert.strictEqual(after.count - before.count, 7)
    }))

  it.scoped("gauges are sums over all services, and a closed one adds nothing", () =>
    Effect.gen(function*() {
      const gauge = (name: string, description: string) =>
        Effect.map(Metric.value(Metric.gauge(name, { description })), ({ value }) => value)
      const events = gauge("langfuse_ingest_queue_events", "Events held, from enqueue until their outcome is known.")
      const bytes = gauge("langfuse_ingest_queue_bytes", "Bytes of the events held.")
      const [eventsBefore, bytesBefore] = [yield* events, yield* bytes]
      const one = yield* start({ interval: "1 hour" })
      const other = yield* start({ interval: "1 hour" })
      yield* enqueueAll(one.ingest, range(3))
      yield* enqueueAll(other.ingest, range(4))
      assert.strictEqual((yield* events) - eventsBefore, 7)
      assert.isAbove((yield* bytes) - bytesBefore, 7 * 100)
      yield* one.close
      assert.strictEqual((yield* events) - eventsBefore, 4)
      yield* other.ingest.flush
      assert.deepStrictEqual([yield* events, yield* bytes], [eventsBefore, bytesBefore])
    }))

  describe("a trace that observations bring along at the batch endpoint", () => {
    const traces = (outcome: string) =>
      Effect.map(
        Metric.value(
          Metric.counter("langfuse_ingest_traces_total", {
            incremental: true,
            description: "Traces sent because observations belong to them, by their outcome."
          }).pipe(Metric.tagged("outcome", outcome))
        ),
        ({ count }) => count
      )
    const observation = (id: string): IngestionEvent.IngestionEvent => ({
      type: "span-create",
      id,
      timestamp: "2026-11-23T12:00:00.000Z",
      body: { id: `span ${id}`, traceId: "t", parentObservationId: "elsewhere" },
      trace: { name: "n" }
    })
    const isTrace = (id: string) => id.endsWith("-trace")

    it.scoped("is counted and told apart when it is refused; the next observation brings it again", () =>
      Effect.gen(function*() {
        let isRefused = true
        const { batches, ingest, logs } = yield* start({ maxBatch: 1 }, (seen) =>
          Client.json(207, {
            successes: seen.ids.filter((id) => !isRefused || !isTrace(id)).map((id) => ({ id, status: 201 })),
            errors: isRefused
              ? seen.ids.filter(isTrace).map((id) => ({ id, status: 400, message: "Invalid request data" }))
              : []
          }))
        const [rejected, delivered] = [yield* traces("rejected"), yield* traces("delivered")]
        yield* ingest.enqueue(observation("a"))
        assert.deepStrictEqual(yield* ingest.flush, { delivered: 1, rejected: 0, failed: 0, pending: 0 })
        assert.strictEqual((yield* traces("rejected")) - rejected, 1)
        assert.match(
          logs.warnings().join(),
          /^1 Langfuse traces were rejected, derived from observations: 400: Invalid/
        )
        isRefused = false
        for (const id of ["b", "c"]) {
          yield* ingest.enqueue(observation(id))
          yield* ingest.flush
        }
        assert.deepStrictEqual(batches(), [["a-trace", "a"], ["b-trace", "b"], ["c"]])
        assert.strictEqual((yield* traces("delivered")) - delivered, 1)
        assert.deepInclude(yield* ingest.stats, { offered: 3, delivered: 3 })
      }))

    it.scoped("on its way in one batch is not relied on by another", () =>
      Effect.gen(function*() {
        const gate = Client.gated((seen, index) => index === 0 ? Client.json(503, {}) : Client.accepted(seen.ids))
        const { batches, ingest } = yield* start({ maxBatch: 1, concurrency: 2 }, gate.responder)
        yield* ingest.enqueue(observation("a"))
        yield* ingest.enqueue(observation("b"))
        yield* until(() => batches().length === 2)
        yield* gate.release(1)
        yield* gate.release(0)
        yield* ingest.flush
        assert.deepStrictEqual(batches(), [["a-trace", "a"], ["b-trace", "b"]])
      }))
  })

  it.scoped("status tells of the protocol and of the last failure", () =>
    Effect.gen(function*() {
      const { ingest } = yield* start({ maxBatch: 1 }, (seen, index) =>
        index === 0 ? Client.json(503, { message: "down" }) : Client.accepted(seen.ids))
      assert.deepStrictEqual(yield* ingest.status, { protocol: "ingestion", lastFailure: undefined })
      yield* TestClock.setTime(Date.UTC(2026, 10, 23))
      yield* enqueueAll(ingest, ["a"])
      yield* ingest.flush
      const { lastFailure } = yield* ingest.status
      assert.deepInclude(lastFailure?.error, { reason: "Status", status: 503 })
      assert.deepStrictEqual(lastFailure?.at, new Date(Date.UTC(2026, 10, 23)))
      yield* enqueueAll(ingest, ["b"])
      yield* ingest.flush
      assert.strictEqual((yield* ingest.status).lastFailure, lastFailure)
    }))

  describe("room for roots", () => {
    const observation = (n: number, parentObservationId?: string): IngestionEvent.IngestionEvent => ({
      type: "span-create",
      id: `event ${n}`,
      timestamp: "2026-11-23T12:00:00.000Z",
      body: { id: `span ${n}`, traceId: "t", ...(parentObservationId === undefined ? {} : { parentObservationId }) }
    })

    it.scoped("2,000 siblings that end together leave no orphan", () =>
      Effect.gen(function*() {
        for (const protocol of ["ingestion", "otlp"] as const) {
          const sent: Array<Client.Seen> = []
          const { ingest } = yield* start({ capacity: 1024, protocol }, (seen) => {
            sent.push(seen)
            return protocol === "otlp" ? Client.json(200, {}) : Client.accepted(seen.ids)
          })
          for (let n = 1; n <= 2000; n++) ingest.unsafeEnqueue(observation(n, "span 0"))
          assert.isTrue(ingest.unsafeEnqueue(observation(0)), "a root ends last")
          yield* TestClock.adjust("2 seconds")
          yield* ingest.flush
          const { dropped, offered } = yield* ingest.stats
          assert.strictEqual(offered, 2001)
          assert.strictEqual(dropped, 2000 - 960)
          if (protocol === "otlp") continue
          assert.include(sent.flatMap(({ ids }) => ids), "event 0")
        }
      }))

    it.scoped("also by bytes", () =>
      Effect.gen(function*() {
        const { ingest } = yield* start({ maxQueueBytes: 100_000, interval: "1 hour" })
        let taken = 0
        while (ingest.unsafeEnqueue(observation(taken + 1, "span 0"))) taken++
        assert.isTrue(ingest.unsafeEnqueue(observation(0)))
        assert.isAbove(taken, 50)
        assert.isFalse(ingest.unsafeEnqueue(observation(taken + 2, "span 0")))
      }))

    it.scoped("is not for updates, scores or logs", () =>
      Effect.gen(function*() {
        const { ingest } = yield* start({ capacity: 32, interval: "1 hour" }, never)
        for (let n = 1; n <= 40; n++) ingest.unsafeEnqueue(observation(n, "span 0"))
        const of = (type: string, body: object) =>
          ingest.unsafeEnqueue({ type, id: "x", timestamp: "2026-11-23T12:00:00.000Z", body } as never)
        yield* turns()
        const { pending } = yield* ingest.stats
        for (let n = pending; n < 30 + 30; n++) of("span-update", { id: "u" })
        assert.isFalse(of("span-update", { id: "u" }))
        assert.isFalse(of("score-create", { name: "s", value: 1, traceId: "t" }))
        assert.isFalse(of("sdk-log", { log: 1 }))
        assert.isTrue(of("trace-create", { id: "t" }))
        assert.isTrue(of("generation-create", { id: "g" }))
      }))
  })

  it.scoped("a disabled layer holds and sends nothing", () =>
    Effect.gen(function*() {
      const { ingest, requests } = yield* start({ enabled: false })
      assert.isFalse(yield* ingest.enqueue(event("a")))
      yield* ingest.flush
      assert.strictEqual(requests.length, 0)
      assert.strictEqual(balance(yield* ingest.stats), 0)
    }))
})
