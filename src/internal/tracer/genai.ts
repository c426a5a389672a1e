/**
 * OpenTelemetry's conventions for generative AI, as Langfuse's fields. Nothing named `gen_ai.*` is handed on: the servers
 * would read it once more, and by rules of their own.
 *
 * https://opentelemetry.io/docs/specs/semconv/gen-ai/
 */
import { type Buckets, costs, fromGenAi } from "./usage.js"
import {
  content,
  type Fields,
  finite,
  isFields,
  isList,
  isPlainRecord,
  parsed,
  put,
  text,
  toAttribute
} from "./values.js"

export type ObservationType =
  | "span"
  | "generation"
  | "event"
  | "agent"
  | "tool"
  | "chain"
  | "retriever"
  | "evaluator"
  | "embedding"
  | "guardrail"

/** A span event, as far as it matters here. */
export interface SpanEvent {
  readonly name: string
  readonly attributes: Readonly<Record<string, unknown>>
}

/** What is taken out of the attributes, by names without `gen_ai.`; what is left describes the call in other ways. */
export type GenAi = Map<string, unknown>

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

export const typeOf = (genAi: GenAi): ObservationType | undefined => {
  const operation = text(genAi.get("operation.name"))
  const known = operation === undefined ? undefined : operations.get(operation.toLowerCase())
  if (known !== undefined) return known
  if (genAi.has("tool.name") || genAi.has("tool.call.id")) return "tool"
  return genAi.has("request.model") || genAi.has("response.model") ? "generation" : undefined
}

/** Whether observations of this type are calls of a model: only there do tokens and prices belong, once. */
export const isModelCall = (type: ObservationType): boolean => type === "generation" || type === "embedding"

const takeOut = (genAi: GenAi, name: string): unknown => {
  const value = genAi.get(name)
  if (value !== undefined) genAi.delete(name)
  return value
}

/** What the observation is about, for a span that was named by an instrumentation: `execute_tool search` is `search`. */
export const nameOf = (genAi: GenAi, type: ObservationType): string | undefined =>
  type === "tool"
    ? text(takeOut(genAi, "tool.name"))
    : type === "agent"
    ? text(takeOut(genAi, "agent.name"))
    : undefined

export const conversation = (genAi: GenAi): string | undefined => text(takeOut(genAi, "conversation.id"))

// ---------------------------------------------------------------------------------------------------------------------
// the call of a model
// ---------------------------------------------------------------------------------------------------------------------

export interface ModelCall {
  readonly model: string | undefined
  readonly parameters: Fields | undefined
  readonly usage: Buckets | undefined
  readonly cost: Buckets | undefined
  /** Seconds from the start to the first token. */
  readonly timeToFirst: number | undefined
}

export const modelCall = (genAi: GenAi): ModelCall => {
  const response = text(takeOut(genAi, "response.model"))
  const request = text(genAi.get("request.model"))
  // A provider answers with the exact version; what was asked for stays in the metadata when it is another name.
  if (response === undefined || response === request) genAi.delete("request.model")
  const provider = text(genAi.get("provider.name")) ?? text(genAi.get("system"))
  const parameters: Fields = {}
  const usage = new Map<string, unknown>()
  let cost: unknown
  for (const [name, value] of genAi) {
    if (name.startsWith("usage.")) {
      if (name === "usage.cost") cost = value
      else usage.set(name.slice("usage.".length), value)
      genAi.delete(name)
    } else {
      const parameter = parameterOf(name)
      if (parameter === undefined) continue
      const kept = parameterValue(value)
      if (kept !== undefined) put(parameters, parameter, kept)
      genAi.delete(name)
    }
  }
  const timeToFirst = finite(takeOut(genAi, "response.time_to_first_chunk"))
  return {
    model: response ?? request,
    parameters: Object.keys(parameters).length === 0 ? undefined : parameters,
    usage: fromGenAi(
      usage,
      { provider, model: response ?? request },
      (name, value) => genAi.set(`usage.${name}`, value)
    ),
    cost: cost === undefined ? undefined : costs({ total: cost }),
    timeToFirst: timeToFirst !== undefined && timeToFirst >= 0 ? timeToFirst : undefined
  }
}

/** `request.temperature` and `openai.request.seed` are parameters; the model has a field of its own. */
const parameterOf = (name: string): string | undefined => {
  const at = name.startsWith("request.") ? 0 : name.indexOf(".request.") + 1
  if (at === 0 && !name.startsWith("request.")) return undefined
  const parameter = name.slice(at + "request.".length)
  return parameter === "" || parameter === "model" ? undefined : parameter
}

const isStrings = (values: ReadonlyArray<unknown>): boolean => values.every((value) => typeof value === "string")

/** Langfuse refuses a whole event for a parameter that is nested deeper than this: such a one becomes JSON text. */
export const parameterValue = (value: unknown): unknown => {
  if (value === undefined || value === "undefined") return undefined
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value)
  const flat = isList(value) ? isStrings(value) : isPlainRecord(value) && isStrings(Object.values(value))
  return flat ? value : toAttribute(value)
}

// ---------------------------------------------------------------------------------------------------------------------
// messages
// ---------------------------------------------------------------------------------------------------------------------

export interface Content {
  readonly input: unknown
  readonly output: unknown
}

const roles = new Map([
  ["gen_ai.system.message", "system"],
  ["gen_ai.user.message", "user"],
  ["gen_ai.assistant.message", "assistant"],
  ["gen_ai.tool.message", "tool"]
])

const carriesContent = (name: string): boolean =>
  roles.has(name) || name === "gen_ai.choice" || name === "gen_ai.content.prompt" ||
  name === "gen_ai.content.completion" || name === "gen_ai.client.inference.operation.details"

/** The events that say what went in and came out, and so are no part of the metadata. */
export const isContentEvent = (event: SpanEvent): boolean => carriesContent(event.name)

/** Takes messages and the like out of the attributes, whether or not they are used. */
export const contentOf = (genAi: GenAi, events: ReadonlyArray<SpanEvent>): Content => {
  for (const { attributes, name } of events) {
    if (name !== "gen_ai.client.inference.operation.details") continue
    for (const key of Object.keys(attributes)) {
      const own = key.startsWith("gen_ai.") ? key.slice("gen_ai.".length) : undefined
      if (own !== undefined && !genAi.has(own)) genAi.set(own, attributes[key])
    }
  }
  const flat = flattened(genAi)
  const instructions = takeOut(genAi, "system_instructions")
  const call = takeOut(genAi, "tool.call.arguments")
  const result = takeOut(genAi, "tool.call.result")
  const spoken = said(events)
  return {
    input: withInstructions(
      genAi,
      takeOut(genAi, "input.messages") ?? flat.prompt ?? takeOut(genAi, "prompt") ?? spoken.input,
      instructions
    ) ?? content(call),
    output: content(
      takeOut(genAi, "output.messages") ?? flat.completion ?? takeOut(genAi, "completion") ?? spoken.output ?? result
    )
  }
}

const withInstructions = (genAi: GenAi, input: unknown, instructions: unknown): unknown => {
  const tools = input === undefined ? undefined : takeOut(genAi, "tool.definitions")
  if (instructions === undefined && tools === undefined) return content(input)
  const messages = parsed(input)
  const list = isList(messages) ? messages : messages === undefined ? [] : [messages]
  const system = parsed(instructions)
  const all = system === undefined || list.some((message) => isFields(message) && message["role"] === "system")
    ? list
    : [isList(system) ? { role: "system", parts: system } : { role: "system", content: system }, ...list]
  return tools === undefined ? all : { messages: all, tools: parsed(tools) }
}

/** Messages that came as events, one each, as older conventions have it. */
const said = (events: ReadonlyArray<SpanEvent>): Content => {
  const input: Array<unknown> = []
  const output: Array<unknown> = []
  let prompt: unknown
  let completion: unknown
  for (const { attributes, name } of events) {
    const role = roles.get(name)
    if (role !== undefined) input.push({ role, ...messageOf(attributes) })
    else if (name === "gen_ai.choice") output.push(messageOf(attributes))
    else if (name === "gen_ai.content.prompt") prompt ??= attributes["gen_ai.prompt"]
    else if (name === "gen_ai.content.completion") completion ??= attributes["gen_ai.completion"]
  }
  return {
    input: input.length > 0 ? input : prompt,
    output: output.length > 1 ? output : output.length === 1 ? output[0] : completion
  }
}

const messageOf = (attributes: Readonly<Record<string, unknown>>): Fields => {
  const message: Fields = {}
  for (const key of Object.keys(attributes)) {
    if (key !== "gen_ai.system" && key !== "gen_ai.provider.name" && key !== "event.name") {
      put(message, key.startsWith("gen_ai.event.") ? key.slice("gen_ai.event.".length) : key, parsed(attributes[key]))
    }
  }
  return message
}

/** So many places a list has at most; an index is a number that anyone may write. */
const maxIndex = 1000

const indexed = /^(prompt|completion)\.(\d{1,4})\.(.+)$/

/** `prompt.0.role`, `prompt.0.content`, `completion.0.tool_calls.0.name`, … as lists of objects. */
const flattened = (genAi: GenAi): { readonly prompt: unknown; readonly completion: unknown } => {
  const lists: { prompt: Array<unknown> | undefined; completion: Array<unknown> | undefined } = {
    prompt: undefined,
    completion: undefined
  }
  for (const [name, value] of genAi) {
    const match = indexed.exec(name)
    if (match === null) continue
    const [, list, index, path] = match
    if ((list !== "prompt" && list !== "completion") || index === undefined || path === undefined) continue
    genAi.delete(name)
    if (Number(index) > maxIndex) continue
    place(lists[list] ??= [], [index, ...path.split(".").slice(0, 8)], toAttribute(value))
  }
  return { prompt: dense(lists.prompt), completion: dense(lists.completion) }
}

const place = (into: Array<unknown>, path: ReadonlyArray<string>, value: unknown): void => {
  let at: Fields | Array<unknown> = into
  path.forEach((step, depth) => {
    const last = depth === path.length - 1
    const next = path[depth + 1]
    const fresh = (): Fields | Array<unknown> => next !== undefined && isIndex(next) ? [] : {}
    const get = (): unknown => Array.isArray(at) ? at[Number(step)] : Object.hasOwn(at, step) ? at[step] : undefined
    if (Array.isArray(at) && !isIndex(step)) return
    if (!last) {
      const there = get()
      const child = typeof there === "object" && there !== null ? there as Fields | Array<unknown> : fresh()
      if (Array.isArray(at)) at[Number(step)] = child
      else put(at, step, child)
      at = child
    } else if (Array.isArray(at)) at[Number(step)] = value
    else put(at, step, value)
  })
}

const isIndex = (step: string): boolean => /^\d{1,4}$/.test(step) && Number(step) <= maxIndex

/** Lists without the places nobody filled. */
const dense = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.filter((item) => item !== undefined).map(dense)
    : isPlainRecord(value)
    ? mapFields(value, dense)
    : value

const mapFields = (fields: Fields, f: (value: unknown) => unknown): Fields => {
  const out: Fields = {}
  for (const key of Object.keys(fields)) put(out, key, f(fields[key]))
  return out
}
