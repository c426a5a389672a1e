/**
 * Spans of other instrumentations, as they were recorded: what the server makes of them, and what it makes of them when
 * they end in a program of ours. The tracer reads them by the server's table; where it does otherwise, that is meant.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { LangfuseIngest } from "effect-langfuse"
import type { StoredObservation } from "effect-langfuse/LangfuseServer"
import { isDeepStrictEqual } from "node:util"
import { fromSpan } from "../../src/core/item/fromSpan.js"
import * as Intake from "../../src/internal/intake.js"
import { type Case, readCases } from "../recorded/cases.js"
import { held } from "../utils/seen.js"
import { endedOf, groupsOf } from "./support/spans.js"

type Json = { readonly [key: string]: unknown }

const fields = [
  "type",
  "name",
  "level",
  "statusMessage",
  "model",
  "modelParameters",
  "usageDetails",
  "costDetails",
  "promptName",
  "promptVersion",
  "input",
  "output",
  "completionStartTime",
  "environment",
  "version",
  "release",
  "userId",
  "sessionId",
  "tags",
  "traceName",
  "public"
] as const

interface Seen {
  readonly name: string
  readonly field: string
  readonly recorded: unknown
  readonly ours: unknown
  readonly row: StoredObservation
  readonly attributes: ReadonlyMap<string, unknown>
}

interface Wanted {
  readonly why: string
  readonly is: (seen: Seen) => boolean
}

const counts = ["model", "modelParameters", "usageDetails", "costDetails", "completionStartTime"]
const texts = ["traceName", "statusMessage", "release", "version", "name", "model", "userId", "sessionId"]

const isNothing = (value: unknown): boolean =>
  value === undefined || value === "" ||
  (typeof value === "object" && value !== null && Object.keys(value).length === 0)

const isZero = (value: unknown): boolean =>
  typeof value === "object" && value !== null && Object.values(value).every((each) => each === 0 || each === null)

const has = ({ attributes }: Seen, ...names: ReadonlyArray<string>) => names.some((name) => attributes.has(name))

const isOf = ({ attributes }: Seen, prefix: string) => [...attributes.keys()].some((name) => name.startsWith(prefix))

const wanted: ReadonlyArray<Wanted> = [
  {
    why: "an object is that object, and not the text of its wrapper",
    is: ({ recorded }) => /kvlistValue|arrayValue/.test(JSON.stringify(recorded) ?? "")
  },
  {
    why:
      "only calls of a model have a model and counts: those of agents, tools and others may be sums of the calls below, " +
      "and stay in the metadata",
    is: ({ field, ours, row }) =>
      counts.includes(field) && isNothing(ours) && row.type !== "GENERATION" && row.type !== "EMBEDDING"
  },
  {
    why: "tags are texts, each once, and neither empty nor an object",
    is: ({ field }) => field === "tags"
  },
  {
    why: "a text is a text; a list is none, and stays in the metadata",
    is: ({ field, ours, recorded }) =>
      texts.includes(field) &&
      (recorded === "[]" || typeof recorded !== "string" && (ours === String(recorded) || isNothing(ours)))
  },
  {
    why: "`false` says nothing",
    is: ({ attributes, field }) => field === "type" && [...attributes.values()].includes(false)
  },
  {
    why: "only a span that failed has a message",
    is: ({ field, name, ours }) => field === "statusMessage" && name === "levels" && ours === undefined
  },
  {
    why: "an instrumentation that names nothing leaves the span its name",
    is: ({ field, ours, recorded }) => field === "name" && recorded === undefined && ours === "nm"
  },
  {
    why: "the agent is named after the agent, as a tool is after the tool",
    is: (seen) => seen.field === "name" && has(seen, "gen_ai.agent.name")
  },
  {
    why: "words that programs use for their own things",
    is: (seen) =>
      has(seen, "prompt", "model", "model_config", "events") && isNothing(seen.ours) ||
      seen.field === "type" && has(seen, "model")
  },
  {
    why: "parameters that were not set are none",
    is: ({ field, ours, recorded }) =>
      field === "modelParameters" && isDeepStrictEqual(
        Object.fromEntries(
          Object.entries(Object(recorded)).filter(([, value]) => value !== null && value !== "[]").map((
            [key, value]
          ) => [key, String(value)]).filter(([key]) => key !== "system")
        ),
        Object.fromEntries(Object.entries(Object(ours)).map(([key, value]) => [key, String(value)]))
      )
  },
  {
    why: "counts that were not told are none",
    is: ({ field, ours, recorded }) => field === "usageDetails" && isNothing(ours) && isZero(recorded)
  },
  {
    why: "a count is a whole number from zero, under a name that is known; others are in the metadata",
    is: ({ attributes, field }) =>
      field === "usageDetails" &&
      [...attributes].some(([name, value]) =>
        /usage|token_count/.test(name) &&
        (!(Number.isInteger(Number(value)) && Number(value) >= 0) || typeof value === "boolean" ||
          /\.$|foo/.test(name) || value === "")
      )
  },
  {
    why: "a cost is a number of dollars from zero, with its total",
    is: ({ field }) => field === "costDetails"
  },
  {
    why: "cached and reasoning tokens are parts, under whatever name",
    is: (seen) =>
      seen.field === "usageDetails" &&
      (isOf(seen, "gen_ai.usage.details.") || has(seen, "ai.response.providerMetadata"))
  },
  {
    why: "counts of Vercel's SDK 5 and 6, which the server does not read",
    is: (seen) => seen.field === "usageDetails" && isOf(seen, "ai.usage.")
  },
  {
    why: "the environment of the resource is the option `environment`",
    is: ({ field, name }) => field === "environment" && name.includes("of-resource")
  },
  {
    why: "types in any spelling, and more operations than the server knows",
    is: ({ field, recorded }) => field === "type" && recorded === "SPAN"
  },
  {
    why: "a number that is no time of these days, or a text of digits, is none",
    is: ({ field, ours }) => field === "completionStartTime" && ours === undefined
  },
  {
    why: "system instructions are a message of parts, as the others beside them",
    is: (seen) => seen.field === "input" && has(seen, "gen_ai.system_instructions")
  },
  {
    why: "a message in the text of an event is read",
    is: ({ field, name }) => field === "output" && name.startsWith("events-gen-ai")
  },
  {
    why: "an empty text under a prefix is not the object of nothing",
    is: ({ recorded }) => isDeepStrictEqual(recorded, { gen_ai: {} }) || isDeepStrictEqual(recorded, { llm: {} })
  },
  {
    why: "what was embedded, which the server does not read",
    is: (seen) => seen.field === "input" && has(seen, "ai.value", "ai.values")
  }
]

const isSpans = ({ before, given, request, server, stored }: Case): boolean =>
  server === "v4.16.0" && stored !== null && before === undefined && given === undefined &&
  request.path === "/api/public/otel/v1/traces" && request.bodyBase64 === undefined

const cases = ["otlp-spans", "usage-cost", "falsy"].flatMap((file) => readCases(file).filter(isSpans))

/** Of numbers under names the order means nothing. */
const sorted = (value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1))
    : value

const used = new Set<string>()

describe("spans of other instrumentations", () => {
  it.effect.each(cases)("$name", (one) =>
    Effect.gen(function*() {
      const spans = groupsOf(one).flatMap((group) => group.spans)
      const { losses, observations } = yield* held(
        { version: "4.16.0" },
        Effect.map(LangfuseIngest.LangfuseIngest, (ingest) => {
          const intake = Intake.of(ingest)
          for (const [n, span] of spans.entries()) intake.take(fromSpan(endedOf(span), `e${n}`, intake.policy))
        })
      )
      assert.deepStrictEqual(losses, [])
      const unexplained: Array<string> = []
      for (const span of spans) {
        const row = observations.find(({ id, traceId }) => id === span.spanId && traceId === span.traceId)
        assert.isDefined(row, span.spanId)
        const theirs: Json | undefined = one.stored?.observations?.find((each) =>
          each["id"] === span.spanId && (each["traceId"] ?? span.traceId) === span.traceId
        )
        // An attribute of null loses the whole export there.
        if (theirs === undefined) continue
        const { attributes } = endedOf(span)
        for (const field of one.fields === undefined ? fields : fields.filter((field) => one.fields?.includes(field))) {
          const [recorded, ours] = [sorted(theirs[field]), sorted(row[field])]
          if (isDeepStrictEqual(recorded, ours) || isNothing(recorded) && isNothing(ours)) continue
          const seen: Seen = { name: one.name, field, recorded, ours, row, attributes }
          const found = wanted.find(({ is }) => is(seen))
          if (found === undefined) {
            unexplained.push(`${field}: ${JSON.stringify(recorded)} recorded, ${JSON.stringify(ours)} ours`)
          } else used.add(found.why)
        }
      }
      assert.strictEqual(unexplained.join("\n"), "")
    }))

  it("differ only in ways that are listed, each of which occurs", () => {
    assert.strictEqual(wanted.map(({ why }) => why).filter((why) => !used.has(why)).join("\n"), "")
  })
})
