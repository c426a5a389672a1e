import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Schedule, TestClock } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"
import * as Client from "../utils/client.js"
import { event, range, start, turns } from "../utils/ingest.js"

describe("what would surprise a user", () => {
  it.scoped("observations that end in one turn stay within the bounds of the queue", () =>
    Effect.gen(function*() {
      const { ingest } = yield* start({ maxQueueBytes: 1_000_000, capacity: 100 }, () => Effect.never)
      const tracer = LangfuseTracer.layer().pipe(Layer.provide(Layer.succeed(LangfuseIngest.LangfuseIngest, ingest)))
      yield* Effect.gen(function*() {
        for (let i = 0; i < 50; i++) {
          yield* Effect.sync(() => `${i}${"a".repeat(500_000)}`).pipe(Langfuse.tool("t", { output: (text) => text }))
        }
        // Nothing has yielded to the event loop since the first.
        const stats = yield* ingest.stats
        assert.isAtLeast(stats.offered, 35)
        assert.isAtLeast(stats.dropped, 30)
      }).pipe(Effect.provide(tracer))
    }))

  it.scoped("an outage is said although events are tried again", () =>
    Effect.gen(function*() {
      const { ingest, logs } = yield* start(
        { retry: Schedule.spaced("1 second"), flushTimeout: "1 minute" },
        () => Client.json(503, {})
      )
      yield* ingest.enqueue(event("a"))
      yield* Effect.fork(ingest.flush)
      yield* turns()
      for (let second = 0; second < 15; second++) {
        yield* TestClock.adjust("1 second")
        yield* turns()
      }
      assert.match(logs.warnings().join("\n"), /1 Langfuse events are tried again: 503/)
      assert.strictEqual(logs.warnings().length, 1)
    }))

  it.scoped("the close says how many were lost in all, where warnings were held back, and status why", () =>
    Effect.gen(function*() {
      const { close, ingest, logs } = yield* start({ capacity: 10, maxBatch: 1 }, () => Client.json(401, {}))
      for (const name of range(10)) yield* ingest.enqueue(event(name))
      yield* ingest.flush
      yield* close
      const { failed } = yield* ingest.stats
      assert.match(logs.lines.at(-1)?.message ?? "", new RegExp(`of 10 Langfuse events ${failed} failed`))
      assert.strictEqual((yield* ingest.status).lastFailure?.error.status, 401)
    }))

  it.scoped("what is said inside of an observation wins over its callbacks", () =>
    Effect.gen(function*() {
      const events = yield* Effect.gen(function*() {
        yield* Langfuse.update({ output: "explicit", usage: { input: 5 } }).pipe(
          Langfuse.generation("g", { output: () => "callback", usage: () => ({ input: 1 }) })
        )
        return yield* (yield* LangfuseIngest.CapturedEvents).all
      }).pipe(Effect.provide(Layer.provideMerge(LangfuseTracer.layer(), LangfuseIngest.layerMemory)))
      assert.deepInclude(events[0]?.body, { output: "explicit", usageDetails: { input: 5, total: 5 } })
    }))

  it.effect("there is no link to a trace that is left out", () =>
    Effect.gen(function*() {
      const url = Langfuse.traceUrl().pipe(Langfuse.tool("s"))
      const off = Layer.provideMerge(LangfuseTracer.layer(), LangfuseIngest.layerNoop)
      assert.isTrue(Option.isNone(yield* Effect.provide(url, off)))
      const sampledOut = Layer.provideMerge(LangfuseTracer.layer(), LangfuseIngest.layerMemoryWith({ sampleRate: 0 }))
      assert.isTrue(Option.isNone(yield* Effect.provide(url, sampledOut)))
      const on = Layer.provideMerge(LangfuseTracer.layer(), LangfuseIngest.layerMemory)
      assert.isTrue(Option.isSome(yield* Effect.provide(url, on)))
    }))

  it.effect("a token in a log line does not leave", () =>
    Effect.gen(function*() {
      const events = yield* Effect.gen(function*() {
        yield* Effect.logInfo("request", { headers: { authorization: "Bearer sk-SECRET-123456" } }).pipe(
          Langfuse.tool("t")
        )
        return yield* (yield* LangfuseIngest.CapturedEvents).all
      }).pipe(Effect.provide(Layer.provideMerge(LangfuseTracer.layer(), LangfuseIngest.layerMemory)))
      assert.notInclude(JSON.stringify(events), "SECRET")
      assert.include(JSON.stringify(events), "request")
    }))
})
