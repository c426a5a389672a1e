import { assert, describe, it } from "@effect/vitest"
import { LangfuseSpanProcessor } from "@langfuse/otel"
import { setLangfuseTracerProvider, startObservation } from "@langfuse/tracing"
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base"
import {
  Fault,
  flattenMetadata,
  LangfuseServer,
  type Options,
  type StoredObservation
} from "effect-langfuse/LangfuseServer"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { gzipSync } from "node:zlib"
import * as Content from "../src/server/json.js"
import { basic, exportSpans, ingest, layerServer, post, type Reply, request } from "./utils/server.js"

// Exports written by hand, after Langfuse's OpenTelemetry endpoint and the OTLP specification: nothing of our own
// client takes part.

const traceId = "0af7651916cd43dd8448eb211c80319c"
const second = (seconds: number, nanoseconds = 0) =>
  String(BigInt(Date.UTC(2026, 0, 1, 12, 0, seconds)) * 1_000_000n + BigInt(nanoseconds))
const iso = (seconds: number, milliseconds = 0) =>
  new Date(Date.UTC(2026, 0, 1, 12, 0, seconds, milliseconds)).toISOString()

const anyValue = (value: unknown): unknown =>
  typeof value === "string"
    ? { stringValue: value }
    : typeof value === "boolean"
    ? { boolValue: value }
    : typeof value === "number"
    ? Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value }
    : Array.isArray(value)
    ? { arrayValue: { values: value.map(anyValue) } }
    : value

const attributes = (values: { readonly [key: string]: unknown }) =>
  Object.entries(values).map(([key, value]) => ({ key, value: anyValue(value) }))

const span = (
  values: { readonly [key: string]: unknown } = {},
  more: { readonly [key: string]: unknown } = {}
): { readonly [key: string]: unknown } => ({
  traceId,
  spanId: "b7ad6b7169203331",
  name: "work",
  kind: 1,
  startTimeUnixNano: second(1),
  endTimeUnixNano: second(2),
  attributes: attributes(values),
  status: { code: 0 },
  ...more
})

const child = (values: { readonly [key: string]: unknown } = {}, more: { readonly [key: string]: unknown } = {}) =>
  span(values, { spanId: "00f067aa0ba902b7", parentSpanId: "b7ad6b7169203331", ...more })

const exportOf = (
  spans: unknown,
  options: {
    readonly resource?: { readonly [key: string]: unknown }
    readonly scope?: { readonly [key: string]: unknown }
  } = {}
) => ({
  resourceSpans: [{
    resource: { attributes: attributes(options.resource ?? {}) },
    scopeSpans: [{ scope: options.scope ?? { name: "by-hand", version: "1" }, spans }]
  }]
})

type Group = Parameters<typeof exportOf>[1]

const sendTo = (headers: { readonly [name: string]: string }, group?: Group) => (...spans: ReadonlyArray<unknown>) =>
  Effect.map(exportSpans(exportOf(spans, group), headers), (reply) => {
    assert.strictEqual(reply.status, 200, reply.text)
    return reply
  })

const send = sendTo({})

const only = <A>(list: ReadonlyArray<A>): A => {
  assert.strictEqual(list.length, 1)
  return list[0] as A
}

const observations = Effect.flatMap(LangfuseServer, (server) => server.observations)
const onlyObservation = Effect.map(observations, only)
const onlyTrace = Effect.flatMap(LangfuseServer, (server) => Effect.map(server.traces, only))
const lossReasons = Effect.flatMap(
  LangfuseServer,
  (server) => Effect.map(server.losses, (losses) => losses.map((loss) => loss.reason))
)

/** What one span with these attributes is stored as. */
const stored = (
  values: { readonly [key: string]: unknown },
  more: { readonly [key: string]: unknown } = {},
  group?: Group
) =>
  Effect.gen(function*() {
    const server = yield* LangfuseServer
    yield* server.reset
    yield* sendTo({}, group)(span(values, more))
    return yield* onlyObservation
  })

type Provided = Layer.Layer.Success<ReturnType<typeof layerServer>>

const testWith = <E>(options: Options, title: string, run: Effect.Effect<unknown, E, Provided>) =>
  it.live(title, () => Effect.provide(run, layerServer(options)))

const test = <E>(title: string, run: Effect.Effect<unknown, E, Provided>) => testWith({}, title, run)

/** One case of the attribute mapping: what one span becomes. */
const mapping = (
  title: string,
  values: { readonly [key: string]: unknown },
  expected: Partial<StoredObservation>,
  more: { readonly span?: { readonly [key: string]: unknown }; readonly group?: Group } = {}
) =>
  test(
    title,
    Effect.map(stored(values, more.span, more.group), (row) => assert.deepInclude(row, expected))
  )

const messageOf = (reply: Reply) => (reply.json as { readonly error?: string; readonly message?: string })

describe("LangfuseServer over OpenTelemetry", () => {
  describe("the request", () => {
    const raw = (init: RequestInit) =>
      Effect.flatMap(LangfuseServer, (server) => request(`${server.url}/api/public/otel/v1/traces`, init))

    test(
      "the keys are asked for as Basic authorization, and errors are a message only",
      Effect.gen(function*() {
        const body = JSON.stringify(exportOf([span()]))
        const headers = { "content-type": "application/json" }
        const without = yield* raw({ method: "POST", body, headers })
        assert.strictEqual(without.status, 401)
        assert.deepStrictEqual(without.json, { message: "No authorization header" })
        const wrong = yield* raw({ method: "POST", body, headers: { ...headers, authorization: basic("a", "b") } })
        assert.strictEqual(wrong.status, 401)
        const bearer = yield* raw({
          method: "POST",
          body,
          headers: { ...headers, authorization: "Bearer pk-lf-local" }
        })
        assert.strictEqual(bearer.status, 403)
        assert.deepStrictEqual(bearer.json, {
          message: "Access denied - insufficient permissions for this endpoint"
        })
        assert.deepStrictEqual(yield* observations, [])
      })
    )

    test(
      "only POST is served",
      Effect.gen(function*() {
        const reply = yield* raw({ method: "GET" })
        assert.strictEqual(reply.status, 405)
        assert.deepStrictEqual(reply.json, { message: "Method not allowed", error: "MethodNotAllowedError" })
      })
    )

    test(
      "success is an opaque JSON body that is no OTLP answer",
      Effect.gen(function*() {
        const reply = yield* send(span())
        assert.match(reply.headers.get("content-type") ?? "", /^application\/json/)
        assert.notDeepEqual(reply.json, {})
        assert.notProperty(reply.json, "partialSuccess")
      })
    )

    test(
      "an export without spans is answered with an empty object",
      Effect.gen(function*() {
        for (const body of [{}, { resourceSpans: [] }, { resource_spans: exportOf([span()]).resourceSpans }]) {
          const reply = yield* exportSpans(body)
          assert.deepStrictEqual([reply.status, reply.json], [200, {}])
        }
        assert.deepStrictEqual(yield* observations, [])
      })
    )

    test(
      "resourceSpans that are no list are accepted and lost",
      Effect.gen(function*() {
        const reply = yield* exportSpans({ resourceSpans: { spans: [span()] } })
        assert.strictEqual(reply.status, 200)
        assert.deepStrictEqual(yield* observations, [])
        assert.lengthOf(yield* lossReasons, 1)
      })
    )

    test(
      "content types are JSON and x-protobuf",
      Effect.gen(function*() {
        for (const type of ["application/protobuf", "text/plain", "application/octet-stream"]) {
          const reply = yield* exportSpans(exportOf([span()]), { "content-type": type })
          assert.deepStrictEqual([reply.status, reply.json], [400, { error: "Invalid content type" }])
        }
        const fine = yield* exportSpans(exportOf([span()]), { "content-type": "Application/JSON; charset=utf-8" })
        assert.strictEqual(fine.status, 200)
        const broken = yield* exportSpans("{", {})
        assert.strictEqual(broken.status, 400)
      })
    )

    test(
      "gzip is inflated, and broken gzip refused",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        const text = JSON.stringify(exportOf([span()]))
        const zipped = new Uint8Array(gzipSync(text))
        const fine = yield* exportSpans(zipped, { "content-encoding": "gzip" })
        assert.strictEqual(fine.status, 200)
        assert.strictEqual((yield* onlyObservation).name, "work")
        const broken = yield* exportSpans(zipped.subarray(0, 40), { "content-encoding": "gzip" })
        assert.deepStrictEqual([broken.status, broken.json], [400, { error: "Failed to decompress request body" }])
        const [recorded] = yield* server.requests
        assert.deepInclude(recorded, { bytes: zipped.length, body: text, ids: ["b7ad6b7169203331"] })
      })
    )

    test(
      "there is no size limit",
      Effect.gen(function*() {
        const input = "x".repeat(5_000_000)
        yield* send(span({ "langfuse.observation.input": input }))
        assert.strictEqual((yield* onlyObservation).input, input)
      })
    )

    test(
      "ingestion versions beyond 4, and those that are no number, are refused",
      Effect.gen(function*() {
        for (const version of ["5", "abc"]) {
          const reply = yield* exportSpans(exportOf([span()]), { "x-langfuse-ingestion-version": version })
          assert.strictEqual(reply.status, 400)
          assert.strictEqual(
            messageOf(reply).error,
            `Unsupported x-langfuse-ingestion-version: "${version}". Maximum supported: "4".`
          )
        }
        assert.deepStrictEqual(yield* observations, [])
        yield* sendTo({ "x-langfuse-ingestion-version": "3" })(span())
        assert.lengthOf(yield* observations, 1)
      })
    )

    testWith(
      { version: "3.0.0", otlp: false },
      "an old server has no such endpoint until it gets one",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        const reply = yield* exportSpans(exportOf([span()]))
        assert.strictEqual(reply.status, 404)
        assert.isUndefined(reply.json)
        yield* server.setOtlp(true)
        assert.strictEqual((yield* exportSpans(exportOf([span()]))).status, 200)
        yield* server.setOtlp(false)
        assert.strictEqual((yield* exportSpans(exportOf([span()]))).status, 404)
      })
    )

    test(
      "faults meet this endpoint as the others",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* server.script(Fault.status(500, { route: "otlp" }), Fault.status(502, { route: "otlp", stored: true }))
        assert.strictEqual((yield* exportSpans(exportOf([span()]))).status, 500)
        assert.deepStrictEqual(yield* observations, [])
        assert.strictEqual((yield* exportSpans(exportOf([span()]))).status, 502)
        assert.lengthOf(yield* observations, 1)
      })
    )

    test(
      "metrics are taken and thrown away",
      Effect.gen(function*() {
        const reply = yield* post("/api/public/otel/v1/metrics", {})
        assert.deepStrictEqual([reply.status, reply.json], [200, { message: "OK" }])
      })
    )
  })

  describe("ids and shapes", () => {
    const refused = (body: unknown) =>
      Effect.gen(function*() {
        const reply = yield* exportSpans(body)
        assert.strictEqual(reply.status, 400)
        assert.deepStrictEqual(yield* observations, [])
        return messageOf(reply).error ?? ""
      })

    test(
      "one span without an id takes the whole export with it",
      Effect.gen(function*() {
        const spans = Array.from(
          { length: 100 },
          (_, index) => span({}, { spanId: index === 40 ? undefined : `s${index}` })
        )
        assert.isTrue(
          (yield* refused(exportOf(spans))).startsWith(
            "Invalid OTLP trace export: 1 of 100 span(s) cannot be processed (spanId:absent). "
          )
        )
      })
    )

    test(
      "every violation is named",
      Effect.gen(function*() {
        const cases: ReadonlyArray<readonly [unknown, string]> = [
          [
            exportOf([span({}, { traceId: undefined }), span(), span()]),
            "1 of 3 span(s) cannot be processed (traceId:absent)"
          ],
          [exportOf([span({}, { traceId: 5 })]), "(traceId:not_an_id)"],
          [exportOf([span({}, { spanId: { a: 1 } })]), "(spanId:not_an_id)"],
          [exportOf([span({}, { parentSpanId: 7 })]), "(parentSpanId:not_an_id)"],
          [exportOf([span({}, { attributes: { a: 1 } })]), "(attributes:not_an_array)"],
          [exportOf([span({}, { events: {} })]), "(events:not_an_array)"],
          [exportOf([span({}, { events: [{ name: "e", attributes: {} }] })]), "(event.attributes:not_an_array)"],
          [exportOf({}), "(spans:not_an_array)"],
          [{ resourceSpans: [{ scopeSpans: {} }] }, "(scopeSpans:not_an_array)"],
          [{ resourceSpans: [{ resource: { attributes: {} }, scopeSpans: [] }] }, "(resource.attributes:not_an_array)"],
          [exportOf([span()], { scope: { name: "s", attributes: {} } }), "(scope.attributes:not_an_array)"],
          [
            exportOf([span({}, { traceId: undefined, spanId: 1 })]),
            "1 of 1 span(s) cannot be processed (traceId:absent, spanId:not_an_id)"
          ]
        ]
        for (const [body, part] of cases) assert.include(yield* refused(body), part)
      })
    )

    test(
      "ids are any text, word for word, or bytes in lower case hex",
      Effect.gen(function*() {
        const ids: ReadonlyArray<readonly [unknown, string]> = [
          ["ABCDEF", "ABCDEF"],
          ["9f1c2d3e-0000-4000-8000-000000000000", "9f1c2d3e-0000-4000-8000-000000000000"],
          ["", ""],
          [[10, 247, 101], "0af765"],
          [{ type: "Buffer", data: [255, 0] }, "ff00"]
        ]
        for (const [given, expected] of ids) {
          const row = yield* stored({}, { traceId: given, spanId: given, parentSpanId: given })
          assert.deepStrictEqual(
            [row.traceId, row.id, row.parentObservationId],
            [expected, expected, expected === "" ? undefined : expected]
          )
        }
      })
    )

    test(
      "a parent of zeros is a real parent, an empty or absent one is none",
      Effect.gen(function*() {
        for (const parentSpanId of ["", undefined, null, []]) {
          assert.isUndefined((yield* stored({}, { parentSpanId })).parentObservationId)
        }
        const row = yield* stored({ "langfuse.observation.input": "in" }, { parentSpanId: "0000000000000000" })
        assert.strictEqual(row.parentObservationId, "0000000000000000")
        assert.deepInclude(yield* onlyTrace, { name: undefined, input: undefined })
        assert.lengthOf(yield* lossReasons, 1)
      })
    )

    test(
      "a score joins by the exact text of the trace's id",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* send(span({}, { traceId: traceId.toUpperCase() }))
        const score = (id: string) => ({
          id,
          type: "score-create",
          timestamp: iso(0),
          body: { id, name: "n", value: 1, traceId: id }
        })
        yield* ingest([score(traceId)])
        assert.deepStrictEqual((yield* onlyTrace).scores, [])
        yield* ingest([score(traceId.toUpperCase())])
        assert.lengthOf((yield* onlyTrace).scores, 1)
        assert.lengthOf(yield* server.scores, 2)
      })
    )
  })

  describe("values", () => {
    const value = (given: unknown) =>
      Effect.map(
        stored({}, { attributes: [{ key: "langfuse.observation.metadata.k", value: given }] }),
        (row) => row.metadata["k"]
      )

    test(
      "scalars and lists of them are read",
      Effect.gen(function*() {
        assert.strictEqual(yield* value({ stringValue: "s" }), "s")
        assert.strictEqual(yield* value({ stringValue: "" }), "")
        assert.strictEqual(yield* value({ boolValue: false }), false)
        assert.strictEqual(yield* value({ intValue: "7" }), 7)
        assert.strictEqual(yield* value({ intValue: 7 }), 7)
        assert.strictEqual(yield* value({ intValue: { low: 1, high: 1 } }), 4_294_967_297)
        assert.strictEqual(yield* value({ doubleValue: 0.5 }), 0.5)
        assert.strictEqual(yield* value({ doubleValue: "0.5" }), 0.5)
        assert.strictEqual(yield* value({ doubleValue: "NaN" }), "NaN")
        assert.deepStrictEqual(yield* value({ arrayValue: { values: [{ stringValue: "a" }, { intValue: "1" }] } }), [
          "a",
          1
        ])
        assert.deepStrictEqual(yield* value({ arrayValue: { values: [] } }), [])
      })
    )

    test(
      "whatever has no plain value is stored as the text of its wrapper",
      Effect.gen(function*() {
        for (
          const given of [
            { kvlistValue: { values: [{ key: "a", value: { stringValue: "b" } }] } },
            { bytesValue: "AAE=" },
            { arrayValue: {} },
            {}
          ]
        ) {
          assert.deepStrictEqual(yield* value(given), given)
        }
      })
    )

    test(
      "one attribute without a value loses the whole export after the answer",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        const broken = { key: "langfuse.observation.input" }
        for (
          const group of [
            exportOf([span(), child({}, { attributes: [broken] })]),
            exportOf([span(), child({}, { attributes: [{ ...broken, value: null }] })]),
            exportOf([span()], { scope: { name: "s", attributes: [broken] } }),
            exportOf([span({}, { attributes: [{ key: "l", value: { arrayValue: { values: [null] } } }] })])
          ]
        ) {
          yield* server.reset
          assert.strictEqual((yield* exportSpans(group)).status, 200)
          assert.deepStrictEqual(yield* observations, [])
          assert.lengthOf(yield* lossReasons, 1)
        }
      })
    )

    test(
      "the later of two attributes with one key counts",
      Effect.gen(function*() {
        const key = "langfuse.trace.name"
        const row = yield* stored({}, {
          attributes: [{ key, value: { stringValue: "a" } }, { key, value: { stringValue: "b" } }]
        })
        assert.strictEqual(row.traceName, "b")
      })
    )

    test(
      "times are cut to milliseconds, and a missing one is copied from the other",
      Effect.gen(function*() {
        const times = (startTimeUnixNano: unknown, endTimeUnixNano: unknown) =>
          Effect.map(
            stored({}, { startTimeUnixNano, endTimeUnixNano }),
            (row) => [row.startTime, row.endTime]
          )
        assert.deepStrictEqual(yield* times(second(1, 1_999_999), second(2, 999)), [iso(1, 1), iso(2)])
        assert.deepStrictEqual(yield* times(undefined, second(2)), [iso(2), iso(2)])
        assert.deepStrictEqual(yield* times(second(1), undefined), [iso(1), iso(1)])
        assert.deepStrictEqual(yield* times(second(3), second(2)), [iso(3), iso(2)])
        const [start, end] = yield* times(undefined, undefined)
        assert.strictEqual(start, end)
        assert.isBelow(Math.abs(Date.parse(start ?? "") - Date.now()), 60_000)
      })
    )

    test(
      "a time that is none counts as missing",
      Effect.gen(function*() {
        for (const startTimeUnixNano of ["soon", "99999999999999999999999", iso(1), {}, true]) {
          const row = yield* stored({}, { startTimeUnixNano })
          assert.deepStrictEqual([row.startTime, row.endTime], [iso(2), iso(2)])
        }
      })
    )
  })

  describe("the attributes of Langfuse", () => {
    test(
      "a generation with everything",
      Effect.gen(function*() {
        const row = yield* stored(
          {
            "langfuse.observation.type": "generation",
            "langfuse.observation.level": "WARNING",
            "langfuse.observation.status_message": "slow",
            "langfuse.observation.input": JSON.stringify([{ role: "user", content: "hi" }]),
            "langfuse.observation.output": "hello",
            "langfuse.observation.model.name": "gpt",
            "langfuse.observation.model.parameters": JSON.stringify({ temperature: 0.5, top: "k", stop: ["a"] }),
            "langfuse.observation.usage_details": JSON.stringify({ input: 10, output: 5 }),
            "langfuse.observation.cost_details": JSON.stringify({ input: 0.25, output: 0.5 }),
            "langfuse.observation.completion_start_time": JSON.stringify(iso(1, 500)),
            "langfuse.observation.prompt.name": "greeting",
            "langfuse.observation.prompt.version": 3,
            "langfuse.observation.metadata": JSON.stringify({ a: { b: 1 }, list: [1, 2], text: "t" }),
            "langfuse.environment": "Staging",
            "langfuse.version": "v2",
            "langfuse.release": "r1",
            "langfuse.trace.name": "chat",
            "langfuse.trace.tags": ["x", "y"],
            "langfuse.trace.public": true,
            "langfuse.trace.metadata.plan": "pro",
            "langfuse.user.id": "user",
            "langfuse.session.id": "session",
            "langfuse.internal.is_app_root": true
          },
          { parentSpanId: "1111111111111111" },
          { scope: { name: "langfuse-sdk", version: "5" } }
        )
        const expected: StoredObservation = {
          table: "events",
          id: "b7ad6b7169203331",
          traceId,
          parentObservationId: "1111111111111111",
          type: "GENERATION",
          name: "work",
          startTime: iso(1),
          endTime: iso(2),
          completionStartTime: iso(1, 500),
          level: "WARNING",
          statusMessage: "slow",
          model: "gpt",
          modelParameters: { temperature: 0.5, top: "k", stop: "[\"a\"]" },
          usageDetails: { input: 10, output: 5, total: 15 },
          costDetails: { input: 0.25, output: 0.5, total: 0.75 },
          totalCost: 0.75,
          internalModelId: undefined,
          toolDefinitions: {},
          toolCalls: [],
          promptName: "greeting",
          promptVersion: 3,
          input: [{ role: "user", content: "hi" }],
          output: "hello",
          metadata: {
            "scope.name": "langfuse-sdk",
            "scope.version": 5,
            "a.b": 1,
            list: [1, 2],
            text: "t",
            plan: "pro"
          },
          environment: "staging",
          version: "v2",
          release: "r1",
          userId: "user",
          sessionId: "session",
          tags: ["x", "y"],
          traceName: "chat",
          public: true,
          isAppRoot: true
        }
        assert.deepStrictEqual(row, expected)
        assert.deepStrictEqual(yield* lossReasons, [])
      })
    )

    test(
      "every type is known in lower case only",
      Effect.gen(function*() {
        const types = [
          "span",
          "generation",
          "event",
          "embedding",
          "agent",
          "tool",
          "chain",
          "retriever",
          "guardrail",
          "evaluator"
        ]
        for (const type of types) {
          const row = yield* stored({ "langfuse.observation.type": type })
          assert.strictEqual(row.type, type.toUpperCase())
          assert.deepStrictEqual(yield* lossReasons, [])
          assert.strictEqual((yield* stored({ "langfuse.observation.type": type.toUpperCase() })).type, "SPAN")
          assert.lengthOf(yield* lossReasons, 1)
        }
        const row = yield* stored({ "langfuse.observation.type": "AGENT", "langfuse.observation.model.name": "m" })
        assert.strictEqual(row.type, "GENERATION")
      })
    )

    test(
      "an event keeps the end of its span",
      Effect.gen(function*() {
        assert.strictEqual((yield* stored({ "langfuse.observation.type": "event" })).endTime, iso(2))
      })
    )

    test(
      "levels are read in any case and by their other names, else from the status",
      Effect.gen(function*() {
        const cases: ReadonlyArray<readonly [unknown, unknown, string]> = [
          ["error", 0, "ERROR"],
          [" Warn ", 0, "WARNING"],
          ["info", 2, "DEFAULT"],
          ["success", 2, "DEFAULT"],
          ["verbose", 0, "DEBUG"],
          ["fatal", 0, "ERROR"],
          ["loud", 2, "ERROR"],
          ["loud", 0, "DEFAULT"],
          [undefined, 2, "ERROR"],
          [undefined, 1, "DEFAULT"],
          [undefined, "STATUS_CODE_ERROR", "DEFAULT"]
        ]
        for (const [level, code, expected] of cases) {
          const values = level === undefined ? {} : { "langfuse.observation.level": level }
          assert.strictEqual((yield* stored(values, { status: { code } })).level, expected, `${level} ${code}`)
        }
      })
    )

    mapping("the status's own message is the fallback", {}, { statusMessage: "boom", level: "ERROR" }, {
      span: { status: { code: 2, message: "boom" } }
    })

    mapping("inputs stay the text they are, lists become JSON", {
      "langfuse.observation.input": "  not json ",
      "langfuse.observation.output": ["a", "b"]
    }, { input: "  not json ", output: ["a", "b"] })

    mapping("one of the two silences all other sources", {
      "langfuse.observation.output": "mine",
      "gen_ai.input.messages": "[]",
      "input.value": "other"
    }, { input: undefined, output: "mine" })

    mapping("usage that is no JSON falls back to the general attributes", {
      "langfuse.observation.usage_details": "10 tokens",
      "gen_ai.usage.input_tokens": 3
    }, { usageDetails: { input: 3, total: 3 } })

    mapping("usage that is no object is empty", {
      "langfuse.observation.usage_details": "[1]",
      "gen_ai.usage.input_tokens": 3
    }, { usageDetails: {} })

    mapping("usage in a map of OTLP is unusable", {
      "langfuse.observation.usage_details": { kvlistValue: { values: attributes({ input: 1 }) } }
    }, { usageDetails: {}, totalCost: undefined })

    mapping("usage in OpenAI's shape is taken apart", {
      "langfuse.observation.usage_details": JSON.stringify({
        prompt_tokens: 100,
        completion_tokens: 20,
        total_tokens: 120,
        prompt_tokens_details: { cached_tokens: 40 }
      })
    }, { usageDetails: { input: 60, input_cached_tokens: 40, output: 20, total: 120 } })

    mapping("costs are not validated", {
      "langfuse.observation.cost_details": JSON.stringify({ input: "0.1", output: -1, total: 2 })
    }, { costDetails: { input: "0.1", output: -1, total: 2 }, totalCost: 2 })

    mapping("spans keep model and usage too", {
      "langfuse.observation.type": "span",
      "langfuse.observation.model.name": "m",
      "langfuse.observation.usage_details": "{\"input\":1}"
    }, { type: "SPAN", model: "m", usageDetails: { input: 1, total: 1 } })

    mapping("a prompt belongs to generations only", {
      "langfuse.observation.type": "agent",
      "langfuse.observation.prompt.name": "p",
      "langfuse.observation.prompt.version": 1
    }, { promptName: undefined, promptVersion: undefined })

    mapping("the version of a prompt may be text, and missing", {
      "langfuse.observation.type": "generation",
      "langfuse.observation.prompt.name": "p",
      "langfuse.observation.prompt.version": "12"
    }, { promptName: "p", promptVersion: 12 })

    mapping("the version of a prompt has 16 bits", {
      "langfuse.observation.type": "generation",
      "langfuse.observation.prompt.name": "p",
      "langfuse.observation.prompt.version": 70_000
    }, { promptName: "p", promptVersion: undefined })

    mapping("the start of the completion may be quoted or not", {
      "langfuse.observation.completion_start_time": iso(1, 250)
    }, { completionStartTime: iso(1, 250) })

    mapping(
      "the environment is looked for in three places, span before resource",
      {
        "deployment.environment": "span"
      },
      { environment: "resource-name" },
      { group: { resource: { "deployment.environment.name": "Resource-Name" } } }
    )

    mapping("version and release of the resource are the fallback", {}, { version: "1.2", release: "rel" }, {
      group: { resource: { "service.version": "1.2", "langfuse.version": "ignored", "langfuse.release": "rel" } }
    })

    mapping("user and session have general names too", { "user.id": "u", "session.id": "s" }, {
      userId: "u",
      sessionId: "s"
    })

    mapping("or lie in the metadata", {
      "langfuse.trace.metadata.langfuse_user_id": "u",
      "gen_ai.conversation.id": "s"
    }, { userId: "u", sessionId: "s" })

    test(
      "tags come as a list, as JSON, with commas, or alone",
      Effect.gen(function*() {
        const cases: ReadonlyArray<readonly [unknown, ReadonlyArray<string>]> = [
          [["a", "b"], ["a", "b"]],
          ["[\"a\",\"b\"]", ["a", "b"]],
          ["a, b", ["a", "b"]],
          ["a", ["a"]],
          [{ arrayValue: {} }, ["{\"arrayValue\":{}}"]]
        ]
        for (const [given, expected] of cases) {
          assert.deepStrictEqual((yield* stored({ "langfuse.trace.tags": given })).tags, expected)
        }
        assert.deepStrictEqual((yield* stored({ "langfuse.tags": ["c"] })).tags, ["c"])
      })
    )

    test(
      "only true is public",
      Effect.gen(function*() {
        for (const [given, expected] of [[true, true], ["true", true], ["True", false], [1, false]] as const) {
          assert.strictEqual((yield* stored({ "langfuse.trace.public": given })).public, expected)
        }
      })
    )
  })

  describe("metadata", () => {
    const sdk = { scope: { name: "langfuse-sdk" } }

    const metadata = (values: { readonly [key: string]: unknown }, group?: Group) =>
      Effect.map(stored(values, {}, group), (row) => row.metadata)

    test(
      "an object is flattened, single keys lie over it and stay what they are",
      Effect.gen(function*() {
        const found = yield* metadata({
          "langfuse.observation.metadata": JSON.stringify({ a: { b: { c: 1 } }, over: 1, none: null }),
          "langfuse.observation.metadata.over": 2,
          "langfuse.observation.metadata.dotted.key": "x",
          "langfuse.observation.metadata.json": "{\"not\":\"parsed\"}"
        }, sdk)
        assert.deepStrictEqual(found, {
          "scope.name": "langfuse-sdk",
          "a.b.c": 1,
          none: "",
          over: 2,
          "dotted.key": "x",
          json: { not: "parsed" }
        })
      })
    )

    test(
      "a scalar, or no JSON at all, is dropped; a list spreads over its indices",
      Effect.gen(function*() {
        for (const dropped of ["hello", "\"hello\"", "5", "true"]) {
          assert.deepStrictEqual(yield* metadata({ "langfuse.observation.metadata": dropped }, sdk), {
            "scope.name": "langfuse-sdk"
          })
          assert.lengthOf(yield* lossReasons, 1)
        }
        const note = { "langfuse.observation.metadata.note": "hello" }
        assert.deepInclude(yield* metadata(note, sdk), { note: "hello" })
        assert.deepInclude(yield* metadata({ "langfuse.observation.metadata": "[7,{\"a\":1}]" }, sdk), {
          0: 7,
          "1.a": 1
        })
      })
    )

    test(
      "attributes without a place are kept as text, except those of the official SDKs",
      Effect.gen(function*() {
        const found = yield* metadata({ foo: 1, "a.b": true, "langfuse.observation.input": "in" })
        assert.deepInclude(found, { "attributes.foo": 1, "attributes.a.b": true })
        assert.notProperty(found, "attributes.langfuse.observation.input")
        assert.deepStrictEqual(yield* lossReasons, [])
        for (const name of ["langfuse-sdk", "langfuse-sdk-js"]) {
          assert.notProperty(yield* metadata({ foo: 1 }, { scope: { name } }), "attributes.foo")
          assert.lengthOf(yield* lossReasons, 1)
        }
      })
    )

    test(
      "resource and scope are there, and the user's own keys win over them",
      Effect.gen(function*() {
        const group = {
          resource: { "service.name": "shop" },
          scope: { name: "lib", version: "2", attributes: attributes({ k: "v" }) }
        }
        assert.deepInclude(yield* metadata({}, group), {
          "resourceAttributes.service.name": "shop",
          "scope.name": "lib",
          "scope.version": 2,
          "scope.attributes.k": "v"
        })
        const own = yield* metadata({ "langfuse.observation.metadata.scope": "mine" }, group)
        assert.deepInclude(own, { scope: "mine", "resourceAttributes.service.name": "shop" })
        assert.notProperty(own, "scope.name")
      })
    )

    test(
      "definitions of tools move into the input",
      Effect.gen(function*() {
        const row = yield* stored({
          "gen_ai.tool.definitions": "[{\"name\":\"search\"}]",
          "gen_ai.input.messages": "[{\"role\":\"user\"}]"
        })
        assert.deepStrictEqual(row.input, { messages: [{ role: "user" }], tools: [{ name: "search" }] })
        assert.notProperty(row.metadata, "attributes.gen_ai.tool.definitions")
      })
    )

    const json = FastCheck.dictionary(
      FastCheck.string({ minLength: 1 }).filter((key) => !key.includes(".")),
      FastCheck.oneof(
        FastCheck.string(),
        FastCheck.integer(),
        FastCheck.boolean(),
        FastCheck.constant(null),
        FastCheck.array(FastCheck.integer())
      ),
      { noNullPrototype: true }
    )

    it.prop("flat metadata has the same leaves as the nested one it came from", [json], ([leaves]) => {
      const flat = Content.flatten({ ...leaves, nested: leaves })
      assert.sameMembers(
        Object.keys(flat),
        [
          ...new Set([
            ...Object.keys(leaves).filter((key) => key !== "nested"),
            ...Object.keys(leaves).map((key) => `nested.${key}`)
          ])
        ]
      )
      for (const text of Object.values(flat)) assert.isString(text)
      assert.deepStrictEqual(flattenMetadata(flattenMetadata({ nested: leaves })), flattenMetadata({ nested: leaves }))
    })
  })

  describe("the conventions for generative AI", () => {
    mapping("a chat is a generation with model, parameters and usage", {
      "gen_ai.operation.name": "chat",
      "gen_ai.request.model": "asked",
      "gen_ai.response.model": "answered",
      "gen_ai.request.temperature": 0.5,
      "gen_ai.request.stop_sequences": ["a"],
      "gen_ai.usage.input_tokens": 10,
      "gen_ai.usage.output_tokens": 5
    }, {
      type: "GENERATION",
      model: "answered",
      modelParameters: { temperature: 0.5, stop_sequences: "[\"a\"]" },
      usageDetails: { input: 10, output: 5, total: 15 }
    })

    test(
      "operations and kinds say the type",
      Effect.gen(function*() {
        const cases: ReadonlyArray<readonly [{ readonly [key: string]: unknown }, string]> = [
          [{ "gen_ai.operation.name": "text_completion" }, "GENERATION"],
          [{ "gen_ai.operation.name": "embeddings" }, "EMBEDDING"],
          [{ "gen_ai.operation.name": "invoke_agent" }, "AGENT"],
          [{ "gen_ai.operation.name": "execute_tool" }, "TOOL"],
          [{ "gen_ai.operation.name": "else" }, "SPAN"],
          [{ "openinference.span.kind": "LLM" }, "GENERATION"],
          [{ "openinference.span.kind": "RETRIEVER" }, "RETRIEVER"],
          [{ "gen_ai.tool.call.id": "c" }, "TOOL"],
          [{ "gen_ai.request.model": "m" }, "GENERATION"],
          [{ "langfuse.observation.type": "span", "gen_ai.request.model": "m" }, "SPAN"]
        ]
        for (const [values, type] of cases) {
          assert.strictEqual((yield* stored(values)).type, type, JSON.stringify(values))
        }
      })
    )

    mapping("the name of a tool is the name of the span", { "gen_ai.tool.name": "search" }, {
      name: "search",
      type: "TOOL"
    })

    mapping("an agent has neither model nor usage nor cost, even if it says so", {
      "gen_ai.operation.name": "invoke_agent",
      "langfuse.observation.model.name": "m",
      "langfuse.observation.usage_details": "{\"input\":1}",
      "langfuse.observation.cost_details": "{\"total\":1}"
    }, { type: "AGENT", model: undefined, usageDetails: {}, costDetails: {}, totalCost: undefined })

    mapping("caches and reasoning are taken out of the totals that include them", {
      "gen_ai.usage.input_tokens": 100,
      "gen_ai.usage.output_tokens": 50,
      "gen_ai.usage.cache_read.input_tokens": 30,
      "gen_ai.usage.cache_creation.input_tokens": 20,
      "gen_ai.usage.reasoning.output_tokens": 60,
      "gen_ai.usage.details.other": 4,
      "gen_ai.usage.text": "none",
      "gen_ai.usage.cost": 0.5
    }, {
      usageDetails: {
        input: 50,
        output: 0,
        input_cached_tokens: 30,
        input_cache_creation: 20,
        output_reasoning_tokens: 60,
        other: 4,
        total: 164
      },
      costDetails: { total: 0.5 },
      totalCost: 0.5
    })

    mapping("messages get the system's instructions in front", {
      "gen_ai.input.messages": "[{\"role\":\"user\",\"content\":\"hi\"}]",
      "gen_ai.system_instructions": "be kind",
      "gen_ai.output.messages": "[{\"role\":\"assistant\"}]"
    }, {
      input: [{ role: "system", content: "be kind" }, { role: "user", content: "hi" }],
      output: [{ role: "assistant" }]
    })

    mapping("unless there is a system message", {
      "gen_ai.input.messages": "[{\"role\":\"system\",\"content\":\"own\"}]",
      "gen_ai.system_instructions": "be kind"
    }, { input: [{ role: "system", content: "own" }] })

    mapping("flat prompts are put together", {
      "gen_ai.prompt.1.content": "b",
      "gen_ai.prompt.0.role": "user",
      "gen_ai.prompt.0.content": "a",
      "gen_ai.completion.0.tool_calls.0.name": "search"
    }, {
      input: [{ role: "user", content: "a" }, { content: "b" }],
      output: [{ tool_calls: [{ name: "search" }] }]
    })

    mapping("events can be the messages", {}, {
      input: [{ role: "system", content: "be kind" }, { role: "user", content: "hi" }],
      output: { message: "hello" }
    }, {
      span: {
        events: [
          { name: "gen_ai.system.message", attributes: attributes({ content: "be kind" }) },
          { name: "gen_ai.user.message", attributes: attributes({ content: "hi" }) },
          { name: "gen_ai.choice", attributes: attributes({ message: "hello" }) }
        ]
      }
    })

    mapping("exceptions are no part of what is stored", {}, {
      level: "DEFAULT",
      statusMessage: undefined,
      input: undefined,
      output: undefined
    }, {
      span: { events: [{ name: "exception", attributes: attributes({ "exception.message": "boom" }) }] }
    })

    mapping("the call of a tool has arguments and a result", {
      "gen_ai.tool.name": "search",
      "gen_ai.tool.call.arguments": "{\"q\":1}",
      "gen_ai.tool.call.result": "found"
    }, { type: "TOOL", input: { q: 1 }, output: "found" })

    mapping("other conventions are understood as well", { "input.value": "in", "output.value": "out" }, {
      input: "in",
      output: "out"
    })
  })

  describe("rows of v4", () => {
    test(
      "a span sent again with the same start replaces every field",
      Effect.gen(function*() {
        yield* send(span({ "langfuse.observation.input": "in", "langfuse.user.id": "u" }))
        yield* send(span({ "langfuse.observation.output": "out" }))
        assert.deepInclude(yield* onlyObservation, { input: undefined, output: "out", userId: undefined })
      })
    )

    test(
      "with another start it is a second row",
      Effect.gen(function*() {
        yield* send(span())
        yield* send(span({}, { startTimeUnixNano: second(1, 1_000_000) }))
        assert.deepStrictEqual((yield* observations).map(({ id }) => id), ["b7ad6b7169203331", "b7ad6b7169203331"])
      })
    )

    test(
      "a trace is what its spans say, the latest having the last word",
      Effect.gen(function*() {
        yield* send(
          span({
            "langfuse.observation.input": "question",
            "langfuse.observation.output": "answer",
            "langfuse.observation.metadata.k": "root",
            "langfuse.trace.tags": ["a"],
            "langfuse.user.id": "first",
            "langfuse.session.id": "s",
            "langfuse.trace.public": true,
            "langfuse.observation.cost_details": "{\"total\":1}"
          }),
          child({
            "langfuse.observation.input": "ignored",
            "langfuse.trace.tags": ["b"],
            "langfuse.user.id": "second",
            "langfuse.observation.cost_details": "{\"total\":0.5}"
          }, { startTimeUnixNano: second(0) })
        )
        assert.deepInclude(yield* onlyTrace, {
          id: traceId,
          name: "work",
          input: "question",
          output: "answer",
          tags: ["b"],
          userId: "second",
          sessionId: "s",
          public: true,
          timestamp: iso(0),
          totalCost: 1.5
        })
        assert.strictEqual((yield* onlyTrace).metadata["k"], "root")
      })
    )

    test(
      "the name is that of the trace, else of a root or an app root",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* send(child({ "langfuse.internal.is_app_root": "true" }, { name: "app" }))
        assert.deepInclude(yield* onlyTrace, { name: "app", input: undefined })
        yield* send(span({ "langfuse.trace.name": "chat" }))
        assert.strictEqual((yield* onlyTrace).name, "chat")
        yield* server.reset
        yield* send(child({}, { name: "alone" }))
        assert.isUndefined((yield* onlyTrace).name)
      })
    )

    test(
      "the input of the trace on a child is ignored",
      Effect.gen(function*() {
        yield* send(span(), child({ "langfuse.trace.input": "ignored" }))
        assert.isUndefined((yield* onlyTrace).input)
        assert.lengthOf(yield* lossReasons, 1)
      })
    )
  })

  describe("the older way", () => {
    const v3: Options = { version: "3.120.0" }

    testWith(
      v3,
      "a v3 server makes a trace and an observation of a span, whatever the header says",
      Effect.gen(function*() {
        for (const version of ["4", "9"]) {
          const server = yield* LangfuseServer
          yield* server.reset
          yield* sendTo({ "x-langfuse-ingestion-version": version })(span({
            "langfuse.observation.type": "generation",
            "langfuse.observation.model.name": "m",
            "langfuse.observation.usage_details": "{\"input\":1}",
            "langfuse.observation.input": "in",
            "langfuse.user.id": "u",
            "langfuse.trace.tags": ["b", "a"]
          }))
          const trace = yield* onlyTrace
          assert.deepInclude(trace, { id: traceId, name: "work", userId: "u", tags: ["a", "b"], input: "in" })
          assert.deepInclude(only(trace.observations), {
            table: "observations",
            type: "GENERATION",
            model: "m",
            usageDetails: { input: 1, total: 1 },
            startTime: iso(1),
            endTime: iso(2)
          })
        }
      })
    )

    testWith(
      v3,
      "later spans add to what is there",
      Effect.gen(function*() {
        yield* send(span({ "langfuse.observation.input": "in", "langfuse.trace.tags": ["a"] }))
        yield* send(span({ "langfuse.observation.output": "out" }))
        yield* send(child({ "langfuse.trace.tags": ["b"] }))
        const trace = yield* onlyTrace
        assert.deepStrictEqual(trace.tags, ["a", "b"])
        assert.deepInclude(trace.observations[0], { input: "in", output: "out" })
      })
    )

    testWith(
      v3,
      "the input of the trace can come from any span",
      Effect.gen(function*() {
        yield* send(
          span({ "langfuse.observation.input": "observation" }),
          child({ "langfuse.trace.input": "trace" }, { startTimeUnixNano: second(1, 5_000_000) })
        )
        assert.deepInclude(yield* onlyTrace, { input: "trace", name: "work" })
      })
    )

    testWith(
      v3,
      "a trace is known from its first span on, and from one that is treated as a root",
      Effect.gen(function*() {
        yield* send(child())
        assert.deepInclude(yield* onlyTrace, { id: traceId, name: undefined })
        yield* send(child({ "langfuse.internal.as_root": true }, { name: "rooted" }))
        assert.deepInclude(yield* onlyTrace, { name: "rooted" })
      })
    )

    testWith(
      v3,
      "spans and events lose their model, events their end",
      Effect.gen(function*() {
        yield* send(
          span({ "langfuse.observation.type": "span", "langfuse.observation.model.name": "m" }),
          child({ "langfuse.observation.type": "event", "langfuse.observation.usage_details": "{\"input\":1}" })
        )
        const rows = yield* observations
        assert.deepStrictEqual(
          rows.map(({ endTime, model, type, usageDetails }) => [type, model, endTime, usageDetails]),
          [
            ["SPAN", undefined, iso(2), {}],
            ["EVENT", undefined, undefined, {}]
          ]
        )
      })
    )

    testWith(
      v3,
      "what does not pass the check of the batch endpoint is gone without a word",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        const generation = { "langfuse.observation.type": "generation" }
        for (
          const bad of [
            { "langfuse.observation.prompt.name": "p", "langfuse.observation.prompt.version": "3" },
            { "langfuse.observation.prompt.name": "p" },
            { "langfuse.observation.status_message": 5 },
            { "langfuse.observation.completion_start_time": "Thu Jan 01 2026" }
          ]
        ) {
          yield* server.reset
          yield* send(span({ ...generation, ...bad }))
          assert.deepStrictEqual(yield* observations, [])
          assert.lengthOf(yield* server.traces, 1)
          assert.lengthOf(yield* lossReasons, 1)
        }
        yield* server.reset
        yield* send(span({ "langfuse.trace.name": "x".repeat(1001) }))
        assert.deepStrictEqual(yield* server.traces, [])
        assert.lengthOf(yield* observations, 1)
      })
    )

    testWith(
      v3,
      "the server's own metadata wins over the user's, and traces get that of the resource",
      Effect.gen(function*() {
        yield* sendTo({}, { resource: { "langfuse.trace.metadata.team": "red" }, scope: { name: "lib" } })(
          span({
            "langfuse.observation.metadata.scope": "mine",
            "langfuse.observation.metadata.k": { stringValue: "v" }
          })
        )
        const { metadata } = yield* onlyObservation
        assert.deepInclude(metadata, { k: "v", scope: { name: "lib", attributes: {} } })
        assert.deepInclude((yield* onlyTrace).metadata, { team: "red" })
      })
    )

    testWith(
      { writeMode: "legacy" },
      "a v4 server in the mode legacy does the same",
      Effect.gen(function*() {
        yield* send(span())
        assert.strictEqual((yield* onlyObservation).table, "observations")
        const reply = yield* exportSpans(exportOf([span()]), { "x-langfuse-ingestion-version": "5" })
        assert.strictEqual(reply.status, 400)
      })
    )
  })

  describe("dual", () => {
    const dual: Options = { writeMode: "dual" }

    testWith(
      dual,
      "a span is written to both kinds of tables, whatever version its client asks for",
      Effect.gen(function*() {
        for (const version of ["", "3", "4"]) {
          const server = yield* LangfuseServer
          yield* server.reset
          yield* sendTo({ "x-langfuse-ingestion-version": version })(span())
          assert.deepStrictEqual(
            (yield* observations).map(({ id, parentObservationId, table }) => [id, parentObservationId, table]),
            [["b7ad6b7169203331", undefined, "observations"], ["b7ad6b7169203331", undefined, "events"]]
          )
        }
      })
    )

    testWith(
      dual,
      "a trace is read from the older tables until the newer ones are all there is",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* send(span({ "langfuse.trace.input": "older" }))
        assert.strictEqual((yield* onlyTrace).input, "older")
        assert.deepInclude(only((yield* onlyTrace).observations), { table: "observations" })
        yield* server.setWriteMode("events_only")
        assert.deepInclude(only((yield* onlyTrace).observations), { table: "events" })
      })
    )
  })

  describe("protobuf", () => {
    // The wire format by hand: a tag, then a varint, eight bytes, or a length and that many bytes.
    const varint = (value: number): Array<number> =>
      value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
    const int = (field: number, value: number) => [...varint(field * 8), ...varint(value)]
    const bytes = (field: number, content: ReadonlyArray<number>) => [
      ...varint(field * 8 + 2),
      ...varint(content.length),
      ...content
    ]
    const text = (field: number, value: string) => bytes(field, [...Buffer.from(value)])
    const fixed64 = (field: number, value: bigint) => {
      const buffer = Buffer.alloc(8)
      buffer.writeBigUInt64LE(value)
      return [...varint(field * 8 + 1), ...buffer]
    }
    const double = (field: number, value: number) => {
      const buffer = Buffer.alloc(8)
      buffer.writeDoubleLE(value)
      return [...varint(field * 8 + 1), ...buffer]
    }
    const attribute = (key: string, value: ReadonlyArray<number>) => bytes(9, [...text(1, key), ...bytes(2, value)])

    const protobufSpan = (...more: ReadonlyArray<ReadonlyArray<number>>) => [
      ...bytes(1, [...Buffer.from(traceId, "hex")]),
      ...bytes(2, [...Buffer.from("b7ad6b7169203331", "hex")]),
      ...text(5, "work"),
      ...int(6, 1),
      ...fixed64(7, BigInt(second(1, 1_999_999))),
      ...fixed64(8, BigInt(second(2))),
      ...more.flat()
    ]

    const body = (...spans: ReadonlyArray<ReadonlyArray<number>>) =>
      new Uint8Array(bytes(1, [
        ...bytes(1, bytes(1, [...text(1, "service.name"), ...bytes(2, text(1, "shop"))])),
        ...bytes(2, [...bytes(1, text(1, "lib")), ...spans.flatMap((span) => bytes(2, span))])
      ]))

    const sendBytes = (content: Uint8Array, headers: { readonly [name: string]: string } = {}) =>
      exportSpans(content, { "content-type": "application/x-protobuf", ...headers })

    test(
      "a span arrives as it does in JSON, with its ids in hex",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        const content = body(protobufSpan(
          attribute("langfuse.observation.type", text(1, "generation")),
          attribute("langfuse.observation.metadata.yes", int(2, 1)),
          attribute("langfuse.observation.metadata.count", int(3, 300)),
          attribute("langfuse.observation.metadata.half", double(4, 0.5)),
          attribute("langfuse.trace.tags", bytes(5, [...bytes(1, text(1, "a")), ...bytes(1, text(1, "b"))])),
          bytes(15, [...text(2, "boom"), ...int(3, 2)])
        ))
        const reply = yield* sendBytes(content)
        assert.strictEqual(reply.status, 200)
        assert.match(reply.headers.get("content-type") ?? "", /^application\/json/)
        const row = yield* onlyObservation
        assert.deepInclude(row, {
          traceId,
          id: "b7ad6b7169203331",
          parentObservationId: undefined,
          type: "GENERATION",
          name: "work",
          startTime: iso(1, 1),
          endTime: iso(2),
          level: "ERROR",
          statusMessage: "boom",
          tags: ["a", "b"]
        })
        assert.deepInclude(row.metadata, {
          yes: true,
          count: 300,
          half: 0.5,
          "resourceAttributes.service.name": "shop",
          "scope.name": "lib"
        })
        const [recorded] = yield* server.requests
        assert.deepInclude(recorded, { ids: ["b7ad6b7169203331"], bytes: content.length })
        const zipped = yield* sendBytes(new Uint8Array(gzipSync(content)), { "content-encoding": "gzip" })
        assert.strictEqual(zipped.status, 200)
      })
    )

    test(
      "an empty list, and a map, are stored as the text of their wrappers",
      Effect.gen(function*() {
        yield* sendBytes(body(protobufSpan(
          attribute("langfuse.trace.tags", bytes(5, [])),
          attribute("langfuse.observation.input", bytes(6, bytes(1, [...text(1, "a"), ...bytes(2, text(1, "b"))]))),
          attribute("langfuse.observation.output", bytes(7, [0, 255]))
        )))
        const row = yield* onlyObservation
        assert.deepStrictEqual(row.tags, ["{\"arrayValue\":{}}"])
        assert.deepStrictEqual(row.input, { kvlistValue: { values: [{ key: "a", value: { stringValue: "b" } }] } })
        assert.deepStrictEqual(row.output, { bytesValue: { type: "Buffer", data: [0, 255] } })
        assert.lengthOf(yield* lossReasons, 3)
      })
    )

    test(
      "a span without an id refuses the export, a body that is no protobuf too",
      Effect.gen(function*() {
        const reply = yield* sendBytes(body(protobufSpan(), text(5, "no ids")))
        assert.strictEqual(reply.status, 400)
        assert.include(messageOf(reply).error, "1 of 2 span(s) cannot be processed (traceId:absent, spanId:absent)")
        assert.strictEqual((yield* sendBytes(new Uint8Array([10, 255]))).status, 400)
        assert.deepStrictEqual(yield* observations, [])
        const empty = yield* sendBytes(new Uint8Array())
        assert.deepStrictEqual([empty.status, empty.json], [200, {}])
      })
    )

    test(
      "an attribute without a value loses the export",
      Effect.gen(function*() {
        const reply = yield* sendBytes(body(protobufSpan(bytes(9, text(1, "empty")))))
        assert.strictEqual(reply.status, 200)
        assert.deepStrictEqual(yield* observations, [])
      })
    )
  })

  test(
    "what the official SDK sends arrives whole",
    Effect.gen(function*() {
      const server = yield* LangfuseServer
      const provider = new BasicTracerProvider({
        spanProcessors: [
          new LangfuseSpanProcessor({
            publicKey: server.publicKey,
            secretKey: Redacted.value(server.secretKey),
            baseUrl: server.url,
            environment: "staging",
            release: "r1"
          })
        ]
      })
      setLangfuseTracerProvider(provider)
      yield* Effect.promise(async () => {
        const root = startObservation("agent", { input: { question: 1 }, metadata: { plan: "pro" } }, {
          asType: "agent"
        })
        root.startObservation("answer", {
          model: "gpt",
          modelParameters: { temperature: 0.5 },
          input: [{ role: "user", content: "hi" }],
          output: "hello",
          usageDetails: { input: 10, output: 5 },
          costDetails: { total: 0.5 },
          level: "WARNING",
          statusMessage: "slow",
          prompt: { name: "greeting", version: 3, isFallback: false },
          completionStartTime: new Date(iso(1)),
          metadata: { deep: { a: [1] } }
        }, { asType: "generation" }).end()
        root.update({ output: "done" }).end()
        await provider.forceFlush()
        await provider.shutdown()
      }).pipe(Effect.ensuring(Effect.sync(() => setLangfuseTracerProvider(null))))
      const trace = yield* onlyTrace
      assert.deepInclude(trace, {
        name: "agent",
        input: { question: 1 },
        output: "done",
        environment: "staging",
        release: "r1",
        totalCost: 0.5
      })
      // Both may begin in the same millisecond, so their order says nothing.
      const named = (name: string) => trace.observations.find((each) => each.name === name)
      const root = named("agent")
      const generation = named("answer")
      assert.deepInclude(root, { type: "AGENT", isAppRoot: true, parentObservationId: undefined })
      assert.strictEqual(root?.metadata["plan"], "pro")
      assert.deepInclude(generation, {
        type: "GENERATION",
        parentObservationId: root?.id,
        model: "gpt",
        modelParameters: { temperature: 0.5 },
        input: [{ role: "user", content: "hi" }],
        output: "hello",
        usageDetails: { input: 10, output: 5, total: 15 },
        level: "WARNING",
        statusMessage: "slow",
        promptName: "greeting",
        promptVersion: 3,
        completionStartTime: iso(1)
      })
      assert.deepStrictEqual(generation?.metadata["deep"], { a: [1] }, "a value of its own key stays one text")
      assert.deepStrictEqual(yield* lossReasons, [])
    })
  )
})
