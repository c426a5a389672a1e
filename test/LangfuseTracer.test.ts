import { NodeSdk, Tracer as OtelTracer } from "@effect/opentelemetry"
import { HttpTraceContext } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import {
  Cause,
  Clock,
  Context,
  Data,
  Deferred,
  Effect,
  Exit,
  FastCheck,
  Fiber,
  FiberId,
  Layer,
  Option,
  Redacted,
  Runtime,
  Schema,
  Scope,
  Stream,
  TestClock,
  Tracer
} from "effect"
import { IngestionEvent, LangfuseIngest, LangfuseTransport } from "effect-langfuse"
import * as Langfuse from "effect-langfuse/Langfuse"
import * as LangfuseTracer from "effect-langfuse/LangfuseTracer"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as Client from "./utils/client.js"
import { keys } from "./utils/ingest.js"
import { layer, named, nextTurn, type Observation, observations, open, recording, tree } from "./utils/tracer.js"

setFlagsFromString("--expose-gc")
const collectGarbage: () => void = runInNewContext("gc")

const own = { "langfuse.observation.type": "span" }
const langfuse = (name: string) => Effect.withSpan(name, { attributes: own })

const traceId = "0af7651916cd43dd8448eb211c80319c"
const spanId = "b7ad6b7169203331"

const bySpan = Context.empty()
const begin = (
  tracer: Tracer.Tracer,
  name: string,
  parent?: Tracer.AnySpan,
  startTime = 1_000_000n
) => tracer.span(name, Option.fromNullable(parent), bySpan, [], startTime, "internal")

/** Everything a value can do to whoever looks at it. */
const hostile = () => {
  const circular: { self?: unknown } = {}
  circular.self = circular
  const revoked = Proxy.revocable({}, {})
  revoked.revoke()
  return {
    bigint: 1n,
    circular,
    getter: Object.defineProperty({}, "x", {
      enumerable: true,
      get: () => {
        throw new Error("getter")
      }
    }),
    toJson: {
      toJSON: () => {
        throw new Error("toJSON")
      }
    },
    proxy: new Proxy({}, {
      get: () => {
        throw new Error("get")
      },
      ownKeys: () => {
        throw new Error("ownKeys")
      },
      getPrototypeOf: () => {
        throw new Error("getPrototypeOf")
      }
    }),
    revoked: revoked.proxy,
    symbol: Symbol("s"),
    function: () => 1,
    huge: "x".repeat(3_000_000),
    lone: "\ud800",
    nan: NaN,
    undefined,
    null: null
  }
}

describe("LangfuseTracer", () => {
  describe("spans", () => {
    it.effect("become observations with name, ids and times from the clock", () =>
      Effect.gen(function*() {
        yield* TestClock.setTime(1_000)
        yield* Effect.gen(function*() {
          yield* TestClock.adjust("250 millis")
          yield* TestClock.adjust("1 second").pipe(langfuse("inner"))
        }).pipe(langfuse("outer"))
        const outer = yield* named("outer")
        const inner = yield* named("inner")
        assert.strictEqual(outer.type, "span-create")
        assert.strictEqual(outer.body.startTime, "1970-01-01T00:00:01.000Z")
        assert.strictEqual(outer.body.endTime, "1970-01-01T00:00:02.250Z")
        assert.strictEqual(outer.timestamp, outer.body.endTime)
        assert.strictEqual(inner.body.startTime, "1970-01-01T00:00:01.250Z")
        assert.strictEqual(inner.body.parentObservationId, outer.body.id)
        assert.strictEqual(inner.body.traceId, outer.body.traceId)
        assert.match(outer.body.id, /^[0-9a-f]{16}$/)
        assert.match(outer.body.traceId ?? "", /^[0-9a-f]{32}$/)
        assert.notProperty(outer.body, "level")
      }).pipe(Effect.provide(layer())))

    it.scoped("keep the microseconds of a clock that has them", () =>
      Effect.gen(function*() {
        const { all, tracer } = yield* open({ filter: "all" })
        const nanos = BigInt(Date.UTC(2026, 10, 23, 12)) * 1_000_000n + 1_234_567n
        begin(tracer, "precise", undefined, nanos).end(nanos + 1_000_000n, Exit.void)
        const [event] = yield* all
        assert.match(event?.body.startTime ?? "", /^2026-11-23T12:00:00\.0012345..Z$|^2026-11-23T12:00:00\.0012346..Z$/)
        assert.match(event?.body.endTime ?? "", /^2026-11-23T12:00:00\.00223[45]...Z$/)
        assert.isTrue(Schema.is(IngestionEvent.IngestionEvent)(event))
      }))

    it.effect("have ids from the IdGenerator", () =>
      Effect.gen(function*() {
        yield* langfuse("a")(Effect.void)
        const event = yield* named("a")
        assert.strictEqual(event.body.traceId, "1".padStart(32, "0"))
        assert.strictEqual(event.body.id, "2".padStart(16, "0"))
        assert.strictEqual(event.id, "event-3")
      }).pipe(
        Effect.provide(layer()),
        Effect.provideServiceEffect(
          IngestionEvent.IdGenerator,
          Effect.sync(() => {
            let last = 0
            const next = (length: number) => String(++last).padStart(length, "0")
            return {
              unsafeTraceId: () => next(32),
              unsafeObservationId: () => next(16),
              unsafeEventId: () => `event-${++last}`
            }
          })
        )
      ))

    it.effect("have times even where the tracer's timing is off", () =>
      Effect.gen(function*() {
        yield* TestClock.setTime(5_000)
        yield* TestClock.adjust("1 second").pipe(langfuse("a"), Effect.withTracerTiming(false))
        const { body } = yield* named("a")
        assert.strictEqual(body.startTime, "1970-01-01T00:00:05.000Z")
        assert.strictEqual(body.endTime, "1970-01-01T00:00:06.000Z")
      }).pipe(Effect.provide(layer())))

    it.effect("of a region without tracing are none, and those below it hang from what is above", () =>
      Effect.gen(function*() {
        yield* langfuse("inner")(Effect.void).pipe(
          Effect.withTracerEnabled(true),
          langfuse("hidden"),
          Effect.withTracerEnabled(false),
          langfuse("outer")
        )
        assert.deepStrictEqual(tree(yield* observations), { inner: "outer", outer: undefined })
      }).pipe(Effect.provide(layer())))

    it.effect("keep the spans of concurrent fibers apart", () =>
      Effect.gen(function*() {
        yield* Effect.forEach(
          Array.from({ length: 200 }, (_, i) => i),
          (i) => Effect.yieldNow().pipe(langfuse(`leaf ${i}`), langfuse(`branch ${i}`)),
          { concurrency: "unbounded" }
        ).pipe(langfuse("root"))
        const all = yield* observations
        const parents = tree(all)
        assert.strictEqual(all.length, 401)
        for (let i = 0; i < 200; i++) {
          assert.strictEqual(parents[`leaf ${i}`], `branch ${i}`)
          assert.strictEqual(parents[`branch ${i}`], "root")
        }
        assert.strictEqual(new Set(all.map(({ body }) => body.traceId)).size, 1)
      }).pipe(Effect.provide(layer())))

    it.effect("are in one trace across forks, and daemons that outlive their parent stay below it", () =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make()
        const daemon = yield* Deferred.await(gate).pipe(langfuse("daemon"), Effect.forkDaemon, langfuse("parent"))
        yield* named("parent")
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(daemon)
        assert.deepStrictEqual(tree(yield* observations), { parent: undefined, daemon: "parent" })
      }).pipe(Effect.provide(layer())))

    it.effect("ten thousand deep are all there, each below the one it ran in", () =>
      Effect.gen(function*() {
        const depth = 10_000
        let nested: Effect.Effect<void> = Effect.void
        for (let i = depth - 1; i >= 0; i--) nested = langfuse(`${i}`)(nested)
        yield* nested
        const all = yield* observations
        const parents = tree(all)
        assert.strictEqual(all.length, depth)
        for (let i = 1; i < depth; i++) assert.strictEqual(parents[`${i}`], `${i - 1}`)
        assert.strictEqual(all.filter(({ trace }) => trace?.isAppRoot).length, 1)
      }).pipe(Effect.provide(layer())))
  })

  describe("exits", () => {
    const statusOf = <A, E>(effect: Effect.Effect<A, E>) =>
      Effect.gen(function*() {
        yield* Effect.exit(langfuse("a")(effect))
        const { body } = yield* named("a")
        return [body.level, body.statusMessage]
      }).pipe(Effect.provide(layer()))

    class Refused extends Data.TaggedError("Refused")<{ readonly status: number; readonly authorization: string }> {}
    class Described extends Schema.TaggedError<Described>()("Described", { message: Schema.String }) {}

    it.effect("an error is an ERROR with its message", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* statusOf(Effect.die(new Error("no such key"))), [
          "ERROR",
          "Error: no such key"
        ])
        assert.deepStrictEqual(yield* statusOf(Effect.fail("no such key")), ["ERROR", "no such key"])
        assert.deepStrictEqual(yield* statusOf(Effect.fail(new Described({ message: "why" }))), [
          "ERROR",
          "Described: why"
        ])
        assert.deepStrictEqual(yield* statusOf(Effect.fail({ code: 7 })), ["ERROR", `{"code":7}`])
        assert.deepStrictEqual(yield* statusOf(Effect.fail(undefined)), ["ERROR", "undefined"])
      }))

    it.effect("the fields of a tagged error without a message tell why, and a secret is not told", () =>
      Effect.gen(function*() {
        const status = yield* statusOf(Effect.fail(new Refused({ status: 403, authorization: "s3cret" })))
        assert.deepStrictEqual(status, ["ERROR", `Refused: {"status":403,"authorization":"<redacted>"}`])
      }))

    it.effect("what an error was caused by is told too, and a secret is not", () =>
      Effect.gen(function*() {
        const error = new Error("outer", { cause: new Error("inner", { cause: new TypeError("innermost") }) })
        assert.deepStrictEqual(yield* statusOf(Effect.fail(error)), [
          "ERROR",
          "Error: outer\n  caused by Error: inner\n    caused by TypeError: innermost"
        ])
        const secret = yield* statusOf(Effect.fail({ key: Redacted.make("s3cret") }))
        assert.deepStrictEqual(secret, ["ERROR", `{"key":"<redacted>"}`])
      }))

    it.effect("a defect is an ERROR, and an interruption a WARNING", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* statusOf(Effect.die(new RangeError("boom"))), ["ERROR", "RangeError: boom"])
        assert.deepStrictEqual(yield* statusOf(Effect.interrupt), ["WARNING", "interrupted"])
        assert.deepStrictEqual(yield* statusOf(Effect.failCause(Cause.empty)), [undefined, undefined])
      }))

    it.effect("several failures are all told, and one among interruptions makes it an ERROR", () =>
      Effect.gen(function*() {
        const cause = Cause.parallel(
          Cause.sequential(Cause.fail("first"), Cause.die("second")),
          Cause.interrupt(FiberId.none)
        )
        assert.deepStrictEqual(yield* statusOf(Effect.failCause(cause)), ["ERROR", "first\nsecond"])
      }))

    it.effect("no path of the machine leaves, neither in the message nor in the metadata", () =>
      Effect.gen(function*() {
        yield* Effect.gen(function*() {
          yield* Effect.logError("went wrong", Cause.die(new Error("logged")))
          return yield* Effect.die(new Error("boom"))
        }).pipe(langfuse("a"), Effect.exit)
        const text = JSON.stringify(yield* named("a"))
        assert.include(text, "went wrong")
        assert.include(text, "logged")
        assert.notInclude(text, "LangfuseTracer.test")
        assert.notInclude(text, "code.stacktrace")
      }).pipe(Effect.provide(layer())))

    it.scoped("a cause that cannot be read, and one without end, are told in a few words", () =>
      Effect.gen(function*() {
        const { all, tracer } = yield* open({ filter: "all" })
        const values = Object.values(hostile())
        for (const value of values) begin(tracer, "a").end(2n, Exit.fail(value))
        for (const value of values) begin(tracer, "a").end(2n, Exit.die(value))
        // No exit at all, from untyped code.
        for (const value of values) begin(tracer, "a").end(2n, value as never)
        for (const { body } of yield* all) {
          assert.strictEqual(body.level, "ERROR")
          assert.isString(body.statusMessage)
          assert.isBelow(body.statusMessage?.length ?? Infinity, 3000)
        }
        const endless = new Error("x".repeat(100_000))
        endless.cause = endless
        const [, message] = yield* statusOf(Effect.failCause(
          Array.from({ length: 1000 }).reduce<Cause.Cause<Error>>(
            (cause) => Cause.parallel(cause, Cause.fail(endless)),
            Cause.empty
          )
        ))
        assert.isBelow(message?.length ?? Infinity, 100_000)
        assert.include(message ?? "", "and 990 more")
      }))

    it.effect("what the program says about level and message wins", () =>
      Effect.gen(function*() {
        yield* Effect.fail("expected").pipe(
          Langfuse.observe("a", { level: "DEBUG", statusMessage: "as usual" }),
          Effect.exit
        )
        const { body } = yield* named("a")
        assert.strictEqual(body.level, "DEBUG")
        assert.strictEqual(body.statusMessage, "as usual")
      }).pipe(Effect.provide(layer())))
  })

  describe("metadata", () => {
    it.effect("keeps attributes, events and links", () =>
      Effect.gen(function*() {
        yield* TestClock.setTime(1_000)
        const target = Tracer.externalSpan({ traceId, spanId })
        yield* Effect.gen(function*() {
          yield* Effect.annotateCurrentSpan({ "http.status": 200, nested: { a: [1] } })
          yield* Effect.log("a line").pipe(Effect.annotateLogs("k", "v"))
          yield* Effect.linkSpanCurrent(target, { why: "retry" })
        }).pipe(langfuse("a"))
        const { body } = yield* named("a")
        const metadata = body.metadata as {
          attributes: object
          links: ReadonlyArray<object>
          events: ReadonlyArray<{ name: string; time: string; attributes: Record<string, unknown> }>
        }
        assert.deepStrictEqual(metadata.attributes, { "http.status": 200, nested: { a: [1] } })
        assert.deepStrictEqual(metadata.links, [{ traceId, spanId, attributes: { why: "retry" } }])
        assert.strictEqual(metadata.events[0]?.name, "a line")
        assert.strictEqual(metadata.events[0]?.time, "1970-01-01T00:00:01.000Z")
        assert.strictEqual(metadata.events[0]?.attributes["k"], "v")
      }).pipe(Effect.provide(layer())))

    it.effect("says the kind of a span that crosses a boundary", () =>
      Effect.gen(function*() {
        yield* Effect.void.pipe(Effect.withSpan("a", { kind: "client" }))
        assert.deepStrictEqual((yield* named("a")).body.metadata, { attributes: { "span.kind": "client" } })
      }).pipe(Effect.provide(layer({ filter: "all" }))))

    it.effect("keeps so many events of a span that logs without end, and says how many there were more", () =>
      Effect.gen(function*() {
        yield* Effect.log("again").pipe(Effect.repeatN(999), langfuse("a"))
        const metadata = (yield* named("a")).body.metadata as { events: ReadonlyArray<unknown>; leftOut: string }
        assert.strictEqual(metadata.events.length, 128)
        assert.strictEqual(metadata.leftOut, "872 more events or links")
      }).pipe(Effect.provide(layer())))
  })

  describe("filter", () => {
    it.effect("\"langfuse\" takes observations and what lies between them, not what is above or below", () =>
      Effect.gen(function*() {
        yield* Effect.void.pipe(
          Effect.withSpan("query"),
          langfuse("tool"),
          Effect.withSpan("between"),
          langfuse("agent"),
          Effect.withSpan("http")
        )
        assert.deepStrictEqual(tree(yield* observations), { tool: "between", between: "agent", agent: undefined })
      }).pipe(Effect.provide(layer())))

    it.effect("\"langfuse\" takes a span that becomes an observation while it is open", () =>
      Effect.gen(function*() {
        yield* Effect.annotateCurrentSpan("gen_ai.operation.name", "chat").pipe(Effect.withSpan("model"))
        yield* Effect.void.pipe(Effect.withSpan("plain"))
        assert.deepStrictEqual((yield* observations).map(({ type }) => type), ["generation-create"])
      }).pipe(Effect.provide(layer())))

    it.effect("\"langfuse\" does not take spans for what withTrace and annotateSpans put on all of them", () =>
      Effect.gen(function*() {
        yield* Effect.void.pipe(
          Effect.withSpan("query"),
          Langfuse.withTrace({ name: "t", userId: "u", tags: ["a"], environment: "test" }),
          Effect.annotateSpans("langfuse.observation.metadata.tenant", "acme"),
          Effect.withSpan("http")
        )
        assert.deepStrictEqual(yield* observations, [])
        yield* Effect.annotateCurrentSpan("langfuse.trace.name", "mine").pipe(
          Effect.withSpan("named"),
          Langfuse.withTrace({ name: "t" })
        )
        assert.strictEqual((yield* named("named")).trace?.name, "mine")
      }).pipe(Effect.provide(layer())))

    it.effect("\"all\" takes every span", () =>
      Effect.gen(function*() {
        yield* Effect.void.pipe(Effect.withSpan("a"), Effect.withSpan("b"))
        assert.deepStrictEqual(tree(yield* observations), { a: "b", b: undefined })
      }).pipe(Effect.provide(layer({ filter: "all" }))))

    it.effect("spans below one that a predicate refuses hang from the nearest it took", () =>
      Effect.gen(function*() {
        yield* Effect.void.pipe(
          Effect.withSpan("a"),
          Effect.withSpan("no 1"),
          Effect.withSpan("no 2"),
          Effect.withSpan("b"),
          Effect.withSpan("no 3")
        )
        const all = yield* observations
        assert.deepStrictEqual(tree(all), { a: "b", b: undefined })
        assert.deepStrictEqual(all.map(({ trace }) => trace?.isAppRoot), [undefined, true])
      }).pipe(Effect.provide(layer({ filter: (span) => !span.name.startsWith("no") }))))

    it.effect("a predicate that throws refuses, and harms nobody", () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* Effect.succeed(1).pipe(Effect.withSpan("a"), Effect.withSpan("b")), 1)
        assert.deepStrictEqual((yield* observations).map(({ body }) => body.name), ["b"])
      }).pipe(Effect.provide(layer({
        filter: (span) => {
          if (span.name === "a") throw new Error("cannot tell")
          return true
        }
      }))))

    // Which spans there are, how they are nested, in what order they end, when some become observations and when the
    // tracer looks at what has ended.
    const scenario = FastCheck.record({
      parents: FastCheck.array(FastCheck.nat(), { minLength: 1, maxLength: 25 }),
      kinds: FastCheck.array(FastCheck.constantFrom("plain", "own", "late", "after"), { minLength: 25, maxLength: 25 }),
      ends: FastCheck.array(FastCheck.nat(), { minLength: 25, maxLength: 25 }),
      unended: FastCheck.array(FastCheck.boolean(), { minLength: 25, maxLength: 25 }),
      pushes: FastCheck.array(FastCheck.boolean(), { minLength: 25, maxLength: 25 }),
      refused: FastCheck.array(FastCheck.boolean(), { minLength: 25, maxLength: 25 }),
      filter: FastCheck.constantFrom("langfuse", "all", "predicate", "fickle"),
      maxOpenSpans: FastCheck.constantFrom(undefined, 3)
    })

    it.effect.prop(
      "any tree of spans with any filter is a tree of observations: every parent is exported, and is an ancestor",
      [scenario],
      ([{ ends, filter, kinds, maxOpenSpans, parents, pushes, refused, unended }]) =>
        Effect.gen(function*() {
          const { all, close, tracer } = yield* open({
            filter: filter === "predicate"
              ? (span) => refused[Number(span.name)] === false
              : filter === "fickle"
              // Takes some spans when it is asked early, and not when they have ended.
              ? (span) => span.status._tag === "Started" || refused[Number(span.name)] === false
              : filter === "all"
              ? "all"
              : "langfuse",
            maxOpenSpans
          })
          const spans: Array<Tracer.Span> = []
          const ancestors: Array<ReadonlyArray<number>> = []
          parents.forEach((parent, i) => {
            const above = i === 0 ? undefined : parent % (i + 1) - 1
            const span = begin(tracer, `${i}`, above === undefined || above < 0 ? undefined : spans[above])
            ancestors.push(above === undefined || above < 0 ? [] : [above, ...(ancestors[above] ?? [])])
            if (kinds[i] === "own") span.attribute("langfuse.observation.type", "span")
            spans.push(span)
          })
          const order = spans.map((_, i) => i).sort((a, b) => (ends[a] ?? 0) - (ends[b] ?? 0))
          for (const i of order) {
            // Beyond the bound on open spans an observation that never ends is lost, and named by those below it.
            if (unended[i] && (maxOpenSpans === undefined || (filter === "langfuse" && kinds[i] === "plain"))) continue
            if (kinds[i] === "late") spans[i]?.attribute("langfuse.observation.type", "span")
            spans[i]?.end(2_000_000n, Exit.void)
            if (kinds[i] === "after") spans[i]?.attribute("langfuse.observation.type", "span")
            if (pushes[i]) yield* all
          }
          yield* close
          const events = yield* all
          const ids = new Map(events.map(({ body }) => [body.id, Number(body.name)]))
          assert.strictEqual(ids.size, events.length)
          for (const { body, trace } of events) {
            const parent = body.parentObservationId
            if (parent) {
              assert.isTrue(ids.has(parent), `the parent of ${body.name} is exported`)
              assert.isTrue(ancestors[Number(body.name)]?.includes(ids.get(parent) ?? NaN))
              assert.isUndefined(trace?.isAppRoot)
            }
          }
          const expected = spans.filter((_, i) =>
            filter === "all" || (filter === "langfuse" ? kinds[i] === "own" : !refused[i])
          )
          for (const span of expected) assert.isTrue(ids.has(span.spanId))
          if (filter === "predicate") assert.strictEqual(ids.size, expected.length)
          const traces = new Set(events.map(({ body }) => body.traceId))
          assert.strictEqual(events.filter(({ trace }) => trace?.isAppRoot).length, traces.size)
        }).pipe(Effect.scoped),
      { fastCheck: { numRuns: 250 } }
    )
  })

  describe("processes", () => {
    it.effect("a traceparent from outside continues the trace, and the first observation is the app's root", () =>
      Effect.gen(function*() {
        const parent = HttpTraceContext.w3c({ traceparent: `00-${traceId}-${spanId}-01` } as never)
        yield* Effect.all([langfuse("a")(Effect.void), langfuse("b")(Effect.void)]).pipe(
          Effect.withSpan("http"),
          Effect.withParentSpan(Option.getOrThrow(parent))
        )
        const [a, b] = yield* observations
        assert.strictEqual(a?.body.traceId, traceId)
        assert.strictEqual(a?.body.parentObservationId, spanId)
        assert.deepStrictEqual(a?.trace, { isAppRoot: true })
        assert.strictEqual(b?.body.parentObservationId, spanId)
        assert.isUndefined(b?.trace)
      }).pipe(Effect.provide(layer())))

    it.effect("a caller that is not sampled is honoured, down to the header of the next call", () =>
      Effect.gen(function*() {
        const header = yield* Effect.map(Effect.currentSpan, HttpTraceContext.toHeaders).pipe(
          langfuse("inner"),
          Langfuse.observe("outer", { input: "x" }),
          Effect.withParentSpan(Tracer.externalSpan({ traceId, spanId, sampled: false }))
        )
        assert.deepStrictEqual(yield* observations, [])
        assert.match(header["traceparent"] ?? "", new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`))
      }).pipe(Effect.provide(layer())))

    it.effect("ids of other lengths and cases become W3C's, and those that are none begin a new trace", () =>
      Effect.gen(function*() {
        const below = (name: string, ids: { traceId: string; spanId: string }) =>
          langfuse(name)(Effect.void).pipe(
            Effect.withParentSpan(Tracer.externalSpan(ids)),
            Effect.zipRight(named(name))
          )
        const b3 = yield* below("b3", { traceId: "463AC35C9F6413AD", spanId: "A2FB4A1D1A96D312" })
        assert.strictEqual(b3.body.traceId, "0000000000000000463ac35c9f6413ad")
        assert.strictEqual(b3.body.parentObservationId, "a2fb4a1d1a96d312")
        const wrong = yield* below("wrong", { traceId: "noop", spanId: "noop" })
        assert.match(wrong.body.traceId ?? "", /^[0-9a-f]{32}$/)
        assert.notProperty(wrong.body, "parentObservationId")
        const zero = yield* below("zero", { traceId: "0".repeat(32), spanId: "0".repeat(16) })
        assert.notMatch(zero.body.traceId ?? "", /^0+$/)
      }).pipe(Effect.provide(layer())))

    it.effect("a span of another tracer in this process is no parent, what is above it may be", () =>
      Effect.gen(function*() {
        const native = yield* Effect.tracer.pipe(Effect.provide(Layer.empty))
        yield* Effect.gen(function*() {
          const ours = yield* Effect.currentSpan
          const between = yield* Effect.makeSpan("native", { parent: ours }).pipe(
            Effect.withTracer(recording().tracer)
          )
          yield* langfuse("below")(Effect.void).pipe(Effect.withParentSpan(between))
        }).pipe(langfuse("above"))
        yield* langfuse("alone")(Effect.void).pipe(
          Effect.withParentSpan(yield* Effect.makeSpan("foreign").pipe(Effect.withTracer(native)))
        )
        const parents = tree(yield* observations)
        assert.strictEqual(parents["below"], "above")
      }).pipe(Effect.provide(layer())))
  })

  describe("time of encoding", () => {
    it.live("a span is handed on in a later turn, with attributes that came after its end", () =>
      Effect.gen(function*() {
        const taken: Array<IngestionEvent.IngestionEvent> = []
        const ingest = LangfuseIngest.LangfuseIngest.of({
          enqueue: () => Effect.succeed(true),
          unsafeEnqueue: (event) => taken.push(event) > 0,
          flush: Effect.die("not asked"),
          stats: Effect.die("not asked"),
          status: Effect.die("not asked")
        })
        yield* Effect.gen(function*() {
          const span = yield* langfuse("a")(Effect.flatten(Effect.map(Effect.currentSpan, Effect.succeed)))
          span.attribute("langfuse.observation.output", "late")
          assert.deepStrictEqual(taken, [])
          yield* nextTurn
          assert.deepStrictEqual(taken.map(({ body }) => (body as Observation["body"]).output), ["late"])
          span.attribute("langfuse.observation.output", "too late")
          yield* nextTurn
          assert.strictEqual(taken.length, 1)
        }).pipe(
          Effect.provide(
            LangfuseTracer.layer().pipe(Layer.provide(Layer.succeed(LangfuseIngest.LangfuseIngest, ingest)))
          )
        )
      }))

    it.scoped("a program that never leaves its turn does not pile up spans", () =>
      Effect.gen(function*() {
        let taken = 0
        const ingest = LangfuseIngest.LangfuseIngest.of({
          enqueue: () => Effect.succeed(true),
          unsafeEnqueue: () => ++taken > 0,
          flush: Effect.die("not asked"),
          stats: Effect.die("not asked"),
          status: Effect.die("not asked")
        })
        const tracer = yield* LangfuseTracer.make({ filter: "all" }).pipe(
          Effect.provideService(LangfuseIngest.LangfuseIngest, ingest)
        )
        for (let i = 0; i < 10_000; i++) begin(tracer, `${i}`).end(2n, Exit.void)
        assert.isAtLeast(taken, 7_000)
        for (let turn = 0; turn < 20; turn++) yield* nextTurn
        assert.strictEqual(taken, 10_000)
      }))

    it.effect("flush hands on what has ended", () =>
      Effect.gen(function*() {
        const runtime = yield* Effect.runtime<LangfuseIngest.LangfuseIngest>()
        const ingest = yield* LangfuseIngest.LangfuseIngest
        const stats = Runtime.runSync(runtime)(
          langfuse("a")(Effect.void).pipe(
            Effect.zipRight(ingest.stats),
            Effect.zip(Effect.zipRight(ingest.flush, ingest.stats))
          )
        )
        assert.deepStrictEqual(stats.map(({ offered }) => offered), [0, 1])
      }).pipe(Effect.provide(layer())))

    describe("a flush of more than one turn should do", () => {
      const large = "x".repeat(100_000)

      const start = Effect.gen(function*() {
        const sent: Array<string> = []
        const transport = LangfuseTransport.LangfuseTransport.of({
          send: (batch, report) =>
            Effect.sync(() => {
              sent.push(...batch.map(({ event }) => (event.body as Observation["body"]).name ?? ""))
              report.settle(batch, "delivered")
            }),
          drain: () => Effect.void
        })
        const ingest = yield* LangfuseIngest.make({ maxBatch: 100, interval: "1 hour", capacity: 2000 }).pipe(
          Effect.provideService(LangfuseTransport.LangfuseTransport, transport)
        )
        const tracer = yield* LangfuseTracer.make({ filter: "all" }).pipe(
          Effect.provideService(LangfuseIngest.LangfuseIngest, ingest)
        )
        const record = (count: number, input: string): Array<string> =>
          Array.from({ length: count }, (_, i) => {
            const span = begin(tracer, `${i}`)
            span.attribute("langfuse.observation.input", input)
            span.end(2_000_000n, Exit.void)
            return span.name
          })
        return { ingest, record, sent }
      })

      for (const [what, count, input] of [["spans", 1500, "small"], ["text", 50, large]] as const) {
        it.scoped(`because of so much ${what} lets others have a turn, and tells of all that had ended`, () =>
          Effect.gen(function*() {
            const { ingest, record, sent } = yield* start
            const names = record(count, input)
            const flushing = yield* Effect.fork(ingest.flush)
            yield* Effect.repeatN(Effect.yieldNow(), 5)
            const { offered } = yield* ingest.stats
            assert.isAbove(offered, 0, "the first part is handed on at once")
            assert.isBelow(offered, count)
            const report = yield* Fiber.join(flushing)
            assert.deepStrictEqual(report, { delivered: count, rejected: 0, failed: 0, pending: 0 })
            assert.deepStrictEqual(sent, names, "each once, in their order")
          }))
      }

      it.scoped("comes to its end while the program goes on", () =>
        Effect.gen(function*() {
          const { ingest, record } = yield* start
          record(50, large)
          const program = yield* Effect.fork(
            Effect.forever(Effect.zipRight(nextTurn, Effect.sync(() => record(50, large))))
          )
          const { delivered } = yield* ingest.flush
          yield* Fiber.interrupt(program)
          assert.isAtLeast(delivered, 50)
        }))

      it.scoped("may be interrupted: what is left is handed on all the same", () =>
        Effect.gen(function*() {
          const { ingest, record } = yield* start
          record(50, large)
          const flushing = yield* Effect.fork(ingest.flush)
          yield* Effect.yieldNow()
          yield* Fiber.interrupt(flushing)
          assert.isBelow((yield* ingest.stats).offered, 50)
          assert.strictEqual((yield* ingest.flush).pending, 0)
          assert.strictEqual((yield* ingest.stats).delivered, 50)
        }))
    })
  })

  describe("totality", () => {
    it.scoped("no value harms the program, and the observation survives each of them", () =>
      Effect.gen(function*() {
        const { all, tracer } = yield* open({ filter: "all" })
        const names = [
          "langfuse.observation.input",
          "langfuse.observation.type",
          "langfuse.observation.usage_details",
          "langfuse.observation.metadata",
          "langfuse.trace.tags",
          "gen_ai.request.temperature",
          "gen_ai.input.messages",
          "gen_ai.usage.input_tokens",
          "user.id",
          "anything"
        ]
        for (const [kind, value] of Object.entries(hostile())) {
          for (const name of names) {
            const span = begin(tracer, `${kind} ${name}`)
            span.attribute(name, value)
            span.event("e", 1_500_000n, { [name]: value })
            span.addLinks([{ _tag: "SpanLink", span, attributes: { [name]: value } }])
            span.end(2_000_000n, Exit.fail(value))
          }
        }
        const events = yield* all
        assert.strictEqual(events.length, names.length * Object.keys(hostile()).length)
        const isEvent = Schema.is(IngestionEvent.IngestionEvent)
        for (const event of events) {
          assert.isTrue(isEvent(event), event.body.name ?? "")
          assert.notProperty(event.body.metadata ?? {}, "note", event.body.name ?? "")
        }
      }))

    it.scoped("untyped code can pass anything anywhere", () =>
      Effect.gen(function*() {
        const { all, tracer } = yield* open({ filter: "all" })
        for (const value of Object.values(hostile()) as Array<never>) {
          const span = tracer.span(value, Option.none(), value, value, value, value, value)
          span.attribute(value, value)
          span.event(value, value, value)
          span.addLinks(value)
          span.addLinks([value])
          span.end(value, value)
          tracer.span("below", Option.some(span), bySpan, [], 1n, "internal").end(2n, Exit.void)
          tracer.span("below", Option.some(value), bySpan, [], 1n, "internal").end(2n, Exit.void)
        }
        assert.strictEqual((yield* all).length, 3 * Object.keys(hostile()).length)
      }))

    it.effect("an attribute that cannot be written is replaced by a note, the others are kept", () =>
      Effect.gen(function*() {
        const { circular, toJson } = hostile()
        yield* Effect.annotateCurrentSpan({ toJson, circular, bigint: 1n, fine: [1, { a: "b" }] }).pipe(langfuse("a"))
        const { attributes } = (yield* named("a")).body.metadata as { attributes: object }
        assert.deepStrictEqual(attributes, {
          toJson: "<unreadable: toJSON threw>",
          circular: { self: "<circular: $.circular>" },
          bigint: "1",
          fine: [1, { a: "b" }]
        })
      }).pipe(Effect.provide(layer())))

    it.scoped("of two ends the first counts", () =>
      Effect.gen(function*() {
        const { all, tracer } = yield* open({ filter: "all" })
        const span = begin(tracer, "a")
        span.end(2_000_000n, Exit.fail("first"))
        span.end(9_000_000n, Exit.void)
        yield* all
        span.end(10_000_000n, Exit.void)
        const [event, ...others] = yield* all
        assert.deepStrictEqual(others, [])
        assert.strictEqual(event?.body.statusMessage, "first")
        assert.strictEqual(event?.body.endTime, "1970-01-01T00:00:00.002Z")
      }))

    it.scoped("an end before the start is moved to the start", () =>
      Effect.gen(function*() {
        const { all, tracer } = yield* open({ filter: "all" })
        begin(tracer, "a", undefined, 5_000_000n).end(2_000_000n, Exit.void)
        const [event] = yield* all
        assert.strictEqual(event?.body.endTime, event?.body.startTime)
      }))

    it.scoped("a service that throws, and ids that cannot be made, do not reach the program", () =>
      Effect.gen(function*() {
        const fail = (): never => {
          throw new Error("broken")
        }
        const ingest = LangfuseIngest.LangfuseIngest.of({
          enqueue: Effect.succeed as never,
          unsafeEnqueue: fail,
          flush: Effect.die("not asked"),
          stats: Effect.die("not asked"),
          status: Effect.die("not asked")
        })
        const result = yield* langfuse("a")(Effect.succeed(1)).pipe(
          Effect.zipLeft(nextTurn),
          Effect.provide(
            LangfuseTracer.layer().pipe(Layer.provide(Layer.succeed(LangfuseIngest.LangfuseIngest, ingest)))
          ),
          Effect.provideService(IngestionEvent.IdGenerator, {
            unsafeTraceId: fail,
            unsafeObservationId: fail,
            unsafeEventId: fail
          })
        )
        assert.strictEqual(result, 1)
      }))

    it.effect("a span of any size is cut to what one event may be", () =>
      Effect.gen(function*() {
        yield* Effect.void.pipe(Langfuse.observe("a", { input: "x".repeat(5_000_000), metadata: { kept: 1 } }))
        const { body } = yield* named("a")
        assert.isBelow(String(body.input).length, 1_000_001)
        assert.include(String(body.input), "<cut ")
        assert.deepStrictEqual(body.metadata, { kept: 1 })
      }).pipe(Effect.provide(layer())))
  })

  describe("spans that never end", () => {
    it.scoped("are exported when the tracer closes, as what they are", () =>
      Effect.gen(function*() {
        const { all, close, tracer } = yield* open()
        const http = begin(tracer, "http")
        const agent = begin(tracer, "agent", http)
        agent.attribute("langfuse.observation.type", "agent")
        agent.attribute("langfuse.observation.input", "q")
        const between = begin(tracer, "between", agent)
        const tool = begin(tracer, "tool", between)
        tool.attribute("langfuse.observation.type", "tool")
        begin(tracer, "query", tool)
        yield* TestClock.setTime(60_000)
        yield* close
        const events = yield* all
        assert.deepStrictEqual(tree(events), { tool: "between", between: "agent", agent: undefined })
        const root = events.find(({ body }) => body.name === "agent")
        assert.strictEqual(root?.type, "agent-create")
        assert.strictEqual(root?.body.level, "WARNING")
        assert.strictEqual(root?.body.statusMessage, "never ended: still open when tracing stopped")
        assert.strictEqual(root?.body.endTime, "1970-01-01T00:01:00.000Z")
        assert.strictEqual(root?.body.input, "q")
      }))

    it.scoped("and end after all once the tracer has closed are exported once more, complete", () =>
      Effect.gen(function*() {
        const { all, close, tracer } = yield* open({ filter: "all" })
        const span = begin(tracer, "a")
        yield* close
        span.end(90_000_000n, Exit.void)
        const late = begin(tracer, "b")
        late.end(3_000_000n, Exit.void)
        yield* nextTurn
        const [first, second, third] = yield* all
        assert.strictEqual(first?.body.level, "WARNING")
        assert.strictEqual(second?.body.id, first?.body.id)
        assert.strictEqual(second?.body.startTime, first?.body.startTime)
        assert.strictEqual(second?.body.endTime, "1970-01-01T00:00:00.090Z")
        assert.strictEqual(second?.body.level, "DEFAULT")
        assert.strictEqual(second?.body.statusMessage, "ended after it had been reported as one that never ended")
        assert.deepStrictEqual(second?.trace, first?.trace)
        assert.strictEqual(third?.body.name, "b")
      }))

    it.effect("that end after the ingest has closed are dropped and counted", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const context = yield* Layer.buildWithScope(layer(), scope)
        const ingest = Context.get(context, LangfuseIngest.LangfuseIngest)
        const tracer = yield* LangfuseTracer.make({ filter: "all" }).pipe(Effect.provide(context), Scope.extend(scope))
        const span = begin(tracer, "a")
        yield* Scope.close(scope, Exit.void)
        span.end(2n, Exit.void)
        yield* nextTurn
        const stats = yield* ingest.stats
        assert.strictEqual(stats.offered, stats.delivered + stats.dropped)
        assert.isAtLeast(stats.offered, 1)
      }))

    it.scoped("leave after openSpanTimeout, when the next span starts", () =>
      Effect.gen(function*() {
        const { all, tracer } = yield* open({ filter: "all", openSpanTimeout: "1 minute" })
        const minute = 60_000_000_000n
        begin(tracer, "old", undefined, 1n)
        const young = begin(tracer, "young", undefined, minute / 2n)
        assert.deepStrictEqual(yield* all, [])
        begin(tracer, "new", undefined, minute + 1n).end(minute + 2n, Exit.void)
        const events = yield* all
        assert.deepStrictEqual(events.map(({ body }) => body.name), ["old", "new"])
        assert.strictEqual(events[0]?.body.statusMessage, "never ended: has not ended after 1m")
        young.end(minute + 3n, Exit.void)
        assert.notProperty((yield* all).find(({ body }) => body.name === "young")?.body, "level")
      }))

    it.scoped("are watched up to maxOpenSpans; those beyond are exported when they end", () =>
      Effect.gen(function*() {
        const { all, close, tracer } = yield* open({ filter: "all", maxOpenSpans: 2 })
        const spans = ["a", "b", "c", "d"].map((name) => begin(tracer, name))
        spans[3]?.end(2n, Exit.void)
        yield* close
        assert.deepStrictEqual((yield* all).map(({ body }) => body.name), ["d", "b", "a"])
      }))
  })

  describe("layerTee", () => {
    const teed = (other: Tracer.Tracer, options?: LangfuseTracer.Options) =>
      LangfuseTracer.layerTee(options).pipe(
        Layer.provideMerge(LangfuseIngest.layerMemory),
        Layer.provideMerge(Layer.setTracer(other))
      )

    it.effect("makes every span one of both tracers, with the same ids, attributes, events, links and end", () => {
      const { spans, tracer, span } = recording()
      return Effect.gen(function*() {
        const target = Tracer.externalSpan({ traceId, spanId })
        yield* Effect.gen(function*() {
          yield* Effect.annotateCurrentSpan("k", "v")
          yield* Effect.log("line")
          yield* Effect.linkSpanCurrent(target)
          return yield* Effect.fail("no")
        }).pipe(langfuse("inner"), Effect.withSpan("outer"), Effect.exit)
        assert.deepStrictEqual(spans.map(({ name }) => name), ["outer", "inner"])
        const inner = span("inner")
        const event = yield* named("inner")
        assert.strictEqual(event.body.id, inner?.spanId)
        assert.strictEqual(event.body.traceId, inner?.traceId)
        assert.strictEqual(inner?.attributes.get("k"), "v")
        assert.strictEqual(inner?.events[0]?.[0], "line")
        assert.strictEqual(inner?.links.length, 1)
        assert.strictEqual(inner?.ends, 1)
        assert.isTrue(inner?.status._tag === "Ended" && Exit.isFailure(inner.status.exit))
        assert.strictEqual(event.body.level, "ERROR")
        assert.deepStrictEqual(tree(yield* observations), { inner: undefined })
      }).pipe(Effect.provide(teed(tracer)))
    })

    it.effect("gives the program the other tracer's own spans", () => {
      const { span, tracer } = recording()
      return Effect.gen(function*() {
        const current = yield* Effect.currentSpan.pipe(langfuse("a"))
        assert.strictEqual(current, span("a"))
      }).pipe(Effect.provide(teed(tracer)))
    })

    it.effect("what the other tracer throws reaches neither the program nor Langfuse", () => {
      const fail = (): never => {
        throw new Error("the other tracer")
      }
      const tracer = Tracer.make({
        span: (name, parent, context, links, startTime, kind) => {
          if (name === "span") return fail()
          const { tracer } = recording()
          const span = tracer.span(name, parent, context, links, startTime, kind)
          return Object.assign(span, { attribute: fail, event: fail, end: fail, addLinks: fail })
        },
        context: (f) => f()
      })
      return Effect.gen(function*() {
        const effect = Effect.log("line").pipe(
          Effect.zipRight(Effect.linkSpanCurrent(Tracer.externalSpan({ traceId, spanId }))),
          Effect.as(1)
        )
        assert.strictEqual(yield* effect.pipe(langfuse("methods"), langfuse("span")), 1)
        assert.deepStrictEqual(tree(yield* observations), { methods: "span", span: undefined })
      }).pipe(Effect.provide(teed(tracer)))
    })

    it.effect("what Langfuse's side meets does not reach the other tracer", () => {
      const { span, tracer } = recording()
      return Effect.gen(function*() {
        const { proxy } = hostile()
        yield* Effect.annotateCurrentSpan("x", proxy).pipe(langfuse("a"))
        assert.strictEqual(span("a")?.attributes.get("x"), proxy)
        assert.strictEqual(span("a")?.ends, 1)
      }).pipe(Effect.provide(teed(tracer, {
        filter: () => {
          throw new Error("ours")
        }
      })))
    })

    it.effect("works with spans that are frozen, shared, ended from the start, or have ids of their own kind", () => {
      const shared = recording().tracer.span("shared", Option.none(), bySpan, [], 0n, "internal")
      const tracer = Tracer.make({
        span: (name, parent, context, links, startTime, kind) => {
          const span = recording().tracer.span(name, parent, context, links, startTime, kind)
          switch (name) {
            case "frozen":
              return Object.freeze(span)
            case "ended":
              span.end(0n, Exit.void)
              return span
            case "odd":
              return Object.assign(span, { traceId: "odd", spanId: "odd" })
            case "shared 1":
            case "shared 2":
              return shared
            default:
              return span
          }
        },
        context: (f) => f()
      })
      return Effect.gen(function*() {
        for (const name of ["frozen", "ended", "odd", "shared 1", "shared 2"]) {
          yield* Effect.annotateCurrentSpan("langfuse.observation.output", name).pipe(langfuse(name))
        }
        const all = yield* observations
        assert.deepStrictEqual(all.map(({ body }) => body.output), ["frozen", "ended", "odd", "shared 1", "shared 2"])
        for (const { body } of all) {
          assert.match(body.traceId ?? "", /^[0-9a-f]{32}$/)
          assert.match(body.id, /^[0-9a-f]{16}$/)
        }
      }).pipe(Effect.provide(teed(tracer)))
    })

    it.effect("can be stacked: two Langfuse projects, each with its own filter, beside a third tracer", () => {
      const { spans, tracer } = recording()
      return Effect.gen(function*() {
        const first = yield* Layer.build(LangfuseIngest.layerMemory)
        const second = yield* Layer.build(LangfuseIngest.layerMemory)
        const program = Effect.void.pipe(Effect.withSpan("query"), langfuse("tool"), langfuse("agent"))
        const tracing = LangfuseTracer.layerTee({ filter: "all" }).pipe(
          Layer.provide(Layer.succeedContext(first)),
          Layer.provide(
            LangfuseTracer.layerTee().pipe(
              Layer.provide(Layer.succeedContext(second)),
              Layer.provide(Layer.setTracer(tracer))
            )
          )
        )
        yield* Effect.provide(program, tracing)
        const allOf = (context: typeof first) => Effect.map(Effect.provide(observations, context), tree)
        assert.deepStrictEqual(yield* allOf(first), { query: "tool", tool: "agent", agent: undefined })
        assert.deepStrictEqual(yield* allOf(second), { tool: "agent", agent: undefined })
        assert.deepStrictEqual(spans.map(({ name }) => name), ["agent", "tool", "query"])
        assert.isTrue(spans.every((span) => span.ends === 1))
      }).pipe(Effect.scoped)
    })

    it.effect("tells two Langfuse projects the same, also below one caller", () =>
      Effect.gen(function*() {
        const first = yield* Layer.build(LangfuseIngest.layerMemory)
        const second = yield* Layer.build(LangfuseIngest.layerMemory)
        const tracing = LangfuseTracer.layerTee().pipe(
          Layer.provide(Layer.succeedContext(first)),
          Layer.provide(LangfuseTracer.layer().pipe(Layer.provide(Layer.succeedContext(second))))
        )
        const caller = Object.freeze(Tracer.externalSpan({ traceId, spanId }))
        const part = Effect.gen(function*() {
          yield* Langfuse.updateTrace({ userId: "ada", tags: ["vip"], metadata: { a: { b: 1 } }, input: { q: 1 } })
            .pipe(
              Langfuse.tool("one", { input: { a: 1 }, version: "2", metadata: { list: [1], text: "{}" } })
            )
          yield* Langfuse.update({ output: { b: 1 }, usage: { input: 1, output: 2 } }).pipe(
            Effect.zipLeft(
              Langfuse.observeStream(Stream.make(1), "three", { output: (all) => all }).pipe(Stream.runDrain)
            ),
            Langfuse.generation("two")
          )
        })
        yield* part.pipe(
          Effect.zipRight(part),
          Langfuse.withTrace({ version: "1", metadata: { c: { d: 1 } } }),
          Effect.withParentSpan(caller),
          Effect.provide(tracing)
        )
        const allOf = (context: typeof first) =>
          Effect.map(
            Effect.provide(observations, context),
            (all) => all.map(({ body, trace, type }) => ({ body, trace, type }))
          )
        const all = yield* allOf(first)
        assert.strictEqual(all.length, 6)
        assert.deepStrictEqual(yield* allOf(second), all)
        for (const { body, trace } of all.slice(1)) {
          assert.strictEqual(trace?.userId, "ada", String(body.name))
          assert.strictEqual(trace?.version, "1", String(body.name))
          assert.deepStrictEqual(trace?.metadata, { a: { b: 1 }, c: { d: 1 } }, String(body.name))
        }
        assert.deepStrictEqual(all.filter(({ trace }) => trace?.isAppRoot).map(({ body }) => body.name), ["one"])
        assert.deepStrictEqual(all[0]?.body.input, { a: 1 })
      }).pipe(Effect.scoped))

    it.effect("redacts for each of two projects what it asks for", () =>
      Effect.gen(function*() {
        const first = yield* Layer.build(LangfuseIngest.layerMemoryWith({ redactedNames: ["k1"] }))
        const second = yield* Layer.build(LangfuseIngest.layerMemoryWith({ redactedNames: ["k2"] }))
        const tracing = LangfuseTracer.layerTee().pipe(
          Layer.provide(Layer.succeedContext(first)),
          Layer.provide(LangfuseTracer.layer().pipe(Layer.provide(Layer.succeedContext(second))))
        )
        const given = { deep: { k1: "s3cret 1", k2: "s3cret 2", state: "before" } }
        const metadata = { given, list: [given], k1: "s3cret 1", k2: "s3cret 2" }
        yield* Effect.annotateCurrentSpan("debug", given).pipe(
          Effect.zipRight(Langfuse.updateTrace({ metadata: { said: given } })),
          Effect.zipRight(Langfuse.update({ output: given })),
          Langfuse.tool("a", { input: given, metadata }),
          Effect.tap(Effect.sync(() => void (given.deep.state = "after"))),
          Langfuse.withTrace({ metadata, input: given }),
          Effect.provide(tracing)
        )
        for (const [i, context] of [first, second].entries()) {
          const text = JSON.stringify(yield* Effect.provide(observations, context))
          assert.include(text, "before")
          assert.notInclude(text, "after")
          assert.notInclude(text, `s3cret ${i + 1}`)
        }
      }).pipe(Effect.scoped))

    it.effect("decides about sampling for itself", () => {
      const { span, tracer } = recording()
      const unsampled = Tracer.make({
        span: (...args) => Object.assign(tracer.span(...args), { sampled: false }),
        context: (f) => f()
      })
      return Effect.gen(function*() {
        const current = yield* Effect.currentSpan.pipe(Langfuse.observe("a", { input: 1 }))
        assert.strictEqual((yield* named("a")).body.input, 1)
        assert.isFalse(current.sampled)
        assert.strictEqual(span("a")?.ends, 1)
      }).pipe(Effect.provide(teed(unsampled)))
    })

    it.effect("without another tracer is like layer", () =>
      Effect.gen(function*() {
        yield* langfuse("a")(Effect.void)
        assert.strictEqual((yield* named("a")).body.traceId?.length, 32)
      }).pipe(
        Effect.provide(LangfuseTracer.layerTee().pipe(Layer.provideMerge(LangfuseIngest.layerMemory)))
      ))

    it.effect("runs fibers within the other tracer's context", () => {
      let entered = 0
      const tracer = Tracer.make({
        span: recording().tracer.span,
        context: (f) => {
          entered++
          return f()
        }
      })
      return Effect.gen(function*() {
        yield* langfuse("a")(Clock.currentTimeMillis)
        assert.isAbove(entered, 0)
      }).pipe(Effect.provide(teed(tracer)))
    })
  })

  describe("with other parts", () => {
    it.effect("closing the layers sends what has ended and what has not", () =>
      Effect.gen(function*() {
        const fake = Client.make()
        const scope = yield* Scope.make()
        const context = yield* LangfuseTracer.layer().pipe(
          Layer.provideMerge(LangfuseIngest.layer({ ...keys, protocol: "ingestion", interval: "1 hour" })),
          Layer.provide(fake.layer),
          Layer.buildWithScope(scope)
        )
        const ingest = Context.get(context, LangfuseIngest.LangfuseIngest)
        const tracer = yield* LangfuseTracer.make({ filter: "all" }).pipe(Effect.provide(context), Scope.extend(scope))
        begin(tracer, "ended").end(2n, Exit.void)
        begin(tracer, "open")
        yield* Scope.close(scope, Exit.void)
        const sent = fake.requests.map(({ text }) => text).join()
        assert.include(sent, "\"ended\"")
        assert.include(sent, "\"open\"")
        assert.include(sent, "never ended")
        const { delivered, offered } = yield* ingest.stats
        assert.strictEqual(delivered, offered)
      }))

    it.effect("OpenTelemetry's spans and Langfuse's observations are the same, side by side", () => {
      const exporter = new InMemorySpanExporter()
      const otel = NodeSdk.layer(() => ({
        resource: { serviceName: "test" },
        spanProcessor: new SimpleSpanProcessor(exporter)
      }))
      return Effect.gen(function*() {
        const active = yield* Effect.gen(function*() {
          yield* Effect.annotateCurrentSpan("k", "v")
          return yield* OtelTracer.currentOtelSpan
        }).pipe(Langfuse.tool("inner", { input: { a: 1 } }), Effect.withSpan("outer"))
        const [inner, outer] = exporter.getFinishedSpans()
        const { body } = yield* named("inner")
        assert.strictEqual(inner?.spanContext().spanId, body.id)
        assert.strictEqual(inner?.spanContext().traceId, body.traceId)
        assert.strictEqual(inner?.parentSpanContext?.spanId, outer?.spanContext().spanId)
        assert.strictEqual(active.spanContext().spanId, body.id)
        assert.deepInclude(inner?.attributes, {
          k: "v",
          "langfuse.observation.type": "tool",
          "langfuse.observation.input": `{"a":1}`
        })
        assert.deepStrictEqual(body.metadata, { attributes: { k: "v" } })
      }).pipe(
        Effect.provide(
          LangfuseTracer.layerTee().pipe(
            Layer.provideMerge(LangfuseIngest.layerMemory),
            Layer.provideMerge(otel)
          )
        )
      )
    })
  })

  describe("memory", () => {
    it.scoped("no span is held once it has been handed on, however long the one above it stays open", () =>
      Effect.gen(function*() {
        const { all, tracer } = yield* open({ filter: "all" })
        const root = begin(tracer, "root")
        const spans = Array.from({ length: 1000 }, (_, i) => {
          const span = begin(tracer, `${i}`, root)
          span.end(2n, Exit.void)
          return new WeakRef(span)
        })
        assert.strictEqual((yield* all).length, 1000)
        yield* nextTurn
        collectGarbage()
        assert.isAtMost(spans.filter((span) => span.deref() !== undefined).length, 10)
        root.end(3n, Exit.void)
        assert.strictEqual((yield* all).length, 1001)
      }))
  })
})
