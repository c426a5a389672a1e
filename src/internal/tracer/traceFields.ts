/** What a span says of its trace when it is exported, beside what it has from the fiber it started in. */
import { textsOf } from "../../core/item/attributes.js"
import type { Observation } from "../../core/item/item.js"
import { trace as names } from "../../core/item/names.js"
import {
  contentsOf,
  fromOutside,
  isWithin,
  nextOrder,
  outwards,
  type TraceInput,
  type TraceScope,
  valuesOf
} from "./scope.js"
import type { LangfuseSpan } from "./span.js"
import { type LocalTrace, Said } from "./trace.js"
import { Given } from "./values.js"

/** What says it of the whole trace, from now on: on the spans that are open too. The values are those of now. */
export const say = (trace: LocalTrace, fields: TraceInput): () => void => {
  const { policy } = trace.exporter.settings.intake
  const order = nextOrder()
  const values = valuesOf(fields, undefined)
  const contents = contentsOf(fields)
  for (const value of values.values()) if (value instanceof Given) value.written(policy)
  if (policy.content === "full") { for (const given of contents.values()) given.written(policy) }
  return () => {
    const said = trace.said ??= new Map<string, Said>()
    for (const [name, value] of values) {
      const before = name === names.tags ? said.get(name) : undefined
      said.set(name, new Said(before === undefined ? value : union(before.value, value), order))
    }
    if (contents.size > 0) trace.contents = new Map([...trace.contents ?? [], ...contents])
  }
}

const union = (first: unknown, second: unknown): ReadonlyArray<string> => [
  ...new Set([...textsOf(first), ...textsOf(second)])
]

/** Called once it is certain that the span is exported. */
export const addTraceFields = (span: LangfuseSpan, above: LangfuseSpan | undefined): void => {
  const { trace } = span
  for (const [name, { order, value }] of trace.said ?? []) {
    if (name === names.tags) span.put(name, union(span.attributes.get(name), value))
    else if (!isSaidLater(span, name, order)) span.put(name, value)
  }
  // The topmost span in a scope says it, and so does the root, which is exported after it: its own contents give way.
  if (span.scope !== above?.scope) {
    for (const { contents } of fromOutside(span.scope, above?.scope ?? trace.cut)) {
      addContents(span, contents)
      if (above !== undefined && contents.size > 0) trace.contents = new Map([...contents, ...trace.contents ?? []])
    }
  }
  if (above !== undefined) return
  if (trace.outerTraceId !== undefined) span.put(`${names.metadata}.outerTraceId`, trace.outerTraceId)
  if (trace.contents !== undefined) addContents(span, trace.contents)
}

const addContents = (span: LangfuseSpan, contents: ReadonlyMap<string, Given>): void => {
  if (span.exporter.settings.intake.policy.content === "metadata") return
  for (const [name, given] of contents) span.put(name, given)
}

/** An observation's own version is not its trace's, although both have the same attribute. */
export const separateVersion = (span: LangfuseSpan, item: Observation): void => {
  const { context } = item
  if (!span.hasOwnVersion || context === undefined) return
  const version = span.trace.said?.get(names.version)?.value ?? scopeOf(span)?.get(names.version)
  context.version = typeof version === "string" ? version : undefined
  if (Object.values(context).every((value) => value === undefined || value === false)) item.context = undefined
}

const scopeOf = ({ scope, trace }: LangfuseSpan): ReadonlyMap<string, unknown> | undefined =>
  trace.cut === undefined ? scope?.all : scope?.without(trace.cut)

/** A `withTrace` that was entered after it says more exactly what holds within. */
const isSaidLater = (span: LangfuseSpan, name: string, order: number): boolean => {
  for (const scope of outwards(span.scope, span.trace.cut)) {
    if (scope.order > order && scope.own.has(name)) return true
  }
  return false
}

const identity = [names.userId, names.sessionId, names.name]

/** Whether two spans beside each other are said to be of different traces, by what is not said around both of them. */
export const contradicts = (first: TraceScope, second: TraceScope): boolean => {
  if (first === second) return false
  const common = commonOf(first, second)
  return identity.some((name) => {
    const one = saidWithin(first, common, name)
    const other = saidWithin(second, common, name)
    return one !== undefined && other !== undefined && one !== other
  })
}

const commonOf = (first: TraceScope, second: TraceScope): TraceScope | undefined => {
  for (const scope of outwards(first, undefined)) if (isWithin(second, scope)) return scope
  return undefined
}

const saidWithin = (inner: TraceScope, outer: TraceScope | undefined, name: string): unknown => {
  for (const scope of outwards(inner, outer)) {
    const value = scope.own.get(name)
    if (value !== undefined) return value
  }
  return undefined
}
