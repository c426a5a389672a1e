/**
 * How the server keeps inputs, outputs and metadata (as text), and how it gives them back (as the JSON they were).
 */
import { isRecord, type Json } from "./validation.js"

/** What is stored of an input or an output. */
export const toText = (value: unknown): string => typeof value === "string" ? value : JSON.stringify(value)

/** Text that is JSON is read as JSON; digits that a number could not hold stay text. */
export const fromText = (text: string): unknown => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "number" && String(value) !== text.trim() ? text : value
  } catch {
    return text
  }
}

/** Metadata that is not an object is kept under the key `metadata`. */
export const toMetadata = (value: unknown): Json | undefined =>
  value === undefined || value === null ? undefined : isRecord(value) ? value : { metadata: value }

export const deepMerge = (older: Json, newer: Json): Json => {
  const merged = new Map(Object.entries(older))
  for (const [key, value] of Object.entries(newer)) {
    const before = merged.get(key)
    merged.set(key, isRecord(before) && isRecord(value) ? deepMerge(before, value) : value)
  }
  return Object.fromEntries(merged)
}

/** Dotted keys with text values, as the events table has them. Arrays are leaves. */
export const flatten = (metadata: Json): { readonly [key: string]: string } => {
  const pairs: Array<readonly [string, string]> = []
  const visit = (prefix: string, value: unknown) => {
    if (isRecord(value)) {
      for (const [key, nested] of Object.entries(value)) visit(prefix === "" ? key : `${prefix}.${key}`, nested)
    } else if (value !== undefined) {
      pairs.push([prefix, toText(value)])
    }
  }
  visit("", metadata)
  return Object.fromEntries(pairs)
}

export const readMetadata = (metadata: Json): Json =>
  Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => [key, typeof value === "string" ? fromText(value) : value])
  )
