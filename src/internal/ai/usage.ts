/**
 * Tokens and costs of a model call as Langfuse adds them up: buckets that do not overlap.
 *
 * Every provider counts differently, and `Response.Usage` passes on what it was told:
 *
 * | provider | `inputTokens` holds the cached | written to the cache | `outputTokens` holds reasoning |
 * | --- | --- | --- | --- |
 * | OpenAI | yes | not told | yes |
 * | Anthropic | no | no, in `metadata.anthropic.usage` | yes, and it is not told |
 * | Google | yes | not told | no |
 * | Bedrock | no | no, in `metadata.bedrock.usage` | yes, and it is not told |
 * | OpenRouter | yes | yes, in `metadata.openrouter.usage` | yes |
 *
 * A count that cannot be part of another, since it is larger, is taken to stand beside it.
 *
 * @see https://langfuse.com/docs/observability/features/token-and-cost-tracking
 */

/** The counts of `Response.Usage`, whatever they hold. */
export interface Tokens {
  readonly inputTokens?: unknown
  readonly outputTokens?: unknown
  readonly totalTokens?: unknown
  readonly reasoningTokens?: unknown
  readonly cachedInputTokens?: unknown
}

/** The provider's own words beside them: `Response.FinishPartMetadata`. */
export type Metadata = { readonly [provider: string]: unknown }

export interface Buckets {
  readonly [bucket: string]: number
}

const count = (value: unknown): number | undefined => {
  if (typeof value !== "number" || !(value >= 0)) return undefined
  const whole = Math.trunc(value)
  // Four of them are added up below.
  return whole <= Number.MAX_SAFE_INTEGER / 8 ? whole : undefined
}

const at = (value: unknown, ...path: ReadonlyArray<string>): unknown => {
  let current: unknown = value
  for (const key of path) {
    if (typeof current !== "object" || current === null) return undefined
    current = (current as { readonly [key: string]: unknown })[key]
  }
  return current
}

interface Writes {
  /** All tokens written to the cache. */
  readonly all: number
  /** Those of them that stay an hour: Langfuse has a price of their own for them. */
  readonly hour: number
}

const writes = (metadata: Metadata): Writes => {
  const all = count(at(metadata, "anthropic", "usage", "cache_creation_input_tokens")) ??
    count(at(metadata, "bedrock", "usage", "cacheWriteInputTokens")) ??
    count(at(metadata, "openrouter", "usage", "promptTokensDetails", "cache_write_tokens")) ?? 0
  const hour = count(at(metadata, "anthropic", "usage", "cache_creation", "ephemeral_1h_input_tokens")) ?? 0
  return { all: Math.max(all, hour), hour }
}

/** Tokens of the prompts that Google's own tools made: billed as input, in neither of its two counts. */
const toolPrompts = (metadata: Metadata): number =>
  count(at(metadata, "google", "usageMetadata", "toolUsePromptTokenCount")) ?? 0

/**
 * The buckets of a call, or nothing when the provider told nothing. `total` is the sum of the others.
 */
export const usageDetails = (tokens: Tokens, metadata: Metadata): Buckets | undefined => {
  const input = count(tokens.inputTokens)
  const output = count(tokens.outputTokens)
  const cached = count(tokens.cachedInputTokens) ?? 0
  const reasoning = count(tokens.reasoningTokens) ?? 0
  const written = writes(metadata)
  const told = count(tokens.totalTokens)
  if (input === undefined && output === undefined && cached + reasoning + written.all === 0) {
    return told === undefined || told === 0 ? undefined : { total: told }
  }
  const extra = toolPrompts(metadata)
  const besideOutput = reasoning > (output ?? 0) ||
    isReasoningBeside(metadata, told, (input ?? 0) + (output ?? 0), reasoning, extra)
  const buckets: Record<string, number> = {}
  if (input !== undefined || extra > 0) {
    const fromCache = cached + written.all
    const besideInput = "anthropic" in metadata || "bedrock" in metadata || fromCache > (input ?? 0)
    const isToldApart = told === undefined ||
      told >= (input ?? 0) + (output ?? 0) + extra + (besideOutput ? reasoning : 0)
    buckets["input"] = (input ?? 0) - (besideInput ? 0 : fromCache) + (isToldApart ? extra : 0)
  }
  if (cached > 0) buckets["input_cached_tokens"] = cached
  if (written.all > written.hour) buckets["input_cache_creation"] = written.all - written.hour
  if (written.hour > 0) buckets["input_cache_creation_1h"] = written.hour
  if (output !== undefined) buckets["output"] = output - (besideOutput ? 0 : reasoning)
  if (reasoning > 0) buckets["output_reasoning_tokens"] = reasoning
  buckets["total"] = Object.values(buckets).reduce((sum, tokens) => sum + tokens, 0)
  return buckets
}

/** Google counts thoughts beside the answer, others inside; where there is a total, it says which. */
const isReasoningBeside = (
  metadata: Metadata,
  told: number | undefined,
  inputAndOutput: number,
  reasoning: number,
  extra: number
): boolean => {
  if (reasoning === 0) return false
  if ("google" in metadata) return told === undefined || told !== inputAndOutput && told !== inputAndOutput + extra
  return told === inputAndOutput + reasoning
}

const cost = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined

/**
 * What the provider says the call cost, in US dollars. Only OpenRouter does.
 *
 * Its `upstream_inference_cost` is what the call cost on the user's own key, and `cost` then only the fee on top. Without
 * such a key both are the same money.
 *
 * @see https://openrouter.ai/docs/use-cases/usage-accounting
 */
export const costDetails = (metadata: Metadata): Buckets | undefined => {
  const usage = at(metadata, "openrouter", "usage")
  const charged = cost(at(usage, "cost"))
  const upstream = cost(at(usage, "costDetails", "upstream_inference_cost"))
  if (upstream !== undefined && upstream > (charged ?? 0)) return { total: upstream + (charged ?? 0) }
  return charged === undefined ? undefined : { total: charged }
}
