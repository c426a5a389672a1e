import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Sender from "../../src/internal/sender.js"
import { byteLength } from "../../src/internal/utf8.js"

const texts = FastCheck.array(FastCheck.string({ unit: "binary" }))

const partOf = (text: string): Sender.Part => new Sender.Part([], text, byteLength(text))

describe("sender", () => {
  it.prop(
    "the body of a request is its parts with commas between them, inside of the frame",
    [texts, FastCheck.tuple(FastCheck.string({ unit: "binary" }), FastCheck.string({ unit: "binary" }))],
    ([texts, [open, close]]) => {
      const body = Sender.frame({ frame: [open, close] }, texts.map(partOf))
      assert.deepStrictEqual([...body], [...new TextEncoder().encode(open + texts.join(",") + close)])
    }
  )

  it.prop(
    "a split keeps the order of parts, and no body of more than one is larger than the limit",
    [texts, FastCheck.integer({ min: 0, max: 200 })],
    ([texts, limit]) => {
      const endpoint = { frame: ["{\"batch\":[", "]}"] } as const
      const chunks = Sender.split(endpoint, texts.map(partOf), limit)
      assert.deepStrictEqual(chunks.flatMap((parts) => parts.map((part) => part.text)), texts)
      for (const parts of chunks) {
        if (parts.length > 1) assert.isAtMost(Sender.frame(endpoint, parts).length, limit)
      }
    }
  )
})
