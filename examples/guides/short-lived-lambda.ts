import { FetchHttpClient } from "@effect/platform"
import { Effect, Layer, ManagedRuntime } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

// #region handler
const runtime = ManagedRuntime.make(
  LangfuseTracer.layer().pipe(
    Layer.provideMerge(LangfuseIngest.layerFromEnv),
    Layer.provide(FetchHttpClient.layer)
  )
)

const answer = (question: string) =>
  Effect.succeed("Rayleigh scattering.").pipe(
    Langfuse.generation("answer", { model: "gpt-4.1", input: question, output: (text) => text }),
    Langfuse.withTrace({ name: "question" })
  )

// The span is inside of `flushAfter`, so that it has ended by then.
export const handler = (event: { readonly question: string }): Promise<string> =>
  runtime.runPromise(Langfuse.flushAfter(answer(event.question)))
// #endregion handler

// One call, and then the process is frozen for ever: nothing that happens later can send the trace.
await handler({ question: "Why is the sky blue?" })
process.exit()
