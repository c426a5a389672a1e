/**
 * What is counted and what it costs, from the buckets that were provided and a table of prices.
 */
import { isAbsent, isRecord, type Json, parse } from "./json.js"
import type { ModelPrice, PriceCondition, PricingTier } from "./model.js"
import type { Counts } from "./usage.js"

export interface Costed {
  readonly usage: Counts
  readonly cost: Json
  readonly totalCost: unknown
  readonly internalModelId: string | undefined
}

/** Whatever conditions of prices can look at. */
export interface Priced {
  readonly model: string | undefined
  readonly modelParameters: unknown
  readonly metadata: unknown
}

/** Without a `total`, every bucket is added up, whether or not they overlap. */
const counted = (provided: Json): Counts => {
  const counts = Object.entries(provided).flatMap(([bucket, value]) => {
    const count = isAbsent(value) ? Number.NaN : Number(value)
    return count >= 0 ? [[bucket, count] as const] : []
  })
  if (counts.length === 0 || counts.some(([bucket]) => bucket === "total")) return Object.fromEntries(counts)
  return Object.fromEntries([...counts, ["total", counts.reduce((sum, [, count]) => sum + count, 0)]])
}

/** How the server adds costs that nobody checked: numbers as numbers, anything else as text. */
const plus = (a: unknown, b: unknown): unknown => {
  const isNumeric = (value: unknown) => typeof value === "number" || typeof value === "boolean"
  return isNumeric(a) && isNumeric(b) ? Number(a) + Number(b) : `${String(a)}${String(b)}`
}

/** The costs that were sent, with a total where there is one: made only of `input` and `output`, nothing else. */
const sent = (provided: Json): Pick<Costed, "cost" | "totalCost"> => {
  const given = Object.keys(provided).filter((bucket) => !isAbsent(provided[bucket]))
  const isSum = given.every((bucket) => bucket === "input" || bucket === "output")
  const total = provided["total"] ??
    (isSum ? plus(provided["input"] ?? 0, provided["output"] ?? 0) : undefined)
  return {
    cost: Object.hasOwn(provided, "total") || isAbsent(total) ? provided : { ...provided, total },
    totalCost: total ?? undefined
  }
}

const decimal = (value: number): readonly [digits: bigint, exponent: number] => {
  const [mantissa = "0", exponent = "0"] = value.toExponential().split("e")
  const [whole = "0", fraction = ""] = mantissa.split(".")
  return [BigInt(whole + fraction), Number(exponent) - fraction.length]
}

/** A product in decimals, without the noise of binary fractions. */
const times = (price: number, units: number): number => {
  const [[a, aExponent], [b, bExponent]] = [decimal(price), decimal(units)]
  return Number(`${a * b}e${aExponent + bExponent}`)
}

const patternOf = (text: string): RegExp | undefined => {
  try {
    return text.startsWith("(?i)") ? new RegExp(text.slice("(?i)".length), "i") : new RegExp(text)
  } catch {
    return undefined
  }
}

/** Entries by name, of a record or of the text of one. */
const named = (value: unknown): Json => {
  const read = typeof value === "string" ? parse(value) : value
  return isRecord(read) ? read : {}
}

const compare = (sum: number, { operator, value }: Extract<PriceCondition, { readonly value: number }>): boolean => {
  switch (operator) {
    case "gt":
      return sum > value
    case "gte":
      return sum >= value
    case "lt":
      return sum < value
    case "lte":
      return sum <= value
    case "eq":
      return sum === value
    case "neq":
      return sum !== value
  }
}

const holds = (condition: PriceCondition, usage: Counts, priced: Priced): boolean => {
  if (condition.source !== undefined) {
    const values = named(condition.source === "metadata" ? priced.metadata : priced.modelParameters)
    const value = Object.hasOwn(values, condition.key) ? values[condition.key] : undefined
    const isScalar = typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    return isScalar && condition.values.includes(String(value))
  }
  const pattern = patternOf(`${condition.caseSensitive === true ? "" : "(?i)"}${condition.usageDetailPattern}`)
  if (pattern === undefined) return false
  const sum = Object.entries(usage).reduce((sum, [bucket, count]) => pattern.test(bucket) ? sum + count : sum, 0)
  return compare(sum, condition)
}

const tierOf = (tiers: ReadonlyArray<PricingTier>, usage: Counts, priced: Priced): PricingTier | undefined =>
  [...tiers].filter(({ isDefault }) => !isDefault).sort((a, b) => a.priority - b.priority)
    .find(({ conditions }) => conditions.length > 0 && conditions.every((one) => holds(one, usage, priced))) ??
    tiers.find(({ isDefault }) => isDefault)

const calculated = (usage: Counts, tier: PricingTier | undefined): Pick<Costed, "cost" | "totalCost"> => {
  const costs = Object.entries(usage).flatMap(([bucket, units]) => {
    const price = tier !== undefined && Object.hasOwn(tier.prices, bucket) ? tier.prices[bucket] : undefined
    return price === undefined ? [] : [[bucket, times(price, units)] as const]
  })
  if (costs.length === 0) return { cost: {}, totalCost: undefined }
  const total = costs.find(([bucket]) => bucket === "total")?.[1] ?? costs.reduce((sum, [, cost]) => sum + cost, 0)
  return { cost: { ...Object.fromEntries(costs), total }, totalCost: total }
}

/** Any cost that was sent keeps the server from working out others. */
export const costOf = (
  provided: { readonly usage: Json; readonly cost: Json },
  priced: Priced,
  prices: ReadonlyArray<ModelPrice>
): Costed => {
  const usage = counted(provided.usage)
  const entry = priced.model
    ? prices.find(({ matchPattern }) => patternOf(matchPattern)?.test(priced.model ?? ""))
    : undefined
  const isSent = Object.values(provided.cost).some((value) => !isAbsent(value))
  const tier = entry === undefined || Object.keys(usage).length === 0
    ? undefined
    : tierOf(entry.pricingTiers, usage, priced)
  return { usage, ...(isSent ? sent(provided.cost) : calculated(usage, tier)), internalModelId: entry?.id }
}
