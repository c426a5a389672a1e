/**
 * What the events of one trace or one observation make of it together: the rules by which Langfuse v3 merges them.
 *
 * Events count in the order of their timestamps, whatever the order they came in; of two with the same timestamp the create
 * comes first. The first event decides on start time and environment for good. Otherwise the last one wins: an absent field
 * keeps what was there, `null` clears it where Langfuse lets it, metadata is merged key by key, usage and costs are replaced
 * whole, and the type is that of the last event, so that a `span-update` makes a span of an agent.
 *
 * @see https://langfuse.com/docs/observability/data-model
 */
import type { Clearable, Context, JsonObject, ObservationFacts, ObservationType, TraceFacts } from "./facts.js"
import type { Id } from "./ids.js"
import type { Nanos } from "./time.js"
import * as Time from "./time.js"
import type { Buckets } from "./usage.js"
import { isObject } from "./usage.js"

export interface Trace {
  readonly id: Id
  readonly rootId: string
  readonly timestamp: Nanos
  readonly environment: string | undefined
  readonly name: Clearable<string>
  readonly userId: Clearable<string>
  readonly sessionId: Clearable<string>
  readonly release: Clearable<string>
  readonly version: Clearable<string>
  readonly tags: ReadonlyArray<string>
  readonly isPublic: boolean
  readonly metadata: JsonObject | undefined
  /** JSON text. */
  readonly input: string | undefined
  readonly output: string | undefined
}

export class Observation {
  readonly id: Id
  readonly traceId: Id
  /** Whether an event said which trace it is in. */
  readonly isTraceKnown: boolean
  readonly parentId: Id | undefined
  readonly isCreated: boolean
  readonly type: ObservationType
  readonly environment: string | undefined
  readonly startTime: Nanos
  readonly endTime: Nanos | undefined
  readonly completionStartTime: Nanos | undefined
  readonly name: Clearable<string>
  readonly level: Clearable<string>
  readonly statusMessage: string | undefined
  readonly version: string | undefined
  readonly model: Clearable<string>
  readonly modelParameters: JsonObject | undefined
  readonly usage: Buckets | undefined
  readonly cost: Buckets | undefined
  readonly promptName: string | undefined
  readonly promptVersion: number | undefined
  readonly metadata: JsonObject | undefined
  /** JSON text. */
  readonly input: string | undefined
  readonly output: string | undefined
  readonly context: Context | undefined

  constructor(known: Observation | undefined, facts: ObservationFacts<unknown>) {
    this.id = known?.id ?? facts.id
    // Langfuse makes one up for an observation whose first event names none; the first that is named is better.
    this.traceId = known?.isTraceKnown === true ? known.traceId : facts.traceId ?? facts.ownTraceId
    this.isTraceKnown = known?.isTraceKnown === true || facts.traceId !== undefined
    this.parentId = facts.parentId ?? known?.parentId
    this.isCreated = facts.isCreate || known?.isCreated === true
    this.type = facts.type
    this.environment = known === undefined ? facts.environment : known.environment
    this.startTime = known?.startTime ?? facts.startTime ?? Time.fromMillis(facts.at)
    this.endTime = facts.endTime ?? known?.endTime
    this.completionStartTime = facts.completionStartTime ?? known?.completionStartTime
    this.name = replace(known?.name, facts.name)
    this.level = replace(known?.level, facts.level)
    this.statusMessage = facts.statusMessage ?? known?.statusMessage
    this.version = facts.version ?? known?.version
    this.model = replace(known?.model, facts.model)
    this.modelParameters = facts.modelParameters ?? known?.modelParameters
    this.usage = facts.usage ?? known?.usage
    this.cost = facts.cost ?? known?.cost
    this.promptName = facts.promptName ?? known?.promptName
    this.promptVersion = facts.promptVersion ?? known?.promptVersion
    this.metadata = deepMerge(known?.metadata, facts.metadata)
    this.input = facts.input ?? known?.input
    this.output = facts.output ?? known?.output
    this.context = overlay(known?.context, facts.context)
  }
}

/** `undefined` keeps the old value, `null` clears it. */
const replace = <A>(older: Clearable<A>, newer: Clearable<A>): Clearable<A> => newer === undefined ? older : newer

const addTrace = (trace: Trace | undefined, facts: TraceFacts): Trace => ({
  id: trace?.id ?? facts.id,
  rootId: facts.rootId,
  timestamp: trace?.timestamp ?? facts.timestamp ?? Time.fromMillis(facts.at),
  environment: trace === undefined ? facts.environment : trace.environment,
  name: replace(trace?.name, facts.name),
  userId: replace(trace?.userId, facts.userId),
  sessionId: replace(trace?.sessionId, facts.sessionId),
  release: replace(trace?.release, facts.release),
  version: replace(trace?.version, facts.version),
  tags: facts.tags.length === 0 ? trace?.tags ?? [] : [...new Set([...trace?.tags ?? [], ...facts.tags])].sort(),
  isPublic: facts.isPublic,
  metadata: deepMerge(trace?.metadata, facts.metadata),
  input: facts.input ?? trace?.input,
  output: facts.output ?? trace?.output
})

/** What a later event knows about the trace wins, field by field. */
const overlay = (older: Context | undefined, newer: Context | undefined): Context | undefined => {
  if (older === undefined || newer === undefined) return newer ?? older
  const known = Object.entries(newer).filter(([, value]) => value !== undefined)
  return { ...older, ...Object.fromEntries(known) }
}

export const deepMerge = (older: JsonObject | undefined, newer: JsonObject | undefined): JsonObject | undefined => {
  if (older === undefined || newer === undefined) return newer ?? older
  const merged = new Map(Object.entries(older))
  for (const [key, value] of Object.entries(newer)) {
    const before = merged.get(key)
    merged.set(key, isObject(before) && isObject(value) ? deepMerge(before, value) : value)
  }
  return Object.fromEntries(merged)
}

// -------------------------------------------------------------------------------------
// the order of events
// -------------------------------------------------------------------------------------

interface Timed {
  readonly at: number
}

/** What is known about one trace or observation. */
export class Merged<Facts, Subject> {
  /** The latest events in the order of their timestamps, for one that comes late to find its place among. */
  readonly facts: ReadonlyArray<Facts>
  /** What all events amount to. */
  readonly subject: Subject

  constructor(facts: ReadonlyArray<Facts>, subject: Subject) {
    this.facts = facts
    this.subject = subject
  }
}

/** What is known about one observation. */
export type Known = Merged<ObservationFacts<unknown>, Observation>

/** So that what is changed over and over does not grow. */
const maxFacts = 32

const merge = <Facts extends Timed, Subject>(
  add: (subject: Subject | undefined, facts: Facts) => Subject,
  isBefore: (left: Facts, right: Facts) => number
) =>
(known: Merged<Facts, Subject> | undefined, news: readonly [Facts, ...Array<Facts>]): Merged<Facts, Subject> => {
  // Nearly all that is ever known is said by one event.
  if (known === undefined && news.length === 1) return new Merged(news, add(undefined, news[0]))
  const sorted = news.slice().sort(isBefore)
  const [first = news[0]] = sorted
  const last = known?.facts[known.facts.length - 1]
  if (known === undefined || last === undefined || isBefore(last, first) <= 0) {
    // Nothing came late: what is known need not be gone through again.
    const subject = sorted.slice(1).reduce(add, add(known?.subject, first))
    return new Merged([...known?.facts ?? [], ...sorted].slice(-maxFacts), subject)
  }
  // Some came late. What the first events decided stays decided, for everything else the order of timestamps counts.
  const facts = [...known.facts, ...sorted].sort(isBefore)
  return new Merged(facts.slice(-maxFacts), facts.reduce(add, known.subject))
}

/** The bytes it keeps in memory. */
export const bytesOf = (
  { facts, subject }: Merged<TraceFacts | ObservationFacts<unknown>, Trace | Observation>
): number => {
  let bytes = (subject.input?.length ?? 0) + (subject.output?.length ?? 0)
  for (const each of facts) bytes += each.bytes
  return bytes
}

export const trace = merge<TraceFacts, Trace>(addTrace, (left, right) => left.at - right.at)

export const observation = merge<ObservationFacts<unknown>, Observation>(
  (known, facts) => new Observation(known, facts),
  (left, right) => left.at - right.at || Number(right.isCreate) - Number(left.isCreate)
)
