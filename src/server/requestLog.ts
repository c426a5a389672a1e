/**
 * The requests that came, while they are answered and afterwards.
 */
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import type { RecordedRequest } from "./service.js"

type Seen = Pick<RecordedRequest, "body" | "bytes" | "ids" | "fault" | "receivedAt">

/** A request whose answer is still to be filled in. */
export type Recorded = { -readonly [K in keyof RecordedRequest]: RecordedRequest[K] }

export interface RequestLog {
  readonly record: (request: HttpServerRequest, seen: Seen) => Recorded
  readonly read: Effect.Effect<ReadonlyArray<RecordedRequest>>
  readonly awaitCount: (count: number) => Effect.Effect<ReadonlyArray<RecordedRequest>>
  readonly clear: () => void
}

/** How many requests are remembered where bodies have a bound. */
const maxRequests = 10_000

export const make = (maxBytes: number): RequestLog => {
  const requests: Array<Recorded> = []
  const waiting = new Set<{ readonly count: number; readonly reached: Effect.Latch }>()
  let bytes = 0
  let firstWithBody = 0

  /** The oldest bodies go first. */
  const makeRoom = (): void => {
    for (; bytes > maxBytes && firstWithBody < requests.length; firstWithBody++) {
      const request = requests[firstWithBody]
      bytes -= request?.body?.length ?? 0
      if (request !== undefined) request.body = undefined
    }
    if (Number.isFinite(maxBytes) && requests.length > maxRequests) {
      bytes -= requests.shift()?.body?.length ?? 0
      firstWithBody = Math.max(0, firstWithBody - 1)
    }
  }

  const read = Effect.sync(() => requests.map((request): RecordedRequest => ({ ...request })))

  return {
    record: (request, seen) => {
      const { authorization, ...headers } = request.headers
      const recorded: Recorded = {
        method: request.method,
        path: request.url,
        headers: authorization === undefined ? headers : { ...headers, authorization: "<redacted>" },
        status: undefined,
        verdicts: [],
        ...seen
      }
      requests.push(recorded)
      bytes += recorded.body?.length ?? 0
      makeRoom()
      for (const waiter of waiting) {
        if (requests.length >= waiter.count) waiter.reached.unsafeOpen()
      }
      return recorded
    },
    read,
    awaitCount: (count) =>
      Effect.suspend(() => {
        if (requests.length >= count) return read
        const waiter = { count, reached: Effect.unsafeMakeLatch() }
        waiting.add(waiter)
        return waiter.reached.await.pipe(
          Effect.ensuring(Effect.sync(() => waiting.delete(waiter))),
          Effect.zipRight(read)
        )
      }),
    clear: () => {
      requests.length = 0
      bytes = 0
      firstWithBody = 0
    }
  }
}
