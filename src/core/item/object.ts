/** Looking at objects of which nothing is known: nothing in here throws. */

export interface Fields {
  readonly [name: string]: unknown
}

/** Fields that are being put together. */
export interface MutableFields {
  [name: string]: unknown
}

/** Of a getter that throws the note, as of any other value that cannot be read. */
export const read = (value: object, key: string | number): unknown => {
  try {
    return (value as Record<string | number, unknown>)[key]
  } catch {
    return "<unreadable: the getter threw>"
  }
}

/** `Array.isArray` throws for a proxy that was revoked. */
export const isList = (value: unknown): value is ReadonlyArray<unknown> => {
  try {
    return Array.isArray(value)
  } catch {
    return false
  }
}

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !isList(value)

/** Made by a literal, `JSON.parse` or the like. */
export const isPlain = (value: unknown): value is Fields => {
  try {
    const prototype: unknown = typeof value === "object" && value !== null ? Object.getPrototypeOf(value) : undefined
    return prototype === null || prototype === Object.prototype
  } catch {
    return false
  }
}

/** None of a proxy that refuses to tell them. */
export const keysOf = (value: object): ReadonlyArray<string> => {
  try {
    return Object.keys(value)
  } catch {
    return []
  }
}

/** Sets a field whatever its name: plain assignment to `__proto__` would not make one. */
export const put = (fields: MutableFields, name: string, value: unknown): void => {
  if (name === "__proto__") {
    Object.defineProperty(fields, name, { value, enumerable: true, configurable: true, writable: true })
  } else fields[name] = value
}

/** A copy of a record's own fields. */
export const copyOf = (record: unknown): MutableFields => {
  const out: MutableFields = {}
  if (isFields(record)) { for (const key of keysOf(record)) put(out, key, read(record, key)) }
  return out
}
