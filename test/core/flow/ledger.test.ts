import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { type Entry, Ledger } from "../../../src/core/flow/ledger.js"
import { runs } from "../../utils/properties.js"
import { observation, text } from "./support/items.js"

const item = () => observation("o", { input: text("x".repeat(1000)) })

const balance = ({ delivered, dropped, failed, offered, pending, rejected, sampledOut }: ReturnType<Ledger["stats"]>) =>
  offered - (sampledOut + dropped + pending + delivered + rejected + failed)

describe("a ledger", () => {
  it("lets the first word on an entry stand", () => {
    const ledger = new Ledger()
    const entry = ledger.hold(item())
    assert.isTrue(ledger.settle(entry, "rejected"))
    assert.isFalse(ledger.settle(entry, "delivered"))
    assert.deepInclude(ledger.stats(), { offered: 1, rejected: 1, delivered: 0, pending: 0 })
  })

  it("gives the event until it is settled, and holds nothing of it afterwards", () => {
    const ledger = new Ledger()
    const entry = ledger.hold(item())
    assert.deepInclude(entry.event, { type: "span-create", id: entry.id })
    assert.notStrictEqual(entry.event, entry.event)
    ledger.settle(entry, "delivered")
    assert.notInclude(JSON.stringify(entry.event), "xxx")
  })

  it("knows its own entries only", () => {
    const [one, other] = [new Ledger(), new Ledger()]
    const entry = one.hold(item())
    assert.isFalse(other.settle(entry, "delivered"))
    assert.isTrue(other.withhold(entry))
    assert.isFalse(other.isForgotten(entry))
    assert.strictEqual(balance(other.stats()), 0)
    assert.deepInclude(one.stats(), { pending: 1 })
  })

  it("changes nothing after it was closed", () => {
    const ledger = new Ledger()
    const [a, b] = [ledger.hold(item()), ledger.hold(item())]
    ledger.withhold(b)
    assert.strictEqual(ledger.abandon(), 2)
    assert.isFalse(ledger.settle(a, "delivered"))
    assert.isFalse(ledger.settle(b, "delivered"))
    assert.isFalse(ledger.isForgotten(a))
    assert.deepInclude(ledger.stats(), { offered: 2, failed: 2, pending: 0, delivered: 0 })
    assert.strictEqual(ledger.heldBytes, 0)
  })

  it("watches what was held before and while it was told to, and nothing later", () => {
    const ledger = new Ledger()
    const before = ledger.hold(item())
    const gone = ledger.hold(item())
    ledger.settle(gone, "failed")
    let settled = 0
    const watch = ledger.watch(() => settled++)
    const during = ledger.hold(item())
    ledger.settle(during, "delivered")
    ledger.settle(before, "delivered")
    assert.strictEqual(settled, 0, "not before it is closed")
    const last = ledger.hold(item())
    watch.close()
    const after = ledger.hold(item())
    ledger.settle(last, "delivered")
    assert.strictEqual(settled, 1, "when the last is settled")
    ledger.settle(after, "delivered")
    assert.strictEqual(settled, 1, "not for what is later")
    assert.deepStrictEqual(watch.report(), { delivered: 3, rejected: 0, failed: 0, pending: 0 })
    watch.stop()
  })

  it("tells at once that what it watches is settled where nothing is pending, and when all is given up", () => {
    const ledger = new Ledger()
    let settled = 0
    const none = ledger.watch(() => settled++)
    none.close()
    assert.strictEqual(settled, 1)
    none.stop()
    ledger.hold(item())
    const some = ledger.watch(() => settled++)
    some.close()
    assert.strictEqual(settled, 1)
    ledger.abandon()
    assert.strictEqual(settled, 2)
    some.stop()
  })

  it.prop(
    "balances at any instant, in events and in bytes, whatever is said in whatever order",
    [FastCheck.array(
      FastCheck.oneof(
        FastCheck.constantFrom("hold" as const, "drop" as const, "refuse" as const, "sample" as const),
        FastCheck.tuple(
          FastCheck.constantFrom("delivered" as const, "rejected" as const, "failed" as const),
          FastCheck.nat(20)
        ),
        FastCheck.tuple(FastCheck.constantFrom("withhold" as const, "release" as const), FastCheck.nat(20))
      ),
      { maxLength: 60 }
    )],
    ([steps]) => {
      const ledger = new Ledger()
      const entries: Array<Entry> = []
      let states: Array<"held" | "withheld" | "settled"> = []
      for (const step of steps) {
        if (step === "hold") {
          entries.push(ledger.hold(item()))
          states.push("held")
        } else if (step === "drop") ledger.drop()
        else if (step === "refuse") ledger.refuse()
        else if (step === "sample") ledger.sampleOut(3)
        else {
          const [word, which] = step
          const entry = entries[which]
          if (entry === undefined) continue
          if (word === "release") entry.release()
          else if (word === "withhold") {
            ledger.withhold(entry)
            states = states.map((state, n) => n === which && state === "held" ? "withheld" : state)
          } else {
            ledger.settle(entry, word)
            states = states.map((state, n) => n === which ? "settled" : state)
          }
        }
        assert.strictEqual(balance(ledger.stats()), 0)
        assert.strictEqual(ledger.stats().pending, states.filter((state) => state !== "settled").length)
        const held = entries.filter((_, n) => states[n] === "held")
        assert.strictEqual(ledger.heldBytes, held.reduce((sum, { bytes }) => sum + bytes, 0))
        assert.deepStrictEqual(entries.filter((entry) => ledger.isForgotten(entry)), held)
      }
    },
    runs(200)
  )
})
