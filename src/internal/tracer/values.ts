/**
 * Values as span attributes, and back. An attribute is text, a number or a boolean under every tracer; anything else is
 * on it as JSON text, written when the attribute is set, so that it shows what the value was then.
 */
import { notes, stringify } from "../json.js"
import { JsonText } from "../snapshot.js"
import { isWellFormed } from "../utf8.js"

export type AttributeValue = string | number | boolean

/** `undefined` for what is not worth an attribute. Never throws. */
export const toAttribute = (value: unknown): AttributeValue | undefined => {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value
    case "number":
      return Number.isFinite(value) ? value : String(value)
    case "undefined":
      return undefined
    default: {
      if (value === null) return undefined
      const text = stringify(value)
      // What JSON writes as a string (a date, a secret's placeholder) is that string.
      return text.charCodeAt(0) === 0x22 ? JSON.parse(text) as string : text
    }
  }
}

/** The JSON text of an object or a list; `undefined` for anything else, and for what is written as something else. */
export const toJson = (value: unknown): string | undefined => {
  if (typeof value !== "object" || value === null) return undefined
  const text = stringify(value)
  const first = text.charCodeAt(0)
  return first === 0x7b || first === 0x5b ? text : undefined
}

const looksLikeJson = (text: string): boolean => {
  const first = text.charCodeAt(0)
  if (first === 0x7b || first === 0x5b) return true
  return first <= 0x20 && /^\s*[[{]/.test(text)
}

const surrogate = /\\u[dD]/

/** JSON that decodes to half a character may not survive the servers' databases. */
const isClean = (text: string): boolean => isWellFormed(text) && !surrogate.test(text)

/** The value of text that is the JSON of an object or a list; other text, and anything else, as it is. */
export const parsed = (value: unknown): unknown => {
  if (typeof value !== "string" || !looksLikeJson(value)) return value
  try {
    return JSON.parse(value) as unknown
  } catch {
    return value
  }
}

/** The same for values that may be large: the text is checked, and becomes part of the event as it is. */
export const content = (value: unknown): unknown => {
  if (typeof value !== "string" || !looksLikeJson(value)) return value
  try {
    const json: unknown = JSON.parse(value)
    return isClean(value) ? new JsonText(value) : json
  } catch {
    return value
  }
}

export interface Fields {
  [name: string]: unknown
}

/** `Array.isArray` throws for a proxy that was revoked. */
export const isList = (value: unknown): value is ReadonlyArray<unknown> => {
  try {
    return Array.isArray(value)
  } catch {
    return false
  }
}

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !isList(value)

export const isPlainRecord = (value: unknown): value is Fields => {
  try {
    if (!isFields(value)) return false
    const prototype: unknown = Object.getPrototypeOf(value)
    return prototype === Object.prototype || prototype === null
  } catch {
    return false
  }
}

/** Sets a field whatever its name: plain assignment to `__proto__` would not make one. */
export const put = (fields: Fields, name: string, value: unknown): void => {
  if (name === "__proto__") {
    Object.defineProperty(fields, name, { value, enumerable: true, configurable: true, writable: true })
  } else fields[name] = value
}

/** Text of a scalar; `undefined` for anything that is not one, or empty. */
export const text = (value: unknown): string | undefined => {
  if (typeof value === "string") return value === "" ? undefined : value
  return typeof value === "number" || typeof value === "boolean" || typeof value === "bigint"
    ? String(value)
    : undefined
}

const number = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i

/** A finite number, or the text of one: some instrumentations write numbers as text. */
export const finite = (value: unknown): number | undefined => {
  const parsed = typeof value === "string" && number.test(value)
    ? Number(value)
    : typeof value === "bigint"
    ? Number(value)
    : value
  return typeof parsed === "number" && Number.isFinite(parsed) ? parsed : undefined
}

/** Texts from a list of them, its JSON, or texts separated by commas. */
export const texts = (value: unknown): ReadonlyArray<string> => {
  const list = parsed(value)
  const items: ReadonlyArray<unknown> = isList(list)
    ? list
    : typeof list === "string"
    ? list.split(",").map((item) => item.trim())
    : []
  const out = new Set<string>()
  for (const item of items) {
    const one = text(item)
    if (one !== undefined) out.add(one)
  }
  return [...out]
}

/** Reads a property of an object that may have a getter, or be one that refuses. */
export const read = (value: object, key: string): unknown => {
  try {
    return (value as Fields)[key]
  } catch {
    return notes.getter
  }
}

/** A copy of a record's own fields. Never throws. */
export const copy = (record: unknown): Fields => {
  const out: Fields = {}
  try {
    if (typeof record === "object" && record !== null) {
      for (const key of Object.keys(record)) put(out, key, read(record, key))
    }
  } catch {
    // A proxy that refuses to tell its keys.
  }
  return out
}
