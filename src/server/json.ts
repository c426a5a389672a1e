/**
 * JSON values as the server handles them: reading, the text that is stored of them, merging.
 */

export type Json = { readonly [key: string]: unknown }

export const isRecord = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null

/** The value of a text of JSON, `undefined` when it is none. */
export const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What is stored of a value: a text as it is, anything else as JSON. */
export const toText = (value: unknown): string => typeof value === "string" ? value : JSON.stringify(value) ?? ""

/** How stored text is given back: as the JSON it is, otherwise as it is. Digits that a number cannot hold stay text. */
export const fromText = (text: string): unknown => {
  const value = parse(text)
  if (value === undefined) return text
  return typeof value === "number" && String(value) !== text.trim() ? text : value
}

/** Metadata that is no object is kept under the key `metadata`, falsy metadata not at all. */
export const toMetadata = (value: unknown): Json => !value ? {} : isRecord(value) ? value : { metadata: toText(value) }

/** Values as text, as a table keeps them. */
export const textValues = (metadata: Json): { readonly [key: string]: string } =>
  Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, toText(value)]))

export const readMetadata = (metadata: Json): Json =>
  Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => [key, typeof value === "string" ? fromText(value) : value])
  )

const unsafe = new Set(["__proto__", "constructor"])

const mergeValue = (older: unknown, newer: unknown): unknown => {
  if (newer === undefined) return older
  if (Array.isArray(newer)) {
    const base: ReadonlyArray<unknown> = Array.isArray(older) ? older : []
    return Array.from(
      { length: Math.max(base.length, newer.length) },
      (_, index) => index < newer.length ? mergeValue(base[index], newer[index]) : base[index]
    )
  }
  if (!isRecord(newer)) return newer
  // A list stays a list, and has no place for keys.
  if (Array.isArray(older)) return older
  return mergeDeep(isRecord(older) ? older : {}, newer)
}

/** Objects by key, lists by index; anything else is replaced. */
export const mergeDeep = (older: Json, newer: Json): Json => {
  const merged = new Map(Object.entries(older))
  for (const [key, value] of Object.entries(newer)) {
    if (!unsafe.has(key)) merged.set(key, mergeValue(merged.get(key), value))
  }
  return Object.fromEntries(merged)
}

/** Dotted keys with text values, as the events table has them. Lists are leaves, `null` is an empty text. */
export const flatten = (metadata: Json): { readonly [key: string]: string } => {
  const pairs = new Map<string, string>()
  const visit = (prefix: string, value: unknown) => {
    if (isRecord(value)) {
      for (const [key, nested] of Object.entries(value)) visit(prefix === "" ? key : `${prefix}.${key}`, nested)
    } else pairs.set(prefix, isAbsent(value) ? "" : toText(value))
  }
  visit("", metadata)
  return Object.fromEntries(pairs)
}

export const groupBy = <A, K>(items: ReadonlyArray<A>, keyOf: (item: A) => K): ReadonlyMap<K, ReadonlyArray<A>> => {
  const groups = new Map<K, Array<A>>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return groups
}
