/**
 * A program on `@effect/ai`, traced by decorating its language model: prompts, answers, tools, tokens, the time to the
 * first token, and a call that fails. The provider is scripted, so that no key is needed; a real one is decorated alike.
 *
 *   npm run example:effect-ai
 */
import type { Response } from "@effect/ai"
import { AiError, LanguageModel, Tool, Toolkit } from "@effect/ai"
import { Effect, Layer, Schema, Stream } from "effect"
import { Langfuse } from "effect-langfuse"
import * as LangfuseAi from "effect-langfuse/LangfuseAi"
import { example } from "./lib/main.js"

const Weather = Tool.make("Weather", {
  description: "The weather in a city today",
  parameters: { city: Schema.String },
  success: Schema.Struct({ sky: Schema.String, degrees: Schema.Number })
})

const tools = Toolkit.make(Weather)

const ToolsLive = tools.toLayer({
  Weather: ({ city }) =>
    Effect.succeed({ sky: city === "Lisbon" ? "clear" : "cloudy", degrees: 21 }).pipe(Effect.delay("3 millis"))
})

const finish = (inputTokens: number, outputTokens: number, cachedInputTokens = 0): Response.FinishPartEncoded => ({
  type: "finish",
  reason: "stop",
  usage: { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens, cachedInputTokens }
})

/** Stands in for a provider such as `OpenAiLanguageModel.layer`. */
const Scripted = Layer.effect(
  LanguageModel.LanguageModel,
  LanguageModel.make({
    generateText: ({ prompt, tools }) => {
      const asked = JSON.stringify(prompt.content)
      if (asked.includes("overloaded")) {
        return Effect.fail(
          new AiError.UnknownError({
            module: "Scripted",
            method: "generateText",
            description: "the model is overloaded"
          })
        )
      }
      return Effect.succeed<Array<Response.PartEncoded>>(
        tools.length > 0
          ? [{ type: "tool-call", id: "call-1", name: "Weather", params: { city: "Lisbon" } }, finish(64, 18)]
          : [{ type: "text", text: "Clear, 21 degrees." }, finish(90, 6, 64)]
      ).pipe(Effect.delay("10 millis"))
    },
    streamText: () =>
      Stream.make("Take ", "sun", "glasses.").pipe(
        Stream.tap(() => Effect.sleep("4 millis")),
        Stream.map((delta): Response.StreamPartEncoded => ({ type: "text-delta", id: "1", delta })),
        Stream.concat(Stream.make(finish(40, 4)))
      )
  })
)

const program = Effect.gen(function*() {
  const first = yield* LanguageModel.generateText({ prompt: "How is the weather in Lisbon?", toolkit: tools })
  yield* LanguageModel.generateText({ prompt: `Say it in a sentence: ${JSON.stringify(first.toolResults[0]?.result)}` })
  yield* Stream.runDrain(LanguageModel.streamText({ prompt: "What should I take with me?" }))
  yield* Effect.ignore(LanguageModel.generateText({ prompt: "Are you overloaded?" }))
}).pipe(
  Langfuse.agent("plan a day"),
  Langfuse.withTrace({ name: "day", userId: "ada", tags: ["effect-ai"] })
)

const Model = LangfuseAi.layerLanguageModel().pipe(Layer.provide(Scripted))

example(Effect.provide(program, Layer.merge(Model, ToolsLive)))
