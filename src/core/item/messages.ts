/** What went into a call and came out of it, as other instrumentations write it: messages in attributes and events. */
import { parsed } from "./attributes.js"
import {
  answers,
  calls,
  type Foreign,
  genkitInput,
  genkitOutput,
  genkitSubtype,
  get,
  inputs,
  messagePrefixes,
  outputs,
  takeFirst,
  takeOut
} from "./foreign.js"
import { genAiPrefix } from "./names.js"
import { copyOf, type Fields, isFields, isList, type MutableFields, put, read } from "./object.js"
import type { SpanEvent } from "./span.js"

/** Texts as they came, anything else as a value. */
export interface Contents {
  readonly input: unknown
  readonly output: unknown
}

const roles = new Map([
  ["gen_ai.system.message", "system"],
  ["gen_ai.user.message", "user"],
  ["gen_ai.assistant.message", "assistant"],
  ["gen_ai.tool.message", "tool"]
])

const operationDetails = "gen_ai.client.inference.operation.details"

/** The events that say what went in and came out, and so are no part of the metadata. */
export const isContentEvent = ({ name }: SpanEvent): boolean =>
  name.startsWith(genAiPrefix) &&
  (roles.has(name) || name === "gen_ai.choice" || name === "gen_ai.content.prompt" ||
    name === "gen_ai.content.completion" || name === operationDetails)

/** Takes messages and the like out of the attributes, whether or not they are used. */
export const contentsOf = (foreign: Foreign, events: ReadonlyArray<SpanEvent>): Contents => {
  for (const { attributes, name } of events) {
    if (name !== operationDetails) continue
    const said = copyOf(attributes)
    for (const key of Object.keys(said)) if (!foreign.has(key)) foreign.set(key, said[key])
  }
  const hasOnlyNewNames = isOfNewConventions(foreign)
  const flat = hasOnlyNewNames ? nothing : flattened(foreign)
  const instructions = takeOut(foreign, "gen_ai.system_instructions")
  const call = takeOut(foreign, "gen_ai.tool.call.arguments")
  const result = takeOut(foreign, "gen_ai.tool.call.result")
  const spoken = said(events)
  const genAiInput = takeOut(foreign, "gen_ai.input.messages") ?? flat.prompt ?? takeOut(foreign, "gen_ai.prompt") ??
    spoken.input
  const genAiOutput = takeOut(foreign, "gen_ai.output.messages") ?? flat.completion ??
    takeOut(foreign, "gen_ai.completion") ?? spoken.output
  const other = hasOnlyNewNames ? noContents : otherContents(foreign)
  return {
    input: withInstructions(foreign, genAiInput ?? other.input ?? flat.llmInput, flat.tools, instructions) ?? call,
    output: genAiOutput ?? other.output ?? flat.llmOutput ?? result
  }
}

const noContents: Contents = { input: undefined, output: undefined }

/** Nearly always, and then all the other names need not be looked for. */
const isOfNewConventions = (foreign: Foreign): boolean => {
  for (const name of foreign.keys()) {
    if (!name.startsWith(genAiPrefix)) return false
    if (name.startsWith(messagePrefixes.prompt) || name.startsWith(messagePrefixes.completion)) return false
  }
  return true
}

const otherContents = (foreign: Foreign): Contents => {
  const input = takeFirst(foreign, inputs)
  const output = takeFirst(foreign, outputs)
  const genkitIn = takeOut(foreign, genkitInput)
  const genkitOut = takeOut(foreign, genkitOutput)
  const answer = answerOf(takeFirst(foreign, answers), takeFirst(foreign, calls))
  const isModel = get(foreign, genkitSubtype) === "model"
  return {
    input: (isModel ? memberOf(genkitIn, "messages") : genkitIn) ?? input,
    output: (isModel ? memberOf(genkitOut, "message") : genkitOut) ?? answer ?? output
  }
}

const memberOf = (value: unknown, name: string): unknown => {
  const fields = parsed(value)
  return isFields(fields) && name in fields ? read(fields, name) : value
}

/** A text beside calls of tools is one message. */
const answerOf = (text: unknown, calls: unknown): unknown =>
  text === undefined || calls === undefined
    ? text ?? calls
    : { role: "assistant", content: text, tool_calls: parsed(calls) }

const withInstructions = (foreign: Foreign, input: unknown, tools: unknown, instructions: unknown): unknown => {
  const definitions = input === undefined
    ? undefined
    : parsed(takeOut(foreign, "gen_ai.tool.definitions") ?? takeOut(foreign, "ai.prompt.tools")) ?? tools
  if (instructions === undefined && definitions === undefined) return input
  const messages = parsed(input)
  const list = isList(messages) ? messages : messages === undefined ? [] : [messages]
  const system = parsed(instructions)
  const all = system === undefined || list.some((message) => isFields(message) && read(message, "role") === "system")
    ? list
    : [isList(system) ? { role: "system", parts: system } : { role: "system", content: system }, ...list]
  if (definitions === undefined) return all
  return { messages: all, tools: isList(definitions) ? definitions.map(parsed) : definitions }
}

/** Messages that came as events, one each, as older conventions have it. */
const said = (events: ReadonlyArray<SpanEvent>): Contents => {
  const input: Array<unknown> = []
  const output: Array<unknown> = []
  let prompt: unknown
  let completion: unknown
  for (const { attributes, name } of events) {
    const role = roles.get(name)
    if (role !== undefined) input.push({ role, ...messageOf(attributes) })
    else if (name === "gen_ai.choice") output.push(messageOf(attributes))
    else if (name === "gen_ai.content.prompt") prompt ??= read(attributes, "gen_ai.prompt")
    else if (name === "gen_ai.content.completion") completion ??= read(attributes, "gen_ai.completion")
  }
  return {
    input: input.length > 0 ? input : prompt,
    output: output.length > 1 ? output : output.length === 1 ? output[0] : completion
  }
}

const messageOf = (attributes: Readonly<Record<string, unknown>>): Fields => {
  const message: MutableFields = {}
  const given = copyOf(attributes)
  for (const key of Object.keys(given)) {
    if (key !== "gen_ai.system" && key !== "gen_ai.provider.name" && key !== "event.name") {
      const name = key.startsWith("gen_ai.event.") ? key.slice("gen_ai.event.".length) : key
      put(message, name, parsed(given[key]))
    }
  }
  return message
}

// ---------------------------------------------------------------------------------------------------------------------
// messages of one attribute for each value
// ---------------------------------------------------------------------------------------------------------------------

/** So many places a list has at most; an index is a number that anyone may write. */
const maxIndex = 1000
const maxSteps = 8

type List = keyof typeof messagePrefixes

const lists = Object.entries(messagePrefixes) as ReadonlyArray<[List, string]>

const nothing: { readonly [L in List]: unknown } = {
  prompt: undefined,
  completion: undefined,
  llmInput: undefined,
  llmOutput: undefined,
  tools: undefined
}

/** `gen_ai.prompt.0.role`, `llm.input_messages.0.message.content`, … as lists of objects. */
const flattened = (foreign: Foreign): { readonly [L in List]: unknown } => {
  const found: { [L in List]: Array<unknown> | undefined } = {
    prompt: undefined,
    completion: undefined,
    llmInput: undefined,
    llmOutput: undefined,
    tools: undefined
  }
  for (const [name, value] of foreign) {
    const known = lists.find(([, prefix]) => name.startsWith(prefix))
    if (known === undefined) continue
    const [list, prefix] = known
    const path = name.slice(prefix.length).split(".", maxSteps)
    const [index, field] = path
    if (index === undefined || field === undefined || field === "" || !isIndex(index)) continue
    foreign.delete(name)
    place(found[list] ??= [], path, value)
  }
  const tools = dense(found.tools)
  return {
    prompt: dense(found.prompt),
    completion: dense(found.completion),
    llmInput: dense(found.llmInput),
    llmOutput: dense(found.llmOutput),
    tools: isList(tools) ? tools.map(schemaOf) : undefined
  }
}

const schemaOf = (item: unknown): unknown => {
  const tool = isFields(item) ? item["tool"] : undefined
  return isFields(tool) && "json_schema" in tool ? parsed(tool["json_schema"]) : item
}

const place = (into: Array<unknown>, path: ReadonlyArray<string>, value: unknown): void => {
  let at: MutableFields | Array<unknown> = into
  for (let depth = 0; depth < path.length; depth++) {
    const step = path[depth] ?? ""
    if (Array.isArray(at) && !isIndex(step)) return
    const next = path[depth + 1]
    if (next === undefined) return set(at, step, value)
    const there: unknown = Array.isArray(at) ? at[Number(step)] : Object.hasOwn(at, step) ? at[step] : undefined
    // What was put there by this function, as no value of an attribute is ever gone into.
    const child: MutableFields | Array<unknown> = made.has(there) ? there : isIndex(next) ? [] : {}
    if (child !== there) {
      made.add(child)
      set(at, step, child)
    }
    at = child
  }
}

const set = (at: MutableFields | Array<unknown>, step: string, value: unknown): void => {
  if (Array.isArray(at)) at[Number(step)] = value
  else put(at, step, value)
}

/** The objects and lists that were made here. */
class Made {
  private readonly all = new WeakSet<object>()

  add(child: MutableFields | Array<unknown>): void {
    this.all.add(child)
  }

  has(value: unknown): value is MutableFields | Array<unknown> {
    return typeof value === "object" && value !== null && this.all.has(value)
  }
}

const made = new Made()

const isIndex = (step: string): boolean => /^\d{1,4}$/.test(step) && Number(step) <= maxIndex

/** Lists without the places nobody filled. */
const dense = (value: unknown): unknown => {
  if (!made.has(value) && !isList(value)) return value
  if (isList(value)) return value.filter((item) => item !== undefined).map(dense)
  const out: MutableFields = {}
  if (isFields(value)) { for (const key of Object.keys(value)) put(out, key, dense(value[key])) }
  return out
}
