import { assert, describe, it } from "@effect/vitest"
import { Traces } from "../../../src/core/flow/traces.js"
import type { Item } from "../../../src/core/item/item.js"
import { fieldsOf, observation, text, trace } from "./support/items.js"

const child = (id: string, fields: Parameters<typeof fieldsOf>[0] = {}, traceId = "t") =>
  observation(id, { traceId, parentId: "root", context: fieldsOf(fields) }, { isWhole: true })

const root = (id: string, fields: Parameters<typeof fieldsOf>[0] = {}) =>
  observation(id, { traceId: "t", name: "root", input: text("i"), output: text("o"), context: fieldsOf(fields) }, {
    isWhole: true
  })

/** What goes before the items of one batch; `outcome` is what becomes of it. */
const send = (traces: Traces, items: ReadonlyArray<Item>, outcome: "delivered" | "lost" = "delivered") => {
  const derive = traces.batch()
  const derived = items.map((item) => derive(item))
  if (outcome === "delivered") { for (const each of derived) if (each !== undefined) traces.delivered(each) }
  return derived
}

describe("a trace at the batch endpoint", () => {
  it("is brought by the first observation that is sent of it, with whatever is known", () => {
    const traces = new Traces()
    assert.deepStrictEqual(send(traces, [child("a"), child("b")]).map((each) => each?.id), ["t", undefined])
    assert.deepStrictEqual(send(traces, [child("c")]), [undefined])
  })

  it("is brought again when an observation says something new of it, and not for what was said before", () => {
    const traces = new Traces()
    const said = (userId: string) => send(traces, [child("a", { userId })]).map((each) => each?.fields.userId)
    assert.deepStrictEqual([said("ada"), said("ada"), said("bob"), said("ada"), said("bob")], [
      ["ada"],
      [undefined],
      ["bob"],
      [undefined],
      [undefined]
    ])
  })

  it("gets name, input and output of its root, unless it has its own", () => {
    const traces = new Traces()
    const [first] = send(traces, [root("r")])
    assert.deepInclude(first?.fields, { name: "root", input: text("i"), output: text("o") })
    const [second] = send(traces, [root("r", { name: "n", input: text("q") })])
    assert.deepInclude(second?.fields, { name: "n", input: text("q"), output: text("o") })
  })

  it("that was refused or failed is not taken for known: the next observation brings it again", () => {
    const traces = new Traces()
    assert.isDefined(send(traces, [child("a")], "lost")[0])
    assert.isDefined(send(traces, [child("b")], "lost")[0])
    assert.isDefined(send(traces, [child("c")])[0])
    assert.isUndefined(send(traces, [child("d")])[0])
  })

  it("on its way in another batch proves nothing", () => {
    const traces = new Traces()
    const [one, other] = [traces.batch(), traces.batch()]
    assert.isDefined(one(child("a")))
    assert.isDefined(other(child("b")))
  })

  it("that is public stays so, unless a trace-create says otherwise", () => {
    const traces = new Traces()
    const isPublic = (item: Item) => send(traces, [item])[0]?.fields.isPublic
    assert.strictEqual(isPublic(child("a", { isPublic: true })), true)
    assert.strictEqual(isPublic(child("b", { userId: "ada" })), true)
    send(traces, [trace("t", { isPublic: false })])
    assert.isUndefined(isPublic(child("c", { userId: "bob" })))
  })

  it("is not made for events that a program wrote by hand, which writes the trace as well", () => {
    assert.deepStrictEqual(send(new Traces(), [observation("a", { traceId: "t" }), trace("t"), observation("b")]), [
      undefined,
      undefined,
      undefined
    ])
  })

  it("costs the same memory whatever it holds: 2,000 traces of 100 KB are hashes", () => {
    const traces = new Traces()
    const gc = globalThis.gc ?? (() => {})
    gc()
    const before = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
    for (let n = 0; n < 2000; n++) {
      const context = { metadata: new Map([["k", text(`${n}${"x".repeat(100_000)}`)]]) }
      assert.isDefined(send(traces, [child(`o${n}`, context, `trace ${n}`)])[0])
    }
    gc()
    const after = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
    assert.isBelow(after - before, 100_000_000)
  })
})
