import { FetchHttpClient } from "@effect/platform"
import { Effect, Layer } from "effect"
import { IngestionEvent, LangfuseIngest } from "effect-langfuse"

const program = Effect.gen(function*() {
  const ingest = yield* LangfuseIngest.LangfuseIngest
  const trace = yield* IngestionEvent.traceCreate({ name: "answer a question", userId: "ada" })
  yield* ingest.enqueue(trace)
  yield* ingest.enqueue(
    yield* IngestionEvent.generationCreate({
      traceId: trace.body.id,
      name: "complete",
      model: "gpt-4.1",
      input: [{ role: "user", content: "Why is the sky blue?" }],
      output: "Rayleigh scattering.",
      usageDetails: { input: 12, output: 80 },
      endTime: new Date()
    })
  )
  return yield* ingest.flush // { delivered: 2, rejected: 0, failed: 0, pending: 0 }
})

program.pipe(
  Effect.tap(Effect.log),
  Effect.provide(LangfuseIngest.layerFromEnv.pipe(Layer.provide(FetchHttpClient.layer))),
  Effect.runPromise
)
