import { FetchHttpClient } from "@effect/platform"
import { Config, Effect, Layer } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

// #region layers
const Support = LangfuseTracer.layer().pipe(
  Layer.provide(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

const Research = LangfuseTracer.layer().pipe(
  Layer.provide(LangfuseIngest.layerConfig({
    publicKey: Config.string("RESEARCH_LANGFUSE_PUBLIC_KEY"),
    secretKey: Config.redacted("RESEARCH_LANGFUSE_SECRET_KEY"),
    baseUrl: Config.string("LANGFUSE_BASE_URL"),
    environment: Config.succeed("research")
  })),
  Layer.provide(FetchHttpClient.layer)
)
// #endregion layers

const answer = Effect.succeed("9 to 17").pipe(
  Langfuse.generation("answer", { model: "gpt-4.1", input: "Are you open?", output: (text) => text }),
  Langfuse.withTrace({ name: "question" })
)

const experiment = Effect.succeed(0.9).pipe(
  Langfuse.evaluator("experiment", { output: (score) => score }),
  Langfuse.withTrace({ name: "experiment" })
)

// #region programs
Effect.all([
  Effect.provide(answer, Support),
  Effect.provide(experiment, Research)
], { concurrency: "unbounded" }).pipe(Effect.runPromise)
// #endregion programs
