/**
 * JSON text of any value: what programs trace is not always what `JSON.stringify` takes.
 *
 * Never throws, and the text always parses. A value that JSON cannot hold is replaced alone, by a readable note between angle
 * brackets; the text of an exception met on the way is never part of it. What must not leave is redacted.
 */
import { Entries, Members } from "./builtin.js"
import { Content } from "./item.js"
import { read } from "./object.js"
import {
  Check,
  type FieldKind,
  isSecretPair,
  kindWithin,
  maxDepth,
  maxHoles,
  notes,
  plainly,
  type Reading
} from "./plain.js"
import {
  cleanAddress,
  cleanHeaders,
  cleanParameters,
  cleanStart,
  cleanText,
  isSecretParameter,
  redacted
} from "./redact.js"
import { collect, Properties, propertiesOf, shownOf } from "./shown.js"
import { quote, take, toWellFormed } from "./text.js"

export { notes, type Reading }

/** Values that may be looked at in vain, to find out whether parts can be written the fast way. */
const maxChecks = 50_000
const maxBigInt = 1n << 16_384n

/** A value as JSON text; `undefined` at the top is `null`. */
export const stringify = (value: unknown, reading: Reading, kind: FieldKind = "text"): string => {
  if (typeof value === "string" && kind === "text" && value.length <= reading.limit) return quote(value)
  const plain = plainOr(value, reading, kind)
  return typeof plain === "string" ? plain : writeAll(plain, value, kind)
}

/** The same where a text stays as it is; `undefined` for what says nothing: `undefined` and `null`. */
export const contentIn = (value: unknown, reading: Reading, kind: FieldKind = "text"): Content | undefined => {
  // A counter or a flag in metadata needs nothing of what follows.
  if (kind === "text" && isSimple(value)) return new Content(String(value), true)
  const plain = plainOr(value, reading, kind)
  if (typeof plain === "string") return new Content(plain, true)
  const text = writeAll(plain, value, kind)
  // A JSON text in quotes is one note.
  if (text.charCodeAt(0) === 0x22) return new Content(toWellFormed(plain.last), false)
  return text === "null" ? undefined : new Content(text, true)
}

const isSimple = (value: unknown): value is number | boolean =>
  typeof value === "number" ? Number.isFinite(value) : typeof value === "boolean"

/** The text of plain data; of all else, where to write it. */
const plainOr = (value: unknown, reading: Reading, kind: FieldKind): string | Out => {
  if (typeof value !== "object" || value === null || kind !== "text") return new Out(reading, reading.limit)
  const check = new Check(reading.keys, reading.limit)
  // What is known to be too long is cut later: the careful way need not write much more than what can stay.
  const plain = plainly(value, check, 0)
  if (plain !== undefined) return plain
  if (!check.isOver) return new Out(reading, reading.limit)
  const out = new Out(reading, reading.limit / 10)
  // Nor are its parts looked at in vain once more.
  out.checks = 0
  return out
}

// ---------------------------------------------------------------------------------------------------------------------
// The careful way: every property is read once, inside a try.
// ---------------------------------------------------------------------------------------------------------------------

/** `stringify` without the fast way. */
export const carefully = (value: unknown, reading: Reading): string =>
  writeAll(new Out(reading, reading.limit), value, "text")

const writeAll = (out: Out, value: unknown, kind: FieldKind): string => {
  try {
    return write(out, value, kind) ? out.text : "null"
  } catch {
    // The stack or the memory of the program ended here.
    out.last = notes.value
    return `"${notes.value}"`
  }
}

class Out {
  readonly reading: Reading
  readonly limit: number
  text = ""
  /** The last string that was written, before it was quoted. */
  last = ""
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
    this.last = text
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
      return writeText(out, value, kind)
    case "boolean":
      out.text += value ? "true" : "false"
      return true
    case "number":
      if (!Number.isFinite(value)) return out.note(`${value}`)
      out.text += `${value}`
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

const writeText = (out: Out, text: string, kind: FieldKind): true => {
  const room = Math.max(0, out.end - out.text.length)
  switch (kind) {
    case "secret":
      return out.note(redacted)
    case "address":
      return out.note(cleanStart(cleanAddress, text, room))
    case "said":
      return out.note(cleanStart(cleanText, text, room))
    case "parameters":
      return out.note(cleanStart(cleanParameters, text, room))
    case "pairs":
      return out.note(cleanStart((text) => cleanHeaders(text, out.reading.keys), text, room))
    default:
      return out.note(text.length <= room ? text : shorten(text, room))
  }
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

const writeKind = (out: Out, value: object, outer: FieldKind): boolean => {
  const shown = shownOf(value, out.reading, String(out.path.at(-1) ?? ""))
  const kind = shown?.isSaid === true && outer !== "secret" ? "said" : outer
  const inner = shown?.value
  const whole = shown === undefined ? value : inner instanceof Members || inner instanceof Entries ? inner : undefined
  if (whole === undefined) {
    out.path.push("")
    return write(out, inner, kind)
  }
  if (Array.isArray(whole)) return writeList(out, whole, whole.length, kind)
  const parts = whole instanceof Members ? whole : propertiesOf(whole, roomOf(out) / 2)
  if (parts instanceof Properties) return writeFields(out, parts, kind)
  const items = collect(parts.items, roomOf(out))
  return writeList(out, items, Math.max(items.length, parts.size), kind)
}

/** How many values may still fit: each takes at least two characters. */
const roomOf = (out: Out): number => Math.max(0, Math.min(out.nodes, (out.end - out.text.length) / 2)) + 1

const writeFields = (out: Out, { get, keys, size }: Properties, outer: FieldKind): true => {
  const one = (index: number): void => {
    const key = keys[index] as string // below the length
    const field = get(key)
    const kind = kindWithin(outer, out.reading.keys, get, key, field)
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
    if (isPair && index === 1) return "secret"
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
