/** Values are recorded as they were where they were given, without what was to be redacted there. */
import { Headers } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Layer, type Tracer } from "effect"
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
  const kinds: Record<string, (self: Effect.Effect<void, Failed>) => Effect.Effect<void, Failed>> = {
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
