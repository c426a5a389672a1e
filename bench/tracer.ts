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
import * as Intake from "../src/internal/intake.js"

/** Spans in one turn: fewer than the tracer lets wait. */
const spans = 500
const rounds = 150

const text = (size: number) => "The tool answered \"done\" after 12 ms.\n".repeat(Math.ceil(size / 38)).slice(0, size)
const input = [{ role: "system", content: text(300) }, { role: "user", content: text(650) }]
const output = { role: "assistant", content: text(950) }

let taken = 0
const ingest: typeof LangfuseIngest.Service = {
  enqueue: () => Effect.succeed(true),
  unsafeEnqueue: () => true,
  flush: Effect.succeed({ delivered: 0, rejected: 0, failed: 0, pending: 0 }),
  stats: Effect.die("not asked"),
  status: Effect.die("not asked")
}

/** Takes items and lets go of them. */
const intake: Intake.Intake = {
  ...Intake.of(ingest),
  take: (item) => {
    taken += item.bytes
    return true
  }
}
Intake.register(ingest, intake)

const pushAll = (): void => {
  for (const source of intake.sources) source.push()
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

interface Subject {
  readonly name: string
  /** What the caller waits for. */
  readonly run: () => void
  /** What follows in a later turn. */
  readonly settle: () => unknown
  /** Microseconds a span: the best round of all, as the machine's other work is no part of it. */
  caller: number
  all: number
}

const subjects: Array<Subject> = []

const add = (name: string, run: () => void, settle: () => unknown): void => {
  subjects.push({ name, run, settle, caller: Infinity, all: Infinity })
}

const addEffect = async (name: string, layer: Layer.Layer<never>, effect: Effect.Effect<unknown>): Promise<void> => {
  const runtime = await ManagedRuntime.make(layer).runtime()
  const repeated = Effect.repeatN(effect, spans - 1)
  add(name, () => Runtime.runSync(runtime)(repeated), pushAll)
}

const fake = Layer.succeed(LangfuseIngest, ingest)
const native = Layer.empty
const ours = LangfuseTracer.layer().pipe(Layer.provide(fake))
const everything = LangfuseTracer.layer({ filter: "all" }).pipe(Layer.provide(fake))
const tee = LangfuseTracer.layerTee().pipe(
  Layer.provide(fake),
  Layer.provide(Layer.unwrapEffect(Effect.map(Effect.tracer, (tracer) => Layer.setTracer({ ...tracer }))))
)

await addEffect("Effect.withSpan, Effect's own tracer", native, plain)
await addEffect("Effect.withSpan with 2 attributes, Effect's own tracer", native, annotated)
await addEffect("Effect.withSpan, filtered out", ours, plain)
await addEffect("Effect.withSpan with 2 attributes, filtered out", ours, annotated)
await addEffect("Effect.withSpan, filter: \"all\"", everything, plain)
await addEffect("observe, nothing said", ours, bare)
await addEffect("observe, 1 KB in and out, model, usage", ours, observed)
await addEffect(
  "the same within withTrace",
  ours,
  Langfuse.withTrace(observed, { name: "t", userId: "u", sessionId: "s", tags: ["a"] })
)
await addEffect(
  "the same, caller not sampled",
  ours,
  observed.pipe(Effect.withParentSpan(Tracer.externalSpan({
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    sampled: false
  })))
)
await addEffect("the same, tracer off", ours, observed.pipe(Effect.withTracerEnabled(false)))
await addEffect("the same, Effect's own tracer", native, observed)
await addEffect("observe, 1 KB in and out, tee", tee, observed)

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
// Part of the official SDK's work is in promises; sending, which costs nothing here, is not waited for.
add("official v5 startObservation(...).end()", official, () => new Promise((resolve) => setImmediate(resolve)))
add("JSON.stringify of in and out alone", () => {
  for (let i = 0; i < spans; i++) {
    JSON.stringify(input)
    JSON.stringify(output)
  }
}, () => {})

// Each round runs everything, so that a busy machine is unfair to all alike.
for (let round = 0; round < rounds; round++) {
  for (const subject of subjects) {
    const start = performance.now()
    subject.run()
    const middle = performance.now()
    await subject.settle()
    const end = performance.now()
    subject.caller = Math.min(subject.caller, (middle - start) * 1000 / spans)
    subject.all = Math.min(subject.all, (end - start) * 1000 / spans)
  }
  await provider.forceFlush()
}

const cost = (name: string): number => subjects.find((subject) => subject.name.startsWith(name))?.caller ?? NaN
const plainCost = cost("Effect.withSpan, Effect's own")
console.log(`${"".padEnd(58)} ${"caller".padStart(10)} ${"in all".padStart(10)}`)
for (const { all, caller, name } of subjects) {
  const cells = [caller, all].map((us) => `${us.toFixed(2)} us`.padStart(10)).join(" ")
  console.log(`${name.padEnd(58)} ${cells}   x${(caller / plainCost).toFixed(2)}`)
}
const observe = cost("observe, 1 KB in and out, model")
console.log(`\nobserve beyond Effect's own span: ${(observe - plainCost).toFixed(2)} us`)
console.log(`observe / official: ${(observe / cost("official")).toFixed(2)}`)
console.log(`filtered out / Effect's own: ${(cost("Effect.withSpan, filtered out") / plainCost).toFixed(2)}`)
console.log(`${(taken / 1e6).toFixed(0)} MB of observations were made`)
