/**
 * The same events through the batch endpoint into a v3 server and through OTLP into a v4 server: what both hold is the
 * same, except where the protocol or the server forces a difference. Those differences are the table below, all of them.
 */
import { assert, describe, it } from "@effect/vitest"
import type { Array as Arr } from "effect"
import { Effect, FastCheck as fc, Layer } from "effect"
import type { DeliveryReport, IngestionEvent, LangfuseServer } from "effect-langfuse"
import { LangfuseTransport } from "effect-langfuse"
import { keys } from "../utils/ingest.js"
import * as Memory from "../utils/memory.js"
import { event, spanIdFor, time, traceIdFor } from "../utils/otlp.js"
import { runs } from "../utils/properties.js"

type Json = { readonly [key: string]: unknown }

interface Observation extends LangfuseServer.StoredObservation {
  readonly metadata: Json
}

/** What the other server holds, to explain a difference with. */
interface Held {
  readonly v3: Observation
  readonly v4: Observation
  /** The trace as v3 holds it, where anything was ever said of it. */
  readonly trace: LangfuseServer.StoredTrace | undefined
  /** All that its trace-creates ever said. */
  readonly said: ReadonlyArray<{ readonly version?: string | undefined; readonly environment?: string | undefined }>
  readonly isForeign: (id: string) => boolean
}

interface Difference {
  readonly field: string
  readonly why: string
  /** Makes both alike where the difference is the one described, and leaves them alone where it is not. */
  readonly settle: (held: Held) => readonly [v3: object, v4: object]
}

const isSpanId = (id: string) => /^[0-9a-f]{16}$/.test(id)
const isTraceId = (id: string) => /^[0-9a-f]{32}$/.test(id)
const spanId = (id: string | undefined) => id === undefined || isSpanId(id) ? id : spanIdFor(id)
const traceId = (id: string) => isTraceId(id) ? id : traceIdFor(id)

const without = (json: Json, isUnwanted: (key: string) => boolean): Json =>
  Object.fromEntries(Object.entries(json).filter(([key]) => !isUnwanted(key)))

const asText = (value: unknown) =>
  typeof value === "number" || typeof value === "string" ? value : JSON.stringify(value)

/** All fields of an observation that one protocol carries and the other cannot, or not in the same way. */
const differences: ReadonlyArray<Difference> = [
  {
    field: "table",
    why: "v4 has one table of its own for everything",
    settle: () => [{ table: "" }, { table: "" }]
  },
  {
    field: "id, traceId, parentObservationId",
    why: "ids of OpenTelemetry are 16 and 8 bytes: others become a digest, and the originals go into the metadata",
    settle: ({ v3, v4 }) => [{
      id: spanId(v3.id),
      traceId: traceId(v3.traceId),
      parentObservationId: spanId(v3.parentObservationId)
    }, {
      metadata: without(v4.metadata, (key) => key.startsWith("original"))
    }]
  },
  {
    field: "parentObservationId",
    why: "where the trace is a span of its own, that is the parent of all roots",
    settle: ({ v3, v4 }) =>
      v3.parentObservationId === undefined && v4.parentObservationId === spanIdFor(`root of ${v4.traceId}`)
        ? [{}, { parentObservationId: undefined }]
        : [{}, {}]
  },
  {
    field: "traceId",
    why:
      "v3 makes up a trace for an observation whose first event names none; over OTLP the first that is named counts",
    settle: ({ isForeign, v3 }) => isForeign(v3.traceId) ? [{ traceId: "" }, { traceId: "" }] : [{}, {}]
  },
  {
    field: "endTime",
    why: "a span cannot be without an end: that of a point in time, or of something unfinished, is its start",
    settle: ({ v3, v4 }) =>
      v3.endTime === undefined && v4.endTime === v4.startTime ? [{ endTime: v4.endTime }, {}] : [{}, {}]
  },
  {
    field: "level, statusMessage",
    why: "what did not end, or was only updated, is a warning that says so",
    settle: ({ v3, v4 }) => {
      const note = /(?:^| \()(?:never ended|never created, only updated): sent as it was when the exporter closed\)?$/
      if (v4.statusMessage === undefined || !note.test(v4.statusMessage)) return [{}, {}]
      const statusMessage = v4.statusMessage.replace(note, "") || undefined
      return [{}, {
        statusMessage,
        level: v3.level === "ERROR" ? v4.level : v4.level === "WARNING" ? v3.level : v4.level
      }]
    }
  },
  {
    field: "modelParameters",
    why: "v4 keeps a text of any parameter that is neither a text nor a number, and would make the text null of null",
    settle: ({ v3 }) => [{
      modelParameters: v3.modelParameters && Object.keys(v3.modelParameters).length > 0
        ? Object.fromEntries(
          Object.entries(v3.modelParameters).flatMap(([key, value]) => value === null ? [] : [[key, asText(value)]])
        )
        : undefined
    }, {}]
  },
  {
    field: "costDetails, totalCost",
    why: "v4 checks no costs and adds none up: they are sent with their total, which v3 has of input and output only",
    settle: ({ v3 }) => {
      const costs = Object.values(v3.costDetails).map(Number)
      if (costs.length === 0) return [{}, {}]
      const total = v3.costDetails["total"] ?? costs.reduce((sum, cost) => sum + cost, 0)
      return [{ costDetails: { ...v3.costDetails, total }, totalCost: total }, {}]
    }
  },
  {
    field: "promptName, promptVersion",
    why: "v4 links a prompt to generations only",
    settle: ({ v3 }) => v3.type === "GENERATION" ? [{}, {}] : [{ promptName: undefined, promptVersion: undefined }, {}]
  },
  {
    field: "metadata",
    why: "v4 adds what it knows of the SDK, and has the metadata of the trace on every span",
    settle: ({ trace, v3, v4 }) => [{}, {
      metadata: without(
        v4.metadata,
        (key) =>
          /^(resourceAttributes|scope|original)/.test(key) || (!(key in v3.metadata) && key in (trace?.metadata ?? {}))
      )
    }]
  },
  {
    field: "input, output",
    why: "the root shows those of the trace, which has none of its own",
    settle: ({ trace, v3, v4 }) => {
      const isRoot = v4.parentObservationId === undefined
      const takes = isRoot && v3.input === undefined && v3.output === undefined &&
        JSON.stringify([trace?.input, trace?.output]) === JSON.stringify([v4.input, v4.output])
      return takes ? [{}, { input: undefined, output: undefined }] : [{}, {}]
    }
  },
  {
    field: "environment, version",
    why:
      "on a span those of observation and trace are one: the trace's, when it was sent, fill in for the observation's",
    settle: ({ said, v3, v4 }) => [{
      version: v3.version ?? said.find(({ version }) => version === v4.version)?.version,
      environment: v3.environment === "default" && said.some(({ environment }) => environment === v4.environment)
        ? v4.environment
        : v3.environment
    }, {}]
  },
  {
    field: "userId, sessionId, tags, traceName, release, public, isAppRoot",
    why: "v3 keeps them with the trace, v4 on every span",
    settle: () => {
      const nothing = {
        userId: undefined,
        sessionId: undefined,
        tags: [],
        traceName: undefined,
        release: undefined,
        public: false,
        isAppRoot: false
      }
      return [nothing, nothing]
    }
  }
]

interface HeldTrace {
  readonly v3: LangfuseServer.StoredTrace
  readonly v4: LangfuseServer.StoredTrace
}

interface TraceDifference {
  readonly field: string
  readonly why: string
  readonly settle: (held: HeldTrace) => readonly [v3: object, v4: object]
}

const isRoot = (observation: LangfuseServer.StoredObservation) => observation.parentObservationId === undefined

/** What v3 has nothing of is as on v4. */
const unlessGiven =
  <K extends keyof LangfuseServer.StoredTrace>(...fields: ReadonlyArray<K>) => ({ v3, v4 }: HeldTrace) =>
    [Object.fromEntries(fields.map((field) => [field, v3[field] ?? v4[field]])), {}] as const

/** The same for traces, which v4 puts together from their spans. */
const traceDifferences: ReadonlyArray<TraceDifference> = [
  {
    field: "id",
    why: "an id that is none of OpenTelemetry becomes a digest",
    settle: ({ v3 }) => [{ id: traceId(v3.id) }, {}]
  },
  {
    field: "observations",
    why: "one more on v4 where the trace is a span of its own; the others are compared one by one",
    settle: () => [{ observations: [] }, { observations: [] }]
  },
  {
    field: "scores",
    why: "they follow the ids, and keep the originals in their metadata",
    settle: ({ v3, v4 }) => [{
      scores: v3.scores.map((score) => ({
        ...score,
        traceId: score.traceId && traceId(score.traceId),
        observationId: spanId(score.observationId)
      }))
    }, {
      scores: v4.scores.map((score) => ({
        ...score,
        metadata: without(score.metadata, (key) => key.startsWith("original"))
      }))
    }]
  },
  {
    field: "timestamp",
    why: "on v4 the start of the first span",
    settle: ({ v4 }) => [{ timestamp: v4.observations.map(({ startTime }) => startTime).sort()[0] }, {}]
  },
  {
    field: "totalCost",
    why: "follows the costs of the observations",
    settle: ({ v4 }) => {
      const costs = v4.observations.flatMap(({ totalCost }) => totalCost ?? [])
      return [{ totalCost: costs.length === 0 ? undefined : costs.reduce((sum, cost) => sum + cost, 0) }, {}]
    }
  },
  {
    field: "name",
    why: "on v4 that of the root when none was given",
    settle: unlessGiven("name")
  },
  {
    field: "name, userId, sessionId, release",
    why: "on v4 the last that was not empty: they cannot be cleared",
    settle: unlessGiven("name", "userId", "sessionId", "release")
  },
  {
    field: "public",
    why: "on v4 a trace that was public stays so",
    settle: ({ v3, v4 }) => [{ public: v3.public || v4.public }, {}]
  },
  {
    field: "version, environment",
    why: "on v4 the last of any of the spans, observations' own included",
    settle: ({ v4 }) => {
      const isOfSpan = (field: "version" | "environment") => v4.observations.some((each) => each[field] === v4[field])
      return [{
        ...(isOfSpan("version") ? { version: v4.version } : {}),
        ...(isOfSpan("environment") ? { environment: v4.environment } : {})
      }, {}]
    }
  },
  {
    field: "input, output",
    why: "on v4 those of the root when none were given",
    settle: unlessGiven("input", "output")
  },
  {
    field: "metadata",
    why: "on v4 that of the root, its own keys first and more of them; none while every observation has a parent",
    settle: ({ v3, v4 }) => {
      if (!v4.observations.some(isRoot)) return [{ metadata: {} }, {}]
      const own = new Set(v3.observations.filter(isRoot).flatMap(({ metadata }) => Object.keys(metadata)))
      const isOfTrace = (key: string) => key in v3.metadata && !own.has(key)
      const only = (metadata: Json) => without(metadata, (key) => !isOfTrace(key))
      return [{ metadata: only(v3.metadata) }, { metadata: only(v4.metadata) }]
    }
  }
]

// -------------------------------------------------------------------------------------
// events
// -------------------------------------------------------------------------------------

const optional = <A>(arbitrary: fc.Arbitrary<A>) => fc.option(arbitrary, { nil: undefined, freq: 2 })

const json = fc.oneof(
  fc.constantFrom<unknown>("text", "", "{\"text\":1}", 0, 7, true, false, null, [], {}, [{
    role: "user",
    content: "Why?"
  }]),
  fc.record({ a: fc.nat(3), b: fc.constantFrom("x", "y") })
)

const metadata = fc.oneof(
  fc.dictionary(
    fc.constantFrom("a", "b", "c"),
    fc.oneof(fc.nat(3), fc.constantFrom("x", null, ["l"]), fc.record({ d: fc.nat(2) }))
  ),
  fc.constantFrom<unknown>("text", [1, 2])
)

const observationTypes = [
  "span",
  "generation",
  "event",
  "agent",
  "tool",
  "chain",
  "retriever",
  "evaluator",
  "embedding",
  "guardrail"
] as const

const seconds = fc.nat({ max: 50 }).map((n) => time(n * 100))

const base = {
  name: optional(fc.constantFrom("n", "m", null)),
  level: optional(fc.constantFrom("DEBUG", "DEFAULT", "WARNING", "ERROR", null)),
  statusMessage: optional(fc.constantFrom("s", null)),
  version: optional(fc.constantFrom("v1", "v2")),
  environment: optional(fc.constantFrom("prod", "dev")),
  input: optional(json),
  output: optional(json),
  metadata: optional(metadata)
}

const call = {
  ...base,
  completionStartTime: optional(seconds),
  model: optional(fc.constantFrom("gpt", null)),
  modelParameters: optional(fc.constantFrom({ t: 0.5 }, { stop: ["a"], json: true, top_k: null }, {})),
  usage: optional(fc.constantFrom({ input: 1, output: 2, totalCost: 0.5 }, { promptTokens: 3 })),
  usageDetails: optional(fc.constantFrom<object>(
    { input: 1, output: 2 },
    { input: 1, cached: 5, total: 6 },
    { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, prompt_tokens_details: { cached_tokens: 4 } },
    { input: 1.5 }
  )),
  costDetails: optional(
    fc.constantFrom<object>({ input: 0.5, output: 0.25 }, { input: 1, cache: 2 }, { total: 3 }, {})
  ),
  prompt: optional(fc.constant({ promptName: "p", promptVersion: 2 }))
}

/** Which of the ids there are: hex of the right length, and others. */
const observationIds = [
  "00000000000000a1",
  "4c8a0f7e-5b53-4c0e-9a7e-000000000002",
  "Three",
  "00000000000000a4"
] as const
const traceIds = ["0123456789abcdef0123456789abcdef", "my trace"] as const

const flat = <A extends { readonly prompt?: object | undefined }>({ prompt, ...body }: A) => ({ ...body, ...prompt })

const defined = (body: object) => Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))

const observation = fc.record({
  type: fc.constantFrom(...observationTypes),
  trace: fc.constantFrom(...traceIds),
  parent: fc.option(fc.constantFrom(...observationIds, "never comes"), { nil: undefined, freq: 1 }),
  create: fc.record({ startTime: optional(seconds), endTime: optional(seconds), ...call }).map(flat),
  updates: fc.array(
    fc.record({
      asSpan: fc.boolean(),
      namesTrace: fc.boolean(),
      body: fc.record({ endTime: fc.option(seconds, { nil: undefined, freq: 4 }), ...call }).map(flat)
    }),
    { maxLength: 3 }
  )
})

const traceCreate = fc.record({
  trace: fc.constantFrom(...traceIds),
  body: fc.record({
    timestamp: optional(seconds),
    name: optional(fc.constantFrom("t", "u", null)),
    userId: optional(fc.constantFrom("ada", "bob", null)),
    sessionId: optional(fc.constantFrom("s1", "s2")),
    release: optional(fc.constantFrom("r1", "r2")),
    version: optional(fc.constantFrom("v8", "v9")),
    environment: optional(fc.constantFrom("prod", "dev")),
    public: optional(fc.boolean()),
    tags: optional(fc.subarray(["a", "b", "c"])),
    metadata: optional(fc.dictionary(fc.constantFrom("a", "t1", "t2"), fc.oneof(fc.nat(3), fc.constant({ e: 1 })))),
    input: optional(json),
    output: optional(json)
  })
})

const scenario = fc.record({
  observations: fc.array(observation, { minLength: 1, maxLength: observationIds.length }),
  traces: fc.array(traceCreate, { maxLength: 4 }),
  scores: fc.array(
    fc.record({ observation: optional(fc.constantFrom(...observationIds)), trace: fc.constantFrom(...traceIds) }),
    {
      maxLength: 2
    }
  ),
  order: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 24, maxLength: 24 }),
  cuts: fc.array(fc.boolean(), { minLength: 24, maxLength: 24 })
})

type Scenario = typeof scenario extends fc.Arbitrary<infer A> ? A : never

/** The events in any order and any batches; their timestamps are those of the order in which they came about. */
const batchesOf = (one: Scenario): ReadonlyArray<Arr.NonEmptyReadonlyArray<IngestionEvent.IngestionEvent>> => {
  let at = 0
  const make = (type: string, body: object) => event(type, defined(body), { id: `event ${at}`, at: at++ * 10 })
  const events = [
    ...one.observations.flatMap(({ create, parent, trace, type, updates }, index) => {
      const id = observationIds[index]
      const parentObservationId = parent === id ? undefined : parent
      return [
        make(`${type}-create`, { id, traceId: trace, parentObservationId, ...create }),
        ...updates.map(({ asSpan, body, namesTrace }) =>
          make(
            asSpan ? "span-update" : type === "generation" || type === "span" ? `${type}-update` : `${type}-create`,
            {
              id,
              traceId: namesTrace ? trace : undefined,
              ...body
            }
          )
        )
      ]
    }),
    ...one.traces.map(({ body, trace }) => make("trace-create", { id: trace, ...body })),
    ...one.scores.map(({ observation, trace }, index) =>
      make("score-create", { id: `score ${index}`, name: "s", value: 1, traceId: trace, observationId: observation })
    )
  ]
  const shuffled = events
    .map((each, index) => ({ each, key: one.order[index] ?? 0 }))
    .sort((a, b) => a.key - b.key)
    .map(({ each }) => each)
  const batches: Array<Arr.NonEmptyArray<IngestionEvent.IngestionEvent>> = []
  shuffled.forEach((each, index) => {
    const current = batches[batches.length - 1]
    if (current === undefined || one.cuts[index] === true) batches.push([each])
    else current.push(each)
  })
  return batches
}

// -------------------------------------------------------------------------------------
// both ways
// -------------------------------------------------------------------------------------

const send = (
  protocol: "ingestion" | "otlp",
  version: string,
  batches: ReadonlyArray<Arr.NonEmptyReadonlyArray<IngestionEvent.IngestionEvent>>
) =>
  Effect.gen(function*() {
    const memory = yield* Memory.make({ ...keys, version })
    const transport = yield* Memory.build(
      LangfuseTransport.LangfuseTransport,
      LangfuseTransport.layerProtocol(protocol, { ...keys, baseUrl: memory.server.url }).pipe(
        Layer.provide(memory.layer)
      )
    )
    const reports: Array<DeliveryReport.DeliveryReport> = []
    for (const batch of batches) reports.push(yield* transport.send(batch))
    reports.push(yield* transport.drain)
    const outcome = (kind: keyof DeliveryReport.DeliveryReport) =>
      reports.flatMap((report) => report[kind].map((each) => "event" in each ? each.event.id : each.id)).sort()
    return {
      outcomes: { delivered: outcome("delivered"), rejected: outcome("rejected"), failed: outcome("failed") },
      observations: yield* memory.server.observations,
      traces: yield* memory.server.traces,
      scores: yield* memory.server.scores,
      losses: yield* memory.server.losses
    }
  })

/** Field by field, so that a failure says which. */
const compare = (v3: object, v4: object): void => {
  const fields = Object.keys({ ...v3, ...v4 }).flatMap((field) => {
    const [left, right] = [Reflect.get(v3, field), Reflect.get(v4, field)].map((value) => JSON.stringify(value))
    return left === right ? [] : [`${field}: ${left} on v3, ${right} on v4`]
  })
  assert.deepStrictEqual(fields, [])
}

const compareObservation = (held: Held): void => {
  let { v3, v4 } = held
  for (const { settle } of differences) {
    const [ofV3, ofV4] = settle({ ...held, v3, v4 })
    v3 = { ...v3, ...ofV3 }
    v4 = { ...v4, ...ofV4 }
  }
  compare(sorted(v3), sorted(v4))
}

const compareTrace = (held: HeldTrace): void => {
  let v3: object = held.v3
  let v4: object = held.v4
  for (const { settle } of traceDifferences) {
    const [ofV3, ofV4] = settle(held)
    v3 = { ...v3, ...ofV3 }
    v4 = { ...v4, ...ofV4 }
  }
  compare(sorted(v3), sorted(v4))
}

/** Keys have no order that means anything. */
const sorted = (value: unknown): object => {
  const visit = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(visit)
      : typeof value === "object" && value !== null
      ? Object.fromEntries(
        Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([key, each]) => [key, visit(each)])
      )
      : value
  return Object(visit(value))
}

describe("a v3 server over the batch endpoint and a v4 server over OTLP", () => {
  it.effect.prop(
    "hold the same observations, fields, tree, traces and scores, whatever the interleaving",
    { scenario },
    ({ scenario }) =>
      Effect.scoped(Effect.gen(function*() {
        const batches = batchesOf(scenario)
        const v3 = yield* send("ingestion", "3.160.0", batches)
        const v4 = yield* send("otlp", "4.16.0", batches)
        assert.deepStrictEqual(v4.outcomes, v3.outcomes)
        assert.deepStrictEqual(v4.losses, [])

        const roots = new Set(traceIds.map((each) => spanIdFor(`root of ${traceId(each)}`)))
        const own = v4.observations.filter((each) => !roots.has(each.id))
        assert.deepStrictEqual(
          own.map((each) => each.id).sort(),
          v3.observations.map((each) => spanId(each.id)).sort()
        )
        for (const ofV3 of v3.observations) {
          const ofV4 = own.find((each) => each.id === spanId(ofV3.id))
          if (ofV4 === undefined) return assert.fail(`${ofV3.id} is not there`)
          compareObservation({
            v3: ofV3,
            v4: ofV4,
            trace: v3.traces.find((each) => traceId(each.id) === ofV4.traceId),
            said: scenario.traces.map(({ body }) => body),
            isForeign: (id) => !traceIds.some((each) => each === id)
          })
        }
        // Where v3 made a trace up, the one that was named has an observation less.
        const isMadeUp = v3.observations.some((each) => !traceIds.some((id) => id === each.traceId))
        for (const ofV3 of isMadeUp ? [] : v3.traces) {
          const ofV4 = v4.traces.find((each) => each.id === traceId(ofV3.id))
          if (ofV4 === undefined) return assert.fail(`the trace ${ofV3.id} is not there`)
          compareTrace({ v3: ofV3, v4: ofV4 })
        }
      })),
    runs(30)
  )
})
