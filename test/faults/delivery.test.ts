import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Redacted, Scope, TestClock } from "effect"
import { LangfuseIngest, LangfuseTransport } from "effect-langfuse"
import * as Client from "../utils/client.js"
import { event as traceEvent, keys, range, start, turns, until } from "../utils/ingest.js"
import { event, time } from "../utils/otlp.js"
import * as Transport from "../utils/transport.js"

const traceId = "0123456789abcdef0123456789abcdef"
const id = (n: number) => n.toString(16).padStart(16, "0")
const open = (n: number, body: object = {}) =>
  event("span-create", { id: id(n), traceId, startTime: time(0), ...body }, { id: `open ${n}` })
const whole = (n: number, body: object = {}) => open(n, { endTime: time(9), ...body })
/** A root as the tracer tells it. */
const root = (n: number, body: object = {}) => ({
  ...event("span-create", { id: id(n), traceId: n.toString(16).padStart(32, "0"), startTime: time(0), ...body }, {
    id: `root ${n}`
  }),
  trace: { userId: "ada" }
})

const ok = () => new Response("{}", { status: 200, headers: { "content-type": "application/json" } })

const idsIn = (text: string): ReadonlyArray<string> => {
  const { batch }: { readonly batch: ReadonlyArray<{ readonly id: string }> } = JSON.parse(text)
  return batch.map((each) => each.id)
}

describe("delivery", () => {
  it.scoped("shows no part of a key, wherever the server's words are cut", () =>
    Effect.gen(function*() {
      const secret = "sk-lf-0123456789abcdef-0123456789abcdef-xyz"
      for (let length = 120; length < 320; length += 10) {
        const message = `${"w".repeat(length)} ${secret} and more`
        const { ingest, logs } = yield* start(
          { secretKey: Redacted.make(secret) },
          () => Client.json(401, { message })
        )
        yield* ingest.enqueue(traceEvent("e"))
        yield* ingest.flush
        const { lastFailure } = yield* ingest.status
        const said = [...logs.warnings(), lastFailure?.error.message ?? ""].join("\n")
        assert.notInclude(said, "sk-lf-0")
        assert.include(said, "401")
      }
    }))

  it.scoped("waits at the close for what left because it was open for too long", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<undefined>()
      const fake = Client.make(() => Effect.as(Deferred.await(gate), ok()))
      const { close, ingest } = yield* Transport.over("otlp", fake.layer)
      yield* ingest.enqueue(open(1))
      yield* ingest.flush
      yield* TestClock.adjust("10 minutes")
      yield* until(() => fake.requests.length === 1)
      const closing = yield* Effect.fork(close)
      yield* turns()
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual((yield* Fiber.join(closing)).delivered, ["open 1"])
    }))

  it.scoped("is held up by a health check that hangs for a second in all", () =>
    Effect.gen(function*() {
      const { ingest, requests } = yield* start({ maxBatch: 1 }, Client.accept, () => Effect.never)
      for (const name of range(5)) yield* ingest.enqueue(traceEvent(name))
      yield* turns()
      assert.strictEqual(requests.length, 0)
      yield* TestClock.adjust("1 second")
      yield* until(() => requests.length === 5, "all five requests")
    }))

  it.scoped("tells each service about its own events, when two share a transport", () =>
    Effect.gen(function*() {
      const fake = Client.make(ok)
      const context = yield* Layer.build(
        LangfuseTransport.layerOtlp({ ...keys, baseUrl: "https://langfuse.test" }).pipe(Layer.provide(fake.layer))
      )
      const scopes = [yield* Scope.make(), yield* Scope.make()] as const
      const make = (scope: Scope.Scope) => Effect.provide(Scope.extend(LangfuseIngest.make(), scope), context)
      const [first, second] = [yield* make(scopes[0]), yield* make(scopes[1])]
      yield* first.enqueue(open(1))
      yield* second.enqueue(open(2))
      yield* first.flush
      yield* second.flush
      yield* Scope.close(scopes[0], Exit.void)
      yield* Scope.close(scopes[1], Exit.void)
      assert.deepInclude(yield* first.stats, { delivered: 1, failed: 0, pending: 0 })
      assert.deepInclude(yield* second.stats, { delivered: 1, failed: 0, pending: 0 })
    }))

  it.scoped("puts at most 256 events into a request to the batch endpoint, derived traces among them", () =>
    Effect.gen(function*() {
      const { ingest, requests } = yield* start()
      for (let n = 1; n <= 300; n++) yield* ingest.enqueue(root(n))
      const report = yield* ingest.flush
      assert.strictEqual(report.delivered, 300)
      const sizes = requests.map(({ ids }) => ids.length)
      assert.isAtMost(Math.max(...sizes), 256)
      assert.strictEqual(sizes.reduce((sum, size) => sum + size, 0), 600)
    }))

  it.scoped("parts a root and its trace where a proxy takes only one of them", () =>
    Effect.gen(function*() {
      const { ingest, requests } = yield* start({}, (seen) =>
        seen.text.length > 1_000_000 ? new Response("too large", { status: 413 }) : Client.accepted(seen.ids))
      yield* ingest.enqueue(root(1, { input: "x".repeat(600_000) }))
      assert.strictEqual((yield* ingest.flush).delivered, 1)
      assert.deepStrictEqual(
        requests.slice(1).map(({ text }) =>
          idsIn(text)
        ),
        [["root 1-trace"], ["root 1"]]
      )
    }))

  it.scoped("does not repeat the large metadata of a trace on each of its spans", () =>
    Effect.gen(function*() {
      let bytes = 0
      const fake = Client.make((seen) => {
        bytes += seen.text.length
        return ok()
      })
      const { send } = yield* Transport.over("otlp", fake.layer)
      const trace = event("trace-create", { id: traceId, name: "t", metadata: { big: "x".repeat(500_000) } })
      const spans = Array.from({ length: 100 }, (_, n) => whole(n + 1))
      assert.strictEqual((yield* send(trace, ...spans)).delivered.length, 101)
      assert.isBelow(bytes, 700_000)
    }))

  it.scoped("starts no request during a pause that another answer made longer", () =>
    Effect.gen(function*() {
      const { release, responder } = Client.gated((seen, index) =>
        index < 2 ? Client.json(429, {}, { "retry-after": index === 0 ? "1" : "3" }) : Client.accepted(seen.ids)
      )
      const { ingest, requests } = yield* start({ maxBatch: 1, concurrency: 3, requestTimeout: "1 minute" }, responder)
      yield* ingest.enqueue(traceEvent("a"))
      yield* ingest.enqueue(traceEvent("b"))
      yield* until(() => requests.length === 2)
      yield* release(0)
      yield* turns()
      yield* ingest.enqueue(traceEvent("c"))
      yield* turns()
      yield* TestClock.adjust("500 millis")
      yield* release(1)
      yield* turns()
      yield* TestClock.adjust("1500 millis")
      yield* turns()
      assert.strictEqual(requests.length, 2)
      yield* TestClock.adjust("2 seconds")
      yield* until(() => requests.length === 3, "the third request")
      yield* release(2)
    }))

  it.scoped("asks a server that answers 400 to everything a bounded number of times", () =>
    Effect.gen(function*() {
      const fake = Client.make(() => Client.json(400, { message: "no" }))
      const { ingest } = yield* Transport.over("otlp", fake.layer)
      for (let n = 1; n <= 512; n++) yield* ingest.enqueue(whole(n))
      assert.strictEqual((yield* ingest.flush).failed, 512)
      assert.isBelow(fake.requests.length, 150)
    }))

  it.scoped("finds what a transport forgot, whatever it does to the report", () =>
    Effect.gen(function*() {
      const transport = Layer.succeed(LangfuseTransport.LangfuseTransport, {
        send: (_, report) =>
          Effect.sync(() => {
            Reflect.set(report, "settle", () => {
              throw new Error("mine")
            })
          }),
        drain: () => Effect.void
      })
      const context = yield* Layer.build(
        Layer.scoped(LangfuseIngest.LangfuseIngest, LangfuseIngest.make()).pipe(Layer.provide(transport))
      )
      const ingest = Context.get(context, LangfuseIngest.LangfuseIngest)
      yield* ingest.enqueue(traceEvent("a"))
      assert.strictEqual((yield* ingest.flush).failed, 1)
      yield* ingest.enqueue(traceEvent("b"))
      assert.strictEqual((yield* ingest.flush).failed, 1)
    }))

  it.scoped("lets a flush during the close wait for the same requests", () =>
    Effect.gen(function*() {
      const { release, responder } = Client.gated()
      const { close, ingest, requests } = yield* start({}, responder)
      yield* ingest.enqueue(traceEvent("a"))
      const closing = yield* Effect.fork(close)
      yield* until(() => requests.length === 1)
      const flushing = yield* Effect.fork(ingest.flush)
      yield* turns()
      yield* release(0)
      assert.deepInclude(yield* Fiber.join(flushing), { delivered: 1, pending: 0 })
      yield* Fiber.join(closing)
    }))

  it.scoped("decides once about a trace, however many observations come between", () =>
    Effect.gen(function*() {
      const { ingest } = yield* start({ sampleRate: 0.5, capacity: 100_000 })
      const traceOf = (n: number) => (n * 7919).toString(16).padStart(32, "0")
      const taken: Array<boolean> = []
      for (let n = 1; n <= 200; n++) taken.push(yield* ingest.enqueue(open(n, { traceId: traceOf(n) })))
      for (let n = 1001; n <= 6000; n++) yield* ingest.enqueue(open(n, { traceId: traceOf(n) }))
      for (let n = 1; n <= 200; n++) {
        const update = event("span-update", { id: id(n), endTime: time(9) }, { id: `end ${n}` })
        assert.strictEqual(yield* ingest.enqueue(update), taken[n - 1])
      }
    }))
})
