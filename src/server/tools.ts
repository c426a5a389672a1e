/**
 * Tools in what an observation carries: definitions leave the metadata and join the input, and both definitions and
 * calls are listed.
 */
import { isAbsent, isRecord, type Json, parse } from "./json.js"

export interface Tools {
  /** Description and parameters as JSON text, by name. */
  readonly toolDefinitions: { readonly [name: string]: string }
  readonly toolCalls: ReadonlyArray<string>
}

export const noTools: Tools = { toolDefinitions: {}, toolCalls: [] }

/** A text of JSON as its value, any other value as it is. */
const read = (value: unknown): unknown => {
  const parsed = typeof value === "string" ? parse(value) : undefined
  return parsed === undefined ? value : parsed
}

const listIn = (value: unknown): ReadonlyArray<unknown> | undefined => {
  const list = read(value)
  return Array.isArray(list) ? list : undefined
}

/** OpenAI nests what a tool is below `function`. */
const definitionOf = (tool: unknown): Json => {
  const outer = read(tool)
  if (!isRecord(outer)) return {}
  const inner = outer["function"] ?? outer
  return isRecord(inner) ? inner : {}
}

const nameOf = (tool: unknown): unknown => definitionOf(tool)["name"]

/** A list of tools; `undefined` when it is none, or one of its entries is none. */
const toolsIn = (value: unknown, options: { readonly isNameless: boolean }): ReadonlyArray<unknown> | undefined => {
  const list = listIn(value)?.map(read)
  return list?.every((tool) =>
      isRecord(tool) && (Boolean(nameOf(tool)) || (options.isNameless && typeof tool["type"] === "string"))
    )
    ? list
    : undefined
}

const distinct = (tools: ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
  const seen = new Set<unknown>()
  return tools.filter((tool) => {
    const name = nameOf(tool)
    if (!name) return true
    if (seen.has(name)) return false
    seen.add(name)
    return true
  })
}

const without = (record: Json, key: string): Json =>
  Object.fromEntries(Object.entries(record).filter(([other]) => other !== key))

const indexed = /^llm\.tools\.(\d+)\.tool\.json_schema$/

interface Taken {
  readonly tools: ReadonlyArray<unknown>
  readonly rest: Json
}

/** Takes the definitions that instrumentations leave among the attributes of a span. */
const fromAttributes = (attributes: Json): Taken => {
  const tools: Array<unknown> = []
  let rest = attributes
  for (const key of ["ai.prompt.tools", "gen_ai.tool.definitions"]) {
    const found = toolsIn(attributes[key], { isNameless: key === "ai.prompt.tools" })
    if (found === undefined) continue
    tools.push(...found)
    rest = without(rest, key)
  }
  const request = read(attributes["model_request_parameters"])
  if (isRecord(request)) {
    const found = toolsIn(request["function_tools"], { isNameless: false })
    const left = found === undefined ? request : without(request, "function_tools")
    tools.push(...found ?? [])
    const isText = typeof attributes["model_request_parameters"] === "string"
    rest = Object.keys(left).length === 0
      ? without(rest, "model_request_parameters")
      : { ...rest, model_request_parameters: isText ? JSON.stringify(left) : left }
  }
  const numbered = Object.keys(attributes).flatMap((key) => {
    const index = indexed.exec(key)?.[1]
    return index === undefined ? [] : [{ key, index: Number(index) }]
  })
  for (const { key } of numbered.sort((a, b) => a.index - b.index)) {
    const tool = read(attributes[key])
    if (!isRecord(tool) || !nameOf(tool)) continue
    tools.push(tool)
    rest = without(rest, key)
  }
  return { tools, rest }
}

const telling =
  /"(?:ai\.prompt\.tools|gen_ai\.tool\.definitions|model_request_parameters|llm\.tools\.\d+\.tool\.json_schema)"\s*:/

const fromMetadata = (metadata: Json): Taken => {
  const own = toolsIn(metadata["tools"], { isNameless: false }) ?? []
  const rest = own.length > 0 ? without(metadata, "tools") : metadata
  const given = metadata["attributes"]
  const attributes = typeof given === "string" && !telling.test(given) ? undefined : read(given)
  if (!isRecord(attributes)) return { tools: distinct(own), rest }
  const taken = fromAttributes(attributes)
  return {
    tools: distinct([...own, ...taken.tools]),
    rest: Object.keys(taken.rest).length > 0
      ? { ...rest, attributes: taken.rest }
      : without(rest, "attributes")
  }
}

/** The input with tools, `undefined` where there is no place for them. */
const withTools = (input: unknown, tools: ReadonlyArray<unknown>): Json | undefined => {
  const value = read(input)
  if (Array.isArray(value)) return { messages: value, tools }
  if (isAbsent(value)) return { tools }
  if (typeof value === "string") return { prompt: value, tools }
  if (!isRecord(value)) return undefined
  if (isAbsent(value["tools"])) return { ...value, tools }
  const list = listIn(value["tools"])?.map(read)
  const existing = list?.filter((tool) => isRecord(tool) && (Boolean(nameOf(tool)) || typeof tool["type"] === "string"))
  return existing === undefined || (existing.length === 0 && list?.length !== 0)
    ? undefined
    : { ...value, tools: distinct([...existing, ...tools]) }
}

/** Moves definitions from the metadata into the input, if there are any and it has a place for them. */
export const moveTools = (
  input: unknown,
  metadata: Json
): { readonly input: unknown; readonly metadata: Json } => {
  const { rest, tools } = fromMetadata(metadata)
  const joined = tools.length === 0 ? undefined : withTools(input, tools)
  return joined === undefined ? { input, metadata } : { input: joined, metadata: rest }
}

const definitionsIn = (input: unknown): Tools["toolDefinitions"] => {
  const given = read(input)
  const holder: Json = Array.isArray(given) ? { messages: given } : isRecord(given) ? given : {}
  const list = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []
  const tools = [
    ...list(holder["tools"]),
    ...list(holder["messages"]).flatMap((message) => {
      if (!isRecord(message)) return []
      const { content, role } = message
      const isTool = role === "tool" && isRecord(content) && content["type"] === "function" && content["function"]
      return [...list(message["tools"]), ...(isTool ? [content] : [])]
    })
  ]
  const definitions = new Map<string, string>()
  for (const tool of tools) {
    const definition = definitionOf(tool)
    const { name } = definition
    if (!name || definitions.has(String(name))) continue
    const parameters = definition["parameters"] ?? definition["parameters_json_schema"] ?? definition["inputSchema"]
    definitions.set(
      String(name),
      JSON.stringify({
        description: definition["description"] ?? definition["desc"] ?? "",
        parameters: parameters ? JSON.stringify(parameters) : ""
      })
    )
  }
  return Object.fromEntries(definitions)
}

const has = (value: Json, ...keys: ReadonlyArray<string>): boolean => keys.some((key) => key in value)

const isCall = (call: Json): boolean => {
  if (call["type"] === "tool-result") return false
  const nested = call["function"]
  const kind = String(call["type"])
  return (isRecord(nested) && Boolean(nested["name"]) && "arguments" in nested) ||
    (Boolean(call["toolName"]) && (kind === "tool-call" || has(call, "input", "args"))) ||
    (Boolean(call["call_id"]) && Boolean(call["name"]) && "arguments" in call) ||
    (kind === "tool_use" && Boolean(call["name"]) && "input" in call) ||
    (Boolean(call["name"]) && "arguments" in call &&
      (has(call, "id", "index") || ["function", "function_call", "tool-call", "tool_use"].includes(kind)))
}

const isMessage = (value: Json): boolean => has(value, "role", "content", "tool_calls", "additional_kwargs")

const callsOf = (message: Json): ReadonlyArray<unknown> => {
  const { content } = message
  const parts = Array.isArray(content) ? content.filter(isRecord) : []
  return [
    ...listIn(message["tool_calls"]) ?? listIn(message["toolCalls"]) ?? [],
    ...parts.flatMap((part) =>
      part["type"] === "tool_use"
        ? [{
          id: part["id"],
          name: part["name"],
          arguments: JSON.stringify(part["input"] ?? {}),
          type: "tool_use"
        }]
        : part["type"] === "tool-call"
        ? [part]
        : []
    )
  ]
}

const callsIn = (output: unknown): ReadonlyArray<unknown> => {
  const given = read(output)
  const single = (one: Json) => isCall(one) && !isMessage(one) ? [one] : callsOf(one)
  if (Array.isArray(given)) return given.flatMap((item) => isRecord(item) ? single(item) : [])
  if (!isRecord(given)) return []
  if (isCall(given) && !isMessage(given)) return [given]
  const { additional_kwargs: extra, choices } = given
  const messages = Array.isArray(choices)
    ? choices.flatMap((choice) => isRecord(choice) && isRecord(choice["message"]) ? [choice["message"]] : [])
    : []
  return [
    ...callsOf(given),
    ...messages.flatMap((message) => listIn(message["tool_calls"]) ?? listIn(message["toolCalls"]) ?? []),
    ...(isRecord(extra) ? listIn(extra["tool_calls"]) ?? [] : [])
  ]
}

const flatCall = (call: unknown) => {
  if (!isRecord(call)) return undefined
  const nested: Json = isRecord(call["function"]) ? call["function"] : {}
  const name = nested["name"] ?? call["name"] ?? call["toolName"]
  const given = nested["arguments"] ?? call["arguments"] ?? call["args"] ?? call["input"]
  return name
    ? {
      name,
      id: call["call_id"] ?? call["id"] ?? call["toolCallId"] ?? "",
      arguments: typeof given === "string" ? given : JSON.stringify(given ?? {}),
      type: call["type"] ?? (isRecord(call["function"]) ? "function" : ""),
      index: call["index"] ?? 0
    }
    : undefined
}

/** The tools that an input offers and those that an output calls. */
export const toolsOf = (input: unknown, output: unknown): Tools => {
  const calls = new Map<unknown, string>()
  for (const call of callsIn(output)) {
    const flat = flatCall(call)
    if (flat === undefined) continue
    const { name, ...stored } = flat
    const key = flat.id || `${String(name)}-${flat.arguments}`
    if (!calls.has(key)) calls.set(key, JSON.stringify(stored))
  }
  return { toolDefinitions: definitionsIn(input), toolCalls: [...calls.values()] }
}
