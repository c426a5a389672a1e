/**
 * What a server says when it is asked without leaving anything behind.
 */
import * as HttpBody from "@effect/platform/HttpBody"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { contentType, serverMessage, unexpectedBody } from "../../core/wire/answers.js"
import * as IngestionResponse from "../../IngestionResponse.js"
import { LangfuseError } from "../../LangfuseError.js"
import { errorOf } from "../deliver.js"
import { makeEventId } from "../idGenerator.js"
import { sdkName, version } from "../version.js"
import type { Answer, Outcome } from "./exchange.js"
import { exchange } from "./exchange.js"
import type { Keys, Settings } from "./settings.js"

const described = HttpClientRequest.setHeaders({
  accept: "application/json",
  "x-langfuse-sdk-name": sdkName,
  "x-langfuse-sdk-version": version
})

/** Needs no keys. */
export const health = (settings: Settings): Effect.Effect<Outcome, never, HttpClient.HttpClient> =>
  exchange(described(HttpClientRequest.get(`${settings.baseUrl}/api/public/health`)), settings.timeout)

/** What an endpoint takes, or why it takes nothing. */
export type Endpoint =
  | { readonly _tag: "Takes"; readonly traces: boolean }
  | { readonly _tag: "Refuses"; readonly error: LangfuseError; readonly isLangfuse: boolean }

export interface Probes {
  readonly otlp: Endpoint
  readonly batch: Endpoint
  readonly project: Project | undefined
}

/** The project the keys belong to. */
export type Project = typeof Project.Type

const Project = Schema.Struct({ id: Schema.String, name: Schema.String })

/** Asks both endpoints, with the keys. */
export const endpoints = (
  settings: Settings,
  keys: Keys
): Effect.Effect<Probes, never, HttpClient.HttpClient> => {
  const authorized = (request: HttpClientRequest.HttpClientRequest) =>
    exchange(
      described(HttpClientRequest.basicAuth(request, keys.publicKey, keys.secretKey)),
      settings.timeout
    )
  const post = (path: string, body: unknown) =>
    HttpClientRequest.post(`${settings.baseUrl}${path}`).pipe(
      HttpClientRequest.setBody(HttpBody.text(JSON.stringify(body), "application/json"))
    )
  return Effect.all({
    otlp: Effect.map(
      authorized(
        post("/api/public/otel/v1/traces", { resourceSpans: [] }).pipe(
          HttpClientRequest.setHeader("x-langfuse-ingestion-version", "4")
        )
      ),
      readOtlp
    ),
    batch: Effect.gen(function*() {
      const id = yield* makeEventId
      const timestamp = new Date(yield* Clock.currentTimeMillis).toISOString()
      // Without a body: a server refuses it for its type, or else for that, and stores nothing.
      const event = { id, type: "trace-create", timestamp }
      return readBatch(yield* authorized(post("/api/public/ingestion", { batch: [event] })))
    }),
    project: Effect.map(
      authorized(HttpClientRequest.get(`${settings.baseUrl}/api/public/projects`)),
      readProject
    )
  }, { concurrency: "unbounded" })
}

// -------------------------------------------------------------------------------------
// pure
// -------------------------------------------------------------------------------------

const readOtlp = (outcome: Outcome): Endpoint =>
  Either.match(outcome, {
    onLeft: ({ error }) => ({ _tag: "Refuses", error, isLangfuse: false }),
    onRight: (answer) =>
      !isSuccess(answer)
        ? refusal(answer)
        : /json|protobuf/i.test(contentType(answer) ?? "")
        ? { _tag: "Takes", traces: true }
        : foreign(answer)
  })

const readBatch = (outcome: Outcome): Endpoint =>
  Either.match(outcome, {
    onLeft: ({ error }) => ({ _tag: "Refuses", error, isLangfuse: false }),
    onRight: (answer) => {
      if (!isSuccess(answer)) return refusal(answer)
      const response = Option.getOrUndefined(Either.getRight(IngestionResponse.decode(answer.text)))
      const [refused] = response?.errors ?? []
      if (refused === undefined) return foreign(answer)
      if (IngestionResponse.isEventTypeNotAccepted(refused)) return { _tag: "Takes", traces: false }
      return refused.status === 400
        ? { _tag: "Takes", traces: true }
        : {
          _tag: "Refuses",
          error: new LangfuseError({
            reason: "Rejected",
            status: refused.status,
            description: refused.message ?? "refused without a message"
          }),
          isLangfuse: true
        }
    }
  })

const decodeProjects = Schema.decodeUnknownOption(Schema.parseJson(
  Schema.Struct({ data: Schema.NonEmptyArray(Project) })
))

const readProject = (outcome: Outcome): Project | undefined =>
  Either.match(outcome, {
    onLeft: () => undefined,
    onRight: (answer) =>
      answer.status === 200
        ? Option.getOrUndefined(Option.map(decodeProjects(answer.text), ({ data }) => data[0]))
        : undefined
  })

const isSuccess = ({ status }: Answer): boolean => status >= 200 && status < 300

const foreign = (answer: Answer): Endpoint => ({
  _tag: "Refuses",
  error: errorOf(unexpectedBody(answer)),
  isLangfuse: false
})

const refusal = (answer: Answer): Endpoint => {
  const said = serverMessage(answer.text)
  return {
    _tag: "Refuses",
    error: new LangfuseError({
      reason: answer.status === 429 ? "RateLimited" : answer.status === 413 ? "TooLarge" : "Status",
      status: answer.status,
      description: said ?? `refused without a reason (${contentType(answer) ?? "no content type"})`
    }),
    // These come from whoever knows about keys, and Langfuse says why.
    isLangfuse: said !== undefined && (answer.status === 401 || answer.status === 403 || answer.status === 429)
  }
}
