/**
 * Langfuse beside OpenTelemetry: every span goes to the tracer that was there, and what concerns Langfuse goes there too,
 * with the same ids. Here the other tracer keeps its spans in memory; in production it would be the one of a vendor.
 *
 *   npm run example:tee
 */
import { NodeSdk } from "@effect/opentelemetry"
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { Console, Effect, Layer } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"
import * as Endpoint from "./lib/endpoint.js"
import { printTraces, readArguments, runMain, settle } from "./lib/main.js"

const exporter = new InMemorySpanExporter()

const OpenTelemetry = NodeSdk.layer(() => ({
  resource: { serviceName: "tee" },
  spanProcessor: new SimpleSpanProcessor(exporter)
}))

const program = Effect.succeed("42").pipe(
  Effect.delay("5 millis"),
  Effect.withSpan("database", { attributes: { "db.system": "postgresql" } }),
  Langfuse.generation("think", { model: "tee-model-1", input: "What is it?", output: (text) => text }),
  Langfuse.agent("answer", { input: "What is it?", output: (text) => text }),
  Langfuse.withTrace({ name: "tee", userId: "ada" }),
  // Not about Langfuse, so only the other tracer has it.
  Effect.withSpan("GET /answer", { kind: "server" })
)

runMain(Effect.gen(function*() {
  const { server } = yield* readArguments
  return yield* Effect.gen(function*() {
    yield* program
    const ingest = yield* LangfuseIngest.LangfuseIngest
    yield* ingest.flush
    yield* printTraces
    yield* Console.log("\nthe other tracer")
    for (const span of exporter.getFinishedSpans()) {
      yield* Console.log(`  ${span.name} · trace ${span.spanContext().traceId} · span ${span.spanContext().spanId}`)
    }
    return yield* settle
  }).pipe(
    Effect.provide(
      LangfuseTracer.layerTee().pipe(Layer.provideMerge(Layer.merge(Endpoint.layerIngest(server), OpenTelemetry)))
    )
  )
}))
