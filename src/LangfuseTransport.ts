/**
 * The seam: how a batch of events leaves the process.
 *
 * `LangfuseIngest` holds, groups and counts events; a transport carries them. It never fails: what went wrong is in the
 * report, and the ingest service counts and logs it in one place.
 *
 * @since 0.1.0
 */
import * as HttpBody from "@effect/platform/HttpBody"
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
import * as IngestionResponse from "./IngestionResponse.js"
import * as Notices from "./internal/notices.js"
import * as Sender from "./internal/sender.js"
import * as Snapshot from "./internal/snapshot.js"
import * as LangfuseConfig from "./LangfuseConfig.js"
import { LangfuseError } from "./LangfuseError.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Sends a batch and settles its events, and possibly others held back from earlier batches. Events that are in no
   * report are still held by the transport.
   */
  readonly send: (batch: NonEmptyReadonlyArray<IngestionEvent>) => Effect.Effect<DeliveryReport.DeliveryReport>
  /** Sends all that is still held back, complete or not. Run once, when the ingest service closes. */
  readonly drain: Effect.Effect<DeliveryReport.DeliveryReport>
}

/**
 * @since 0.1.0
 * @category tags
 */
export class LangfuseTransport extends Context.Tag("effect-langfuse/LangfuseTransport")<LangfuseTransport, Service>() {}

/**
 * Where a transport that makes several requests for one batch reports each as soon as it is answered, so that nothing
 * that arrived counts as lost when the rest is cut short. What is reported here is part of the final report as well.
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
    Effect.map(makeSender(options), ({ sender }) => ({
      send: (batch) =>
        Effect.flatMap(Progress, (progress) => sender.deliver(ingestionEndpoint, batch.map(ingestionPart), progress)),
      drain: Effect.succeed(DeliveryReport.empty)
    }))
  )

// -------------------------------------------------------------------------------------
// shared by the transports
// -------------------------------------------------------------------------------------

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

const ingestionEndpoint: Sender.Endpoint = {
  path: "/api/public/ingestion",
  headers: {},
  frame: ["{\"batch\":[", "]}"],
  encode: (body) => Effect.succeed({ body: HttpBody.text(body, "application/json") }),
  read: (parts, answer) => {
    const events = parts.flatMap((part) => part.events)
    return Either.match(IngestionResponse.decode(answer.text), {
      onLeft: () => DeliveryReport.failed(events, unexpectedBody(answer)),
      onRight: (response) => IngestionResponse.toReport(events, response)
    })
  },
  divisible: (status) => status === 413
}

const ingestionPart = (event: IngestionEvent): Sender.Part => {
  const snapshot = Snapshot.of(event)
  return { events: [event], text: snapshot.json(), bytes: snapshot.bytes }
}

const unexpectedBody = (answer: Sender.Answer): LangfuseError =>
  new LangfuseError({
    reason: "UnexpectedBody",
    status: answer.status,
    description: `the answer is not Langfuse's (${
      answer.headers["content-type"]?.split(";")[0] ?? "no content type"
    }, ${answer.text.length} characters)`
  })
