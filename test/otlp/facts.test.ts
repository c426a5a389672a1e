import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import type { IngestionEvent } from "effect-langfuse"
import * as Facts from "../../src/internal/otlp/facts.js"
import { event, locate, spanIdFor, traceIdFor } from "../utils/otlp.js"

const refusal = (given: IngestionEvent.IngestionEvent): string | undefined => {
  const facts = locate(given)
  return facts._tag === "Refused" ? facts.issue : undefined
}

const observation = (body: object, type = "generation-create"): Facts.ObservationFacts => {
  const facts = locate(event(type, { id: "a", ...body }))
  if (facts._tag !== "Observation") return assert.fail(facts._tag === "Refused" ? facts.issue : facts._tag)
  return facts
}

const batchBody = (given: IngestionEvent.IngestionEvent): Record<string, unknown> => {
  const facts = locate(given)
  if (facts._tag !== "Batch") return assert.fail(facts._tag)
  return JSON.parse(facts.text).body
}

describe("facts", () => {
  describe("what is refused, in words that name fields and rules only", () => {
    const cases: ReadonlyArray<readonly [title: string, event: IngestionEvent.IngestionEvent, issue: RegExp]> = [
      ["an observation without an id", event("span-create", {}), /^body\.id: expected a text/],
      ["an empty id", event("span-create", { id: "" }), /^body\.id/],
      ["an id that is no text", event("span-create", { id: 7 }), /^body\.id/],
      ["a body that is no object", event("span-create", [1]), /^body\.id/],
      [
        "a timestamp without a zone",
        { ...event("span-create", { id: "a" }), timestamp: "2026-01-01T00:00:00" },
        /^timestamp/
      ],
      [
        "a time that is none",
        event("span-create", { id: "a", startTime: "noon" }),
        /^body\.startTime: expected a date/
      ],
      ["a name that is no text", event("span-create", { id: "a", name: {} }), /^body\.name: expected a text$/],
      ["a trace name of 1001 characters", event("trace-create", { id: "a", name: "x".repeat(1001) }), /at most 1000/],
      ["tags that are no list of texts", event("trace-create", { id: "a", tags: ["x", 1] }), /^body\.tags/],
      ["a level nobody knows", event("span-create", { id: "a", level: "SEVERE" }), /^body\.level/],
      ["a prompt without a version", event("generation-create", { id: "a", promptName: "p" }), /^body\.promptVersion/],
      [
        "a prompt version without a name",
        event("generation-update", { id: "a", promptVersion: 1 }),
        /^body\.promptName/
      ],
      ["half a token", event("generation-create", { id: "a", usage: { input: 1.5 } }), /^body\.usage\.input/],
      [
        "parameters that are no object",
        event("generation-create", { id: "a", modelParameters: [] }),
        /modelParameters/
      ],
      ["an empty trace id", event("span-create", { id: "a", traceId: "" }), /^body\.traceId/],
      ["a legacy observation of no type", event("observation-create", { id: "a" }), /^body\.type/],
      ["an event of a type nobody knows", event("trace-update", { id: "a" }), /^type/]
    ]
    for (const [title, given, issue] of cases) {
      it(title, () => assert.match(refusal(given) ?? "nothing", issue))
    }

    it("only the first three, and how many more", () => {
      const issue = refusal(
        event("span-create", { id: "a", name: 1, startTime: 1, endTime: 1, level: 1, version: "secret" })
      )
      assert.match(issue ?? "", /and 1 more$/)
      assert.notInclude(issue ?? "", "secret")
    })

    it("foreign ids where there is no WebCrypto, and only these", () => {
      const noDigests = () => undefined
      const at = (body: object) => Facts.read(event("span-create", body)).locate(noDigests)
      assert.strictEqual(
        at({ id: "0123456789abcdef", traceId: "0123456789abcdef0123456789abcdef" })._tag,
        "Observation"
      )
      const foreign = at({ id: "0123456789abcdef", traceId: "a" })
      assert.match(foreign._tag === "Refused" ? foreign.issue : "", /WebCrypto/)
      assert.strictEqual(Facts.read(event("trace-create", { id: "a" })).locate(noDigests)._tag, "Refused")
      const trace = Facts.read(event("trace-create", { id: "0123456789abcdef0000000000000000" })).locate(noDigests)
      assert.strictEqual(trace._tag === "Trace" ? trace.rootId : "", "0000000000000001")
      assert.strictEqual(
        Facts.read(event("score-create", { id: "s", name: "n", value: 1, traceId: "a" })).locate(noDigests)._tag,
        "Refused"
      )
    })
  })

  describe("what is taken although the batch endpoint would not", () => {
    it("a level in any case", () => {
      assert.strictEqual(observation({ level: " error" }).level, "ERROR")
    })

    it("model parameters of any depth", () => {
      const modelParameters = { response_format: { type: "json", schema: { a: [1] } } }
      assert.deepStrictEqual(observation({ modelParameters }).modelParameters, modelParameters)
    })
  })

  describe("fields", () => {
    it("each type has its own, and loses the others as on the batch endpoint", () => {
      const body = {
        endTime: "2026-01-01T00:00:01Z",
        model: "m",
        usageDetails: { input: 1 },
        promptName: "p",
        promptVersion: 2,
        environment: "prod",
        type: "EVENT"
      }
      const has = (type: string) => {
        const facts = observation(body, type)
        return {
          end: facts.endTime !== undefined,
          model: facts.model !== undefined,
          usage: facts.usage !== undefined,
          prompt: facts.promptName !== undefined,
          environment: facts.environment !== undefined
        }
      }
      assert.deepStrictEqual(has("event-create"), {
        end: false,
        model: false,
        usage: false,
        prompt: false,
        environment: true
      })
      assert.deepStrictEqual(has("span-update"), {
        end: true,
        model: false,
        usage: false,
        prompt: false,
        environment: true
      })
      for (const type of ["generation-create", "agent-create", "guardrail-create"]) {
        assert.isTrue(Object.values(has(type)).every(Boolean), type)
      }
      assert.deepStrictEqual(has("observation-create"), {
        end: true,
        model: true,
        usage: true,
        prompt: false,
        environment: false
      })
      assert.strictEqual(observation(body, "observation-update").type, "event")
    })

    it("null clears what Langfuse lets it clear, and is like absent elsewhere", () => {
      const facts = observation({
        name: null,
        level: null,
        model: null,
        statusMessage: null,
        endTime: null,
        version: null
      })
      assert.deepStrictEqual([facts.name, facts.level, facts.model], [null, null, null])
      assert.deepStrictEqual([facts.statusMessage, facts.endTime, facts.version], [undefined, undefined, undefined])
    })

    it("0, false, null and the empty text are no input", () => {
      for (const input of [0, -0, false, null, "", undefined]) assert.isUndefined(observation({ input }).input)
      assert.deepStrictEqual(
        [1, true, " ", "0", [], {}].map((input) => observation({ input }).input),
        ["1", "true", "\" \"", "\"0\"", "[]", "{}"]
      )
    })

    it("metadata that is no object is put under a key", () => {
      assert.deepStrictEqual(observation({ metadata: [1] }).metadata, { metadata: [1] })
      assert.deepStrictEqual(observation({ metadata: "text" }).metadata, { metadata: "text" })
      assert.isUndefined(observation({ metadata: null }).metadata)
    })

    it("usageDetails and costDetails win over the deprecated usage", () => {
      const usage = { input: 1, inputCost: 1 }
      const facts = observation({ usage, usageDetails: { input: 5 }, costDetails: { input: 2 } })
      assert.deepStrictEqual([facts.usage, facts.cost], [{ input: 5 }, { input: 2 }])
      const deprecated = observation({ usage, usageDetails: {} })
      assert.deepStrictEqual([deprecated.usage, deprecated.cost], [{ input: 1 }, { input: 1 }])
    })

    it("an observation without a trace has one of its own", () => {
      const facts = observation({ id: "lonely" })
      assert.isUndefined(facts.traceId)
      assert.strictEqual(facts.ownTraceId.sent, traceIdFor("lonely"))
      assert.strictEqual(facts.id.sent, spanIdFor("lonely"))
    })

    it("an empty parent is none", () => {
      assert.isUndefined(observation({ parentObservationId: "" }).parentId)
      assert.strictEqual(observation({ parentObservationId: "p" }).parentId?.sent, spanIdFor("p"))
    })

    it("a key called __proto__ is one like any other", () => {
      const metadata: object = JSON.parse("{\"__proto__\":{\"polluted\":1}}")
      const facts = observation({ metadata })
      assert.deepStrictEqual(Object.keys(facts.metadata ?? {}), ["__proto__"])
      assert.notProperty({}, "polluted")
    })
  })

  describe("trace context", () => {
    const context = (trace: object) => {
      const facts = locate(event("span-create", { id: "a" }, { trace }))
      return facts._tag === "Observation" ? facts.context : undefined
    }

    it("is read field by field, and what is of another type is left out", () => {
      assert.deepInclude(
        context({ name: "n", userId: 7, tags: "x", public: true, isAppRoot: "yes", input: { a: 1 } }),
        {
          name: "n",
          userId: undefined,
          tags: undefined,
          isPublic: true,
          isAppRoot: undefined,
          input: "{\"a\":1}"
        }
      )
    })

    it("has a name of 1000 characters at most, since some servers drop a trace with a longer one", () => {
      assert.strictEqual(context({ name: "x".repeat(2000) })?.name?.length, 1000)
    })
  })

  describe("scores", () => {
    const score = { id: "s", name: "n", value: 1 }

    it("with ids of OpenTelemetry leave as they are", () => {
      const body = { ...score, traceId: "0123456789abcdef0123456789abcdef", observationId: "0123456789abcdef" }
      assert.deepStrictEqual(batchBody(event("score-create", body)), body)
      assert.deepStrictEqual(batchBody(event("score-create", { ...score, sessionId: "any" })), {
        ...score,
        sessionId: "any"
      })
    })

    it("with other ids follow the spans, and keep the originals in their metadata", () => {
      const body = { ...score, traceId: "t", observationId: "o", executionTraceId: "e", metadata: { why: "because" } }
      assert.deepStrictEqual(batchBody(event("score-create", body)), {
        ...score,
        traceId: traceIdFor("t"),
        observationId: spanIdFor("o"),
        executionTraceId: traceIdFor("e"),
        metadata: {
          originalTraceId: "t",
          originalObservationId: "o",
          originalExecutionTraceId: "e",
          why: "because"
        }
      })
    })

    it("never lose metadata of their own to it", () => {
      const body = { ...score, traceId: "t", metadata: { originalTraceId: "mine" } }
      assert.deepStrictEqual(batchBody(event("score-create", body))["metadata"], { originalTraceId: "mine" })
      assert.deepStrictEqual(
        batchBody(event("score-create", { ...score, traceId: "t", metadata: "text" }))["metadata"],
        { originalTraceId: "t", metadata: "text" }
      )
    })

    it("of a shape that the batch endpoint refuses are its to refuse", () => {
      assert.deepStrictEqual(batchBody(event("score-create", { ...score, traceId: 7 })), { ...score, traceId: 7 })
    })
  })

  it.prop(
    "what was read once says the same when it is read again",
    {
      type: FastCheck.constantFrom("span-create", "generation-update", "event-create", "observation-create"),
      ids: FastCheck.record({
        id: FastCheck.constantFrom("a", "0123456789abcdef"),
        traceId: FastCheck.constantFrom(undefined, "t", "0123456789abcdef0123456789abcdef"),
        parentObservationId: FastCheck.constantFrom(undefined, "", "p", "fedcba9876543210")
      }),
      fields: FastCheck.record({
        name: FastCheck.option(FastCheck.string()),
        level: FastCheck.constantFrom(undefined, null, " error"),
        startTime: FastCheck.constantFrom(undefined, "2026-01-01T00:00:00.123456Z", "2026-01-01T00:00:00.000Z"),
        usageDetails: FastCheck.constantFrom(undefined, { input: 1 }, { input: "2" }),
        input: FastCheck.jsonValue(),
        output: FastCheck.jsonValue(),
        metadata: FastCheck.jsonValue()
      }),
      trace: FastCheck.option(FastCheck.record({ name: FastCheck.string(), input: FastCheck.jsonValue() }), {
        nil: undefined
      })
    },
    ({ fields, ids, trace, type }) => {
      const facts = locate(event(type, { ...ids, ...fields, type: "SPAN" }, trace && { trace }))
      if (facts._tag !== "Observation") return assert.fail(facts._tag)
      assert.deepStrictEqual({ ...Facts.readAgain(facts.source, facts.texts) }, { ...facts, event: undefined })
    }
  )

  it("logs leave as they are", () => {
    assert.deepStrictEqual(batchBody(event("sdk-log", { log: { a: 1 } })), { log: { a: 1 } })
  })
})
