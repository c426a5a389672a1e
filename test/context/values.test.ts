/** Values are recorded as they were where they were given, without what was to be redacted there. */
import { Headers } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Layer, Tracer } from "effect"
import { LangfuseIngest } from "effect-langfuse"
import * as Langfuse from "effect-langfuse/Langfuse"
import * as LangfuseTracer from "effect-langfuse/LangfuseTracer"
import { layer, nextTurn, observations, open, recording } from "../utils/tracer.js"

class Failed extends Data.TaggedError("Failed")<{ readonly detail: { "x-my-key": string; state: string } }> {}

/** All that can be on a span, and a way to change it. */
const given = () => {
  const one = (place: string) => ({ "x-my-key": "s3cret", state: `${place} before` })
  const values = {
    attribute: one("attribute"),
    list: [one("list")],
    event: one("event"),
    message: one("message"),
    link: one("link"),
    detail: one("detail")
  }
  const attributes = { deep: values.event }
  return {
    put: Effect.gen(function*() {
      const span = yield* Effect.currentSpan
      span.attribute("debug", values.attribute)
      span.attribute("debug.list", values.list)
      span.event("event", 1_000_000n, attributes)
      span.event("gen_ai.user.message", 1_000_000n, { content: values.message })
      span.addLinks([{ _tag: "SpanLink", span, attributes: { debug: values.link } }])
    }),
    fail: Effect.suspend(() => new Failed({ detail: values.detail })),
    change: Effect.sync(() => {
      for (const value of [...Object.values(values).flat()]) value.state = "after"
      Object.assign(attributes, { more: "after" })
      values.list.push({ "x-my-key": "s3cret", state: "after" })
    })
  }
}

const places = ["attribute", "list", "event", "link"]

const redacting = Effect.locally(Headers.currentRedactedNames, ["x-my-key"])

const isClean = (expected: ReadonlyArray<string>, all: ReadonlyArray<unknown>) => {
  const text = JSON.stringify(all)
  assert.notInclude(text, "s3cret")
  assert.notInclude(text, "after")
  for (const place of expected) assert.include(text, `${place} before`)
}

describe("a value on a span", () => {
  type Run = (self: Effect.Effect<void, unknown>) => Effect.Effect<void, unknown>
  const kinds: Record<string, Run> = {
    "an observation": (self) => Langfuse.tool(self, "tool"),
    "a span between two": (self) =>
      self.pipe(
        Effect.zipLeft(Effect.void.pipe(Langfuse.tool("inner"))),
        Effect.tapError(() => Effect.void.pipe(Langfuse.tool("last"))),
        Effect.withSpan("between"),
        Langfuse.agent("outer")
      )
  }

  for (const [kind, observed] of Object.entries(kinds)) {
    it.effect(`is what it was when the span ended: ${kind}`, () =>
      Effect.gen(function*() {
        const { change, fail, put } = given()
        yield* put.pipe(Effect.zipRight(fail), observed, redacting, Effect.flip)
        yield* change
        yield* nextTurn
        isClean([...places, "message", "detail"], yield* observations)
      }).pipe(Effect.provide(layer())))
  }

  const filters: Record<string, LangfuseTracer.Options> = {
    "\"langfuse\"": {},
    "\"all\"": { filter: "all" },
    "a predicate": { filter: (span) => span.attributes.has("debug") },
    "a predicate at the end": { filter: (span) => span.status._tag === "Ended" }
  }
  for (const [filter, options] of Object.entries(filters)) {
    it.effect(`is redacted as where it was given, with the filter ${filter}`, () =>
      Effect.gen(function*() {
        const { change, put } = given()
        yield* put.pipe(redacting, Langfuse.tool("tool"))
        yield* change
        yield* nextTurn
        isClean(places, yield* observations)
      }).pipe(Effect.provide(layer(options))))
  }

  it.effect("is as it was in an observation beside another tracer, too", () => {
    const { tracer } = recording()
    return Effect.gen(function*() {
      const { change, put } = given()
      yield* put.pipe(redacting, Langfuse.tool("tool"))
      yield* change
      yield* nextTurn
      isClean(places, yield* observations)
    }).pipe(
      Effect.provide(
        LangfuseTracer.layerTee().pipe(
          Layer.provideMerge(LangfuseIngest.layerMemory),
          Layer.provide(Layer.setTracer(tracer))
        )
      )
    )
  })

  it.scoped("of one that never ends, and of one that becomes an observation late, is redacted as well", () =>
    Effect.gen(function*() {
      const { all, close, tracer } = yield* open()
      const { put } = given()
      let late: Tracer.Span | undefined
      yield* put.pipe(
        Effect.zipRight(Effect.map(Effect.currentSpan, (span) => {
          late = span
        })),
        Effect.withSpan("late"),
        redacting,
        Effect.withTracer(tracer)
      )
      late?.attribute("langfuse.observation.type", "tool")
      yield* put.pipe(
        Effect.zipRight(Effect.never),
        Langfuse.tool("open"),
        redacting,
        Effect.withTracer(tracer),
        Effect.fork
      )
      yield* nextTurn
      yield* close
      const found = yield* all
      assert.deepStrictEqual(found.map(({ body }) => body.name), ["late", "open"])
      isClean(places, found)
    }))

  it.effect("is not written for a span that is not exported, nor where content stays at home", () =>
    Effect.gen(function*() {
      let looks = 0
      const value = { toJSON: () => ++looks }
      yield* Effect.annotateCurrentSpan("debug", value).pipe(Effect.withSpan("plain"), Langfuse.agent("agent"))
      yield* Effect.gen(function*() {
        const span = yield* Effect.currentSpan
        span.event("gen_ai.user.message", 1_000_000n, { content: value })
        span.attribute("gen_ai.input.messages", value)
      }).pipe(Langfuse.generation("generation"))
      yield* nextTurn
      assert.strictEqual((yield* observations).length, 2)
      assert.strictEqual(looks, 0)
    }).pipe(Effect.provide(layer({}, { content: "metadata" }))))
})

it.effect("a score that waits for its observation is what it was when it was given", () =>
  Effect.gen(function*() {
    const metadata = { "x-my-key": "s3cret", state: "score before" }
    yield* Langfuse.score({ name: "n", value: 1, metadata }).pipe(redacting, Langfuse.tool("t"))
    metadata.state = "after"
    yield* nextTurn
    const all = yield* observations
    assert.strictEqual(all.length, 2)
    isClean(["score"], all)
  }).pipe(Effect.provide(layer({ filter: (span) => span.status._tag === "Ended" }))))

describe("what withTrace says", () => {
  const program = Effect.suspend(() => {
    const value = { deep: { "x-my-key": "s3cret", state: "metadata before" } }
    const input = { deep: { "x-my-key": "s3cret", state: "input before" } }
    return Effect.gen(function*() {
      Object.assign(value.deep, { state: "after" })
      Object.assign(input.deep, { state: "after" })
      yield* Effect.void.pipe(Langfuse.tool("first"))
      yield* Effect.void.pipe(Langfuse.tool("second"))
    }).pipe(Langfuse.withTrace({ metadata: { value }, input }), redacting, Effect.zipRight(nextTurn))
  })
  const isAsItWas = Effect.map(observations, (all) => isClean(["metadata", "input"], all))

  const around: Record<string, (self: Effect.Effect<void>) => Effect.Effect<void>> = {
    "around roots": (self) => self,
    "within an observation": Langfuse.agent("agent"),
    "within another": Langfuse.withTrace({ userId: "ada", metadata: { a: { b: 1 } } }),
    "of a new trace": (self) => self.pipe(Langfuse.withTrace({ newTrace: true }), Langfuse.agent("agent")),
    "below a caller": Effect.withParentSpan(Tracer.externalSpan({ traceId: "a".repeat(32), spanId: "b".repeat(16) }))
  }
  for (const [where, within] of Object.entries(around)) {
    it.effect(`is what it was when it was said, ${where}`, () =>
      program.pipe(within, Effect.zipRight(isAsItWas), Effect.provide(layer())))
  }

  it.effect("is what it was beside another tracer, with the names of the project redacted", () => {
    const { tracer } = recording()
    return program.pipe(
      Effect.locally(Headers.currentRedactedNames, []),
      Effect.zipRight(isAsItWas),
      Effect.provide(
        LangfuseTracer.layerTee().pipe(
          Layer.provideMerge(LangfuseIngest.layerMemoryWith({ redactedNames: ["x-my-key"] })),
          Layer.provide(Layer.setTracer(tracer))
        )
      )
    )
  })

  it.effect("goes along in baggage without objects and without what is redacted, under any tracer", () => {
    const { tracer } = recording()
    const ingest = LangfuseIngest.layerMemoryWith({ redactedNames: ["x-my-key"] })
    const metadata = { "x-my-key": "s3cret", authorization: "s3cret", deep: { a: 1 }, list: ["a"], plan: "free" }
    return Effect.gen(function*() {
      for (
        const tracing of [
          LangfuseTracer.layer().pipe(Layer.provide(ingest)),
          LangfuseTracer.layerTee().pipe(Layer.provide(ingest), Layer.provide(Layer.setTracer(tracer))),
          Layer.merge(Layer.setTracer(tracer), Layer.locallyScoped(Headers.currentRedactedNames, ["x-my-key"]))
        ]
      ) {
        const baggage = yield* Langfuse.currentBaggage.pipe(
          Langfuse.withTrace({ metadata }),
          Effect.provide(tracing)
        )
        assert.strictEqual(baggage, "langfuse_metadata_plan=free")
      }
    })
  })

  it.effect("is not written for a trace that is not recorded, and the first span is in the trace that was asked about", () =>
    Effect.gen(function*() {
      let fate = ""
      for (let i = 0; i < 40; i++) {
        let looks = 0
        const value = { toJSON: () => `${++looks}` }
        yield* Effect.void.pipe(Langfuse.tool("t"), Langfuse.withTrace({ metadata: { value }, input: [value] }))
        yield* nextTurn
        const all = yield* observations
        fate += `${looks}${all.filter(({ body }) => body.name === "t").length - [...fate.matchAll(/21/g)].length} `
      }
      assert.match(fate, /^(?:00 |21 )+$/)
      assert.include(fate, "00")
      assert.include(fate, "21")
    }).pipe(Effect.provide(layer({}, { sampleRate: 0.5 }))))
})
