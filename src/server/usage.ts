/**
 * Token usage and cost: the shapes the server takes, and what it makes of them before they are stored.
 */
import * as V from "./validation.js"

export type Counts = { readonly [bucket: string]: number }

const count = V.nullish(V.int)

const openAiDetails = V.nullish(V.record(count))

const chatShape = V.object({
  prompt_tokens: V.int,
  completion_tokens: V.int,
  total_tokens: V.int,
  prompt_tokens_details: openAiDetails,
  completion_tokens_details: openAiDetails
}, { strict: true })

const responsesShape = V.object({
  input_tokens: V.int,
  output_tokens: V.int,
  total_tokens: V.int,
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

const asCount = (value: unknown): number | undefined => {
  const read = typeof value === "string" ? Number.parseInt(value, 10) : value
  return typeof read === "number" && Number.isInteger(read) && read >= 0 ? read : undefined
}

const present = (entries: ReadonlyArray<readonly [string, number | undefined]>): Counts | undefined => {
  const kept = entries.flatMap(([key, value]) => value === undefined ? [] : [[key, value] as const])
  return kept.length === 0 ? undefined : Object.fromEntries(kept)
}

/** `usageDetails` of an event, and what is inside `langfuse.observation.usage_details`. */
export const usageDetails: V.Parser<Counts | undefined> = V.union(
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
  V.map(V.record(V.any), (usage) => present(Object.entries(usage).map(([key, value]) => [key, asCount(value)])))
)

/** `costDetails` of an event. */
export const costDetails: V.Parser<Counts | undefined> = V.map(
  V.record(V.any),
  (cost) =>
    present(
      Object.entries(cost).map(([key, value]) => [
        key,
        typeof value === "number" && value >= 0 ? value : undefined
      ])
    )
)

export interface Usage {
  readonly usage: Counts | undefined
  readonly cost: Counts | undefined
}

const amount = V.nullish(V.number)

const usageFields = V.object({
  input: count,
  output: count,
  total: count,
  unit: V.nullish(V.literals("CHARACTERS", "TOKENS", "SECONDS", "MILLISECONDS", "IMAGES", "REQUESTS")),
  inputCost: amount,
  outputCost: amount,
  totalCost: amount,
  promptTokens: count,
  completionTokens: count,
  totalTokens: count
})

/** The deprecated `usage`. The names of OpenAI's first API, when one of them is there, make its costs disappear. */
export const usage: V.Parser<Usage> = V.map(usageFields, (given): Usage => {
  const openAi = ["promptTokens", "completionTokens", "totalTokens"].some((key) => Object.hasOwn(given, key))
  return openAi
    ? {
      usage: present([
        ["input", given.promptTokens ?? undefined],
        ["output", given.completionTokens ?? undefined],
        ["total", given.totalTokens ?? undefined]
      ]),
      cost: undefined
    }
    : {
      usage: present([
        ["input", given.input ?? undefined],
        ["output", given.output ?? undefined],
        ["total", given.total ?? undefined]
      ]),
      cost: present([
        ["input", given.inputCost ?? undefined],
        ["output", given.outputCost ?? undefined],
        ["total", given.totalCost ?? undefined]
      ])
    }
})

/** Without a `total`, every bucket is added up, whether or not they overlap. */
export const withTotal = (counts: Counts): Counts =>
  "total" in counts || Object.keys(counts).length === 0
    ? counts
    : { ...counts, total: Object.values(counts).reduce((sum, value) => sum + value, 0) }

/** The total cost, which the server derives only when nothing but `input` and `output` was given. */
export const totalCost = (cost: { readonly [bucket: string]: unknown }): number | undefined => {
  if (typeof cost["total"] === "number") return cost["total"]
  const entries = Object.entries(cost)
  if (entries.length === 0) return undefined
  let sum = 0
  for (const [key, value] of entries) {
    if ((key !== "input" && key !== "output") || typeof value !== "number") return undefined
    sum += value
  }
  return sum
}
