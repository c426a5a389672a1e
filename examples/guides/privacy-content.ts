import { FetchHttpClient } from "@effect/platform"
import { Effect, Layer, Redacted } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

const token = Redacted.make("secret-token-of-ada")

// #region call
const diagnose = Effect.succeed("It is a cold.").pipe(
  Langfuse.generation("diagnose", {
    model: "gpt-4.1",
    input: "I have a fever.",
    output: (text) => text,
    usage: { input: 9, output: 5 },
    content: "metadata"
  })
)
// #endregion call

// #region redacted
const lookUp = Effect.succeed("Dr. Grace").pipe(
  Langfuse.tool("look up", { input: { practice: 7, token }, output: (name) => name })
)
// #endregion redacted

const visit = Effect.zip(diagnose, lookUp).pipe(
  Langfuse.agent("visit"),
  Langfuse.withTrace({ name: "visit" })
)

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provide(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

visit.pipe(Effect.provide(LangfuseLive), Effect.runPromise)
