/**
 * A trace and a score sent the way a program sends them, to see what becomes of them.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as IngestionEvent from "../../IngestionEvent.js"
import type { LangfuseError } from "../../LangfuseError.js"
import * as LangfuseIngest from "../../LangfuseIngest.js"
import * as LangfuseTransport from "../../LangfuseTransport.js"
import { errorOf } from "../deliver.js"
import { makeTraceId } from "../idGenerator.js"
import { version } from "../version.js"
import type { Keys, Settings } from "./settings.js"

/** How everything that the doctor sends is called. */
const name = "effect-langfuse doctor"

export interface Canary {
  readonly traceId: string
  readonly trace: Fate
  readonly score: Fate
  /** Where the trace went. */
  readonly protocol: "otlp" | "ingestion"
}

export type Fate =
  | { readonly _tag: "Arrived" }
  | { readonly _tag: "Lost"; readonly error: LangfuseError }
  | { readonly _tag: "Pending" }

export const send = (settings: Settings, keys: Keys): Effect.Effect<Canary, never, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const events = yield* makeEvents
    const outcomes = new Map<string, LangfuseTransport.Outcome>()
    const takenBy = new Set<string>()

    const recorder = Layer.effect(
      LangfuseTransport.LangfuseTransport,
      Effect.map(
        LangfuseTransport.LangfuseTransport,
        (transport) => recorded(transport, outcomes)
      )
    )
    const transport = LangfuseTransport.layerProtocol("auto", {
      ...keys,
      baseUrl: settings.baseUrl,
      requestTimeout: settings.timeout,
      transformClient: HttpClient.transform((answer, { url }) =>
        Effect.tap(answer, ({ status }) =>
          Effect.sync(() => {
            if (status >= 200 && status < 300) takenBy.add(new URL(url).pathname)
          }))
      )
    })

    yield* Effect.gen(function*() {
      const ingest = yield* LangfuseIngest.make({
        // The health check and both endpoints, one of them twice.
        flushTimeout: Duration.sum(Duration.times(settings.timeout, 4), Duration.seconds(1)),
        shutdownTimeout: "1 second",
        environment: settings.environment,
        release: settings.release
      })
      yield* ingest.enqueue(events.trace)
      yield* ingest.enqueue(events.span)
      yield* ingest.enqueue(events.score)
      yield* ingest.flush
    }).pipe(
      Effect.scoped,
      Effect.provide(Layer.provide(recorder, transport)),
      // What it has to say is said by the doctor.
      Logger.withMinimumLogLevel(LogLevel.None)
    )

    return {
      traceId: events.trace.body.id,
      trace: fateOf([events.trace.id, events.span.id], outcomes),
      score: fateOf([events.score.id], outcomes),
      protocol: [...takenBy].some((path) => path.endsWith("/otel/v1/traces")) ? "otlp" as const : "ingestion" as const
    }
  }).pipe(Effect.orDie)

const makeEvents = Effect.gen(function*() {
  const id = yield* makeTraceId
  const now = new Date(yield* Clock.currentTimeMillis)
  const trace = yield* IngestionEvent.traceCreate({
    id,
    timestamp: now,
    name,
    tags: [name],
    metadata: { "effect-langfuse": version },
    output: "This trace arrived. It was sent to see whether it would, and can be deleted."
  })
  const span = yield* IngestionEvent.spanCreate({
    traceId: id,
    name,
    startTime: now,
    endTime: now
  })
  const score = yield* IngestionEvent.scoreCreate({
    traceId: id,
    name,
    value: 1,
    dataType: "NUMERIC",
    comment: "Sent to see whether it arrives."
  })
  return { trace, span, score }
})

/** The transport, with its reports listened to. */
const recorded = (
  transport: LangfuseTransport.Service,
  outcomes: Map<string, LangfuseTransport.Outcome>
): LangfuseTransport.Service => {
  const heard = (report: LangfuseTransport.Report): LangfuseTransport.Report => ({
    ...report,
    settle: (entries, outcome) => {
      for (const { id } of entries) if (!outcomes.has(id)) outcomes.set(id, outcome)
      report.settle(entries, outcome)
    }
  })
  return {
    ...transport,
    send: (batch, report) => transport.send(batch, heard(report)),
    drain: (report) => transport.drain(heard(report))
  }
}

const fateOf = (ids: ReadonlyArray<string>, outcomes: ReadonlyMap<string, LangfuseTransport.Outcome>): Fate => {
  const known = ids.map((id) => outcomes.get(id))
  for (const outcome of known) {
    if (outcome === undefined || outcome === "delivered") continue
    return { _tag: "Lost", error: errorOf("failed" in outcome ? outcome.failed : outcome.rejected) }
  }
  return known.includes(undefined) ? { _tag: "Pending" } : { _tag: "Arrived" }
}
