import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { build } from "../../console/model/tree.js"
import type { Row } from "../../console/wire.js"

const row = (id: string, parent: string | null, more: Partial<Row> = {}): Row => ({
  id,
  traceId: "t",
  parentObservationId: parent,
  type: "SPAN",
  name: id,
  startTime: `2026-01-01T00:00:0${id.length % 10}.000Z`,
  endTime: "2026-01-01T00:00:09.000Z",
  completionStartTime: null,
  level: "DEFAULT",
  statusMessage: null,
  model: null,
  totalCost: null,
  tokens: null,
  isPlain: false,
  revision: 1,
  ...more
})

const rowsOf = (...rows: ReadonlyArray<Row>) => new Map(rows.map((one) => [one.id, one]))

const shown = (rows: ReadonlyMap<string, Row>, hidePlain = false, collapsed: ReadonlyArray<string> = []) =>
  build(rows, { hidePlain, collapsed: new Set(collapsed) }).lines.map(({ depth, row }) =>
    `${" ".repeat(depth)}${row.id}`
  )

describe("the tree", () => {
  it("has parents before their children", () => {
    assert.deepStrictEqual(shown(rowsOf(row("c", "b"), row("b", "a"), row("a", null), row("d", "a"))), [
      "a",
      " b",
      "  c",
      " d"
    ])
  })

  it("shows those whose parent never came as roots", () => {
    assert.deepStrictEqual(shown(rowsOf(row("a", "gone"), row("b", "a"))), ["a", " b"])
  })

  it("hangs children of hidden spans from what is above these", () => {
    const rows = rowsOf(row("a", null), row("http", "a", { isPlain: true }), row("b", "http"))
    assert.deepStrictEqual(shown(rows, true), ["a", " b"])
    assert.deepStrictEqual(shown(rows, false), ["a", " http", "  b"])
  })

  it("leaves out what is below a closed line, and counts it", () => {
    const rows = rowsOf(row("a", null), row("b", "a"), row("c", "b"))
    assert.deepStrictEqual(shown(rows, false, ["a"]), ["a"])
    assert.strictEqual(build(rows, { hidePlain: false, collapsed: new Set(["a"]) }).lines[0]?.below, 2)
  })

  it("shows every row exactly once, also in circles", () => {
    const ids = FastCheck.constantFrom("a", "b", "c", "d", "e", "f", "g", "h")
    const arbitrary = FastCheck.uniqueArray(
      FastCheck.record({ id: ids, parent: FastCheck.option(ids), isPlain: FastCheck.boolean() }),
      { selector: ({ id }) => id }
    )
    FastCheck.assert(
      FastCheck.property(arbitrary, FastCheck.boolean(), (items, hidePlain) => {
        const rows = rowsOf(...items.map(({ id, isPlain, parent }) => row(id, parent, { isPlain })))
        const expected = items.filter(({ isPlain }) => !(hidePlain && isPlain)).map(({ id }) => id).sort()
        const lines = build(rows, { hidePlain, collapsed: new Set() }).lines.map(({ row }) => row.id)
        assert.deepStrictEqual([...lines].sort(), expected)
      }),
      { seed: 20, numRuns: 500 }
    )
  })

  it("takes a chain of 100,000", () => {
    const rows = new Map<string, Row>()
    for (let index = 0; index < 100_000; index++) {
      rows.set(
        String(index),
        row(String(index), index === 0 ? null : String(index - 1), { startTime: "2026-01-01T00:00:00.000Z" })
      )
    }
    const { lines } = build(rows, { hidePlain: true, collapsed: new Set() })
    assert.strictEqual(lines.length, 100_000)
    assert.strictEqual(lines.at(-1)?.depth, 99_999)
  })
})
