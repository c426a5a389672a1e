import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

const summarise = Effect.succeed("Three files changed.").pipe(
  Langfuse.generation("summarise", { model: "gpt-4.1", input: "the diff", output: (text) => text }),
  Langfuse.withTrace({ name: "commit message" })
)

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provide(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

summarise.pipe(
  Effect.flatMap(Console.log),
  Effect.provide(LangfuseLive),
  NodeRuntime.runMain
)
