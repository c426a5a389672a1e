/**
 * What a call of a model used and cost, in the one form that every server reads alike: buckets that do not overlap, with
 * their total.
 *
 * Langfuse adds up all buckets where there is no total, so that cached tokens that are also part of `input` count twice.
 * Providers and SDKs differ in what they count into what:
 *
 * | | cached tokens are | reasoning is |
 * | --- | --- | --- |
 * | OpenAI, OpenRouter, LangChain, Vercel's AI SDK, `@effect/ai`, `gen_ai.usage.*` | in the input | in the output |
 * | Anthropic, Amazon Bedrock | beside the input | in the output, untold |
 * | Google | in the input | beside the output |
 *
 * Of Cohere's two counts, the billed one is taken.
 *
 * The numbers themselves are believed over that: a part that is larger than the whole is beside it, and a total may come
 * out only one way.
 *
 * @see https://langfuse.com/docs/observability/features/token-and-cost-tracking
 */

import { Counts, Left, type Numbers, sumOf } from "./counts.js"
import { isFields, read } from "./object.js"
import { quote } from "./text.js"
import { apart, besideCached, isProviderUsage, meaningOf, ofCached, openAiShapes } from "./usageNames.js"

export { isProviderUsage } from "./usageNames.js"

export interface Buckets {
  /** JSON of an object; `undefined` where nothing was counted. */
  readonly text: string | undefined
  /** What was left out, for the metadata. */
  readonly note: string | undefined
}

const nothing: Buckets = { text: undefined, note: undefined }

/** Of an object with more names no more are read: nothing else bounds a usage, which is never cut. */
const maxBuckets = 100
const maxBucketName = 200

// ---------------------------------------------------------------------------------------------------------------------
// numbers
// ---------------------------------------------------------------------------------------------------------------------

const digits = /^\s*\d+\s*$/

/** A whole number from zero, or its text. */
const countOf = (value: unknown): number | undefined => {
  const isText = typeof value === "string" && value.length < 100 && digits.test(value)
  const number = typeof value === "bigint" || isText ? Number(value) : value
  return typeof number === "number" && number >= 0 && Number.isSafeInteger(number) ? number : undefined
}

const amountOf = (value: unknown): number | undefined =>
  typeof value === "number" && value >= 0 && Number.isFinite(value) ? value : undefined

const countRule =
  `a count is a whole number from zero, under a name that says what it is part of, and at most ${maxBuckets}`
const amountRule = `a cost is a number of US dollars from zero, and at most ${maxBuckets}`

/** JSON of the buckets, written by hand: a name may be `__proto__`. */
const textOf = (numbers: Numbers): string | undefined => {
  if (numbers.size === 0) return undefined
  let text = ""
  for (const [bucket, number] of numbers) text += `${text === "" ? "{" : ","}${quote(bucket)}:${number}`
  if (!numbers.has("total")) {
    const total = sumOf(numbers.values())
    // Counts beyond what a number holds exactly have a sum that the server takes for none.
    if (Number.isSafeInteger(total) || total < Number.MAX_SAFE_INTEGER) text += `,"total":${total}`
  }
  return `${text}}`
}

const bucketsOf = (numbers: Numbers, left: Left, rule: string): Buckets => {
  if (numbers.size === 0 && left.count === 0) return nothing
  let room = maxBuckets
  for (const name of numbers.keys()) {
    if (name === "total" || (name.length <= maxBucketName && room-- > 0)) continue
    numbers.delete(name)
    left.add(name)
  }
  return { text: textOf(numbers), note: left.note(rule) }
}

const namesOf = (value: object, left: Left): ReadonlyArray<string> => {
  const names = Object.keys(value)
  const kept = names.slice(0, maxBuckets)
  for (const name of names.slice(maxBuckets)) {
    if (name === "total") kept.push(name)
    else left.add(name)
  }
  return kept
}

// ---------------------------------------------------------------------------------------------------------------------
// counts of a provider
// ---------------------------------------------------------------------------------------------------------------------

const readProvider = (usage: object, names: ReadonlyArray<string>, left: Left): Numbers => {
  const counts = new Counts()
  const put = (name: string, value: unknown): void => {
    if (value === undefined || value === null) return
    const meaning = meaningOf(name)
    const count = countOf(value)
    if (count === undefined ? meaning !== undefined : meaning === undefined && count > 0) left.add(name)
    else if (meaning !== undefined && count !== undefined) counts.set(meaning, count)
  }
  const putAll = (name: string, value: unknown): void => {
    // Lists break down once more what is counted already.
    if (!isFields(value)) return Array.isArray(value) ? undefined : put(name, value)
    for (const detail of namesOf(value, left)) {
      const count = read(value, detail)
      if (typeof count !== "object") put(`${name}.${detail}`, count)
      else if (ofCached.has(detail)) putAll(`${name}.${detail}`, count)
    }
  }
  // What is billed counts more than what Cohere has under this name.
  const last = "tokens"
  for (const name of names) if (name !== last && name !== "raw") putAll(name, read(usage, name))
  if (names.includes(last)) putAll(last, read(usage, last))
  if (names.some((name) => besideCached.has(name)) && names.some((name) => apart.has(name))) counts.input.isApart = true
  return counts.disjoint(openAiShapes.some((shape) => names.every((name) => shape.has(name))), left)
}

const readBuckets = (
  given: object,
  names: ReadonlyArray<string>,
  numberOf: (value: unknown) => number | undefined,
  left: Left
): Numbers => {
  const numbers: Numbers = new Map()
  for (const name of names) {
    const value = read(given, name)
    if (value === undefined || value === null) continue
    const number = numberOf(value)
    if (number === undefined) left.add(name)
    else numbers.set(name, number)
  }
  return numbers
}

const unreadable = "all of it"

const readUsage = (usage: unknown, left: Left): Numbers => {
  if (usage === undefined || usage === null) return new Map()
  try {
    if (isFields(usage)) {
      const names = namesOf(usage, left)
      return isProviderUsage(names)
        ? readProvider(usage, names, left)
        : readBuckets(usage, names, countOf, left)
    }
  } catch {
    // A getter that throws, or a proxy that refuses.
  }
  left.add(unreadable)
  return new Map()
}

const readCost = (cost: unknown, left: Left): Numbers => {
  if (cost === undefined || cost === null) return new Map()
  try {
    if (isFields(cost)) return readBuckets(cost, namesOf(cost, left), amountOf, left)
  } catch {
    // As above.
  }
  left.add(unreadable)
  return new Map()
}

/** What a program says a call used: buckets, or the usage object of a provider or an SDK as it came. Never throws. */
export const usageOf = (usage: unknown): Buckets => {
  const left = new Left()
  return bucketsOf(readUsage(usage, left), left, countRule)
}

/** US dollars by bucket. Without a `total` Langfuse has no sum of buckets other than `input` and `output`. Never throws. */
export const costOf = (cost: unknown): Buckets => {
  const left = new Left()
  return bucketsOf(readCost(cost, left), left, amountRule)
}

/**
 * Counts of a span's attributes, by names without their prefix, such as `input_tokens` and `cache_read.input_tokens`. By
 * OpenTelemetry's conventions cached tokens are in the input and reasoning is in the output, whoever counted. Counts under
 * names that are not known may be part of others, so they are no buckets: `rest` gets them.
 */
export const usageOfAttributes = (
  attributes: ReadonlyMap<string, unknown>,
  rest: (name: string, value: unknown) => void
): Buckets => {
  const counts = new Counts()
  const left = new Left()
  for (const [name, value] of attributes) {
    const meaning = meaningOf(name === "prompt" || name === "completion" ? `${name}_tokens` : name)
    if (meaning === undefined) {
      rest(name, value)
      continue
    }
    const count = countOf(value)
    if (count !== undefined) counts.set(meaning, count)
    else if (value !== undefined && value !== null) left.add(name)
  }
  return bucketsOf(counts.disjoint(false, left), left, countRule)
}

// ---------------------------------------------------------------------------------------------------------------------
// the deprecated `usage`
// ---------------------------------------------------------------------------------------------------------------------

const legacyCounts = [["input", "promptTokens"], ["output", "completionTokens"], ["total", "totalTokens"]] as const
const legacyCosts = [["input", "inputCost"], ["output", "outputCost"], ["total", "totalCost"]] as const
const legacyNames: ReadonlyArray<string> = [
  ...legacyCounts.map(([bucket]) => bucket),
  ...legacyCosts.map(([, name]) => name)
]
const allLegacyNames: ReadonlySet<string> = new Set([...legacyNames, ...legacyCounts.map(([, name]) => name)])

/**
 * The deprecated `usage` of an event, and the details beside it, whose buckets win over those of the same name. Never
 * throws.
 */
export const legacyUsageOf = (
  usage: unknown,
  usageDetails?: unknown,
  costDetails?: unknown
): { readonly usage: Buckets; readonly cost: Buckets } => {
  const leftCounts = new Left()
  const leftCosts = new Left()
  const counts = readLegacyCounts(usage, leftCounts)
  const costs = readLegacyCosts(usage, leftCosts)
  for (const [bucket, count] of readUsage(usageDetails, leftCounts)) counts.set(bucket, count)
  for (const [bucket, cost] of readCost(costDetails, leftCosts)) costs.set(bucket, cost)
  return {
    usage: bucketsOf(counts, leftCounts, countRule),
    cost: bucketsOf(costs, leftCosts, amountRule)
  }
}

const readLegacyCounts = (usage: unknown, left: Left): Numbers => {
  try {
    // Any other object is one that Langfuse would not understand there, and we do.
    if (!isFields(usage) || !legacyNames.some((name) => name in usage)) return readUsage(usage, left)
    const counts: Numbers = new Map()
    for (const [bucket, openAi] of legacyCounts) {
      const value = read(usage, openAi) ?? read(usage, bucket)
      const count = countOf(value)
      if (count !== undefined) counts.set(bucket, count)
      else if (value !== undefined && value !== null) left.add(bucket)
    }
    for (const name of namesOf(usage, left)) {
      if (!allLegacyNames.has(name) && (countOf(read(usage, name)) ?? 0) > 0) left.add(name)
    }
    // As Langfuse has it: no total rather than one of nothing.
    if (counts.get("total") === 0) counts.delete("total")
    return counts
  } catch {
    left.add(unreadable)
    return new Map()
  }
}

const readLegacyCosts = (usage: unknown, left: Left): Numbers => {
  const costs: Numbers = new Map()
  try {
    if (!isFields(usage)) return costs
    for (const [bucket, name] of legacyCosts) {
      const value = read(usage, name)
      const amount = amountOf(value)
      if (amount !== undefined) costs.set(bucket, amount)
      else if (value !== undefined && value !== null) left.add(name)
    }
  } catch {
    left.add(unreadable)
  }
  return costs
}
