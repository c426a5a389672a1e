import type { Response } from "@effect/ai"
import { AiError, LanguageModel, Telemetry } from "@effect/ai"
import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer, Stream } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"
import * as LangfuseAi from "effect-langfuse/LangfuseAi"

const overloaded = (method: string) =>
  new AiError.UnknownError({ module: "Scripted", method, description: "the model is overloaded" })

const delta = (text: string): Response.StreamPartEncoded => ({ type: "text-delta", id: "1", delta: text })

const Scripted = Layer.effect(
  LanguageModel.LanguageModel,
  LanguageModel.make({
    generateText: ({ prompt }) =>
      JSON.stringify(prompt.content).includes("Hello")
        ? Effect.succeed([{ type: "text", text: "Hi." }])
        : Effect.fail(overloaded("generateText")),
    streamText: () =>
      Stream.make(delta("Because "), delta("of")).pipe(Stream.concat(Stream.fail(overloaded("streamText"))))
  })
)

const Model = LangfuseAi.layerLanguageModel().pipe(Layer.provide(Scripted))

// #region transformer
const greeting = LanguageModel.generateText({ prompt: "Hello" }).pipe(
  Effect.provideService(
    Telemetry.CurrentSpanTransformer,
    ({ span }) => span.attribute("langfuse.observation.metadata.feature", "greeting")
  )
)
// #endregion transformer

const program = Effect.gen(function*() {
  yield* Effect.ignore(LanguageModel.generateText({ prompt: "Why is the sky blue?" }))
  yield* Effect.ignore(Stream.runDrain(LanguageModel.streamText({ prompt: "Why is the sky blue?" })))
  yield* greeting
}).pipe(Langfuse.agent("questions"), Langfuse.withTrace({ name: "questions" }))

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provide(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

program.pipe(Effect.provide([Model, LangfuseLive]), NodeRuntime.runMain)
