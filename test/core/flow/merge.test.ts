import { assert, describe, it } from "@effect/vitest"
import { mergeObservation, mergeTrace, overlay } from "../../../src/core/flow/merge.js"
import { bytesOfItem } from "../../../src/core/item/complete.js"
import type { Observation } from "../../../src/core/item/item.js"
import { fieldsOf, json, observation, text, trace, update } from "./support/items.js"

const merged = (...fields: ReadonlyArray<Partial<Observation>>): Observation => {
  const [first = {}, ...later] = fields
  const into = observation("o", first)
  for (const each of later) mergeObservation(into, update("o", each))
  return into
}

describe("events of one observation", () => {
  it("keep what is not said again, and take what is", () => {
    const { model, name, output } = merged({ name: "n", model: "m" }, { name: "later", output: text("o") })
    assert.deepStrictEqual([name, model, output], ["later", "m", text("o")])
  })

  it("keep the first start, trace and environment", () => {
    const { environment, start, traceId } = merged(
      { start: 1, traceId: "t", environment: "a" },
      { start: 2, traceId: "u", environment: "b" }
    )
    assert.deepStrictEqual([start, traceId, environment], [1, "t", "a"])
  })

  it("clear by null what Langfuse lets them clear", () => {
    const { level, model, name, parentId } = merged(
      { name: "n", level: "ERROR", model: "m", parentId: "p" },
      { name: null, level: null, model: null }
    )
    assert.deepStrictEqual([name, level, model, parentId], [null, null, null, "p"])
  })

  it("merge metadata key by key, objects in depth, and nothing else", () => {
    const { metadata } = merged(
      {
        metadata: new Map([["a", json({ x: { y: 1 }, list: [1] })], ["b", text("kept")], ["__proto__", json({ p: 1 })]])
      },
      { metadata: new Map([["a", json({ x: { z: 2 }, list: [2] })], ["__proto__", json({ q: 2 })]]) }
    )
    assert.deepStrictEqual(metadata?.get("a"), json({ x: { y: 1, z: 2 }, list: [2] }))
    assert.deepStrictEqual(metadata?.get("b"), text("kept"))
    assert.deepStrictEqual(JSON.parse(metadata?.get("__proto__")?.text ?? ""), { p: 1, q: 2 })
    assert.notProperty(Object.prototype, "p")
  })

  it("take the room of what they amount to", () => {
    const into = merged({ output: text("x".repeat(1000)) }, { output: text("y") })
    assert.strictEqual(into.bytes, bytesOfItem(into))
    assert.isBelow(into.bytes, 1500)
  })
})

describe("trace-creates of one trace", () => {
  it("bring tags together, keep the start, and make it private unless they say otherwise", () => {
    const { fields } = mergeTrace(
      trace("t", {
        tags: ["b", "a"],
        isPublic: true,
        start: 1,
        userId: "ada",
        metadata: new Map([["k", json({ a: 1 })]])
      }),
      trace("t", { tags: ["c", "a"], start: 2, name: "n", metadata: new Map([["k", json({ b: 2 })]]) })
    )
    assert.deepInclude(fields, { tags: ["a", "b", "c"], start: 1, isPublic: undefined, userId: "ada", name: "n" })
    assert.deepStrictEqual(fields.metadata?.get("k"), json({ a: 1, b: 2 }))
  })

  it("may clear a name, a user, a session or a release", () => {
    const { fields } = mergeTrace(trace("t", { name: "n", userId: "u" }), trace("t", { name: null }))
    assert.deepInclude(fields, { name: null, userId: "u" })
  })
})

describe("what an observation says of its trace", () => {
  it("counts more than what was said before, and does not make it private", () => {
    const fields = overlay(
      fieldsOf({ userId: "ada", isPublic: true, environment: "old" }),
      fieldsOf({ userId: "bob", environment: "new", isAppRoot: true })
    )
    assert.deepInclude(fields, { userId: "bob", isPublic: true, environment: "new", isAppRoot: true })
  })
})
