/**
 * What tracing costs the program that is traced: this library beside the others.
 *
 *   npm run bench                                  everything, with a table and how the targets are met
 *   npm run bench -- --quick                       less of it, in under two minutes
 *   npm run bench -- --json                        one JSON object instead
 *   npm run bench -- --out result.json             the same in a file, written after every round
 *   npm run bench -- --only none,ours-ingestion    some subjects
 *   npm run bench -- --measure callerMicrosPerEvent,closeMs    some measures
 *   npm run bench -- --payload 1KB                 only events of this size: 1KB, 20KB or session
 *   npm run bench -- --session recording.json      with the turns of a recorded agent session; may be repeated
 *   npm run bench -- --growth                      how cost grows, as a picture in docs
 *   npm run bench -- --read result.json            the table of an earlier result, and how it meets the targets
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Data, Effect } from "effect"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { compile, root } from "./lib/build.js"
import { bundle, compileModules, importMs } from "./lib/footprint.js"
import { growth } from "./lib/growth.js"
import * as Harness from "./lib/harness.js"
import { full, isNamed, quick, select, trials } from "./lib/plan.js"
import type { Sample } from "./lib/plan.js"
import { svg } from "./lib/plot.js"
import type { Figure, Result } from "./lib/report.js"
import { figures, machine, result, table } from "./lib/report.js"
import { verdicts } from "./lib/targets.js"
import type { Variant } from "./lib/variants.js"
import { variants } from "./lib/variants.js"
import type { Payload } from "./lib/workload.js"

class UsageError extends Data.TaggedError("UsageError")<{ readonly line: string }> {}

const usage = Effect.try({
  try: () => {
    const { values } = parseArgs({
      options: {
        quick: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        growth: { type: "boolean", default: false },
        only: { type: "string" },
        out: { type: "string" },
        measure: { type: "string" },
        payload: { type: "string" },
        rounds: { type: "string" },
        session: { type: "string", multiple: true, default: [] },
        read: { type: "string" }
      }
    })
    const names = (list: string | undefined) => list?.split(",").map((name) => name.trim()).filter(Boolean) ?? []
    if (values.payload !== undefined && !["1KB", "20KB", "session"].includes(values.payload)) {
      throw new Error("--payload takes 1KB, 20KB or session")
    }
    const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
    if (values.read !== undefined && !existsSync(values.read)) throw new Error(`no file ${values.read}`)
    if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) {
      throw new Error("--rounds takes a whole number from 1")
    }
    const only = names(values.only)
    const unknown = only.filter((name) => !variants.some((variant) => variant.name === name))
    if (unknown.length > 0) {
      throw new Error(`no subject ${unknown.join(", ")}; there are ${variants.map(({ name }) => name).join(", ")}`)
    }
    for (const path of values.session) {
      if (!existsSync(path)) throw new Error(`no file ${path}`)
    }
    return { ...values, only, measure: names(values.measure), rounds }
  },
  catch: (error) => new UsageError({ line: `npm run bench: ${error instanceof Error ? error.message : error}` })
})

/** What loading costs: no run of a subject is needed. */
const footprint = (chosen: ReadonlyArray<Variant>, rounds: number, measures: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const found: Array<Figure> = []
    const loaded = chosen.filter(({ imports }) => imports.length > 0)
    const wanted = (name: string) => isNamed(name, measures)
    if (!wanted("importMs") && !wanted("bundleKb")) return found
    yield* Console.error("what loading costs")
    yield* compileModules
    const bundles = yield* Effect.forEach(
      loaded,
      (variant) => Effect.map(bundle(variant), (made) => ({ variant, ...made }))
    )
    for (const { external, files, kilobytes, variant } of bundles) {
      if (wanted("bundleKb")) {
        found.push({ subject: variant.name, measure: "bundleKb", unit: "kB", value: kilobytes })
        if (measures.length > 0) {
          const ours = files.filter(([path]) => path.startsWith("src/")).map(([path, bytes]) => `${path} ${bytes}`)
          if (ours.length > 0) yield* Console.error(`${variant.name}: ${ours.join(", ")}`)
        }
      }
      if (!wanted("importMs")) continue
      for (let round = 1; round <= rounds; round++) {
        found.push({
          subject: variant.name,
          measure: "importMs",
          unit: "ms",
          value: yield* importMs(variant)
        }, {
          subject: variant.name,
          measure: "importMs@own",
          unit: "ms",
          value: yield* importMs(variant, external)
        })
      }
    }
    return found
  })

const drawGrowth = (bench: Harness.Bench, chosen: ReadonlyArray<Variant>, rounds: number) =>
  Effect.gen(function*() {
    const points = yield* growth(bench, chosen, rounds)
    writeFileSync(`${root}docs/performance-growth.svg`, yield* Effect.promise(() => svg(points)))
    const sorted = points.slice().sort((a, b) =>
      a.measure.localeCompare(b.measure) || a.sweep.localeCompare(b.sweep) || a.subject.localeCompare(b.subject) ||
      a.x - b.x
    )
    for (const { max, measure, median, min, subject, sweep, x } of sorted) {
      yield* Console.log(
        `${measure} ${subject} ${sweep}=${x}: ${median.toPrecision(3)} (${min.toPrecision(3)}-${max.toPrecision(3)}) us`
      )
    }
    yield* Console.log("drawn in docs/performance-growth.svg")
  })

const print = (result: Result, names: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    yield* Console.log(Object.entries(result.machine).map(([key, value]) => `${key}: ${value}`).join(", "))
    yield* Console.log(`\n${table(result, names)}`)
    yield* Console.log(`\n${verdicts(result).join("\n")}`)
  })

const program = Effect.gen(function*() {
  const given = yield* usage
  if (given.read !== undefined) {
    const earlier: Result = JSON.parse(readFileSync(given.read, "utf8"))
    return yield* print(earlier, given.only.length > 0 ? given.only : Object.keys(earlier.subjects))
  }
  const size = given.quick ? quick : full
  const rounds = given.rounds ?? size.rounds
  const here = machine()
  const chosen = variants
    .filter(({ name, onlyInFull }) => given.only.length > 0 ? given.only.includes(name) : !given.quick || !onlyInFull)
    .filter(({ program }) => existsSync(`${root}bench/subjects/${program}.ts`))
  yield* compile(["sink", ...new Set(chosen.map(({ program }) => program))])
  if (given.growth) {
    const bench = yield* Harness.make
    return yield* drawGrowth(bench, chosen.filter(({ onlyInFull }) => !onlyInFull), given.rounds ?? quick.rounds)
  }
  const sessions = given.session.length > 0 ? given.session : [`${root}examples/session.json`]
  const payloads = sessions.map((path): Payload => ({ kind: "session", path }))
  const loading = yield* footprint(chosen, rounds, given.measure)
  const bench = yield* Harness.make
  const resultOf = (samples: ReadonlyArray<Sample>) => result(here, [...figures(samples), ...loading])
  const { out } = given
  const samples = yield* Harness.runAll(
    bench,
    chosen,
    select(trials(size, payloads), given.measure, given.payload),
    rounds,
    size.shared,
    (samples) =>
      out === undefined ? Effect.void : Effect.sync(() => writeFileSync(out, JSON.stringify(resultOf(samples))))
  )
  const all = resultOf(samples)
  if (given.json) return yield* Console.log(JSON.stringify(all))
  return yield* print(all, chosen.map(({ name }) => name))
})

program.pipe(
  Effect.scoped,
  Effect.catchTag(
    "UsageError",
    ({ line }) => Effect.zipRight(Console.error(line), Effect.sync(() => void (process.exitCode = 2)))
  ),
  NodeRuntime.runMain
)
