import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { envelopeIds, numbersInJson, numbersInProtobuf } from "../../bench/lib/sink.js"
import { Content, Observation } from "../../src/core/item/item.js"
import { Bytes } from "../../src/core/wire/bytes.js"
import { current } from "../../src/core/wire/dialect.js"
import { ingestionWire } from "../../src/core/wire/ingestionWire.js"
import { otlpWire } from "../../src/core/wire/otlpWire.js"
import type { Writer } from "../../src/core/wire/writer.js"
import { fixed, observation } from "../core/wire/support/items.js"

const bodyOf = (wire: Writer<Observation>, items: ReadonlyArray<Observation>): Buffer => {
  const out = new Bytes(0)
  wire.begin(out)
  for (const item of items) wire.write(out, item)
  wire.end(out)
  return Buffer.from(out.view())
}

const otlp = otlpWire({ serviceName: "bench" })
const batch = ingestionWire(current)

const named = (name: string, given: Partial<Observation> = {}): Observation =>
  Object.assign(new Observation(`event of ${name}`, 0, "b7ad6b7169203331", "create", "span", true), { name }, given)

describe("the benchmark's sink", () => {
  it.prop("counts each numbered name, whatever else an event says", [
    FastCheck.array(FastCheck.tuple(FastCheck.nat(1_000_000), observation), { maxLength: 5 })
  ], ([events]) => {
    const items = events.map(([number, item]) => Object.assign(item, { name: `bench-${number}` }))
    assert.deepStrictEqual(numbersInProtobuf(bodyOf(otlp, items)), events.map(([number]) => number))
  }, fixed(200))

  it("reads no further than the name: the byte after it can be a digit", () => {
    // The tag of the field after the name is 0x39, which is "9".
    const body = bodyOf(otlp, [named("bench-12"), named("bench-7")])
    assert.isTrue(body.includes("bench-129"))
    assert.deepStrictEqual(numbersInProtobuf(body), [12, 7])
    assert.deepStrictEqual(numbersInJson(bodyOf(batch, [named("bench-12"), named("bench-7")])), [12, 7])
  })

  it("counts names only, and only numbered ones", () => {
    const items = [
      named("warm-1"),
      named("bench-"),
      named("bench-x"),
      named("my bench-3"),
      named("", { input: new Content("bench-4", false), metadata: new Map([["bench-5", new Content("6", true)]]) })
    ]
    assert.deepStrictEqual(numbersInProtobuf(bodyOf(otlp, items)), [])
  })

  it("stops at what is no export", () => {
    const body = bodyOf(otlp, [named("bench-1"), named("bench-2")])
    for (let length = 0; length < body.length; length++) {
      assert.isAtMost(numbersInProtobuf(body.subarray(0, length)).length, 2)
    }
    assert.deepStrictEqual(numbersInProtobuf(Buffer.alloc(1000, 0xff)), [])
    assert.deepStrictEqual(numbersInProtobuf(Buffer.from("{\"resourceSpans\":[]}")), [])
  })

  it("names the envelopes of a batch", () => {
    const items = [named("bench-1"), named("bench-2", { type: "agent", op: "update" })]
    assert.deepStrictEqual(envelopeIds(bodyOf(batch, items)), ["event of bench-1", "event of bench-2"])
  })
})
