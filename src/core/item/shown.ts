/** What a value is written as that is not plain data: what the shell, its own `toJSON` or its class makes of it. */
import { beforeToJson, builtin, Entries, isError, Members, type Readable, saidBy } from "./builtin.js"
import { read } from "./object.js"
import { maxDepth, notes, type Reading } from "./plain.js"

/** What the value is written as; `undefined`: its own items or properties. */
export const shownOf = (value: object, reading: Reading, key: string): Readable | undefined => {
  const isList = Array.isArray(value)
  if ((isList || isPlainObject(value)) && read(value, "toJSON") === undefined) return undefined
  const known = beforeToJson(value) ?? reading.readable(value)
  if (known !== undefined) return known
  let json: unknown = value
  try {
    const toJSON: unknown = (value as { readonly toJSON?: unknown }).toJSON
    if (typeof toJSON === "function") json = toJSON.call(value, key)
  } catch {
    return { value: notes.toJSON }
  }
  if (json === value) return isList ? undefined : builtin(value)
  // `toJSON` of the answer is asked too: it may be what hides a secret. An endless chain ends at the depth limit.
  if (!isError(value)) return { value: json }
  return typeof json === "object" && json !== null && !Array.isArray(json)
    ? saidBy(value, json)
    : { value: json, isSaid: true }
}

const isPlainObject = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return (prototype === Object.prototype || prototype === null) && Object.getOwnPropertySymbols(value).length === 0
}

/** What a value is written as in the end; where looking at it throws, what it came to. */
export const shownAs = (value: unknown, reading: Reading): Readable => {
  let shown: Readable = { value }
  try {
    for (let depth = 0; depth < maxDepth && typeof shown.value === "object" && shown.value !== null; depth++) {
      const next = shownOf(shown.value, reading, "")
      if (next === undefined) break
      shown = shown.isSaid === true ? { value: next.value, isSaid: true } : next
    }
  } catch {
    // A proxy that refuses to be looked at: it becomes a note when it is written.
  }
  return shown
}

/** No more of them than the limit, and one. */
export const collect = <A>(items: Iterable<A>, limit: number): ReadonlyArray<A> => {
  const found: Array<A> = []
  for (const item of items) {
    found.push(item)
    if (found.length > limit) break
  }
  return found
}

/** The fields of an object, or of entries that make one. */
export class Properties {
  readonly keys: ReadonlyArray<string>
  readonly size: number
  readonly get: (key: string) => unknown

  constructor(keys: ReadonlyArray<string>, size: number, get: (key: string) => unknown) {
    this.keys = keys
    this.size = Math.max(size, keys.length)
    this.get = get
  }
}

/** At most `limit` entries are read. */
export const propertiesOf = (value: object, limit: number): Properties | Members => {
  if (!(value instanceof Entries)) {
    const keys = Object.keys(value)
    return new Properties(keys, keys.length, (key) => read(value, key))
  }
  const entries = collect(value.items, limit)
  if (!entries.every(isField)) return new Members(entries, value.size)
  const fields = new Map(entries)
  return new Properties(Array.from(fields.keys()), value.size, (key) => fields.get(key))
}

const isField = (entry: readonly [unknown, unknown]): entry is readonly [string, unknown] =>
  typeof entry[0] === "string"
