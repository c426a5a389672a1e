/** One exchange with Langfuse: a request that is not traced, and its answer as text, within a bound of time and size. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import { identity } from "effect/Function"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Problem, Reason } from "../core/flow/outcome.js"
import { type Answer, isProtobuf } from "../core/wire/answers.js"
import * as Metrics from "./metrics.js"
import type { TransportSettings } from "./settings.js"
import { sdkName, version } from "./version.js"

export interface Http {
  readonly post: (path: string, headers: Readonly<Record<string, string>>, body: HttpBody.HttpBody) => Exchange
  readonly get: (path: string) => Exchange
}

type Exchange = Effect.Effect<Answer, Problem>

/** More of an answer is not read: a verdict on 1000 events is well below this. */
const maxAnswerBytes = 8 * 1024 * 1024

export const make = (client: HttpClient.HttpClient, options: TransportSettings): Http => {
  const http = HttpClient.withTracerPropagation(transformed(staying(client), options), false)

  const authorized = (request: HttpClientRequest.HttpClientRequest) =>
    request.pipe(
      HttpClientRequest.basicAuth(options.publicKey, options.secretKey),
      HttpClientRequest.setHeaders({
        accept: "application/json",
        "x-langfuse-sdk-name": sdkName,
        "x-langfuse-sdk-version": version
      })
    )

  const timeout = problem("Timeout", `no complete answer within ${Duration.format(options.requestTimeout)}`)

  const exchange = (request: HttpClientRequest.HttpClientRequest): Exchange =>
    Effect.flatMap(nanos, (start) =>
      Effect.suspend(() => http.execute(request)).pipe(
        Effect.flatMap((response) =>
          Effect.map(
            readText(response, maxAnswerBytes),
            (text) => ({ status: response.status, headers: response.headers, text })
          )
        ),
        // The exporter must not show up in the traces it exports.
        Effect.withTracerEnabled(false),
        Effect.mapErrorCause((cause) => Cause.fail(unanswered(cause))),
        // A client that cannot be interrupted may linger in the background, but holds nobody up.
        Effect.disconnect,
        Effect.timeoutFail({ duration: options.requestTimeout, onTimeout: () => timeout }),
        Effect.onExit((exit) => Effect.flatMap(nanos, (end) => measure(exit, end - start)))
      ))

  return {
    post: (path, headers, body) =>
      exchange(
        authorized(HttpClientRequest.post(`${options.baseUrl}${path}`)).pipe(
          HttpClientRequest.setHeaders(headers),
          HttpClientRequest.setBody(hidden(body))
        )
      ),
    get: (path) => exchange(authorized(HttpClientRequest.get(`${options.baseUrl}${path}`)))
  }
}

export const bytes = (body: Uint8Array, contentType: string): HttpBody.HttpBody =>
  HttpBody.uint8Array(body, contentType)

const nanos = Clock.clockWith((clock) => clock.currentTimeNanos)

const problem = (reason: Reason, description: string): Problem => ({ reason, status: undefined, description })

const measure = (exit: Exit.Exit<Answer, Problem>, nanoseconds: bigint): Effect.Effect<void> =>
  Metric.update(
    Metrics.requestSeconds(
      exit._tag === "Success"
        ? String(exit.value.status)
        : Option.match(Cause.failureOption(exit.cause), { onNone: () => "Interrupted", onSome: ({ reason }) => reason })
    ),
    // A clock that was set back during the request did not make it take less than no time.
    Math.max(0, Number(nanoseconds) / 1e9)
  )

/** A program that logs the requests of its HTTP client must not log what is traced with them. */
const hidden = (body: HttpBody.HttpBody): HttpBody.HttpBody =>
  Object.defineProperty(body, "toJSON", {
    value: () => ({ _id: "@effect/platform/HttpBody", _tag: body._tag, contentLength: body.contentLength })
  })

/**
 * Has `fetch` report a redirect instead of following it, as other clients do: payloads go to `baseUrl` and nowhere else.
 * What the program itself says about requests wins. It may say it to the layer of its client, so it is looked for inside of
 * the client, where both can be seen.
 */
const staying = (client: HttpClient.HttpClient): HttpClient.HttpClient => {
  const inner = HttpClient.mapRequestEffect(client, (request) => Effect.as(staysHere, request))
  return HttpClient.makeWith<never, never, HttpClientError.HttpClientError, never>(
    (request) =>
      Effect.flatMap(
        request,
        (request) => Effect.locallyWith(inner.execute(request), FiberRef.currentContext, identity)
      ),
    Effect.succeed
  )
}

const staysHere = FiberRef.update(
  FiberRef.currentContext,
  (context) =>
    Context.add(context, FetchHttpClient.RequestInit, {
      redirect: "manual",
      ...Option.getOrUndefined(Context.getOption(context, FetchHttpClient.RequestInit))
    })
)

/** The transformation is the user's code: one that breaks fails requests, not the program when it starts. */
const transformed = (client: HttpClient.HttpClient, options: TransportSettings): HttpClient.HttpClient => {
  try {
    return options.transformClient?.(client) ?? client
  } catch {
    return HttpClient.make(() => Effect.dieMessage("transformClient threw"))
  }
}

/** The body as `Answer` has it, of which no more is read than `maxBytes`. */
export const readText = (response: HttpClientResponse.HttpClientResponse, maxBytes: number) => {
  const announced = response.headers["content-length"]
  const isBinary = isProtobuf(response)
  if (
    announced !== undefined && Number(announced) <= maxBytes &&
    response.headers["content-encoding"] === undefined && !isBinary
  ) {
    return response.text
  }
  return Effect.suspend(() => {
    const decoder = new TextDecoder()
    let read = 0
    return response.stream.pipe(
      Stream.takeWhile((chunk) => (read += chunk.length) <= maxBytes),
      Stream.runFold(
        "",
        (text, chunk) => text + (isBinary ? characters(chunk) : decoder.decode(chunk, { stream: true }))
      ),
      // An answer that has none, such as 204, is an answer all the same.
      Effect.catchIf((error) => error.reason === "EmptyBody", () => Effect.succeed(""))
    )
  })
}

const characters = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")

/** A request without an answer. Only the platform's error code is kept: causes can hold the request, and so its body. */
const unanswered = (cause: Cause.Cause<unknown>): Problem => {
  const failure = Cause.failureOption(cause)
  if (Option.isNone(failure)) {
    return Cause.isInterruptedOnly(cause)
      ? problem("Unreachable", "the HTTP client gave the request up")
      : problem("Defect", "the HTTP client failed unexpectedly")
  }
  const code = errorCode(failure.value)
  return problem(
    "Unreachable",
    code === undefined ? "no connection, or it broke before the answer was complete" : `no answer (${code})`
  )
}

/** Of an error, or of one that it was caused by. */
export const errorCode = (error: unknown): string | undefined => {
  let current = error
  for (let depth = 0; depth < 8 && typeof current === "object" && current !== null; depth++) {
    const code = "code" in current ? current.code : undefined
    if (typeof code === "string" && /^[A-Z][A-Z0-9_]{2,60}$/.test(code)) return code
    current = "cause" in current ? current.cause : undefined
  }
  return undefined
}
