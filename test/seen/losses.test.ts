/** Nothing is lost after a successful answer: it is stored as it was meant, or a warning or a note says why not. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck } from "effect"
import type { StoredObservation, StoredTrace } from "effect-langfuse/LangfuseServer"
import * as Events from "../core/item/support/events.js"
import { event, spanIdFor, time } from "../utils/otlp.js"
import { enqueue, held, type To } from "../utils/seen.js"

const servers: ReadonlyArray<To & { readonly title: string }> = [
  { title: "3.95.0 by the batch endpoint", version: "3.95.0", protocol: "ingestion" },
  { title: "3.95.0 by OTLP", version: "3.95.0", protocol: "otlp" },
  { title: "3.225.4 by the batch endpoint", version: "3.225.4", protocol: "ingestion" },
  { title: "3.225.4 by OTLP", version: "3.225.4", protocol: "otlp" },
  { title: "4.0.0 by OTLP", version: "4.0.0", protocol: "otlp" },
  { title: "4.16.0 by OTLP", version: "4.16.0", protocol: "otlp" }
]

const id = "00000000000000a1"
const traceId = "0123456789abcdef0123456789abcdef"

interface Seen {
  readonly row: StoredObservation
  readonly trace: StoredTrace
}

interface Odd {
  readonly what: string
  readonly observation?: object
  readonly trace?: object
  /** Absent: never refused. */
  readonly mayBeRefused?: boolean
  readonly check: (seen: Seen) => void
}

const odds: ReadonlyArray<Odd> = [
  {
    what: "a level in lower case",
    observation: { level: "error" },
    mayBeRefused: true,
    check: ({ row }) => {
      assert.strictEqual(row.level, "ERROR")
      assert.strictEqual(row.metadata["originalLevel"], "error")
    }
  },
  {
    what: "a level that is none",
    observation: { level: "loud" },
    mayBeRefused: true,
    check: ({ row }) => assert.strictEqual(row.metadata["originalLevel"], "loud")
  },
  {
    what: "a prompt without a version",
    observation: { promptName: "p" },
    mayBeRefused: true,
    check: ({ row }) => assert.strictEqual(row.metadata["originalPromptName"], "p")
  },
  {
    what: "a time with nanoseconds and an offset",
    observation: { startTime: "2026-11-23T13:00:00.123456789+01:00" },
    check: ({ row }) => assert.strictEqual(row.startTime, "2026-11-23T12:00:00.123Z")
  },
  {
    what: "an end before the start",
    observation: { startTime: time(1000), endTime: time(0) },
    check: ({ row }) => assert.strictEqual(row.endTime, row.startTime)
  },
  {
    what: "a total of nothing",
    observation: { usage: { input: 3, output: 4, total: 0 } },
    check: ({ row }) => assert.deepStrictEqual(row.usageDetails, { input: 3, output: 4, total: 7 })
  },
  {
    what: "details of nothing",
    observation: { usageDetails: { input: 0, output: 0, total: 0 } },
    check: ({ row }) => assert.deepStrictEqual(row.usageDetails, { input: 0, output: 0, total: 0 })
  },
  {
    what: "costs beside the counts of OpenAI's first API, and details",
    observation: { usage: { promptTokens: 1, inputCost: 0.25 }, costDetails: { output: 0.5 } },
    check: ({ row }) => {
      assert.strictEqual(row.usageDetails["input"], 1)
      assert.strictEqual(row.totalCost, 0.75)
    }
  },
  {
    what: "a count that is none",
    observation: { usageDetails: { input: 1.5, output: 2 } },
    check: ({ row }) => {
      assert.strictEqual(row.usageDetails["output"], 2)
      assert.include(row.metadata["usage_note"], "input")
    }
  },
  {
    what: "metadata that is a text",
    observation: { metadata: "hello" },
    trace: { metadata: "all" },
    check: ({ row, trace }) => {
      assert.strictEqual(row.metadata["metadata"], "hello")
      assert.strictEqual(trace.metadata["metadata"], "all")
    }
  },
  {
    what: "metadata that is a list",
    observation: { metadata: [1, { a: 2 }] },
    check: ({ row }) => assert.deepStrictEqual(row.metadata["metadata"], [1, { a: 2 }])
  },
  {
    what: "metadata that is false",
    observation: { metadata: false },
    check: ({ row }) => assert.strictEqual(row.metadata["metadata"], false)
  },
  {
    what: "metadata under an empty key",
    observation: { metadata: { "": { a: 1 } } },
    check: ({ row }) => assert.deepStrictEqual(row.metadata[""], { a: 1 })
  },
  {
    what: "an environment in capitals, with a reserved beginning",
    observation: { environment: "Langfuse-Prod" },
    trace: { environment: "Langfuse-Prod" },
    check: ({ row, trace }) => {
      assert.strictEqual(row.environment, "prod")
      assert.strictEqual(trace.environment, "prod")
    }
  },
  {
    what: "an environment that Langfuse does not take",
    observation: { environment: "Prod EU" },
    trace: { environment: ["prod"] },
    check: ({ row, trace }) => {
      assert.strictEqual(row.environment, "default")
      assert.strictEqual(row.metadata["originalEnvironment"], "Prod EU")
      assert.deepStrictEqual(trace.metadata["originalEnvironment"], ["prod"])
    }
  },
  {
    what: "nested parameters",
    observation: { modelParameters: { format: { schema: { a: 1 } }, top_k: null, stop: ["a"] } },
    check: ({ row }) => {
      assert.strictEqual(row.modelParameters?.["format"], "{\"schema\":{\"a\":1}}")
      assert.deepStrictEqual(JSON.parse(JSON.stringify(row.modelParameters?.["stop"])), ofProtocol(row, ["a"]))
    }
  },
  {
    what: "input and output of nothing",
    observation: { input: false, output: "" },
    check: ({ row }) => assert.deepStrictEqual([row.input, row.output], [false, ""])
  },
  {
    what: "a list of no tags, and a public trace",
    trace: { tags: [], public: true },
    check: ({ trace }) => assert.deepStrictEqual([trace.tags, trace.public], [[], true])
  },
  {
    what: "a long name of a trace",
    trace: { name: "n".repeat(1500) },
    mayBeRefused: true,
    check: ({ row, trace }) => {
      assert.strictEqual(trace.name, "n".repeat(1000))
      assert.strictEqual(row.metadata["originalTraceName"] ?? trace.metadata["originalTraceName"], "n".repeat(1500))
    }
  }
]

/** Lists are text over OTLP. */
const ofProtocol = (row: StoredObservation, list: ReadonlyArray<string>): unknown =>
  typeof row.modelParameters?.["stop"] === "string" ? JSON.stringify(list) : list

describe.each(servers)("to $title", (to) => {
  it.effect.each(odds)("$what is stored as it is meant, or a warning says why not", (odd) =>
    Effect.gen(function*() {
      const { losses, observations, outcomes, traces, warnings } = yield* held(
        to,
        enqueue([
          event("trace-create", { id: traceId, ...odd.trace }, { id: "trace" }),
          event("generation-create", { id, traceId, endTime: time(5000), model: "m", ...odd.observation }, {
            id: "observation"
          })
        ])
      )
      assert.deepStrictEqual(losses, [])
      if ([...outcomes.values()].some((outcome) => outcome !== "delivered")) {
        assert.isTrue(odd.mayBeRefused)
        assert.isAbove(warnings.length, 0)
        return
      }
      const row = observations.find((each) => each.id === id)
      const trace = traces.find((each) => each.id === traceId)
      assert.isDefined(row)
      assert.isDefined(trace)
      odd.check({ row, trace })
    }))

  it.effect("whatever is enqueued is there when it is delivered, and otherwise a warning was logged", () =>
    Effect.gen(function*() {
      const junk = FastCheck.sample(Events.event, { seed: 20261128, numRuns: 300 }).map((each, n) => {
        const body = typeof each.body === "object" && each.body !== null ? each.body : undefined
        return {
          ...each,
          id: `e${n}`,
          body: body === undefined ? each.body : { ...body, id: `o${n}`, traceId: `t${n}` }
        }
      })
      const { losses, observations, outcomes, scores, stats, traces, warnings } = yield* held(to, enqueue(junk))
      assert.deepStrictEqual(losses, [])
      assert.strictEqual(stats.pending + stats.dropped, 0)
      assert.strictEqual(stats.offered, junk.length)
      if (stats.rejected + stats.failed > 0) assert.isAbove(warnings.length, 0)
      const stored = new Set([...observations, ...traces, ...scores].map((each) => each.id))
      const isUnseen = (n: number) => !stored.has(`o${n}`) && !stored.has(spanIdFor(`o${n}`)) && !isTrace(n)
      const isTrace = (n: number) =>
        traces.some(({ metadata, id }) => id === `o${n}` || metadata["originalTraceId"] === `o${n}`)
      const lost = junk.flatMap(({ id, type }, n) =>
        outcomes.get(id) === "delivered" && type !== "sdk-log" && isUnseen(n) ? [`${type} ${id}`] : []
      )
      assert.deepStrictEqual(lost, [])
    }))
})
