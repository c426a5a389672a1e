import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck } from "effect"
import * as Ids from "../../src/internal/otlp/ids.js"
import { spanIdFor, traceIdFor } from "../utils/otlp.js"

const digestsOf = (...texts: ReadonlyArray<string>) => Ids.makeHasher()(texts)

const idLike = FastCheck.oneof(
  FastCheck.stringMatching(/^[0-9a-f]{15,17}$/),
  FastCheck.stringMatching(/^[0-9a-f]{31,33}$/),
  FastCheck.stringMatching(/^[0-9a-fA-FgG` /:-]{16}$/),
  FastCheck.stringMatching(/^[0-9a-fA-FgG` /:-]{32}$/),
  FastCheck.constantFrom("", "0".repeat(16), "0".repeat(32), `${"0".repeat(15)}1`)
)

describe("ids", () => {
  it.prop(
    "an id stays as it is when it has the right digits and is not zero, whatever came before it",
    { ids: FastCheck.array(idLike, { maxLength: 6 }) },
    ({ ids }) => {
      for (const id of [...ids, ...ids]) {
        const as = (is: boolean) => is ? { given: id, sent: id } : undefined
        assert.deepStrictEqual(Ids.asTraceId(id), as(/^(?!0{32})[0-9a-f]{32}$/.test(id)))
        for (const read of [Ids.asSpanId, Ids.asParentId]) {
          assert.deepStrictEqual(read(id), as(/^(?!0{16})[0-9a-f]{16}$/.test(id)))
        }
      }
    }
  )

  it.effect("hex digits of the right length pass through", () =>
    Effect.gen(function*() {
      const digests = yield* digestsOf()
      const trace = "0123456789abcdef0123456789abcdef"
      assert.deepStrictEqual(Ids.traceIdOf(trace, digests), { given: trace, sent: trace })
      assert.deepStrictEqual(Ids.spanIdOf("00000000000000ab", digests)?.sent, "00000000000000ab")
    }))

  it.effect("any other is the beginning of its SHA-256, as the official SDKs derive an id from a seed", () =>
    Effect.gen(function*() {
      const foreign = [
        "6f1c1b5e-9a1d-4f4e-8f6e-2f1f1d3f9a77",
        "ABCDEF0123456789ABCDEF0123456789",
        "0".repeat(32),
        "0".repeat(16),
        "f".repeat(31),
        "x".repeat(5000),
        "trace 7 ünïcode 🦜",
        " "
      ]
      const digests = yield* digestsOf(...foreign)
      for (const id of foreign) {
        assert.deepStrictEqual(Ids.traceIdOf(id, digests), { given: id, sent: traceIdFor(id) })
        assert.deepStrictEqual(Ids.spanIdOf(id, digests), { given: id, sent: spanIdFor(id) })
      }
    }))

  it("a digest of zeros is not used as it is", () => {
    const zeros = () => "0".repeat(64)
    assert.strictEqual(Ids.spanIdOf("a", zeros)?.sent, "0000000000000001")
    assert.strictEqual(Ids.traceIdOf("a", zeros)?.sent, `${"0".repeat(31)}1`)
  })

  it.effect.prop(
    "any text becomes a valid id, always the same",
    { text: FastCheck.string({ minLength: 1, unit: "binary" }) },
    ({ text }) =>
      Effect.gen(function*() {
        const ids = [yield* digestsOf(text), yield* digestsOf(text, "other")].map((
          digests
        ) => [Ids.traceIdOf(text, digests)?.sent, Ids.spanIdOf(text, digests)?.sent])
        assert.deepStrictEqual(ids[0], ids[1])
        assert.match(ids[0]?.[0] ?? "", /^(?!0{32})[0-9a-f]{32}$/)
        assert.match(ids[0]?.[1] ?? "", /^(?!0{16})[0-9a-f]{16}$/)
      })
  )

  it.effect("remembers digests, within bounds", () =>
    Effect.gen(function*() {
      const hash = Ids.makeHasher()
      for (let i = 0; i < 3; i++) {
        const texts = Array.from({ length: 4000 }, (_, n) => `id ${i} ${n}`)
        const digests = yield* hash(texts)
        assert.isTrue(texts.every((text) => digests(text) !== undefined))
      }
      const again = yield* hash(["id 0 0", "id 2 3999"])
      assert.strictEqual(again("id 0 0")?.slice(0, 16), spanIdFor("id 0 0"))
    }))
})
