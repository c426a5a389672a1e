import { assert, describe, it } from "@effect/vitest"
import { type Change, Fault, LangfuseServer, type ModelPrice, type Options } from "effect-langfuse/LangfuseServer"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { connect } from "node:net"
import { gzipSync } from "node:zlib"
import { authorized, ingest, layerServer, post, request } from "./utils/server.js"

// What a page that shows a running server needs of it, and what the server makes of bad input.

const testWith = <E>(
  options: Options,
  title: string,
  run: Effect.Effect<unknown, E, Layer.Layer.Success<ReturnType<typeof layerServer>>>
) => it.live(title, () => Effect.provide(run, layerServer(options)))

const legacy: Options = { writeMode: "legacy" }

const at = "2026-01-01T12:00:00.000Z"

const event = (type: string, body: { readonly id?: string; readonly [key: string]: unknown }) => ({
  id: `${type}/${body.id ?? "none"}`,
  timestamp: at,
  type,
  body
})

const otlp = "/api/public/otel/v1/traces"

const span = (traceId: string, spanId: string, attributes: { readonly [key: string]: string } = {}) => ({
  traceId,
  spanId,
  name: "work",
  startTimeUnixNano: "1767225600000000000",
  endTimeUnixNano: "1767225601000000000",
  attributes: Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } }))
})

const exportOf = (...spans: ReadonlyArray<unknown>) => ({ resourceSpans: [{ scopeSpans: [{ spans }] }] })

/** The changes while something is done, without their numbers. */
const changesWhile = <A, E, R>(run: Effect.Effect<A, E, R>, count: number) =>
  Effect.gen(function*() {
    const server = yield* LangfuseServer
    const fiber = yield* server.changes.pipe(Stream.take(count), Stream.runCollect, Effect.fork)
    // The subscription has to be there first.
    yield* Effect.sleep("50 millis")
    yield* run
    return Chunk.toReadonlyArray(yield* Fiber.join(fiber).pipe(Effect.timeout("5 seconds")))
  })

const tags = (changes: ReadonlyArray<Change>) => changes.map(({ _tag }) => _tag)

describe("changes", () => {
  testWith(
    legacy,
    "tell of traces, scores, losses and requests, numbered one after the other",
    Effect.gen(function*() {
      const batch = [
        event("trace-create", { id: "t" }),
        event("span-create", { id: "o", traceId: "u" }),
        event("score-create", { id: "s", name: "n", value: 1, sessionId: "session" }),
        event("trace-create", {})
      ]
      const changes = yield* changesWhile(ingest(batch), 4)
      assert.deepStrictEqual(tags(changes).sort(), ["Loss", "Request", "Scores", "Traces"])
      assert.deepStrictEqual(changes.map(({ sequence }) => sequence), [0, 1, 2, 3])
      for (const change of changes) {
        if (change._tag === "Traces") assert.deepStrictEqual(change.ids, ["t", "u"])
        if (change._tag === "Scores") assert.deepStrictEqual(change.ids, ["s"])
        if (change._tag === "Request") assert.deepInclude(change.request, { status: 207, fault: undefined })
      }
    })
  )

  testWith(
    {},
    "tell of requests that are never answered, and of a new beginning",
    Effect.gen(function*() {
      const server = yield* LangfuseServer
      yield* server.script(Fault.reset("before"))
      const changes = yield* changesWhile(
        Effect.zipRight(Effect.ignore(post(otlp, exportOf(span("t", "a")))), server.reset),
        2
      )
      assert.deepStrictEqual(tags(changes), ["Request", "Reset"])
      const [first] = changes
      if (first?._tag === "Request") assert.deepInclude(first.request, { status: undefined, fault: "Reset" })
    })
  )

  testWith(
    {},
    "come in order to whoever is slow, and hold nobody up",
    Effect.gen(function*() {
      const server = yield* LangfuseServer
      const seen: Array<number> = []
      const slow = yield* server.changes.pipe(
        Stream.rechunk(1),
        Stream.runForEach((change) => Effect.sleep("20 millis").pipe(Effect.tap(() => seen.push(change.sequence)))),
        Effect.fork
      )
      yield* Effect.sleep("20 millis")
      const all = Array.from({ length: 300 }, (_, index) => span(`t${index}`, "a"))
      for (const each of all) yield* post(otlp, exportOf(each))
      assert.lengthOf(yield* server.traces, 300)
      yield* Fiber.interrupt(slow)
      assert.deepStrictEqual(seen, [...seen].sort((a, b) => a - b))
    })
  )
})

describe("verdicts", () => {
  testWith(
    legacy,
    "say of each event what was answered, and what became of it",
    Effect.gen(function*() {
      const server = yield* LangfuseServer
      yield* ingest([
        event("span-create", { id: "taken", traceId: "t" }),
        event("span-create", { id: "refused", traceId: "t", level: "secret" }),
        event("score-create", { id: "lost", name: "n", value: 1, traceId: "t", configId: "none" }),
        event("nonsense", { id: "unknown" })
      ])
      const [recorded] = yield* server.requests
      assert.deepStrictEqual(
        recorded?.verdicts.map(({ id, isLost, status }) => [id, status, isLost]),
        [
          ["span-create/taken", 201, false],
          ["span-create/refused", 400, false],
          ["score-create/lost", 201, true],
          ["nonsense/unknown", 400, false]
        ]
      )
      const [taken, refused, lost] = recorded?.verdicts ?? []
      assert.isUndefined(taken?.reason)
      assert.match(refused?.reason ?? "", /^body\.level: [^\n]+$/)
      assert.notInclude(refused?.reason ?? "", "secret")
      assert.strictEqual(lost?.reason, "the score's config is unknown")
      assert.isTrue(Date.parse(recorded?.receivedAt ?? "") > 0)
    })
  )

  testWith(
    {},
    "say of each span whether it is there",
    Effect.gen(function*() {
      const server = yield* LangfuseServer
      yield* post(otlp, exportOf(span("t", "a"), span("t", "b")))
      yield* post(otlp, exportOf(span("t", "c"), { ...span("t", "d"), spanId: 7 }))
      yield* post(otlp, exportOf(span("t", "e"), { ...span("t", "f"), attributes: [{ key: "k" }] }))
      yield* post("/api/public/scores", { id: "s", name: "n", value: 1, traceId: "t" })
      const verdicts = (yield* server.requests).map((recorded) =>
        recorded.verdicts.map(({ id, isLost, reason, status }) => [id, status, isLost, reason !== undefined])
      )
      assert.deepStrictEqual(verdicts, [
        [["a", 200, false, false], ["b", 200, false, false]],
        [["c", 400, false, true]],
        [["e", 200, true, true], ["f", 200, true, true]],
        [["s", 200, false, false]]
      ])
    })
  )
})

describe("room", () => {
  const content = "x".repeat(10_000)

  testWith(
    { maxBytes: 100_000 },
    "whole traces go, the one that was written to longest ago first",
    Effect.gen(function*() {
      const server = yield* LangfuseServer
      for (const id of ["a", "b", "c", "a", "d", "e"]) {
        yield* post(otlp, exportOf(span(id, `${id}-span`, { "langfuse.observation.input": content })))
      }
      const ids = (yield* server.traces).map(({ id }) => id).sort()
      assert.deepStrictEqual(ids, ["a", "c", "d", "e"])
      assert.deepStrictEqual((yield* server.observations).length, 4)
      const changes = yield* changesWhile(
        post(otlp, exportOf(span("f", "f", { "langfuse.observation.input": content }))),
        3
      )
      assert.deepStrictEqual(tags(changes), ["Traces", "Evicted", "Request"])
    })
  )

  testWith(
    { ...legacy, maxTraceBytes: 100_000 },
    "of one trace the oldest observations go, never the newest",
    Effect.gen(function*() {
      const server = yield* LangfuseServer
      for (let index = 0; index < 8; index++) {
        yield* ingest([event("span-create", { id: `o${index}`, traceId: "t", input: content })])
      }
      assert.deepStrictEqual((yield* server.observations).map(({ id }) => id), ["o4", "o5", "o6", "o7"])
      yield* ingest([event("span-create", { id: "large", traceId: "t", input: "y".repeat(200_000) })])
      assert.deepStrictEqual((yield* server.observations).map(({ id }) => id), ["large"])
    })
  )

  testWith(
    { maxBytes: 50_000 },
    "the bodies of requests go, not the requests",
    Effect.gen(function*() {
      const server = yield* LangfuseServer
      for (let index = 0; index < 10; index++) {
        yield* post(otlp, exportOf(span("t", `s${index}`, { "langfuse.observation.input": content })))
      }
      const requests = yield* server.requests
      assert.lengthOf(requests, 10)
      assert.lengthOf(requests.filter(({ body }) => body !== undefined), 4)
      assert.deepStrictEqual(requests.at(-1)?.ids, ["s9"])
    })
  )
})

describe("prices", () => {
  const standard = { name: "Standard", isDefault: true, priority: 0, conditions: [] }

  const prices: ReadonlyArray<ModelPrice> = [
    {
      id: "small",
      modelName: "small",
      matchPattern: "(?i)^small",
      pricingTiers: [
        { ...standard, prices: { input: 3e-7, output: 6e-7 } },
        {
          name: "Long",
          isDefault: false,
          priority: 2,
          conditions: [{ usageDetailPattern: "^input", operator: "gt", value: 1000 }],
          prices: { input: 6e-7 }
        },
        {
          name: "Fast",
          isDefault: false,
          priority: 1,
          conditions: [{ source: "model_parameters", key: "tier", operator: "in", values: ["fast"] }],
          prices: { input: 1e-6, output: 1e-6 }
        }
      ]
    },
    { id: "broken", modelName: "broken", matchPattern: "(", pricingTiers: [] }
  ]

  const cost = (body: object) =>
    Effect.gen(function*() {
      const server = yield* LangfuseServer
      yield* server.reset
      yield* ingest([event("generation-create", { id: "g", traceId: "t", ...body })])
      const [row] = yield* server.observations
      return [row?.internalModelId, row?.costDetails, row?.totalCost]
    })

  testWith(
    { ...legacy, prices },
    "make the cost of what is counted, unless a cost was sent",
    Effect.gen(function*() {
      const usageDetails = { input: 40, output: 10, other: 5 }
      assert.deepStrictEqual(
        yield* cost({ model: "Small-1", usageDetails }),
        ["small", { input: 0.000012, output: 0.000006, total: 0.000012 + 0.000006 }, 0.000012 + 0.000006]
      )
      assert.deepStrictEqual(
        yield* cost({ model: "small", usageDetails: { input: 2000, output: 1 } }),
        ["small", { input: 0.0012, total: 0.0012 }, 0.0012]
      )
      assert.deepStrictEqual(
        yield* cost({ model: "small", usageDetails: { input: 2000 }, modelParameters: { tier: "fast" } }),
        ["small", { input: 0.002, total: 0.002 }, 0.002]
      )
      assert.deepStrictEqual(
        yield* cost({ model: "small", usageDetails, costDetails: { input: 1 } }),
        ["small", { input: 1, total: 1 }, 1]
      )
      assert.deepStrictEqual(yield* cost({ model: "other", usageDetails }), [undefined, {}, undefined])
      assert.deepStrictEqual(yield* cost({ usageDetails }), [undefined, {}, undefined])
    })
  )
})

describe("bad input", () => {
  const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`

  const isAlive = Effect.gen(function*() {
    const server = yield* LangfuseServer
    const before = (yield* server.observations).length
    assert.strictEqual((yield* post(otlp, exportOf(span("alive", `s${before}`)))).status, 200)
    assert.lengthOf(yield* server.observations, before + 1)
  })

  testWith(
    {},
    "JSON as deep as it gets is answered, and the server goes on",
    Effect.gen(function*() {
      for (const depth of [100, 5000, 200_000]) {
        const score = `{"id":"s","name":"n","value":1,"traceId":"t","metadata":${nested(depth)}}`
        const statuses = [
          (yield* post("/api/public/scores", score)).status,
          (yield* post(
            "/api/public/ingestion",
            `{"batch":[{"id":"e","type":"score-create","timestamp":"${at}","body":${score}}]}`
          )).status,
          (yield* post(otlp, `{"resourceSpans":${nested(depth)}}`)).status,
          (yield* post(otlp, nested(depth))).status
        ]
        for (const status of statuses) assert.include([200, 207, 400, 500], status)
      }
      yield* isAlive
    })
  )

  testWith(
    {},
    "a value nested without end loses the export and nothing else",
    Effect.gen(function*() {
      const depth = 20_000
      const value = `${"{\"arrayValue\":{\"values\":[".repeat(depth)}{"stringValue":"x"}${"]}}".repeat(depth)}`
      const body = JSON.stringify(exportOf(span("t", "a", { k: "<value>" })))
        .replace("{\"stringValue\":\"<value>\"}", () => value)
      assert.include([200, 500], (yield* post(otlp, body)).status)
      yield* isAlive
    })
  )

  testWith(
    {},
    "broken gzip and broken protobuf are 400, ten megabytes are taken",
    Effect.gen(function*() {
      const server = yield* LangfuseServer
      const headers = yield* authorized
      const send = (body: Uint8Array, more: { readonly [name: string]: string }) =>
        request(`${server.url}${otlp}`, {
          method: "POST",
          headers: { ...headers, ...more },
          body: new Uint8Array(body)
        })
      const text = JSON.stringify(exportOf(span("t", "a")))
      const zipped = gzipSync(text)
      const gzip = { "content-encoding": "gzip" }
      const protobuf = { "content-type": "application/x-protobuf" }
      assert.strictEqual((yield* send(zipped, gzip)).status, 200)
      for (
        const broken of [zipped.subarray(0, 20), zipped.subarray(5), new Uint8Array(), new TextEncoder().encode("x")]
      ) {
        const reply = yield* send(broken, gzip)
        assert.deepStrictEqual([reply.status, reply.json], [400, { error: "Failed to decompress request body" }])
      }
      for (const broken of [[0x0a], [0xff, 0xff, 0xff], [0x0a, 0x02, 0x12], [...new TextEncoder().encode(text)]]) {
        const reply = yield* send(Uint8Array.from(broken), protobuf)
        assert.deepStrictEqual([reply.status, reply.json], [400, { error: "Failed to parse OTel Protobuf Trace" }])
      }
      const large = exportOf(span("t", "large", { "langfuse.observation.input": "x".repeat(10_000_000) }))
      assert.strictEqual((yield* post(otlp, large)).status, 200)
      yield* isAlive
    })
  )

  testWith(
    {},
    "half a request stores nothing",
    Effect.gen(function*() {
      const server = yield* LangfuseServer
      const { hostname, port } = new URL(server.url)
      const body = JSON.stringify(exportOf(span("t", "a")))
      yield* Effect.async((resume) => {
        const socket = connect(Number(port), hostname, () => {
          socket.write(`POST ${otlp} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n`)
          socket.write(`content-length: ${body.length}\r\n\r\n${body.slice(0, 20)}`, () => {
            socket.destroy()
            resume(Effect.void)
          })
        })
      })
      yield* Effect.sleep("50 millis")
      assert.deepStrictEqual(yield* server.observations, [])
      yield* isAlive
    })
  )
})
