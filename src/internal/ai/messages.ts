/**
 * Prompts, answers and tools in the form of chat messages, which Langfuse shows as a conversation.
 *
 * Takes prompts both decoded and as they are written in a program: the two differ only in defaults.
 */
import type * as Prompt from "@effect/ai/Prompt"
import * as Tool from "@effect/ai/Tool"
import * as Json from "../json.js"
import * as Files from "./files.js"

/** A part of a message, for JSON. */
export interface Part {
  readonly type: string
  readonly text?: string
  readonly [key: string]: unknown
}

export interface ToolCall {
  readonly id: string
  readonly type: "function"
  readonly function: { readonly name: string; readonly arguments: string }
}

/** A call of a tool; its arguments are text, as in every chat message. */
export const toolCall = (id: string, name: string, params: unknown): ToolCall => ({
  id,
  type: "function",
  function: { name, arguments: typeof params === "string" ? params : Json.stringify(params) }
})

/** The result of a tool that the provider ran itself, which makes it part of the answer. */
export const providerResult = (id: string, name: string, result: unknown, isFailure: boolean): Part => ({
  type: "tool-result",
  tool_call_id: id,
  name,
  result,
  ...(isFailure ? { is_failure: true } : {})
})

/** An assistant's message: its content is text where there is only text, else a list of parts. */
export const assistant = (parts: ReadonlyArray<Part>, toolCalls: ReadonlyArray<ToolCall>) => ({
  role: "assistant",
  content: contentOf(parts, toolCalls.length > 0 ? null : ""),
  ...(toolCalls.length > 0 ? { tool_calls: toolCalls } : {})
})

const contentOf = (parts: ReadonlyArray<Part>, empty: string | null): unknown =>
  parts.length === 0
    ? empty
    : parts.every((part) => part.type === "text")
    ? parts.map((part) => part.text).join("")
    : parts

// -------------------------------------------------------------------------------------
// prompts
// -------------------------------------------------------------------------------------

/** What `options.prompt` is once it can be read more than once. */
export type Repeatable = string | ReadonlyArray<Prompt.MessageEncoded> | Prompt.Prompt

/** All messages of a prompt, the system's included. */
export const ofPrompt = (prompt: Repeatable): ReadonlyArray<unknown> =>
  typeof prompt === "string"
    ? [{ role: "user", content: prompt }]
    : ("content" in prompt ? prompt.content : prompt).flatMap(ofMessage)

const ofMessage = (message: Prompt.Message | Prompt.MessageEncoded): ReadonlyArray<unknown> => {
  if (typeof message.content === "string") return [{ role: message.role, content: message.content }]
  const content: ReadonlyArray<Prompt.Part | Prompt.PartEncoded> = message.content
  if (message.role === "tool") return content.map(ofToolResult)
  const parts: Array<Part> = []
  const calls: Array<ToolCall> = []
  for (const part of content) {
    if (part.type === "tool-call") calls.push(toolCall(part.id, part.name, part.params))
    else parts.push(ofPart(part))
  }
  return [message.role === "assistant" ? assistant(parts, calls) : { role: message.role, content: userContent(parts) }]
}

/** Several texts of a user stay apart: they are often a document each. */
const userContent = (parts: ReadonlyArray<Part>): unknown =>
  parts.length === 1 && parts[0]?.type === "text" ? parts[0].text : parts

const ofPart = (part: Prompt.Part | Prompt.PartEncoded): Part => {
  switch (part.type) {
    case "text":
    case "reasoning":
      return { type: part.type, text: part.text }
    case "file":
      return Files.reference(part.mediaType, part.fileName, part.data)
    case "tool-call":
      return { ...toolCall(part.id, part.name, part.params) }
    case "tool-result":
      return providerResult(part.id, part.name, part.result, part.isFailure)
  }
}

const ofToolResult = (part: Prompt.Part | Prompt.PartEncoded): unknown =>
  part.type === "tool-result"
    ? { role: "tool", tool_call_id: part.id, name: part.name, content: resultText(part.result) }
    : { role: "tool", content: [ofPart(part)] }

const resultText = (result: unknown): string => typeof result === "string" ? result : Json.stringify(result)

// -------------------------------------------------------------------------------------
// tools
// -------------------------------------------------------------------------------------

// A JSON schema is costly to make, and a tool is offered again with every call of a conversation.
const definitions = new WeakMap<Tool.Any, unknown>()

/** What the model was told about a tool. */
export const toolDefinition = (tool: Tool.Any): unknown => {
  const known = definitions.get(tool)
  if (known !== undefined) return known
  const definition = Tool.isProviderDefined(tool)
    ? { type: tool.id, name: tool.name }
    : { type: "function", function: { name: tool.name, ...descriptionOf(tool), ...parametersOf(tool) } }
  definitions.set(tool, definition)
  return definition
}

const descriptionOf = (tool: Tool.Any): { readonly description?: string } => {
  const description = tool.description ?? Tool.getDescriptionFromSchemaAst(tool.parametersSchema.ast)
  return description === undefined ? {} : { description }
}

const parametersOf = (tool: Tool.Any): { readonly parameters?: unknown } => {
  try {
    return { parameters: Tool.getJsonSchemaFromSchemaAst(tool.parametersSchema.ast) }
  } catch {
    // A schema without a JSON schema fails the call as well, with an error that says so.
    return {}
  }
}
