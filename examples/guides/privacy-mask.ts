import { FetchHttpClient } from "@effect/platform"
import { Effect, Layer } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

const email = /[\w.+-]+@[\w-]+(\.[\w-]+)+/g

/** Takes e-mail addresses out of every text in a value, at any depth. */
const mask = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, item) => typeof item === "string" ? item.replace(email, "<e-mail>") : item)

const answer = Effect.succeed("I have written to ada@example.com.").pipe(
  Langfuse.generation("answer", {
    model: "gpt-4.1",
    input: [{ role: "user", content: "Please write to:\nada@example.com" }],
    output: (text) => text,
    metadata: { cc: ["grace@example.com"] }
  }),
  Langfuse.withTrace({ name: "mail", userId: "user-17" })
)

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provide(LangfuseIngest.layerFromEnvWith({ mask })),
  Layer.provide(FetchHttpClient.layer)
)

answer.pipe(Effect.provide(LangfuseLive), Effect.runPromise)
