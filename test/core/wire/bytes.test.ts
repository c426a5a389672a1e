import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { Bytes } from "../../../src/core/wire/bytes.js"
import { fixed, text, wellFormed } from "./support/items.js"

const read = (out: Bytes): string => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(out.view())

describe("Bytes", () => {
  it.prop("writes texts as UTF-8, with U+FFFD for half a surrogate pair", [
    FastCheck.array(text, { maxLength: 6 })
  ], ([texts]) => {
    const out = new Bytes(0)
    for (const text of texts) out.utf8(text)
    // Texts are written one by one, so halves in two of them make no pair.
    assert.strictEqual(read(out), texts.map((text) => wellFormed(text)).join(""))
  }, fixed(500))

  it.prop("writes texts as JSON strings", [FastCheck.array(text, { maxLength: 6 })], ([texts]) => {
    for (const text of texts) {
      const out = new Bytes(0)
      out.quoted(text)
      assert.strictEqual(JSON.parse(read(out)), wellFormed(text))
    }
  }, fixed(500))

  it("writes long texts, whatever room there is", () => {
    for (const unit of ["a", "é", "語", "\u{1f600}", "\ud83d", "a\u{1f600}é"]) {
      const text = unit.repeat(400_000)
      for (const size of [0, 1, 400_001, 2_000_000]) {
        const out = new Bytes(size)
        out.byte(0x61)
        out.utf8(text)
        assert.isTrue(read(out) === `a${wellFormed(text)}`, `${unit} in ${size}`)
      }
    }
  })

  it.prop("forgets what was written after a mark", [text, text, text], ([kept, lost, after]) => {
    const out = new Bytes(8)
    out.quoted(kept)
    const mark = out.mark()
    out.quoted(lost)
    out.rewind(mark)
    out.quoted(after)
    const expected = new Bytes(0)
    expected.quoted(kept)
    expected.quoted(after)
    assert.deepStrictEqual(out.view(), expected.view())
  }, fixed(200))

  it("takes a buffer that was used before, if it is large enough", () => {
    const used = new Uint8Array(100).fill(1)
    assert.strictEqual(new Bytes(100, used).buffer, used)
    assert.strictEqual(new Bytes(101, used).buffer.length, 101)
    assert.strictEqual(new Bytes(10, used).view().length, 0)
  })
})
