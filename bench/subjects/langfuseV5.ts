/** Langfuse's SDK since version 4: a span processor for the OpenTelemetry SDK. */
import { LangfuseSpanProcessor } from "@langfuse/otel"
import { startObservation } from "@langfuse/tracing"
import { context, trace } from "@opentelemetry/api"
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node"
import { main } from "../lib/child.js"
import type { Settings } from "../lib/subject.js"
import { credentials } from "../lib/subject.js"
import type { Work } from "../lib/workload.js"

const open = (settings: Settings) => {
  // It has no option for this; the batch processor beneath it reads the variable of the specification.
  if (settings.capacity !== undefined) process.env["OTEL_BSP_MAX_QUEUE_SIZE"] = String(settings.capacity)
  const processor = new LangfuseSpanProcessor({
    ...credentials,
    baseUrl: settings.baseUrl,
    ...(settings.batch === undefined ? {} : { flushAt: settings.batch }),
    ...(settings.interval === undefined ? {} : { flushInterval: settings.interval / 1000 })
  })
  const provider = new NodeTracerProvider({ spanProcessors: [processor] })
  provider.register()
  return Promise.resolve({
    record: (works: ReadonlyArray<Work>) => {
      for (const work of works) {
        startObservation(work.name, {
          model: work.model,
          input: work.input,
          output: work.output,
          usageDetails: work.usage,
          metadata: { attempt: 1 }
        }, {
          asType: "generation",
          startTime: work.start,
          parentSpanContext: { traceId: work.traceId, spanId: work.parentId, traceFlags: 1 }
        }).end(work.end)
      }
    },
    flush: () => processor.forceFlush(),
    close: async () => {
      // One process opens several, and a provider is registered once.
      trace.disable()
      context.disable()
      await provider.shutdown()
    }
  })
}

// Its flush does not wait for requests that are on their way.
await main({ open, lag: () => 1000 })
