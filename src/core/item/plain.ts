/**
 * The fast way from a value to JSON text. Values are nearly always plain data, and then the engine's own `JSON.stringify` is
 * right and quickest: it is only made sure that they are.
 */
import { read, type Readable } from "./builtin.js"
import { cleanAddress, type Keys, type Kind } from "./redact.js"
import { isWellFormed } from "./text.js"

export const maxDepth = 200
/** From here on a run of holes in an array is one note rather than as many nulls. */
export const maxHoles = 1024

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
  switch (kindOfField(keys, value, key, field)) {
    case "text":
      return true
    case "address":
      return typeof field === "string" ? cleanAddress(field) === field : !Array.isArray(field)
    case "secret":
    case "pairs":
    case "parameters":
      return typeof field !== "string" && !Array.isArray(field)
    case "left out":
      return false
  }
}

/** `[name, value]`, as header fields come. */
export const isSecretPair = (keys: Keys, value: ReadonlyArray<unknown>): boolean => {
  if (value.length !== 2) return false
  const name: unknown = value[0]
  return typeof name === "string" && keys.isSpecial(name) && keys.kindOf(name) === "secret"
}

/** `pairs`: names and values by turns; `parameters`: pairs of a query; `left out`: not written. */
export type FieldKind = Kind | "pairs" | "parameters" | "left out"

export const kindOfField = (keys: Keys, value: object, key: string, field: unknown): FieldKind => {
  // What marks the messages and parts of `@effect/ai` as its own.
  if (key.charCodeAt(0) === 0x7e) return field === key ? "left out" : keys.kindOf(key)
  // As Node lists header fields, and as HAR does.
  if (key === "rawHeaders") return "pairs"
  if (key === "urlParams") return "parameters"
  if (key === "value") {
    const name = read(value, "name") ?? read(value, "key")
    return typeof name === "string" && keys.kindOf(name) === "secret" ? "secret" : keys.kindOf(key)
  }
  return keys.kindOf(key)
}
