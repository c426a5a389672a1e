import type { Response } from "@effect/ai"
import type * as Bedrock from "@effect/ai-amazon-bedrock/AmazonBedrockSchema"
import type * as Anthropic from "@effect/ai-anthropic/Generated"
import type * as Google from "@effect/ai-google/Generated"
import type * as OpenAi from "@effect/ai-openai/Generated"
import type * as OpenRouter from "@effect/ai-openrouter/Generated"
import type { UsageDetails } from "effect-langfuse/IngestionEvent"
import { describe, expect, it } from "tstyche"

describe("UsageDetails", () => {
  it("takes the usage objects of providers as they come", () => {
    expect<UsageDetails>().type.toBeAssignableFrom<Response.Usage>()
    expect<UsageDetails>().type.toBeAssignableFrom<OpenAi.CompletionUsage>()
    expect<UsageDetails>().type.toBeAssignableFrom<OpenAi.ResponseUsage>()
    expect<UsageDetails>().type.toBeAssignableFrom<Anthropic.BetaUsage>()
    expect<UsageDetails>().type.toBeAssignableFrom<Google.UsageMetadata>()
    expect<UsageDetails>().type.toBeAssignableFrom<Bedrock.TokenUsage>()
    expect<UsageDetails>().type.toBeAssignableFrom<OpenRouter.ChatGenerationTokenUsage>()
  })

  it("takes buckets, and objects of Vercel's SDK with all that is in them", () => {
    expect<UsageDetails>().type.toBeAssignableFrom<{ readonly [bucket: string]: number }>()
    expect<UsageDetails>().type.toBeAssignableFrom<
      { readonly promptTokens: number; readonly completionTokens: number; readonly totalTokens: number }
    >()
    expect<UsageDetails>().type.toBeAssignableFrom<{
      readonly inputTokens: { readonly total: number | undefined; readonly cacheRead: number | undefined }
      readonly outputTokens: { readonly total: number | undefined; readonly reasoning: number | undefined }
      readonly raw?: { readonly [key: string]: unknown }
    }>()
  })

  it("takes nothing else", () => {
    expect<UsageDetails>().type.not.toBeAssignableFrom<string>()
    expect<UsageDetails>().type.not.toBeAssignableFrom<{ readonly input: string }>()
  })
})
