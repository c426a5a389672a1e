import { assert, describe, it } from "@effect/vitest"
import { complete } from "../../../src/core/item/complete.js"
import { contentOf, metadataOf } from "../../../src/core/item/content.js"
import { type Item, Observation, Plain, Trace, TraceFields } from "../../../src/core/item/item.js"
import { policy } from "../../utils/policy.js"

const observation = (fill: (item: Observation) => void): Observation => {
  const item = new Observation("e", 0, "s", "create", "span", false)
  fill(item)
  return item
}

const bytes = (item: Item): number => complete(item, policy()).bytes

describe("complete", () => {
  it("measures the memory of all texts: two bytes a character where one is not Latin-1", () => {
    const empty = bytes(observation(() => {}))
    const text = (text: string) => {
      const content = contentOf(text, policy())
      const context = new TraceFields()
      context.input = content
      const noContext = bytes(observation((item) => item.context = new TraceFields()))
      return [
        bytes(observation((item) => item.input = content)) - empty,
        bytes(observation((item) => item.output = content)) - empty,
        bytes(observation((item) => item.statusMessage = text)) - empty,
        bytes(observation((item) => item.parameters = text)) - empty,
        bytes(observation((item) => item.extra = text)) - empty,
        bytes(observation((item) => item.level = text)) - empty,
        bytes(observation((item) => item.traceId = text)) - empty,
        bytes(observation((item) => item.parentId = text)) - empty,
        bytes(new Observation(text, 0, "s", "create", "span", false)) - empty + 1,
        bytes(new Observation("e", 0, text, "create", "span", false)) - empty + 1,
        bytes(observation((item) => item.context = context)) - noContext
      ]
    }
    assert.deepStrictEqual(text("x".repeat(1000)), Array.from({ length: 11 }, () => 1000))
    assert.deepStrictEqual(text("é".repeat(1000)), Array.from({ length: 11 }, () => 1000))
    assert.deepStrictEqual(text("終".repeat(1000)), Array.from({ length: 11 }, () => 2000))
    const metadata = bytes(observation((item) => item.metadata = metadataOf({ a: "x".repeat(1000), b: [1] }, policy())))
    assert.isAtLeast(metadata, empty + 1000)
    assert.isBelow(metadata, empty + 1200)
  })

  it("of traces and what is plain, too", () => {
    const trace = new Trace("e", 0, "t")
    trace.fields.tags = ["x".repeat(1000)]
    assert.isAtLeast(bytes(trace), 1000)
    assert.isAtLeast(bytes(new Plain("e", 0, "l", "sdk-log", `{"log":"${"x".repeat(1000)}"}`, undefined, [])), 1000)
  })

  it("measures what is left after masking and cutting", () => {
    const large = () => observation((item) => item.input = contentOf("x".repeat(100_000), policy()))
    assert.isBelow(complete(large(), policy({ mask: () => "short" })).bytes, 1500)
    assert.isBelow(complete(large(), policy({ maxEventBytes: 3000 })).bytes, 4000)
    assert.isAbove(complete(large(), policy({ maxEventBytes: Infinity })).bytes, 100_000)
  })

  it("returns the item that it was given", () => {
    const item = observation(() => {})
    assert.strictEqual(complete(item, policy()), item)
  })
})
