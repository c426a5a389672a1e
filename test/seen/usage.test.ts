/** Usage and costs of recorded events, sent by the service: the same on both protocols, and never less than recorded. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { isDeepStrictEqual } from "node:util"
import { type Case, readCases } from "../recorded/cases.js"
import { enqueue, held } from "../utils/seen.js"

interface Body {
  readonly batch: ReadonlyArray<{ readonly id: string; readonly type: string }>
}

const isBatch = ({ given, request, stored }: Case): boolean =>
  request.path === "/api/public/ingestion" && given === undefined && stored !== null

const cases = [...readCases("usage-cost").filter(isBatch), ...readCases("merges").filter(isBatch)].filter(
  ({ name, server }) => server === "v3.225.4" && /^(?:batch|generation)?-?(?:.*)(?:usage|cost)/.test(name)
)

/** What is stored otherwise than from the raw request, and why that is what is meant. */
const changed: ReadonlyMap<RegExp, string> = new Map([
  [/^batch-usage-(?:openai-snake|input-tokens|anthropic|google)/, "the usage of a provider, of which v3 makes nothing"],
  [
    /^batch-usage-details-(?!langfuse).*(?:tier|extra-number|without-total|anthropic|google|camel)$/,
    "buckets that overlap"
  ],
  [/^batch-usage-(?:fraction|text|unit-lower|big)$/, "refused as it came; what can be counted is, with a note"],
  [/^batch-usage-negative-cost$/, "a cost below nothing is left out, with a note"],
  [/^batch-cost-details-own|^generation-cost-details-(?:null|empty)|^usage-cost-then-cost-details/, "a total"]
])

const numbers = (value: { readonly [bucket: string]: unknown }) =>
  Object.fromEntries(Object.entries(value).map(([bucket, count]) => [bucket, Number(Number(count).toFixed(9))]))

describe("recorded usage and costs", () => {
  it.effect.each(cases)("$name", (one) =>
    Effect.gen(function*() {
      const batches = [...one.before ?? [], one.request].map(({ body }) => (body as Body).batch)
      const v3 = yield* held({ version: "3.225.4" }, enqueue(...batches))
      // An update without a create, or after the end, is not for OpenTelemetry.
      const v4 = yield* held({ version: "4.16.0" }, enqueue(batches.flat()))
      assert.isTrue([...v3.outcomes.values()].every((outcome) => outcome === "delivered"))
      let isRecorded = true
      for (const [index, row] of v3.observations.entries()) {
        const other = v4.observations[index]
        if (other !== undefined) {
          assert.deepStrictEqual(numbers(other.usageDetails), numbers(row.usageDetails))
          assert.deepStrictEqual(numbers(other.costDetails), numbers(row.costDetails))
        }
        const recorded = one.stored?.observations?.find(({ id }) => id === row.id) ?? {}
        isRecorded &&= isDeepStrictEqual(
          [recorded["usageDetails"], recorded["costDetails"], recorded["totalCost"]],
          [row.usageDetails, row.costDetails, row.totalCost]
        )
      }
      const why = [...changed].find(([name]) => name.test(one.name))?.[1]
      assert.strictEqual(isRecorded, why === undefined, why)
    }))
})
