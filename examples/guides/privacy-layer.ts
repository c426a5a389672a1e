import { FetchHttpClient } from "@effect/platform"
import { Effect, Layer } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

const answer = Effect.succeed("It is a cold.").pipe(
  Langfuse.generation("answer", {
    model: "gpt-4.1",
    input: "I have a fever.",
    output: (text) => text,
    usage: { input: 9, output: 5 },
    metadata: { clinic: 3 }
  }),
  Langfuse.withTrace({ name: "diagnosis" })
)

// #region layer
const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provide(LangfuseIngest.layerFromEnvWith({ content: "metadata" })),
  Layer.provide(FetchHttpClient.layer)
)
// #endregion layer

answer.pipe(Effect.provide(LangfuseLive), Effect.runPromise)
