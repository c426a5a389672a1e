import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

// #region scores
const program = Effect.gen(function*() {
  // Of the observation this runs in:
  yield* Langfuse.score({ name: "relevance", value: 0.8 })
  yield* Langfuse.score({ name: "helpful", value: true, comment: "thumbs up" })
  yield* Langfuse.score({ name: "tone", dataType: "CATEGORICAL", value: "friendly" })
  yield* Langfuse.score({ name: "review", dataType: "TEXT", value: "Short, and to the point." })
  // What the output should have been:
  yield* Langfuse.score({ dataType: "CORRECTION", value: "Yes, from 9 to 17." })
  // Of the trace:
  yield* Langfuse.scoreTrace({ name: "resolved", value: true })
  // Of the session:
  yield* Langfuse.score({ name: "csat", value: 4, sessionId: "chat-1" })
  return "Yes."
}).pipe(
  Langfuse.agent("support", { output: (text) => text }),
  Langfuse.withTrace({ name: "question", sessionId: "chat-1" })
)
// #endregion scores

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provideMerge(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

program.pipe(Effect.provide(LangfuseLive), NodeRuntime.runMain)
