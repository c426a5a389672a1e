import { FetchHttpClient } from "@effect/platform"
import { Effect, Layer } from "effect"
import type { LangfuseConfig } from "effect-langfuse"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

/** Only says what to do with text. */
const mask: LangfuseConfig.Mask = (value, { field }) => {
  if (typeof value !== "string") throw new Error(`no rule for ${field}`)
  return value.replace(/\d/g, "#")
}

const answer = Effect.succeed("Your card 4111-1111 is valid.").pipe(
  Langfuse.generation("answer", { model: "gpt-4.1", input: { card: "4111-1111" }, output: (text) => text }),
  Langfuse.withTrace({ name: "card" })
)

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provide(LangfuseIngest.layerFromEnvWith({ mask })),
  Layer.provide(FetchHttpClient.layer)
)

answer.pipe(Effect.provide(LangfuseLive), Effect.runPromise)
