import { FetchHttpClient } from "@effect/platform"
import { Effect, Layer } from "effect"
import { IngestionEvent, LangfuseIngest } from "effect-langfuse"

/** For scores of traces that were stored before the move, under the ids they were given. */
const OlderTraces = LangfuseIngest.layerFromEnvWith({ protocol: "ingestion" }).pipe(
  Layer.provide(FetchHttpClient.layer)
)

const score = Effect.gen(function*() {
  const ingest = yield* LangfuseIngest.LangfuseIngest
  yield* ingest.enqueue(yield* IngestionEvent.scoreCreate({ traceId: "order-17", name: "refunded", value: 1 }))
})

score.pipe(Effect.provide(OlderTraces), Effect.runPromise)
