/**
 * The assembly of spans against a model of it, over random scripts. A script that fails is shrunk, and printed with its
 * seed.
 *
 * The model is a list: an observation is what all its events say, one after the other in the order of their timestamps,
 * and it leaves when it was created and has an end. The server is a table in which a span replaces the one of the same id.
 */
import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import type { IngestionEvent } from "effect-langfuse"
import * as Assembly from "../../src/internal/otlp/assembly.js"
import type { Span } from "../utils/otlp.js"
import { event, located, nanos, readSpan, spanIdFor, time, traceIdFor } from "../utils/otlp.js"
import { runs, timeout } from "./support/runs.js"

const minutes = (n: number) => n * 60_000

// -------------------------------------------------------------------------------------
// events
// -------------------------------------------------------------------------------------

interface Said {
  readonly name?: string | undefined
  readonly start?: number | undefined
  readonly end?: number | undefined
  readonly parent?: number | undefined
  readonly input?: string | undefined
  readonly output?: string | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
  readonly level?: "ERROR" | "DEBUG" | null | undefined
}

interface OfObservation {
  readonly _tag: "Observation"
  readonly type: "span-create" | "span-update" | "generation-create" | "generation-update" | "event-create"
  readonly n: number
  /** Which trace it says that it is in. */
  readonly trace: number | undefined
  /** Of its timestamp, in milliseconds. */
  readonly at: number
  readonly said: Said
}

interface OfTrace {
  readonly _tag: "Trace"
  readonly trace: number
  readonly at: number
  readonly userId: string | undefined
  readonly input: string | undefined
  readonly metadata: Readonly<Record<string, string>> | undefined
}

type Script = ReadonlyArray<Command>

type Command =
  /** One batch of events. */
  | { readonly _tag: "enqueue"; readonly batch: ReadonlyArray<OfObservation | OfTrace> }
  /** One of the spans on their way arrives, or is lost. */
  | { readonly _tag: "arrive"; readonly which: number }
  | { readonly _tag: "lose"; readonly which: number }
  /** Time passes, not enough for anything to be due. */
  | { readonly _tag: "wait" }
  /** All that is on its way arrives, and then enough time passes for everything to be due. */
  | { readonly _tag: "waitLong" }
  | { readonly _tag: "flush" }

const observationId = (n: number): string => (n + 1).toString(16).padStart(16, "0")
const traceId = (n: number): string => `${n}`.padStart(32, "a")
const rootId = (trace: string): string => spanIdFor(`root of ${trace}`)

const isCreate = ({ type }: OfObservation): boolean => type.endsWith("-create")

const bodyOf = ({ n, said, trace }: OfObservation): object => ({
  id: observationId(n),
  traceId: trace === undefined ? undefined : traceId(trace),
  name: said.name,
  startTime: said.start === undefined ? undefined : time(said.start),
  endTime: said.end === undefined ? undefined : time(said.end),
  parentObservationId: said.parent === undefined ? undefined : observationId(said.parent),
  input: said.input,
  output: said.output,
  metadata: said.metadata,
  level: said.level
})

// -------------------------------------------------------------------------------------
// the model
// -------------------------------------------------------------------------------------

/** What the server should hold of an observation. */
interface Whole {
  readonly traceId: string
  readonly type: string
  readonly start: number
  readonly end: number | undefined
  readonly name: string | undefined
  readonly parent: string | undefined
  readonly level: string | undefined
  readonly input: string | undefined
  readonly output: string | undefined
  readonly metadata: Readonly<Record<string, string>>
  readonly isComplete: boolean
}

/** In the order that counts: by timestamp, a create before the updates of the same instant. */
const inOrder = (events: ReadonlyArray<OfObservation>): ReadonlyArray<OfObservation> =>
  events.map((event, index) => ({ event, index })).sort((a, b) =>
    a.event.at - b.event.at || Number(isCreate(b.event)) - Number(isCreate(a.event)) || a.index - b.index
  ).map(({ event }) => event)

class Observation {
  readonly n: number
  readonly since: number
  readonly events: Array<OfObservation> = []
  /** The events of the batch in which it was first heard of: the earliest decides on what never changes. */
  readonly first: ReadonlyArray<OfObservation>
  /** The trace that was named first, in the order in which it was heard. */
  named: string | undefined
  /** The trace it left in, which it then stays in. */
  traceId: string | undefined
  isOpen = true
  isInFlight = false
  isStored = false
  hasNews = false
  leftAt = 0
  unfinished: string | undefined

  constructor(n: number, since: number, first: ReadonlyArray<OfObservation>) {
    this.n = n
    this.since = since
    this.first = first
  }

  whole(): Whole {
    const events = inOrder(this.events)
    const last = <A>(pick: (event: OfObservation) => A | undefined): A | undefined =>
      events.map(pick).findLast((value) => value !== undefined)
    const [first] = inOrder(this.first)
    const id = observationId(this.n)
    const ownTrace = traceIdFor(id)
    const trace = this.traceId ?? this.named ?? ownTrace
    const type = last(({ type }) => type.replace(/-\w+$/, "")) ?? ""
    const end = last(({ said, type }) => type === "event-create" ? undefined : said.end)
    return {
      traceId: trace,
      type,
      start: first?.said.start ?? first?.at ?? 0,
      end,
      name: last(({ said }) => said.name),
      parent: last(({ said }) => said.parent === undefined ? undefined : observationId(said.parent)),
      level: last(({ said }) => said.level) ?? undefined,
      input: last(({ said }) => said.input),
      output: last(({ said }) => said.output),
      metadata: {
        // An id that is not of the form that spans have is told as it was.
        ...(trace === ownTrace ? { originalTraceId: id } : {}),
        ...events.reduce((merged, { said }) => ({ ...merged, ...said.metadata }), {})
      },
      isComplete: events.some(isCreate) && (end !== undefined || type === "event")
    }
  }
}

class Model {
  readonly maxOpen: number
  now = 0
  /** Open ones in the order in which they were heard of, and those that have left and are still known. */
  readonly known = new Map<number, Observation>()
  /** Stored, and no longer known. */
  readonly gone = new Set<number>()
  readonly traceEvents: Array<OfTrace> = []
  readonly sent: Array<string> = []
  readonly settled: Array<string> = []
  hasWaited = false

  constructor(maxOpen: number) {
    this.maxOpen = maxOpen
  }

  open(): ReadonlyArray<Observation> {
    return [...this.known.values()].filter(({ isOpen }) => isOpen)
  }

  said(trace: string): ReadonlyArray<OfTrace> {
    return this.traceEvents.filter((event) => traceId(event.trace) === trace).sort((a, b) => a.at - b.at)
  }

  userId(trace: string): string | undefined {
    return this.said(trace).map(({ userId }) => userId).findLast((userId) => userId !== undefined)
  }

  input(trace: string): string | undefined {
    return this.said(trace).map(({ input }) => input).findLast((input) => input !== undefined)
  }

  /** What was kept for long enough is not known any more. */
  forget(): void {
    for (const [n, each] of this.known) {
      if (each.isOpen || each.isInFlight || each.hasNews || each.unfinished !== undefined) continue
      if (each.leftAt + Assembly.defaults.leftTimeout > this.now) continue
      this.known.delete(n)
      if (each.isStored) this.gone.add(n)
    }
  }
}

// -------------------------------------------------------------------------------------
// the run
// -------------------------------------------------------------------------------------

interface OnItsWay {
  readonly span: Span
  readonly text: string
  readonly departure: Assembly.Departure
}

class Run {
  readonly model: Model
  readonly assembly: Assembly.Assembly
  readonly onTheirWay: Array<OnItsWay> = []
  /** What the server holds, by id. */
  readonly stored = new Map<string, Span>()

  constructor(maxOpen: number) {
    this.model = new Model(maxOpen)
    this.assembly = Assembly.make({ ...Assembly.defaults, maxOpen })
  }

  run(command: Command): void {
    const { assembly, model } = this
    switch (command._tag) {
      case "enqueue":
        return this.enqueue(command.batch)
      case "arrive":
        return this.arrive(command.which, true)
      case "lose":
        return this.arrive(command.which, false)
      case "wait":
        model.now += 1
        return this.round(assembly.expire(model.now), new Map())
      case "waitLong": {
        while (this.onTheirWay.length > 0) this.arrive(0, true)
        model.now += minutes(10)
        model.hasWaited = true
        model.forget()
        const due = model.open().filter(({ since }) => since + minutes(10) <= model.now)
        return this.round(assembly.expire(model.now), new Map(due.map((each) => [each, "after 10m"])))
      }
      case "flush":
        return this.round(assembly.flush(model.now), new Map())
    }
  }

  enqueue(batch: ReadonlyArray<OfObservation | OfTrace>): void {
    const { model } = this
    model.forget()
    const events: Array<IngestionEvent.IngestionEvent> = []
    const tooLate: Array<string> = []
    for (const each of batch) {
      const id = `event ${model.sent.length}`
      model.sent.push(id)
      if (each._tag === "Trace") {
        model.traceEvents.push(each)
        const { input, metadata, userId } = each
        const body = { id: traceId(each.trace), timestamp: time(-5), userId, input, metadata }
        events.push(event("trace-create", body, { id, at: each.at }))
        continue
      }
      events.push(event(each.type, bodyOf(each), { id, at: each.at }))
      if (model.gone.has(each.n) && !model.known.has(each.n)) {
        tooLate.push(id)
        continue
      }
      const known = model.known.get(each.n) ??
        new Observation(
          each.n,
          model.now,
          batch.filter((other): other is OfObservation => other._tag === "Observation" && other.n === each.n)
        )
      model.known.set(each.n, known)
      known.events.push(each)
      known.hasNews = true
    }
    // Of one batch the order of timestamps counts for this as well.
    for (const each of model.known.values()) {
      each.named ??= inOrder(each.events).map(({ trace }) =>
        trace
      ).filter((trace) => trace !== undefined).map(traceId)[0]
    }
    const over = model.open().filter((each) => !each.whole().isComplete)
    const crowded = over.slice(0, Math.max(0, over.length - model.maxOpen))
    const round = this.assembly.accept(located(...events), model.now)
    assert.sameMembers(round.tooLate.map(({ id }) => id), tooLate, "what would replace a span by a part is refused")
    model.settled.push(...tooLate)
    this.round({ ...round, tooLate: [] }, new Map(crowded.map((each) => [each, "to make room for newer ones"])))
  }

  arrive(which: number, isStored: boolean): void {
    const { model, onTheirWay } = this
    const [found] = onTheirWay.splice(which % Math.max(1, onTheirWay.length), 1)
    if (found === undefined) return
    const { departure, span, text } = found
    assert.strictEqual(
      departure.encode(),
      text,
      "a span says what was known when it was sent off, however late it is asked"
    )
    if (isStored) {
      const before = this.stored.get(span.spanId)
      // The server would keep both.
      if (before !== undefined) {
        assert.strictEqual(span.startTimeUnixNano, before.startTimeUnixNano, "one start for good")
      }
      this.stored.set(span.spanId, span)
    }
    departure.arrive(isStored)
    model.settled.push(...departure.events.map(({ id }) => id))
    for (const each of model.known.values()) {
      if (observationId(each.n) !== span.spanId) continue
      each.isInFlight = false
      if (isStored) each.isStored = true
    }
    this.round(this.assembly.next(model.now), new Map())
  }

  /** Holds what leaves against the model. `unended` are those that have to leave although they have not ended, and why. */
  round(round: Assembly.Round, unended: ReadonlyMap<Observation, string>): void {
    const { model, onTheirWay } = this
    model.forget()
    for (const [each, why] of unended) {
      const was = each.events.some(isCreate) ? "never ended" : "never created, only updated"
      each.unfinished = `${was}: sent as it was ${why}`
    }
    assert.strictEqual(round.unfinished, unended.size, "as many as have not ended are told of")
    assert.deepStrictEqual(round.tooLate, [])
    const due = new Set(
      [...model.known.values()].filter((each) =>
        !each.isInFlight && (unended.has(each) || (each.hasNews && (!each.isOpen || each.whole().isComplete)))
      )
    )
    for (const departure of round.departures) {
      const text = departure.encode()
      const span = readSpan(JSON.parse(text))
      assert.isTrue(onTheirWay.every((other) => other.span.spanId !== span.spanId), "no span is on its way twice")
      onTheirWay.push({ span, text, departure })
      const each = [...model.known.values()].find(({ n }) => observationId(n) === span.spanId)
      if (each === undefined) {
        assert.strictEqual(span.spanId, rootId(span.traceId), "nothing leaves that nobody spoke of")
        continue
      }
      const whole = each.whole()
      // It leaves when it has to, and besides only to say something about its trace.
      if (!due.delete(each)) {
        assert.isFalse(each.isOpen, "none leaves before its end")
        assert.isNotEmpty(model.said(whole.traceId), "none leaves again without a reason")
      }
      each.isOpen = false
      each.hasNews = false
      each.isInFlight = true
      each.leftAt = model.now
      each.traceId = whole.traceId
      if (whole.isComplete) each.unfinished = undefined
      this.compare(span, whole, each.unfinished)
    }
    assert.deepStrictEqual([...due].map(({ n }) => n), [], "what is complete leaves at once")
    this.count()
  }

  /** A span that leaves against all that was said about its observation. */
  compare(span: Span, whole: Whole, unfinished: string | undefined): void {
    const { attributes } = span
    const level = unfinished !== undefined && whole.level !== "ERROR" ? "WARNING" : whole.level
    const metadata = Object.fromEntries(
      Object.entries(attributes).flatMap(([key, value]) => {
        const prefix = "langfuse.observation.metadata."
        return key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : []
      })
    )
    assert.deepStrictEqual({
      traceId: span.traceId,
      type: attributes["langfuse.observation.type"],
      start: span.startTimeUnixNano,
      end: span.endTimeUnixNano,
      name: span.name,
      level: attributes["langfuse.observation.level"],
      message: attributes["langfuse.observation.status_message"],
      userId: attributes["user.id"],
      metadata
    }, {
      traceId: whole.traceId,
      type: whole.type,
      start: nanos(whole.start),
      end: nanos(Math.max(whole.start, whole.end ?? whole.start)),
      name: whole.name,
      level,
      message: unfinished,
      userId: this.model.userId(whole.traceId),
      metadata: whole.metadata
    })
    if (whole.parent !== undefined) assert.strictEqual(span.parentSpanId, whole.parent)
    else assert.include([undefined, rootId(whole.traceId)], span.parentSpanId)
    const shown = [attributes["langfuse.observation.input"], attributes["langfuse.observation.output"]]
    if (whole.input !== undefined || whole.output !== undefined) {
      assert.deepStrictEqual(shown, [whole.input, whole.output], "its own input and output, and no other's")
    } else if (shown[0] !== undefined) {
      assert.strictEqual(shown[0], this.model.input(whole.traceId), "else those of its trace")
      assert.isUndefined(whole.parent, "of which it is the root")
    }
  }

  /** Each event is settled once, or on its way once, or held. */
  count(): void {
    const { model, onTheirWay } = this
    const leaving = onTheirWay.flatMap(({ departure }) => departure.events.map(({ id }) => id))
    const all = [...model.settled, ...leaving]
    assert.strictEqual(new Set(all).size, all.length, "no event is carried twice")
    const sent = new Set(model.sent)
    assert.isTrue(all.every((id) => sent.has(id)))
  }

  held(): ReadonlyArray<string> {
    const carried = new Set([
      ...this.model.settled,
      ...this.onTheirWay.flatMap(({ departure }) => departure.events.map(({ id }) => id))
    ])
    return this.model.sent.filter((id) => !carried.has(id))
  }

  drain(): void {
    const { assembly, model } = this
    model.forget()
    const open = new Map(model.open().map((each) => [each, "when the exporter closed"]))
    this.round(assembly.drain(model.now), open)
    while (this.onTheirWay.length > 0) this.arrive(0, true)
  }

  /** What the server holds in the end. */
  checkServer(): void {
    const { model, stored } = this
    for (const each of model.known.values()) {
      const span = stored.get(observationId(each.n))
      if (span === undefined) assert.fail(`observation ${each.n} is not on the server`)
      this.compare(
        { ...span, attributes: { ...span.attributes, ...this.ofTrace(each) } },
        each.whole(),
        each.unfinished
      )
    }
    for (const trace of [0, 1].map(traceId)) {
      const said = model.said(trace)
      if (said.length === 0) continue
      const spans = [...stored.values()].filter((span) => span.traceId === trace)
      const userId = model.userId(trace)
      if (userId !== undefined) {
        assert.isTrue(spans.some(({ attributes }) => attributes["user.id"] === userId), "the user is known")
      }
      for (const [key, value] of said.flatMap(({ metadata }) => Object.entries(metadata ?? {}))) {
        if (said.findLast(({ metadata }) => metadata?.[key] !== undefined)?.metadata?.[key] !== value) continue
        assert.isTrue(
          spans.some(({ attributes }) => attributes[`langfuse.trace.metadata.${key}`] === value),
          "the metadata is known"
        )
      }
      const input = model.input(trace)
      if (input === undefined) continue
      const roots = spans.filter(({ parentSpanId }) => parentSpanId === undefined)
      const showing = roots.filter(({ attributes }) => attributes["langfuse.observation.input"] === input)
      assert.isAtLeast(showing.length, 1, "the input of the trace is at its root")
      // Of those that are forgotten nobody knows that there are others.
      if (!model.hasWaited) assert.strictEqual(roots.length, 1, "a trace that shows something has one root")
    }
  }

  /** A trace may have been said more of later, which goes on one of its spans and not on all. */
  ofTrace(each: Observation): Readonly<Record<string, string>> {
    const userId = this.model.userId(each.whole().traceId)
    return userId === undefined ? {} : { "user.id": userId }
  }
}

// -------------------------------------------------------------------------------------
// scripts
// -------------------------------------------------------------------------------------

/** More often absent than not: an observation that says nothing is the one that shows what its trace says. */
const optional = <A>(arbitrary: FastCheck.Arbitrary<A>) =>
  FastCheck.oneof({ weight: 3, arbitrary: FastCheck.constant(undefined) }, { weight: 2, arbitrary })

const instants = FastCheck.nat(30)

/** Of so many observations at most. */
const observations = (most: number) =>
  FastCheck.record<OfObservation>({
    _tag: FastCheck.constant("Observation"),
    type: FastCheck.oneof(
      { weight: 5, arbitrary: FastCheck.constant("span-create" as const) },
      { weight: 5, arbitrary: FastCheck.constant("span-update" as const) },
      {
        weight: 2,
        arbitrary: FastCheck.constantFrom("generation-create" as const, "generation-update" as const)
      },
      { weight: 1, arbitrary: FastCheck.constant("event-create" as const) }
    ),
    n: FastCheck.nat(most - 1),
    trace: FastCheck.oneof(
      { weight: 3, arbitrary: FastCheck.constant(0) },
      { weight: 1, arbitrary: FastCheck.constantFrom(1, undefined) }
    ),
    at: instants,
    said: FastCheck.record<Said>({
      name: optional(FastCheck.constantFrom("a", "b")),
      start: optional(instants),
      end: optional(instants),
      parent: optional(FastCheck.integer({ min: 5, max: 6 })),
      input: optional(FastCheck.constantFrom("mine", "too")),
      output: optional(FastCheck.constantFrom("result")),
      metadata: optional(FastCheck.dictionary(FastCheck.constantFrom("k", "l"), FastCheck.constantFrom("v", "w"))),
      level: optional(FastCheck.constantFrom("ERROR" as const, "DEBUG" as const, null))
    })
  })

const traces = FastCheck.record<OfTrace>({
  _tag: FastCheck.constant("Trace"),
  trace: FastCheck.nat(1),
  at: instants,
  userId: optional(FastCheck.constantFrom("ada", "bob")),
  input: optional(FastCheck.constantFrom("question", "mine")),
  metadata: optional(FastCheck.dictionary(FastCheck.constantFrom("t", "u"), FastCheck.constantFrom("x", "y")))
})

const commands = (
  events: FastCheck.Arbitrary<OfObservation | OfTrace>,
  isLossy: boolean,
  maxLength: number
): FastCheck.Arbitrary<Script> =>
  FastCheck.array(
    FastCheck.oneof<Array<FastCheck.WeightedArbitrary<Command>>>(
      {
        weight: 8,
        arbitrary: FastCheck.record({
          _tag: FastCheck.constant("enqueue" as const),
          batch: FastCheck.array(events, { minLength: 1, maxLength: 4 })
        })
      },
      {
        weight: 6,
        arbitrary: FastCheck.record({ _tag: FastCheck.constant("arrive" as const), which: FastCheck.nat(5) })
      },
      {
        weight: isLossy ? 2 : 0,
        arbitrary: FastCheck.record({ _tag: FastCheck.constant("lose" as const), which: FastCheck.nat(5) })
      },
      { weight: 1, arbitrary: FastCheck.constant({ _tag: "wait" as const }) },
      { weight: 1, arbitrary: FastCheck.constant({ _tag: "waitLong" as const }) },
      { weight: 1, arbitrary: FastCheck.constant({ _tag: "flush" as const }) }
    ),
    { maxLength, size: "max" }
  )

/** Long ones about many observations, and short ones about few, which meet what holds only of a single one. */
const scripts = (
  events: (most: number) => FastCheck.Arbitrary<OfObservation | OfTrace>,
  isLossy: boolean
): FastCheck.Arbitrary<Script> => FastCheck.oneof(commands(events(5), isLossy, 25), commands(events(2), isLossy, 8))

const rooms = FastCheck.constantFrom(2, 10_000)

const perform = (maxOpen: number, script: Script): Run => {
  const run = new Run(maxOpen)
  for (const command of script) run.run(command)
  return run
}

describe("assembly", () => {
  const everything = (most: number) =>
    FastCheck.oneof({ weight: 4, arbitrary: observations(most) }, { weight: 1, arbitrary: traces })

  it("sends each observation when it is complete, once and whole, and again only when there is more to say", () => {
    FastCheck.assert(
      FastCheck.property(rooms, scripts(observations, false), (maxOpen, script) => {
        const run = perform(maxOpen, script)
        run.drain()
        assert.deepStrictEqual(run.model.settled.slice().sort(), run.model.sent.slice().sort())
        run.checkServer()
      }),
      runs(300)
    )
  }, timeout)

  it("leaves the server with what its model says, for observations and traces in any order", () => {
    FastCheck.assert(
      FastCheck.property(rooms, scripts(everything, false), (maxOpen, script) => {
        const run = perform(maxOpen, script)
        run.drain()
        assert.deepStrictEqual(run.model.settled.slice().sort(), run.model.sent.slice().sort())
        run.checkServer()
      }),
      runs(500)
    )
  }, timeout)

  it("sends what is whole, whatever is lost on the way, and settles each event once", () => {
    FastCheck.assert(
      FastCheck.property(rooms, scripts(everything, true), (maxOpen, script) => {
        const run = perform(maxOpen, script)
        run.drain()
        assert.deepStrictEqual(run.model.settled.slice().sort(), run.model.sent.slice().sort())
      }),
      runs(300)
    )
  }, timeout)

  it("gives up just what it holds, in the order in which it came", () => {
    FastCheck.assert(
      FastCheck.property(rooms, scripts(everything, true), (maxOpen, script) => {
        const run = perform(maxOpen, script)
        const held = run.held()
        assert.deepStrictEqual(run.assembly.release().map(({ id }) => id), held)
        assert.deepStrictEqual(run.assembly.drain(run.model.now).departures, [])
      }),
      runs(200)
    )
  }, timeout)
})
