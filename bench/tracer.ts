/**
 * What it costs a program to be traced: per span, for the caller alone and with the encoding that follows in a later
 * turn, against Effect's own spans and the official SDK on the same payload.
 *
 * Run with `npx tsx --tsconfig test/tsconfig.json bench/tracer.ts`; it takes about half a minute.
 */
import { LangfuseSpanProcessor } from "@langfuse/otel"
import { setLangfuseTracerProvider, startObservation } from "@langfuse/tracing"
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base"
import { Effect, Layer, ManagedRuntime, Runtime, Tracer } from "effect"
import * as Langfuse from "effect-langfuse/Langfuse"
import { LangfuseIngest } from "effect-langfuse/LangfuseIngest"
import * as LangfuseTracer from "effect-langfuse/LangfuseTracer"
import { make as makeSnapshot } from "../src/internal/snapshot.js"
import { pushAll } from "../src/internal/sources.js"

/** Spans in one turn: fewer than the tracer lets wait. */
const spans = 500
const rounds = 60

const text = (size: number) => "The tool answered \"done\" after 12 ms.\n".repeat(Math.ceil(size / 38)).slice(0, size)
const input = [{ role: "system", content: text(300) }, { role: "user", content: text(650) }]
const output = { role: "assistant", content: text(950) }

const snapshot = makeSnapshot({ content: "full", maxEventBytes: 1_000_000, onMaskFailure: () => {} })
let taken = 0
const ingest: typeof LangfuseIngest.Service = {
  enqueue: () => Effect.succeed(true),
  unsafeEnqueue: (event) => {
    taken += snapshot(event).bytes
    return true
  },
  flush: Effect.succeed({ delivered: 0, rejected: 0, failed: 0, pending: 0 }),
  stats: Effect.die("not asked")
}

const work = Effect.succeed(output)
const plain = work.pipe(Effect.withSpan("plain"))
const annotated = work.pipe(Effect.withSpan("plain", { attributes: { "http.method": "GET", "http.status": 200 } }))
const observed = work.pipe(
  Langfuse.generation("chat", {
    model: "gpt-4.1",
    input,
    output: (message) => message,
    usage: { input: 200, output: 80 }
  })
)
const bare = work.pipe(Langfuse.observe("bare"))

interface Cost {
  /** Microseconds for one span: what the caller waits. */
  readonly caller: number
  /** With what follows in a later turn. */
  readonly all: number
}

const median = (values: Array<number>): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const measure = (run: () => void, settle: () => void): Cost => {
  const caller: Array<number> = []
  const all: Array<number> = []
  for (let round = 0; round < rounds + 10; round++) {
    const start = performance.now()
    run()
    const middle = performance.now()
    settle()
    const end = performance.now()
    if (round < 10) continue
    caller.push((middle - start) * 1000 / spans)
    all.push((end - start) * 1000 / spans)
  }
  return { caller: median(caller), all: median(all) }
}

const rows: Array<readonly [string, Cost]> = []
const show = (name: string, cost: Cost): void => {
  rows.push([name, cost])
  const base = rows[0]?.[1].caller ?? 1
  const cells = [cost.caller, cost.all].map((us) => `${us.toFixed(2)} us`.padStart(10)).join(" ")
  console.log(`${name.padEnd(58)} ${cells}   x${(cost.caller / base).toFixed(2)}`)
}

const bench = async (name: string, layer: Layer.Layer<never>, effect: Effect.Effect<unknown>): Promise<void> => {
  const runtime = await ManagedRuntime.make(layer).runtime()
  const repeated = Effect.repeatN(effect, spans - 1)
  show(name, measure(() => Runtime.runSync(runtime)(repeated), () => pushAll(ingest)))
}

const fake = Layer.succeed(LangfuseIngest, ingest)
const native = Layer.empty
const ours = LangfuseTracer.layer().pipe(Layer.provide(fake))
const everything = LangfuseTracer.layer({ filter: "all" }).pipe(Layer.provide(fake))
const tee = LangfuseTracer.layerTee().pipe(
  Layer.provide(fake),
  Layer.provide(Layer.unwrapEffect(Effect.map(Effect.tracer, (tracer) => Layer.setTracer({ ...tracer }))))
)

console.log(`${"".padEnd(58)} ${"caller".padStart(10)} ${"in all".padStart(10)}`)
await bench("Effect.withSpan, Effect's own tracer", native, plain)
await bench("Effect.withSpan with 2 attributes, Effect's own tracer", native, annotated)
await bench("Effect.withSpan, filtered out", ours, plain)
await bench("Effect.withSpan with 2 attributes, filtered out", ours, annotated)
await bench("Effect.withSpan, filter: \"all\"", everything, plain)
await bench("observe, nothing said", ours, bare)
await bench("observe, 1 KB in and out, model, usage", ours, observed)
bench(
  "the same within withTrace",
  ours,
  Langfuse.withTrace(observed, { name: "t", userId: "u", sessionId: "s", tags: ["a"] })
)
bench(
  "the same, caller not sampled",
  ours,
  observed.pipe(Effect.withParentSpan(Tracer.externalSpan({
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    sampled: false
  })))
)
await bench("the same, tracer off", ours, observed.pipe(Effect.withTracerEnabled(false)))
await bench("the same, Effect's own tracer", native, observed)
await bench("observe, 1 KB in and out, tee", tee, observed)

// The official SDK as it is installed, with a destination that takes everything at once.
const provider = new BasicTracerProvider({
  spanProcessors: [
    new LangfuseSpanProcessor({
      publicKey: "pk-lf-bench",
      secretKey: "sk-lf-bench",
      mediaUploadEnabled: false,
      exporter: {
        export: (_spans, done) => done({ code: 0 }),
        shutdown: () => Promise.resolve()
      }
    })
  ]
})
setLangfuseTracerProvider(provider)
const official = (): void => {
  for (let i = 0; i < spans; i++) {
    startObservation("chat", {
      model: "gpt-4.1",
      input,
      output,
      usageDetails: { input: 200, output: 80 }
    }, { asType: "generation" }).end()
  }
}
{
  const caller: Array<number> = []
  const all: Array<number> = []
  for (let round = 0; round < rounds + 10; round++) {
    const start = performance.now()
    official()
    const middle = performance.now()
    // Part of the work is in promises; sending, which costs nothing here, is not waited for.
    await new Promise((resolve) => setImmediate(resolve))
    const end = performance.now()
    await provider.forceFlush()
    if (round < 10) continue
    caller.push((middle - start) * 1000 / spans)
    all.push((end - start) * 1000 / spans)
  }
  show("official v5 startObservation(...).end()", { caller: median(caller), all: median(all) })
}

const ratio = (a: string, b: string): string => {
  const cost = (name: string): number => rows.find(([row]) => row.startsWith(name))?.[1].caller ?? NaN
  return (cost(a) / cost(b)).toFixed(2)
}
console.log(`\nobserve / official, caller: ${ratio("observe, 1 KB in and out, model", "official")}`)
console.log(`filtered out / Effect's own: ${ratio("Effect.withSpan, filtered out", "Effect.withSpan, Effect's own")}`)
console.log(`${(taken / 1e6).toFixed(0)} MB of events were made`)
