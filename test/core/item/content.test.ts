import { assert, describe, it } from "@effect/vitest"
import { FastCheck, HashMap, Option, Redacted } from "effect"
import { bytesOf, contentOf, jsonOf, metadataOf } from "../../../src/core/item/content.js"
import { fromEvent } from "../../../src/core/item/fromEvent.js"
import { policy } from "../../utils/policy.js"
import { runs } from "../../utils/properties.js"

const secret = "s3cr3t-k3y"

const throws = (): never => {
  throw new Error(secret)
}

const content = (value: unknown) => {
  const made = contentOf(value, policy())
  return made && [made.text, made.isJson]
}

const metadata = (value: unknown, maxEventBytes = 1_000_000) => {
  const made = metadataOf(value, policy({ maxEventBytes }))
  return made && Array.from(made, ([key, { isJson, text }]) => [key, isJson ? JSON.parse(text) as unknown : text])
}

/** The value of a content of plain data. */
const hasToJson = () => {
  let calls = 0
  return { calls: () => calls, toJSON: () => ({ calls: ++calls }) }
}

describe("content", () => {
  it("nothing is what says nothing; every other value arrives", () => {
    for (const value of [undefined, null, Option.none()]) assert.isUndefined(contentOf(value, policy()))
    assert.deepStrictEqual(content(false), ["false", true])
    assert.deepStrictEqual(content(0), ["0", true])
    assert.deepStrictEqual(content(""), ["", false])
    assert.deepStrictEqual(content([]), ["[]", true])
    assert.deepStrictEqual(content(NaN), ["NaN", false])
  })

  it("a text travels as it is, whatever is in it", () => {
    for (const text of ["a", "{\"a\":1}", "\"quoted\"", "line\n\"two\"", "null", "é終😀"]) {
      assert.deepStrictEqual(content(text), [text, false])
    }
    assert.deepStrictEqual(content("a\ud800b"), ["a\ufffdb", false])
  })

  it("what JSON writes as a text is that text", () => {
    assert.deepStrictEqual(content(new Date(0)), ["1970-01-01T00:00:00.000Z", false])
    assert.deepStrictEqual(content(Option.some("a\n\"b\"")), ["a\n\"b\"", false])
    assert.deepStrictEqual(content(Redacted.make(secret)), ["<redacted>", false])
    assert.deepStrictEqual(content(() => 1), ["<function>", false])
  })

  it("a toJSON is called once, on every way", () => {
    for (
      const wrap of [
        (v: unknown) => v,
        (v: unknown) => ({ v }),
        (v: unknown) => [v, 1n],
        (v: unknown) => new Map([["v", v]]),
        Option.some
      ]
    ) {
      const value = hasToJson()
      contentOf(wrap(value), policy())
      assert.strictEqual(value.calls(), 1)
      metadataOf({ field: wrap(value) }, policy())
      assert.strictEqual(value.calls(), 2)
      contentOf(wrap([value, "x".repeat(500_000)]), policy({ maxEventBytes: 1000 }))
      assert.isAtMost(value.calls(), 3)
    }
    const whole = hasToJson()
    metadataOf(whole, policy())
    assert.strictEqual(whole.calls(), 1)
  })

  it("nothing is parsed that was just written", () => {
    const parse = JSON.parse
    let calls = 0
    JSON.parse = (...args: Parameters<typeof parse>) => {
      calls++
      return parse(...args) as unknown
    }
    try {
      contentOf({ a: [1, "x", { b: null }] }, policy())
      contentOf(new Date(0), policy())
      contentOf("text", policy())
      metadataOf({ a: 1, b: "x", c: { d: [1] }, e: new Date(0) }, policy())
      const text = "line\n\"two\""
      class Answer {
        readonly text = text
      }
      const values = [
        Option.some(text),
        { toJSON: () => text },
        Symbol(text),
        new Error(text),
        new URL("https://h/\""),
        {
          url: text,
          authorization: text
        },
        new Answer(),
        new Map([["a", text]]),
        HashMap.make(["a", Option.some(text)]),
        Option.some(new Answer())
      ]
      for (const value of values) {
        contentOf(value, policy())
        metadataOf(value, policy())
        metadataOf({ value }, policy())
      }
      const name = fromEvent({
        id: "e",
        timestamp: new Date(0),
        type: "span-create",
        body: { id: "s", traceId: "t", name: new URL("https://h/") }
      }, policy())
      assert.notProperty(name, "issues")
      class Counts {
        readonly input = 1
        readonly output = 2
      }
      for (const counts of [new Counts(), new Map(Object.entries(new Counts())), Option.some(new Counts())]) {
        const item = fromEvent({
          id: "e",
          timestamp: new Date(0),
          type: "generation-create",
          body: { id: "g", traceId: "t", usageDetails: counts, modelParameters: counts }
        }, policy())
        assert.include(item, { usage: `{"input":1,"output":2,"total":3}`, parameters: `{"input":1,"output":2}` })
      }
    } finally {
      JSON.parse = parse
    }
    assert.strictEqual(calls, 0)
  })

  it("nothing throws", () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const traps = {
      get: throws,
      ownKeys: throws,
      getPrototypeOf: throws,
      has: throws,
      getOwnPropertyDescriptor: throws
    }
    let deep: unknown = {}
    for (let i = 0; i < 200_000; i++) deep = [deep]
    const cycle: Array<unknown> = []
    cycle.push(cycle)
    const values = [
      proxy,
      new Proxy({}, traps),
      new Proxy([1], traps),
      deep,
      cycle,
      { toJSON: throws },
      {
        get a() {
          return throws()
        }
      },
      {
        get toJSON() {
          return throws()
        }
      },
      JSON.parse(`{"__proto__":{"a":1}}`),
      "\ud800",
      { "\ud800": "\udfff" },
      Symbol(),
      10n ** 400n,
      Object.create(null),
      new Array(4_000_000_000)
    ]
    for (const value of [...values, values]) {
      for (const maxEventBytes of [10, 1000, 1_000_000, Infinity]) {
        const given = policy({ maxEventBytes })
        assert.doesNotThrow(() => JSON.parse(jsonOf(value, given)))
        assert.notInclude(jsonOf(value, given), secret)
        const made = contentOf(value, given)
        if (made?.isJson === true) JSON.parse(made.text)
        for (const [, field] of metadataOf(value, given) ?? []) if (field.isJson) JSON.parse(field.text)
        for (const [, field] of metadataOf({ value }, given) ?? []) if (field.isJson) JSON.parse(field.text)
      }
    }
  })

  it("a text inside of another value travels as it is", () => {
    const text = "line\n\"two\""
    assert.deepStrictEqual(content(Option.some(text)), [text, false])
    assert.deepStrictEqual(content({ toJSON: () => text }), [text, false])
    assert.deepStrictEqual(metadata({ a: Option.some(text), url: `https://h/"` }), [["a", text], [
      "url",
      `https://h/"`
    ]])
    assert.deepStrictEqual(metadata(Option.some(text)), [["metadata", text]])
  })

  it("what is huge costs in proportion to what may be sent", () => {
    const keys = 300_000
    const fields = Object.fromEntries(Array.from({ length: keys }, (_, i) => [`k${i}`, i]))
    const entries = Array.from({ length: keys }, (_, i) => [`k${i}`, "v"] as const)
    const start = performance.now()
    Object.keys({ ...fields })
    const unavoidable = performance.now() - start
    const values = [
      new Error("a://b@c ".repeat(2_500_000)),
      new Error("Bearer ".repeat(2_800_000)),
      new Error("x", { cause: "https://".repeat(2_500_000) }),
      { url: `data:image/png;base64,${"A=".repeat(10_000_000)}` },
      [1n, { url: `https://h/?${"a=b&".repeat(5_000_000)}` }],
      new Map(entries),
      new Set(entries),
      HashMap.fromIterable(entries),
      new URLSearchParams(entries.map(([key, value]): [string, string] => [key, value])),
      new AggregateError(entries),
      Object.assign(new Error("x"), fields),
      fields,
      { fields }
    ]
    for (const value of values) {
      for (const look of [contentOf, metadataOf]) {
        const before = performance.now()
        look(value, policy({ maxEventBytes: 10_000 }))
        assert.isBelow(performance.now() - before, 300 + 6 * unavoidable)
      }
    }
  })

  describe("metadata", () => {
    it("has a content for each key", () => {
      assert.deepStrictEqual(metadata({ a: 1, b: "x", c: null, d: undefined, e: "", f: false, g: [1] }), [
        ["a", 1],
        ["b", "x"],
        ["c", null],
        ["e", ""],
        ["f", false],
        ["g", [1]]
      ])
      assert.deepStrictEqual(metadata({}), [])
      assert.isUndefined(metadata(null))
    })

    it("of what is written as an object, too", () => {
      assert.deepStrictEqual(metadata(new Map([["a", 1]])), [["a", 1]])
      assert.deepStrictEqual(metadata(HashMap.make(["a", "x"])), [["a", "x"]])
      assert.deepStrictEqual(metadata({ toJSON: () => ({ a: 1 }) }), [["a", 1]])
      assert.deepStrictEqual(metadata(new Error("x")), [["name", "Error"], ["message", "x"]])
      assert.deepStrictEqual(metadata(Option.some({ a: 1 })), [["a", 1]])
    })

    it("what is no object is under a key of its own", () => {
      assert.deepStrictEqual(metadata("text"), [["metadata", "text"]])
      assert.deepStrictEqual(metadata("{\"a\":1}"), [["metadata", "{\"a\":1}"]])
      // A list would be merged with an earlier one.
      assert.deepStrictEqual(metadata([1]), [["metadata", "[1]"]])
      assert.deepStrictEqual(metadata(0), [["metadata", 0]])
    })

    it("has keys of every kind, and a field that cannot be read alone is a note", () => {
      const value = JSON.parse(`{"__proto__":1,"toString":2,"":3}`) as Record<string, unknown>
      Object.defineProperty(value, "bad", { enumerable: true, get: throws })
      value["\ud800"] = 4
      assert.deepStrictEqual(metadata(value), [
        ["__proto__", 1],
        ["toString", 2],
        ["", 3],
        ["bad", "<unreadable: the getter threw>"],
        ["\ufffd", 4]
      ])
    })

    it("of far too many keys the first are looked at", () => {
      const made = metadata(Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, [i]])), 1000) ?? []
      assert.isBelow(made.length, 3000)
      assert.match(String(made.at(-1)), /^<cut>,<\d+ more properties>$/)
    })
  })

  it("a text takes two bytes a character where one is not Latin-1", () => {
    assert.strictEqual(bytesOf(""), 0)
    assert.strictEqual(bytesOf("abc"), 3)
    assert.strictEqual(bytesOf("é".repeat(1000)), 1000)
    assert.strictEqual(bytesOf("a".repeat(999) + "終"), 2000)
  })

  it.prop(
    "plain data is written as JSON.stringify writes it",
    [FastCheck.jsonValue({ stringUnit: "binary" })],
    ([value]) => {
      assert.strictEqual(jsonOf(value, policy()), JSON.stringify(value))
      const made = contentOf(value, policy())
      assert.strictEqual(
        made?.isJson === true ? made.text : made?.text,
        typeof value === "string" ? value : value === null ? undefined : JSON.stringify(value)
      )
    },
    runs(500)
  )
})
