/**
 * The seam: how a batch of events leaves the process.
 *
 * `LangfuseIngest` holds, groups and counts events; a transport carries them and tells what became of each. It never fails:
 * what went wrong is an outcome, and the ingest service counts and logs it in one place.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Entry as OwnEntry } from "./core/flow/ledger.js"
import type { IngestionEvent } from "./IngestionEvent.js"
import { sendsKeysInClear } from "./internal/address.js"
import * as Auto from "./internal/auto.js"
import * as Deliver from "./internal/deliver.js"
import * as Http from "./internal/http.js"
import * as Ingestion from "./internal/ingestion.js"
import * as Log from "./internal/log.js"
import * as Otlp from "./internal/otlp.js"
import { makeTellTraces, tellTo } from "./internal/report.js"
import * as Server from "./internal/server.js"
import { transportSettings } from "./internal/settings.js"
import type * as LangfuseConfig from "./LangfuseConfig.js"
import type { Reason } from "./LangfuseError.js"

// -------------------------------------------------------------------------------------
// models
// -------------------------------------------------------------------------------------

/**
 * An event on its way. It is settled once; what is said of it after that changes nothing.
 *
 * @since 0.1.0
 * @category models
 */
export interface Entry {
  /** The id of the event, by which Langfuse answers. */
  readonly id: string
  /** The type of the event, such as `generation-create`. */
  readonly type: string
  /** The memory it takes, in bytes. */
  readonly bytes: number
  /** The event as a plain object of its own, made each time it is read. It is empty once the entry is settled. */
  readonly event: IngestionEvent
}

/**
 * Why an event did not arrive. A `LangfuseError` is one.
 *
 * @since 0.1.0
 * @category models
 */
export interface Problem {
  readonly reason: Reason
  /** HTTP status, of the answer or of the event's own entry in it. */
  readonly status: number | undefined
  /** One line for a person. It is logged, so it must hold neither keys nor payloads. */
  readonly description: string
}

/**
 * What became of an event: it was accepted, it was refused by itself, or its request failed.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome = "delivered" | { readonly rejected: Problem } | { readonly failed: Problem }

/**
 * How a transport tells what became of events. Neither function throws, whatever it is given.
 *
 * @since 0.1.0
 * @category models
 */
export interface Report {
  /** Settles entries, now or later. One call for all that have the same outcome makes one warning for all. */
  readonly settle: (entries: ReadonlyArray<Entry>, outcome: Outcome) => void
  /**
   * Says that entries are kept on purpose until more is known. They no longer count against the queue. At most 100,000
   * entries and 64 MiB can be; beyond that they have failed.
   */
  readonly withhold: (entries: ReadonlyArray<Entry>) => void
}

/**
 * Carries batches of events to wherever they go.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Sends a batch. Entries of it that are neither settled nor withheld when this has ended, or died, have failed. A
   * transport that sends by itself later keeps the `report` of its last `send`.
   */
  readonly send: (batch: NonEmptyReadonlyArray<Entry>, report: Report) => Effect.Effect<void>
  /** Sends all that is withheld, complete or not. Run once, when the ingest service closes. */
  readonly drain: (report: Report) => Effect.Effect<void>
  /** Batches in flight at one time, where the `concurrency` option says nothing. Asked before each batch. Default 1. */
  readonly concurrency?: (() => number) | undefined
  /** Which protocol carries traces and observations, as far as it is known: for `LangfuseIngest`'s `status`. */
  readonly protocol?: (() => "ingestion" | "otlp" | undefined) | undefined
  /** Bytes of one request: a batch that fills it leaves at once. Default 2,500,000. */
  readonly maxBatchBytes?: number | undefined
  /** Where Langfuse is: for `Langfuse.traceUrl`. */
  readonly baseUrl?: string | undefined
}

// -------------------------------------------------------------------------------------
// tags
// -------------------------------------------------------------------------------------

/**
 * How a batch leaves the process.
 *
 * @example
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { LangfuseTransport } from "effect-langfuse"
 *
 * // Counts events by their type, and sends nothing.
 * const counts = new Map<string, number>()
 *
 * export const counting = Layer.succeed(LangfuseTransport.LangfuseTransport, {
 *   send: (batch, report) =>
 *     Effect.sync(() => {
 *       for (const { type } of batch) counts.set(type, (counts.get(type) ?? 0) + 1)
 *       report.settle(batch, "delivered")
 *     }),
 *   drain: () => Effect.void
 * })
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class LangfuseTransport extends Context.Tag("effect-langfuse/LangfuseTransport")<LangfuseTransport, Service>() {}

// -------------------------------------------------------------------------------------
// layers
// -------------------------------------------------------------------------------------

/**
 * A transport that hands batches to a function and reports them as delivered: a recorder for tests, a forwarder. A batch
 * for which the function dies has failed.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFunction = (
  send: (batch: NonEmptyReadonlyArray<IngestionEvent>) => Effect.Effect<void>
): Layer.Layer<LangfuseTransport> =>
  Layer.succeed(LangfuseTransport, {
    send: (batch, report) => {
      const [first, ...others] = batch
      return Effect.zipRight(
        Effect.suspend(() => send([first.event, ...others.map(({ event }) => event)])),
        Effect.sync(() => report.settle(batch, "delivered"))
      )
    },
    drain: () => Effect.void
  })

/**
 * The batch endpoint, `POST {baseUrl}/api/public/ingestion`: answered with 207 and a verdict on each event. For Langfuse v2
 * and v3. Servers from v4 on, and Langfuse Cloud since 2026-11-16, accept only scores and logs here.
 *
 * - A request has at most 256 events.
 * - An observation that knows something of its trace brings a `trace-create`, since v3 has no trace otherwise. It is
 *   counted by the metric `langfuse_ingest_traces_total`.
 * - Two events of one entity never carry the same millisecond: v3 would reverse them.
 * - Servers before 3.98.2 know fewer types of observations. They get spans, with the type in the metadata.
 *
 * @see https://langfuse.com/docs/api-and-data-platform/features/public-api
 * @since 0.1.0
 * @category layers
 */
export const layerIngestion = (
  options: LangfuseConfig.TransportOptions
): Layer.Layer<LangfuseTransport, never, HttpClient.HttpClient> =>
  Layer.scoped(
    LangfuseTransport,
    Effect.map(makeBase(options), ({ deliver, place, server, tellTraces }): Service => {
      const { send } = Ingestion.make(deliver, server)
      return {
        send: (batch, report) =>
          Effect.zipRight(server.ask, send(Ingestion.piecesOf(own(batch)), tellTo(report, tellTraces))),
        drain: () => Effect.void,
        concurrency: () => 1,
        protocol: () => "ingestion",
        ...place
      }
    })
  )

/**
 * Langfuse's OpenTelemetry endpoint, `POST {baseUrl}/api/public/otel/v1/traces`, for traces and observations, and the
 * batch endpoint for scores and logs. For Langfuse v4 and Langfuse Cloud; v3 has had it since 3.22.
 *
 * A span that is sent twice replaces itself, so an observation is sent once and whole:
 *
 * - It leaves when it was created and has an end; an `event` needs none. Updates that come in the same batch as the end
 *   are part of it. Any later event for it is rejected as too late, and so is an update whose create never came.
 * - Without an end it leaves as a `WARNING` after 10 minutes, when 10,000 events of open observations or 1,000 of one are
 *   held, or when the scope closes. Over 16 MiB, contents of the oldest are cut, with a note.
 * - A `trace-create` becomes a span of its own, without a parent. Observations without a parent that are written after it
 *   hang from it, and all that are written after it carry its fields.
 * - Ids of 32 (trace) and 16 (observation) lowercase hex digits stay as they are, and the constructors make such. Any
 *   other becomes the beginning of its SHA-256, in scores as well. The original is kept in the metadata, as `originalId`,
 *   `originalTraceId`, `originalParentObservationId`, and in a score `originalTraceId`, `originalObservationId` and
 *   `originalExecutionTraceId`.
 *
 * @see https://langfuse.com/integrations/native/opentelemetry
 * @since 0.1.0
 * @category layers
 */
export const layerOtlp = (
  options: LangfuseConfig.TransportOptions
): Layer.Layer<LangfuseTransport, never, HttpClient.HttpClient> =>
  Layer.scoped(
    LangfuseTransport,
    Effect.flatMap(makeBase(options), ({ deliver, place, server, serviceName, tellTraces }) =>
      Effect.map(
        Otlp.make({ deliver, plain: Ingestion.endpoint(server), server, serviceName, tellTraces }),
        ({ drain, send }): Service => ({
          send: (batch, report) => Effect.zipRight(server.ask, send(own(batch), report)),
          drain: () => drain,
          concurrency: () => 4,
          protocol: () => "otlp",
          ...place
        })
      ))
  )

/**
 * Finds out by itself which protocol the server takes, and notices when that changes.
 *
 * Before the first batch it asks `GET {baseUrl}/api/public/health` for the version: OTLP from 4 on, the batch endpoint
 * before. Until then batches leave one at a time. Langfuse Cloud takes OTLP and is not asked. A check that fails, or takes longer than a second, holds nothing up:
 * events go to the OpenTelemetry endpoint, and the check is made again half a minute later. When the batch endpoint refuses
 * traces and observations they go to the OpenTelemetry endpoint, and when there is none they go to the batch endpoint.
 * Switching protocols neither loses nor duplicates events, and logs one line.
 *
 * @see https://langfuse.com/self-hosting/upgrade/upgrade-guides/upgrade-v3-to-v4
 * @since 0.1.0
 * @category layers
 */
export const layerAuto = (
  options: LangfuseConfig.TransportOptions
): Layer.Layer<LangfuseTransport, never, HttpClient.HttpClient> =>
  Layer.scoped(
    LangfuseTransport,
    Effect.flatMap(makeBase(options), ({ place, ...base }) =>
      Effect.map(Auto.make(base), ({ choice, concurrency, drain, send }): Service => ({
        send: (batch, report) =>
          send(own(batch), report),
        drain: () => drain,
        concurrency,
        protocol: choice,
        ...place
      })))
  )

/**
 * The transport that speaks the named protocol.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerProtocol = (
  protocol: LangfuseConfig.Protocol,
  options: LangfuseConfig.TransportOptions
): Layer.Layer<LangfuseTransport, never, HttpClient.HttpClient> => {
  switch (protocol) {
    case "ingestion":
      return layerIngestion(options)
    case "otlp":
      return layerOtlp(options)
    case "auto":
      return layerAuto(options)
  }
}

// -------------------------------------------------------------------------------------
// shared by the transports
// -------------------------------------------------------------------------------------

/** Entries that no ledger made are nobody's. */
const own = (batch: ReadonlyArray<Entry>): ReadonlyArray<OwnEntry> =>
  batch.filter((entry): entry is OwnEntry => entry instanceof OwnEntry)

const makeBase = Effect.fnUntraced(function*(options: LangfuseConfig.TransportOptions) {
  // Options that are literals in a program are checked at its start: a wrong one is a bug, and says which it is.
  const settings = yield* Effect.orDie(transportSettings(options))
  const client = yield* HttpClient.HttpClient
  const { baseUrl, maxBatchBytes, serviceName } = settings
  if (sendsKeysInClear(settings)) {
    yield* Log.warning(`the Langfuse keys cross the network unencrypted: ${baseUrl} is plain http and not this machine`)
  }
  const http = Http.make(client, settings)
  return {
    place: { baseUrl, maxBatchBytes },
    serviceName,
    deliver: Deliver.make(http, settings, Log.makeWarn()),
    server: Server.make(http, baseUrl, yield* Effect.scope),
    tellTraces: yield* makeTellTraces
  }
})
