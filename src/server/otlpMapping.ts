/**
 * What Langfuse makes of a span's attributes. Pure: the same result becomes a row of the events table, or events for
 * the tables before it.
 */
import { flatten, toText } from "./content.js"
import { environment } from "./events.js"
import type { ObservationType } from "./model.js"
import { contentOf, isContent } from "./otlpContent.js"
import type { Span } from "./otlpSpan.js"
import { genAiUsage } from "./otlpUsage.js"
import { type Counts, usageDetails, withTotal } from "./usage.js"
import * as V from "./validation.js"
import type { EventRow } from "./view.js"

/**
 * A span with its attributes in their places. What only one of the two paths checks is still as it came.
 */
export interface Mapped {
  readonly span: Span
  readonly type: ObservationType
  readonly name: unknown
  readonly level: "DEBUG" | "DEFAULT" | "WARNING" | "ERROR"
  readonly statusMessage: unknown
  readonly input: unknown
  readonly output: unknown
  readonly observationMetadata: V.Json
  readonly traceMetadata: V.Json
  /** What the server adds to the metadata by itself. */
  readonly ownMetadata: V.Json
  readonly model: unknown
  readonly modelParameters: V.Json | undefined
  readonly usage: Counts
  readonly cost: V.Json
  readonly completionStart: unknown
  readonly promptName: unknown
  readonly promptVersion: unknown
  readonly environment: string
  readonly version: unknown
  readonly release: unknown
  readonly traceName: unknown
  readonly userId: unknown
  readonly sessionId: unknown
  readonly tags: ReadonlyArray<string>
  readonly public: boolean
  readonly isAppRoot: boolean
  /** What a client surely meant otherwise, one line each. */
  readonly notes: ReadonlyArray<string>
}

const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null

const firstOf = (attributes: V.Json, ...keys: ReadonlyArray<string>): unknown =>
  keys.map((key) => attributes[key]).find((value) => !isAbsent(value))

const isTrue = (value: unknown): boolean => value === true || value === "true"

/** The object inside a text of JSON, `undefined` when there is none. */
const objectIn = (value: unknown): V.Json | undefined => {
  const parsed = jsonIn(value)
  return V.isRecord(parsed) ? parsed : undefined
}

const jsonIn = (value: unknown): unknown => {
  if (typeof value !== "string") return undefined
  try {
    return JSON.parse(value)
  } catch {
    return undefined
  }
}

const types: { readonly [name: string]: ObservationType } = {
  span: "SPAN",
  generation: "GENERATION",
  event: "EVENT",
  embedding: "EMBEDDING",
  agent: "AGENT",
  tool: "TOOL",
  chain: "CHAIN",
  retriever: "RETRIEVER",
  guardrail: "GUARDRAIL",
  evaluator: "EVALUATOR"
}

const openInferenceTypes: { readonly [kind: string]: ObservationType } = {
  LLM: "GENERATION",
  CHAIN: "CHAIN",
  RETRIEVER: "RETRIEVER",
  EMBEDDING: "EMBEDDING",
  AGENT: "AGENT",
  TOOL: "TOOL",
  GUARDRAIL: "GUARDRAIL",
  EVALUATOR: "EVALUATOR"
}

const operationTypes: { readonly [operation: string]: ObservationType } = {
  chat: "GENERATION",
  completion: "GENERATION",
  text_completion: "GENERATION",
  generate_content: "GENERATION",
  generate: "GENERATION",
  embeddings: "EMBEDDING",
  invoke_agent: "AGENT",
  create_agent: "AGENT",
  execute_tool: "TOOL"
}

const lookUp = (table: { readonly [key: string]: ObservationType }, key: unknown): ObservationType | undefined =>
  typeof key === "string" && Object.hasOwn(table, key) ? table[key] : undefined

const typeOf = (attributes: V.Json): ObservationType =>
  lookUp(types, attributes["langfuse.observation.type"]) ??
    lookUp(openInferenceTypes, attributes["openinference.span.kind"]) ??
    lookUp(operationTypes, attributes["gen_ai.operation.name"]) ??
    (isAbsent(firstOf(attributes, "gen_ai.tool.name", "gen_ai.tool.call.id")) ? undefined : "TOOL") ??
    (isAbsent(firstOf(
        attributes,
        "langfuse.observation.model.name",
        "gen_ai.request.model",
        "gen_ai.response.model",
        "llm.model_name",
        "model"
      ))
      ? "SPAN"
      : "GENERATION")

const levels: { readonly [name: string]: Mapped["level"] } = {
  TRACE: "DEBUG",
  VERBOSE: "DEBUG",
  DEBUG: "DEBUG",
  INFO: "DEFAULT",
  LOG: "DEFAULT",
  NOTICE: "DEFAULT",
  OK: "DEFAULT",
  SUCCESS: "DEFAULT",
  DEFAULT: "DEFAULT",
  WARN: "WARNING",
  WARNING: "WARNING",
  ERROR: "ERROR",
  FATAL: "ERROR",
  CRITICAL: "ERROR"
}

const levelOf = ({ attributes, statusCode }: Span): Mapped["level"] => {
  const given = attributes["langfuse.observation.level"]
  const known = typeof given === "string" ? levels[given.trim().toUpperCase()] : undefined
  // A status by its name, as some encoders of JSON write it, is not recognised.
  return known ?? (statusCode === 2 ? "ERROR" : "DEFAULT")
}

const nameOf = ({ attributes, name }: Span): unknown => {
  const operation = attributes["ai.operationId"]
  const functionId = attributes["ai.telemetry.functionId"]
  return firstOf(attributes, "gen_ai.tool.name", "genkit:name", "logfire.msg", "ai.toolCall.name") ??
    (isAbsent(operation) ? name : isAbsent(functionId) ? operation : `${String(functionId)}:${String(operation)}`)
}

const scalars = (parameters: V.Json): V.Json =>
  Object.fromEntries(
    Object.entries(parameters).map(([key, value]) => [key, typeof value === "number" ? value : toText(value)])
  )

const parametersOf = (attributes: V.Json): V.Json | undefined => {
  const given = objectIn(attributes["langfuse.observation.model.parameters"]) ??
    objectIn(attributes["llm.invocation_parameters"]) ?? objectIn(attributes["model_config"])
  if (given !== undefined) return scalars(given)
  const single = Object.entries(attributes).flatMap(([key, value]) => {
    const prefix = ["gen_ai.request.", "llm.invocation_parameters."].find((prefix) => key.startsWith(prefix))
    const name = prefix === undefined ? "model" : key.slice(prefix.length)
    return name === "model" ? [] : [[name, value] as const]
  })
  return single.length === 0 ? undefined : scalars(Object.fromEntries(single))
}

const usageOf = (attributes: V.Json, notes: Array<string>): Counts => {
  const given = attributes["langfuse.observation.usage_details"]
  if (isAbsent(given)) return genAiUsage(attributes)
  const json = jsonIn(given)
  if (typeof given === "string" && json === undefined) {
    notes.push("langfuse.observation.usage_details is no JSON")
    return genAiUsage(attributes)
  }
  const parsed = V.parse(usageDetails, json)
  if (parsed.ok) return parsed.value ?? {}
  notes.push("langfuse.observation.usage_details is no JSON text of an object")
  return {}
}

const costOf = (attributes: V.Json): V.Json => {
  const given = objectIn(attributes["langfuse.observation.cost_details"])
  if (given !== undefined) return given
  const total = firstOf(attributes, "gen_ai.usage.cost", "llm.cost.total")
  return isAbsent(total) ? {} : { total }
}

const completionStartOf = ({ attributes, start }: Span): unknown => {
  const given = attributes["langfuse.observation.completion_start_time"]
  const unquoted = jsonIn(given)
  if (!isAbsent(given)) return typeof unquoted === "string" ? unquoted : given
  const delay = firstOf(attributes, "ai.response.msToFirstChunk", "ai.stream.msToFirstChunk")
  return typeof delay === "number" ? new Date(start + delay).toISOString() : undefined
}

const promptOf = (attributes: V.Json): readonly [name: unknown, version: unknown] => {
  const vercel = objectIn(attributes["ai.telemetry.metadata.langfusePrompt"])
  return [
    firstOf(attributes, "langfuse.observation.prompt.name", "langfuse.prompt.name") ?? vercel?.["name"],
    firstOf(attributes, "langfuse.observation.prompt.version", "langfuse.prompt.version") ?? vercel?.["version"]
  ]
}

const environmentOf = ({ attributes, resource }: Span): string => {
  for (const key of ["langfuse.environment", "deployment.environment.name", "deployment.environment"]) {
    const given = firstOf(attributes, key) ?? firstOf(resource, key)
    if (!isAbsent(given)) return environment(given)
  }
  return "default"
}

const tagsOf = (attributes: V.Json): ReadonlyArray<string> => {
  const given = firstOf(
    attributes,
    "langfuse.trace.tags",
    "langfuse.tags",
    "langfuse.observation.metadata.langfuse_tags",
    "langfuse.trace.metadata.langfuse_tags",
    "ai.telemetry.metadata.tags",
    "tag.tags"
  )
  if (isAbsent(given)) return []
  const list = Array.isArray(given) ? given : jsonIn(given)
  if (Array.isArray(list)) return list.map(toText)
  const text = toText(given)
  // The wrapper of a list or a map that had no plain value is text as any other.
  return V.isRecord(list) || !text.includes(",")
    ? [text]
    : text.split(",").map((tag) => tag.trim()).filter((tag) => tag !== "")
}

const vercelOwn = new Set(["userId", "sessionId", "tags", "langfusePrompt"])

const metadataOf = (attributes: V.Json, kind: "observation" | "trace", notes: Array<string>): V.Json => {
  const whole = attributes[`langfuse.${kind}.metadata`] || attributes["langfuse.metadata"]
  const parsed = jsonIn(whole)
  const top: V.Json = V.isRecord(parsed) ? parsed : Array.isArray(parsed) ? { ...parsed } : {}
  if (!isAbsent(whole) && !V.isRecord(parsed) && !Array.isArray(parsed)) {
    notes.push(`langfuse.${kind}.metadata is no JSON text of an object and is dropped`)
  }
  const single = Object.entries(attributes).flatMap(([key, value]) => {
    const prefix = [`langfuse.${kind}.metadata.`, "langfuse.metadata.", "ai.telemetry.metadata."]
      .find((prefix) => key.startsWith(prefix))
    const name = prefix === undefined ? undefined : key.slice(prefix.length)
    return name === undefined || (prefix === "ai.telemetry.metadata." && vercelOwn.has(name)) ? [] : [[name, value]]
  })
  return { ...top, ...Object.fromEntries(single) }
}

/** The scope of the official SDKs, whose spans carry nothing that has no place of its own. */
const isSdkScope = (span: Span): boolean => span.scope.name.startsWith("langfuse-sdk")

const placed = new Set([
  "user.id",
  "session.id",
  "gen_ai.conversation.id",
  "deployment.environment",
  "deployment.environment.name",
  "model",
  "openinference.span.kind"
])

const hasPlace = (key: string): boolean =>
  placed.has(key) || isContent(key) || ["langfuse.", "gen_ai.", "ai.", "llm."].some((prefix) => key.startsWith(prefix))

const ownMetadataOf = (span: Span, notes: Array<string>): V.Json => {
  const { attributes, resource, scope } = span
  const rest = Object.entries(attributes).filter(([key]) => !isContent(key) && key !== "gen_ai.tool.definitions")
  if (isSdkScope(span)) {
    for (const [key] of rest) {
      if (!hasPlace(key)) notes.push(`the attribute ${key} is discarded under the scope ${scope.name}`)
    }
  }
  return {
    ...(isSdkScope(span) ? {} : { attributes: Object.fromEntries(rest.map(([key, value]) => [key, toText(value)])) }),
    resourceAttributes: resource,
    scope: {
      name: scope.name,
      ...(scope.version === undefined ? {} : { version: scope.version }),
      attributes: scope.attributes
    }
  }
}

/** Definitions of tools leave the metadata and join the input. */
const withTools = (span: Span, input: unknown): unknown => {
  const definitions = isSdkScope(span) ? undefined : span.attributes["gen_ai.tool.definitions"]
  if (isAbsent(definitions)) return input
  const parsed = typeof input === "string" ? jsonIn(input) ?? input : input
  return {
    ...(Array.isArray(parsed) ? { messages: parsed } : isAbsent(parsed) ? {} : { prompt: parsed }),
    tools: jsonIn(definitions) ?? definitions
  }
}

const silentMisfits = ({ attributes, parentId, statusCode }: Span, notes: Array<string>): void => {
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "string" && /^\{"(?:kvlistValue|arrayValue|bytesValue)":/.test(value)) {
      notes.push(`the attribute ${key} has no plain value and is stored as the text of its wrapper`)
    }
  }
  const type = attributes["langfuse.observation.type"]
  if (!isAbsent(type) && lookUp(types, type) === undefined) {
    notes.push(`the observation type ${JSON.stringify(type)} is unknown`)
  }
  if (/^0+$/.test(parentId)) notes.push("a parent id of zeros is a parent that does not exist")
  if (typeof statusCode === "string") notes.push("a status code by name is not recognised")
}

/** The operations of an agent, whose usage would count that of the model calls below it again. */
const countsNothing = new Set<unknown>(["invoke_agent", "agent_step"])

export const map = (span: Span): Mapped => {
  const { attributes, resource } = span
  const notes: Array<string> = []
  silentMisfits(span, notes)
  const type = typeOf(attributes)
  const { input, output } = contentOf(span)
  const isAgent = countsNothing.has(attributes["gen_ai.operation.name"])
  const [promptName, promptVersion] = type === "GENERATION" ? promptOf(attributes) : []
  return {
    span,
    type,
    name: nameOf(span),
    level: levelOf(span),
    statusMessage: firstOf(attributes, "langfuse.observation.status_message") ?? span.statusMessage,
    input: withTools(span, input),
    output,
    observationMetadata: metadataOf(attributes, "observation", notes),
    traceMetadata: metadataOf(attributes, "trace", notes),
    ownMetadata: ownMetadataOf(span, notes),
    model: isAgent ? undefined : firstOf(
      attributes,
      "langfuse.observation.model.name",
      "gen_ai.response.model",
      "ai.model.id",
      "gen_ai.request.model",
      "llm.response.model",
      "llm.model_name",
      "model"
    ),
    modelParameters: parametersOf(attributes),
    usage: isAgent ? {} : usageOf(attributes, notes),
    cost: isAgent ? {} : costOf(attributes),
    completionStart: completionStartOf(span),
    promptName,
    promptVersion,
    environment: environmentOf(span),
    version: firstOf(attributes, "langfuse.version") ?? firstOf(resource, "service.version"),
    release: firstOf(attributes, "langfuse.release") ?? firstOf(resource, "langfuse.release"),
    traceName: firstOf(attributes, "langfuse.trace.name"),
    userId: firstOf(
      attributes,
      "langfuse.user.id",
      "user.id",
      "langfuse.observation.metadata.langfuse_user_id",
      "langfuse.trace.metadata.langfuse_user_id",
      "ai.telemetry.metadata.userId"
    ),
    sessionId: firstOf(
      attributes,
      "langfuse.session.id",
      "session.id",
      "gen_ai.conversation.id",
      "langfuse.observation.metadata.langfuse_session_id",
      "langfuse.trace.metadata.langfuse_session_id",
      "ai.telemetry.metadata.sessionId"
    ),
    tags: tagsOf(attributes),
    public: isTrue(firstOf(attributes, "langfuse.trace.public", "langfuse.public")),
    isAppRoot: isTrue(attributes["langfuse.internal.is_app_root"]),
    notes
  }
}

const text = (value: unknown): string | undefined => isAbsent(value) ? undefined : toText(value)

const time = (value: unknown): number | undefined => {
  const at = typeof value === "string" ? Date.parse(value) : Number.NaN
  return Number.isNaN(at) ? undefined : at
}

/** Prompt versions are kept in 16 bits. */
const smallInteger = (value: unknown): number | undefined => {
  const read = typeof value === "string" ? Number(value) : value
  return typeof read === "number" && Number.isInteger(read) && read >= 0 && read <= 65_535 ? read : undefined
}

/** The row of the events table. Values are stored loosely: nothing is validated here. */
export const toRow = (mapped: Mapped): EventRow => ({
  id: mapped.span.id,
  traceId: mapped.span.traceId,
  parentObservationId: mapped.span.parentId,
  type: mapped.type,
  name: text(mapped.name),
  startTime: mapped.span.start,
  endTime: mapped.span.end,
  completionStartTime: time(mapped.completionStart),
  level: mapped.level,
  statusMessage: text(mapped.statusMessage),
  model: text(mapped.model),
  modelParameters: mapped.modelParameters,
  usage: withTotal(mapped.usage),
  cost: mapped.cost,
  promptName: text(mapped.promptName),
  promptVersion: smallInteger(mapped.promptVersion),
  input: text(mapped.input),
  output: text(mapped.output),
  metadata: flatten({ ...mapped.ownMetadata, ...mapped.observationMetadata, ...mapped.traceMetadata }),
  environment: mapped.environment,
  version: text(mapped.version),
  release: text(mapped.release),
  traceName: text(mapped.traceName),
  userId: text(mapped.userId),
  sessionId: text(mapped.sessionId),
  tags: mapped.tags,
  public: mapped.public,
  isAppRoot: mapped.isAppRoot
})
