/**
 * What the events of one observation, or of one trace, amount to: the rules by which Langfuse v3 merges them.
 *
 * The first event decides on start time and environment for good. Otherwise the last one wins: an absent field keeps what
 * was there, `null` clears it where Langfuse lets it, metadata is merged key by key, and the type is that of the last event.
 */
import { bytesOfItem } from "../item/complete.js"
import { Content, type Metadata, type Observation, Trace, TraceFields } from "../item/item.js"
import { isFields } from "../item/object.js"

/** Objects by key, lists by index. A map in between, since a key may be `__proto__`. */
const deepMerge = (older: unknown, newer: unknown): unknown => {
  if (Array.isArray(older) && Array.isArray(newer)) {
    return [
      ...newer.map((value, index) => index < older.length ? deepMerge(older[index], value) : value),
      ...older.slice(newer.length)
    ]
  }
  if (!isFields(older) || !isFields(newer)) return newer
  const merged = new Map(Object.entries(older))
  for (const [key, value] of Object.entries(newer)) merged.set(key, deepMerge(merged.get(key), value))
  return Object.fromEntries(merged)
}

const isNested = ({ isJson, text }: Content): boolean =>
  isJson && (text.charCodeAt(0) === 0x7b || text.charCodeAt(0) === 0x5b)

const mergeContent = (older: Content | undefined, newer: Content): Content =>
  older !== undefined && isNested(older) && isNested(newer)
    ? new Content(JSON.stringify(deepMerge(JSON.parse(older.text), JSON.parse(newer.text))), true)
    : newer

const mergeMetadata = (older: Metadata | undefined, newer: Metadata | undefined): Metadata | undefined => {
  if (older === undefined || newer === undefined) return newer ?? older
  const merged = new Map(older)
  for (const [key, value] of newer) merged.set(key, mergeContent(merged.get(key), value))
  return merged
}

/** Puts a later event into an earlier one of the same observation. */
export const mergeObservation = (into: Observation, later: Observation): void => {
  into.op = into.op === "create" ? "create" : later.op
  into.type = later.type
  into.traceId ??= later.traceId
  into.start ??= later.start
  into.environment ??= later.environment
  if (later.name !== undefined) into.name = later.name
  if (later.level !== undefined) into.level = later.level
  if (later.model !== undefined) into.model = later.model
  into.parentId = later.parentId ?? into.parentId
  into.statusMessage = later.statusMessage ?? into.statusMessage
  into.version = later.version ?? into.version
  into.end = later.end ?? into.end
  into.completionStart = later.completionStart ?? into.completionStart
  into.input = later.input ?? into.input
  into.output = later.output ?? into.output
  into.parameters = later.parameters ?? into.parameters
  into.usage = later.usage ?? into.usage
  into.cost = later.cost ?? into.cost
  into.promptName = later.promptName ?? into.promptName
  into.promptVersion = later.promptVersion ?? into.promptVersion
  into.metadata = mergeMetadata(into.metadata, later.metadata)
  into.context = into.context === undefined || later.context === undefined
    ? later.context ?? into.context
    : overlay(into.context, later.context)
  into.extra += later.extra
  into.bytes = bytesOfItem(into)
}

/** What a later event says of the trace, and of the rest what was said before. */
export const overlay = (older: TraceFields, newer: TraceFields): TraceFields => {
  const fields = mergeFields(older, newer)
  fields.isPublic = newer.isPublic ?? older.isPublic
  fields.environment = newer.environment ?? older.environment
  fields.isAppRoot = older.isAppRoot || newer.isAppRoot
  return fields
}

/** As Langfuse merges two `trace-create`s: tags come together, and one that does not say so makes the trace private. */
const mergeFields = (older: TraceFields, newer: TraceFields): TraceFields => {
  const fields = new TraceFields()
  fields.name = newer.name === undefined ? older.name : newer.name
  fields.userId = newer.userId === undefined ? older.userId : newer.userId
  fields.sessionId = newer.sessionId === undefined ? older.sessionId : newer.sessionId
  fields.release = newer.release === undefined ? older.release : newer.release
  fields.version = newer.version === undefined ? older.version : newer.version
  fields.environment = older.environment ?? newer.environment
  fields.tags = older.tags === undefined || newer.tags === undefined
    ? newer.tags ?? older.tags
    : [...new Set([...older.tags, ...newer.tags])].sort()
  fields.isPublic = newer.isPublic
  fields.metadata = mergeMetadata(older.metadata, newer.metadata)
  fields.input = newer.input ?? older.input
  fields.output = newer.output ?? older.output
  fields.start = older.start ?? newer.start
  return fields
}

/** A trace with what a later `trace-create` says. The first one keeps its event's id and time. */
export const mergeTrace = (older: Trace, newer: Trace): Trace => {
  const trace = new Trace(older.eventId, older.at, older.id)
  trace.fields = mergeFields(older.fields, newer.fields)
  trace.extra = older.extra + newer.extra
  trace.bytes = bytesOfItem(trace)
  return trace
}
