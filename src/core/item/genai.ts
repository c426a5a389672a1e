/**
 * What other instrumentations write on spans, as Langfuse's fields: OpenTelemetry's conventions for generative AI,
 * OpenInference, OpenLLMetry, Vercel's AI SDK, LiveKit, MLflow, Genkit, Google's ADK, Pydantic AI and flue, by the same
 * table as the server's. Nothing of it is handed on under its own name: the servers would read it once more.
 *
 * https://opentelemetry.io/docs/specs/semconv/gen-ai/
 */
import { numberOf, parsed, textOf } from "./attributes.js"
import { type Foreign, genkitName, genkitSubtype, get, takeFirst, takeOut, vercelMetadata } from "./foreign.js"
import type { ObservationType } from "./item.js"
import { genAiPrefix, openInferenceKind } from "./names.js"
import { type Fields, isFields, isList, type MutableFields, put, read } from "./object.js"
import { type Buckets, usageOfAttributes } from "./usage.js"

// ---------------------------------------------------------------------------------------------------------------------
// type and name
// ---------------------------------------------------------------------------------------------------------------------

const operations = new Map<string, ObservationType>([
  ["chat", "generation"],
  ["completion", "generation"],
  ["text_completion", "generation"],
  ["generate_content", "generation"],
  ["generate", "generation"],
  ["embeddings", "embedding"],
  ["invoke_agent", "agent"],
  ["create_agent", "agent"],
  ["invoke_workflow", "chain"],
  ["execute_tool", "tool"],
  ["retrieval", "retriever"]
])

const openInferenceKinds = new Map<string, ObservationType>([
  ["LLM", "generation"],
  ["CHAIN", "chain"],
  ["AGENT", "agent"],
  ["TOOL", "tool"],
  ["RETRIEVER", "retriever"],
  ["EMBEDDING", "embedding"],
  ["GUARDRAIL", "guardrail"],
  ["EVALUATOR", "evaluator"]
])

const genkitTypes = new Map<string, ObservationType>([
  ["model", "generation"],
  ["tool", "tool"],
  ["retriever", "retriever"],
  ["embedder", "embedding"],
  ["evaluator", "evaluator"]
])

/** The outer spans of Vercel's calls have the same model and tokens once more. */
const vercelType = (operation: string): ObservationType | undefined =>
  operation.endsWith(".doGenerate") || operation.endsWith(".doStream")
    ? "generation"
    : operation.endsWith(".doEmbed")
    ? "embedding"
    : operation === "ai.toolCall"
    ? "tool"
    : undefined

export const typeOf = (foreign: Foreign): ObservationType | undefined => {
  const known = openInferenceKinds.get(get(foreign, openInferenceKind)?.toUpperCase() ?? "") ??
    operations.get(get(foreign, "gen_ai.operation.name")?.toLowerCase() ?? "") ??
    genkitTypes.get(get(foreign, genkitSubtype) ?? "")
  if (known !== undefined) return known
  const operation = get(foreign, "ai.operationId")
  const vercel = operation === undefined ? undefined : vercelType(operation)
  if (vercel !== undefined) return vercel
  if (get(foreign, "gen_ai.tool.name", "gen_ai.tool.call.id", "flue.tool.name", "flue.tool.call_id") !== undefined) {
    return "tool"
  }
  if (get(foreign, "flue.task.id", "flue.task.agent") !== undefined) return "agent"
  return get(foreign, "gen_ai.request.model", "gen_ai.response.model", "llm.model_name") === undefined
    ? undefined
    : "generation"
}

/** Whether observations of this type are calls of a model: only there do tokens and prices belong, once. */
export const isModelCall = (type: ObservationType): boolean => type === "generation" || type === "embedding"

/** What the observation is about, for a span that was named by an instrumentation: `execute_tool search` is `search`. */
export const nameOf = (foreign: Foreign, type: ObservationType): string | undefined => {
  if (type === "tool") {
    const tool = textOf(takeOut(foreign, "gen_ai.tool.name"))
    if (tool !== undefined) return tool
  }
  const agent = type === "agent" ? textOf(takeOut(foreign, "gen_ai.agent.name")) : undefined
  const name = agent ?? get(foreign, genkitName, "logfire.msg", "ai.toolCall.name")
  if (name !== undefined) return name
  const operation = get(foreign, "ai.operationId")
  const id = operation === undefined ? undefined : get(foreign, "ai.telemetry.functionId")
  return id === undefined ? operation : `${id}:${operation}`
}

// ---------------------------------------------------------------------------------------------------------------------
// the trace, the prompt and metadata
// ---------------------------------------------------------------------------------------------------------------------

export const sessionOf = (foreign: Foreign): string | undefined =>
  textOf(takeOut(foreign, "gen_ai.conversation.id")) ?? textOf(takeOut(foreign, `${vercelMetadata}sessionId`))

export const userOf = (foreign: Foreign): string | undefined => textOf(takeOut(foreign, `${vercelMetadata}userId`))

export const tagsOf = (foreign: Foreign): unknown => takeFirst(foreign, [`${vercelMetadata}tags`, "tag.tags"])

/** The prompt that a program of Vercel's SDK links to, as JSON. */
export const promptOf = (foreign: Foreign): { readonly name: unknown; readonly version: unknown } | undefined => {
  const prompt = parsed(takeOut(foreign, `${vercelMetadata}langfusePrompt`))
  return isFields(prompt) ? { name: read(prompt, "name"), version: read(prompt, "version") } : undefined
}

/** Metadata that a program gave to Vercel's SDK. */
export const takeMetadata = (foreign: Foreign, add: (key: string, value: unknown) => void): void => {
  for (const [name, value] of foreign) {
    if (!name.startsWith(vercelMetadata) || name.length === vercelMetadata.length) continue
    add(name.slice(vercelMetadata.length), value)
    foreign.delete(name)
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// the call of a model
// ---------------------------------------------------------------------------------------------------------------------

export interface ModelCall {
  readonly model: string | undefined
  readonly parameters: Fields | undefined
  readonly usage: Buckets
  readonly cost: number | undefined
  /** Milliseconds from the start to the first token. */
  readonly timeToFirst: number | undefined
}

const usagePrefixes = ["gen_ai.usage.", "llm.token_count.", "ai.usage."]

/** `rest` of a name under one of the prefixes. */
const under = (all: ReadonlyArray<string>, name: string): string | undefined => {
  for (let i = 0; i < all.length; i++) {
    const prefix = all[i] ?? ""
    if (name.startsWith(prefix) && name.length > prefix.length) return name.slice(prefix.length)
  }
  return undefined
}

const parameterPrefixes = ["gen_ai.request.", "llm.invocation_parameters.", "ai.settings."]

/** `gen_ai.request.temperature` and `gen_ai.openai.request.seed` are parameters; the model has a field of its own. */
const parameterOf = (name: string): string | undefined => {
  const at = name.startsWith(genAiPrefix) ? name.indexOf(".request.") : -1
  const parameter = under(parameterPrefixes, name) ?? (at < 0 ? undefined : name.slice(at + ".request.".length))
  return parameter === "" || parameter === "model" ? undefined : parameter
}

/** Providers' libraries write some options also when they were not set. */
const isNothing = (value: unknown): boolean => isList(value) && value.length === 0 || value === "[]"

export const modelCall = (foreign: Foreign): ModelCall => {
  const response = textOf(takeOut(foreign, "gen_ai.response.model")) ?? textOf(takeOut(foreign, "ai.response.model"))
  const request = get(foreign, "gen_ai.request.model")
  // A provider answers with the exact version; what was asked for stays in the metadata when it is another name.
  if (response === undefined || response === request) foreign.delete("gen_ai.request.model")
  const other = textOf(takeOut(foreign, "ai.model.id"))
  const llm = takeFirst(foreign, ["llm.response.model", "llm.model_name"])
  const model = response ?? other ?? request ?? textOf(llm) ??
    (get(foreign, genkitSubtype) === "model" ? get(foreign, genkitName) : undefined)
  const parameters: MutableFields = {}
  const usage = new Map<string, unknown>()
  const whole = parsed(takeOut(foreign, "llm.invocation_parameters"))
  if (isFields(whole)) { for (const name of Object.keys(whole)) setParameter(parameters, name, read(whole, name)) }
  const cost = numberOf(takeFirst(foreign, ["gen_ai.usage.cost", "llm.cost.total"]))
  for (const [name, value] of foreign) {
    const count = under(usagePrefixes, name)
    const parameter = count === undefined ? parameterOf(name) : undefined
    if (count !== undefined) {
      // The same count under two conventions is one.
      if (!usage.has(count)) usage.set(count, value)
    } else if (parameter === undefined) continue
    else if (!Object.hasOwn(parameters, parameter)) setParameter(parameters, parameter, value)
    foreign.delete(name)
  }
  addProvider(usage, foreign.get("ai.response.providerMetadata"))
  const seconds = numberOf(takeOut(foreign, "gen_ai.response.time_to_first_chunk"))
  const timeToFirst = seconds === undefined
    ? numberOf(takeFirst(foreign, ["ai.response.msToFirstChunk", "ai.stream.msToFirstChunk"]))
    : seconds * 1000
  return {
    model,
    parameters: Object.keys(parameters).length === 0 ? undefined : parameters,
    usage: usageOfAttributes(usage, (name, value) => foreign.set(`gen_ai.usage.${name}`, value)),
    cost: cost !== undefined && cost >= 0 ? cost : undefined,
    timeToFirst: timeToFirst !== undefined && timeToFirst >= 0 ? timeToFirst : undefined
  }
}

const setParameter = (parameters: MutableFields, name: string, value: unknown): void => {
  const kept = isNothing(value) ? undefined : parsed(value)
  if (kept !== undefined && kept !== null && kept !== "undefined") put(parameters, name, kept)
}

/** What Vercel's SDK tells of the cache only in the provider's own words. */
const addProvider = (usage: Map<string, unknown>, metadata: unknown): void => {
  const providers = parsed(metadata)
  if (!isFields(providers)) return
  const add = (name: string, value: unknown): void => {
    if (value !== undefined && value !== null && !usage.has(name)) usage.set(name, value)
  }
  const at = (...path: ReadonlyArray<string>): unknown =>
    path.reduce<unknown>((value, key) => isFields(value) ? read(value, key) : undefined, providers)
  add("cached_tokens", at("openai", "cachedPromptTokens"))
  add("reasoning_tokens", at("openai", "reasoningTokens"))
  add("cached_tokens", at("bedrock", "usage", "cacheReadInputTokens"))
  add("cache_write_tokens", at("bedrock", "usage", "cacheWriteInputTokens"))
  add("cached_tokens", at("anthropic", "cacheReadInputTokens"))
  add("cache_write_tokens", at("anthropic", "cacheCreationInputTokens"))
}
