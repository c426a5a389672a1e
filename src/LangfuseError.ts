/**
 * What can go wrong between a program and Langfuse.
 *
 * None of these errors reaches the program that is traced: a `LangfuseTransport` puts them into its report and the
 * ingest service counts and logs them. They are tagged so that whoever reads a report can branch on `reason`.
 *
 * Neither keys nor payloads are ever part of an error: a failed request is described by its status and the server's
 * own words, an unreachable server by the error code of the platform.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * Why an event did not arrive:
 *
 * - `"Unreachable"`: no answer at all (refused, DNS, TLS, reset).
 * - `"Timeout"`: no complete answer within `requestTimeout`.
 * - `"Status"`: the whole request was refused with an HTTP status.
 * - `"RateLimited"`: refused with 429.
 * - `"TooLarge"`: refused with 413 although it was alone in its request.
 * - `"UnexpectedBody"`: a 2xx answer that is not Langfuse's, such as the HTML page of a wrong host.
 * - `"Unconfirmed"`: the answer was Langfuse's but did not mention the event.
 * - `"Rejected"`: the server refused this event within an answer to the whole batch.
 * - `"Unsendable"`: not sent at all, since Langfuse would refuse it, or destroy by it what it already holds.
 * - `"Closed"`: the scope closed, or `shutdownTimeout` passed, before the event could be sent or confirmed.
 * - `"Defect"`: an HTTP client or a transport broke its own contract.
 *
 * @since 0.1.0
 * @category models
 */
export const Reason = Schema.Literal(
  "Unreachable",
  "Timeout",
  "Status",
  "RateLimited",
  "TooLarge",
  "UnexpectedBody",
  "Unconfirmed",
  "Rejected",
  "Unsendable",
  "Closed",
  "Defect"
)

/**
 * Why an event did not arrive, as text. The schema of the same name says what each means.
 *
 * @since 0.1.0
 * @category models
 */
export type Reason = typeof Reason.Type

/**
 * Why one event, or the request that carried it, did not arrive.
 *
 * @since 0.1.0
 * @category errors
 */
export class LangfuseError extends Schema.TaggedError<LangfuseError>("effect-langfuse/LangfuseError")(
  "LangfuseError",
  {
    reason: Reason,
    /** HTTP status, of the answer or of the event's own entry in it. */
    status: Schema.optional(Schema.Number),
    /** One line for a person: the server's own message where there was one. */
    description: Schema.String
  }
) {
  override get message(): string {
    return this.status === undefined ? this.description : `${this.status}: ${this.description}`
  }

  /**
   * Whether sending the same event again can succeed: a transport failure, 408, 429 or 5xx.
   *
   * @since 0.1.0
   */
  get retryable(): boolean {
    switch (this.reason) {
      case "Unreachable":
      case "Timeout":
      case "RateLimited":
        return true
      case "Status":
      case "Rejected":
        return this.status !== undefined && (this.status === 408 || this.status === 429 || this.status >= 500)
      default:
        return false
    }
  }
}

/**
 * An event that Langfuse would refuse, found before it was sent.
 *
 * `issues` name the field and the rule, never the value.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidEventError extends Schema.TaggedError<InvalidEventError>("effect-langfuse/InvalidEventError")(
  "InvalidEventError",
  {
    /** The event's type as given, for example `"score-create"`. */
    type: Schema.String,
    /** One line for each broken rule, for example `body.level: expected one of DEBUG, DEFAULT, WARNING, ERROR`. */
    issues: Schema.Array(Schema.String)
  }
) {
  override get message(): string {
    return `invalid ${this.type} event: ${this.issues.join("; ")}`
  }
}
