/**
 * Where the input and the output of a span are found when Langfuse's own attributes do not say: the conventions for
 * generative AI in their several generations, and a few of the frameworks before them.
 */
import { fromText } from "./content.js"
import type { Span } from "./otlpSpan.js"
import { isRecord, type Json } from "./validation.js"

export interface Content {
  readonly input: unknown
  readonly output: unknown
}

const present = (value: unknown): boolean => value !== undefined && value !== null

const roles: ReadonlyMap<unknown, string> = new Map([
  ["gen_ai.system.message", "system"],
  ["gen_ai.user.message", "user"],
  ["gen_ai.assistant.message", "assistant"],
  ["gen_ai.tool.message", "tool"]
])

const messageEvents = ({ events }: Span): Content => {
  const input: Array<unknown> = []
  const output: Array<unknown> = []
  for (const { attributes, name } of events) {
    const role = roles.get(name)
    if (role !== undefined) input.push({ role, ...attributes() })
    else if (name === "gen_ai.choice") output.push(attributes())
  }
  return {
    input: input.length === 0 ? undefined : input,
    output: output.length > 1 ? output : output[0]
  }
}

const operationDetails = ({ events }: Span): Content => {
  const details = events.find(({ name }) => name === "gen_ai.client.inference.operation.details")?.attributes() ?? {}
  return withInstructions(details)
}

const contentEvents = ({ events }: Span): Content => {
  const contentOf = (name: string, key: string) => {
    const attributes = events.find((event) => event.name === name)?.attributes()
    return attributes && (attributes[key] ?? attributes)
  }
  return {
    input: contentOf("gen_ai.content.prompt", "gen_ai.prompt"),
    output: contentOf("gen_ai.content.completion", "gen_ai.completion")
  }
}

/** `<prefix>.0.role`, `<prefix>.0.tool_calls.0.name`, … as a list of objects; numbers make lists. */
const reconstruct = (attributes: Json, prefix: string): unknown => {
  type Node = Map<string, Node | { readonly value: unknown }>
  const root: Node = new Map()
  for (const [key, value] of Object.entries(attributes)) {
    if (!key.startsWith(prefix)) continue
    const steps = key.slice(prefix.length).split(".")
    const last = steps.pop() ?? ""
    let node = root
    for (const step of steps) {
      const next = node.get(step)
      const inner: Node = next instanceof Map ? next : new Map()
      node.set(step, inner)
      node = inner
    }
    node.set(last, { value })
  }
  const build = (node: Node): unknown => {
    const entries = [...node].map(([key, child]) => [key, child instanceof Map ? build(child) : child.value] as const)
    return entries.every(([key]) => /^\d+$/.test(key))
      ? entries.sort(([a], [b]) => Number(a) - Number(b)).map(([, value]) => value)
      : Object.fromEntries(entries)
  }
  return root.size === 0 ? undefined : build(root)
}

/** The newest convention keeps the system's instructions apart from the messages. */
const withInstructions = (attributes: Json): Content => {
  const given = attributes["gen_ai.input.messages"]
  const messages = typeof given === "string" ? fromText(given) : given
  const instructions = attributes["gen_ai.system_instructions"]
  const prepend = present(instructions) && Array.isArray(messages) &&
    !messages.some((message) => isRecord(message) && message["role"] === "system")
  return {
    input: prepend
      ? [
        { role: "system", content: typeof instructions === "string" ? fromText(instructions) : instructions },
        ...messages
      ]
      : given,
    output: attributes["gen_ai.output.messages"]
  }
}

const pair = (input: string, output: string) => ({ attributes }: Span): Content => ({
  input: attributes[input],
  output: attributes[output]
})

const vercel = (span: Span): Content => {
  if (span.scope.name !== "ai") return { input: undefined, output: undefined }
  const first = (...keys: ReadonlyArray<string>) => keys.map((key) => span.attributes[key]).find(present)
  return {
    input: first("ai.prompt.messages", "ai.prompt", "ai.toolCall.args"),
    output: first(
      "ai.response.text",
      "ai.result.text",
      "ai.response.toolCalls",
      "ai.result.toolCalls",
      "ai.response.object",
      "ai.result.object",
      "ai.toolCall.result"
    )
  }
}

/** In the order in which they are asked; the first that knows one of the two decides about both. */
const sources: ReadonlyArray<(span: Span) => Content> = [
  pair("langfuse.observation.input", "langfuse.observation.output"),
  vercel,
  operationDetails,
  messageEvents,
  contentEvents,
  pair("traceloop.entity.input", "traceloop.entity.output"),
  pair("input.value", "output.value"),
  pair("input", "output"),
  pair("tool_arguments", "tool_response"),
  ({ attributes }) => ({
    input: reconstruct(attributes, "gen_ai.prompt."),
    output: reconstruct(attributes, "gen_ai.completion.")
  }),
  ({ attributes }) => ({
    input: reconstruct(attributes, "llm.input_messages."),
    output: reconstruct(attributes, "llm.output_messages.")
  }),
  ({ attributes }) => withInstructions(attributes),
  pair("gen_ai.tool.call.arguments", "gen_ai.tool.call.result")
]

export const contentOf = (span: Span): Content => {
  for (const source of sources) {
    const content = source(span)
    if (present(content.input) || present(content.output)) return content
  }
  return { input: undefined, output: undefined }
}

const contentKeys = new Set([
  "langfuse.observation.input",
  "langfuse.observation.output",
  "langfuse.trace.input",
  "langfuse.trace.output",
  "ai.prompt",
  "ai.prompt.messages",
  "ai.toolCall.args",
  "ai.toolCall.result",
  "ai.response.text",
  "ai.response.toolCalls",
  "ai.response.object",
  "ai.result.text",
  "ai.result.toolCalls",
  "ai.result.object",
  "traceloop.entity.input",
  "traceloop.entity.output",
  "input.value",
  "output.value",
  "input",
  "output",
  "tool_arguments",
  "tool_response",
  "gen_ai.input.messages",
  "gen_ai.output.messages",
  "gen_ai.system_instructions",
  "gen_ai.tool.call.arguments",
  "gen_ai.tool.call.result",
  "langfuse.observation.metadata",
  "langfuse.trace.metadata",
  "langfuse.metadata"
])

const contentPrefixes = [
  "langfuse.observation.metadata.",
  "langfuse.trace.metadata.",
  "langfuse.metadata.",
  "ai.telemetry.metadata.",
  "gen_ai.prompt.",
  "gen_ai.completion.",
  "llm.input_messages.",
  "llm.output_messages."
]

/** Whether an attribute is content or metadata, and so has its place elsewhere. */
export const isContent = (key: string): boolean =>
  contentKeys.has(key) || contentPrefixes.some((prefix) => key.startsWith(prefix))
