import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Usage from "../../src/internal/otlp/usage.js"

describe("usage", () => {
  it("OpenAI's usage becomes buckets that do not overlap", () => {
    assert.deepStrictEqual(
      Usage.readUsageDetails({
        prompt_tokens: 100,
        completion_tokens: 20,
        total_tokens: 120,
        prompt_tokens_details: { cached_tokens: 40, audio_tokens: null },
        completion_tokens_details: { reasoning_tokens: 30 }
      }),
      { input: 60, input_cached_tokens: 40, output: 0, output_reasoning_tokens: 30, total: 120 }
    )
    assert.deepStrictEqual(
      Usage.readUsageDetails({ input_tokens: 10, output_tokens: 5, total_tokens: 15, input_tokens_details: null }),
      { input: 10, output: 5, total: 15 }
    )
  })

  it("with one field more it is a set of buckets like any other, as Langfuse reads it", () => {
    assert.deepStrictEqual(
      Usage.readUsageDetails({ prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, service_tier: "default" }),
      { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }
    )
  })

  it("keeps counts, reads those that are texts, and drops everything else", () => {
    assert.deepStrictEqual(
      Usage.readUsageDetails({ input: 3, cached: "7", fraction: 1.5, negative: -1, nested: {}, none: null }),
      { input: 3, cached: 7 }
    )
    assert.strictEqual(Usage.readUsageDetails({ input: 1.5 }), undefined)
    assert.strictEqual(Usage.readUsageDetails({}), undefined)
  })

  it("keeps costs of 0 and more and drops everything else", () => {
    assert.deepStrictEqual(
      Usage.readCostDetails({ input: 0.1, output: 0, negative: -1, text: "1", none: null }),
      { input: 0.1, output: 0 }
    )
    assert.strictEqual(Usage.readCostDetails({ input: "1" }), undefined)
  })

  it.prop(
    "buckets that need no change are read like those beside one that is dropped",
    {
      details: FastCheck.dictionary(
        FastCheck.oneof(FastCheck.constantFrom("input", "output", "total", "1", "__proto__"), FastCheck.string()),
        FastCheck.oneof(FastCheck.nat(), FastCheck.double(), FastCheck.constantFrom(-0, -1, "7", "x", null, {}))
      )
    },
    ({ details }) => {
      const dropped = "dropped"
      const given: Usage.JsonObject = JSON.parse(JSON.stringify(details))
      const beside: Usage.JsonObject = JSON.parse(JSON.stringify({ ...details, [dropped]: -1 }))
      for (const read of [Usage.readUsageDetails, Usage.readCostDetails]) {
        assert.strictEqual(JSON.stringify(read(given)), JSON.stringify(read(beside)))
      }
    }
  )

  it("the deprecated usage becomes buckets and costs", () => {
    assert.deepStrictEqual(
      Usage.readUsage({ input: 1, output: 2, total: null, unit: "TOKENS", inputCost: 0.5, totalCost: 0.7 }),
      { usage: { input: 1, output: 2 }, cost: { input: 0.5, total: 0.7 } }
    )
    assert.deepStrictEqual(
      Usage.readUsage({ promptTokens: 1, completionTokens: 2, inputCost: 0.5 }),
      { usage: { input: 1, output: 2 }, cost: undefined }
    )
    assert.deepStrictEqual(Usage.readUsage({}), { usage: undefined, cost: undefined })
  })

  it("names what is wrong with a deprecated usage", () => {
    assert.deepStrictEqual(
      Usage.usageIssues({ input: 1.5, unit: "BYTES", totalCost: "1" }),
      ["input: expected an integer", "totalCost: expected a number", "unit: expected one of Langfuse's units"]
    )
    assert.deepStrictEqual(Usage.usageIssues({ input: null, unit: "TOKENS" }), [])
  })

  it("a total is the sum of all others where there is none", () => {
    assert.strictEqual(Usage.missingTotal({ input: 1, output: 2, cache: 3 }), 6)
    assert.isUndefined(Usage.missingTotal({ input: 1, total: 5 }))
  })

  it.prop(
    "whatever is read has only counts, and keeps no more tokens than it was given",
    { input: FastCheck.nat(1000), output: FastCheck.nat(1000), cached: FastCheck.nat(2000) },
    ({ cached, input, output }) => {
      const buckets = Usage.readUsageDetails({
        prompt_tokens: input,
        completion_tokens: output,
        total_tokens: input + output,
        prompt_tokens_details: { cached_tokens: cached }
      })
      assert.deepStrictEqual(buckets, {
        input: Math.max(0, input - cached),
        input_cached_tokens: cached,
        output,
        total: input + output
      })
    }
  )
})
