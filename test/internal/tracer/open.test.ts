import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { type Listed, OpenSpans } from "../../../src/internal/tracer/open.js"
import { runs } from "../../utils/properties.js"

class Span implements Listed<Span> {
  isOpen = false
  older: Span | undefined = undefined
  newer: Span | undefined = undefined
}

describe("the spans that are open", () => {
  it.prop(
    "are those that came and did not go, in the order in which they came, like a Set",
    [FastCheck.array(FastCheck.tuple(FastCheck.boolean(), FastCheck.nat(7)), { maxLength: 60 })],
    ([steps]) => {
      const spans = Array.from({ length: 8 }, () => new Span())
      const open = new OpenSpans<Span>()
      const set = new Set<Span>()
      for (const [comes, index] of steps) {
        const span = spans[index]
        if (span === undefined) continue
        if (comes) {
          open.add(span)
          set.add(span)
        } else {
          open.delete(span)
          set.delete(span)
        }
        assert.strictEqual(open.size, set.size)
        assert.isTrue([...open].every((span, i) => span === [...set][i]))
        assert.isTrue(spans.every((span) => span.isOpen === set.has(span)))
      }
    },
    runs(500)
  )

  it("hold nothing of one that went, nor does that one of others", () => {
    const open = new OpenSpans<Span>()
    const [a, b, c] = [new Span(), new Span(), new Span()]
    for (const span of [a, b, c]) open.add(span)
    open.delete(b)
    assert.deepStrictEqual([b.older, b.newer], [undefined, undefined])
    assert.strictEqual(a.newer, c)
    assert.strictEqual(c.older, a)
  })
})
