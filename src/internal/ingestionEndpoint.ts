/**
 * The batch endpoint: one event a part, and a verdict on each in the answer.
 */
import * as HttpBody from "@effect/platform/HttpBody"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as DeliveryReport from "../DeliveryReport.js"
import type { IngestionEvent } from "../IngestionEvent.js"
import * as IngestionResponse from "../IngestionResponse.js"
import * as Sender from "./sender.js"
import * as Snapshot from "./snapshot.js"
import * as TraceContext from "./traceContext.js"
import { unexpectedBody } from "./unexpectedBody.js"

export const endpoint: Sender.Endpoint = {
  path: "/api/public/ingestion",
  headers: {},
  frame: ["{\"batch\":[", "]}"],
  encode: (body) => Effect.succeed({ body: HttpBody.uint8Array(body, "application/json") }),
  read: (parts, answer) => {
    const events = parts.flatMap((part) => part.events)
    return Either.match(IngestionResponse.decode(answer.text), {
      onLeft: () => DeliveryReport.failed(events, unexpectedBody(answer)),
      onRight: (response) => IngestionResponse.toReport(events, response)
    })
  },
  divisible: (answer) => answer.status === 413
}

/** One event and nothing else. */
export const part = (event: IngestionEvent): Sender.Part => {
  const snapshot = Snapshot.of(event)
  return new Sender.Part(Sender.alone(event), snapshot.json(), snapshot.bytes)
}

/** Sends events of all kinds here, and with them what they know about their traces. */
export const make = (
  sender: Sender.Sender
): (
  batch: ReadonlyArray<IngestionEvent>,
  progress: Sender.Progress
) => Effect.Effect<DeliveryReport.DeliveryReport> => {
  const contexts = TraceContext.make()

  const partWithTrace = (event: IngestionEvent): Sender.Part => {
    const own = part(event)
    const trace = contexts.traceOf(Snapshot.of(event))
    if (trace === undefined) return own
    const { bytes, text } = part(trace)
    return new Sender.Part(own.events, `${text},${own.text}`, bytes + 1 + own.bytes)
  }

  return (batch, progress) =>
    Effect.suspend(() => sender.deliver(endpoint, batch.map(partWithTrace), progress)).pipe(
      Effect.tap((report) =>
        Effect.sync(() => {
          // The trace did not arrive either: the next event of it says it again.
          for (const { event } of report.failed) contexts.forget(Snapshot.of(event))
          for (const { event } of report.rejected) contexts.forget(Snapshot.of(event))
        })
      )
    )
}
