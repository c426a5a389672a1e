import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { Stamps } from "../../../src/core/flow/stamps.js"
import { Plain } from "../../../src/core/item/item.js"
import { runs } from "../../utils/properties.js"
import { observation, trace } from "./support/items.js"

const noon = Date.UTC(2026, 10, 23, 12)

describe("timestamps at the batch endpoint", () => {
  it("of one entity never tie: 50 quick updates of a trace keep their order", () => {
    const stamps = new Stamps()
    const items = Array.from({ length: 50 }, (_, n) => trace("t", {}, noon + Math.floor(n / 30)))
    items.forEach((item) => stamps.stamp(item))
    const times = items.map(({ at }) => at)
    assert.strictEqual(new Set(times).size, 50)
    assert.deepStrictEqual(times, times.slice().sort((a, b) => a - b))
    assert.isAtMost((times.at(-1) ?? Infinity) - noon, 60)
  })

  it("of other entities, and scores, are left alone", () => {
    const stamps = new Stamps()
    const items = [trace("x", {}, noon), observation("x", {}, { at: noon }), observation("y", {}, { at: noon })]
    const scores = [1, 2].map((n) => new Plain(`e${n}`, noon, "s", "score-create", "{}", "t", []))
    for (const item of [...items, ...scores]) {
      stamps.stamp(item)
      assert.strictEqual(item.at, noon)
    }
  })

  it("are moved by at most a second", () => {
    const stamps = new Stamps()
    for (let n = 0; n < 5000; n++) {
      const item = observation("o", {}, { at: noon })
      stamps.stamp(item)
      assert.isAtMost(item.at - noon, 1000)
    }
  })

  it("of what is older than the last one stay, in their own order", () => {
    const stamps = new Stamps()
    const [newer, older] = [observation("o", {}, { at: noon + 5 }), observation("o", {}, { at: noon })]
    stamps.stamp(newer)
    stamps.stamp(older)
    assert.deepStrictEqual([newer.at, older.at], [noon + 5, noon])
  })

  it.prop(
    "that do not go back never tie, to the millisecond",
    [FastCheck.array(FastCheck.tuple(FastCheck.constantFrom("a", "b", "c"), FastCheck.constantFrom(0, 0, 0.25, 1, 7)))],
    ([steps]) => {
      const stamps = new Stamps()
      const used = new Set<string>()
      let at = noon
      for (const [id, later] of steps) {
        at += later
        const item = trace(id, {}, at)
        stamps.stamp(item)
        const key = `${id} ${Math.floor(item.at)}`
        assert.isFalse(used.has(key))
        used.add(key)
      }
    },
    runs(200)
  )
})
