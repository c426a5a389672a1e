/**
 * What a call of a model was asked with, used and cost.
 *
 * @see https://langfuse.com/docs/observability/features/token-and-cost-tracking
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { isProviderUsage } from "./core/item/usage.js"
import { Cost, Finite, Int, nullish, record, texts } from "./internal/fields.js"

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
 * How much of what a model call used, under any names: `input`, `output`, `input_cached_tokens`, … Counts are integers
 * of 0 or more. The buckets must not overlap, since Langfuse adds them up where there is no `total`: cached tokens that
 * have a bucket of their own are not part of `input` as well.
 *
 * @since 0.1.0
 * @category models
 */
export type UsageBuckets = { readonly [bucket: string]: number | undefined }

type Tokens = number | null | undefined
type TokensOrDetails = number | object | null | undefined
type Details = object | null | undefined

/**
 * The usage object of a provider or an SDK as it comes: OpenAI (chat completions and responses), Anthropic, `@effect/ai`,
 * Vercel's AI SDK, Google, Amazon Bedrock, LangChain, and others with the same names. Disjoint buckets are made of it,
 * whatever else is in it.
 *
 * @since 0.1.0
 * @category models
 */
export type ProviderUsage = {
  // OpenAI, OpenRouter, Mistral, xAI, DeepSeek, Anthropic, LangChain
  readonly prompt_tokens?: TokensOrDetails
  readonly completion_tokens?: TokensOrDetails
  readonly input_tokens?: TokensOrDetails
  readonly output_tokens?: TokensOrDetails
  readonly total_tokens?: Tokens
  readonly prompt_tokens_details?: Details
  readonly completion_tokens_details?: Details
  readonly input_tokens_details?: Details
  readonly output_tokens_details?: Details
  readonly input_token_details?: Details
  readonly output_token_details?: Details
  readonly prompt_cache_hit_tokens?: Tokens
  readonly prompt_cache_miss_tokens?: Tokens
  readonly cache_read_input_tokens?: Tokens
  readonly cache_creation_input_tokens?: Tokens
  readonly cache_creation?: Details
  readonly server_tool_use?: Details
  readonly service_tier?: string | null | undefined
  readonly inference_geo?: string | null | undefined
  readonly cost?: Tokens
  readonly cost_details?: Details
  readonly is_byok?: boolean | null | undefined
  // `@effect/ai`, Vercel's AI SDK, Amazon Bedrock, OpenRouter
  readonly promptTokens?: Tokens
  readonly completionTokens?: Tokens
  readonly inputTokens?: TokensOrDetails
  readonly outputTokens?: TokensOrDetails
  readonly totalTokens?: Tokens
  readonly promptTokensDetails?: Details
  readonly completionTokensDetails?: Details
  readonly inputTokenDetails?: Details
  readonly outputTokenDetails?: Details
  readonly cachedInputTokens?: Tokens
  readonly reasoningTokens?: Tokens
  readonly cacheReadInputTokens?: Tokens
  readonly cacheWriteInputTokens?: Tokens
  readonly cacheCreationInputTokens?: Tokens
  readonly cacheDetails?: Details
  readonly tokens?: TokensOrDetails
  readonly raw?: unknown
  // Google
  readonly promptTokenCount?: Tokens
  readonly candidatesTokenCount?: Tokens
  readonly responseTokenCount?: Tokens
  readonly totalTokenCount?: Tokens
  readonly cachedContentTokenCount?: Tokens
  readonly thoughtsTokenCount?: Tokens
  readonly toolUsePromptTokenCount?: Tokens
  readonly cacheTokensDetails?: Details
  readonly candidatesTokensDetails?: Details
  readonly toolUsePromptTokensDetails?: Details
  readonly trafficType?: string | null | undefined
}

/**
 * How much of what a model call used: buckets, or the usage object of a provider or an SDK, of which buckets are made.
 *
 * @see https://langfuse.com/docs/observability/features/token-and-cost-tracking
 * @since 0.1.0
 * @category models
 */
export type UsageDetails = UsageBuckets | ProviderUsage

const isCount = (value: unknown): boolean => typeof value === "number" && value >= 0 && Number.isSafeInteger(value)

const usageDetailsIssues = (details: { readonly [bucket: string]: unknown }): ReadonlyArray<Schema.FilterIssue> => {
  const buckets = Object.keys(details)
  if (isProviderUsage(buckets)) return []
  return buckets.filter((bucket) => details[bucket] !== undefined && !isCount(details[bucket])).map((bucket) => ({
    path: [bucket],
    message: "expected an integer of 0 or more (Langfuse drops any other count without a word)"
  }))
}

/**
 * Checks usage: buckets are integers of 0 or more. The usage object of a provider or an SDK is taken as it is: what is no
 * count in it is left out when buckets are made of it, with a note in the metadata. Decoding and encoding leave out a key
 * `__proto__`, and change nothing else.
 *
 * @since 0.1.0
 * @category schemas
 */
export const UsageDetails: Schema.Schema<UsageDetails> = record(Schema.Unknown)
  .pipe(
    Schema.filter(usageDetailsIssues),
    Schema.filter((_details): _details is UsageDetails => true, {
      identifier: "UsageDetails",
      description: "disjoint buckets with counts, or the usage object of a provider or an SDK",
      documentation: "https://langfuse.com/docs/observability/features/token-and-cost-tracking",
      arbitrary: () => (fc) =>
        fc.oneof(
          fc.dictionary(fc.constantFrom("input", "output", "total", "input_cached_tokens"), fc.nat()),
          fc.record({ prompt_tokens: fc.nat(), completion_tokens: fc.nat(), total_tokens: fc.nat() }),
          fc.record({ inputTokens: fc.nat(), outputTokens: fc.nat(), cachedInputTokens: fc.nat() })
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
