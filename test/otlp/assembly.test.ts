import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import type { IngestionEvent } from "effect-langfuse"
import * as Assembly from "../../src/internal/otlp/assembly.js"
import type { Span } from "../utils/otlp.js"
import { event, located, nanos, readSpan, spanIdFor, time } from "../utils/otlp.js"

const traceId = "0123456789abcdef0123456789abcdef"
const rootId = spanIdFor(`root of ${traceId}`)
const id = (n: number) => n.toString(16).padStart(16, "0")

const minutes = (n: number) => n * 60_000

/** An assembly whose spans arrive at once unless told otherwise. */
const start = (limits: Partial<Assembly.Limits> = {}) => {
  const assembly = Assembly.make({ ...Assembly.defaults, ...limits })
  let now = 0
  const settled: Array<string> = []
  const tooLate: Array<string> = []
  let unfinished = 0

  const take = (round: Assembly.Round) => {
    tooLate.push(...round.tooLate.map((each) => each.id))
    unfinished += round.unfinished
    return round.departures
  }

  const deliver = (round: Assembly.Round, isStored = true): ReadonlyArray<Span> => {
    const spans: Array<Span> = []
    for (let departures = take(round); departures.length > 0; departures = take(assembly.next(now))) {
      for (const departure of departures) {
        spans.push(readSpan(JSON.parse(departure.encode())))
        departure.arrive(isStored)
        settled.push(...departure.events.map((each) => each.id))
      }
    }
    return spans
  }

  return {
    assembly,
    settled,
    tooLate,
    unfinished: () => unfinished,
    advance: (millis: number) => {
      now += millis
    },
    accept: (...events: ReadonlyArray<IngestionEvent.IngestionEvent>) => assembly.accept(located(...events), now),
    deliver,
    send: (...events: ReadonlyArray<IngestionEvent.IngestionEvent>) =>
      deliver(assembly.accept(located(...events), now)),
    sendInVain: (...events: ReadonlyArray<IngestionEvent.IngestionEvent>) =>
      deliver(assembly.accept(located(...events), now), false),
    expire: () => deliver(assembly.expire(now)),
    flush: () => deliver(assembly.flush(now)),
    drain: () => deliver(assembly.drain(now))
  }
}

const create = (n: number, body: object = {}, at = 0) =>
  event("span-create", { id: id(n), traceId, startTime: time(n), ...body }, { id: `create ${n}`, at })

const end = (n: number, body: object = {}, at = 1) =>
  event("span-update", { id: id(n), endTime: time(n + 10), ...body }, { id: `end ${n}`, at })

const whole = (n: number, body: object = {}) =>
  event("span-create", { id: id(n), traceId, startTime: time(n), endTime: time(n + 10), ...body }, { id: `whole ${n}` })

let traces = 0
const trace = (body: object, at = 0, name = `trace ${traces++}`) =>
  event("trace-create", { id: traceId, timestamp: time(-5), ...body }, { id: name, at })

const idsOf = (spans: ReadonlyArray<Span>) => spans.map((span) => span.spanId)

const message = (span: Span | undefined) => span?.attributes["langfuse.observation.status_message"]
const level = (span: Span | undefined) => span?.attributes["langfuse.observation.level"]
const input = (span: Span | undefined) => span?.attributes["langfuse.observation.input"]
const output = (span: Span | undefined) => span?.attributes["langfuse.observation.output"]

describe("assembly", () => {
  describe("one observation", () => {
    it("is held until it has an end, then leaves once with all that was said", () => {
      const { send, settled } = start()
      assert.deepStrictEqual(send(create(1, { name: "work", metadata: { a: 1 } })), [])
      assert.deepStrictEqual(send(event("span-update", { id: id(1), metadata: { b: 2 } }, { id: "more" })), [])
      assert.deepStrictEqual(settled, [])
      const [span, ...others] = send(end(1, { output: "done" }))
      assert.deepStrictEqual(others, [])
      assert.deepInclude(span, { name: "work", startTimeUnixNano: nanos(1), endTimeUnixNano: nanos(11) })
      assert.deepInclude(span?.attributes, {
        "langfuse.observation.metadata.a": "1",
        "langfuse.observation.metadata.b": "2",
        "langfuse.observation.output": "done"
      })
      assert.deepStrictEqual(settled, ["create 1", "more", "end 1"])
    })

    it("leaves at once when it is an event, or is whole from the start", () => {
      const { send } = start()
      assert.deepStrictEqual(idsOf(send(event("event-create", { id: id(1), traceId }))), [id(1)])
      assert.deepStrictEqual(idsOf(send(whole(2), create(3), end(3))), [id(2), id(3)])
    })

    it("waits for its create when the update came first", () => {
      const { send, settled } = start()
      assert.deepStrictEqual(send(end(1)), [])
      assert.deepStrictEqual(idsOf(send(create(1))), [id(1)])
      assert.deepStrictEqual(settled, ["end 1", "create 1"])
    })

    it("created twice is one", () => {
      const { send, settled } = start()
      send(create(1, { name: "first" }))
      const [span] = send(event("span-create", { id: id(1), name: "second", endTime: time(9) }, { id: "again", at: 1 }))
      assert.deepInclude(span, { name: "second", startTimeUnixNano: nanos(1) })
      assert.deepStrictEqual(settled, ["create 1", "again"])
    })

    it("that names its trace late moves there", () => {
      const { send } = start()
      send(event("span-update", { id: id(1), name: "n" }), trace({ userId: "ada" }))
      const [span] = send(whole(1))
      assert.deepInclude(span, { traceId })
      assert.strictEqual(span?.attributes["user.id"], "ada")
    })
  })

  describe("one that does not end", () => {
    it("leaves after the timeout as a warning that says so, and not before", () => {
      const { advance, assembly, expire, send, settled, unfinished } = start()
      send(create(1, { statusMessage: "working" }))
      assert.strictEqual(assembly.deadline(), minutes(10))
      advance(minutes(10) - 1)
      assert.deepStrictEqual(expire(), [])
      advance(1)
      const [span] = expire()
      assert.strictEqual(level(span), "WARNING")
      assert.strictEqual(message(span), "working (never ended: sent as it was after 10m)")
      assert.deepStrictEqual(settled, ["create 1"])
      assert.strictEqual(unfinished(), 1)
      assert.isUndefined(assembly.deadline())
    })

    it("keeps the level of an error", () => {
      const { drain, send } = start()
      send(create(1, { level: "ERROR" }))
      assert.strictEqual(level(drain()[0]), "ERROR")
    })

    it("leaves whole once more when its end comes after all, however late", () => {
      const { advance, expire, send, settled } = start()
      send(create(1, { name: "long", input: "i" }))
      advance(minutes(10))
      expire()
      advance(minutes(100))
      const [span] = send(end(1))
      assert.deepInclude(span, { name: "long", startTimeUnixNano: nanos(1), endTimeUnixNano: nanos(11) })
      assert.strictEqual(input(span), "i")
      assert.isUndefined(level(span))
      assert.deepStrictEqual(settled, ["create 1", "end 1"])
    })

    it("was never even created: says that", () => {
      const { drain, send } = start()
      send(end(1))
      assert.strictEqual(message(drain()[0]), "never created, only updated: sent as it was when the exporter closed")
    })

    it("gives way to newer ones when there are too many, the oldest first", () => {
      const { send, settled, unfinished } = start({ maxOpen: 3 })
      assert.deepStrictEqual(send(create(1), create(2), create(3)), [])
      const spans = send(create(4), create(5), end(4))
      assert.deepStrictEqual(idsOf(spans).slice().sort(), [id(1), id(4)])
      assert.strictEqual(
        message(spans.find((span) => span.spanId === id(1))),
        "never ended: sent as it was to make room for newer ones"
      )
      assert.deepStrictEqual(settled.slice().sort(), ["create 1", "create 4", "end 4"])
      assert.strictEqual(unfinished(), 1)
    })

    it("ten thousand of them leave at drain, none is left", () => {
      const { accept, assembly } = start()
      const leaving: Array<Assembly.Departure> = []
      for (let n = 1; n <= 10_500; n += 100) {
        leaving.push(...accept(...Array.from({ length: 100 }, (_, i) => create(n + i))).departures)
      }
      assert.strictEqual(leaving.length, 500)
      leaving.push(...assembly.drain(0).departures)
      assert.strictEqual(new Set(leaving.flatMap((each) => each.events)).size, 10_500)
      assert.deepStrictEqual(assembly.release(), [])
    })
  })

  describe("one that has left", () => {
    it("leaves again whole, with the same start, when more is said about it", () => {
      const { send, settled } = start()
      send(whole(1, { name: "n", input: "i" }))
      const [span] = send(event("span-update", { id: id(1), startTime: time(99), output: "o" }, { id: "late", at: 5 }))
      assert.deepInclude(span, { name: "n", startTimeUnixNano: nanos(1), endTimeUnixNano: nanos(11), traceId })
      assert.deepStrictEqual([input(span), output(span)], ["i", "o"])
      assert.deepStrictEqual(settled, ["whole 1", "late"])
    })

    it.prop(
      "says all that it did when an update that says nothing has it sent again",
      {
        input: FastCheck.jsonValue(),
        metadata: FastCheck.dictionary(FastCheck.string(), FastCheck.jsonValue()),
        name: FastCheck.string(),
        large: FastCheck.boolean(),
        isForeign: FastCheck.boolean(),
        context: FastCheck.option(FastCheck.record({ userId: FastCheck.string(), output: FastCheck.jsonValue() }), {
          nil: undefined
        })
      },
      ({ context, input, isForeign, large, metadata, name }) => {
        const { send } = start()
        const body = {
          name,
          metadata,
          input: large ? [input, "ü🦜\u0000\ufeff".repeat(3000)] : input,
          output: "\ufeff"
        }
        const observation = isForeign ? "foreign" : id(1)
        const created = event(
          "span-create",
          { ...body, id: observation, traceId: isForeign ? undefined : traceId, startTime: time(0), endTime: time(5) },
          context && { trace: context }
        )
        const first = send(created, whole(2))
        const again = send(event("span-update", { id: observation }, { at: 5 }))
        assert.strictEqual(again.length, 1)
        assert.deepStrictEqual(again[0], first[0])
      }
    )

    it("cannot be changed once it is forgotten: that would replace it", () => {
      const { advance, send, tooLate } = start()
      send(whole(1))
      advance(minutes(10) - 1)
      assert.strictEqual(send(end(1)).length, 1)
      advance(minutes(10))
      assert.deepStrictEqual(send(end(1), create(1)), [])
      assert.deepStrictEqual(tooLate, ["end 1", "create 1"])
    })

    it("is forgotten when there is too much of it, the oldest first", () => {
      const { send, tooLate } = start({ maxLeftBytes: 10_000 })
      const big = (n: number) => whole(n, { input: "x".repeat(4000) })
      send(big(1), big(2), big(3))
      send(end(1))
      send(end(3))
      assert.deepStrictEqual(tooLate, ["end 1"])
    })

    it("was never stored, so what comes later starts anew", () => {
      const { advance, drain, send, sendInVain, tooLate } = start()
      sendInVain(whole(1))
      advance(minutes(20))
      send(end(1))
      assert.deepStrictEqual(tooLate, [])
      assert.strictEqual(drain().length, 1)
    })

    it("is sent whole by a later update although its request failed", () => {
      const { send, sendInVain } = start()
      sendInVain(whole(1, { name: "n", input: "i" }))
      const [span] = send(end(1))
      assert.deepInclude(span, { name: "n" })
      assert.strictEqual(input(span), "i")
    })

    it("waits while it is on its way, so that the newer version arrives last", () => {
      const { accept, assembly, deliver } = start()
      const first = accept(whole(1, { name: "old" }))
      const second = accept(event("span-update", { id: id(1), name: "new" }, { at: 5 }))
      assert.deepStrictEqual(second.departures, [])
      assert.deepStrictEqual(assembly.next(0).departures, [])
      assert.deepStrictEqual(deliver(first).map((span) => span.name), ["old", "new"])
    })

    it("only the ids of so many are remembered", () => {
      const { advance, send, tooLate } = start({ maxGone: 2 })
      send(whole(1), whole(2), whole(3))
      advance(minutes(10))
      send(end(1), end(2), end(3))
      assert.deepStrictEqual(tooLate, ["end 2", "end 3"])
    })
  })

  describe("a trace", () => {
    it("is on every span that leaves after it", () => {
      const { send } = start()
      const spans = send(trace({ userId: "ada", tags: ["a"] }), whole(1), whole(2, { parentObservationId: id(1) }))
      assert.deepStrictEqual(spans.map((span) => span.attributes["user.id"]), ["ada", "ada"])
      const [later] = send(trace({ sessionId: "s", tags: ["b"] }, 1), whole(3, { parentObservationId: id(1) }))
      assert.deepInclude(later?.attributes, { "user.id": "ada", "session.id": "s", "langfuse.trace.tags": ["a", "b"] })
    })

    it("is settled by the first span that carries it", () => {
      const { send, settled } = start()
      send(trace({ userId: "ada" }, 0, "trace"), create(1), create(2, { parentObservationId: id(1) }))
      assert.deepStrictEqual(settled, [])
      send(end(2))
      assert.deepStrictEqual(settled, ["create 2", "end 2", "trace"])
    })

    it("with input and output waits for the root", () => {
      const { send, settled } = start()
      send(trace({ input: "q" }, 0, "trace"), create(1), whole(2, { parentObservationId: id(1) }))
      assert.deepStrictEqual(settled, ["whole 2"])
      const [root] = send(end(1))
      assert.strictEqual(input(root), "q")
      assert.isUndefined(root?.parentSpanId)
      assert.deepStrictEqual(settled.slice(1), ["create 1", "end 1", "trace"])
    })

    it("that gets its output late has its root sent again, whole", () => {
      const { send, settled } = start()
      send(trace({ input: "q" }), whole(1, { name: "root" }))
      const spans = send(trace({ output: "a" }, 1, "late"))
      assert.deepStrictEqual(idsOf(spans), [id(1)])
      assert.deepInclude(spans[0], { name: "root", endTimeUnixNano: nanos(11) })
      assert.deepStrictEqual([input(spans[0]), output(spans[0])], ["q", "a"])
      assert.include(settled, "late")
    })

    it("without input and output, late, has one of its spans sent again", () => {
      const { send } = start()
      send(whole(1), whole(2), whole(3, { parentObservationId: id(1) }))
      const spans = send(trace({ userId: "ada", metadata: { k: 1 } }))
      assert.deepStrictEqual(idsOf(spans), [id(2)])
      assert.deepInclude(spans[0]?.attributes, { "user.id": "ada", "langfuse.trace.metadata.k": "1" })
    })

    it("late, when nothing of it is held any more, gets a span of its own", () => {
      const { advance, send } = start()
      send(whole(1))
      advance(minutes(10))
      const spans = send(trace({ name: "n", userId: "ada" }))
      assert.deepStrictEqual(idsOf(spans), [rootId])
      assert.deepInclude(spans[0], { name: "n", startTimeUnixNano: nanos(-5) })
    })

    it("metadata late, below a parent from elsewhere, adds no root", () => {
      const { send } = start()
      send(whole(1, { parentObservationId: id(99) }))
      assert.deepStrictEqual(idsOf(send(trace({ metadata: { k: 1 } }))), [id(1)])
    })

    it("two roots get one above them, and it alone shows input and output", () => {
      const { send, settled } = start()
      const spans = send(
        trace({ name: "n", input: "q", output: "a" }, 0, "trace"),
        whole(1),
        whole(2, { input: "own" })
      )
      assert.deepStrictEqual(idsOf(spans), [rootId, id(1), id(2)])
      assert.deepStrictEqual(spans.map((span) => span.parentSpanId), [undefined, rootId, rootId])
      assert.deepStrictEqual(spans.map(input), ["q", undefined, "own"])
      assert.deepStrictEqual(settled, ["trace", "whole 1", "whole 2"])
    })

    it("a second root makes the first, sent before, one of two", () => {
      const { send } = start()
      const [first] = send(trace({ input: "q" }), whole(1))
      assert.strictEqual(input(first), "q")
      const spans = send(whole(2))
      assert.deepStrictEqual(idsOf(spans), [rootId, id(2), id(1)])
      assert.deepStrictEqual(spans.map(input), ["q", undefined, undefined])
      assert.deepStrictEqual(spans.map((span) => span.parentSpanId), [undefined, rootId, rootId])
      assert.deepStrictEqual(send(whole(3)).map((span) => [span.spanId, span.parentSpanId]), [[id(3), rootId]])
    })

    it("a root with input of its own is left alone, unless it is the same", () => {
      const other = start().send(trace({ input: "q" }), whole(1, { input: "mine" }))
      assert.deepStrictEqual(idsOf(other), [rootId, id(1)])
      const same = start().send(trace({ input: "q", output: "a" }), whole(1, { input: "q", output: "a" }))
      assert.deepStrictEqual(idsOf(same), [id(1)])
      assert.isUndefined(same[0]?.parentSpanId)
    })

    it("its own span is sent again, with the same start, when the trace changes", () => {
      const { send } = start()
      send(trace({ input: "q" }), whole(1), whole(2))
      const [span, ...others] = send(trace({ timestamp: time(50), output: "a", name: "n" }, 1))
      assert.deepStrictEqual(others, [])
      assert.deepInclude(span, { spanId: rootId, name: "n", startTimeUnixNano: nanos(-5) })
      assert.deepStrictEqual([input(span), output(span)], ["q", "a"])
    })

    it("whose own span failed sends it with the next that needs it", () => {
      const { send, sendInVain } = start()
      sendInVain(trace({ input: "q" }), whole(1), whole(2))
      assert.deepStrictEqual(idsOf(send(whole(3))), [rootId, id(3)])
    })

    it("a root whose parent never comes is no root: input and output get a span of their own", () => {
      const { send } = start()
      const spans = send(trace({ input: "q" }), whole(1, { parentObservationId: id(99) }))
      assert.deepStrictEqual(idsOf(spans), [rootId, id(1)])
      assert.strictEqual(spans[1]?.parentSpanId, id(99))
    })

    it("without observations leaves by itself at flush, after the timeout or at drain", () => {
      for (const way of ["flush", "expire", "drain"] as const) {
        const one = start()
        assert.deepStrictEqual(one.send(trace({ name: "n", input: "q" }, 0, "trace")), [])
        assert.strictEqual(one.assembly.deadline(), minutes(10))
        one.advance(minutes(10))
        const [span] = one[way]()
        assert.deepInclude(span, { spanId: rootId, name: "n" })
        assert.deepStrictEqual(one.settled, ["trace"])
        const [later] = one.send(whole(1))
        assert.strictEqual(later?.parentSpanId, rootId)
        assert.deepStrictEqual(idsOf(one.send(trace({ output: "a" }, 1))), [rootId])
      }
    })

    it("with an open observation is not flushed", () => {
      const { flush, send, settled } = start()
      send(trace({ userId: "ada" }), create(1))
      assert.deepStrictEqual(flush(), [])
      assert.deepStrictEqual(settled, [])
    })

    it("a root that turns out to have a parent leaves input and output to a span of their own", () => {
      const { send } = start()
      send(trace({ input: "q" }), whole(1), create(2))
      const spans = send(event("span-create", { id: id(1), parentObservationId: id(2) }, { at: 1 }))
      assert.deepStrictEqual(idsOf(spans), [rootId, id(1)])
      assert.deepStrictEqual(spans.map((span) => span.parentSpanId), [undefined, id(2)])
      assert.deepStrictEqual(spans.map(input), ["q", undefined])
    })

    it("an update can give a root its parent", () => {
      const { send } = start()
      send(trace({ input: "q" }), whole(1), whole(2))
      const [span] = send(event("span-update", { id: id(2), parentObservationId: id(1) }, { at: 1 }))
      assert.strictEqual(span?.parentSpanId, id(1))
    })
  })

  describe("bounds", () => {
    it("traces used the longest ago are forgotten, with what of them was kept", () => {
      const { send, tooLate } = start({ maxTraces: 2 })
      const of = (n: number) => ({ traceId: `${n}`.padStart(32, "a") })
      for (const n of [1, 2, 3, 4]) {
        send(event("trace-create", { id: of(n).traceId, userId: `user ${n}` }), whole(n, of(n)))
      }
      const spans = [send(whole(11, of(1))), send(whole(14, of(4)))].flat()
      assert.deepStrictEqual(spans.map((span) => span.attributes["user.id"]), [undefined, "user 4"])
      send(end(1))
      assert.deepStrictEqual(tooLate, ["end 1"])
    })

    it("traces with open observations are never forgotten", () => {
      const { send } = start({ maxTraces: 1, maxTraceBytes: 1 })
      const of = (n: number) => ({ traceId: `${n}`.padStart(32, "a") })
      for (const n of [1, 2, 3]) {
        send(event("trace-create", { id: of(n).traceId, userId: `user ${n}` }), create(n, of(n)))
      }
      const spans = send(end(1), end(2), end(3))
      assert.deepStrictEqual(spans.map((span) => span.attributes["user.id"]), ["user 1", "user 2", "user 3"])
    })

    it("of too many traces without observations the oldest leave", () => {
      const { send, settled } = start({ maxTraces: 10 })
      for (let n = 0; n < 30; n++) send(event("trace-create", { id: `${n}`.padStart(32, "a") }, { id: `trace ${n}` }))
      assert.isAtLeast(settled.length, 20)
      assert.strictEqual(settled[0], "trace 0")
    })

    it("what traces say is forgotten by size as well", () => {
      const { send } = start({ maxTraceBytes: 10_000 })
      const of = (n: number) => ({ traceId: `${n}`.padStart(32, "a") })
      for (const n of [1, 2, 3, 4]) {
        send(
          event("trace-create", { id: of(n).traceId, userId: "ada", metadata: { k: "x".repeat(4000) } }),
          whole(n, of(n))
        )
      }
      assert.deepStrictEqual(
        [...send(whole(11, of(1))), ...send(whole(14, of(4)))].map((span) => span.attributes["user.id"]),
        [undefined, "ada"]
      )
    })
  })

  describe("release", () => {
    it("gives up what is held in the order in which it came, and forgets everything", () => {
      const { assembly, drain, flush, send } = start()
      send(create(1), trace({ input: "q" }, 0, "trace"), create(2), end(3))
      assert.deepStrictEqual(assembly.release().map((each) => each.id), ["create 1", "trace", "create 2", "end 3"])
      assert.deepStrictEqual([...flush(), ...drain()], [])
      assert.deepStrictEqual(assembly.release(), [])
      assert.isUndefined(assembly.deadline())
    })

    it("a span that was on its way meanwhile comes back to nothing", () => {
      const { accept, assembly, deliver, send } = start()
      const round = accept(whole(1))
      assembly.release()
      deliver(round)
      assert.deepStrictEqual(send(end(1)), [])
    })
  })

  // -----------------------------------------------------------------------------------

  const command = FastCheck.oneof(
    { arbitrary: FastCheck.record({ _tag: FastCheck.constant("create" as const), n: FastCheck.nat(5) }), weight: 4 },
    { arbitrary: FastCheck.record({ _tag: FastCheck.constant("end" as const), n: FastCheck.nat(5) }), weight: 4 },
    { arbitrary: FastCheck.record({ _tag: FastCheck.constant("child" as const), n: FastCheck.nat(5) }), weight: 2 },
    { arbitrary: FastCheck.record({ _tag: FastCheck.constant("trace" as const), n: FastCheck.nat(2) }), weight: 2 },
    { arbitrary: FastCheck.record({ _tag: FastCheck.constant("content" as const), n: FastCheck.nat(2) }), weight: 2 },
    { arbitrary: FastCheck.record({ _tag: FastCheck.constant("arrive" as const), n: FastCheck.nat(9) }), weight: 4 },
    { arbitrary: FastCheck.record({ _tag: FastCheck.constant("fail" as const), n: FastCheck.nat(9) }), weight: 1 },
    { arbitrary: FastCheck.record({ _tag: FastCheck.constant("wait" as const), n: FastCheck.nat(12) }), weight: 1 },
    { arbitrary: FastCheck.record({ _tag: FastCheck.constant("flush" as const), n: FastCheck.nat(1) }), weight: 1 }
  )

  it.prop(
    "whatever happens in whatever order, every event is settled exactly once and no span is on its way twice",
    { commands: FastCheck.array(command, { maxLength: 60 }), isSmall: FastCheck.boolean() },
    ({ commands, isSmall }) => {
      const assembly = Assembly.make(
        isSmall
          ? { ...Assembly.defaults, maxOpen: 2, maxTraces: 1, maxLeftBytes: 2000, maxTraceBytes: 500, maxGone: 1 }
          : Assembly.defaults
      )
      const traceIdOf = (n: number) => `${n % 3}`.padStart(32, "a")
      const sent: Array<string> = []
      const settled: Array<string> = []
      const onTheirWay: Array<{ readonly spanId: string; readonly departure: Assembly.Departure }> = []
      let now = 0
      let sequence = 0

      const take = (round: Assembly.Round) => {
        settled.push(...round.tooLate.map((each) => each.id))
        for (const departure of round.departures) {
          const { spanId } = readSpan(JSON.parse(departure.encode()))
          assert.isTrue(onTheirWay.every((other) => other.spanId !== spanId), `${spanId} is on its way already`)
          onTheirWay.push({ spanId, departure })
        }
      }
      const accept = (type: string, body: object) => {
        const name = `event ${sequence++}`
        sent.push(name)
        take(assembly.accept(located(event(type, body, { id: name, at: sequence })), now))
      }
      const arrive = (index: number, isStored: boolean) => {
        const [found] = onTheirWay.splice(index, 1)
        if (found === undefined) return
        settled.push(...found.departure.events.map((each) => each.id))
        found.departure.arrive(isStored)
        take(assembly.next(now))
      }

      for (const { _tag, n } of commands) {
        switch (_tag) {
          case "create":
            accept("span-create", { id: id(n + 1), traceId: traceIdOf(n), input: "i".repeat(300) })
            break
          case "end":
            accept("span-update", { id: id(n + 1), endTime: time(100) })
            break
          case "child":
            accept("span-create", {
              id: id(n + 21),
              traceId: traceIdOf(n),
              parentObservationId: id(n + 1),
              endTime: time(9)
            })
            break
          case "trace":
            accept("trace-create", { id: traceIdOf(n), userId: "ada" })
            break
          case "content":
            accept("trace-create", { id: traceIdOf(n), input: `input ${sequence}` })
            break
          case "arrive":
            arrive(n % Math.max(1, onTheirWay.length), true)
            break
          case "fail":
            arrive(n % Math.max(1, onTheirWay.length), false)
            break
          case "wait":
            now += minutes(n)
            take(assembly.expire(now))
            break
          case "flush":
            take(assembly.flush(now))
            break
        }
        assert.strictEqual(new Set(settled).size, settled.length, "settled once")
      }
      take(assembly.drain(now))
      while (onTheirWay.length > 0) arrive(0, true)
      take(assembly.drain(now))
      while (onTheirWay.length > 0) arrive(0, true)
      assert.deepStrictEqual(settled.slice().sort(), sent.slice().sort())
      assert.deepStrictEqual(assembly.release(), [])
    },
    { fastCheck: { numRuns: 300 } }
  )
})
