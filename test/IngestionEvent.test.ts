import { assert, describe, it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as IngestionEvent from "effect-langfuse/IngestionEvent"
import { InvalidEventError } from "effect-langfuse/LangfuseError"
import * as Arbitrary from "effect/Arbitrary"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import * as TestClock from "effect/TestClock"
import { fromEvent } from "../src/core/item/fromEvent.js"
import * as RandomIds from "../src/internal/ids.js"
import * as Schemas from "../src/internal/schemas.js"
import * as Events from "./core/item/support/events.js"
import { open } from "./core/item/support/policy.js"
import { fixed } from "./core/wire/support/items.js"
import { runs } from "./utils/properties.js"

// ---------------------------------------------------------------------------------------------------------------------
// helpers
// ---------------------------------------------------------------------------------------------------------------------

const nowText = "2026-01-31T12:00:00.000Z"
const now = Date.parse(nowText)

/** Ids that count: `trace-1`, `observation-1`, `event-1`, … */
const counting = (): IngestionEvent.Ids => {
  const counts = { trace: 0, observation: 0, event: 0 }
  const next = (kind: keyof typeof counts) => () => `${kind}-${++counts[kind]}`
  return { unsafeTraceId: next("trace"), unsafeObservationId: next("observation"), unsafeEventId: next("event") }
}

const clockAtNow: Clock.Clock = Object.assign(Clock.make(), { unsafeCurrentTimeMillis: () => now })

const reproducible = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.provideService(Effect.withClock(effect, clockAtNow), IngestionEvent.IdGenerator, counting())

/** What a caller in JavaScript, or one with a value of type `any`, can pass. */
const untyped = (value: unknown): never => value as never

/** The broken rules. An event that is made after all fails the test. */
const issuesOf = (make: () => unknown): ReadonlyArray<string> => {
  try {
    make()
  } catch (error) {
    assert.instanceOf(error, InvalidEventError)
    return error.issues
  }
  return assert.fail("nothing was refused")
}

const onlyIssueOf = (make: () => unknown): string => {
  const issues = issuesOf(make)
  strictEqual(issues.length, 1, issues.join("\n"))
  return issues[0] ?? ""
}

const decode = Schema.decodeUnknownEither(IngestionEvent.IngestionEvent)

const accepts = (value: unknown): boolean => Either.isRight(decode(value))

const envelope = (type: string, body: unknown) => ({ type, id: "e", timestamp: nowText, body })

const json = <A>(value: A): A => JSON.parse(JSON.stringify(value))

const {
  unsafeAgentCreate,
  unsafeChainCreate,
  unsafeEmbeddingCreate,
  unsafeEvaluatorCreate,
  unsafeEventCreate,
  unsafeGenerationCreate,
  unsafeGenerationUpdate,
  unsafeGuardrailCreate,
  unsafeRetrieverCreate,
  unsafeScoreCreate,
  unsafeSdkLog,
  unsafeSpanCreate,
  unsafeSpanUpdate,
  unsafeToolCreate,
  unsafeTraceCreate
} = IngestionEvent

// ---------------------------------------------------------------------------------------------------------------------
// the schema
// ---------------------------------------------------------------------------------------------------------------------

describe("IngestionEvent schema", () => {
  const bodies: ReadonlyArray<readonly [type: string, body: unknown]> = [
    ["trace-create", { id: "t", name: "n", tags: ["a"], public: true, metadata: { k: [1] }, input: null }],
    ["span-create", { id: "o", traceId: "t", startTime: nowText, endTime: nowText, level: "DEBUG" }],
    ["span-update", { id: "o", endTime: nowText, statusMessage: "done" }],
    ["generation-create", { id: "o", model: "m", usageDetails: { input: 1 }, costDetails: { total: 0.5 } }],
    ["generation-update", { id: "o", usage: { promptTokens: 1, completionTokens: 2, totalTokens: 3 } }],
    ["event-create", { id: "o", parentObservationId: "p", version: "1" }],
    ["agent-create", { id: "o", completionStartTime: nowText }],
    ["tool-create", { id: "o", input: { command: "ls" }, output: "files" }],
    ["chain-create", { id: "o" }],
    ["retriever-create", { id: "o" }],
    ["evaluator-create", { id: "o" }],
    ["embedding-create", { id: "o", usage: { input: 3, unit: "CHARACTERS", totalCost: 0.1 } }],
    ["guardrail-create", { id: "o" }],
    ["score-create", { id: "s", name: "quality", value: 0.5, traceId: "t" }],
    ["sdk-log", { log: "text" }],
    ["observation-create", { id: "o", type: "GENERATION", modelParameters: { temperature: 1, stop: null } }],
    ["observation-update", { id: "o", type: "SPAN" }]
  ]

  for (const [type, body] of bodies) {
    it(`takes ${type} as it comes from JSON`, () => {
      const event = envelope(type, body)
      deepStrictEqual(Either.getOrThrow(decode(json(event))), event)
    })

    it(`takes ${type} with null wherever Langfuse takes null`, () => {
      const nullable = type === "trace-create"
        ? ["timestamp", "name", "externalId", "input", "output", "sessionId", "userId", "environment", "metadata"]
          .concat(["release", "version", "public", "tags"])
        : type === "score-create"
        ? ["observationId", "sessionId", "datasetRunId", "comment", "environment", "metadata", "configId", "queueId"]
          .concat(["executionTraceId"])
        : type === "sdk-log"
        ? ["id"]
        : ["traceId", "name", "startTime", "metadata", "input", "output", "level", "statusMessage", "version"]
          .concat(["parentObservationId"], type.startsWith("observation-") ? [] : ["environment"])
          .concat(type === "event-create" ? [] : ["endTime"])
          .concat(
            type === "event-create" || type.startsWith("span-")
              ? []
              : ["completionStartTime", "model", "modelParameters", "usage", "usageDetails", "costDetails"]
          )
      const nulls = Object.fromEntries(nullable.map((field) => [field, null]))
      const event = envelope(type, { ...(body as object), ...nulls })
      deepStrictEqual(Either.getOrThrow(decode(event)), event)
    })
  }

  it("has been tried with every type it takes", () => {
    const { ast } = IngestionEvent.IngestionEvent
    const members = AST.isUnion(ast) ? ast.types : []
    const types = members.flatMap(AST.getPropertySignatures).filter(({ name }) => name === "type").map(({ type }) =>
      type
    )
    deepStrictEqual(
      types.map((type) => AST.isLiteral(type) ? type.literal : undefined),
      bodies.map(([type]) => type)
    )
  })

  it("refuses types that Langfuse does not have or does not take from outside", () => {
    for (
      const type of ["trace-update", "event-update", "agent-update", "dataset-run-item-create", "", "TRACE-CREATE"]
    ) {
      assert.isFalse(accepts(envelope(type, { id: "o" })), type)
    }
    assert.isFalse(accepts({ id: "e", timestamp: nowText, body: { id: "o" } }))
    for (const value of [null, undefined, 1, "trace-create", [], {}]) assert.isFalse(accepts(value))
  })

  it("leaves out fields Langfuse does not know, as Langfuse does", () => {
    deepStrictEqual(
      Either.getOrThrow(decode({ ...envelope("event-create", { id: "o", endTime: nowText, color: 1 }), extra: true })),
      untyped(envelope("event-create", { id: "o" }))
    )
  })

  it("keeps what an event knows about its trace", () => {
    const event = { ...envelope("chain-create", { id: "o" }), trace: { userId: "ada", tags: ["a"], isAppRoot: true } }
    deepStrictEqual(Either.getOrThrow(decode(event)), untyped(event))
    assert.isFalse(accepts({ ...event, trace: { environment: "langfuse-x" } }))
  })

  it("demands the id without which Langfuse stores nothing", () => {
    for (const [type, body] of bodies) {
      if (type === "sdk-log") continue
      const { id: _, ...rest } = untyped(body) as { readonly id: string }
      assert.isFalse(accepts(envelope(type, rest)), type)
    }
  })

  it("leaves out a parameter, a count or a cost that would become a prototype", () => {
    const hostile: unknown = JSON.parse(`{
      "id": "o",
      "modelParameters": { "__proto__": { "a": "b" }, "inner": { "__proto__": "x", "c": "d" } },
      "usageDetails": { "__proto__": 1, "input": 2 },
      "costDetails": { "__proto__": 1, "total": 2 }
    }`)
    const decoded = Either.getOrThrow(decode(envelope("generation-create", hostile)))
    deepStrictEqual(
      decoded,
      untyped(envelope("generation-create", {
        id: "o",
        modelParameters: { inner: { c: "d" } },
        usageDetails: { input: 2 },
        costDetails: { total: 2 }
      }))
    )
  })

  it.prop(
    "an event of any kind is the same after a way through JSON",
    { event: IngestionEvent.IngestionEvent },
    ({ event }) => {
      const wire = json(event)
      deepStrictEqual(Either.getOrThrow(decode(wire)), wire)
    },
    fixed(100)
  )
})

describe("times on the wire", () => {
  const valid = [
    "2024-01-01T00:00:00Z",
    "2024-01-01T00:00:00.0Z",
    "2024-01-01T00:00:00.123456789Z",
    "2024-01-01T00:00:00+02:00",
    "2024-01-01T23:59:59.999-11:30",
    "2024-01-01T00:00Z",
    "2024-02-29T00:00:00Z",
    "2000-02-29T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2024-04-30T12:00:00-00:00"
  ]
  const invalid = [
    "2024-01-01T00:00:00",
    "2024-01-01T00:00:00+0200",
    "2024-01-01T00:00:00+02",
    "2024-01-01t00:00:00Z",
    "2024-01-01T00:00:00z",
    "2024-01-01 00:00:00Z",
    "2024-01-01",
    "2024-01-01T24:00:00Z",
    "2024-01-01T23:60:00Z",
    "2024-12-31T23:59:60Z",
    "2023-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2024-02-30T00:00:00Z",
    "2024-04-31T00:00:00Z",
    "2024-13-01T00:00:00Z",
    "2024-00-10T00:00:00Z",
    "2024-01-00T00:00:00Z",
    "2024-01-32T00:00:00Z",
    "+012024-01-01T00:00:00Z",
    "2024-01-01T00:00:00.Z",
    "2024-01-01T00:00:00+24:00",
    "2024-01-01T00:00:00Z ",
    "2024-01-01T00:00:00Z\n",
    "1704067200000",
    ""
  ]

  for (const text of valid) {
    it(`takes ${text}`, () => {
      assert.isTrue(accepts({ ...envelope("trace-create", { id: "t", timestamp: text }), timestamp: text }))
      assert.isTrue(accepts(unsafeSpanCreate({ startTime: text, endTime: text })))
    })
  }

  for (const text of invalid) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.isFalse(accepts({ ...envelope("trace-create", { id: "t" }), timestamp: text }))
      assert.isFalse(accepts(envelope("trace-create", { id: "t", timestamp: text })))
      const issue = "expected a date and time in ISO 8601 with a zone, such as 2026-01-31T12:00:00.000Z"
      strictEqual(onlyIssueOf(() => unsafeSpanUpdate({ id: "o", endTime: text })), `body.endTime: ${issue}`)
      strictEqual(onlyIssueOf(() => unsafeSpanUpdate({ id: "o" }, { timestamp: text })), `timestamp: ${issue}`)
    })
  }

  it("refuses numbers and whatever else is no text", () => {
    for (const value of [now, true, {}, []]) {
      assert.isFalse(accepts({ ...envelope("trace-create", { id: "t" }), timestamp: value }))
      issuesOf(() => unsafeSpanCreate({ startTime: untyped(value) }))
    }
  })

  it.prop("agrees with the engine's calendar on every day of every month", [
    FastCheck.integer({ min: 0, max: 9999 }),
    FastCheck.integer({ min: 0, max: 13 }),
    FastCheck.integer({ min: 0, max: 32 })
  ], ([year, month, day]) => {
    const text = `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`
    const date = new Date(`${text}T00:00:00.000Z`)
    // The engine rolls the 30th of February over instead of refusing it.
    const exists = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
    strictEqual(accepts(envelope("trace-create", { id: "t", timestamp: `${text}T00:00:00Z` })), exists)
  }, fixed(300))
})

// ---------------------------------------------------------------------------------------------------------------------
// the constructors
// ---------------------------------------------------------------------------------------------------------------------

describe("constructors", () => {
  it.effect("fill in ids and times from the clock and the id service", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(now)
      const [trace, generation] = yield* Effect.provideService(
        Effect.all([
          IngestionEvent.traceCreate({ name: "a trace" }),
          IngestionEvent.generationCreate({ traceId: "t", model: "m" })
        ]),
        IngestionEvent.IdGenerator,
        counting()
      )
      deepStrictEqual<unknown>(trace, {
        type: "trace-create",
        id: "event-1",
        timestamp: nowText,
        body: { id: "trace-1", timestamp: nowText, name: "a trace" }
      })
      deepStrictEqual<unknown>(generation, {
        type: "generation-create",
        id: "event-2",
        timestamp: nowText,
        body: { id: "observation-1", traceId: "t", startTime: nowText, model: "m" }
      })
    }))

  it("leave ids and times alone that are given", () => {
    const at = "2020-05-05T05:05:05.005+05:00"
    deepStrictEqual<unknown>(
      unsafeTraceCreate({ id: "mine", timestamp: at }, { id: "envelope", timestamp: at }),
      { type: "trace-create", id: "envelope", timestamp: at, body: { id: "mine", timestamp: at } }
    )
    strictEqual(unsafeSpanCreate({ id: "mine", startTime: at }).body.startTime, at)
  })

  it("fill in neither a start nor an id in an update", () => {
    deepStrictEqual<unknown>(unsafeSpanUpdate({ id: "o" }).body, { id: "o" })
    strictEqual(onlyIssueOf(() => unsafeSpanUpdate(untyped({}))), "body.id: is missing")
    strictEqual(onlyIssueOf(() => unsafeGenerationUpdate(untyped({ id: undefined }))), "body.id: is missing")
  })

  it("take null for absent where they fill something in", () => {
    const { body } = unsafeSpanCreate(untyped({ id: null, startTime: null }), { clock: clockAtNow, ids: counting() })
    deepStrictEqual<unknown>(body, { id: "observation-1", startTime: nowText })
  })

  it("let an observation that is already over start no later than it ended", () => {
    const options = { clock: clockAtNow }
    const early = "2026-01-31T11:59:00.000Z"
    strictEqual(unsafeToolCreate({ endTime: early }, options).body.startTime, early)
    strictEqual(
      unsafeToolCreate({ endTime: "2026-01-31T12:30:00+01:00" }, options).body.startTime,
      "2026-01-31T11:30:00.000Z"
    )
    strictEqual(unsafeToolCreate({ endTime: "2027-01-01T00:00:00Z" }, options).body.startTime, nowText)
  })

  it("take a Date, a DateTime in UTC or in a zone, and text for every time", () => {
    const zoned = DateTime.unsafeMakeZoned(now, { timeZone: "Asia/Tokyo" })
    for (const time of [new Date(now), DateTime.unsafeMake(now), zoned, nowText]) {
      strictEqual(unsafeTraceCreate({ timestamp: time }).body.timestamp, nowText)
      const event = unsafeGenerationCreate(
        { startTime: time, endTime: time, completionStartTime: time },
        { timestamp: time }
      )
      strictEqual(event.timestamp, nowText)
      strictEqual(event.body.startTime, nowText)
      strictEqual(event.body.endTime, nowText)
      strictEqual(event.body.completionStartTime, nowText)
    }
  })

  it("add the seconds newer servers insist on", () => {
    strictEqual(unsafeSpanCreate({ startTime: "2024-01-01T10:20Z" }).body.startTime, "2024-01-01T10:20:00Z")
    strictEqual(unsafeSpanCreate({ startTime: "2024-01-01T10:20+01:00" }).body.startTime, "2024-01-01T10:20:00+01:00")
  })

  it("refuse dates that are invalid or that Langfuse's texts cannot say", () => {
    for (const date of [new Date(NaN), new Date("+010000-01-01T00:00:00Z"), new Date("-000001-01-01T00:00:00Z")]) {
      assert.match(onlyIssueOf(() => unsafeSpanUpdate({ id: "o", endTime: date })), /^body\.endTime: expected a date/)
    }
  })

  it("drop what is undefined, in the body and in its maps", () => {
    const body = unsafeGenerationUpdate({
      id: "o",
      name: undefined,
      endTime: undefined,
      modelParameters: { temperature: undefined, top_p: 1 },
      usageDetails: { input: 1, output: undefined },
      costDetails: { input: undefined },
      usage: { input: 1, totalCost: undefined }
    }, { trace: undefined })
    assert.deepStrictEqual(Object.keys(body), ["type", "id", "timestamp", "body"])
    deepStrictEqual<unknown>(body.body, {
      id: "o",
      modelParameters: { top_p: 1 },
      usage: { input: 1 },
      usageDetails: { input: 1 },
      costDetails: {}
    })
  })

  it("keep null, which clears a field", () => {
    deepStrictEqual<unknown>(unsafeTraceCreate({ id: "t", timestamp: nowText, userId: null }).body, {
      id: "t",
      timestamp: nowText,
      userId: null
    })
  })

  it("look into neither input, output nor metadata", () => {
    const value = {
      get trap(): never {
        throw new Error("was looked at")
      }
    }
    const { body } = unsafeAgentCreate({ input: value, output: value, metadata: value })
    strictEqual(body.input, value)
    strictEqual(body.output, value)
    strictEqual(body.metadata, value)
    strictEqual(unsafeSdkLog({ log: value }).body.log, value)
  })

  it("keep what an event knows about its trace beside the body", () => {
    const event = unsafeChainCreate({}, { trace: { userId: "ada", sessionId: undefined, isAppRoot: true } })
    deepStrictEqual<unknown>(event.trace, { userId: "ada", isAppRoot: true })
    assert.match(
      onlyIssueOf(() => unsafeChainCreate({}, { trace: { environment: "Prod EU" } })),
      /^trace\.environment: expected 1 to 40 of/
    )
  })

  it("refuse fields the event does not have, which Langfuse would drop", () => {
    strictEqual(
      onlyIssueOf(() => unsafeSpanCreate(untyped({ model: "gpt" }))),
      "body.model: not a field of span-create, Langfuse would drop it"
    )
    for (const field of ["endTime", "usageDetails", "promptName"]) {
      assert.match(
        onlyIssueOf(() => unsafeEventCreate(untyped({ [field]: nowText }))),
        new RegExp(`^body.${field}: not`)
      )
    }
    assert.match(onlyIssueOf(() => unsafeTraceCreate(untyped({ level: "DEBUG" }))), /^body.level: not a field of trace/)
    assert.match(
      onlyIssueOf(() => unsafeTraceCreate(untyped(JSON.parse("{\"__proto__\":1}")))),
      /^body.__proto__: not a field/
    )
  })

  it("refuse what throws when it is read", () => {
    const body = {
      get name(): never {
        throw new Error("s3cr3t")
      }
    }
    strictEqual(onlyIssueOf(() => unsafeSpanCreate(body)), "body.name: cannot be read")
    strictEqual(onlyIssueOf(() => unsafeSpanCreate({}, { trace: body })), "trace.name: cannot be read")
    // What could not be read is not missing.
    strictEqual(
      onlyIssueOf(() =>
        IngestionEvent.unsafeScoreCreate(untyped(Object.defineProperties({ value: 1, traceId: "t" }, {
          name: { enumerable: true, get: () => body.name }
        })))
      ),
      "body.name: cannot be read"
    )
    const usage = {
      get input(): never {
        throw new Error("s3cr3t")
      }
    }
    strictEqual(
      onlyIssueOf(() => IngestionEvent.unsafeGenerationUpdate({ id: "0123456789abcdef", usage })),
      "body.usage.input: cannot be read"
    )
    const hostile = new Proxy({}, {
      ownKeys: () => {
        throw new Error("s3cr3t")
      }
    })
    strictEqual(onlyIssueOf(() => unsafeSpanCreate(hostile)), "body: cannot be read")
  })

  it("refuse what a trace context does not have, and a body that is no object", () => {
    strictEqual(
      onlyIssueOf(() => unsafeChainCreate({}, { trace: untyped({ userID: "ada" }) })),
      "trace.userID: not a field of a trace context, Langfuse would drop it"
    )
    for (const body of [null, undefined, 1, [], "text"]) {
      strictEqual(onlyIssueOf(() => unsafeTraceCreate(untyped(body))), "body: expected an object")
    }
  })

  it.effect("fail with InvalidEventError, and throw it in their unsafe form", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(IngestionEvent.spanCreate({ level: untyped("error") }))
      assert.instanceOf(error, InvalidEventError)
      strictEqual(error.type, "span-create")
      deepStrictEqual(error.issues, ["body.level: expected one of DEBUG, DEFAULT, WARNING, ERROR"])
      assert.throws(() => unsafeSpanCreate({ level: untyped("error") }), InvalidEventError, error.message)
    }))

  it("use the system's clock and random ids in their unsafe form, unless told otherwise", () => {
    const before = Date.now()
    const { body, timestamp } = unsafeTraceCreate({})
    assert.isAtLeast(Date.parse(timestamp), before)
    assert.isAtMost(Date.parse(timestamp), Date.now())
    strictEqual(body.timestamp, timestamp)
    strictEqual(unsafeTraceCreate({}, { clock: clockAtNow, ids: counting() }).body.id, "trace-1")
  })

  const body = {
    trace: Arbitrary.make(Schemas.TraceBody).map(({ externalId: _, ...body }) => body),
    event: Arbitrary.make(Schemas.EventBody),
    span: Arbitrary.make(Schemas.SpanBody),
    generation: Arbitrary.make(Schemas.GenerationBody).map(({ promptName, promptVersion, ...body }) =>
      promptName && promptVersion ? { ...body, promptName, promptVersion } : body
    ),
    score: Arbitrary.make(Schemas.ScoreBody),
    log: Arbitrary.make(Schemas.SdkLogBody)
  }

  const check = <Body, E extends IngestionEvent.IngestionEvent>(
    bodies: FastCheck.Arbitrary<Body>,
    safe: (body: Body) => Effect.Effect<E, InvalidEventError>,
    unsafe: (body: Body, options: IngestionEvent.UnsafeEventOptions) => E
  ) =>
    FastCheck.assert(
      FastCheck.property(bodies, (body) => {
        const event = Effect.runSync(reproducible(safe(body)))
        deepStrictEqual(event, unsafe(body, { clock: clockAtNow, ids: counting() }))
        deepStrictEqual<unknown>(Either.getOrThrow(decode(event)), event)
        deepStrictEqual<unknown>(Either.getOrThrow(decode(json(event))), json(event))
        assert.notProperty(fromEvent(event, open), "issues")
      }),
      runs(50).fastCheck
    )

  it("make events that the schema and the service take, the same in both forms, from any valid body", () => {
    check(body.trace, IngestionEvent.traceCreate, unsafeTraceCreate)
    check(body.event, IngestionEvent.eventCreate, unsafeEventCreate)
    check(body.span, IngestionEvent.spanCreate, unsafeSpanCreate)
    check(body.span, IngestionEvent.spanUpdate, unsafeSpanUpdate)
    check(body.generation, IngestionEvent.generationCreate, unsafeGenerationCreate)
    check(body.generation, IngestionEvent.generationUpdate, unsafeGenerationUpdate)
    check(body.generation, IngestionEvent.agentCreate, unsafeAgentCreate)
    check(body.generation, IngestionEvent.toolCreate, unsafeToolCreate)
    check(body.generation, IngestionEvent.chainCreate, unsafeChainCreate)
    check(body.generation, IngestionEvent.retrieverCreate, unsafeRetrieverCreate)
    check(body.generation, IngestionEvent.evaluatorCreate, unsafeEvaluatorCreate)
    check(body.generation, IngestionEvent.embeddingCreate, unsafeEmbeddingCreate)
    check(body.generation, IngestionEvent.guardrailCreate, unsafeGuardrailCreate)
    // What is optional in the input is there, and the type of a correction's name is too wide.
    check(body.score.map(untyped), IngestionEvent.scoreCreate, unsafeScoreCreate)
    check(body.log, IngestionEvent.sdkLog, unsafeSdkLog)
  })

  const unsafe = new Map<string, (body: never, options: IngestionEvent.UnsafeEventOptions) => unknown>([
    ["trace-create", unsafeTraceCreate],
    ["event-create", unsafeEventCreate],
    ["span-create", unsafeSpanCreate],
    ["span-update", unsafeSpanUpdate],
    ["generation-create", unsafeGenerationCreate],
    ["generation-update", unsafeGenerationUpdate],
    ["tool-create", unsafeToolCreate],
    ["score-create", unsafeScoreCreate],
    ["sdk-log", unsafeSdkLog]
  ])

  it.prop("take what the schema takes, and refuse what it refuses", [
    FastCheck.constantFrom(...unsafe.keys()),
    Events.body
  ], ([type, given]) => {
    // These are made: an id, times, the number of a boolean.
    const { id = "o", startTime, timestamp, value, ...rest } = given
    const body: Record<string, unknown> = {
      ...rest,
      ...(id === null ? {} : { id }),
      ...(startTime === undefined ? {} : { startTime }),
      ...(timestamp === undefined ? {} : { timestamp }),
      ...(value === undefined || typeof value === "boolean" ? {} : { value })
    }
    const verdict = Either.try({
      try: () => unsafe.get(type)?.(untyped(body), { clock: clockAtNow }),
      catch: (error) => error instanceof InvalidEventError ? error : assert.fail("another error")
    })
    if (Either.isRight(verdict)) assert.isTrue(accepts(verdict.right), JSON.stringify(verdict.right))
    else if (!verdict.left.issues.some((issue) => issue.includes("not a field of"))) {
      assert.isFalse(accepts(envelope(type, body)), `${JSON.stringify(body)} ${verdict.left.message}`)
    }
  }, fixed(1000))

  it("take no prototype from a parameter or a bucket", () => {
    const hostile: Record<string, Record<string, string>> = JSON.parse(
      "{\"__proto__\":{\"a\":\"b\"},\"inner\":{\"__proto__\":\"x\",\"c\":\"d\"}}"
    )
    const event = unsafeGenerationCreate({ modelParameters: hostile })
    assert.strictEqual(Object.getPrototypeOf(event.body.modelParameters), Object.prototype)
    deepStrictEqual<unknown>(event.body.modelParameters, { inner: { c: "d" } })
  })

  it("name the field and the rule, never the value", () => {
    const secret = "s3cr3t-value"
    const fields = ["id", "traceId", "environment", "name", "startTime", "endTime", "completionStartTime", "level"]
      .concat(["statusMessage", "parentObservationId", "version", "model", "modelParameters", "usage", "usageDetails"])
      .concat(["costDetails", "promptVersion"])
    const values = [[secret], { a: [secret, 1] }, { a: { b: { c: secret } } }, Symbol.for(secret)]
    for (const field of fields) {
      for (const value of values) {
        const error = Effect.runSync(Effect.flip(IngestionEvent.toolCreate(untyped({ [field]: value }))))
        assert.isTrue(error.issues.some((issue) => issue.startsWith(`body.${field}`)), error.message)
        assert.notInclude(error.message, secret)
        assert.notInclude(JSON.stringify(error), secret)
      }
    }
  })

  it("name a bounded number of issues", () => {
    const issues = issuesOf(() => unsafeTraceCreate({ tags: untyped(Array.from({ length: 1000 }, () => 1)) }))
    strictEqual(issues.length, 21)
    strictEqual(issues[0], "body.tags[0]: expected a string")
    strictEqual(issues.at(-1), "and 980 more")
  })
})

describe("rules of traces and observations", () => {
  it("ids have 1 to 800 characters and no carriage return", () => {
    for (const id of ["", "a".repeat(801), "a\rb"]) {
      assert.match(onlyIssueOf(() => unsafeSpanCreate({ id })), /^body\.id: expected a string of 1 to 800/)
      assert.match(onlyIssueOf(() => unsafeSpanCreate({ traceId: id })), /^body\.traceId/)
      assert.match(onlyIssueOf(() => unsafeTraceCreate({ id })), /^body\.id/)
      assert.match(onlyIssueOf(() => unsafeTraceCreate({}, { id })), /^id: expected/)
      assert.match(onlyIssueOf(() => unsafeScoreCreate({ id, name: "n", value: 1, traceId: "t" })), /^body\.id/)
    }
    strictEqual(unsafeSpanCreate({ id: "a".repeat(800) }).body.id.length, 800)
    strictEqual(unsafeSpanCreate({ id: "line\nfeed" }).body.id, "line\nfeed")
  })

  it("a trace's name has at most 1000 characters, an observation's any number", () => {
    strictEqual(
      onlyIssueOf(() => unsafeTraceCreate({ name: "a".repeat(1001) })),
      "body.name: expected a string of at most 1000 characters"
    )
    unsafeTraceCreate({ name: "a".repeat(1000) })
    unsafeSpanCreate({ name: "a".repeat(5000) })
  })

  it("levels are exact in their case", () => {
    for (const level of ["error", "Error", "INFO", ""]) {
      issuesOf(() => unsafeSpanCreate({ level: untyped(level) }))
      assert.isFalse(accepts(envelope("span-create", { id: "o", level })))
    }
  })

  it("an environment that Langfuse would file under another name is refused", () => {
    for (const environment of ["langfuse-prod", "langfuse", "Prod EU", "PROD", "prod.eu", "", "a".repeat(41), "a\n"]) {
      assert.match(onlyIssueOf(() => unsafeTraceCreate({ environment })), /^body\.environment: expected 1 to 40 of/)
      assert.isFalse(accepts(envelope("event-create", { id: "o", environment })))
    }
    for (const environment of ["prod", "a".repeat(40), "eu-1_x", "my-langfuse", null]) {
      strictEqual(unsafeTraceCreate({ environment }).body.environment, environment)
    }
  })

  it("a prompt needs its name and a version other than 0", () => {
    const message = "a prompt needs both its name and a version other than 0"
    strictEqual(onlyIssueOf(() => unsafeToolCreate(untyped({ promptName: "p" }))), `body.promptVersion: ${message}`)
    strictEqual(
      onlyIssueOf(() => unsafeToolCreate({ promptName: "p", promptVersion: 0 })),
      `body.promptVersion: ${message}`
    )
    strictEqual(
      onlyIssueOf(() => unsafeToolCreate({ promptName: "", promptVersion: 1 })),
      `body.promptName: ${message}`
    )
    strictEqual(onlyIssueOf(() => unsafeToolCreate(untyped({ promptVersion: 1 }))), `body.promptName: ${message}`)
    strictEqual(
      onlyIssueOf(() => unsafeGenerationUpdate({ id: "o", promptName: "p", promptVersion: 1.5 })),
      "body.promptVersion: expected an integer"
    )
    unsafeGenerationCreate({ promptName: "p", promptVersion: 3 })
    unsafeGenerationCreate({ promptName: null, promptVersion: null })
  })

  it("model parameters are flat", () => {
    const modelParameters = { a: "x", b: 1.5, c: true, d: null, e: ["x"], f: { g: "h" }, h: [], i: {} }
    deepStrictEqual<unknown>(unsafeGenerationCreate({ modelParameters }).body.modelParameters, modelParameters)
    const nested = { response_format: { type: "x", json_schema: {} }, stop: [1], temperature: NaN, n: Infinity }
    const issues = issuesOf(() => unsafeGenerationCreate({ modelParameters: untyped(nested) }))
    strictEqual(issues.length, 4)
    assert.isTrue(issues.every((issue) => issue.startsWith("body.modelParameters.")))
  })

  it("counts of the deprecated usage are integers, and tokens and costs do not mix", () => {
    const usage = {
      input: 1,
      output: 2,
      total: 3,
      unit: "TOKENS",
      inputCost: 0.1,
      outputCost: 0,
      totalCost: 1
    } as const
    deepStrictEqual<unknown>(unsafeGenerationCreate({ usage }).body.usage, usage)
    strictEqual(
      onlyIssueOf(() => unsafeGenerationCreate({ usage: { input: 1.5 } })),
      "body.usage.input: expected an integer"
    )
    deepStrictEqual(
      issuesOf(() => unsafeGenerationCreate({ usage: untyped({ promptTokens: 1, inputCost: 0.1, unit: "IMAGES" }) })),
      ["inputCost", "unit"].map((key) => `body.usage.${key}: lost beside promptTokens, completionTokens or totalTokens`)
    )
    issuesOf(() => unsafeGenerationCreate({ usage: untyped({ unit: "tokens" }) }))
    strictEqual(
      onlyIssueOf(() => unsafeGenerationCreate({ usage: untyped({ input: 1, prompt_tokens: 1 }) })),
      "body.usage.prompt_tokens: not a field of usage, Langfuse would drop it"
    )
    unsafeGenerationCreate({ usage: { promptTokens: 1, completionTokens: null, unit: "TOKENS" } })
  })

  it("usage buckets that Langfuse would drop are refused", () => {
    for (const count of [1.5, -1, NaN, "1", null, {}, 2 ** 53]) {
      assert.match(
        onlyIssueOf(() => unsafeGenerationCreate({ usageDetails: untyped({ output: 1, input: count }) })),
        /^body\.usageDetails\.input: expected an integer of 0 or more/
      )
      assert.isFalse(accepts(envelope("tool-create", { id: "o", usageDetails: { input: count } })))
    }
    deepStrictEqual<unknown>(unsafeGenerationCreate({ usageDetails: { input: 0 } }).body.usageDetails, { input: 0 })
    deepStrictEqual<unknown>(unsafeGenerationCreate({ usageDetails: {} }).body.usageDetails, {})
  })

  it("the usage of a provider is taken as it comes", () => {
    const usages = [
      {
        prompt_tokens: 100,
        completion_tokens: 20,
        total_tokens: 120,
        prompt_tokens_details: { cached_tokens: 40, audio_tokens: null },
        completion_tokens_details: null
      },
      { input_tokens: 1, output_tokens: 2, total_tokens: 3, output_tokens_details: { reasoning_tokens: 1 } },
      { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, service_tier: "default" },
      { input_tokens: 1, output_tokens: 2, cache_read_input_tokens: 3 },
      { inputTokens: 90, outputTokens: 6, totalTokens: 96, cachedInputTokens: 64 }
    ]
    for (const usageDetails of usages) {
      deepStrictEqual<unknown>(unsafeGenerationCreate({ usageDetails }).body.usageDetails, usageDetails)
      assert.isTrue(accepts(envelope("generation-create", { id: "o", usageDetails })))
    }
  })

  it("costs are finite and not negative", () => {
    for (const cost of [-0.1, NaN, Infinity, "1", null]) {
      assert.match(
        onlyIssueOf(() => unsafeGenerationCreate({ costDetails: untyped({ total: 1, input: cost }) })),
        /^body\.costDetails\.input: expected a finite number of 0 or more/
      )
      issuesOf(() => unsafeGenerationCreate({ costDetails: untyped({ input: cost }) }))
    }
  })

  it("costs get the total without which Langfuse shows none", () => {
    deepStrictEqual<unknown>(
      unsafeGenerationCreate({ costDetails: { input: 1, output: 2, cache: 1 } }).body.costDetails,
      { input: 1, output: 2, cache: 1, total: 4 }
    )
    deepStrictEqual<unknown>(
      unsafeGenerationUpdate({ id: "o", costDetails: { input: 1, total: 5 } }).body.costDetails,
      { input: 1, total: 5 }
    )
  })

  it("a log is anything but nothing", () => {
    for (const log of [null, undefined]) issuesOf(() => unsafeSdkLog({ log }))
    for (const log of [0, "", false, {}, []]) deepStrictEqual(unsafeSdkLog({ log }).body.log, log)
  })
})

// ---------------------------------------------------------------------------------------------------------------------
// scores
// ---------------------------------------------------------------------------------------------------------------------

describe("scores", () => {
  const score = (fields: object) => () => unsafeScoreCreate(untyped({ name: "quality", ...fields }))

  it("get an id and the time of their event", () => {
    deepStrictEqual<unknown>(
      unsafeScoreCreate({ name: "quality", value: 0.9, traceId: "t" }, { clock: clockAtNow, ids: counting() }),
      {
        type: "score-create",
        id: "event-2",
        timestamp: nowText,
        body: { id: "event-1", name: "quality", value: 0.9, traceId: "t" }
      }
    )
    strictEqual(
      unsafeScoreCreate({ name: "n", value: 1, traceId: "t" }, { timestamp: new Date(now) }).timestamp,
      nowText
    )
  })

  const values: ReadonlyArray<readonly [fields: object, ok: boolean]> = [
    [{ value: 1.5 }, true],
    [{ value: "good" }, true],
    [{ value: "" }, true],
    [{ value: true }, false],
    [{ value: NaN }, false],
    [{ value: null }, false],
    [{}, false],
    [{ dataType: null, value: 1 }, false],
    [{ dataType: "numeric", value: 1 }, false],
    [{ dataType: "NUMERIC", value: -1.5 }, true],
    [{ dataType: "NUMERIC", value: "1" }, false],
    [{ dataType: "BOOLEAN", value: 0 }, true],
    [{ dataType: "BOOLEAN", value: 1 }, true],
    [{ dataType: "BOOLEAN", value: 2 }, false],
    [{ dataType: "BOOLEAN", value: "1" }, false],
    [{ dataType: "CATEGORICAL", value: "" }, true],
    [{ dataType: "CATEGORICAL", value: 1 }, false],
    [{ dataType: "TEXT", value: "a" }, true],
    [{ dataType: "TEXT", value: "a".repeat(500) }, true],
    [{ dataType: "TEXT", value: "a".repeat(501) }, false],
    [{ dataType: "TEXT", value: "" }, false],
    [{ dataType: "CORRECTION", value: "better" }, true],
    [{ dataType: "CORRECTION", value: 1 }, false]
  ]
  const targets: ReadonlyArray<readonly [fields: object, ok: boolean]> = [
    [{ traceId: "t" }, true],
    [{ traceId: "t", observationId: "o" }, true],
    [{ traceId: "t", sessionId: "", datasetRunId: null }, true],
    [{ sessionId: "s" }, true],
    [{ sessionId: "s", traceId: "", observationId: "" }, true],
    [{ datasetRunId: "r" }, true],
    [{}, false],
    [{ traceId: "" }, false],
    [{ observationId: "o" }, false],
    [{ sessionId: "s", observationId: "o" }, false],
    [{ datasetRunId: "r", observationId: "o" }, false],
    [{ traceId: "t", sessionId: "s" }, false],
    [{ traceId: "t", datasetRunId: "r" }, false],
    [{ sessionId: "s", datasetRunId: "r" }, false],
    [{ traceId: "t", sessionId: "s", datasetRunId: "r" }, false]
  ]

  it("take every valid value with every valid target, and nothing else", () => {
    for (const [value, valueOk] of values) {
      for (const [target, targetOk] of targets) {
        const fields = { id: "s", name: "output", ...value, ...target }
        const correction = "dataType" in value && value.dataType === "CORRECTION"
        const ok = valueOk && targetOk && !(correction && ("sessionId" in target || "datasetRunId" in target)
          && !("traceId" in target && target.traceId !== ""))
        strictEqual(accepts(envelope("score-create", fields)), ok, JSON.stringify(fields))
        if (ok) unsafeScoreCreate(untyped(fields))
        else issuesOf(() => unsafeScoreCreate(untyped(fields)))
      }
    }
  })

  it("take a boolean for a BOOLEAN and make it the number Langfuse wants", () => {
    strictEqual(unsafeScoreCreate({ name: "n", dataType: "BOOLEAN", value: true, traceId: "t" }).body.value, 1)
    strictEqual(unsafeScoreCreate({ name: "n", dataType: "BOOLEAN", value: false, traceId: "t" }).body.value, 0)
    assert.isFalse(
      accepts(envelope("score-create", { id: "s", name: "n", dataType: "BOOLEAN", value: true, traceId: "t" }))
    )
  })

  it("say which rule is broken", () => {
    const cases: ReadonlyArray<readonly [object, string]> = [
      [{ value: 2, dataType: "BOOLEAN", traceId: "t" }, "body.value: expected 0 or 1, as the dataType is BOOLEAN"],
      [{ value: 1 }, "body.traceId: a score needs a traceId, a sessionId or a datasetRunId"],
      [
        { value: 1, traceId: "t", sessionId: "s" },
        "body.sessionId: a score has one target, and this one has a traceId"
      ],
      [{ value: 1, sessionId: "s", observationId: "o" }, "body.observationId: only a traceId can go with it, and must"],
      [{ value: 1, traceId: "t", name: "" }, "body.name: expected a string of at least one character"],
      [
        { value: 1, traceId: "t", dataType: null },
        "body.dataType: expected one of NUMERIC, BOOLEAN, CATEGORICAL, TEXT, CORRECTION"
      ],
      [{ value: true, traceId: "t" }, "body.value: expected a string or a finite number"],
      [{ value: 1, traceId: "t", source: "HUMAN" }, "body.source: expected one of API, EVAL, ANNOTATION"]
    ]
    for (const [fields, issue] of cases) strictEqual(onlyIssueOf(score(fields)), issue)
  })

  it("that are annotations need a config, or Langfuse would drop them", () => {
    const annotation = { value: 1, traceId: "t", source: "ANNOTATION" }
    for (const configId of [undefined, null, ""]) {
      assert.match(onlyIssueOf(score({ ...annotation, configId })), /^body\.configId: an annotation needs one/)
    }
    score({ ...annotation, configId: "c" })()
    score({ dataType: "CORRECTION", name: undefined, value: "better", traceId: "t", source: "ANNOTATION" })()
  })

  it("that are corrections are called output, and have neither a config nor another target than a trace", () => {
    const correction = { dataType: "CORRECTION", value: "better" } as const
    strictEqual(unsafeScoreCreate({ ...correction, traceId: "t", observationId: "o" }).body.name, "output")
    strictEqual(
      onlyIssueOf(score({ ...correction, traceId: "t", configId: "c" })),
      "body.configId: a correction has no config"
    )
    strictEqual(
      onlyIssueOf(score({ ...correction, sessionId: "s" })),
      "body.sessionId: a correction belongs to a trace"
    )
    score({ ...correction, traceId: "t", configId: null })()
  })
})

// ---------------------------------------------------------------------------------------------------------------------
// ids
// ---------------------------------------------------------------------------------------------------------------------

describe("ids", () => {
  it.effect("are those of OpenTelemetry for traces and observations, and UUIDs for events", () =>
    Effect.gen(function*() {
      const seen = new Set<string>()
      for (let i = 0; i < 1000; i++) {
        const trace = yield* IngestionEvent.makeTraceId
        const observation = yield* IngestionEvent.makeObservationId
        const event = yield* IngestionEvent.makeEventId
        assert.match(trace, /^(?!0{32})[0-9a-f]{32}$/)
        assert.match(observation, /^(?!0{16})[0-9a-f]{16}$/)
        assert.match(event, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        seen.add(trace).add(observation).add(event)
      }
      strictEqual(seen.size, 3000)
    }))

  it.effect("come from the service when there is one", () =>
    Effect.gen(function*() {
      const ids = Effect.all([IngestionEvent.makeTraceId, IngestionEvent.makeObservationId, IngestionEvent.makeEventId])
      const provided = yield* Effect.provideService(ids, IngestionEvent.IdGenerator, counting())
      deepStrictEqual(provided, ["trace-1", "observation-1", "event-1"])
    }))

  it("are never all zero, which OpenTelemetry reads as no id", () => {
    let fills = 0
    const ids = RandomIds.make((bytes) => bytes.fill(fills++ === 0 ? 0 : 0xff))
    strictEqual(ids.traceId(), "f".repeat(32))
    strictEqual(fills, 2)
    strictEqual(ids.uuid(), "ffffffff-ffff-4fff-bfff-ffffffffffff")
  })

  it("use every random byte once", () => {
    let last = 0
    const ids = RandomIds.make((bytes) => bytes.forEach((_, index) => (bytes[index] = last++ % 251)))
    const drawn = Array.from({ length: 500 }, () => ids.spanId())
    strictEqual(new Set(drawn.slice(0, 31)).size, 31)
    strictEqual(
      drawn.join(""),
      Array.from({ length: 4000 }, (_, i) => (i % 251).toString(16).padStart(2, "0")).join("")
    )
  })
})
