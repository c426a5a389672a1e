import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { Ledger, type Settlement } from "../../src/internal/ledger.js"
import { event, isBalanced } from "../utils/ingest.js"

type Command =
  | { readonly kind: "hold" }
  | { readonly kind: "drop" }
  | { readonly kind: "sampleOut" }
  | { readonly kind: "settle"; readonly index: number; readonly outcome: Settlement }
  | { readonly kind: "watch" }
  | { readonly kind: "isAll" }
  | { readonly kind: "abandon" }

const commands = FastCheck.array(
  FastCheck.oneof(
    { weight: 4, arbitrary: FastCheck.constant<Command>({ kind: "hold" }) },
    FastCheck.constant<Command>({ kind: "drop" }),
    FastCheck.constant<Command>({ kind: "sampleOut" }),
    {
      weight: 4,
      arbitrary: FastCheck.record({
        kind: FastCheck.constant<"settle">("settle"),
        index: FastCheck.nat(30),
        outcome: FastCheck.constantFrom<Settlement>("delivered", "rejected", "failed")
      })
    },
    FastCheck.constant<Command>({ kind: "watch" }),
    FastCheck.constant<Command>({ kind: "isAll" }),
    FastCheck.constant<Command>({ kind: "abandon" })
  ),
  { maxLength: 100 }
)

describe("ledger", () => {
  it.prop("balances after every command, and each event has one outcome, the first", [commands], ([script]) => {
    const ledger = new Ledger()
    const held: Array<ReturnType<typeof event>> = []
    const outcomes = new Map<number, Settlement>()
    interface Watched {
      readonly watch: ReturnType<Ledger["watch"]>
      /** What it watches: where that is all, no more are added. */
      readonly open: Array<number>
      isAll: boolean
    }
    const watches: Array<Watched> = []
    for (const command of script) {
      switch (command.kind) {
        case "hold":
          for (const watched of watches) if (!watched.isAll) watched.open.push(held.length)
          held.push(event(`e${held.length}`))
          ledger.hold(held[held.length - 1] ?? event("unreachable"), 10)
          break
        case "drop":
          ledger.drop()
          break
        case "sampleOut":
          ledger.sampleOut()
          break
        case "settle": {
          const known = held[command.index]
          const settled = ledger.settle(known ?? event("never held"), command.outcome)
          assert.strictEqual(settled, known !== undefined && !outcomes.has(command.index))
          if (settled) outcomes.set(command.index, command.outcome)
          break
        }
        case "watch":
          watches.push({
            watch: ledger.watch(),
            open: held.flatMap((_, index) => outcomes.has(index) ? [] : [index]),
            isAll: false
          })
          break
        case "isAll": {
          const watched = watches.find(({ isAll }) => !isAll)
          watched?.watch.isAll()
          if (watched !== undefined) watched.isAll = true
          break
        }
        case "abandon": {
          const open = held.flatMap((_, index) => outcomes.has(index) ? [] : [index])
          assert.strictEqual(ledger.abandon(), open.length)
          for (const index of open) outcomes.set(index, "failed")
          break
        }
      }
      const stats = ledger.stats()
      assert.isTrue(isBalanced(stats))
      assert.strictEqual(stats.pending, held.length - outcomes.size)
      assert.strictEqual(ledger.heldBytes, 10 * stats.pending)
      for (const { open, watch } of watches) {
        const report = watch.report()
        const of = (outcome: Settlement) => open.filter((index) => outcomes.get(index) === outcome).length
        assert.deepStrictEqual(report, {
          delivered: of("delivered"),
          rejected: of("rejected"),
          failed: of("failed"),
          pending: open.filter((index) => !outcomes.has(index)).length
        })
      }
    }
  })
})
