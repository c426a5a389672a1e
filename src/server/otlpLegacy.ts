/**
 * The older way of a span: it is turned into the events of the batch endpoint, which are checked like any others, and
 * merged into the tables that came before v4.
 */
import * as Events from "./events.js"
import type { Mapped } from "./otlpMapping.js"
import * as V from "./validation.js"

export interface Converted {
  readonly events: ReadonlyArray<Events.Event>
  /** What did not pass the check, and is gone. */
  readonly dropped: ReadonlyArray<{ readonly id: string; readonly reason: string }>
}

const traceAttributes = [
  "langfuse.trace.name",
  "langfuse.trace.input",
  "langfuse.trace.output",
  "langfuse.trace.metadata",
  "langfuse.trace.public",
  "langfuse.trace.tags",
  "langfuse.public",
  "langfuse.tags",
  "langfuse.user.id",
  "user.id",
  "langfuse.session.id",
  "session.id"
]

const tellsOfTrace = (attributes: V.Json): boolean =>
  Object.keys(attributes).some((key) => traceAttributes.includes(key) || key.startsWith("langfuse.trace.metadata."))

const resourceTraceMetadata = (resource: V.Json): V.Json => {
  const prefix = "langfuse.trace.metadata."
  return Object.fromEntries(
    Object.entries(resource).flatMap(([key, value]) =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : []
    )
  )
}

const traceBody = (mapped: Mapped, isRoot: boolean) => {
  const { attributes, resource } = mapped.span
  return {
    id: mapped.span.traceId,
    timestamp: new Date(mapped.span.start).toISOString(),
    name: mapped.traceName ?? (isRoot ? mapped.name : undefined),
    userId: mapped.userId,
    sessionId: mapped.sessionId,
    tags: mapped.tags,
    public: mapped.public,
    release: mapped.release,
    version: mapped.version,
    environment: mapped.environment,
    input: attributes["langfuse.trace.input"] ?? (isRoot ? mapped.input : undefined),
    output: attributes["langfuse.trace.output"] ?? (isRoot ? mapped.output : undefined),
    metadata: {
      ...resourceTraceMetadata(resource),
      ...mapped.traceMetadata,
      ...(isRoot ? mapped.ownMetadata : {})
    }
  }
}

const observationBody = (mapped: Mapped) => ({
  id: mapped.span.id,
  traceId: mapped.span.traceId,
  parentObservationId: mapped.span.parentId === "" ? undefined : mapped.span.parentId,
  name: mapped.name,
  startTime: new Date(mapped.span.start).toISOString(),
  endTime: new Date(mapped.span.end).toISOString(),
  completionStartTime: mapped.completionStart,
  environment: mapped.environment,
  level: mapped.level,
  statusMessage: mapped.statusMessage,
  version: mapped.version,
  model: mapped.model,
  modelParameters: mapped.modelParameters,
  usageDetails: mapped.usage,
  costDetails: mapped.cost,
  promptName: mapped.promptName,
  promptVersion: mapped.promptVersion,
  input: mapped.input,
  output: mapped.output,
  metadata: { ...mapped.observationMetadata, ...mapped.ownMetadata }
})

export const toEvents = (
  spans: ReadonlyArray<Mapped>,
  options: { readonly knowsTrace: (id: string) => boolean; readonly randomId: () => string }
): Converted => {
  const events: Array<Events.Event> = []
  const dropped: Array<{ readonly id: string; readonly reason: string }> = []
  const announced = new Set<string>()
  const add = (type: string, mapped: Mapped, body: { readonly id: string }) => {
    const timestamp = new Date(mapped.span.start).toISOString()
    const parsed = V.parse(Events.event, { id: options.randomId(), type, timestamp, body })
    if (parsed.ok) events.push(parsed.value)
    else {
      const issue = parsed.issues[0]
      dropped.push({
        id: body.id,
        reason: `${type} is dropped silently: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`
      })
    }
  }
  for (const mapped of spans) {
    const { attributes, parentId, start, traceId } = mapped.span
    const asRoot = attributes["langfuse.internal.as_root"]
    const isRoot = parentId === "" || asRoot === true || asRoot === "true"
    if (isRoot || tellsOfTrace(attributes)) {
      add("trace-create", mapped, traceBody(mapped, isRoot))
    } else if (!announced.has(traceId) && !options.knowsTrace(traceId)) {
      const first = { id: traceId, timestamp: new Date(start).toISOString(), environment: mapped.environment }
      add("trace-create", mapped, first)
    }
    announced.add(traceId)
    add(`${mapped.type.toLowerCase()}-create`, mapped, observationBody(mapped))
  }
  return { events, dropped }
}
