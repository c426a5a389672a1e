/**
 * Inputs and outputs as conversations: the messages in what OpenAI, Anthropic, Google, LangChain, the AI SDK, Effect and
 * OpenTelemetry's GenAI conventions send.
 */

export type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "reasoning"; readonly text: string }
  | { readonly kind: "call"; readonly id: string | undefined; readonly name: string; readonly input: unknown }
  | {
    readonly kind: "result"
    readonly id: string | undefined
    readonly name: string | undefined
    readonly output: unknown
    readonly isError: boolean
  }
  | { readonly kind: "image"; readonly url: string }
  | { readonly kind: "file"; readonly label: string }
  | { readonly kind: "json"; readonly value: unknown }

export interface Message {
  readonly role: string
  readonly name: string | undefined
  readonly parts: ReadonlyArray<Part>
  /** As it was sent. */
  readonly raw: unknown
}

export interface Conversation {
  readonly messages: ReadonlyArray<Message>
  /** What was sent beside the messages, such as the tools on offer. */
  readonly rest: { readonly [key: string]: unknown } | undefined
}

type Json = { readonly [key: string]: unknown }

const isRecord = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

const text = (value: unknown): string | undefined => typeof value === "string" ? value : undefined

const firstText = (...values: ReadonlyArray<unknown>): string | undefined =>
  values.find((value) => typeof value === "string" && value !== "") === undefined
    ? undefined
    : text(values.find((value) => typeof value === "string" && value !== ""))

/** Arguments of tools are often JSON inside a string. */
const unwrap = (value: unknown): unknown => {
  if (typeof value !== "string" || !/^\s*[{[]/.test(value)) return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

const roles: { readonly [name: string]: string } = {
  human: "user",
  ai: "assistant",
  model: "assistant",
  developer: "system",
  function: "tool",
  chatbot: "assistant"
}

const roleOf = (value: string): string => roles[value.toLowerCase()] ?? value.toLowerCase()

const image = (source: unknown): Part | undefined => {
  if (typeof source === "string") return { kind: "image", url: source }
  if (!isRecord(source)) return undefined
  const url = text(source["url"])
  if (url !== undefined) return { kind: "image", url }
  const data = text(source["data"])
  const type = firstText(source["media_type"], source["mediaType"], source["mimeType"], source["mime_type"])
  return data !== undefined && type !== undefined ? { kind: "image", url: `data:${type};base64,${data}` } : undefined
}

const file = (part: Json): Part => {
  const type = firstText(part["mediaType"], part["media_type"], part["mimeType"], part["mime_type"])
  const data = part["data"] ?? part["file_data"] ?? part["content"]
  if (type?.startsWith("image/") && typeof data === "string") {
    return { kind: "image", url: /^(data:|https?:)/.test(data) ? data : `data:${type};base64,${data}` }
  }
  const name = firstText(part["fileName"], part["filename"], part["name"], part["file_id"], part["uri"])
  return { kind: "file", label: [name, type].filter((label) => label !== undefined).join(", ") || "file" }
}

const readPart = (part: unknown): ReadonlyArray<Part> => {
  if (typeof part === "string") return [{ kind: "text", text: part }]
  if (!isRecord(part)) return [{ kind: "json", value: part }]
  const id = firstText(part["tool_use_id"], part["tool_call_id"], part["toolCallId"], part["call_id"], part["id"])
  switch (part["type"]) {
    case "text":
    case "input_text":
    case "output_text":
    case "refusal": {
      const value = firstText(part["text"], part["content"], part["refusal"])
      return value === undefined ? [] : [{ kind: "text", text: value }]
    }
    case "thinking":
    case "reasoning":
    case "redacted_thinking":
      return readReasoning(part)
    case "tool_use":
    case "tool-call":
    case "tool_call":
    case "function_call":
    case "server_tool_use":
      return [{
        kind: "call",
        id,
        name: firstText(part["name"], part["toolName"]) ?? "tool",
        input: unwrap(part["input"] ?? part["params"] ?? part["args"] ?? part["arguments"])
      }]
    case "tool_result":
    case "tool-result":
    case "tool_call_response":
    case "function_call_output":
      return [{
        kind: "result",
        id,
        name: firstText(part["name"], part["toolName"]),
        output: plainText(unwrap(part["result"] ?? part["output"] ?? part["content"] ?? part["response"])),
        isError: part["is_error"] === true || part["isFailure"] === true || part["isError"] === true
      }]
    case "image_url":
    case "input_image":
    case "image": {
      const read = image(part["image_url"]) ?? image(part["image"]) ?? image(part["source"]) ?? image(part)
      return [read ?? { kind: "json", value: part }]
    }
    case "file":
    case "blob":
    case "uri":
    case "document":
    case "input_file":
      return [file(part)]
  }
  return readGooglePart(part)
}

const readGooglePart = (part: Json): ReadonlyArray<Part> => {
  const call = part["functionCall"] ?? part["function_call"]
  if (isRecord(call)) {
    return [{ kind: "call", id: text(call["id"]), name: text(call["name"]) ?? "tool", input: unwrap(call["args"]) }]
  }
  const response = part["functionResponse"] ?? part["function_response"]
  if (isRecord(response)) {
    const output = unwrap(response["response"])
    return [{ kind: "result", id: text(response["id"]), name: text(response["name"]), output, isError: false }]
  }
  const inline = part["inlineData"] ?? part["inline_data"]
  if (isRecord(inline)) return [file(inline)]
  const value = text(part["text"])
  if (value === undefined) return [{ kind: "json", value: part }]
  return [part["thought"] === true ? { kind: "reasoning", text: value } : { kind: "text", text: value }]
}

const readReasoning = (part: Json): ReadonlyArray<Part> => {
  const summary = part["summary"]
  const texts = Array.isArray(summary)
    ? summary.flatMap((item: unknown) => isRecord(item) ? text(item["text"]) ?? [] : text(item) ?? [])
    : []
  const value = firstText(part["thinking"], part["text"], part["content"], part["reasoning"], texts.join("\n\n"))
  return value === undefined ? [] : [{ kind: "reasoning", text: value }]
}

/** A list of nothing but text parts is its text. */
const plainText = (value: unknown): unknown => {
  if (!Array.isArray(value) || value.length === 0) return value
  const texts = value.map((part: unknown) => isRecord(part) && part["type"] === "text" ? text(part["text"]) : undefined)
  return texts.every((item) => item !== undefined) ? texts.join("\n") : value
}

const readContent = (content: unknown): ReadonlyArray<Part> =>
  content === undefined || content === null || content === ""
    ? []
    : Array.isArray(content)
    ? content.flatMap(readPart)
    : isRecord(content)
    ? readPart(content)
    : [{ kind: "text", text: String(content) }]

const readCalls = (calls: unknown): ReadonlyArray<Part> => {
  if (!Array.isArray(calls)) return []
  return calls.flatMap((call: unknown): ReadonlyArray<Part> => {
    if (!isRecord(call)) return []
    const inner = isRecord(call["function"]) ? call["function"] : call
    return [{
      kind: "call",
      id: firstText(call["id"], call["toolCallId"], call["call_id"]),
      name: firstText(inner["name"], inner["toolName"]) ?? "tool",
      input: unwrap(inner["arguments"] ?? inner["args"] ?? inner["input"] ?? inner["params"])
    }]
  })
}

const readThinking = (thinking: unknown): ReadonlyArray<Part> =>
  typeof thinking === "string"
    ? thinking === "" ? [] : [{ kind: "reasoning", text: thinking }]
    : Array.isArray(thinking)
    ? thinking.flatMap((item: unknown) =>
      isRecord(item) ? readReasoning(item) : typeof item === "string" ? readThinking(item) : []
    )
    : []

/** What is no message is `undefined`. */
const readMessage = (value: unknown): Message | undefined => {
  if (!isRecord(value)) return undefined
  const inner = isRecord(value["kwargs"]) && Array.isArray(value["id"]) ? value["kwargs"] : value
  const role = text(inner["role"])
  if (role === undefined) return readItem(inner, value)
  const content = inner["content"] ?? inner["parts"]
  const parts = [
    ...readThinking(inner["thinking"] ?? inner["reasoning_content"] ?? inner["reasoning"]),
    ...readContent(content),
    ...readCalls(inner["tool_calls"] ?? inner["toolCalls"]),
    ...(isRecord(inner["function_call"]) ? readCalls([inner["function_call"]]) : [])
  ]
  const known = roleOf(role)
  const id = firstText(inner["tool_call_id"], inner["toolCallId"])
  const isResult = known === "tool" && parts.every(({ kind }) => kind !== "result")
  const output = unwrap(plainText(content))
  return {
    role: known,
    name: text(inner["name"]),
    parts: isResult ? [{ kind: "result", id, name: text(inner["name"]), output, isError: false }] : parts,
    raw: value
  }
}

/** Items of OpenAI's Responses, and LangChain's messages, have a type and no role. */
const readItem = (value: Json, raw: unknown): Message | undefined => {
  const type = text(value["type"])
  switch (type) {
    case "function_call":
    case "reasoning":
      return { role: "assistant", name: undefined, parts: readPart(value), raw }
    case "function_call_output":
      return { role: "tool", name: undefined, parts: readPart(value), raw }
    case "human":
    case "ai":
    case "system":
    case "tool":
      return "content" in value ? readMessage({ ...value, role: type }) : undefined
  }
  return undefined
}

const isPart = (value: unknown): boolean =>
  isRecord(value) && typeof value["type"] === "string" && readPart(value).every(({ kind }) => kind !== "json")

const one = (role: string, parts: ReadonlyArray<Part>, raw: unknown): ReadonlyArray<Message> =>
  parts.length === 0 ? [] : [{ role, name: undefined, parts, raw }]

const readList = (given: ReadonlyArray<unknown>, role: string): ReadonlyArray<Message> | undefined => {
  // LangChain gives a list of lists.
  const [first] = given
  const list: ReadonlyArray<unknown> = given.length === 1 && Array.isArray(first) ? first : given
  const messages = list.map(readMessage)
  if (list.length > 0 && messages.every((message) => message !== undefined)) return messages
  return list.length > 0 && list.every(isPart) ? one(role, list.flatMap(readPart), list) : undefined
}

const without = (value: Json, keys: ReadonlyArray<string>): Json | undefined => {
  const rest = Object.entries(value).filter(([key, entry]) => !keys.includes(key) && entry !== undefined)
  return rest.length === 0 ? undefined : Object.fromEntries(rest)
}

/** Under these keys requests have their messages. */
const listKeys = ["messages", "contents", "input", "prompt"]
/** And under these what goes before them. */
const systemKeys = ["system", "instructions", "systemInstruction", "system_instruction"]

const readRequest = (value: Json): Conversation | undefined => {
  const key = listKeys.find((key) => key in value)
  if (key === undefined) return undefined
  const content = value[key]
  const isBare = key === "input" || key === "prompt"
  const messages = Array.isArray(content)
    ? readList(content, "user")
    : isBare && typeof content === "string"
    ? one("user", readContent(content), content)
    : undefined
  if (messages === undefined) return undefined
  const system = systemKeys.flatMap((key): ReadonlyArray<Message> => {
    const said = value[key]
    const parts = isRecord(said) && Array.isArray(said["parts"]) ? readContent(said["parts"]) : readContent(said)
    return one("system", parts, said)
  })
  // A lone `input` is as likely an argument of some function.
  if (isBare && typeof content === "string" && system.length === 0 && Object.keys(value).length > 1) return undefined
  return { messages: [...system, ...messages], rest: without(value, [key, ...systemKeys]) }
}

const readAnswer = (value: Json): Conversation | undefined => {
  const choices = value["choices"] ?? value["candidates"]
  if (Array.isArray(choices)) {
    const messages = choices.map((choice: unknown) =>
      isRecord(choice) ? readMessage(choice["message"] ?? choice["content"]) : undefined
    )
    if (!messages.every((message) => message !== undefined)) return undefined
    return { messages, rest: without(value, ["choices", "candidates"]) }
  }
  const inner = readMessage(value["message"])
  if (inner !== undefined) return { messages: [inner], rest: without(value, ["message"]) }
  if (Array.isArray(value["output"])) {
    const messages = readList(value["output"], "assistant")
    return messages && { messages, rest: without(value, ["output"]) }
  }
  // The AI SDK's result.
  const keys = ["text", "reasoning", "reasoningText", "toolCalls"]
  if (typeof value["text"] === "string" && keys.some((key) => key !== "text" && key in value)) {
    const parts = [
      ...readThinking(value["reasoningText"] ?? value["reasoning"]),
      ...readContent(value["text"]),
      ...readCalls(value["toolCalls"])
    ]
    return { messages: one("assistant", parts, value), rest: without(value, keys) }
  }
  return undefined
}

/**
 * The conversation in a value; `undefined` when there is none to see. `role` is that of bare text: whose it is.
 */
export const read = (value: unknown, role: "user" | "assistant"): Conversation | undefined => {
  if (typeof value === "string") return { messages: one(role, readContent(value), value), rest: undefined }
  if (Array.isArray(value)) {
    const messages = readList(value, role)
    return messages && { messages, rest: undefined }
  }
  if (!isRecord(value)) return undefined
  const message = readMessage(value)
  if (message !== undefined) return { messages: [message], rest: undefined }
  if (typeof value["type"] === "string" && Array.isArray(value["content"])) {
    return { messages: one(role, readContent(value["content"]), value), rest: without(value, ["content"]) }
  }
  return readRequest(value) ?? readAnswer(value)
}

/** The text of a message, without calls and results. */
export const textOf = (message: Message): string =>
  message.parts.flatMap((part) => part.kind === "text" ? [part.text] : []).join("\n\n")

const shorten = (value: string, most: number): string => {
  const line = value.slice(0, most * 2).replace(/\s+/g, " ").trim()
  return line.length > most ? `${line.slice(0, most - 1)}…` : line
}

/** The beginning of what the user asked, in one line. */
export const firstWords = (value: unknown, most = 160): string | undefined => {
  const messages = read(value, "user")?.messages ?? []
  const asked = [...messages].reverse().find((message) => message.role === "user" && textOf(message) !== "")
  const words = asked === undefined ? undefined : shorten(textOf(asked), most)
  if (words !== undefined && words !== "") return words
  if (!isRecord(value)) return undefined
  const [string] = Object.values(value).filter((entry) => typeof entry === "string")
  return string === undefined || string === "" ? undefined : shorten(string, most)
}
