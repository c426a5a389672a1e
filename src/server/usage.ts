/**
 * Token usage and cost as events carry them: the shapes the server takes, and the buckets it makes of them.
 */
import type { Dialect } from "./dialect.js"
import * as V from "./validation.js"

export type Counts = { readonly [bucket: string]: number }

const count = V.nullish(V.int)

const size = V.nonNegative(V.int)

const openAiDetails = V.nullish(V.record(V.nullish(size)))

const chatShape = V.object({
  prompt_tokens: size,
  completion_tokens: size,
  total_tokens: size,
  prompt_tokens_details: openAiDetails,
  completion_tokens_details: openAiDetails
}, { strict: true })

const responsesShape = V.object({
  input_tokens: size,
  output_tokens: size,
  total_tokens: size,
  input_tokens_details: openAiDetails,
  output_tokens_details: openAiDetails
}, { strict: true })

type Details = { readonly [key: string]: number | null | undefined } | null | undefined

/** OpenAI counts its details inside `input` and `output`; Langfuse wants buckets that do not overlap. */
const disjoint = (
  input: number,
  output: number,
  total: number,
  inputDetails: Details,
  outputDetails: Details
): Counts => {
  const buckets = new Map([["input", input], ["output", output], ["total", total]])
  const split = (side: "input" | "output", details: Details) => {
    for (const [key, value] of Object.entries(details ?? {})) {
      if (value === null || value === undefined) continue
      buckets.set(`${side}_${key}`, value)
      buckets.set(side, Math.max(0, (buckets.get(side) ?? 0) - value))
    }
  }
  split("input", inputDetails)
  split("output", outputDetails)
  return Object.fromEntries(buckets)
}

const kept = (
  values: { readonly [key: string]: unknown },
  read: (value: unknown) => number | undefined
): Counts | undefined => {
  const entries = Object.entries(values).flatMap(([key, value]) => {
    const number = read(value)
    return number === undefined ? [] : [[key, number] as const]
  })
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

const countIn = (readsText: boolean) => (value: unknown): number | undefined => {
  const read = readsText && typeof value === "string" ? Number.parseInt(value, 10) : value
  return typeof read === "number" && Number.isInteger(read) && read >= 0 ? read : undefined
}

const present = (value: unknown): number | undefined => typeof value === "number" ? value : undefined

/** The field `usageDetails` of an event, which is also how `langfuse.observation.usage_details` is read. */
export const usageDetails = ({ details, readsTextCounts }: Dialect): V.Parser<Counts | undefined> => {
  if (details === "none") return () => undefined
  const any = details === "filtered"
    ? V.map(V.record(V.any), (usage) => kept(usage, countIn(readsTextCounts)))
    : V.map(V.record(V.nullish(size)), (usage) => kept(usage, present))
  return V.union(
    V.map(chatShape, (usage): Counts | undefined =>
      disjoint(
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.total_tokens,
        usage.prompt_tokens_details,
        usage.completion_tokens_details
      )),
    V.map(responsesShape, (usage): Counts | undefined =>
      disjoint(
        usage.input_tokens,
        usage.output_tokens,
        usage.total_tokens,
        usage.input_tokens_details,
        usage.output_tokens_details
      )),
    any
  )
}

/** The field `costDetails` of an event. */
export const costDetails = ({ details }: Dialect): V.Parser<Counts | undefined> => {
  if (details === "none") return () => undefined
  return details === "filtered"
    ? V.map(
      V.record(V.any),
      (cost) => kept(cost, (value) => typeof value === "number" && value >= 0 ? value : undefined)
    )
    : V.map(V.record(V.nullish(V.nonNegative(V.number))), (cost) => kept(cost, present))
}

/** The deprecated `usage` of an event. */
export interface Usage {
  readonly input?: number | null | undefined
  readonly output?: number | null | undefined
  readonly total?: number | null | undefined
  readonly inputCost?: number | null | undefined
  readonly outputCost?: number | null | undefined
  readonly totalCost?: number | null | undefined
}

const amount = V.nullish(V.number)

const usageFields = V.object({
  input: count,
  output: count,
  total: count,
  unit: V.nullish(V.literals("CHARACTERS", "TOKENS", "SECONDS", "MILLISECONDS", "IMAGES", "REQUESTS")),
  promptTokens: count,
  completionTokens: count,
  totalTokens: count,
  inputCost: amount,
  outputCost: amount,
  totalCost: amount
})

/** The names of OpenAI's first API, when one of them is there, make the costs disappear. */
export const usage: V.Parser<Usage> = V.map(
  usageFields,
  (given): Usage =>
    ["promptTokens", "completionTokens", "totalTokens"].some((key) => Object.hasOwn(given, key))
      ? { input: given.promptTokens, output: given.completionTokens, total: given.totalTokens }
      : given
)

interface Given {
  readonly usage?: Usage | null | undefined
  readonly usageDetails?: Counts | null | undefined
  readonly costDetails?: Counts | null | undefined
}

/** A total that is missing or zero is made of what else `usage` says, unless there are details. */
const totalOf = ({ input, output, total }: Usage, hasDetails: boolean): number | null | undefined => {
  if (total) return total
  if (hasDetails) return undefined
  return input && output ? input + output : input ?? output
}

/** The buckets that an event provides: those of the details win over those of `usage`. */
export const providedUsage = ({ usage, usageDetails }: Given): Counts => {
  const hasDetails = Object.keys(usageDetails ?? {}).length > 0
  const given = { input: usage?.input, output: usage?.output, total: totalOf(usage ?? {}, hasDetails) }
  return { ...kept(given, present), ...usageDetails }
}

/** The costs that an event provides. */
export const providedCost = ({ costDetails, usage }: Given): Counts => ({
  ...kept({ input: usage?.inputCost, output: usage?.outputCost, total: usage?.totalCost }, present),
  ...costDetails
})
