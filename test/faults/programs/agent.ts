/**
 * A program that traces ten steps and then ends in the way it is told to, for `ending.test.ts`.
 *
 * It writes `ready` when all is enqueued and the ledger when the exporter has closed, and ends by itself in any case.
 */
import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer, ManagedRuntime } from "effect"
import type { LangfuseConfig } from "effect-langfuse"
import { LangfuseIngest } from "effect-langfuse"
import { writeSync } from "node:fs"
import { generation, marker } from "../support/host.js"

const [, , ending = "value", run = "000000", protocol = "ingestion"] = process.argv

// Whatever happens: no test may leave a process behind.
setTimeout(() => process.exit(99), 15_000).unref()

const say = (line: string): void => void writeSync(1, `${line}\n`)

const options: Partial<LangfuseConfig.Options> = {
  protocol: protocol === "otlp" ? "otlp" : "ingestion",
  interval: ending === "forgets" ? "100 millis" : "1 hour",
  maxBatch: ending === "forgets" ? 100 : 6,
  shutdownTimeout: "500 millis"
}

const enqueue = Effect.gen(function*() {
  const ingest = yield* LangfuseIngest.LangfuseIngest
  for (let i = 0; i < 10; i++) yield* ingest.enqueue(generation(run, i, marker))
  return ingest
})

const exit = Effect.sync((): void => {
  process.exit(3)
})

const end: Effect.Effect<unknown, string> = Effect.suspend(() => {
  switch (ending) {
    case "value":
    case "exit in an outer finalizer":
      return Effect.succeed("value")
    case "failure":
      return Effect.fail("failure")
    case "defect":
      return Effect.die(new Error("a bug of the program's own"))
    case "interruption":
      return Effect.interrupt
    case "exception":
      // Outside of Effect: nobody can catch it.
      setTimeout(() => {
        throw new Error("thrown from a timer")
      }, 0)
      return Effect.never
    case "rejection":
      void Promise.reject(new Error("rejected by nobody"))
      return Effect.never
    case "exit":
      return exit
    case "exit in an inner finalizer":
      return Effect.scoped(Effect.addFinalizer(() => exit))
    default:
      return Effect.never
  }
})

// A timer, since a fiber that waits for ever does not keep a process alive.
const alive = setInterval(() => {}, 1000)

const layer = LangfuseIngest.layerFromEnvWith(options).pipe(Layer.provide(FetchHttpClient.layer))

if (ending === "forgets") {
  // A runtime that nobody disposes of.
  clearInterval(alive)
  ManagedRuntime.make(layer).runPromise(enqueue).then(() => say("ready"), () => process.exit(98))
} else {
  let ingest: LangfuseIngest.Service | undefined
  const main = Effect.gen(function*() {
    ingest = yield* enqueue
    // The full batch leaves by itself; the rest waits for the end.
    for (let i = 0; i < 50 && (yield* ingest.stats).delivered < 6; i++) yield* Effect.sleep("20 millis")
    say("ready")
    return yield* end
  }).pipe(
    Effect.provide(layer),
    Effect.ensuring(Effect.suspend(() => {
      clearInterval(alive)
      return ingest === undefined
        ? Effect.void
        : Effect.map(ingest.stats, (stats) => {
          say(JSON.stringify(stats))
          if (ending === "exit in an outer finalizer") process.exit(3)
        })
    }))
  )
  if (ending === "without runMain") Effect.runFork(main)
  else NodeRuntime.runMain(main)
}
