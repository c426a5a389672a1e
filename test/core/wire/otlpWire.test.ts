import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { createHash } from "node:crypto"
import { Content, Observation, Trace, TraceFields } from "../../../src/core/item/item.js"
import { Bytes } from "../../../src/core/wire/bytes.js"
import { otlpWire } from "../../../src/core/wire/otlpWire.js"
import { toIso } from "../../../src/core/wire/time.js"
import { version } from "../../../src/internal/version.js"
import { fixed, observation, trace, wellFormed } from "./support/items.js"
import type { Export, Span } from "./support/otlp.js"
import { readExport } from "./support/otlp.js"

const at = Date.parse("2026-02-03T04:05:06.789Z")
const traceId = "0af7651916cd43dd8448eb211c80319c"
const spanId = "b7ad6b7169203331"

const bytesOf = (items: ReadonlyArray<Observation | Trace>, serviceName?: string): Uint8Array => {
  const out = new Bytes(16)
  const wire = otlpWire({ serviceName })
  wire.begin(out)
  for (const item of items) wire.write(out, item)
  wire.end(out)
  return out.view()
}

const exportOf = (items: ReadonlyArray<Observation | Trace>, serviceName?: string): Export =>
  readExport(bytesOf(items, serviceName))

const spanOf = (item: Observation | Trace): Span => {
  const [span] = exportOf([item]).spans
  assert.isDefined(span)
  return span
}

const observationOf = (given: Partial<Observation>, type: Observation["type"] = "span"): Observation =>
  Object.assign(new Observation("e", at, spanId, "create", type, true), { traceId }, given)

const traceOf = (given: Partial<TraceFields>, id = traceId): Trace =>
  Object.assign(new Trace("e", at, id), { fields: Object.assign(new TraceFields(), given) })

const attributesOf = (item: Observation | Trace) => Object.fromEntries(spanOf(item).attributes)

const metadataOf = (item: Observation | Trace) => {
  const prefix = "langfuse.observation.metadata."
  return Object.fromEntries(
    Array.from(spanOf(item).attributes).flatMap(([key, value]) =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : []
    )
  )
}

// -------------------------------------------------------------------------------------
// what is meant
// -------------------------------------------------------------------------------------

const sha = (text: string, length: number): string => createHash("sha256").update(text).digest("hex").slice(0, length)

const idOf = (id: string, length: number): string =>
  new RegExp(`^[0-9a-f]{${length}}$`).test(id) && /[1-9a-f]/.test(id) ? id : sha(id, length)

const lastNano = 2n ** 64n - 1n

const nanosOf = (millis: number): bigint => {
  if (!(millis >= 1e-6)) return 1n
  if (millis > 2e13) return lastNano
  const whole = Math.floor(millis)
  const nanos = BigInt(whole) * 1_000_000n + BigInt(Math.floor((millis - whole) * 1e6))
  return nanos > lastNano ? lastNano : nanos
}

const isBeyond = (millis: number): boolean => millis < 0 || millis >= 18_446_744_073_709.55

const nameOf = (name: string | null | undefined): string => {
  if (name === null || name === undefined) return ""
  const cut = name.slice(0, 1000)
  return name.length > 1000 && /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut
}

const levels: { readonly [level: string]: string } = {
  DEBUG: "DEBUG",
  TRACE: "DEBUG",
  VERBOSE: "DEBUG",
  DEFAULT: "DEFAULT",
  WARNING: "WARNING",
  WARN: "WARNING",
  ERROR: "ERROR",
  FATAL: "ERROR",
  CRITICAL: "ERROR"
}

/** The attributes that are meant, in any order. */
class Expected {
  readonly attributes = new Map<string, unknown>()
  private readonly own: ReadonlyMap<string, Content> | undefined

  constructor(own: ReadonlyMap<string, Content> | undefined) {
    this.own = own
  }

  set(name: string, value: unknown): void {
    if (value === undefined || value === null || value === "") return
    this.attributes.set(name, typeof value === "string" ? wellFormed(value) : value)
  }

  content(name: string, value: Content | undefined): void {
    this.set(name, value?.text === "" ? "\"\"" : value?.text)
  }

  entry(prefix: string, key: string, { text }: Content): void {
    if (key === "") this.attributes.set(prefix.slice(0, -1), wellFormed(JSON.stringify({ "": text })))
    else this.attributes.set(wellFormed(`${prefix}${key}`), wellFormed(text))
  }

  note(name: string, given: string | undefined, sent: string | undefined): void {
    if (given !== sent && this.own?.has(name) !== true) this.set(`langfuse.observation.metadata.${name}`, given)
  }

  time(name: string, millis: number): void {
    if (isBeyond(millis)) this.note(name, toIso(millis), undefined)
  }

  fields(fields: TraceFields, own: ReadonlyMap<string, Content> | undefined): void {
    this.set("langfuse.trace.name", nameOf(fields.name))
    this.note("originalTraceName", fields.name ?? "", nameOf(fields.name))
    this.set("user.id", fields.userId)
    this.set("session.id", fields.sessionId)
    this.set("langfuse.release", fields.release)
    if (fields.tags !== undefined && fields.tags.length > 0) {
      this.set("langfuse.trace.tags", fields.tags.map((tag) => wellFormed(tag)))
    }
    if (fields.isPublic === true) this.set("langfuse.trace.public", true)
    if (fields.isAppRoot) this.set("langfuse.internal.is_app_root", true)
    for (const [key, value] of fields.metadata ?? []) {
      if (own?.has(key) !== true) this.entry("langfuse.trace.metadata.", key, value)
    }
  }
}

const expectedObservation = (item: Observation): Span => {
  const expected = new Expected(item.metadata)
  const givenTrace = item.traceId ?? item.id
  const start = item.start ?? item.at
  const end = Math.max(start, item.end ?? start)
  const level = item.level ? levels[item.level.trim().toUpperCase()] ?? "DEFAULT" : ""
  const { promptName, promptVersion } = item
  expected.note("originalTraceId", givenTrace, idOf(givenTrace, 32))
  expected.note("originalId", item.id, idOf(item.id, 16))
  if (item.parentId !== undefined) {
    expected.note("originalParentObservationId", item.parentId, idOf(item.parentId, 16))
  }
  expected.note("originalName", item.name ?? "", nameOf(item.name))
  expected.time("originalStartTime", start)
  expected.time("originalEndTime", end)
  expected.set("langfuse.observation.type", item.type)
  expected.content("langfuse.observation.input", item.input)
  expected.content("langfuse.observation.output", item.output)
  expected.set("langfuse.observation.level", level)
  expected.note("originalLevel", item.level ?? "", level)
  expected.set("langfuse.observation.status_message", item.statusMessage)
  expected.set("langfuse.observation.model.name", item.model)
  expected.set("langfuse.observation.model.parameters", item.parameters)
  expected.set("langfuse.observation.usage_details", item.usage)
  expected.set("langfuse.observation.cost_details", item.cost)
  if (item.completionStart !== undefined) {
    expected.set("langfuse.observation.completion_start_time", toIso(item.completionStart))
  }
  if (
    item.type === "generation" && promptName && Number.isInteger(promptVersion) && Number(promptVersion) > 0 &&
    Number(promptVersion) < 65_536
  ) {
    expected.set("langfuse.observation.prompt.name", promptName)
    expected.set("langfuse.observation.prompt.version", promptVersion)
  } else {
    expected.note("originalPromptName", promptName ?? "", "")
    expected.note(
      "originalPromptVersion",
      promptVersion ? String(promptVersion) : Object.is(promptVersion, NaN) ? "NaN" : "",
      ""
    )
  }
  expected.set("langfuse.environment", item.environment ?? item.context?.environment)
  expected.set("langfuse.version", item.version ?? item.context?.version)
  for (const [key, value] of item.metadata ?? []) expected.entry("langfuse.observation.metadata.", key, value)
  if (item.context !== undefined) expected.fields(item.context, item.metadata)
  return {
    traceId: idOf(givenTrace, 32),
    spanId: idOf(item.id, 16),
    parentSpanId: item.parentId === undefined ? undefined : idOf(item.parentId, 16),
    name: wellFormed(nameOf(item.name)),
    start: nanosOf(start),
    end: nanosOf(end),
    attributes: expected.attributes as Span["attributes"],
    status: level === "ERROR" ? { code: 2, message: wellFormed(item.statusMessage ?? "") } : undefined
  }
}

const expectedTrace = ({ at, fields, id }: Trace): Span => {
  const expected = new Expected(fields.metadata)
  const start = fields.start ?? at
  expected.note("originalTraceId", id, idOf(id, 32))
  expected.time("originalTimestamp", start)
  expected.set("langfuse.observation.type", "span")
  expected.content("langfuse.observation.input", fields.input)
  expected.content("langfuse.observation.output", fields.output)
  expected.set("langfuse.environment", fields.environment)
  expected.set("langfuse.version", fields.version)
  expected.fields(fields, undefined)
  return {
    traceId: idOf(id, 32),
    spanId: sha(`root of ${idOf(id, 32)}`, 16),
    parentSpanId: undefined,
    name: wellFormed(nameOf(fields.name) || "trace"),
    start: nanosOf(start),
    end: nanosOf(start),
    attributes: expected.attributes as Span["attributes"],
    status: undefined
  }
}

const sorted = ({ attributes, ...span }: Span) => ({
  ...span,
  attributes: Array.from(attributes).sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0)
})

/** Keys that are the same once they are UTF-8. */
const hasTwins = (item: Observation | Trace): boolean =>
  (item.kind === "trace" ? [item.fields.metadata] : [item.metadata, item.context?.metadata]).some((metadata) => {
    const keys = Array.from(metadata?.keys() ?? [], (key) => wellFormed(key))
    return new Set(keys).size < keys.length
  })

const item = FastCheck.oneof(observation, trace).filter((item) => !hasTwins(item))

describe("otlpWire", () => {
  it.prop("writes protobuf that says what the items say", [FastCheck.array(item, { maxLength: 4 })], ([items]) => {
    const { spans } = exportOf(items)
    assert.strictEqual(spans.length, items.length)
    for (const [index, item] of items.entries()) {
      const span = spans[index]
      assert.isDefined(span)
      const expected = item.kind === "trace" ? expectedTrace(item) : expectedObservation(item)
      assert.deepStrictEqual(sorted(span), sorted(expected))
    }
  }, fixed(500))

  it.prop("can be rewound to the span before", [observation, observation, trace], ([first, second, third]) => {
    const out = new Bytes(0)
    const wire = otlpWire({ serviceName: undefined })
    wire.begin(out)
    wire.write(out, first)
    const mark = out.mark()
    wire.write(out, second)
    out.rewind(mark)
    wire.write(out, third)
    wire.end(out)
    const expected = new Bytes(0)
    wire.begin(expected)
    wire.write(expected, first)
    wire.write(expected, third)
    wire.end(expected)
    assert.deepStrictEqual(out.view(), expected.view())
  }, fixed(50))

  it("says who it is", () => {
    const empty = exportOf([])
    assert.deepStrictEqual(empty.spans, [])
    // With another beginning of this name Langfuse copies every attribute into the metadata.
    assert.match(empty.scope.name, /^langfuse-sdk/)
    assert.strictEqual(empty.scope.version, version)
    const about = {
      "telemetry.sdk.name": "effect-langfuse",
      "telemetry.sdk.language": "javascript",
      "telemetry.sdk.version": version
    }
    assert.deepStrictEqual(Object.fromEntries(empty.resource), about)
    assert.deepStrictEqual(Object.fromEntries(exportOf([], "checkout").resource), {
      ...about,
      "service.name": "checkout"
    })
    assert.deepStrictEqual(Object.fromEntries(exportOf([], "").resource), about)
  })

  it("writes 1 MB in one text, and 200 keys of metadata", () => {
    for (const unit of ["a", "é", "語", "\u{1f600}", "\ud83d"]) {
      const text = unit.repeat(1_000_000)
      const span = spanOf(observationOf({ input: new Content(text, false), statusMessage: text }))
      assert.isTrue(span.attributes.get("langfuse.observation.input") === wellFormed(text), unit)
      assert.isTrue(span.attributes.get("langfuse.observation.status_message") === wellFormed(text), unit)
    }
    const keys = Array.from({ length: 200 }, (_, n) => [`key ${n}`, new Content(String(n), true)] as const)
    assert.deepStrictEqual(
      metadataOf(observationOf({ metadata: new Map(keys) })),
      Object.fromEntries(keys.map(([key, { text }]) => [key, text]))
    )
  })

  it("writes texts around the lengths whose lengths take one byte more", () => {
    for (const unit of ["a", "é", "語", "\u{1f600}"]) {
      for (let length = 0; length < 140; length++) {
        const text = unit.repeat(length)
        const span = spanOf(observationOf({ name: text, model: text }))
        assert.strictEqual(span.name, text)
        assert.strictEqual(span.attributes.get("langfuse.observation.model.name"), length === 0 ? undefined : text)
      }
    }
  })

  // As falsy.ndjson has it: a v3 server takes an empty text for none, and shows that of two quotes as an empty one.
  it.each([
    [new Content("false", true), "false"],
    [new Content("0", true), "0"],
    [new Content("", false), "\"\""],
    [new Content("null", true), "null"],
    [new Content("[]", true), "[]"],
    [new Content("{\"a\":1}", true), "{\"a\":1}"],
    [new Content("text", false), "text"]
  ])("writes content as the text it is: %j", (content, expected) => {
    const attributes = attributesOf(observationOf({ input: content, output: content }))
    assert.strictEqual(attributes["langfuse.observation.input"], expected)
    assert.strictEqual(attributes["langfuse.observation.output"], expected)
    const ofTrace = attributesOf(traceOf({ input: content, output: content }))
    assert.strictEqual(ofTrace["langfuse.observation.input"], expected)
    assert.strictEqual(ofTrace["langfuse.observation.output"], expected)
    assert.deepStrictEqual(metadataOf(observationOf({ metadata: new Map([["k", content]]) })), { k: content.text })
  })

  it("writes nothing for what is empty or cleared", () => {
    const nothing = {
      name: null,
      level: null,
      statusMessage: "",
      model: null,
      version: null,
      promptName: null,
      promptVersion: null,
      metadata: new Map(),
      context: Object.assign(new TraceFields(), { name: null, userId: null, tags: [], isPublic: false })
    }
    const span = spanOf(observationOf(nothing))
    assert.deepStrictEqual(Object.fromEntries(span.attributes), { "langfuse.observation.type": "span" })
    assert.strictEqual(span.name, "")
    assert.isUndefined(span.status)
  })

  it("writes times that eight bytes cannot say as the nearest, and as they are in the metadata", () => {
    const span = spanOf(observationOf({ start: -1, end: 253_402_300_799_999 }))
    assert.strictEqual(span.start, 1n)
    assert.strictEqual(span.end, lastNano)
    assert.deepStrictEqual(metadataOf(observationOf({ start: -1, end: 253_402_300_799_999 })), {
      originalStartTime: "1969-12-31T23:59:59.999Z",
      originalEndTime: "9999-12-31T23:59:59.999Z"
    })
    assert.deepStrictEqual(metadataOf(traceOf({ start: -86_400_000 })), {
      originalTimestamp: "1969-12-31T00:00:00.000Z"
    })
    // The first and the last of those that it can.
    for (
      const [millis, nanos] of [[0, 1n], [1, 1_000_000n], [18_446_744_073_709, 18_446_744_073_709_000_000n]] as const
    ) {
      const item = observationOf({ start: millis, end: millis })
      assert.strictEqual(spanOf(item).start, nanos)
      assert.deepStrictEqual(metadataOf(item), {})
    }
  })

  it("writes no end before the start", () => {
    const span = spanOf(observationOf({ start: at, end: at - 1 }))
    assert.strictEqual(span.end, span.start)
    const open = spanOf(observationOf({}))
    assert.deepStrictEqual([open.start, open.end], [BigInt(at) * 1_000_000n, BigInt(at) * 1_000_000n])
  })

  it("writes a level that Langfuse does not take as the nearest, with a note", () => {
    for (
      const [given, sent] of [
        ["error", "ERROR"],
        [" warn ", "WARNING"],
        ["fatal", "ERROR"],
        ["trace", "DEBUG"],
        ["info", "DEFAULT"],
        ["loud", "DEFAULT"]
      ] as const
    ) {
      const item = observationOf({ level: given })
      assert.strictEqual(attributesOf(item)["langfuse.observation.level"], sent)
      assert.deepStrictEqual(metadataOf(item), { originalLevel: given })
    }
    for (const level of ["DEBUG", "DEFAULT", "WARNING", "ERROR"]) {
      const item = observationOf({ level })
      assert.strictEqual(attributesOf(item)["langfuse.observation.level"], level)
      assert.deepStrictEqual(metadataOf(item), {})
    }
  })

  it("writes a name that is too long as its beginning, with a note", () => {
    const name = `${"n".repeat(999)}\u{1f600}`
    const item = observationOf({ name, context: Object.assign(new TraceFields(), { name }) })
    assert.strictEqual(spanOf(item).name, "n".repeat(999))
    assert.strictEqual(attributesOf(item)["langfuse.trace.name"], "n".repeat(999))
    assert.deepStrictEqual(metadataOf(item), { originalName: name, originalTraceName: name })
    assert.deepStrictEqual(metadataOf(traceOf({ name })), { originalTraceName: name })
  })

  it("links a prompt by name and version, and notes what is no link", () => {
    const linked = attributesOf(observationOf({ promptName: "p", promptVersion: 3 }, "generation"))
    assert.strictEqual(linked["langfuse.observation.prompt.name"], "p")
    assert.strictEqual(linked["langfuse.observation.prompt.version"], 3)
    for (const promptVersion of [undefined, null, 0, 1.5, -1, 65_536, NaN]) {
      const attributes = attributesOf(observationOf({ promptName: "p", promptVersion }, "generation"))
      assert.notProperty(attributes, "langfuse.observation.prompt.name")
      assert.notProperty(attributes, "langfuse.observation.prompt.version")
      assert.strictEqual(attributes["langfuse.observation.metadata.originalPromptName"], "p")
    }
    assert.deepStrictEqual(metadataOf(observationOf({ promptVersion: 3 }, "generation")), {
      originalPromptVersion: "3"
    })
    // The server reads prompts of generations only.
    assert.deepStrictEqual(metadataOf(observationOf({ promptName: "p", promptVersion: 3 }, "agent")), {
      originalPromptName: "p",
      originalPromptVersion: "3"
    })
  })

  it("leaves a note out where the program has metadata of that name", () => {
    const metadata = new Map([["originalId", new Content("mine", false)]])
    assert.deepStrictEqual(metadataOf(observationOf({ id: "not hex", metadata })), { originalId: "mine" })
  })

  it("leaves input and output of the trace to the trace", () => {
    const context = Object.assign(new TraceFields(), {
      input: new Content("x", false),
      output: new Content("y", false)
    })
    assert.deepStrictEqual(attributesOf(observationOf({ context })), { "langfuse.observation.type": "span" })
  })
})
