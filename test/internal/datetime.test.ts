import { assert, describe, it } from "@effect/vitest"
import { DateTime, FastCheck } from "effect"
import { fromMillis, isIsoDateTime, toIso } from "../../src/internal/datetime.js"
import { fixed } from "../core/wire/support/items.js"

const year10000 = 253_402_300_800_000
const year0 = -62_167_219_200_000

describe("times as text", () => {
  it.prop(
    "are what a Date says, whatever times came before",
    [FastCheck.array(FastCheck.integer({ min: year0, max: year10000 - 1 }), { maxLength: 20 })],
    ([times]) => {
      for (const time of times) assert.strictEqual(fromMillis(time), new Date(time).toISOString())
    },
    fixed(100)
  )

  it.prop(
    "are right at both ends of a day, from one day to the next",
    [FastCheck.integer({ min: -700_000, max: 2_900_000 }), FastCheck.integer({ min: -2000, max: 2000 })],
    ([day, offset]) => {
      const time = day * 86_400_000 + offset
      assert.strictEqual(fromMillis(time), new Date(time).toISOString())
    },
    fixed(100)
  )

  it.prop("drop what is less than a millisecond as a Date does", [
    FastCheck.double({ min: year0, max: year10000 - 1, noNaN: true })
  ], ([time]) => {
    assert.strictEqual(fromMillis(time), new Date(time).toISOString())
  }, fixed(100))

  it.prop("are none beyond the years 0 to 9999", [
    FastCheck.oneof(
      FastCheck.integer({ min: year10000, max: 9e15 }),
      FastCheck.integer({ min: -9e15, max: year0 - 1 }),
      FastCheck.constantFrom(NaN, Infinity, -Infinity)
    )
  ], ([time]) => {
    assert.isUndefined(fromMillis(time))
    assert.isUndefined(toIso(new Date(time)))
  }, fixed(100))

  it.prop("of every kind a program has are ones Langfuse takes", [
    FastCheck.integer({ min: 0, max: year10000 - 1 })
  ], ([time]) => {
    const expected = new Date(time).toISOString()
    assert.isTrue(isIsoDateTime(expected))
    for (const given of [new Date(time), DateTime.unsafeMake(time), expected]) {
      assert.strictEqual(toIso(given), expected)
    }
  }, fixed(100))
})
