/**
 * What kind of observation a span is: the first convention that knows it decides.
 */
import { isRecord } from "./json.js"
import type { ObservationType } from "./model.js"
import { modelOf } from "./otlpFields.js"
import { LostExport, type Span } from "./otlpSpan.js"

type Types = { readonly [name: string]: ObservationType }

const langfuse: Types = {
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

const openInference: Types = {
  LLM: "GENERATION",
  CHAIN: "CHAIN",
  RETRIEVER: "RETRIEVER",
  EMBEDDING: "EMBEDDING",
  AGENT: "AGENT",
  TOOL: "TOOL",
  GUARDRAIL: "GUARDRAIL",
  EVALUATOR: "EVALUATOR"
}

const operations: Types = {
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

const genkit: Types = {
  "background-model": "GENERATION",
  model: "GENERATION",
  embedder: "EMBEDDING",
  tool: "TOOL",
  "tool.v2": "TOOL",
  retriever: "RETRIEVER",
  evaluator: "EVALUATOR"
}

const vercelGenerations = [
  "ai.generateText.doGenerate",
  "ai.streamText.doStream",
  "ai.generateObject.doGenerate",
  "ai.streamObject.doStream"
]

const vercelEmbeddings = ["ai.embedMany.doEmbed", "ai.embed.doEmbed"]

/** Neither missing nor empty. */
const isMeaningful = (value: unknown): boolean =>
  value !== null && value !== undefined && value !== "" &&
  !(Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.keys(value).length === 0)

const lookUp = (types: Types, key: string) => ({ attributes }: Span): ObservationType | undefined => {
  // Lists of one text are looked up by that text.
  const name = String(attributes[key])
  return Object.hasOwn(types, name) ? types[name] : undefined
}

const isAny = ({ attributes }: Span, ...keys: ReadonlyArray<string>): boolean =>
  keys.some((key) => isMeaningful(attributes[key]))

const generationKeys = [
  "langfuse.observation.model.name",
  "langfuse.observation.cost_details",
  "langfuse.observation.usage_details",
  "langfuse.observation.completion_start_time",
  "langfuse.observation.model.parameters",
  "langfuse.observation.prompt.name",
  "langfuse.observation.prompt.version"
]

/** Versions of the Python SDK up to 3.3 called everything a span. */
const oldPython = ({ attributes, resource, scope }: Span): ObservationType | undefined => {
  if (
    attributes["langfuse.observation.type"] !== "span" || scope["name"] !== "langfuse-sdk" ||
    resource["telemetry.sdk.language"] !== "python"
  ) return undefined
  const { version } = scope
  const [major = Number.NaN, minor = Number.NaN] = version ? String(version).split(".").map(Number) : []
  if (major > 3 || (major === 3 && minor > 3)) return undefined
  return generationKeys.some((key) => key in attributes) ? "GENERATION" : undefined
}

const textOf = (value: unknown): string => {
  if (typeof value !== "string") throw new LostExport("the name of an operation is no text")
  return value
}

/** Whether the operation's name begins with, or its id is, one of these. */
const isVercel = ({ attributes }: Span, operations: ReadonlyArray<string>): boolean => {
  const name = attributes["operation.name"]
  return (isMeaningful(name) && operations.some((operation) => textOf(name).startsWith(operation))) ||
    operations.some((operation) => operation === attributes["ai.operationId"])
}

const vercel = (span: Span): ObservationType | undefined => {
  const isModelCall = isVercel(span, [...vercelGenerations, ...vercelEmbeddings])
  if (
    isModelCall &&
    isAny(span, "langfuse.observation.model.name", "ai.model.id", "gen_ai.request.model", "gen_ai.response.model")
  ) return isVercel(span, vercelGenerations) ? "GENERATION" : "EMBEDDING"
  const { "ai.operationId": id, "operation.name": name } = span.attributes
  const isOurs = (isMeaningful(name) && textOf(name).startsWith("ai.")) ||
    (isMeaningful(id) && textOf(id).startsWith("ai."))
  return isOurs && !isModelCall && isVercel(span, ["ai.toolCall"]) ? "TOOL" : undefined
}

const flue = (span: Span): ObservationType | undefined =>
  isAny(span, "flue.tool.name", "flue.tool.call_id")
    ? "TOOL"
    : isAny(span, "flue.task.id", "flue.task.agent")
    ? "AGENT"
    : undefined

const liveKit: Types = { agent_turn: "AGENT", start_agent_activity: "AGENT", function_tool: "TOOL" }

const conventions: ReadonlyArray<(span: Span) => ObservationType | undefined> = [
  oldPython,
  lookUp(langfuse, "langfuse.observation.type"),
  lookUp(openInference, "openinference.span.kind"),
  lookUp(operations, "gen_ai.operation.name"),
  lookUp(genkit, "genkit:metadata:subtype"),
  vercel,
  (span) => isAny(span, "gen_ai.tool.name", "gen_ai.tool.call.id") ? "TOOL" : undefined,
  flue,
  ({ name, scope }) =>
    scope["name"] === "livekit-agents" && typeof name === "string" && Object.hasOwn(liveKit, name)
      ? liveKit[name]
      : undefined,
  (span) =>
    isAny(
        span,
        "langfuse.observation.model.name",
        "gen_ai.request.model",
        "gen_ai.response.model",
        "llm.model_name",
        "model"
      )
      ? "GENERATION"
      : undefined
]

/** Before there were agents and the others, everything was one of three. */
const oldType = (span: Span): ObservationType => {
  const type = span.attributes["langfuse.observation.type"]
  const isGeneration = type === "generation" || Boolean(modelOf(span)) ||
    span.attributes["openinference.span.kind"] === "LLM"
  return isGeneration ? "GENERATION" : type === "event" ? "EVENT" : "SPAN"
}

export const typeOf = (span: Span): ObservationType => {
  if (!span.dialect.hasAgentTypes) return oldType(span)
  for (const convention of conventions) {
    const type = convention(span)
    if (type !== undefined) return type
  }
  return "SPAN"
}

/** Whether the observation type that was asked for is one. */
export const isKnownType = (type: unknown): boolean => Object.hasOwn(langfuse, String(type))
