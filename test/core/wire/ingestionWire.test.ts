import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { Content, type Item, Observation, Plain, Trace, TraceFields } from "../../../src/core/item/item.js"
import { Bytes } from "../../../src/core/wire/bytes.js"
import { current, type Dialect, dialectOf } from "../../../src/core/wire/dialect.js"
import { ingestionWire } from "../../../src/core/wire/ingestionWire.js"
import { toIso } from "../../../src/core/wire/time.js"
import { fixed, observation, plain, trace, types, wellFormed } from "./support/items.js"

const at = Date.parse("2026-02-03T04:05:06.789Z")

const bodyOf = (items: ReadonlyArray<Item>, dialect: Dialect = current): string => {
  const out = new Bytes(16)
  const wire = ingestionWire(dialect)
  wire.begin(out)
  for (const item of items) wire.write(out, item)
  wire.end(out)
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(out.view())
}

interface Event {
  readonly id: string
  readonly type: string
  readonly timestamp: string
  readonly body: { readonly [field: string]: unknown }
}

const batchOf = (items: ReadonlyArray<Item>, dialect?: Dialect): ReadonlyArray<Event> =>
  JSON.parse(bodyOf(items, dialect)).batch

const eventOf = (item: Item, dialect?: Dialect): Event => {
  const [event] = batchOf([item], dialect)
  assert.isDefined(event)
  return event
}

const observationOf = (given: Partial<Observation>, type: Observation["type"] = "span"): Observation =>
  Object.assign(new Observation("e", at, "o", "create", type, true), given)

/** What a server makes of a value of JSON that JavaScript takes for false is nothing, so it has to be a text. */
const contentOf = (content: Content | undefined): unknown => {
  if (content === undefined) return undefined
  const value: unknown = content.isJson ? JSON.parse(content.text) : wellFormed(content.text)
  return value === null || value ? value : value === "" ? "\"\"" : content.text
}

const valuesOf = (metadata: Observation["metadata"]): ReadonlyMap<string, unknown> | undefined =>
  metadata && new Map(Array.from(metadata, ([key, { isJson, text }]) => [
    wellFormed(key),
    isJson ? JSON.parse(text) : wellFormed(text)
  ]))

const textOf = (value: string | null | undefined): unknown => typeof value === "string" ? wellFormed(value) : value

/** As the engine writes numbers: -0 as 0, and those that JSON has not as null. */
const rewritten = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

const parsed = (json: string | undefined): unknown => json === undefined ? undefined : JSON.parse(json)

/** In an order of their own; `__proto__` is a key as any other, and what is undefined is no member. */
const members = (fields: object | ReadonlyMap<string, unknown>): ReadonlyArray<readonly [string, unknown]> =>
  (fields instanceof Map ? Array.from(fields) : Object.entries(fields))
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0)

const extraOf = ({ extra }: { readonly extra: string }): object => JSON.parse(`{${extra.slice(1)}}`)

const timeOf = (millis: number | undefined): string | undefined => millis === undefined ? undefined : toIso(millis)

const expectedBody = (item: Observation | Trace): object => {
  if (item.kind === "observation") {
    return {
      id: textOf(item.id),
      traceId: textOf(item.traceId),
      parentObservationId: textOf(item.parentId),
      name: textOf(item.name),
      startTime: timeOf(item.start),
      endTime: timeOf(item.end),
      completionStartTime: timeOf(item.completionStart),
      level: textOf(item.level),
      statusMessage: textOf(item.statusMessage),
      version: textOf(item.version),
      environment: item.environment ?? item.context?.environment,
      model: textOf(item.model),
      modelParameters: parsed(item.parameters),
      usageDetails: parsed(item.usage),
      costDetails: parsed(item.cost),
      promptName: textOf(item.promptName),
      promptVersion: item.promptVersion === undefined ? undefined : rewritten(item.promptVersion),
      input: contentOf(item.input),
      output: contentOf(item.output),
      ...extraOf(item)
    }
  }
  const { fields } = item
  return {
    id: textOf(item.id),
    timestamp: timeOf(fields.start),
    name: textOf(fields.name),
    userId: textOf(fields.userId),
    sessionId: textOf(fields.sessionId),
    release: textOf(fields.release),
    version: textOf(fields.version),
    environment: fields.environment,
    tags: fields.tags?.map(textOf),
    public: fields.isPublic,
    input: contentOf(fields.input),
    output: contentOf(fields.output),
    ...extraOf(item)
  }
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

const assertEvent = (event: Event, item: Item): void => {
  assert.strictEqual(event.id, wellFormed(item.eventId))
  assert.strictEqual(event.timestamp, toIso(item.at))
  if (item.kind === "plain") {
    assert.strictEqual(event.type, item.type)
    assert.deepStrictEqual(rewritten(event.body), rewritten(JSON.parse(item.body)))
    return
  }
  const { metadata, ...body } = event.body
  assert.deepStrictEqual(members(body), members(expectedBody(item)))
  const given = valuesOf(item.kind === "observation" ? item.metadata : item.fields.metadata)
  assert.deepStrictEqual(isObject(metadata) ? members(metadata) : metadata, given && members(given))
}

describe("ingestionWire", () => {
  it.prop("writes JSON that says what the items say", [
    FastCheck.array(FastCheck.oneof(observation, trace, plain), { maxLength: 4 })
  ], ([items]) => {
    const batch = batchOf(items)
    assert.strictEqual(batch.length, items.length)
    for (const [index, item] of items.entries()) {
      const event = batch[index]
      if (event !== undefined) assertEvent(event, item)
    }
  }, fixed(400))

  it.prop("can be rewound to the event before", [observation, observation, observation], ([first, second, third]) => {
    const out = new Bytes(0)
    const wire = ingestionWire(current)
    wire.begin(out)
    const start = out.mark()
    wire.write(out, first)
    out.rewind(start)
    wire.write(out, second)
    const mark = out.mark()
    wire.write(out, first)
    out.rewind(mark)
    wire.write(out, third)
    wire.end(out)
    assert.strictEqual(new TextDecoder("utf-8", { ignoreBOM: true }).decode(out.view()), bodyOf([second, third]))
  }, fixed(50))

  it("writes a batch of none", () => {
    assert.strictEqual(bodyOf([]), "{\"batch\":[]}")
  })

  it("writes 1 MB in one text", () => {
    for (const unit of ["a", "\"", "語", "\u{1f600}"]) {
      const text = unit.repeat(1_000_000)
      assert.isTrue(eventOf(observationOf({ input: new Content(text, false) })).body["input"] === text, unit)
    }
  })

  // https://github.com/langfuse/langfuse drops an input or output that JavaScript takes for false.
  it.each([
    [new Content("false", true), "false"],
    [new Content("0", true), "0"],
    [new Content("-0.0", true), "-0.0"],
    [new Content("-1", true), -1],
    [new Content("0.5", true), 0.5],
    [new Content("", false), "\"\""],
    [new Content("false", false), "false"],
    [new Content("0", false), "0"],
    [new Content("\"\"", false), "\"\""],
    [new Content("null", true), null],
    [new Content("[]", true), []],
    [new Content("{}", true), {}],
    [new Content("true", true), true]
  ])("writes content that the server would drop as its text: %j", (content, expected) => {
    assert.deepStrictEqual(eventOf(observationOf({ input: content, output: content })).body["input"], expected)
    assert.deepStrictEqual(eventOf(observationOf({ input: content, output: content })).body["output"], expected)
    const item = new Trace("e", at, "t")
    item.fields.input = item.fields.output = content
    assert.deepStrictEqual(eventOf(item).body["input"], expected)
    assert.deepStrictEqual(eventOf(item).body["output"], expected)
    // Metadata is kept as it is.
    const metadata = new Map([["k", content]])
    assert.deepStrictEqual(eventOf(observationOf({ metadata })).body["metadata"], {
      k: content.isJson ? JSON.parse(content.text) : content.text
    })
  })

  it("writes null where a field is to be cleared, and nothing where nothing was said", () => {
    const item = observationOf({ name: null, level: null, model: null })
    assert.deepStrictEqual(eventOf(item).body, { id: "o", name: null, level: null, model: null })
    const fields = Object.assign(new TraceFields(), {
      name: null,
      userId: null,
      sessionId: null,
      release: null,
      version: null
    })
    assert.deepStrictEqual(eventOf(Object.assign(new Trace("e", at, "t"), { fields })).body, {
      id: "t",
      name: null,
      userId: null,
      sessionId: null,
      release: null,
      version: null
    })
  })

  it("writes no number that is none in JSON", () => {
    for (const promptVersion of [NaN, Infinity, -Infinity]) {
      assert.isNull(eventOf(observationOf({ promptVersion })).body["promptVersion"])
    }
    assert.include(bodyOf([observationOf({ promptVersion: -0 })]), "\"promptVersion\":0}")
  })

  it("leaves what an observation says of its trace to the trace", () => {
    const context = Object.assign(new TraceFields(), { name: "trace", input: new Content("x", false) })
    assert.deepStrictEqual(eventOf(observationOf({ context })).body, { id: "o" })
  })

  it("says the type of an event that is an update as the endpoint has it", () => {
    const typeOf = (type: Observation["type"]) => eventOf(observationOf({ op: "update" }, type)).type
    assert.deepStrictEqual(types.map(typeOf), [
      "span-update",
      "generation-update",
      "event-create",
      "agent-create",
      "tool-create",
      "chain-create",
      "retriever-create",
      "evaluator-create",
      "embedding-create",
      "guardrail-create"
    ])
  })
})

/** Of 3.95.0 and 2.95.12, as recorded: any other type is answered with 400. */
const knownToOld = [
  "trace-create",
  "score-create",
  "event-create",
  "span-create",
  "span-update",
  "generation-create",
  "generation-update",
  "sdk-log",
  "observation-create",
  "observation-update"
]

describe("ingestionWire for servers before 3.98.2", () => {
  it.each(["3.95.0", "2.95.12"])("writes each type as one that %s takes", (version) => {
    const events = batchOf(types.map((type) => observationOf({ name: "n", start: at }, type)), dialectOf(version))
    const body = { id: "o", name: "n", startTime: "2026-02-03T04:05:06.789Z" }
    const noted = (type: string) => ({ ...body, metadata: { observationType: type } })
    assert.deepStrictEqual(events.map(({ body, type }) => [type, body]), [
      ["span-create", body],
      ["generation-create", body],
      ["event-create", body],
      ["span-create", noted("agent")],
      ["span-create", noted("tool")],
      ["span-create", noted("chain")],
      ["span-create", noted("retriever")],
      ["span-create", noted("evaluator")],
      ["generation-create", noted("embedding")],
      ["span-create", noted("guardrail")]
    ])
  })

  it.prop("writes nothing that such a server does not know, and changes nothing else", [
    FastCheck.oneof(observation, trace)
  ], ([item]) => {
    const event = eventOf(item, dialectOf("3.95.0"))
    assert.include(knownToOld, event.type)
    const { metadata, ...body } = event.body
    assert.deepStrictEqual(members(body), members(expectedBody(item)))
    const own = item.kind === "observation" ? item.metadata : item.fields.metadata
    const stored = new Map(isObject(metadata) ? members(metadata) : [])
    for (const [key, { isJson, text }] of own ?? []) {
      if (wellFormed(key) !== key) continue
      assert.deepStrictEqual(stored.get(key), isJson ? JSON.parse(text) : wellFormed(text))
    }
  }, fixed(300))

  it("keeps what such a server does not store of a span in the metadata", () => {
    const item = observationOf({
      model: "m",
      parameters: "{\"temperature\":1}",
      usage: "{\"input\":1,\"total\":1}",
      cost: "{\"total\":0.5}",
      promptName: "p",
      promptVersion: 3,
      metadata: new Map([["a", new Content("1", true)], ["observationType", new Content("mine", false)]])
    }, "agent")
    assert.deepStrictEqual(eventOf(item, dialectOf("3.95.0")).body["metadata"], {
      a: 1,
      observationType: "mine",
      model: "m",
      modelParameters: { temperature: 1 },
      usageDetails: { input: 1, total: 1 },
      costDetails: { total: 0.5 },
      promptName: "p",
      promptVersion: 3
    })
    // A generation has these fields there.
    assert.deepStrictEqual(
      eventOf(observationOf({ model: "m", usage: "{\"total\":1}" }, "embedding"), dialectOf("3.95.0")).body,
      {
        id: "o",
        model: "m",
        usageDetails: { total: 1 },
        metadata: { observationType: "embedding" }
      }
    )
  })

  it("writes scores, logs and types nobody knows as they are", () => {
    for (const type of ["score-create", "sdk-log", "dataset-run-item-create"]) {
      const item = new Plain("e", at, "p", type, "{\"a\":1}", undefined, [])
      assert.deepStrictEqual(eventOf(item, dialectOf("2.95.12")), {
        id: "e",
        type,
        timestamp: "2026-02-03T04:05:06.789Z",
        body: { a: 1 }
      })
    }
  })
})
