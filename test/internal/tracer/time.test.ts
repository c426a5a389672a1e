import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { toMillis } from "../../../src/internal/tracer/time.js"
import { runs } from "../../utils/properties.js"

describe("times of spans", () => {
  it.prop(
    "are the same milliseconds, with what is left to less than a microsecond",
    [FastCheck.integer({ min: 0, max: Date.UTC(2200, 0) }), FastCheck.nat(999_999)],
    ([millis, nanos]) => {
      assert.strictEqual(toMillis(BigInt(millis) * 1_000_000n), millis)
      const precise = toMillis(BigInt(millis) * 1_000_000n + BigInt(nanos))
      assert.isBelow(Math.abs(precise - millis - nanos / 1e6), 0.001)
    },
    runs(1000)
  )
})
