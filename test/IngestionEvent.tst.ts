/**
 * The types of events against the official ones of `@langfuse/core`, and against what must not compile.
 */
import type { IngestionEvent as Official, OpenAiUsage, Usage } from "@langfuse/core"
import * as IngestionEvent from "effect-langfuse/IngestionEvent"
import type { InvalidEventError } from "effect-langfuse/LangfuseError"
import type * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import { describe, expect, test } from "tstyche"

/**
 * Our types as the official ones would spell them. Three differences run through every field:
 *
 * - the official types leave out null, which the server takes and which clears a field;
 * - optional fields of ours may be undefined, as JSON leaves those out;
 * - lists and objects of ours are readonly.
 */
type Spelled<T> = unknown extends T ? T
  : T extends ReadonlyArray<infer Item> ? Array<Spelled<Item>>
  : T extends object ? { -readonly [Key in keyof T]: Spelled<Exclude<T[Key], null | undefined>> }
  : T

/** An event of ours without some fields of its body. */
type Without<E extends { readonly body: object }, Keys extends PropertyKey> = Omit<E, "body"> & {
  readonly body: Omit<E["body"], Keys>
}

/** What the server takes and the official types do not know: these fields are compared by themselves, below. */
type Wider = "modelParameters" | "usage" | "usageDetails"

describe("events are events of the official SDK", () => {
  test("traces", () => {
    expect<Spelled<IngestionEvent.TraceCreate>>().type.toBeAssignableTo<Official.TraceCreate>()
  })

  test("spans and events", () => {
    expect<Spelled<IngestionEvent.SpanCreate>>().type.toBeAssignableTo<Official.SpanCreate>()
    expect<Spelled<IngestionEvent.SpanUpdate>>().type.toBeAssignableTo<Official.SpanUpdate>()
    expect<Spelled<IngestionEvent.EventCreate>>().type.toBeAssignableTo<Official.EventCreate>()
  })

  test("generations", () => {
    expect<Spelled<Without<IngestionEvent.GenerationCreate, Wider>>>().type
      .toBeAssignableTo<Official.GenerationCreate>()
    expect<Spelled<Without<IngestionEvent.GenerationUpdate, Wider>>>().type
      .toBeAssignableTo<Official.GenerationUpdate>()
  })

  test("scores", () => {
    expect<Spelled<IngestionEvent.ScoreCreate>>().type.toBeAssignableTo<Official.ScoreCreate>()
  })

  test("logs", () => {
    expect<Spelled<IngestionEvent.SdkLog>>().type.toBeAssignableTo<Official.SdkLog>()
  })

  test("legacy observations", () => {
    expect<Spelled<Without<IngestionEvent.ObservationCreate, Wider>>>().type
      .toBeAssignableTo<Official.ObservationCreate>()
    expect<Spelled<Without<IngestionEvent.ObservationUpdate, Wider>>>().type
      .toBeAssignableTo<Official.ObservationUpdate>()
  })

  test("the differences are forced, and are only these", () => {
    // Null, undefined and readonly.
    expect<IngestionEvent.TraceCreate>().type.not.toBeAssignableTo<Official.TraceCreate>()
    // The server also takes records of strings and null as a model parameter.
    expect<Spelled<IngestionEvent.GenerationCreate>>().type.not.toBeAssignableTo<Official.GenerationCreate>()
    expect<Spelled<Exclude<IngestionEvent.ModelParameters[string], { readonly [key: string]: string } | null>>>().type
      .toBeAssignableTo<NonNullable<Official.GenerationCreate["body"]["modelParameters"]>[string]>()
    // The official usage demands fields that the server does not.
    expect<Spelled<IngestionEvent.UsageInUnits>>().type.not.toBeAssignableTo<Usage>()
    expect<Pick<Usage, "input" | "output" | "total"> & { unit: "TOKENS"; totalCost?: number }>().type
      .toBeAssignableTo<IngestionEvent.UsageInUnits>()
    expect<OpenAiUsage>().type.toBeAssignableTo<IngestionEvent.UsageInTokens>()
  })
})

describe("events of the official SDK are events", () => {
  /** Langfuse stores nothing of a trace, an observation or a score without an id, so ours have one. */
  type Stored<E extends { body: object }> = E & { body: { id: string } }

  test("traces, spans and events, once they have an id", () => {
    expect<Stored<Official.TraceCreate>>().type.toBeAssignableTo<IngestionEvent.TraceCreate>()
    expect<Stored<Official.SpanCreate>>().type.toBeAssignableTo<IngestionEvent.SpanCreate>()
    expect<Official.SpanUpdate>().type.toBeAssignableTo<IngestionEvent.SpanUpdate>()
    expect<Stored<Official.EventCreate>>().type.toBeAssignableTo<IngestionEvent.EventCreate>()
    expect<Official.TraceCreate>().type.not.toBeAssignableTo<IngestionEvent.TraceCreate>()
  })

  test("every field of theirs is a field of ours", () => {
    expect<keyof Official.TraceCreate["body"]>().type.toBeAssignableTo<keyof IngestionEvent.TraceBody>()
    expect<keyof Official.GenerationCreate["body"]>().type.toBeAssignableTo<keyof IngestionEvent.GenerationBody>()
    expect<keyof Official.GenerationUpdate["body"]>().type.toBeAssignableTo<keyof IngestionEvent.GenerationBody>()
    expect<keyof Official.ScoreCreate["body"]>().type.toBeAssignableTo<keyof IngestionEvent.ScoreBody>()
    expect<keyof Official.SdkLog["body"]>().type.toBeAssignableTo<keyof IngestionEvent.SdkLogBody>()
    // The server drops the environment of a legacy observation, which the official type still lists.
    expect<Exclude<keyof Official.ObservationCreate["body"], "environment">>().type
      .toBeAssignableTo<keyof IngestionEvent.LegacyObservationBody>()
  })

  test("every type of theirs is a type of ours", () => {
    expect<Official["type"]>().type.toBeAssignableTo<IngestionEvent.IngestionEvent["type"]>()
  })
})

test("what is decoded is what is encoded", () => {
  expect(IngestionEvent.IngestionEvent).type.toBe<
    Schema.Schema<IngestionEvent.IngestionEvent, IngestionEvent.IngestionEvent, never>
  >()
})

// The unsafe forms take the same arguments, and give a value back that need not be run.
describe("constructors", () => {
  test("need nothing and fail with one error", () => {
    expect(IngestionEvent.traceCreate({})).type.toBe<
      Effect.Effect<IngestionEvent.TraceCreate, InvalidEventError, never>
    >()
    expect(IngestionEvent.unsafeToolCreate({})).type.toBe<IngestionEvent.ToolCreate>()
  })

  test("take every kind of time", () => {
    expect(IngestionEvent.unsafeTraceCreate).type.toBeCallableWith({ timestamp: new Date() })
    expect<DateTime.Utc>().type.toBeAssignableTo<IngestionEvent.TimeInput>()
    expect<DateTime.Zoned>().type.toBeAssignableTo<IngestionEvent.TimeInput>()
    expect(IngestionEvent.unsafeTraceCreate).type.not.toBeCallableWith({ timestamp: 0 })
  })

  test("of updates need the id, those of creates do not", () => {
    expect(IngestionEvent.unsafeSpanCreate).type.toBeCallableWith({})
    expect(IngestionEvent.unsafeSpanUpdate).type.not.toBeCallableWith({})
    expect(IngestionEvent.unsafeGenerationUpdate).type.not.toBeCallableWith({ model: "m" })
    expect(IngestionEvent.unsafeGenerationUpdate).type.toBeCallableWith({ id: "o", model: "m" })
  })

  test("of spans and events refuse what Langfuse would drop from them", () => {
    expect(IngestionEvent.unsafeSpanCreate).type.not.toBeCallableWith({ model: "m" })
    expect(IngestionEvent.unsafeEventCreate).type.not.toBeCallableWith({ endTime: "2026-01-31T12:00:00Z" })
    expect(IngestionEvent.unsafeTraceCreate).type.not.toBeCallableWith({ externalId: "x" })
  })

  test("take a prompt's name and version together or not at all", () => {
    expect(IngestionEvent.unsafeGenerationCreate).type.toBeCallableWith({ promptName: "p", promptVersion: 1 })
    expect(IngestionEvent.unsafeGenerationCreate).type.toBeCallableWith({ promptName: undefined })
    expect(IngestionEvent.unsafeGenerationCreate).type.not.toBeCallableWith({ promptName: "p" })
    expect(IngestionEvent.unsafeAgentCreate).type.not.toBeCallableWith({ promptVersion: 1 })
    expect(IngestionEvent.unsafeGenerationUpdate).type.not.toBeCallableWith({ id: "o", promptName: "p" })
  })

  test("refuse levels, parameters and usage that Langfuse would refuse", () => {
    expect(IngestionEvent.unsafeSpanCreate).type.not.toBeCallableWith({ level: "error" })
    expect(IngestionEvent.unsafeToolCreate).type.not.toBeCallableWith({ modelParameters: { stop: [1] } })
    expect(IngestionEvent.unsafeToolCreate).type.not.toBeCallableWith({ modelParameters: { format: { schema: {} } } })
    expect(IngestionEvent.unsafeToolCreate).type.not.toBeCallableWith({ usage: { promptTokens: 1, inputCost: 0.1 } })
    expect(IngestionEvent.unsafeToolCreate).type.not.toBeCallableWith({ usageDetails: { input: "1" } })
    expect(IngestionEvent.unsafeToolCreate).type.toBeCallableWith({
      modelParameters: { temperature: undefined, stop: ["x"] },
      usageDetails: { input: 1, output: undefined },
      costDetails: { total: 0.1 }
    })
    expect(IngestionEvent.unsafeToolCreate).type.toBeCallableWith({
      usageDetails: {
        prompt_tokens: 1,
        completion_tokens: 2,
        total_tokens: 3,
        prompt_tokens_details: { cached_tokens: 1 }
      }
    })
  })
})

describe("scores", () => {
  const trace = { name: "n", traceId: "t" }

  test("take the value of their type", () => {
    expect(IngestionEvent.unsafeScoreCreate).type.toBeCallableWith({ ...trace, value: 1 })
    expect(IngestionEvent.unsafeScoreCreate).type.toBeCallableWith({ ...trace, value: "good" })
    expect(IngestionEvent.unsafeScoreCreate).type.toBeCallableWith({ ...trace, value: 0.5, dataType: "NUMERIC" })
    expect(IngestionEvent.unsafeScoreCreate).type.toBeCallableWith({ ...trace, value: true, dataType: "BOOLEAN" })
    expect(IngestionEvent.unsafeScoreCreate).type.toBeCallableWith({ ...trace, value: 1, dataType: "BOOLEAN" })
    expect(IngestionEvent.unsafeScoreCreate).type.toBeCallableWith({ ...trace, value: "a", dataType: "CATEGORICAL" })
    expect(IngestionEvent.unsafeScoreCreate).type.toBeCallableWith({ ...trace, value: "a", dataType: "TEXT" })

    expect(IngestionEvent.unsafeScoreCreate).type.not.toBeCallableWith({ ...trace })
    expect(IngestionEvent.unsafeScoreCreate).type.not.toBeCallableWith({ ...trace, value: true })
    expect(IngestionEvent.unsafeScoreCreate).type.not.toBeCallableWith({ ...trace, value: "1", dataType: "NUMERIC" })
    expect(IngestionEvent.unsafeScoreCreate).type.not.toBeCallableWith({ ...trace, value: 2, dataType: "BOOLEAN" })
    expect(IngestionEvent.unsafeScoreCreate).type.not.toBeCallableWith({ ...trace, value: 1, dataType: "CATEGORICAL" })
    expect(IngestionEvent.unsafeScoreCreate).type.not.toBeCallableWith({ ...trace, value: 1, dataType: "TEXT" })
    expect(IngestionEvent.unsafeScoreCreate).type.not.toBeCallableWith({ ...trace, value: 1, dataType: null })
    expect<true>().type.not.toBeAssignableTo<IngestionEvent.ScoreBody["value"]>()
  })

  test("have exactly one target", () => {
    const value = { name: "n", value: 1 }
    expect(IngestionEvent.unsafeScoreCreate).type.toBeCallableWith({ ...value, traceId: "t", observationId: "o" })
    expect(IngestionEvent.unsafeScoreCreate).type.toBeCallableWith({ ...value, sessionId: "s" })
    expect(IngestionEvent.unsafeScoreCreate).type.toBeCallableWith({ ...value, datasetRunId: "r" })

    expect(IngestionEvent.unsafeScoreCreate).type.not.toBeCallableWith({ ...value })
    expect(IngestionEvent.unsafeScoreCreate).type.not.toBeCallableWith({ ...value, observationId: "o" })
    expect(IngestionEvent.unsafeScoreCreate).type.not.toBeCallableWith({ ...value, sessionId: "s", observationId: "o" })
    expect(IngestionEvent.unsafeScoreCreate).type.not.toBeCallableWith({ ...value, traceId: "t", sessionId: "s" })
    expect(IngestionEvent.unsafeScoreCreate).type.not.toBeCallableWith({ ...value, traceId: "t", datasetRunId: "r" })
    expect(IngestionEvent.unsafeScoreCreate).type.not.toBeCallableWith({ ...value, sessionId: "s", datasetRunId: "r" })
  })

  test("that are corrections belong to a trace and have neither a config nor a name of their own", () => {
    const correction = { dataType: "CORRECTION", value: "better" } as const
    expect(IngestionEvent.unsafeScoreCreate).type.toBeCallableWith({ ...correction, traceId: "t" })
    expect(IngestionEvent.unsafeScoreCreate).type.toBeCallableWith({
      dataType: "CORRECTION",
      value: "better",
      traceId: "t",
      name: "output"
    })
    expect(IngestionEvent.unsafeScoreCreate).type.not.toBeCallableWith({ ...correction, sessionId: "s" })
    expect(IngestionEvent.unsafeScoreCreate).type.not.toBeCallableWith({ ...correction, datasetRunId: "r" })
    expect(IngestionEvent.unsafeScoreCreate).type.not.toBeCallableWith({ ...correction, traceId: "t", configId: "c" })
    expect(IngestionEvent.unsafeScoreCreate).type.not.toBeCallableWith({
      dataType: "CORRECTION",
      value: "better",
      traceId: "t",
      name: "other"
    })
  })

  test("that are annotations need a config", () => {
    const annotation = { ...trace, value: 1, source: "ANNOTATION" } as const
    expect(IngestionEvent.unsafeScoreCreate).type.toBeCallableWith({ ...annotation, configId: "c" })
    expect(IngestionEvent.unsafeScoreCreate).type.not.toBeCallableWith({ ...annotation })
    expect(IngestionEvent.unsafeScoreCreate).type.not.toBeCallableWith({ ...annotation, configId: null })
  })

  test("on the wire are as strict as the constructor", () => {
    type Body = { id: string; name: string; value: number; traceId: string }
    expect<Body>().type.toBeAssignableTo<IngestionEvent.ScoreBody>()
    expect<Body & { sessionId: string }>().type.not.toBeAssignableTo<IngestionEvent.ScoreBody>()
    expect<Body & { dataType: "TEXT" }>().type.not.toBeAssignableTo<IngestionEvent.ScoreBody>()
    expect<Omit<Body, "traceId">>().type.not.toBeAssignableTo<IngestionEvent.ScoreBody>()
  })
})
