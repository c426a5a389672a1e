/**
 * Whose trace it is, as W3C baggage, under the keys of Langfuse's own SDKs.
 *
 * https://www.w3.org/TR/baggage/
 * https://langfuse.com/docs/observability/features/sessions
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { textOf, textsOf } from "../../core/item/attributes.js"
import { environmentOf, keyUnder, trace as names } from "../../core/item/names.js"
import type { Policy } from "../../core/item/policy.js"
import { redacted } from "../../core/item/redact.js"
import * as Current from "./current.js"
import { exporterOf, tracerOf } from "./native.js"
import * as Scope from "./scope.js"
import { recordOf } from "./span.js"
import type { LocalTrace } from "./trace.js"
import { attributeValue, foreignPolicy, Given } from "./values.js"

export const header = "baggage"

const prefix = "langfuse_"
const metadataPrefix = `${prefix}metadata_`
/** By which a service knows that its caller is in Langfuse. */
const traceIdKey = `${prefix}trace_id`

const keys: ReadonlyArray<readonly [key: string, attribute: string]> = [
  ["user_id", names.userId],
  ["session_id", names.sessionId],
  ["trace_name", names.name],
  ["version", names.version],
  ["environment", names.environment],
  ["tags", names.tags]
]

/** The official SDKs take no longer value. */
const maxValue = 200
/** W3C's limit for all of it. */
const maxBaggage = 8192

type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>

const traceOf = (fiber: AnyFiber): LocalTrace | undefined => {
  const span = Current.parent(fiber)
  return span === undefined ? undefined : recordOf(span)?.trace
}

/** What is said of the trace here, as attributes: the innermost `withTrace`, and what was said with `updateTrace`. */
const saidOf = (fiber: AnyFiber, trace: LocalTrace | undefined): ReadonlyMap<string, unknown> => {
  const scope = fiber.getFiberRef(Scope.current)
  const all = new Map<string, unknown>(trace?.cut === undefined ? scope?.all : scope?.without(trace.cut))
  for (const [name, { value }] of trace?.said ?? []) {
    all.set(name, name === names.tags ? [...textsOf(all.get(name)), ...textsOf(value)] : value)
  }
  return all
}

/** The members of the header, without those of others. Empty where nothing is said. */
export const current: Effect.Effect<string> = Effect.withFiberRuntime((fiber) => {
  const trace = traceOf(fiber)
  const all = saidOf(fiber, trace)
  const policy = (trace?.exporter.settings.intake ?? exporterOf(tracerOf(fiber))?.intake)?.policy ?? foreignPolicy
  const members: Array<string> = []
  let length = 0
  const add = (key: string, value: string | undefined): void => {
    if (value === undefined || value.length > maxValue) return
    const member = `${encode(key)}=${encode(value)}`
    if (length + member.length + 1 > maxBaggage) return
    length += member.length + 1
    members.push(member)
  }
  for (const [key, attribute] of keys) {
    const value = all.get(attribute)
    if (value === undefined) continue
    if (attribute === names.tags) add(prefix + key, tagsText(textsOf(value)))
    else add(prefix + key, attribute === names.environment ? environmentOf(value) : textOf(value))
  }
  for (const [name, value] of all) {
    const key = keyUnder(names.metadata, name)
    if (key !== undefined) add(metadataPrefix + key, metadataText(value, policy))
  }
  if (trace?.fate === "recorded") add(traceIdKey, trace.traceId)
  return Effect.succeed(members.join(","))
})

/** Texts, numbers and booleans only, and no secret. */
const metadataText = (value: unknown, policy: Policy): string | undefined => {
  const written = textOf(value instanceof Given ? attributeValue(value.written(policy)) : value)
  return written === undefined || written === redacted || /^[[{]/.test(written) ? undefined : written
}

/** The caller is in Langfuse: its part of the trace is where the trace begins. */
export const accept = (baggage: string): Effect.Effect<void> =>
  Effect.withFiberRuntime((fiber) => {
    const trace = traceOf(fiber)
    if (trace?.remoteParentId !== undefined) {
      const caller = entriesOf(baggage).find(([key]) => key === traceIdKey)
      if (caller?.[1].toLowerCase() === trace.traceId) trace.isCallerKnown = true
    }
    return Effect.void
  })

/** A comma separates them. */
const tagsText = (tags: ReadonlyArray<string>): string | undefined => {
  const whole = tags.filter((tag) => !tag.includes(","))
  return whole.length === 0 ? undefined : whole.join(",")
}

/** A lone surrogate cannot be encoded. */
const encode = (text: string): string => {
  try {
    return encodeURIComponent(text)
  } catch {
    return ""
  }
}

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const entriesOf = (baggage: string): ReadonlyArray<readonly [key: string, value: string]> =>
  baggage.slice(0, 2 * maxBaggage).split(",").flatMap((member) => {
    // What follows a semicolon are properties, which nobody uses.
    const [pair = ""] = member.split(";")
    const equals = pair.indexOf("=")
    return equals < 0 ? [] : [[decode(pair.slice(0, equals).trim()), decode(pair.slice(equals + 1).trim())] as const]
  })

/** The header of a request with our members instead of what was there under their keys. */
export const merge = (before: string | undefined, ours: string): string => {
  const others = (before ?? "").split(",").filter((member) => {
    const [entry] = entriesOf(member)
    return entry !== undefined && !entry[0].startsWith(prefix)
  })
  return [...others.map((member) => member.trim()), ours].join(",")
}

export interface Parsed {
  readonly name?: string
  readonly userId?: string
  readonly sessionId?: string
  readonly version?: string
  readonly environment?: string
  readonly tags?: ReadonlyArray<string>
  readonly metadata?: { readonly [key: string]: string }
}

/** What a header says of the trace. A value that is longer than the SDKs take is left out. */
export const parse = (baggage: string): Parsed => {
  const found = new Map<string, string>()
  const metadata: Array<readonly [string, string]> = []
  for (const [key, value] of entriesOf(baggage)) {
    if (!key.startsWith(prefix) || value === "" || value.length > maxValue) continue
    if (key.startsWith(metadataPrefix)) metadata.push([key.slice(metadataPrefix.length), value])
    else found.set(key.slice(prefix.length), value)
  }
  const get = <K extends string>(field: K, key: string): { readonly [P in K]?: string } => {
    const value = found.get(key)
    // One member of a known name, which TypeScript does not see in a computed key.
    return (value === undefined ? {} : { [field]: value }) as { readonly [P in K]?: string }
  }
  const environment = environmentOf(found.get("environment"))
  const tags = textsOf(found.get("tags"))
  return {
    ...get("name", "trace_name"),
    ...get("userId", "user_id"),
    ...get("sessionId", "session_id"),
    ...get("version", "version"),
    ...(environment === undefined ? undefined : { environment }),
    ...(tags.length === 0 ? undefined : { tags }),
    ...(metadata.length === 0 ? undefined : { metadata: Object.fromEntries(metadata) })
  }
}
