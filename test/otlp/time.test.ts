import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Time from "../../src/internal/otlp/time.js"

const text = (iso: string): string | undefined => {
  const time = Time.parse(iso)
  return time === undefined ? undefined : Time.toText(time)
}

describe("time", () => {
  it("keeps every digit of a fraction, down to the nanosecond", () => {
    assert.strictEqual(text("1970-01-01T00:00:01.5Z"), "1500000000")
    assert.strictEqual(text("1970-01-01T00:00:01.123456789Z"), "1123456789")
    assert.strictEqual(text("1970-01-01T00:00:01.1234567891234Z"), "1123456789")
    assert.strictEqual(text("1970-01-01T00:00:01Z"), "1000000000")
    assert.strictEqual(text("1970-01-01T00:01Z"), "60000000000")
  })

  it("reads offsets", () => {
    assert.strictEqual(text("1970-01-01T02:00:00.25+02:00"), "250000000")
    assert.strictEqual(text("1969-12-31T20:00:00-05:00"), "3600000000000")
  })

  it("what Langfuse would not read is no time", () => {
    for (const iso of ["", "yesterday", "2026-01-01", "2026-01-01T00:00:00", "2026-02-30T00:00:00Z", "1767225600000"]) {
      assert.strictEqual(text(iso), undefined, iso)
    }
  })

  it("what the wire cannot hold is the nearest that it can", () => {
    assert.strictEqual(text("1969-12-31T23:59:59.999Z"), "1")
    assert.strictEqual(text("1970-01-01T00:00:00Z"), "1")
    assert.strictEqual(text("9999-12-31T23:59:59.999Z"), "18446744073709551615")
  })

  it.prop(
    "is exact to the millisecond for any date",
    { millis: FastCheck.nat({ max: 4_102_444_800_000 }) },
    ({ millis }) => {
      const time = Time.parse(new Date(millis).toISOString())
      assert.strictEqual(time, BigInt(millis) * 1_000_000n)
      assert.strictEqual(Time.toIso(time ?? 0n), new Date(millis).toISOString())
    }
  )
})
