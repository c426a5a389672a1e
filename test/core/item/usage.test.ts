import { assert, describe, it } from "@effect/vitest"
import { FastCheck, Schema } from "effect"
import type { UsageDetails } from "effect-langfuse/IngestionEvent"
import { costOf, legacyUsageOf, usageOf, usageOfAttributes } from "../../../src/core/item/usage.js"
import * as Schemas from "../../../src/internal/schemas.js"
import { runs } from "../../utils/properties.js"

type Counts = { readonly [bucket: string]: number }

const parse = (text: string | undefined): unknown => text === undefined ? undefined : JSON.parse(text)
const buckets = (usage: unknown): unknown => parse(usageOf(usage).text)
const costs = (cost: unknown): unknown => parse(costOf(cost).text)

/** As providers and SDKs return it, and what Langfuse is to be told. */
const shapes: ReadonlyArray<readonly [name: string, given: UsageDetails, expected: Counts]> = [
  ["OpenAI, chat completions", {
    prompt_tokens: 100,
    completion_tokens: 20,
    total_tokens: 120,
    prompt_tokens_details: { cached_tokens: 40, audio_tokens: 10 },
    completion_tokens_details: { reasoning_tokens: 12, audio_tokens: 0, accepted_prediction_tokens: 2 }
  }, {
    input: 50,
    output: 6,
    input_cached_tokens: 40,
    input_audio_tokens: 10,
    output_reasoning_tokens: 12,
    output_audio_tokens: 0,
    output_accepted_prediction_tokens: 2,
    total: 120
  }],
  ["OpenAI, with a field more", {
    prompt_tokens: 100,
    completion_tokens: 20,
    total_tokens: 120,
    service_tier: "default",
    prompt_tokens_details: { cached_tokens: 40, audio_tokens: null }
  }, { input: 60, output: 20, input_cached_tokens: 40, total: 120 }],
  ["OpenAI, responses", {
    input_tokens: 100,
    output_tokens: 20,
    total_tokens: 120,
    input_tokens_details: { cached_tokens: 40 },
    output_tokens_details: { reasoning_tokens: 12 }
  }, { input: 60, output: 8, input_cached_tokens: 40, output_reasoning_tokens: 12, total: 120 }],
  ["OpenAI, images", {
    input_tokens: 50,
    output_tokens: 200,
    total_tokens: 250,
    input_tokens_details: { text_tokens: 10, image_tokens: 40 }
  }, { input: 10, output: 200, input_image_tokens: 40, total: 250 }],
  ["OpenAI, embeddings", { prompt_tokens: 8, total_tokens: 8 }, { input: 8, total: 8 }],
  ["OpenAI, where a part is larger than its whole", {
    input_tokens: 100,
    output_tokens: 20,
    total_tokens: 120,
    input_tokens_details: { cached_tokens: 140 }
  }, { input: 0, output: 20, input_cached_tokens: 140, total: 120 }],
  ["xAI, which counts reasoning beside the answer", {
    prompt_tokens: 32,
    completion_tokens: 9,
    total_tokens: 135,
    prompt_tokens_details: { cached_tokens: 6 },
    completion_tokens_details: { reasoning_tokens: 94 }
  }, { input: 26, output: 9, input_cached_tokens: 6, output_reasoning_tokens: 94, total: 135 }],
  ["DeepSeek", {
    prompt_tokens: 100,
    completion_tokens: 20,
    total_tokens: 120,
    prompt_cache_hit_tokens: 64,
    prompt_cache_miss_tokens: 36
  }, { input: 36, output: 20, input_cached_tokens: 64, total: 120 }],
  ["OpenRouter", {
    prompt_tokens: 100,
    completion_tokens: 20,
    total_tokens: 120,
    cost: 0.01,
    is_byok: false,
    cost_details: { upstream_inference_cost: null },
    prompt_tokens_details: { cached_tokens: 40, cache_write_tokens: 10, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 5 }
  }, {
    input: 50,
    output: 15,
    input_cached_tokens: 40,
    input_cache_creation: 10,
    input_audio_tokens: 0,
    output_reasoning_tokens: 5,
    total: 120
  }],
  ["Anthropic", {
    input_tokens: 10,
    output_tokens: 5,
    cache_read_input_tokens: 4,
    cache_creation_input_tokens: 30,
    cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 10 },
    server_tool_use: null,
    service_tier: "standard"
  }, {
    input: 10,
    output: 5,
    input_cached_tokens: 4,
    input_cache_creation: 20,
    input_cache_creation_1h: 10,
    total: 49
  }],
  ["Anthropic, nearly all of it from the cache", {
    input_tokens: 5,
    output_tokens: 10,
    cache_read_input_tokens: 9842,
    cache_creation_input_tokens: 0
  }, { input: 5, output: 10, input_cached_tokens: 9842, input_cache_creation: 0, total: 9857 }],
  ["Anthropic, thinking", {
    input_tokens: 10,
    output_tokens: 50,
    output_tokens_details: { thinking_tokens: 30 }
  }, { input: 10, output: 50, total: 60 }],
  ["@effect/ai", { inputTokens: 90, outputTokens: 6, totalTokens: 96, cachedInputTokens: 64 }, {
    input: 26,
    output: 6,
    input_cached_tokens: 64,
    total: 96
  }],
  ["@effect/ai, where cached tokens cannot be part of the input", {
    inputTokens: 5,
    outputTokens: 10,
    totalTokens: 15,
    reasoningTokens: undefined,
    cachedInputTokens: 9842
  }, { input: 5, output: 10, input_cached_tokens: 9842, total: 9857 }],
  ["AI SDK 4", { promptTokens: 10, completionTokens: 5, totalTokens: 15 }, { input: 10, output: 5, total: 15 }],
  ["AI SDK 5", {
    inputTokens: 100,
    outputTokens: 20,
    totalTokens: 120,
    reasoningTokens: 12,
    cachedInputTokens: 40
  }, { input: 60, output: 8, input_cached_tokens: 40, output_reasoning_tokens: 12, total: 120 }],
  ["AI SDK 6", {
    inputTokens: 100,
    inputTokenDetails: { noCacheTokens: 50, cacheReadTokens: 40, cacheWriteTokens: 10 },
    outputTokens: 20,
    outputTokenDetails: { textTokens: 8, reasoningTokens: 12 },
    totalTokens: 120,
    reasoningTokens: 12,
    cachedInputTokens: 40,
    raw: { prompt_tokens: 100, completion_tokens: 20 }
  }, {
    input: 50,
    output: 8,
    input_cached_tokens: 40,
    input_cache_creation: 10,
    output_reasoning_tokens: 12,
    total: 120
  }],
  ["AI SDK 6, of a provider", {
    inputTokens: { total: 100, noCache: 50, cacheRead: 40, cacheWrite: 10 },
    outputTokens: { total: 20, text: 8, reasoning: 12 },
    raw: {}
  }, {
    input: 50,
    output: 8,
    input_cached_tokens: 40,
    input_cache_creation: 10,
    output_reasoning_tokens: 12,
    total: 120
  }],
  ["AI SDK, embeddings", { tokens: 7 }, { input: 7, total: 7 }],
  ["Google", {
    promptTokenCount: 100,
    candidatesTokenCount: 20,
    thoughtsTokenCount: 30,
    cachedContentTokenCount: 40,
    totalTokenCount: 150,
    promptTokensDetails: [{ modality: "TEXT", tokenCount: 100 }],
    trafficType: "ON_DEMAND"
  }, { input: 60, output: 20, input_cached_tokens: 40, output_reasoning_tokens: 30, total: 150 }],
  ["Google, with a tool of its own", {
    promptTokenCount: 100,
    candidatesTokenCount: 20,
    toolUsePromptTokenCount: 7,
    totalTokenCount: 127
  }, { input: 107, output: 20, total: 127 }],
  ["Amazon Bedrock", {
    inputTokens: 10,
    outputTokens: 5,
    totalTokens: 49,
    cacheReadInputTokens: 4,
    cacheWriteInputTokens: 30
  }, { input: 10, output: 5, input_cached_tokens: 4, input_cache_creation: 30, total: 49 }],
  ["Amazon Bedrock, metrics of an invocation", {
    inputTokenCount: 100,
    outputTokenCount: 10,
    cacheReadInputTokenCount: 60,
    cacheWriteInputTokenCount: 5,
    invocationLatency: 0,
    firstByteLatency: 0
  }, { input: 100, output: 10, input_cached_tokens: 60, input_cache_creation: 5, total: 175 }],
  ["OpenAI, realtime", {
    total_tokens: 130,
    input_tokens: 100,
    output_tokens: 30,
    input_token_details: {
      text_tokens: 10,
      audio_tokens: 90,
      image_tokens: 0,
      cached_tokens: 50,
      cached_tokens_details: { text_tokens: 5, audio_tokens: 45, image_tokens: 0 }
    },
    output_token_details: { text_tokens: 8, audio_tokens: 22 }
  }, {
    input: 5,
    output: 8,
    input_audio_tokens: 45,
    input_image_tokens: 0,
    input_cached_tokens: 50,
    output_audio_tokens: 22,
    total: 130
  }],
  ["Cohere", {
    billed_units: { input_tokens: 5, output_tokens: 18 },
    tokens: { input_tokens: 71, output_tokens: 18 }
  }, { input: 5, output: 18, total: 23 }],
  ["Cohere, in another order and in camel case", {
    tokens: { inputTokens: 71, outputTokens: 18 },
    cachedTokens: 3,
    billedUnits: { inputTokens: 5, outputTokens: 18 }
  }, { input: 2, output: 18, input_cached_tokens: 3, total: 23 }],
  ["Cohere, embeddings", { billed_units: { input_tokens: 7 } }, { input: 7, total: 7 }],
  ["Cohere, without what was billed", { tokens: { input_tokens: 71, output_tokens: 18 } }, {
    input: 71,
    output: 18,
    total: 89
  }],
  ["LangChain", {
    input_tokens: 350,
    output_tokens: 240,
    total_tokens: 590,
    input_token_details: { audio: 10, cache_creation: 200, cache_read: 100 },
    output_token_details: { audio: 10, reasoning: 200 }
  }, {
    input: 40,
    output: 30,
    input_audio_tokens: 10,
    input_cached_tokens: 100,
    input_cache_creation: 200,
    output_audio_tokens: 10,
    output_reasoning_tokens: 200,
    total: 590
  }]
]

describe("usage", () => {
  for (const [name, given, expected] of shapes) {
    it(`of ${name} becomes buckets that do not overlap`, () => {
      assert.deepStrictEqual(buckets(given), expected)
      assert.isUndefined(usageOf(given).note)
    })

    it(`of ${name} is taken by the schema`, () =>
      assert.deepStrictEqual(Schema.decodeUnknownSync(Schemas.UsageDetails)(given), given))
  }

  it("of which it is not said how much of the audio was cached has no bucket for the audio, and says so", () => {
    for (const total of [{ total_tokens: 110 }, {}]) {
      const { note, text } = usageOf({
        input_tokens: 100,
        output_tokens: 10,
        input_token_details: { text_tokens: 10, audio_tokens: 90, image_tokens: 3, cached_tokens: 50 },
        ...total
      })
      assert.deepStrictEqual(parse(text), { input: 50, output: 10, input_cached_tokens: 50, total: 110 })
      assert.include(note, "input_image_tokens, input_audio_tokens")
    }
    const kept = usageOf({
      input_tokens: 100,
      output_tokens: 10,
      input_token_details: { audio_tokens: 40, image_tokens: 3, cached_tokens: 60 }
    })
    assert.deepStrictEqual(parse(kept.text), {
      input: 0,
      output: 10,
      input_audio_tokens: 40,
      input_cached_tokens: 60,
      total: 110
    })
    assert.include(kept.note, "input_image_tokens")
  })

  it("of many names, or long ones, is bounded, keeps its total and says so", () => {
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`bucket ${i}`, 1]))
    const long = "long ".repeat(1000)
    for (const read of [usageOf, costOf]) {
      const { note, text } = read({ ...many(10_000), total: 10_000 })
      const kept = parse(text) as Counts // it was written from counts
      assert.deepStrictEqual([Object.keys(kept).length, kept["total"]], [101, 10_000])
      assert.include(note, "bucket 100, bucket 101")
      assert.include(note, "and 9890 more")
      const short = read({ [long]: 1, input: 2 })
      assert.deepStrictEqual(parse(short.text), { input: 2, total: 2 })
      assert.include(short.note, "left out: long long")
    }
    const details = usageOf({
      input_tokens: 1e6,
      output_tokens: 1,
      input_tokens_details: many(300),
      prompt_details: many(90)
    })
    assert.isAtMost(Object.keys(parse(details.text) as Counts).length, 101)
    assert.include(details.note, "more")
    const { cost, usage } = legacyUsageOf({ input: 1 }, many(300), many(300))
    assert.isAtMost(Object.keys(parse(usage.text) as Counts).length, 101)
    assert.isAtMost(Object.keys(parse(cost.text) as Counts).length, 101)
  })

  const most = Number.MAX_SAFE_INTEGER

  it("counts that add up to more than a number holds make no bucket and no total that is none", () => {
    assert.deepStrictEqual(buckets({ promptTokenCount: 1, toolUsePromptTokenCount: most }), { input: 1, total: 1 })
    assert.deepStrictEqual(buckets({ promptTokenCount: 1, toolUsePromptTokenCount: most - 1 }), {
      input: most,
      total: most
    })
    assert.deepStrictEqual(
      buckets({
        input_tokens: 1,
        cache_creation: { ephemeral_5m_input_tokens: most, ephemeral_1h_input_tokens: 2 }
      }),
      { input: 1, input_cache_creation: most, input_cache_creation_1h: 2 }
    )
    assert.deepStrictEqual(buckets({ inputTokens: most, outputTokens: most }), { input: most, output: most })
  })

  it("a program's own buckets stay as they are, with a total", () => {
    assert.deepStrictEqual(buckets({ input: 1, output: 2, mine: 3, none: undefined }), {
      input: 1,
      output: 2,
      mine: 3,
      total: 6
    })
    assert.deepStrictEqual(buckets({ input: 1, output: 2, total: 9 }), { input: 1, output: 2, total: 9 })
    assert.deepStrictEqual(buckets({ input: 10, output: 20, cache_read_input_tokens: 40 }), {
      input: 10,
      output: 20,
      cache_read_input_tokens: 40,
      total: 70
    })
  })

  it("what is no whole number from zero is left out, and the note names it", () => {
    for (
      const wrong of [1.5, -1, NaN, Infinity, 2 ** 53, "many", "-3", "1.5", true, {}, [], () => 1, Symbol("s")]
    ) {
      const { note, text } = usageOf({ input: wrong, output: 3 })
      assert.deepStrictEqual(parse(text), { output: 3, total: 3 })
      assert.include(note ?? "", "left out: input")
    }
    assert.include(usageOf({ promptTokens: NaN, completionTokens: NaN, totalTokens: NaN }).note ?? "", "promptTokens")
    assert.isUndefined(usageOf({ promptTokens: NaN, completionTokens: NaN, totalTokens: NaN }).text)
    assert.include(usageOf({ input_tokens: 5, output_tokens: 2, search_units: 3 }).note ?? "", "search_units")
    assert.deepStrictEqual(buckets({ input: "7", output: 3n }), { input: 7, output: 3, total: 10 })
  })

  it("the note never shows what stood there", () =>
    assert.notInclude(usageOf({ input: "s3cret", output_tokens: "s3cret" }).note ?? "", "s3cret"))

  it("nothing is nothing", () => {
    for (const none of [undefined, null, {}, { input: undefined, output: null }]) {
      assert.deepStrictEqual(usageOf(none), { text: undefined, note: undefined })
    }
  })

  it("what is no usage at all is noted", () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const throwing = {
      get input(): number {
        throw new Error("no")
      }
    }
    for (const wrong of [7, "x", [1, 2], true, proxy, throwing]) {
      for (const read of [usageOf, costOf]) {
        const { note, text } = read(wrong)
        assert.isUndefined(text)
        assert.include(note ?? "", "left out")
      }
    }
  })

  it("a total that leaves out parts without their whole is none", () => {
    assert.deepStrictEqual(buckets({ output_tokens: 3, total_tokens: 3, prompt_cache_miss_tokens: 5 }), {
      output: 3,
      input: 5,
      total: 8
    })
    assert.deepStrictEqual(
      buckets({ completion_tokens: 3, total_tokens: 3, prompt_tokens_details: { cached_tokens: 40 } }),
      { output: 3, input_cached_tokens: 40, total: 43 }
    )
  })

  it("a bucket may have any name", () => {
    const given: unknown = JSON.parse(`{"__proto__":1,"a\\"b":2}`)
    assert.strictEqual(usageOf(given).text, `{"__proto__":1,"a\\"b":2,"total":3}`)
  })

  it.prop(
    "of whatever shape: no bucket is negative, and with the total that was told they add up to it",
    [FastCheck.record({
      input: FastCheck.nat(1000),
      output: FastCheck.nat(1000),
      cached: FastCheck.nat(1000),
      written: FastCheck.nat(1000),
      reasoning: FastCheck.nat(1000)
    })],
    ([{ cached, input, output, reasoning, written }]) => {
      const given = [
        { inputTokens: input, outputTokens: output, cachedInputTokens: cached, reasoningTokens: reasoning },
        { input_tokens: input, output_tokens: output, cache_read_input_tokens: cached },
        {
          prompt_tokens: input,
          completion_tokens: output,
          prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: written }
        },
        { promptTokenCount: input, candidatesTokenCount: output, thoughtsTokenCount: reasoning }
      ]
      for (const usage of given) {
        const { total, ...parts } = buckets(usage) as Counts // it was written from counts
        assert.isTrue(Object.values(parts).every((count) => count >= 0))
        assert.strictEqual(Object.values(parts).reduce((sum, count) => sum + count, 0), total)
      }
    }
  )

  it.prop(
    "of any counts: every bucket is a count, and the total is one too and no less than any of them",
    [FastCheck.dictionary(
      FastCheck.constantFrom(
        "input_tokens",
        "output_tokens",
        "total_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
        "cache_creation.ephemeral_5m_input_tokens",
        "cache_creation.ephemeral_1h_input_tokens",
        "cached_tokens",
        "reasoning_tokens",
        "thoughts_token_count",
        "tool_use_prompt_token_count",
        "input_tokens_details.audio",
        "prompt_cache_miss_tokens"
      ),
      FastCheck.oneof(FastCheck.nat(10), FastCheck.integer({ min: most - 5, max: most }))
    )],
    ([counts]) => {
      const read = buckets({ input_tokens: undefined, ...counts })
      if (read === undefined) return
      const { total, ...parts } = read as Counts // it was written from counts
      for (const count of Object.values(parts)) assert.isTrue(Number.isSafeInteger(count) && count >= 0)
      if (total === undefined) return
      assert.isTrue(Number.isSafeInteger(total))
      for (const count of Object.values(parts)) assert.isAtMost(count, total)
    },
    runs(300)
  )

  it.prop(
    "never throws, and what it writes is JSON of counts",
    [FastCheck.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true })],
    ([given]) => {
      for (
        const { note, text } of [usageOf(given), costOf(given), legacyUsageOf(given).usage, legacyUsageOf(given).cost]
      ) {
        if (text !== undefined) assert.isTrue(Object.values(JSON.parse(text) as Counts).every((count) => count >= 0))
        if (note !== undefined) assert.isAtMost(note.length, 1000)
      }
    },
    runs(1000)
  )
})

describe("usage among attributes", () => {
  const read = (attributes: Record<string, unknown>) => {
    const rest: Record<string, unknown> = {}
    const { note, text } = usageOfAttributes(new Map(Object.entries(attributes)), (name, value) => rest[name] = value)
    return { usage: parse(text), note, rest }
  }

  it("is read by the conventions, where input includes what was cached, whoever counted", () => {
    const expected = { input: 30, output: 10, input_cached_tokens: 60, input_cache_creation: 10, total: 110 }
    for (const [from, to] of [["cache_read.", "cache_creation."], ["cache_read_", "cache_creation_"]]) {
      assert.deepStrictEqual(
        read({ input_tokens: 100, output_tokens: 10, [`${from}input_tokens`]: 60, [`${to}input_tokens`]: 10 }).usage,
        expected
      )
    }
  })

  it("a part that is larger than the input stands beside it", () =>
    assert.deepStrictEqual(read({ input_tokens: 5, output_tokens: 1, "cache_read.input_tokens": 9842 }).usage, {
      input: 5,
      output: 1,
      input_cached_tokens: 9842,
      total: 9848
    }))

  it("a total tells how the counts were meant", () => {
    const counts = { input_tokens: 100, output_tokens: 50, "cache_read.input_tokens": 40 }
    assert.deepStrictEqual(read({ ...counts, total_tokens: 190 }).usage, {
      input: 100,
      output: 50,
      input_cached_tokens: 40,
      total: 190
    })
    assert.deepStrictEqual(read({ ...counts, total_tokens: 150 }).usage, {
      input: 60,
      output: 50,
      input_cached_tokens: 40,
      total: 150
    })
    assert.deepStrictEqual(read({ input_tokens: 10, output_tokens: 5, total_tokens: 99 }).usage, {
      input: 10,
      output: 5,
      total: 99
    })
  })

  it("has many names", () => {
    const names: ReadonlyArray<readonly [string, string]> = [
      ["prompt_tokens", "input"],
      ["prompt", "input"],
      ["completion_tokens", "output"],
      ["completion", "output"],
      ["cache_read_input_tokens", "input_cached_tokens"],
      ["cached_tokens", "input_cached_tokens"],
      ["cachedInputTokens", "input_cached_tokens"],
      ["input_tokens.cached", "input_cached_tokens"],
      ["prompt_tokens_details.cached_tokens", "input_cached_tokens"],
      ["prompt_details.cache_read", "input_cached_tokens"],
      ["details.cache_read_tokens", "input_cached_tokens"],
      ["prompt_details.cache_write", "input_cache_creation"],
      ["cache_write_tokens", "input_cache_creation"],
      ["reasoning_tokens", "output_reasoning_tokens"],
      ["output_tokens.reasoning", "output_reasoning_tokens"],
      ["completion_details.reasoning", "output_reasoning_tokens"],
      ["completion_details.audio", "output_audio_tokens"],
      ["completion_tokens_details.reasoning_tokens", "output_reasoning_tokens"]
    ]
    for (const [name, bucket] of names) {
      assert.deepStrictEqual(read({ [name]: 7 }).usage, { [bucket]: 7, total: 7 }, name)
    }
    assert.deepStrictEqual(read({ total_tokens: 7 }).usage, { total: 7 })
  })

  it("under other names may be part of another count, and is handed back", () =>
    assert.deepStrictEqual(read({ input_tokens: 5, search_units: 2, "details.odd": 3 }), {
      usage: { input: 5, total: 5 },
      note: undefined,
      rest: { search_units: 2, "details.odd": 3 }
    }))

  it("may be text, and what is no count is noted", () => {
    const { note, usage } = read({ input_tokens: "12", output_tokens: 1.5, total_tokens: true })
    assert.deepStrictEqual(usage, { input: 12, total: 12 })
    assert.include(note ?? "", "left out: output_tokens, total_tokens")
  })
})

describe("costs", () => {
  it("have a total", () => {
    assert.deepStrictEqual(costs({ input: 1, output: 2, cache: 0.5 }), { input: 1, output: 2, cache: 0.5, total: 3.5 })
    assert.deepStrictEqual(costs({ total: 1, input: 5 }), { total: 1, input: 5 })
    assert.deepStrictEqual(costs({ input: 1e-7 }), { input: 1e-7, total: 1e-7 })
  })

  it("that are no amounts are left out with a note", () => {
    const { note, text } = costOf({ input: -1, output: "0.2", cache: NaN, search: 0.5 })
    assert.deepStrictEqual(parse(text), { search: 0.5, total: 0.5 })
    assert.include(note ?? "", "left out: input, output, cache")
  })
})

describe("the deprecated usage", () => {
  const read = (usage: unknown, details?: unknown, cost?: unknown) => {
    const read = legacyUsageOf(usage, details, cost)
    return { usage: parse(read.usage.text), cost: parse(read.cost.text) }
  }

  it("becomes buckets and costs", () => {
    assert.deepStrictEqual(read({ input: 1, output: 2, unit: "TOKENS", inputCost: 0.5, totalCost: 0.75 }), {
      usage: { input: 1, output: 2, total: 3 },
      cost: { input: 0.5, total: 0.75 }
    })
    assert.deepStrictEqual(read({ promptTokens: 10, input: 3, totalTokens: null }), {
      usage: { input: 10, total: 10 },
      cost: undefined
    })
    assert.deepStrictEqual(read({ totalCost: 0.5 }), { usage: undefined, cost: { total: 0.5 } })
    assert.deepStrictEqual(read({ input: null, unit: null }), { usage: undefined, cost: undefined })
  })

  it("a total of nothing is none", () =>
    assert.deepStrictEqual(read({ input: 1, output: 2, total: 0 }).usage, { input: 1, output: 2, total: 3 }))

  it("keeps costs beside OpenAI's first names, which Langfuse loses", () =>
    assert.deepStrictEqual(read({ promptTokens: 10, inputCost: 0.5 }), {
      usage: { input: 10, total: 10 },
      cost: { input: 0.5, total: 0.5 }
    }))

  it("may be a provider's object, of which Langfuse would keep nothing", () =>
    assert.deepStrictEqual(read({ input_tokens: 10, output_tokens: 20, cache_read_input_tokens: 40 }).usage, {
      input: 10,
      output: 20,
      input_cached_tokens: 40,
      total: 70
    }))

  it("is merged with the details beside it, which win", () => {
    assert.deepStrictEqual(read({ input: 1 }, { a: 1 }).usage, { input: 1, a: 1, total: 2 })
    assert.deepStrictEqual(read({ input: 1, output: 2 }, { input: 7 }).usage, { input: 7, output: 2, total: 9 })
    assert.deepStrictEqual(read({ total: 10 }, { input: 1, output: 2 }).usage, { total: 10, input: 1, output: 2 })
    assert.deepStrictEqual(read({ totalCost: 5 }, undefined, { input: 1, output: 2 }).cost, {
      total: 5,
      input: 1,
      output: 2
    })
    assert.deepStrictEqual(read({ inputCost: 5, outputCost: 6 }, undefined, { input: 1 }).cost, {
      input: 1,
      output: 6,
      total: 7
    })
  })

  it("has notes for what is left out", () => {
    const { cost, usage } = legacyUsageOf({ input: 1.5, output: 2, cached: 3, inputCost: -1 })
    assert.include(usage.note ?? "", "left out: input, cached")
    assert.include(cost.note ?? "", "left out: inputCost")
  })
})
