import type { HttpClient } from "@effect/platform"
import { Array as Arr, Context, Effect, Exit, Fiber, Layer, Logger, Redacted, Scope, TestClock } from "effect"
import type * as IngestionEvent from "effect-langfuse/IngestionEvent"
import type * as LangfuseConfig from "effect-langfuse/LangfuseConfig"
import * as LangfuseIngest from "effect-langfuse/LangfuseIngest"
import * as Client from "./client.js"

export const keys = { publicKey: "pk-lf-test", secretKey: Redacted.make("sk-lf-test-secret") }

/** Lets everything that is ready run: turns of the event loop, not time. */
export const turns = (n = 20): Effect.Effect<void> =>
  Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve))).pipe(Effect.repeatN(n))

/** Lets things run until the condition holds; fails the test when it never does. */
export const until = (
  condition: (() => boolean) | Effect.Effect<boolean>,
  what = "the condition"
): Effect.Effect<void> =>
  Effect.gen(function*() {
    for (let i = 0; i < 2000; i++) {
      if (Effect.isEffect(condition) ? yield* condition : condition()) return
      yield* turns(0)
    }
    return yield* Effect.dieMessage(`${what} never came about`)
  })

/** Collects log lines instead of printing them. */
export const collectLogs = () => {
  const lines: Array<{ readonly level: string; readonly message: string }> = []
  const logger = Logger.make(({ logLevel, message }) => {
    lines.push({ level: logLevel.label, message: Arr.ensure(message).map(String).join(" ") })
  })
  return {
    lines,
    warnings: () => lines.filter((line) => line.level === "WARN").map((line) => line.message),
    layer: Logger.replace(Logger.defaultLogger, logger)
  }
}

/** A running service over a fake HTTP client, closed by the test or by its scope. */
export const start = (
  options: Partial<LangfuseConfig.Options> = {},
  respond: Client.Responder = Client.accept,
  respondToHealth?: Client.Responder
) => {
  const fake = Client.make(respond, respondToHealth)
  return Effect.map(startWith(options, fake.layer), (started) => ({ ...started, ...fake }))
}

const startWith = (options: Partial<LangfuseConfig.Options>, client: Layer.Layer<HttpClient.HttpClient>) =>
  Effect.gen(function*() {
    const logs = collectLogs()
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) =>
      Effect.gen(function*() {
        // A test may leave a server hanging: its close then ends at the shutdown timeout, for which time has to pass.
        const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
        yield* turns()
        yield* TestClock.adjust("1 day")
        yield* Fiber.join(closing)
      }))
    const layer = LangfuseIngest.layer({ ...keys, baseUrl: "https://langfuse.test", protocol: "ingestion", ...options })
      .pipe(Layer.provide(client), Layer.provideMerge(logs.layer))
    const context = yield* Layer.buildWithScope(layer, scope)
    const ingest = Context.get(context, LangfuseIngest.LangfuseIngest)
    return { ingest, logs, close: Scope.close(scope, Exit.void) }
  })

/** A trace-create whose envelope id is readable in assertions. */
export const event = (
  id: string,
  body: Partial<IngestionEvent.TraceCreate["body"]> = {}
): IngestionEvent.TraceCreate => ({
  type: "trace-create",
  id,
  timestamp: "2026-11-23T12:00:00.000Z",
  body: { id: `trace-${id}`, ...body }
})

export const range = (count: number, prefix = "e"): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`)

/** The law of the ledger. */
export const balance = (stats: LangfuseIngest.IngestStats): number =>
  stats.offered - (stats.sampledOut + stats.dropped + stats.pending + stats.delivered + stats.rejected + stats.failed)

export const isBalanced = (stats: LangfuseIngest.IngestStats): boolean =>
  balance(stats) === 0 && Object.values(stats).every((n) => Number.isSafeInteger(n) && n >= 0)
