import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Chunk,
  ConfigProvider,
  Context,
  Deferred,
  Effect,
  Exit,
  Fiber,
  FiberRef,
  HashMap,
  Layer,
  Metric,
  Option,
  Redacted,
  Ref,
  Runtime,
  Stream,
  TestClock,
  Tracer
} from "effect"
import { LangfuseIngest } from "effect-langfuse"
import * as Langfuse from "effect-langfuse/Langfuse"
import * as LangfuseTracer from "effect-langfuse/LangfuseTracer"
import { collectLogs, turns } from "./utils/ingest.js"
import { layer, named, observations, recording, tree } from "./utils/tracer.js"

const traceId = "0af7651916cd43dd8448eb211c80319c"
const spanId = "b7ad6b7169203331"

/** The scores and everything else, as they would leave. */
const events = Effect.flatMap(LangfuseIngest.CapturedEvents, ({ all }) => all)

describe("Langfuse", () => {
  describe("observe", () => {
    it.effect("says all there is to say of a generation", () =>
      Effect.gen(function*() {
        const result = yield* Effect.succeed({ text: "So.", tokens: { input: 10, output: 2 } }).pipe(
          Langfuse.observe("answer", {
            type: "generation",
            input: [{ role: "user", content: "Why?" }],
            output: ({ text }) => ({ role: "assistant", content: text }),
            model: "gpt-4.1",
            modelParameters: { temperature: 0.5, stop: ["END"], deep: { a: { b: 1 } } },
            usage: ({ tokens }) => tokens,
            cost: { input: 0.25, output: 0.5 },
            prompt: { name: "answer", version: 3 },
            metadata: { attempt: 1, nested: { a: [1] }, note: "{text", gone: undefined },
            level: "DEBUG",
            statusMessage: "fine",
            version: "v2",
            completionStartTime: new Date(5)
          })
        )
        assert.deepStrictEqual(result, { text: "So.", tokens: { input: 10, output: 2 } })
        const { body, trace, type } = yield* named("answer")
        assert.strictEqual(type, "generation-create")
        assert.deepStrictEqual({ ...body, id: "", traceId: "" }, {
          id: "",
          traceId: "",
          name: "answer",
          startTime: "1970-01-01T00:00:00.000Z",
          endTime: "1970-01-01T00:00:00.000Z",
          completionStartTime: "1970-01-01T00:00:00.005Z",
          input: [{ role: "user", content: "Why?" }],
          output: { role: "assistant", content: "So." },
          model: "gpt-4.1",
          modelParameters: { temperature: 0.5, stop: ["END"], deep: `{"a":{"b":1}}` },
          usageDetails: { input: 10, output: 2, total: 12 },
          costDetails: { input: 0.25, output: 0.5, total: 0.75 },
          promptName: "answer",
          promptVersion: 3,
          metadata: { attempt: 1, nested: { a: [1] }, note: "{text" },
          level: "DEBUG",
          statusMessage: "fine",
          version: "v2"
        })
        assert.deepStrictEqual(trace, { isAppRoot: true })
      }).pipe(Effect.provide(layer())))

    it.effect("works data-first, and every short form has its type", () =>
      Effect.gen(function*() {
        yield* Langfuse.observe(Effect.succeed(1), "span", { output: (n) => n + 1 })
        yield* Langfuse.observe(Effect.succeed(1), "bare")
        yield* Langfuse.generation(Effect.succeed(1), "generation", { output: (n) => n + 1 })
        yield* Effect.succeed(1).pipe(Langfuse.agent("agent"))
        yield* Effect.succeed(1).pipe(Langfuse.tool("tool", { input: 1 }))
        yield* Effect.succeed(1).pipe(Langfuse.chain("chain"))
        yield* Effect.succeed(1).pipe(Langfuse.retriever("retriever"))
        yield* Effect.succeed(1).pipe(Langfuse.embedding("embedding"))
        yield* Effect.succeed(1).pipe(Langfuse.evaluator("evaluator"))
        yield* Effect.succeed(1).pipe(Langfuse.guardrail("guardrail"))
        yield* Langfuse.event("event", { input: 1, output: 2, metadata: { a: 1 }, level: "WARNING" })
        yield* Effect.succeed(1).pipe(Langfuse.observe("with a model", { model: "m" }))
        const all = yield* observations
        for (const { body, type } of all) {
          const expected = body.name === "bare" ? "span" : body.name === "with a model" ? "generation" : body.name
          assert.strictEqual(type, `${expected}-create`)
        }
        assert.strictEqual(all.length, 12)
        assert.strictEqual((yield* named("span")).body.output, 2)
        const event = (yield* named("event")).body
        assert.notProperty(event, "endTime")
        assert.deepInclude(event, { input: 1, output: 2, metadata: { a: 1 }, level: "WARNING" })
      }).pipe(Effect.provide(layer())))

    it.effect("shows a value as it was when the observation began", () =>
      Effect.gen(function*() {
        const messages = [{ role: "user", content: "first" }]
        yield* Effect.sync(() => {
          messages.push({ role: "assistant", content: "second" })
          return messages
        }).pipe(
          Langfuse.observe("a", { input: messages, output: (messages) => messages }),
          Effect.tap(() => Effect.sync(() => messages.push({ role: "user", content: "third" })))
        )
        const { body } = yield* named("a")
        assert.deepStrictEqual(body.input, [{ role: "user", content: "first" }])
        assert.strictEqual((body.output as ReadonlyArray<unknown>).length, 2)
      }).pipe(Effect.provide(layer())))

    it.effect("the same effect run twice is two observations", () =>
      Effect.gen(function*() {
        const counter = yield* Ref.make(0)
        const effect = Langfuse.observe(Ref.updateAndGet(counter, (n) => n + 1), "a", { output: (n) => n })
        yield* effect
        yield* effect
        assert.deepStrictEqual((yield* observations).map(({ body }) => body.output), [1, 2])
      }).pipe(Effect.provide(layer())))

    it.effect("changes nothing of failures, defects and interruptions", () =>
      Effect.gen(function*() {
        const observe = <E>(effect: Effect.Effect<number, E>) =>
          Effect.exit(Langfuse.observe(effect, "a", { output: (n) => n, usage: () => ({}) }))
        assert.deepStrictEqual(yield* observe(Effect.succeed(1)), Exit.succeed(1))
        assert.deepStrictEqual(yield* observe(Effect.fail("no")), Exit.fail("no"))
        assert.deepStrictEqual(yield* observe(Effect.die("boom")), Exit.die("boom"))
        assert.isTrue(Exit.isInterrupted(yield* Effect.exit(Langfuse.observe(Effect.interrupt, "a"))))
        assert.deepStrictEqual((yield* observations).map(({ body }) => body.level), [
          undefined,
          "ERROR",
          "ERROR",
          "WARNING"
        ])
      }).pipe(Effect.provide(layer())))

    it.effect("a callback that throws leaves a note, and the result as it is", () =>
      Effect.gen(function*() {
        const fail = (): never => {
          throw new Error("s3cret")
        }
        const result = yield* Effect.succeed(1).pipe(
          Langfuse.generation("a", { output: fail, usage: fail, cost: fail, metadata: fail, model: fail, level: fail })
        )
        assert.strictEqual(result, 1)
        const { body } = yield* named("a")
        assert.strictEqual(body.output, "<the output callback threw>")
        assert.deepStrictEqual(body.metadata, {
          usage: "<the usage callback threw>",
          cost: "<the cost callback threw>",
          metadata: "<the metadata callback threw>",
          model: "<the model callback threw>",
          level: "<the level callback threw>"
        })
        assert.notInclude(JSON.stringify(body), "s3cret")
      }).pipe(Effect.provide(layer())))

    it.effect("values that cannot be written harm neither the program nor the rest of the observation", () =>
      Effect.gen(function*() {
        const circular: { self?: unknown } = {}
        circular.self = circular
        const proxy: never = new Proxy({}, {
          get: () => {
            throw new Error("get")
          },
          ownKeys: () => {
            throw new Error("ownKeys")
          }
        }) as never
        for (const [name, value] of Object.entries({ circular, proxy, bigint: 1n, symbol: Symbol("s") })) {
          const any = value as never
          const result = yield* Effect.succeed(value).pipe(
            Langfuse.observe(name, {
              type: "generation",
              input: value,
              output: (value) => value,
              model: any,
              modelParameters: any,
              usage: any,
              cost: any,
              prompt: any,
              metadata: any,
              level: any,
              version: any,
              completionStartTime: any,
              content: any
            }),
            Langfuse.withTrace(any)
          )
          assert.strictEqual(result, value)
          assert.strictEqual((yield* named(name)).type, "generation-create")
        }
        yield* Effect.void.pipe(
          Langfuse.observe("secret", {
            input: { key: Redacted.make("s3cret") },
            metadata: { key: Redacted.make("s3cret") }
          })
        )
        const secret = JSON.stringify((yield* named("secret")).body)
        assert.notInclude(secret, "s3cret")
        assert.include(secret, "<redacted>")
      }).pipe(Effect.provide(layer())))

    it.effect("leaves content out of one observation when told so", () =>
      Effect.gen(function*() {
        yield* Effect.succeed("s3cret").pipe(
          Langfuse.observe("a", { input: "s3cret", output: (text) => text, content: "metadata", metadata: { kept: 1 } })
        )
        const { body } = yield* named("a")
        assert.notProperty(body, "input")
        assert.notProperty(body, "output")
        assert.deepStrictEqual(body.metadata, { kept: 1 })
      }).pipe(Effect.provide(layer())))

    it.effect("passes options of the span on", () =>
      Effect.gen(function*() {
        const parent = Tracer.externalSpan({ traceId, spanId })
        yield* Effect.void.pipe(Langfuse.observe("below", { parent, kind: "client" }))
        yield* Effect.void.pipe(Langfuse.observe("alone", { root: true }), Langfuse.observe("above"))
        assert.strictEqual((yield* named("below")).body.traceId, traceId)
        assert.deepStrictEqual((yield* named("below")).body.metadata, { attributes: { "span.kind": "client" } })
        assert.notProperty((yield* named("alone")).body, "parentObservationId")
      }).pipe(Effect.provide(layer())))

    it.effect("tells Cause.pretty where it was called, as withSpan does", () =>
      Effect.gen(function*() {
        const exit = yield* Effect.die(new Error("boom")).pipe(Langfuse.tool("search"), Effect.exit)
        const direct = yield* Effect.exit(Langfuse.observe(Effect.die(new Error("boom")), "search"))
        for (const { cause } of [exit, direct].filter(Exit.isFailure)) {
          assert.match(Cause.pretty(cause), /at search \(.*Langfuse\.test\.ts:\d+/)
        }
      }).pipe(Effect.provide(layer())))

    it.effect("under any other tracer sets Langfuse's documented attributes", () => {
      const { span, tracer } = recording()
      return Effect.gen(function*() {
        yield* Effect.succeed("So.").pipe(
          Langfuse.generation("a", {
            input: [1],
            output: (text) => text,
            model: "m",
            usage: {
              prompt_tokens: 10,
              completion_tokens: 5,
              total_tokens: 15,
              prompt_tokens_details: { cached_tokens: 4 }
            },
            cost: { input: 1, output: 2 },
            prompt: { name: "p", version: 1 },
            metadata: { k: { v: 1 } }
          }),
          Langfuse.withTrace({ name: "t", userId: "u", sessionId: "s", tags: ["x"], public: true, metadata: { m: 1 } })
        )
        assert.deepStrictEqual(Object.fromEntries(span("a")?.attributes ?? []), {
          "langfuse.trace.name": "t",
          "user.id": "u",
          "session.id": "s",
          "langfuse.trace.tags": ["x"],
          "langfuse.trace.public": true,
          "langfuse.trace.metadata.m": 1,
          "langfuse.observation.type": "generation",
          "langfuse.observation.input": "[1]",
          "langfuse.observation.output": "So.",
          "langfuse.observation.model.name": "m",
          "langfuse.observation.usage_details": `{"input":6,"input_cached_tokens":4,"output":5,"total":15}`,
          "langfuse.observation.cost_details": `{"input":1,"output":2,"total":3}`,
          "langfuse.observation.prompt.name": "p",
          "langfuse.observation.prompt.version": 1,
          "langfuse.observation.metadata.k": `{"v":1}`
        })
      }).pipe(Effect.withTracer(tracer))
    })

    it.effect("a tracer that throws at every attribute changes nothing", () => {
      const { tracer } = recording()
      const throwing = Tracer.make({
        span: (...args) =>
          Object.assign(tracer.span(...args), {
            attribute: () => {
              throw new Error("full")
            }
          }),
        context: (f) => f()
      })
      return Effect.gen(function*() {
        const effect = Effect.succeed(1).pipe(Langfuse.observe("a", { input: 1, output: (n) => n }))
        assert.strictEqual(yield* effect, 1)
        yield* Langfuse.update({ output: 1 }).pipe(Langfuse.observe("a"))
      }).pipe(Effect.withTracer(throwing))
    })

    it.effect("does no work where nobody records", () => {
      let written = 0
      const value = {
        toJSON: () => {
          written++
          return "x"
        }
      }
      const effect = Effect.succeed(value).pipe(Langfuse.observe("a", { input: value, output: (value) => value }))
      return Effect.gen(function*() {
        yield* Effect.withTracerEnabled(effect, false)
        yield* Effect.withParentSpan(effect, Tracer.externalSpan({ traceId, spanId, sampled: false }))
        assert.strictEqual(written, 0)
        assert.deepStrictEqual(yield* observations, [])
      }).pipe(Effect.provide(layer()))
    })
  })

  describe("observeStream", () => {
    it.effect("is open from the first pull to the end, and knows when the first element came", () =>
      Effect.gen(function*() {
        const deltas = Stream.fromEffect(Effect.as(Effect.sleep("1 second"), "Be")).pipe(
          Stream.concat(Stream.fromEffect(Effect.as(Effect.sleep("2 seconds"), "cause.")))
        )
        const fiber = yield* deltas.pipe(
          Langfuse.observeStream("answer", {
            type: "generation",
            model: "gpt-4.1",
            input: "Why?",
            output: (deltas) => deltas.join(""),
            usage: (deltas) => ({ output: deltas.length })
          }),
          Stream.runCollect,
          Effect.fork
        )
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(Chunk.toReadonlyArray(yield* Fiber.join(fiber)), ["Be", "cause."])
        const { body, type } = yield* named("answer")
        assert.strictEqual(type, "generation-create")
        assert.strictEqual(body.startTime, "1970-01-01T00:00:00.000Z")
        assert.strictEqual(body.completionStartTime, "1970-01-01T00:00:01.000Z")
        assert.strictEqual(body.endTime, "1970-01-01T00:00:03.000Z")
        assert.strictEqual(body.output, "Because.")
        assert.deepStrictEqual(body.usageDetails, { output: 2, total: 2 })
        assert.strictEqual(body.input, "Why?")
      }).pipe(Effect.provide(layer())))

    it.effect("ends with what arrived when the stream fails, dies or is interrupted", () =>
      Effect.gen(function*() {
        const after = (name: string, end: Stream.Stream<never, string>) =>
          Stream.make(1, 2).pipe(
            Stream.concat(end),
            Langfuse.observeStream(name, { output: (elements) => elements }),
            Stream.runDrain
          )
        assert.deepStrictEqual(yield* Effect.exit(after("fails", Stream.fail("no"))), Exit.fail("no"))
        yield* Effect.exit(after("dies", Stream.die(new Error("boom"))))
        const fiber = yield* Effect.fork(after("interrupted", Stream.never))
        yield* turns(5)
        yield* Fiber.interrupt(fiber)
        const statusOf = (name: string) =>
          Effect.map(named(name), ({ body }) => [body.level, body.statusMessage, body.output])
        assert.deepStrictEqual(yield* statusOf("fails"), ["ERROR", "no", [1, 2]])
        assert.deepStrictEqual(yield* statusOf("dies"), ["ERROR", "Error: boom", [1, 2]])
        assert.deepStrictEqual(yield* statusOf("interrupted"), ["WARNING", "interrupted", [1, 2]])
      }).pipe(Effect.provide(layer())))

    it.effect("ends without complaint when no more is wanted, and when there was nothing", () =>
      Effect.gen(function*() {
        const some = Stream.range(1, 100).pipe(
          Stream.rechunk(1),
          Langfuse.observeStream("some", { output: (elements) => elements }),
          Stream.take(3)
        )
        assert.deepStrictEqual(Chunk.toReadonlyArray(yield* Stream.runCollect(some)), [1, 2, 3])
        yield* Langfuse.observeStream(Stream.empty, "none", { type: "generation", output: (xs) => xs }).pipe(
          Stream.runDrain
        )
        const taken = (yield* named("some")).body
        assert.deepStrictEqual(taken.output, [1, 2, 3])
        assert.notProperty(taken, "level")
        const none = (yield* named("none")).body
        assert.deepStrictEqual(none.output, [])
        assert.notProperty(none, "completionStartTime")
      }).pipe(Effect.provide(layer())))

    it.effect("is above what runs in the stream, each time it is run", () =>
      Effect.gen(function*() {
        const stream = Stream.make(1, 2).pipe(
          Stream.mapEffect((n) => Effect.void.pipe(Langfuse.tool(`step ${n}`))),
          Langfuse.observeStream("stream"),
          Stream.runDrain
        )
        yield* stream.pipe(Langfuse.agent("agent"))
        assert.deepStrictEqual(tree(yield* observations), {
          "step 1": "stream",
          "step 2": "stream",
          stream: "agent",
          agent: undefined
        })
        yield* stream
        assert.strictEqual((yield* observations).length, 7)
      }).pipe(Effect.provide(layer())))

    it.effect("a callback that throws changes nothing for who reads the stream", () =>
      Effect.gen(function*() {
        const fail = (): never => {
          throw new Error("s3cret")
        }
        const stream = Stream.make(1, 2).pipe(Langfuse.observeStream("a", { output: fail, usage: fail }))
        assert.deepStrictEqual(Chunk.toReadonlyArray(yield* Stream.runCollect(stream)), [1, 2])
        assert.strictEqual((yield* named("a")).body.output, "<the output callback threw>")
      }).pipe(Effect.provide(layer())))

    it.effect("keeps the first elements and the last, and takes time in proportion to their number", () =>
      Effect.gen(function*() {
        let given: ReadonlyArray<number> = []
        yield* Stream.range(0, 99_999).pipe(
          Langfuse.observeStream("a", {
            maxElements: 1000,
            output: (elements) => {
              given = elements
              return elements.length
            }
          }),
          Stream.runDrain
        )
        assert.strictEqual(given.length, 1256)
        assert.deepStrictEqual([given[0], given[999], given[1000], given[1255]], [0, 999, 99_744, 99_999])
        const { body } = yield* named("a")
        assert.strictEqual(body.output, 1256)
        assert.deepStrictEqual(body.metadata, { elementsLeftOut: 98_744 })
      }).pipe(Effect.provide(layer())))

    it.effect("keeps nothing where nobody records, or nothing is made of the elements", () =>
      Effect.gen(function*() {
        let calls = 0
        const stream = Stream.make(1).pipe(Langfuse.observeStream("a", { output: () => ++calls }), Stream.runDrain)
        yield* Effect.withTracerEnabled(stream, false)
        yield* Effect.withParentSpan(stream, Tracer.externalSpan({ traceId, spanId, sampled: false }))
        assert.strictEqual(calls, 0)
        yield* Stream.make(1).pipe(
          Langfuse.observeStream("b", { type: "generation", completionStartTime: new Date(7) }),
          Stream.runDrain
        )
        assert.strictEqual((yield* named("b")).body.completionStartTime, "1970-01-01T00:00:00.007Z")
      }).pipe(Effect.provide(layer())))
  })

  describe("update", () => {
    it.effect("adds to the innermost observation, past spans that are none", () =>
      Effect.gen(function*() {
        yield* Langfuse.update({ output: "o", metadata: { b: 2 }, level: "WARNING", statusMessage: "slow" }).pipe(
          Effect.withSpan("query"),
          Langfuse.tool("tool", { metadata: { a: 1 } }),
          Langfuse.agent("agent")
        )
        const { body } = yield* named("tool")
        assert.deepInclude(body, { output: "o", metadata: { a: 1, b: 2 }, level: "WARNING", statusMessage: "slow" })
        assert.deepStrictEqual(tree(yield* observations), { tool: "agent", agent: undefined })
      }).pipe(Effect.provide(layer())))

    it.effect("makes an observation of a plain span, and a generation of a span that gets a model", () =>
      Effect.gen(function*() {
        yield* Langfuse.update({ type: "tool", input: 1 }).pipe(Effect.withSpan("plain"))
        yield* Langfuse.update({ model: "m", usage: { input: 1 } }).pipe(Langfuse.observe("span"))
        assert.strictEqual((yield* named("plain")).type, "tool-create")
        const generation = yield* named("span")
        assert.strictEqual(generation.type, "generation-create")
        assert.strictEqual(generation.body.model, "m")
      }).pipe(Effect.provide(layer())))

    it.effect("without a span does nothing", () =>
      Effect.gen(function*() {
        yield* Langfuse.update({ output: 1 })
        yield* Langfuse.updateTrace({ userId: "u" })
        yield* Langfuse.update({ output: 1 }).pipe(Effect.withParentSpan(Tracer.externalSpan({ traceId, spanId })))
        assert.deepStrictEqual(yield* observations, [])
      }).pipe(Effect.provide(layer())))
  })

  describe("withTrace", () => {
    const trace: Langfuse.Trace = {
      name: "t",
      userId: "u",
      sessionId: "s",
      tags: ["a", "b"],
      metadata: { k: { v: 1 } },
      version: "v1",
      release: "r1",
      environment: "staging",
      public: true
    }
    const context = { ...trace, metadata: { k: { v: 1 } } }

    it.effect("is on every observation below it: nested, forked, as a daemon, in streams, layers and callbacks", () =>
      Effect.gen(function*() {
        const leaf = (name: string) => Effect.void.pipe(Langfuse.tool(name))
        class Service extends Context.Tag("Service")<Service, number>() {}
        yield* Effect.gen(function*() {
          yield* leaf("nested").pipe(Langfuse.agent("root"))
          yield* Effect.flatMap(Effect.fork(leaf("forked")), Fiber.join)
          yield* Effect.flatMap(Effect.forkDaemon(leaf("daemon")), Fiber.join)
          yield* Stream.make(1).pipe(
            Stream.mapEffect(() => leaf("in a stream")),
            Langfuse.observeStream("stream"),
            Stream.runDrain
          )
          yield* Effect.provide(Service, Layer.effect(Service, Effect.as(leaf("in a layer"), 1)))
          const runtime = yield* Effect.runtime()
          yield* Effect.promise(() => Runtime.runPromise(runtime)(leaf("in a callback")))
          yield* Effect.all([leaf("concurrent 1"), leaf("concurrent 2")], { concurrency: 2 })
          yield* Langfuse.event("an event")
        }).pipe(Langfuse.withTrace(trace))
        const all = yield* observations
        assert.strictEqual(all.length, 11)
        for (const { body, trace } of all) {
          const { isAppRoot: _, ...rest } = trace ?? {}
          assert.deepStrictEqual(rest, context, body.name ?? "")
          assert.strictEqual(body.version, "v1")
          assert.strictEqual(body.environment, "staging")
        }
        yield* leaf("outside")
        assert.deepStrictEqual((yield* named("outside")).trace, { isAppRoot: true })
      }).pipe(Effect.provide(layer())))

    it.effect("within another adds to it: inner values win, metadata key by key, and tags come together", () =>
      Effect.gen(function*() {
        yield* Effect.void.pipe(
          Langfuse.observe("inner"),
          Langfuse.withTrace({ userId: "u2", tags: ["b", "c"], metadata: { x: 1, y: 2 }, name: undefined }),
          Langfuse.observe("outer"),
          Langfuse.withTrace({ name: "t", userId: "u1", tags: ["a", "b"], metadata: { x: 0, z: 3 } })
        )
        assert.deepStrictEqual((yield* named("inner")).trace, {
          name: "t",
          userId: "u2",
          tags: ["a", "b", "c"],
          metadata: { x: 1, y: 2, z: 3 }
        })
        assert.deepStrictEqual((yield* named("outer")).trace, {
          name: "t",
          userId: "u1",
          tags: ["a", "b"],
          metadata: { x: 0, z: 3 },
          isAppRoot: true
        })
      }).pipe(Effect.provide(layer())))

    it.effect("an observation's own version wins over the trace's", () =>
      Effect.gen(function*() {
        yield* Langfuse.withTrace(Effect.void.pipe(Langfuse.observe("a", { version: "own" })), { version: "trace" })
        assert.strictEqual((yield* named("a")).body.version, "own")
      }).pipe(Effect.provide(layer())))

    it.effect("makes no observation, and changes nothing of the effect", () =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(Langfuse.withTrace(Effect.fail("no"), trace))
        assert.deepStrictEqual(exit, Exit.fail("no"))
        const after = yield* FiberRef.get(FiberRef.currentTracerSpanAnnotations)
        assert.isTrue(HashMap.isEmpty(after))
        assert.deepStrictEqual(yield* observations, [])
      }).pipe(Effect.provide(layer())))

    it.effect("updateTrace says it later, on the observation it runs in", () =>
      Effect.gen(function*() {
        yield* Langfuse.updateTrace({ userId: "u2", tags: ["b"], public: false }).pipe(
          Langfuse.observe("a"),
          Langfuse.withTrace({ userId: "u1", sessionId: "s", tags: ["a"] })
        )
        assert.deepStrictEqual((yield* named("a")).trace, {
          userId: "u2",
          sessionId: "s",
          tags: ["a", "b"],
          public: false,
          isAppRoot: true
        })
      }).pipe(Effect.provide(layer())))
  })

  describe("where it runs", () => {
    it.effect("is told by ids of the trace and of the innermost observation", () =>
      Effect.gen(function*() {
        const ids = Effect.zip(Langfuse.currentTraceId, Langfuse.currentObservationId)
        assert.deepStrictEqual(yield* ids, [Option.none(), Option.none()])
        assert.deepStrictEqual(yield* ids.pipe(Effect.withParentSpan(Tracer.externalSpan({ traceId, spanId }))), [
          Option.some(traceId),
          Option.none()
        ])
        const [trace, observation] = yield* ids.pipe(
          Effect.withSpan("plain"),
          Langfuse.tool("tool"),
          Effect.withSpan("top")
        )
        const { body } = yield* named("tool")
        assert.deepStrictEqual(trace, Option.some(body.traceId ?? ""))
        assert.deepStrictEqual(observation, Option.some(body.id))
      }).pipe(Effect.provide(layer())))

    it.effect("under another tracer as well", () => {
      const { span, tracer } = recording()
      return Effect.gen(function*() {
        const observation = yield* Langfuse.currentObservationId.pipe(Effect.withSpan("plain"), Langfuse.tool("tool"))
        assert.deepStrictEqual(observation, Option.some(span("tool")?.spanId ?? ""))
      }).pipe(Effect.withTracer(tracer))
    })

    it.effect("with the filter \"all\" a plain span is an observation", () =>
      Effect.gen(function*() {
        const id = yield* Langfuse.currentObservationId.pipe(Effect.withSpan("plain"))
        assert.deepStrictEqual(id, Option.some((yield* named("plain")).body.id))
      }).pipe(Effect.provide(layer({ filter: "all" }))))

    it.effect("makes a link", () =>
      Effect.gen(function*() {
        const config = (entries: Record<string, string>) =>
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(entries))))
        const parent = Tracer.externalSpan({ traceId, spanId })
        const url = Langfuse.traceUrl().pipe(Effect.withParentSpan(parent))
        assert.deepStrictEqual(yield* config({})(Langfuse.traceUrl()), Option.none())
        assert.deepStrictEqual(yield* config({})(url), Option.some(`https://cloud.langfuse.com/trace/${traceId}`))
        assert.deepStrictEqual(
          yield* config({ LANGFUSE_HOST: "http://localhost:3000/" })(url),
          Option.some(`http://localhost:3000/trace/${traceId}`)
        )
        assert.deepStrictEqual(
          yield* url.pipe(
            Effect.provideService(Langfuse.LangfuseWeb, { baseUrl: "https://lf.test/base", projectId: "p" })
          ),
          Option.some(`https://lf.test/base/project/p/traces/${traceId}`)
        )
        assert.deepStrictEqual(
          yield* Langfuse.traceUrl({ traceId: "a/b", baseUrl: "https://lf.test" }),
          Option.some("https://lf.test/trace/a%2Fb")
        )
      }))
  })

  describe("flushAfter", () => {
    const counting = (flush: Effect.Effect<unknown>) => {
      let flushes = 0
      return {
        flushes: () => flushes,
        layer: Layer.succeed(LangfuseIngest.LangfuseIngest, {
          enqueue: () => Effect.succeed(true),
          unsafeEnqueue: () => true,
          flush: Effect.zipRight(
            Effect.sync(() => void flushes++),
            Effect.as(flush, { delivered: 0, rejected: 0, failed: 0, pending: 0 })
          ),
          stats: Effect.die("not asked"),
          status: Effect.die("not asked")
        })
      }
    }

    it.effect("flushes after success, failure, defect and interruption, and changes none of them", () =>
      Effect.gen(function*() {
        const { flushes, layer } = counting(Effect.void)
        const run = <A, E>(effect: Effect.Effect<A, E>) =>
          Effect.exit(Langfuse.flushAfter(effect)).pipe(Effect.provide(layer))
        assert.deepStrictEqual(yield* run(Effect.succeed(1)), Exit.succeed(1))
        assert.deepStrictEqual(yield* run(Effect.fail("no")), Exit.fail("no"))
        assert.deepStrictEqual(yield* run(Effect.die("boom")), Exit.die("boom"))
        assert.strictEqual(flushes(), 3)
        const started = yield* Deferred.make()
        const fiber = yield* Effect.fork(run(Effect.zipRight(Deferred.succeed(started, undefined), Effect.never)))
        yield* Deferred.await(started)
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(flushes(), 4)
      }))

    it.effect("hands on the spans of the effect", () =>
      Effect.gen(function*() {
        const ingest = yield* LangfuseIngest.LangfuseIngest
        yield* Langfuse.flushAfter(Langfuse.observe(Effect.void, "a"))
        assert.strictEqual((yield* ingest.stats).offered, 1)
      }).pipe(Effect.provide(layer())))

    it.effect("is bounded by the flush, even where nothing can be interrupted", () =>
      Effect.gen(function*() {
        const { layer } = counting(Effect.timeoutOption(Effect.never, "5 seconds"))
        const fiber = yield* Langfuse.flushAfter(Effect.succeed(1)).pipe(
          Effect.provide(layer),
          Effect.uninterruptible,
          Effect.fork
        )
        yield* turns(5)
        assert.isTrue(Option.isNone(yield* Fiber.poll(fiber)))
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(yield* Fiber.join(fiber), 1)
      }))

    it.effect("a flush that dies changes nothing", () =>
      Effect.gen(function*() {
        const { layer } = counting(Effect.die("broken"))
        assert.strictEqual(yield* Langfuse.flushAfter(Effect.succeed(1)).pipe(Effect.provide(layer)), 1)
      }))
  })

  describe("score", () => {
    const scores = Effect.map(events, (all) => all.filter((event) => event.type === "score-create"))
    const bodies = Effect.map(scores, (all) => all.map(({ body: { id: _, ...body } }) => body))

    it.effect("is of the observation it runs in, and scoreTrace of the trace", () =>
      Effect.gen(function*() {
        yield* TestClock.setTime(1_000)
        const sent = yield* Effect.all([
          Langfuse.score({ name: "helpful", value: 0.5, comment: "yes", metadata: { by: "me" } }),
          Langfuse.score({ name: "good", value: true }),
          Langfuse.score({ name: "bad", dataType: "BOOLEAN", value: false }),
          Langfuse.score({ name: "tone", dataType: "CATEGORICAL", value: "friendly" }),
          Langfuse.score({ name: "why", dataType: "TEXT", value: "because" }),
          Langfuse.score({ dataType: "CORRECTION", value: "So." }),
          Langfuse.scoreTrace({ name: "overall", value: 1 })
        ]).pipe(Effect.withSpan("plain"), Langfuse.tool("tool"))
        assert.deepStrictEqual(sent, [true, true, true, true, true, true, true])
        const { body } = yield* named("tool")
        const here = { traceId: body.traceId, observationId: body.id }
        assert.deepStrictEqual(yield* bodies, [
          { name: "helpful", value: 0.5, comment: "yes", metadata: { by: "me" }, ...here },
          { name: "good", value: 1, dataType: "BOOLEAN", ...here },
          { name: "bad", value: 0, dataType: "BOOLEAN", ...here },
          { name: "tone", dataType: "CATEGORICAL", value: "friendly", ...here },
          { name: "why", dataType: "TEXT", value: "because", ...here },
          { dataType: "CORRECTION", value: "So.", name: "output", ...here },
          { name: "overall", value: 1, traceId: body.traceId }
        ] as ReadonlyArray<unknown>)
        assert.strictEqual((yield* scores)[0]?.timestamp, "1970-01-01T00:00:01.000Z")
      }).pipe(Effect.provide(layer())))

    it.effect("is of whatever the ids say, wherever it runs", () =>
      Effect.gen(function*() {
        const targets = [{ traceId: "t" }, { traceId: "t", observationId: "o" }, { sessionId: "s" }, {
          datasetRunId: "d"
        }]
        for (const target of targets) {
          assert.isTrue(
            yield* Langfuse.score({ name: "n", value: 1, ...target } as Langfuse.Score).pipe(Langfuse.tool("a"))
          )
          assert.isTrue(yield* Langfuse.score({ name: "n", value: 1, ...target } as Langfuse.Score))
        }
        assert.deepStrictEqual(
          yield* bodies,
          targets.flatMap((target) => [target, target]).map((target) => ({ name: "n", value: 1, ...target })) as never
        )
      }).pipe(Effect.provide(layer())))

    it.effect("is in the environment of the trace", () =>
      Effect.gen(function*() {
        yield* Langfuse.score({ name: "n", value: 1 }).pipe(
          Langfuse.tool("a"),
          Langfuse.withTrace({ environment: "staging" })
        )
        assert.strictEqual((yield* scores)[0]?.body.environment, "staging")
      }).pipe(Effect.provide(layer())))

    it.effect("without a trace is false, counted, with one warning however often", () => {
      const logs = collectLogs()
      const refused = Metric.tagged(
        Metric.counter("langfuse_scores_refused_total", {
          description: "Scores that were not sent because they have no target or break a rule.",
          incremental: true
        }),
        "reason",
        "no_trace"
      )
      return Effect.gen(function*() {
        const before = (yield* Metric.value(refused)).count
        for (let i = 0; i < 10; i++) assert.isFalse(yield* Langfuse.score({ name: "helpful", value: 1 }))
        assert.isFalse(yield* Langfuse.scoreTrace({ name: "helpful", value: 1 }))
        assert.strictEqual((yield* Metric.value(refused)).count - before, 11)
        assert.strictEqual(logs.warnings().length, 1)
        assert.include(logs.warnings()[0] ?? "", "helpful")
        assert.deepStrictEqual(yield* events, [])
      }).pipe(Effect.provide(Layer.merge(layer(), logs.layer)))
    })

    it.effect("that breaks a rule is false, with one warning of each kind that says which and shows no value", () => {
      const logs = collectLogs()
      return Effect.gen(function*() {
        const wrong: ReadonlyArray<unknown> = [
          { name: "n", dataType: "TEXT", value: "s3cret".repeat(100) },
          { name: "", value: 1 },
          { name: "n", dataType: "NUMERIC", value: "s3cret" },
          { name: "n", value: NaN },
          { name: "n", value: 1, sessionId: "s", traceId: "t" },
          { name: "n", value: 1, source: "ANNOTATION" },
          { name: "n", value: 1, unknown: 1 },
          {
            name: "n",
            get value(): never {
              throw new Error("s3cret")
            }
          }
        ]
        for (const score of [...wrong, ...wrong]) {
          assert.isFalse(yield* Langfuse.score(score as never).pipe(Langfuse.tool("a")))
        }
        assert.strictEqual(logs.warnings().length, wrong.length)
        assert.include(logs.warnings()[0] ?? "", "body.value: expected a string of 1 to 500 characters")
        yield* TestClock.adjust("1 minute")
        yield* Langfuse.score({ name: "n", value: NaN, traceId: "t" })
        assert.strictEqual(logs.warnings().length, wrong.length + 1)
        assert.notInclude(logs.warnings().join(), "s3cret")
        assert.deepStrictEqual(yield* scores, [])
      }).pipe(Effect.provide(Layer.merge(layer(), logs.layer)))
    })

    it.effect("of whatever names, wrong ones and their environments cause a few warnings", () => {
      const logs = collectLogs()
      return Effect.gen(function*() {
        for (let i = 0; i < 500; i++) {
          yield* Langfuse.score({ name: `n${i}`, value: NaN, traceId: "t" })
          yield* Langfuse.score({ name: `n${i}`, value: 1, traceId: "t", environment: `eu/${i}` })
          yield* Effect.void.pipe(Langfuse.tool("a"), Langfuse.withTrace({ environment: `us/${i}` }))
        }
        const about = (text: string) => logs.warnings().filter((line) => line.includes(text)).length
        assert.deepStrictEqual([about("not sent"), about("eu/"), about("us/"), logs.warnings().length], [21, 1, 1, 23])
        yield* TestClock.adjust("1 minute")
        yield* Langfuse.score({ name: "another", value: NaN, traceId: "t" })
        assert.include(logs.warnings().at(-1) ?? "", "479 more like this")
      }).pipe(Effect.provide(layer().pipe(Layer.provideMerge(logs.layer))))
    })

    it.effect("of a trace that is not sampled is left out with it", () => {
      const logs = collectLogs()
      return Effect.gen(function*() {
        const parent = Tracer.externalSpan({ traceId, spanId, sampled: false })
        assert.isFalse(yield* Langfuse.score({ name: "n", value: 1 }).pipe(Effect.withParentSpan(parent)))
        assert.isFalse(
          yield* Langfuse.score({ name: "n", value: 1 }).pipe(Langfuse.tool("a"), Effect.withParentSpan(parent))
        )
        assert.isFalse(
          yield* Langfuse.scoreTrace({ name: "n", value: 1 }).pipe(Langfuse.tool("a"), Effect.withParentSpan(parent))
        )
        assert.deepStrictEqual(yield* events, [])
        assert.deepStrictEqual(logs.warnings(), [])
      }).pipe(Effect.provide(Layer.merge(layer(), logs.layer)))
    })

    it.effect("and its trace have one fate under sampleRate", () =>
      Effect.gen(function*() {
        for (let i = 0; i < 50; i++) yield* Langfuse.score({ name: "n", value: i }).pipe(Langfuse.tool("a"))
        const sent = yield* scores
        const traces = new Set(
          (yield* observations).filter(({ type }) => type === "tool-create").map(({ body }) => body.traceId)
        )
        assert.isTrue(sent.length > 0 && sent.length < 50)
        assert.isTrue(sent.every(({ body }) => traces.has(body.traceId ?? "")))
        assert.strictEqual(traces.size, sent.length)
      }).pipe(Effect.provide(layer({}, { sampleRate: 0.5 }))))
  })

  it.effect("without any tracer does nothing but run the program", () =>
    Effect.gen(function*() {
      const program = Stream.make(1, 2).pipe(
        Langfuse.observeStream("stream", { output: (xs) => xs }),
        Stream.runFold(0, (sum, n) => sum + n),
        Effect.tap(() => Langfuse.update({ output: 1 })),
        Effect.tap(() => Langfuse.event("event")),
        Langfuse.agent("agent", { input: 1, output: (n) => n }),
        Langfuse.withTrace({ name: "t" })
      )
      assert.strictEqual(yield* program, 3)
    }))

  it.effect("a disabled ingest takes nothing, and the program is the same", () =>
    Effect.gen(function*() {
      const result = yield* Langfuse.score({ name: "n", value: 1 }).pipe(Langfuse.agent("agent"), Langfuse.flushAfter)
      assert.isFalse(result)
    }).pipe(
      Effect.provide(LangfuseTracer.layer().pipe(Layer.provideMerge(LangfuseIngest.layerNoop)))
    ))
})
