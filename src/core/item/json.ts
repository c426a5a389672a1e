/**
 * JSON text of any value: what programs trace is not always what `JSON.stringify` takes.
 *
 * Never throws, and the text always parses. A value that JSON cannot hold is replaced alone, by a readable note between angle
 * brackets; the text of an exception met on the way is never part of it. What must not leave is redacted.
 */
import { beforeToJson, builtin, Entries, fieldsOf, isError, Members, read, type Readable } from "./builtin.js"
import { Check, type FieldKind, isSecretPair, kindOfField, maxDepth, maxHoles, plainly, type Reading } from "./plain.js"
import { cleanAddress, isSecretParameter, redacted } from "./redact.js"
import { quote, take } from "./text.js"

export type { Reading }

/** Values that may be looked at in vain, to find out whether parts can be written the fast way. */
const maxChecks = 50_000
const maxBigInt = 1n << 16_384n

export const notes = {
  object: "<unreadable: the object threw>",
  toJSON: "<unreadable: toJSON threw>",
  bigint: "<bigint of more than 16384 bits>",
  depth: `<too deep: more than ${maxDepth} levels>`,
  value: "<unreadable>",
  cut: "<cut>"
} as const

/** A value as JSON text; `undefined` at the top is `null`. */
export const stringify = (value: unknown, reading: Reading): string => {
  if (typeof value === "string") return value.length <= reading.limit ? quote(value) : carefully(value, reading)
  if (typeof value !== "object" || value === null) return carefully(value, reading)
  const check = new Check(reading.keys, reading.limit)
  // What is known to be too long is cut later: the careful way need not write much more than what can stay.
  return plainly(value, check, 0) ?? carefully(value, reading, check.isOver ? reading.limit / 10 : reading.limit)
}

// ---------------------------------------------------------------------------------------------------------------------
// The careful way: every property is read once, inside a try.
// ---------------------------------------------------------------------------------------------------------------------

/** `stringify` without the fast way; `limit` is met but for notes. */
export const carefully = (value: unknown, reading: Reading, limit = reading.limit): string => {
  const out = new Out(reading, limit)
  try {
    return write(out, value, "text") ? out.text : "null"
  } catch {
    // The stack or the memory of the program ended here.
    return `"${notes.value}"`
  }
}

/** A field of an object as JSON text, by the rules for its name; `undefined` where it is left out. */
export const stringifyField = (value: object, key: string, field: unknown, reading: Reading): string | undefined => {
  const kind = reading.keys.isSpecial(key) ? kindOfField(reading.keys, value, key, field) : "text"
  if (kind === "left out" || field === undefined) return undefined
  if (kind === "text") return stringify(field, reading)
  const out = new Out(reading, reading.limit)
  try {
    return write(out, field, kind) ? out.text : undefined
  } catch {
    return `"${notes.value}"`
  }
}

class Out {
  readonly reading: Reading
  readonly limit: number
  text = ""
  /** Where the text is to end, and how many values may still be looked at. */
  end: number
  nodes: number
  checks: number
  /** Writing last parts, whose own last parts are not looked for. */
  isTail = false
  readonly ancestors: Array<object> = []
  /** One step for each ancestor below the first. */
  readonly path: Array<string | number> = []

  constructor(reading: Reading, limit: number) {
    this.reading = reading
    this.limit = limit
    this.end = limit
    this.nodes = limit + 1000
    this.checks = Math.min(limit, maxChecks)
  }

  get isSpent(): boolean {
    return this.nodes <= 0 || this.text.length >= this.end
  }

  note(text: string): true {
    this.text += quote(text)
    return true
  }
}

/** Appends the value, or nothing and `false` for `undefined`. */
const write = (out: Out, value: unknown, kind: FieldKind): boolean => {
  out.nodes--
  switch (typeof value) {
    case "undefined":
      return false
    case "string":
      return kind === "secret" ? out.note(redacted) : writeText(out, kind === "address" ? cleanAddress(value) : value)
    case "boolean":
      out.text += value ? "true" : "false"
      return true
    case "number":
      out.text += Number.isFinite(value) ? `${value}` : `"${value}"`
      return true
    case "bigint":
      // Decimal digits cost more than linear time.
      return out.note(value > maxBigInt || value < -maxBigInt ? notes.bigint : `${value}`)
    case "symbol":
      return out.note(`<${take(String(value), 100)}>`)
    case "function":
      return out.note(functionNote(value))
    case "object":
      if (value === null) {
        out.text += "null"
        return true
      }
      return writeObject(out, value, kind)
  }
}

const writeText = (out: Out, text: string): true => {
  const room = Math.max(0, out.end - out.text.length)
  return out.note(text.length <= room ? text : shorten(text, room))
}

const shorten = (text: string, length: number): string => {
  const kept = take(text, length)
  return `${kept}<${text.length - kept.length} more characters>`
}

const functionNote = (value: object): string => {
  const name = read(value, "name")
  return typeof name === "string" && name !== "" && !name.startsWith("<")
    ? `<function ${take(name, 100)}>`
    : "<function>"
}

const writeObject = (out: Out, value: object, kind: FieldKind): boolean => {
  const depth = out.ancestors.length
  if (depth > 0 && kind === "text" && out.checks > 0 && writePlain(out, value, depth)) return true
  const ancestor = out.ancestors.indexOf(value)
  if (ancestor >= 0) return out.note(`<circular: ${pathTo(out, ancestor)}>`)
  if (depth >= maxDepth) return out.note(notes.depth)
  const { end, isTail, text } = out
  const length = out.path.length
  out.ancestors.push(value)
  try {
    return writeKind(out, value, kind)
  } catch {
    // What the properties throw is caught where they are read: here the object itself refused, or the stack ended.
    out.text = text
    out.end = end
    out.isTail = isTail
    return out.note(notes.object)
  } finally {
    out.ancestors.length = depth
    out.path.length = length
  }
}

/** A part that is plain data is written by the engine as well. */
const writePlain = (out: Out, value: object, depth: number): boolean => {
  const room = out.end - out.text.length
  const check = new Check(out.reading.keys, room)
  const nodes = Math.min(check.nodes, out.nodes, out.checks)
  check.nodes = nodes
  const text = plainly(value, check, depth)
  const looked = nodes - check.nodes
  if (text === undefined || text.length > room) {
    out.checks -= looked
    return false
  }
  out.nodes -= looked
  out.text += text
  return true
}

const pathTo = (out: Out, ancestor: number): string => {
  let path = "$"
  for (const step of out.path.slice(0, ancestor)) {
    path += typeof step === "number" ? `[${step}]` : step === "" ? "" : `.${take(step, 50)}`
    if (path.length > 200) return `${take(path, 200)}...`
  }
  return path
}

const writeKind = (out: Out, value: object, kind: FieldKind): boolean => {
  const isList = Array.isArray(value)
  if ((isList || isPlainObject(value)) && read(value, "toJSON") === undefined) {
    return isList ? writeList(out, value, value.length, kind) : writeProperties(out, value, Object.keys(value))
  }
  const known = beforeToJson(value) ?? out.reading.readable(value)
  if (known !== undefined) return writeReadable(out, known, kind)
  let json: unknown = value
  try {
    const toJSON: unknown = (value as { readonly toJSON?: unknown }).toJSON
    if (typeof toJSON === "function") json = toJSON.call(value, String(out.path.at(-1) ?? ""))
  } catch {
    return out.note(notes.toJSON)
  }
  if (json !== value) {
    const isFields = typeof json === "object" && json !== null && !Array.isArray(json) && isError(value)
    if (isFields) json = fieldsOf(value, json as object)
    // `toJSON` of the answer is asked too: it may be what hides a secret. An endless chain ends at the depth limit.
    out.path.push("toJSON()")
    return write(out, json, kind)
  }
  if (isList) return writeList(out, value, value.length, kind)
  const built = builtin(value)
  return built === undefined ? writeProperties(out, value, Object.keys(value)) : writeReadable(out, built, kind)
}

const isPlainObject = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return (prototype === Object.prototype || prototype === null) && Object.getOwnPropertySymbols(value).length === 0
}

const writeReadable = (out: Out, { value }: Readable, kind: FieldKind): boolean => {
  if (value instanceof Members) {
    const items = collect(value.items, out.nodes)
    return writeList(out, items, Math.max(items.length, value.size), kind)
  }
  if (value instanceof Entries) return writeEntries(out, value)
  out.path.push("")
  return write(out, value, kind)
}

/** No more is read than can be written. */
const collect = <A>(items: Iterable<A>, limit: number): ReadonlyArray<A> => {
  const found: Array<A> = []
  for (const item of items) {
    found.push(item)
    if (found.length > limit) break
  }
  return found
}

const writeEntries = (out: Out, { items, size }: Entries): true => {
  const entries = collect(items, out.nodes)
  if (!entries.every(([key]) => typeof key === "string")) {
    return writeList(out, entries, Math.max(entries.length, size), "text")
  }
  const fields = new Map(entries as ReadonlyArray<readonly [string, unknown]>) // by the check above
  const keys = Array.from(fields.keys())
  return writeFields(out, keys, Math.max(keys.length, size), (key) => fields.get(key), {})
}

const writeProperties = (out: Out, value: object, keys: ReadonlyArray<string>): true =>
  writeFields(out, keys, keys.length, (key) => read(value, key), value)

const writeFields = (
  out: Out,
  keys: ReadonlyArray<string>,
  size: number,
  get: (key: string) => unknown,
  value: object
): true => {
  const one = (index: number): void => {
    const key = keys[index] as string // below the length
    const field = get(key)
    const kind = out.reading.keys.isSpecial(key) ? kindOfField(out.reading.keys, value, key, field) : "text"
    if (kind === "left out") return
    const before = out.text
    const room = Math.max(0, out.end - before.length)
    out.text += `${quote(key.length <= room ? key : shorten(key, room))}:`
    out.path.push(key)
    if (!write(out, field, kind)) out.text = before
    out.path.pop()
  }
  return writeParts(out, "{", "}", keys.length, size, one, (count) => `"${notes.cut}":"<${count} more properties>"`)
}

const writeList = (out: Out, list: ReadonlyArray<unknown>, size: number, kind: FieldKind): true => {
  if (
    kind === "secret" && list.length > 0 && list.length < maxHoles && list.every((item) => typeof item === "string")
  ) {
    return out.note(redacted)
  }
  const { keys } = out.reading
  const isPair = isSecretPair(keys, list) || (kind === "parameters" && isSecretParameter(read(list, 0)))
  const kindOf = (index: number): FieldKind => {
    if (isPair) return index === 1 ? "secret" : "text"
    if (kind !== "pairs") return kind
    const name = index % 2 === 1 ? read(list, index - 1) : undefined
    return typeof name === "string" ? keys.kindOf(name) : "text"
  }
  const one = (index: number): void => {
    out.path.push(index)
    if (!write(out, read(list, index), kindOf(index))) out.text += "null"
    out.path.pop()
  }
  if (list.length > maxHoles && !(0 in list && list.length - 1 in list && isDense(list))) {
    return writeSparse(out, list, one)
  }
  return writeParts(out, "[", "]", list.length, size, one, moreItems)
}

const moreItems = (count: number): string => `"<${count} more items>"`

/** Samples are enough: in a list with few holes they are nulls. */
const isDense = (list: ReadonlyArray<unknown>): boolean => {
  const step = Math.max(1, Math.floor(list.length / 64))
  for (let i = 0; i < list.length; i += step) if (!(i in list)) return false
  return true
}

/**
 * Parts in their order until the text is full, and then as many of the last ones as half of the limit takes, or less the
 * deeper they are. `size` may be more than there are parts to look at.
 */
const writeParts = (
  out: Out,
  open: string,
  close: string,
  length: number,
  size: number,
  one: (index: number) => void,
  more: (count: number) => string
): true => {
  out.text += open
  const start = out.text.length
  let next = 0
  for (; next < length && !out.isSpent; next++) {
    const before = out.text
    if (before.length > start) out.text += ","
    const length = out.text.length
    one(next)
    if (out.text.length === length) out.text = before
  }
  if (next < size) {
    const last = length === size ? writeLast(out, next, length, one) : []
    const left = size - next - last.length
    const rest = (left > 0 ? [more(left), ...last] : last).filter((part) => part !== "")
    if (rest.length > 0) out.text += `${out.text.length > start ? "," : ""}${rest.join(",")}`
  }
  out.text += close
  return true
}

/** The texts of the last parts, one for each, empty where nothing is to be written. */
const writeLast = (out: Out, from: number, to: number, one: (index: number) => void): ReadonlyArray<string> => {
  let room = out.isTail ? 0 : Math.floor(out.limit / 2 ** out.ancestors.length)
  if (room < 16) return []
  const { end, nodes, text } = out
  const parts: Array<string> = []
  out.isTail = true
  for (let index = to - 1; index >= from && room > 0; index--) {
    out.text = ""
    out.end = out.nodes = room
    one(index)
    if (out.text.length > room && parts.length > 0) break
    parts.push(out.text)
    room -= out.text.length + 1
  }
  out.isTail = false
  out.text = text
  out.end = end
  out.nodes = nodes
  return parts.reverse()
}

/** A list with holes by the indices it has: its length may be four billion. */
const writeSparse = (out: Out, list: ReadonlyArray<unknown>, one: (index: number) => void): true => {
  out.text += "["
  const start = out.text.length
  let next = 0
  const gapTo = (index: number): void => {
    if (index <= next) return
    if (out.text.length > start) out.text += ","
    out.note(`<${index - next} empty items>`)
  }
  for (const key of Object.keys(list)) {
    const index = Number(key)
    if (!Number.isInteger(index) || index < next || index >= list.length) continue
    if (out.isSpent) {
      out.text += `${out.text.length > start ? "," : ""}${moreItems(list.length - next)}]`
      return true
    }
    gapTo(index)
    if (out.text.length > start) out.text += ","
    one(index)
    next = index + 1
  }
  gapTo(list.length)
  out.text += "]"
  return true
}
