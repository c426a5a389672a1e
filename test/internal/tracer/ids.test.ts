import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Ids from "../../../src/internal/tracer/ids.js"
import { runs } from "../../utils/properties.js"

const near = FastCheck.oneof(
  FastCheck.hexaString({ minLength: 32, maxLength: 32 }),
  FastCheck.hexaString({ minLength: 16, maxLength: 16 }),
  ...[16, 17, 32, 33].map((length) =>
    // What is next to the digits and letters, and what is more than a byte.
    FastCheck.stringOf(FastCheck.constantFrom("0", "9", "a", "f", "A", "F", "/", ":", "`", "@", "g", "G", "\u0130"), {
      minLength: length,
      maxLength: length
    })
  ),
  FastCheck.constantFrom("0".repeat(16), "0".repeat(32), ""),
  FastCheck.anything()
)

/** The rule as it is written down, one thing after the other. */
const normal = (id: unknown, lengths: ReadonlyArray<number>, length: number): string | undefined =>
  typeof id === "string" && lengths.includes(id.length) && /^[0-9a-fA-F]+$/.test(id) && /[^0]/.test(id)
    ? id.toLowerCase().padStart(length, "0")
    : undefined

describe("ids from elsewhere", () => {
  it.prop("are W3C's, or none, however they are written", [near], ([id]) => {
    assert.strictEqual(Ids.traceId(id), normal(id, [16, 32], 32))
    assert.strictEqual(Ids.spanId(id), normal(id, [16], 16))
  }, runs(2000))
})
