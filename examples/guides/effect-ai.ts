import type { Response } from "@effect/ai"
import { Chat, EmbeddingModel, LanguageModel, Tool, Toolkit } from "@effect/ai"
import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer, Schema, Stream } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"
import * as LangfuseAi from "effect-langfuse/LangfuseAi"

// Stand in for the layers of a provider, so that this runs without a key.
const finish: Response.FinishPartEncoded = {
  type: "finish",
  reason: "stop",
  usage: { inputTokens: 90, outputTokens: 6, totalTokens: 96, cachedInputTokens: 64 }
}
const ScriptedModel = Layer.effect(
  LanguageModel.LanguageModel,
  LanguageModel.make({
    generateText: ({ tools }) =>
      Effect.succeed<Array<Response.PartEncoded>>(
        tools.length > 0
          ? [{ type: "tool-call", id: "1", name: "Weather", params: { city: "Lisbon" } }, finish]
          : [{ type: "text", text: "Clear, 21 degrees." }, finish]
      ),
    streamText: () =>
      Stream.fromIterable<Response.StreamPartEncoded>([{ type: "text-delta", id: "1", delta: "Sunglasses." }, finish])
  })
)
const ScriptedEmbeddings = Layer.effect(
  EmbeddingModel.EmbeddingModel,
  EmbeddingModel.make({
    embedMany: (texts) => Effect.succeed(texts.map((_, index) => ({ index, embeddings: [0.1, 0.2, 0.3] })))
  })
)

// #region decorate
const Models = Layer.merge(
  LangfuseAi.layerLanguageModel().pipe(Layer.provide(ScriptedModel)),
  LangfuseAi.layerEmbeddingModel({ model: "text-embedding-3-small" }).pipe(Layer.provide(ScriptedEmbeddings))
)
// #endregion decorate

// #region tools
const tools = Toolkit.make(Tool.make("Weather", {
  description: "The weather in a city today",
  parameters: { city: Schema.String },
  success: Schema.Struct({ degrees: Schema.Number })
}))

const ToolsLive = tools.toLayer({ Weather: () => Effect.succeed({ degrees: 21 }) })

const weather = LanguageModel.generateText({ prompt: "How is the weather in Lisbon?", toolkit: tools })
// #endregion tools

// #region chat
const conversation = Effect.gen(function*() {
  const chat = yield* Chat.fromPrompt([{ role: "system", content: "You know the weather in Lisbon." }])
  yield* chat.generateText({ prompt: "How is it today?" })
  yield* Stream.runDrain(chat.streamText({ prompt: "What should I take with me?" }))
})
// #endregion chat

// #region embeddings
const embedded = EmbeddingModel.EmbeddingModel.pipe(
  Effect.flatMap((model) => model.embed("Lisbon in spring"))
)
// #endregion embeddings

// #region content
const secret = LanguageModel.generateText({ prompt: "My number is 4711." }).pipe(
  LangfuseAi.withTelemetry({ content: "metadata" })
)
// #endregion content

const program = Effect.all([weather, conversation, embedded, secret]).pipe(
  Langfuse.agent("plan a day"),
  Langfuse.withTrace({ name: "day" })
)

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provide(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

program.pipe(Effect.provide([Models, ToolsLive, LangfuseLive]), NodeRuntime.runMain)
