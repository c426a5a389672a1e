import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Option } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

const answer = Effect.succeed("Rayleigh scattering.").pipe(
  Langfuse.generation("answer", { model: "gpt-4.1", input: "Why is the sky blue?", output: (text) => text })
)

const program = Effect.gen(function*() {
  yield* Console.log(yield* answer)
  const url = yield* Langfuse.traceUrl()
  yield* Console.log(Option.getOrElse(url, () => "no trace"))
}).pipe(
  Langfuse.agent("assistant"),
  Langfuse.withTrace({ name: "question", userId: "ada" })
)

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provideMerge(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

program.pipe(Effect.provide(LangfuseLive), NodeRuntime.runMain)
