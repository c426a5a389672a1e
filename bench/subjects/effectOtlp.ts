/** Effect's own OTLP tracer, pointed at Langfuse: what users of Effect do today. */
import * as OtlpSerialization from "@effect/opentelemetry/OtlpSerialization"
import * as OtlpTracer from "@effect/opentelemetry/OtlpTracer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { main } from "../lib/child.js"
import { clientOf } from "../lib/client.js"
import { recordSpans } from "../lib/spans.js"
import type { Settings } from "../lib/subject.js"
import { authorization } from "../lib/subject.js"
import type { Work } from "../lib/workload.js"

/** Its documented default. */
const exportInterval = 5000

const open = async (settings: Settings) => {
  const runtime = ManagedRuntime.make(
    OtlpTracer.layer({
      url: `${settings.baseUrl}/api/public/otel/v1/traces`,
      headers: { authorization, "x-langfuse-ingestion-version": "4" },
      resource: { serviceName: "bench" },
      maxBatchSize: settings.batch,
      exportInterval: settings.interval
    }).pipe(Layer.provide(OtlpSerialization.layerJson), Layer.provide(clientOf(settings)))
  )
  await runtime.runPromise(Effect.void)
  return {
    record: (works: ReadonlyArray<Work>) => runtime.runSync(recordSpans(works)),
    close: () => runtime.dispose()
  }
}

// It has no flush.
await main({ open, lag: (settings) => (settings.interval ?? exportInterval) + 1000 })
