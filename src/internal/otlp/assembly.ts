/**
 * The table in which the events of one observation become one span, and the events of one trace a part of its spans.
 *
 * A span that is sent twice replaces itself on the server, it is never merged there. So an observation stays here until it
 * was created and has an end, and then leaves whole. What has left is kept for a while: if it changes after all, it leaves
 * once more, whole again and with the same start.
 *
 * There are no traces on the wire. What `trace-create` says goes on every span that leaves; its input and output on the
 * root, which is the only parentless observation of the trace, or else a span that stands for the trace itself.
 *
 * Nothing here is asynchronous: a decision is taken at one instant, and what it says is written out afterwards.
 */
import * as Arr from "effect/Array"
import * as Duration from "effect/Duration"
import type { IngestionEvent } from "../../IngestionEvent.js"
import * as Encode from "./encode.js"
import type { ObservationFacts, Source, TraceFacts } from "./facts.js"
import * as Facts from "./facts.js"
import type { Id } from "./ids.js"
import * as Left from "./left.js"
import * as Merge from "./merge.js"
import * as Shelf from "./shelf.js"

export interface Limits extends Left.Limits {
  /** Observations that have not ended; of more, the oldest leave as they are. */
  readonly maxOpen: number
  /** Milliseconds after which an observation leaves without an end, and a trace without observations. */
  readonly openTimeout: number
  /** Traces whose attributes are known; of more, those used the longest ago are forgotten. */
  readonly maxTraces: number
  /** Bytes of the `trace-create` events that are remembered once they were sent. */
  readonly maxTraceBytes: number
}

export const defaults: Limits = {
  ...Left.defaults,
  maxOpen: 10_000,
  openTimeout: 600_000,
  maxTraces: 10_000,
  maxTraceBytes: 16 * 1024 * 1024
}

/** One span on its way, with the events that are settled by what becomes of it. */
export interface Departure {
  readonly events: ReadonlyArray<IngestionEvent>
  /** The span as JSON. It says what was known when the span was sent off, however late it is asked. */
  readonly encode: () => string
  /** To be called once, with whether the server took it. */
  readonly arrive: (isStored: boolean) => void
}

export interface Round {
  readonly departures: ReadonlyArray<Departure>
  /** Events about an observation that was sent and forgotten: what they say would replace all of it. */
  readonly tooLate: ReadonlyArray<IngestionEvent>
  /** Observations that leave without having ended. */
  readonly unfinished: number
}

export interface Assembly {
  readonly accept: (facts: ReadonlyArray<TraceFacts | ObservationFacts>, now: number) => Round
  /** What became ready while other spans were on their way. */
  readonly next: (now: number) => Round
  /** What has waited too long. */
  readonly expire: (now: number) => Round
  /** When `expire` has something to do, in milliseconds. */
  readonly deadline: () => number | undefined
  /** What is complete as far as anyone knows, traces without observations included. */
  readonly flush: (now: number) => Round
  /** Everything. */
  readonly drain: (now: number) => Round
  /** Gives up all events that are held, in the order in which they came, and forgets everything. */
  readonly release: () => ReadonlyArray<IngestionEvent>
}

interface Held<Facts> {
  readonly facts: Facts
  readonly sequence: number
}

/** What is known of an observation, or what it can be read from again. */
type Knowledge = Merge.Known | Shelved

interface Shelved {
  readonly source: Source
  readonly slot: Shelf.Slot
}

interface Entry {
  readonly id: string
  knowledge: Knowledge
  /** Events that no departure carries yet. */
  held: ReadonlyArray<Held<ObservationFacts>>
  /** When it was first heard of. */
  readonly since: number
  isOpen: boolean
  isInFlight: boolean
  isStored: boolean
  isCountedAsRoot: boolean
  /** Why it left without an end. */
  unfinished: string | undefined
  bytes: number
  leftAt: number
}

interface Trace {
  readonly id: string
  merged: Merge.Merged<TraceFacts, Merge.Trace> | undefined
  /** Events that no departure carries yet. */
  held: Array<Held<TraceFacts>>
  heldSince: number
  bytes: number
  /** Its observations that have not left. */
  open: number
  /** Whether there ever was an observation. */
  isObserved: boolean
  /** Its observations that have left and are still kept, and the parentless ones among them. */
  readonly left: Set<Entry>
  readonly roots: Set<Entry>
  /** All parentless ones that have left, kept or not. */
  rootCount: number
  /** The root that was sent with its input and output. */
  shownBy: Entry | undefined
  /** Spans that are on their way. */
  inFlight: number
  /** The span that stands for the trace itself. */
  readonly span: { exists: boolean; isInFlight: boolean; isStored: boolean }
}

/** What one call has found out so far. */
interface Plan {
  readonly now: number
  readonly leaving: Set<Entry>
  readonly traces: Set<Trace>
  /** Traces whose events leave now even if there is no observation to carry them. */
  readonly forced: Set<Trace>
  readonly tooLate: Array<IngestionEvent>
  unfinished: number
}

export const make = (limits: Limits): Assembly => {
  const open = new Map<string, Entry>()
  /** In the order of their last use. */
  const traces = new Map<string, Trace>()
  /** The last of them. */
  let latest: Trace | undefined
  /** Traces with events that no departure carries yet, in the order since when. */
  const holding = new Set<Trace>()
  /** Observations that have left and changed while they were on their way. */
  const changed = new Set<Entry>()
  /** Traces whose events wait for a span that is on its way. */
  const blocked = new Set<Trace>()
  const shelf = Shelf.make()
  let traceBytes = 0
  let sequence = 0

  const left = Left.make<Entry>(limits, (entry) => {
    const trace = traces.get(traceIdOf(entry))
    trace?.left.delete(entry)
    trace?.roots.delete(entry)
  })

  // ---------------------------------------------------------------------------------
  // traces
  // ---------------------------------------------------------------------------------

  const use = (id: string): Trace => {
    if (latest?.id === id) return latest
    const known = traces.get(id)
    if (known !== undefined) traces.delete(id)
    latest = known ?? newTrace(id)
    traces.set(id, latest)
    return latest
  }

  const learnTrace = (plan: Plan, id: string, news: NonEmpty<Held<TraceFacts>>): void => {
    const trace = use(id)
    trace.merged = Merge.trace(trace.merged, factsOf(news))
    if (trace.held.length === 0) {
      trace.heldSince = plan.now
      holding.add(trace)
    }
    trace.held.push(...news)
    const bytes = Merge.bytesOf(trace.merged)
    traceBytes += bytes - trace.bytes
    trace.bytes = bytes
    plan.traces.add(trace)
  }

  /** Forgets the traces used the longest ago that nothing depends on. */
  const forgetTraces = (plan: Plan): void => {
    if (traces.size <= limits.maxTraces && traceBytes <= limits.maxTraceBytes) return
    for (const trace of traces.values()) {
      if (traces.size <= Left.roomy(limits.maxTraces) && traceBytes <= Left.roomy(limits.maxTraceBytes)) return
      if (trace.open > 0 || trace.inFlight > 0 || plan.traces.has(trace)) continue
      if (trace.held.length > 0) {
        plan.forced.add(trace)
        continue
      }
      // Without it they could not be sent again as they were.
      for (const entry of trace.left) left.drop(entry)
      traces.delete(trace.id)
      if (trace === latest) latest = undefined
      traceBytes -= trace.bytes
    }
  }

  // ---------------------------------------------------------------------------------
  // observations
  // ---------------------------------------------------------------------------------

  const learnObservation = (plan: Plan, id: string, news: NonEmpty<Held<ObservationFacts>>): void => {
    const known = open.get(id) ?? left.get(id)
    if (known === undefined && left.wasStored(id)) {
      plan.tooLate.push(...factsOf(news).map(({ event }) => event))
      return
    }
    const merged = Merge.observation(known && recall(known), factsOf(news))
    const trace = use(merged.subject.traceId.sent)
    const isWhole = isComplete(merged.subject)
    const entry = known ?? newEntry(id, isWhole ? inItsTrace(merged) : merged, plan.now)
    if (known === undefined) {
      // One that leaves at once was never open.
      entry.isOpen = !isWhole
      if (entry.isOpen) {
        open.set(id, entry)
        trace.open++
      }
    } else {
      if (known.isOpen && traceIdOf(known) !== trace.id) {
        use(traceIdOf(known)).open--
        trace.open++
      }
      known.knowledge = merged
    }
    trace.isObserved = true
    entry.bytes = Merge.bytesOf(merged)
    entry.held = entry.held.length === 0 ? news : [...entry.held, ...news]
    plan.traces.add(trace)
    if (entry.isInFlight) changed.add(entry)
    else if (!entry.isOpen || isWhole) plan.leaving.add(entry)
  }

  const leaveUnfinished = (plan: Plan, entry: Entry, why: string): void => {
    entry.unfinished = `${
      recall(entry).subject.isCreated ? "never ended" : "never created, only updated"
    }: sent as it was ${why}`
    plan.leaving.add(entry)
    plan.unfinished++
  }

  const makeRoom = (plan: Plan): void => {
    let over = open.size - limits.maxOpen
    if (over <= 0) return
    for (const entry of plan.leaving) if (entry.isOpen) over--
    for (const entry of open.values()) {
      if (over <= 0) return
      if (plan.leaving.has(entry)) continue
      leaveUnfinished(plan, entry, "to make room for newer ones")
      over--
    }
  }

  const close = (entry: Entry): void => {
    open.delete(entry.id)
    entry.isOpen = false
    use(traceIdOf(entry)).open--
    entry.knowledge = inItsTrace(recall(entry))
  }

  /** Keeps no more than is needed to know it again: those that have left are many, and more is seldom said about one. */
  const shelve = (entry: Entry): void => {
    // Those without an end may stay for good, and what lies beside them with them.
    if (!("facts" in entry.knowledge) || entry.unfinished !== undefined) return
    const { facts } = entry.knowledge
    const only = facts[0]
    if (only !== undefined && facts.length === 1) entry.knowledge = { source: only.source, slot: shelf.put(only.texts) }
  }

  // ---------------------------------------------------------------------------------
  // departures
  // ---------------------------------------------------------------------------------

  const begin = (now: number): Plan => {
    left.forget(now)
    return { now, leaving: new Set(), traces: new Set(), forced: new Set(), tooLate: [], unfinished: 0 }
  }

  const depart = (plan: Plan): Round => {
    for (const entry of changed) {
      if (entry.isInFlight) continue
      changed.delete(entry)
      plan.leaving.add(entry)
    }
    const going = new Map<Trace, Array<Entry>>()
    for (const entry of plan.leaving) {
      if (entry.isOpen) close(entry)
      if (isComplete(recall(entry).subject)) entry.unfinished = undefined
      const trace = use(traceIdOf(entry))
      plan.traces.add(trace)
      const entries = going.get(trace)
      if (entries === undefined) going.set(trace, [entry])
      else entries.push(entry)
    }
    forgetTraces(plan)
    const departures: Array<Departure> = []
    const concerned = plan.forced.size === 0 && blocked.size === 0
      ? plan.traces
      : new Set([...plan.traces, ...plan.forced, ...blocked])
    for (const trace of concerned) {
      blocked.delete(trace)
      const isLast = trace.open === 0 && (trace.isObserved || trace.span.exists || plan.forced.has(trace))
      departures.push(...departFrom(trace, going.get(trace) ?? [], isLast, plan.now))
    }
    return { departures, tooLate: plan.tooLate, unfinished: plan.unfinished }
  }

  /**
   * The spans of one trace that leave now: its observations that are `going`, and others if what the trace has to say
   * needs them. `isLast`: there is no observation left that could carry it later.
   */
  const departFrom = (
    trace: Trace,
    going: Array<Entry>,
    isLast: boolean,
    now: number
  ): ReadonlyArray<Departure> => {
    if (going.length === 0 && (trace.held.length === 0 || !isLast)) return []
    const said = trace.merged?.subject
    for (const entry of going) countAsRoot(trace, entry)
    // Nobody spoke of the trace itself.
    if (said === undefined) return going.map((entry) => departEntry(trace, entry, noEvents, now))

    /** Has an observation leave again; `false` while it is on its way. */
    const goAgain = (entry: Entry): boolean => {
      if (entry.isInFlight) return false
      if (!going.includes(entry)) going.push(entry)
      return true
    }

    let sendsSpan = false
    const standForItself = (): void => {
      trace.span.exists = true
      sendsSpan = true
      // It is the parent of all that were roots until now.
      for (const root of trace.roots) if (!goAgain(root)) changed.add(root)
    }

    if (!trace.span.exists && hasContent(said)) {
      const root = contentRoot(trace)
      // An update may have given the one that did a parent, or an input of its own.
      const isReplaced = trace.shownBy !== undefined && trace.shownBy !== root && going.includes(trace.shownBy)
      const mustShow = going.some(isRoot) || (isLast && trace.held.some(({ facts }) => hasContent(facts)))
      if (isReplaced || (mustShow && root === undefined)) standForItself()
    }

    const carried = new Map<Entry, Array<IngestionEvent>>()
    const bySpan: Array<Held<TraceFacts>> = []
    const later: Array<Held<TraceFacts>> = []
    for (const held of trace.held) {
      const carrier = carrierOf(trace, held.facts, going, isLast)
      if (carrier === "span") {
        if (!trace.span.exists) standForItself()
        sendsSpan = true
        bySpan.push(held)
      } else if (carrier !== undefined && goAgain(carrier)) {
        carried.set(carrier, [...carried.get(carrier) ?? [], held.facts.event])
      } else {
        later.push(held)
        if (carrier !== undefined) blocked.add(trace)
      }
    }
    // An earlier attempt may have failed.
    if (trace.span.exists && !trace.span.isStored && going.some(isRoot)) sendsSpan = true

    const departures: Array<Departure> = []
    if (sendsSpan && trace.span.isInFlight) {
      blocked.add(trace)
      later.push(...bySpan)
    } else if (sendsSpan) {
      departures.push(departSpan(trace, said, bySpan.map(({ facts }) => facts.event)))
    }
    trace.held = later
    if (later.length === 0) holding.delete(trace)
    for (const entry of going) departures.push(departEntry(trace, entry, carried.get(entry) ?? noEvents, now))
    return departures
  }

  const departSpan = (trace: Trace, said: Merge.Trace, events: ReadonlyArray<IngestionEvent>): Departure => {
    trace.span.isInFlight = true
    trace.inFlight++
    return {
      events,
      encode: () => Encode.traceSpan(said),
      arrive: (isStored) => {
        trace.span.isInFlight = false
        trace.inFlight--
        if (isStored) trace.span.isStored = true
      }
    }
  }

  const departEntry = (
    trace: Trace,
    entry: Entry,
    carried: ReadonlyArray<IngestionEvent>,
    now: number
  ): Departure => {
    const own = entry.held.map(({ facts }) => facts.event)
    const events = carried.length === 0 ? own : [...own, ...carried]
    entry.held = nothingHeld
    entry.isInFlight = true
    entry.leftAt = now
    trace.inFlight++
    trace.left.delete(entry)
    trace.left.add(entry)
    left.add(entry)
    const said = trace.merged?.subject
    const observation = recall(entry).subject
    const placement = new Encode.Placement(
      said,
      trace.span.exists && isRoot(entry) ? said?.rootId : undefined,
      !trace.span.exists && contentRoot(trace) === entry,
      entry.unfinished
    )
    if (placement.takesContent) trace.shownBy = entry
    return new EntryDeparture(events, observation, placement, (isStored) => {
      entry.isInFlight = false
      trace.inFlight--
      if (isStored) entry.isStored = true
      if (changed.has(entry)) return
      shelve(entry)
      left.settle(entry)
    })
  }

  return {
    accept: (facts, now) => {
      const plan = begin(now)
      const ofTraces: Array<Held<TraceFacts>> = []
      const ofObservations: Array<Held<ObservationFacts>> = []
      for (const each of facts) {
        if (each._tag === "Trace") ofTraces.push({ facts: each, sequence: sequence++ })
        else ofObservations.push({ facts: each, sequence: sequence++ })
      }
      for (const [id, news] of groupById(ofTraces)) learnTrace(plan, id, news)
      for (const [id, news] of groupById(ofObservations)) learnObservation(plan, id, news)
      makeRoom(plan)
      return depart(plan)
    },

    next: (now) => depart(begin(now)),

    expire: (now) => {
      const plan = begin(now)
      const isDue = (since: number) => since + limits.openTimeout <= now
      for (const entry of open.values()) {
        if (!isDue(entry.since)) break
        leaveUnfinished(plan, entry, `after ${Duration.format(Duration.millis(limits.openTimeout))}`)
      }
      for (const trace of holding) if (isDue(trace.heldSince)) plan.forced.add(trace)
      return depart(plan)
    },

    deadline: () => {
      const since: Array<number> = []
      for (const entry of open.values()) {
        since.push(entry.since)
        break
      }
      for (const trace of holding) {
        // With an observation still open, that one's deadline comes first.
        if (trace.open > 0 || blocked.has(trace)) continue
        since.push(trace.heldSince)
        break
      }
      return since.length === 0 ? undefined : Math.min(...since) + limits.openTimeout
    },

    flush: (now) => {
      const plan = begin(now)
      for (const trace of holding) plan.forced.add(trace)
      return depart(plan)
    },

    drain: (now) => {
      const plan = begin(now)
      for (const entry of open.values()) leaveUnfinished(plan, entry, "when the exporter closed")
      for (const trace of holding) plan.forced.add(trace)
      return depart(plan)
    },

    release: () => {
      const held = [
        ...[...open.values(), ...left.values()].flatMap((entry) => entry.held),
        ...[...holding].flatMap((trace) => trace.held)
      ]
      for (const table of [open, traces, holding, changed, blocked]) table.clear()
      left.clear()
      latest = undefined
      traceBytes = 0
      return held.sort((a, b) => a.sequence - b.sequence).map(({ facts }) => facts.event)
    }
  }
}

// -------------------------------------------------------------------------------------
// pure
// -------------------------------------------------------------------------------------

const newTrace = (id: string): Trace => ({
  id,
  merged: undefined,
  held: [],
  heldSince: 0,
  bytes: 0,
  open: 0,
  isObserved: false,
  left: new Set(),
  roots: new Set(),
  rootCount: 0,
  shownBy: undefined,
  inFlight: 0,
  span: { exists: false, isInFlight: false, isStored: false }
})

class EntryDeparture implements Departure {
  readonly events: ReadonlyArray<IngestionEvent>
  readonly arrive: (isStored: boolean) => void
  private readonly observation: Merge.Observation
  private readonly placement: Encode.Placement

  constructor(
    events: ReadonlyArray<IngestionEvent>,
    observation: Merge.Observation,
    placement: Encode.Placement,
    arrive: (isStored: boolean) => void
  ) {
    this.events = events
    this.observation = observation
    this.placement = placement
    this.arrive = arrive
  }

  encode(): string {
    return Encode.observationSpan(this.observation, this.placement)
  }
}

const nothingHeld: Entry["held"] = []
const noEvents: ReadonlyArray<IngestionEvent> = []

const newEntry = (id: string, knowledge: Knowledge, since: number): Entry => ({
  id,
  knowledge,
  held: nothingHeld,
  since,
  isOpen: true,
  isInFlight: false,
  isStored: false,
  isCountedAsRoot: false,
  unfinished: undefined,
  bytes: 0,
  leftAt: 0
})

type NonEmpty<A> = readonly [A, ...Array<A>]

const groupById = <Facts extends TraceFacts | ObservationFacts>(
  news: ReadonlyArray<Held<Facts>>
): ReadonlyMap<string, NonEmpty<Held<Facts>>> => {
  const groups = new Map<string, [Held<Facts>, ...Array<Held<Facts>>]>()
  for (const held of news) {
    const id = held.facts.id.sent
    const group = groups.get(id)
    if (group === undefined) groups.set(id, [held])
    else group.push(held)
  }
  return groups
}

const factsOf = <Facts>(news: NonEmpty<Held<Facts>>): NonEmpty<Facts> => Arr.map(news, ({ facts }) => facts)

const last = <A>(set: ReadonlySet<A>): A | undefined => [...set].at(-1)

/** The trace of an observation that leaves is a part of what the server knows it by. */
const inItsTrace = (known: Merge.Known): Merge.Known =>
  known.subject.isTraceKnown ? known : new Merge.Merged(known.facts, { ...known.subject, isTraceKnown: true })

const recall = (entry: Entry): Merge.Known => {
  if ("facts" in entry.knowledge) return entry.knowledge
  const { slot, source } = entry.knowledge
  const merged = inItsTrace(Merge.observation(undefined, [Facts.readAgain(source, Shelf.take(slot))]))
  entry.knowledge = merged
  return merged
}

const placeOf = ({ knowledge }: Entry): { readonly traceId: Id; readonly parentId: Id | undefined } =>
  "facts" in knowledge ? knowledge.subject : knowledge.source

const traceIdOf = (entry: Entry): string => placeOf(entry).traceId.sent

const isRoot = (entry: Entry): boolean => placeOf(entry).parentId === undefined

/** A point in time has no end to wait for. */
const isComplete = (observation: Merge.Observation): boolean =>
  observation.isCreated && (observation.endTime !== undefined || observation.type === "event")

const hasContent = (subject: { readonly input: string | undefined; readonly output: string | undefined }): boolean =>
  subject.input !== undefined || subject.output !== undefined

/** An update can give an observation a parent it did not have, but cannot take one away. */
const countAsRoot = (trace: Trace, entry: Entry): void => {
  if (isRoot(entry)) {
    trace.roots.add(entry)
    if (!entry.isCountedAsRoot) trace.rootCount++
  } else if (entry.isCountedAsRoot) {
    trace.roots.delete(entry)
    trace.rootCount--
  }
  entry.isCountedAsRoot = isRoot(entry)
}

/**
 * The observation that shows input and output of its trace: the only root known, if it has none of its own or just the
 * same ones.
 */
const contentRoot = (trace: Trace): Entry | undefined => {
  const said = trace.merged?.subject
  const [root] = trace.roots
  if (said === undefined || root === undefined || trace.rootCount !== 1 || !hasContent(said)) return undefined
  const own = recall(root).subject
  const agrees = (ours: string | undefined, theirs: string | undefined) => theirs === undefined || ours === theirs
  return !hasContent(own) || (agrees(own.input, said.input) && agrees(own.output, said.output)) ? root : undefined
}

/** The span that tells the server what an event says about the trace; `undefined` while a better one may come. */
const carrierOf = (
  trace: Trace,
  facts: TraceFacts,
  going: ReadonlyArray<Entry>,
  isLast: boolean
): Entry | "span" | undefined => {
  if (trace.span.exists) return "span"
  if (hasContent(facts)) {
    const root = contentRoot(trace)
    return root !== undefined && (isLast || going.includes(root)) ? root : isLast ? "span" : undefined
  }
  // The server reads the trace's metadata from a root, the rest from any span.
  const root = going.filter(isRoot).at(-1)
  const any = facts.metadata === undefined ? going[0] : undefined
  return root ?? any ?? (isLast ? last(trace.roots) ?? going[0] ?? last(trace.left) ?? "span" : undefined)
}
