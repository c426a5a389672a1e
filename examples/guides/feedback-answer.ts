import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Option } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

// #region ids
const answer = Effect.gen(function*() {
  const traceId = yield* Langfuse.currentTraceId
  const observationId = yield* Langfuse.currentObservationId
  return {
    text: "Yes, from 9 to 17.",
    // Kept with the answer, in a database or in what the browser sends back.
    ids: { traceId: Option.getOrNull(traceId), observationId: Option.getOrNull(observationId) }
  }
}).pipe(
  Langfuse.agent("support", { output: ({ text }) => text }),
  Langfuse.withTrace({ name: "question" })
)
// #endregion ids

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provide(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

answer.pipe(
  Effect.flatMap(({ ids }) => Console.log(JSON.stringify(ids))),
  Effect.provide(LangfuseLive),
  NodeRuntime.runMain
)
