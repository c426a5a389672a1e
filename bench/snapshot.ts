/**
 * What it costs to take the snapshot of an event, against the JSON.stringify that any client has to do.
 *
 * Run with `npx tsx bench/snapshot.ts`; it takes a few seconds.
 */
import { Option } from "effect"
import type { IngestionEvent } from "effect-langfuse/IngestionEvent"
import { stringify } from "../src/internal/json.js"
import { make } from "../src/internal/snapshot.js"
import { byteLength } from "../src/internal/utf8.js"

const prose = "The tool answered \"done\" after 12 ms.\nNow look at the next file, then decide what to do. "
const messages = (count: number, size: number, text = prose) =>
  Array.from({ length: count }, (_, i) => ({
    role: i % 2 === 0 ? "user" : "assistant",
    content: text.repeat(Math.ceil(size / count / text.length)).slice(0, size / count)
  }))

const generation = (input: unknown): IngestionEvent => ({
  type: "generation-create",
  id: "8a0e4b8a7d1f4c2b9d6e3f5a1b2c3d4e",
  timestamp: "2026-01-02T03:04:05.678Z",
  body: {
    id: "8a0e4b8a7d1f4c2b",
    traceId: "8a0e4b8a7d1f4c2b9d6e3f5a1b2c3d4e",
    parentObservationId: "9d6e3f5a1b2c3d4e",
    name: "chat gpt-5",
    startTime: "2026-01-02T03:04:05.678Z",
    endTime: "2026-01-02T03:04:06.789Z",
    model: "gpt-5",
    modelParameters: { temperature: 0.5, max_tokens: 1024 },
    usageDetails: { input: 1000, output: 200, total: 1200 },
    input,
    output: { role: "assistant", content: "Done." },
    metadata: { attempt: 1 }
  }
})

class Message {
  readonly role: string
  readonly content: string
  constructor(role: string, content: string) {
    this.role = role
    this.content = content
  }
}

/** The best of several rounds, in nanoseconds a call: the machine's other work is no part of it. */
const time = (run: () => unknown): number => {
  let calls = 1
  for (let elapsed = 0; elapsed < 20; calls *= 2) {
    const start = performance.now()
    for (let i = 0; i < calls; i++) run()
    elapsed = performance.now() - start
  }
  let best = Infinity
  for (let round = 0; round < 7; round++) {
    const start = performance.now()
    for (let i = 0; i < calls; i++) run()
    best = Math.min(best, (performance.now() - start) * 1e6 / calls)
  }
  return best
}

const show = (ns: number): string =>
  (ns >= 1e6 ? `${(ns / 1e6).toFixed(1)} ms` : ns >= 1e3 ? `${(ns / 1e3).toFixed(2)} us` : `${ns.toFixed(0)} ns`)
    .padStart(10)

const compare = (name: string, native: () => unknown, own: () => unknown): void => {
  const before = time(native)
  const after = time(own)
  console.log(`${name.padEnd(44)} ${show(before)} ${show(after)}   x${(after / before).toFixed(2)}`)
}

console.log(`${"".padEnd(44)} ${"JSON".padStart(10)} ${"ours".padStart(10)}`)

const payloads: ReadonlyArray<readonly [string, unknown]> = [
  ["1 KB of messages", messages(5, 1000)],
  ["50 KB of messages", messages(20, 50_000)],
  ["50 KB of messages, not Latin-1", messages(20, 50_000, `${prose}終わり。`)],
  ["50 KB in one string", prose.repeat(700)],
  ["10 MB in one string", prose.repeat(120_000)],
  ["an embedding, 1536 numbers", Array.from({ length: 1536 }, (_, i) => Math.sin(i))],
  ["1000 records", Array.from({ length: 1000 }, (_, i) => ({ id: i, name: `record ${i}`, tags: ["a", "b"], ok: true }))]
]
for (const [name, value] of payloads) {
  compare(name, () => JSON.stringify(value), () => stringify(value))
}

console.log("\nthe careful way (no native counterpart that is right)")
const careful: ReadonlyArray<readonly [string, unknown]> = [
  ["50 KB of messages, class instances", messages(20, 50_000).map(({ content, role }) => new Message(role, content))],
  ["50 KB of messages, one Option beside them", { messages: messages(20, 50_000), next: Option.some(1) }],
  ["1000 records and a Date", { at: new Date(0), rows: payloads[6]?.[1] }]
]
for (const [name, value] of careful) {
  compare(name, () => JSON.stringify(value), () => stringify(value))
}

console.log("\nmonsters")
type Parent = { children: Array<Parent>; parent: Parent | undefined }
const tree = (depth: number, parent?: Parent): Parent => {
  const node: Parent = { children: [], parent }
  if (depth > 0) node.children = [tree(depth - 1, node), tree(depth - 1, node), tree(depth - 1, node)]
  return node
}
let laughs: unknown = "ha"
for (let i = 0; i < 30; i++) laughs = [laughs, laughs, laughs, laughs]
const monsters: ReadonlyArray<readonly [string, unknown]> = [
  ["a tree of 3280 nodes with parent pointers", tree(7)],
  ["4^30 shared references", laughs],
  ["an array of length 4e9", Object.assign([1], { length: 4e9 })]
]
for (const [name, value] of monsters) {
  const start = performance.now()
  const text = stringify(value)
  console.log(`${name.padEnd(44)} ${show((performance.now() - start) * 1e6)}   ${text.length} characters`)
}

console.log("\nthe whole event, with its sizes")
const snapshot = make({ content: "full", maxEventBytes: 1_000_000, environment: "bench", onMaskFailure: () => {} })
const masking = make({
  content: "full",
  maxEventBytes: 1_000_000,
  mask: (value) => value,
  onMaskFailure: () => {}
})
const sized = (event: IngestionEvent) => byteLength(JSON.stringify(event))
for (const size of [1000, 50_000]) {
  const event = generation(messages(Math.max(5, size / 2500), size))
  compare(`generation, ${size / 1000} KB`, () => sized(event), () => snapshot(event))
  compare(`generation, ${size / 1000} KB, with a mask`, () => sized(event), () => masking(event))
}
const huge = generation(messages(20, 5_000_000))
compare("generation, 5 MB cut to 1 MB", () => sized(huge), () => snapshot(huge))
