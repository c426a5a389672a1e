/**
 * Where the input and the output of a span are found: Langfuse's own attributes, then the conventions of frameworks one
 * after the other. The first that has either decides about both.
 */
import { isAbsent, isRecord, type Json, parse } from "./json.js"
import { property } from "./otlpCheck.js"
import { rebuild } from "./otlpRebuild.js"
import { LostExport, readAttributes, type Span } from "./otlpSpan.js"

export interface Content {
  readonly input: unknown
  readonly output: unknown
}

interface Source {
  readonly attributes: Json
  readonly events: ReadonlyArray<unknown>
  readonly scope: unknown
}

/** `undefined` passes the question on. */
type Convention = (source: Source) => Content | undefined

const none: Content = { input: undefined, output: undefined }

const ifGiven = (input: unknown, output: unknown): Content | undefined =>
  isAbsent(input) && isAbsent(output) ? undefined : { input, output }

const ifTruthy = (input: unknown, output: unknown): Content | undefined =>
  input || output ? { input, output } : undefined

const pair = (input: string, output: string): Convention => ({ attributes }) =>
  ifTruthy(attributes[input], attributes[output])

/** A text of JSON as its value; any other text or value as it is. */
export const unpacked = (value: unknown): unknown => typeof value === "string" ? parse(value) ?? value : value

const firstIn = (attributes: Json, ...keys: ReadonlyArray<string>): unknown => {
  const key = keys.find((key) => key in attributes)
  return key === undefined ? undefined : attributes[key]
}

const langfuse: Convention = ({ attributes }) =>
  ifGiven(attributes["langfuse.observation.input"], attributes["langfuse.observation.output"])

const genkit: Convention = ({ attributes, scope }) => {
  if (scope !== "genkit-tracer") return undefined
  const [input, output] = [unpacked(attributes["genkit:input"]), unpacked(attributes["genkit:output"])]
  return { input: property(input, "messages") ?? input, output: property(output, "message") ?? output }
}

const vercelOutput = (attributes: Json): unknown => {
  const { "ai.response.text": text, "ai.response.toolCalls": calls } = attributes
  if ("ai.response.text" in attributes && "ai.response.toolCalls" in attributes) {
    return JSON.stringify({ role: "assistant", content: text, tool_calls: calls })
  }
  return text || firstIn(
    attributes,
    "ai.result.text",
    "ai.toolCall.result",
    "ai.response.object",
    "ai.result.object",
    "ai.response.toolCalls",
    "ai.result.toolCalls"
  )
}

const vercel: Convention = ({ attributes, scope }) => {
  if (scope !== "ai") return undefined
  const other = genAi(attributes) ?? none
  return {
    input: firstIn(attributes, "ai.prompt.messages", "ai.prompt", "ai.toolCall.args") ?? other.input,
    output: vercelOutput(attributes) ?? other.output
  }
}

const firstOf = (attributes: Json, ...keys: ReadonlyArray<string>): unknown =>
  keys.map((key) => attributes[key]).find((value) => !isAbsent(value))

const flue: Convention = ({ attributes, scope }) =>
  scope !== "@flue/opentelemetry" ? undefined : ifGiven(
    unpacked(
      firstOf(attributes, "flue.turn.input", "flue.tool.arguments", "flue.task.prompt", "flue.workflow.payload")
    ),
    unpacked(firstOf(
      attributes,
      "flue.turn.output",
      "flue.tool.result",
      "flue.task.result",
      "flue.operation.result",
      "flue.workflow.result"
    ))
  )

/** The system's instructions as the text of one message. */
const instructionsIn = (given: unknown): string => {
  const parts = unpacked(given)
  if (!Array.isArray(parts)) return String(parts)
  return parts.map((part) => {
    const content = property(part, "content")
    return String(content ? content : part)
  }).join("\n")
}

/** Puts the system's instructions before messages that have none. A text stays a text. */
const withInstructions = (given: unknown, instructions: unknown): unknown => {
  const messages = unpacked(given)
  if (!Array.isArray(messages) || messages.some((message) => property(message, "role") === "system")) return given
  const merged = [{ role: "system", content: instructionsIn(instructions) }, ...messages]
  return typeof given === "string" ? JSON.stringify(merged) : merged
}

const genAi = (attributes: Json): Content | undefined => {
  const { "gen_ai.input.messages": messages, "gen_ai.system_instructions": instructions } = attributes
  const input = messages && instructions ? withInstructions(messages, instructions) : messages
  return ifTruthy(input, attributes["gen_ai.output.messages"]) ??
    ifTruthy(attributes["gen_ai.tool.call.arguments"], attributes["gen_ai.tool.call.result"])
}

const nameOf = (event: unknown): unknown => {
  if (isAbsent(event)) throw new LostExport("an event of a span is null")
  return property(event, "name")
}

const attributesOf = (event: unknown): Json => readAttributes(property(event, "attributes"))

const operationDetails: Convention = ({ events }) => {
  for (const event of events.filter((event) => nameOf(event) === "gen_ai.client.inference.operation.details")) {
    const content = genAi(attributesOf(event))
    if (content !== undefined) return content
  }
  return undefined
}

const roles: ReadonlyMap<unknown, string> = new Map([
  ["gen_ai.system.message", "system"],
  ["gen_ai.user.message", "user"],
  ["gen_ai.assistant.message", "assistant"],
  ["gen_ai.tool.message", "tool"]
])

const messageEvents: Convention = ({ events }) => {
  const input = events.filter((event) => roles.has(nameOf(event)))
  const output = events.filter((event) => nameOf(event) === "gen_ai.choice").map(attributesOf)
  if (input.length === 0 && output.length === 0) return undefined
  return {
    input: input.length === 0
      ? undefined
      : input.map((event) => ({ role: roles.get(nameOf(event)), ...attributesOf(event) })),
    output: output.length > 1 ? output : output[0]
  }
}

const contentEvents: Convention = ({ events, scope }) => {
  const find = (name: string) => {
    const event = events.find((event) => nameOf(event) === name)
    return property(event, "attributes")
  }
  const [prompt, completion] = [find("gen_ai.content.prompt"), find("gen_ai.content.completion")]
  if (!prompt && !completion) return undefined
  const [input, output] = [readAttributes(prompt), readAttributes(completion)]
  return {
    input: contentIn({ attributes: input, events: [], scope }).input || input,
    output: contentIn({ attributes: output, events: [], scope }).output || output
  }
}

/** Google's agents say `{}` of the model when a tool is called. */
const googleAdk: Convention = ({ attributes }) => {
  const said = (key: string, otherwise: string) => {
    const value = attributes[`gcp.vertex.agent.${key}`]
    return value === "{}" || !value ? attributes[`gcp.vertex.agent.${otherwise}`] : value
  }
  return ifTruthy(said("llm_request", "tool_call_args"), said("llm_response", "tool_response"))
}

const liveKit: Convention = ({ attributes }) =>
  ifTruthy(
    firstOf(attributes, "lk.input_text", "lk.user_transcript", "lk.chat_ctx"),
    attributes["lk.function_tool.output"] || attributes["lk.response.text"]
  )

const logfireEvents: Convention = ({ attributes }) => {
  const { events } = attributes
  if (typeof events !== "string" && !Array.isArray(events)) return undefined
  const parsed = typeof events === "string" ? parse(events) : events
  const list = parsed === undefined ? [] : parsed
  if (!Array.isArray(list) || list.some(isAbsent)) throw new LostExport("the attribute events is no list of events")
  const isChoice = (event: unknown) => property(event, "event.name") === "gen_ai.choice"
  const input = list.filter((event) => !isChoice(event))
  return ifTruthy(input.length > 0 ? input : undefined, list.find(isChoice))
}

const pydanticAgent: Convention = ({ attributes, scope }) => {
  if (scope !== "pydantic-ai") return undefined
  const { final_result: output, "gen_ai.system_instructions": instructions, "pydantic_ai.all_messages": messages } =
    attributes
  return ifTruthy(messages && instructions ? withInstructions(messages, instructions) : messages, output)
}

const numbered = (input: string, output: string): Convention => ({ attributes }) => {
  const below = (prefix: string) =>
    Object.fromEntries(Object.entries(attributes).filter(([key]) => key.startsWith(prefix)))
  const [prompt, completion] = [below(input), below(output)]
  return Object.keys(prompt).length === 0 && Object.keys(completion).length === 0
    ? undefined
    : { input: rebuild(prompt, input), output: rebuild(completion, output) }
}

const conventions: ReadonlyArray<Convention> = [
  langfuse,
  genkit,
  vercel,
  flue,
  operationDetails,
  messageEvents,
  contentEvents,
  googleAdk,
  pair("prompt", "all_messages_events"),
  liveKit,
  logfireEvents,
  pair("mlflow.spanInputs", "mlflow.spanOutputs"),
  pair("traceloop.entity.input", "traceloop.entity.output"),
  pair("input.value", "output.value"),
  pair("input", "output"),
  pydanticAgent,
  pair("tool_arguments", "tool_response"),
  numbered("gen_ai.prompt", "gen_ai.completion"),
  numbered("llm.input_messages", "llm.output_messages"),
  ({ attributes }) => genAi(attributes)
]

const contentIn = (source: Source): Content => {
  for (const convention of conventions) {
    const content = convention(source)
    if (content !== undefined) return content
  }
  return none
}

export const contentOf = ({ attributes, events, scope }: Span): Content =>
  contentIn({ attributes, events, scope: scope["name"] })

/** The content of a trace, which a root can say apart from its own. */
export const traceContentOf = (span: Span): Content => {
  const { attributes } = span
  return contentOf({
    ...span,
    attributes: {
      ...attributes,
      "langfuse.observation.input": attributes["langfuse.trace.input"] || attributes["langfuse.observation.input"],
      "langfuse.observation.output": attributes["langfuse.trace.output"] || attributes["langfuse.observation.output"]
    }
  })
}

const contentKeys = new Set([
  "langfuse.trace.input",
  "langfuse.trace.output",
  "langfuse.observation.input",
  "langfuse.observation.output",
  "ai.prompt.messages",
  "ai.prompt",
  "ai.toolCall.args",
  "ai.response.text",
  "ai.result.text",
  "ai.toolCall.result",
  "ai.response.object",
  "ai.result.object",
  "ai.response.toolCalls",
  "ai.result.toolCalls",
  "gcp.vertex.agent.llm_request",
  "gcp.vertex.agent.llm_response",
  "gcp.vertex.agent.tool_call_args",
  "gcp.vertex.agent.tool_response",
  "prompt",
  "all_messages_events",
  "events",
  "lk.input_text",
  "lk.user_transcript",
  "lk.chat_ctx",
  "lk.user_input",
  "lk.function_tool.output",
  "lk.response.text",
  "mlflow.spanInputs",
  "mlflow.spanOutputs",
  "traceloop.entity.input",
  "traceloop.entity.output",
  "input.value",
  "output.value",
  "final_result",
  "pydantic_ai.all_messages",
  "gen_ai.system_instructions",
  "input",
  "output",
  "gen_ai.input.messages",
  "gen_ai.output.messages",
  "gen_ai.tool.call.arguments",
  "gen_ai.tool.call.result",
  "genkit:input",
  "genkit:output",
  "flue.turn.input",
  "flue.turn.output",
  "flue.tool.arguments",
  "flue.tool.result",
  "flue.task.prompt",
  "flue.task.result",
  "flue.operation.result",
  "flue.workflow.payload",
  "flue.workflow.result"
])

const contentPrefixes = [
  "gen_ai.prompt",
  "gen_ai.completion",
  "llm.input_messages",
  "llm.output_messages",
  "langfuse.trace.metadata",
  "langfuse.observation.metadata",
  "ai.telemetry.metadata"
]

/** Whether an attribute is content or metadata, and so has its place elsewhere. */
export const isContent = (key: string): boolean =>
  contentKeys.has(key) || contentPrefixes.some((prefix) => key.startsWith(prefix))

/** What is neither, as text. */
export const otherAttributes = (attributes: Json): Json =>
  Object.fromEntries(
    Object.entries(attributes).flatMap(([key, value]) =>
      isContent(key) ? [] : [[key, typeof value === "string" ? value : JSON.stringify(value)]]
    )
  )

/** An attribute that holds an object, as such or as text of JSON. */
export const objectIn = (value: unknown): Json | undefined => {
  const object = typeof value === "string" ? parse(value) : value
  return isRecord(object) ? object : undefined
}
