import { FetchHttpClient, Headers, HttpTraceContext } from "@effect/platform"
import { Effect, Layer, Option } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

/** A message from a queue, with the headers that whoever sent it has put on it. */
interface Message {
  readonly headers: Record<string, string>
  readonly question: string
}

const answer = (question: string) =>
  Effect.succeed("Rayleigh scattering.").pipe(
    Langfuse.generation("answer", { model: "gpt-4.1", input: question, output: (text) => text })
  )

// #region continue
const process = (message: Message) =>
  Option.match(HttpTraceContext.fromHeaders(Headers.fromInput(message.headers)), {
    onNone: () => answer(message.question),
    onSome: (sender) => Effect.withParentSpan(answer(message.question), sender)
  })
// #endregion continue

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provide(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

const message = {
  headers: { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" },
  question: "Why is the sky blue?"
}

process(message).pipe(Effect.provide(LangfuseLive), Effect.runPromise)
