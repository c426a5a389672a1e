/** Values as span attributes: texts, numbers and booleans under every tracer, JSON text for anything else. */
import { contentOf, jsonOf, metadataOf } from "../../core/item/content.js"
import type { Content } from "../../core/item/item.js"
import type { Policy } from "../../core/item/policy.js"
import { defaults } from "../../LangfuseConfig.js"
import { readable, redactedNames } from "../readable.js"

export type AttributeValue = string | number | boolean

/** How values are written for a tracer that is not ours. */
export const foreignPolicy: Policy = {
  content: "full",
  maxEventBytes: defaults.maxEventBytes,
  mask: undefined,
  onMaskFailure: () => {},
  environment: undefined,
  release: undefined,
  redactedNames,
  readable
}

/** `undefined` for what is not worth an attribute. Never throws. */
export const toAttribute = (value: unknown, policy: Policy): AttributeValue | undefined => {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value
    case "number":
      return Number.isFinite(value) ? value : String(value)
    default:
      return contentOf(value, policy)?.text
  }
}

/** What is under a key of metadata: a key may say that it is a secret. */
export const toMetadata = (key: string, value: unknown, policy: Policy): Content | undefined =>
  metadataOf(Object.fromEntries([[key, value]]), policy)?.get(key)

/** Numbers and booleans as what they are. */
export const attributeValue = (content: Content | undefined): AttributeValue | undefined =>
  content?.isJson === true && !/^[[{]/.test(content.text) ? JSON.parse(content.text) as number | boolean : content?.text

/** A value as it is now, and will be whatever the program does with it. Never throws. */
export const snapshotOf = (value: unknown, key: string, policy: Policy): unknown => {
  if (!isObject(value)) return value
  try {
    const fields: object = JSON.parse(jsonOf(Object.fromEntries([[key, value]]), policy))
    return Object.values(fields)[0]
  } catch {
    return unreadable
  }
}

const unreadable = "<unreadable>"

/** The fields of an object of the program's, in an object of our own. */
export const snapshotsOf = (
  fields: unknown,
  written: (value: unknown, key: string) => unknown
): Readonly<Record<string, unknown>> =>
  fields === undefined ? none : Object.fromEntries(entriesOf(fields).map(([key, value]) => [key, written(value, key)]))

const none: Readonly<Record<string, unknown>> = {}

export const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

/** The names of two sets, of which each may take more than it lists. */
export class Union extends Set<string> {
  private readonly sets: ReadonlyArray<ReadonlySet<string>>

  constructor(...sets: ReadonlyArray<ReadonlySet<string>>) {
    super(sets.flatMap((set) => [...set]))
    this.sets = sets
  }

  override has(name: string): boolean {
    return this.sets.some((set) => set.has(name))
  }
}

/** Something said of a trace, written when the first span that is recorded needs it, and only then. */
export class Given {
  readonly key: string
  readonly value: unknown
  private content: Content | undefined
  private isWritten = false

  constructor(key: string, value: unknown) {
    this.key = key
    this.value = value
  }

  written(policy: Policy): Content | undefined {
    if (!this.isWritten) {
      this.content = toMetadata(this.key, this.value, policy)
      this.isWritten = true
    }
    return this.content
  }

  /** For a tracer that gets it all the same. */
  toJSON(): unknown {
    return this.value
  }
}

/** Asking a proxy what it is may throw. */
export const isGiven = (value: unknown): value is Given => {
  try {
    return value instanceof Given
  } catch {
    return false
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

export interface Fields {
  readonly [name: string]: unknown
}

export const isPlainRecord = (value: unknown): value is Fields => {
  try {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return false
    const prototype: unknown = Object.getPrototypeOf(value)
    return prototype === Object.prototype || prototype === null
  } catch {
    return false
  }
}

/** Text of a scalar; `undefined` for anything that is not one, or empty. */
export const text = (value: unknown): string | undefined => {
  if (typeof value === "string") return value === "" ? undefined : value
  return typeof value === "number" || typeof value === "boolean" || typeof value === "bigint"
    ? String(value)
    : undefined
}

/** Texts from a list of them, its JSON, or texts separated by commas; each once. */
export const texts = (value: unknown): ReadonlyArray<string> => {
  const out = new Set<string>()
  for (const item of listOf(value)) {
    const one = text(item)
    if (one !== undefined) out.add(one)
  }
  return [...out]
}

const listOf = (value: unknown): ReadonlyArray<unknown> => {
  if (isList(value)) return copyOf(value)
  if (typeof value !== "string") return []
  if (value.startsWith("[")) {
    try {
      const list: unknown = JSON.parse(value)
      if (isList(list)) return list
    } catch {
      // A tag may begin with a bracket.
    }
  }
  return value.split(",").map((item) => item.trim())
}

const copyOf = (list: ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
  try {
    return [...list]
  } catch {
    return []
  }
}

/** Reads a property of an object that may have a getter, or be one that refuses. */
export const read = (value: object, key: string): unknown => {
  try {
    return Reflect.get(value, key)
  } catch {
    return "<unreadable: the getter threw>"
  }
}

/** The keys of an object and what is under them, `__proto__` too. Never throws. */
export const entriesOf = (value: unknown): ReadonlyArray<readonly [key: string, value: unknown]> => {
  try {
    if (typeof value !== "object" || value === null) return []
    return Object.keys(value).map((key) => [key, read(value, key)] as const)
  } catch {
    return []
  }
}
