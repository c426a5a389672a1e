/**
 * What became of events that were handed to a `LangfuseTransport`.
 *
 * A report *settles* events: those of the batch just sent, and those a transport had held back from earlier batches
 * (an observation that was still open). An event that is in no report is still held, and stays `pending`.
 *
 * @since 0.1.0
 */
import type { IngestionEvent } from "./IngestionEvent.js"
import type { LangfuseError } from "./LangfuseError.js"

/**
 * An event that did not arrive, and why.
 *
 * @since 0.1.0
 * @category models
 */
export interface Undelivered {
  readonly event: IngestionEvent
  readonly error: LangfuseError
}

/**
 * Events appear as the very objects that were handed to the transport, so two events that share an envelope id are
 * still settled one by one.
 *
 * @since 0.1.0
 * @category models
 */
export interface DeliveryReport {
  /** Accepted by the server. It may still drop them later, for example by server-side sampling. */
  readonly delivered: ReadonlyArray<IngestionEvent>
  /** Refused by the server one by one, with its status and message. */
  readonly rejected: ReadonlyArray<Undelivered>
  /** Not accepted because the request failed, or could not be made. */
  readonly failed: ReadonlyArray<Undelivered>
}

/**
 * A report that settles nothing.
 *
 * @since 0.1.0
 * @category constructors
 */
export const empty: DeliveryReport = { delivered: [], rejected: [], failed: [] }

/**
 * Every event of the batch was accepted.
 *
 * @since 0.1.0
 * @category constructors
 */
export const delivered = (events: ReadonlyArray<IngestionEvent>): DeliveryReport => ({ ...empty, delivered: events })

/**
 * Every event of the batch failed for the same reason.
 *
 * @since 0.1.0
 * @category constructors
 */
export const failed = (events: ReadonlyArray<IngestionEvent>, error: LangfuseError): DeliveryReport => ({
  ...empty,
  failed: events.map((event) => ({ event, error }))
})

/**
 * Several reports as one, in the order given.
 *
 * @since 0.1.0
 * @category combinators
 */
export const merge = (reports: ReadonlyArray<DeliveryReport>): DeliveryReport => {
  const [only] = reports
  if (reports.length === 1 && only !== undefined) return only
  return {
    delivered: reports.flatMap((report) => report.delivered),
    rejected: reports.flatMap((report) => report.rejected),
    failed: reports.flatMap((report) => report.failed)
  }
}
