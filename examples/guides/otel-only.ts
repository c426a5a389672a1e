import { OtlpSerialization, OtlpTracer } from "@effect/opentelemetry"
import { FetchHttpClient } from "@effect/platform"
import { Config, Effect, Encoding, Layer } from "effect"
import { Langfuse } from "effect-langfuse"

// #region layer
const TracingLive = Layer.unwrapEffect(
  Effect.gen(function*() {
    const baseUrl = yield* Config.string("LANGFUSE_BASE_URL")
    const publicKey = yield* Config.string("LANGFUSE_PUBLIC_KEY")
    const secretKey = yield* Config.string("LANGFUSE_SECRET_KEY")
    return OtlpTracer.layer({
      url: `${baseUrl}/api/public/otel/v1/traces`,
      headers: {
        authorization: `Basic ${Encoding.encodeBase64(`${publicKey}:${secretKey}`)}`,
        "x-langfuse-ingestion-version": "4"
      },
      resource: { serviceName: "assistant" }
    })
  })
).pipe(Layer.provide(OtlpSerialization.layerJson), Layer.provide(FetchHttpClient.layer))
// #endregion layer

const answer = Effect.succeed("Rayleigh scattering.").pipe(
  Langfuse.generation("complete", {
    model: "gpt-4.1",
    input: "Why is the sky blue?",
    output: (text) => text,
    usage: { input: 12, output: 5 }
  }),
  Langfuse.agent("answer", { input: "Why is the sky blue?", output: (text) => text }),
  Langfuse.withTrace({ name: "question", userId: "ada", sessionId: "chat-1", tags: ["demo"] })
)

answer.pipe(Effect.provide(TracingLive), Effect.runPromise)
