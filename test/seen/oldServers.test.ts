/**
 * Servers that do not know all types, environments or details: 3.95.0 and 2.95.12, whose answers are in
 * test/recorded/old-servers.ndjson.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { StoredObservation } from "effect-langfuse/LangfuseServer"
import { readCases } from "../recorded/cases.js"
import { event, spanIdFor, time } from "../utils/otlp.js"
import { enqueue, held, type To } from "../utils/seen.js"

const types = ["agent", "tool", "chain", "retriever", "evaluator", "embedding", "guardrail"] as const
const known = ["span", "generation", "event"] as const
const traceId = "0123456789abcdef0123456789abcdef"

const idOf = (n: number) => (n + 1).toString(16).padStart(16, "0")

const call = {
  model: "m",
  modelParameters: { temperature: 0.5 },
  usageDetails: { input: 3, input_cached_tokens: 2, output: 1 },
  costDetails: { input: 0.5, output: 0.25 }
}

/** One of each type below an agent, each updated once, and a score. */
const program = [
  [
    event("trace-create", { id: traceId, name: "t", environment: "staging" }),
    ...[...types, ...known].map((type, n) =>
      event(`${type}-create`, {
        id: idOf(n),
        traceId,
        ...(n === 0 ? {} : { parentObservationId: idOf(0) }),
        name: type,
        startTime: time(n),
        environment: "staging",
        ...(type === "span" || type === "event" ? {} : call)
      })
    )
  ],
  [
    ...types.map((type, n) => event(`${type}-create`, { id: idOf(n), traceId, endTime: time(100), output: type })),
    event("span-update", { id: idOf(7), traceId, endTime: time(100) }),
    event("generation-update", { id: idOf(8), traceId, endTime: time(100) }),
    event("score-create", { id: "s", traceId, observationId: idOf(0), name: "good", value: 1 })
  ]
]

interface Server {
  readonly title: string
  readonly to: To
  readonly hasDetails: boolean
}

const servers: ReadonlyArray<Server> = [
  { title: "3.95.0, auto", to: { version: "3.95.0" }, hasDetails: true },
  { title: "3.95.0, ingestion", to: { version: "3.95.0", protocol: "ingestion" }, hasDetails: true },
  { title: "3.95.0, otlp", to: { version: "3.95.0", protocol: "otlp" }, hasDetails: true },
  { title: "2.95.12, auto", to: { version: "2.95.12" }, hasDetails: false },
  { title: "2.95.12, ingestion", to: { version: "2.95.12", protocol: "ingestion" }, hasDetails: false }
]

describe.each(servers)("all types on $title", ({ hasDetails, to }) => {
  it.effect("arrive, with the type in the metadata", () =>
    Effect.gen(function*() {
      const { losses, observations, outcomes, scores, warnings } = yield* held(to, enqueue(...program))
      assert.deepStrictEqual([...outcomes].filter(([, outcome]) => outcome !== "delivered"), [])
      assert.deepStrictEqual(losses, [])
      assert.deepStrictEqual(warnings, [])
      assert.strictEqual(scores.length, 1)
      const named = (name: string): StoredObservation => {
        const found = observations.find((each) => each.name === name)
        assert.isDefined(found, name)
        return found
      }
      for (const type of types) {
        const row = named(type)
        const isCall = type === "embedding"
        assert.strictEqual(row.type, isCall || (to.protocol === "otlp" && row.model === "m") ? "GENERATION" : "SPAN")
        assert.strictEqual(row.metadata["observationType"], type)
        assert.strictEqual(row.parentObservationId, type === "agent" ? rootOf(to) : idOf(0))
        assert.strictEqual(row.output, type)
        assert.isDefined(row.endTime)
        // What a span of such a server does not have.
        if (row.type === "SPAN") {
          assert.deepInclude(row.metadata, { model: "m", modelParameters: call.modelParameters })
          assert.deepInclude(row.metadata["usageDetails"], call.usageDetails)
          assert.deepInclude(row.metadata["costDetails"], call.costDetails)
        }
      }
      for (const type of ["generation", "embedding"]) {
        const row = named(type)
        assert.strictEqual(row.model, "m")
        assert.strictEqual(row.totalCost, 0.75)
        assert.strictEqual(row.usageDetails["total"], 6)
        assert.strictEqual(row.usageDetails["input"], hasDetails ? 3 : 5)
        if (!hasDetails) assert.deepInclude(row.metadata["usageDetails"], call.usageDetails)
      }
      for (const type of known) assert.notProperty(named(type).metadata, "observationType")
      for (const row of observations) {
        const environment = hasDetails ? row.environment : row.metadata["environment"]
        assert.strictEqual(environment, "staging")
      }
    }))
})

/** Over OTLP, the span of the trace is above the others. */
const rootOf = (to: To): string | undefined => to.protocol === "otlp" ? spanIdFor(`root of ${traceId}`) : undefined

describe("recorded answers of old servers", () => {
  const agents = readCases("old-servers").filter(({ name }) => /^type-(?:agent|tool)-create/.test(name))

  it("refuse the types that are sent as spans", () => {
    assert.strictEqual(agents.length, 4)
    for (const { answer } of agents) assert.nestedProperty(answer.body, "errors[0].status")
  })

  it.effect.each(agents)("are not given for what is sent of $name", (one) =>
    Effect.gen(function*() {
      const { body } = one.request
      const { batch } = body as { readonly batch: ReadonlyArray<unknown> }
      const { outcomes } = yield* held({ version: one.server.slice(1) }, enqueue(batch))
      assert.deepStrictEqual([...outcomes.values()], ["delivered"])
    }))

  it.effect("lose nothing of an agent among others", () =>
    Effect.gen(function*() {
      const one = readCases("old-servers").find(({ name }) => name === "one-agent-among-others")
      const { batch } = one?.request.body as { readonly batch: ReadonlyArray<unknown> }
      const { observations, outcomes } = yield* held({ version: "3.95.0" }, enqueue(batch))
      assert.deepStrictEqual([...outcomes.values()], ["delivered", "delivered", "delivered", "delivered"])
      assert.sameMembers(observations.map(({ id }) => id), ["a", "g", "to"])
    }))

  it.effect("an OpenTelemetry endpoint that is not there fails with a warning that says what to do", () =>
    Effect.gen(function*() {
      const { outcomes, warnings } = yield* held({ version: "2.95.12", protocol: "otlp" }, enqueue(...program))
      assert.isTrue([...outcomes].some(([, outcome]) => outcome === "failed"))
      assert.match(warnings.join("\n"), /404/)
    }))
})
