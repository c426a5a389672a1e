/** The OpenTelemetry SDK and its OTLP/HTTP exporter, set up for Langfuse as its documentation says. */
import { ROOT_CONTEXT, trace } from "@opentelemetry/api"
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http"
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node"
import { main } from "../lib/child.js"
import type { Settings } from "../lib/subject.js"
import { attributesOf, authorization } from "../lib/subject.js"
import type { Work } from "../lib/workload.js"

const open = (settings: Settings) => {
  const exporter = new OTLPTraceExporter({
    url: `${settings.baseUrl}/api/public/otel/v1/traces`,
    headers: { Authorization: authorization, "x-langfuse-ingestion-version": "4" }
  })
  const provider = new NodeTracerProvider({
    spanProcessors: [
      new BatchSpanProcessor(exporter, {
        ...(settings.batch === undefined ? {} : { maxExportBatchSize: settings.batch }),
        ...(settings.interval === undefined ? {} : { scheduledDelayMillis: settings.interval }),
        ...(settings.capacity === undefined ? {} : { maxQueueSize: settings.capacity })
      })
    ]
  })
  const tracer = provider.getTracer("bench")
  return Promise.resolve({
    record: (works: ReadonlyArray<Work>) => {
      for (const work of works) {
        const parent = trace.setSpanContext(ROOT_CONTEXT, {
          traceId: work.traceId,
          spanId: work.parentId,
          traceFlags: 1
        })
        tracer.startSpan(work.name, { startTime: work.start, attributes: attributesOf(work) }, parent).end(work.end)
      }
    },
    flush: () => provider.forceFlush(),
    close: () => provider.shutdown()
  })
}

await main({ open, lag: () => 1000 })
