/**
 * From pieces to requests, and from answers to outcomes: splits by bytes and count, halves what is too large, pauses when
 * told to, and tries again where the user asked for it. It never fails: whatever goes wrong is told as an outcome.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type { Outcome, Problem } from "../core/flow/outcome.js"
import { Piece } from "../core/flow/piece.js"
import type { Item } from "../core/item/item.js"
import type { Answer } from "../core/wire/answers.js"
import { problemOf, retryable, retryAfter } from "../core/wire/answers.js"
import { Bytes } from "../core/wire/bytes.js"
import { LangfuseError } from "../LangfuseError.js"
import * as Http from "./http.js"
import type * as Log from "./log.js"
import * as Reword from "./reword.js"
import type { TransportSettings } from "./settings.js"
import { turnOfEventLoop } from "./turn.js"

export interface Endpoint {
  readonly path: string
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
  readonly begin: (out: Bytes) => void
  readonly write: (out: Bytes, piece: Piece) => void
  readonly end: (out: Bytes) => void
  /** Items in one request, derived traces among them. */
  readonly maxItems: number
  readonly canCompress: boolean
  /** Reads a 2xx answer: the outcome of a piece, and of the trace before it. */
  readonly read: (answer: Answer) => (piece: Piece) => Verdict
  /** Whether a request refused like this may pass in two halves. */
  readonly divisible: (answer: Answer) => boolean
}

export interface Verdict {
  readonly outcome: Outcome
  readonly before: Outcome
}

/** Pieces with the same outcome are told together. */
export type Tell = (pieces: ReadonlyArray<Piece>, verdict: Verdict) => void

/** The list is emptied at the end: whoever still holds it, as instructions of fibers do for a while, holds no contents. */
export type Deliver = (endpoint: Endpoint, pieces: Array<Piece>, tell: Tell) => Effect.Effect<void>

interface Request {
  readonly pieces: ReadonlyArray<Piece>
  readonly body: Uint8Array
}

/** What the requests of one delivery share. */
class Delivery {
  readonly endpoint: Endpoint
  readonly tell: Tell
  /** Requests refused with 400 that are still halved: one that refuses everything would be asked a thousand times. */
  halvings = 64

  constructor(endpoint: Endpoint, tell: Tell) {
    this.endpoint = endpoint
    this.tell = tell
  }
}

/** Bytes written before others get a turn of the event loop. */
const slice = 256 * 1024

/** Milliseconds after which a person hears that events are still tried again. */
const longOutage = 10_000

/** What `end` writes at most. */
const maxEnd = 8

/** Buffers kept to be used again: fresh ones, outside of the heap, force full collections. */
const maxKept = 4

const same = (outcome: Outcome): Verdict => ({ outcome, before: outcome })

const failed = (problem: Problem): Verdict => same({ failed: problem })

const cutOff: Problem = { reason: "Closed", status: undefined, description: "cut off by the close" }

const unexpected: Problem = {
  reason: "Defect",
  status: undefined,
  description: "the HTTP client or the encoder failed unexpectedly"
}

export const make = (http: Http.Http, options: TransportSettings, warn: Log.Throttled): Deliver => {
  const rewordOf = Reword.make(options)
  const kept: Array<Uint8Array> = []
  /** Epoch milliseconds between which no request starts. */
  let pausedFrom = 0
  let pausedUntil = 0

  /** As many of the pieces as go into one request. */
  const write = (endpoint: Endpoint, pieces: ReadonlyArray<Piece>): Effect.Effect<Request> =>
    Effect.suspend(() => {
      const out = new Bytes(roundUp(sizeOf(pieces, endpoint.maxItems, options.maxBatchBytes)), kept.pop())
      let count = 0
      let items = 0
      let isFull = false
      const fill = (): void => {
        const until = out.length + slice
        while (!isFull && out.length < until) {
          const piece = pieces[count]
          if (piece === undefined) break
          const mark = out.mark()
          items += piece.before === undefined ? 1 : 2
          isFull = count > 0 && items > endpoint.maxItems
          if (isFull) break
          endpoint.write(out, piece)
          isFull = count > 0 && out.length > options.maxBatchBytes - maxEnd
          if (isFull) out.rewind(mark)
          else count++
        }
      }
      const go: Effect.Effect<Request> = Effect.suspend(() => {
        fill()
        if (!isFull && count < pieces.length) return Effect.zipRight(turnOfEventLoop, go)
        endpoint.end(out)
        return Effect.succeed({ pieces: count === pieces.length ? pieces : pieces.slice(0, count), body: out.view() })
      })
      endpoint.begin(out)
      return go
    })

  const pause: Effect.Effect<void> = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    // A clock that was set back must not make the pause longer than it ever was.
    const rest = pausedUntil - Math.max(now, pausedFrom)
    if (rest <= 0) return Effect.void
    const until = pausedUntil
    return Effect.zipRight(
      Effect.sleep(rest),
      Effect.suspend(() => {
        if (pausedUntil === until) pausedUntil = 0
        // Another answer may have asked for more meanwhile.
        return pause
      })
    )
  })

  const post = (endpoint: Endpoint, body: Uint8Array): Effect.Effect<Answer, Problem> => {
    if (!endpoint.canCompress || options.compression !== "gzip") {
      return http.post(endpoint.path, endpoint.headers, Http.bytes(body, endpoint.contentType))
    }
    return Effect.matchEffect(Effect.tryPromise(() => gzip(body)), {
      onFailure: () => http.post(endpoint.path, endpoint.headers, Http.bytes(body, endpoint.contentType)),
      onSuccess: (zipped) =>
        http.post(
          endpoint.path,
          { ...endpoint.headers, "content-encoding": "gzip" },
          Http.bytes(zipped, endpoint.contentType)
        )
    })
  }

  /**
   * Of a request that was accepted, and whose answer was read to its end. A server that accepts before it has read the request
   * would get some bytes of a later one in it, which goes to the same place.
   */
  const keep = (body: Uint8Array): void => {
    if (options.transformClient === undefined && kept.length < maxKept && body.buffer instanceof ArrayBuffer) {
      kept.push(new Uint8Array(body.buffer))
    }
  }

  const attempt = (delivery: Delivery, { body, pieces }: Request): Effect.Effect<void> => {
    const { endpoint, tell } = delivery
    const reword = rewordOf(body)
    return pause.pipe(
      Effect.zipRight(post(endpoint, body)),
      Effect.matchCauseEffect({
        onFailure: (cause) =>
          Effect.sync(() => tell(pieces, failed(Option.getOrElse(Cause.failureOption(cause), () => unexpected)))),
        onSuccess: (answer) => {
          if (answer.status >= 200 && answer.status < 300) {
            return Effect.sync(() => {
              const verdictOn = endpoint.read(answer)
              tellEach(pieces, verdictOn, reword, tell)
              // Who answers with something else may not even have read it.
              if (pieces[0] !== undefined && verdictOn(pieces[0]).outcome === "delivered") keep(body)
            })
          }
          const parts = partsOf(delivery, pieces, answer)
          if (parts !== undefined) return parts
          return Effect.map(Clock.currentTimeMillis, (now) => {
            if (answer.status === 429) {
              const left = now < pausedFrom ? 0 : pausedUntil - now
              pausedFrom = now
              pausedUntil = now + Math.max(left, retryAfter(answer, now))
            }
            tell(pieces, same(reword({ failed: problemOf(answer, now) })))
          })
        }
      }),
      // The events of a request that is cut off by the close have failed already; the traces before them are counted here.
      Effect.onInterrupt(() => Effect.sync(() => tell(pieces, failed(cutOff))))
    )
  }

  /** Two requests in place of one that was refused, where that may help. */
  const partsOf = (
    delivery: Delivery,
    pieces: ReadonlyArray<Piece>,
    answer: Answer
  ): Effect.Effect<void> | undefined => {
    if (!delivery.endpoint.divisible(answer)) return undefined
    if (answer.status === 400 && --delivery.halvings < 0) return undefined
    if (pieces.length > 1) {
      const middle = pieces.length >> 1
      return Effect.zipRight(
        sendAll(delivery, pieces.slice(0, middle)),
        sendAll(delivery, pieces.slice(middle))
      )
    }
    const [piece] = pieces
    if (piece?.before === undefined) return undefined
    let before: Outcome = "delivered"
    const trace = new Delivery(delivery.endpoint, (_, { outcome }) => {
      before = outcome
    })
    const event = new Delivery(delivery.endpoint, (_, { outcome }) => delivery.tell(pieces, { outcome, before }))
    return Effect.zipRight(
      sendAll(trace, [new Piece<Item>(piece.before, [], undefined)]),
      sendAll(event, [new Piece(piece.item, piece.entries, undefined)])
    )
  }

  /** One request after the other, until all pieces have been attempted. */
  const sendAll = (delivery: Delivery, pieces: ReadonlyArray<Piece>): Effect.Effect<void> =>
    pieces.length === 0 ? Effect.void : Effect.flatMap(write(delivery.endpoint, pieces), (request) => {
      const rest = pieces.slice(request.pieces.length)
      const first = attempt(delivery, request)
      return rest.length === 0 ? first : Effect.zipRight(first, sendAll(delivery, rest))
    })

  const persist = (
    endpoint: Endpoint,
    all: ReadonlyArray<Piece>,
    tell: Tell,
    schedule: NonNullable<TransportSettings["retry"]>
  ): Effect.Effect<void> =>
    Effect.flatMap(Effect.zip(Schedule.driver(schedule), Clock.currentTimeMillis), ([driver, start]) => {
      const warnOfOutage = (count: number, error: LangfuseError): Effect.Effect<void> =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          now - start < longOutage ? Effect.void : warn(
            `again ${error.reason} ${error.status ?? ""}`,
            `${count} Langfuse events are tried again: ${error.message}`
          ))
      const go = (pieces: ReadonlyArray<Piece>): Effect.Effect<void> =>
        Effect.suspend(() => {
          const again: Array<readonly [ReadonlyArray<Piece>, Verdict, Problem]> = []
          const giveUp = (): void => {
            for (const [pieces, verdict] of again.splice(0)) tell(pieces, verdict)
          }
          const next = Effect.suspend(() => {
            const [first] = again
            if (first === undefined) return Effect.void
            return Effect.matchCauseEffect(driver.next(errorOf(first[2])), {
              // A schedule is the user's code: one that breaks ends the tries, not the exporter.
              onFailure: () => Effect.sync(giveUp),
              onSuccess: () => {
                // They were told in groups, and go in their order.
                const worthIt = new Set(again.splice(0).flatMap(([pieces]) => pieces))
                return Effect.zipRight(
                  warnOfOutage(worthIt.size, errorOf(first[2])),
                  go(pieces.filter((piece) => worthIt.has(piece)))
                )
              }
            })
          })
          const delivery = new Delivery(endpoint, (pieces, verdict) => {
            const { outcome } = verdict
            const problem = outcome === "delivered"
              ? undefined
              : "failed" in outcome
              ? outcome.failed
              : outcome.rejected
            if (problem !== undefined && retryable(problem)) again.push([pieces, verdict, problem])
            else tell(pieces, verdict)
          })
          return Effect.onInterrupt(Effect.zipRight(sendAll(delivery, pieces), next), () => Effect.sync(giveUp))
        })
      return go(all)
    })

  return (endpoint, pieces, tell) =>
    Effect.suspend(() => {
      const told = new Set<Piece>()
      const note: Tell = (pieces, verdict) => {
        for (const piece of pieces) told.add(piece)
        tell(pieces, verdict)
      }
      const sent = options.retry === undefined
        ? sendAll(new Delivery(endpoint, note), pieces)
        : persist(endpoint, pieces, note, options.retry)
      // An encoder that fails is ours to mend, and keeps no event pending.
      return Effect.catchAllCause(sent, () =>
        Effect.sync(() => tell(pieces.filter((piece) => !told.has(piece)), failed(unexpected)))).pipe(
          Effect.ensuring(Effect.sync(() => {
            told.clear()
            pieces.length = 0
          }))
        )
    })
}

export const errorOf = ({ description, reason, status }: Problem): LangfuseError =>
  new LangfuseError({ reason, status, description })

/** To 256 KB, so that a buffer serves again for what is about as large. */
const roundUp = (size: number): number => Math.ceil(size / (1 << 18)) * (1 << 18)

/** What the request takes, about: a buffer that has to grow is copied over and over. */
const sizeOf = (pieces: ReadonlyArray<Piece>, maxItems: number, maxBytes: number): number => {
  let size = 4096
  for (let i = 0; i < pieces.length && i < maxItems && size < maxBytes; i++) {
    const piece = pieces[i]
    if (piece !== undefined) size += piece.item.bytes + (piece.before === undefined ? 0 : piece.before.bytes)
  }
  return size + (size >> 4)
}

const tellEach = (
  pieces: ReadonlyArray<Piece>,
  verdictOn: (piece: Piece) => Verdict,
  reword: Reword.Reword,
  tell: Tell
): void => {
  const groups = new Map<Outcome, Map<Outcome, Array<Piece>>>()
  for (const piece of pieces) {
    const { before, outcome } = verdictOn(piece)
    const byBefore = groups.get(outcome) ?? new Map<Outcome, Array<Piece>>()
    groups.set(outcome, byBefore)
    const group = byBefore.get(before)
    if (group === undefined) byBefore.set(before, [piece])
    else group.push(piece)
  }
  for (const [outcome, byBefore] of groups) {
    for (const [before, group] of byBefore) tell(group, { outcome: reword(outcome), before: reword(before) })
  }
}

const gzip = async (body: Uint8Array): Promise<Uint8Array> => {
  const stream = new CompressionStream("gzip")
  const writer = stream.writable.getWriter()
  const [bytes] = await Promise.all([
    new Response(stream.readable).arrayBuffer(),
    // The copy is what makes the bytes those of an `ArrayBuffer`, whatever memory they came in.
    writer.write(new Uint8Array(body)),
    writer.close()
  ])
  return new Uint8Array(bytes)
}
