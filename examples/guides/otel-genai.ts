import { FetchHttpClient } from "@effect/platform"
import { Effect, Layer } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

// #region span
/** As a library writes it that follows OpenTelemetry's conventions, and knows nothing of Langfuse. */
const chat = Effect.succeed("Rayleigh scattering.").pipe(
  Effect.withSpan("chat gpt-4.1", {
    kind: "client",
    attributes: {
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "gpt-4.1",
      "gen_ai.request.temperature": 0.2,
      "gen_ai.usage.input_tokens": 12,
      "gen_ai.usage.output_tokens": 5
    }
  })
)
// #endregion span

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provide(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

chat.pipe(Langfuse.withTrace({ name: "question" }), Effect.provide(LangfuseLive), Effect.runPromise)
