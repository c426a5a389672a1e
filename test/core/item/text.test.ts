import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { byteLength, isWellFormed, quote, take, toWellFormed } from "../../../src/core/item/text.js"
import { runs } from "../../utils/properties.js"

/** Any UTF-16, lone surrogates included. */
const utf16 = FastCheck.array(
  FastCheck.oneof(
    FastCheck.integer({ min: 0, max: 0xffff }),
    FastCheck.integer({ min: 0xd7f0, max: 0xe010 }),
    FastCheck.integer({ min: 0x20, max: 0x7e })
  ),
  { maxLength: 60 }
).map((codes) => String.fromCharCode(...codes))

describe("text", () => {
  it.prop("byteLength is that of TextEncoder", [utf16], ([text]) => {
    assert.strictEqual(byteLength(text), new TextEncoder().encode(text).length)
  }, runs(500))

  it("byteLength is exact for texts of many times its buffer, wherever a pair falls", () => {
    for (const unit of ["a", "é", "終", "😀", "a😀", "é終a"]) {
      for (const shift of ["", "x", "xy", "xyz"]) {
        const text = shift + unit.repeat(100_003)
        assert.strictEqual(byteLength(text), new TextEncoder().encode(text).length)
      }
    }
    assert.strictEqual(byteLength(""), 0)
  })

  it.prop("quote is JSON.stringify of the well-formed text", [utf16], ([text]) => {
    assert.strictEqual(quote(text), JSON.stringify(toWellFormed(text)))
  }, runs(500))

  it.prop("toWellFormed replaces lone surrogates only, one for one", [utf16], ([text]) => {
    const formed = toWellFormed(text)
    assert.isTrue(isWellFormed(formed))
    assert.strictEqual(formed.length, text.length)
    assert.strictEqual(isWellFormed(text), formed === text)
    assert.strictEqual(new TextEncoder().encode(text).join(), new TextEncoder().encode(formed).join())
  }, runs(500))

  it("take leaves a pair out rather than in two", () => {
    assert.strictEqual(take("a😀b", 2), "a")
    assert.strictEqual(take("a😀b", 3), "a😀")
    assert.strictEqual(take("a😀b", 4), "a😀b")
    assert.strictEqual(take("a😀b", 0), "")
  })

  it.prop("take gives a beginning that does not end in half a pair", [
    utf16.map(toWellFormed),
    FastCheck.integer({ min: -5, max: 70 })
  ], ([text, length]) => {
    const kept = take(text, length)
    assert.isTrue(text.startsWith(kept))
    assert.isTrue(isWellFormed(kept))
    assert.isTrue(kept.length <= Math.max(0, length))
    assert.isTrue(kept.length >= Math.min(text.length, length - 1))
  })
})
