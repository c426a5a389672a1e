/**
 * Spans on their way to the tables that came before v4: they become events of the batch endpoint, which are checked
 * like any others.
 */
import type { Event, EventOf } from "./events.js"
import { isRecord, type Json } from "./json.js"
import { contentOf, traceContentOf } from "./otlpContent.js"
import * as Fields from "./otlpFields.js"
import { ownMetadata, readFields } from "./otlpRows.js"
import type { Span } from "./otlpSpan.js"
import { moveTools } from "./tools.js"
import * as V from "./validation.js"

export interface Converted {
  readonly traces: ReadonlyArray<Event>
  readonly observations: ReadonlyArray<EventOf<"observation">>
  /** What did not pass the check, and is gone. */
  readonly dropped: ReadonlyArray<{ readonly id: string; readonly reason: string }>
}

const traceKeys = [
  "langfuse.trace.name",
  "langfuse.trace.input",
  "langfuse.trace.output",
  "langfuse.trace.metadata",
  "user.id",
  "session.id",
  "langfuse.trace.public",
  "langfuse.trace.tags",
  "langfuse.user.id",
  "langfuse.session.id",
  "langfuse.observation.metadata.langfuse_user_id",
  "langfuse.observation.metadata.langfuse_session_id",
  "langfuse.observation.metadata.langfuse_tags",
  "ai.telemetry.metadata.sessionId",
  "ai.telemetry.metadata.userId",
  "ai.telemetry.metadata.tags",
  "tag.tags"
]

const tellsOfTrace = (attributes: Json): boolean =>
  traceKeys.some((key) => Boolean(attributes[key])) ||
  Object.keys(attributes).some((key) => key.startsWith("langfuse.trace.metadata"))

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString()

type Body = { readonly [key: string]: unknown }

const firstSight = (span: Span): Body => ({
  id: span.traceId,
  timestamp: iso(span.start),
  environment: Fields.environmentOf(span)
})

const traceBody = (span: Span, isRoot: boolean): Body => {
  const { attributes, resource } = span
  const { input, output } = isRoot ? traceContentOf(span) : {
    input: attributes["langfuse.trace.input"],
    output: attributes["langfuse.trace.output"]
  }
  const { attributes: others, ...own } = ownMetadata(span)
  return {
    ...firstSight(span),
    name: attributes["langfuse.trace.name"] ?? (isRoot ? Fields.nameOf(span) : undefined),
    metadata: {
      ...Fields.metadataOf(resource, "trace"),
      ...Fields.metadataOf(attributes, "trace"),
      ...(isRoot ? Fields.metadataOf(attributes, "observation") : {}),
      ...(isRoot && others !== undefined ? { attributes: others } : {}),
      ...own
    },
    version: attributes["langfuse.version"] ?? resource["service.version"],
    release: attributes["langfuse.release"] ?? resource["langfuse.release"],
    userId: Fields.userIdOf(span),
    sessionId: Fields.sessionIdOf(span),
    public: Fields.publicOf(span),
    tags: Fields.tagsOf(span),
    input,
    output
  }
}

const observationBody = (span: Span) => {
  const fields = readFields(span)
  const { input, output } = contentOf(span)
  const moved = moveTools(input, {
    ...Fields.metadataOf(span.resource, "trace"),
    ...Fields.metadataOf(span.attributes, "observation"),
    ...ownMetadata(span)
  })
  return {
    type: fields.type,
    body: {
      id: span.id,
      traceId: span.traceId,
      parentObservationId: span.parentId === "" ? undefined : span.parentId,
      name: fields.name,
      startTime: iso(span.start),
      endTime: iso(span.end),
      environment: fields.environment,
      completionStartTime: fields.completionStart,
      metadata: moved.metadata,
      level: fields.level,
      statusMessage: fields.statusMessage,
      version: fields.version,
      modelParameters: fields.modelParameters,
      model: fields.model,
      promptName: fields.promptName,
      promptVersion: fields.promptVersion,
      usageDetails: fields.usage,
      costDetails: fields.cost,
      input: moved.input,
      output
    }
  }
}

const fullKeys = [
  "name",
  "metadata",
  "userId",
  "sessionId",
  "public",
  "tags",
  "version",
  "release",
  "input",
  "output"
]

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0) ||
  (isRecord(value) && Object.keys(value).length === 0)

/** Says of its trace only that it exists. */
const isShallow = (body: Body): boolean => fullKeys.every((key) => isEmpty(body[key]))

export const toEvents = (
  spans: ReadonlyArray<Span>,
  options: {
    readonly parser: V.Parser<Event>
    /** Whether an earlier export had spans of the trace. */
    readonly isKnown: (traceId: string) => boolean
    readonly randomId: () => string
    readonly now: number
  }
): Converted => {
  const dropped: Array<{ readonly id: string; readonly reason: string }> = []
  const traces: Array<{ readonly at: number; readonly body: Body }> = []
  const seen = new Set<string>()
  const check = (type: string, at: number, body: Body): ReadonlyArray<Event> => {
    const parsed = V.parse(options.parser, { id: options.randomId(), type, timestamp: iso(at), body })
    if (parsed.ok) return [parsed.value]
    const [issue] = parsed.issues
    const reason = `${type} is dropped silently: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`
    dropped.push({ id: String(body["id"]), reason })
    return []
  }
  const observations = spans.flatMap((span) => {
    const { attributes, parentId, start, traceId } = span
    const isRoot = parentId === "" || String(attributes["langfuse.internal.as_root"]) === "true"
    if (isRoot || tellsOfTrace(attributes)) traces.push({ at: start, body: traceBody(span, isRoot) })
    else if (!seen.has(traceId) && !options.isKnown(traceId)) traces.push({ at: start, body: firstSight(span) })
    seen.add(traceId)
    const { body, type } = observationBody(span)
    return check(`${type.toLowerCase()}-create`, options.now, body)
      .flatMap((event) => event.entity === "observation" ? [event] : [])
  })
  const full = new Set(traces.filter(({ body }) => !isShallow(body)).map(({ body }) => body["id"]))
  return {
    traces: traces.filter(({ body }) => !isShallow(body) || !full.has(body["id"]))
      .flatMap(({ at, body }) => check("trace-create", at, body)),
    observations,
    dropped
  }
}
