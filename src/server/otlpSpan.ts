/**
 * Spans as they are read from an export after the answer was given. Anything unreadable makes the whole export
 * disappear.
 */
import type { Dialect } from "./dialect.js"
import { isAbsent, isRecord, type Json } from "./json.js"
import { elements, isId, property } from "./otlpCheck.js"

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
  readonly events: ReadonlyArray<unknown>
  readonly statusCode: unknown
  readonly statusMessage: unknown
  readonly resource: Json
  /** The scope as it was sent, and its attributes. */
  readonly scope: Json
  readonly scopeAttributes: Json
  readonly dialect: Dialect
}

/** An export that was accepted and cannot be converted. */
export class LostExport extends Error {
  readonly spanId: string | undefined
  constructor(reason: string, spanId?: string) {
    super(reason)
    this.spanId = spanId
  }
}

/** Texts are taken word for word, bytes become lower case hex whatever their number. */
const readId = (value: unknown): string => {
  if (typeof value === "string") return value
  if (!isId(value)) throw new LostExport("an id is none")
  const bytes = value instanceof Uint8Array ? value : Array.isArray(value) ? value : property(value, "data")
  return Array.from(
    bytes instanceof Uint8Array ? bytes : elements(bytes),
    (byte) => (Number(byte) & 0xff).toString(16).padStart(2, "0")
  ).join("")
}

const bytesAsBuffer = (_: string, value: unknown): unknown =>
  value instanceof Uint8Array ? { type: "Buffer", data: [...value] } : value

/** What has no plain value, empty lists of protobuf among it, is stored as the JSON text of its wrapper. */
const wrapper = (value: unknown): string => JSON.stringify(value, bytesAsBuffer)

const integerOf = (value: unknown): number | undefined => {
  if (typeof value === "number") return value
  if (typeof value === "string") return Number.isNaN(Number(value)) ? undefined : Number(value)
  const [low, high] = [property(value, "low"), property(value, "high")]
  if (typeof high !== "number" || typeof low !== "number") return undefined
  return high === 0 ? low : high === -1 && low === -1 ? -1 : high * 2 ** 32 + low
}

const readValue = (value: unknown): unknown => {
  if (isAbsent(value)) throw new LostExport("an attribute or an element of a list has no value")
  const field = (key: string) => property(value, key)
  if (field("stringValue") !== undefined) return field("stringValue")
  const double = field("doubleValue")
  if (double !== undefined) {
    return typeof double === "string" && Number.isFinite(Number(double)) ? Number(double) : double
  }
  if (field("boolValue") !== undefined) return field("boolValue")
  const values = property(field("arrayValue"), "values")
  if (values !== undefined) {
    if (!Array.isArray(values)) throw new LostExport("the values of a list are none")
    return values.map(readValue)
  }
  return integerOf(field("intValue")) ?? wrapper(value)
}

/** A list of keys and values as an object. */
export const readAttributes = (list: unknown): Json => {
  if (isAbsent(list)) return {}
  if (!Array.isArray(list)) throw new LostExport("attributes are no list")
  return Object.fromEntries(
    list.flatMap((entry) => {
      if (isAbsent(entry)) throw new LostExport("an attribute is null")
      const key = String(property(entry, "key"))
      const value = readValue(property(entry, "value"))
      return key === "__proto__" ? [] : [[key, value]]
    })
  )
}

const inRange = (milliseconds: number): number | undefined =>
  Math.abs(milliseconds) <= 8.64e15 ? Math.trunc(milliseconds) : undefined

const nanosecondsIn = (text: string): bigint | undefined => {
  try {
    return BigInt(text)
  } catch {
    return undefined
  }
}

/** A time that cannot be read is none. */
const milliseconds = (time: unknown): number | undefined => {
  if (typeof time === "number") return inRange(time / 1e6)
  const [low, high] = [property(time, "low"), property(time, "high")]
  const nanoseconds = typeof time === "string"
    ? (time.trim() === "" ? undefined : nanosecondsIn(time))
    : Number.isInteger(low) && Number.isInteger(high)
    ? (BigInt(Number(high)) << 32n) | BigInt(Number(low) >>> 0)
    : undefined
  return nanoseconds === undefined ? undefined : inRange(Number(nanoseconds / 1_000_000n))
}

type Surroundings = Pick<Span, "resource" | "scope" | "scopeAttributes" | "dialect">

const readSpan = (span: unknown, around: Surroundings, now: number): Span => {
  const start = milliseconds(property(span, "startTimeUnixNano"))
  const end = milliseconds(property(span, "endTimeUnixNano"))
  const parent = property(span, "parentSpanId")
  const events = property(span, "events")
  const id = readId(property(span, "spanId"))
  try {
    if (!isAbsent(events) && !Array.isArray(events)) throw new LostExport("events are no list")
    return {
      ...around,
      id,
      traceId: readId(property(span, "traceId")),
      parentId: parent ? readId(parent) : "",
      name: property(span, "name"),
      start: start ?? end ?? now,
      end: end ?? start ?? now,
      attributes: readAttributes(property(span, "attributes")),
      events: elements(events),
      statusCode: property(property(span, "status"), "code"),
      statusMessage: property(property(span, "status"), "message")
    }
  } catch (cause) {
    throw cause instanceof LostExport ? new LostExport(cause.message, id) : cause
  }
}

const listOf = (owner: unknown, key: string): ReadonlyArray<unknown> => {
  const value = property(owner, key)
  if (!isAbsent(value) && typeof value !== "string" && !Array.isArray(value)) {
    throw new LostExport(`${key} is no list`)
  }
  // A text is a list of its letters, none of which is anything.
  return typeof value === "string" ? [...value] : elements(value)
}

/** All spans of an export. Throws `LostExport` when one of them cannot be read. */
export const readSpans = (
  resourceSpans: ReadonlyArray<unknown>,
  options: { readonly now: number; readonly dialect: Dialect }
): ReadonlyArray<Span> =>
  resourceSpans.filter(Boolean).flatMap((group) => {
    const resource = readAttributes(property(property(group, "resource"), "attributes"))
    return listOf(group, "scopeSpans").flatMap((scoped) => {
      const scope = property(scoped, "scope")
      const name = property(scope, "name")
      if (!isAbsent(name) && typeof name !== "string") throw new LostExport("the name of a scope is no text")
      const around = {
        resource,
        scope: isRecord(scope) ? scope : {},
        scopeAttributes: readAttributes(property(scope, "attributes")),
        dialect: options.dialect
      }
      return listOf(scoped, "spans").map((span) => readSpan(span, around, options.now))
    })
  })

/** Span ids of an export, as far as they can be seen, for the record of requests. */
export const spanIds = (body: unknown): ReadonlyArray<string> =>
  elements(property(body, "resourceSpans")).flatMap((group) =>
    elements(property(group, "scopeSpans")).flatMap((scoped) =>
      elements(property(scoped, "spans")).flatMap((span) => {
        const id = property(span, "spanId")
        return isId(id) ? [readId(id)] : []
      })
    )
  )
