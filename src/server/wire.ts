/**
 * Between the `HttpServer` and the endpoint: reading a request's body, sending an answer, well or badly.
 */
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import type { Answer } from "./answer.js"
import type { Fault } from "./fault.js"

export interface Body {
  /** `undefined` when there was more than the limit. */
  readonly content: Uint8Array | undefined
  /** Bytes on the wire. */
  readonly bytes: number
}

/** What is over the limit is read and forgotten, so that the client can finish and see the answer. */
export const readBody = (request: HttpServerRequest, limit: number): Effect.Effect<Body> => {
  if (request.method === "GET" || request.method === "HEAD" || request.method === "OPTIONS") {
    return Effect.succeed({ content: new Uint8Array(), bytes: 0 })
  }
  const announced = Number(request.headers["content-length"])
  if (announced > limit) return Effect.succeed({ content: undefined, bytes: announced })
  return Effect.suspend(() => {
    const pieces: Array<Uint8Array> = []
    let bytes = 0
    return request.stream.pipe(
      Stream.runForEach((piece) =>
        Effect.sync(() => {
          bytes += piece.length
          if (bytes <= limit) pieces.push(piece)
          else pieces.length = 0
        })
      ),
      Effect.map(() => ({ content: bytes > limit ? undefined : concat(pieces, bytes), bytes })),
      // Half a body means that its sender has gone: there is nobody to answer.
      Effect.catchAll(() => Effect.interrupt),
      Effect.interruptible
    )
  })
}

const concat = (pieces: ReadonlyArray<Uint8Array>, bytes: number): Uint8Array => {
  const whole = new Uint8Array(bytes)
  let offset = 0
  for (const piece of pieces) {
    whole.set(piece, offset)
    offset += piece.length
  }
  return whole
}

/** Text as a server reads it: what is no UTF-8 becomes replacement characters, a byte order mark stays. */
export const decodeText = (bytes: Uint8Array): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)

/** The same in another encoding; `undefined` when there is none of that name. */
export const decodeTextAs = (bytes: Uint8Array, encoding: string): string | undefined => {
  try {
    return new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

const send = (answer: Answer): HttpServerResponse.HttpServerResponse => {
  const body = new TextEncoder().encode(answer.body)
  return body.length === 0
    ? HttpServerResponse.empty({ status: answer.status, headers: answer.headers })
    : HttpServerResponse.raw(body, {
      status: answer.status,
      headers: { ...answer.headers, "content-length": String(body.length) }
    })
}

const callOn = (target: unknown, method: string): boolean => {
  if (!Predicate.hasProperty(target, method) || !Predicate.isFunction(target[method])) return false
  Reflect.apply(target[method], target, [])
  return true
}

/** Cuts the connection under a request, where the platform shows one; `soon` lets what was written leave first. */
export const cut = (request: HttpServerRequest, soon = false): boolean => {
  const source = request.source
  if (!Predicate.hasProperty(source, "socket")) return false
  return (soon && callOn(source.socket, "destroySoon")) || callOn(source.socket, "destroy")
}

/** A response for which there is no connection anymore; other platforms break off a body that fails. */
const broken = (isCut: boolean): HttpServerResponse.HttpServerResponse =>
  isCut ? HttpServerResponse.empty() : HttpServerResponse.stream(Stream.die("the connection was cut on purpose"))

/** Waits whether or not the client is still there, but not longer than the server is. */
const pause = (duration: Duration.DurationInput, closing: Effect.Latch): Effect.Effect<void> =>
  Effect.sleep(duration).pipe(
    Effect.raceFirst(closing.await),
    Effect.interruptible,
    // In a fiber of its own, which a client that leaves does not interrupt.
    Effect.fork,
    Effect.flatMap(Fiber.await),
    Effect.asVoid
  )

const pieces = (body: Uint8Array, size: number): ReadonlyArray<Uint8Array> =>
  Array.from(
    { length: Math.ceil(body.length / Math.max(1, size)) },
    (_, index) => body.subarray(index * Math.max(1, size), (index + 1) * Math.max(1, size))
  )

const streamed = (answer: Answer, body: Stream.Stream<Uint8Array>): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.stream(body, {
    status: answer.status,
    headers: { ...answer.headers, "content-length": String(new TextEncoder().encode(answer.body).length) },
    contentType: answer.headers["content-type"]
  })

/** What the endpoint does with a request, with the fault that meets it. */
export interface Exchange {
  readonly request: HttpServerRequest
  readonly closing: Effect.Latch
  /** Stores what the request carries, and answers. */
  readonly process: Effect.Effect<Answer>
  /** Told the status just before an answer leaves. */
  readonly answering: (status: number) => void
}

/** Serves one request under a fault. `Reject` is no matter of the wire: `process` has seen to it. */
export const serve = (
  { answering, closing, process, request }: Exchange,
  fault: Fault | undefined
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  const answerWith = (answer: Answer) =>
    Effect.sync(() => {
      answering(answer.status)
      return send(answer)
    })
  const cutNow = Effect.sync(() => broken(cut(request)))
  switch (fault?._tag) {
    case undefined:
    case "Reject":
      return Effect.flatMap(process, answerWith)
    case "Respond":
      return Effect.zipRight(fault.stored ? process : Effect.void, answerWith(fault))
    case "Delay": {
      const waiting = pause(fault.duration, closing)
      return fault.when === "before"
        ? Effect.zipRight(waiting, Effect.flatMap(process, answerWith))
        : Effect.flatMap(Effect.zipLeft(process, waiting), answerWith)
    }
    case "Hang":
      return (fault.stored ? process : Effect.void).pipe(
        Effect.zipRight(Effect.interruptible(closing.await)),
        Effect.zipRight(cutNow)
      )
    case "Truncate":
      return Effect.flatMap(
        process,
        (answer) => answerWith({ ...answer, body: answer.body.slice(0, answer.body.length / 2) })
      )
    case "Rewrite":
      return Effect.flatMap(process, (answer) => answerWith({ ...answer, body: fault.rewrite(answer.body) }))
    case "Drip":
      return Effect.map(process, (answer) => {
        answering(answer.status)
        return streamed(
          answer,
          Stream.fromIterable(pieces(new TextEncoder().encode(answer.body), fault.bytes)).pipe(
            Stream.tap(() => pause(fault.interval, closing))
          )
        )
      })
    case "Reset":
      if (fault.when === "before") return cutNow
      if (fault.when === "after") return Effect.zipRight(process, cutNow)
      return Effect.map(process, (answer) => {
        answering(answer.status)
        const [half = new Uint8Array()] = pieces(
          new TextEncoder().encode(answer.body),
          Math.ceil(answer.body.length / 2)
        )
        return streamed(
          answer,
          Stream.concat(
            Stream.make(half),
            Stream.unwrap(Effect.sync(() => cut(request, true) ? Stream.never : Stream.die("cut on purpose")))
          )
        )
      })
  }
}
