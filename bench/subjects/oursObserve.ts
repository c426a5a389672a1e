/** This library's combinators and tracer, over Langfuse's OpenTelemetry endpoint. */
import * as Langfuse from "effect-langfuse/Langfuse"
import * as LangfuseIngest from "effect-langfuse/LangfuseIngest"
import * as LangfuseTracer from "effect-langfuse/LangfuseTracer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Tracer from "effect/Tracer"
import { main } from "../lib/child.js"
import { layerOf } from "../lib/ours.js"
import type { Settings } from "../lib/subject.js"
import type { Work } from "../lib/workload.js"

const recordAll = (works: ReadonlyArray<Work>) =>
  Effect.forEach(works, (work) =>
    Langfuse.generation(Effect.succeed(work.output), work.name, {
      model: work.model,
      input: work.input,
      output: (message) => message,
      usage: work.usage,
      metadata: { attempt: 1 },
      parent: Tracer.externalSpan({ traceId: work.traceId, spanId: work.parentId })
    }), { discard: true })

const open = async (settings: Settings) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(LangfuseTracer.layer(), layerOf(settings, "otlp")))
  const ingest = await runtime.runPromise(LangfuseIngest.LangfuseIngest)
  return {
    record: (works: ReadonlyArray<Work>) => runtime.runSync(recordAll(works)),
    flush: () => runtime.runPromise(ingest.flush),
    close: () => runtime.dispose()
  }
}

await main({ open, lag: () => 0 })
