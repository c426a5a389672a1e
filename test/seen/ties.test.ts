/** Quick events of one entity: v3 orders them by the millisecond and reverses creates that tie, as recorded. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readCases, type RecordedRequest } from "../recorded/cases.js"
import { event } from "../utils/otlp.js"
import { enqueue, held } from "../utils/seen.js"

interface Said {
  readonly type: string
  readonly timestamp: string
  readonly body: { readonly name?: string; readonly userId?: string; readonly model?: string }
}

const batchOf = ({ body }: RecordedRequest) => (body as { readonly batch: ReadonlyArray<Said> }).batch

const ties = readCases("merges").filter(({ name }) => /^tie-(?!score)|^microseconds-apart/.test(name))

describe("events of one entity within a millisecond, on v3", () => {
  it.effect.each(ties)("$name: the last one wins", (one) =>
    Effect.gen(function*() {
      const batches = [...one.before ?? [], one.request].map(batchOf)
      const { observations, outcomes, traces } = yield* held({ version: "3.225.4" }, enqueue(...batches))
      assert.isTrue([...outcomes.values()].every((outcome) => outcome === "delivered"))
      const [row] = batches.flat()[0]?.type === "trace-create" ? traces : observations
      const said = batches.flat().reduce<Said["body"]>((all, { body }) => ({ ...all, ...body }), {})
      assert.strictEqual(row?.name, said.name)
      if (said.userId !== undefined) assert.strictEqual(traces[0]?.userId, said.userId)
      if (said.model !== undefined) assert.strictEqual(observations[0]?.model, said.model)
    }))

  it("would not win as it is recorded without us", () => {
    const lost = ties.filter(({ before, request, stored }) => {
      const last = [...before ?? [], request].flatMap(batchOf).at(-1)
      const [row] = [...stored?.observations ?? [], ...stored?.traces ?? []]
      return row?.["name"] !== last?.body.name
    })
    assert.isAtLeast(lost.length, 6)
  })

  it.effect.each(["trace-create", "agent-create", "span-update"])(
    "fifty of %s in one batch keep their order",
    (type) =>
      Effect.gen(function*() {
        const id = "0123456789abcdef"
        const { observations, traces } = yield* held(
          { version: "3.225.4" },
          enqueue(
            Array.from(
              { length: 50 },
              (_, n) => event(type, { id, name: `n${n}`, metadata: { [`k${n}`]: n, last: n } })
            )
          )
        )
        const [row] = type === "trace-create" ? traces : observations
        assert.strictEqual(row?.name, "n49")
        assert.strictEqual(row?.metadata["last"], 49)
        assert.strictEqual(Object.keys(row?.metadata ?? {}).length, 51)
      })
  )
})
