/** Reading what stands on spans, where anything may: nothing in here throws. */
import { read } from "./builtin.js"

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

/** Sets a field whatever its name: plain assignment to `__proto__` would not make one. */
export const put = (fields: Fields, name: string, value: unknown): void => {
  if (name === "__proto__") {
    Object.defineProperty(fields, name, { value, enumerable: true, configurable: true, writable: true })
  } else fields[name] = value
}

/** A copy of a record's own fields. */
export const copyOf = (record: unknown): Fields => {
  const out: Fields = {}
  if (!isFields(record)) return out
  try {
    for (const key of Object.keys(record)) put(out, key, read(record, key))
  } catch {
    // A proxy that refuses to tell its keys.
  }
  return out
}

/** Text of a scalar; `undefined` for anything that is not one, or empty, or `false`, by which programs mean none. */
export const textOf = (value: unknown): string | undefined => {
  if (typeof value === "string") return value === "" ? undefined : value
  return typeof value === "number" || value === true || typeof value === "bigint"
    ? String(value)
    : undefined
}

const number = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i

/** A finite number, or the text of one: some instrumentations write numbers as text. */
export const numberOf = (value: unknown): number | undefined => {
  const read = typeof value === "string" && number.test(value) || typeof value === "bigint" ? Number(value) : value
  return typeof read === "number" && Number.isFinite(read) ? read : undefined
}

/** The value of text that is the JSON of an object or a list; other text, and anything else, as it is. */
export const parsed = (value: unknown): unknown => {
  if (typeof value !== "string") return value
  let at = 0
  while (value.charCodeAt(at) <= 0x20) at++
  const first = value.charCodeAt(at)
  if (first !== 0x7b && first !== 0x5b) return value
  try {
    const json: unknown = JSON.parse(value)
    return json
  } catch {
    return value
  }
}

/** Texts from a list of them, its JSON, or texts separated by commas; each once. */
export const textsOf = (value: unknown): ReadonlyArray<string> => {
  const given = parsed(value)
  const list: ReadonlyArray<unknown> = isList(given)
    ? given
    : typeof given === "string"
    ? given.split(",").map((item) => item.trim())
    : [typeof value === "string" ? value : given]
  const out: Array<string> = []
  for (let i = 0; i < list.length; i++) {
    const one = textOf(read(list, String(i)))
    if (one !== undefined && !out.includes(one)) out.push(one)
  }
  return out
}
