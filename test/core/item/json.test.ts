import { assert, describe, it } from "@effect/vitest"
import { Cause, Chunk, Data, Either, Exit, FastCheck, HashMap, Option, Redacted } from "effect"
import { carefully as writeCarefully, stringify as write } from "../../../src/core/item/json.js"
import { keysOf } from "../../../src/core/item/redact.js"
import { isWellFormed, quote } from "../../../src/core/item/text.js"
import { readable, redactedNames } from "../../../src/internal/readable.js"
import { runs } from "../../utils/properties.js"

const stringify = (value: unknown, limit = 20_000_000): string =>
  write(value, { keys: keysOf(redactedNames()), readable, limit })

const json = (value: unknown): unknown => JSON.parse(stringify(value))

const carefulWrite = (value: unknown, limit: number): string =>
  writeCarefully(value, { keys: keysOf(redactedNames()), readable, limit })

/** As part of something that the fast way does not take. */
const carefully = (value: unknown): unknown => (json({ value, careful: 1n }) as { value: unknown }).value

const secret = "s3cr3t"

const throws = (): never => {
  throw new Error(secret)
}

class Point {
  readonly x: number
  readonly y: number
  constructor(x: number, y: number) {
    this.x = x
    this.y = y
  }
  get length() {
    return Math.hypot(this.x, this.y)
  }
}

class NotFound extends Data.TaggedError("NotFound")<{ readonly path: string; readonly key: Redacted.Redacted }> {}

const cyclic = () => {
  const value: Record<string, unknown> = { name: "root" }
  value["child"] = { list: [1, { back: value }] }
  return value
}

const nested = (depth: number): unknown => {
  let value: unknown = "bottom"
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? { a: value } : [value]
  return value
}

const revoked = () => {
  const { proxy, revoke } = Proxy.revocable<object>({}, {})
  revoke()
  return proxy
}

describe("json", () => {
  describe("what JSON has no word for", () => {
    const notes: ReadonlyArray<readonly [string, unknown, unknown]> = [
      ["a bigint is its digits", 123n, "123"],
      ["a negative bigint", -9007199254740993n, "-9007199254740993"],
      ["a bigint too long to print", 1n << 100_000n, "<bigint of more than 16384 bits>"],
      ["NaN", NaN, "NaN"],
      ["Infinity", Infinity, "Infinity"],
      ["-Infinity", -Infinity, "-Infinity"],
      ["-0 is 0", -0, 0],
      ["a function", throws, "<function throws>"],
      ["an anonymous function", (() => () => 1)(), "<function>"],
      ["a class", Point, "<function Point>"],
      ["a symbol", Symbol("tag"), "<Symbol(tag)>"],
      ["an invalid date", new Date(NaN), "<invalid date>"],
      ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
      ["a typed array", new Uint8Array(1024), "<Uint8Array 1024 bytes>"],
      ["a Node buffer", Buffer.alloc(10), "<Uint8Array 10 bytes>"],
      ["a data view", new DataView(new ArrayBuffer(8)), "<DataView 8 bytes>"],
      ["an array buffer", new ArrayBuffer(2048), "<ArrayBuffer 2048 bytes>"],
      ["a shared array buffer", new SharedArrayBuffer(16), "<SharedArrayBuffer 16 bytes>"],
      ["a regular expression", /a"b/gi, "/a\"b/gi"],
      ["a promise", Promise.resolve(secret), "<Promise>"],
      ["a weak map", new WeakMap(), "<WeakMap>"],
      ["a URL", new URL("https://example.com/a"), "https://example.com/a"],
      ["a map with names", new Map<string, unknown>([["a", 1], ["b", new Map()]]), { a: 1, b: {} }],
      ["a map with other keys", new Map<unknown, unknown>([[1, "a"], [{ k: 2 }, "b"]]), [[1, "a"], [{ k: 2 }, "b"]]],
      ["a set", new Set([1, "a", new Set()]), [1, "a", []]],
      ["boxed primitives", [Object(1), Object("a"), Object(false), Object(2n), Object(Symbol("s"))], [
        1,
        "a",
        false,
        "2",
        "<Symbol(s)>"
      ]],
      ["a class instance is its own properties", new Point(3, 4), { x: 3, y: 4 }],
      ["an object without prototype", Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
      ["an error", new TypeError("bad"), { name: "TypeError", message: "bad" }],
      [
        "an error with a cause and properties",
        Object.assign(new Error("outer", { cause: new RangeError("inner") }), { code: 7 }),
        { name: "Error", message: "outer", cause: { name: "RangeError", message: "inner" }, code: 7 }
      ],
      ["an aggregate error", new AggregateError([new Error("one"), 2]), {
        name: "AggregateError",
        message: "",
        errors: [{ name: "Error", message: "one" }, 2]
      }],
      ["undefined, at the top", undefined, null],
      ["undefined is left out of objects and null in arrays", { a: undefined, b: [undefined, 1] }, { b: [null, 1] }],
      ["a property whose toJSON gives nothing is left out", { a: { toJSON: () => undefined }, b: 1 }, { b: 1 }],
      ["symbols as keys are left out", { [Symbol("s")]: 1, a: 1 }, { a: 1 }]
    ]
    for (const [title, value, expected] of notes) {
      it(title, () => {
        assert.deepStrictEqual(json(value), expected)
      })
    }

    it("is found below the top as well", () => {
      assert.deepStrictEqual(json([NaN, { a: -Infinity }]), ["NaN", { a: "-Infinity" }])
      assert.deepStrictEqual(json({ a: [1n] }), { a: ["1"] })
      assert.deepStrictEqual(json([[Symbol()]]), [["<Symbol()>"]])
    })

    it("an error shows no stack, even one that can be enumerated", () => {
      const error = Object.defineProperty(new Error("bad"), "stack", { value: secret, enumerable: true })
      assert.deepStrictEqual(json(error), { name: "Error", message: "bad" })
    })

    it("stands beside what surrounds it", () => {
      assert.deepStrictEqual(json({ before: 1, values: [1n, { at: new Date(NaN) }, () => 1], after: "z" }), {
        before: 1,
        values: ["1", { at: "<invalid date>" }, "<function>"],
        after: "z"
      })
    })
  })

  describe("Effect's data", () => {
    it("Redacted is never shown, wherever it is", () => {
      const key = Redacted.make(secret)
      class Client {
        readonly name = "client"
        readonly key = key
      }
      const values = [
        key,
        { key },
        [key],
        new Map([["key", key]]),
        new Map([[key, 1]]),
        new Set([key]),
        new Client(),
        Option.some(key),
        Either.left({ key }),
        Exit.fail({ key }),
        Cause.fail({ key }),
        Chunk.of(key),
        HashMap.make(["key", key]),
        { toJSON: () => ({ key }) },
        { toJSON: () => key },
        Object.assign(new Error("failed"), { key }),
        new Error("failed", { cause: key }),
        new NotFound({ path: "/", key }),
        Object.create(null, { key: { value: key, enumerable: true } }),
        {
          get key() {
            return key
          }
        },
        new Proxy({ key }, {}),
        Object.assign(Object.create({ toJSON: undefined }), { key })
      ]
      for (const value of [...values, values]) {
        const text = stringify(value)
        assert.notInclude(text, secret)
        assert.include(text, "<redacted>")
      }
    })

    it("Redacted is hidden by what it is, not by its toJSON", () => {
      const key = Object.defineProperty(Redacted.make(secret), "toJSON", { value: () => secret })
      assert.deepStrictEqual(json({ key }), { key: "<redacted>" })
    })
  })

  describe("hostile objects", () => {
    it("a getter that throws costs only its own property, and its text is not shown", () => {
      const value = {
        a: 1,
        get b() {
          return throws()
        },
        c: [{
          get d() {
            return throws()
          }
        }]
      }
      assert.deepStrictEqual(json(value), {
        a: 1,
        b: "<unreadable: the getter threw>",
        c: [{ d: "<unreadable: the getter threw>" }]
      })
    })

    it("a toJSON that throws", () => {
      assert.deepStrictEqual(json({ a: { toJSON: throws }, b: 1 }), { a: "<unreadable: toJSON threw>", b: 1 })
      assert.deepStrictEqual(
        json({
          a: {
            get toJSON() {
              return throws()
            }
          }
        }),
        { a: "<unreadable: toJSON threw>" }
      )
    })

    it("a toJSON that returns its own object", () => {
      const value = {
        a: 1,
        toJSON() {
          return this
        }
      }
      assert.deepStrictEqual(json(value), { a: 1, toJSON: "<function toJSON>" })
    })

    it("a toJSON whose answer holds the object again", () => {
      const value: object = { toJSON: () => ({ again: value }) }
      assert.deepStrictEqual(json([value]), [{ again: "<circular: $[0]>" }])
    })

    it("a toJSON that returns another one, without end", () => {
      const endless = (): object => ({ toJSON: endless })
      assert.strictEqual(json(endless()), "<too deep: more than 200 levels>")
    })

    it("a toJSON that calls itself", () => {
      const value = {
        toJSON(): unknown {
          return [this.toJSON()]
        }
      }
      assert.deepStrictEqual(json({ value, b: 1 }), { value: "<unreadable: toJSON threw>", b: 1 })
    })

    it("a toJSON that is not a function is data", () => {
      assert.deepStrictEqual(json({ toJSON: 1, a: 2 }), { toJSON: 1, a: 2 })
    })

    it("a getter that makes a new object each time, without end", () => {
      const endless = (): object => ({
        get next() {
          return endless()
        }
      })
      assert.include(stringify(endless()), "<too deep: more than 200 levels>")
    })

    it("a getter that changes its mind", () => {
      let reads = 0
      const value = {
        get a() {
          return reads++ === 0 ? 1 : throws()
        }
      }
      assert.deepStrictEqual(json(value), { a: "<unreadable: the getter threw>" })
      assert.notInclude(
        stringify({
          get a() {
            return reads++ % 2 === 0 ? 1 : 2n
          }
        }),
        secret
      )
    })

    it("proxies whose traps throw, and revoked ones", () => {
      const traps = ["get", "ownKeys", "getPrototypeOf", "has", "getOwnPropertyDescriptor"] as const
      for (const target of [{ a: 1 }, [1], new Map([["a", 1]])]) {
        for (const trap of traps) {
          const text = stringify({ value: new Proxy(target, { [trap]: throws }), after: 1 })
          assert.notInclude(text, secret)
          assert.strictEqual(JSON.parse(text).after, 1)
        }
        assert.notInclude(
          stringify(new Proxy(target, Object.fromEntries(traps.map((trap) => [trap, throws])))),
          secret
        )
      }
      assert.deepStrictEqual(json({ value: revoked(), after: 1 }), {
        value: "<unreadable: the object threw>",
        after: 1
      })
      assert.strictEqual(json(revoked()), "<unreadable: the object threw>")
    })

    it("a proxy that is only in between is what it stands for", () => {
      assert.deepStrictEqual(json(new Proxy({ a: [1] }, {})), { a: [1] })
      assert.deepStrictEqual(carefully(new Proxy([1, 2], {})), [1, 2])
    })

    it("an array whose length is a lie", () => {
      const text = stringify(
        new Proxy([1, 2, 3], { get: (target, key) => key === "length" ? 1e15 : Reflect.get(target, key) })
      )
      assert.include(text, "[1,2,3,")
      assert.isBelow(text.length, 1000)
    })

    it("objects that only look like a Map, a Date or an error", () => {
      for (const prototype of [Map.prototype, Set.prototype, Date.prototype, Number.prototype, Error.prototype]) {
        assert.doesNotThrow(() => json({ a: Object.create(prototype), b: Object.create(prototype, {}) }))
      }
      assert.deepStrictEqual(json({ [Symbol.toStringTag]: "Map", a: 1n }), { a: "1" })
      assert.deepStrictEqual(
        json({
          get [Symbol.toStringTag]() {
            return throws()
          },
          a: 1n
        }),
        { a: "1" }
      )
    })

    it("a name of a function that throws", () => {
      const value = Object.defineProperty(() => 1, "name", { get: throws })
      assert.deepStrictEqual(json({ value }), { value: "<function>" })
    })

    it("keeps a key named __proto__ as data and pollutes nothing", () => {
      const value: unknown = JSON.parse(`{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}`)
      const text = `{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}`
      assert.strictEqual(stringify(value), text)
      assert.strictEqual(stringify({ value, careful: 1n }), `{"value":${text},"careful":"1"}`)
      assert.strictEqual(stringify(new Map([["__proto__", 1]])), `{"__proto__":1}`)
      assert.isUndefined(({} as { polluted?: unknown }).polluted)
    })

    it("a map that grows while it is read", () => {
      const map = new Map<string, unknown>()
      map.set("0", { toJSON: () => map.set(`${map.size}`, map.get("0")).size })
      assert.doesNotThrow(() => json(map))
    })
  })

  describe("cycles and sizes", () => {
    it("a cycle is a note with the path of what it goes back to", () => {
      assert.deepStrictEqual(json(cyclic()), { name: "root", child: { list: [1, { back: "<circular: $>" }] } })
      const list: Array<unknown> = [1]
      list.push({ list })
      assert.deepStrictEqual(json({ a: { list } }), { a: { list: [1, { list: "<circular: $.a.list>" }] } })
      const map = new Map<unknown, unknown>()
      map.set(1, [map])
      assert.deepStrictEqual(json({ map }), { map: [[1, ["<circular: $.map>"]]] })
      const error = new Error("x")
      error.cause = { error }
      assert.deepStrictEqual(json(error), { name: "Error", message: "x", cause: { error: "<circular: $>" } })
    })

    it("the path is right after values that have a toJSON", () => {
      const list: Array<unknown> = []
      list.push(list)
      assert.deepStrictEqual(json([{ toJSON: () => ({ a: [1] }) }, { toJSON: () => 1 }, { list }]), [{ a: [1] }, 1, {
        list: ["<circular: $[2].list>"]
      }])
    })

    it("what is shared without a cycle is written each time", () => {
      const shared = { a: [1] }
      assert.strictEqual(stringify({ x: shared, y: [shared, shared] }), `{"x":{"a":[1]},"y":[{"a":[1]},{"a":[1]}]}`)
      assert.deepStrictEqual(carefully({ x: shared, y: [shared, shared] }), { x: shared, y: [shared, shared] })
    })

    it("a graph with parent pointers everywhere is written once, not once for each path", () => {
      type Node = { readonly children: Array<Node>; readonly parent: Node | undefined }
      const tree = (depth: number, parent: Node | undefined): Node => {
        const node: Node = { children: [], parent }
        if (depth > 0) node.children.push(tree(depth - 1, node), tree(depth - 1, node))
        return node
      }
      const text = stringify(tree(8, undefined))
      assert.strictEqual(text.match(/"children"/g)?.length, 511)
    })

    it("nor is such a graph walked along each path to find out", () => {
      let reads = 0
      const tree = (depth: number, parent: unknown): unknown => {
        const node = {
          children: [] as Array<unknown>,
          get parent() {
            reads++
            return parent
          }
        }
        if (depth > 0) node.children.push(tree(depth - 1, node), tree(depth - 1, node))
        return node
      }
      stringify(tree(8, undefined))
      assert.isBelow(reads, 60_000)
    })

    it("values nested 100 000 levels deep end in a note", () => {
      const text = stringify(nested(100_000))
      assert.include(text, "<too deep: more than 200 levels>")
      assert.isBelow(text.length, 2000)
      assert.doesNotThrow(() => JSON.parse(text))
    })

    it("values nested 150 levels deep are whole", () => {
      assert.strictEqual(stringify(nested(150)), JSON.stringify(nested(150)))
      assert.deepStrictEqual(carefully(nested(150)), nested(150))
    })

    it("does its best where the program's own stack is nearly at its end", () => {
      const texts: Array<string> = []
      const descend = (): void => {
        try {
          descend()
        } finally {
          texts.push(stringify({ a: [{ b: 1n }] }))
        }
      }
      assert.throws(descend, RangeError)
      for (const text of texts) assert.doesNotThrow(() => JSON.parse(text))
      assert.strictEqual(texts.at(-1), `{"a":[{"b":"1"}]}`)
    })

    it("shared references that multiply without end are bounded", () => {
      let value: unknown = "ha"
      for (let i = 0; i < 60; i++) value = [value, value, value]
      const text = stringify(value, 10_000)
      assert.isBelow(text.length, 30_000)
      assert.include(text, "more items>")
      let object: unknown = "ha"
      for (let i = 0; i < 60; i++) object = { a: object, b: object }
      const objects = stringify(object, 10_000)
      assert.isBelow(objects.length, 30_000)
      assert.include(objects, `"<cut>":"<1 more properties>"`)
      assert.doesNotThrow(() => [JSON.parse(text), JSON.parse(objects)])
    })

    it("an array of a million numbers is whole", () => {
      const value = Array.from({ length: 1_000_000 }, (_, i) => i)
      assert.strictEqual(stringify(value), JSON.stringify(value))
    })

    it("an array with four billion holes says how many there are", () => {
      const value: Array<unknown> = [1]
      value[3_999_999_999] = "last"
      assert.deepStrictEqual(json(value), [1, "<3999999998 empty items>", "last"])
      value.length = 4_294_967_295
      assert.deepStrictEqual(json({ value }), {
        value: [1, "<3999999998 empty items>", "last", "<294967295 empty items>"]
      })
    })

    it("a few holes are nulls, as ever", () => {
      const value: Array<unknown> = [1]
      value[5] = 2
      assert.strictEqual(stringify(value), "[1,null,null,null,null,2]")
      assert.deepStrictEqual(carefully(value), [1, null, null, null, null, 2])
    })

    it("many holes are one note, many undefined are as many nulls", () => {
      assert.deepStrictEqual(json({ list: new Array(5000) }), { list: ["<5000 empty items>"] })
      const value = Array.from({ length: 5000 }, () => undefined)
      assert.strictEqual(stringify(value), JSON.stringify(value))
    })

    it("a string of ten megabytes is whole", () => {
      const value = "0123456789".repeat(1_000_000)
      assert.isTrue(stringify(value) === `"${value}"`)
    })

    it("over the limit the first and the last parts are written, of lists, objects, maps and sets", () => {
      const long = "x".repeat(5000)
      const names = Array.from({ length: 5000 }, (_, i) => `k${i}`)
      const values = [
        long,
        { a: long, b: long, c: 1 },
        { [long]: 1, b: 2 },
        [long, long],
        names.map((_, i) => i),
        Object.fromEntries(names.map((name, i) => [name, i])),
        new Map(names.map((name, i) => [name, i])),
        new Map(names.map((name, i) => [i, name])),
        new Set(names)
      ]
      for (const value of values) {
        const text = stringify(value, 1000)
        assert.isBelow(text.length, 2200)
        assert.match(text, /<\d+ more (characters|items|properties)>/)
        assert.doesNotThrow(() => JSON.parse(text))
      }
      assert.strictEqual(JSON.parse(stringify(long, 1000)), "x".repeat(1000) + "<4000 more characters>")
      const list = JSON.parse(stringify(names, 1000)) as Array<string>
      assert.deepStrictEqual(list.slice(0, 3), ["k0", "k1", "k2"])
      assert.deepStrictEqual(list.slice(-2), ["k4998", "k4999"])
      const notes = list.filter((item) => item.startsWith("<"))
      assert.deepStrictEqual(notes, [`<${5000 - list.length + 1} more items>`])
      const fields = JSON.parse(stringify(Object.fromEntries(names.map((name, i) => [name, i])), 1000)) as object
      assert.deepStrictEqual(Object.keys(fields).slice(0, 2), ["k0", "k1"])
      assert.strictEqual(Object.keys(fields).at(-1), "k4999")
    })

    it("last parts that are left out leave no comma", () => {
      const value = { a: "x".repeat(200), b: undefined, c: undefined }
      for (let limit = 0; limit < 260; limit++) {
        assert.doesNotThrow(() => JSON.parse(stringify(value, limit)))
        assert.doesNotThrow(() => JSON.parse(stringify([value, 1n, value], limit)))
      }
    })

    it("the last messages of a conversation stay, wherever the list is", () => {
      const messages = Array.from({ length: 5000 }, (_, i) => ({ role: "user", content: `message ${i}` }))
      for (
        const value of [{ messages, model: "m" }, [messages], { a: { b: messages } }, new Map([["messages", messages]])]
      ) {
        assert.include(stringify(value, 5000), "\"message 4999\"")
      }
      assert.include(stringify({ messages, model: "m" }, 5000), "\"model\":\"m\"")
    })

    it("of a value that is far too large only parts are looked at", () => {
      let reads = 0
      const counted = new Proxy(Array.from({ length: 1_000_000 }, (_, i) => i), {
        get: (target, key) => {
          reads++
          return Reflect.get(target, key)
        }
      })
      assert.isBelow(stringify({ counted }, 1000).length, 2500)
      assert.isBelow(reads, 5000)
      let shared: unknown = {}
      for (let i = 0; i < 41; i++) shared = { a: shared, b: shared }
      assert.isBelow(stringify(shared, 10_000).length, 25_000)
    })

    it("a value that just fits is whole, whichever way it is written", () => {
      for (const value of [{ toJSON: {} }, [1, 2, 3], { a: "x", b: ["y"] }, "text", { toJSON: { a: [] }, b: 1 }]) {
        const native = JSON.stringify(value)
        assert.strictEqual(stringify(value, native.length), native)
        assert.strictEqual(carefulWrite(value, native.length), native)
      }
    })
  })

  describe("text", () => {
    it("lone surrogates become U+FFFD in values and keys, pairs and look-alikes stay", () => {
      const value = { "k\udc00": "a\ud800b", pair: "😀", text: "\\ud800 \\\\udfff", list: ["\udfff", "\ud83d"] }
      assert.deepStrictEqual(json(value), {
        "k\ufffd": "a\ufffdb",
        pair: "😀",
        text: "\\ud800 \\\\udfff",
        list: ["\ufffd", "\ufffd"]
      })
      assert.strictEqual(json("\ud800"), "\ufffd")
      assert.strictEqual(quote("\ud800"), "\"\ufffd\"")
    })

    it.prop(
      "quote is JSON.stringify for well-formed text",
      [FastCheck.string({ unit: "binary", maxLength: 60 })],
      ([text]) => {
        assert.strictEqual(quote(text), JSON.stringify(text))
      },
      runs(300)
    )

    it("a key alone may have the lone surrogate", () => {
      assert.deepStrictEqual(json({ list: [{ "\ud800": 1 }] }), { list: [{ "\ufffd": 1 }] })
    })

    it("every ASCII character is quoted as JSON.stringify does", () => {
      for (let code = 0; code < 0x100; code++) {
        const text = `a${String.fromCharCode(code)}`
        assert.strictEqual(quote(text), JSON.stringify(text))
      }
    })
  })

  describe("for any value", () => {
    const anything = FastCheck.anything({
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withObjectString: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
      stringUnit: FastCheck.oneof(
        FastCheck.string({ unit: "binary", minLength: 1, maxLength: 1 }),
        FastCheck.constantFrom("\ud800", "\udfff", "\"", "\\", "__proto__", "toJSON", "\n")
      )
    })

    // As thunks: fast-check looks into the values it makes, and these do not stand it.
    type Make = () => unknown

    const hostile = FastCheck.constantFrom<Array<Make>>(
      () => 1n,
      () => NaN,
      () => throws,
      () => Symbol(),
      revoked,
      cyclic,
      () => new Date(NaN),
      () => ({ toJSON: throws }),
      () => ({ toJSON: () => undefined }),
      () => ({
        get a() {
          return throws()
        }
      }),
      () => new Proxy([1], { get: throws }),
      () => new Proxy({}, { ownKeys: throws }),
      () => Redacted.make(secret),
      () => Option.some({ a: Redacted.make(secret) }),
      () => Object.create(Map.prototype),
      () => new Error("e", { cause: cyclic() }),
      () => "\ud83d",
      () => undefined
    )

    const made = (makes: ReadonlyArray<Make>) => makes.map((make) => make())

    const { tree } = FastCheck.letrec<{ readonly tree: Make }>((tie) => ({
      tree: FastCheck.oneof(
        { maxDepth: 4, withCrossShrink: true },
        hostile,
        anything.map((value): Make => () => value),
        FastCheck.array(tie("tree"), { maxLength: 4 }).map((items): Make => () => made(items)),
        FastCheck.array(FastCheck.tuple(FastCheck.string({ maxLength: 5 }), tie("tree")), { maxLength: 4 }).map(
          (entries): Make => () => Object.fromEntries(entries.map(([key, make]) => [key, make()]))
        ),
        FastCheck.array(tie("tree"), { maxLength: 4 }).map((items): Make => () => new Set(made(items))),
        FastCheck.array(FastCheck.tuple(tie("tree"), tie("tree")), { maxLength: 3 }).map((entries): Make => () =>
          new Map(entries.map(([key, value]) => [key(), value()]))
        ),
        FastCheck.constant<Make>(() => new Array(4_000_000_000)),
        tie("tree").map((make): Make => () => ({ toJSON: make })),
        // Not of the array above: Effect's own toJSON walks it to its end.
        hostile.map((make): Make => () => Option.some([make()])),
        hostile.map((make): Make => () => ({ nested: Exit.fail(make()) }))
      )
    }))

    it.prop("the text is valid JSON, well-formed, and shows no secret", [tree], ([make]) => {
      const text = stringify(make())
      JSON.parse(text)
      assert.isTrue(isWellFormed(text))
      assert.isFalse(/\\ud[89a-f]/.test(text.replaceAll("\\\\", "")))
      assert.notInclude(text, secret)
    }, runs(1500))

    it.prop("stays within its limit", [tree, FastCheck.integer({ min: 0, max: 200 })], ([make, limit]) => {
      const text = stringify(make(), limit)
      JSON.parse(text)
      // Twice the limit, one value more, and the notes that close each open level.
      assert.isBelow(text.length, 6 * limit + 2000)
    }, runs(500))

    it.prop(
      "what fits is written as JSON.stringify writes it, on both ways",
      [FastCheck.jsonValue({ stringUnit: "binary", maxDepth: 5 }), FastCheck.integer({ min: 0, max: 20 })],
      ([value, more]) => {
        const native = JSON.stringify(value)
        assert.strictEqual(stringify(value, native.length + more), native)
        assert.strictEqual(carefulWrite(value, native.length + more), native)
      },
      runs(500)
    )

    it.prop("the same text comes out twice", [anything], ([value]) => {
      assert.strictEqual(stringify(value), stringify(value))
    }, runs(500))

    it.prop(
      "what JSON can hold comes out as JSON.stringify writes it, on both ways",
      [FastCheck.jsonValue({ stringUnit: "binary", maxDepth: 5 })],
      ([value]) => {
        const native = JSON.stringify(value)
        assert.strictEqual(stringify(value), native)
        assert.strictEqual(stringify({ value, careful: 1n }), `{"value":${native},"careful":"1"}`)
      },
      runs(500)
    )

    it.prop(
      "so do undefined, sparse arrays, dates and objects without prototype",
      [FastCheck.anything({
        withDate: true,
        withNullPrototype: true,
        withSparseArray: true,
        stringUnit: "binary",
        values: [
          FastCheck.string({ unit: "binary" }),
          FastCheck.integer(),
          FastCheck.double({ noNaN: true, noDefaultInfinity: true }),
          FastCheck.boolean(),
          FastCheck.constantFrom(null, undefined),
          FastCheck.date({ noInvalidDate: true })
        ]
      })],
      ([value]) => {
        const native = JSON.stringify(value) as string | undefined
        assert.strictEqual(stringify(value), native ?? "null")
        assert.strictEqual(
          stringify([value, 1n]),
          `[${native ?? "null"},"1"]`
        )
      },
      runs(500)
    )
  })
})
