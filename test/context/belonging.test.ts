/** What is said inside an observation belongs to it, and what is said of a trace to the trace. */
import { assert, describe } from "@effect/vitest"
import { Deferred, Effect, Fiber, Tracer } from "effect"
import { LangfuseIngest } from "effect-langfuse"
import * as Langfuse from "effect-langfuse/Langfuse"
import { inProcess, observation, observations, onBoth, stored, withWarnings } from "../utils/context.js"

const secret = Effect.gen(function*() {
  yield* Langfuse.update({ input: "private", usage: { input: 5 }, metadata: { secret: "private" } })
  yield* Langfuse.score({ name: "private", value: 1 })
  yield* Langfuse.updateTrace({ userId: "private", metadata: { secret: "private" } })
})

const outer = Langfuse.agent("outer", { input: "question" })

const isClean = Effect.gen(function*() {
  const server = yield* stored
  const text = JSON.stringify(server)
  assert.notInclude(text, "private")
  const { input, usageDetails } = yield* observation("outer")
  assert.strictEqual(input, "question")
  assert.deepStrictEqual(usageDetails, {})
  assert.deepStrictEqual(server.flatMap(({ scores }) => scores), [])
})

describe("what is said inside an observation", () => {
  onBoth(
    "for which tracing is off is said of none",
    Effect.gen(function*() {
      yield* inProcess(
        Effect.all([
          secret.pipe(Langfuse.generation("inner"), Effect.withTracerEnabled(false)),
          secret.pipe(Effect.withTracerEnabled(false)),
          secret.pipe(Effect.withTracerEnabled(true), Langfuse.generation("inner"), Effect.withTracerEnabled(false)),
          Langfuse.updateTrace({ userId: "private" }).pipe(
            Langfuse.generation("inner"),
            Effect.withTracerEnabled(false)
          )
        ]).pipe(outer)
      )
      yield* isClean
    })
  )

  onBoth(
    "that a filter leaves out, at once or at its end, is left out with it",
    Effect.gen(function*() {
      const program = secret.pipe(Langfuse.generation("inner"), outer)
      yield* inProcess(program, { filter: (span) => span.name !== "inner" })
      yield* isClean
    })
  )

  onBoth(
    "of which the filter decides at its end has the same fate",
    Effect.gen(function*() {
      yield* inProcess(secret.pipe(Langfuse.generation("inner"), outer), {
        filter: (span) => span.status._tag === "Ended"
      })
      const inner = yield* observation("inner")
      assert.strictEqual(inner.input, "private")
      const [trace] = yield* stored
      assert.deepStrictEqual(trace?.scores.map(({ name, observationId }) => [name, observationId]), [
        ["private", inner.id]
      ])
      assert.strictEqual((yield* observation("outer")).input, "question")
      assert.strictEqual(trace?.userId, "private")
    })
  )

  const scores = (count: number) =>
    Effect.all(Array.from({ length: count }, (_, i) => Langfuse.score({ name: `s${i}`, value: 1 })))
  const statsOf = Effect.flatMap(LangfuseIngest.LangfuseIngest, (ingest) => Effect.zipRight(ingest.flush, ingest.stats))
  const isFlagged = (span: Tracer.Span) => span.name === "outer" || span.attributes.has("flag")

  onBoth(
    "of which the filter decides at its end is counted, and at most 1,000 of it is held",
    Effect.gen(function*() {
      const [before, kept] = yield* inProcess(
        Effect.gen(function*() {
          const sent = yield* Langfuse.generation(scores(1001), "left out")
          assert.strictEqual(sent.filter((isSent) => isSent).length, 1000)
          const before = yield* statsOf
          yield* Effect.zipLeft(scores(2), Effect.annotateCurrentSpan("flag", 1)).pipe(Langfuse.generation("kept"))
          return [before, yield* statsOf]
        }),
        { filter: isFlagged }
      )
      assert.deepInclude(before, { offered: 1001, dropped: 1, sampledOut: 1000, pending: 0 })
      assert.deepInclude(kept, { offered: 1004, dropped: 1, sampledOut: 1000, pending: 0, delivered: 3 })
      assert.strictEqual((yield* stored)[0]?.scores.length, 2)
    })
  )

  onBoth(
    "that never ends has the fate of what is known of it when tracing stops",
    Effect.gen(function*() {
      const ingest = yield* inProcess(
        Effect.gen(function*() {
          const open = (name: string, then: Effect.Effect<void>) =>
            Effect.forkDaemon(scores(1).pipe(Effect.zipRight(then), Effect.zipRight(Effect.never), Langfuse.tool(name)))
          yield* open("kept", Effect.annotateCurrentSpan("flag", 1))
          yield* open("left out", Effect.void)
          yield* Effect.sleep("10 millis")
          return yield* LangfuseIngest.LangfuseIngest
        }),
        { filter: isFlagged }
      )
      assert.deepInclude(yield* ingest.stats, { offered: 3, sampledOut: 1, delivered: 2, pending: 0 })
    })
  )

  onBoth(
    "below a span for which tracing was off makes an observation of the span it is said in",
    Effect.gen(function*() {
      yield* inProcess(
        Langfuse.update({ input: "mine" }).pipe(
          Effect.withSpan("plain"),
          Effect.withTracerEnabled(true),
          Langfuse.generation("inner"),
          Effect.withTracerEnabled(false),
          outer
        )
      )
      assert.strictEqual((yield* observation("plain")).input, "mine")
      assert.strictEqual((yield* observation("outer")).input, "question")
    })
  )
})

describe("updateTrace", () => {
  onBoth(
    "means the trace, wherever it is called and from then on",
    Effect.gen(function*() {
      yield* inProcess(
        Effect.gen(function*() {
          yield* Effect.void.pipe(Langfuse.generation("before"))
          yield* Langfuse.updateTrace({
            name: "refund",
            userId: "grace",
            tags: ["vip"],
            metadata: { step: 1, deep: { a: [1] } }
          }).pipe(Langfuse.tool("tool"))
          yield* Effect.void.pipe(Langfuse.generation("after"))
        }).pipe(
          Langfuse.agent("agent"),
          Langfuse.withTrace({ name: "question", userId: "anonymous", tags: ["web"], metadata: { step: 0 } })
        ),
        {},
        { interval: "10 minutes" }
      )
      const [trace, ...others] = yield* stored
      assert.deepStrictEqual(others, [])
      assert.deepInclude(trace, { name: "refund", userId: "grace" })
      assert.sameMembers([...(trace?.tags ?? [])], ["web", "vip"])
      assert.include([1, "1"], trace?.metadata["step"])
      for (const name of ["agent", "after"]) {
        const one = yield* observation(name)
        if (one.table === "events") assert.deepInclude(one, { userId: "grace", traceName: "refund" }, name)
      }
    })
  )

  onBoth(
    "and withTrace say input and output of the trace from within an observation too",
    Effect.gen(function*() {
      const caller = Effect.withParentSpan(Tracer.externalSpan({ traceId: "a".repeat(32), spanId: "b".repeat(16) }))
      for (const below of [caller, (self: Effect.Effect<void>) => self]) {
        yield* inProcess(
          Effect.void.pipe(
            Langfuse.tool("inner", { input: "inner" }),
            Langfuse.withTrace({ input: "of the trace" }),
            Effect.zipRight(Langfuse.updateTrace({ output: { of: "the trace" } })),
            Langfuse.agent("outer", { input: "outer" }),
            below
          )
        )
      }
      const traces = yield* stored
      assert.strictEqual(traces.length, 2)
      for (const { input, output } of traces) {
        assert.deepStrictEqual([input, output], ["of the trace", { of: "the trace" }])
      }
    })
  )

  onBoth(
    "gives way to a withTrace that is entered after it, within",
    Effect.gen(function*() {
      yield* inProcess(
        Effect.zipRight(
          Langfuse.updateTrace({ userId: "grace", sessionId: "s" }),
          Effect.void.pipe(Langfuse.tool("inner"), Langfuse.withTrace({ userId: "linus" }))
        ).pipe(Langfuse.agent("outer"))
      )
      const inner = yield* observation("inner")
      if (inner.table === "events") assert.deepInclude(inner, { userId: "linus", sessionId: "s" })
    })
  )

  onBoth(
    "when all has left is counted and warned about once, as is a late update",
    Effect.gen(function*() {
      const [stats, warnings] = yield* withWarnings(inProcess(Effect.gen(function*() {
        const ingest = yield* LangfuseIngest.LangfuseIngest
        const gate = yield* Deferred.make()
        const late = Deferred.await(gate).pipe(
          Effect.zipRight(Langfuse.update({ output: "late" })),
          Effect.zipRight(Langfuse.update({ output: "later" })),
          Effect.zipRight(Langfuse.updateTrace({ userId: "late" }))
        )
        const fiber = yield* Effect.forkDaemon(late).pipe(Langfuse.agent("agent"))
        yield* ingest.flush
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(fiber)
        return yield* ingest.stats
      })))
      assert.deepInclude(stats, { offered: 4, delivered: 1, rejected: 3, pending: 0 })
      for (const what of ["update came", "updateTrace came"]) {
        assert.strictEqual(warnings.filter((line) => line.includes(what)).length, 1, what)
      }
      assert.strictEqual(warnings.length, 2)
    })
  )

  onBoth(
    "by a fiber that outlives its observation still counts while the trace is open",
    Effect.gen(function*() {
      const stats = yield* inProcess(Effect.gen(function*() {
        const ingest = yield* LangfuseIngest.LangfuseIngest
        const fiber = yield* Effect.gen(function*() {
          const gate = yield* Deferred.make()
          const fiber = yield* Effect.forkDaemon(
            Effect.zipRight(Deferred.await(gate), Langfuse.updateTrace({ userId: "grace" }))
          ).pipe(Langfuse.tool("tool"))
          yield* ingest.flush
          yield* Deferred.succeed(gate, undefined)
          yield* Fiber.join(fiber)
        }).pipe(Langfuse.agent("agent"))
        return yield* Effect.as(ingest.flush, fiber).pipe(Effect.zipRight(ingest.stats))
      }))
      assert.deepInclude(stats, { offered: 2, delivered: 2, rejected: 0 })
      assert.strictEqual((yield* stored)[0]?.userId, "grace")
    })
  )
})

describe("an observation's version", () => {
  onBoth(
    "is not the trace's",
    Effect.gen(function*() {
      yield* inProcess(
        Effect.void.pipe(
          Langfuse.generation("inner", { version: "prompt-7" }),
          Langfuse.agent("outer"),
          Langfuse.withTrace({ version: "app-2" })
        )
      )
      assert.deepStrictEqual((yield* observations).map(({ name, version }) => [name, version]).sort(), [
        ["inner", "prompt-7"],
        ["outer", "app-2"]
      ])
      const [trace] = yield* stored
      assert.strictEqual(trace?.version, "app-2")
    })
  )
})
