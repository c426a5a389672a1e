import { FetchHttpClient } from "@effect/platform"
import { Effect, Layer } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

const complete = (question: string) =>
  Effect.succeed({ text: "Rayleigh scattering.", tokens: { input: 12, output: 5 } }).pipe(
    Langfuse.generation("complete", {
      model: "gpt-4.1",
      input: [{ role: "user", content: question }],
      output: ({ text }) => text,
      usage: ({ tokens }) => tokens
    })
  )

const program = complete("Why is the sky blue?").pipe(
  Effect.tap(Langfuse.score({ name: "helpful", value: true })),
  Langfuse.agent("answer", { input: "Why is the sky blue?", output: ({ text }) => text }),
  Langfuse.withTrace({ name: "question", userId: "ada", sessionId: "chat-1", tags: ["demo"] })
)

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provideMerge(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

program.pipe(Effect.provide(LangfuseLive), Effect.runPromise)
