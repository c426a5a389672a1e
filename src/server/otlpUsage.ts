/**
 * Token usage and cost of a span, in the shapes of the conventions and of the frameworks that have their own.
 */
import type { Dialect } from "./dialect.js"
import { isAbsent, isRecord, type Json, parse } from "./json.js"
import { property } from "./otlpCheck.js"
import { objectIn, unpacked } from "./otlpContent.js"
import type { Span } from "./otlpSpan.js"

type Buckets = Map<string, number>

/** Several names of one bucket; the first that is there counts. */
const bucketsOf: ReadonlyArray<readonly [bucket: string, keys: ReadonlyArray<string>]> = [
  ["input", ["prompt_tokens", "input_tokens", "prompt"]],
  ["output", ["completion_tokens", "output_tokens", "completion"]],
  ["total", ["total_tokens", "total"]],
  ["input_cached_tokens", [
    "cache_read.input_tokens",
    "cache_read_input_tokens",
    "cache_read_tokens",
    "details.cache_read_tokens",
    "details.cache_read_input_tokens",
    "prompt_details.cache_read",
    "input_cached_tokens"
  ]],
  ["input_cache_creation", [
    "cache_creation.input_tokens",
    "cache_creation_input_tokens",
    "cache_write_tokens",
    "details.cache_write_tokens",
    "details.cache_creation_input_tokens",
    "prompt_details.cache_write",
    "input_cache_creation"
  ]]
]

const outputBuckets: typeof bucketsOf = [
  ["output_reasoning_tokens", ["reasoning.output_tokens", "completion_details.reasoning"]],
  ["output_audio_tokens", ["completion_details.audio"]]
]

/** These came later than the others. */
const newNames = new Set(["cache_read_input_tokens", "cache_creation_input_tokens"])

/** Takes parts out of the bucket that they are counted in. */
const subtract = (buckets: Buckets, from: string, ...parts: ReadonlyArray<string>): void => {
  const whole = buckets.get(from)
  if (whole === undefined) return
  buckets.set(from, Math.max(0, parts.reduce((rest, part) => rest - (buckets.get(part) ?? 0), whole)))
}

const genAi = (attributes: Json, dialect: Dialect): Buckets => {
  const given: Buckets = new Map()
  for (const [key, value] of Object.entries(attributes)) {
    const isUsage = (key.startsWith("gen_ai.usage.") && key !== "gen_ai.usage.cost") ||
      key.startsWith("llm.token_count.")
    const count = Number(value)
    if (isUsage && !Number.isNaN(count)) {
      given.set(key.replace("gen_ai.usage.", "").replace("llm.token_count.", ""), count)
    }
  }
  const buckets: Buckets = new Map()
  const known = new Set<string>()
  for (const [bucket, names] of dialect.splitsOutputTokens ? [...bucketsOf, ...outputBuckets] : bucketsOf) {
    const keys = dialect.splitsOutputTokens ? names : names.filter((name) => !newNames.has(name))
    const count = keys.map((key) => given.get(key)).find((count) => count !== undefined)
    if (count !== undefined) buckets.set(bucket, count)
    for (const key of keys) known.add(key)
  }
  subtract(buckets, "input", "input_cached_tokens", "input_cache_creation")
  subtract(buckets, "output", "output_reasoning_tokens", "output_audio_tokens")
  for (const [name, count] of given) {
    const bucket = name.startsWith("details.") ? name.slice("details.".length) : name
    if (!known.has(name) && !buckets.has(bucket)) buckets.set(bucket, count)
  }
  return buckets
}

const genkit = (attributes: Json): Json | undefined => {
  const usage = property(unpacked(attributes["genkit:output"]), "usage")
  if (!usage) return undefined
  const [input, output, total, thoughts] = ["inputTokens", "outputTokens", "totalTokens", "thoughtsTokens"]
    .map((key) => property(usage, key))
  return {
    ...(input ? { input } : {}),
    ...(output ? { output: Math.max(Number(output) - Number(thoughts ?? 0), 0) } : {}),
    ...(total ? { total } : {}),
    ...(thoughts ? { output_reasoning: thoughts } : {})
  }
}

const vercelCount = (attributes: Json, ...keys: ReadonlyArray<string>): number | undefined => {
  const key = keys.find((key) => key in attributes)
  return key === undefined ? undefined : Number.parseInt(String(attributes[key] ?? "0"), 10)
}

/** What Anthropic writes of caches, by how long they live. */
const anthropicCaches = (add: (bucket: string, count: unknown) => void, buckets: Map<string, unknown>, usage: Json) => {
  add("input_cache_creation", usage["cache_creation_input_tokens"])
  add("input_cached_tokens", usage["cache_read_input_tokens"])
  const lifetimes = usage["cache_creation"]
  if (!isRecord(lifetimes)) return
  for (const lifetime of ["5m", "1h"]) {
    const count = lifetimes[`ephemeral_${lifetime}_input_tokens`]
    if (typeof count === "number") add(`input_cache_creation_${lifetime}`, count)
  }
  const number = (bucket: string) => Number(buckets.get(bucket) ?? 0)
  buckets.set(
    "input_cache_creation",
    Math.max(number("input_cache_creation") - number("input_cache_creation_5m") - number("input_cache_creation_1h"), 0)
  )
}

/** What the SDK of Vercel counts, with what the provider adds. `undefined` when that cannot be read. */
const vercel = (attributes: Json): Json | undefined => {
  const buckets = new Map<string, unknown>([
    ["input", vercelCount(attributes, "gen_ai.usage.prompt_tokens", "gen_ai.usage.input_tokens")],
    ["output", vercelCount(attributes, "gen_ai.usage.completion_tokens", "gen_ai.usage.output_tokens")],
    ["total", vercelCount(attributes, "ai.usage.tokens")]
  ])
  const add = (bucket: string, count: unknown) => {
    if (isAbsent(buckets.get(bucket))) buckets.set(bucket, count)
  }
  const details = [["ai.usage.cachedInputTokens", "input_cached_tokens"], [
    "ai.usage.reasoningTokens",
    "output_reasoning_tokens"
  ]] as const
  for (const [key, bucket] of details) {
    if (!(key in attributes)) continue
    const count = parse(String(attributes[key]))
    if (isAbsent(count)) return undefined
    buckets.set(bucket, typeof count === "number" ? count : property(count, "intValue"))
  }
  const metadata = attributes["ai.response.providerMetadata"]
  if (metadata) {
    const provider = parse(String(metadata))
    if (!isRecord(provider)) return undefined
    const { anthropic, bedrock, openai } = provider
    if ("openai" in provider) {
      if (isAbsent(openai)) return undefined
      add("input_cached_tokens", property(openai, "cachedPromptTokens"))
      add("accepted_prediction_tokens", property(openai, "acceptedPredictionTokens"))
      add("rejected_prediction_tokens", property(openai, "rejectedPredictionTokens"))
      add("output_reasoning_tokens", property(openai, "reasoningTokens"))
    }
    if ("anthropic" in provider && !isRecord(anthropic)) return undefined
    const usage = property(anthropic, "usage")
    if (isRecord(anthropic) && "usage" in anthropic) {
      if (isAbsent(usage)) return undefined
      if (isRecord(usage)) anthropicCaches(add, buckets, usage)
    }
    if ("bedrock" in provider && isAbsent(bedrock)) return undefined
    const bedrockUsage = property(bedrock, "usage")
    if (isRecord(bedrockUsage)) {
      const names = [["cacheReadInputTokens", "input_cache_read"], ["cacheWriteInputTokens", "input_cache_write"], [
        "cacheCreationInputTokens",
        "input_cache_creation"
      ]] as const
      for (const [key, bucket] of names) if (bedrockUsage[key] !== undefined) add(bucket, bedrockUsage[key])
    }
  }
  const rest = (whole: string, ...parts: ReadonlyArray<string>) =>
    Math.max(parts.reduce((rest, part) => rest - Number(buckets.get(part) ?? 0), Number(buckets.get(whole) ?? 0)), 0)
  buckets.set(
    "input",
    rest(
      "input",
      "input_cached_tokens",
      "input_cache_creation",
      "input_cache_creation_5m",
      "input_cache_creation_1h",
      "input_cache_read"
    )
  )
  buckets.set("output", rest("output", "output_reasoning_tokens"))
  return Object.fromEntries(buckets)
}

/** Google's agents say in the blob of the response how much of the input was cached. */
const googleAdk = (attributes: Json, dialect: Dialect): Json => {
  const buckets = genAi(attributes, dialect)
  const metadata = property(unpacked(attributes["gcp.vertex.agent.llm_response"]), "usage_metadata")
  const cached = property(metadata, "cached_content_token_count")
  if (!buckets.has("input_cached_tokens") && typeof cached === "number" && cached > 0) {
    buckets.set("input_cached_tokens", cached)
    subtract(buckets, "input", "input_cached_tokens")
  }
  return Object.fromEntries(buckets)
}

/**
 * The object in an attribute with text of JSON: `undefined` where there is none, or none can be read, so that other
 * attributes count; empty where there is something else.
 */
const detailsIn = (attributes: Json, key: string): Json | undefined => {
  const given = attributes[key]
  if (!given) return undefined
  if (typeof given !== "string") return {}
  const parsed = parse(given)
  return parsed === undefined ? undefined : objectIn(given) ?? {}
}

/** The operations of an agent, whose usage would count that of the model calls below it again. */
const countsNothing = new Set<unknown>(["invoke_agent", "agent_step"])

export const isAgentOperation = (attributes: Json): boolean => countsNothing.has(attributes["gen_ai.operation.name"])

export const usageOf = ({ attributes, dialect, scope }: Span): Json => {
  if (isAgentOperation(attributes)) return {}
  const details = detailsIn(attributes, "langfuse.observation.usage_details")
  if (details !== undefined) return details
  const own = scope["name"] === "genkit-tracer"
    ? genkit(attributes)
    : scope["name"] === "ai"
    ? vercel(attributes)
    : undefined
  if (own !== undefined) return own
  const isGoogle = dialect.splitsOutputTokens && scope["name"] === "gcp.vertex.agent" &&
    "gcp.vertex.agent.llm_response" in attributes
  return isGoogle ? googleAdk(attributes, dialect) : Object.fromEntries(genAi(attributes, dialect))
}

export const costOf = ({ attributes }: Span): Json => {
  if (isAgentOperation(attributes)) return {}
  const details = detailsIn(attributes, "langfuse.observation.cost_details")
  if (details !== undefined) return details
  const total = ["gen_ai.usage.cost", "llm.cost.total"].map((key) => attributes[key])
    .find((cost) => !isAbsent(cost) && cost !== "")
  return total === undefined ? {} : { total }
}
