import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Encode from "../../src/internal/otlp/encode.js"
import type { Facts, ObservationFacts, TraceFacts } from "../../src/internal/otlp/facts.js"
import * as Merge from "../../src/internal/otlp/merge.js"
import { version } from "../../src/internal/version.js"
import type { Span } from "../utils/otlp.js"
import { event, locate, nanos, readSpan, spanIdFor, time, traceIdFor } from "../utils/otlp.js"

const traceId = "0123456789abcdef0123456789abcdef"
const spanId = "0123456789abcdef"

const merged = <A extends Facts>(facts: ReadonlyArray<Facts>) => facts as unknown as readonly [A, ...Array<A>]

const traceOf = (body: object) =>
  Merge.trace(undefined, merged<TraceFacts>([locate(event("trace-create", { id: traceId, ...body }))])).subject

const encode = (
  body: object,
  options: {
    readonly type?: string
    readonly trace?: object
    readonly context?: object
    readonly placement?: Partial<Encode.Placement>
  } = {}
): Span => {
  const facts = locate(event(
    options.type ?? "generation-create",
    { id: spanId, traceId, startTime: time(0), ...body },
    options.context && { trace: options.context }
  ))
  const { subject } = Merge.observation(undefined, merged<ObservationFacts>([facts]))
  return readSpan(JSON.parse(Encode.observationSpan(subject, {
    trace: options.trace && traceOf(options.trace),
    rootId: undefined,
    takesContent: false,
    unfinished: undefined,
    ...options.placement
  })))
}

const encodeTrace = (body: object): Span => readSpan(JSON.parse(Encode.traceSpan(traceOf(body))))

describe("encode", () => {
  it("an observation of nothing but its ids", () => {
    assert.deepStrictEqual(encode({}, { type: "span-create" }), {
      traceId,
      spanId,
      kind: 1,
      startTimeUnixNano: nanos(0),
      endTimeUnixNano: nanos(0),
      attributes: { "langfuse.observation.type": "span" }
    })
  })

  it("everything a generation can say", () => {
    const span = encode({
      parentObservationId: "fedcba9876543210",
      name: "answer",
      endTime: time(20),
      completionStartTime: time(7),
      level: "WARNING",
      statusMessage: "slow",
      version: "v2",
      environment: "prod",
      model: "gpt-4.1",
      modelParameters: { temperature: 0.5, stop: ["a"], top_k: null, format: { type: "json" } },
      usageDetails: { input: 3, output: 4 },
      costDetails: { input: 0.5, output: 0.25 },
      promptName: "summarise",
      promptVersion: 3,
      input: [{ role: "user", content: "Why?" }],
      output: "Because.",
      metadata: { text: "plain", number: 1, nested: { a: [1] }, nothing: null, empty: "" }
    })
    assert.deepStrictEqual(span, {
      traceId,
      spanId,
      parentSpanId: "fedcba9876543210",
      name: "answer",
      kind: 1,
      startTimeUnixNano: nanos(0),
      endTimeUnixNano: nanos(20),
      attributes: {
        "langfuse.observation.type": "generation",
        "langfuse.observation.level": "WARNING",
        "langfuse.observation.status_message": "slow",
        "langfuse.observation.input": "[{\"role\":\"user\",\"content\":\"Why?\"}]",
        "langfuse.observation.output": "Because.",
        "langfuse.observation.model.name": "gpt-4.1",
        "langfuse.observation.model.parameters":
          "{\"temperature\":0.5,\"stop\":[\"a\"],\"format\":{\"type\":\"json\"}}",
        "langfuse.observation.usage_details": "{\"input\":3,\"output\":4,\"total\":7}",
        "langfuse.observation.cost_details": "{\"input\":0.5,\"output\":0.25,\"total\":0.75}",
        "langfuse.observation.completion_start_time": time(7),
        "langfuse.observation.prompt.name": "summarise",
        "langfuse.observation.prompt.version": 3,
        "langfuse.observation.metadata.text": "plain",
        "langfuse.observation.metadata.number": "1",
        "langfuse.observation.metadata.nested": "{\"a\":[1]}",
        "langfuse.observation.metadata.nothing": "null",
        "langfuse.observation.metadata.empty": "",
        "langfuse.environment": "prod",
        "langfuse.version": "v2"
      }
    })
  })

  it.prop(
    "a total is added to the buckets that are there, in their order",
    {
      usageDetails: FastCheck.dictionary(
        FastCheck.oneof(FastCheck.constantFrom("input", "total", "10", "__proto__"), FastCheck.string()),
        FastCheck.nat(1000)
      )
    },
    ({ usageDetails }) => {
      const written = encode({ usageDetails }).attributes["langfuse.observation.usage_details"]
      const total = Object.values(usageDetails).reduce((sum, count) => sum + count, 0)
      const isEmpty = Object.keys(usageDetails).length === 0
      assert.strictEqual(
        written,
        isEmpty
          ? undefined
          : JSON.stringify(Object.hasOwn(usageDetails, "total") ? usageDetails : { ...usageDetails, total })
      )
    }
  )

  it("every type in lower case", () => {
    const types = [
      "span",
      "generation",
      "event",
      "agent",
      "tool",
      "chain",
      "retriever",
      "evaluator",
      "embedding",
      "guardrail"
    ]
    for (const type of types) {
      assert.strictEqual(encode({}, { type: `${type}-create` }).attributes["langfuse.observation.type"], type)
    }
  })

  it("texts as they are, everything else as JSON", () => {
    const input = (value: unknown) => encode({ input: value }).attributes["langfuse.observation.input"]
    assert.strictEqual(input("a \"quoted\"\nline 🦜 \ud800"), "a \"quoted\"\nline 🦜 \ufffd")
    assert.strictEqual(input("{\"json\":1}"), "{\"json\":1}")
    assert.strictEqual(input({ json: 1 }), "{\"json\":1}")
    assert.strictEqual(input(7), "7")
    assert.strictEqual(input([]), "[]")
  })

  it("an error has a status too, and nothing else has", () => {
    assert.deepStrictEqual(encode({ level: "ERROR", statusMessage: "broke" }).status, { code: 2, message: "broke" })
    assert.deepStrictEqual(encode({ level: "ERROR" }).status, { code: 2 })
    assert.notProperty(encode({ level: "WARNING", statusMessage: "slow" }), "status")
  })

  it("leaves out what is empty or was cleared", () => {
    const span = encode({
      name: null,
      level: null,
      model: "",
      statusMessage: "",
      metadata: {},
      modelParameters: { top_k: null },
      usageDetails: { input: -1 },
      costDetails: {},
      output: 0
    }, { trace: { tags: [], userId: "", name: null, public: false, metadata: {} } })
    assert.deepStrictEqual(span.attributes, { "langfuse.observation.type": "generation" })
    assert.notProperty(span, "name")
  })

  it("an end before the start is the start", () => {
    assert.strictEqual(encode({ endTime: time(-5) }).endTimeUnixNano, nanos(0))
  })

  it("times keep the digits they were given", () => {
    const span = encode({ startTime: "2026-11-23T12:00:00.000000001Z", endTime: "2026-11-23T12:00:00.123456789Z" })
    assert.strictEqual(span.startTimeUnixNano, String(BigInt(nanos(0)) + 1n))
    assert.strictEqual(span.endTimeUnixNano, String(BigInt(nanos(0)) + 123456789n))
  })

  it("ids that had to be changed are in the metadata, unless it has such keys of its own", () => {
    const span = encode({
      id: "My Span",
      traceId: "my-trace",
      parentObservationId: "UP",
      metadata: { originalId: "mine" }
    })
    assert.deepInclude(span, {
      traceId: traceIdFor("my-trace"),
      spanId: spanIdFor("My Span"),
      parentSpanId: spanIdFor("UP")
    })
    assert.deepInclude(span.attributes, {
      "langfuse.observation.metadata.originalId": "mine",
      "langfuse.observation.metadata.originalTraceId": "my-trace",
      "langfuse.observation.metadata.originalParentObservationId": "UP"
    })
  })

  describe("trace", () => {
    const trace = {
      name: "session",
      userId: "ada",
      sessionId: "s1",
      tags: ["b", "a"],
      metadata: { tenant: "t", plan: { tier: 1 } },
      release: "r1",
      version: "v1",
      environment: "prod",
      public: true
    }

    const attributes = {
      "langfuse.trace.name": "session",
      "user.id": "ada",
      "session.id": "s1",
      "langfuse.trace.tags": ["a", "b"],
      "langfuse.trace.metadata.tenant": "t",
      "langfuse.trace.metadata.plan": "{\"tier\":1}",
      "langfuse.release": "r1",
      "langfuse.version": "v1",
      "langfuse.environment": "prod",
      "langfuse.trace.public": true
    }

    it("what trace-creates say is on the span", () => {
      assert.deepInclude(encode({ parentObservationId: "fedcba9876543210" }, { trace }).attributes, attributes)
    })

    it("what the event itself knows of the trace counts more, field by field", () => {
      const context = { userId: "bob", tags: ["c"], metadata: { own: 1 }, isAppRoot: true, public: false }
      const span = encode({}, { trace, context })
      assert.deepInclude(span.attributes, {
        "user.id": "bob",
        "session.id": "s1",
        "langfuse.trace.tags": ["c"],
        "langfuse.trace.metadata.own": "1",
        "langfuse.internal.is_app_root": true
      })
      assert.notProperty(span.attributes, "langfuse.trace.metadata.tenant")
      assert.notProperty(span.attributes, "langfuse.trace.public")
    })

    it("version and environment of the observation count more than those of the trace", () => {
      const span = encode({ version: "v9", environment: "dev" }, {
        trace,
        context: { environment: "stage", version: "v5" }
      })
      assert.deepInclude(span.attributes, {
        "langfuse.version": "v9",
        "langfuse.environment": "dev",
        "langfuse.release": "r1"
      })
    })

    it("metadata of the observation is not overwritten by that of the trace", () => {
      const span = encode({ metadata: { tenant: "own" } }, { trace })
      assert.strictEqual(span.attributes["langfuse.observation.metadata.tenant"], "own")
      assert.notProperty(span.attributes, "langfuse.trace.metadata.tenant")
      assert.property(span.attributes, "langfuse.trace.metadata.plan")
    })

    it("the root takes input and output of the trace where it has none", () => {
      const takesContent = { placement: { takesContent: true }, trace: { input: "q", output: { a: 1 } } }
      assert.deepInclude(encode({}, takesContent).attributes, {
        "langfuse.observation.input": "q",
        "langfuse.observation.output": "{\"a\":1}"
      })
      const other = encode({}, { trace: { input: "q" } })
      assert.notProperty(other.attributes, "langfuse.observation.input")
    })

    it("a root shows what its own event says of the trace's input, or tells it beside its own", () => {
      const context = { input: "q", output: "a" }
      assert.deepInclude(encode({}, { context }).attributes, {
        "langfuse.observation.input": "q",
        "langfuse.observation.output": "a"
      })
      const own = encode({ input: "mine", output: "a" }, { context }).attributes
      assert.deepInclude(own, { "langfuse.observation.input": "mine", "langfuse.trace.input": "q" })
      assert.notProperty(own, "langfuse.trace.output")
      const child = encode({ parentObservationId: "fedcba9876543210" }, { context }).attributes
      assert.notProperty(child, "langfuse.trace.input")
      assert.notProperty(child, "langfuse.observation.input")
    })

    it("can be a span of its own, which starts when the trace did", () => {
      const span = encodeTrace({ ...trace, timestamp: time(3), input: "q", output: "a" })
      assert.deepStrictEqual(span, {
        traceId,
        spanId: spanIdFor(`root of ${traceId}`),
        name: "session",
        kind: 1,
        startTimeUnixNano: nanos(3),
        endTimeUnixNano: nanos(3),
        attributes: {
          "langfuse.observation.type": "span",
          "langfuse.observation.input": "q",
          "langfuse.observation.output": "a",
          ...attributes
        }
      })
      assert.strictEqual(encodeTrace({}).name, "trace")
      assert.strictEqual(
        encodeTrace({ id: "mine" }).attributes["langfuse.observation.metadata.originalTraceId"],
        "mine"
      )
    })
  })

  describe("unfinished", () => {
    const unfinished = (body: object) => encode(body, { placement: { unfinished: "never ended" } })

    it("is a warning that says so", () => {
      assert.deepInclude(unfinished({}).attributes, {
        "langfuse.observation.level": "WARNING",
        "langfuse.observation.status_message": "never ended"
      })
    })

    it("stays an error, and keeps its own message", () => {
      const span = unfinished({ level: "ERROR", statusMessage: "broke" })
      assert.deepInclude(span.attributes, {
        "langfuse.observation.level": "ERROR",
        "langfuse.observation.status_message": "broke (never ended)"
      })
      assert.strictEqual(span.status?.message, "broke (never ended)")
    })

    it("ends where it starts", () => {
      assert.strictEqual(unfinished({}).endTimeUnixNano, nanos(0))
    })
  })

  it("names the SDK, under a scope whose attributes the server does not copy into the metadata", () => {
    const [resource] = JSON.parse(Encode.frame.join("")).resourceSpans
    assert.deepStrictEqual(resource, {
      resource: {
        attributes: [
          { key: "telemetry.sdk.name", value: { stringValue: "effect-langfuse" } },
          { key: "telemetry.sdk.language", value: { stringValue: "javascript" } },
          { key: "telemetry.sdk.version", value: { stringValue: version } }
        ]
      },
      scopeSpans: [{ scope: { name: "langfuse-sdk-effect", version }, spans: [] }]
    })
  })
})
