/** The names that other instrumentations give to what Langfuse reads, by the same table as the server's. */
import { textOf } from "./attributes.js"
import { genAiPrefix, isLangfuse, llmPrefix, observation, openInferenceKind, trace } from "./names.js"

/**
 * Attributes by their names. What is read is taken out, and what is left describes the call in other ways.
 */
export type Foreign = Map<string, unknown>

const vercelPrefix = "ai."
export const vercelMetadata = "ai.telemetry.metadata."
const prefixes = [genAiPrefix, llmPrefix, vercelPrefix]

/** Of several names the first that says something counts. */
export const inputs: ReadonlyArray<string> = [
  "ai.prompt.messages",
  "ai.prompt",
  "ai.toolCall.args",
  "ai.value",
  "ai.values",
  "flue.turn.input",
  "flue.tool.arguments",
  "flue.task.prompt",
  "flue.workflow.payload",
  "gcp.vertex.agent.tool_call_args",
  "gcp.vertex.agent.llm_request",
  "lk.input_text",
  "lk.user_transcript",
  "lk.chat_ctx",
  "mlflow.spanInputs",
  "traceloop.entity.input",
  "input.value",
  "input",
  "tool_arguments",
  "llm.input_messages"
]
export const outputs: ReadonlyArray<string> = [
  "ai.response.object",
  "ai.result.object",
  "ai.toolCall.result",
  "flue.turn.output",
  "flue.tool.result",
  "flue.task.result",
  "flue.operation.result",
  "flue.workflow.result",
  "gcp.vertex.agent.tool_response",
  "gcp.vertex.agent.llm_response",
  "lk.function_tool.output",
  "lk.response.text",
  "mlflow.spanOutputs",
  "traceloop.entity.output",
  "output.value",
  "output",
  "all_messages_events",
  "pydantic_ai.all_messages",
  "tool_response",
  "llm.output_messages"
]
export const answers: ReadonlyArray<string> = ["ai.response.text", "ai.result.text"]
export const calls: ReadonlyArray<string> = ["ai.response.toolCalls", "ai.result.toolCalls"]
export const genkitInput = "genkit:input"
export const genkitOutput = "genkit:output"
export const genkitName = "genkit:name"
export const genkitSubtype = "genkit:metadata:subtype"

const others: ReadonlySet<string> = new Set([
  ...inputs,
  ...outputs,
  genkitInput,
  genkitOutput,
  genkitName,
  genkitSubtype,
  openInferenceKind,
  "logfire.msg",
  "tag.tags",
  "flue.tool.name",
  "flue.tool.call_id",
  "flue.task.id",
  "flue.task.agent"
])

/** Whether an attribute of this name is read here. */
export const isForeign = (name: string): boolean => {
  for (let i = 0; i < prefixes.length; i++) if (name.startsWith(prefixes[i] ?? "")) return true
  return others.has(name)
}

/** Messages, or parts of them, of one attribute each. */
export const messagePrefixes = {
  prompt: "gen_ai.prompt.",
  completion: "gen_ai.completion.",
  llmInput: "llm.input_messages.",
  llmOutput: "llm.output_messages.",
  tools: "llm.tools."
} as const

const contentPrefixes: ReadonlyArray<string> = Object.values(messagePrefixes)

const contents: ReadonlySet<string> = new Set([
  observation.input,
  observation.output,
  trace.input,
  trace.output,
  ...inputs,
  ...outputs,
  ...answers,
  ...calls,
  genkitInput,
  genkitOutput,
  "gen_ai.input.messages",
  "gen_ai.output.messages",
  "gen_ai.system_instructions",
  "gen_ai.tool.call.arguments",
  "gen_ai.tool.call.result",
  "gen_ai.tool.definitions",
  "gen_ai.prompt",
  "gen_ai.completion",
  "ai.prompt.tools",
  "exception.message"
])

/** Whether an attribute of this name is what went into an observation or came out of it. */
export const isContent = (name: string): boolean => {
  if (contents.has(name)) return true
  for (let i = 0; i < contentPrefixes.length; i++) if (name.startsWith(contentPrefixes[i] ?? "")) return true
  return false
}

/** Where instrumentations write what went in and came out under ever new names. */
const contentSpaces = [
  genAiPrefix,
  vercelPrefix,
  llmPrefix,
  "retrieval.",
  "embedding.",
  "reranker.",
  "document.",
  "message.",
  "prompt.",
  "tool.",
  "tool_call.",
  "input.",
  "output.",
  "traceloop.",
  "mlflow.",
  "lk.",
  "flue.",
  "gcp.vertex.agent.",
  "pydantic_ai.",
  "genkit:"
]

/** Counts, settings, and metadata that the program chose. */
const openSpaces = [
  "gen_ai.usage.",
  "ai.usage.",
  "llm.usage.",
  "llm.token_count.",
  "llm.cost.",
  "llm.invocation_parameters",
  "embedding.invocation_parameters",
  "ai.settings.",
  "gen_ai.request.stop_sequences",
  "gen_ai.request.encoding_formats",
  vercelMetadata,
  "traceloop.association.properties."
]

/** How the names of texts end that identify or measure. */
const openEnd =
  /(?:^|[._:])(?:id|name|model|provider|system|vendor|type|subtype|kind|version|reasons?|tier|timestamp|fingerprint|effort|format|state)$|(?:Id|Name|Model|Provider|Type|Version|Reasons?)$/

/** What providers say of a call beside its tokens, and some of it is content. */
export const providerMetadata = "ai.response.providerMetadata"

/** Whether the attribute is sent where contents are not: of what may be one, only numbers and what is known to be none. */
export const isKept = (name: string, value: unknown): boolean => {
  if (isContent(name)) return false
  if (!contentSpaces.some((prefix) => name.startsWith(prefix))) return true
  if (name === providerMetadata || openSpaces.some((prefix) => name.startsWith(prefix))) return true
  return typeof value === "string" || typeof value === "object" ? openEnd.test(name) : !name.includes(".vector")
}

export const takeOut = (foreign: Foreign, name: string): unknown => {
  const value = foreign.get(name)
  if (value !== undefined) foreign.delete(name)
  return value
}

const says = (value: unknown): boolean => value !== undefined && value !== null && value !== ""

/** The first of them that says something; all are taken out. */
export const takeFirst = (foreign: Foreign, names: ReadonlyArray<string>): unknown => {
  let first: unknown
  for (let i = 0; i < names.length; i++) {
    const value = takeOut(foreign, names[i] ?? "")
    if (!says(first) && says(value)) first = value
  }
  return first
}

/** The first text under one of the names. */
export const get = (foreign: Foreign, ...names: ReadonlyArray<string>): string | undefined => {
  for (const name of names) {
    const text = textOf(foreign.get(name))
    if (text !== undefined) return text
  }
  return undefined
}

/** Whether what stands under this name becomes a field of an observation. An object there is written when it is set. */
export const isRead = (name: string): boolean => isLangfuse(name) || isForeign(name)
