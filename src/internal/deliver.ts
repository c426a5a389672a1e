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

/** The given list is emptied at the end: instructions of fibers hold it for a while, and would hold its contents. */
export type Deliver = (endpoint: Endpoint, pieces: Array<Piece>, tell: Tell) => Effect.Effect<void>

/** What carries the pieces from one index up to another. */
interface Request {
  readonly from: number
  readonly to: number
  readonly body: Uint8Array
}

/** What the requests of one delivery share. They name pieces by their indices, so that they need no lists of their own. */
class Delivery {
  readonly endpoint: Endpoint
  readonly pieces: ReadonlyArray<Piece>
  private readonly tell: Tell
  /** Requests refused with 400 that are still halved: one that refuses everything would be asked a thousand times. */
  halvings = 64
  /** How many pieces have been told. Outcomes are told in order, from the front. */
  private told = 0

  constructor(endpoint: Endpoint, pieces: ReadonlyArray<Piece>, tell: Tell) {
    this.endpoint = endpoint
    this.pieces = pieces
    this.tell = tell
  }

  /** Tells one verdict for all pieces before the index that were not told yet. */
  tellUpTo(to: number, verdict: Verdict): void {
    const pieces = this.pieces.slice(this.told, to)
    this.told = Math.max(this.told, to)
    if (pieces.length > 0) this.tell(pieces, verdict)
  }

  /** The same with a verdict for each; pieces with the same outcomes are told together. */
  tellEach(to: number, verdictOn: (piece: Piece) => Verdict, reword: Reword.Reword): void {
    const groups = new Map<Outcome, Map<Outcome, Array<Piece>>>()
    for (const piece of this.pieces.slice(this.told, to)) {
      const { before, outcome } = verdictOn(piece)
      const byBefore = groups.get(outcome) ?? new Map<Outcome, Array<Piece>>()
      groups.set(outcome, byBefore)
      const group = byBefore.get(before)
      if (group === undefined) byBefore.set(before, [piece])
      else group.push(piece)
    }
    this.told = to
    for (const [outcome, byBefore] of groups) {
      for (const [before, group] of byBefore) this.tell(group, { outcome: reword(outcome), before: reword(before) })
    }
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
  const write = ({ endpoint, pieces }: Delivery, from: number, to: number): Effect.Effect<Request> =>
    Effect.suspend(() => {
      const out = new Bytes(roundUp(sizeOf(pieces, from, to, endpoint.maxItems, options.maxBatchBytes)), kept.pop())
      let next = from
      let items = 0
      let isFull = false
      const fill = (): void => {
        const until = out.length + slice
        while (!isFull && next < to && out.length < until) {
          const piece = pieces[next]
          if (piece === undefined) throw new Error("the list changed while it was delivered")
          const mark = out.mark()
          items += piece.before === undefined ? 1 : 2
          isFull = next > from && items > endpoint.maxItems
          if (isFull) break
          endpoint.write(out, piece)
          isFull = next > from && out.length > options.maxBatchBytes - maxEnd
          if (isFull) out.rewind(mark)
          else next++
        }
      }
      const go: Effect.Effect<Request> = Effect.suspend(() => {
        fill()
        if (!isFull && next < to) return Effect.zipRight(turnOfEventLoop, go)
        endpoint.end(out)
        return Effect.succeed({ from, to: next, body: out.view() })
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

  const attempt = (delivery: Delivery, { body, from, to }: Request): Effect.Effect<void> => {
    const { endpoint, pieces } = delivery
    const reword = rewordOf(body)
    return pause.pipe(
      Effect.zipRight(post(endpoint, body)),
      Effect.matchCauseEffect({
        onFailure: (cause) =>
          Effect.sync(() =>
            delivery.tellUpTo(to, failed(Option.getOrElse(Cause.failureOption(cause), () => unexpected)))
          ),
        onSuccess: (answer) => {
          if (answer.status >= 200 && answer.status < 300) {
            return Effect.sync(() => {
              const verdictOn = endpoint.read(answer)
              delivery.tellEach(to, verdictOn, reword)
              const first = pieces[from]
              // Who answers with something else may not even have read it.
              if (first !== undefined && verdictOn(first).outcome === "delivered") keep(body)
            })
          }
          const parts = partsOf(delivery, from, to, answer)
          if (parts !== undefined) return parts
          return Effect.map(Clock.currentTimeMillis, (now) => {
            if (answer.status === 429) {
              const left = now < pausedFrom ? 0 : pausedUntil - now
              pausedFrom = now
              pausedUntil = now + Math.max(left, retryAfter(answer, now))
            }
            delivery.tellUpTo(to, same(reword({ failed: problemOf(answer, now) })))
          })
        }
      }),
      // The events of a request that is cut off by the close have failed already; the traces before them are counted here.
      Effect.onInterrupt(() => Effect.sync(() => delivery.tellUpTo(to, failed(cutOff))))
    )
  }

  /** Two requests in place of one that was refused, where that may help. */
  const partsOf = (delivery: Delivery, from: number, to: number, answer: Answer): Effect.Effect<void> | undefined => {
    const { endpoint, pieces } = delivery
    if (!endpoint.divisible(answer)) return undefined
    if (answer.status === 400 && --delivery.halvings < 0) return undefined
    if (to - from > 1) {
      const middle = (from + to) >> 1
      return Effect.zipRight(sendAll(delivery, from, middle), sendAll(delivery, middle, to))
    }
    const piece = pieces[from]
    if (piece?.before === undefined) return undefined
    let before: Outcome = "delivered"
    const trace = new Delivery(endpoint, [new Piece<Item>(piece.before, [], undefined)], (_, { outcome }) => {
      before = outcome
    })
    const event = new Delivery(
      endpoint,
      [new Piece(piece.item, piece.entries, undefined)],
      (_, { outcome }) => delivery.tellUpTo(to, { outcome, before })
    )
    return Effect.zipRight(run(trace), run(event))
  }

  /** One request after the other, until all of these pieces have been attempted. */
  const sendAll = (delivery: Delivery, from: number, to: number): Effect.Effect<void> =>
    from >= to ? Effect.void : Effect.flatMap(write(delivery, from, to), (request) => {
      const first = attempt(delivery, request)
      return request.to >= to ? first : Effect.zipRight(first, sendAll(delivery, request.to, to))
    })

  /** An encoder that fails is ours to mend, and keeps no event pending. */
  const run = (delivery: Delivery): Effect.Effect<void> => {
    const { length } = delivery.pieces
    return Effect.catchAllCause(
      sendAll(delivery, 0, length),
      () => Effect.sync(() => delivery.tellUpTo(length, failed(unexpected)))
    )
  }

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
              onSuccess: () =>
                Effect.zipRight(
                  warnOfOutage(again.reduce((count, [pieces]) => count + pieces.length, 0), errorOf(first[2])),
                  Effect.suspend(() => {
                    // They were told in groups, and go in their order.
                    const worthIt = new Set(again.splice(0).flatMap(([pieces]) => pieces))
                    return go(pieces.filter((piece) => worthIt.has(piece)))
                  })
                )
            })
          })
          const delivery = new Delivery(endpoint, pieces, (pieces, verdict) => {
            const { outcome } = verdict
            const problem = outcome === "delivered"
              ? undefined
              : "failed" in outcome
              ? outcome.failed
              : outcome.rejected
            if (problem !== undefined && retryable(problem)) again.push([pieces, verdict, problem])
            else tell(pieces, verdict)
          })
          return Effect.onInterrupt(Effect.zipRight(run(delivery), next), () => Effect.sync(giveUp))
        })
      return go(all)
    })

  return (endpoint, pieces, tell) =>
    Effect.suspend(() =>
      options.retry === undefined
        ? run(new Delivery(endpoint, pieces, tell))
        : persist(endpoint, pieces, tell, options.retry)
    ).pipe(Effect.ensuring(Effect.sync(() => {
      pieces.length = 0
    })))
}

export const errorOf = ({ description, reason, status }: Problem): LangfuseError =>
  new LangfuseError({ reason, status, description })

/** To 256 KB, so that a buffer serves again for what is about as large. */
const roundUp = (size: number): number => Math.ceil(size / (1 << 18)) * (1 << 18)

/** What the request takes, about: a buffer that has to grow is copied over and over. */
const sizeOf = (
  pieces: ReadonlyArray<Piece>,
  from: number,
  to: number,
  maxItems: number,
  maxBytes: number
): number => {
  let size = 4096
  for (let i = from; i < to && i < from + maxItems && size < maxBytes; i++) {
    const piece = pieces[i]
    if (piece !== undefined) size += piece.item.bytes + (piece.before === undefined ? 0 : piece.before.bytes)
  }
  return size + (size >> 4)
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
