import { HttpClient, HttpClientResponse } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, Effect, Exit, Fiber, Layer, Option, Scope, TestClock } from "effect"
import type { DeliveryReport, IngestionEvent, LangfuseConfig } from "effect-langfuse"
import { LangfuseIngest, LangfuseServer, LangfuseTransport } from "effect-langfuse"
import * as Client from "../utils/client.js"
import { collectLogs, isBalanced, keys, turns, until } from "../utils/ingest.js"
import * as Memory from "../utils/memory.js"
import { event, gunzip, nanos, readSpans, spanIdFor, time, traceIdFor } from "../utils/otlp.js"

const traceId = "0123456789abcdef0123456789abcdef"
const id = (n: number) => n.toString(16).padStart(16, "0")

const whole = (n: number, body: object = {}) =>
  event("span-create", { id: id(n), traceId, startTime: time(n), endTime: time(n + 10), ...body }, { id: `whole ${n}` })
const create = (n: number, body: object = {}) =>
  event("span-create", { id: id(n), traceId, startTime: time(n), ...body }, { id: `create ${n}` })
const end = (n: number, body: object = {}) =>
  event("span-update", { id: id(n), endTime: time(n + 10), ...body }, { id: `end ${n}`, at: 1 })
const score = (name: string, body: object = {}) =>
  event("score-create", { id: name, name, value: 1, traceId, ...body }, { id: name })

const names = (events: ReadonlyArray<IngestionEvent.IngestionEvent>) => events.map((each) => each.id).sort()
const failures = (report: DeliveryReport.DeliveryReport) => names(report.failed.map((each) => each.event))

const start = (server: LangfuseServer.Options = {}, options: Partial<LangfuseConfig.TransportOptions> = {}) =>
  Effect.gen(function*() {
    const memory = yield* Memory.make({ ...keys, ...server })
    const transport = yield* Memory.build(
      LangfuseTransport.LangfuseTransport,
      LangfuseTransport.layerOtlp({ ...keys, baseUrl: memory.server.url, ...options }).pipe(Layer.provide(memory.layer))
    )
    return {
      ...memory,
      transport,
      send: (...batch: Arr.NonEmptyReadonlyArray<IngestionEvent.IngestionEvent>) => transport.send(batch)
    }
  })

/** The transport over a client that answers as told. */
const startWith = (respond: Client.Responder, options: Partial<LangfuseConfig.TransportOptions> = {}) =>
  Effect.gen(function*() {
    const fake = Client.make(respond)
    const transport = yield* Memory.build(
      LangfuseTransport.LangfuseTransport,
      LangfuseTransport.layerOtlp({ ...keys, baseUrl: "https://langfuse.test", ...options }).pipe(
        Layer.provide(fake.layer)
      )
    )
    return {
      ...fake,
      transport,
      send: (...batch: Arr.NonEmptyReadonlyArray<IngestionEvent.IngestionEvent>) => transport.send(batch)
    }
  })

const startIngest = (options: Partial<LangfuseConfig.Options> = {}) =>
  Effect.gen(function*() {
    const memory = yield* Memory.make(keys)
    const logs = collectLogs()
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const ingest = yield* Memory.build(
      LangfuseIngest.LangfuseIngest,
      LangfuseIngest.layer({ ...keys, baseUrl: memory.server.url, protocol: "otlp", ...options }).pipe(
        Layer.provide(memory.layer),
        Layer.provide(logs.layer)
      )
    ).pipe(Scope.extend(scope))
    const stored = Effect.map(memory.server.observations, (all) => all.map((each) => each.id))
    return { ...memory, logs, ingest, stored, close: Scope.close(scope, Exit.void) }
  })

const ok = (headers: Record<string, string> = { "content-type": "application/json" }) =>
  new Response("a note to itself", { status: 200, headers })

describe("layerOtlp", () => {
  describe("a request", () => {
    it.scoped("goes to the OpenTelemetry endpoint with the headers it needs", () =>
      Effect.gen(function*() {
        const { requests, send } = yield* startWith(() => ok())
        const report = yield* send(whole(1))
        assert.deepStrictEqual(names(report.delivered), ["whole 1"])
        const [request, ...others] = requests
        assert.deepStrictEqual(others, [])
        assert.strictEqual(request?.method, "POST")
        assert.strictEqual(request?.url, "https://langfuse.test/api/public/otel/v1/traces")
        assert.deepInclude(request?.headers, {
          "content-type": "application/json",
          "x-langfuse-ingestion-version": "4",
          "x-langfuse-sdk-name": "effect-langfuse"
        })
        assert.match(request?.headers["authorization"] ?? "", /^Basic /)
        assert.deepStrictEqual(readSpans(request?.text ?? "").map((span) => span.spanId), [id(1)])
      }))

    it.scoped("to a server far away is compressed when that pays, and is the same inside", () =>
      Effect.gen(function*() {
        const bodies: Array<{ readonly encoding: string | undefined; readonly bytes: Uint8Array }> = []
        const client = HttpClient.make((request) => {
          const bytes = request.body._tag === "Uint8Array" ? request.body.body : new Uint8Array()
          bodies.push({ encoding: request.headers["content-encoding"], bytes })
          return Effect.succeed(HttpClientResponse.fromWeb(request, ok()))
        })
        const transport = yield* Memory.build(
          LangfuseTransport.LangfuseTransport,
          LangfuseTransport.layerOtlp(keys).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, client)))
        )
        const input = "the same words over and over ".repeat(1000)
        yield* transport.send([whole(1, { input })])
        yield* transport.send([whole(2, { input: "short" })])
        const [large, small] = bodies
        assert.strictEqual(large?.encoding, "gzip")
        assert.isBelow(large?.bytes.length ?? Infinity, 2000)
        const spans = readSpans(gunzip(large?.bytes ?? new Uint8Array()))
        assert.strictEqual(spans[0]?.attributes["langfuse.observation.input"], input)
        assert.isUndefined(small?.encoding)
      }))

    it.scoped("is read by a server, compressed or not", () =>
      Effect.gen(function*() {
        for (const [baseUrl, isCompressed] of [["https://langfuse.test", true], ["http://10.0.0.7", false]] as const) {
          const { send, server } = yield* start({}, { baseUrl })
          yield* send(whole(1, { input: "x".repeat(20_000) }), whole(2, { input: "y".repeat(20_000) }))
          const [request] = yield* server.requests
          assert.strictEqual((request?.bytes ?? 0) < 2000, isCompressed, baseUrl)
          assert.deepStrictEqual((yield* server.observations).map(({ input }) => String(input).length), [
            20_000,
            20_000
          ])
        }
      }))

    it.scoped("that succeeded is what the content type says, whatever the body", () =>
      Effect.gen(function*() {
        const types = [
          ["application/json; charset=utf-8", true],
          ["application/x-protobuf", true],
          ["text/html", false],
          ["text/plain", false]
        ] as const
        for (const [type, isLangfuse] of types) {
          const { send } = yield* startWith(() => ok({ "content-type": type }))
          const report = yield* send(whole(1))
          assert.strictEqual(report.delivered.length, isLangfuse ? 1 : 0, type)
          if (!isLangfuse) assert.strictEqual(report.failed[0]?.error.reason, "UnexpectedBody")
        }
      }))

    it.scoped("refused for one span goes through in halves, down to that span", () =>
      Effect.gen(function*() {
        const { requests, send } = yield* startWith((seen) =>
          seen.text.includes(id(3))
            ? Client.json(400, {
              error: "Invalid OTLP trace export: 1 of 8 span(s) cannot be processed (spanId:absent)"
            })
            : ok()
        )
        const [first, ...others] = Arr.makeBy(8, (n) => whole(n + 1))
        const report = yield* send(first, ...others)
        assert.deepStrictEqual(failures(report), ["whole 3"])
        assert.strictEqual(report.delivered.length, 7)
        assert.deepInclude(report.failed[0]?.error, { reason: "Status", status: 400 })
        assert.strictEqual(requests.length, 7)
      }))

    it.scoped("refused as such is not repeated in halves", () =>
      Effect.gen(function*() {
        const { requests, send } = yield* startWith(() =>
          Client.json(400, { error: "Unsupported x-langfuse-ingestion-version: \"4\". Maximum supported: \"3\"." })
        )
        const [first, ...others] = Arr.makeBy(8, (n) => whole(n + 1))
        assert.strictEqual((yield* send(first, ...others)).failed.length, 8)
        assert.strictEqual(requests.length, 1)
      }))

    it.scoped("without an endpoint for it fails with 404, and the scores arrive all the same", () =>
      Effect.gen(function*() {
        const { send } = yield* start({ version: "3.0.0", otlp: false })
        const report = yield* send(whole(1), score("score"))
        assert.deepStrictEqual(names(report.delivered), ["score"])
        assert.deepInclude(report.failed[0]?.error, { reason: "Status", status: 404 })
      }))

    it.scoped("with nothing in it is not made", () =>
      Effect.gen(function*() {
        const { requests, send } = yield* startWith(() => ok())
        yield* send(create(1), event("span-create", {}))
        assert.deepStrictEqual(requests, [])
      }))
  })

  describe("scores and logs", () => {
    it.scoped("leave with the batch in which they came, with the ids of the spans", () =>
      Effect.gen(function*() {
        const { send, server } = yield* start()
        const report = yield* send(
          create(1, { id: "my-span", traceId: "my-trace" }),
          score("on the trace", { traceId: "my-trace" }),
          score("on the span", { traceId: "my-trace", observationId: "my-span", metadata: { why: "because" } }),
          score("on a session", { traceId: undefined, sessionId: "s" }),
          event("sdk-log", { log: "hello" }, { id: "log" })
        )
        assert.deepStrictEqual(names(report.delivered), ["log", "on a session", "on the span", "on the trace"])
        assert.deepStrictEqual((yield* server.requests).map((each) => each.path), ["/api/public/ingestion"])
        const stored = (yield* server.scores).map((
          each
        ) => [each.name, each.traceId, each.observationId, each.metadata])
        assert.deepStrictEqual(stored, [
          ["on the trace", traceIdFor("my-trace"), undefined, { originalTraceId: "my-trace" }],
          ["on the span", traceIdFor("my-trace"), spanIdFor("my-span"), {
            originalTraceId: "my-trace",
            originalObservationId: "my-span",
            why: "because"
          }],
          ["on a session", undefined, undefined, {}]
        ])
      }))

    it.scoped("that are refused one by one leave the spans alone", () =>
      Effect.gen(function*() {
        const { send } = yield* start()
        const report = yield* send(whole(1), score("bad", { value: true }), score("good"))
        assert.deepStrictEqual(names(report.delivered), ["good", "whole 1"])
        assert.deepStrictEqual(names(report.rejected.map((each) => each.event)), ["bad"])
      }))
  })

  describe("what is held", () => {
    it.scoped("leaves at openSpanTimeout by itself, without another batch", () =>
      Effect.gen(function*() {
        const { ingest, logs, server, stored } = yield* startIngest()
        yield* ingest.enqueue(create(1, { name: "stuck" }))
        yield* ingest.enqueue(event("trace-create", { id: "f".repeat(32), name: "alone" }))
        yield* TestClock.adjust("2 seconds")
        yield* turns()
        assert.deepInclude(yield* ingest.stats, { pending: 2, delivered: 0 })
        yield* TestClock.adjust("9 minutes")
        yield* turns()
        assert.deepStrictEqual(yield* stored, [])
        yield* TestClock.adjust("1 minutes")
        yield* until(Effect.map(ingest.stats, ({ pending }) => pending === 0))
        assert.deepInclude(yield* ingest.stats, { pending: 0, delivered: 2 })
        const observations = yield* server.observations
        assert.sameMembers(observations.map((each) => each.name), ["stuck", "alone"])
        assert.deepInclude(observations.find((each) => each.name === "stuck"), {
          level: "WARNING",
          statusMessage: "never ended: sent as it was after 10m"
        })
        assert.strictEqual(logs.warnings().length, 1)
        assert.match(logs.warnings()[0] ?? "", /1 Langfuse observations were sent although they never ended/)
      }))

    it.scoped("leaves at its own time, one after the other", () =>
      Effect.gen(function*() {
        const { ingest, stored } = yield* startIngest()
        for (const n of [1, 2, 3]) {
          yield* ingest.enqueue(create(n))
          yield* TestClock.adjust("3 minutes")
          yield* turns()
        }
        const counts: Array<number> = []
        for (let i = 0; i < 4; i++) {
          counts.push((yield* stored).length)
          yield* TestClock.adjust("3 minutes")
          yield* turns()
        }
        assert.deepStrictEqual(counts, [0, 1, 2, 3])
      }))

    it.scoped("fails when its time has come and the server is down: counted, and said once", () =>
      Effect.gen(function*() {
        const { ingest, logs, setUp } = yield* startIngest()
        yield* ingest.enqueue(create(1))
        yield* ingest.enqueue(create(2))
        yield* TestClock.adjust("2 seconds")
        yield* turns()
        yield* setUp(false)
        yield* TestClock.adjust("10 minutes")
        yield* until(Effect.map(ingest.stats, ({ pending }) => pending === 0))
        assert.deepInclude(yield* ingest.stats, { pending: 0, failed: 2 })
        assert.isTrue(logs.warnings().some((line) => line.startsWith("2 Langfuse events failed: no connection")))
      }))

    it.scoped("stays pending over a flush when it is open, and leaves when it is complete as far as anyone knows", () =>
      Effect.gen(function*() {
        const { ingest, stored } = yield* startIngest()
        yield* ingest.enqueue(create(1))
        yield* ingest.enqueue(whole(2))
        yield* ingest.enqueue(event("trace-create", { id: "f".repeat(32), name: "alone" }))
        const report = yield* ingest.flush
        assert.deepStrictEqual(report, { delivered: 2, rejected: 0, failed: 0, pending: 1 })
        assert.sameMembers([...yield* stored], [id(2), spanIdFor(`root of ${"f".repeat(32)}`)])
        yield* ingest.enqueue(end(1))
        assert.deepStrictEqual(yield* ingest.flush, { delivered: 2, rejected: 0, failed: 0, pending: 0 })
      }))

    it.scoped("a flush that has to give up is settled all the same", () =>
      Effect.gen(function*() {
        const { ingest, server } = yield* startIngest({ flushTimeout: "1 second", requestTimeout: "10 seconds" })
        yield* ingest.enqueue(event("trace-create", { id: "f".repeat(32), name: "alone" }))
        yield* server.script(LangfuseServer.Fault.delay("3 seconds", { route: "otlp" }))
        const flushing = yield* Effect.fork(ingest.flush)
        yield* server.awaitRequests(1)
        yield* turns()
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* Fiber.join(flushing), { delivered: 0, rejected: 0, failed: 0, pending: 1 })
        yield* TestClock.adjust("2 seconds")
        yield* until(Effect.map(ingest.stats, ({ delivered }) => delivered === 1))
        assert.isTrue(isBalanced(yield* ingest.stats))
      }))

    it.scoped("leaves when the scope closes, as it is", () =>
      Effect.gen(function*() {
        const { close, ingest, logs, server } = yield* startIngest()
        yield* ingest.enqueue(create(1))
        yield* ingest.enqueue(event("trace-create", { id: "f".repeat(32), name: "alone" }))
        yield* close
        assert.deepInclude(yield* ingest.stats, { pending: 0, delivered: 2, failed: 0 })
        assert.isTrue((yield* server.observations).some((each) =>
          each.statusMessage === "never ended: sent as it was when the exporter closed"
        ))
        assert.strictEqual(logs.warnings().length, 1)
      }))

    it.scoped("does not hold the close up when the server hangs", () =>
      Effect.gen(function*() {
        const { close, ingest, server } = yield* startIngest({ shutdownTimeout: "2 seconds" })
        yield* ingest.enqueue(create(1))
        yield* ingest.flush
        yield* server.always(LangfuseServer.Fault.hang())
        const closing = yield* Effect.fork(close)
        yield* server.awaitRequests(1)
        yield* turns()
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.join(closing)
        assert.deepInclude(yield* ingest.stats, { pending: 0, failed: 1 })
      }))

    it.scoped("is bounded by maxQueueBytes: more is dropped, and nothing is lost", () =>
      Effect.gen(function*() {
        const { close, ingest, server } = yield* startIngest({ maxQueueBytes: 50_000 })
        let taken = 0
        for (let n = 1; n <= 100; n++) {
          if (yield* ingest.enqueue(create(n, { input: "x".repeat(1000) }))) taken++
          if (n % 10 === 0) yield* ingest.flush
        }
        assert.isBelow(taken, 50)
        assert.deepInclude(yield* ingest.stats, { pending: taken, dropped: 100 - taken })
        yield* close
        assert.strictEqual((yield* server.observations).length, taken)
        assert.isTrue(isBalanced(yield* ingest.stats))
      }))
  })

  it.scoped("ten thousand observations that never end are bounded, counted, and said once", () =>
    Effect.gen(function*() {
      const { send, transport } = yield* startWith(() => ok())
      const logs = collectLogs()
      const settled: Array<DeliveryReport.DeliveryReport> = []
      yield* Effect.gen(function*() {
        for (let n = 1; n <= 10_300; n += 100) {
          const [first, ...others] = Arr.makeBy(100, (i) => create(n + i))
          settled.push(yield* send(first, ...others))
        }
        // The oldest had to make room.
        assert.deepStrictEqual(settled.map((report) => report.delivered.length).filter(Boolean), [100, 100, 100])
        settled.push(yield* transport.drain)
      }).pipe(Effect.provide(logs.layer))
      assert.strictEqual(new Set(settled.flatMap((report) => report.delivered)).size, 10_300)
      assert.strictEqual(logs.warnings().length, 1)
    }))

  describe("an observation that has left", () => {
    it.scoped("is replaced by its later version, with everything it had", () =>
      Effect.gen(function*() {
        const { send, server } = yield* start()
        yield* send(event("trace-create", { id: traceId, userId: "ada" }), whole(1, { name: "work", input: "i" }))
        yield* send(event("span-update", { id: id(1), output: "o" }, { at: 9 }))
        const observations = yield* server.observations
        assert.strictEqual(observations.length, 1)
        assert.deepInclude(observations[0], { name: "work", input: "i", output: "o", userId: "ada", endTime: time(11) })
      }))

    it.scoped("and was forgotten is not replaced by a part: the update fails and says why", () =>
      Effect.gen(function*() {
        const { send, server } = yield* start()
        yield* send(whole(1, { name: "work" }))
        yield* TestClock.adjust("11 minutes")
        const report = yield* send(end(1), score("score"))
        assert.deepStrictEqual(failures(report), ["end 1"])
        assert.match(report.failed[0]?.error.message ?? "", /no longer held/)
        assert.deepStrictEqual(names(report.delivered), ["score"])
        assert.deepStrictEqual((yield* server.observations).map((each) => each.name), ["work"])
      }))

    it.scoped("in vain is sent whole by a later update; what had failed stays failed", () =>
      Effect.gen(function*() {
        const { send, server } = yield* start()
        yield* server.script(LangfuseServer.Fault.status(503))
        assert.deepStrictEqual(failures(yield* send(whole(1, { name: "work" }))), ["whole 1"])
        assert.deepStrictEqual(names((yield* send(end(1, { output: "o" }))).delivered), ["end 1"])
        assert.deepInclude((yield* server.observations)[0], { name: "work", output: "o" })
      }))

    it.scoped("and changes while it is on its way arrives in its last version", () =>
      Effect.gen(function*() {
        const gate = Client.gated(() => ok())
        const { requests, send } = yield* startWith(gate.responder)
        const first = yield* Effect.fork(send(whole(1, { name: "old" })))
        yield* until(() => requests.length === 1)
        const second = yield* send(event("span-update", { id: id(1), name: "new" }, { id: "late", at: 9 }))
        assert.deepStrictEqual(second, { delivered: [], rejected: [], failed: [] })
        yield* gate.release(0)
        yield* until(() => requests.length === 2)
        yield* gate.release(1)
        assert.deepStrictEqual(names((yield* Fiber.join(first)).delivered), ["late", "whole 1"])
        assert.deepStrictEqual(requests.flatMap((each) => readSpans(each.text)).map((span) => span.name), [
          "old",
          "new"
        ])
      }))
  })

  describe("a runtime without CompressionStream", () => {
    const without = Effect.acquireRelease(
      Effect.sync(() => {
        const original = globalThis.CompressionStream
        Reflect.deleteProperty(globalThis, "CompressionStream")
        return original
      }),
      (original) => Effect.sync(() => Reflect.set(globalThis, "CompressionStream", original))
    )

    it.scoped("sends bodies as they are", () =>
      Effect.gen(function*() {
        yield* without
        const { requests, send } = yield* startWith(() => ok())
        yield* send(whole(1, { input: "x".repeat(20_000) }))
        assert.notProperty(requests[0]?.headers, "content-encoding")
        assert.strictEqual(readSpans(requests[0]?.text ?? "").length, 1)
      }))

    it.scoped("others have their turn while a large batch is written", () =>
      Effect.gen(function*() {
        // What compresses gives others their turn as well.
        yield* without
        let turnsTaken = 0
        const { send } = yield* startWith(() => {
          clearImmediate(next)
          return ok()
        }, { maxBatchBytes: 10_000_000 })
        const count = () => {
          turnsTaken++
          next = setImmediate(count)
        }
        let next = setImmediate(count)
        const [first, ...others] = Arr.makeBy(20, (n) => whole(n + 1, { input: "x".repeat(200_000) }))
        assert.strictEqual((yield* send(first, ...others)).delivered.length, 20)
        assert.isAtLeast(turnsTaken, 5)
      }))
  })

  describe("batches at one time", () => {
    it.scoped("are taken in in the order in which they came", () =>
      Effect.gen(function*() {
        const { requests, send } = yield* startWith(() => ok())
        // The ids of the first take time to work out, those of the second do not.
        const foreign = { id: "my-span", traceId: "my-trace" }
        yield* Effect.all([
          send(create(1, { ...foreign, name: "n", startTime: time(0) })),
          send(event("span-update", { id: spanIdFor("my-span"), endTime: time(9) }, { at: 5 }))
        ], { concurrency: 2 })
        const spans = requests.flatMap((each) => readSpans(each.text))
        assert.deepStrictEqual(
          spans.map((span) => [span.name, span.traceId, span.startTimeUnixNano]),
          [["n", traceIdFor("my-trace"), nanos(0)]]
        )
      }))

    it.scoped("one that is cut short does not keep the others from their spans", () =>
      Effect.gen(function*() {
        const { requests, send } = yield* startWith((_, index) => index === 0 ? Effect.never : ok())
        const first = yield* Effect.fork(send(whole(1)))
        yield* until(() => requests.length === 1)
        yield* Fiber.interrupt(first)
        const report = yield* send(end(1))
        assert.deepStrictEqual(names(report.delivered), ["end 1"])
      }))
  })

  describe("traces", () => {
    it.scoped("input and output of a trace are those of its only root", () =>
      Effect.gen(function*() {
        const { send, server } = yield* start()
        yield* send(
          event("trace-create", { id: traceId, name: "t", input: "q", output: "a", metadata: { k: 1 } }),
          whole(1),
          whole(2, { parentObservationId: id(1), output: "inner" })
        )
        const trace = Option.getOrThrow(yield* server.trace(traceId))
        assert.deepInclude(trace, { name: "t", input: "q", output: "a" })
        assert.deepInclude(trace.metadata, { k: 1 })
        assert.deepStrictEqual(trace.observations.map((each) => each.parentObservationId), [undefined, id(1)])
        assert.deepStrictEqual(yield* server.losses, [])
      }))

    it.scoped("however late they come, and however many roots there are", () =>
      Effect.gen(function*() {
        const { send, server } = yield* start()
        yield* send(event("trace-create", { id: traceId, input: "q" }), whole(1), whole(2, { input: "own" }))
        yield* send(whole(3))
        yield* send(event("trace-create", { id: traceId, name: "t", output: "a", userId: "ada" }, { at: 9 }))
        const trace = Option.getOrThrow(yield* server.trace(traceId))
        assert.deepInclude(trace, { name: "t", input: "q", output: "a", userId: "ada" })
        const root = spanIdFor(`root of ${traceId}`)
        assert.sameDeepMembers(
          trace.observations.map((each) => [each.id, each.parentObservationId, each.input]),
          [[root, undefined, "q"], [id(1), root, undefined], [id(2), root, "own"], [id(3), root, undefined]]
        )
      }))

    it.scoped("a score on a trace without observations finds it", () =>
      Effect.gen(function*() {
        const { close, ingest, server } = yield* startIngest()
        yield* ingest.enqueue(event("trace-create", { id: "my-trace", name: "t", input: "q", output: "a" }))
        yield* ingest.enqueue(score("score", { traceId: "my-trace" }))
        yield* close
        const trace = Option.getOrThrow(yield* server.trace(traceIdFor("my-trace")))
        assert.deepInclude(trace, { name: "t", input: "q", output: "a" })
        assert.strictEqual(trace.scores.length, 1)
      }))
  })
})
