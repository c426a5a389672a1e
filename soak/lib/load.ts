/**
 * The program that is watched: many fibers that trace more than a server can take, some of it nonsense, and flush at odd
 * moments.
 */
import { Effect, Fiber, Schedule } from "effect"
import type { IngestionEvent, LangfuseIngest } from "effect-langfuse"
import { hostile } from "../../test/faults/support/hostile.js"
import type * as Random from "./random.js"
import { idOf } from "./wire.js"

export interface Options {
  readonly fibers: number
  /** Events a second, all fibers together. */
  readonly rate: number
}

export interface Load {
  /** Runs until it is interrupted. */
  readonly run: Effect.Effect<never>
  /** Events so far. */
  readonly offered: () => number
  /** Those of which the program was told that they will be sent. */
  readonly accepted: () => number
  /** Values and events that no serialiser takes as they are. */
  readonly badInputs: () => number
  /** Flushes that reported something impossible. */
  readonly oddFlushes: () => ReadonlyArray<string>
}

/** Milliseconds between two bursts of one fiber. */
const pause = 50

export const make = (ingest: LangfuseIngest.Service, random: Random.Random, options: Options): Load => {
  let offered = 0
  let accepted = 0
  let badInputs = 0
  let number = 0
  const oddFlushes: Array<string> = []

  const badInput = (): unknown => {
    badInputs++
    const [, make] = hostile[random.below(hostile.length)] ?? ["nothing", () => undefined]
    return make()
  }

  /** Mostly small, at times a long history, at times nonsense. */
  const content = (): unknown => {
    const dice = random.next()
    if (dice < 0.005) return badInput()
    return dice < 0.01 ? "x".repeat(50_000 + random.below(200_000)) : [{ role: "user", content: "y".repeat(800) }]
  }

  const enqueue = (event: unknown): void => {
    offered++
    // Code without types may pass anything.
    if (Reflect.apply(ingest.unsafeEnqueue, ingest, [event]) === true) accepted++
  }

  const burst = Math.max(1, Math.round((options.rate * pause) / 1000 / options.fibers))
  const worker = Effect.sync(() => {
    for (let i = 0; i < burst; i++) enqueue(generation(number++, content()))
    if (random.chance(0.005)) enqueue(badInput())
  }).pipe(
    Effect.zipRight(Effect.suspend(() => Effect.sleep(`${pause / 2 + random.below(pause)} millis`))),
    Effect.forever
  )

  // Awaited, several at once, or given up.
  const flush = Effect.gen(function*() {
    const flushing = yield* Effect.fork(ingest.flush)
    if (random.chance(0.5)) yield* Effect.sleep("5 millis")
    if (random.chance(0.3)) {
      yield* Fiber.interrupt(flushing)
      return
    }
    const report = yield* Fiber.join(flushing)
    if (Object.values(report).some((count) => !Number.isSafeInteger(count) || count < 0)) {
      oddFlushes.push(JSON.stringify(report))
    }
  })

  return {
    run: Effect.gen(function*() {
      for (let i = 0; i < 3; i++) yield* Effect.fork(Effect.repeat(flush, Schedule.spaced("500 millis")))
      for (let i = 0; i < options.fibers; i++) yield* Effect.fork(worker)
      return yield* Effect.never
    }),
    offered: () => offered,
    accepted: () => accepted,
    badInputs: () => badInputs,
    oddFlushes: () => oddFlushes
  }
}

const generation = (number: number, input: unknown): IngestionEvent.GenerationCreate => {
  const time = new Date(Date.UTC(2026, 10, 23) + number).toISOString()
  return {
    type: "generation-create",
    id: idOf(number),
    timestamp: time,
    body: {
      id: idOf(number),
      traceId: idOf(number).padStart(32, "50a4"),
      name: "step",
      startTime: time,
      endTime: time,
      model: "some-model",
      input
    }
  }
}
