/** Reading what stands on spans, where anything may: nothing in here throws. */
import { isList, read } from "./object.js"

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
