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

import { isFields, read } from "./object.js"
import {
  apart,
  besideCached,
  cacheCreation,
  cacheCreation1h,
  isModality,
  isProviderUsage,
  type Meaning,
  meaningOf,
  ofCached,
  openAiShapes,
  type Side
} from "./usageNames.js"

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

type Numbers = Map<string, number>

const sumOf = (numbers: Iterable<number>): number => {
  let sum = 0
  for (const number of numbers) sum += number
  return sum
}

// ---------------------------------------------------------------------------------------------------------------------
// notes
// ---------------------------------------------------------------------------------------------------------------------

const maxNames = 10
const maxName = 60

/** What was left out. */
class Left {
  count = 0
  readonly names: Array<string> = []

  add(name: string, count = 1): void {
    this.count += count
    if (this.names.length < maxNames) this.names.push(name.length > maxName ? `${name.slice(0, maxName)}…` : name)
  }
}

/** Names only: what stands in the place of a count may be anything. */
const noteOf = ({ count, names }: Left, rule: string): string | undefined => {
  if (count === 0) return undefined
  const more = count > names.length ? ` and ${count - names.length} more` : ""
  return `left out: ${names.join(", ")}${more} (${rule})`
}

const countRule =
  `a count is a whole number from zero, under a name that says what it is part of, and at most ${maxBuckets}`
const amountRule = `a cost is a number of US dollars from zero, and at most ${maxBuckets}`

/** `JSON.stringify` of the buckets: a name may be `__proto__`. */
const textOf = (numbers: Numbers): string | undefined => {
  if (numbers.size === 0) return undefined
  let text = ""
  for (const [bucket, number] of numbers) text += `${text === "" ? "{" : ","}${JSON.stringify(bucket)}:${number}`
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
  return { text: textOf(numbers), note: noteOf(left, rule) }
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

class Counts {
  readonly input = new Whole()
  readonly output = new Whole()
  total: number | undefined = undefined
  toolPrompt = 0
  private written: number | undefined = undefined
  private written5m = 0
  private written1h = 0

  set(meaning: Meaning, count: number): void {
    switch (meaning.is) {
      case "total":
        this.total ??= count
        return
      case "written":
        this.written ??= count
        return
      case "written5m":
      case "written1h":
        this[meaning.is] = count
        this.written ??= 0
        return
      case "toolPrompt":
        this.toolPrompt = count
        return
      case "inside":
        return
      case "cachedPart":
        this[meaning.of].cached.set(meaning.bucket, count)
        return
      case "whole":
        this[meaning.of].count ??= count
        return
      case "rest":
        this[meaning.of].rest ??= count
        return
      case "part": {
        const whole = this[meaning.of]
        if (!whole.parts.has(meaning.bucket)) whole.parts.set(meaning.bucket, count)
        if (meaning.isApart) whole.isApart = true
      }
    }
  }

  /** Tokens that stay in the cache for an hour have a price of their own. */
  private settleWritten(): void {
    if (this.written === undefined) return
    const short = Math.max(this.written - this.written1h, this.written5m)
    if (short > 0 || this.written1h === 0) this.input.parts.set(cacheCreation, short)
    if (this.written1h > 0) this.input.parts.set(cacheCreation1h, this.written1h)
  }

  /** `isOpenAi`: exactly OpenAI's own object, which Langfuse itself takes apart. */
  disjoint(isOpenAi: boolean, left: Left): Numbers {
    this.settleWritten()
    const { input, output, total } = this
    input.settleCached()
    const sum = (input.count ?? 0) + (output.count ?? 0)
    if ((total ?? 0) <= sum + this.toolPrompt) {
      input.leaveOut(left)
      output.leaveOut(left)
    }
    const isSum = total === sum
    const overlaps = (whole: Whole) => isSum && !whole.isApart && whole.isTold() && (isOpenAi || whole.fitsEach())
    const isOverlapping = overlaps(input) && overlaps(output)
    if (!isOverlapping) this.placeParts()
    const buckets: Numbers = new Map()
    input.addTo(buckets, "input")
    output.addTo(buckets, "output")
    if (this.toolPrompt > 0 && (total ?? Number.MAX_SAFE_INTEGER) >= sumOf(buckets.values()) + this.toolPrompt) {
      buckets.set("input", (buckets.get("input") ?? 0) + this.toolPrompt)
    }
    // A total below the sum of what it is the total of counts something else.
    if (total !== undefined && (isOverlapping || total >= sumOf(buckets.values()))) buckets.set("total", total)
    return buckets
  }

  /** Decides which parts are beside their whole. */
  private placeParts(): void {
    const { input, output, total } = this
    const mayFit = [!input.isApart && input.fits(), !output.isApart && output.fits()] as const
    // A total that leaves out cached tokens is no evidence: some just add up the two counts that Anthropic gives.
    const ways: ReadonlyArray<readonly [boolean, boolean]> = [
      mayFit,
      [mayFit[0], output.fits()],
      [mayFit[0], false],
      [false, mayFit[1]],
      [false, false]
    ]
    const totalOf = ([isInInput, isInOutput]: readonly [boolean, boolean]): number =>
      (input.count ?? 0) + (output.count ?? 0) + this.toolPrompt + (isInInput ? 0 : input.sum()) +
      (isInOutput ? 0 : output.sum())
    const way = total === undefined ? mayFit : ways.find((way) => totalOf(way) === total) ?? mayFit
    input.isApart = !way[0]
    output.isApart = !way[1]
  }
}

/** The tokens of one side, and what is known of their parts. */
class Whole {
  count: number | undefined = undefined
  /** What is in no part. */
  rest: number | undefined = undefined
  readonly parts: Numbers = new Map()
  /** How many tokens of a part are cached, and so counted there too. */
  readonly cached: Numbers = new Map()
  isApart = false

  sum(): number {
    return sumOf(this.parts.values())
  }

  /** Where only parts were told, a total that leaves them out says nothing about them. */
  isTold(): boolean {
    return this.count !== undefined || (this.rest === undefined && this.parts.size === 0)
  }

  fits(): boolean {
    return this.sum() <= (this.count ?? 0)
  }

  fitsEach(): boolean {
    for (const part of this.parts.values()) if (part > (this.count ?? 0)) return false
    return true
  }

  settleCached(): void {
    for (const [bucket, cached] of this.cached) {
      const part = this.parts.get(bucket)
      if (part !== undefined) this.parts.set(bucket, Math.max(0, part - cached))
    }
  }

  /**
   * Parts that are too many for their whole, although none is too large, are parts of each other: nobody says how much of
   * the audio was cached. So the audio, and the like, is in the whole without a bucket of its own.
   */
  leaveOut(left: Left): void {
    if (this.isApart || !this.fitsEach()) return
    const modalities = Array.from(this.parts).filter(([bucket, count]) => count > 0 && isModality(bucket))
    for (const [bucket] of modalities.sort(([, one], [, other]) => one - other)) {
      if (this.fits()) return
      this.parts.delete(bucket)
      left.add(bucket)
    }
  }

  addTo(buckets: Numbers, name: Side): void {
    const { count, isApart, parts, rest } = this
    if (count !== undefined) buckets.set(name, isApart ? count : Math.max(0, count - this.sum()))
    else if (rest !== undefined) buckets.set(name, rest)
    for (const [part, number] of parts) buckets.set(part, number)
  }
}

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
