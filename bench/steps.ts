/**
 * What each step of an event's life costs when its code is hot, beside what the engine has to do anyway.
 *
 * Run with `npx tsx bench/steps.ts`; it takes a few seconds. In a program the same steps cost more: their code and data are
 * not in the processor's caches.
 */
import { HttpClient, HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { Effect, ManagedRuntime, Redacted } from "effect"
import { LangfuseConfig } from "effect-langfuse"
import * as IngestionEvent from "effect-langfuse/IngestionEvent"
import * as LangfuseIngest from "effect-langfuse/LangfuseIngest"
import { toIso } from "../src/internal/datetime.js"
import * as IngestionEndpoint from "../src/internal/ingestionEndpoint.js"
import * as Sender from "../src/internal/sender.js"
import { make as makeSnapshot } from "../src/internal/snapshot.js"
import { inputOf } from "./lib/ours.js"
import { summary } from "./lib/stats.js"
import { workload } from "./lib/workload.js"

const works = workload({ kind: "size", bytes: 1000 }).make(0, 10_000)
const rounds = 9

let kept: unknown

const report = (name: string, micros: ReadonlyArray<number>): void => {
  const { max, median, min } = summary(micros)
  console.log(`${name.padEnd(58)} ${median.toFixed(2).padStart(7)} us (${min.toFixed(2)}-${max.toFixed(2)})`)
}

/** Microseconds an item. */
const time = <A>(name: string, items: ReadonlyArray<A>, step: (item: A) => unknown): void => {
  const micros: Array<number> = []
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    for (const item of items) kept = step(item)
    micros.push((performance.now() - start) * 1000 / items.length)
  }
  report(name, micros)
}

console.log("in the caller, a generation of 1 KB")
time("JSON.stringify of input and output", works, ({ input, output }) => JSON.stringify({ input, output }))
time(
  "three times as text, Date.toISOString",
  works,
  ({ end, start }) => [start, end, end].map((at) => at.toISOString())
)
time("three times as text", works, ({ end, start }) => [start, end, end].map(toIso))
time("the constructor", works, (work) => IngestionEvent.unsafeGenerationCreate(inputOf(work)))
const events = works.map((work) => IngestionEvent.unsafeGenerationCreate(inputOf(work)))
const snapshot = makeSnapshot({ content: "full", maxEventBytes: 1_000_000, onMaskFailure: () => {} })
time("the snapshot", events, snapshot)
const memory = ManagedRuntime.make(LangfuseIngest.layerMemoryWith({ content: "metadata" }))
const ingest = await memory.runPromise(LangfuseIngest.LangfuseIngest)
time("the snapshot without contents, and the ledger", events, ingest.unsafeEnqueue)

console.log("\nthe body of a request with 100 events, their texts put together included")
const snapshots = events.slice(0, 100).map(snapshot)
const encoder = new TextEncoder()
const [open, close] = IngestionEndpoint.endpoint.frame
const bodies = works.slice(0, 100)
const parts = () => snapshots.map(IngestionEndpoint.part)
time(
  "as one text that is then encoded",
  bodies,
  () => encoder.encode(`${open}${parts().map(({ text }) => text).join(",")}${close}`)
)
time("part by part", bodies, () => Sender.frame(IngestionEndpoint.endpoint, parts()))

console.log("\nfor a batch, with a client that answers at once")
const answer = "{\"successes\":[{\"id\":\"a\",\"status\":201}],\"errors\":[]}"
const client = HttpClient.make((request) =>
  Effect.sync(() =>
    HttpClientResponse.fromWeb(
      request,
      new Response(answer, {
        status: 207,
        headers: { "content-type": "application/json", "content-length": String(answer.length) }
      })
    )
  )
)
const event = { ...IngestionEvent.unsafeTraceCreate({ name: "steps" }), id: "a" }
const part = IngestionEndpoint.part(event)
const requests = 2000

const timeEffect = <A, E>(name: string, effect: Effect.Effect<A, E>): Effect.Effect<void, E> =>
  Effect.gen(function*() {
    const micros: Array<number> = []
    for (let round = 0; round < rounds; round++) {
      const start = performance.now()
      yield* Effect.repeatN(effect, requests - 1)
      micros.push((performance.now() - start) * 1000 / requests)
    }
    report(name, micros)
  })

await Effect.runPromise(Effect.gen(function*() {
  const resolved = yield* LangfuseConfig.resolveTransport({
    baseUrl: "http://localhost:3000",
    publicKey: "pk-lf-bench",
    secretKey: Redacted.make("sk-lf-bench")
  })
  const sender = Sender.make(client, resolved)
  const bare = Effect.flatMap(client.execute(HttpClientRequest.post("http://localhost:3000")), ({ text }) => text)
  yield* timeEffect("the client by itself", bare)
  yield* timeEffect(
    "a request, with its timeout and the verdicts",
    sender.deliver(IngestionEndpoint.endpoint, [part], () => {})
  )
}))
await memory.dispose()
if (kept === undefined) console.log("nothing was measured")
