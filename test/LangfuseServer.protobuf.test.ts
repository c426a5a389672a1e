import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import protobuf from "protobufjs/light.js"
import { decodeExport } from "../src/server/protobuf.js"

// The server reads protobuf by itself; here it is held against a library that does nothing else.

const fc = FastCheck

type Fields = { readonly [name: string]: { readonly id: number; readonly type: string; readonly rule?: "repeated" } }

const one = (id: number, type: string) => ({ id, type })
const many = (id: number, type: string) => ({ id, type, rule: "repeated" as const })
const message = (fields: Fields) => ({ fields: { ...fields } })

const value: Fields = {
  stringValue: one(1, "string"),
  boolValue: one(2, "bool"),
  intValue: one(3, "int64"),
  doubleValue: one(4, "double"),
  arrayValue: one(5, "ArrayValue"),
  kvlistValue: one(6, "KeyValueList"),
  bytesValue: one(7, "bytes")
}

const type = protobuf.Root.fromJSON({
  nested: {
    AnyValue: { ...message(value), oneofs: { value: { oneof: Object.keys(value) } } },
    ArrayValue: message({ values: many(1, "AnyValue") }),
    KeyValueList: message({ values: many(1, "KeyValue") }),
    KeyValue: message({ key: one(1, "string"), value: one(2, "AnyValue") }),
    Resource: message({ attributes: many(1, "KeyValue"), droppedAttributesCount: one(2, "uint32") }),
    Scope: message({
      name: one(1, "string"),
      version: one(2, "string"),
      attributes: many(3, "KeyValue"),
      droppedAttributesCount: one(4, "uint32")
    }),
    Event: message({
      timeUnixNano: one(1, "fixed64"),
      name: one(2, "string"),
      attributes: many(3, "KeyValue"),
      droppedAttributesCount: one(4, "uint32")
    }),
    Link: message({
      traceId: one(1, "bytes"),
      spanId: one(2, "bytes"),
      traceState: one(3, "string"),
      attributes: many(4, "KeyValue"),
      droppedAttributesCount: one(5, "uint32"),
      flags: one(6, "fixed32")
    }),
    Status: message({ message: one(2, "string"), code: one(3, "int32") }),
    Span: message({
      traceId: one(1, "bytes"),
      spanId: one(2, "bytes"),
      traceState: one(3, "string"),
      parentSpanId: one(4, "bytes"),
      name: one(5, "string"),
      kind: one(6, "int32"),
      startTimeUnixNano: one(7, "fixed64"),
      endTimeUnixNano: one(8, "fixed64"),
      attributes: many(9, "KeyValue"),
      droppedAttributesCount: one(10, "uint32"),
      events: many(11, "Event"),
      droppedEventsCount: one(12, "uint32"),
      links: many(13, "Link"),
      droppedLinksCount: one(14, "uint32"),
      status: one(15, "Status"),
      flags: one(16, "fixed32")
    }),
    ScopeSpans: message({ scope: one(1, "Scope"), spans: many(2, "Span"), schemaUrl: one(3, "string") }),
    ResourceSpans: message({
      resource: one(1, "Resource"),
      scopeSpans: many(2, "ScopeSpans"),
      schemaUrl: one(3, "string")
    }),
    Export: message({ resourceSpans: many(1, "ResourceSpans") })
  }
}).lookupType("Export")

/** Bytes of any kind as plain numbers. */
const plain = (given: unknown): unknown =>
  JSON.parse(JSON.stringify(given, (_, value: unknown) => {
    if (value instanceof Uint8Array) return [...value]
    // What Node's buffers become before they can be asked.
    if (typeof value === "object" && value !== null && "type" in value && value.type === "Buffer" && "data" in value) {
      return value.data
    }
    return typeof value === "number" && !Number.isFinite(value) ? String(value) : value
  }))

const theirs = (bytes: Uint8Array): unknown => plain(type.toObject(type.decode(bytes), { longs: String }))

const ours = (bytes: Uint8Array): unknown => plain(decodeExport(bytes))

const outcome = (read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): unknown => {
  try {
    return read(bytes)
  } catch (cause) {
    // The library's newest version looks at text and at the length of tags, the one that Langfuse has does not.
    return /utf-8|invalid tag encoding/.test(String(cause)) ? "too strict" : "refused"
  }
}

const text = fc.string({ unit: "grapheme", maxLength: 12 })
const id = fc.uint8Array({ maxLength: 17 })
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const fixed64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String)
const some = <A>(arbitrary: FastCheck.Arbitrary<A>) => fc.array(arbitrary, { maxLength: 3 })
const maybe = <T extends object>(shape: { [K in keyof T]: FastCheck.Arbitrary<T[K]> }) =>
  fc.record(shape, { requiredKeys: [] })

const { keyValue } = fc.letrec<{ anyValue: unknown; keyValue: unknown }>((tie) => ({
  anyValue: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.record({ stringValue: text }),
    fc.record({ boolValue: fc.boolean() }),
    fc.record({ intValue: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String) }),
    fc.record({ doubleValue: fc.double() }),
    fc.record({ bytesValue: fc.uint8Array({ maxLength: 5 }) }),
    fc.record({ arrayValue: fc.record({ values: some(tie("anyValue")) }) }),
    fc.record({ kvlistValue: fc.record({ values: some(tie("keyValue")) }) }),
    fc.constant({})
  ),
  keyValue: fc.record({ key: text, value: tie("anyValue") }, { requiredKeys: [] })
}))

const attributes = some(keyValue)

const span = maybe({
  traceId: id,
  spanId: id,
  traceState: text,
  parentSpanId: id,
  name: text,
  kind: fc.integer(),
  startTimeUnixNano: fixed64,
  endTimeUnixNano: fixed64,
  attributes,
  droppedAttributesCount: uint32,
  events: some(maybe({ timeUnixNano: fixed64, name: text, attributes })),
  links: some(maybe({ traceId: id, spanId: id, traceState: text, attributes, flags: uint32 })),
  status: maybe({ message: text, code: fc.integer() }),
  flags: uint32
})

const exported = maybe({
  resourceSpans: some(maybe({
    resource: maybe({ attributes }),
    scopeSpans: some(maybe({
      scope: maybe({ name: text, version: text, attributes }),
      spans: some(span),
      schemaUrl: text
    })),
    schemaUrl: text
  }))
})

const encode = (given: object): Uint8Array => new Uint8Array(type.encode(type.fromObject(given)).finish())

const varint = (value: number, length: number): ReadonlyArray<number> =>
  Array.from(
    { length },
    (_, index) => (Math.floor(value / 2 ** (7 * index)) % 128) + (index < length - 1 ? 128 : 0)
  )

/** A field with a length, which takes more room than it has to. */
const padded = (field: number, content: ReadonlyArray<number>, length = 4) => [
  ...varint(field * 8 + 2, 1),
  ...varint(content.length, length),
  ...content
]

const fixed = { seed: 20260203, numRuns: 300, endOnFailure: true }

describe("protobuf", () => {
  it("is read as a library reads it", () => {
    fc.assert(
      fc.property(exported, (given) => {
        const bytes = encode(given)
        assert.deepStrictEqual(ours(bytes), theirs(bytes))
      }),
      fixed
    )
  })

  it("is refused where a library refuses it, after a byte was changed or the end cut off", () => {
    fc.assert(
      fc.property(exported, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean(), (given, at, byte, isCut) => {
        const bytes = encode(given)
        if (bytes.length === 0) return
        const position = at % bytes.length
        const changed = isCut ? bytes.slice(0, position) : bytes.slice()
        if (!isCut) changed[position] = byte
        const [mine, other] = [outcome(ours, changed), outcome(theirs, changed)]
        if (other !== "too strict") assert.strictEqual(mine === "refused", other === "refused")
      }),
      { ...fixed, numRuns: 2000 }
    )
  })

  it("of any bytes at all is an answer", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        outcome(ours, bytes)
      }),
      { ...fixed, numRuns: 2000 }
    )
  })

  it("takes lengths that are padded, fields in any order, and fields sent again", () => {
    const name = [...new TextEncoder().encode("work")]
    for (const length of [1, 2, 4, 5, 9, 10]) {
      const bytes = Uint8Array.from(
        padded(
          1,
          padded(2, padded(2, [...padded(5, [120], length), ...padded(5, name, length)], length), length),
          length
        )
      )
      assert.deepStrictEqual(ours(bytes), { resourceSpans: [{ scopeSpans: [{ spans: [{ name: "work" }] }] }] })
    }
  })

  it("merges a message that is sent in two parts", () => {
    const status = [...padded(15, padded(2, [109])), ...padded(15, [24, 2])]
    const scope = [...padded(1, padded(1, [110])), ...padded(1, padded(2, [49]))]
    const bytes = Uint8Array.from(padded(1, padded(2, [...scope, ...padded(2, status)])))
    assert.deepStrictEqual(ours(bytes), {
      resourceSpans: [{
        scopeSpans: [{ scope: { name: "n", version: "1" }, spans: [{ status: { message: "m", code: 2 } }] }]
      }]
    })
    assert.deepStrictEqual(ours(bytes), theirs(bytes))
  })

  it("skips what it does not know, groups too", () => {
    const unknown = [
      ...[0xf8, 0x01, 0x2a],
      ...[0xf9, 0x01, 1, 2, 3, 4, 5, 6, 7, 8],
      ...[0xfa, 0x01, 2, 1, 2],
      ...[0xfb, 0x01, 0x08, 0x01, 0xfc, 0x01],
      ...[0xfd, 0x01, 1, 2, 3, 4]
    ]
    const bytes = Uint8Array.from([...unknown, ...padded(1, padded(3, [117])), ...unknown])
    assert.deepStrictEqual(ours(bytes), { resourceSpans: [{ schemaUrl: "u" }] })
  })

  it("refuses lists that lie too deep, a group that does not end, and field 0", () => {
    const nested = Array.from({ length: 2000 }).reduce<ReadonlyArray<number>>(
      (inner) => padded(5, padded(1, inner, 3), 3),
      []
    )
    const deep = padded(1, padded(1, padded(1, padded(2, nested, 3), 3), 3), 3)
    for (const bytes of [deep, [0xfb, 0x01, 0x08, 0x01], [0x00, 0x00], [0x0a, 0xff], [0x0e], [0xff, 0xff]]) {
      assert.strictEqual(outcome(ours, Uint8Array.from(bytes)), "refused")
    }
  })
})
