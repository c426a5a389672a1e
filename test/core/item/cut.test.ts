import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { complete } from "../../../src/core/item/complete.js"
import { contentOf, jsonOf, metadataOf } from "../../../src/core/item/content.js"
import { type Item, Observation, Plain, Trace, TraceFields } from "../../../src/core/item/item.js"
import { shortenJson, shortenText } from "../../../src/core/item/shorten.js"
import { byteLength, isWellFormed } from "../../../src/core/item/text.js"
import { Bytes } from "../../../src/core/wire/bytes.js"
import { dialectOf } from "../../../src/core/wire/dialect.js"
import { ingestionWire } from "../../../src/core/wire/ingestionWire.js"
import { policy } from "../../utils/policy.js"
import { runs } from "../../utils/properties.js"

const limit = 3000

interface Given {
  readonly [field: string]: unknown
  readonly input?: unknown
  readonly output?: unknown
  readonly metadata?: unknown
}

const wireSize = (item: Item): number => {
  const out = new Bytes(1000)
  ingestionWire(dialectOf(undefined)).write(out, item)
  return out.length
}

const observation = ({ input, metadata, output, ...rest }: Given, maxEventBytes = limit): Observation => {
  const given = policy({ maxEventBytes })
  const item = new Observation("event-1", 1_764_310_000_000, "g1", "create", "generation", false)
  item.traceId = "t1"
  item.start = 1_764_310_000_000
  item.usage = `{"input":1,"output":2,"total":3}`
  item.input = contentOf(input, given)
  item.output = contentOf(output, given)
  item.metadata = metadataOf(metadata, given)
  Object.assign(item, rest)
  complete(item, given)
  for (const content of [item.input, item.output, ...(item.metadata?.values() ?? [])]) {
    if (content?.isJson === true) JSON.parse(content.text)
    if (content !== undefined) assert.isTrue(isWellFormed(content.text))
  }
  return item
}

/** Within the bound, with all that is needed to store it. */
const fits = (given: Given, maxEventBytes = limit): Observation => {
  const item = observation(given, maxEventBytes)
  assert.isAtMost(wireSize(item), maxEventBytes)
  assert.deepStrictEqual([item.id, item.traceId, item.start, item.usage], [
    "g1",
    "t1",
    1_764_310_000_000,
    `{"input":1,"output":2,"total":3}`
  ])
  return item
}

const note = /\.\.\.<cut \d+ of \d+ characters: maxEventBytes is 3000>$/

interface Message {
  readonly role: string
  readonly content: string
}

const messages = (count: number, length: number): ReadonlyArray<Message> =>
  Array.from({ length: count }, (_, i) => ({
    role: i === 0 ? "system" : i % 2 === 1 ? "user" : "assistant",
    content: `message ${i} `.padEnd(length, "x")
  }))

describe("cut", () => {
  it("leaves an event that fits as it is", () => {
    const input = { a: "x".repeat(1000), b: ["y".repeat(1000)] }
    const item = fits({ input, output: "é".repeat(200) })
    assert.strictEqual(item.input?.text, JSON.stringify(input))
    assert.strictEqual(item.output?.text, "é".repeat(200))
  })

  it("keeps the beginning of a text, and says how much is missing", () => {
    const input = "line \"one\"\n".repeat(1000)
    const item = fits({ input, output: "short", metadata: { a: 1 } })
    const [, beginning = "", cut, total] =
      /^([^]*)\.\.\.<cut (\d+) of (\d+) characters: maxEventBytes is 3000>$/.exec(item.input?.text ?? "") ?? []
    assert.isTrue(input.startsWith(beginning))
    assert.strictEqual(Number(total), input.length)
    assert.strictEqual(Number(cut), input.length - beginning.length)
    assert.isAbove(beginning.length, 1500)
    assert.strictEqual(item.output?.text, "short")
    assert.isFalse(item.input?.isJson)
  })

  it("shortens the longest texts of a conversation, and keeps structure, roles and the last messages", () => {
    const given = [...messages(4, 2000), { role: "user", content: "and now?" }]
    const item = fits({ input: { messages: given, model: "m", n: [1, true, null] } })
    const sent = JSON.parse(item.input?.text ?? "") as {
      readonly messages: ReadonlyArray<Message>
      readonly n: unknown
    }
    assert.deepStrictEqual(sent.messages.map(({ role }) => role), given.map(({ role }) => role))
    assert.strictEqual(sent.messages[4]?.content, "and now?")
    assert.deepStrictEqual(sent.n, [1, true, null])
    for (const [i, { content }] of sent.messages.slice(0, 4).entries()) {
      assert.match(content, note)
      assert.isTrue(content.startsWith(`message ${i} `))
    }
  })

  it("keeps JSON that arrives as a text, however deep", () => {
    const given = [...messages(4, 2000), { role: "user", content: "and \"now\"?\n" }]
    const text = JSON.stringify(given)
    const read = (json: unknown): ReadonlyArray<Message> => JSON.parse(String(json)) as ReadonlyArray<Message>
    const holds = (json: unknown) => {
      const sent = read(json)
      assert.deepStrictEqual(sent.map(({ role }) => role), given.map(({ role }) => role))
      assert.strictEqual(sent.at(-1)?.content, "and \"now\"?\n")
      assert.match(sent[0]?.content ?? "", note)
    }
    const own = fits({ input: text, output: ` \n${text}` })
    assert.isFalse(own.input?.isJson)
    holds(own.input?.text)
    holds(own.output?.text)
    holds(fits({ metadata: { "gen_ai.input.messages": text } }).metadata?.get("gen_ai.input.messages")?.text)
    const call = fits({ input: [{ role: "assistant", tool_calls: [{ function: { arguments: text } }] }] })
    const [message] = JSON.parse(call.input?.text ?? "") as ReadonlyArray<
      { readonly tool_calls: ReadonlyArray<{ readonly function: { readonly arguments: string } }> }
    >
    holds(message?.tool_calls[0]?.function.arguments)
    const twice = fits({ input: JSON.stringify({ text }) })
    holds((JSON.parse(twice.input?.text ?? "") as { readonly text: string }).text)
  })

  it("of what only looks like JSON the beginning stays", () => {
    for (const input of [`[info] ${"x".repeat(9000)}`, `{${"y".repeat(9000)}`, `["${"z".repeat(9000)}`]) {
      assert.match(fits({ input }).input?.text ?? "", note)
    }
  })

  it("leaves out the middle of a list only where shorter texts are not enough", () => {
    const item = fits({ input: messages(500, 100) })
    const sent = JSON.parse(item.input?.text ?? "") as ReadonlyArray<Message | string>
    assert.deepStrictEqual(sent[0], messages(1, 100)[0])
    assert.deepStrictEqual(sent.at(-1), messages(500, 100)[499])
    assert.strictEqual(sent.filter((item) => typeof item === "string").length, 1)
    assert.isAbove(sent.length, 8)
  })

  it("cuts the largest field first, then both", () => {
    const both = fits({ input: "i".repeat(9000), output: { o: "o".repeat(9000) }, metadata: "m" })
    assert.isBelow(Math.abs((both.input?.text.length ?? 0) - (both.output?.text.length ?? 0)), 10)
    const one = fits({ input: "i".repeat(9000), output: "o".repeat(900) })
    assert.strictEqual(one.output?.text, "o".repeat(900))
  })

  it("keeps the keys of metadata, and its small values whole", () => {
    const { metadata } = fits({
      metadata: { small: 1, list: [1, 2], big: "b".repeat(9000), bigger: ["c".repeat(20_000)], last: "z" }
    })
    assert.deepStrictEqual(Array.from(metadata?.keys() ?? []), ["small", "list", "big", "bigger", "last"])
    assert.strictEqual(metadata?.get("small")?.text, "1")
    assert.strictEqual(metadata?.get("last")?.text, "z")
    assert.match(metadata?.get("big")?.text ?? "", /^b+\.\.\.<cut/)
    assert.match((JSON.parse(metadata?.get("bigger")?.text ?? "") as ReadonlyArray<string>)[0] ?? "", /^c+\.\.\.<cut/)
  })

  it("of metadata with too many keys the first and the last stay, and it says so", () => {
    const { metadata } = fits({ metadata: Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`key${i}`, i])) })
    assert.strictEqual(metadata?.get("key0")?.text, "0")
    assert.isTrue(metadata?.has("key4999") === true || metadata?.has("<cut>"))
    assert.match(metadata?.get("<cut>")?.text ?? "", /properties/)
    assert.isAbove(metadata?.size ?? 0, 50)
  })

  it("cuts messages, names and other texts, never ids, times, model parameters' numbers or usage", () => {
    const long = "n".repeat(5000)
    const item = fits({
      name: long,
      statusMessage: "é".repeat(5000),
      version: long,
      model: long,
      parameters: JSON.stringify({ stop: long, temperature: 0.5 }),
      extra: `,"other":${JSON.stringify({ a: long, b: 1 })}`,
      input: long,
      output: long,
      metadata: { long }
    })
    for (const text of [item.name, item.statusMessage, item.version, item.model, item.input?.text]) {
      assert.match(text ?? "", /<cut \d+ of 5000/)
    }
    assert.strictEqual((JSON.parse(item.parameters ?? "") as { readonly temperature: number }).temperature, 0.5)
    assert.strictEqual(
      (JSON.parse(`{${item.extra.slice(1)}}`) as { readonly other: { readonly b: number } }).other.b,
      1
    )
    assert.strictEqual(observation({ id: "i".repeat(5000) }).id.length, 5000)
  })

  it("bounds the trace context for itself", () => {
    const context = new TraceFields()
    context.userId = "u"
    context.name = "n"
    context.input = contentOf("i".repeat(9000), policy())
    context.metadata = metadataOf({ a: "m".repeat(9000), b: 1 }, policy())
    context.tags = Array.from({ length: 200 }, (_, i) => `tag number ${i}`)
    const item = fits({ input: "whole", context })
    assert.strictEqual(item.input?.text, "whole")
    assert.match(context.input?.text ?? "", note)
    assert.strictEqual(context.metadata?.get("b")?.text, "1")
    assert.isAbove(context.tags.length, 10)
    assert.match(context.tags.at(-1) ?? "", /<cut \d+ of 200 tags/)
    const trace = new Trace("e", 0, "t")
    trace.fields = context
    assert.isAtMost(wireSize(complete(trace, policy({ maxEventBytes: limit }))), limit)
  })

  it("cuts scores, logs and what it does not know", () => {
    const plain = (type: string, body: unknown) => {
      const item = complete(
        new Plain("e", 0, "s", type, jsonOf(body, policy()), undefined, []),
        policy({ maxEventBytes: limit })
      )
      assert.isAtMost(wireSize(item), limit)
      return JSON.parse(item.body) as Readonly<Record<string, string>>
    }
    const score = plain("score-create", {
      id: "s",
      name: "n",
      traceId: "t",
      value: "v".repeat(5000),
      dataType: "CORRECTION",
      comment: "c".repeat(5000)
    })
    assert.match(score["value"] ?? "", /^v+\.\.\.<cut/)
    assert.match(score["comment"] ?? "", /^c+\.\.\.<cut/)
    assert.deepStrictEqual([score["id"], score["traceId"], score["dataType"]], ["s", "t", "CORRECTION"])
    assert.match(JSON.stringify(plain("sdk-log", { log: { text: "l".repeat(9000) } })), /l+\.\.\.<cut/)
    assert.match(JSON.stringify(plain("new-create", { id: "x", some: ["l".repeat(9000)] })), /l+\.\.\.<cut/)
  })

  it("a huge value costs in proportion to what may be sent", () => {
    let shared: unknown = {}
    for (let i = 0; i < 41; i++) shared = { a: shared, b: shared }
    const values: ReadonlyArray<unknown> = [
      Array.from({ length: 4_000_000 }, (_, i) => i),
      shared,
      { list: [new Set(Array.from({ length: 1_000_000 }, (_, i) => i))] },
      messages(100_000, 20),
      "x".repeat(20_000_000),
      ["x".repeat(20_000_000)],
      [1n, "x".repeat(20_000_000)]
    ]
    for (const value of values) {
      fits({ input: value }, 10_000)
      const start = process.cpuUsage()
      fits({ input: value, metadata: { value } }, 10_000)
      const { system, user } = process.cpuUsage(start)
      // A few milliseconds; in microseconds, with room for the machine's other work.
      assert.isBelow(user + system, 250_000)
    }
  })

  it("keeps no part of a text that was cut in memory", () => {
    const text = shortenText("x".repeat(1_000_000), 500, limit)
    assert.isAtMost(byteLength(JSON.stringify(text)), 500)
  })

  it("does not split characters or escape sequences", () => {
    for (const unit of ["😀", "é終", "\\", "\"", "\u0001", "a\\\"\n😀"]) {
      for (let shift = 0; shift < 12; shift++) {
        const input = "x".repeat(shift) + unit.repeat(3000)
        for (const value of [input, [input]]) {
          const text = fits({ input: value }).input?.text ?? ""
          const sent = typeof value === "string" ? text : (JSON.parse(text) as ReadonlyArray<string>)[0] ?? ""
          assert.isTrue(input.startsWith(sent.slice(0, sent.lastIndexOf("...<cut"))))
        }
      }
    }
  })

  describe("for any value", () => {
    const text = FastCheck.oneof(
      FastCheck.string({ unit: "binary", maxLength: 400 }),
      FastCheck.tuple(
        FastCheck.constantFrom("x", "é", "終", "😀", "\"", "\\", "\u0001"),
        FastCheck.integer({ min: 0, max: 3000 })
      )
        .map(([unit, count]) => unit.repeat(count))
    )
    const { value } = FastCheck.letrec<{ readonly value: unknown }>((tie) => ({
      value: FastCheck.oneof(
        { maxDepth: 4 },
        text,
        FastCheck.jsonValue(),
        FastCheck.array(FastCheck.integer(), { maxLength: 2000, size: "max" }),
        FastCheck.array(tie("value"), { maxLength: 20 }),
        FastCheck.dictionary(FastCheck.string({ maxLength: 40 }), tie("value"), { maxKeys: 20 })
      )
    }))

    it.prop(
      "what is shortened parses, is within its bound and stays an object or a list",
      [value, FastCheck.integer({ min: 130, max: 4000 })],
      ([given, bound]) => {
        const json = JSON.stringify(given)
        const cut = shortenJson(json, bound, bound)
        const parsed: unknown = JSON.parse(cut)
        if (byteLength(json) <= bound) return assert.strictEqual(cut, json)
        assert.isAtMost(byteLength(cut), bound)
        assert.strictEqual(Array.isArray(parsed), Array.isArray(given))
        assert.strictEqual(typeof parsed === "object", typeof given === "object")
      },
      runs(300)
    )

    it.prop(
      "every event is within its bound",
      [value, value, value, FastCheck.integer({ min: 2500, max: 20_000 })],
      ([input, output, metadata, bound]) => {
        fits({ input, output, metadata, name: "n" }, bound)
      },
      runs(200)
    )
  })
})
