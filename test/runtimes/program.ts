/**
 * The same short program for every runtime: it must run wherever `fetch` and `crypto` do, so it uses nothing else.
 */
import { FetchHttpClient } from "@effect/platform"
import { Effect, Layer, Redacted } from "effect"
import { IngestionEvent, Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

/** Where to send to. */
export interface Address {
  readonly baseUrl: string
  readonly publicKey: string
  readonly secretKey: string
}

/** What the program says of itself; the server's side of it is told by the server. */
export interface Outcome {
  readonly flushed: LangfuseIngest.FlushReport
  readonly stats: LangfuseIngest.IngestStats
}

const chat = Effect.succeed("Rayleigh scattering.").pipe(
  Langfuse.generation("chat", { model: "gpt-4.1", input: "Why is the sky blue?", output: (text) => text })
)

const broken = Effect.fail("no such tool").pipe(Langfuse.tool("broken"), Effect.ignore)

const body = Effect.gen(function*() {
  const ingest = yield* LangfuseIngest.LangfuseIngest
  const trace = yield* IngestionEvent.traceCreate({ name: "by hand", userId: "ada" })
  yield* ingest.enqueue(trace)
  yield* ingest.enqueue(
    yield* IngestionEvent.generationCreate({
      traceId: trace.body.id,
      name: "summary",
      model: "gpt-4.1",
      usageDetails: { input: 12, output: 80 },
      endTime: new Date()
    })
  )
  yield* Effect.all([chat, broken, Effect.sleep("5 millis")], { concurrency: "unbounded" }).pipe(
    Langfuse.agent("agent"),
    Langfuse.withTrace({ name: "traced", sessionId: "s-1" })
  )
  const flushed = yield* ingest.flush
  const stats = yield* ingest.stats
  // Nobody flushes this one: closing the layer does.
  yield* Effect.void.pipe(Langfuse.observe("late"), Langfuse.withTrace({ name: "closing" }))
  return { flushed, stats }
})

const tracing = LangfuseTracer.layer()

/** With the address that the platform's variables name. */
export const fromEnv: Effect.Effect<Outcome, unknown> = body.pipe(
  Effect.provide(tracing.pipe(Layer.provideMerge(LangfuseIngest.layerFromEnv), Layer.provide(FetchHttpClient.layer)))
)

/** Where there are no variables. */
export const at = ({ baseUrl, publicKey, secretKey }: Address): Effect.Effect<Outcome> =>
  body.pipe(
    Effect.provide(
      tracing.pipe(
        Layer.provideMerge(LangfuseIngest.layer({ baseUrl, publicKey, secretKey: Redacted.make(secretKey) })),
        Layer.provide(FetchHttpClient.layer)
      )
    ),
    Effect.orDie
  )
