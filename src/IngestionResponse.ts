/**
 * The answer of Langfuse's batch endpoint: status 207, with every event of the batch either in `successes` or in
 * `errors`, by the id of its envelope and in an order of the server's own.
 *
 * @see https://langfuse.com/docs/api
 * @since 0.1.0
 */
import type * as Either from "effect/Either"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

/**
 * An event that was accepted.
 *
 * @since 0.1.0
 * @category models
 */
export interface Success {
  /** The id of the envelope. */
  readonly id: string
  /** 201. */
  readonly status: number
}

/**
 * An event that was refused.
 *
 * @since 0.1.0
 * @category models
 */
export interface Failure {
  /** The id of the envelope, or `"unknown"` where the event had none that was a text. */
  readonly id: string
  /** 400 for an event that breaks a rule, 401 for one the key may not send. */
  readonly status: number
  readonly message?: string | null | undefined
  /** For a broken rule the issues as JSON text. It may quote the event: never log it. */
  readonly error?: unknown
}

/**
 * What became of each event of a batch, by the event's id. An event may be in neither list.
 *
 * @since 0.1.0
 * @category models
 */
export interface IngestionResponse {
  readonly successes: ReadonlyArray<Success>
  readonly errors: ReadonlyArray<Failure>
}

/**
 * Reads the answer's JSON. Decoding and encoding change nothing.
 *
 * @since 0.1.0
 * @category schemas
 */
export const IngestionResponse: Schema.Schema<IngestionResponse> = Schema.Struct({
  successes: Schema.Array(Schema.Struct({ id: Schema.String, status: Schema.Number })),
  errors: Schema.Array(Schema.Struct({
    id: Schema.String,
    status: Schema.Number,
    message: Schema.optional(Schema.NullOr(Schema.String)),
    error: Schema.optional(Schema.Unknown)
  }))
}).annotations({
  identifier: "IngestionResponse",
  description: "The 207 answer of Langfuse's batch endpoint",
  documentation: "https://langfuse.com/docs/api"
})

const decodeUnknown = Schema.decodeUnknownEither(IngestionResponse)
const decodeText = Schema.decodeUnknownEither(Schema.parseJson(IngestionResponse))

/**
 * Reads an answer, given as the text of the body or as the value parsed from it. Fields Langfuse may add later are
 * ignored.
 *
 * The error describes what was there instead, and so may quote the answer: never log it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const decode = (answer: unknown): Either.Either<IngestionResponse, ParseResult.ParseError> =>
  typeof answer === "string" ? decodeText(answer) : decodeUnknown(answer)

const notAccepted = "Event type not accepted"

/**
 * Whether an event was refused because this Langfuse takes traces and observations only through OpenTelemetry: version
 * 4 in its default mode, and Langfuse Cloud.
 *
 * @see https://langfuse.com/self-hosting/upgrade/upgrade-guides/upgrade-v3-to-v4
 * @since 0.1.0
 * @category guards
 */
export const isEventTypeNotAccepted = (entry: { readonly message?: string | null | undefined }): boolean =>
  entry.message === notAccepted
