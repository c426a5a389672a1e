import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Data, Effect, Layer, Schedule } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

class Overloaded extends Data.TaggedError("Overloaded")<{ readonly message: string }> {}

let calls = 0
const complete = Effect.suspend(() =>
  ++calls === 1
    ? Effect.fail(new Overloaded({ message: "the model is overloaded" }))
    : Effect.succeed("It is on its way.")
)

// #region retry
// The generation is inside the retry: each attempt is one of its own, with its own time and outcome.
const asked = complete.pipe(
  Langfuse.generation("complete", { model: "gpt-4.1", input: "Where is order 17?", output: (text) => text }),
  Effect.retry(Schedule.recurs(2)),
  Langfuse.chain("complete with retries")
)
// #endregion retry

// #region tool
// The tool is an ERROR, and what the agent makes of it is no failure of the agent.
const order = Effect.fail("no order 17").pipe(
  Langfuse.tool("order", { input: { id: 17 } }),
  Effect.catchAll((problem) => Effect.succeed(`error: ${problem}`))
)
// #endregion tool

// #region timeout
const slow = Effect.never.pipe(
  Langfuse.tool("slow search", { input: "order 17" }),
  Effect.timeoutOption("20 millis")
)
// #endregion timeout

// #region update
const guarded = Effect.gen(function*() {
  yield* Langfuse.update({ level: "WARNING", statusMessage: "answered from the cache", metadata: { age: "2 hours" } })
  return "It is on its way."
}).pipe(Langfuse.chain("answer", { output: (text) => text }))
// #endregion update

const program = Effect.all([order, slow, asked, guarded]).pipe(
  Langfuse.agent("support"),
  Langfuse.withTrace({ name: "order" })
)

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provide(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

program.pipe(Effect.provide(LangfuseLive), NodeRuntime.runMain)
