/**
 * What becomes of the memory that an event takes: bytes of it that outlive the young generation, and what collecting costs.
 *
 * Run with `npx tsx bench/garbage.ts`; it takes about two minutes. What nobody needs for longer than a request should be
 * gone before it is old: old memory is looked through and cleared as a whole, and on the way there everything is copied
 * twice. What `none` has of it are the events that the harness made beforehand.
 */
import { Console, Effect } from "effect"
import { compile } from "./lib/build.js"
import type { ChildError } from "./lib/processes.js"
import * as Processes from "./lib/processes.js"
import { type Step, warmEvents } from "./lib/scenario.js"
import { summary } from "./lib/stats.js"
import { variants } from "./lib/variants.js"

const names = [
  "none",
  "raw@100",
  "ours-ingestion",
  "ours-otlp",
  "ours-tracer",
  "langfuse-v5",
  "effect-otlp",
  "otel-sdk"
]
const measured = names.flatMap((name) => variants.filter((variant) => variant.name === name))
const rounds = 3
const events = 25_000
const recorded = events + warmEvents

interface Garbage {
  /** Bytes an event that were moved to old memory. */
  readonly promoted: number
  /** Bytes an event that were made. */
  readonly allocated: number
  /** Microseconds an event for which the program stood still. */
  readonly paused: number
}

const numberOf = (line: string, key: string): number => Number(new RegExp(` ${key}=([\\d.]+)`).exec(line)?.[1] ?? 0)

const sum = (lines: ReadonlyArray<string>, key: string): number =>
  lines.reduce((total, line) => total + numberOf(line, key), 0)

/** From V8's own trace, one line for each collection of the whole process: those while it loads and warms up count too. */
const read = (trace: string): Garbage => {
  const collections = trace.split("\n").filter((line) => / gc=(s|mc) /.test(line))
  const young = collections.filter((line) => line.includes(" gc=s "))
  return {
    promoted: sum(young, "promoted") / recorded,
    allocated: sum(young, "allocated") / recorded,
    paused: sum(collections, "pause") * 1000 / recorded
  }
}

const run = (
  port: number,
  round: number,
  name: string,
  program: string,
  tuning: object
): Effect.Effect<Garbage, ChildError> => {
  const step: Step = {
    scenario: { kind: "flow", events, rate: 5000 },
    payload: { kind: "size", bytes: 1000 },
    settings: { baseUrl: `http://127.0.0.1:${port}/r/${name}-${round}`, ...tuning }
  }
  let trace = ""
  return Effect.map(
    Processes.subject(program, [step], "1 minute", {
      flags: ["--trace-gc-nvp"],
      onOutput: (text) => {
        trace += text
      }
    }),
    () => read(trace)
  )
}

const show = (label: string, values: ReadonlyArray<number>): string => {
  const { max, median, min } = summary(values)
  const round = (value: number): string => value < 100 ? value.toFixed(1) : value.toFixed(0)
  return `${label} ${round(median)} (${round(min)}-${round(max)})`
}

await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  yield* compile(["sink", ...new Set(measured.map(({ program }) => program))])
  const port = yield* Processes.sink
  const found = new Map<string, Array<Garbage>>()
  for (let round = 1; round <= rounds; round++) {
    for (const { name, program, tuning } of measured) {
      const garbage = yield* run(port, round, name, program, tuning)
      found.set(name, [...found.get(name) ?? [], garbage])
    }
  }
  yield* Console.log("an event, medians with ranges")
  for (const [name, all] of found) {
    yield* Console.log([
      name.padEnd(16),
      show("bytes that became old", all.map(({ promoted }) => promoted)).padEnd(44),
      show("bytes in all", all.map(({ allocated }) => allocated)).padEnd(40),
      show("us paused", all.map(({ paused }) => paused))
    ].join(""))
  }
})))
