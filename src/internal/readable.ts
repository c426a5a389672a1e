/** How the values of Effect and of the platform are written, and what of them is redacted. */
import * as Headers from "@effect/platform/Headers"
import * as BigDecimal from "effect/BigDecimal"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as ConfigError from "effect/ConfigError"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRefs from "effect/FiberRefs"
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import * as Inspectable from "effect/Inspectable"
import * as List from "effect/List"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Entries, Members, type Readable, saidBy } from "../core/item/builtin.js"
import type { Reading } from "../core/item/json.js"
import { read } from "../core/item/object.js"
import { reasonOf } from "../core/item/reason.js"
import { defaultNames, keysOf, redacted } from "../core/item/redact.js"
import { http } from "./readableHttp.js"
import { prompt } from "./readablePrompt.js"

// ---------------------------------------------------------------------------------------------------------------------
// names
// ---------------------------------------------------------------------------------------------------------------------

/** Takes what a pattern matches as well. */
class Names extends Set<string> {
  private readonly patterns: ReadonlyArray<RegExp>

  constructor(names: ReadonlyArray<string>, patterns: ReadonlyArray<RegExp>) {
    super(names)
    this.patterns = patterns
  }

  override has(name: string): boolean {
    // `search` starts anew, whatever the flags of the pattern.
    return super.has(name) || this.patterns.some((pattern) => name.search(pattern) >= 0)
  }
}

/** The names to redact: always the same ones, those given, and those of the running fiber's `Headers.currentRedactedNames`. */
export const redactedNamesWith = (more: ReadonlyArray<string>): () => ReadonlySet<string> => {
  const always = [...defaultNames, ...more.map((name) => name.toLowerCase())]
  let ofFiber = noNames
  let names: ReadonlySet<string> = new Set(always)
  return () => {
    const current = currentNames()
    if (current !== ofFiber) {
      ofFiber = current
      const texts = current.filter((name) => typeof name === "string").map((name) => name.toLowerCase())
      const patterns = current.filter((name) => typeof name !== "string")
      const all = [...always, ...texts]
      names = patterns.length === 0 ? new Set(all) : new Names(all, patterns)
    }
    return names
  }
}

/** One list, so that outside of fibers the set is not made anew each time. */
const noNames: ReadonlyArray<string | RegExp> = []

const currentNames = (): ReadonlyArray<string | RegExp> => {
  const fiber = Fiber.getCurrentFiber()
  return fiber._tag === "Some" ? fiber.value.getFiberRef(Headers.currentRedactedNames) : noNames
}

export const redactedNames: () => ReadonlySet<string> = redactedNamesWith([])

const fiberRefs = (): FiberRefs.FiberRefs => {
  const fiber = Fiber.getCurrentFiber()
  return fiber._tag === "Some" ? fiber.value.getFiberRefs() : FiberRefs.empty()
}

// ---------------------------------------------------------------------------------------------------------------------
// values
// ---------------------------------------------------------------------------------------------------------------------

/** What the value is written as; `undefined`: by its own properties. May throw, as the value may. */
export const readable = (value: object): Readable | undefined => {
  if (Redacted.isRedacted(value)) return { value: redacted }
  return data(value) ?? http(value) ?? prompt(value) ?? note(value) ?? inspectable(value)
}

const data = (value: object): Readable | undefined => {
  if (Option.isOption(value)) return { value: value._tag === "Some" ? value.value : null }
  if (Exit.isExit(value)) {
    return value._tag === "Success"
      ? { value: { _tag: "Success", value: value.value } }
      : failed("Failure", value.cause._tag === "Fail" ? value.cause.error : value.cause)
  }
  if (Either.isEither(value)) {
    return value._tag === "Right" ? { value: { _tag: "Right", value: value.right } } : failed("Left", value.left)
  }
  if (Chunk.isChunk(value)) return { value: new Members(value, value.length) }
  if (List.isList(value)) return { value: new Members(value, 0) }
  if (HashSet.isHashSet(value)) return { value: new Members(value, HashSet.size(value)) }
  if (HashMap.isHashMap(value)) return { value: new Entries(value, HashMap.size(value)) }
  if (Duration.isDuration(value)) return { value: Duration.format(value) }
  if (BigDecimal.isBigDecimal(value)) return { value: BigDecimal.format(value) }
  if (DateTime.isDateTime(value)) {
    return { value: DateTime.isZoned(value) ? DateTime.formatIsoZoned(value) : DateTime.formatIso(value) }
  }
  if (DateTime.isTimeZone(value)) return { value: DateTime.zoneToString(value) }
  if (Cause.isCause(value)) return { value: causeFields(value), isSaid: true }
  if (ConfigError.isConfigError(value)) return { value: configFields(value), isSaid: true }
  if (value instanceof Cause.YieldableError && read(value, "toJSON") === yieldableToJson) return saidBy(value)
  return collection(value)
}

const failed = (_tag: string, error: unknown): Readable => ({ value: { _tag, error }, isSaid: true })

// Of all errors that Effect makes; other methods of this name are a program's own.
const yieldableToJson = read(Cause.YieldableError.prototype, "toJSON")

const configFields = (error: ConfigError.ConfigError): unknown => ({
  _tag: error._tag,
  _op: error._op,
  message: configMessage(error),
  cause: error._op === "SourceUnavailable" ? error.cause : undefined
})

/** What is wrong with settings, without the values that they have. */
const configMessage = (error: ConfigError.ConfigError): string => {
  if (error._op === "And" || error._op === "Or") {
    return `${configMessage(error.left)} ${error._op.toLowerCase()} ${configMessage(error.right)}`
  }
  const message = withoutValue(error.message)
  return error.path.length === 0 ? message : `${error.path.join(".")}: ${message}`
}

/** Effect's settings say what they got, and its schemas. */
const withoutValue = (message: string): string => {
  const [, kept] = /^([^]*?(?:but received|, actual) )/.exec(message) ?? []
  return kept === undefined ? message : `${kept}${redacted}`
}

/** How many of the reasons in a cause are told. */
const maxReasons = 1000

/** The reasons in a cause, from its left to its right. */
const reasonsOf = (cause: Cause.Cause<unknown>) => {
  const failures: Array<unknown> = []
  const defects: Array<unknown> = []
  let interrupted = false
  let left = 0
  const rest = [cause]
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    switch (next._tag) {
      case "Fail":
      case "Die":
        if (failures.length + defects.length === maxReasons) left++
        else if (next._tag === "Fail") failures.push(next.error)
        else defects.push(next.defect)
        break
      case "Interrupt":
        interrupted = true
        break
      case "Parallel":
      case "Sequential":
        rest.push(next.right, next.left)
    }
  }
  return { failures, defects, interrupted, left }
}

const causeFields = (cause: Cause.Cause<unknown>): unknown => {
  const reasons = reasonsOf(cause)
  const { defects, failures, interrupted, left } = reasons
  return {
    ...(failures.length > 0 ? { failures } : {}),
    ...(defects.length > 0 ? { defects } : {}),
    ...(left > 0 ? { left: `<${left} more failures or defects>` } : {}),
    ...(interrupted ? { interrupted } : {}),
    pretty: textOf(reasons)
  }
}

const maxErrors = 10

/** Failures before defects, without stacks and credentials. */
const textOf = ({ defects, failures, interrupted, left }: ReturnType<typeof reasonsOf>): string => {
  const errors = [...failures, ...defects]
  const reading: Reading = { keys: keysOf(redactedNames()), readable, limit: 2000 }
  const lines = errors.slice(0, maxErrors).map((error) => reasonOf(error, reading))
  if (errors.length > maxErrors) lines.push(`and ${errors.length + left - maxErrors} more`)
  return lines.length > 0 ? lines.join("\n") : interrupted ? "interrupted" : "empty"
}

const maps = ["effect/MutableHashMap", "effect/SortedMap", "effect/RedBlackTree", "effect/Trie"].map(Symbol.for)
const lists = ["effect/MutableHashSet", "effect/SortedSet", "effect/MutableList", "effect/MutableQueue"].map(Symbol.for)

const collection = (value: object): Readable | undefined => {
  if (!(Symbol.iterator in value)) return undefined
  // The guards are the symbols: importing eight modules for them would be a third of a small program.
  if (maps.some((symbol) => symbol in value)) {
    return { value: new Entries(value as Iterable<readonly [unknown, unknown]>, 0) }
  }
  if (lists.some((symbol) => symbol in value)) return { value: new Members(value as Iterable<unknown>, 0) }
  return undefined
}

/** From the particular to the general: nearly all of them are effects, and an effect is a stream. */
const kinds = [
  "Layer",
  "Fiber",
  "Deferred",
  "SubscriptionRef",
  "SynchronizedRef",
  "Resource",
  "ScopedRef",
  "Ref",
  "FiberRef",
  "MutableRef",
  "TRef",
  "QueueEnqueue",
  "QueueDequeue",
  "PubSub",
  "Mailbox",
  "Pool",
  "RcRef",
  "RcMap",
  "Scope",
  "FiberRefs",
  "FiberSet",
  "FiberMap",
  "FiberHandle",
  "ManagedRuntime",
  "Context",
  "Context/Tag",
  "Schedule",
  "Config",
  "Metric",
  "Logger",
  "RequestResolver",
  "Micro",
  "STM",
  "Effect",
  "Stream",
  "Sink",
  "Channel"
].map((name) => [Symbol.for(`effect/${name}`), `<${name.replace(/^Context\/|Enqueue$|Dequeue$/, "")}>`] as const)

const note = (value: object): Readable | undefined => {
  if (value instanceof Error) return undefined
  for (const [symbol, text] of kinds) if (symbol in value) return { value: text }
  return undefined
}

/** As Effect itself would log it, without the names of types. */
const inspectable = (value: object): Readable | undefined => {
  if (Inspectable.isRedactable(value)) {
    return { value: value[Inspectable.symbolRedactable](fiberRefs()) }
  }
  const toJson = Inspectable.NodeInspectSymbol in value ? read(value, "toJSON") : undefined
  if (typeof toJson !== "function" || value instanceof Error) return undefined
  const json: unknown = Inspectable.withRedactableContext(fiberRefs(), () => toJson.call(value))
  return json === value ? undefined : { value: withoutIds(json, 8) }
}

const withoutIds = (json: unknown, depth: number): unknown => {
  if (typeof json !== "object" || json === null || depth === 0) return json
  if (Array.isArray(json)) return json.length > 1000 ? json : json.map((item) => withoutIds(item, depth - 1))
  if (Object.getPrototypeOf(json) !== Object.prototype) return json
  const entries = Object.entries(json).filter(([key]) => key !== "_id")
  return Object.fromEntries(entries.map(([key, field]) => [key, withoutIds(field, depth - 1)]))
}
