/**
 * Observations and traces as spans of OTLP/JSON, with the attributes that Langfuse reads.
 *
 * Only what servers keep is written: no attribute without a value, no empty list, no map, no id of zeros. Contents are JSON
 * text already, and are put into the span as the texts they are.
 *
 * @see https://langfuse.com/integrations/native/opentelemetry
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
import { quote } from "../json.js"
import { sdkName, version } from "../version.js"
import type { JsonObject } from "./facts.js"
import type { Id } from "./ids.js"
import type { Observation, Trace } from "./merge.js"
import * as Time from "./time.js"
import type { Buckets } from "./usage.js"
import { missingTotal } from "./usage.js"

/** Where a span stands in its trace, and what it takes from there. */
export class Placement {
  /** What `trace-create` events say about the trace. */
  readonly trace: Trace | undefined
  /** The parent of an observation that names none, where the trace has a span of its own. */
  readonly rootId: string | undefined
  /** Whether this is the root that shows input and output of the trace. */
  readonly takesContent: boolean
  /** Why it is sent although it did not end. */
  readonly unfinished: string | undefined

  constructor(
    trace: Trace | undefined,
    rootId: string | undefined,
    takesContent: boolean,
    unfinished: string | undefined
  ) {
    this.trace = trace
    this.rootId = rootId
    this.takesContent = takesContent
    this.unfinished = unfinished
  }
}

// -------------------------------------------------------------------------------------
// the request
// -------------------------------------------------------------------------------------

/** The keys of Langfuse need no escape; what a program calls its metadata may. */
const attribute = (key: string, value: string): string => `{"key":"${key}","value":${value}}`

class Attributes {
  private text: string

  /** There is always one, so that a comma is before each of the others. `value` needs no escape. */
  constructor(key: string, value: string) {
    this.text = attribute(key, `{"stringValue":"${value}"}`)
  }

  private add(key: string, value: string): void {
    this.text += `,${attribute(key, value)}`
  }

  /** In one piece: most are texts, and an engine keeps the pieces of a text until it is read. */
  private addText(key: string, literal: string): void {
    this.text = `${this.text},{"key":"${key}","value":{"stringValue":${literal}}}`
  }

  /** A text that is not there or empty is left out: no server tells the two apart. */
  string(key: string, value: string | null | undefined): void {
    if (value !== undefined && value !== null && value !== "") this.addText(key, quote(value))
  }

  /** A JSON text. What it says is a text or is sent as one, so the literal of a text can stand as it is. */
  json(key: string, json: string | undefined): void {
    if (json !== undefined) this.addText(key, json.startsWith("\"") ? json : quote(json))
  }

  object(key: string, value: JsonObject | undefined): void {
    if (value === undefined) return
    const json = JSON.stringify(value)
    if (json !== "{}") this.json(key, json)
  }

  /** One attribute for each key, as the server does not look into nested ones. */
  entries(prefix: string, value: JsonObject | undefined, except?: JsonObject): void {
    if (value === undefined) return
    for (const key of Object.keys(value)) {
      if (except !== undefined && Object.hasOwn(except, key)) continue
      this.json(`${prefix}.${quote(key).slice(1, -1)}`, JSON.stringify(value[key]))
    }
  }

  int(key: string, value: number | undefined): void {
    if (value !== undefined) this.add(key, `{"intValue":"${value}"}`)
  }

  flag(key: string, value: boolean | undefined): void {
    if (value === true) this.add(key, "{\"boolValue\":true}")
  }

  strings(key: string, values: ReadonlyArray<string> | undefined): void {
    if (values === undefined || values.length === 0) return
    this.add(key, `{"arrayValue":{"values":[${values.map((value) => `{"stringValue":${quote(value)}}`).join(",")}]}}`)
  }

  toString(): string {
    return `[${this.text}]`
  }
}

const resource = (): string => {
  const attributes = new Attributes("telemetry.sdk.name", sdkName)
  attributes.string("telemetry.sdk.language", "javascript")
  attributes.string("telemetry.sdk.version", version)
  return `{"attributes":${attributes}}`
}

/** With another beginning of this name Langfuse would copy every attribute into the metadata as well. */
const scope = `{"name":"langfuse-sdk-effect","version":"${version}"}`

/** What stands before and after the spans of a request. */
export const frame: readonly [open: string, close: string] = [
  `{"resourceSpans":[{"resource":${resource()},"scopeSpans":[{"scope":${scope},"spans":[`,
  "]}]}]}"
]

// -------------------------------------------------------------------------------------
// spans
// -------------------------------------------------------------------------------------

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly name: string | null | undefined
  readonly start: Time.Nanos
  readonly end: Time.Nanos
  readonly attributes: Attributes
  /** The message of a failed span; empty when it has none. */
  readonly error: string | undefined
}

const internalKind = 1
const errorStatus = 2

const spanText = ({ attributes, end, error, name, parentSpanId, spanId, start, traceId }: Span): string =>
  `{"traceId":"${traceId}","spanId":"${spanId}",` +
  (parentSpanId === undefined ? "" : `"parentSpanId":"${parentSpanId}",`) +
  (name === undefined || name === null ? "" : `"name":${quote(name)},`) +
  `"kind":${internalKind},` +
  `"startTimeUnixNano":"${Time.toText(start)}","endTimeUnixNano":"${Time.toText(end)}","attributes":${attributes}` +
  (error === undefined
    ? ""
    : `,"status":{"code":${errorStatus}${error === "" ? "" : `,"message":${quote(error)}`}}`) +
  "}"

/** An observation as a span. */
export const observationSpan = (observation: Observation, placement: Placement): string => {
  const { context } = observation
  const { trace, unfinished } = placement
  const parentSpanId = observation.parentId?.sent ?? placement.rootId
  const isRoot = parentSpanId === undefined
  const level = unfinished !== undefined && observation.level !== "ERROR" ? "WARNING" : observation.level
  const message = observation.statusMessage || undefined
  const statusMessage = unfinished === undefined
    ? message
    : message === undefined
    ? unfinished
    : `${message} (${unfinished})`

  const attributes = new Attributes("langfuse.observation.type", observation.type)
  attributes.string("langfuse.observation.level", level)
  attributes.string("langfuse.observation.status_message", statusMessage)

  const hasContent = observation.input !== undefined || observation.output !== undefined
  const shown = hasContent ? observation : placement.takesContent ? trace : isRoot ? context : undefined
  attributes.json("langfuse.observation.input", shown?.input)
  attributes.json("langfuse.observation.output", shown?.output)
  if (isRoot && hasContent) {
    // Servers before v4 take these for the trace; on v4 the root's own are all there is.
    if (context?.input !== shown?.input) attributes.json("langfuse.trace.input", context?.input)
    if (context?.output !== shown?.output) attributes.json("langfuse.trace.output", context?.output)
  }

  attributes.string("langfuse.observation.model.name", observation.model)
  attributes.object("langfuse.observation.model.parameters", withoutNulls(observation.modelParameters))
  attributes.json("langfuse.observation.usage_details", totalled(observation.usage))
  attributes.json("langfuse.observation.cost_details", totalled(observation.cost))
  if (observation.completionStartTime !== undefined) {
    attributes.string("langfuse.observation.completion_start_time", Time.toIso(observation.completionStartTime))
  }
  attributes.string("langfuse.observation.prompt.name", observation.promptName)
  attributes.int("langfuse.observation.prompt.version", observation.promptVersion)

  attributes.entries("langfuse.observation.metadata", observation.metadata)
  attributes.entries(
    "langfuse.observation.metadata",
    originals({
      originalId: observation.id,
      originalTraceId: observation.traceId,
      originalParentObservationId: observation.parentId
    }),
    observation.metadata
  )

  attributes.string("langfuse.environment", observation.environment ?? context?.environment ?? trace?.environment)
  attributes.string("langfuse.release", context?.release ?? trace?.release)
  attributes.string("langfuse.version", observation.version ?? context?.version ?? trace?.version)
  attributes.string("langfuse.trace.name", context?.name ?? trace?.name)
  attributes.string("user.id", context?.userId ?? trace?.userId)
  attributes.string("session.id", context?.sessionId ?? trace?.sessionId)
  attributes.strings("langfuse.trace.tags", context?.tags ?? trace?.tags)
  attributes.flag("langfuse.trace.public", context?.isPublic ?? trace?.isPublic)
  // The server puts both kinds of metadata on the observation; what is said of the observation itself counts there.
  attributes.entries("langfuse.trace.metadata", context?.metadata ?? trace?.metadata, observation.metadata)
  attributes.flag("langfuse.internal.is_app_root", context?.isAppRoot)

  return spanText({
    traceId: observation.traceId.sent,
    spanId: observation.id.sent,
    parentSpanId,
    name: observation.name,
    start: observation.startTime,
    end: latest(observation.startTime, observation.endTime),
    attributes,
    error: level === "ERROR" ? statusMessage ?? "" : undefined
  })
}

/** The span that stands for the trace itself: its start never changes, so that one sent later replaces it. */
export const traceSpan = (trace: Trace): string => {
  const attributes = new Attributes("langfuse.observation.type", "span")
  attributes.json("langfuse.observation.input", trace.input)
  attributes.json("langfuse.observation.output", trace.output)
  attributes.entries("langfuse.observation.metadata", originals({ originalTraceId: trace.id }), trace.metadata)
  attributes.string("langfuse.environment", trace.environment)
  attributes.string("langfuse.release", trace.release)
  attributes.string("langfuse.version", trace.version)
  attributes.string("langfuse.trace.name", trace.name)
  attributes.string("user.id", trace.userId)
  attributes.string("session.id", trace.sessionId)
  attributes.strings("langfuse.trace.tags", trace.tags)
  attributes.flag("langfuse.trace.public", trace.isPublic)
  attributes.entries("langfuse.trace.metadata", trace.metadata)
  return spanText({
    traceId: trace.id.sent,
    spanId: trace.rootId,
    parentSpanId: undefined,
    name: trace.name || "trace",
    start: trace.timestamp,
    end: trace.timestamp,
    attributes,
    error: undefined
  })
}

/** The server would make the text "null" of them. */
const withoutNulls = (parameters: JsonObject | undefined): JsonObject | undefined =>
  parameters && Object.values(parameters).includes(null)
    ? Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== null))
    : parameters

/** As JSON, with a total: servers differ in what they make of its absence. */
const totalled = (buckets: Buckets | undefined): string | undefined => {
  if (buckets === undefined) return undefined
  const json = JSON.stringify(buckets)
  const total = missingTotal(buckets)
  if (total === undefined) return json
  return `${json.slice(0, -1)}${json === "{}" ? "" : ","}"total":${JSON.stringify(total)}}`
}

/** An end before the start is moved to the start. */
const latest = (start: Time.Nanos, end: Time.Nanos | undefined): Time.Nanos =>
  end === undefined || end < start ? start : end

/** Ids that had to be changed, as they were. */
const originals = (ids: { readonly [key: string]: Id | undefined }): JsonObject => {
  const changed: Record<string, unknown> = {}
  for (const key in ids) {
    const id = ids[key]
    if (id !== undefined && id.given !== id.sent) changed[key] = id.given
  }
  return changed
}
