import { LanguageModel } from "@effect/ai"
import { OpenAiClient, OpenAiLanguageModel } from "@effect/ai-openai"
import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Config, Console, Effect, Layer } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"
import * as LangfuseAi from "effect-langfuse/LangfuseAi"

// #region model
const Model = LangfuseAi.model(OpenAiLanguageModel.model("gpt-4.1"))
// #endregion model

const OpenAi = OpenAiClient.layerConfig({
  apiKey: Config.redacted("OPENAI_API_KEY"),
  apiUrl: Config.withDefault(Config.string("OPENAI_API_URL"), undefined)
})

const program = LanguageModel.generateText({ prompt: "Why is the sky blue?" }).pipe(
  Effect.flatMap(({ text }) => Console.log(text)),
  Effect.provide(Model),
  Langfuse.withTrace({ name: "question", userId: "ada" })
)

const LangfuseLive = LangfuseTracer.layer().pipe(Layer.provide(LangfuseIngest.layerFromEnv))

program.pipe(
  Effect.provide(Layer.merge(OpenAi, LangfuseLive).pipe(Layer.provide(FetchHttpClient.layer))),
  NodeRuntime.runMain
)
