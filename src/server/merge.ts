/**
 * Rows of the tables that came before Langfuse v4, and how events change them.
 *
 * All events of one entity are merged in the order of their timestamps, on top of the row that is already there: this is
 * what makes a retry harmless. Events with the same timestamp come in an order of their own: the later of two creates
 * is taken first, so the earlier one wins.
 */
import { type Costed, costOf } from "./cost.js"
import type { EventOf } from "./events.js"
import { type Json, mergeDeep, textValues, toMetadata, toText } from "./json.js"
import type { ModelPrice, ObservationType, ScoreConfig } from "./model.js"
import type { ScoreBody, ScoreDataType, ScoreSource } from "./scoreBody.js"
import { inflateScore } from "./scores.js"
import { moveTools, type Tools, toolsOf } from "./tools.js"
import { type Counts, providedCost, providedUsage } from "./usage.js"

type Nullable<A> = A | null | undefined

type Texts = { readonly [key: string]: string }

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
  readonly metadata: Texts
  readonly tags: ReadonlyArray<string>
  readonly public: boolean
}

/** An observation while its events are merged. */
interface Merged {
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
  readonly providedUsage: Counts
  readonly providedCost: Counts
  readonly promptName: string | undefined
  readonly promptVersion: number | undefined
  readonly metadata: Json
}

export interface ObservationRow extends Merged, Costed, Tools {
  readonly id: string
  readonly input: string | undefined
  readonly output: string | undefined
  readonly metadata: Texts
}

export interface ScoreRow {
  readonly id: string
  readonly timestamp: number
  readonly environment: string
  readonly name: string
  readonly dataType: ScoreDataType
  readonly value: number | undefined
  readonly stringValue: string | undefined
  readonly longStringValue: string | undefined
  readonly traceId: Nullable<string>
  readonly sessionId: Nullable<string>
  readonly datasetRunId: Nullable<string>
  readonly observationId: Nullable<string>
  readonly comment: Nullable<string>
  readonly source: ScoreSource
  readonly configId: Nullable<string>
  readonly queueId: Nullable<string>
  readonly executionTraceId: Nullable<string>
  readonly metadata: Texts
}

/** This comparison contradicts itself where two creates have the same time, as the real one does. */
const inTime = <E extends { readonly at: number; readonly type: string }>(events: ReadonlyArray<E>): ReadonlyArray<E> =>
  [...events].sort((a, b) => a.at - b.at || (a.type.includes("create") ? -1 : 1))

/** Absence keeps the old value, `null` clears it. */
const replace = <A>(older: Nullable<A>, newer: Nullable<A>): Nullable<A> => newer === undefined ? older : newer

/** Only a value replaces the old one. */
const latest = <A>(older: A | undefined, newer: Nullable<A>): A | undefined => newer ?? older

const milliseconds = (time: Nullable<string>): number | undefined => time ? Date.parse(time) : undefined

const counts = (older: Counts | undefined, newer: Counts): Counts => Object.keys(newer).length > 0 ? newer : older ?? {}

/** `0`, `false` and the empty text never replace anything. */
const lastTruthy = <E>(events: ReadonlyArray<E>, field: (event: E) => unknown): unknown =>
  events.map(field).filter(Boolean).at(-1)

const text = (value: unknown): string | undefined => value === undefined ? undefined : toText(value)

export const mergeTrace = (
  id: string,
  existing: TraceRow | undefined,
  given: ReadonlyArray<EventOf<"trace">>
): TraceRow | undefined => {
  const events = inTime(given)
  const row = events.reduce<Omit<TraceRow, "metadata"> & { readonly metadata: Json } | undefined>(
    (row, { at, body }) => ({
      id,
      timestamp: row?.timestamp ?? milliseconds(body.timestamp) ?? at,
      environment: row?.environment ?? body.environment,
      name: replace(row?.name, body.name),
      userId: replace(row?.userId, body.userId),
      sessionId: replace(row?.sessionId, body.sessionId),
      release: replace(row?.release, body.release),
      version: replace(row?.version, body.version),
      input: row?.input,
      output: row?.output,
      metadata: mergeDeep(row?.metadata ?? {}, toMetadata(body.metadata)),
      tags: [...new Set([...row?.tags ?? [], ...body.tags ?? []])].sort(),
      public: body.public ?? false
    }),
    existing
  )
  return row && {
    ...row,
    input: text(lastTruthy(events, ({ body }) => body.input)) ?? row.input,
    output: text(lastTruthy(events, ({ body }) => body.output)) ?? row.output,
    metadata: textValues(row.metadata)
  }
}

const mergeBodies = (
  events: ReadonlyArray<EventOf<"observation">>,
  existing: Merged | undefined,
  randomId: () => string
): Merged | undefined =>
  events.reduce<Merged | undefined>((row, { at, body, observation }) => ({
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
    providedUsage: counts(row?.providedUsage, providedUsage(body)),
    providedCost: counts(row?.providedCost, providedCost(body)),
    promptName: row?.promptName,
    promptVersion: row?.promptVersion,
    metadata: mergeDeep(row?.metadata ?? {}, toMetadata(body.metadata))
  }), existing)

/** The prompt of the event that arrived last, whatever its time. */
const promptOf = (events: ReadonlyArray<EventOf<"observation">>) =>
  events.map(({ body }) => body).filter(({ promptName, promptVersion }) =>
    typeof promptName === "string" && typeof promptVersion === "number"
  ).at(-1)

export const mergeObservation = (
  id: string,
  existing: ObservationRow | undefined,
  given: ReadonlyArray<EventOf<"observation">>,
  options: { readonly randomId: () => string; readonly prices: ReadonlyArray<ModelPrice> }
): ObservationRow | undefined => {
  const events = inTime(given)
  const row = mergeBodies(events, existing, options.randomId)
  if (row === undefined) return undefined
  const prompt = promptOf(given)
  const output = lastTruthy(events, ({ body }) => body.output) ?? existing?.output
  const moved = moveTools(
    lastTruthy(events, ({ body }) => body.input) ?? existing?.input,
    textValues(row.metadata)
  )
  // Conditions of prices look at the event that brought the usage.
  const counted = events.filter(({ body }) => Object.keys(providedUsage(body)).length > 0).at(-1)?.body
  return {
    ...row,
    id,
    // The epoch itself is not compared.
    endTime: row.endTime ? Math.max(row.endTime, row.startTime) : row.endTime,
    level: row.level ?? "DEFAULT",
    promptName: prompt?.promptName ?? row.promptName,
    promptVersion: prompt?.promptVersion ?? row.promptVersion,
    input: text(moved.input ?? undefined),
    output: text(output ?? undefined),
    metadata: textValues(moved.metadata),
    ...toolsOf(moved.input, output),
    ...costOf(
      { usage: row.providedUsage, cost: row.providedCost },
      { model: row.model ?? undefined, modelParameters: counted?.modelParameters, metadata: counted?.metadata },
      options.prices
    )
  }
}

export const mergeScore = (
  id: string,
  existing: ScoreRow | undefined,
  given: ReadonlyArray<{ readonly at: number; readonly type: string; readonly body: ScoreBody }>,
  configs: ReadonlyArray<ScoreConfig>
): ScoreRow | undefined => {
  const row = inTime(given).reduce<Omit<ScoreRow, "metadata"> & { readonly metadata: Json } | undefined>(
    (row, { at, body }) => {
      const values = inflateScore(body, configs)
      return "dropped" in values ? row : {
        ...values,
        id,
        timestamp: row?.timestamp ?? at,
        environment: row?.environment ?? body.environment,
        traceId: row?.traceId === undefined ? body.traceId : row.traceId,
        sessionId: replace(row?.sessionId, body.sessionId),
        datasetRunId: replace(row?.datasetRunId, body.datasetRunId),
        observationId: replace(row?.observationId, body.observationId),
        comment: replace(row?.comment, body.comment),
        source: body.source,
        configId: replace(row?.configId, body.configId),
        queueId: body.queueId ?? null,
        executionTraceId: replace(row?.executionTraceId, body.executionTraceId),
        metadata: mergeDeep(row?.metadata ?? {}, toMetadata(body.metadata))
      }
    },
    existing
  )
  return row && { ...row, metadata: textValues(row.metadata) }
}
