/** Arbitrary programs of events: observations that are created and updated, traces and scores, in any order and batches. */
import { FastCheck as fc } from "effect"
import { event, time } from "../../utils/otlp.js"

export interface Event {
  readonly id: string
  readonly type: string
  readonly timestamp: string
  readonly body: { readonly id?: unknown; readonly startTime?: unknown }
}

const optional = <A>(arbitrary: fc.Arbitrary<A>) => fc.option(arbitrary, { nil: undefined, freq: 2 })

const content = fc.oneof(
  fc.constantFrom<unknown>(
    "text",
    "",
    "{\"text\":1}",
    "null",
    "half \ud83d",
    "00.10",
    0,
    7,
    -0.5,
    true,
    false,
    null,
    [],
    {},
    [{ role: "user", content: "Why?" }],
    { tools: [{ type: "function", function: { name: "f", parameters: {} } }], messages: [] }
  ),
  fc.record({ a: fc.nat(3), b: fc.constantFrom("x", "é\u2028") })
)

const value = fc.oneof(
  fc.nat(3),
  fc.constantFrom<unknown>("x", "", "[1]", false, null, ["l"], ["l", { m: 1 }], {}),
  fc.record({ d: fc.nat(2) }),
  fc.record({ e: fc.array(fc.nat(2), { maxLength: 2 }) })
)

const metadata = fc.oneof(
  { weight: 5, arbitrary: fc.dictionary(fc.constantFrom("a", "b", "c.d", "", "langfuse"), value) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>("text", "", [1, 2], [3], 0, false, null) }
)

/** Within five seconds, with whatever zone and fraction. */
const seconds = fc.oneof(
  fc.nat({ max: 50 }).map((n) => time(n * 100)),
  fc.constantFrom("2026-11-23T13:00:01.123456789+01:00", "2026-11-23T12:00:02Z", "2026-11-23T12:00Z")
)

const environment = fc.constantFrom("prod", "dev", "Prod", "langfuse-x", "not one", null)

const base = {
  name: optional(fc.constantFrom("n", "m", "", null)),
  level: optional(fc.constantFrom("DEBUG", "DEFAULT", "WARNING", "ERROR", null)),
  statusMessage: optional(fc.constantFrom("s", "", null)),
  version: optional(fc.constantFrom("v1", "v2")),
  environment: optional(environment),
  input: optional(content),
  output: optional(content),
  metadata: optional(metadata)
}

const usage = fc.constantFrom<object | null>(
  { input: 1, output: 2 },
  { input: 1, cached: 5, total: 6 },
  { input: 0, output: 0, total: 0 },
  { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, prompt_tokens_details: { cached_tokens: 4 } },
  { inputTokens: 90, outputTokens: 6, totalTokens: 96, cachedInputTokens: 64 },
  { input: 1.5 },
  {},
  null
)

const call = {
  ...base,
  completionStartTime: optional(seconds),
  model: optional(fc.constantFrom("gpt", null)),
  modelParameters: optional(
    fc.constantFrom({ t: 0.5 }, { stop: ["a"], json: true, top_k: null }, { deep: { a: [1] } }, {})
  ),
  usage: optional(fc.constantFrom({ input: 1, output: 2, totalCost: 0.5 }, { promptTokens: 3, inputCost: 0.1 })),
  usageDetails: optional(usage),
  costDetails: optional(
    fc.constantFrom<object>({ input: 0.5, output: 0.25 }, { input: 1, cache: 2 }, { total: 3 }, { input: -1 }, {})
  ),
  prompt: optional(
    fc.constantFrom<object>({ promptName: "p", promptVersion: 2 }, { promptName: "q", promptVersion: 3 })
  )
}

const flat = <A extends { readonly prompt?: object | undefined }>({ prompt, ...body }: A): object => ({
  ...body,
  ...prompt
})

const types = ["span", "generation", "event", "agent", "tool", "chain", "retriever", "evaluator", "embedding"] as const

/** Ids of the right form, and others. */
const observationIds = [
  "00000000000000a1",
  "4c8a0f7e-5b53-4c0e-9a7e-000000000002",
  "Three",
  "00000000000000a4"
] as const

const traceIds = ["0123456789abcdef0123456789abcdef", "my trace"] as const

const place = fc.double({ min: 0, max: 1, noNaN: true })

const observation = fc.record({
  type: fc.constantFrom(...types, "guardrail"),
  trace: fc.constantFrom(...traceIds),
  parent: fc.option(fc.constantFrom(...observationIds, "never comes"), { nil: undefined, freq: 1 }),
  place,
  create: fc.record({ startTime: optional(seconds), endTime: optional(seconds), ...call }).map(flat),
  context: optional(fc.record({
    userId: optional(fc.constantFrom("ada", "bob")),
    sessionId: optional(fc.constantFrom("s1", "s2")),
    tags: optional(fc.subarray(["a", "b", "c"]))
  })),
  updates: fc.array(
    fc.record({
      asSpan: fc.boolean(),
      namesTrace: fc.boolean(),
      place,
      body: fc.record({
        startTime: optional(seconds),
        endTime: fc.option(seconds, { nil: undefined, freq: 4 }),
        ...call
      }).map(flat)
    }),
    { maxLength: 3 }
  )
})

const traceCreate = fc.record({
  trace: fc.constantFrom(...traceIds),
  place,
  body: fc.record({
    timestamp: optional(seconds),
    name: optional(fc.constantFrom("t", "u", "", null)),
    userId: optional(fc.constantFrom("ada", "bob", null)),
    sessionId: optional(fc.constantFrom("s1", "s2")),
    release: optional(fc.constantFrom("r1", "r2")),
    version: optional(fc.constantFrom("v8", "v9")),
    environment: optional(environment),
    public: optional(fc.boolean()),
    tags: optional(fc.subarray(["a", "b", "c"])),
    metadata: optional(metadata),
    input: optional(content),
    output: optional(content)
  })
})

const score = fc.record({
  observation: optional(fc.constantFrom(...observationIds)),
  trace: fc.constantFrom(...traceIds),
  place,
  value: fc.constantFrom<object>({ value: 0 }, { value: "good" }, { value: 1, dataType: "BOOLEAN" }),
  metadata: optional(metadata)
})

const defined = (body: object): object =>
  Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))

const typeOfUpdate = (type: string, asSpan: boolean): string =>
  asSpan || type === "span" ? "span-update" : type === "generation" ? "generation-update" : `${type}-create`

interface Placed {
  readonly place: number
  readonly make: (at: number) => Event
}

/** The events in the order in which they happen: nothing is updated before it is created. */
const placed = (
  observations: ReadonlyArray<typeof observation extends fc.Arbitrary<infer A> ? A : never>,
  traces: ReadonlyArray<typeof traceCreate extends fc.Arbitrary<infer A> ? A : never>,
  scores: ReadonlyArray<typeof score extends fc.Arbitrary<infer A> ? A : never>
): ReadonlyArray<Placed> => {
  const made = (place: number, type: string, body: object, trace?: object): Placed => ({
    place,
    make: (at) =>
      event(type, defined(body), { id: `event ${String(at).padStart(2, "0")}`, at: at * 10, ...(trace && { trace }) })
  })
  return [
    ...observations.flatMap(({ context, create, parent, place, trace, type, updates }, index) => {
      const id = observationIds[index]
      const parentObservationId = parent === id ? undefined : parent
      // Only whole observations, as the tracer's are, say something of their trace.
      const whole = context === undefined ? updates : []
      return [
        made(place, `${type}-create`, { id, traceId: trace, parentObservationId, ...create }, context),
        ...whole.map((update) =>
          made(Math.max(place, update.place), typeOfUpdate(type, update.asSpan), {
            id,
            traceId: update.namesTrace ? trace : undefined,
            ...update.body
          })
        )
      ]
    }),
    ...traces.map(({ body, place, trace }) => made(place, "trace-create", { id: trace, ...body })),
    ...scores.map(({ metadata, observation, place, trace, value }, index) =>
      made(place, "score-create", {
        id: `score ${index}`,
        name: "s",
        traceId: trace,
        observationId: observation,
        metadata,
        ...value
      })
    )
  ].sort((a, b) => a.place - b.place)
}

export const program: fc.Arbitrary<ReadonlyArray<ReadonlyArray<Event>>> = fc.record({
  observations: fc.array(observation, { minLength: 1, maxLength: observationIds.length }),
  traces: fc.array(traceCreate, { maxLength: 3 }),
  scores: fc.array(score, { maxLength: 2 }),
  cuts: fc.array(fc.boolean(), { minLength: 24, maxLength: 24 })
}).map(({ cuts, observations, scores, traces }) => {
  const batches: Array<Array<Event>> = []
  // Who writes the trace's events writes no contexts.
  const said = traces.length === 0 ? observations : observations.map((each) => ({ ...each, context: undefined }))
  placed(said, traces, scores).forEach(({ make }, index) => {
    const current = batches[batches.length - 1]
    if (current === undefined || cuts[index] === true) batches.push([make(index)])
    else current.push(make(index))
  })
  return batches
})
