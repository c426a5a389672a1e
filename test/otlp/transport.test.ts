import { HttpClient, HttpClientResponse } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, Effect, Fiber, Layer, Metric, Option, TestClock } from "effect"
import type * as LangfuseConfig from "effect-langfuse/LangfuseConfig"
import * as LangfuseServer from "effect-langfuse/LangfuseServer"
import * as Client from "../utils/client.js"
import { isBalanced, turns, until } from "../utils/ingest.js"
import { event, gunzip, nanos, readSpans, spanIdFor, spansOf, time, traceIdFor } from "../utils/otlp.js"
import * as Transport from "../utils/transport.js"

const traceId = "0123456789abcdef0123456789abcdef"
const id = (n: number) => n.toString(16).padStart(16, "0")

const whole = (n: number, body: object = {}) =>
  event("span-create", { id: id(n), traceId, startTime: time(n), endTime: time(n + 10), ...body }, { id: `whole ${n}` })
const create = (n: number, body: object = {}) =>
  event("span-create", { id: id(n), traceId, startTime: time(n), ...body }, { id: `create ${n}` })
const update = (n: number, body: object = {}) =>
  event("span-update", { id: id(n), ...body }, { id: `update ${n}`, at: 1 })
const end = (n: number, body: object = {}) => update(n, { endTime: time(n + 10), ...body })
const score = (name: string, body: object = {}) =>
  event("score-create", { id: name, name, value: 1, traceId, ...body }, { id: name })

const start = (server: LangfuseServer.Options = {}, options: Partial<LangfuseConfig.Options> = {}) =>
  Transport.start("otlp", server, options)

const ok = (headers: Record<string, string> = { "content-type": "application/json" }) =>
  new Response("a note to itself", { status: 200, headers })

const protobuf = (bytes: ReadonlyArray<number>, headers: Record<string, string> = {}) =>
  new Response(new Uint8Array(bytes), { headers: { "content-type": "application/x-protobuf", ...headers } })

/** The transport over a client that answers as told. */
const startWith = (respond: Client.Responder = () => ok(), options: Partial<LangfuseConfig.Options> = {}) => {
  const fake = Client.make(respond)
  return Effect.map(Transport.over("otlp", fake.layer, options), (started) => ({ ...started, ...fake }))
}

describe("layerOtlp", () => {
  describe("a request", () => {
    it.scoped("goes to the OpenTelemetry endpoint with the headers it needs, after one question for the version", () =>
      Effect.gen(function*() {
        const { healthChecks, requests, send } = yield* startWith()
        assert.deepStrictEqual((yield* send(whole(1))).delivered, ["whole 1"])
        const [request, ...others] = requests
        assert.deepStrictEqual([others.length, healthChecks.length], [0, 1])
        assert.strictEqual(request?.method, "POST")
        assert.strictEqual(request?.url, "https://langfuse.test/api/public/otel/v1/traces")
        assert.deepInclude(request?.headers, {
          "content-type": "application/x-protobuf",
          "x-langfuse-ingestion-version": "4",
          "x-langfuse-sdk-name": "effect-langfuse"
        })
        assert.notProperty(request?.headers, "content-encoding")
        assert.match(request?.headers["authorization"] ?? "", /^Basic /)
        assert.deepStrictEqual(spansOf(requests).map((span) => span.spanId), [id(1)])
      }))

    it.scoped("is compressed when asked to, and is the same inside", () =>
      Effect.gen(function*() {
        const bodies: Array<{ readonly encoding: string | undefined; readonly bytes: Uint8Array }> = []
        const client = HttpClient.make((request) => {
          const bytes = request.body._tag === "Uint8Array" ? request.body.body.slice() : new Uint8Array()
          bodies.push({ encoding: request.headers["content-encoding"], bytes })
          return Effect.succeed(HttpClientResponse.fromWeb(request, ok()))
        })
        const { send } = yield* Transport.over("otlp", Layer.succeed(HttpClient.HttpClient, client), {
          compression: "gzip"
        })
        const input = "the same words over and over ".repeat(1000)
        assert.strictEqual((yield* send(whole(1, { input }))).delivered.length, 1)
        const body = bodies.find(({ bytes }) => bytes.length > 0)
        assert.strictEqual(body?.encoding, "gzip")
        assert.isBelow(body?.bytes.length ?? Infinity, 2000)
        const spans = readSpans(gunzip(body?.bytes ?? new Uint8Array()))
        assert.strictEqual(spans[0]?.attributes["langfuse.observation.input"], input)
      }))

    it.scoped("is read by a server, compressed or not", () =>
      Effect.gen(function*() {
        for (const compression of ["gzip", "none"] as const) {
          const { send, server } = yield* start({}, { compression })
          yield* send(whole(1, { input: "x".repeat(20_000) }), whole(2, { input: "y".repeat(20_000) }))
          const request = (yield* server.requests).find(({ method }) => method === "POST")
          assert.strictEqual((request?.bytes ?? 0) < 2000, compression === "gzip")
          assert.deepStrictEqual((yield* server.observations).map(({ input }) => String(input).length), [
            20_000,
            20_000
          ])
        }
      }))

    it.scoped("has at most 512 spans", () =>
      Effect.gen(function*() {
        const { requests, send } = yield* startWith(() => ok(), { maxBatch: 2000 })
        assert.strictEqual((yield* send(...Arr.makeBy(1100, (n) => whole(n + 1)))).delivered.length, 1100)
        assert.isTrue(requests.every(({ body }) => readSpans(body).length <= 512))
        assert.strictEqual(spansOf(requests).length, 1100)
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
          if (!isLangfuse) assert.deepStrictEqual(report.reasons, ["UnexpectedBody 200"])
        }
      }))

    it.scoped("refused for one span goes through in halves, down to that span", () =>
      Effect.gen(function*() {
        const { requests, send } = yield* startWith((seen) =>
          readSpans(seen.body).some((span) => span.spanId === id(3))
            ? Client.json(400, {
              error: "Invalid OTLP trace export: 1 of 8 span(s) cannot be processed (spanId:absent)"
            })
            : ok()
        )
        const report = yield* send(...Arr.makeBy(8, (n) => whole(n + 1)))
        assert.deepStrictEqual(report.failed, ["whole 3"])
        assert.strictEqual(report.delivered.length, 7)
        assert.deepStrictEqual(report.reasons, ["Status 400"])
        assert.strictEqual(requests.length, 7)
      }))

    it.scoped("refused as such is not repeated in halves", () =>
      Effect.gen(function*() {
        const { requests, send } = yield* startWith(() =>
          Client.json(400, { error: "Unsupported x-langfuse-ingestion-version: \"4\". Maximum supported: \"3\"." })
        )
        assert.strictEqual((yield* send(...Arr.makeBy(8, (n) => whole(n + 1)))).failed.length, 8)
        assert.strictEqual(requests.length, 1)
      }))

    it.scoped("without an endpoint for it fails with 404, and the scores arrive all the same", () =>
      Effect.gen(function*() {
        const { send } = yield* start({ version: "3.0.0", otlp: false })
        const report = yield* send(whole(1), score("score"))
        assert.deepStrictEqual([report.delivered, report.failed], [["score"], ["whole 1"]])
        assert.deepStrictEqual(report.reasons, ["Status 404"])
      }))

    it.scoped("with nothing in it is not made", () =>
      Effect.gen(function*() {
        const { requests, send } = yield* startWith()
        yield* send(create(1), event("span-create", {}), update(2))
        assert.deepStrictEqual(requests, [])
      }))

    it.scoped("of which a collector refused some spans confirms none of them, and is not repeated", () =>
      Effect.gen(function*() {
        const answers = [
          () => Client.json(200, { partialSuccess: { rejectedSpans: "1" } }),
          // 200 spans: a number of more than seven bits is no UTF-8.
          () => protobuf([0x0a, 0x03, 0x08, 0xc8, 0x01]),
          () => protobuf([0x0a, 0x03, 0x08, 0xc8, 0x01], { "content-length": "5" })
        ]
        for (const answer of answers) {
          const { requests, send } = yield* startWith(answer)
          const report = yield* send(whole(1), whole(2))
          assert.deepStrictEqual([report.failed, report.reasons], [["whole 1", "whole 2"], ["Unconfirmed 200"]])
          assert.strictEqual(requests.length, 1)
        }
      }))

    it.scoped("others have their turn while a large batch is written", () =>
      Effect.gen(function*() {
        let turnsTaken = 0
        let next = setImmediate(() => {})
        const count = () => {
          turnsTaken++
          next = setImmediate(count)
        }
        const { ingest, send } = yield* startWith(() => {
          clearImmediate(next)
          return ok()
        }, { maxBatchBytes: 10_000_000, interval: "1 hour" })
        for (let n = 1; n < 20; n++) yield* ingest.enqueue(whole(n, { input: "x".repeat(200_000) }))
        count()
        assert.strictEqual((yield* send(whole(20))).delivered.length, 20)
        assert.isAtLeast(turnsTaken, 10)
      }))
  })

  describe("scores and logs", () => {
    it.scoped("leave with the batch in which they came, with the ids of the spans", () =>
      Effect.gen(function*() {
        const { paths, send, server } = yield* start()
        const report = yield* send(
          create(1, { id: "my-span", traceId: "my-trace" }),
          score("on the trace", { traceId: "my-trace" }),
          score("on the span", { traceId: "my-trace", observationId: "my-span", metadata: { why: "because" } }),
          score("on a session", { traceId: undefined, sessionId: "s" }),
          event("sdk-log", { log: "hello" }, { id: "log" })
        )
        assert.deepStrictEqual(report.delivered, ["log", "on a session", "on the span", "on the trace"])
        assert.deepStrictEqual(yield* paths, ["health", "ingestion"])
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
        const report = yield* send(whole(1), score("bad", { value: 2, dataType: "BOOLEAN" }), score("good"))
        assert.deepStrictEqual([report.delivered, report.rejected], [["good", "whole 1"], ["bad"]])
      }))
  })

  describe("an open observation", () => {
    it.scoped("leaves after ten minutes by itself, without another batch", () =>
      Effect.gen(function*() {
        const { ingest, logs, server, stored } = yield* start()
        yield* ingest.enqueue(create(1, { name: "stuck" }))
        yield* TestClock.adjust("2 seconds")
        yield* turns()
        assert.deepInclude(yield* ingest.stats, { pending: 1, delivered: 0 })
        yield* TestClock.adjust("9 minutes")
        yield* turns()
        assert.deepStrictEqual(yield* stored, [])
        yield* TestClock.adjust("1 minutes")
        yield* until(Effect.map(ingest.stats, ({ pending }) => pending === 0))
        assert.deepInclude(yield* ingest.stats, { pending: 0, delivered: 1 })
        assert.deepInclude((yield* server.observations)[0], {
          name: "stuck",
          level: "WARNING",
          statusMessage: "sent although it did not end"
        })
        assert.deepStrictEqual(logs.warnings(), ["1 Langfuse observations were sent although they never ended"])
      }))

    it.scoped("leaves at its own time, one after the other", () =>
      Effect.gen(function*() {
        const { ingest, stored } = yield* start()
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
        const { ingest, logs, setUp } = yield* start()
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

    it.scoped("stays pending over a flush, and leaves when it ends", () =>
      Effect.gen(function*() {
        const { ingest, stored } = yield* start()
        yield* ingest.enqueue(create(1))
        yield* ingest.enqueue(whole(2))
        yield* ingest.enqueue(event("trace-create", { id: "f".repeat(32), name: "alone" }))
        assert.deepStrictEqual(yield* ingest.flush, { delivered: 2, rejected: 0, failed: 0, pending: 1 })
        assert.sameMembers([...yield* stored], [id(2), spanIdFor(`root of ${"f".repeat(32)}`)])
        yield* ingest.enqueue(end(1))
        assert.deepStrictEqual(yield* ingest.flush, { delivered: 2, rejected: 0, failed: 0, pending: 0 })
      }))

    it.scoped("leaves when the scope closes, as it is", () =>
      Effect.gen(function*() {
        const { close, ingest, logs, server } = yield* start()
        yield* ingest.enqueue(create(1))
        yield* close
        assert.deepInclude(yield* ingest.stats, { pending: 0, delivered: 1, failed: 0 })
        assert.deepInclude((yield* server.observations)[0], { level: "WARNING" })
        assert.strictEqual(logs.warnings().length, 1)
      }))

    it.scoped("does not hold the close up when the server hangs", () =>
      Effect.gen(function*() {
        const { close, ingest, server } = yield* start({}, { shutdownTimeout: "2 seconds" })
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

    it.scoped("does not count against the queue: with maxQueueBytes 100,000, 45 open ones all end", () =>
      Effect.gen(function*() {
        const { ingest, send, server } = yield* start({}, { maxQueueBytes: 100_000 })
        for (let n = 1; n <= 45; n++) {
          assert.isTrue(yield* ingest.enqueue(create(n, { input: "x".repeat(2000) })), `start ${n}`)
          if (n % 10 === 0) yield* ingest.flush
        }
        yield* ingest.flush
        assert.deepInclude(yield* ingest.stats, { pending: 45, dropped: 0 })
        const { delivered } = yield* send(...Arr.makeBy(45, (n) => end(n + 1, { output: "o" })))
        assert.strictEqual(delivered.length, 90)
        assert.strictEqual((yield* server.observations).length, 45)
        assert.deepInclude(yield* ingest.stats, { pending: 0, dropped: 0, delivered: 90 })
      }))

    it.scoped(
      "has its contents cut over 16 MiB of them; every start and every end is delivered",
      () =>
        Effect.gen(function*() {
          const { ingest, send, server } = yield* start()
          const count = 100
          for (let n = 1; n <= count; n++) {
            yield* ingest.enqueue(create(n, { name: `n${n}`, input: "x".repeat(900_000) }))
            if (n % 5 === 0) yield* ingest.flush
          }
          assert.deepInclude(yield* ingest.stats, { pending: count, failed: 0, dropped: 0 })
          const { delivered } = yield* send(...Arr.makeBy(count, (n) => end(n + 1)))
          assert.strictEqual(delivered.length, 2 * count)
          const inputs = (yield* server.observations).map(({ input }) => String(input))
          assert.strictEqual(inputs.length, count)
          const uncut = inputs.filter((input) => input.length === 900_000).length
          assert.isAtLeast(uncut, 10)
          assert.isAtMost(uncut, 19)
          assert.isTrue(inputs.every((input) => input.length === 900_000 || input.startsWith("<cut 900000 characters")))
        }),
      60_000
    )

    it.scoped("with a million updates cannot fill the memory or hold anybody up", () =>
      Effect.gen(function*() {
        const { ingest, requests } = yield* startWith(() => ok(), { capacity: 20_000 })
        yield* ingest.enqueue(create(1))
        for (let round = 0; round < 100; round++) {
          for (let n = 0; n < 10_000; n++) ingest.unsafeEnqueue(update(1, { output: `${round} ${n}` }))
          yield* ingest.flush
        }
        const stats = yield* ingest.stats
        assert.isTrue(isBalanced(stats))
        assert.deepInclude(stats, { offered: 1_000_001, pending: 0, dropped: 0, failed: 0 })
        assert.isBelow(stats.delivered, 2000)
        assert.strictEqual(spansOf(requests).length, 1)
      }), 120_000)

    it.scoped("is one of ten thousand at most; the oldest make room, counted, and said once in ten seconds", () =>
      Effect.gen(function*() {
        const { ingest, logs, send } = yield* startWith(() => ok(), { capacity: 20_000, maxBatch: 100 })
        const { delivered } = yield* send(...Arr.makeBy(10_300, (n) => create(n + 1)))
        assert.deepStrictEqual(delivered.slice().sort(), Arr.makeBy(300, (n) => `create ${n + 1}`).sort())
        assert.deepInclude(yield* ingest.stats, { pending: 10_000, delivered: 300 })
        assert.strictEqual(logs.warnings().length, 1)
      }))
  })

  describe("an observation that has left", () => {
    it.scoped("takes with it an update that comes in the same batch as its end", () =>
      Effect.gen(function*() {
        const { send, server } = yield* start()
        const { delivered } = yield* send(create(1), end(1, { name: "n" }), update(1, { output: "late" }))
        assert.strictEqual(delivered.length, 3)
        assert.deepInclude((yield* server.observations)[0], { name: "n", output: "late", endTime: time(11) })
      }))

    it.scoped("is not replaced by a part: the update is rejected, and says why", () =>
      Effect.gen(function*() {
        const { logs, send, server } = yield* start()
        yield* send(whole(1, { name: "work" }))
        for (const late of [end(1), event("agent-create", { id: id(1), traceId }, { id: "again" })]) {
          const report = yield* send(late, score(`score ${late.id}`))
          assert.deepStrictEqual([report.rejected, report.reasons], [[late.id], ["Unsendable"]])
          assert.match(report.problems[0]?.description ?? "", /was sent already or never created/)
          assert.strictEqual(report.delivered.length, 1)
        }
        assert.deepStrictEqual((yield* server.observations).map((each) => each.name), ["work"])
        assert.strictEqual(logs.warnings().length, 1)
      }))

    it.scoped("in vain is not sent again either: what had failed stays failed", () =>
      Effect.gen(function*() {
        const { send, server, stored } = yield* start()
        yield* server.always(LangfuseServer.Fault.status(503))
        assert.deepStrictEqual((yield* send(whole(1))).failed, ["whole 1"])
        yield* server.always(undefined)
        assert.deepStrictEqual((yield* send(end(1))).rejected, ["update 1"])
        assert.deepStrictEqual(yield* stored, [])
      }))

    it.scoped("an update whose create was never seen is rejected", () =>
      Effect.gen(function*() {
        const { send, stored } = yield* start()
        assert.deepStrictEqual((yield* send(end(1), whole(2))).rejected, ["update 1"])
        assert.deepStrictEqual(yield* stored, [id(2)])
      }))
  })

  describe("batches at one time", () => {
    it.scoped("up to four leave while others are in flight; those with the spans of traces one by one", () =>
      Effect.gen(function*() {
        const gate = Client.gated(() => ok())
        const { ingest, requests } = yield* startWith(gate.responder, { maxBatch: 1, requestTimeout: "1 minute" })
        for (let n = 1; n <= 6; n++) yield* ingest.enqueue(whole(n))
        yield* until(() => requests.length === 4)
        yield* turns()
        assert.strictEqual(requests.length, 4)
        for (let n = 0; n < 6; n++) yield* gate.release(n)
        yield* until(Effect.map(ingest.stats, ({ pending }) => pending === 0))
        for (let n = 1; n <= 3; n++) yield* ingest.enqueue(event("trace-create", { id: traceId, name: `n${n}` }))
        yield* until(() => requests.length === 7)
        yield* turns()
        assert.strictEqual(requests.length, 7)
        for (let n = 6; n < 9; n++) yield* gate.release(n)
        yield* until(() => requests.length === 9)
        assert.deepStrictEqual(spansOf(requests.slice(6)).map(({ name }) => name), ["n1", "n2", "n3"])
      }))

    it.scoped("are taken in in the order in which they came", () =>
      Effect.gen(function*() {
        const { ingest, requests } = yield* startWith(() => ok(), { maxBatch: 1 })
        yield* ingest.enqueue(create(1, { id: "my-span", traceId: "my-trace", name: "n", startTime: time(0) }))
        yield* ingest.enqueue(event("span-update", { id: "my-span", endTime: time(9) }, { at: 5 }))
        yield* ingest.flush
        assert.deepStrictEqual(
          spansOf(requests).map((span) => [span.name, span.spanId, span.traceId, span.startTimeUnixNano]),
          [["n", spanIdFor("my-span"), traceIdFor("my-trace"), nanos(0)]]
        )
      }))
  })

  describe("traces", () => {
    const root = spanIdFor(`root of ${traceId}`)

    it.scoped("are spans of their own, and what has no parent hangs from them", () =>
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
        assert.sameDeepMembers(
          trace.observations.map((each) => [each.id, each.parentObservationId, each.input, each.output]),
          [[root, undefined, "q", "a"], [id(1), root, undefined, undefined], [id(2), id(1), undefined, "inner"]]
        )
        assert.deepStrictEqual(yield* server.losses, [])
      }))

    it.scoped("are replaced by what is said of them later, with all that was said before", () =>
      Effect.gen(function*() {
        const { send, server } = yield* start()
        yield* send(event("trace-create", { id: traceId, input: "q" }), whole(1), whole(2, { input: "own" }))
        yield* send(whole(3))
        yield* send(event("trace-create", { id: traceId, name: "t", output: "a", userId: "ada" }, { at: 9 }))
        const trace = Option.getOrThrow(yield* server.trace(traceId))
        assert.deepInclude(trace, { name: "t", input: "q", output: "a", userId: "ada" })
        assert.sameDeepMembers(
          trace.observations.map((each) => [each.id, each.parentObservationId, each.input]),
          [[root, undefined, "q"], [id(1), root, undefined], [id(2), root, "own"], [id(3), root, undefined]]
        )
      }))

    it.scoped("have their fields on every later span", () =>
      Effect.gen(function*() {
        const { requests, send } = yield* startWith()
        yield* send(event("trace-create", { id: traceId, userId: "ada", tags: ["x"] }))
        yield* send(whole(1))
        assert.isTrue(spansOf(requests).every(({ attributes }) => attributes["user.id"] === "ada"))
      }))

    it.scoped("that were forgotten are rejected: they would be a second row", () =>
      Effect.gen(function*() {
        const { ingest, logs } = yield* startWith(() => ok(), { capacity: 50_000 })
        const name = (n: number) => event("trace-create", { id: `trace ${n}` }, { id: `e${n}` })
        for (let n = 0; n < 10_500; n++) ingest.unsafeEnqueue(name(n))
        yield* ingest.flush
        assert.deepInclude(yield* ingest.stats, { delivered: 10_500 })
        for (let n = 0; n < 10_500; n++) ingest.unsafeEnqueue(name(n))
        assert.deepStrictEqual(yield* ingest.flush, { delivered: 10_000, rejected: 500, failed: 0, pending: 0 })
        assert.strictEqual(logs.warnings().length, 1)
      }), 60_000)

    it.scoped("a score on a trace without observations finds it", () =>
      Effect.gen(function*() {
        const { close, ingest, server } = yield* start()
        yield* ingest.enqueue(event("trace-create", { id: "my-trace", name: "t", input: "q", output: "a" }))
        yield* ingest.enqueue(score("score", { traceId: "my-trace" }))
        yield* close
        const trace = Option.getOrThrow(yield* server.trace(traceIdFor("my-trace")))
        assert.deepInclude(trace, { name: "t", input: "q", output: "a" })
        assert.strictEqual(trace.scores.length, 1)
      }))

    it.scoped("whose input an observation tells are sent before that, and counted apart", () =>
      Effect.gen(function*() {
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
        let status = 503
        const { ingest, logs, requests, send } = yield* startWith(() => status === 200 ? ok() : Client.json(status, {}))
        const telling = (n: number) =>
          event("span-create", { id: id(n), traceId, endTime: time(n) }, { id: `e${n}`, trace: { input: "q" } })
        const [failed, delivered] = [yield* traces("failed"), yield* traces("delivered")]
        assert.deepStrictEqual((yield* send(telling(1))).failed, ["e1"])
        assert.strictEqual((yield* traces("failed")) - failed, 1)
        assert.isTrue(logs.warnings().some((line) => line.startsWith("1 Langfuse traces failed")))
        status = 200
        assert.deepStrictEqual((yield* send(telling(2))).delivered, ["e2"])
        assert.strictEqual((yield* traces("delivered")) - delivered, 1, "it is brought again")
        assert.deepStrictEqual(spansOf(requests.slice(1)).map(({ spanId }) => spanId), [root, id(2)])
        assert.deepInclude(yield* ingest.stats, { offered: 2, failed: 1, delivered: 1 })
      }))
  })
})
