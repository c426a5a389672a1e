import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { parseTime, toIso } from "../../../src/core/wire/time.js"
import { fixed } from "./support/items.js"

const first = Date.parse("0000-01-01T00:00:00.000Z")
const last = Date.parse("9999-12-31T23:59:59.999Z")

const instant = FastCheck.oneof(
  FastCheck.integer({ min: first, max: last }),
  FastCheck.tuple(FastCheck.integer({ min: -719_000, max: 2_900_000 }), FastCheck.integer({ min: -2, max: 2 })).map((
    [day, offset]
  ) => day * 86_400_000 + offset)
)

describe("writing times", () => {
  it.prop("writes what a Date says, over all years that Langfuse reads", [instant], ([millis]) => {
    const expected = new Date(millis).toISOString()
    assert.strictEqual(toIso(millis), expected)
  }, fixed(3000))

  it.prop("drops what is less than a millisecond", [
    FastCheck.double({ min: first, max: last, noNaN: true })
  ], ([millis]) => {
    const expected = new Date(Math.floor(millis)).toISOString()
    assert.strictEqual(toIso(millis), expected)
  }, fixed(1000))

  it("writes the nearest time that has four digits for its year", () => {
    for (const far of [last + 1, 8.64e15, 1e300, Infinity]) {
      assert.strictEqual(toIso(far), "9999-12-31T23:59:59.999Z")
    }
    for (const early of [first - 1, -8.64e15, -Infinity]) {
      assert.strictEqual(toIso(early), "0000-01-01T00:00:00.000Z")
    }
    assert.strictEqual(toIso(NaN), "1970-01-01T00:00:00.000Z")
  })

  it("writes every month and leap day", () => {
    for (const year of [0, 4, 50, 99, 100, 1600, 1899, 1900, 1970, 1972, 2000, 2024, 2100, 9999]) {
      for (let month = 0; month < 12; month++) {
        for (const day of [1, 28, 29, 30, 31]) {
          const date = new Date(0)
          date.setUTCFullYear(year, month, day)
          assert.strictEqual(toIso(date.getTime()), date.toISOString())
          assert.strictEqual(parseTime(date.toISOString()), date.getTime())
        }
      }
    }
  })
})

describe("reading times", () => {
  it.prop("reads back what was written", [instant], ([millis]) => {
    assert.strictEqual(parseTime(toIso(millis)), millis)
  }, fixed(1000))

  it.prop("reads any number of digits, and never the next millisecond", [
    FastCheck.integer({ min: first, max: last }),
    FastCheck.string({ unit: FastCheck.constantFrom(..."0129"), maxLength: 12 })
  ], ([millis, digits]) => {
    const read = parseTime(`${new Date(millis).toISOString().slice(0, -1)}${digits}Z`)
    assert.strictEqual(Math.floor(read), millis)
    const fraction = Number(`0.${digits}0`)
    if (Math.abs(millis) < 2 ** 41 && fraction < 0.999) assert.closeTo(read - millis, fraction, 0.001)
  }, fixed(1000))

  it.prop("reads zones as a Date does", [
    FastCheck.integer({ min: first, max: last }),
    FastCheck.integer({ min: -1439, max: 1439 })
  ], ([millis, minutes]) => {
    const two = (value: number) => String(value).padStart(2, "0")
    const size = Math.abs(minutes)
    const zone = [two(Math.floor(size / 60)), two(size % 60)]
    const local = new Date(millis).toISOString().slice(0, -1)
    const sign = minutes < 0 ? "-" : "+"
    const expected = millis - minutes * 60_000
    assert.strictEqual(parseTime(`${local}${sign}${zone.join(":")}`), expected)
    // Servers up to 3.95 take this form as well.
    assert.strictEqual(parseTime(`${local}${sign}${zone.join("")}`), expected)
  }, fixed(500))

  it("reads times without seconds or with few digits", () => {
    assert.strictEqual(parseTime("2026-01-01T00:00Z"), Date.UTC(2026, 0, 1))
    assert.strictEqual(parseTime("2026-01-01T00:00:00Z"), Date.UTC(2026, 0, 1))
    assert.strictEqual(parseTime("2026-01-01T00:00:00.5Z"), Date.UTC(2026, 0, 1) + 500)
    assert.strictEqual(parseTime("2026-01-01T00:00:00.05+02:00"), Date.UTC(2025, 11, 31, 22) + 50)
    assert.strictEqual(parseTime("2024-02-29T00:00:00Z"), Date.UTC(2024, 1, 29))
    assert.strictEqual(parseTime("2026-01-01T00:00:00.9999999999Z"), Date.UTC(2026, 0, 1) + 999)
  })

  it("does not read what no Langfuse does", () => {
    for (
      const text of [
        "",
        "x",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:Z",
        "2026-01-01T0:00:00Z",
        "2026-01-01 00:00:00Z",
        "2026-01-01t00:00:00z",
        "2026-01-01T00:00:00.000Z ",
        " 2026-01-01T00:00:00.000Z",
        "2026-01-01T00:00:00+02",
        "2026-01-01T00:00:00+02:0",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+02:60",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "+012024-01-01T00:00:00Z",
        "-000001-01-01T00:00:00Z",
        "20266-01-01T00:00:00Z",
        "２０２６-01-01T00:00:00Z",
        "1767225600000",
        "Thu, 01 Jan 1970 00:00:00 GMT"
      ]
    ) assert.isNaN(parseTime(text), text)
  })

  it.prop("never throws", [FastCheck.string({ unit: "binary" })], ([text]) => {
    assert.isNaN(parseTime(text))
  }, fixed(500))
})
