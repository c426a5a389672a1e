import { FetchHttpClient } from "@effect/platform"
import { Array, Effect, Layer, Schedule } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

// #region settings
const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provide(LangfuseIngest.layerFromEnvWith({
    interval: "10 seconds",
    retry: Schedule.exponential("500 millis").pipe(Schedule.jittered, Schedule.intersect(Schedule.recurs(3)))
  })),
  Layer.provide(FetchHttpClient.layer)
)
// #endregion settings

const step = (number: number) => Langfuse.event(`step ${number}`).pipe(Langfuse.withTrace({ name: "work" }))

Effect.forEach(Array.range(1, 600), step).pipe(Effect.provide(LangfuseLive), Effect.runPromise)
