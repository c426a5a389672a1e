/** How the language's and the web's own objects are written, where `JSON.stringify` says nothing of them or too much. */
import { read } from "./object.js"
import { cleanAddress, cleanParameters } from "./redact.js"
import { take } from "./text.js"

/** What a value is written as: another value, which is looked at in its turn. */
export interface Readable {
  readonly value: unknown
  /** It says why something failed: the texts in it lose the credentials of addresses. */
  readonly isSaid?: boolean
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
  if (isError(value)) return saidBy(value)
  return web(value) ?? nothingToSee(value)
}

const web = (value: object): Readable | undefined => {
  switch (tagOf(value)) {
    case "Headers":
      return is<Headers>(value, "Headers") ? { value: new Entries(value, 0) } : undefined
    case "URLSearchParams":
      return is<URLSearchParams>(value, "URLSearchParams") ? { value: parametersText(value) } : undefined
    case "FormData":
      return is<FormData>(value, "FormData") ? { value: new Members(value, 0) } : undefined
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

const maxParameters = 1000

const parametersText = (parameters: URLSearchParams): string => {
  const size = Number(read(parameters, "size"))
  if (!(size > maxParameters)) return cleanParameters(String(parameters))
  const first: Array<[string, string]> = []
  for (const pair of parameters) if (first.push(pair) === maxParameters) break
  return `${cleanParameters(String(new URLSearchParams(first)))}<${size - maxParameters} more parameters>`
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
 * The fields of an error, also those that cannot be enumerated; `json` is what its `toJSON` gave. Its stack is left out: it is
 * long and says more about the machine than about the failure.
 */
export const saidBy = (error: object, json: object = error): Readable => {
  const keys = new Set(["name", "message"])
  if ("cause" in error) keys.add("cause")
  if ("errors" in error) keys.add("errors")
  for (const key of Object.keys(json)) keys.add(key)
  keys.delete("stack")
  // How Effect's own errors name their type, which is their name.
  if (keys.has("_id") && read(json, "_id") === read(error, "name")) keys.delete("_id")
  const field = (key: string): unknown => {
    const own = read(json, key)
    return own === undefined ? read(error, key) : own
  }
  return { value: new Entries(mapped(keys, (key) => [key, field(key)]), keys.size), isSaid: true }
}

function* mapped<A, B>(items: Iterable<A>, f: (item: A) => B): Iterable<B> {
  for (const item of items) yield f(item)
}
