/**
 * How the cost of an event grows with the number of events and with their size.
 */
import { Console, Effect } from "effect"
import type { Bench } from "./harness.js"
import { runAll } from "./harness.js"
import type { Trial } from "./plan.js"
import { caller, cpu } from "./plan.js"
import type { Point } from "./plot.js"
import { figures } from "./report.js"
import { summary } from "./stats.js"
import type { Variant } from "./variants.js"

const point = (sweep: Point["sweep"], x: number, events: number, rate: number, bytes: number): Trial => ({
  key: `${sweep} ${x} at ${rate}`,
  scenario: { kind: "flow", events, rate },
  payload: { kind: "size", bytes },
  mode: "up",
  suffix: "",
  measures: [{ ...caller, name: `caller ${sweep} ${x}` }, { ...cpu, name: `cpu ${sweep} ${x}` }],
  sideBySide: false
})

/** The most bytes a second, so that no subject has to drop. */
const flood = 20_000_000

const byEvents = (counts: ReadonlyArray<number>, rate: number): ReadonlyArray<Trial> =>
  counts.map((count) => point("events", count, count, rate, 1000))

const bySize: ReadonlyArray<Trial> = [100, 1000, 10_000, 50_000, 100_000, 500_000].map((bytes) =>
  point(
    "bytes",
    bytes,
    Math.max(40, Math.min(5000, Math.round(2 * flood / bytes))),
    Math.min(5000, flood / bytes),
    bytes
  )
)

/** Can only follow slowly. */
const slow = ["langfuse-v3"]

/** Worth a million. */
const lasting = (name: string): boolean => name.startsWith("ours-")

export const growth = (
  bench: Bench,
  variants: ReadonlyArray<Variant>,
  rounds: number
): Effect.Effect<ReadonlyArray<Point>> =>
  Effect.gen(function*() {
    const none = variants.filter(({ name }) => name === "none")
    const named = (predicate: (name: string) => boolean) => [
      ...none,
      ...variants.filter(({ name }) => name !== "none" && predicate(name))
    ]
    const isSlow = (name: string): boolean => slow.includes(name)
    yield* Console.error("by size")
    const samples = [
      ...yield* runAll(bench, variants, bySize, rounds, false),
      ...yield* runAll(bench, named((name) => !isSlow(name)), byEvents([1000, 10_000, 100_000], 10_000), rounds, false),
      ...yield* runAll(bench, named(isSlow), byEvents([1000, 10_000, 50_000], 2000), rounds, false),
      ...yield* runAll(bench, named(lasting), byEvents([1_000_000], 10_000), rounds, false)
    ]
    const groups = new Map<string, Array<number>>()
    for (const { measure, subject, value } of figures(samples)) {
      if (subject === "none") continue
      const key = `${subject} ${measure}`
      groups.set(key, [...groups.get(key) ?? [], value])
    }
    return [...groups].map(([key, values]): Point => {
      const [subject = "", measure, sweep, x] = key.split(" ")
      return {
        subject,
        measure: measure === "caller" ? "caller" : "cpu",
        sweep: sweep === "events" ? "events" : "bytes",
        x: Number(x),
        ...summary(values)
      }
    })
  })
