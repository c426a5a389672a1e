/** Which messages Langfuse shows as text, with thinking and calls of tools beside it, as chat-view.ndjson has it. */

type Json = { readonly [key: string]: unknown }

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

const isTexts = (value: Json, ...keys: ReadonlyArray<string>): boolean =>
  keys.every((key) => typeof value[key] === "string")

/** The accepted parts of a content. */
const parts: { readonly [type: string]: (part: Json) => boolean } = {
  text: (part) => isTexts(part, "text"),
  output_text: (part) => isTexts(part, "text"),
  image_url: ({ image_url: image }) => isObject(image) && isTexts(image, "url")
}

const isPart = (part: unknown): boolean =>
  isObject(part) && typeof part["type"] === "string" && parts[part["type"]]?.(part) === true

/** Text of JSON is shown as what it says. */
const isJson = (text: string): boolean => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null
  } catch {
    return false
  }
}

/** Whether the content is shown as text or images, and not as a table of JSON. The result of a tool always is. */
export const isShown = ({ content, role, tool_call_id: id }: Json): boolean =>
  role === "tool" && id !== undefined || content === undefined || content === null ||
  (typeof content === "string" ? !isJson(content) : Array.isArray(content) && content.every(isPart))

const isThought = (value: unknown): boolean =>
  isObject(value) && value["type"] === "thinking" && isTexts(value, "content")

export const hasThinking = ({ thinking }: Json): boolean =>
  Array.isArray(thinking) && thinking.length > 0 && thinking.every(isThought)

export const isToolCall = (call: unknown): boolean => {
  if (!isObject(call) || !isTexts(call, "id", "type")) return false
  const { function: called } = call
  return isObject(called) && isTexts(called, "name", "arguments")
}

/** Messages of an input or an output, `undefined` where Langfuse finds none. */
export const messagesIn = (value: unknown): ReadonlyArray<Json> | undefined => {
  if (Array.isArray(value)) {
    return value.every((each) => isObject(each) && ("role" in each || "content" in each)) ? value : undefined
  }
  if (!isObject(value)) return undefined
  if ("messages" in value) return messagesIn(value["messages"])
  return "role" in value || "content" in value ? [value] : undefined
}
