/** Values as span attributes: texts, numbers and booleans under every tracer, JSON text for anything else. */
import { jsonOf, metadataOf } from "../../core/item/content.js"
import type { Content } from "../../core/item/item.js"
import { keysOf, read } from "../../core/item/object.js"
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
  /** One for each project. */
  private contents: Map<Policy, Content | undefined> | undefined = undefined

  constructor(key: string, value: unknown) {
    this.key = key
    this.value = value
  }

  written(policy: Policy): Content | undefined {
    const contents = this.contents ??= new Map<Policy, Content | undefined>()
    if (!contents.has(policy)) contents.set(policy, toMetadata(this.key, this.value, policy))
    return contents.get(policy)
  }

  /** For another tracer that a part of the program runs under. */
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

/** The keys of an object and what is under them, `__proto__` too. */
export const entriesOf = (value: unknown): ReadonlyArray<readonly [key: string, value: unknown]> =>
  isObject(value) ? keysOf(value).map((key) => [key, read(value, key)] as const) : []
