import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Option, Stream, Tracer } from "effect"
import { LangfuseIngest } from "effect-langfuse"
import * as Langfuse from "effect-langfuse/Langfuse"
import * as LangfuseTracer from "effect-langfuse/LangfuseTracer"
import * as Intake from "../src/internal/intake.js"
import * as Client from "./utils/client.js"
import { keys } from "./utils/ingest.js"
import { layer, named, observations, open, recording } from "./utils/tracer.js"

const traceId = "0af7651916cd43dd8448eb211c80319c"
const spanId = "b7ad6b7169203331"

/** Counts each look at a value, and each call of a function of the result. */
const watched = () => {
  let looks = 0
  const look = () => {
    looks++
    return undefined
  }
  const value = new Proxy({ text: "x" }, {
    get: look,
    has: () => look() === undefined,
    ownKeys: () => {
      look()
      return []
    },
    getPrototypeOf: () => {
      look()
      return null
    },
    getOwnPropertyDescriptor: look
  })
  const of = (): never => {
    looks++
    throw new Error("called")
  }
  // Not the proxy itself: Effect looks at what an effect results in.
  const boxed = [value]
  const program = Effect.gen(function*() {
    yield* Langfuse.update({ input: value, output: value, metadata: { value }, usage: value as never })
    yield* Langfuse.updateTrace({ metadata: { value }, input: value })
    yield* Langfuse.event("event", { input: value, metadata: { value } })
    yield* Effect.log("a line")
    yield* Stream.make(1).pipe(
      Langfuse.observeStream("stream", { input: value, output: of, usage: of }),
      Stream.runDrain
    )
    return boxed
  }).pipe(
    Langfuse.generation("a", {
      input: value,
      output: of,
      usage: of,
      cost: of,
      level: of,
      statusMessage: of,
      metadata: of,
      model: of,
      modelParameters: { value }
    }),
    Langfuse.tool("b", { input: value, metadata: { value } }),
    Langfuse.withTrace({ metadata: { value }, input: value })
  )
  return { looks: () => looks, program }
}

const tracer = (ingest: Layer.Layer<LangfuseIngest.LangfuseIngest>, options?: LangfuseTracer.Options) =>
  LangfuseTracer.layer(options).pipe(Layer.provideMerge(ingest))

describe("nothing for nothing", () => {
  it.effect("without a layer no value is looked at, and nothing is called", () =>
    Effect.gen(function*() {
      const { looks, program } = watched()
      yield* program
      assert.strictEqual(looks(), 0)
    }))

  it.effect("nor where nothing is sent: layerNoop, and enabled: false", () =>
    Effect.gen(function*() {
      const disabled = LangfuseIngest.layer({ ...keys, enabled: false }).pipe(
        Layer.provide(Client.make(() => Effect.die("no request is made")).layer)
      )
      for (const ingest of [LangfuseIngest.layerNoop, disabled]) {
        const { looks, program } = watched()
        yield* program.pipe(Effect.provide(tracer(ingest, {
          filter: () => {
            throw new Error("asked")
          }
        })))
        assert.strictEqual(looks(), 0)
        const score = Langfuse.score({ name: "n", value: 1 }).pipe(Langfuse.tool("t"))
        assert.isFalse(yield* Effect.provide(score, tracer(ingest)))
      }
    }))

  it.effect("nor in a region without tracing, nor below a caller that is not sampled", () =>
    Effect.gen(function*() {
      const { looks, program } = watched()
      yield* Effect.withTracerEnabled(program, false)
      yield* Effect.withParentSpan(program, Tracer.externalSpan({ traceId, spanId, sampled: false }))
      assert.strictEqual(looks(), 0)
      assert.deepStrictEqual(yield* observations, [])
    }).pipe(Effect.provide(layer())))

  it.effect("nor for a trace that is sampled out, where each observation is counted all the same", () =>
    Effect.gen(function*() {
      const { looks, program } = watched()
      yield* program
      assert.strictEqual(looks(), 0)
      assert.deepStrictEqual(yield* observations, [])
      const { offered, sampledOut } = yield* (yield* LangfuseIngest.LangfuseIngest).stats
      assert.deepStrictEqual([offered, sampledOut], [4, 4])
    }).pipe(Effect.provide(layer({}, { sampleRate: 0 }))))

  it.scoped("nor where there is no room", () =>
    Effect.gen(function*() {
      let dropped = 0
      const roots: Array<boolean> = []
      const ingest = yield* Layer.build(LangfuseIngest.layerMemory)
      const service = yield* LangfuseIngest.LangfuseIngest.pipe(Effect.provide(ingest))
      const full = Intake.register({ ...service }, {
        ...Intake.of(service),
        hasRoom: (isRoot) => roots.push(isRoot) < 0,
        drop: () => void dropped++,
        take: () => assert.fail("there is no room")
      })
      let written = 0
      const value = { toJSON: () => ++written }
      yield* Effect.annotateCurrentSpan("plain", value).pipe(
        Langfuse.tool("below"),
        Langfuse.tool("a"),
        Effect.provide(
          LangfuseTracer.layer().pipe(Layer.provide(Layer.succeed(LangfuseIngest.LangfuseIngest, full)))
        )
      )
      assert.deepStrictEqual([written, dropped, [...new Set(roots)]], [0, 2, [false, true]])
    }))

  it.effect("under another tracer attributes are set as ever, also beside a Langfuse that samples the trace out", () => {
    const { span, tracer: other } = recording()
    return Effect.gen(function*() {
      yield* Effect.succeed("So.").pipe(Langfuse.tool("t", { input: { a: 1 }, output: (text) => text }))
      assert.strictEqual(span("t")?.attributes.get("langfuse.observation.input"), `{"a":1}`)
      assert.strictEqual(span("t")?.attributes.get("langfuse.observation.output"), "So.")
      assert.deepStrictEqual(yield* observations, [])
    }).pipe(Effect.provide(
      LangfuseTracer.layerTee().pipe(
        Layer.provideMerge(LangfuseIngest.layerMemoryWith({ sampleRate: 0 })),
        Layer.provideMerge(Layer.setTracer(other))
      )
    ))
  })

  it.effect("one decision holds for a trace: its observations and its scores", () =>
    Effect.gen(function*() {
      const kept: Array<boolean> = []
      for (let i = 0; i < 60; i++) {
        const sent = yield* Langfuse.score({ name: "n", value: i }).pipe(
          Langfuse.tool("inner"),
          Langfuse.agent("outer")
        )
        kept.push(sent)
      }
      const all = yield* observations
      const count = kept.filter((sent) => sent).length
      assert.isTrue(count > 0 && count < 60)
      assert.strictEqual(all.length, 3 * count)
      const { delivered, offered, sampledOut } = yield* (yield* LangfuseIngest.LangfuseIngest).stats
      assert.deepStrictEqual([offered, delivered, sampledOut], [180, 3 * count, 3 * (60 - count)])
    }).pipe(Effect.provide(layer({}, { sampleRate: 0.5 }))))
})

describe("values", () => {
  it.effect("a function that is given as a value is written as one and not called", () =>
    Effect.gen(function*() {
      let sent = 0
      const sendEmail = () => ++sent
      const untyped = { input: sendEmail, version: sendEmail, metadata: { sendEmail } } as object
      yield* Effect.succeed(1).pipe(Langfuse.tool("t", untyped))
      yield* Langfuse.update({ ...untyped, output: sendEmail, level: sendEmail } as object).pipe(Langfuse.tool("u"))
      yield* Langfuse.event("e", untyped)
      assert.strictEqual(sent, 0)
      for (const name of ["t", "u", "e"]) {
        const { body } = yield* named(name)
        assert.strictEqual(body.input, "<function sendEmail>", name)
        assert.strictEqual(body.version, "<function sendEmail>")
        assert.deepNestedInclude(body.metadata, { sendEmail: "<function sendEmail>" })
      }
      assert.strictEqual((yield* named("u")).body.output, "<function sendEmail>")
    }).pipe(Effect.provide(layer())))

  it.effect("an object is recorded as it was when it was given, whoever gave it", () =>
    Effect.gen(function*() {
      const messages = [{ role: "user", parts: [{ type: "text", content: "Why?" }] }]
      const parameters = { stop: ["END"] }
      const metadata = { list: [1] }
      yield* Effect.gen(function*() {
        const span = yield* Effect.currentSpan
        span.attribute("gen_ai.operation.name", "chat")
        span.attribute("gen_ai.input.messages", messages)
        span.attribute("langfuse.observation.model.parameters", parameters)
        span.attribute("langfuse.observation.metadata.m", metadata)
      }).pipe(Effect.withSpan("chat"))
      messages.push({ role: "assistant", parts: [{ type: "text", content: "So." }] })
      parameters.stop.push("STOP")
      metadata.list.push(2)
      const [chat] = yield* observations
      const { input, metadata: stored, modelParameters } = chat?.body ?? {}
      assert.include(JSON.stringify(input), "Why?")
      assert.notInclude(JSON.stringify(input), "So.")
      assert.deepStrictEqual(modelParameters, { stop: ["END"] })
      assert.deepNestedInclude(stored, { m: { list: [1] } })
    }).pipe(Effect.provide(layer())))

  it.effect("false, 0 and an empty text are values", () =>
    Effect.gen(function*() {
      for (const [name, value] of [["false", false], ["zero", 0], ["empty", ""]] as const) {
        yield* Effect.succeed(value).pipe(Langfuse.tool(name, { input: value, output: (value) => value }))
        const { body } = yield* named(name)
        assert.deepStrictEqual([body.input, body.output], [value, value])
      }
    }).pipe(Effect.provide(layer())))

  it.effect("keys in metadata and in attributes of others are redacted", () =>
    Effect.gen(function*() {
      yield* Effect.annotateCurrentSpan({
        "http.request.header.authorization": "Bearer s3cret",
        "langfuse.observation.metadata.call": { headers: { cookie: "s3cret" } }
      }).pipe(
        Langfuse.tool("t", { input: { authorization: "s3cret" }, metadata: { "x-api-key": "s3cret" } }),
        Langfuse.withTrace({ metadata: { authorization: "s3cret", nested: { cookie: "s3cret" } } })
      )
      const text = JSON.stringify(yield* observations)
      assert.notInclude(text, "s3cret")
      assert.include(text, "<redacted>")
    }).pipe(Effect.provide(layer())))

  it.effect("usage or cost makes a generation of what is observed, as it does of what is updated", () =>
    Effect.gen(function*() {
      yield* Effect.succeed(1).pipe(Langfuse.observe("usage", { usage: { input: 1, output: 2 } }))
      yield* Effect.succeed(1).pipe(Langfuse.observe("cost", { cost: () => ({ total: 1 }) }))
      const usage = yield* named("usage")
      assert.strictEqual(usage.type, "generation-create")
      assert.deepStrictEqual(usage.body.usageDetails, { input: 1, output: 2, total: 3 })
      const cost = yield* named("cost")
      assert.strictEqual(cost.type, "generation-create")
      assert.deepStrictEqual(cost.body.costDetails, { total: 1 })
    }).pipe(Effect.provide(layer())))
})

describe("log lines", () => {
  const noisy = Effect.log("s3cret").pipe(
    Effect.repeatN(199),
    Effect.zipRight(Effect.logError("the reason")),
    Langfuse.tool("t")
  )

  it.effect("of more than fit the newest stay", () =>
    Effect.gen(function*() {
      yield* noisy
      const { events, leftOut } = (yield* named("t")).body.metadata as {
        readonly events: ReadonlyArray<{ readonly name: string }>
        readonly leftOut: string
      }
      assert.strictEqual(events.length, 128)
      assert.strictEqual(events.at(-1)?.name, "the reason")
      assert.strictEqual(leftOut, "73 more events or links")
    }).pipe(Effect.provide(layer())))

  it.effect("stay at home where only metadata leaves, and with spanEvents: false", () =>
    Effect.gen(function*() {
      for (const tracing of [layer({}, { content: "metadata" }), layer({ spanEvents: false })]) {
        const text = yield* noisy.pipe(
          Effect.zipRight(Effect.map(observations, (all) => JSON.stringify(all))),
          Effect.provide(tracing)
        )
        assert.include(text, "\"t\"")
        assert.notInclude(text, "s3cret")
        assert.notInclude(text, "the reason")
      }
    }))
})

describe("traceUrl", () => {
  const config = (entries: Record<string, string>) =>
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(entries))))

  it.scoped("knows where the layer sends to, in a span and outside", () =>
    Effect.gen(function*() {
      const memory = yield* Effect.provide(
        LangfuseIngest.LangfuseIngest,
        yield* Layer.build(LangfuseIngest.layerMemory)
      )
      const service = Intake.register({ ...memory }, { ...Intake.of(memory), baseUrl: "https://lf.test" })
      const ingest = Layer.succeed(LangfuseIngest.LangfuseIngest, service)
      const url = Langfuse.traceUrl({ traceId: "t" })
      const expected = Option.some("https://lf.test/trace/t")
      const env = config({ LANGFUSE_BASE_URL: "https://other.test" })
      const within = LangfuseTracer.layer().pipe(Layer.provide(ingest))
      assert.deepStrictEqual(yield* env(Effect.provide(Langfuse.tool(url, "t"), within)), expected)
      assert.deepStrictEqual(yield* env(Effect.provide(url, within)), expected)
      assert.deepStrictEqual(yield* env(Effect.provide(url, ingest)), expected)
    }))

  it.effect("takes an empty variable for none", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* config({ LANGFUSE_BASE_URL: "", LANGFUSE_HOST: "" })(Langfuse.traceUrl({ traceId: "t", baseUrl: "" })),
        Option.some("https://cloud.langfuse.com/trace/t")
      )
    }))
})

describe("ids that a span shows", () => {
  it.scoped("are those of the nearest observation that is certain, or of the caller", () =>
    Effect.gen(function*() {
      const { all, tracer } = yield* open()
      const program = (shown: Array<string>) => {
        const show = Effect.map(Effect.currentSpan, (span) => shown.push(span.spanId))
        return show.pipe(
          Effect.withSpan("http.client", { kind: "client" }),
          Langfuse.tool("tool"),
          Effect.zipLeft(Effect.withSpan(show, "between")),
          Langfuse.agent("agent")
        )
      }
      const shown: Array<string> = []
      yield* Effect.withTracer(program(shown), tracer)
      const ids = Object.fromEntries((yield* all).map(({ body }) => [body.name, body.id]))
      assert.deepStrictEqual(shown, [ids["tool"], ids["agent"]])
      const below: Array<string> = []
      yield* Effect.map(Effect.currentSpan, (span) => below.push(span.spanId)).pipe(
        Effect.withSpan("http.server"),
        Effect.withParentSpan(Tracer.externalSpan({ traceId, spanId })),
        Effect.withTracer(tracer)
      )
      assert.deepStrictEqual(below, [spanId])
    }))
})
