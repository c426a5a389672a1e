/**
 * Spans as they are read from an OTLP trace export: first the check that refuses an export as a whole, then the
 * decoding that happens after the answer, where anything unreadable makes the whole export disappear.
 */
import { isRecord, type Json } from "./validation.js"

export interface SpanEvent {
  readonly name: unknown
  /** Read only when somebody asks, as an unreadable attribute loses the export only then. */
  readonly attributes: () => Json
}

export interface Span {
  readonly traceId: string
  readonly id: string
  /** Empty for a root. */
  readonly parentId: string
  readonly name: unknown
  /** Epoch milliseconds. */
  readonly start: number
  readonly end: number
  readonly attributes: Json
  readonly events: ReadonlyArray<SpanEvent>
  readonly statusCode: unknown
  readonly statusMessage: unknown
  readonly resource: Json
  readonly scope: { readonly name: string; readonly version: string | undefined; readonly attributes: Json }
}

type Bytes = Uint8Array | ReadonlyArray<number>

const bytesOf = (value: unknown): Bytes | undefined => {
  if (value instanceof Uint8Array) return value
  const list = isRecord(value) && value["type"] === "Buffer" ? value["data"] : value
  return Array.isArray(list) && list.every((byte) => Number.isInteger(byte)) ? list : undefined
}

/** Texts are taken word for word, bytes become lower case hex whatever their number. */
const readId = (value: unknown): string =>
  typeof value === "string"
    ? value
    : Array.from(bytesOf(value) ?? [], (byte) => (byte & 0xff).toString(16).padStart(2, "0")).join("")

const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null

const property = (value: unknown, key: string): unknown => isRecord(value) ? value[key] : undefined

const elements = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []

const notAnArray = (owner: unknown, ...collections: ReadonlyArray<string>): ReadonlyArray<string> =>
  collections.flatMap((collection) => {
    const value = property(owner, collection)
    return isAbsent(value) || Array.isArray(value) ? [] : [`${collection}:not_an_array`]
  })

const idProblem = (span: unknown, field: string): ReadonlyArray<string> => {
  const id = property(span, field)
  if (isAbsent(id)) return [`${field}:absent`]
  return typeof id === "string" || bytesOf(id) !== undefined ? [] : [`${field}:not_an_id`]
}

const spanProblems = (span: unknown): ReadonlyArray<string> => [
  ...idProblem(span, "traceId"),
  ...idProblem(span, "spanId"),
  ...(property(span, "parentSpanId") ? idProblem(span, "parentSpanId") : []),
  ...notAnArray(span, "attributes", "events"),
  ...elements(property(span, "events")).flatMap((event) => notAnArray(event, "attributes"))
]

/** Why the whole export is refused, `undefined` when it is not. */
export const problemOf = (resourceSpans: ReadonlyArray<unknown>): string | undefined => {
  const reasons = new Set<string>()
  let total = 0
  let bad = 0
  for (const group of resourceSpans) {
    const ofGroup = [...notAnArray(property(group, "resource"), "attributes"), ...notAnArray(group, "scopeSpans")]
    for (const reason of ofGroup) reasons.add(reason)
    for (const scoped of elements(property(group, "scopeSpans"))) {
      const ofScope = [...notAnArray(property(scoped, "scope"), "attributes"), ...notAnArray(scoped, "spans")]
      for (const reason of ofScope) reasons.add(reason)
      for (const span of elements(property(scoped, "spans"))) {
        const ofSpan = spanProblems(span)
        for (const reason of ofSpan) reasons.add(reason)
        total++
        if (ofGroup.length + ofScope.length + ofSpan.length > 0) bad++
      }
    }
  }
  return reasons.size === 0
    ? undefined
    : `Invalid OTLP trace export: ${bad} of ${total} span(s) cannot be processed (${[...reasons].join(", ")}). ` +
      "No span of this export was ingested."
}

/** An export that was accepted and cannot be converted. */
export class LostExport extends Error {
  readonly spanId: string | undefined
  constructor(reason: string, spanId?: string) {
    super(reason)
    this.spanId = spanId
  }
}

const bytesAsBuffer = (_: string, value: unknown): unknown =>
  value instanceof Uint8Array ? { type: "Buffer", data: [...value] } : value

/** What has no plain value, empty lists of protobuf among it, is stored as the JSON text of its wrapper. */
const wrapper = (value: unknown): string => JSON.stringify(value, bytesAsBuffer)

const longOf = (value: unknown): number | undefined => {
  if (typeof value === "number") return value
  if (typeof value === "string") return Number(value)
  const [low, high] = [property(value, "low"), property(value, "high")]
  return typeof low === "number" && typeof high === "number" ? high * 2 ** 32 + (low >>> 0) : undefined
}

const readValue = (value: unknown): unknown => {
  if (isAbsent(value)) throw new LostExport("an element of a list has no value")
  const has = (key: string) => !isAbsent(property(value, key))
  if (has("stringValue")) return property(value, "stringValue")
  if (has("boolValue")) return property(value, "boolValue")
  if (has("intValue")) return longOf(property(value, "intValue")) ?? wrapper(value)
  if (has("doubleValue")) {
    const double = property(value, "doubleValue")
    return typeof double === "string" && Number.isFinite(Number(double)) ? Number(double) : double
  }
  const values = property(property(value, "arrayValue"), "values")
  return Array.isArray(values) ? values.map(readValue) : wrapper(value)
}

const readAttributes = (list: unknown): Json =>
  Object.fromEntries(
    elements(list).map((entry) => {
      const key = String(property(entry, "key"))
      const value = property(entry, "value")
      if (isAbsent(value)) throw new LostExport(`the attribute ${key} has no value`)
      return [key, readValue(value)]
    })
  )

/** The last instant a `Date` can hold. */
const lastInstant = 8.64e15

const milliseconds = (nanoseconds: unknown): number | undefined => {
  if (isAbsent(nanoseconds) || nanoseconds === 0 || nanoseconds === "") return undefined
  const read = typeof nanoseconds === "string"
    ? (/^-?\d+$/.test(nanoseconds) ? Number(BigInt(nanoseconds) / 1_000_000n) : Number.NaN)
    : Math.trunc((longOf(nanoseconds) ?? Number.NaN) / 1_000_000)
  if (!(Math.abs(read) <= lastInstant)) throw new LostExport("a time is no time")
  return read
}

const textOf = (value: unknown): string | undefined => typeof value === "string" ? value : undefined

const readSpan = (span: unknown, resource: Json, scope: Span["scope"], now: number): Span => {
  const start = milliseconds(property(span, "startTimeUnixNano"))
  const end = milliseconds(property(span, "endTimeUnixNano"))
  return {
    traceId: readId(property(span, "traceId")),
    id: readId(property(span, "spanId")),
    parentId: readId(property(span, "parentSpanId")),
    name: property(span, "name"),
    start: start ?? end ?? now,
    end: end ?? start ?? now,
    attributes: readAttributes(property(span, "attributes")),
    events: elements(property(span, "events")).map((event) => ({
      name: property(event, "name"),
      attributes: () => readAttributes(property(event, "attributes"))
    })),
    statusCode: property(property(span, "status"), "code"),
    statusMessage: property(property(span, "status"), "message"),
    resource,
    scope
  }
}

/** All spans of an export that passed the check. Throws `LostExport` when one of them cannot be read. */
export const readSpans = (resourceSpans: ReadonlyArray<unknown>, now: number): ReadonlyArray<Span> =>
  resourceSpans.flatMap((group) => {
    const resource = readAttributes(property(property(group, "resource"), "attributes"))
    return elements(property(group, "scopeSpans")).flatMap((scoped) => {
      const scope = property(scoped, "scope")
      const read = {
        name: textOf(property(scope, "name")) ?? "",
        version: textOf(property(scope, "version")),
        attributes: readAttributes(property(scope, "attributes"))
      }
      return elements(property(scoped, "spans")).map((span) => {
        try {
          return readSpan(span, resource, read, now)
        } catch (cause) {
          throw cause instanceof LostExport
            ? new LostExport(cause.message, readId(property(span, "spanId")))
            : cause
        }
      })
    })
  })

/** Span ids of an export, as far as they can be seen, for the record of requests. */
export const spanIds = (body: unknown): ReadonlyArray<string> =>
  elements(property(body, "resourceSpans")).flatMap((group) =>
    elements(property(group, "scopeSpans")).flatMap((scoped) =>
      elements(property(scoped, "spans")).flatMap((span) => {
        const id = property(span, "spanId")
        return isAbsent(id) ? [] : [readId(id)]
      })
    )
  )
