/**
 * Usage and costs of a model call in the one form that every server reads alike: buckets that do not overlap, with a total.
 *
 * The rules are those by which Langfuse's batch endpoint reads `usageDetails`, `costDetails` and the deprecated `usage`.
 *
 * @see https://langfuse.com/docs/observability/features/token-and-cost-tracking
 */

export interface Buckets {
  readonly [bucket: string]: number
}

export type JsonObject = { readonly [key: string]: unknown }

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isInt = (value: unknown): value is number => typeof value === "number" && Number.isSafeInteger(value)

const fromEntries = <A>(entries: ReadonlyArray<readonly [string, A]>): { readonly [key: string]: A } | undefined =>
  entries.length === 0 ? undefined : Object.fromEntries(entries)

// -------------------------------------------------------------------------------------
// usageDetails
// -------------------------------------------------------------------------------------

/** What OpenAI's two APIs call their counts. */
const openAiShapes = [
  { input: "prompt_tokens", output: "completion_tokens" },
  { input: "input_tokens", output: "output_tokens" }
] as const

const isBreakdown = (value: unknown): boolean =>
  value === undefined || value === null ||
  isObject(value) && Object.values(value).every((count) => count === null || isInt(count))

/** OpenAI's own usage, which counts its details inside `input` and `output`; one field more and it is something else. */
const fromOpenAi = (details: JsonObject): Buckets | undefined => {
  if (!Object.hasOwn(details, "total_tokens")) return undefined
  for (const names of openAiShapes) {
    const [input, output, total] = [details[names.input], details[names.output], details["total_tokens"]]
    const breakdowns = [`${names.input}_details`, `${names.output}_details`] as const
    const known = new Set<string>([names.input, names.output, "total_tokens", ...breakdowns])
    if (
      !isInt(input) || !isInt(output) || !isInt(total) ||
      !breakdowns.every((name) => isBreakdown(details[name])) ||
      !Object.keys(details).every((key) => known.has(key))
    ) continue
    const buckets: Record<string, number> = { input, output, total }
    const take = (side: "input" | "output", breakdown: unknown) => {
      if (!isObject(breakdown)) return
      for (const [detail, count] of Object.entries(breakdown)) {
        if (!isInt(count)) continue
        buckets[`${side}_${detail}`] = count
        buckets[side] = Math.max(0, (buckets[side] ?? 0) - count)
      }
    }
    take("input", details[breakdowns[0]])
    take("output", details[breakdowns[1]])
    return buckets
  }
  return undefined
}

const asCount = (value: unknown): number | undefined => {
  const count = typeof value === "string" ? Number.parseInt(value, 10) : value
  return isInt(count) && count >= 0 ? count : undefined
}

const asCost = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined

/** Those of the details that are what they should be; `undefined` when none is. */
const bucketsIn = (details: JsonObject, read: (value: unknown) => number | undefined): Buckets | undefined => {
  const keys = Object.keys(details)
  if (keys.length > 0 && isAsRead(details, keys, read)) return details
  return fromEntries(
    keys.flatMap((bucket) => {
      const value = read(details[bucket])
      return value === undefined ? [] : [[bucket, value] as const]
    })
  )
}

/** Nearly always, and then nothing has to be copied. */
const isAsRead = (
  details: JsonObject,
  keys: ReadonlyArray<string>,
  read: (value: unknown) => number | undefined
): details is Buckets => keys.every((key) => typeof details[key] === "number" && read(details[key]) !== undefined)

/** `undefined` when nothing in it is a count. */
export const readUsageDetails = (details: JsonObject): Buckets | undefined =>
  fromOpenAi(details) ?? bucketsIn(details, asCount)

/** `undefined` when nothing in it is a cost. */
export const readCostDetails = (details: JsonObject): Buckets | undefined => bucketsIn(details, asCost)

// -------------------------------------------------------------------------------------
// usage
// -------------------------------------------------------------------------------------

export interface Usage {
  readonly usage: Buckets | undefined
  readonly cost: Buckets | undefined
}

const units: ReadonlySet<unknown> = new Set([
  undefined,
  null,
  "CHARACTERS",
  "TOKENS",
  "SECONDS",
  "MILLISECONDS",
  "IMAGES",
  "REQUESTS"
])

const counts = ["input", "output", "total", "promptTokens", "completionTokens", "totalTokens"] as const
const costs = ["inputCost", "outputCost", "totalCost"] as const

/** What is wrong with a deprecated `usage`: one line for each field. */
export const usageIssues = (usage: JsonObject): ReadonlyArray<string> => {
  const isAbsent = (key: string) => usage[key] === undefined || usage[key] === null
  return [
    ...counts.filter((key) => !isAbsent(key) && !isInt(usage[key])).map((key) => `${key}: expected an integer`),
    ...costs.filter((key) => !isAbsent(key) && typeof usage[key] !== "number").map((key) =>
      `${key}: expected a number`
    ),
    ...(units.has(usage["unit"]) ? [] : ["unit: expected one of Langfuse's units"])
  ]
}

const bucketsOf = (usage: JsonObject, names: readonly [input: string, output: string, total: string]) =>
  fromEntries((["input", "output", "total"] as const).flatMap((bucket, index) => {
    const value = usage[names[index] ?? bucket]
    return typeof value === "number" ? [[bucket, value] as const] : []
  }))

/** Reads a deprecated `usage` without issues. The names of OpenAI's first API, where one of them is there, hide its costs. */
export const readUsage = (usage: JsonObject): Usage =>
  ["promptTokens", "completionTokens", "totalTokens"].some((key) => Object.hasOwn(usage, key))
    ? { usage: bucketsOf(usage, ["promptTokens", "completionTokens", "totalTokens"]), cost: undefined }
    : {
      usage: bucketsOf(usage, ["input", "output", "total"]),
      cost: bucketsOf(usage, ["inputCost", "outputCost", "totalCost"])
    }

/** The sum of all buckets, where none of them is the total. */
export const missingTotal = (buckets: Buckets): number | undefined => {
  if (Object.hasOwn(buckets, "total")) return undefined
  let sum = 0
  for (const bucket of Object.keys(buckets)) sum += buckets[bucket] ?? 0
  return sum
}
