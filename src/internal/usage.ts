/**
 * What a call of a model was asked with, used and cost.
 *
 * @see https://langfuse.com/docs/observability/features/token-and-cost-tracking
 * @since 0.1.0
 */

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
 * Vercel's AI SDK, Google, Amazon Bedrock, Cohere, LangChain, and others with the same names. Disjoint buckets are made of it,
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
  // Cohere, of which the billed units count
  readonly billed_units?: Details
  readonly billedUnits?: Details
  readonly cached_tokens?: Tokens
  readonly cachedTokens?: Tokens
}

/**
 * How much of what a model call used: buckets, or the usage object of a provider or an SDK, of which buckets are made.
 *
 * @see https://langfuse.com/docs/observability/features/token-and-cost-tracking
 * @since 0.1.0
 * @category models
 */
export type UsageDetails = UsageBuckets | ProviderUsage

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
