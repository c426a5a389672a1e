import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer, Stream } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

interface Delta {
  readonly text: string
  readonly outputTokens?: number
}

const deltas: Stream.Stream<Delta> = Stream.make({ text: "Rayleigh " }, { text: "scattering.", outputTokens: 4 }).pipe(
  Stream.tap(() => Effect.sleep("10 millis"))
)

// #region stream
const answer = deltas.pipe(
  Langfuse.observeStream("complete", {
    type: "generation",
    model: "gpt-4.1",
    input: "Why is the sky blue?",
    output: (deltas) => deltas.map(({ text }) => text).join(""),
    usage: (deltas) => ({ output: deltas.at(-1)?.outputTokens })
  })
)
// #endregion stream

const program = answer.pipe(
  Stream.runForEach(({ text }) => Effect.log(text)),
  Langfuse.withTrace({ name: "question" })
)

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provide(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

program.pipe(Effect.provide(LangfuseLive), NodeRuntime.runMain)
