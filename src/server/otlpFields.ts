/**
 * The fields of an observation that are found among a span's attributes, each by the rules of its own.
 */
import * as Environment from "./environment.js"
import { isAbsent, isRecord, type Json, parse, toText } from "./json.js"
import { property } from "./otlpCheck.js"
import { unpacked } from "./otlpContent.js"
import type { Span } from "./otlpSpan.js"

export type Level = "DEBUG" | "DEFAULT" | "WARNING" | "ERROR"

/** The first value that is there. */
const firstOf = (attributes: Json, ...keys: ReadonlyArray<string>): unknown =>
  keys.map((key) => attributes[key]).find((value) => !isAbsent(value))

/** The first value that is truthy, as text. */
const firstText = (attributes: Json, ...keys: ReadonlyArray<string>): string | undefined => {
  const value = keys.map((key) => attributes[key]).find(Boolean)
  return value === undefined ? undefined : toText(value)
}

export const isTrue = (value: unknown): boolean => value === true || value === "true"

export const nameOf = ({ attributes, name }: Span): unknown => {
  const tool = firstText(attributes, "gen_ai.tool.name")
  if (tool !== undefined) return tool
  if ("genkit:name" in attributes) return attributes["genkit:name"]
  const logfire = firstText(attributes, "logfire.msg")
  if (logfire !== undefined) return logfire
  if ("ai.toolCall.name" in attributes) return attributes["ai.toolCall.name"]
  if (!("ai.operationId" in attributes)) return name
  const functionId = attributes["ai.telemetry.functionId"]
  return `${functionId ? `${String(functionId)}:` : ""}${String(attributes["ai.operationId"])}`
}

const levels: { readonly [name: string]: Level } = {
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

const liveKitDebug = new Set<unknown>([
  "user_speaking",
  "eou_detection",
  "llm_request_run",
  "tts_node",
  "tts_request",
  "tts_request_run",
  "tts_stream_adapter",
  "agent_speaking",
  "drain_agent_activity",
  "on_exit",
  "on_enter",
  "llm_fallback_adapter",
  "tts_fallback_adapter",
  "start_agent_activity"
])

/** A status by its name, as some encoders of JSON write it, is not recognised. */
const statusLevel = ({ name, scope, statusCode }: Span): Level =>
  statusCode === 2 ? "ERROR" : scope["name"] === "livekit-agents" && liveKitDebug.has(name) ? "DEBUG" : "DEFAULT"

/** Before v4 a level is taken as it is, even if it is none. */
export const levelOf = (span: Span): unknown => {
  const given = span.attributes["langfuse.observation.level"]
  if (!span.dialect.hasLevelAliases) return given ?? statusLevel(span)
  const name = typeof given === "string" ? given.trim().toUpperCase() : ""
  return Object.hasOwn(levels, name) ? levels[name] : statusLevel(span)
}

export const modelOf = ({ attributes }: Span): string | undefined =>
  firstText(
    attributes,
    "langfuse.observation.model.name",
    "gen_ai.response.model",
    "ai.model.id",
    "gen_ai.request.model",
    "llm.response.model",
    "llm.model_name",
    "model",
    ...(attributes["genkit:metadata:subtype"] === "model" ? ["genkit:name"] : [])
  )

/** Texts and numbers stay, anything else becomes JSON text. What is no object stays what it is. */
const scalars = (parameters: unknown): unknown =>
  typeof parameters === "object" && parameters !== null
    ? Object.fromEntries(
      Object.entries(parameters).map(([key, value]) => [
        key,
        typeof value === "string" || typeof value === "number" ? value : JSON.stringify(value)
      ])
    )
    : parameters

const vercelParameters = ({ attributes, dialect }: Span): Json => {
  const said = (...keys: ReadonlyArray<string>) => {
    const key = keys.find((key) => key in attributes)
    const value = key === undefined ? undefined : attributes[key]
    return isAbsent(value) ? null : String(value)
  }
  const provider = property(unpacked(attributes["ai.response.providerMetadata"]), "openai")
  const tier = property(provider, "serviceTier")
  return {
    maxSteps: said("ai.settings.maxSteps"),
    toolChoice: said("ai.prompt.toolChoice"),
    maxTokens: said("gen_ai.request.max_tokens"),
    finishReason: said("gen_ai.response.finish_reasons", "gen_ai.finishReason"),
    system: said("gen_ai.system", "ai.model.provider"),
    maxRetries: said("ai.settings.maxRetries"),
    mode: said("ai.settings.mode"),
    temperature: said("gen_ai.request.temperature"),
    ...(dialect.hasServiceTier
      ? { service_tier: typeof tier === "string" ? tier : said("gen_ai.request.service_tier") }
      : {})
  }
}

const requestPrefixes = ["gen_ai.request.", "llm.invocation_parameters."]

/** What follows a prefix, of all attributes that begin with it. */
const below = (attributes: Json, prefix: string): Json =>
  Object.fromEntries(
    Object.entries(attributes).flatMap(([key, value]) =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : []
    )
  )

/** Parameters in the text of an attribute; an attribute that is no text of JSON is passed over. */
const parametersIn = (value: unknown): unknown => value ? parse(String(value)) : undefined

export const parametersOf = (span: Span): unknown => {
  const { attributes, dialect, scope } = span
  const given = scalars(parametersIn(attributes["langfuse.observation.model.parameters"]))
  if (given && (scope["name"] !== "ai" || !dialect.hasServiceTier)) return given
  if (scope["name"] === "genkit-tracer") {
    const config = property(unpacked(attributes["genkit:input"]), "config") ??
      property(property(unpacked(attributes["genkit:output"]), "request"), "config")
    if (config) return scalars(config)
  }
  if (scope["name"] === "ai") return { ...vercelParameters(span), ...(isRecord(given) ? given : {}) }
  for (const key of ["llm.invocation_parameters", "model_config"]) {
    const parameters = parametersIn(attributes[key])
    if (parameters !== undefined) return scalars(parameters)
  }
  const prefixes = dialect.readsInvocationParameters ? requestPrefixes : requestPrefixes.slice(0, 1)
  const single = prefixes.flatMap((prefix) => Object.entries(below(attributes, prefix)))
  return scalars(Object.fromEntries(single.filter(([name]) => name !== "model")))
}

const isDate = (value: unknown): boolean => !Number.isNaN(dateOf(value))

/** Epoch milliseconds of whatever a `Date` can be made of. */
export const dateOf = (value: unknown): number =>
  value === undefined
    ? Number.NaN
    : typeof value === "number" || typeof value === "boolean" || value === null
    ? new Date(Number(value)).getTime()
    : new Date(String(value)).getTime()

export const completionStartOf = ({ attributes, start }: Span): unknown => {
  const given = attributes["langfuse.observation.completion_start_time"]
  if (isDate(given)) return given
  // Older SDKs put the time into quotes.
  const unquoted = typeof given === "string" ? parse(given) : undefined
  if (unquoted !== undefined && isDate(unquoted)) return unquoted
  const delay = firstOf(attributes, "ai.response.msToFirstChunk", "ai.stream.msToFirstChunk")
  const at = delay ? start + Math.ceil(Number(delay)) : Number.NaN
  return Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : undefined
}

export const promptOf = ({ attributes }: Span): readonly [name: unknown, version: unknown] => {
  const { "ai.telemetry.metadata.langfusePrompt": text } = attributes
  const vercel = text ? parse(String(text)) : undefined
  return [
    firstOf(attributes, "langfuse.observation.prompt.name", "langfuse.prompt.name") ?? property(vercel, "name"),
    firstOf(attributes, "langfuse.observation.prompt.version", "langfuse.prompt.version") ??
      property(vercel, "version")
  ]
}

export const environmentOf = ({ attributes, dialect, resource }: Span): string => {
  for (const key of ["langfuse.environment", "deployment.environment.name", "deployment.environment"]) {
    const given = attributes[key] || resource[key]
    if (given) return Environment.normalize(given, dialect.environments)
  }
  return "default"
}

export const tagsOf = ({ attributes }: Span): ReadonlyArray<string> => {
  const given = [
    "langfuse.trace.tags",
    "langfuse.tags",
    "langfuse.observation.metadata.langfuse_tags",
    "langfuse.trace.metadata.langfuse_tags",
    "ai.telemetry.metadata.tags"
  ].map((key) => attributes[key]).find(Boolean) ?? attributes["tag.tags"]
  if (Array.isArray(given)) return given.map(String)
  if (typeof given !== "string") return []
  const list = given.trim().startsWith("[") ? parse(given) : undefined
  if (Array.isArray(list)) return list.map(String)
  return given.includes(",") ? given.split(",").map((tag) => tag.trim()) : [given]
}

export const publicOf = ({ attributes }: Span): boolean | undefined => {
  const given = firstOf(attributes, "langfuse.trace.public", "langfuse.public")
  return given === undefined ? undefined : isTrue(given)
}

export const userIdOf = ({ attributes }: Span): string | undefined =>
  firstText(
    attributes,
    "langfuse.user.id",
    "user.id",
    "langfuse.observation.metadata.langfuse_user_id",
    "langfuse.trace.metadata.langfuse_user_id",
    "ai.telemetry.metadata.userId"
  )

export const sessionIdOf = ({ attributes }: Span): string | undefined =>
  firstText(
    attributes,
    "langfuse.session.id",
    "session.id",
    "gen_ai.conversation.id",
    "langfuse.observation.metadata.langfuse_session_id",
    "langfuse.trace.metadata.langfuse_session_id",
    "ai.telemetry.metadata.sessionId"
  )

const vercelOwn = new Set(["userId", "sessionId", "tags", "langfusePrompt"])

/** An object or a list, as such or in a text of JSON, by key or by index. */
const metadataIn = (value: unknown): Json => {
  const parsed = typeof value === "string" ? parse(value) : value
  return typeof parsed === "object" && parsed !== null ? { ...parsed } : {}
}

/** The metadata that attributes carry, whole under one key and piece by piece under keys below it. */
export const metadataOf = (attributes: Json, kind: "observation" | "trace"): Json => {
  const named = (prefix: string, except: ReadonlySet<string>) =>
    Object.fromEntries(
      Object.entries(below(attributes, prefix)).filter(([key]) => key !== "" && !except.has(key))
    )
  const none = new Set<string>()
  return {
    ...metadataIn(attributes[`langfuse.${kind}.metadata`] || attributes["langfuse.metadata"]),
    ...named("ai.telemetry.metadata.", vercelOwn),
    ...named("langfuse.metadata.", none),
    ...named(`langfuse.${kind}.metadata.`, none)
  }
}

/** The scope of the official SDKs, whose spans carry nothing that has no place of its own. */
export const isSdkScope = ({ scope }: Span): boolean => String(scope["name"] ?? "").startsWith("langfuse-sdk")
