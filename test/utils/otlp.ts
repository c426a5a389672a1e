/** Reading OTLP/JSON back, strictly, and events to make it from. */
import { assert } from "@effect/vitest"
import type { IngestionEvent } from "effect-langfuse"
import { createHash } from "node:crypto"
import { gunzipSync } from "node:zlib"
import type { TraceFacts } from "../../src/internal/otlp/facts.js"
import * as Facts from "../../src/internal/otlp/facts.js"

export type Value = string | number | boolean | ReadonlyArray<Value>

export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name?: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: { readonly [key: string]: Value }
  readonly status?: { readonly code: number; readonly message?: string }
}

type Json = { readonly [key: string]: unknown }

const record = (value: unknown): Json => {
  assert.isTrue(typeof value === "object" && value !== null && !Array.isArray(value), "an object")
  return value as Json // just checked
}

const list = (value: unknown): ReadonlyArray<unknown> => {
  assert.isArray(value)
  return value as ReadonlyArray<unknown> // just checked
}

/** Only the kinds of value that Langfuse stores as what they are. */
const readValue = (value: unknown): Value => {
  const entries = Object.entries(record(value))
  assert.strictEqual(entries.length, 1, "one kind of value")
  const [kind, content] = entries[0] ?? []
  switch (kind) {
    case "stringValue":
      assert.isString(content)
      return content as string // just checked
    case "boolValue":
      assert.isBoolean(content)
      return content as boolean // just checked
    case "intValue":
      assert.match(String(content), /^-?\d+$/)
      return Number(content)
    case "arrayValue": {
      const values = list(record(content)["values"])
      assert.isAbove(values.length, 0, "no empty list")
      return values.map(readValue)
    }
    default:
      return assert.fail(`a value of kind ${String(kind)}`)
  }
}

export const readSpan = (span: unknown): Span => {
  const raw = record(span)
  assert.match(String(raw["traceId"]), /^(?!0{32})[0-9a-f]{32}$/)
  assert.match(String(raw["spanId"]), /^(?!0{16})[0-9a-f]{16}$/)
  if ("parentSpanId" in raw) assert.match(String(raw["parentSpanId"]), /^(?!0{16})[0-9a-f]{16}$/)
  for (const time of ["startTimeUnixNano", "endTimeUnixNano"]) {
    assert.isString(raw[time])
    assert.match(String(raw[time]), /^[1-9]\d{0,19}$/)
  }
  assert.isTrue(
    BigInt(String(raw["startTimeUnixNano"])) <= BigInt(String(raw["endTimeUnixNano"])),
    "ends after it starts"
  )
  const attributes: Record<string, Value> = {}
  for (const attribute of list(raw["attributes"])) {
    const { key, value } = record(attribute)
    assert.isString(key)
    assert.notProperty(attributes, String(key), "an attribute is there once")
    attributes[String(key)] = readValue(value)
  }
  return { ...raw, attributes } as unknown as Span // checked field by field
}

/** Spans of a request's body. */
export const readSpans = (body: string): ReadonlyArray<Span> =>
  list(record(JSON.parse(body))["resourceSpans"]).flatMap((resource) =>
    list(record(resource)["scopeSpans"]).flatMap((scope) => list(record(scope)["spans"]).map(readSpan))
  )

export const gunzip = (bytes: Uint8Array): string => gunzipSync(bytes).toString("utf8")

const sha256 = (text: string) => createHash("sha256").update(text, "utf8").digest("hex")

export const traceIdFor = (text: string): string => sha256(text).slice(0, 32)

export const spanIdFor = (text: string): string => sha256(text).slice(0, 16)

export const locate = (event: IngestionEvent.IngestionEvent): Facts.Facts => Facts.read(event).locate(sha256)

export const located = (
  ...events: ReadonlyArray<IngestionEvent.IngestionEvent>
): ReadonlyArray<TraceFacts | Facts.ObservationFacts> =>
  events.map(locate).filter((facts) => facts._tag === "Trace" || facts._tag === "Observation")

/** A time that many milliseconds after noon. */
export const time = (millis: number): string => new Date(Date.UTC(2026, 10, 23, 12) + millis).toISOString()

export const nanos = (millis: number): string => `${Date.UTC(2026, 10, 23, 12) + millis}000000`

let events = 0

/** Any event at all, also one that no type allows. */
export const event = (
  type: string,
  body: object,
  options: { readonly at?: number; readonly id?: string; readonly trace?: object } = {}
): IngestionEvent.IngestionEvent =>
  ({
    type,
    id: options.id ?? `event-${events++}`,
    timestamp: time(options.at ?? 0),
    body,
    ...(options.trace === undefined ? {} : { trace: options.trace })
  }) as unknown as IngestionEvent.IngestionEvent // what untyped code may hand in
