/** Where a trace begins, and what holds in it. */
import { assert, describe } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Option, Queue, Schedule, Stream } from "effect"
import * as Langfuse from "effect-langfuse/Langfuse"
import * as LangfuseTracer from "effect-langfuse/LangfuseTracer"
import { inProcess, observation, observations, onBoth, stored, withWarnings } from "../utils/context.js"
import { recording } from "../utils/tracer.js"

const users = ["ada", "bob", "cyd"]

const turn = (userId: string, options: Langfuse.TraceOptions = {}) =>
  Effect.void.pipe(
    Langfuse.generation(`model for ${userId}`),
    Langfuse.agent(`turn of ${userId}`, { input: userId }),
    Langfuse.withTrace({ userId, sessionId: `s-${userId}`, ...options })
  )

const warns = (warnings: ReadonlyArray<string>) => warnings.filter((line) => line.includes("newTrace")).length

describe("a trace of its own", () => {
  onBoth(
    "is what newTrace begins, also below a span that nobody sees",
    Effect.gen(function*() {
      const [, warnings] = yield* withWarnings(inProcess(
        Effect.forEach(users, (user) => turn(user, { newTrace: true })).pipe(Effect.withSpan("worker"))
      ))
      const traces = yield* stored
      assert.deepStrictEqual(traces.map(({ userId }) => userId).sort(), users)
      for (const { observations, sessionId, userId } of traces) {
        assert.strictEqual(sessionId, `s-${userId}`)
        assert.deepStrictEqual(observations.map(({ name }) => name).sort(), [
          `model for ${userId}`,
          `turn of ${userId}`
        ])
      }
      assert.strictEqual(warns(warnings), 0)
    })
  )

  onBoth(
    "has what is said within, and the outer trace's id in its metadata",
    Effect.gen(function*() {
      const outerId = yield* inProcess(
        Effect.gen(function*() {
          yield* turn("bob", { newTrace: true, tags: ["job"] })
          return yield* Langfuse.currentTraceId
        }).pipe(
          Langfuse.agent("request"),
          Langfuse.withTrace({
            name: "request",
            userId: "ada",
            tags: ["web"],
            metadata: { plan: "free" },
            version: "1"
          })
        )
      )
      const traces = yield* stored
      const request = traces.find(({ userId }) => userId === "ada")
      const job = traces.find(({ userId }) => userId === "bob")
      assert.strictEqual(traces.length, 2)
      assert.deepStrictEqual(request?.observations.map(({ name }) => name), ["request"])
      assert.deepStrictEqual([...(job?.tags ?? [])], ["job"])
      assert.notInclude(JSON.stringify(job), "free")
      assert.strictEqual(job?.version, undefined)
      assert.strictEqual(job?.metadata["outerTraceId"], request?.id)
      assert.deepStrictEqual(outerId, Option.some(request?.id ?? ""))
    })
  )

  onBoth(
    "is one trace, whatever runs in it side by side, and another one each time it is run",
    Effect.gen(function*() {
      const both = Effect.all([Effect.void.pipe(Langfuse.tool("a")), Effect.void.pipe(Langfuse.tool("b"))], {
        concurrency: 2
      }).pipe(Langfuse.withTrace({ newTrace: true, userId: "u" }))
      yield* inProcess(Effect.repeatN(both, 1).pipe(Effect.withSpan("worker")))
      const traces = yield* stored
      assert.deepStrictEqual(traces.map(({ observations }) => observations.map(({ name }) => name).sort()), [
        ["a", "b"],
        ["a", "b"]
      ])
    })
  )

  onBoth(
    "leaves the spans of a tracer beside it where they are",
    Effect.gen(function*() {
      const { spans, tracer } = recording()
      yield* inProcess(
        Effect.forEach(users, (user) => turn(user, { newTrace: true })).pipe(Effect.withSpan("worker")),
        {},
        {},
        (options) => LangfuseTracer.layerTee(options).pipe(Layer.provide(Layer.setTracer(tracer)))
      )
      assert.deepStrictEqual((yield* stored).map(({ userId }) => userId).sort(), users)
      const worker = spans.find(({ name }) => name === "worker")
      for (const span of spans.filter(({ name }) => name.startsWith("turn"))) {
        assert.isTrue(span.parent._tag === "Some" && span.parent.value === worker)
      }
    })
  )
})

describe("a new root", () => {
  onBoth(
    "has what is said between it and the span around it, and nothing else",
    Effect.gen(function*() {
      for (const withRoot of ["Langfuse", "Effect"] as const) {
        yield* inProcess(
          Effect.gen(function*() {
            const jobs = yield* Queue.unbounded<string>()
            const worker = Queue.take(jobs).pipe(
              Effect.flatMap((user) => {
                const model = Effect.void.pipe(Langfuse.generation(`model ${withRoot}`))
                const job = withRoot === "Langfuse"
                  ? model.pipe(Langfuse.agent("job", { root: true }))
                  : model.pipe(Effect.withSpan("job", { root: true }))
                return Langfuse.withTrace(job, { userId: user })
              }),
              Effect.forever
            )
            const fiber = yield* Effect.forkDaemon(worker)
            yield* Queue.offer(jobs, "bob")
            yield* Effect.repeat(Effect.yieldNow(), Schedule.recurs(50))
            yield* Fiber.interrupt(fiber)
          }).pipe(
            Langfuse.agent("request"),
            Langfuse.withTrace({ userId: "ada", sessionId: "s", tags: ["web"], metadata: { plan: "free" } })
          )
        )
      }
      const traces = yield* stored
      const ofBob = traces.filter(({ userId }) => userId === "bob")
      assert.deepStrictEqual(ofBob.map(({ observations }) => observations.length).sort(), [1, 2])
      for (const trace of ofBob) {
        assert.deepInclude(trace, { sessionId: undefined, tags: [] })
        assert.notInclude(JSON.stringify(trace), "free")
        assert.notInclude(JSON.stringify(trace), "\"ada\"")
      }
      assert.strictEqual(traces.filter(({ userId }) => userId === "ada").length, 2)
    })
  )
})

describe("siblings that contradict each other", () => {
  onBoth(
    "cause one warning that names the option, and are not split",
    Effect.gen(function*() {
      const [, warnings] = yield* withWarnings(
        inProcess(
          Effect.zipRight(Langfuse.event("ready"), Effect.forEach(users, (user) => turn(user))).pipe(
            Langfuse.observe("worker"),
            Langfuse.withTrace({ name: "worker" })
          )
        )
      )
      assert.strictEqual((yield* stored).length, 1)
      assert.strictEqual(warns(warnings), 1)
    })
  )

  onBoth(
    "are not those that add to what is said around them",
    Effect.gen(function*() {
      const [, warnings] = yield* withWarnings(inProcess(
        Effect.all([
          Effect.void.pipe(Langfuse.tool("a"), Langfuse.withTrace({ tags: ["a"] })),
          Effect.void.pipe(Langfuse.tool("b"), Langfuse.withTrace({ userId: "inner" })),
          Langfuse.updateTrace({ userId: "later" }),
          Effect.void.pipe(Langfuse.tool("c"))
        ]).pipe(Langfuse.agent("agent"), Langfuse.withTrace({ userId: "ada" }))
      ))
      assert.strictEqual(warns(warnings), 0)
    })
  )
})

describe("what outlives a request", () => {
  onBoth(
    "leaves its trace with newTrace: a stream, a daemon, a service built inside",
    Effect.gen(function*() {
      class Jobs extends Context.Tag("Jobs")<Jobs, { readonly run: (user: string) => Effect.Effect<void> }>() {}
      const JobsLive = Layer.effect(
        Jobs,
        Effect.as(Effect.void.pipe(Langfuse.tool("start up")), {
          run: (user) => turn(user, { newTrace: true })
        })
      )
      yield* inProcess(
        Effect.gen(function*() {
          const { run } = yield* Jobs
          const daemon = yield* Effect.forkDaemon(run("bob"))
          yield* Stream.make("cyd").pipe(Stream.mapEffect(run), Stream.runDrain)
          yield* Fiber.join(daemon)
        }).pipe(
          Effect.provide(JobsLive),
          Langfuse.agent("request"),
          Langfuse.withTrace({ userId: "ada" })
        )
      )
      const traces = yield* stored
      assert.deepStrictEqual(traces.map(({ userId }) => userId).sort(), users)
      const request = traces.find(({ userId }) => userId === "ada")
      assert.deepStrictEqual(request?.observations.map(({ name }) => name).sort(), ["request", "start up"])
    })
  )
})

describe("an environment that Langfuse does not take", () => {
  onBoth(
    "is warned about once",
    Effect.gen(function*() {
      const [, warnings] = yield* withWarnings(inProcess(Effect.all([
        Effect.void.pipe(Langfuse.tool("a"), Langfuse.tool("b"), Langfuse.withTrace({ environment: "prod/eu" })),
        Effect.void.pipe(Langfuse.tool("c"), Langfuse.withTrace({ environment: "Production" }))
      ])))
      assert.strictEqual(warnings.filter((line) => line.includes("prod/eu")).length, 1)
      assert.strictEqual(warnings.length, 1)
      assert.strictEqual((yield* observation("a")).environment, "default")
      assert.strictEqual((yield* observation("c")).environment, "production")
      assert.strictEqual((yield* observations).length, 3)
    })
  )
})
