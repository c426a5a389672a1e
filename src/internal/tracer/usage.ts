/**
 * What a model call used and cost, as Langfuse counts it: buckets that do not overlap, since it adds them up and prices
 * each one.
 *
 * Providers do overlap, and not alike. In OpenAI's counts, and those of most others, cached tokens are part of the input
 * and reasoning tokens part of the output. Anthropic, and Amazon Bedrock for every model, count cached tokens beside the
 * input; Google counts thoughts beside the output. So the provider's name decides, unless the numbers themselves say
 * otherwise: a part larger than the whole, or a total that comes out only one way.
 */
import { type Fields, finite, isFields, put } from "./values.js"

export interface Buckets {
  readonly [bucket: string]: number
}

/** Who counted, as far as that is known. */
export interface Counter {
  readonly provider: string | undefined
  readonly model: string | undefined
}

interface Counts {
  input: number | undefined
  output: number | undefined
  total: number | undefined
  /** By bucket: what may or may not be part of the input, and of the output. */
  readonly inputParts: Map<string, number>
  readonly outputParts: Map<string, number>
}

const cached = "input_cached_tokens"
const cacheCreation = "input_cache_creation"
const reasoning = "output_reasoning_tokens"

/** The names that instrumentations, and providers in their answers, give to the same counts. */
const names = new Map<
  string,
  "input" | "output" | "total" | { readonly of: "input" | "output"; readonly bucket: string }
>(
  [
    ...["input_tokens", "prompt_tokens", "prompt"].map((name) => [name, "input"] as const),
    ...["output_tokens", "completion_tokens", "completion"].map((name) => [name, "output"] as const),
    ...["total_tokens", "total"].map((name) => [name, "total"] as const),
    ...[
      "cache_read.input_tokens",
      "cache_read_input_tokens",
      "cache_read_tokens",
      "details.cache_read_tokens",
      "details.cache_read_input_tokens",
      "prompt_details.cache_read",
      "prompt_tokens_details.cached_tokens",
      "input_tokens_details.cached_tokens",
      "input_tokens.cached",
      "input_cached_tokens",
      "cached_input_tokens",
      "cached_tokens"
    ].map((name) => [name, { of: "input", bucket: cached }] as const),
    ...[
      "cache_creation.input_tokens",
      "cache_creation_input_tokens",
      "cache_write.input_tokens",
      "cache_write_input_tokens",
      "cache_write_tokens",
      "details.cache_write_tokens",
      "details.cache_creation_input_tokens",
      "prompt_details.cache_write",
      "input_tokens.cache_write",
      "input_cache_creation"
    ].map((name) => [name, { of: "input", bucket: cacheCreation }] as const),
    ...["prompt_details.audio", "prompt_tokens_details.audio_tokens", "input_tokens_details.audio_tokens"].map((name) =>
      [name, { of: "input", bucket: "input_audio_tokens" }] as const
    ),
    ...[
      "reasoning.output_tokens",
      "reasoning_output_tokens",
      "reasoning_tokens",
      "details.reasoning_tokens",
      "completion_details.reasoning",
      "completion_tokens_details.reasoning_tokens",
      "output_tokens_details.reasoning_tokens",
      "output_tokens.reasoning",
      "output_reasoning_tokens"
    ].map((name) => [name, { of: "output", bucket: reasoning }] as const),
    ...["completion_details.audio", "completion_tokens_details.audio_tokens", "output_tokens_details.audio_tokens"].map(
      (name) => [name, { of: "output", bucket: "output_audio_tokens" }] as const
    )
  ]
)

/** A count is an integer of 0 or more: Langfuse drops any other without a word. */
const count = (value: unknown): number | undefined => {
  const number = typeof value === "number" ? value : finite(value)
  return number !== undefined && number >= 0 && Number.isSafeInteger(number) ? number : undefined
}

const sum = (values: Iterable<number>): number => {
  let total = 0
  for (const value of values) total += value
  return total
}

const noCounts = (): Counts => ({
  input: undefined,
  output: undefined,
  total: undefined,
  inputParts: new Map(),
  outputParts: new Map()
})

/** Takes a count under one of the known names; `false` when the name is not one of them. */
const take = (counts: Counts, name: string, value: unknown): boolean => {
  const known = names.get(name)
  if (known === undefined) return false
  const number = count(value)
  if (number === undefined) return true
  if (typeof known === "string") counts[known] ??= number
  else {
    const parts = known.of === "input" ? counts.inputParts : counts.outputParts
    if (!parts.has(known.bucket)) parts.set(known.bucket, number)
  }
  return true
}

const isClaude = (model: string | undefined): boolean => model !== undefined && /claude|anthropic/i.test(model)

/** Whether the parts are in the input, and in the output. */
const includes = (counts: Counts, { model, provider = "" }: Counter): readonly [boolean, boolean] => {
  const claude = isClaude(model)
  const inInput = !/anthropic|bedrock/i.test(provider) && !(claude && /vertex|google|gcp/i.test(provider))
  const inOutput = claude || !/gemini|vertex|google|gcp/i.test(provider)
  const { input = 0, output = 0, total } = counts
  const inputParts = sum(counts.inputParts.values())
  const outputParts = sum(counts.outputParts.values())
  const fitsInput = inInput && inputParts <= input
  const fitsOutput = inOutput && outputParts <= output
  if (total === undefined) return [fitsInput, fitsOutput]
  const totalOf = (inInput: boolean, inOutput: boolean): number =>
    input + output + (inInput ? 0 : inputParts) + (inOutput ? 0 : outputParts)
  // A total that leaves out cached tokens is no evidence: some just add the two counts that Anthropic gives.
  const ways: ReadonlyArray<readonly [boolean, boolean]> = [
    [fitsInput, fitsOutput],
    [fitsInput, outputParts <= output],
    [fitsInput, false],
    [false, fitsOutput],
    [false, false]
  ]
  return ways.find((way) => totalOf(...way) === total) ?? [fitsInput, fitsOutput]
}

const disjoint = (counts: Counts, counter: Counter): Buckets | undefined => {
  const [inInput, inOutput] = includes(counts, counter)
  const buckets: { [bucket: string]: number } = {}
  if (counts.input !== undefined) {
    buckets["input"] = inInput ? Math.max(0, counts.input - sum(counts.inputParts.values())) : counts.input
  }
  if (counts.output !== undefined) {
    buckets["output"] = inOutput ? Math.max(0, counts.output - sum(counts.outputParts.values())) : counts.output
  }
  for (const [bucket, number] of counts.inputParts) buckets[bucket] = number
  for (const [bucket, number] of counts.outputParts) buckets[bucket] = number
  // A total below the sum of what it is the total of counts something else.
  if (counts.total !== undefined && counts.total >= sum(Object.values(buckets))) buckets["total"] = counts.total
  return Object.keys(buckets).length === 0 ? undefined : buckets
}

/**
 * From `gen_ai.usage.*`, names without that prefix. Counts under names that are not known may be part of others, so they
 * are no buckets: `rest` gets them.
 */
export const fromGenAi = (
  usage: ReadonlyMap<string, unknown>,
  counter: Counter,
  rest: (name: string, value: unknown) => void
): Buckets | undefined => {
  const counts = noCounts()
  for (const [name, value] of usage) {
    if (!take(counts, name, value)) rest(name, value)
  }
  return disjoint(counts, counter)
}

const wholes = new Set(["prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens"])
const isWhole = (name: string): boolean => wholes.has(name)
const details = new Map<string, "input" | "output">([
  ["prompt_tokens_details", "input"],
  ["input_tokens_details", "input"],
  ["completion_tokens_details", "output"],
  ["output_tokens_details", "output"]
])

/**
 * From what a program says a call used: buckets, which stay as they are, or the usage object of OpenAI's or Anthropic's
 * answers with whatever else is in it.
 */
export const fromObject = (usage: unknown): Buckets | undefined => {
  if (!isFields(usage)) return undefined
  const names = Object.keys(usage)
  if (!names.some(isWhole)) {
    const buckets: { [bucket: string]: number } = {}
    let isEmpty = true
    for (const name of names) {
      const number = count(usage[name])
      if (number === undefined) continue
      put(buckets, name, number)
      isEmpty = false
    }
    return isEmpty ? undefined : buckets
  }
  const counts = noCounts()
  for (const [name, value] of Object.entries(usage)) {
    const part = details.get(name)
    if (part === undefined || !isFields(value)) take(counts, name, value)
    else takeDetails(counts, part, value)
  }
  const anthropic = "cache_read_input_tokens" in usage || "cache_creation_input_tokens" in usage
  return disjoint(counts, { provider: anthropic ? "anthropic" : "openai", model: undefined })
}

/** Every detail is a part of its whole, under the name that Langfuse gives it too. */
const takeDetails = (counts: Counts, of: "input" | "output", parts: Fields): void => {
  for (const [name, value] of Object.entries(parts)) {
    const number = count(value)
    if (number !== undefined) (of === "input" ? counts.inputParts : counts.outputParts).set(`${of}_${name}`, number)
  }
}

/** US dollars by bucket. Without a `total` Langfuse has no sum of buckets other than `input` and `output`. */
export const costs = (costs: unknown): Buckets | undefined => {
  if (!isFields(costs)) return undefined
  const buckets: { [bucket: string]: number } = {}
  for (const [name, value] of Object.entries(costs)) {
    const number = finite(value)
    if (number !== undefined && number >= 0) put(buckets, name, number)
  }
  const names = Object.keys(buckets)
  if (names.length === 0) return undefined
  if (!("total" in buckets)) {
    const total = sum(Object.values(buckets))
    if (Number.isFinite(total)) buckets["total"] = total
  }
  return buckets
}
