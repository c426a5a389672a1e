/**
 * An event as it was when it was enqueued, as JSON text.
 *
 * Agents go on changing the objects they traced, so an event that waits in a queue holds no reference to any of them. Each
 * content field has its own text: one value that cannot be serialised spoils only itself, the sizes are exact, and both
 * protocols are put together from texts that are already made.
 */
import type { IngestionEvent, TraceContext } from "../IngestionEvent.js"
import { assemble, Fields, fit, overhead } from "./cut.js"
import { type Limits, notes, quote, stringify, stringifyWithout } from "./json.js"
import { apply as applyMask, type Mask, type MaskField } from "./mask.js"
import { byteLength, heldBytes, toWellFormed } from "./utf8.js"

export type { Mask, MaskContext, MaskField } from "./mask.js"

/**
 * What is done to an event when it is enqueued.
 */
export interface Policy {
  readonly mask?: Mask | undefined
  /** `metadata`: inputs and outputs, the trace's too, are not even serialised. */
  readonly content: "full" | "metadata"
  /** Of the event's JSON on the ingestion wire, after masking. */
  readonly maxEventBytes: number
  readonly environment?: string | undefined
  readonly release?: string | undefined
  /** Called once for each field whose mask failed. */
  readonly onMaskFailure: () => void
}

/**
 * An `IngestionEvent` whose `body` and `trace` are parsed anew each time they are read, beside the texts they come from.
 */
export type Snapshot = IngestionEvent & {
  /** `body.id`. */
  readonly bodyId: string | undefined
  /** The trace this event is about: `body.id` of a trace, `body.traceId` of anything else. */
  readonly traceId: string | undefined
  /** JSON of an object: the body without its content fields, which follow. */
  readonly headText: string
  readonly inputText: string | undefined
  readonly outputText: string | undefined
  readonly metadataText: string | undefined
  readonly logText: string | undefined
  /** JSON of the trace context, at most `maxEventBytes` too. */
  readonly traceText: string | undefined
  /** The exact length of `json()` in UTF-8. */
  readonly bytes: number
  /** The memory the texts take, those of the trace context included. */
  readonly heldBytes: number
  /** The event on the ingestion wire: without `trace`, and without the envelope's `metadata`, which the server ignores. */
  json(): string
}

class Taken {
  readonly type: string
  readonly id: string
  readonly timestamp: string
  readonly bodyId: string | undefined
  readonly traceId: string | undefined
  readonly traceText: string | undefined
  readonly bytes: number
  readonly heldBytes: number
  /** The JSON text of the event up to its body. */
  private readonly opening: string
  /** A body that is no object has none, and is sent as null, so that the server says what is wrong with the event. */
  private readonly fields: Fields | undefined

  constructor(
    envelope: Envelope,
    bodyId: string | undefined,
    traceId: string | undefined,
    body: Measured | undefined,
    trace: Measured | undefined
  ) {
    this.type = envelope.type
    this.id = envelope.id
    this.timestamp = envelope.timestamp
    this.opening = envelope.opening
    this.bodyId = bodyId
    this.traceId = traceId
    this.fields = body?.fields
    this.traceText = trace === undefined ? undefined : assemble(trace.fields)
    this.bytes = envelope.bytes + (body === undefined ? "null".length : body.bytes)
    this.heldBytes = envelope.bytes + (body === undefined ? "null".length : body.heldBytes) +
      (trace === undefined ? 0 : trace.heldBytes)
  }

  get headText(): string {
    return this.fields === undefined ? "{}" : this.fields.head
  }

  get inputText(): string | undefined {
    return this.fields?.input
  }

  get outputText(): string | undefined {
    return this.fields?.output
  }

  get metadataText(): string | undefined {
    return this.fields?.metadata
  }

  get logText(): string | undefined {
    return this.fields?.log
  }

  get body(): unknown {
    return JSON.parse(this.bodyText())
  }

  get trace(): TraceContext | undefined {
    // What was serialised was one, as far as the types tell.
    return this.traceText === undefined ? undefined : JSON.parse(this.traceText) as TraceContext
  }

  json(): string {
    return `${this.opening}${this.bodyText()}}`
  }

  /** For `JSON.stringify`: the event, not our texts. */
  toJSON(): unknown {
    const { body, id, timestamp, trace, type } = this
    return trace === undefined ? { type, id, timestamp, body } : { type, id, timestamp, body, trace }
  }

  private bodyText(): string {
    return this.fields === undefined ? "null" : assemble(this.fields)
  }
}

/**
 * Takes the snapshot. Never throws, whatever is in the event, or instead of one.
 */
export const make = (policy: Policy): (event: IngestionEvent) => Snapshot => {
  const settings: Settings = {
    ...policy,
    // No value takes less than two bytes, so more of them than this could not be sent anyway.
    limits: { maxNodes: Math.max(1000, Math.min(2_000_000, policy.maxEventBytes / 2)) },
    onMaskFailure: () => {
      try {
        policy.onMaskFailure()
      } catch {
        // The count is lost, the event is not.
      }
    }
  }
  return (event) => {
    let taken: Taken
    try {
      taken = capture(settings, event as unknown as Record<string, unknown>) // nothing about it is taken for granted
    } catch {
      taken = new Taken(new Envelope("", "", ""), undefined, undefined, undefined, undefined)
    }
    return toSnapshot(taken)
  }
}

/** `body` is one of the union's, but only `type` at run time says which: something TypeScript cannot follow through text. */
const toSnapshot = (taken: Taken): Snapshot => taken as unknown as Snapshot

/**
 * Whether the event was made here.
 */
export const isSnapshot = (event: IngestionEvent): event is Snapshot => {
  try {
    return (event as unknown) instanceof Taken
  } catch {
    return false
  }
}

const asItIs = make({ content: "full", maxEventBytes: Infinity, onMaskFailure: () => {} })

/**
 * The event itself when it is a snapshot, else one of it as it is: for transports that are handed plain events.
 */
export const of = (event: IngestionEvent): Snapshot => isSnapshot(event) ? event : asItIs(event)

/**
 * The event as the plain object it is on the wire, with its trace context beside it.
 */
export const plain = (event: IngestionEvent): IngestionEvent => {
  const { body, id, timestamp, trace, type } = of(event)
  // The members come from one event of the union, but TypeScript no longer knows that they go together.
  return (trace === undefined ? { type, id, timestamp, body } : { type, id, timestamp, body, trace }) as IngestionEvent
}

// ---------------------------------------------------------------------------------------------------------------------

interface Settings extends Policy {
  readonly limits: Limits
}

const capture = (policy: Settings, event: Record<string, unknown>): Taken => {
  const envelope = new Envelope(textOf(event["type"]), textOf(event["id"]), textOf(event["timestamp"]))
  const type = envelope.type
  let parts = split(policy, event["body"])
  // Langfuse answers 201 to these when they have no id of their own, and then does not store them. The event's id is
  // as good as a new one, and stays the same when the event is sent again.
  if (parts !== undefined && (type === "trace-create" || type === "score-create") && !parts.head["id"]) {
    parts = splitCopy(event["body"])
    if (parts?.copy !== undefined) parts.copy["id"] = envelope.id
  }
  const bodyId = idOf(parts?.head["id"])
  const traceId = type === "trace-create" ? bodyId : idOf(parts?.head["traceId"])
  const body = parts && textsOf(policy, parts, type, traceId, {
    environment: type !== "sdk-log" && !type.startsWith("observation-") ? policy.environment : undefined,
    release: type === "trace-create" ? policy.release : undefined
  }, policy.maxEventBytes - envelope.bytes)
  const context = split(policy, event["trace"])
  const trace = context && textsOf(policy, context, type, traceId, policy, policy.maxEventBytes)
  return new Taken(envelope, bodyId, traceId, body, trace)
}

class Envelope {
  readonly type: string
  readonly id: string
  readonly timestamp: string
  readonly opening: string
  /** Of all but the body. */
  readonly bytes: number

  constructor(type: string, id: string, timestamp: string) {
    this.type = type
    this.id = id
    this.timestamp = timestamp
    this.opening = `{"id":${quote(id)},"type":${quote(type)},"timestamp":${quote(timestamp)},"body":`
    this.bytes = byteLength(this.opening) + "}".length
  }
}

/** The envelope's fields are strings; from untyped code they may be anything, and the server then says so. */
const textOf = (value: unknown): string => {
  if (typeof value === "string") return toWellFormed(value)
  if (value === undefined || value === null) return ""
  const json = stringify(value)
  return json.startsWith("\"") ? JSON.parse(json) as string : json
}

const idOf = (value: unknown): string | undefined => typeof value === "string" ? toWellFormed(value) : undefined

class Parts {
  readonly input: unknown
  readonly output: unknown
  readonly metadata: unknown
  readonly log: unknown
  /** What the object says of everything, which may be the caller's own and is only read. */
  readonly head: Readonly<Record<string, unknown>>
  /** The JSON text of all but the contents; or a copy of it that is ours to change. */
  readonly headText: string | undefined
  readonly copy: Record<string, unknown> | undefined

  constructor(
    contents: Readonly<Record<string, unknown>>,
    head: Readonly<Record<string, unknown>>,
    headText: string | undefined,
    copy: Record<string, unknown> | undefined
  ) {
    this.input = contents["input"]
    this.output = contents["output"]
    this.metadata = contents["metadata"]
    this.log = contents["log"]
    this.head = head
    this.headText = headText
    this.copy = copy
  }
}

const contentFields: ReadonlySet<string> = new Set(["input", "output", "metadata", "log"])

/** Without a copy where there is nothing to change: of nearly all bodies the head can be written as it is. */
const split = (policy: Settings, value: unknown): Parts | undefined => {
  if (policy.mask === undefined && typeof value === "object" && value !== null) {
    try {
      const own = value as Record<string, unknown> // an object, by the check above
      // A null there is replaced.
      const headText = Array.isArray(value) || own["environment"] === null
        ? undefined
        : stringifyWithout(own, contentFields, policy.limits)
      if (headText !== undefined) return new Parts(own, own, headText, undefined)
    } catch {
      // A getter threw: each property on its own, then.
    }
  }
  return splitCopy(value)
}

const splitCopy = (value: unknown): Parts | undefined => {
  if (typeof value !== "object" || value === null) return undefined
  try {
    return Array.isArray(value) ? undefined : partsOf(value as Record<string, unknown>) // an object, by the checks above
  } catch {
    // A getter threw: once more, each property on its own.
  }
  try {
    const copy = Object.create(null) as Record<string, unknown> // where even __proto__ is an ordinary key
    for (const key of Object.keys(value)) {
      try {
        copy[key] = (value as Record<string, unknown>)[key]
      } catch {
        copy[key] = notes.getter
      }
    }
    return partsOf(copy)
  } catch {
    return undefined
  }
}

const partsOf = ({ input, log, metadata, output, ...copy }: Record<string, unknown>): Parts =>
  new Parts({ input, log, metadata, output }, copy, undefined, copy)

/** What fills the field of that name where the event leaves it out. */
interface Defaults {
  readonly environment?: string | undefined
  readonly release?: string | undefined
}

/**
 * The texts of a body or a trace context, masked and cut. `undefined` when it cannot be an object.
 */
const textsOf = (
  policy: Settings,
  parts: Parts,
  type: string,
  traceId: string | undefined,
  { environment, release }: Defaults,
  limit: number
): Measured | undefined => {
  const { copy, head } = parts
  if (copy !== undefined) {
    // It would replace the head; what an object calls its own fields is what counts.
    if (typeof copy["toJSON"] === "function") copy["toJSON"] = undefined
    if (policy.mask !== undefined) maskHead(policy, policy.mask, copy, type, traceId)
  }
  let headText = parts.headText ?? stringify(head, policy.limits)
  if (!headText.startsWith("{")) return undefined
  // An explicit null clears a release; there is no such thing as no environment.
  if (environment !== undefined && (head["environment"] === undefined || head["environment"] === null)) {
    headText = withField(head, headText, "environment", environment)
  }
  if (release !== undefined && head["release"] === undefined) headText = withField(head, headText, "release", release)
  const isFull = policy.content === "full"
  const fields = new Fields(
    headText,
    isFull ? contentText(policy, "input", parts.input, type, traceId) : undefined,
    isFull ? contentText(policy, "output", parts.output, type, traceId) : undefined,
    contentText(policy, "metadata", parts.metadata, type, traceId),
    contentText(policy, "log", parts.log, type, traceId)
  )
  const measured = new Measured(fields)
  return measured.bytes <= limit ? measured : new Measured(fit(fields, limit, policy.maxEventBytes))
}

const withField = (
  head: Readonly<Record<string, unknown>>,
  headText: string,
  name: string,
  value: string
): string => {
  if (head[name] === null) return stringify({ ...head, [name]: value })
  const text = `"${name}":${quote(value)}}`
  return headText === "{}" ? `{${text}` : `${headText.slice(0, -1)},${text}`
}

/**
 * A field's value that is JSON text already: it becomes part of the body as it is, without being parsed and written
 * once more. Whoever makes one has checked the text.
 */
export class JsonText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** For whoever writes the event in another way. */
  toJSON(): unknown {
    return JSON.parse(this.text)
  }
}

const isJsonText = (value: unknown): value is JsonText => {
  try {
    return value instanceof JsonText
  } catch {
    return false
  }
}

const contentText = (
  policy: Settings,
  field: "input" | "output" | "metadata" | "log",
  value: unknown,
  type: string,
  traceId: string | undefined
): string | undefined => {
  if (value === undefined) return undefined
  const text = isJsonText(value) ? value.text : stringify(value, policy.limits)
  return policy.mask === undefined || text === "null"
    ? text
    : applyMask(policy.mask, text, { field, type, traceId }, policy.onMaskFailure)
}

class Measured {
  readonly fields: Fields
  /** Of the object's JSON in UTF-8. */
  bytes: number
  heldBytes: number

  constructor(fields: Fields) {
    this.fields = fields
    const headBytes = byteLength(fields.head)
    this.bytes = headBytes
    this.heldBytes = heldBytes(fields.head, headBytes)
    this.add("input", fields.input)
    this.add("output", fields.output)
    this.add("metadata", fields.metadata)
    this.add("log", fields.log)
    // There is no comma before the first field of all.
    if (headBytes === "{}".length && this.bytes > headBytes) {
      this.bytes -= 1
      this.heldBytes -= 1
    }
  }

  private add(name: string, text: string | undefined): void {
    if (text === undefined) return
    const size = byteLength(text)
    this.bytes += size + overhead(name)
    this.heldBytes += heldBytes(text, size) + overhead(name)
  }
}

// ---------------------------------------------------------------------------------------------------------------------

const maskedFields: ReadonlyMap<string, MaskField> = new Map([
  ["statusMessage", "statusMessage"],
  ["comment", "comment"],
  ["modelParameters", "modelParameters"]
])

/** What identifies or measures, and is not shown to the mask: see `MaskField`. */
const openFields: ReadonlySet<string> = new Set([
  "id",
  "type",
  "traceId",
  "parentObservationId",
  "observationId",
  "sessionId",
  "userId",
  "externalId",
  "datasetRunId",
  "configId",
  "queueId",
  "executionTraceId",
  "timestamp",
  "startTime",
  "endTime",
  "completionStartTime",
  "name",
  "environment",
  "release",
  "version",
  "public",
  "tags",
  "level",
  "model",
  "promptName",
  "promptVersion",
  "usage",
  "usageDetails",
  "costDetails",
  "dataType",
  "source",
  "isAppRoot"
])

const openKinds: ReadonlySet<unknown> = new Set([undefined, null, "NUMERIC", "BOOLEAN", "CATEGORICAL"])

const maskHead = (
  policy: Settings,
  mask: Mask,
  head: Record<string, unknown>,
  type: string,
  traceId: string | undefined
): void => {
  for (const key of Object.keys(head)) {
    if (openFields.has(key)) continue
    const value = head[key]
    if (value === undefined || value === null) continue
    // A measure or a category is not text; a string of another kind of score is.
    const isValue = key === "value" && type === "score-create"
    if (isValue && (typeof value === "number" || typeof value === "boolean" || openKinds.has(head["dataType"]))) {
      continue
    }
    const field = isValue ? "value" : maskedFields.get(key) ?? "metadata"
    const text = stringify(value, policy.limits)
    const masked = applyMask(mask, text, { field, type, traceId }, policy.onMaskFailure)
    const replaced: unknown = masked === undefined ? undefined : JSON.parse(masked)
    // Not by assignment, for which __proto__ is no ordinary key.
    Object.defineProperty(head, key, { value: replaced, enumerable: true, configurable: true, writable: true })
  }
}
