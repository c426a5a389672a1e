/** Reads exports back, strictly, and makes events to fill them with. */
import { assert } from "@effect/vitest"
import type { IngestionEvent } from "effect-langfuse/IngestionEvent"
import { createHash } from "node:crypto"
import { gunzipSync } from "node:zlib"
import * as Export from "../core/wire/support/otlp.js"

export type Value = string | number | boolean | ReadonlyArray<string>

export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: { readonly [key: string]: Value }
  readonly status: { readonly code: number; readonly message: string } | undefined
}

const strictly = (span: Export.Span): Span => {
  assert.match(span.traceId, /^(?!0{32})[0-9a-f]{32}$/)
  assert.match(span.spanId, /^(?!0{16})[0-9a-f]{16}$/)
  if (span.parentSpanId !== undefined) assert.match(span.parentSpanId, /^(?!0{16})[0-9a-f]{16}$/)
  assert.isTrue(span.start <= span.end, "ends after it starts")
  for (const [key, value] of span.attributes) {
    if (Array.isArray(value)) assert.isAbove(value.length, 0, `no empty list: ${key}`)
  }
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    name: span.name,
    startTimeUnixNano: String(span.start),
    endTimeUnixNano: String(span.end),
    attributes: Object.fromEntries(span.attributes),
    status: span.status
  }
}

/** Spans of a request's body. */
export const readSpans = (body: Uint8Array): ReadonlyArray<Span> => Export.readExport(body).spans.map(strictly)

/** Of all requests to the OpenTelemetry endpoint. */
export const spansOf = (
  requests: ReadonlyArray<{ readonly url: string; readonly body: Uint8Array }>
): ReadonlyArray<Span> =>
  requests.filter(({ url }) => url.endsWith("/otel/v1/traces")).flatMap(({ body }) => readSpans(body))

export const gunzip = (bytes: Uint8Array): Uint8Array => gunzipSync(bytes)

const sha256 = (text: string) => createHash("sha256").update(text, "utf8").digest("hex")

export const traceIdFor = (text: string): string => sha256(text).slice(0, 32)

export const spanIdFor = (text: string): string => sha256(text).slice(0, 16)

/** A time that many milliseconds after noon. */
export const time = (millis: number): string => new Date(Date.UTC(2026, 10, 23, 12) + millis).toISOString()

export const nanos = (millis: number): string => `${Date.UTC(2026, 10, 23, 12) + millis}000000`

let events = 0

/** Any event at all, also one that no type allows. */
export const event = (
  type: string,
  body: object,
  options: { readonly at?: number; readonly id?: string; readonly trace?: object } = {}
): IngestionEvent =>
  ({
    type,
    id: options.id ?? `event-${events++}`,
    timestamp: time(options.at ?? 0),
    body,
    ...(options.trace === undefined ? {} : { trace: options.trace })
  }) as unknown as IngestionEvent // what untyped code may hand in
