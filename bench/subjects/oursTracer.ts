/** This library's tracer, over Langfuse's OpenTelemetry endpoint: the same program as for Effect's own OTLP tracer. */
import * as LangfuseIngest from "effect-langfuse/LangfuseIngest"
import * as LangfuseTracer from "effect-langfuse/LangfuseTracer"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { main } from "../lib/child.js"
import { layerOf } from "../lib/ours.js"
import { recordSpans } from "../lib/spans.js"
import type { Settings } from "../lib/subject.js"
import type { Work } from "../lib/workload.js"

const open = async (settings: Settings) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(LangfuseTracer.layer(), layerOf(settings, "otlp")))
  const ingest = await runtime.runPromise(LangfuseIngest.LangfuseIngest)
  return {
    record: (works: ReadonlyArray<Work>) => runtime.runSync(recordSpans(works)),
    flush: () => runtime.runPromise(ingest.flush),
    close: () => runtime.dispose()
  }
}

await main({ open, lag: () => 0 })
