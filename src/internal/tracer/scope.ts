/**
 * What `withTrace` says of a trace, in the fiber in which it is said and in all that are forked there.
 *
 * Effect itself puts the annotations of a fiber on every span it starts, under any tracer. What our tracer knows beside
 * that is in which order things were said and around which span: where a trace of its own begins, only what is said between
 * it and the span around it holds.
 */
import * as FiberRef from "effect/FiberRef"
import { globalValue } from "effect/GlobalValue"
import * as HashMap from "effect/HashMap"
import type { AnySpan } from "effect/Tracer"
import { textOf, textsOf } from "../../core/item/attributes.js"
import { environmentOf, trace as names } from "../../core/item/names.js"
import { isPlain, read } from "../../core/item/object.js"
import type { Policy } from "../../core/item/policy.js"
import type { LocalTrace } from "./trace.js"
import { attributeValue, entriesOf, foreignPolicy, Given, isObject, toMetadata } from "./values.js"

export type TraceValue = string | number | boolean | ReadonlyArray<string> | Given

/** What can be said of a trace; unknown, as it may come from untyped code. */
export interface TraceInput {
  readonly name?: unknown
  readonly userId?: unknown
  readonly sessionId?: unknown
  readonly tags?: unknown
  readonly metadata?: unknown
  readonly version?: unknown
  readonly release?: unknown
  readonly environment?: unknown
  readonly public?: unknown
  readonly input?: unknown
  readonly output?: unknown
  readonly newTrace?: unknown
}

const textFields = ["name", "userId", "sessionId", "version", "release", "environment"] as const

/** Attributes by name. Objects are not written yet where there is no policy. */
export const valuesOf = (fields: unknown, policy: Policy | undefined): Map<string, TraceValue> => {
  const values = new Map<string, TraceValue>()
  if (typeof fields !== "object" || fields === null) return values
  for (const field of textFields) {
    const value = textOf(read(fields, field))
    if (value !== undefined) values.set(names[field], value)
  }
  const isPublic = read(fields, "public")
  if (typeof isPublic === "boolean") values.set(names.public, isPublic)
  const tags = textsOf(read(fields, "tags"))
  if (tags.length > 0) values.set(names.tags, tags)
  const metadata = read(fields, "metadata")
  const entries = isPlain(metadata) ? entriesOf(metadata) : [["metadata", metadata] as const]
  for (const [key, value] of entries) {
    if (value === undefined || value === null) continue
    const attribute = policy === undefined && (isObject(value) || typeof value === "string")
      ? new Given(key, value)
      : attributeValue(toMetadata(key, value, policy ?? foreignPolicy))
    if (attribute !== undefined) values.set(`${names.metadata}.${key}`, attribute)
  }
  return values
}

/** Input and output are the trace's own, and not put on every span. */
export const contentsOf = (fields: unknown): Map<string, Given> => {
  const contents = new Map<string, Given>()
  if (typeof fields !== "object" || fields === null) return contents
  for (const field of ["input", "output"] as const) {
    const value = read(fields, field)
    if (value !== undefined && value !== null) contents.set(names[field], new Given(field, value))
  }
  return contents
}

/** Inner values win, metadata key by key, and tags come together. */
const merge = (into: Map<string, TraceValue>, values: ReadonlyMap<string, TraceValue>): void => {
  for (const [name, value] of values) {
    const before = name === names.tags ? into.get(name) : undefined
    into.set(name, before === undefined ? value : [...new Set([...textsOf(before), ...textsOf(value)])])
  }
}

/** What is told to people about an environment that Langfuse does not take. */
export const badEnvironment = (name: string): string =>
  `Langfuse takes no environment ${JSON.stringify(name.slice(0, 40))}, and files it under "default": ` +
  "1 to 40 of a-z, 0-9, - and _ are allowed"

let last = 0

/** A place in the order in which things are said. */
export const nextOrder = (): number => ++last

class Next {
  trace: LocalTrace | undefined = undefined
}

export class TraceScope {
  readonly outer: TraceScope | undefined
  /** The span around the `withTrace`. */
  readonly around: AnySpan | undefined
  readonly own: ReadonlyMap<string, TraceValue>
  /** With what is said further out. */
  readonly all: ReadonlyMap<string, TraceValue>
  readonly contents: ReadonlyMap<string, Given>
  readonly order = nextOrder()
  /** The innermost one that begins a trace of its own. */
  readonly boundary: TraceScope | undefined
  /** The trace of the first span that starts here without one above it. */
  readonly next: Next
  /** Of a boundary: its trace, one for each project that it is recorded in. */
  readonly traces: Array<LocalTrace> = []
  /** An environment that Langfuse would file under `default`. */
  readonly badEnvironment: string | undefined

  constructor(
    outer: TraceScope | undefined,
    around: AnySpan | undefined,
    fields: unknown,
    isNew: boolean,
    policy: Policy | undefined
  ) {
    this.outer = isNew ? undefined : outer
    this.around = around
    this.own = valuesOf(fields, policy)
    const all = new Map(this.outer?.all)
    merge(all, this.own)
    this.all = all
    this.contents = contentsOf(fields)
    this.boundary = isNew ? this : outer?.boundary
    this.next = outer?.next ?? new Next()
    const environment = this.own.get(names.environment)
    this.badEnvironment = typeof environment === "string" && environmentOf(environment) === undefined
      ? environment
      : undefined
  }

  /** Whether there is anything that may change. */
  get hasObjects(): boolean {
    for (const values of [this.own, this.contents]) {
      for (const value of values.values()) if (value instanceof Given && isObject(value.value)) return true
    }
    return false
  }

  /** Writes it as it is now. */
  write(policy: Policy): void {
    for (const value of this.own.values()) if (value instanceof Given) value.written(policy)
    if (policy.content === "full") { for (const given of this.contents.values()) given.written(policy) }
  }

  /** What holds without `cut` and all that is further out. */
  without(cut: TraceScope): ReadonlyMap<string, TraceValue> {
    const values = new Map<string, TraceValue>()
    for (const scope of fromOutside(this, cut)) merge(values, scope.own)
    return values
  }
}

/** The scopes from one outwards, up to one that does not hold any more. */
export function* outwards(scope: TraceScope | undefined, cut: TraceScope | undefined): Generator<TraceScope, void> {
  for (let next = scope; next !== undefined && next !== cut; next = next.outer) yield next
}

export const fromOutside = (scope: TraceScope | undefined, cut: TraceScope | undefined): ReadonlyArray<TraceScope> =>
  [...outwards(scope, cut)].reverse()

export const isWithin = (inner: TraceScope, that: TraceScope): boolean => {
  for (const scope of outwards(inner, undefined)) if (scope === that) return true
  return false
}

export const current: FiberRef.FiberRef<TraceScope | undefined> = globalValue(
  Symbol.for("effect-langfuse/TraceScope"),
  () => FiberRef.unsafeMake<TraceScope | undefined>(undefined)
)

/** A fiber's annotations with those of the scope, and without what the scope around a new trace has put there. */
export const annotations = (
  scope: TraceScope,
  outer: TraceScope | undefined
) =>
(before: HashMap.HashMap<string, unknown>): HashMap.HashMap<string, unknown> => {
  let all = before
  if (scope.boundary === scope && outer !== undefined) {
    for (const [name, value] of outer.all) {
      const known = HashMap.get(all, name)
      if (known._tag === "Some" && known.value === value) all = HashMap.remove(all, name)
    }
  }
  for (const name of scope.own.keys()) all = HashMap.set(all, name, tagged(name, scope, before))
  return all
}

/** Tags of `Effect.annotateSpans` come together with ours. */
const tagged = (name: string, scope: TraceScope, before: HashMap.HashMap<string, unknown>): unknown => {
  const value = scope.all.get(name)
  if (name !== names.tags || scope.outer?.all.has(name) === true || scope.boundary === scope) return value
  const known = HashMap.get(before, name)
  return known._tag === "Some" ? [...new Set([...textsOf(known.value), ...textsOf(value)])] : value
}
