/**
 * Values that break what serialises them, or that JSON does not know.
 */
import { Chunk, Data, HashMap, Option, Redacted } from "effect"

const cyclic = () => {
  const list: Array<unknown> = [1]
  list.push(list, { list })
  return list
}

const deep = (levels: number) => {
  let value: unknown = "bottom"
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? { value } : [value]
  return value
}

const refusing = () => {
  throw new Error("no")
}

/** Every trap throws. */
const closed = () =>
  new Proxy({}, {
    get: refusing,
    has: refusing,
    ownKeys: refusing,
    getPrototypeOf: refusing,
    getOwnPropertyDescriptor: refusing
  })

const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

class Account {
  #secret = 1
  name = "n"
  get balance(): number {
    throw new Error("no balance")
  }
  toString(): string {
    return `${this.#secret}`
  }
}

class Point extends Data.Class<{ readonly x: number }> {}

const selfish = () => {
  const value = { toJSON: (): unknown => value }
  return value
}

const growing = (): unknown => ({ toJSON: () => ({ more: growing() }) })

const sparse = () => {
  const list: Array<number> = []
  list[4_000_000_000] = 1
  return list
}

export const hostile: ReadonlyArray<readonly [what: string, make: () => unknown]> = [
  ["undefined in an object", () => ({ a: undefined })],
  ["a bigint", () => 12345678901234567890n],
  ["bigints in a list", () => [1n, { n: -1n }]],
  ["minus zero", () => -0],
  ["not a number", () => [Number.NaN, Infinity, -Infinity]],
  ["a symbol", () => Symbol("s")],
  ["symbols as keys", () => ({ [Symbol("k")]: 1, k: Symbol.iterator })],
  ["a function", () => function named() {}],
  ["a class", () => Account],
  ["an instance with a throwing getter", () => new Account()],
  ["a value of Effect's", () => [new Point({ x: 1 }), Option.some(1), Chunk.make(1, 2), HashMap.make(["a", 1])]],
  ["a secret", () => ({ key: Redacted.make("never") })],
  ["an invalid date", () => new Date(Number.NaN)],
  ["dates", () => [new Date(0), new Date(8.64e15)]],
  ["a regular expression", () => /a+/g],
  ["a cyclic list", cyclic],
  ["a map that holds itself", () => {
    const map = new Map<unknown, unknown>()
    return map.set("self", map).set(map, 1)
  }],
  ["a set", () => new Set([1, "a", {}])],
  ["weak collections", () => [new WeakMap(), new WeakSet()]],
  ["typed arrays", () => [new Uint8Array(10_000), new Float64Array(3), new DataView(new ArrayBuffer(8))]],
  ["a buffer", () => Buffer.alloc(1000)],
  ["a shared buffer", () => new SharedArrayBuffer(8)],
  ["an error with a cyclic cause", () => {
    const error = new Error("outer")
    error.cause = { error }
    return error
  }],
  ["an error of many", () => new AggregateError([new Error("a"), "b"], "many")],
  ["a promise that rejects", () => {
    const promise = Promise.reject(new Error("no"))
    promise.catch(() => {})
    return promise
  }],
  ["something thenable", () => ({ then: refusing })],
  ["a proxy whose traps throw", closed],
  ["a list whose items throw", () => [1, closed(), 3]],
  ["a revoked proxy", revoked],
  [
    "a proxy that makes up properties",
    () => new Proxy({}, { get: (_, key) => String(key), ownKeys: () => ["a", "b"] })
  ],
  ["a getter that throws", () => ({
    get a() {
      return refusing()
    },
    b: 1
  })],
  ["toJSON that throws", () => ({ toJSON: refusing, toString: refusing })],
  ["toJSON that returns itself", selfish],
  ["toJSON that never ends", growing],
  ["toJSON that is no function", () => ({ toJSON: 1 })],
  ["toString that throws", () => ({ toString: refusing, valueOf: refusing, [Symbol.toPrimitive]: refusing })],
  ["a getter that grows", () => {
    const value = {
      get next(): unknown {
        return Object.create(value)
      }
    }
    return value
  }],
  ["no prototype", () => Object.assign(Object.create(null), { a: 1 })],
  [
    "the prototype as a key",
    () => JSON.parse("{\"__proto__\":{\"polluted\":true},\"constructor\":{\"prototype\":{}}}")
  ],
  ["a sparse list of four billion", sparse],
  ["a list with holes", () => Object.assign(new Array(4), { 1: 1, 3: 2 })],
  ["lone surrogates", () => "\ud800 and \udfff"],
  ["control characters", () => "\u0000\u001f\u007f\u2028\u2029"],
  ["boxed values", () => [Object(1), Object("s"), Object(true), Object(1n), Object(Symbol("s"))]],
  ["an array that is a proxy", () => new Proxy([1, 2, 3], {})],
  [
    "a length that lies",
    () => new Proxy([1], { get: (target, key) => key === "length" ? 2 ** 32 : Reflect.get(target, key) })
  ],
  ["generators", () => [function*() {}, (function*() {})()]]
]

/** Those that take their time, too. */
export const huge: ReadonlyArray<readonly [what: string, make: () => unknown]> = [
  ["a hundred thousand keys", () => Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, i]))],
  ["ten megabytes of text", () => "x".repeat(10_000_000)],
  ["depth", () => deep(20_000)],
  ["the global object", () => globalThis]
]
