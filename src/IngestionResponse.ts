/**
 * The answer of Langfuse's batch endpoint: status 207, with every event of the batch either in `successes` or in
 * `errors`, by the id of its envelope and in an order of the server's own.
 *
 * @see https://langfuse.com/docs/api
 * @since 0.1.0
 */
import type * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { DeliveryReport, Undelivered } from "./DeliveryReport.js"
import type { IngestionEvent } from "./IngestionEvent.js"
import { LangfuseError } from "./LangfuseError.js"

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
const noAccess = "Authentication error"

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

/** Issues of a broken rule to name in one line; there may be one for each tag. */
const maxIssues = 5

const clip = (text: string, length: number): string => text.length > length ? `${text.slice(0, length)}…` : text

const decodeIssues = Schema.decodeUnknownOption(Schema.parseJson(
  Schema.NonEmptyArray(Schema.Struct({
    code: Schema.String,
    path: Schema.Array(Schema.Union(Schema.String, Schema.Number))
  }))
))

/** Where and which rule, from the server's issues. Their messages stay out, since those can quote the event. */
const digest = (error: unknown): string | undefined =>
  Option.match(decodeIssues(error), {
    onNone: () => undefined,
    onSome: (all) => {
      const issues = all.slice(0, maxIssues).map(({ code, path }) =>
        `${path.length === 0 ? "event" : clip(path.join("."), 80)} (${/^\w+$/.test(code) ? clip(code, 40) : "invalid"})`
      )
      const more = all.length - issues.length
      return issues.join(", ") + (more > 0 ? ` and ${more} more` : "")
    }
  })

const describe = ({ error, message }: Failure): string => {
  switch (message) {
    case notAccepted:
      return `${notAccepted}: this Langfuse takes only scores and logs at its batch endpoint`
    case noAccess:
      return `${noAccess}: with a public key alone Langfuse takes only scores and logs`
  }
  const said = message ? clip(message, 200) : "refused without a message"
  const issues = digest(error)
  return issues === undefined ? said : `${said}: ${issues}`
}

const rejection = (failure: Failure): LangfuseError =>
  new LangfuseError({ reason: "Rejected", status: failure.status, description: describe(failure) })

const unconfirmed = new LangfuseError({
  reason: "Unconfirmed",
  description: "Langfuse answered without a word about this event"
})

/** What the server calls an event whose id it could not read. It stands for no event of ours. */
const noId = "unknown"

/**
 * What became of every event of a batch, each settled once and in the order of the batch.
 *
 * Answers are matched by envelope id, never by position. An id that is both accepted and refused counts as refused, and
 * events that share an id share its verdict. An `sdk-log` is in the answer only when it was refused. Any other event
 * that the answer does not mention has failed as `"Unconfirmed"`; ids that are not of the batch are ignored.
 *
 * @since 0.1.0
 * @category combinators
 */
export const toReport = (batch: ReadonlyArray<IngestionEvent>, response: IngestionResponse): DeliveryReport => {
  const accepted = new Set(response.successes.map(({ id }) => id))
  const refused = new Map<string, LangfuseError>()
  for (const failure of response.errors) {
    if (failure.id !== noId && !refused.has(failure.id)) refused.set(failure.id, rejection(failure))
  }
  const delivered: Array<IngestionEvent> = []
  const rejected: Array<Undelivered> = []
  const failed: Array<Undelivered> = []
  for (const event of batch) {
    const error = refused.get(event.id)
    if (error !== undefined) rejected.push({ event, error })
    else if (accepted.has(event.id) || event.type === "sdk-log") delivered.push(event)
    else failed.push({ event, error: unconfirmed })
  }
  return { delivered, rejected, failed }
}
