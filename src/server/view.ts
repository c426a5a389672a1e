/**
 * What the server shows of its tables: rows as observations, traces put together, for v4 as for the versions before.
 */
import type { Costed } from "./cost.js"
import { flatten, fromText, groupBy, readMetadata } from "./json.js"
import type { ObservationRow, ScoreRow, TraceRow } from "./merge.js"
import type { StoredObservation, StoredScore, StoredTrace } from "./model.js"
import { noTools, type Tools } from "./tools.js"

/** A row of the events table: one span, with the fields of its trace repeated on it. */
export interface EventRow extends Costed, Tools {
  readonly id: string
  readonly traceId: string
  /** Empty for a root. */
  readonly parentObservationId: string
  readonly type: StoredObservation["type"]
  readonly name: string | undefined
  readonly startTime: number
  readonly endTime: number | undefined
  readonly completionStartTime: number | undefined
  readonly level: StoredObservation["level"]
  readonly statusMessage: string | undefined
  readonly model: string | undefined
  readonly modelParameters: StoredObservation["modelParameters"]
  readonly promptName: string | undefined
  readonly promptVersion: number | undefined
  readonly input: string | undefined
  readonly output: string | undefined
  readonly metadata: { readonly [key: string]: string }
  readonly environment: string
  readonly version: string | undefined
  readonly release: string | undefined
  readonly traceName: string | undefined
  readonly userId: string | undefined
  readonly sessionId: string | undefined
  readonly tags: ReadonlyArray<string>
  readonly public: boolean
  readonly isAppRoot: boolean
}

/** A row together with its place in the order of arrival. */
export interface Arrived<Row> {
  readonly row: Row
  readonly arrival: number
}

/** All that can be read. The tables that are the current ones come first, what was there before is shown as well. */
export interface Tables {
  readonly eventsFirst: boolean
  readonly traces: ReadonlyArray<TraceRow>
  readonly observations: ReadonlyArray<Arrived<ObservationRow>>
  readonly events: ReadonlyArray<Arrived<EventRow>>
  readonly scores: ReadonlyArray<ScoreRow>
}

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString()

const optionalIso = (milliseconds: number | undefined): string | undefined =>
  milliseconds === undefined ? undefined : iso(milliseconds)

const number = (value: unknown): number | undefined => typeof value === "number" ? value : undefined

const content = (text: string | undefined): unknown => text === undefined ? undefined : fromText(text)

const legacyObservation = (row: ObservationRow): StoredObservation => ({
  table: "observations",
  id: row.id,
  traceId: row.traceId,
  parentObservationId: row.parentObservationId,
  type: row.type,
  name: row.name ?? undefined,
  startTime: iso(row.startTime),
  endTime: optionalIso(row.endTime),
  completionStartTime: optionalIso(row.completionStartTime),
  level: row.level ?? "DEFAULT",
  statusMessage: row.statusMessage,
  model: row.model ?? undefined,
  modelParameters: row.modelParameters,
  usageDetails: row.usage,
  costDetails: row.cost,
  totalCost: number(row.totalCost),
  internalModelId: row.internalModelId,
  toolDefinitions: row.toolDefinitions,
  toolCalls: row.toolCalls,
  promptName: row.promptName,
  promptVersion: row.promptVersion,
  input: content(row.input),
  output: content(row.output),
  metadata: readMetadata(row.metadata),
  environment: row.environment,
  version: row.version,
  release: undefined,
  userId: undefined,
  sessionId: undefined,
  tags: [],
  traceName: undefined,
  public: false,
  isAppRoot: false
})

const eventObservation = (row: EventRow): StoredObservation => ({
  table: "events",
  id: row.id,
  traceId: row.traceId,
  parentObservationId: row.parentObservationId === "" ? undefined : row.parentObservationId,
  type: row.type,
  name: row.name,
  startTime: iso(row.startTime),
  endTime: optionalIso(row.endTime),
  completionStartTime: optionalIso(row.completionStartTime),
  level: row.level,
  statusMessage: row.statusMessage,
  model: row.model,
  modelParameters: row.modelParameters,
  usageDetails: row.usage,
  costDetails: row.cost,
  totalCost: number(row.totalCost),
  internalModelId: row.internalModelId,
  toolDefinitions: row.toolDefinitions,
  toolCalls: row.toolCalls,
  promptName: row.promptName,
  promptVersion: row.promptVersion,
  input: content(row.input),
  output: content(row.output),
  metadata: readMetadata(row.metadata),
  environment: row.environment,
  version: row.version,
  release: row.release,
  userId: row.userId,
  sessionId: row.sessionId,
  tags: row.tags,
  traceName: row.traceName,
  public: row.public,
  isAppRoot: row.isAppRoot
})

const storedScore = (row: ScoreRow): StoredScore => ({
  ...row,
  traceId: row.traceId || undefined,
  sessionId: row.sessionId || undefined,
  datasetRunId: row.datasetRunId || undefined,
  observationId: row.observationId || undefined,
  configId: row.configId ?? undefined,
  queueId: row.queueId ?? undefined,
  executionTraceId: row.executionTraceId ?? undefined,
  comment: row.comment ?? undefined,
  metadata: readMetadata(row.metadata),
  timestamp: iso(row.timestamp)
})

const isRoot = (row: EventRow): boolean => row.parentObservationId === ""

const latest = <A>(rows: ReadonlyArray<EventRow>, field: (row: EventRow) => A | undefined): A | undefined => {
  for (let index = rows.length - 1; index >= 0; index--) {
    const row = rows[index]
    const value = row && field(row)
    if (value !== undefined && value !== "") return value
  }
  return undefined
}

type TraceFields = Omit<StoredTrace, "observations" | "scores" | "totalCost">

/** A trace of v4: an aggregate over its spans, which come in the order of their arrival. */
const aggregate = (id: string, rows: ReadonlyArray<EventRow>): TraceFields | undefined => {
  if (rows.length === 0) return undefined
  const root = [...rows].reverse().find(isRoot)
  return {
    id,
    name: latest(rows, (row) => row.traceName) ??
      latest(rows, (row) => isRoot(row) || row.isAppRoot ? row.name : undefined),
    userId: latest(rows, (row) => row.userId),
    sessionId: latest(rows, (row) => row.sessionId),
    tags: latest(rows, (row) => row.tags.length > 0 ? row.tags : undefined) ?? [],
    metadata: readMetadata(root?.metadata ?? {}),
    input: content(root?.input),
    output: content(root?.output),
    release: latest(rows, (row) => row.release),
    version: latest(rows, (row) => row.version),
    environment: latest(rows, (row) => row.environment) ?? "default",
    public: rows.some((row) => row.public),
    timestamp: iso(rows.reduce((earliest, row) => Math.min(earliest, row.startTime), Infinity))
  }
}

const legacyTrace = (row: TraceRow | undefined): TraceFields | undefined =>
  row && {
    id: row.id,
    name: row.name ?? undefined,
    userId: row.userId ?? undefined,
    sessionId: row.sessionId ?? undefined,
    tags: row.tags,
    metadata: readMetadata(row.metadata),
    input: content(row.input),
    output: content(row.output),
    release: row.release ?? undefined,
    version: row.version ?? undefined,
    environment: row.environment,
    public: row.public,
    timestamp: iso(row.timestamp)
  }

/** A trace that began before an upgrade and went on after it: its older part fills what the newer leaves open. */
const combine = (first: TraceFields | undefined, second: TraceFields | undefined): TraceFields | undefined => {
  if (first === undefined || second === undefined) return first ?? second
  return {
    ...first,
    name: first.name ?? second.name,
    userId: first.userId ?? second.userId,
    sessionId: first.sessionId ?? second.sessionId,
    tags: first.tags.length > 0 ? first.tags : second.tags,
    metadata: Object.keys(first.metadata).length > 0 ? first.metadata : second.metadata,
    input: first.input ?? second.input,
    output: first.output ?? second.output,
    release: first.release ?? second.release,
    version: first.version ?? second.version
  }
}

const keyOf = (row: { readonly traceId: string; readonly id: string }) => JSON.stringify([row.traceId, row.id])

interface Seen {
  readonly arrival: number
  readonly seen: StoredObservation
}

const inOrder = (rows: ReadonlyArray<Seen>): ReadonlyArray<StoredObservation> =>
  [...rows].sort((a, b) => Date.parse(a.seen.startTime) - Date.parse(b.seen.startTime) || a.arrival - b.arrival)
    .map(({ seen }) => seen)

const seenRows = (tables: Tables): readonly [legacy: ReadonlyArray<Seen>, events: ReadonlyArray<Seen>] => [
  tables.observations.map(({ arrival, row }) => ({ arrival, seen: legacyObservation(row) })),
  tables.events.map(({ arrival, row }) => ({ arrival, seen: eventObservation(row) }))
]

/** Every row of every table. */
export const observations = (tables: Tables): ReadonlyArray<StoredObservation> => inOrder(seenRows(tables).flat())

/** Every observation once, from the table that comes first. */
const distinct = (tables: Tables): ReadonlyArray<StoredObservation> => {
  const [legacy, events] = seenRows(tables)
  const [first, second] = tables.eventsFirst ? [events, legacy] : [legacy, events]
  const covered = new Set(first.map(({ seen }) => keyOf(seen)))
  return inOrder([...first, ...second.filter(({ seen }) => !covered.has(keyOf(seen)))])
}

export const scores = (tables: Tables): ReadonlyArray<StoredScore> => tables.scores.map(storedScore)

export const traces = (tables: Tables): ReadonlyArray<StoredTrace> => {
  const rows = groupBy(
    [...tables.events].sort((a, b) => a.arrival - b.arrival).map(({ row }) => row),
    ({ traceId }) => traceId
  )
  const records = new Map(tables.traces.map((row) => [row.id, row]))
  const allObservations = groupBy(distinct(tables), ({ traceId }) => traceId)
  const allScores = groupBy(scores(tables), ({ traceId }) => traceId)
  const ids = new Set([...records.keys(), ...tables.events.map(({ row }) => row.traceId)])
  return [...ids].flatMap((id): ReadonlyArray<StoredTrace> => {
    const fromEvents = aggregate(id, rows.get(id) ?? [])
    const fromRecord = legacyTrace(records.get(id))
    const fields = tables.eventsFirst ? combine(fromEvents, fromRecord) : fromRecord ?? fromEvents
    if (fields === undefined) return []
    const own = allObservations.get(id) ?? []
    const costs = own.flatMap((observation) => observation.totalCost ?? [])
    return [{
      ...fields,
      totalCost: costs.length === 0 ? undefined : costs.reduce((sum, cost) => sum + cost, 0),
      observations: own,
      scores: allScores.get(id) ?? []
    }]
  }).sort((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp))
}

const traceFields = (trace: TraceRow | undefined) => ({
  traceName: trace?.name ?? undefined,
  userId: trace?.userId ?? undefined,
  sessionId: trace?.sessionId ?? undefined,
  tags: trace?.tags ?? [],
  public: trace?.public ?? false,
  release: trace?.release ?? undefined,
  isAppRoot: false
})

/** What the write mode `dual` makes of an observation that came the old way. */
export const stagedObservation = (row: ObservationRow, trace: TraceRow | undefined): EventRow => ({
  ...row,
  ...traceFields(trace),
  parentObservationId: row.parentObservationId ?? `t-${row.traceId}`,
  name: row.name ?? undefined,
  level: row.level ?? "DEFAULT",
  model: row.model ?? undefined,
  version: row.version ?? trace?.version ?? undefined,
  metadata: flatten(row.metadata)
})

/** What it makes of the trace itself: a span above all the others. */
export const stagedTrace = (trace: TraceRow): EventRow => ({
  ...traceFields(trace),
  id: `t-${trace.id}`,
  traceId: trace.id,
  parentObservationId: "",
  type: "SPAN",
  name: trace.name ?? undefined,
  startTime: trace.timestamp,
  endTime: undefined,
  completionStartTime: undefined,
  level: "DEFAULT",
  statusMessage: undefined,
  model: undefined,
  modelParameters: undefined,
  usage: {},
  cost: {},
  totalCost: undefined,
  internalModelId: undefined,
  ...noTools,
  promptName: undefined,
  promptVersion: undefined,
  input: trace.input,
  output: trace.output,
  metadata: flatten(trace.metadata),
  environment: trace.environment,
  version: trace.version ?? undefined
})
