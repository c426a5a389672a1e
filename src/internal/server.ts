/** Which Langfuse this is: what its health check says, asked once before the first batch. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { readHealth } from "../core/wire/health.js"
import { isCloud } from "./address.js"
import type { Http } from "./http.js"

export interface Server {
  /** As far as it is known. */
  readonly version: () => string | undefined
  /**
   * Waits for the first check, and a second at most: events do not depend on it. Who asks first goes on first, so that
   * batches keep their order.
   */
  readonly ask: Effect.Effect<void>
  /** Whether the first check has ended, well or not, or nobody waits for it any more. */
  readonly isAsked: () => boolean
}

/** Milliseconds in which the first check may hold up batches. */
const patience = 1000

/** A check that failed is made again after this time, in milliseconds. */
const askAgain = 30_000

/** Langfuse Cloud is not asked: it takes everything that a current server does. */
export const make = (http: Http, baseUrl: string, scope: Scope.Scope): Server => {
  let version: string | undefined
  let nextAt = -Infinity
  let waitUntil: number | undefined
  let checking: Fiber.RuntimeFiber<void> | undefined
  const isOnCloud = isCloud(baseUrl)
  let isAsked = isOnCloud
  let waiting = 0
  const inTurn = Effect.unsafeMakeSemaphore(1)

  const check = http.get("/api/public/health").pipe(
    Effect.map((answer) => {
      version = readHealth(answer.text).version
    }),
    Effect.catchAllCause(() => Effect.void)
  )

  const start = Effect.map(Effect.forkIn(Effect.interruptible(check), scope), (fiber) => {
    checking = fiber
    fiber.addObserver(() => {
      checking = undefined
    })
    return fiber
  })

  const wait = (fiber: Fiber.RuntimeFiber<void>, now: number): Effect.Effect<void> => {
    const rest = (waitUntil ??= now + patience) - now
    return rest <= 0 ? Effect.void : Effect.asVoid(Effect.timeoutOption(Fiber.await(fiber), Math.min(rest, patience)))
  }

  const checkOnce = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    if (version !== undefined) return Effect.void
    if (checking !== undefined) return wait(checking, now)
    if (now < nextAt) return Effect.void
    nextAt = now + askAgain
    return Effect.flatMap(start, (fiber) => wait(fiber, now))
  })

  return {
    version: () => version,
    isAsked: () => isAsked,
    ask: Effect.suspend(() => {
      if (isOnCloud || (waiting === 0 && version !== undefined)) return Effect.void
      waiting++
      return Effect.ensuring(
        inTurn.withPermits(1)(checkOnce),
        Effect.sync(() => {
          isAsked = true
          waiting--
        })
      )
    })
  }
}
