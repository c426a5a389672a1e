/**
 * Tokens and costs of a model call in the words of its provider, of which `core/item/usage` makes buckets.
 *
 * Every provider counts differently, and `Response.Usage` passes on what it was told, without saying whether cached tokens
 * are in the input and reasoning in the output. What the provider itself said stands in the metadata beside it.
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

const at = (value: unknown, ...path: ReadonlyArray<string>): unknown => {
  let current: unknown = value
  for (const key of path) {
    if (typeof current !== "object" || current === null) return undefined
    current = Reflect.get(current, key)
  }
  return current
}

/** Usage under the names by which it is known who counted; nothing where the provider told nothing. */
export const usage = (tokens: Tokens, metadata: Metadata): object | undefined => {
  const { cachedInputTokens, inputTokens, outputTokens, reasoningTokens, totalTokens } = tokens
  // Some add up counts that were not told.
  if (inputTokens === undefined && outputTokens === undefined && totalTokens === 0) return undefined
  if ("anthropic" in metadata) {
    // Of a stream the metadata has only what was known at its beginning.
    return {
      input_tokens: inputTokens,
      output_tokens: outputTokens,
      cache_read_input_tokens: cachedInputTokens,
      cache_creation_input_tokens: at(metadata, "anthropic", "usage", "cache_creation_input_tokens"),
      cache_creation: at(metadata, "anthropic", "usage", "cache_creation"),
      reasoning_tokens: reasoningTokens
    }
  }
  if ("bedrock" in metadata) {
    return {
      inputTokens,
      outputTokens,
      totalTokens,
      cacheReadInputTokens: cachedInputTokens,
      cacheWriteInputTokens: at(metadata, "bedrock", "usage", "cacheWriteInputTokens"),
      reasoningTokens
    }
  }
  if ("google" in metadata) {
    return {
      promptTokenCount: inputTokens,
      candidatesTokenCount: outputTokens,
      totalTokenCount: totalTokens,
      cachedContentTokenCount: cachedInputTokens,
      thoughtsTokenCount: reasoningTokens,
      toolUsePromptTokenCount: at(metadata, "google", "usageMetadata", "toolUsePromptTokenCount")
    }
  }
  return {
    ...tokens,
    cacheWriteTokens: at(metadata, "openrouter", "usage", "promptTokensDetails", "cache_write_tokens")
  }
}

const amountOf = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined

/**
 * What the provider says the call cost, in US dollars. Only OpenRouter does.
 *
 * Its `upstream_inference_cost` is what the call cost on the user's own key, and `cost` then only the fee on top. Without
 * such a key both are the same money.
 *
 * @see https://openrouter.ai/docs/use-cases/usage-accounting
 */
export const cost = (metadata: Metadata): { readonly total: number } | undefined => {
  const usage = at(metadata, "openrouter", "usage")
  const charged = amountOf(at(usage, "cost"))
  const upstream = amountOf(at(usage, "costDetails", "upstream_inference_cost"))
  if (upstream !== undefined && upstream > (charged ?? 0)) return { total: upstream + (charged ?? 0) }
  return charged === undefined ? undefined : { total: charged }
}
