/** Whether users see the same on a v3 server that was reached by the batch endpoint and on a v4 server by OTLP. */
import type { LangfuseServer } from "effect-langfuse"
import { isDeepStrictEqual } from "node:util"
import { spanIdFor, traceIdFor } from "../../utils/otlp.js"
import type { Event } from "./programs.js"

type Observation = LangfuseServer.StoredObservation
type Trace = LangfuseServer.StoredTrace

export interface Held {
  readonly observations: ReadonlyArray<Observation>
  readonly traces: ReadonlyArray<Trace>
  readonly scores: ReadonlyArray<LangfuseServer.StoredScore>
}

/** All that is known where the two differ. */
interface Seen<Row> {
  readonly v3: Row
  readonly v4: Row
  /** What was sent about it, in that order. */
  readonly events: ReadonlyArray<Event>
  /** The trace of an observation, or the trace itself. */
  readonly trace: { readonly v3: Trace | undefined; readonly v4: Trace | undefined }
}

/** A difference that the protocol or the server forces. */
interface Difference<Row> {
  readonly fields: ReadonlyArray<string>
  /** What is seen on v3, and on v4. */
  readonly v3: string
  readonly v4: string
  readonly explains: (seen: Seen<Row>, field: string) => boolean
}

const isHex = (id: string, length: number): boolean => id.length === length && /^[0-9a-f]+$/.test(id)

const spanId = (id: string): string => isHex(id, 16) ? id : spanIdFor(id)
const traceId = (id: string): string => isHex(id, 32) ? id : traceIdFor(id)
const rootId = (id: string): string => spanIdFor(`root of ${id}`)

const isNothing = (value: unknown): boolean =>
  value === undefined || value === "" ||
  (typeof value === "object" && value !== null && Object.keys(value).length === 0)

const asText = (value: unknown): unknown =>
  typeof value === "number" || typeof value === "string" ? value : JSON.stringify(value)

const keyOf = (field: string): string => field.slice("metadata.".length)

const isServers = (field: string): boolean => /^metadata\.(?:resourceAttributes|scope|originalTraceId)/.test(field)

const isRoot = ({ parentObservationId }: Observation): boolean => parentObservationId === undefined

const isOfRoots = (trace: Trace, field: string): boolean =>
  trace.observations.some((each) =>
    isRoot(each) && isDeepStrictEqual(Reflect.get(each, field), Reflect.get(trace, field))
  )

/** Servers keep milliseconds. */
const isSameTime = (given: unknown, shown: string): boolean =>
  typeof given === "string" && new Date(given).toISOString() === shown

const unfinished = "sent although it did not end"

// ---------------------------------------------------------------------------------------------------------------------
// the tables
// ---------------------------------------------------------------------------------------------------------------------

export const ofObservations: ReadonlyArray<Difference<Observation>> = [
  {
    fields: ["traceId"],
    v3: "a trace that the server makes up, if the first event names none",
    v4: "the first trace that any of its events names, or one of its own",
    explains: ({ trace }) => trace.v3 === undefined
  },
  {
    fields: ["parentObservationId"],
    v3: "no parent",
    v4: "the trace's own observation, if there is a `trace-create`",
    explains: ({ v3, v4 }) => v3.parentObservationId === undefined && v4.parentObservationId === rootId(v4.traceId)
  },
  {
    fields: ["startTime"],
    v3: "what its first event says, otherwise the time of that event",
    v4: "the first that is given",
    explains: ({ events, v3, v4 }) =>
      events[0]?.body.startTime === undefined && v3.startTime === events[0]?.timestamp &&
      events.some(({ body }) => body.startTime !== undefined && isSameTime(body.startTime, v4.startTime))
  },
  {
    fields: ["endTime"],
    v3: "none, if none was given; never before the start shown",
    v4: "the start, if none was given; never before the start shown",
    explains: ({ v3, v4 }) =>
      v4.endTime === v4.startTime && (v3.endTime === undefined || v3.endTime < v4.startTime) ||
      v3.endTime === v3.startTime && v4.endTime !== undefined && v4.endTime < v3.startTime
  },
  {
    fields: ["level", "statusMessage"],
    v3: "as given",
    v4: "`WARNING` and `sent although it did not end`, if it never ends and has none of its own",
    explains: ({ v3, v4 }, field) =>
      v3.endTime === undefined && v3.type !== "EVENT" &&
      (field === "level" ? v3.level === "DEFAULT" && v4.level === "WARNING" : v4.statusMessage === unfinished)
  },
  {
    fields: ["modelParameters"],
    v3: "lists, objects and booleans",
    v4: "their JSON text",
    explains: ({ v3, v4 }) =>
      isNothing(v3.modelParameters) && isNothing(v4.modelParameters) || isDeepStrictEqual(
        Object.fromEntries(Object.entries(v3.modelParameters ?? {}).map(([key, value]) => [key, asText(value)])),
        v4.modelParameters
      )
  },
  {
    fields: ["promptName", "promptVersion", "metadata.originalPromptName", "metadata.originalPromptVersion"],
    v3: "linked, whatever the type",
    v4: "linked for generations; for other types in the metadata as `originalPromptName` and `originalPromptVersion`",
    explains: ({ v3, v4 }) =>
      v3.type !== "GENERATION" && v4.promptName === undefined &&
      v3.promptName === v4.metadata["originalPromptName"]
  },
  {
    fields: ["metadata"],
    v3: "its own",
    v4: "its own and the trace's, and `resourceAttributes` and `scope`, which the server adds",
    explains: ({ trace, v3 }, field) =>
      isServers(field) || !(keyOf(field) in v3.metadata) && keyOf(field) in (trace.v3?.metadata ?? {})
  },
  {
    fields: ["metadata.originalId", "metadata.originalTraceId", "metadata.originalParentObservationId"],
    v3: "ids as given",
    v4: "32 or 16 hex digits; any other id becomes a digest and is kept in the metadata",
    explains: () => true
  },
  {
    fields: ["metadata"],
    v3: "a list stays when an update makes it an object",
    v4: "the object replaces the list",
    explains: ({ v3, v4 }, field) => {
      const [left, right] = [v3.metadata[keyOf(field)], v4.metadata[keyOf(field)]]
      return Array.isArray(left) && typeof right === "object" && !Array.isArray(right)
    }
  },
  {
    fields: ["environment", "version"],
    v3: "its own",
    v4: "its own, otherwise the trace's",
    explains: ({ v3, v4 }, field) =>
      field === "version"
        ? v3.version === undefined
        : v3.environment === "default" && v4.environment !== "default"
  }
]

export const ofTraces: ReadonlyArray<Difference<Trace>> = [
  {
    fields: ["name", "input", "output"],
    v3: "what was given for the trace; with contexts on events, what its last root has",
    v4: "what was given for the trace, otherwise what its last root has",
    explains: ({ v3, v4 }, field) => isNothing(Reflect.get(v3, field)) || isOfRoots(v3, field) && isOfRoots(v4, field)
  },
  {
    fields: ["name", "userId", "sessionId", "release", "version"],
    v3: "cleared by `null`",
    v4: "the last value that was not empty stays",
    explains: ({ v3 }, field) => isNothing(Reflect.get(v3, field))
  },
  {
    fields: ["userId", "sessionId", "tags", "version", "environment"],
    v3: "what the last event says; all tags",
    v4: "what the last observation to arrive says",
    explains: ({ v4 }, field) =>
      v4.observations.some((each) => isDeepStrictEqual(Reflect.get(each, field), Reflect.get(v4, field)))
  },
  {
    fields: ["public"],
    v3: "as the last event says",
    v4: "once public, always public",
    explains: ({ v4 }) => v4.public
  },
  {
    fields: ["timestamp"],
    v3: "the trace's",
    v4: "the earliest start of its observations",
    explains: ({ v4 }) => v4.timestamp === v4.observations.map(({ startTime }) => startTime).sort()[0]
  },
  {
    fields: ["metadata"],
    v3: "what was given for the trace",
    v4: "that and its last root's own; nothing if every observation has a parent",
    explains: ({ v4 }, field) => {
      const roots = v4.observations.filter(isRoot)
      return isServers(field) || roots.length === 0 || roots.some(({ metadata }) => keyOf(field) in metadata)
    }
  }
]

// ---------------------------------------------------------------------------------------------------------------------
// comparing
// ---------------------------------------------------------------------------------------------------------------------

/** Whether a text is empty or not there cannot be seen. */
const texts: ReadonlySet<string> = new Set(["name", "statusMessage", "version"])

const withMetadata = ({ metadata, ...row }: { readonly metadata: LangfuseServer.StoredTrace["metadata"] }) => ({
  ...row,
  ...Object.fromEntries(Object.entries(metadata).map(([key, value]) => [`metadata.${key}`, value]))
})

const observationOf = (
  { public: _1, isAppRoot: _2, release: _3, sessionId: _4, table: _5, tags: _6, traceName: _7, userId: _8, ...row }:
    Observation
) => withMetadata(row)

const traceOf = ({ observations: _1, scores: _2, ...row }: Trace) => withMetadata(row)

const compare = <Row extends { readonly id: string }>(
  seen: Seen<Row>,
  fieldsOf: (row: Row) => object,
  differences: ReadonlyArray<Difference<Row>>
): ReadonlyArray<string> => {
  const [v3, v4] = [fieldsOf(seen.v3), fieldsOf(seen.v4)]
  return [...new Set([...Object.keys(v3), ...Object.keys(v4)])].flatMap((field) => {
    const [left, right]: ReadonlyArray<unknown> = [Reflect.get(v3, field), Reflect.get(v4, field)]
    const isSame = isDeepStrictEqual(left, right) || (texts.has(field) && isNothing(left) && isNothing(right)) ||
      differences.some((difference) => isIn(difference, field) && difference.explains(seen, field))
    return isSame ? [] : [`${seen.v3.id}.${field}: ${JSON.stringify(left)} on v3, ${JSON.stringify(right)} on v4`]
  })
}

const isIn = ({ fields }: { readonly fields: ReadonlyArray<string> }, field: string): boolean =>
  fields.includes(field) || field.startsWith("metadata.") && fields.includes("metadata")

const withIds = (row: Observation): Observation => ({
  ...row,
  id: spanId(row.id),
  traceId: traceId(row.traceId),
  parentObservationId: row.parentObservationId && spanId(row.parentObservationId)
})

const scoreOf = ({ metadata, observationId, timestamp: _, traceId: trace, ...row }: LangfuseServer.StoredScore) => ({
  ...row,
  traceId: trace && traceId(trace),
  observationId: observationId && spanId(observationId),
  metadata: Object.fromEntries(Object.entries(metadata).filter(([key]) => !key.startsWith("original")))
})

/** One line for each difference that no table has. */
export const differences = (v3: Held, v4: Held, sent: ReadonlyArray<Event>): ReadonlyArray<string> => {
  const traceOn = ({ traces }: Held, id: string) => traces.find((each) => traceId(each.id) === id)
  const eventsOf = (id: string) => sent.filter(({ body }) => body.id === id)
  const roots = new Set(v4.traces.map(({ id }) => rootId(id)))
  const missing = v4.observations.filter(({ id }) =>
    !roots.has(id) && !v3.observations.some((each) => spanId(each.id) === id)
  )
  return [
    ...missing.map(({ id }) => `${id}: only on v4`),
    ...v3.observations.flatMap((row) => {
      const mine = withIds(row)
      const other = v4.observations.find(({ id }) => id === mine.id)
      if (other === undefined) return [`${row.id}: only on v3`]
      const trace = { v3: traceOn(v3, mine.traceId), v4: traceOn(v4, other.traceId) }
      return compare({ v3: mine, v4: other, trace, events: eventsOf(row.id) }, observationOf, ofObservations)
    }),
    ...v3.traces.flatMap((row) => {
      const mine = { ...row, id: traceId(row.id) }
      const other = traceOn(v4, mine.id)
      if (other === undefined) return [`trace ${row.id}: only on v3`]
      const trace = { v3: mine, v4: other }
      return compare({ v3: mine, v4: other, trace, events: eventsOf(row.id) }, traceOf, ofTraces)
    }),
    ...v3.scores.flatMap((row) => {
      const [left, right] = [row, v4.scores.find(({ id }) => id === row.id)].map((each) => each && scoreOf(each))
      return isDeepStrictEqual(left, right)
        ? []
        : [`score ${row.id}: ${JSON.stringify(left)} on v3, ${JSON.stringify(right)} on v4`]
    })
  ]
}

/** Rows of a table in docs/protocols.md. */
export const rowsOf = (
  differences: ReadonlyArray<{ readonly fields: ReadonlyArray<string>; readonly v3: string; readonly v4: string }>
): ReadonlyArray<string> =>
  differences.map(({ fields, v3, v4 }) => `| ${fields.map((field) => `\`${field}\``).join(", ")} | ${v3} | ${v4} |`)
