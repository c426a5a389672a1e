/** Prompts of `@effect/ai` as their messages. The package is optional, so they are known by their marks. */
import type { Readable } from "../core/item/builtin.js"
import { read } from "../core/item/object.js"

const promptMark = "~@effect/ai/Prompt"
const messageMark = "~effect/ai/Prompt/Message"
const partMark = "~effect/ai/Prompt/Part"

export const prompt = (value: object): Readable | undefined => {
  if (!(promptMark in value)) return undefined
  const messages = read(value, "content")
  return { value: Array.isArray(messages) ? messages.map(messageOf) : messages }
}

const messageOf = (message: unknown): unknown => {
  if (typeof message !== "object" || message === null || !(messageMark in message)) return message
  const content = read(message, "content")
  const parts = Array.isArray(content) ? content.map(partOf) : content
  return withoutMarks(
    message,
    messageMark,
    Array.isArray(parts) && parts.length === 1 ? textOf(parts[0]) ?? parts : parts
  )
}

const partOf = (part: unknown): unknown =>
  typeof part === "object" && part !== null && partMark in part ? withoutMarks(part, partMark) : part

const textOf = (part: unknown): string | undefined => {
  if (typeof part !== "object" || part === null) return undefined
  const text = read(part, "text")
  return read(part, "type") === "text" && Object.keys(part).length === 2 && typeof text === "string" ? text : undefined
}

/** Options are for the provider, and nearly always empty. */
const withoutMarks = (value: object, mark: string, content?: unknown): object =>
  Object.fromEntries(
    Object.keys(value)
      .map((
        key
      ): readonly [string, unknown] => [key, key === "content" && content !== undefined ? content : read(value, key)])
      .filter(([key, field]) => key !== mark && !(key === "options" && isEmpty(field)))
  )

const isEmpty = (value: unknown): boolean =>
  typeof value === "object" && value !== null && Object.keys(value).length === 0
