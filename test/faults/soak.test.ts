/**
 * The soak in its short form: see `soak/soak.ts`.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"
import * as Child from "./support/child.js"

const program = fileURLToPath(new URL("../../soak/soak.ts", import.meta.url))

describe("soak", () => {
  it.live(
    "under ten times what the server takes, and faults at random, every event is accounted for",
    () =>
      Effect.gen(function*() {
        // The tests of one commit meet the same faults; the long form takes another seed each time.
        const child = yield* Child.run(["--import", "tsx", program], ["--seconds", "4.5", "--seed", "1"])
        assert.strictEqual(child.code, 0, child.stdout + child.stderr)
        assert.include(child.stdout, "all accounted for")
        assert.strictEqual(child.stdout.match(/^ {2}delivered +[1-9]/gm)?.length, 3, child.stdout)
        assert.strictEqual(child.stdout.match(/^ {2}dropped +[1-9]/gm)?.length, 3, child.stdout)
      }),
    { timeout: 60_000 }
  )

  it.live("refuses options that make no sense in one line", () =>
    Effect.gen(function*() {
      for (const args of [["--seconds", "never"], ["--protocol", "carrier-pigeon"]]) {
        const child = yield* Child.run(["--import", "tsx", program], args)
        assert.strictEqual(child.code, 2)
        assert.match(child.stderr, /^--(seconds|protocol) takes .+, but got .+\n$/)
      }
    }), { timeout: 60_000 })
})
