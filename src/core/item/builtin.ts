/** How the language's and the web's own objects are written, where `JSON.stringify` says nothing of them or too much. */
import { cleanAddress, cleanParameters, cleanText } from "./redact.js"
import { take } from "./text.js"

/** What a value is written as: another value, which is looked at in its turn. */
export interface Readable {
  readonly value: unknown
}

/** A list that need not be in memory. */
export class Members {
  readonly items: Iterable<unknown>
  readonly size: number

  constructor(items: Iterable<unknown>, size: number) {
    this.items = items
    this.size = size
  }
}

/** An object where all keys are texts, else a list of pairs. */
export class Entries {
  readonly items: Iterable<readonly [unknown, unknown]>
  readonly size: number

  constructor(items: Iterable<readonly [unknown, unknown]>, size: number) {
    this.items = items
    this.size = size
  }
}

const getterNote = "<unreadable: the getter threw>"

export const read = (value: object, key: string | number): unknown => {
  try {
    return (value as Record<string | number, unknown>)[key]
  } catch {
    return getterNote
  }
}

const tagOf = (value: object): string => {
  try {
    return take(Object.prototype.toString.call(value).slice(8, -1), 100)
  } catch {
    return "Object"
  }
}

/** Asked only for objects that say that they are one: Node loads its web classes when they are first named. */
const is = <A>(value: object, name: string): value is A & object => {
  const type: unknown = Reflect.get(globalThis, name)
  return typeof type === "function" && value instanceof type
}

/** What goes before a `toJSON` of the value's own. */
export const beforeToJson = (value: object): Readable | undefined => {
  // Node's Buffer makes an array of a million numbers.
  if (ArrayBuffer.isView(value)) return { value: `<${tagOf(value)} ${value.byteLength} bytes>` }
  if (value instanceof Date) {
    return Number.isNaN(Date.prototype.getTime.call(value))
      ? { value: "<invalid date>" }
      : undefined
  }
  return tagOf(value) === "URL" && is<URL>(value, "URL") ? { value: cleanAddress(value.href) } : undefined
}

/** What goes after it. `undefined`: the object is its properties. */
export const builtin = (value: object): Readable | undefined => {
  if (value instanceof Map) {
    const size = Number(Reflect.get(Map.prototype, "size", value))
    return { value: new Entries({ [Symbol.iterator]: () => Map.prototype.entries.call(value) }, size) }
  }
  if (value instanceof Set) {
    const size = Number(Reflect.get(Set.prototype, "size", value))
    return { value: new Members({ [Symbol.iterator]: () => Set.prototype.values.call(value) }, size) }
  }
  if (value instanceof Number) return { value: Number.prototype.valueOf.call(value) }
  if (value instanceof String) return { value: String.prototype.valueOf.call(value) }
  if (value instanceof Boolean) return { value: Boolean.prototype.valueOf.call(value) }
  if (value instanceof BigInt) return { value: BigInt.prototype.valueOf.call(value) }
  if (value instanceof Symbol) return { value: Symbol.prototype.valueOf.call(value) }
  if (value instanceof RegExp) return { value: RegExp.prototype.toString.call(value) }
  if (isError(value)) return { value: fieldsOf(value) }
  return web(value) ?? nothingToSee(value)
}

const web = (value: object): Readable | undefined => {
  switch (tagOf(value)) {
    case "Headers":
      return is<Headers>(value, "Headers") ? { value: Object.fromEntries(value) } : undefined
    case "URLSearchParams":
      return is<URLSearchParams>(value, "URLSearchParams") ? { value: cleanParameters(String(value)) } : undefined
    case "FormData":
      return is<FormData>(value, "FormData") ? { value: Array.from(value) } : undefined
    case "Blob":
    case "File":
      return is<Blob>(value, "Blob") ? { value: blobNote(value) } : undefined
    case "Request":
      return is<Request>(value, "Request")
        ? { value: { method: value.method, url: value.url, headers: value.headers } }
        : undefined
    case "Response":
      return is<Response>(value, "Response")
        ? { value: { status: value.status, statusText: value.statusText, url: value.url, headers: value.headers } }
        : undefined
    default:
      return undefined
  }
}

const blobNote = (blob: Blob): string => {
  const name = tagOf(blob) === "File" ? read(blob, "name") : undefined
  return `<${[tagOf(blob), name, blob.type].filter(Boolean).join(" ")} ${blob.size} bytes>`
}

/** Nothing of a promise, a stream or a buffer is data: its kind says more than `{}`. */
const nothingToSee = (value: object): Readable | undefined => {
  const tag = tagOf(value)
  if (tag === "Object" || Array.isArray(value) || Object.keys(value).length > 0) return undefined
  const size: unknown = tag.endsWith("ArrayBuffer") ? read(value, "byteLength") : undefined
  return { value: typeof size === "number" ? `<${tag} ${size} bytes>` : `<${tag}>` }
}

export const isError = (value: object): boolean => value instanceof Error || tagOf(value) === "Error"

/**
 * The fields of an error, also those that cannot be enumerated. Its stack is left out: it is long and says more about the
 * machine than about the failure. Texts are without credentials.
 */
export const fieldsOf = (error: object, json: object = error): Record<string, unknown> => {
  const keys = new Set(["name", "message"])
  if ("cause" in error) keys.add("cause")
  if ("errors" in error) keys.add("errors")
  for (const key of Object.keys(json)) keys.add(key)
  keys.delete("stack")
  // How Effect's own errors name their type, which is their name.
  if (keys.has("_id") && read(json, "_id") === read(error, "name")) keys.delete("_id")
  const fields = Object.create(null) as Record<string, unknown> // where even __proto__ is an ordinary key
  for (const key of keys) {
    const own = read(json, key)
    const field = own === undefined ? read(error, key) : own
    fields[key] = typeof field === "string" ? cleanText(field) : field
  }
  return fields
}
