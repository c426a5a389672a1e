import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { isIsoDateTime } from "../../src/internal/datetime.js"
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
    "is read alike whatever was read before",
    {
      texts: FastCheck.array(
        FastCheck.oneof(
          FastCheck.date({ min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true })
            .map((date) => date.toISOString()),
          // Of one day, so that what is remembered of it is used.
          FastCheck.nat({ max: 86_399_999 }).map((millis) => new Date(Date.UTC(2024, 1, 29) + millis).toISOString()),
          FastCheck.stringMatching(/^2024-02-29T[0-2][0-9]:[0-7][0-9]:[0-6][0-9][.:,][0-9]{2}[0-9x][Zz]$/),
          FastCheck.constantFrom(
            "",
            "2024-02-29",
            "2024-02-29T",
            "2024-02-29T00:00:00.0000Z",
            "2024-02-29T24:00:00.000Z",
            "2023-02-29T00:00:00.000Z",
            "2024-02-29T00:00:00+00:00"
          )
        ),
        { maxLength: 8 }
      )
    },
    ({ texts }) => {
      for (const text of texts) {
        assert.strictEqual(Time.millisOf(text), isIsoDateTime(text) ? Date.parse(text) : undefined, text)
      }
    }
  )

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
