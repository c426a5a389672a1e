/**
 * What a call of a model was asked with, used and cost.
 *
 * @see https://langfuse.com/docs/observability/features/token-and-cost-tracking
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { accepts } from "./internal/accept.js"
import { Cost, Count, Finite, Int, nullish, record, texts } from "./internal/fields.js"

/**
 * The parameters of a model call. A number is finite. Anything nested deeper makes Langfuse refuse the whole event:
 * write it as JSON text.
 *
 * @since 0.1.0
 * @category models
 */
export interface ModelParameters {
  readonly [parameter: string]:
    | string
    | number
    | boolean
    | null
    | ReadonlyArray<string>
    | { readonly [key: string]: string }
}

/**
 * Checks the parameters of a model call. Decoding and encoding leave out a key `__proto__`, and
 * change nothing else.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ModelParameters: Schema.Schema<ModelParameters> = record(
  Schema.Union(
    Schema.String,
    Finite,
    Schema.Boolean,
    Schema.Null,
    texts,
    record(Schema.String)
  ).annotations({
    description:
      "a string, finite number, boolean, null, list of strings or flat record of strings (write anything deeper as JSON text)"
  })
)

/**
 * What a count of the deprecated `usage` counts.
 *
 * @since 0.1.0
 * @category models
 */
export type UsageUnit = "CHARACTERS" | "TOKENS" | "SECONDS" | "MILLISECONDS" | "IMAGES" | "REQUESTS"

/**
 * Langfuse's deprecated usage: use `usageDetails` and `costDetails`. Counts are integers, costs are US dollars.
 *
 * @since 0.1.0
 * @category models
 */
export type Usage = UsageInUnits | UsageInTokens

/**
 * Counts in a unit of one's choice (`TOKENS` where none is named), with costs.
 *
 * @since 0.1.0
 * @category models
 */
export interface UsageInUnits {
  readonly input?: number | null | undefined
  readonly output?: number | null | undefined
  readonly total?: number | null | undefined
  readonly unit?: UsageUnit | null | undefined
  readonly inputCost?: number | null | undefined
  readonly outputCost?: number | null | undefined
  readonly totalCost?: number | null | undefined
  readonly promptTokens?: undefined
  readonly completionTokens?: undefined
  readonly totalTokens?: undefined
}

/**
 * One of these three makes Langfuse forget every other field of the usage, costs included, so the others must be absent.
 *
 * @since 0.1.0
 * @category models
 */
export interface UsageInTokens {
  readonly promptTokens?: number | null | undefined
  readonly completionTokens?: number | null | undefined
  readonly totalTokens?: number | null | undefined
  readonly input?: null | undefined
  readonly output?: null | undefined
  readonly total?: null | undefined
  readonly unit?: "TOKENS" | null | undefined
  readonly inputCost?: null | undefined
  readonly outputCost?: null | undefined
  readonly totalCost?: null | undefined
}

const inTokens = ["promptTokens", "completionTokens", "totalTokens"] as const
const inUnits = ["input", "output", "total", "inputCost", "outputCost", "totalCost"] as const

/**
 * Checks the deprecated usage: its two forms do not mix. Decoding and encoding change nothing.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Usage: Schema.Schema<Usage> = Schema.Struct({
  input: nullish(Int),
  output: nullish(Int),
  total: nullish(Int),
  unit: nullish(Schema.Literal("CHARACTERS", "TOKENS", "SECONDS", "MILLISECONDS", "IMAGES", "REQUESTS")),
  inputCost: nullish(Finite),
  outputCost: nullish(Finite),
  totalCost: nullish(Finite),
  promptTokens: nullish(Int),
  completionTokens: nullish(Int),
  totalTokens: nullish(Int)
}).pipe(
  Schema.filter((usage) =>
    inTokens.every((key) => usage[key] === undefined)
      ? []
      : [
        ...inUnits.filter((key) => usage[key] !== undefined && usage[key] !== null),
        ...(usage.unit === undefined || usage.unit === null || usage.unit === "TOKENS" ? [] : ["unit"])
      ].map((key) => ({ path: [key], message: "lost beside promptTokens, completionTokens or totalTokens" })), {
    arbitrary: () => (fc) =>
      fc.oneof(
        fc.record({ input: fc.nat(), output: fc.nat(), unit: fc.constant("TOKENS" as const), totalCost: fc.nat() }),
        fc.record({ promptTokens: fc.nat(), completionTokens: fc.nat() })
      )
  }),
  Schema.filter((_usage): _usage is Usage => true, {
    identifier: "Usage",
    description: "Langfuse's deprecated usage: usageDetails and costDetails replace it"
  }),
  Schema.typeSchema
)

/**
 * The usage object of OpenAI's chat completions, and nothing beside it. Langfuse turns it into disjoint buckets.
 *
 * @since 0.1.0
 * @category models
 */
export type OpenAiCompletionUsage = {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
  readonly prompt_tokens_details?: { readonly [detail: string]: number | null | undefined } | null | undefined
  readonly completion_tokens_details?: { readonly [detail: string]: number | null | undefined } | null | undefined
}

/**
 * The usage object of OpenAI's responses, and nothing beside it. Langfuse turns it into disjoint buckets.
 *
 * @since 0.1.0
 * @category models
 */
export type OpenAiResponseUsage = {
  readonly input_tokens: number
  readonly output_tokens: number
  readonly total_tokens: number
  readonly input_tokens_details?: { readonly [detail: string]: number | null | undefined } | null | undefined
  readonly output_tokens_details?: { readonly [detail: string]: number | null | undefined } | null | undefined
}

/**
 * How much of what a model call used, under any names: `input`, `output`, `input_cached_tokens`, … Counts are integers
 * of 0 or more. The buckets must not overlap, since Langfuse adds them up where there is no `total`: cached tokens that
 * have a bucket of their own are not part of `input` as well.
 *
 * @since 0.1.0
 * @category models
 */
export type UsageBuckets = { readonly [bucket: string]: number }

/**
 * How much of what a model call used: buckets, or OpenAI's usage object, of which Langfuse makes buckets.
 *
 * @see https://langfuse.com/docs/observability/features/token-and-cost-tracking
 * @since 0.1.0
 * @category models
 */
export type UsageDetails = UsageBuckets | OpenAiCompletionUsage | OpenAiResponseUsage

const breakdown = nullish(record(Schema.UndefinedOr(Schema.NullOr(Count))))

const isOpenAiUsage = Schema.is(
  Schema.Union(
    Schema.Struct({
      prompt_tokens: Count,
      completion_tokens: Count,
      total_tokens: Count,
      prompt_tokens_details: breakdown,
      completion_tokens_details: breakdown
    }),
    Schema.Struct({
      input_tokens: Count,
      output_tokens: Count,
      total_tokens: Count,
      input_tokens_details: breakdown,
      output_tokens_details: breakdown
    })
  ),
  { onExcessProperty: "error" }
)

const isCount = accepts(Count)

const usageDetailsIssues = (details: { readonly [bucket: string]: unknown }): ReadonlyArray<Schema.FilterIssue> => {
  if ("total_tokens" in details) {
    // Only the exact shape is recognised. Otherwise `total_tokens` is one more bucket, and every token counts twice.
    return isOpenAiUsage(details) ? [] : [{
      path: ["total_tokens"],
      message: "beside OpenAI's own usage fields Langfuse takes it for a bucket and counts every token twice: "
        + "pass OpenAI's usage without other keys, or name the buckets input, output, total"
    }]
  }
  return Object.keys(details).filter((bucket) => !isCount(details[bucket])).map((bucket) => ({
    path: [bucket],
    message: "expected an integer of 0 or more (Langfuse drops any other count without a word)"
  }))
}

/**
 * Checks usage: counts are integers of 0 or more, and OpenAI's usage object comes without other keys. Decoding and
 * encoding leave out a key `__proto__`, and change nothing else.
 *
 * @since 0.1.0
 * @category schemas
 */
export const UsageDetails: Schema.Schema<UsageDetails> = record(Schema.Unknown)
  .pipe(
    Schema.filter(usageDetailsIssues),
    Schema.filter((_details): _details is UsageDetails => true, {
      identifier: "UsageDetails",
      description: "disjoint buckets with counts, or OpenAI's usage object",
      documentation: "https://langfuse.com/docs/observability/features/token-and-cost-tracking",
      arbitrary: () => (fc) =>
        fc.oneof(
          fc.dictionary(fc.constantFrom("input", "output", "total", "input_cached_tokens"), fc.nat()),
          fc.record({ prompt_tokens: fc.nat(), completion_tokens: fc.nat(), total_tokens: fc.nat() })
        )
    }),
    Schema.typeSchema
  )

/**
 * What a model call cost in US dollars, by bucket: `input`, `output`, `total`, … Finite numbers of 0 or more. Any cost
 * keeps Langfuse from working out prices itself, and buckets other than `input` and `output` have no sum without a
 * `total`; the constructors add it.
 *
 * @see https://langfuse.com/docs/observability/features/token-and-cost-tracking
 * @since 0.1.0
 * @category models
 */
export interface CostDetails {
  readonly [bucket: string]: number
}

/**
 * Checks costs: finite numbers of 0 or more. Decoding and encoding leave out a key `__proto__`, and
 * change nothing else.
 *
 * @since 0.1.0
 * @category schemas
 */
export const CostDetails: Schema.Schema<CostDetails> = record(Cost).annotations({
  identifier: "CostDetails",
  description: "US dollars by bucket",
  documentation: "https://langfuse.com/docs/observability/features/token-and-cost-tracking"
})
