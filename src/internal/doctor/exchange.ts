/**
 * One request of the doctor's own, and what came of it.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import { LangfuseError } from "../../LangfuseError.js"
import { errorCode, readText } from "../http.js"

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly text: string
  /** Epoch milliseconds of this machine's clock. */
  readonly sent: number
  readonly received: number
}

/** There was no answer. */
export interface Silence {
  /** `"Unreachable"` or `"Timeout"`. */
  readonly error: LangfuseError
  /** The platform's word for it, such as `ECONNREFUSED`. */
  readonly code: string | undefined
}

export type Outcome = Either.Either<Answer, Silence>

export const exchange = (
  request: HttpClientRequest.HttpClientRequest,
  timeout: Duration.Duration
): Effect.Effect<Outcome, never, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const client = yield* HttpClient.HttpClient
    const sent = yield* Clock.currentTimeMillis
    return yield* client.pipe(HttpClient.withTracerPropagation(false)).execute(request).pipe(
      Effect.flatMap((response) => Effect.map(readText(response, longestAnswer), (text) => ({ response, text }))),
      Effect.flatMap(({ response, text }) =>
        Effect.map(Clock.currentTimeMillis, (received): Answer => ({
          status: response.status,
          headers: response.headers,
          text,
          sent,
          received
        }))
      ),
      // A redirection is something to tell, not to follow.
      Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
      Effect.withTracerEnabled(false),
      Effect.mapError(unreachable),
      Effect.catchAllDefect((defect) => Effect.fail(unreachable(defect))),
      Effect.disconnect,
      Effect.timeoutFail({ duration: timeout, onTimeout: () => timedOut(timeout) }),
      Effect.either
    )
  })

/** More of an answer is not read: what Langfuse says to the doctor is short. */
const longestAnswer = 256 * 1024

const unreachable = (cause: unknown): Silence => {
  const code = errorCode(cause)
  return {
    error: new LangfuseError({
      reason: "Unreachable",
      description: code === undefined
        ? "no connection, or it broke before the answer was complete"
        : `no answer (${code})`
    }),
    code
  }
}

const timedOut = (timeout: Duration.Duration): Silence => ({
  error: new LangfuseError({
    reason: "Timeout",
    description: `no complete answer within ${Duration.format(timeout)}`
  }),
  code: undefined
})
