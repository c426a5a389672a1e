import { assert, describe, it } from "@effect/vitest"
import { read } from "../../bench/lib/collections.js"

/** As Node 20 prints them with `--trace-gc`. */
const scavenge = (before: number, after: number) =>
  `[31293:0x28e1ec40]       57 ms: Scavenge ${before} (5.2) -> ${after} (5.2) MB, 0.50 / 0.00 ms  ` +
  "(average mu = 0.016, current mu = 0.016) allocation failure; "

const full = (before: number, after: number, why: string) =>
  `[31293:0x28e1ec40]      125 ms: Mark-Compact ${before} (45.8) -> ${after} (40.1) MB, 8.25 / 0.00 ms  ` +
  `(+ 1.5 ms in 16 steps since start of marking, biggest step 0.1 ms) (average mu = 0.831, current mu = 0.831) ${why}`

const forced = (before: number, after: number) => full(before, after, "testing; GC in old space requested")

const megabyte = 1024 * 1024

describe("collections", () => {
  it("are told apart by those that were asked for", () => {
    const trace = [
      scavenge(9, 8),
      forced(8, 4),
      forced(4, 4),
      "something that the program printed",
      scavenge(9, 5),
      scavenge(10, 5.5),
      full(10.5, 3, "finalize incremental marking via stack guard"),
      scavenge(8, 3.25),
      forced(5, 3),
      scavenge(20, 10)
    ].join("\n")
    const all = read(trace)
    assert.strictEqual(all.length, 4)
    assert.deepStrictEqual(all[1], { grownBytes: 0, scavenges: 0, fullCollections: 0, pausedMs: 0 })
    assert.deepStrictEqual(all[2], {
      grownBytes: (1 + 0.5 + 0.25) * megabyte,
      scavenges: 3,
      fullCollections: 1,
      pausedMs: 9.75
    })
    assert.strictEqual(all[3]?.scavenges, 1)
  })

  it("are none where nothing was printed", () => {
    assert.deepStrictEqual(read(""), [{ grownBytes: 0, scavenges: 0, fullCollections: 0, pausedMs: 0 }])
  })
})
