import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Shelf from "../../src/internal/otlp/shelf.js"

// The seed of a text and how often it is repeated, so that some are larger than others.
const text = FastCheck.tuple(FastCheck.string({ unit: "grapheme" }), FastCheck.constantFrom(1, 10, 1000))
  .map(([seed, times]) => seed.repeat(times))
const perhaps = FastCheck.option(text, { nil: undefined })

describe("shelf", () => {
  it.prop(
    "gives every text back as it was put there, whatever lies beside it",
    {
      all: FastCheck.array(
        FastCheck.record({ head: text, metadata: perhaps, input: perhaps, output: perhaps, trace: perhaps }),
        { maxLength: 50 }
      )
    },
    ({ all }) => {
      const shelf = Shelf.make()
      const slots = all.map(shelf.put)
      assert.deepStrictEqual(slots.map(Shelf.take), all)
    }
  )

  it("tells an empty text from none, and keeps a mark of byte order", () => {
    const texts = { head: "\ufeff{}", metadata: "", input: undefined, output: "\ufeff", trace: "" }
    assert.deepStrictEqual(Shelf.take(Shelf.make().put(texts)), texts)
  })

  it("puts many small ones on one piece, and a large one by itself", () => {
    const shelf = Shelf.make()
    const of = (length: number) =>
      shelf.put({
        head: "x".repeat(length),
        metadata: undefined,
        input: undefined,
        output: undefined,
        trace: undefined
      })
    const small = Array.from({ length: 100 }, () => of(100))
    assert.strictEqual(new Set(small.map(({ piece }) => piece)).size, 1)
    const large = of(10_000)
    assert.strictEqual(large.piece.length, 10_000)
    assert.strictEqual(of(100).piece, small[0]?.piece)
  })
})
