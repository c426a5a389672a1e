import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { fromNanos } from "../../../src/internal/tracer/time.js"
import { runs } from "../../utils/properties.js"

describe("times in nanoseconds", () => {
  it("are milliseconds where that is exact", () => {
    assert.strictEqual(fromNanos(0n), "1970-01-01T00:00:00.000Z")
    assert.strictEqual(fromNanos(1_764_000_000_123_000_000n), "2025-11-24T16:00:00.123Z")
    assert.strictEqual(fromNanos(1_764_000_000_123_000_001n), "2025-11-24T16:00:00.123000001Z")
    assert.strictEqual(fromNanos(-1n), "1969-12-31T23:59:59.999999999Z")
    assert.strictEqual(fromNanos(1n << 100n), "1970-01-01T00:00:00.000Z")
  })

  it.prop(
    "lose nothing",
    [FastCheck.bigInt({ min: -62_135_596_800_000_000_000n, max: 253_402_300_799_999_999_999n })],
    ([nanos]) => {
      const text = fromNanos(nanos)
      const millis = BigInt(Date.parse(`${text.slice(0, 19)}Z`))
      assert.strictEqual(millis * 1_000_000n + BigInt(text.slice(20, -1).padEnd(9, "0")), nanos)
    },
    runs(1000)
  )
})
