/** What is remembered within bounds: hashes, and which warnings were written. */
import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { hash, Recent } from "../../../src/core/flow/recent.js"
import { Throttle } from "../../../src/core/flow/throttle.js"
import { runs } from "../../utils/properties.js"

describe("a memory of hashes", () => {
  it.prop(
    "holds each of the last n keys, and at most twice as many",
    [FastCheck.array(FastCheck.tuple(FastCheck.nat(200).map(String), FastCheck.nat()), { maxLength: 400 })],
    ([entries]) => {
      const size = 20
      const recent = new Recent(size)
      const model = new Map<string, number>()
      for (const [key, value] of entries) {
        recent.set(hash(key), value)
        model.delete(key)
        model.set(key, value)
        const last = [...model].slice(-size)
        for (const [key, value] of last) assert.strictEqual(recent.get(hash(key)), value)
      }
      const held = [...model.keys()].filter((key) => recent.has(hash(key)))
      assert.isAtMost(held.length, 2 * size)
    },
    runs(100)
  )

  it("tells a million ids apart", () => {
    const seen = new Set<number>()
    for (let n = 0; n < 1_000_000; n++) seen.add(hash(n.toString(16).padStart(16, "0")))
    assert.strictEqual(seen.size, 1_000_000)
  })
})

describe("warnings", () => {
  it("are written the first time, and then at most once in ten seconds, with how many were held back", () => {
    const throttle = new Throttle()
    const passed: Array<readonly [second: number, heldBack: number]> = []
    for (let now = 0; now < 30_000; now += 100) {
      const heldBack = throttle.pass("a", now)
      if (heldBack !== undefined) passed.push([now / 1000, heldBack])
    }
    assert.deepStrictEqual(passed, [[0, 0], [10, 99], [20, 99]])
    assert.strictEqual(throttle.pass("b", 25_000), 0)
  })

  it("do not fall silent when the clock is set back", () => {
    const throttle = new Throttle()
    throttle.pass("a", 1e12)
    assert.isDefined(throttle.pass("a", 0))
  })

  it("of kinds without end take no memory without end", () => {
    const throttle = new Throttle()
    for (let n = 0; n < 100_000; n++) throttle.pass(`kind ${n}`, 0)
    assert.isBelow(
      JSON.stringify([...Object.values(throttle)].map((value) => value instanceof Map ? value.size : 0)).length,
      8
    )
  })
})
