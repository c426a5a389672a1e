/**
 * Published prices of the models that recorded cases name, under the ids that Langfuse's own table has for them.
 */
import type { ModelPrice } from "effect-langfuse/LangfuseServer"

type Prices = { readonly [bucket: string]: number }

const perMillion = (prices: Prices): Prices =>
  Object.fromEntries(Object.entries(prices).map(([bucket, dollars]) => [bucket, Number(`${dollars}e-6`)]))

const model = (id: string, modelName: string, matchPattern: string, prices: Prices): ModelPrice => ({
  id,
  modelName,
  matchPattern,
  pricingTiers: [
    { name: "Standard", isDefault: true, priority: 0, conditions: [], prices: perMillion(prices) }
  ]
})

const openAi = (id: string, name: string, input: number, cached: number, output: number): ModelPrice =>
  model(id, name, `(?i)^(openai/)?${name.replaceAll(".", "\\.")}$`, {
    input,
    input_cached_tokens: cached,
    input_cache_read: cached,
    cache_read_input_tokens: cached,
    output,
    ...(name.startsWith("gpt-5")
      ? { output_reasoning_tokens: output, output_reasoning: output, reasoning_tokens: output }
      : {})
  })

const anthropic = (id: string, name: string, input: number, output: number): ModelPrice =>
  model(id, name, `(?i)^(anthropic/)?${name}$`, {
    input,
    input_tokens: input,
    output,
    output_tokens: output,
    cache_creation_input_tokens: input * 1.25,
    input_cache_creation: input * 1.25,
    input_cache_creation_5m: input * 1.25,
    input_cache_creation_1h: input * 2,
    cache_read_input_tokens: input / 10,
    input_cached_tokens: input / 10,
    input_cache_read: input / 10
  })

const gemini = (input: number, output: number) =>
  perMillion({ input, input_cached_tokens: input / 10, output, output_reasoning_tokens: output })

export const prices: ReadonlyArray<ModelPrice> = [
  openAi("b9854a5c92dc496b997d99d20", "gpt-4o", 2.5, 1.25, 10),
  openAi("clyrjp56f0000t0mzapoocd7u", "gpt-4o-mini", 0.15, 0.075, 0.6),
  openAi("cm7nusn643377tvmzh27m33kl", "gpt-4.1", 2, 0.5, 8),
  openAi("cm7zzrs1327124dhjtb95w8p96", "gpt-4.1-mini", 0.4, 0.1, 1.6),
  openAi("38c3822a-09a3-457b-b200-2c6f17f7cf2f", "gpt-5", 1.25, 0.125, 10),
  openAi("12543803-2d5f-4189-addc-821ad71c8b55", "gpt-5-2025-08-07", 1.25, 0.125, 10),
  openAi("3d6a975a-a42d-4ea2-a3ec-4ae567d5a364", "gpt-5-mini", 0.25, 0.025, 2),
  anthropic("cmazmkzlm00000djp1e1qe4k4", "claude-sonnet-4-20250514", 3, 15),
  anthropic("cmgt5gnkv000104jx171tbq4e", "claude-haiku-4-5-20251001", 1, 5),
  {
    id: "cmig1hb7i000104l72qrzgc6h",
    modelName: "gemini-2.5-pro",
    matchPattern: "(?i)^(google(ai)?/)?gemini-2\\.5-pro$",
    pricingTiers: [
      { name: "Standard", isDefault: true, priority: 0, conditions: [], prices: gemini(1.25, 10) },
      {
        name: "Large Context",
        isDefault: false,
        priority: 1,
        conditions: [{ usageDetailPattern: "(input|prompt|cached)", operator: "gt", value: 200_000 }],
        prices: gemini(2.5, 15)
      }
    ]
  }
]
