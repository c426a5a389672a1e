/** This library over the batch endpoint, in a program of Effects. */
import * as IngestionEvent from "effect-langfuse/IngestionEvent"
import * as LangfuseIngest from "effect-langfuse/LangfuseIngest"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { main } from "../lib/child.js"
import { inputOf, layerOf } from "../lib/ours.js"
import type { Settings } from "../lib/subject.js"
import type { Work } from "../lib/workload.js"

const open = async (settings: Settings) => {
  const runtime = ManagedRuntime.make(layerOf(settings, "ingestion"))
  const ingest = await runtime.runPromise(LangfuseIngest.LangfuseIngest)
  const recordAll = (works: ReadonlyArray<Work>) =>
    Effect.forEach(works, (work) => Effect.flatMap(IngestionEvent.generationCreate(inputOf(work)), ingest.enqueue), {
      discard: true
    })
  return {
    record: (works: ReadonlyArray<Work>) => runtime.runSync(recordAll(works)),
    flush: () => runtime.runPromise(ingest.flush),
    close: () => runtime.dispose()
  }
}

await main({ open, lag: () => 0 })
