/**
 * Events over OTLP: a span that is sent twice replaces itself there, so the events of one observation are merged before it
 * leaves.
 */
import { bytesOfItem } from "../item/complete.js"
import { type Clearable, Content, type Metadata, type Observation, Trace, TraceFields } from "../item/item.js"
import type { Entry } from "./ledger.js"
import { mergeObservation, mergeTrace } from "./merge.js"
import { Piece } from "./piece.js"
import { hash, Recent } from "./recent.js"

export interface Limits {
  /** Events of open observations, in all and of one. */
  readonly maxOpenEvents: number
  readonly maxEventsOfOne: number
  readonly maxOpenMillis: number
  readonly maxOpenBytes: number
  readonly maxTraces: number
  readonly maxTraceBytes: number
  /** Observations and traces that have left, of which only hashes are kept. */
  readonly remembered: number
}

export const limits: Limits = {
  maxOpenEvents: 10_000,
  maxEventsOfOne: 1000,
  maxOpenMillis: 600_000,
  maxOpenBytes: 16 << 20,
  maxTraces: 10_000,
  maxTraceBytes: 16 << 20,
  remembered: 100_000
}

export type OtlpPiece = Piece<Observation | Trace>

/** What becomes of a batch. */
export class Round {
  readonly pieces: Array<OtlpPiece> = []
  /** Their observation or trace has left, or was never created. */
  readonly late: Array<Entry> = []
  readonly withheld: Array<Entry> = []
  /** Observations that are sent although they did not end. */
  unfinished = 0

  /** Whether spans of traces are among it: of two, the newest to arrive wins. */
  get hasTraces(): boolean {
    return this.pieces.some(({ before, item }) => before !== undefined || item.kind === "trace")
  }
}

class TraceParts {
  trace: Trace
  readonly entries: Array<Entry>

  constructor(trace: Trace, entry: Entry) {
    this.trace = trace
    this.entries = Array.of(entry)
  }
}

class Open {
  readonly item: Observation
  readonly entries: Array<Entry>
  readonly since: number
  isCut = false
  /** What the assembly has counted of it; 0 while it does not hold it. */
  countedBytes = 0
  countedEvents = 0

  constructor(item: Observation, entry: Entry, since: number) {
    this.item = item
    this.entries = Array.of(entry)
    this.since = since
  }

  add(item: Observation, entry: Entry): void {
    if (this.isCut) cut(item)
    mergeObservation(this.item, item)
    if (this.isCut) cut(this.item)
    this.entries.push(entry)
  }

  get isComplete(): boolean {
    return this.item.end !== undefined || this.item.type === "event"
  }
}

const noteOf = (content: Content | undefined): Content | undefined =>
  content && content.text.length > 100
    ? new Content(`<cut ${content.text.length} characters: too much was open at one time>`, false)
    : content

const noteOfAll = (metadata: Metadata | undefined): Metadata | undefined =>
  metadata && new Map([["cut", new Content("too much was open at one time", false)]])

const shortened = (text: Clearable<string>): Clearable<string> =>
  typeof text === "string" && text.length > 100 ? `${text.slice(0, 100)}…` : text

const unlessLong = (json: string | undefined): string | undefined => (json?.length ?? 0) > 200 ? undefined : json

/** Leaves notes in place of the contents, and takes from all other fields what they have too much of. */
const cut = (item: Observation): void => {
  item.input = noteOf(item.input)
  item.output = noteOf(item.output)
  item.metadata = noteOfAll(item.metadata)
  item.extra = ""
  item.name = shortened(item.name)
  item.statusMessage = shortened(item.statusMessage)
  item.model = shortened(item.model)
  item.version = shortened(item.version)
  item.promptName = shortened(item.promptName)
  item.parameters = unlessLong(item.parameters)
  item.usage = unlessLong(item.usage)
  item.cost = unlessLong(item.cost)
  item.context = item.context && cutFields(item.context)
  item.bytes = bytesOfItem(item)
}

const cutFields = (given: TraceFields): TraceFields => {
  const fields = Object.assign(new TraceFields(), given)
  fields.input = noteOf(fields.input)
  fields.output = noteOf(fields.output)
  fields.metadata = noteOfAll(fields.metadata)
  fields.name = shortened(fields.name)
  fields.userId = shortened(fields.userId)
  fields.sessionId = shortened(fields.sessionId)
  fields.release = shortened(fields.release)
  fields.version = shortened(fields.version)
  fields.tags = fields.tags?.slice(0, 10).map((tag) => tag.slice(0, 100))
  return fields
}

const opOf = ({ item }: Entry): string => item.kind === "observation" ? item.op : "create"

/** By time, and creates first: how Langfuse merges events. */
const inOrder = (a: Entry, b: Entry): number =>
  a.item.at - b.item.at || Number(opOf(b) === "create") - Number(opOf(a) === "create")

export class Assembly {
  private readonly limits: Limits
  private readonly open = new Map<string, Open>()
  private openBytes = 0
  private openEvents = 0
  /** Observations that left. */
  private readonly left: Recent
  private readonly traces = new Map<string, Trace>()
  private traceBytes = 0
  /** Of those remembered, the ones whose span did not arrive. */
  private readonly lost = new Set<string>()
  private readonly forgottenTraces: Recent

  constructor(given: Limits = limits) {
    this.limits = given
    this.left = new Recent(given.remembered)
    this.forgottenTraces = new Recent(given.remembered)
  }

  /** Takes in observations and traces, and gives what can leave now. */
  accept(batch: ReadonlyArray<Entry>, now: number): Round {
    const round = new Round()
    const isMerging = batch.some(({ item }) => item.kind === "observation" && !item.isWhole)
    // Of this batch alone, for the reason that `Recent` gives.
    const touched = new Map<string, Open>()
    const traces = new Map<string, TraceParts>()
    const whole: Array<Entry> = []
    for (const entry of isMerging ? batch.slice().sort(inOrder) : batch) {
      const { item } = entry
      if (item.kind === "trace") this.acceptTrace(item, entry, traces, round)
      else if (item.kind === "observation") {
        if (item.isWhole) whole.push(entry)
        else this.acceptPart(item, entry, touched, round, now)
      }
    }
    for (const { entries, trace } of traces.values()) {
      round.pieces.push(new Piece<Observation | Trace>(trace, entries, undefined))
    }
    for (const entry of whole) {
      if (entry.item.kind === "observation") this.leave(entry.item, Array.of(entry), round)
    }
    for (const open of touched.values()) {
      if (open.item.op !== "create") round.late.push(...this.forget(open).entries)
      else if (open.isComplete) this.leave(this.forget(open).item, open.entries, round)
      else if (open.entries.length > this.limits.maxEventsOfOne) this.leaveUnfinished(open, round)
      else this.keep(open, round)
    }
    this.bound(now, round)
    return round
  }

  /** Sends off what has been open for too long; with a time far enough ahead, all of it. */
  expire(now: number): Round {
    const round = new Round()
    this.bound(now, round)
    return round
  }

  /** When `expire` will have something to send next. */
  deadline(): number | undefined {
    for (const { since } of this.open.values()) return since + this.limits.maxOpenMillis
    return undefined
  }

  /** Gives up what is open, for another transport. */
  release(): ReadonlyArray<OtlpPiece> {
    const pieces = [...this.open.values()].map((open) =>
      new Piece<Observation | Trace>(open.item, open.entries, undefined)
    )
    this.open.clear()
    this.openBytes = this.openEvents = 0
    return pieces
  }

  /** What is known of the trace of an observation, to be written with it. */
  traceOf(item: Observation): Trace | undefined {
    return this.traces.size === 0 || item.traceId === undefined ? undefined : this.traces.get(item.traceId)
  }

  /** Of a derived trace that did not arrive: the next observation that tells its input or output brings it again. */
  lose({ id }: Trace): void {
    if (this.traces.has(id)) this.lost.add(id)
  }

  private acceptTrace(item: Trace, entry: Entry, traces: Map<string, TraceParts>, round: Round): void {
    const parts = traces.get(item.id)
    if (parts === undefined && !this.traces.has(item.id) && this.forgottenTraces.has(hash(item.id))) {
      round.late.push(entry)
      return
    }
    const trace = this.remember(item, parts?.trace)
    if (parts === undefined) traces.set(item.id, new TraceParts(trace, entry))
    else {
      parts.trace = trace
      parts.entries.push(entry)
    }
  }

  private acceptPart(item: Observation, entry: Entry, touched: Map<string, Open>, round: Round, now: number): void {
    const known = touched.get(item.id) ?? (this.open.size === 0 ? undefined : this.open.get(item.id))
    if (known !== undefined) {
      known.add(item, entry)
      touched.set(item.id, known)
    } else if (this.left.has(hash(item.id))) round.late.push(entry)
    else touched.set(item.id, new Open(item, entry, now))
  }

  private keep(open: Open, round: Round): void {
    this.openBytes += open.item.bytes - open.countedBytes
    this.openEvents += open.entries.length - open.countedEvents
    for (let i = open.countedEvents; i < open.entries.length; i++) {
      const entry = open.entries[i]
      if (entry === undefined) continue
      // All that it says is in the open observation.
      entry.release()
      round.withheld.push(entry)
    }
    open.countedBytes = open.item.bytes
    open.countedEvents = open.entries.length
    this.open.set(open.item.id, open)
  }

  private forget(open: Open): Open {
    if (open.countedEvents === 0) return open
    this.open.delete(open.item.id)
    this.openBytes -= open.countedBytes
    this.openEvents -= open.countedEvents
    open.countedBytes = open.countedEvents = 0
    return open
  }

  private leave(item: Observation, entries: ReadonlyArray<Entry>, round: Round): void {
    if (!item.isWhole) this.left.set(hash(item.id))
    round.pieces.push(new Piece<Observation | Trace>(item, entries, this.derive(item)))
  }

  /** The trace's own span, where an observation says something of the trace's input or output that is not known yet. */
  private derive(item: Observation): Trace | undefined {
    const { context, traceId } = item
    if (traceId === undefined || context === undefined) return undefined
    if (context.input === undefined && context.output === undefined) return undefined
    const known = this.traces.get(traceId)
    if (known === undefined && this.forgottenTraces.has(hash(traceId))) return undefined
    const isKnown = isSame(known?.fields.input, context.input) && isSame(known?.fields.output, context.output)
    const wasLost = this.lost.delete(traceId)
    if (isKnown && !wasLost) return undefined
    const trace = new Trace(`${item.eventId}-trace`, item.at, traceId)
    trace.fields = Object.assign(new TraceFields(), context)
    trace.fields.isAppRoot = false
    trace.fields.start ??= item.start
    trace.bytes = bytesOfItem(trace)
    return this.remember(trace, undefined)
  }

  /** `before`: as the batch knows it, in case it was forgotten since. */
  private remember(item: Trace, before: Trace | undefined): Trace {
    const remembered = this.traces.get(item.id)
    const known = remembered ?? before
    const trace = known === undefined ? item : mergeTrace(known, item)
    if (trace.bytes > this.limits.maxTraceBytes) {
      trace.fields = cutFields(trace.fields)
      trace.extra = ""
      trace.bytes = bytesOfItem(trace)
    }
    // The start is part of what Langfuse tells rows apart by.
    trace.fields.start ??= trace.at
    this.traces.delete(item.id)
    this.traces.set(item.id, trace)
    this.traceBytes += trace.bytes - (remembered?.bytes ?? 0)
    for (const [id, oldest] of this.traces) {
      if (this.traces.size <= this.limits.maxTraces && this.traceBytes <= this.limits.maxTraceBytes) break
      if (id === item.id) break
      this.traces.delete(id)
      this.lost.delete(id)
      this.traceBytes -= oldest.bytes
      this.forgottenTraces.set(hash(id))
    }
    return trace
  }

  private bound(now: number, round: Round): void {
    for (const open of this.open.values()) {
      const isOld = now - open.since >= this.limits.maxOpenMillis
      if (!isOld && this.openEvents <= this.limits.maxOpenEvents) break
      this.leaveUnfinished(open, round)
    }
    if (this.openBytes <= this.limits.maxOpenBytes) return
    for (const open of this.open.values()) {
      if (this.openBytes <= this.limits.maxOpenBytes) break
      if (open.isCut) continue
      open.isCut = true
      cut(open.item)
      this.openBytes += open.item.bytes - open.countedBytes
      open.countedBytes = open.item.bytes
    }
  }

  private leaveUnfinished(open: Open, round: Round): void {
    open.item.level ??= "WARNING"
    open.item.statusMessage ??= "sent although it did not end"
    this.leave(this.forget(open).item, open.entries, round)
    round.unfinished++
  }
}

const isSame = (known: Content | undefined, said: Content | undefined): boolean =>
  said === undefined || known !== undefined && known.text === said.text && known.isJson === said.isJson
