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
import type { Piece } from "../core/flow/piece.js"
import type { Item } from "../core/item/item.js"
import type { Answer } from "../core/wire/answers.js"
import { problemOf, retryable, retryAfter } from "../core/wire/answers.js"
import { Bytes } from "../core/wire/bytes.js"
import { LangfuseError } from "../LangfuseError.js"
import * as Http from "./http.js"
import * as Reword from "./reword.js"
import type { TransportSettings } from "./settings.js"
import { turnOfEventLoop } from "./turn.js"

export interface Endpoint<A extends Item> {
  readonly path: string
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
  readonly begin: (out: Bytes) => void
  readonly write: (out: Bytes, piece: Piece<A>) => void
  readonly end: (out: Bytes) => void
  /** Pieces in one request. */
  readonly maxPieces: number
  readonly canCompress: boolean
  /** Reads a 2xx answer: the outcome of a piece, and of the trace before it. */
  readonly read: (answer: Answer) => (piece: Piece<A>) => Verdict
  /** Whether a request refused like this may pass in two halves. */
  readonly divisible: (answer: Answer) => boolean
}

export interface Verdict {
  readonly outcome: Outcome
  readonly before: Outcome
}

/** Pieces with the same outcome are told together. */
export type Tell<A extends Item = Item> = (pieces: ReadonlyArray<Piece<A>>, verdict: Verdict) => void

export type Deliver = <A extends Item>(
  endpoint: Endpoint<A>,
  pieces: ReadonlyArray<Piece<A>>,
  tell: Tell<A>
) => Effect.Effect<void>

interface Request<A extends Item> {
  readonly pieces: ReadonlyArray<Piece<A>>
  readonly body: Uint8Array
}

/** Bytes written before others get a turn of the event loop. */
const slice = 256 * 1024

/** What `end` writes at most. */
const maxEnd = 8

/** Buffers kept to be used again: fresh ones, outside of the heap, force full collections. */
const maxKept = 4

const same = (outcome: Outcome): Verdict => ({ outcome, before: outcome })

const failed = (problem: Problem): Verdict => same({ failed: problem })

const unexpected: Problem = {
  reason: "Defect",
  status: undefined,
  description: "the HTTP client or the encoder failed unexpectedly"
}

export const make = (http: Http.Http, options: TransportSettings): Deliver => {
  const rewordOf = Reword.make(options)
  const kept: Array<Uint8Array> = []
  /** Epoch milliseconds between which no request starts. */
  let pausedFrom = 0
  let pausedUntil = 0

  /** As many of the pieces as go into one request. */
  const write = <A extends Item>(endpoint: Endpoint<A>, pieces: ReadonlyArray<Piece<A>>): Effect.Effect<Request<A>> =>
    Effect.suspend(() => {
      const out = new Bytes(roundUp(sizeOf(pieces, endpoint.maxPieces, options.maxBatchBytes)), kept.pop())
      let count = 0
      let isFull = false
      const fill = (): void => {
        const until = out.length + slice
        while (!isFull && count < pieces.length && count < endpoint.maxPieces && out.length < until) {
          const piece = pieces[count]
          if (piece === undefined) break
          const mark = out.length
          endpoint.write(out, piece)
          isFull = count > 0 && out.length > options.maxBatchBytes - maxEnd
          if (isFull) out.length = mark
          else count++
        }
      }
      const go: Effect.Effect<Request<A>> = Effect.suspend(() => {
        fill()
        if (!isFull && count < pieces.length && count < endpoint.maxPieces) return Effect.zipRight(turnOfEventLoop, go)
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
      Effect.sync(() => {
        if (pausedUntil === until) pausedUntil = 0
      })
    )
  })

  const post = <A extends Item>(endpoint: Endpoint<A>, body: Uint8Array): Effect.Effect<Answer, Problem> => {
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

  /** Answered with 2xx, and read to its end: nobody reads from the buffer any more. */
  const keep = (body: Uint8Array): void => {
    if (options.transformClient === undefined && kept.length < maxKept && body.buffer instanceof ArrayBuffer) {
      kept.push(new Uint8Array(body.buffer))
    }
  }

  const attempt = <A extends Item>(
    endpoint: Endpoint<A>,
    request: Request<A>,
    tell: Tell<A>
  ): Effect.Effect<void> => {
    const { body, pieces } = request
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
          if (endpoint.divisible(answer) && pieces.length > 1) {
            const middle = pieces.length >> 1
            return Effect.zipRight(
              sendAll(endpoint, pieces.slice(0, middle), tell),
              sendAll(endpoint, pieces.slice(middle), tell)
            )
          }
          return Effect.map(Clock.currentTimeMillis, (now) => {
            if (answer.status === 429) {
              const left = now < pausedFrom ? 0 : pausedUntil - now
              pausedFrom = now
              pausedUntil = now + Math.max(left, retryAfter(answer, now))
            }
            tell(pieces, same(reword({ failed: problemOf(answer, now) })))
          })
        }
      })
    )
  }

  /** One request after the other, until all pieces have been attempted. */
  const sendAll = <A extends Item>(
    endpoint: Endpoint<A>,
    pieces: ReadonlyArray<Piece<A>>,
    tell: Tell<A>
  ): Effect.Effect<void> =>
    pieces.length === 0 ? Effect.void : Effect.flatMap(write(endpoint, pieces), (request) => {
      const rest = pieces.slice(request.pieces.length)
      const first = attempt(endpoint, request, tell)
      return rest.length === 0 ? first : Effect.zipRight(first, sendAll(endpoint, rest, tell))
    })

  const persist = <A extends Item>(
    endpoint: Endpoint<A>,
    pieces: ReadonlyArray<Piece<A>>,
    tell: Tell<A>,
    schedule: NonNullable<TransportSettings["retry"]>
  ): Effect.Effect<void> =>
    Effect.flatMap(Schedule.driver(schedule), (driver) => {
      const go = (pieces: ReadonlyArray<Piece<A>>): Effect.Effect<void> =>
        Effect.suspend(() => {
          const again: Array<readonly [ReadonlyArray<Piece<A>>, Verdict, Problem]> = []
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
                return go(pieces.filter((piece) => worthIt.has(piece)))
              }
            })
          })
          const once = sendAll(endpoint, pieces, (pieces, verdict) => {
            const { outcome } = verdict
            const problem = outcome === "delivered"
              ? undefined
              : "failed" in outcome
              ? outcome.failed
              : outcome.rejected
            if (problem !== undefined && retryable(problem)) again.push([pieces, verdict, problem])
            else tell(pieces, verdict)
          })
          return Effect.onInterrupt(Effect.zipRight(once, next), () => Effect.sync(giveUp))
        })
      return go(pieces)
    })

  return (endpoint, pieces, tell) =>
    (options.retry === undefined
      ? sendAll(endpoint, pieces, tell)
      : persist(endpoint, pieces, tell, options.retry)).pipe(
        // An encoder that fails is ours to mend; its events are told of all the same, by whoever holds them.
        Effect.catchAllCause(() => Effect.void)
      )
}

export const errorOf = ({ description, reason, status }: Problem): LangfuseError =>
  new LangfuseError({ reason, status, description })

/** To 256 KB, so that a buffer serves again for what is about as large. */
const roundUp = (size: number): number => Math.ceil(size / (1 << 18)) * (1 << 18)

/** What the request takes, about: a buffer that has to grow is copied over and over. */
const sizeOf = (pieces: ReadonlyArray<Piece>, maxPieces: number, maxBytes: number): number => {
  let size = 4096
  for (let i = 0; i < pieces.length && i < maxPieces && size < maxBytes; i++) {
    const piece = pieces[i]
    if (piece !== undefined) size += piece.item.bytes + (piece.before === undefined ? 0 : piece.before.bytes)
  }
  return size + (size >> 4)
}

const tellEach = <A extends Item>(
  pieces: ReadonlyArray<Piece<A>>,
  verdictOn: (piece: Piece<A>) => Verdict,
  reword: Reword.Reword,
  tell: Tell<A>
): void => {
  const groups = new Map<Outcome, Map<Outcome, Array<Piece<A>>>>()
  for (const piece of pieces) {
    const { before, outcome } = verdictOn(piece)
    const byBefore = groups.get(outcome) ?? new Map<Outcome, Array<Piece<A>>>()
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
