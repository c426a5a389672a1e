import { assert, describe, it } from "@effect/vitest"
import { FastCheck, Redacted } from "effect"
import { complete } from "../../../src/core/item/complete.js"
import { contentOf, jsonOf, metadataOf } from "../../../src/core/item/content.js"
import { type Item, type Metadata, Observation, Plain, Trace, TraceFields } from "../../../src/core/item/item.js"
import type { Mask, MaskContext } from "../../../src/core/item/mask.js"
import type { Policy } from "../../../src/core/item/policy.js"
import { policy } from "../../utils/policy.js"
import { runs } from "../../utils/properties.js"

const secret = "s3cr3t"

const plainFields = (metadata: Metadata | undefined) =>
  metadata &&
  Object.fromEntries(
    Array.from(metadata, ([key, { isJson, text }]) => [key, isJson ? JSON.parse(text) as unknown : text])
  )

interface Given {
  readonly input?: unknown
  readonly output?: unknown
  readonly metadata?: unknown
  readonly statusMessage?: string
  readonly parameters?: string
  readonly extra?: string
  readonly context?: {
    readonly input?: unknown
    readonly output?: unknown
    readonly metadata?: unknown
    readonly name?: string
  }
}

const fill = (target: Observation | TraceFields, { input, metadata, output }: Given): void => {
  target.input = contentOf(input, policy())
  target.output = contentOf(output, policy())
  target.metadata = metadataOf(metadata, policy())
}

const observation = (given: Given): Observation => {
  const item = new Observation("e", 0, "g1", "create", "generation", false)
  item.traceId = "t1"
  item.name = "n"
  item.model = "m"
  item.statusMessage = given.statusMessage
  item.parameters = given.parameters
  item.extra = given.extra ?? ""
  fill(item, given)
  if (given.context !== undefined) {
    item.context = new TraceFields()
    item.context.name = given.context.name
    fill(item.context, given.context)
  }
  return item
}

const trace = (given: Given): Trace => {
  const item = new Trace("e", 0, "t9")
  fill(item.fields, given)
  item.extra = given.extra ?? ""
  return item
}

const plain = (type: string, body: unknown): Plain => new Plain("e", 0, "p", type, jsonOf(body, policy()), "t2", [])

const masked = <A extends Item>(item: A, mask: Mask, more: Partial<Policy> = {}): A =>
  complete(item, policy({ mask, ...more }))

const body = (item: Plain) => JSON.parse(item.body) as Record<string, unknown>

/** What the mask is shown, by field. */
const seen = (item: Item) => {
  const calls: Array<readonly [unknown, MaskContext]> = []
  masked(item, (value, context) => {
    calls.push([value, context])
    return value
  })
  return { contexts: calls.map(([, context]) => context), fields: calls.map(([value, { field }]) => [field, value]) }
}

describe("mask", () => {
  it("sees each value that leaves, once, and what it is of", () => {
    const { contexts, fields } = seen(observation({
      input: "i",
      output: ["o"],
      metadata: { m: 1, text: "x" },
      statusMessage: "s",
      parameters: `{"stop":"x"}`,
      extra: `,"comment":"c","other":{"a":1},"__proto__":"p","none":null`,
      context: { name: "n", input: 1, output: 2, metadata: { c: 3 } }
    }))
    assert.deepStrictEqual(fields, [
      ["input", "i"],
      ["output", ["o"]],
      ["metadata", { m: 1, text: "x" }],
      ["statusMessage", "s"],
      ["modelParameters", { stop: "x" }],
      ["input", 1],
      ["output", 2],
      ["metadata", { c: 3 }],
      ["comment", "c"],
      ["metadata", { a: 1 }],
      ["metadata", "p"]
    ])
    for (const context of contexts) assert.deepInclude(context, { type: "generation-create", traceId: "t1" })
  })

  it("of traces, scores, logs and types that are not known", () => {
    const traced = seen(trace({ input: "i", metadata: { a: 1 }, extra: `,"x":1` }))
    assert.deepStrictEqual(traced.fields, [["input", "i"], ["metadata", { a: 1 }], ["metadata", 1]])
    assert.deepStrictEqual(traced.contexts[0], { field: "input", type: "trace-create", traceId: "t9" })
    const score = (value: unknown, dataType?: string) =>
      seen(plain("score-create", { id: "s", name: "n", value, dataType })).fields
    assert.deepStrictEqual(score("free", "TEXT"), [["value", "free"]])
    assert.deepStrictEqual(score("free", "CORRECTION"), [["value", "free"]])
    assert.deepStrictEqual(score("free", "text"), [["value", "free"]])
    for (
      const [value, kind] of [["good", "CATEGORICAL"], ["good", undefined], [0.5, "NUMERIC"], [1, "TEXT"], [
        true,
        "TEXT"
      ]] as const
    ) {
      assert.deepStrictEqual(score(value, kind), [])
    }
    assert.deepStrictEqual(
      seen(plain("score-create", { id: "s", value: 1, comment: "c", metadata: { m: 1 } })).fields,
      [
        ["comment", "c"],
        ["metadata", { m: 1 }]
      ]
    )
    assert.deepStrictEqual(seen(plain("sdk-log", { log: { l: 1 } })).fields, [["log", { l: 1 }]])
    assert.deepStrictEqual(
      seen(plain("new-create", { id: "x", input: "i", value: "v", prompt: "p", name: "n" })).fields,
      [
        ["input", "i"],
        ["metadata", "v"],
        ["metadata", "p"]
      ]
    )
  })

  it("is not asked where there is nothing, and nothing is parsed without one", () => {
    assert.deepStrictEqual(seen(observation({})).fields, [])
    const parse = JSON.parse
    let calls = 0
    JSON.parse = (...args: Parameters<typeof parse>) => {
      calls++
      return parse(...args) as unknown
    }
    try {
      complete(observation({ input: { a: 1 }, metadata: { b: [1] }, extra: `,"x":1`, parameters: "{}" }), policy())
      complete(plain("score-create", { id: "s", value: "v", dataType: "TEXT" }), policy())
    } finally {
      JSON.parse = parse
    }
    assert.strictEqual(calls, 0)
  })

  it("gets values as they would be sent, which are not the program's", () => {
    const input = { key: Redacted.make(secret), authorization: secret, at: new Date(0), text: "\ud800", list: [1] }
    const item = masked(observation({ input }), (value) => {
      assert.deepStrictEqual(value, {
        key: "<redacted>",
        authorization: "<redacted>",
        at: "1970-01-01T00:00:00.000Z",
        text: "\ufffd",
        list: [1]
      })
      const { list } = value as { readonly list: Array<number> }
      list.push(2)
      return list
    })
    assert.strictEqual(item.input?.text, "[1,2]")
    assert.deepStrictEqual(input.list, [1])
  })

  it("keeps each field in the form that the server takes", () => {
    const given: Given = {
      input: 1,
      output: 1,
      metadata: { a: 1 },
      statusMessage: "s",
      parameters: "{}",
      extra: `,"comment":"c","x":1`
    }
    const with_ = (value: unknown) => {
      const item = masked(observation(given), () => value)
      return [
        item.input?.text,
        item.output?.text,
        plainFields(item.metadata),
        item.statusMessage,
        item.parameters,
        item.extra
      ]
    }
    assert.deepStrictEqual(with_(undefined), [undefined, undefined, undefined, undefined, undefined, ""])
    assert.deepStrictEqual(with_({ m: [1n] }), [
      `{"m":["1"]}`,
      `{"m":["1"]}`,
      { m: ["1"] },
      `{"m":["1"]}`,
      `{"m":["1"]}`,
      `,"comment":"{\\"m\\":[\\"1\\"]}","x":{"m":["1"]}`
    ])
    assert.deepStrictEqual(with_("***"), [
      "***",
      "***",
      { metadata: "***" },
      "***",
      `{"masked":"***"}`,
      `,"comment":"***","x":"***"`
    ])
    assert.deepStrictEqual(masked(observation(given), () => [1]).parameters, `{"masked":"[1]"}`)
    const text = { value: "v", dataType: "TEXT", comment: "c" }
    assert.deepStrictEqual(body(masked(plain("score-create", text), () => undefined)), {
      value: "<masked: the mask left nothing>",
      dataType: "TEXT"
    })
    assert.deepStrictEqual(body(masked(plain("score-create", text), () => 12)), {
      value: "12",
      dataType: "TEXT",
      comment: "12"
    })
    for (const nothing of [undefined, null]) {
      assert.deepStrictEqual(body(masked(plain("sdk-log", { log: 1 }), () => nothing)), {
        log: "<masked: the mask left nothing>"
      })
    }
  })

  const failures: ReadonlyArray<() => unknown> = [
    () => {
      throw new Error(secret)
    },
    () => () => secret,
    () => Symbol(secret),
    () => Promise.resolve(secret),
    () => Promise.reject(new Error(secret)),
    () => ({ then: () => secret }),
    () => ({
      get then() {
        throw new Error(secret)
      }
    })
  ]

  it("fails closed, once a field, when it throws or returns what is no value", () => {
    for (const mask of failures) {
      let count = 0
      const item = masked(
        observation({
          input: secret,
          output: [secret],
          metadata: { secret },
          parameters: JSON.stringify({ secret }),
          statusMessage: secret,
          extra: `,"comment":"${secret}","x":"${secret}"`,
          context: { metadata: { secret } }
        }),
        mask,
        { onMaskFailure: () => count++ }
      )
      const note = "<masked: the mask failed>"
      assert.deepStrictEqual([item.input?.text, item.output?.text, item.statusMessage], [note, note, note])
      assert.deepStrictEqual([item.metadata, item.context?.metadata].map(plainFields), [{ masked: note }, {
        masked: note
      }])
      assert.strictEqual(item.parameters, `{"masked":"${note}"}`)
      assert.strictEqual(item.extra, `,"comment":"${note}","x":{"masked":"${note}"}`)
      assert.strictEqual(count, 8)
      assert.notInclude(JSON.stringify(item), secret)
      for (const type of ["score-create", "sdk-log", "new-create"]) {
        const sent = masked(
          plain(type, { value: secret, dataType: "TEXT", log: secret, comment: secret, input: secret, x: { secret } }),
          mask
        )
        assert.notInclude(sent.body, secret)
      }
    }
  })

  it("survives a counter that throws", () => {
    const fails = () => {
      throw new Error(secret)
    }
    assert.strictEqual(
      masked(observation({ input: 1 }), fails, { onMaskFailure: fails }).input?.text,
      "<masked: the mask failed>"
    )
  })

  it("is applied before anything is cut, so that no secret survives by being cut in two", () => {
    const mask: Mask = (value) => typeof value === "string" ? value.replaceAll(secret, "*") : value
    const item = masked(observation({ input: secret.repeat(1000) }), mask, { maxEventBytes: 2000 })
    assert.notInclude(item.input?.text ?? "", "s3")
  })

  const text = FastCheck.oneof(FastCheck.string(), FastCheck.constant(`a ${secret} b`))
  const value = FastCheck.oneof(text, FastCheck.array(text), FastCheck.dictionary(FastCheck.string(), text))

  it.prop(
    "one that replaces a marker leaves none, wherever it was",
    [
      FastCheck.record({
        input: value,
        output: value,
        metadata: value,
        statusMessage: text,
        parameters: FastCheck.dictionary(text, text)
      }),
      value
    ],
    ([{ parameters, ...given }, extra]) => {
      const mask: Mask = (value) => JSON.parse(JSON.stringify(value).replaceAll(secret, "*")) as unknown
      const item = masked(
        observation({
          ...given,
          parameters: JSON.stringify(parameters),
          extra: `,"x":${JSON.stringify(extra)}`,
          context: given
        }),
        mask
      )
      const held = [item.input, item.output, item.context?.input, ...(item.metadata?.values() ?? [])].map((content) =>
        content?.text
      )
      assert.notInclude([...held, item.statusMessage, item.parameters, item.extra].join("\n"), secret)
    },
    runs(200)
  )
})
