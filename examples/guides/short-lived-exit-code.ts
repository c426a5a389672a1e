import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

const review = Effect.succeed({ approved: true, text: "Looks good." }).pipe(
  Langfuse.generation("review", { model: "gpt-4.1", input: "the diff", output: ({ text }) => text }),
  Langfuse.withTrace({ name: "review" })
)

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provide(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

// #region exit
const main = Effect.gen(function*() {
  const { approved, text } = yield* Effect.provide(review, LangfuseLive)
  // The layer has closed: what there was to send has been sent.
  yield* Console.log(text)
  process.exit(approved ? 0 : 1)
})
// #endregion exit

NodeRuntime.runMain(main)
