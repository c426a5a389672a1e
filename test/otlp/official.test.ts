/**
 * What the official SDK sends for an observation and what we send for the same one is stored alike, field by field: an
 * independent encoder through the same server.
 */
import { assert, describe, it } from "@effect/vitest"
import { LangfuseSpanProcessor } from "@langfuse/otel"
import type { LangfuseGenerationAttributes } from "@langfuse/tracing"
import { propagateAttributes, setLangfuseTracerProvider, startObservation } from "@langfuse/tracing"
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node"
import { Context, Effect, Layer, Redacted } from "effect"
import type * as IngestionEvent from "effect-langfuse/IngestionEvent"
import * as LangfuseIngest from "effect-langfuse/LangfuseIngest"
import * as LangfuseServer from "effect-langfuse/LangfuseServer"
import { event, time } from "../utils/otlp.js"
import { layerServer } from "../utils/server.js"

const observationTypes = [
  "span",
  "generation",
  "agent",
  "tool",
  "chain",
  "retriever",
  "evaluator",
  "embedding",
  "guardrail"
] as const

const call = {
  input: [{ role: "user", content: "Why is the sky \"blue\"?\n🦜" }],
  output: "Because.",
  level: "WARNING",
  statusMessage: "slow",
  model: "gpt-4.1",
  modelParameters: { temperature: 0.5, stop: "a", stream: "true" },
  usageDetails: { input: 60, input_cached_tokens: 40, output: 20, total: 120 },
  costDetails: { input: 0.5, output: 0.25, total: 0.75 },
  metadata: { text: "plain", number: 1, nested: { a: [1, { b: null }] }, list: [1, 2] },
  version: "v7"
} as const

/** Each observation as the official SDK is told of it, and the same as body of an event. */
const attributesOf = (
  type: (typeof observationTypes)[number]
): { readonly sdk: LangfuseGenerationAttributes; readonly body: object } => {
  const completionStartTime = new Date(time(50))
  switch (type) {
    case "span":
      return {
        sdk: { input: { a: 1 }, level: "ERROR", statusMessage: "broke" },
        body: { input: { a: 1 }, level: "ERROR", statusMessage: "broke" }
      }
    case "generation":
      return {
        sdk: { ...call, completionStartTime, prompt: { name: "summarise", version: 3, isFallback: false } },
        body: {
          ...call,
          completionStartTime: completionStartTime.toISOString(),
          promptName: "summarise",
          promptVersion: 3
        }
      }
    case "agent":
      return { sdk: {}, body: {} }
    default:
      return { sdk: call, body: call }
  }
}

const context = {
  traceName: "session",
  userId: "ada",
  sessionId: "s-1",
  tags: ["a", "b"],
  metadata: { tenant: "t" },
  version: "v1"
}

/** Runs the official SDK against a server; returns the same observations as events of ours. */
const runOfficial = (server: LangfuseServer.Service) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const processor = new LangfuseSpanProcessor({
        publicKey: server.publicKey,
        secretKey: Redacted.value(server.secretKey),
        baseUrl: server.url,
        environment: "staging",
        release: "r-1"
      })
      const provider = new NodeTracerProvider({ spanProcessors: [processor] })
      provider.register()
      setLangfuseTracerProvider(provider)
      return { processor, provider }
    }),
    ({ processor }) =>
      Effect.promise(async () => {
        const events: Array<IngestionEvent.IngestionEvent> = []
        propagateAttributes(context, () => {
          const root = startObservation("root", { input: "in", output: { out: true } }, {
            startTime: new Date(time(0))
          })
          const { metadata, tags, traceName, version, ...ids } = context
          const trace = { ...ids, name: traceName, tags, metadata, version, environment: "staging", release: "r-1" }
          const record = (type: string, body: object, isAppRoot = false) =>
            events.push(event(
              `${type}-create`,
              { traceId: root.traceId, environment: "staging", ...body },
              { trace: { ...trace, isAppRoot } }
            ))
          record("span", {
            id: root.id,
            name: "root",
            startTime: time(0),
            endTime: time(900),
            input: "in",
            output: { out: true }
          }, true)
          observationTypes.forEach((type, index) => {
            const [start, end] = [time(index * 10), time(index * 10 + 100)]
            const { body, sdk } = attributesOf(type)
            const options = { startTime: new Date(start), parentSpanContext: root.otelSpan.spanContext() }
            // The types of the SDK tell its overloads apart; which one it is makes no difference here.
            const observation = startObservation(type, sdk, { ...options, asType: type as "generation" })
            observation.end(new Date(end))
            record(type, {
              id: observation.id,
              parentObservationId: root.id,
              name: type,
              startTime: start,
              endTime: end,
              ...body
            })
          })
          const point = startObservation("point", { output: 7 }, {
            asType: "event",
            startTime: new Date(time(500)),
            parentSpanContext: root.otelSpan.spanContext()
          })
          record("event", {
            id: point.id,
            parentObservationId: root.id,
            name: "point",
            startTime: time(500),
            output: 7
          })
          root.end(new Date(time(900)))
        })
        await processor.forceFlush()
        return events
      }),
    ({ provider }) =>
      Effect.promise(async () => {
        setLangfuseTracerProvider(null)
        await provider.shutdown()
      })
  )

/** What says which SDK it was. */
const isOfSdk = (key: string) => /^(resourceAttributes|scope)(\.|$)/.test(key)

const stored = (observations: ReadonlyArray<LangfuseServer.StoredObservation>) =>
  observations.map((observation) => ({
    ...observation,
    metadata: Object.fromEntries(Object.entries(observation.metadata).filter(([key]) => !isOfSdk(key)))
  })).sort((a, b) => a.id + a.table < b.id + b.table ? -1 : 1)

describe("the official SDK and ours", () => {
  for (const writeMode of ["events_only", "dual", "legacy"] as const) {
    it.live(`store the same on v4 in ${writeMode} mode`, () =>
      Effect.gen(function*() {
        const theirs = yield* LangfuseServer.LangfuseServer
        const events = yield* runOfficial(theirs)
        const officialObservations = stored(yield* theirs.observations)
        const officialTraces = yield* theirs.traces
        // In dual mode each is in two tables.
        const tables = writeMode === "dual" ? 2 : 1
        assert.strictEqual(officialObservations.length, tables * (observationTypes.length + 2))
        yield* theirs.reset
        yield* theirs.setWriteMode(writeMode)

        const flushed = yield* Effect.scoped(Effect.gen(function*() {
          const context = yield* Layer.build(LangfuseIngest.layer({
            protocol: "otlp",
            baseUrl: theirs.url,
            publicKey: theirs.publicKey,
            secretKey: theirs.secretKey
          }))
          const ingest = Context.get(context, LangfuseIngest.LangfuseIngest)
          for (const event of events) yield* ingest.enqueue(event)
          return yield* ingest.flush
        }))
        assert.strictEqual(flushed.delivered, events.length)
        assert.deepStrictEqual(yield* theirs.losses, [])
        assert.deepStrictEqual(stored(yield* theirs.observations), officialObservations)
        const withoutLists = (traces: ReadonlyArray<LangfuseServer.StoredTrace>) =>
          traces.map(({ metadata, observations: _, ...trace }) => ({
            ...trace,
            metadata: Object.fromEntries(
              Object.entries(metadata).filter(([key]) => !isOfSdk(key))
            )
          }))
        assert.deepStrictEqual(withoutLists(yield* theirs.traces), withoutLists(officialTraces))
      }).pipe(Effect.provide(layerServer({ version: "4.16.0", writeMode }))))
  }
})
