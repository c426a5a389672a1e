/**
 * Prompts, answers and tools in the form of chat messages, which Langfuse shows as a conversation: contents are texts and
 * images, reasoning and calls of tools stand beside them, and each result of a tool is a message of its own.
 *
 * Takes prompts both decoded and as they are written in a program: the two differ only in defaults.
 */
import type * as Prompt from "@effect/ai/Prompt"
import * as Tool from "@effect/ai/Tool"
import { jsonOf } from "../../core/item/content.js"
import { foreignPolicy } from "../tracer/values.js"
import * as Files from "./files.js"

/** A part of a message that Langfuse shows as text or as an image. */
export type Part =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image_url"; readonly image_url: { readonly url: string } }

interface Thinking {
  readonly type: "thinking"
  readonly content: string
}

interface ToolCall {
  readonly id: string
  readonly type: "function"
  readonly function: { readonly name: string; readonly arguments: string }
}

export interface Message {
  readonly role: string
  readonly content: string | ReadonlyArray<Part> | null
  readonly thinking?: ReadonlyArray<Thinking>
  readonly tool_calls?: ReadonlyArray<ToolCall>
  readonly tool_call_id?: string
  readonly name?: string
}

/** What an assistant said and did, one thing after the other. */
export type Step =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "file"; readonly part: Part }
  | { readonly type: "reasoning"; readonly text: string }
  | { readonly type: "tool-call"; readonly id: string; readonly name: string; readonly params: unknown }
  /** Of a tool that the provider ran itself, which makes it part of the answer. */
  | { readonly type: "tool-result"; readonly id: string; readonly name: string; readonly result: unknown }

/** Arguments and results are text, as in every chat message. */
const textOf = (value: unknown): string => typeof value === "string" ? value : jsonOf(value, foreignPolicy)

const toolCall = (id: string, name: string, params: unknown): ToolCall => ({
  id,
  type: "function",
  function: { name, arguments: textOf(params) }
})

const toolResult = (id: string, name: string, result: unknown): Message => ({
  role: "tool",
  tool_call_id: id,
  name,
  content: textOf(result)
})

/** One message of an assistant, or several where results of tools come between. */
export const ofSteps = (steps: ReadonlyArray<Step>): ReadonlyArray<Message> => {
  const messages: Array<Message> = []
  let turn = new Turn()
  for (const step of steps) {
    if (step.type !== "tool-result") {
      turn.add(step)
      continue
    }
    if (!turn.isEmpty) messages.push(turn.message)
    turn = new Turn()
    messages.push(toolResult(step.id, step.name, step.result))
  }
  if (!turn.isEmpty || messages.length === 0) messages.push(turn.message)
  return messages
}

class Turn {
  private readonly parts: Array<Part> = []
  private hasFile = false
  private readonly thinking: Array<Thinking> = []
  private readonly calls: Array<ToolCall> = []

  add(step: Exclude<Step, { readonly type: "tool-result" }>): void {
    switch (step.type) {
      case "reasoning":
        // Providers hide what a model thought, or sign it: nothing is left to show then.
        if (step.text !== "") this.thinking.push({ type: "thinking", content: step.text })
        return
      case "tool-call":
        this.calls.push(toolCall(step.id, step.name, step.params))
        return
      case "file":
        this.hasFile = true
        this.parts.push(step.part)
        return
      case "text":
        this.parts.push(step)
    }
  }

  get isEmpty(): boolean {
    return this.parts.length + this.thinking.length + this.calls.length === 0
  }

  get message(): Message {
    const { calls, thinking } = this
    return {
      role: "assistant",
      content: this.content,
      ...(thinking.length > 0 ? { thinking } : {}),
      ...(calls.length > 0 ? { tool_calls: calls } : {})
    }
  }

  /** Text where there is only text, else a list of parts. */
  private get content(): Message["content"] {
    if (this.hasFile) return this.parts
    if (this.parts.length === 0) return this.calls.length > 0 ? null : ""
    return this.parts.map((part) => part.type === "text" ? part.text : "").join("")
  }
}

// -------------------------------------------------------------------------------------
// prompts
// -------------------------------------------------------------------------------------

/** What `options.prompt` is once it can be read more than once. */
export type Repeatable = string | ReadonlyArray<Prompt.MessageEncoded> | Prompt.Prompt

/** All messages of a prompt, the system's included. */
export const ofPrompt = (prompt: Repeatable): ReadonlyArray<Message> =>
  typeof prompt === "string"
    ? [{ role: "user", content: prompt }]
    : ("content" in prompt ? prompt.content : prompt).flatMap(ofMessage)

const ofMessage = (message: Prompt.Message | Prompt.MessageEncoded): ReadonlyArray<Message> => {
  if (typeof message.content === "string") return [{ role: message.role, content: message.content }]
  const content: ReadonlyArray<Prompt.Part | Prompt.PartEncoded> = message.content
  const steps = content.map(ofPart)
  if (message.role !== "user") return ofSteps(steps)
  const [first] = steps
  // Several texts of a user stay apart: they are often a document each.
  return [{
    role: message.role,
    content: steps.length === 1 && first?.type === "text" ? first.text : steps.flatMap(partOf)
  }]
}

const partOf = (step: Step): ReadonlyArray<Part> =>
  step.type === "file" ? [step.part] : step.type === "text" ? [step] : []

const ofPart = (part: Prompt.Part | Prompt.PartEncoded): Step => {
  switch (part.type) {
    case "text":
    case "reasoning":
      return { type: part.type, text: part.text }
    case "file":
      return { type: "file", part: Files.reference(part.mediaType, part.fileName, part.data) }
    case "tool-call":
      return { type: part.type, id: part.id, name: part.name, params: part.params }
    case "tool-result":
      return { type: part.type, id: part.id, name: part.name, result: part.result }
  }
}

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
