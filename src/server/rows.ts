/**
 * Rows of the tables that came before Langfuse v4, and how an event changes them.
 *
 * Rows of one entity are merged from all of its events in the order of their timestamps, on top of the row that is
 * already there: this is what makes a retry harmless.
 */
import { deepMerge, toMetadata, toText } from "./content.js"
import type { Event } from "./events.js"
import type { ObservationType } from "./model.js"
import { type Counts, withTotal } from "./usage.js"
import type { Json } from "./validation.js"

type Nullable<A> = A | null | undefined

export interface TraceRow {
  readonly id: string
  readonly timestamp: number
  readonly environment: string
  readonly name: Nullable<string>
  readonly userId: Nullable<string>
  readonly sessionId: Nullable<string>
  readonly release: Nullable<string>
  readonly version: Nullable<string>
  readonly input: string | undefined
  readonly output: string | undefined
  readonly metadata: Json
  readonly tags: ReadonlyArray<string>
  readonly public: boolean
}

export interface ObservationRow {
  readonly id: string
  readonly traceId: string
  readonly type: ObservationType
  readonly environment: string
  readonly startTime: number
  readonly endTime: number | undefined
  readonly completionStartTime: number | undefined
  readonly parentObservationId: string | undefined
  readonly name: Nullable<string>
  readonly level: Nullable<"DEBUG" | "DEFAULT" | "WARNING" | "ERROR">
  readonly statusMessage: string | undefined
  readonly version: string | undefined
  readonly model: Nullable<string>
  readonly modelParameters: Json | undefined
  readonly usage: Counts
  readonly cost: Counts
  readonly promptName: string | undefined
  readonly promptVersion: number | undefined
  readonly input: string | undefined
  readonly output: string | undefined
  readonly metadata: Json
}

type EventOf<Entity> = Extract<Event, { readonly entity: Entity }>

const inTime = <E extends { readonly at: number; readonly type: string }>(
  events: ReadonlyArray<E>
): ReadonlyArray<E> =>
  [...events].sort((a, b) => a.at - b.at || Number(b.type.endsWith("-create")) - Number(a.type.endsWith("-create")))

/** Absence keeps the old value, `null` clears it. */
const replace = <A>(older: Nullable<A>, newer: Nullable<A>): Nullable<A> => newer === undefined ? older : newer

/** Only a value replaces the old one. */
const latest = <A>(older: A | undefined, newer: Nullable<A>): A | undefined => newer ?? older

/** `0`, `false` and the empty text never replace anything. */
const truthy = (older: string | undefined, newer: unknown): string | undefined => newer ? toText(newer) : older

const milliseconds = (time: Nullable<string>): number | undefined =>
  time === undefined || time === null ? undefined : Date.parse(time)

const counts = (older: Counts | undefined, newer: Nullable<Counts>): Counts =>
  newer && Object.keys(newer).length > 0 ? newer : older ?? {}

export const mergeTrace = (
  id: string,
  existing: TraceRow | undefined,
  events: ReadonlyArray<EventOf<"trace">>
): TraceRow | undefined =>
  inTime(events).reduce<TraceRow | undefined>((row, { at, body }) => ({
    id,
    timestamp: row?.timestamp ?? milliseconds(body.timestamp) ?? at,
    environment: row?.environment ?? body.environment,
    name: replace(row?.name, body.name),
    userId: replace(row?.userId, body.userId),
    sessionId: replace(row?.sessionId, body.sessionId),
    release: replace(row?.release, body.release),
    version: replace(row?.version, body.version),
    input: truthy(row?.input, body.input),
    output: truthy(row?.output, body.output),
    metadata: deepMerge(row?.metadata ?? {}, toMetadata(body.metadata) ?? {}),
    tags: [...new Set([...row?.tags ?? [], ...body.tags ?? []])].sort(),
    public: body.public ?? false
  }), existing)

export const mergeObservation = (
  id: string,
  existing: ObservationRow | undefined,
  events: ReadonlyArray<EventOf<"observation">>,
  randomId: () => string
): ObservationRow | undefined => {
  const row = inTime(events).reduce<ObservationRow | undefined>((row, { at, body, observation }) => ({
    id,
    traceId: row?.traceId ?? body.traceId ?? randomId(),
    type: observation,
    environment: row?.environment ?? body.environment,
    startTime: row?.startTime ?? milliseconds(body.startTime) ?? at,
    endTime: latest(row?.endTime, milliseconds(body.endTime)),
    completionStartTime: latest(row?.completionStartTime, milliseconds(body.completionStartTime)),
    parentObservationId: latest(row?.parentObservationId, body.parentObservationId),
    name: replace(row?.name, body.name),
    level: replace(row?.level, body.level),
    statusMessage: latest(row?.statusMessage, body.statusMessage),
    version: latest(row?.version, body.version),
    model: replace(row?.model, body.model),
    modelParameters: latest(row?.modelParameters, body.modelParameters),
    usage: counts(row?.usage, body.usageDetails ?? body.usage?.usage),
    cost: counts(row?.cost, body.costDetails ?? body.usage?.cost),
    promptName: latest(row?.promptName, body.promptName),
    promptVersion: latest(row?.promptVersion, body.promptVersion),
    input: truthy(row?.input, body.input),
    output: truthy(row?.output, body.output),
    metadata: deepMerge(row?.metadata ?? {}, toMetadata(body.metadata) ?? {})
  }), existing)
  return row && {
    ...row,
    usage: withTotal(row.usage),
    endTime: row.endTime === undefined ? undefined : Math.max(row.endTime, row.startTime)
  }
}
