/** Which Langfuse this is: what its health check says, asked once before the first batch. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { readHealth } from "../core/wire/health.js"
import { isCloud } from "./address.js"
import type { Http } from "./http.js"

export interface Server {
  /** As far as it is known. */
  readonly version: () => string | undefined
  /** Waits for a check that is under way, but not for long: events do not depend on it. */
  readonly ask: Effect.Effect<void>
}

const patience = "1 second"

/** A check that failed is made again after this time, in milliseconds. */
const askAgain = 30_000

/** Langfuse Cloud is not asked: it takes everything that a current server does. */
export const make = (http: Http, baseUrl: string): Server => {
  let version: string | undefined
  let nextAt = -Infinity
  let checking: Fiber.RuntimeFiber<void> | undefined

  const check = http.get("/api/public/health").pipe(
    Effect.map((answer) => {
      version = readHealth(answer.text).version
    }),
    Effect.catchAllCause(() => Effect.void)
  )

  const start = Effect.map(Effect.forkDaemon(Effect.interruptible(check)), (fiber) => {
    checking = fiber
    fiber.addObserver(() => {
      checking = undefined
    })
    return fiber
  })

  const wait = (fiber: Fiber.RuntimeFiber<void>): Effect.Effect<void> =>
    Effect.asVoid(Effect.timeoutOption(Fiber.await(fiber), patience))

  return {
    version: () => version,
    ask: Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (version !== undefined || isCloud(baseUrl)) return Effect.void
      if (checking !== undefined) return wait(checking)
      if (now < nextAt) return Effect.void
      nextAt = now + askAgain
      return Effect.flatMap(start, wait)
    })
  }
}
