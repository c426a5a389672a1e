import { FetchHttpClient } from "@effect/platform"
import { Console, Effect, Layer } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

const evaluate = (question: string) =>
  Effect.succeed(0.9).pipe(
    Langfuse.evaluator("evaluate", { input: question, output: (score) => score }),
    Langfuse.withTrace({ name: "evaluation" })
  )

// #region report
const nightly = Effect.gen(function*() {
  const ingest = yield* LangfuseIngest.LangfuseIngest
  yield* Effect.forEach(["one", "two", "three"], evaluate)
  const { delivered, failed, pending, rejected } = yield* ingest.flush
  yield* Console.log(`${delivered} of ${delivered + failed + pending + rejected} observations are in Langfuse`)
  if (failed + rejected > 0) yield* Console.log("the numbers of tonight are incomplete: do not compare them")
})
// #endregion report

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provideMerge(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

nightly.pipe(Effect.provide(LangfuseLive), Effect.runPromise)
