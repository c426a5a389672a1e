/**
 * Sends traces to look at to the Langfuse that `LANGFUSE_*` names, for example to `npm run dev`.
 *
 *   tsx scripts/demo.ts
 */
import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { LangfuseIngest, LangfuseTracer } from "effect-langfuse"
import * as ReplayClock from "../examples/lib/clock.js"
import { demo } from "./lib/demo.js"

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provideMerge(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

ReplayClock.make.pipe(
  Effect.flatMap((clock) => Effect.withClock(demo, clock)),
  Effect.provide(LangfuseLive),
  NodeRuntime.runMain
)
