import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

interface Message {
  readonly role: "system" | "user" | "assistant" | "tool"
  readonly content: string
}

// Stand in for a search index, a model and a tool.
const search = (_query: string) => Effect.succeed(["Opening hours", "How to find us"])
const complete = (messages: ReadonlyArray<Message>) =>
  Effect.succeed({
    text: messages.some(({ role }) => role === "tool") ? "Yes, from 9 to 17." : "hours(Friday)",
    usage: { prompt_tokens: 80, completion_tokens: 12, total_tokens: 92, prompt_tokens_details: { cached_tokens: 64 } }
  })
const hours = (day: string) => Effect.succeed(`${day}: 9 to 17`)

// #region model
const ask = (messages: ReadonlyArray<Message>) =>
  complete(messages).pipe(
    Langfuse.generation("complete", {
      model: "gpt-4.1",
      modelParameters: { temperature: 0 },
      input: messages,
      output: ({ text }) => ({ role: "assistant", content: text }),
      usage: ({ usage }) => usage,
      cost: { input: 0.00016, output: 0.0001 }
    })
  )
// #endregion model

const agent = (question: string) =>
  Effect.gen(function*() {
    const passages = yield* search(question).pipe(
      Langfuse.retriever("search", { input: question, output: (passages) => passages })
    )
    const messages: Array<Message> = [
      { role: "system", content: passages.join("\n") },
      { role: "user", content: question }
    ]
    const { text: call } = yield* ask(messages)
    const result = yield* hours("Friday").pipe(
      Langfuse.tool("hours", { input: { day: "Friday" }, output: (hours) => hours })
    )
    messages.push({ role: "assistant", content: call }, { role: "tool", content: result })
    const { text } = yield* ask(messages)
    return text
  }).pipe(
    Langfuse.agent("support", { input: question, output: (text) => text }),
    Langfuse.withTrace({ name: "question", userId: "ada" })
  )

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provide(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

agent("Are you open on Friday?").pipe(Effect.provide(LangfuseLive), NodeRuntime.runMain)
