import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { byteLength, heldBytes, isWellFormed, take, toWellFormed, write } from "../../src/internal/utf8.js"

/** Any UTF-16, lone surrogates included. */
const utf16 = FastCheck.array(
  FastCheck.oneof(
    FastCheck.integer({ min: 0, max: 0xffff }),
    FastCheck.integer({ min: 0xd7f0, max: 0xe010 }),
    FastCheck.integer({ min: 0x20, max: 0x7e })
  ),
  { maxLength: 60 }
).map((codes) => String.fromCharCode(...codes))

describe("utf8", () => {
  it.prop("byteLength is that of TextEncoder", [utf16], ([text]) => {
    assert.strictEqual(byteLength(text), new TextEncoder().encode(text).length)
  }, { fastCheck: { numRuns: 500 } })

  it("byteLength is exact for texts of many times its buffer, wherever a pair falls", () => {
    for (const unit of ["a", "é", "終", "😀", "a😀", "é終a"]) {
      for (const shift of ["", "x", "xy", "xyz"]) {
        const text = shift + unit.repeat(100_003)
        assert.strictEqual(byteLength(text), new TextEncoder().encode(text).length)
      }
    }
    assert.strictEqual(byteLength(""), 0)
  })

  it.prop("write puts texts one after the other as their bytes", [FastCheck.array(utf16)], ([texts]) => {
    const into = new Uint8Array(texts.reduce((sum, text) => sum + byteLength(text), 0))
    assert.strictEqual(texts.reduce((at, text) => write(text, into, at), 0), into.length)
    const each = texts.map((text) => new TextEncoder().encode(text))
    assert.deepStrictEqual([...into], each.flatMap((bytes) => [...bytes]))
  })

  it("heldBytes counts two bytes a character unless all of it is ASCII", () => {
    assert.strictEqual(heldBytes("abc", byteLength("abc")), 3)
    assert.strictEqual(heldBytes("abé", byteLength("abé")), 6)
    assert.strictEqual(heldBytes("終終終", byteLength("終終終")), 9)
  })

  it.prop("toWellFormed replaces lone surrogates only, one for one", [utf16], ([text]) => {
    const formed = toWellFormed(text)
    assert.isTrue(isWellFormed(formed))
    assert.strictEqual(formed.length, text.length)
    assert.strictEqual(isWellFormed(text), formed === text)
    assert.strictEqual(new TextEncoder().encode(text).join(), new TextEncoder().encode(formed).join())
  }, { fastCheck: { numRuns: 500 } })

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
