/**
 * What an event costs on its way to the bytes of a request, step by step, when the code is hot; and what it cost in an
 * earlier edition, in the same run.
 *
 *   npx tsx bench/items.ts                                generations of 1 KB and 20 KB, and the recorded session
 *   npx tsx bench/items.ts --against ../first-edition     beside the first edition, a checkout with its packages
 *   npx tsx bench/items.ts --session recording.json       with another session
 *   npx tsx bench/items.ts --quick                        fewer rounds
 *
 * In a program the same steps cost about twice as much: their code and data are not in the processor's caches, and garbage
 * is not among them.
 */
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { parseArgs } from "node:util"
import { contentOf } from "../src/core/item/content.js"
import { fromEvent } from "../src/core/item/fromEvent.js"
import { type Item, Observation } from "../src/core/item/item.js"
import type { Policy } from "../src/core/item/policy.js"
import { Bytes } from "../src/core/wire/bytes.js"
import { current } from "../src/core/wire/dialect.js"
import { ingestionWire } from "../src/core/wire/ingestionWire.js"
import { otlpWire } from "../src/core/wire/otlpWire.js"
import type { Writer } from "../src/core/wire/writer.js"
import * as IngestionEvent from "../src/IngestionEvent.js"
import { readable, redactedNames } from "../src/internal/readable.js"
import { root } from "./lib/build.js"
import { inputOf } from "./lib/ours.js"
import { summary } from "./lib/stats.js"
import type { Payload, Work } from "./lib/workload.js"
import { workload } from "./lib/workload.js"

const { values: options } = parseArgs({
  options: { against: { type: "string" }, session: { type: "string" }, quick: { type: "boolean", default: false } }
})

/** Events in a request. */
const batch = 100
const rounds = options.quick ? 3 : 15

/** Microseconds an event, by step. */
type Times = Map<string, number>

/** Takes a batch all the way and tells what each step took. */
type Edition = (works: ReadonlyArray<Work>, times: Times) => void

const timed = <A>(times: Times, step: string, run: () => A): A => {
  const start = performance.now()
  const result = run()
  times.set(step, (times.get(step) ?? 0) + (performance.now() - start) * 1000)
  return result
}

// -------------------------------------------------------------------------------------
// this edition
// -------------------------------------------------------------------------------------

const policy: Policy = {
  content: "full",
  maxEventBytes: 1_000_000,
  mask: undefined,
  onMaskFailure: () => {},
  environment: undefined,
  release: undefined,
  redactedNames,
  readable
}

const toBatch = ingestionWire(current)
const toOtlp = otlpWire({ serviceName: "bench" })

/** As it is done for a request: large enough, and used again. */
let buffer: Uint8Array = new Uint8Array(1 << 16)

const write = <A extends Item>(writer: Writer<A>, items: ReadonlyArray<A>): number => {
  const bytes = items.reduce((sum, item) => sum + item.bytes, 4096)
  const out = new Bytes(bytes + (bytes >> 4), buffer)
  writer.begin(out)
  for (const item of items) writer.write(out, item)
  writer.end(out)
  buffer = out.buffer
  return out.length
}

const isObservation = (item: object): item is Observation => item instanceof Observation

const now: Edition = (works, times) => {
  const events = timed(
    times,
    "constructor",
    () => works.map((work) => IngestionEvent.unsafeGenerationCreate(inputOf(work)))
  )
  const items = timed(times, "item, or snapshot", () => events.map((event) => fromEvent(event, policy)))
    .filter(isObservation)
  if (items.length < works.length) throw new Error("an event that is no observation")
  timed(times, "batch endpoint", () => write(toBatch, items))
  timed(times, "OTLP", () => write(toOtlp, items))
}

// -------------------------------------------------------------------------------------
// the first edition, as far as it is used here
// -------------------------------------------------------------------------------------

type Event = object

interface Endpoint {
  readonly frame: readonly [open: string, close: string]
}

interface First {
  readonly IngestionEvent: { readonly unsafeGenerationCreate: (input: object) => Event }
  readonly Snapshot: { readonly make: (policy: object) => (event: Event) => Event }
  readonly IngestionEndpoint: { readonly endpoint: Endpoint; readonly part: (event: Event) => unknown }
  readonly Sender: {
    readonly Part: new(events: ReadonlyArray<Event>, text: string, bytes: number) => unknown
    readonly frame: (endpoint: Endpoint, parts: ReadonlyArray<unknown>) => Uint8Array
  }
  readonly Utf8: { readonly byteLength: (text: string) => number }
  readonly Facts: {
    readonly read: (event: Event) => { readonly locate: (digests: () => undefined) => { readonly _tag: string } }
  }
  readonly Assembly: {
    readonly defaults: object
    readonly make: (limits: object) => {
      readonly accept: (facts: ReadonlyArray<unknown>, now: number) => {
        readonly departures: ReadonlyArray<{ readonly events: ReadonlyArray<Event>; readonly encode: () => string }>
      }
    }
  }
  readonly OtlpEndpoint: { readonly endpoint: Endpoint }
}

const load = async (folder: string): Promise<Edition> => {
  const module = (path: string): Promise<unknown> => import(pathToFileURL(resolve(folder, "src", `${path}.ts`)).href)
  const [events, snapshot, ingestionEndpoint, sender, utf8, facts, assembly, otlpEndpoint] = await Promise.all([
    "IngestionEvent",
    "internal/snapshot",
    "internal/ingestionEndpoint",
    "internal/sender",
    "internal/utf8",
    "internal/otlp/facts",
    "internal/otlp/assembly",
    "internal/otlp/endpoint"
  ].map(module))
  // The modules of that checkout; what they lack is missed on the first call.
  const first = {
    IngestionEvent: events,
    Snapshot: snapshot,
    IngestionEndpoint: ingestionEndpoint,
    Sender: sender,
    Utf8: utf8,
    Facts: facts,
    Assembly: assembly,
    OtlpEndpoint: otlpEndpoint
  } as First
  const snap = first.Snapshot.make({ content: "full", maxEventBytes: 1_000_000, onMaskFailure: () => {} })
  return (works, times) => {
    const events = timed(
      times,
      "constructor",
      () => works.map((work) => first.IngestionEvent.unsafeGenerationCreate(inputOf(work)))
    )
    const snapshots = timed(times, "item, or snapshot", () => events.map(snap))
    timed(
      times,
      "batch endpoint",
      () => first.Sender.frame(first.IngestionEndpoint.endpoint, snapshots.map(first.IngestionEndpoint.part))
    )
    timed(times, "OTLP", () => {
      const located = snapshots.map((event) => first.Facts.read(event).locate(() => undefined))
      const { departures } = first.Assembly.make(first.Assembly.defaults).accept(located, 0)
      if (departures.length < works.length) throw new Error("a span that does not leave")
      const parts = departures.map((departure) => {
        const text = departure.encode()
        return new first.Sender.Part(departure.events, text, first.Utf8.byteLength(text))
      })
      return first.Sender.frame(first.OtlpEndpoint.endpoint, parts)
    })
  }
}

// -------------------------------------------------------------------------------------
// the table
// -------------------------------------------------------------------------------------

const floor: Edition = (works, times) => {
  timed(
    times,
    "JSON.stringify of the contents",
    () => works.map(({ input, output }) => JSON.stringify(input) + JSON.stringify(output))
  )
  timed(
    times,
    "contentOf of the contents",
    () => works.map(({ input, output }) => [contentOf(input, policy), contentOf(output, policy)])
  )
}

const editions: ReadonlyArray<readonly [name: string, edition: Edition]> = [
  ["the engine", floor],
  ...(options.against === undefined ? [] : [["first", await load(options.against)] as const]),
  ["now", now]
]

const steps = ["constructor", "item, or snapshot", "batch endpoint", "OTLP"]

const cell = (values: ReadonlyArray<number> | undefined): string => {
  if (values === undefined) return "".padStart(26)
  const { max, median, min } = summary(values)
  return `${median.toFixed(2)} (${min.toFixed(2)}-${max.toFixed(2)})`.padStart(26)
}

const measure = (name: string, payload: Payload, events: number): void => {
  const works = workload(payload).make(0, events)
  const found = new Map<string, Map<string, Array<number>>>()
  // The first rounds compile the code. Editions take turns, so that what else the machine does hits all alike.
  for (let round = -3; round < rounds; round++) {
    for (const [edition, run] of editions) {
      const times: Times = new Map()
      for (let from = 0; from < events; from += batch) run(works.slice(from, from + batch), times)
      if (round < 0) continue
      const rows = found.get(edition) ?? new Map<string, Array<number>>()
      found.set(edition, rows)
      const record = (step: string, micros: number): void =>
        void rows.set(step, [...rows.get(step) ?? [], micros / events])
      for (const [step, micros] of times) record(step, micros)
      const sum = (...steps: ReadonlyArray<string>): number =>
        steps.reduce((sum, step) => sum + (times.get(step) ?? 0), 0)
      if (edition !== "the engine") {
        record("all, to the batch endpoint", sum("constructor", "item, or snapshot", "batch endpoint"))
        record("all, over OTLP", sum("constructor", "item, or snapshot", "OTLP"))
      }
    }
  }
  const compared = editions.map(([edition]) => edition).filter((edition) => edition !== "the engine")
  console.log(`\n${name}, microseconds an event`)
  console.log(`${"".padEnd(34)}${compared.map((edition) => edition.padStart(26)).join("")}`)
  for (const step of [...steps, "all, to the batch endpoint", "all, over OTLP"]) {
    console.log(`${step.padEnd(34)}${compared.map((edition) => cell(found.get(edition)?.get(step))).join("")}`)
  }
  for (const [step, values] of found.get("the engine") ?? []) console.log(`${step.padEnd(34)}${cell(values)}`)
}

measure("generations of 1 KB", { kind: "size", bytes: 1000 }, 2000)
measure("generations of 20 KB", { kind: "size", bytes: 20_000 }, 300)
measure(
  "the recorded session",
  { kind: "session", path: options.session ?? `${root}examples/session.json` },
  200
)
measure("generations of 1 MB", { kind: "size", bytes: 900_000 }, 10)
