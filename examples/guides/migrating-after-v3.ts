import { FetchHttpClient } from "@effect/platform"
import { Effect, Layer } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

const lookUp = (question: string) =>
  Effect.succeed("Friday: 9 to 17").pipe(
    Langfuse.observe("look up", { input: question, output: (hours) => hours })
  )

const complete = (prompt: string) =>
  Effect.succeed({ text: "Yes, from 9 to 17.", usage: { input: 31, output: 9 } }).pipe(
    Langfuse.generation("complete", {
      model: "gpt-4.1",
      input: prompt,
      output: ({ text }) => text,
      usage: ({ usage }) => usage
    })
  )

const answer = (question: string) =>
  lookUp(question).pipe(
    Effect.flatMap((hours) => complete(`${hours}\n\n${question}`)),
    Effect.map(({ text }) => text),
    Effect.tap(Langfuse.scoreTrace({ name: "helpful", value: true })),
    Langfuse.observe("answer", { input: question, output: (text) => text }),
    Langfuse.withTrace({ name: "question", userId: "ada", sessionId: "chat-1", tags: ["hours"] })
  )

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provideMerge(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

answer("Are you open on Friday?").pipe(Effect.provide(LangfuseLive), Effect.runPromise)
