/**
 * Where the time of the main thread goes, by whose code it is.
 *
 * Run with `npx tsx bench/profile.ts`; it takes about a minute. The profiler itself takes time, most where functions are
 * many and short, so this tells shares; `npm run bench` tells what an event costs.
 */
import { Console, Effect } from "effect"
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { compile } from "./lib/build.js"
import * as Processes from "./lib/processes.js"
import { type Step, warmEvents } from "./lib/scenario.js"
import { variants } from "./lib/variants.js"

const names = ["raw@100", "ours-ingestion", "ours-otlp", "ours-tracer", "effect-otlp", "otel-sdk"]
const measured = names.flatMap((name) => variants.filter((variant) => variant.name === name))
const events = 25_000

/** As far as it is read here of what V8 writes. */
interface Profile {
  readonly nodes: ReadonlyArray<{
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string }
    readonly children?: ReadonlyArray<number>
  }>
  readonly samples: ReadonlyArray<number>
  /** Microseconds before each sample. */
  readonly timeDeltas: ReadonlyArray<number>
}

const areas = [
  "inside of the calls",
  "elsewhere in the subject",
  "Effect",
  "HTTP and sockets",
  "collector",
  "the rest"
] as const
type Area = typeof areas[number]

interface Frame {
  readonly name: string
  readonly url: string
  readonly isRecording: boolean
  readonly isHarness: boolean
}

const areaOf = ({ isHarness, isRecording, name, url }: Frame): Area | undefined => {
  if (name === "(idle)") return undefined
  if (name === "(garbage collector)") return "collector"
  if (isRecording) return "inside of the calls"
  if (/\/undici\/|^node:/.test(url) || name === "writev" || name === "writeBuffer") return "HTTP and sockets"
  if (/\/(effect|@effect\/[^/]+)\/dist\//.test(url)) return "Effect"
  // The subject's other packages are its own way to do things.
  return isHarness || url === "" ? "the rest" : "elsewhere in the subject"
}

/** Microseconds an event, from the first event on. */
const read = (profile: Profile): ReadonlyMap<Area, number> => {
  const parents = new Map(profile.nodes.flatMap(({ children = [], id }) => children.map((child) => [child, id])))
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const stackOf = (id: number): ReadonlyArray<string> => {
    const names: Array<string> = []
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      names.push(nodes.get(at)?.callFrame.functionName ?? "")
    }
    return names
  }
  const frames = new Map(profile.nodes.map(({ callFrame: { functionName, url }, id }): [number, Frame] => {
    const stack = stackOf(id)
    return [id, {
      name: functionName,
      url,
      isRecording: stack.includes("record"),
      isHarness: ["flow", "main", "make"].includes(functionName)
    }]
  }))
  const first = profile.samples.findIndex((id) => frames.get(id)?.isRecording === true)
  const spent = new Map<Area, number>()
  for (let i = first; i < profile.samples.length; i++) {
    const frame = frames.get(profile.samples[i] ?? 0)
    const area = frame && areaOf(frame)
    if (area !== undefined) spent.set(area, (spent.get(area) ?? 0) + (profile.timeDeltas[i] ?? 0))
  }
  return new Map([...spent].map(([area, micros]) => [area, micros / (events + warmEvents)]))
}

const profileOf = (port: number, name: string, program: string, tuning: object) =>
  Effect.acquireUseRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "effect-langfuse-profile-"))),
    (folder) => {
      const step: Step = {
        scenario: { kind: "flow", events, rate: 5000 },
        payload: { kind: "size", bytes: 1000 },
        settings: { baseUrl: `http://127.0.0.1:${port}/r/${name}`, ...tuning }
      }
      const flags = ["--cpu-prof", `--cpu-prof-dir=${folder}`, "--cpu-prof-interval=250"]
      return Effect.zipRight(
        Processes.subject(program, [step], "1 minute", { flags }),
        Effect.promise(async () => {
          const [file = ""] = await readdir(folder)
          const profile: Profile = JSON.parse(await readFile(join(folder, file), "utf8"))
          return read(profile)
        })
      )
    },
    (folder) => Effect.promise(() => rm(folder, { recursive: true }))
  )

await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  yield* compile(["sink", ...new Set(measured.map(({ program }) => program))])
  const port = yield* Processes.sink
  yield* Console.log(`us an event${" ".repeat(7)}${areas.map((area) => area.padStart(26)).join("")}`)
  for (const { name, program, tuning } of measured) {
    const spent = yield* profileOf(port, name, program, tuning)
    yield* Console.log(
      name.padEnd(18) + areas.map((area) => (spent.get(area) ?? 0).toFixed(1).padStart(26)).join("")
    )
  }
})))
