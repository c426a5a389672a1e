import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { once, Slot, takeFrom } from "../../src/internal/slot.js"

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")

const length = (texts: ReadonlyArray<string>) => Effect.succeed(texts.length)

describe("slot", () => {
  it("gives what is in it, and then holds nothing", () => {
    const slot = new Slot("a")
    assert.strictEqual(takeFrom(slot), "a")
    assert.isUndefined(slot.item)
  })

  it.effect("an effect that ran holds no longer what it was made with, even where it is held itself", () =>
    Effect.gen(function*() {
      const make = () => {
        const texts = ["a", "b"]
        return { effect: once(texts, length), texts: new WeakRef(texts) }
      }
      const { effect, texts } = make()
      // A turn later, since a reference that was made or read in this one is kept until its end.
      const later = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
      yield* later
      collect()
      assert.isDefined(texts.deref(), "it is held until it runs")
      assert.strictEqual(yield* effect, 2)
      yield* later
      collect()
      assert.isUndefined(texts.deref())
    }))
})
