import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { IdGenerator } from "effect-langfuse/IngestionEvent"
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

  it("of a UUID are always the same trace", () => {
    const uuid = "0199b2c4-7d1e-7000-8000-00805f9b34fb"
    assert.match(Ids.traceId(uuid) ?? "", /^[0-9a-f]{32}$/)
    assert.strictEqual(Ids.traceId(uuid), Ids.traceId(uuid.toUpperCase()))
  })
})

describe("an id that comes back", () => {
  it("in capitals or with dashes is the one it was, and a UUID of the program's own stays as it is", () => {
    const id = "0af7651916cd03dd8448eb211c80319c"
    const dashed = `${id.slice(0, 8)}-${id.slice(8, 12)}-${id.slice(12, 16)}-${id.slice(16, 20)}-${id.slice(20)}`
    for (const spelling of [id, id.toUpperCase(), dashed, dashed.toUpperCase()]) {
      assert.strictEqual(Ids.spelled(spelling), id)
      assert.strictEqual(Ids.traceId(spelling), id)
    }
    assert.strictEqual(Ids.spelled("B7AD6B7169203331"), "b7ad6b7169203331")
    for (const own of ["9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d", "Order-42", ""]) {
      assert.strictEqual(Ids.spelled(own), own)
    }
  })

  it("is never taken for a UUID: none that is made here looks like one", () => {
    const { unsafeTraceId } = IdGenerator.defaultValue()
    for (let i = 0; i < 5000; i++) assert.notMatch(unsafeTraceId(), /^.{12}[147].{3}[89ab]/)
  })
})
