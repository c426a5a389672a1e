/**
 * From encoded parts to HTTP requests, and from answers to verdicts: what every protocol shares.
 *
 * Splits by bytes, bounds each request in time, halves what is too large, pauses when told to, and tries again where the
 * user asked for it. It never fails: whatever goes wrong is in the report.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as FiberRef from "effect/FiberRef"
import { identity } from "effect/Function"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as DeliveryReport from "../DeliveryReport.js"
import type { IngestionEvent } from "../IngestionEvent.js"
import type { ResolvedTransport } from "../LangfuseConfig.js"
import { LangfuseError } from "../LangfuseError.js"
import * as Address from "./address.js"
import * as Metrics from "./metrics.js"
import { byteLength, write } from "./utf8.js"
import { sdkName, version } from "./version.js"
import { within } from "./within.js"

/** The smallest piece of a request: it is accepted or refused as a whole, and so are the events in it. */
export class Part {
  /** None for a part that only goes along with others. */
  readonly events: ReadonlyArray<IngestionEvent>
  readonly text: string
  /** UTF-8 bytes of `text`. */
  readonly bytes: number
  /** Said by endpoints whose answer is about all of a request: a part may be of no event, and still have been stored. */
  isStored = false

  constructor(events: ReadonlyArray<IngestionEvent>, text: string, bytes: number) {
    this.events = events
    this.text = text
    this.bytes = bytes
  }
}

/**
 * The events of a part that is one event. Not as a literal: V8 comes to lay what that makes into old memory, since the first
 * of them outlive a collection or two, and then every event goes there with it.
 */
export const alone = (event: IngestionEvent): ReadonlyArray<IngestionEvent> => Array.of(event)

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly text: string
}

export interface Endpoint {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** What stands before and after the parts, which are joined by commas. */
  readonly frame: readonly [open: string, close: string]
  /** `isFar`: bytes on the way to the server are worth some work to save. */
  readonly encode: (body: Uint8Array, isFar: boolean) => Effect.Effect<EncodedBody>
  /** Reads a 2xx answer. */
  readonly read: (parts: Arr.NonEmptyReadonlyArray<Part>, answer: Answer) => DeliveryReport.DeliveryReport
  /** Whether a request refused like this may pass in two halves. */
  readonly divisible: (answer: Answer) => boolean
}

export interface EncodedBody {
  readonly body: HttpBody.HttpBody
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** Told what is settled as soon as it is; all of it is in the final report as well. */
export type Progress = (report: DeliveryReport.DeliveryReport) => void

export interface Sender {
  readonly deliver: (
    endpoint: Endpoint,
    parts: ReadonlyArray<Part>,
    progress: Progress
  ) => Effect.Effect<DeliveryReport.DeliveryReport>
  readonly get: (path: string) => Effect.Effect<Answer, LangfuseError>
}

/** More of an answer is not read: a verdict on 1000 events is well below this. */
const maxAnswerBytes = 8 * 1024 * 1024

const longestPause = 60_000

/** For a 429 that does not say how long. */
const defaultPause = 1_000

/** Epoch milliseconds between which no request starts. */
interface Pause {
  readonly from: number
  readonly until: number
}

const notPaused: Pause = { from: 0, until: 0 }

export const make = (client: HttpClient.HttpClient, options: ResolvedTransport): Sender => {
  const http = transformed(staying(client), options).pipe(HttpClient.withTracerPropagation(false))
  const reword = rewording(options)
  const isFar = !Address.isNearby(options.baseUrl)
  let paused = notPaused

  const authorized = (request: HttpClientRequest.HttpClientRequest) =>
    request.pipe(
      HttpClientRequest.basicAuth(options.publicKey, options.secretKey),
      HttpClientRequest.setHeaders({
        accept: "application/json",
        "x-langfuse-sdk-name": sdkName,
        "x-langfuse-sdk-version": version
      })
    )

  const onTimeout = (): LangfuseError =>
    new LangfuseError({
      reason: "Timeout",
      description: `no complete answer within ${Duration.format(options.requestTimeout)}`
    })

  const exchange = (request: HttpClientRequest.HttpClientRequest): Effect.Effect<Answer, LangfuseError> =>
    Effect.flatMap(
      Clock.clockWith((clock) => clock.currentTimeNanos),
      (start) =>
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
          (answer) => within(answer, { duration: options.requestTimeout, onTimeout }),
          Effect.onExit((exit) => {
            const status = exit._tag === "Success"
              ? String(exit.value.status)
              : Option.match(Cause.failureOption(exit.cause), {
                onNone: () => "Interrupted",
                onSome: (error) => error.reason
              })
            return Effect.flatMap(
              Clock.clockWith((clock) => clock.currentTimeNanos),
              // A clock that was set back during the request did not make it take less than no time.
              (end) =>
                Metric.update(
                  Metrics.requestSeconds(status),
                  Math.max(0, Number(end - start) / 1e9)
                )
            )
          })
        )
    )

  const pause: Effect.Effect<void> = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const current = paused
    // A clock that was set back must not make the pause longer than it ever was, nor repeat it.
    const rest = current.until - Math.max(now, current.from)
    if (rest <= 0) return Effect.void
    return Effect.zipRight(
      Effect.sleep(Duration.millis(rest)),
      Effect.sync(() => {
        if (paused === current) paused = notPaused
      })
    )
  })

  const request = (endpoint: Endpoint) => {
    const base = authorized(HttpClientRequest.post(`${options.baseUrl}${endpoint.path}`)).pipe(
      HttpClientRequest.setHeaders(endpoint.headers)
    )
    return (encoded: EncodedBody) =>
      base.pipe(HttpClientRequest.setBody(hidden(encoded.body)), HttpClientRequest.setHeaders(encoded.headers ?? {}))
  }

  const requests = new WeakMap<Endpoint, ReturnType<typeof request>>()
  const requestFor = (endpoint: Endpoint) => {
    const known = requests.get(endpoint)
    if (known !== undefined) return known
    const made = request(endpoint)
    requests.set(endpoint, made)
    return made
  }

  /**
   * Sends the parts in one request, or in halves. `progress` hears of each answer at once: the other half, or another try,
   * may be cut short.
   */
  const attempt = (
    endpoint: Endpoint,
    parts: Arr.NonEmptyReadonlyArray<Part>,
    progress: Progress
  ): Effect.Effect<DeliveryReport.DeliveryReport> => {
    const settle = (report: Effect.Effect<DeliveryReport.DeliveryReport>) =>
      report.pipe(
        Effect.catchAllCause((cause) => Effect.succeed(failedParts(parts, failureOf(cause)))),
        Effect.map((report) => presentable(report, parts)),
        Effect.tap((report) => Effect.sync(() => progress(report)))
      )
    return pause.pipe(
      Effect.zipRight(Effect.suspend(() => endpoint.encode(frame(endpoint, parts), isFar))),
      Effect.flatMap((encoded) => exchange(requestFor(endpoint)(encoded))),
      Effect.matchCauseEffect({
        onFailure: (cause) => settle(Effect.succeed(failedParts(parts, failureOf(cause)))),
        onSuccess: (answer) => {
          if (answer.status >= 200 && answer.status < 300) {
            return settle(Effect.sync(() => endpoint.read(parts, answer)))
          }
          if (!endpoint.divisible(answer) || parts.length === 1) {
            return settle(Effect.map(refusal(answer), (error) => failedParts(parts, error)))
          }
          const middle = parts.length >> 1
          return Effect.map(
            Effect.forEach([parts.slice(0, middle), parts.slice(middle)], (half) =>
              Arr.isNonEmptyReadonlyArray(half)
                ? attempt(endpoint, half, progress)
                : Effect.succeed(DeliveryReport.empty)),
            DeliveryReport.merge
          )
        }
      })
    )
  }

  /** The report with errors that can be logged: see `rewording`. */
  const presentable = (
    report: DeliveryReport.DeliveryReport,
    parts: Arr.NonEmptyReadonlyArray<Part>
  ): DeliveryReport.DeliveryReport => {
    const quoting = [...report.failed, ...report.rejected].filter(({ error }) => quotesServer.has(error.reason))
    if (quoting.length === 0) return report
    const sent = new Map(parts.flatMap((part) => part.events.map((event) => [event, part.text] as const)))
    const texts = new Map<LangfuseError, Set<string>>()
    for (const { error, event } of quoting) {
      const text = sent.get(event)
      const known = texts.get(error) ?? new Set()
      texts.set(error, text === undefined ? known : known.add(text))
    }
    const reworded = new Map([...texts].map(([error, about]) => [error, reword(error, [...about])]))
    const shown = ({ error, event }: DeliveryReport.Undelivered): DeliveryReport.Undelivered => ({
      event,
      error: reworded.get(error) ?? error
    })
    return { ...report, failed: report.failed.map(shown), rejected: report.rejected.map(shown) }
  }

  const refusal = (answer: Answer): Effect.Effect<LangfuseError> => {
    if (answer.status !== 429) return Effect.succeed(refused(answer))
    return Effect.map(Clock.currentTimeMillis, (now) => {
      const rest = retryAfter(answer, now)
      const left = now < paused.from ? 0 : paused.until - now
      paused = { from: now, until: now + Math.max(left, rest) }
      return new LangfuseError({
        reason: "RateLimited",
        status: 429,
        description: `${serverMessage(answer) ?? "rate limit exceeded"}, asked to wait ${rest / 1000} s`
      })
    })
  }

  /** One request, and more of them for the parts that are worth another try. */
  const persist = (
    endpoint: Endpoint,
    parts: Arr.NonEmptyReadonlyArray<Part>,
    progress: Progress
  ): Effect.Effect<DeliveryReport.DeliveryReport> =>
    options.retry === undefined
      ? attempt(endpoint, parts, progress)
      : tryAgain(options.retry, endpoint, parts, progress)

  const tryAgain = Effect.fnUntraced(function*(
    schedule: NonNullable<ResolvedTransport["retry"]>,
    endpoint: Endpoint,
    parts: Arr.NonEmptyReadonlyArray<Part>,
    progress: Progress
  ) {
    const driver = yield* Schedule.driver(schedule)
    const settled: Array<DeliveryReport.DeliveryReport> = []
    let remaining: Arr.NonEmptyReadonlyArray<Part> = parts
    while (true) {
      const report = yield* attempt(endpoint, remaining, (report) => progress(final(report)))
      const failures = new Map<IngestionEvent, LangfuseError>()
      for (const { error, event } of [...report.failed, ...report.rejected]) {
        if (error.retryable) failures.set(event, error)
      }
      const again = failures.size === 0
        ? []
        : remaining.filter(({ events }) => events.length === 0 || events.some((event) => failures.has(event)))
      const [error] = failures.values()
      const more = Arr.isNonEmptyReadonlyArray(again) && error !== undefined
        // A schedule is the user's code: one that breaks ends the tries, not the exporter.
        ? yield* driver.next(error).pipe(Effect.as(true), Effect.catchAllCause(() => Effect.succeed(false)))
        : false
      if (!more || !Arr.isNonEmptyReadonlyArray(again)) {
        progress(report)
        settled.push(report)
        return DeliveryReport.merge(settled)
      }
      const kept = without(report, new Set(again.flatMap((part) => part.events)))
      settled.push(kept)
      remaining = again
    }
  })

  return {
    deliver: (endpoint, parts, progress) =>
      Effect.map(
        Effect.forEach(split(endpoint, parts, options.maxBatchBytes), (chunk) => persist(endpoint, chunk, progress)),
        DeliveryReport.merge
      ),
    get: (path) => exchange(authorized(HttpClientRequest.get(`${options.baseUrl}${path}`)))
  }
}

// -------------------------------------------------------------------------------------
// pure
// -------------------------------------------------------------------------------------

/** A program that logs the requests of its HTTP client must not log what is traced with them. */
const hidden = (body: HttpBody.HttpBody): HttpBody.HttpBody =>
  Object.defineProperty(body, "toJSON", {
    value: () => ({ _id: "@effect/platform/HttpBody", _tag: body._tag, contentLength: body.contentLength })
  })

/**
 * Has `fetch` tell a redirect instead of following it, as other clients do: what is traced goes to `baseUrl` and nowhere
 * else. What the program itself says about requests counts, for example a dispatcher. It may say it to the layer of its
 * client, and so it is looked for inside of the client, where both can be seen.
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
const transformed = (client: HttpClient.HttpClient, options: ResolvedTransport): HttpClient.HttpClient => {
  try {
    return options.transformClient?.(client) ?? client
  } catch {
    return HttpClient.make(() => Effect.dieMessage("transformClient threw"))
  }
}

/**
 * The body of a request, as bytes. Each part is written where it belongs: one long text of all of them, made only to be
 * encoded, costs many times what the parts do, as it has to be put together somewhere else first.
 */
export const frame = (endpoint: Pick<Endpoint, "frame">, parts: ReadonlyArray<Part>): Uint8Array => {
  const [open, close] = endpoint.frame
  const commas = Math.max(0, parts.length - 1)
  const size = parts.reduce((sum, part) => sum + part.bytes, byteLength(open) + commas + byteLength(close))
  const body = new Uint8Array(size)
  let at = write(open, body, 0)
  parts.forEach(({ text }, index) => {
    if (index > 0) at = write(",", body, at)
    at = write(text, body, at)
  })
  write(close, body, at)
  return body
}

/** Runs of parts, in order, whose bodies stay within the limit; a part that is larger by itself stands alone. */
export const split = (
  endpoint: Pick<Endpoint, "frame">,
  parts: ReadonlyArray<Part>,
  maxBytes: number
): ReadonlyArray<Arr.NonEmptyReadonlyArray<Part>> => {
  const overhead = byteLength(endpoint.frame[0]) + byteLength(endpoint.frame[1])
  const chunks: Array<Arr.NonEmptyArray<Part>> = []
  let bytes = 0
  for (const part of parts) {
    const current = chunks[chunks.length - 1]
    if (current === undefined || bytes + 1 + part.bytes > maxBytes) {
      chunks.push([part])
      bytes = overhead + part.bytes
    } else {
      current.push(part)
      bytes += 1 + part.bytes
    }
  }
  return chunks
}

const eventsOf = (parts: ReadonlyArray<Part>): ReadonlyArray<IngestionEvent> => parts.flatMap((part) => part.events)

const failedParts = (parts: ReadonlyArray<Part>, error: LangfuseError) => DeliveryReport.failed(eventsOf(parts), error)

const without = (
  report: DeliveryReport.DeliveryReport,
  events: ReadonlySet<IngestionEvent>
): DeliveryReport.DeliveryReport => ({
  delivered: report.delivered.filter((event) => !events.has(event)),
  rejected: report.rejected.filter(({ event }) => !events.has(event)),
  failed: report.failed.filter(({ event }) => !events.has(event))
})

/** What another try would not change. */
const final = (report: DeliveryReport.DeliveryReport): DeliveryReport.DeliveryReport => ({
  delivered: report.delivered,
  rejected: report.rejected.filter(({ error }) => !error.retryable),
  failed: report.failed.filter(({ error }) => !error.retryable)
})

/** The body as text, of which no more is read than `maxBytes`. */
export const readText = (response: HttpClientResponse.HttpClientResponse, maxBytes: number) => {
  const announced = response.headers["content-length"]
  if (
    announced !== undefined && Number(announced) <= maxBytes &&
    response.headers["content-encoding"] === undefined
  ) {
    return response.text
  }
  return Effect.suspend(() => {
    const decoder = new TextDecoder()
    let bytes = 0
    return response.stream.pipe(
      Stream.takeWhile((chunk) => (bytes += chunk.length) <= maxBytes),
      Stream.runFold("", (text, chunk) => text + decoder.decode(chunk, { stream: true })),
      // An answer that has none, such as 204, is an answer all the same.
      Effect.catchIf((error) => error.reason === "EmptyBody", () => Effect.succeed(""))
    )
  })
}

const failureOf = (cause: Cause.Cause<LangfuseError>): LangfuseError =>
  Option.getOrElse(
    Cause.failureOption(cause),
    () => new LangfuseError({ reason: "Defect", description: "the HTTP client or the encoder failed unexpectedly" })
  )

/** A request without an answer. Only the platform's error code is kept: causes can hold the request, and so its body. */
const unanswered = (cause: Cause.Cause<unknown>): LangfuseError => {
  const failure = Cause.failureOption(cause)
  if (Option.isNone(failure)) {
    return Cause.isInterruptedOnly(cause)
      ? new LangfuseError({ reason: "Unreachable", description: "the HTTP client gave the request up" })
      : new LangfuseError({ reason: "Defect", description: "the HTTP client failed unexpectedly" })
  }
  const code = errorCode(failure.value)
  return new LangfuseError({
    reason: "Unreachable",
    description: code === undefined
      ? "no connection, or it broke before the answer was complete"
      : `no answer (${code})`
  })
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

const refused = (answer: Answer): LangfuseError =>
  new LangfuseError({
    reason: answer.status === 413 ? "TooLarge" : "Status",
    // A browser shows no more of a redirect than that there was one, and 0 is no status.
    status: answer.status === 0 ? undefined : answer.status,
    description: serverMessage(answer) ?? describeStatus(answer.status)
  })

const describeStatus = (status: number): string =>
  status === 0 || (status >= 300 && status < 400) ? "redirected, which is not followed" : "refused without a reason"

/**
 * The reason Langfuse gives in the documented shapes `{"message": …}` and `{"error": …}`. Other bodies are not repeated:
 * an error page, or a proxy that echoes the request, could carry payload into a log.
 */
export const serverMessage = (answer: Answer): string | undefined => {
  if (answer.text.length > 100_000) return undefined
  try {
    const body: unknown = JSON.parse(answer.text)
    if (typeof body !== "object" || body === null) return undefined
    for (const found of ["message" in body ? body.message : undefined, "error" in body ? body.error : undefined]) {
      if (typeof found === "string" && found !== "") {
        return found.slice(0, 200)
      }
    }
  } catch {
    return undefined
  }
  return undefined
}

/** Milliseconds to wait after a 429: `Retry-After` in seconds or as a date, else the body's own field. */
export const retryAfter = (answer: Answer, now: number): number => {
  const header = answer.headers["retry-after"]?.trim() ?? ""
  const milliseconds = /^\d+(\.\d+)?$/.test(header)
    ? Number(header) * 1000
    : header !== ""
    ? Date.parse(header) - now
    : bodySeconds(answer.text) * 1000
  return Number.isNaN(milliseconds) ? defaultPause : Math.min(Math.max(milliseconds, 0), longestPause)
}

const bodySeconds = (text: string): number => {
  try {
    const body: { readonly details?: { readonly retryAfterSeconds?: unknown } } | null = JSON.parse(text)
    const seconds = body?.details?.retryAfterSeconds
    return typeof seconds === "number" ? seconds : Number.NaN
  } catch {
    return Number.NaN
  }
}

/** Where keys would cross a network in clear text. */
export const sendsKeysInClear = ({ baseUrl }: Pick<ResolvedTransport, "baseUrl">): boolean =>
  new URL(baseUrl).protocol === "http:" && !Address.isThisMachine(baseUrl)

/** Errors whose description holds words, or a header, of the server. */
const quotesServer: ReadonlySet<LangfuseError["reason"]> = new Set([
  "Status",
  "RateLimited",
  "TooLarge",
  "UnexpectedBody",
  "Rejected"
])

/** What stands there when Langfuse means this: see `IngestionResponse`. Others read it, so it stays as it is. */
const ownWords = /^(Event type not accepted|Authentication error): /

const longestDescription = 300

/**
 * What a server says may end up in a log, and some servers say back what they were sent: the keys are taken out, and words
 * that repeat the payload are not repeated. Only the description is changed. Keys taken out of the whole answer could take
 * pieces of ids with them, and so spoil the verdict.
 */
const rewording = (
  options: Pick<ResolvedTransport, "publicKey" | "secretKey">
): (error: LangfuseError, payloads: ReadonlyArray<string>) => LangfuseError => {
  const secret = Redacted.value(options.secretKey)
  const keys = [Encoding.encodeBase64(`${options.publicKey}:${secret}`), secret, options.publicKey]
  return (error, payloads) => {
    const said = error.description
    if (ownWords.test(said)) return error
    const description = payloads.some((payload) => repeats(said, payload))
      ? "refused in words that repeat what was sent"
      : keys.reduce((text, key) => text.replaceAll(key, "<redacted>"), said)
        .slice(0, longestDescription)
        // One line in a log.
        .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    return description === said
      ? error
      : new LangfuseError({ reason: error.reason, status: error.status, description })
  }
}

/** Longer than the name of a field, which a reason may well mention, and shorter than a sentence. */
const window = 32

/** What JSON in JSON is quoted with, once or twice over. */
const quotes = /[\\"]/g

/** Whether `said` has 40 characters in a row, or nearly as many, from the payload. */
const repeats = (said: string, payload: string): boolean => {
  const words = said.replace(quotes, "")
  if (words.length < window) return false
  const text = payload.replace(quotes, "")
  for (let i = 0; i + window <= words.length; i += window / 4) {
    if (text.includes(words.slice(i, i + window))) return true
  }
  return false
}
