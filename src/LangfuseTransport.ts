/**
 * The seam: how a batch of events leaves the process.
 *
 * `LangfuseIngest` holds, groups and counts events; a transport carries them. It never fails: what went wrong is in the
 * report, and the ingest service counts and logs it in one place.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import type { NonEmptyReadonlyArray } from "effect/Array"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { constVoid } from "effect/Function"
import * as Layer from "effect/Layer"
import * as DeliveryReport from "./DeliveryReport.js"
import type { IngestionEvent } from "./IngestionEvent.js"
import * as Auto from "./internal/auto.js"
import * as IngestionEndpoint from "./internal/ingestionEndpoint.js"
import * as Notices from "./internal/notices.js"
import * as Assembly from "./internal/otlp/assembly.js"
import * as Otlp from "./internal/otlp/transport.js"
import * as Sender from "./internal/sender.js"
import * as LangfuseConfig from "./LangfuseConfig.js"

/**
 * Carries batches of events to wherever they go. It cannot fail: what went wrong is in the reports.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Sends a batch and settles its events, and possibly others held back from earlier batches. Events that are in no
   * report are still held by the transport.
   */
  readonly send: (batch: NonEmptyReadonlyArray<IngestionEvent>) => Effect.Effect<DeliveryReport.DeliveryReport>
  /**
   * Sends what is held back and complete as far as anyone can tell, although more could still be said about it. A
   * transport that holds nothing back has none.
   */
  readonly flush?: Effect.Effect<DeliveryReport.DeliveryReport> | undefined
  /** Sends all that is still held back, complete or not. Run once, when the ingest service closes. */
  readonly drain: Effect.Effect<DeliveryReport.DeliveryReport>
}

/**
 * How a batch leaves the process.
 *
 * @since 0.1.0
 * @category tags
 */
export class LangfuseTransport extends Context.Tag("effect-langfuse/LangfuseTransport")<LangfuseTransport, Service>() {}

/**
 * Where a transport that makes several requests for one batch reports each as soon as it is answered, so that nothing
 * that arrived counts as lost when the rest is cut short. What is reported here is part of the final report as well.
 *
 * What a transport sends later and by itself, because its time has come, is reported here alone.
 *
 * @since 0.1.0
 * @category references
 */
export class Progress extends Context.Reference<Progress>()("effect-langfuse/LangfuseTransport/Progress", {
  defaultValue: (): (report: DeliveryReport.DeliveryReport) => void => constVoid
}) {}

/**
 * A transport that hands batches to a function and reports them as delivered: a recorder for tests, a forwarder.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFunction = (
  send: (batch: NonEmptyReadonlyArray<IngestionEvent>) => Effect.Effect<void>
): Layer.Layer<LangfuseTransport> =>
  Layer.succeed(LangfuseTransport, {
    send: (batch) => Effect.as(send(batch), DeliveryReport.delivered(batch)),
    drain: Effect.succeed(DeliveryReport.empty)
  })

/**
 * The batch endpoint, `POST {baseUrl}/api/public/ingestion`: one request a batch, answered with 207 and a verdict on each
 * event. For Langfuse v2 and v3. Servers from v4 on, and Langfuse Cloud since 2026-11-16, accept only scores and logs
 * here.
 *
 * @see https://langfuse.com/docs/api-and-data-platform/features/public-api
 * @since 0.1.0
 * @category layers
 */
export const layerIngestion = (
  options: LangfuseConfig.TransportOptions
): Layer.Layer<LangfuseTransport, never, HttpClient.HttpClient> =>
  Layer.effect(
    LangfuseTransport,
    Effect.map(makeSender(options), ({ sender }) => {
      const send = IngestionEndpoint.make(sender)
      return {
        send: (batch) => Effect.flatMap(Progress, (progress) => send(batch, progress)),
        drain: Effect.succeed(DeliveryReport.empty)
      }
    })
  )

/**
 * Langfuse's OpenTelemetry endpoint, `POST {baseUrl}/api/public/otel/v1/traces`, for traces and observations, and the
 * batch endpoint for scores and logs. For Langfuse v4 and Langfuse Cloud; v3 has had it since 3.22.
 *
 * A span is sent once and whole, so an observation is held until it was created and has an end. It leaves without one, as
 * a `WARNING` that says so, after 10 minutes, when more than 10,000 are open, or when the scope closes. What it takes with
 * it from its trace (user, session, tags, name, metadata, release, version, environment, public) comes from the `trace` of
 * its events, else from the `trace-create` events of that trace, which are settled by the first span that carries them.
 *
 * - Input and output of a trace go on its root: the only observation without a parent, when it has none of its own,
 *   or else a span of their own, which then is the parent of all others without one. Its id is made from the trace's.
 * - An observation that is changed within 10 minutes of its end is sent again, whole. Later changes fail: they would
 *   replace all of it.
 * - A trace without observations is held like an open observation, until `flush` at the latest.
 * - Ids of 32 (trace) and 16 (observation) lowercase hex digits stay as they are, and the constructors make such. Any
 *   other becomes the beginning of its SHA-256, in scores as well. The original is kept in the metadata, as `originalId`,
 *   `originalTraceId`, `originalParentObservationId`, and in a score `originalTraceId`, `originalObservationId` and
 *   `originalExecutionTraceId`.
 *
 * Needs WebCrypto for ids of other shapes. Compresses larger requests with gzip where there is a `CompressionStream`, but not
 * to an address of this machine or of a private network, where that would cost more than it saves.
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
    Effect.flatMap(
      makeSender(options),
      ({ sender }) => Effect.map(Otlp.make(sender, { limits: Assembly.defaults }), fromInternal)
    )
  )

/**
 * Finds out by itself which protocol the server takes, and notices when that changes.
 *
 * Before the first batch it asks `GET {baseUrl}/api/public/health` for the version: OTLP from 4 on, the batch endpoint
 * before. Langfuse Cloud takes OTLP and is not asked; a server that does not answer is asked again with the next batch.
 * When the batch endpoint refuses traces and observations they go to the OpenTelemetry endpoint, and when there is none
 * they go to the batch endpoint: nothing is lost, nothing is sent twice, and one line is logged.
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
    Effect.flatMap(
      makeSender(options),
      ({ resolved, sender }) => Effect.map(Auto.make(sender, resolved, { limits: Assembly.defaults }), fromInternal)
    )
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

const fromInternal = (transport: Omit<Otlp.Otlp, "release">): Service => ({
  send: (batch) => Effect.flatMap(Progress, (progress) => transport.send(batch, progress)),
  flush: Effect.flatMap(Progress, (progress) => transport.flush(progress)),
  drain: Effect.flatMap(Progress, (progress) => transport.drain(progress))
})

const makeSender = Effect.fnUntraced(function*(options: LangfuseConfig.TransportOptions) {
  const resolved = yield* orDie(LangfuseConfig.resolveTransport(options))
  const client = yield* HttpClient.HttpClient
  if (Sender.sendsKeysInClear(resolved)) {
    yield* Notices.warning(
      `the Langfuse keys cross the network unencrypted: ${resolved.baseUrl} is plain http and not this machine`
    )
  }
  return { resolved, sender: Sender.make(client, resolved) }
})

/** Options that are literals in a program are checked at its start: a wrong one is a bug, and says which it is. */
const orDie = <A>(either: Either.Either<A, ConfigError.ConfigError>): Effect.Effect<A> =>
  Either.match(either, { onLeft: Effect.die, onRight: Effect.succeed })
