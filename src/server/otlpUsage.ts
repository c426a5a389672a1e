/**
 * Token usage from the attributes of the conventions for generative AI, which count caches and reasoning inside their
 * totals.
 */
import type { Counts } from "./usage.js"
import type { Json } from "./validation.js"

const prefixes = ["gen_ai.usage.", "llm.token_count."]

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
  ]],
  ["output_reasoning_tokens", ["reasoning.output_tokens", "completion_details.reasoning"]],
  ["output_audio_tokens", ["completion_details.audio"]]
]

const known = new Set(bucketsOf.flatMap(([, keys]) => keys))

export const genAiUsage = (attributes: Json): Counts => {
  const given = new Map<string, number>()
  for (const [key, value] of Object.entries(attributes)) {
    const prefix = prefixes.find((prefix) => key.startsWith(prefix))
    const name = prefix === undefined ? "cost" : key.slice(prefix.length)
    if (name !== "cost" && typeof value === "number" && Number.isFinite(value)) given.set(name, value)
  }
  const buckets = new Map<string, number>()
  for (const [bucket, keys] of bucketsOf) {
    const key = keys.find((key) => given.has(key))
    const count = key === undefined ? undefined : given.get(key)
    if (count !== undefined) buckets.set(bucket, count)
  }
  const subtract = (from: "input" | "output", ...parts: ReadonlyArray<string>) => {
    const whole = buckets.get(from)
    if (whole === undefined) return
    const sum = parts.reduce((sum, part) => sum + (buckets.get(part) ?? 0), 0)
    buckets.set(from, Math.max(0, whole - sum))
  }
  subtract("input", "input_cached_tokens", "input_cache_creation")
  subtract("output", "output_reasoning_tokens", "output_audio_tokens")
  for (const [name, count] of given) {
    if (!known.has(name)) buckets.set(name.startsWith("details.") ? name.slice("details.".length) : name, count)
  }
  return Object.fromEntries(buckets)
}
