import { assert, describe, it, vi } from "@effect/vitest"
import { Arbitrary, DateTime, FastCheck } from "effect"
import * as IngestionEvent from "effect-langfuse/IngestionEvent"
import { fromEvent, type Refused } from "../../../src/core/item/fromEvent.js"
import { type Item, Observation, Plain, Trace } from "../../../src/core/item/item.js"
import type { Policy } from "../../../src/core/item/policy.js"
import { toWellFormed } from "../../../src/core/item/text.js"
import { Bytes } from "../../../src/core/wire/bytes.js"
import { current } from "../../../src/core/wire/dialect.js"
import { ingestionWire } from "../../../src/core/wire/ingestionWire.js"
import { otlpWire } from "../../../src/core/wire/otlpWire.js"
import { readable } from "../../../src/internal/readable.js"
import { fixed } from "../wire/support/items.js"
import * as Events from "./support/events.js"
import { open } from "./support/policy.js"

// ---------------------------------------------------------------------------------------------------------------------
// helpers
// ---------------------------------------------------------------------------------------------------------------------

const at = "2026-01-31T12:00:00.000Z"

const eventOf = (type: string, body: unknown, trace?: unknown): object => ({
  id: "e",
  type,
  timestamp: at,
  body,
  trace
})

const isRefused = (read: Item | Refused): read is Refused => "issues" in read

const issuesOf = (event: unknown, policy = open): ReadonlyArray<string> => {
  const read = fromEvent(event, policy)
  return isRefused(read) ? read.issues : assert.fail("it was taken")
}

const itemOf = (event: unknown, policy: Policy = open): Item => {
  const read = fromEvent(event, policy)
  return isRefused(read) ? assert.fail(read.issues.join("; ")) : read
}

const observationOf = (type: string, body: object, policy: Policy = open, trace?: unknown): Observation => {
  const item = itemOf(eventOf(type, { id: "o", ...body }, trace), policy)
  return item instanceof Observation ? item : assert.fail(item.kind)
}

const traceOf = (body: object, policy: Policy = open): Trace => {
  const item = itemOf(eventOf("trace-create", body), policy)
  return item instanceof Trace ? item : assert.fail(item.kind)
}

const plainOf = (type: string, body: object, policy: Policy = open): Plain => {
  const item = itemOf(eventOf(type, body), policy)
  return item instanceof Plain ? item : assert.fail(item.kind)
}

/** All that can be seen of an item, without functions of the engine that look at values on their own. */
const shown = (read: Item | Refused): string =>
  JSON.stringify(read, (_key, value: unknown) => value instanceof Map ? [...value] : value)

// ---------------------------------------------------------------------------------------------------------------------
// tests
// ---------------------------------------------------------------------------------------------------------------------

describe("what an event says", () => {
  it("is read field by field", () => {
    const item = observationOf("generation-create", {
      traceId: "t",
      parentObservationId: "p",
      name: "answer",
      startTime: "2026-01-31T12:00:00.250Z",
      endTime: "2026-01-31T13:00:01.5+01:00",
      completionStartTime: "2026-01-31T12:00:01.000000500Z",
      level: "WARNING",
      statusMessage: "slow",
      version: "2",
      environment: "test",
      model: "gpt",
      modelParameters: { temperature: 0.5, stop: ["a"] },
      usageDetails: { input: 3, output: 4 },
      costDetails: { input: 0.25, output: 0.5 },
      promptName: "p",
      promptVersion: 3,
      input: [{ role: "user" }],
      output: "an answer",
      metadata: { a: "text", b: 1 }
    })
    const time = Date.parse(at)
    assert.deepInclude(item, {
      eventId: "e",
      at: time,
      id: "o",
      op: "create",
      type: "generation",
      isWhole: false,
      traceId: "t",
      parentId: "p",
      name: "answer",
      start: time + 250,
      end: time + 1500,
      completionStart: time + 1000.0005,
      level: "WARNING",
      statusMessage: "slow",
      version: "2",
      environment: "test",
      model: "gpt",
      parameters: "{\"temperature\":0.5,\"stop\":[\"a\"]}",
      promptName: "p",
      promptVersion: 3,
      extra: ""
    })
    assert.deepStrictEqual(JSON.parse(item.usage ?? ""), { input: 3, output: 4, total: 7 })
    assert.deepStrictEqual(JSON.parse(item.cost ?? ""), { input: 0.25, output: 0.5, total: 0.75 })
    assert.deepInclude(item.input, { text: "[{\"role\":\"user\"}]", isJson: true })
    assert.deepInclude(item.output, { text: "an answer", isJson: false })
    assert.deepInclude(item.metadata?.get("a"), { text: "text", isJson: false })
    assert.deepInclude(item.metadata?.get("b"), { text: "1", isJson: true })
    assert.isAbove(item.bytes, 0)
  })

  it("of a trace is read likewise, and so is what an observation says of its trace", () => {
    const body = { name: "n", userId: null, sessionId: "s", tags: ["b", "a"], public: true, timestamp: at, input: 1 }
    const { fields, id } = traceOf({ id: "t", ...body })
    const { context } = observationOf("span-create", {}, open, { ...body, isAppRoot: true })
    assert.strictEqual(id, "t")
    for (const said of [fields, context]) {
      assert.deepInclude(said, { name: "n", userId: null, sessionId: "s", isPublic: true, start: Date.parse(at) })
      assert.deepStrictEqual(said?.tags, ["b", "a"])
      assert.deepInclude(said?.input, { text: "1", isJson: true })
    }
    assert.isTrue(context?.isAppRoot)
  })

  it("is what it says at that moment", () => {
    const messages = [{ role: "user", content: "hello" }]
    const tags = ["a"]
    const body = { id: "o", input: messages, metadata: { messages }, modelParameters: { stop: ["x"] }, tags }
    const items = ["generation-create", "trace-create", "score-create"].map((type) => itemOf(eventOf(type, body)))
    const before = items.map(shown)
    messages.push({ role: "assistant", content: "hi" })
    tags.push("b")
    body.modelParameters.stop.push("y")
    assert.deepStrictEqual(items.map(shown), before)
  })

  it("keeps falsy inputs and outputs, and null is not said", () => {
    for (const value of [false, 0, ""]) {
      const { input, output } = observationOf("span-create", { input: value, output: value })
      assert.strictEqual(input?.text, String(value))
      assert.strictEqual(output?.text, String(value))
      assert.strictEqual(traceOf({ id: "t", input: value }).fields.input?.text, String(value))
    }
    const item = observationOf("span-create", { input: null, output: undefined })
    assert.isUndefined(item.input)
    assert.isUndefined(item.output)
  })

  it("clears with null where Langfuse lets it, and is like absent elsewhere", () => {
    const nulls = Object.fromEntries(
      [
        "traceId",
        "parentObservationId",
        "name",
        "startTime",
        "endTime",
        "completionStartTime",
        "level",
        "statusMessage"
      ]
        .concat(
          "version",
          "environment",
          "model",
          "modelParameters",
          "usage",
          "usageDetails",
          "costDetails",
          "promptName"
        )
        .concat("promptVersion", "metadata")
        .map((field) => [field, null])
    )
    const item = observationOf("generation-update", nulls)
    const said = Object.entries(item).filter(([, value]) => value === null).map(([key]) => key)
    assert.sameMembers(said, ["name", "level", "model"])
    assert.strictEqual(item.extra, "")
    const trace = traceOf({
      id: "t",
      name: null,
      userId: null,
      sessionId: null,
      release: null,
      version: null,
      tags: null
    })
    assert.deepInclude(trace.fields, { name: null, userId: null, sessionId: null, release: null, version: null })
    assert.isUndefined(trace.fields.tags)
  })

  it("keeps fields that are not known, for the batch endpoint", () => {
    const body = {
      id: "o",
      color: "red",
      nested: { a: [1] },
      no: undefined,
      toJSON: () => ({}),
      authorization: "Bearer x"
    }
    const extra = ",\"color\":\"red\",\"nested\":{\"a\":[1]},\"authorization\":\"<redacted>\""
    assert.strictEqual(observationOf("span-create", body).extra, extra)
    assert.strictEqual(traceOf(body).extra, extra)
    assert.strictEqual(plainOf("score-create", body).body, `{"id":"o"${extra}}`)
  })

  it("has in its metadata what the server would strip from spans and events, and never refuses it", () => {
    const metadataOf = (type: string, body: object) =>
      Array.from(observationOf(type, body).metadata ?? [], ([key, { text }]) => [key, text])
    for (const type of ["span-create", "event-create", "span-update"]) {
      const calls = { model: "m", modelParameters: { t: 1 }, usage: { input: 1 }, usageDetails: { input: 1 } }
      const others = { costDetails: { input: 0.5 }, promptName: "p", promptVersion: 3 }
      const item = observationOf(type, { ...calls, ...others, metadata: { model: "own" } })
      assert.isUndefined(item.model)
      assert.isUndefined(item.usage)
      assert.deepStrictEqual(Array.from(item.metadata ?? [], ([key, { text }]) => [key, text]), [
        ["model", "own"],
        ["modelParameters", "{\"t\":1}"],
        ["usage", "{\"input\":1}"],
        ["usageDetails", "{\"input\":1}"],
        ["costDetails", "{\"input\":0.5}"],
        ["promptName", "p"],
        ["promptVersion", "3"]
      ])
      for (const field of ["model", "modelParameters", "usage", "usageDetails", "costDetails", "promptVersion"]) {
        assert.deepStrictEqual(metadataOf(type, { [field]: true }), [[field, "true"]])
        assert.deepStrictEqual(metadataOf(type, { [field]: null }), [])
      }
    }
    assert.deepStrictEqual(metadataOf("event-create", { endTime: "2026-01-31T12:00:00Z" }), [
      ["endTime", "2026-01-31T12:00:00Z"]
    ])
    assert.deepStrictEqual(issuesOf(eventOf("span-create", { id: "o", endTime: 0 })), [
      "body.endTime: expected a date and time in ISO 8601 with a zone"
    ])
  })

  it("is that of its real type where the type is a legacy one", () => {
    const legacy = (type: string, of: string) => observationOf(type, { type: of, model: "m", promptName: 1, extra: 1 })
    assert.deepInclude(legacy("observation-create", "GENERATION"), { type: "generation", op: "create", model: "m" })
    assert.deepInclude(legacy("observation-update", "GENERATION"), { type: "generation", op: "update" })
    assert.deepInclude(legacy("observation-create", "SPAN"), { type: "span", op: "create" })
    assert.deepInclude(legacy("observation-create", "EVENT"), { type: "event", op: "create" })
    assert.deepInclude(legacy("observation-update", "EVENT"), { type: "event", op: "update" })
    assert.strictEqual(legacy("observation-create", "SPAN").extra, ",\"extra\":1")
    // The server says what is wrong.
    assert.strictEqual(plainOf("observation-create", { id: "o", type: "AGENT" }).type, "observation-create")
  })

  it("of types that are not known goes as it is", () => {
    const item = plainOf("thought-create", { id: "x", traceId: "t", input: 0 })
    assert.deepInclude(item, {
      id: "x",
      type: "thought-create",
      traceId: "t",
      body: "{\"id\":\"x\",\"traceId\":\"t\",\"input\":0}"
    })
    assert.deepStrictEqual(item.ids, [])
  })
})

describe("traces and scores", () => {
  it("have the event's id where they have none", () => {
    for (const id of [undefined, null, ""]) {
      assert.strictEqual(traceOf({ id }).id, "e")
      assert.deepInclude(plainOf("score-create", { id, value: 1 }), { id: "e", body: "{\"value\":1,\"id\":\"e\"}" })
    }
    assert.strictEqual(plainOf("sdk-log", { log: "x" }).body, "{\"log\":\"x\"}")
  })

  it("have the ids of what they belong to at hand", () => {
    const body = {
      id: "s",
      value: 1,
      traceId: "t",
      observationId: "o",
      executionTraceId: "x",
      sessionId: "",
      queueId: "q"
    }
    const item = plainOf("score-create", body)
    assert.deepStrictEqual(item.ids, [["traceId", "t"], ["observationId", "o"], ["executionTraceId", "x"]])
    assert.strictEqual(item.traceId, "t")
    assert.deepStrictEqual(plainOf("score-create", { traceId: "", observationId: 1 }).ids, [])
  })
})

describe("the policy's", () => {
  const policy: Policy = { ...open, environment: "production", release: "v1" }

  it("environment and release are filled in where an event leaves them out", () => {
    assert.strictEqual(observationOf("span-update", {}, policy).environment, "production")
    assert.deepInclude(traceOf({ id: "t" }, policy).fields, { environment: "production", release: "v1" })
    assert.deepInclude(observationOf("span-create", {}, policy, { name: "n" }).context, {
      environment: "production",
      release: "v1"
    })
    assert.strictEqual(
      plainOf("score-create", { id: "s" }, policy).body,
      "{\"id\":\"s\",\"environment\":\"production\"}"
    )
    assert.strictEqual(plainOf("sdk-log", { log: 1 }, policy).body, "{\"log\":1}")
    const legacy = observationOf("observation-create", { type: "SPAN", environment: null }, policy)
    assert.strictEqual(legacy.environment, "production")
  })

  it("environment and release stay at home where an event has its own; a release of null clears", () => {
    const own = { id: "t", environment: "Langfuse-Test", release: "v2" }
    assert.deepInclude(traceOf(own, policy).fields, { environment: "test", release: "v2" })
    assert.isNull(traceOf({ id: "t", release: null }, policy).fields.release)
    assert.strictEqual(
      plainOf("score-create", { id: "s", environment: "TEST" }, policy).body,
      "{\"id\":\"s\",\"environment\":\"test\"}"
    )
    assert.strictEqual(observationOf("span-create", { environment: "TEST" }, policy).environment, "test")
  })

  it("content \"metadata\" neither sends nor looks at inputs and outputs", () => {
    const closed: Policy = { ...open, content: "metadata" }
    const trap = {
      get content(): never {
        return assert.fail("was looked at")
      }
    }
    const body = { id: "o", input: trap, output: trap, metadata: { a: 1 } }
    const item = observationOf("tool-create", body, closed, body)
    assert.isUndefined(item.input)
    assert.isUndefined(item.output)
    assert.isUndefined(item.context?.input)
    assert.isDefined(item.metadata)
    assert.isUndefined(traceOf(body, closed).fields.output)
    assert.strictEqual(plainOf("thought-create", body, closed).body, "{\"id\":\"o\",\"metadata\":{\"a\":1}}")
  })
})

describe("model calls", () => {
  it("have the deprecated usage and the details together", () => {
    const usage = { input: 1, output: 2, inputCost: 5, outputCost: 6 }
    const item = observationOf("generation-create", { usage, costDetails: { input: 1 }, usageDetails: { x: 3 } })
    assert.deepStrictEqual(JSON.parse(item.usage ?? ""), { input: 1, output: 2, x: 3, total: 6 })
    assert.deepStrictEqual(JSON.parse(item.cost ?? ""), { input: 1, output: 6, total: 7 })
    const alone = observationOf("generation-create", { usage: { totalCost: 5 }, costDetails: { input: 1, output: 2 } })
    assert.deepStrictEqual(JSON.parse(alone.cost ?? ""), { total: 5, input: 1, output: 2 })
    assert.isUndefined(alone.usage)
  })

  it("say in the metadata which counts were left out", () => {
    const item = observationOf("tool-create", { metadata: { a: 1 }, usageDetails: { input: 1.5, output: 2 } })
    assert.deepStrictEqual(JSON.parse(item.usage ?? ""), { output: 2, total: 2 })
    assert.include(item.metadata?.get("usage_note")?.text, "input")
    assert.isTrue(item.metadata?.has("a"))
  })

  it("have parameters that are flat, as the batch endpoint takes no others", () => {
    const flat = { a: "x", b: 1.5, c: true, e: ["x"], f: { g: "h" }, h: [], i: {} }
    assert.strictEqual(observationOf("tool-create", { modelParameters: flat }).parameters, JSON.stringify(flat))
    assert.strictEqual(observationOf("tool-create", { modelParameters: { a: 1, b: null } }).parameters, "{\"a\":1}")
    const nested = {
      temperature: 1,
      stop: [1, 2],
      response_format: { type: "json", schema: { a: null } },
      since: new Date(0),
      tools: new Set(["a"]),
      mixed: ["a", { b: 1 }],
      on: undefined
    }
    const item = observationOf("tool-create", { modelParameters: nested })
    assert.deepStrictEqual(JSON.parse(item.parameters ?? ""), {
      temperature: 1,
      stop: "[1,2]",
      response_format: "{\"type\":\"json\",\"schema\":{\"a\":null}}",
      since: "1970-01-01T00:00:00.000Z",
      tools: ["a"],
      mixed: "[\"a\",{\"b\":1}]"
    })
    const map = observationOf("tool-create", { modelParameters: new Map<string, unknown>([["a", 1], ["b", [1]]]) })
    assert.deepStrictEqual(JSON.parse(map.parameters ?? ""), { a: 1, b: "[1]" })
  })
})

describe("what is refused", () => {
  it("has no id, a field of another type, or a time that cannot be read", () => {
    const time = "expected a date and time in ISO 8601 with a zone"
    const cases: ReadonlyArray<readonly [unknown, string]> = [
      [null, "expected an event, which is an object"],
      [{ id: "e", timestamp: at, body: {} }, "type: expected a text"],
      [{ type: "span-create", timestamp: at, body: {} }, "id: expected a text that is not empty"],
      [{ id: "", type: "span-create", timestamp: at, body: {} }, "id: expected a text that is not empty"],
      [{ id: "e", type: "span-create", timestamp: at }, "body: expected an object"],
      [{ id: "e", type: "span-create", timestamp: at, body: [] }, "body: expected an object"],
      [{ id: "e", type: "span-create", body: {} }, "timestamp: is missing"],
      [{ id: "e", type: "span-create", timestamp: 0, body: {} }, `timestamp: ${time}`],
      [{ id: "e", type: "span-create", timestamp: "2026-02-30T00:00:00Z", body: {} }, `timestamp: ${time}`],
      [eventOf("span-create", {}), "body.id: is missing"],
      [eventOf("observation-create", { type: "SPAN" }), "body.id: is missing"],
      [eventOf("span-create", { id: "" }), "body.id: expected a text that is not empty"],
      [eventOf("span-create", { id: 5 }), "body.id: expected a text"],
      [eventOf("trace-create", { id: 5 }), "body.id: expected a text"],
      [eventOf("span-create", { id: "o", traceId: "" }), "body.traceId: expected a text that is not empty"],
      [eventOf("span-create", { id: "o", name: 5 }), "body.name: expected a text"],
      [eventOf("tool-create", { id: "o", usageDetails: "1" }), "body.usageDetails: expected an object"],
      [eventOf("tool-create", { id: "o", modelParameters: [] }), "body.modelParameters: expected an object"],
      [eventOf("tool-create", { id: "o", promptVersion: "1" }), "body.promptVersion: expected a number"],
      [eventOf("trace-create", { id: "t", tags: ["a", 1] }), "body.tags: expected a list of texts"],
      [eventOf("trace-create", { id: "t", public: 1 }), "body.public: expected true or false"],
      [eventOf("trace-create", { id: "t", timestamp: "noon" }), `body.timestamp: ${time}`],
      [eventOf("trace-create", { id: "t", timestamp: "noon]" }), `body.timestamp: ${time}`]
    ]
    for (const [event, issue] of cases) assert.deepStrictEqual(issuesOf(event), [issue])
  })

  it("is not what the server knows best: enums, lengths, names and rules between fields", () => {
    const item = observationOf("generation-create", {
      name: "n".repeat(5000),
      level: "loud",
      environment: "prod.eu",
      promptVersion: 1.5,
      traceId: "t".repeat(900)
    })
    assert.deepInclude(item, { level: "loud", promptVersion: 1.5, environment: undefined })
    plainOf("score-create", { dataType: null, value: true })
  })

  it("is nothing of what an event says of its trace, which the batch endpoint never sees", () => {
    const { context } = observationOf("span-create", {}, open, {
      name: 5,
      tags: 1,
      public: "x",
      timestamp: 0,
      userId: "u"
    })
    assert.deepInclude(context, { name: undefined, tags: undefined, isPublic: undefined, userId: "u" })
    for (const trace of [null, 1, "x", []]) assert.isUndefined(observationOf("span-create", {}, open, trace).context)
  })

  it("of a trace is noted in the metadata, by name and not by value", () => {
    const noteOf = (trace: unknown) =>
      observationOf("span-create", { metadata: { a: 1 } }, open, trace).metadata?.get("trace_note")?.text
    assert.strictEqual(noteOf({ userId: 42, sessionId: "s" }), "left out: userId: expected a text")
    assert.strictEqual(
      noteOf({ public: "s3cr3t", user_id: "s3cr3t" }),
      [
        "left out: public: expected true or false",
        "user_id: not a field of a trace"
      ].join(", ")
    )
    assert.strictEqual(noteOf("s3cr3t"), "left out: trace: expected an object")
    assert.include(noteOf(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`${i}`.repeat(100), 1]))), "more")
    for (const trace of [undefined, null, {}, { userId: "u", tags: ["a"], isAppRoot: true }]) {
      assert.isUndefined(noteOf(trace))
    }
    assert.isTrue(observationOf("span-create", { metadata: { a: 1 } }, open, "x").metadata?.has("a"))
  })

  it("is an id that fits into no event, since it cannot be cut; what names a person is cut", () => {
    const long = "i".repeat(20_000)
    const policy = { ...open, maxEventBytes: 10_000 }
    for (
      const event of [
        eventOf("span-create", { id: long }),
        eventOf("span-create", { id: "o", traceId: long }),
        eventOf("span-create", { id: "o", parentObservationId: long }),
        eventOf("trace-create", { id: long }),
        eventOf("score-create", { id: "s", traceId: long, name: "n", value: 1 }),
        eventOf("score-create", { id: long, sessionId: "s", name: "n", value: 1 }),
        eventOf("score-create", { id: "s", sessionId: long, name: "n", value: 1 }),
        { ...eventOf("span-create", { id: "o" }), id: long }
      ]
    ) {
      const result = fromEvent(event, policy)
      assert("issues" in result)
      assert.match(result.issues.join(), /[iI]d: expected a text of at most 10000 characters$/)
      assert.isAtMost(result.issues.join().length, 100)
    }
    assert.isAtMost(observationOf("span-create", { level: long }, policy).level?.length ?? 0, 100)
    const { context } = observationOf("span-create", {}, policy, { userId: long, sessionId: long })
    for (const name of [context?.userId, context?.sessionId]) assert.match(name ?? "", /<cut \d+ of 20000/)
    const trace = fromEvent(eventOf("trace-create", { id: "t", userId: long }), policy)
    assert("kind" in trace && trace.kind === "trace")
    assert.match(trace.fields.userId ?? "", /<cut/)
    const whole = "u".repeat(900)
    const cut = observationOf("span-create", {}, policy, { userId: whole, input: long }).context
    assert.strictEqual(cut?.userId, whole)
  })

  it("is named without its value", () => {
    const secret = "s3cr3t"
    const values = [[secret], { [secret]: secret }, Symbol.for(secret), secret, 5]
    for (const type of Events.types) {
      for (
        const field of ["id", "traceId", "name", "startTime", "endTime", "usage", "modelParameters", "tags", "public"]
      ) {
        for (const value of values) {
          const read = fromEvent(eventOf(type, { id: "o", type: "GENERATION", [field]: value }), open)
          if (isRefused(read)) assert.notInclude(read.issues.join(), secret)
        }
      }
    }
  })
})

describe("values of programs that know no types", () => {
  it("are what JSON makes of them", () => {
    const item = observationOf("span-create", {
      name: new URL("https://example.com/a"),
      statusMessage: 12345678901234567890n,
      startTime: new Date(5),
      endTime: new Date(NaN),
      version: Object("2")
    })
    assert.deepInclude(item, {
      name: "https://example.com/a",
      statusMessage: "12345678901234567890",
      start: 5,
      end: undefined,
      version: "2"
    })
    assert.deepStrictEqual(traceOf({ id: "t", tags: new Set(["a", "b"]) }).fields.tags, ["a", "b"])
    assert.isUndefined(observationOf("tool-create", { promptVersion: NaN }).promptVersion)
  })

  it("are times of Effect, with a zone too", () => {
    const policy = { ...open, readable }
    const millis = Date.parse(at)
    for (const zone of ["Europe/Berlin", "UTC", "+05:30"]) {
      const time = DateTime.unsafeMakeZoned(millis, { timeZone: zone })
      const body = { startTime: time, endTime: DateTime.toUtc(time), completionStartTime: new Date(millis) }
      const item = observationOf("tool-create", body, policy, { timestamp: time })
      assert.deepStrictEqual([item.start, item.end, item.completionStart], [millis, millis, millis])
      assert.strictEqual(item.context?.start, millis)
      assert.strictEqual(itemOf({ ...eventOf("span-create", { id: "o" }), timestamp: time }, policy).at, millis)
    }
  })

  const revoked = (): object => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  }
  const throwing = new Proxy({}, {
    get: () => assert.fail("get"),
    has: () => assert.fail("has"),
    ownKeys: () => assert.fail("ownKeys"),
    getPrototypeOf: () => assert.fail("getPrototypeOf"),
    getOwnPropertyDescriptor: () => assert.fail("getOwnPropertyDescriptor")
  })
  const hostile: ReadonlyArray<() => unknown> = [
    () => throwing,
    revoked,
    () => Object.create(null, { a: { get: () => assert.fail("getter"), enumerable: true } }),
    () => ({ toJSON: () => assert.fail("toJSON") }),
    () => Symbol("s"),
    () => () => "function",
    () => Object.create({ toString: () => assert.fail("toString") })
  ]

  it("never make it throw, wherever they are", () => {
    for (const make of hostile) {
      fromEvent(make(), open)
      for (const type of Events.types) {
        for (const field of ["id", "type", "timestamp", "body", "trace"]) {
          fromEvent({ id: "e", type, timestamp: at, body: { id: "o" }, [field]: make() }, open)
        }
        for (const field of Events.fields) {
          fromEvent(eventOf(type, { id: "o", [field]: make() }, { [field]: make() }), open)
          const getter = Object.defineProperty({ id: "o" }, field, {
            get: () => assert.fail("getter"),
            enumerable: true
          })
          fromEvent(eventOf(type, getter, getter), open)
        }
      }
    }
  })

  it("cost themselves alone as contents", () => {
    for (const make of hostile) {
      const item = observationOf("span-create", {
        name: "n",
        input: make(),
        output: "o",
        metadata: { a: make(), b: "c" }
      })
      assert.deepInclude(item, { name: "n" })
      assert.isDefined(item.input)
      assert.strictEqual(item.output?.text, "o")
      assert.strictEqual(item.metadata?.get("b")?.text, "c")
    }
  })

  it("cost themselves alone in what an event says of its trace", () => {
    for (const make of hostile) {
      const { context } = observationOf("span-create", {}, open, {
        name: "n",
        tags: make(),
        timestamp: make(),
        public: make()
      })
      assert.deepInclude(context, { name: "n", tags: undefined, isPublic: undefined })
      observationOf("span-create", {}, open, make())
    }
    const event = Object.defineProperty({ id: "e", type: "span-create", timestamp: at, body: { id: "o" } }, "trace", {
      get: () => assert.fail("getter")
    })
    assert.deepInclude(itemOf(event), { context: undefined })
  })

  it("cost themselves alone as getters", () => {
    const body = {
      id: "o",
      output: "o",
      get input(): never {
        return assert.fail("getter")
      }
    }
    const item = itemOf(eventOf("span-create", body))
    assert.deepInclude(item, { id: "o" })
    assert.isTrue(item instanceof Observation && item.output?.text === "o" && item.input !== undefined)
  })
})

describe("texts", () => {
  it("are parsed nowhere on the way of an event that is neither masked nor cut", () => {
    const body = {
      id: "o",
      traceId: "t",
      startTime: at,
      input: [{ role: "user", content: "\"hello\"\n" }],
      output: { a: 1 },
      metadata: { a: { b: "c" }, d: "e" },
      tags: ["a"],
      modelParameters: { temperature: 1, stop: ["a"], response_format: { type: "json" } },
      usageDetails: { input: 1 },
      costDetails: { input: 1 },
      usage: { input: 1 },
      somethingNew: { a: 1 },
      value: 1
    }
    const parse = vi.spyOn(JSON, "parse")
    try {
      const out = new Bytes(10_000)
      const json = ingestionWire(current)
      const protobuf = otlpWire({ serviceName: undefined })
      for (const type of Events.types) {
        const item = itemOf(eventOf(type, { ...body, type: "GENERATION" }, { input: { a: 1 }, metadata: { a: 1 } }))
        json.write(out, item)
        if (item.kind !== "plain") protobuf.write(out, item)
      }
      assert.strictEqual(parse.mock.calls.length, 0)
    } finally {
      parse.mockRestore()
    }
  })
})

describe("properties", () => {
  it.prop(
    "an event of any values is an item, or there is an issue",
    [Events.event, FastCheck.boolean()],
    ([event, isFull]) => {
      const read = fromEvent(event, { ...open, content: isFull ? "full" : "metadata" })
      if (isRefused(read)) assert.isNotEmpty(read.issues)
      else assert.strictEqual(read.eventId, toWellFormed(String(event.id)))
    },
    fixed(500)
  )

  it.prop("what the schema takes is taken", { event: Arbitrary.make(IngestionEvent.IngestionEvent) }, ({ event }) => {
    const item = itemOf(event)
    assert.strictEqual(item.eventId, event.id)
  }, fixed(300))
})
