import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Fiber, Layer } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

const summarize = (page: string) =>
  Effect.succeed(`about ${page}`).pipe(
    Langfuse.generation(`summarize ${page}`, { model: "gpt-4.1", input: page, output: (text) => text }),
    // No observation of its own, but there are some below and above it, so it is shown.
    Effect.withSpan("page")
  )

const program = Effect.gen(function*() {
  // Fibers belong below the observation they were started in, whenever they end.
  const cache = yield* Effect.fork(Effect.succeed(2).pipe(Langfuse.tool("fill cache", { output: (pages) => pages })))
  yield* Effect.forEach(["one", "two"], summarize, { concurrency: "unbounded" })
  // Nothing below it is an observation, so it is left out.
  yield* Effect.succeed("SELECT 1").pipe(Effect.withSpan("sql"))
  yield* Fiber.join(cache)
}).pipe(
  Langfuse.agent("researcher"),
  // Above the topmost observation: left out as well.
  Effect.withSpan("job"),
  Langfuse.withTrace({ name: "research", tags: ["nightly"] })
)

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provide(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

program.pipe(Effect.provide(LangfuseLive), NodeRuntime.runMain)
