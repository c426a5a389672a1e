import { NodeSdk } from "@effect/opentelemetry"
import { FetchHttpClient } from "@effect/platform"
import { ConsoleSpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { Effect, Layer } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

// In production: a BatchSpanProcessor with the exporter of your vendor, or of the Collector.
const OpenTelemetryLive = NodeSdk.layer(() => ({
  resource: { serviceName: "assistant" },
  spanProcessor: new SimpleSpanProcessor(new ConsoleSpanExporter())
}))

const TracingLive = LangfuseTracer.layerTee().pipe(
  Layer.provideMerge(OpenTelemetryLive),
  Layer.provide(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

const query = Effect.succeed(["page 1"]).pipe(
  Effect.withSpan("SELECT pages", { kind: "client", attributes: { "db.system.name": "postgresql" } })
)

const answer = query.pipe(
  Langfuse.retriever("search", { input: "sky", output: (pages) => pages }),
  Langfuse.agent("answer", { input: "Why is the sky blue?" }),
  Langfuse.withTrace({ name: "question" }),
  Effect.withSpan("POST /answer", { kind: "server" })
)

answer.pipe(Effect.provide(TracingLive), Effect.runPromise)
