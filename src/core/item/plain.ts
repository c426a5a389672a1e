/**
 * The fast way from a value to JSON text. Values are nearly always plain data, and then the engine's own `JSON.stringify` is
 * right and quickest: it is only made sure that they are.
 */
import { type Readable } from "./builtin.js"
import { read } from "./object.js"
import { cleanAddress, isSecretParameter, type Keys, type Kind } from "./redact.js"
import { isWellFormed } from "./text.js"

export const maxDepth = 200
/** From here on a run of holes in an array is one note rather than as many nulls. */
export const maxHoles = 1024

export const notes = {
  object: "<unreadable: the object threw>",
  toJSON: "<unreadable: toJSON threw>",
  bigint: "<bigint of more than 16384 bits>",
  depth: `<too deep: more than ${maxDepth} levels>`,
  value: "<unreadable>",
  cut: "<cut>"
} as const

/** Effect's own way for an object to say what may be shown of it. */
const redactable = Symbol.for("effect/Inspectable/Redactable")

/** How values are read. */
export interface Reading {
  readonly keys: Keys
  readonly readable: (value: object) => Readable | undefined
  /** Characters. Of a value that takes more only the first and the last parts are looked at and written. */
  readonly limit: number
}

/** What is left of the limits. */
export class Check {
  readonly keys: Keys
  length: number
  nodes: number

  constructor(keys: Keys, limit: number) {
    this.keys = keys
    this.length = limit
    // With its comma no value takes less than two characters.
    this.nodes = limit / 2 + 1000
  }

  get isOver(): boolean {
    return this.length < 0 || this.nodes < 0
  }
}

/** `undefined` for what is not plain. */
export const plainly = (value: object, check: Check, depth: number): string | undefined => {
  try {
    if (!isPlain(check, value, depth)) return undefined
    const text: unknown = JSON.stringify(value)
    return typeof text === "string" ? text : undefined
  } catch {
    // A getter, a proxy, or text longer than the engine allows: the careful way isolates it.
    return undefined
  }
}

/**
 * Whether `JSON.stringify` writes just what the careful way would. Code of the program (a getter, a proxy) may answer
 * differently the next time; the engine then writes other valid JSON or throws, both of which are fine.
 */
const isPlain = (check: Check, value: object, depth: number): boolean => {
  // Also how a cycle ends: the first way into one leads straight here.
  if (depth >= maxDepth || (value as { readonly toJSON?: unknown }).toJSON !== undefined) return false
  if (Array.isArray(value)) {
    const length = value.length
    if (length > check.nodes) check.nodes = -1
    if (check.nodes < 0 || isSecretPair(check.keys, value)) return false
    for (let i = 0; i < length; i++) {
      const item: unknown = value[i]
      if (item === undefined ? length > maxHoles : !isPlainValue(check, item, depth + 1)) return false
    }
    return true
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  if ((value as { readonly [redactable]?: unknown })[redactable] !== undefined) return false
  // With these prototypes `in` sees own keys only, and unlike Object.keys it allocates nothing.
  for (const key in value) {
    const field = (value as Record<string, unknown>)[key]
    check.length -= key.length
    if (check.length < 0 || !isWellFormed(key) || !isPlainValue(check, field, depth + 1)) return false
    if (check.keys.isSpecial(key) && !isOpen(check.keys, value, key, field)) return false
  }
  return true
}

const isPlainValue = (check: Check, value: unknown, depth: number): boolean => {
  if (--check.nodes < 0) return false
  switch (typeof value) {
    case "string":
      check.length -= value.length
      return check.length >= 0 && isWellFormed(value)
    case "object":
      return value === null || isPlain(check, value, depth)
    case "number":
      return Number.isFinite(value)
    case "boolean":
    case "undefined":
      return true
    default:
      return false
  }
}

/** Whether the field, though of a special name, is written as it is. */
const isOpen = (keys: Keys, value: object, key: string, field: unknown): boolean => {
  const kind = kindOfField(keys, (name) => read(value, name), key, field)
  if (kind === "text" || field === null) return true
  if (kind === "address" && typeof field === "string") return cleanAddress(field) === field
  return kind !== "left out" && typeof field !== "string" && typeof field !== "object"
}

/** `[name, value]`, as header fields come. */
export const isSecretPair = (keys: Keys, value: ReadonlyArray<unknown>): boolean => {
  if (value.length !== 2) return false
  const name: unknown = value[0]
  return typeof name === "string" && keys.isSpecial(name) && keys.kindOf(name) === "secret"
}

/** `pairs`: names and values by turns, or in one text; `parameters`: those of a query; `left out`: not written. */
export type FieldKind = Kind | "pairs" | "parameters" | "left out"

/** What clients of HTTP and databases call the address that the other fields belong to. */
const besides = ["host", "hostname", "url", "baseURL", "href", "origin"]

/** The kind of a field by its name and what stands beside it. */
const kindOfField = (
  keys: Keys,
  get: (name: string) => unknown,
  key: string,
  field: unknown
): FieldKind => {
  const kind = keys.kindOf(key)
  if (kind !== "text") return kind
  // What marks the messages and parts of `@effect/ai` as its own.
  if (key.charCodeAt(0) === 0x7e) return field === key ? "left out" : "text"
  switch (key) {
    case "rawHeaders":
    case "rawTrailers":
      return "pairs"
    case "headers":
      return typeof field === "string" || Array.isArray(field) ? "pairs" : "text"
    case "urlParams":
    case "searchParams":
    case "queryString":
      return "parameters"
    case "value": {
      const name = get("name") ?? get("key")
      return typeof name === "string" ? keys.kindOf(name) : "text"
    }
    case "params":
    case "query":
    case "qs":
      return isBeside(get) ? "parameters" : "text"
    case "path":
    case "hash":
      return isBeside(get) ? "address" : "text"
    case "auth":
    case "password":
      return isBeside(get) ? "secret" : "text"
    default:
      return "text"
  }
}

const isBeside = (get: (name: string) => unknown): boolean => besides.some((name) => get(name) !== undefined)

/** The kind of a field of an object that is itself of a kind. */
export const kindWithin = (
  kind: FieldKind,
  keys: Keys,
  get: (name: string) => unknown,
  key: string,
  field: unknown
): FieldKind => {
  const own = keys.isSpecial(key) ? kindOfField(keys, get, key, field) : "text"
  if (own === "left out") return own
  switch (kind) {
    case "secret":
      return kind
    case "address":
    case "said":
      return own === "text" ? kind : own
    case "parameters":
      return isSecretParameter(key === "value" ? get("name") ?? get("key") : key) ? "secret" : own
    default:
      return own
  }
}
