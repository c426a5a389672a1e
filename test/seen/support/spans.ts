/** Recorded spans of other instrumentations, as they would end in a program of ours. */
import type { EndedSpan, SpanEvent } from "../../../src/core/item/span.js"
import type { Case } from "../../recorded/cases.js"

type Json = { readonly [key: string]: unknown }

interface Attribute {
  readonly key: string
  readonly value: Json
}

interface RecordedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: ReadonlyArray<Attribute>
  readonly status?: { readonly code?: number; readonly message?: string }
  readonly events?: ReadonlyArray<
    { readonly name: string; readonly timeUnixNano?: string; readonly attributes?: ReadonlyArray<Attribute> }
  >
}

export interface Group {
  readonly scope: string
  readonly resource: Json
  readonly spans: ReadonlyArray<RecordedSpan>
}

const valueOf = (value: Json | null): unknown => {
  if (value === null) return null
  if ("intValue" in value) return Number(value["intValue"])
  if ("arrayValue" in value) {
    const { values } = value["arrayValue"] as { readonly values?: ReadonlyArray<Json> }
    return (values ?? []).map(valueOf)
  }
  if ("kvlistValue" in value) {
    const { values } = value["kvlistValue"] as { readonly values?: ReadonlyArray<Attribute> }
    return attributesOf(values)
  }
  return value["stringValue"] ?? value["boolValue"] ?? value["doubleValue"] ?? undefined
}

const attributesOf = (attributes: ReadonlyArray<Attribute> | undefined): Json =>
  Object.fromEntries((attributes ?? []).map(({ key, value }) => [key, valueOf(value)]))

const millis = (nanos: string | undefined): number => Number(nanos ?? 0) / 1e6

export const groupsOf = ({ request }: Case): ReadonlyArray<Group> => {
  const { resourceSpans } = request.body as {
    readonly resourceSpans: ReadonlyArray<{
      readonly resource?: { readonly attributes?: ReadonlyArray<Attribute> }
      readonly scopeSpans: ReadonlyArray<
        { readonly scope?: { readonly name?: string }; readonly spans: ReadonlyArray<RecordedSpan> }
      >
    }>
  }
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.map(({ scope, spans }) => ({
      scope: scope?.name ?? "",
      resource: attributesOf(resource?.attributes),
      spans
    }))
  )
}

export const endedOf = (span: RecordedSpan): EndedSpan => ({
  traceId: span.traceId,
  spanId: span.spanId,
  parentId: span.parentSpanId === "" ? undefined : span.parentSpanId,
  isAppRoot: false,
  name: span.name,
  kind: "internal",
  start: millis(span.startTimeUnixNano),
  end: millis(span.endTimeUnixNano),
  attributes: new Map(Object.entries(attributesOf(span.attributes))),
  events: (span.events ?? []).map(({ attributes, name, timeUnixNano }): SpanEvent => ({
    name,
    time: millis(timeUnixNano),
    attributes: attributesOf(attributes)
  })),
  links: [],
  leftOut: 0,
  json: undefined,
  status: span.status?.code === 2 ? { level: "ERROR", message: span.status.message ?? "" } : undefined
})
