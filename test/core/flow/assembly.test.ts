import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { Assembly, type Limits, limits, type Round } from "../../../src/core/flow/assembly.js"
import type { Entry } from "../../../src/core/flow/ledger.js"
import type { Item, Observation, Trace } from "../../../src/core/item/item.js"
import { runs } from "../../utils/properties.js"
import { fieldsOf, holder, json, observation, text, trace, update } from "./support/items.js"

const make = (given: Partial<Limits> = {}) => {
  const { hold, ledger } = holder()
  const assembly = new Assembly({ ...limits, ...given })
  return {
    assembly,
    ledger,
    hold,
    accept: (now: number, ...items: ReadonlyArray<Item>) => {
      const entries = hold(...items)
      return { ...shown(assembly.accept(entries, now)), entries }
    }
  }
}

const ids = (entries: ReadonlyArray<Entry>) => entries.map(({ id }) => id)

const shown = (round: Round) => ({
  round,
  sent: round.pieces.map(({ item }) => item.id),
  settles: round.pieces.map(({ entries }) => ids(entries)),
  late: ids(round.late),
  withheld: ids(round.withheld),
  items: round.pieces.map(({ item }) => item)
})

const only = (items: ReadonlyArray<Observation | Trace>): Observation => {
  const [item] = items
  return items.length === 1 && item?.kind === "observation" ? item : assert.fail(`${items.length} items`)
}

describe("an observation over OTLP", () => {
  it("leaves when it was created and has an end; an event needs none", () => {
    const { accept } = make()
    assert.deepStrictEqual(accept(0, observation("a", { end: 5 })).sent, ["a"])
    assert.deepStrictEqual(accept(0, observation("b", {}, { type: "event" })).sent, ["b"])
    const open = accept(0, observation("c", { name: "c" }))
    assert.deepStrictEqual([open.sent, open.withheld], [[], ids(open.entries)])
    const ended = accept(0, update("c", { end: 5, output: text("o") }))
    assert.deepInclude(only(ended.items), { name: "c", end: 5, output: text("o"), op: "create" })
    assert.deepStrictEqual(ended.settles, [[...ids(open.entries), ...ids(ended.entries)]])
  })

  it("is merged with all of it that is in the same batch, in the order of time, creates first", () => {
    const { accept } = make()
    const { items, late, settles } = accept(
      0,
      update("a", { name: "third", output: text("late") }, 9),
      observation("a", { name: "first", end: 5 }, { at: 4 }),
      update("a", { name: "second", output: text("early") }, 4)
    )
    assert.deepInclude(only(items), { name: "third", output: text("late"), end: 5 })
    assert.deepStrictEqual([late, settles[0]?.length], [[], 3])
  })

  it("that left is not sent again: whatever comes later for it is too late", () => {
    const { accept } = make()
    accept(0, observation("a", { end: 5 }, { type: "agent" }))
    const later = accept(0, update("a", { output: text("o") }), observation("a", { end: 6 }, { type: "agent" }))
    assert.deepStrictEqual([later.sent, later.withheld], [[], []])
    assert.sameMembers(later.late, ids(later.entries))
  })

  it("that was never created is not sent, and can be created afterwards", () => {
    const { accept } = make()
    const { entries, late, sent } = accept(0, update("a", { end: 5 }))
    assert.deepStrictEqual([sent, late], [[], ids(entries)])
    assert.deepStrictEqual(accept(0, observation("a", { end: 6 })).sent, ["a"])
  })

  it("of the tracer is whole and never waits, and may be sent once more", () => {
    const { accept } = make()
    const whole = () => observation("a", {}, { isWhole: true })
    assert.deepStrictEqual(accept(0, whole()).sent, ["a"])
    assert.deepStrictEqual(accept(0, whole()).sent, ["a"])
  })

  it("leaves after ten minutes as it is, with a warning in place of a level and a message", () => {
    const { accept, assembly } = make()
    accept(1000, observation("a"), observation("b", { level: "ERROR", statusMessage: "broke" }))
    accept(2000, observation("c"))
    assert.strictEqual(assembly.deadline(), 601_000)
    assert.deepStrictEqual(shown(assembly.expire(600_999)).sent, [])
    const { items, round, sent } = shown(assembly.expire(601_000))
    assert.deepStrictEqual([sent, round.unfinished], [["a", "b"], 2])
    assert.deepInclude(items[0], { level: "WARNING", statusMessage: "sent although it did not end" })
    assert.deepInclude(items[1], { level: "ERROR", statusMessage: "broke" })
    assert.deepStrictEqual(accept(602_000, update("a", { end: 1 })).late.length, 1)
    assert.strictEqual(shown(assembly.expire(Infinity)).round.unfinished, 0)
    assert.isUndefined(assembly.deadline())
  })

  it("with a million updates is bounded: at 1,000 of them it leaves, and the rest is too late", () => {
    const { accept, ledger } = make()
    accept(0, observation("a", { output: text("x".repeat(1000)) }))
    let late = 0
    let sent = 0
    for (let batch = 0; batch < 2000; batch++) {
      const updates = Array.from({ length: 500 }, (_, n) => update("a", { output: text(`${batch} ${n}`) }, batch))
      const { round } = accept(0, ...updates)
      for (const { entries } of round.pieces) {
        for (const entry of entries) sent += Number(ledger.settle(entry, "delivered"))
      }
      for (const entry of round.late) late += Number(ledger.settle(entry, "rejected"))
    }
    assert.strictEqual(sent, 1001)
    assert.strictEqual(late, 1_000_000 - 1000)
    assert.strictEqual(ledger.stats().pending, 0)
    assert.strictEqual(ledger.heldBytes, 0)
  })

  it("makes room, the oldest first, when there are too many events of open ones", () => {
    const { accept } = make({ maxOpenEvents: 3 })
    accept(0, observation("a"), observation("b"))
    assert.deepStrictEqual(accept(0, update("a")).sent, [])
    assert.deepStrictEqual(accept(0, observation("c")).sent, ["a"])
    assert.deepStrictEqual(accept(0, observation("d"), observation("e")).sent, ["b"])
  })

  it("has its content cut where all open ones have too much; none is sent early, and no end is refused", () => {
    const { accept } = make({ maxOpenBytes: 110_000 })
    const content = { input: text("x".repeat(15_000)), metadata: new Map([["k", text("y".repeat(15_000))]]) }
    for (let n = 0; n < 10; n++) {
      assert.deepStrictEqual(accept(0, observation(`o${n}`, content)).sent, [])
    }
    assert.deepStrictEqual(accept(0, update("o0", { output: text("z".repeat(50_000)) })).sent, [])
    for (let n = 0; n < 10; n++) {
      const item = only(accept(0, update(`o${n}`, { end: 9 })).items)
      if (n < 7) assert.match(item.input?.text ?? "", /^<cut 15000 characters/)
      else assert.strictEqual(item.input?.text.length, 15_000)
      if (n === 0) assert.match(item.output?.text ?? "", /^<cut 50000 characters/)
    }
  })

  it("whatever its fields are, does not take more than there is room for", () => {
    const long = "x".repeat(100_000)
    const kinds: ReadonlyArray<Partial<Observation>> = [
      { statusMessage: long },
      { name: long },
      { model: long },
      { parameters: JSON.stringify({ long }) },
      { usage: JSON.stringify({ long }) },
      { metadata: new Map([[long, text("")]]) },
      { extra: `,"x":${JSON.stringify(long)}` },
      { context: fieldsOf({ tags: Array.from({ length: 1000 }, (_, n) => `${n} ${long.slice(0, 100)}`) }) },
      { context: fieldsOf({ input: text(long), userId: long, metadata: new Map([["k", text(long)]]) }) }
    ]
    for (const fields of kinds) {
      const { accept, assembly } = make({ maxOpenBytes: 1_000_000 })
      for (let n = 0; n < 50; n++) accept(0, observation(`o${n}`, fields))
      const bytes = assembly.release().reduce((sum, { item }) => sum + item.bytes, 0)
      assert.isAtMost(bytes, 1_000_000, Object.keys(fields).join())
    }
  })

  it("whose output is replaced over and over takes the room of one", () => {
    const { accept } = make({ maxOpenBytes: 110_000 })
    accept(0, observation("a", { input: text("why") }))
    for (let n = 0; n < 900; n++) accept(0, update("a", { output: text("x".repeat(10_000) + n) }, n))
    assert.strictEqual(only(accept(0, update("a", { end: 9 }, 901)).items).output?.text, "x".repeat(10_000) + 899)
  })

  it("that is withheld is held nowhere else", () => {
    const { accept, ledger } = make()
    const { round } = accept(0, observation("a", { input: text("x".repeat(10_000)) }))
    for (const entry of round.withheld) assert.isTrue(ledger.withhold(entry))
    assert.strictEqual(ledger.heldBytes, 0)
    assert.strictEqual(round.withheld[0]?.item.bytes, 0)
  })

  it("is given up with what was merged into it, for another transport", () => {
    const { accept, assembly } = make()
    const { entries } = accept(0, observation("a", { name: "n" }), update("a", { output: text("o") }))
    const [piece, ...others] = assembly.release()
    assert.deepStrictEqual([others, ids(piece?.entries ?? [])], [[], ids(entries)])
    assert.deepInclude(piece?.item, { name: "n", output: text("o"), op: "create" })
    assert.isUndefined(assembly.deadline())
  })
})

describe("a trace over OTLP", () => {
  it("is a span of its own, merged with what is known of it, and keeps its start", () => {
    const { accept } = make()
    const first = accept(0, trace("t", { name: "n", tags: ["b"], input: text("q") }, 100))
    assert.deepStrictEqual(first.sent, ["t"])
    const second = accept(0, trace("t", { tags: ["a"], output: text("a"), start: 7 }, 900))
    const [item] = second.items
    assert.isTrue(second.round.hasTraces)
    assert.deepInclude(item?.kind === "trace" ? item.fields : {}, {
      name: "n",
      tags: ["a", "b"],
      input: text("q"),
      output: text("a"),
      start: 100
    })
    assert.deepStrictEqual(second.settles, [ids(second.entries)])
  })

  it("said of twice in one batch is one span", () => {
    const { accept } = make()
    const { entries, sent, settles } = accept(0, trace("t", { name: "n" }), trace("u"), trace("t", { userId: "ada" }))
    assert.deepStrictEqual(sent, ["t", "u"])
    assert.deepStrictEqual(settles[0], [entries[0]?.id, entries[2]?.id])
  })

  it("goes before the observations of its batch, and is known to them", () => {
    const { accept, assembly } = make()
    const { items, sent } = accept(0, observation("a", { traceId: "t", end: 1 }), trace("t", { name: "n" }))
    assert.deepStrictEqual(sent, ["t", "a"])
    const item = items[1]
    assert.strictEqual(item?.kind === "observation" ? assembly.traceOf(item)?.fields.name : undefined, "n")
  })

  it("that was forgotten is not sent again: it would be a second row", () => {
    const { accept } = make({ maxTraces: 2 })
    accept(0, trace("a", {}, 1))
    accept(0, trace("b", {}, 2))
    accept(0, trace("c", {}, 3))
    const again = accept(0, trace("a", { name: "late" }, 4), trace("b", {}, 5))
    assert.deepStrictEqual([again.sent, again.late], [["b"], [again.entries[0]?.id]])
  })

  it("is settled also where its batch has more traces than are remembered, in number or in bytes", () => {
    for (const given of [{ maxTraces: 2 }, { maxTraceBytes: 100_000 }]) {
      const { accept } = make(given)
      const traces = Array.from({ length: 30 }, (_, n) => trace(`t${n % 15}`, { input: text("x".repeat(15_000)) }, n))
      const { late, sent, settles } = accept(0, ...traces)
      assert.deepStrictEqual(sent, Array.from({ length: 15 }, (_, n) => `t${n}`))
      assert.deepStrictEqual(late, [])
      assert.strictEqual(settles.flat().length, 30)
    }
  })

  it("with a million updates does not grow without bound", () => {
    const { accept } = make({ maxTraceBytes: 1_000_000 })
    let largest = 0
    for (let n = 0; n < 3000; n++) {
      const { items, late } = accept(
        0,
        trace("t", { metadata: new Map([[`key ${n}`, text("x".repeat(1000))]]), tags: [`tag ${n}`], name: `n${n}` }, n)
      )
      assert.deepStrictEqual(late, [])
      largest = Math.max(largest, items[0]?.bytes ?? Infinity)
    }
    assert.isAtMost(largest, 1_000_000)
  })

  it("whose input an observation tells goes before that, once for each word", () => {
    const { accept } = make()
    const telling = (id: string, input: string) =>
      observation(id, { traceId: "t", start: 5, context: fieldsOf({ input: text(input) }) }, { isWhole: true })
    const before = (round: Round) => round.pieces.map(({ before }) => before?.fields.input?.text)
    assert.deepStrictEqual(before(accept(0, telling("a", "q"), telling("b", "q")).round), ["q", undefined])
    assert.deepStrictEqual(before(accept(0, telling("c", "q")).round), [undefined])
    const changed = accept(0, telling("d", "other")).round
    assert.deepStrictEqual(before(changed), ["other"])
    assert.strictEqual(changed.pieces[0]?.before?.fields.start, 5)
    assert.isTrue(changed.hasTraces)
  })
})

describe("whatever is said in whatever batches", () => {
  const item: FastCheck.Arbitrary<Item> = FastCheck.oneof(
    FastCheck.record({
      id: FastCheck.constantFrom("a", "b", "c", "d"),
      op: FastCheck.constantFrom("create" as const, "update" as const),
      at: FastCheck.nat(5),
      end: FastCheck.option(FastCheck.nat(9), { nil: undefined }),
      output: FastCheck.option(FastCheck.nat(400).map((length) => text("x".repeat(length))), { nil: undefined }),
      metadata: FastCheck.constantFrom(undefined, new Map([["k", json({ a: 1 })]]), new Map([["k", json({ b: [2] })]]))
    }).map(({ at, id, op, ...fields }) => observation(id, fields, { op, at })),
    FastCheck.record({ id: FastCheck.constantFrom("t", "u", "v"), name: FastCheck.string(), at: FastCheck.nat(9) }).map(
      (
        { at, id, name }
      ) => trace(id, { name }, at)
    ),
    FastCheck.constantFrom("w", "x").map((id) => observation(id, {}, { isWhole: true }))
  )

  it.prop(
    "each event is sent, withheld or too late, and at the end sent or too late, exactly once",
    [
      FastCheck.array(FastCheck.array(item, { maxLength: 8 }), { maxLength: 12 }),
      FastCheck.record({
        maxOpenEvents: FastCheck.integer({ min: 1, max: 6 }),
        maxEventsOfOne: FastCheck.integer({ min: 1, max: 4 }),
        maxOpenBytes: FastCheck.constantFrom(100, 3000, 1e9),
        maxTraces: FastCheck.integer({ min: 1, max: 3 }),
        maxOpenMillis: FastCheck.constantFrom(2, 1000)
      })
    ],
    ([batches, given]) => {
      const { assembly, hold } = make(given)
      const told = new Map<string, string>()
      const tell = (round: Round) => {
        for (const { entries } of round.pieces) for (const { id } of entries) settle(id, "sent")
        for (const { id } of round.late) settle(id, "late")
      }
      const settle = (id: string, outcome: string) => {
        assert.isFalse(told.has(id), "told once")
        told.set(id, outcome)
      }
      const all: Array<string> = []
      for (const [now, batch] of batches.entries()) {
        // An item is of one event: what the generator repeats is another one.
        const entries = hold(...batch.filter(({ eventId }) => !all.includes(eventId)))
        all.push(...ids(entries))
        const round = assembly.accept(entries, now)
        tell(round)
        const withheld = new Set(ids(round.withheld))
        for (const { id } of entries) assert.isTrue(told.has(id) || withheld.has(id), "nothing is forgotten")
      }
      tell(assembly.expire(Infinity))
      assert.sameMembers([...told.keys()], all)
      assert.isUndefined(assembly.deadline())
    },
    runs(300)
  )
})
