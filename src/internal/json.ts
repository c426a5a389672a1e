/**
 * JSON text of any value whatsoever: what agents trace is not always what `JSON.stringify` takes.
 *
 * Never throws and always gives valid JSON. What JSON cannot hold is replaced, each value on its own, by a readable note
 * between angle brackets; the text of an exception met on the way is never part of it. It always ends, as long as the code
 * of the program that it has to run (getters, proxies, `toJSON`) does.
 */
import * as Redacted from "effect/Redacted"
import { isWellFormed, take, toWellFormed } from "./utf8.js"

/**
 * Where a monstrous value ends. Both are approximate by one value's size.
 */
export interface Limits {
  /** Characters of text. Default 20 000 000. */
  readonly maxLength?: number | undefined
  /** Values of any kind, counted again each time they are reached. Default 2 000 000. */
  readonly maxNodes?: number | undefined
}

const MAX_LENGTH = 20_000_000
const MAX_NODES = 2_000_000
const MAX_DEPTH = 200
/** From here on a run of holes in an array is one note rather than as many nulls. */
const MAX_HOLES = 1024
const MAX_BIGINT = 1n << 16_384n

/**
 * What replaces a value that cannot be written.
 */
export const notes = {
  redacted: "<redacted>",
  getter: "<unreadable: the getter threw>",
  object: "<unreadable: the object threw>",
  toJSON: "<unreadable: toJSON threw>",
  date: "<invalid date>",
  bigint: "<bigint of more than 16384 bits>",
  depth: `<too deep: more than ${MAX_DEPTH} levels>`,
  value: "<unreadable>",
  cut: "<cut>"
} as const

/**
 * A string as JSON text, lone surrogates replaced by U+FFFD.
 */
export const quote = (text: string): string =>
  text.length < 48 && simple.test(text)
    ? `"${text}"`
    : JSON.stringify(isWellFormed(text) ? text : toWellFormed(text))

// Printable ASCII that JSON does not escape: for keys and ids, quicker than asking the engine.
const simple = /^[ !#-[\]-~]*$/

/**
 * A value as JSON text. `undefined` at the top is `null`.
 */
export const stringify = (value: unknown, limits?: Limits): string => plainly(value, limits) ?? carefully(value, limits)

/**
 * What `stringify` gives for a copy of the object without some of its fields, when all the others are plain.
 */
export const stringifyWithout = (
  value: object,
  left: ReadonlySet<string>,
  limits?: Limits
): string | undefined => {
  const check = new Check(limits)
  try {
    let text = "{"
    for (const key of Object.keys(value)) {
      if (left.has(key)) continue
      const property = (value as Record<string, unknown>)[key]
      if (!isPlainField(check, key, property, 1)) return undefined
      if (property !== undefined) text += `${text === "{" ? "" : ","}${quote(key)}:${textOfPlain(property)}`
    }
    return `${text}}`
  } catch {
    return undefined
  }
}

const textOfPlain = (value: unknown): string =>
  typeof value === "string" ? quote(value) : JSON.stringify(value) ?? "null"

// ---------------------------------------------------------------------------------------------------------------------
// The fast way: payloads are nearly always plain data, and then the engine's own JSON.stringify is right and quickest.
// ---------------------------------------------------------------------------------------------------------------------

/** What is left of the limits. */
class Check {
  length: number
  nodes: number

  constructor(limits: Limits | undefined) {
    this.length = limits?.maxLength ?? MAX_LENGTH
    this.nodes = limits?.maxNodes ?? MAX_NODES
  }
}

/** `undefined` for what is not plain. */
const plainly = (value: unknown, limits: Limits | undefined): string | undefined => {
  const check = new Check(limits)
  try {
    if (typeof value === "string") return value.length <= check.length ? quote(value) : undefined
    if (typeof value !== "object" || value === null || !isPlain(check, value, 0)) return undefined
    const text: unknown = JSON.stringify(value)
    return typeof text === "string" ? text : undefined
  } catch {
    // A getter, a proxy, or text longer than the engine allows: the careful way isolates it.
    return undefined
  }
}

/**
 * Whether `JSON.stringify` gives for this value just what the careful way would. Code of the program (a getter, a proxy) may
 * answer differently the next time it is asked; the engine then gives other valid JSON or throws, both of which are fine.
 */
const isPlain = (check: Check, value: object, depth: number): boolean => {
  // Also how a cycle ends: the first way into one leads straight here.
  if (depth >= MAX_DEPTH) return false
  if ((value as { readonly toJSON?: unknown }).toJSON !== undefined) return false
  if (Array.isArray(value)) {
    const length = value.length
    if (length > check.nodes) return false
    for (let i = 0; i < length; i++) {
      const item: unknown = value[i]
      if (item === undefined ? length > MAX_HOLES : !isPlainValue(check, item, depth + 1)) return false
    }
  } else {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) return false
    // With these prototypes `in` sees own keys only, and unlike Object.keys it allocates nothing.
    for (const key in value) {
      // An object is only looked at here, by whatever keys it has.
      if (!isPlainField(check, key, (value as Record<string, unknown>)[key], depth + 1)) return false
    }
  }
  return true
}

const isPlainField = (check: Check, key: string, value: unknown, depth: number): boolean => {
  check.length -= key.length
  return check.length >= 0 && isWellFormed(key) && isPlainValue(check, value, depth)
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

// ---------------------------------------------------------------------------------------------------------------------
// The careful way: every property is read once, inside a try.
// ---------------------------------------------------------------------------------------------------------------------

const carefully = (value: unknown, limits: Limits | undefined): string => {
  const { length, nodes } = new Check(limits)
  const out: Out = { text: "", nodes, maxLength: length, ancestors: [], path: [] }
  try {
    return write(out, value) ? out.text : "null"
  } catch {
    // The stack or the memory of the program ended here.
    return `"${notes.value}"`
  }
}

interface Out {
  text: string
  nodes: number
  readonly maxLength: number
  readonly ancestors: Array<object>
  readonly path: Array<string | number>
}

const isSpent = (out: Out): boolean => out.nodes <= 0 || out.text.length >= out.maxLength

const note = (out: Out, text: string): true => {
  out.text += quote(text)
  return true
}

/**
 * Appends the value, or nothing and `false` for `undefined`.
 */
const write = (out: Out, value: unknown): boolean => {
  out.nodes--
  switch (typeof value) {
    case "undefined":
      return false
    case "string":
      return writeString(out, value)
    case "boolean":
      out.text += value ? "true" : "false"
      return true
    case "number":
      out.text += Number.isFinite(value) ? `${value}` : `"${value}"`
      return true
    case "bigint":
      // Decimal digits cost more than linear time.
      return note(out, value > MAX_BIGINT || value < -MAX_BIGINT ? notes.bigint : `${value}n`)
    case "symbol":
      return note(out, `<${take(String(value), 100)}>`)
    case "function":
      return note(out, functionNote(value))
    case "object":
      if (value === null) {
        out.text += "null"
        return true
      }
      return writeObject(out, value)
  }
}

const writeString = (out: Out, value: string): true => {
  const room = Math.max(0, out.maxLength - out.text.length)
  return note(out, value.length <= room ? value : cutAt(value, room))
}

const cutAt = (text: string, length: number): string => {
  const kept = take(text, length)
  return `${kept}<${text.length - kept.length} more characters>`
}

const functionNote = (value: unknown): string => {
  try {
    const name: unknown = (value as { readonly name?: unknown }).name
    return typeof name === "string" && name !== "" ? `<function ${take(name, 100)}>` : "<function>"
  } catch {
    return "<function>"
  }
}

const writeObject = (out: Out, value: object): boolean => {
  const ancestor = out.ancestors.indexOf(value)
  if (ancestor >= 0) return note(out, `<circular: ${pathTo(out, ancestor)}>`)
  if (out.ancestors.length >= MAX_DEPTH) return note(out, notes.depth)
  const depth = out.ancestors.length
  const length = out.path.length
  const before = out.text
  out.ancestors.push(value)
  try {
    return writeKind(out, value)
  } catch {
    // What the properties throw is caught where they are read: here the object itself refused, or the stack ended.
    out.text = before
    return note(out, notes.object)
  } finally {
    out.ancestors.length = depth
    out.path.length = length
  }
}

/**
 * One step is pushed for each object below the first, so an ancestor's path is as long as its place is deep.
 */
const pathTo = (out: Out, ancestor: number): string => {
  let path = "$"
  for (const step of out.path.slice(0, ancestor)) {
    path += typeof step === "number" ? `[${step}]` : `.${take(step, 50)}`
    if (path.length > 200) return `${take(path, 200)}...`
  }
  return path
}

const writeKind = (out: Out, value: object): boolean => {
  if (Redacted.isRedacted(value)) return note(out, notes.redacted)
  // Before toJSON: that of Node's Buffer makes an array of a million numbers.
  if (ArrayBuffer.isView(value)) return note(out, `<${tagOf(value)} ${value.byteLength} bytes>`)
  if (value instanceof Date && Number.isNaN(Date.prototype.getTime.call(value))) return note(out, notes.date)
  let json: unknown = value
  try {
    const toJSON: unknown = (value as { readonly toJSON?: unknown }).toJSON
    if (typeof toJSON === "function") json = toJSON.call(value, String(out.path.at(-1) ?? ""))
  } catch {
    return note(out, notes.toJSON)
  }
  if (json !== value) {
    // `toJSON` of the answer is asked too: it may be what hides a secret. An endless chain ends at the depth limit.
    out.path.push("toJSON()")
    return write(out, json)
  }
  return Array.isArray(value) ? writeArray(out, value) : writeSpecial(out, value)
}

const tagOf = (value: object): string => {
  try {
    return take(Object.prototype.toString.call(value).slice(8, -1), 100)
  } catch {
    return "Object"
  }
}

const writeSpecial = (out: Out, value: object): boolean => {
  if (value instanceof Map) return writeMap(out, value)
  if (value instanceof Set) return writeArray(out, membersOf(out, value), sizeOf(value))
  if (value instanceof Number) return write(out, Number.prototype.valueOf.call(value))
  if (value instanceof String) return write(out, String.prototype.valueOf.call(value))
  if (value instanceof Boolean) return write(out, Boolean.prototype.valueOf.call(value))
  if (value instanceof BigInt) return write(out, BigInt.prototype.valueOf.call(value))
  if (value instanceof Symbol) return write(out, Symbol.prototype.valueOf.call(value))
  if (value instanceof RegExp) return write(out, RegExp.prototype.toString.call(value))
  const tag = tagOf(value)
  if (tag === "Error" || value instanceof Error) return writeProperties(out, value, errorKeys(value))
  const keys = Object.keys(value)
  if (keys.length === 0 && tag !== "Object") {
    // Nothing of it is data: a promise, a stream, a blob. Its kind says more than `{}`.
    const size: unknown = tag.endsWith("ArrayBuffer")
      ? (value as { readonly byteLength?: unknown }).byteLength
      : undefined
    return note(out, typeof size === "number" ? `<${tag} ${size} bytes>` : `<${tag}>`)
  }
  return writeProperties(out, value, keys)
}

/** No stack: it is long, and it says more about the machine than about the failure. */
const errorKeys = (error: object): ReadonlyArray<string> => {
  const keys = new Set(["name", "message"])
  if ("cause" in error) keys.add("cause")
  if ("errors" in error) keys.add("errors")
  for (const key of Object.keys(error)) keys.add(key)
  keys.delete("stack")
  return Array.from(keys)
}

const writeProperties = (out: Out, value: object, keys: ReadonlyArray<string>): true => {
  out.text += "{"
  let first = true
  for (let i = 0; i < keys.length; i++) {
    if (isSpent(out)) {
      writeRest(out, first, keys.length - i)
      break
    }
    const key = keys[i] as string // below the length
    if (writeEntry(out, first, key, read(value, key))) first = false
  }
  out.text += "}"
  return true
}

const read = (value: object, key: string | number): unknown => {
  try {
    return (value as Record<string | number, unknown>)[key]
  } catch {
    return notes.getter
  }
}

const writeEntry = (out: Out, first: boolean, key: string, value: unknown): boolean => {
  const before = out.text
  const room = Math.max(0, out.maxLength - before.length)
  const name = quote(key.length <= room ? key : cutAt(key, room))
  out.text += first ? `${name}:` : `,${name}:`
  out.path.push(key)
  const written = write(out, value)
  out.path.pop()
  if (!written) out.text = before
  return written
}

const writeItem = (out: Out, first: boolean, index: number, value: unknown): void => {
  if (!first) out.text += ","
  out.path.push(index)
  if (!write(out, value)) out.text += "null"
  out.path.pop()
}

/** What the limits leave out, in an object and in an array. */
const writeRest = (out: Out, first: boolean, count: number): void => {
  out.text += `${first ? "" : ","}"${notes.cut}":"<${count} more properties>"`
}

const writeMore = (out: Out, first: boolean, count: number): void => {
  out.text += `${first ? "" : ","}"<${count} more items>"`
}

const writeArray = (out: Out, value: ReadonlyArray<unknown>, length = value.length): true => {
  out.text += "["
  for (let i = 0; i < length; i++) {
    if (isSpent(out)) {
      writeMore(out, i === 0, length - i)
      break
    }
    const item = read(value, i)
    if (item === undefined && length > MAX_HOLES && !(i in value)) {
      writeSparse(out, value, i)
      break
    }
    writeItem(out, i === 0, i, item)
  }
  out.text += "]"
  return true
}

/**
 * The rest of an array with holes by the indices it has: its length may be four billion.
 */
const writeSparse = (out: Out, value: ReadonlyArray<unknown>, from: number): void => {
  let next = from
  const gapTo = (index: number): void => {
    if (index > next) writeItem(out, next === 0, next, `<${index - next} empty items>`)
  }
  for (const key of Object.keys(value)) {
    const index = Number(key)
    if (!Number.isInteger(index) || index < next || index >= value.length) continue
    if (isSpent(out)) {
      writeMore(out, next === 0, value.length - next)
      return
    }
    gapTo(index)
    writeItem(out, index === 0, index, read(value, index))
    next = index + 1
  }
  gapTo(value.length)
}

// The methods of the built-in prototypes: a subclass may have replaced its own. No more is read than can be written.
const sizeOf = (collection: Set<unknown> | Map<unknown, unknown>): number =>
  Number(Reflect.get(collection instanceof Map ? Map.prototype : Set.prototype, "size", collection))

const membersOf = (out: Out, set: Set<unknown>): ReadonlyArray<unknown> => {
  const members: Array<unknown> = []
  for (const member of Set.prototype.values.call(set)) {
    members.push(member)
    if (members.length > out.nodes) break
  }
  return members
}

const writeMap = (out: Out, map: Map<unknown, unknown>): true => {
  const entries: Array<[unknown, unknown]> = []
  let named = true
  for (const entry of Map.prototype.entries.call(map) as MapIterator<[unknown, unknown]>) {
    entries.push(entry)
    if (typeof entry[0] !== "string") named = false
    if (entries.length > out.nodes) break
  }
  if (!named) return writeArray(out, entries, sizeOf(map))
  out.text += "{"
  let first = true
  for (let i = 0; i < entries.length; i++) {
    const [key, value] = entries[i] as [string, unknown] // below the length, and every key was a string
    if (isSpent(out)) {
      writeRest(out, first, sizeOf(map) - i)
      break
    }
    if (writeEntry(out, first, key, value)) first = false
  }
  out.text += "}"
  return true
}
