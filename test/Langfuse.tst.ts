import type { HttpClient, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import type { Layer, Option, Stream, Tracer } from "effect"
import { Context, Effect } from "effect"
import type { LangfuseIngest } from "effect-langfuse"
import * as Langfuse from "effect-langfuse/Langfuse"
import * as LangfuseTracer from "effect-langfuse/LangfuseTracer"
import { describe, expect, test } from "tstyche"

class Database extends Context.Tag("Database")<Database, { readonly url: string }>() {}
class Refused extends Error {
  readonly _tag = "Refused"
}

interface Answer {
  readonly text: string
  readonly tokens: { readonly input: number; readonly output: number }
}

declare const effect: Effect.Effect<Answer, Refused, Database>
declare const below: Effect.Effect<Answer, Refused, Database | Tracer.ParentSpan>
declare const client: HttpClient.HttpClient
declare const app: Effect.Effect<HttpServerResponse.HttpServerResponse, Refused, Database>
declare const stream: Stream.Stream<Answer, Refused, Database | Tracer.ParentSpan>

// Functions that are no effects: calling one says what is assignable, and nothing else.
const options = (options: Langfuse.ObserveOptions<Answer>): unknown => options
const plain = (options: Langfuse.PlainObserveOptions): unknown => options
const typed = (options: Langfuse.TypedOptions<Answer>): unknown => options
const eventOptions = (options: NonNullable<Parameters<typeof Langfuse.event>[1]>): unknown => options
const trace = (trace: Langfuse.Trace): unknown => trace
const score = (score: Langfuse.Score): unknown => score
const traceScore = (score: Parameters<typeof Langfuse.scoreTrace>[0]): unknown => score
const tracer = (options: LangfuseTracer.Options): unknown => options

describe("observe", () => {
  test("leaves result, error and requirements as they are, and provides the parent span", () => {
    expect(Langfuse.observe(effect, "a")).type.toBe<Effect.Effect<Answer, Refused, Database>>()
    expect(effect.pipe(Langfuse.observe("a"))).type.toBe<Effect.Effect<Answer, Refused, Database>>()
    expect(effect.pipe(Langfuse.observe("a", {}))).type.toBe<Effect.Effect<Answer, Refused, Database>>()
    expect(below.pipe(Langfuse.observe("a", { type: "tool", input: 1 }))).type.toBe<
      Effect.Effect<Answer, Refused, Database>
    >()
    expect(Langfuse.observe(below, "a", { output: (answer) => answer.text })).type.toBe<
      Effect.Effect<Answer, Refused, Database>
    >()
    expect(below.pipe(Langfuse.observe("a", { output: (answer) => answer.text }))).type.toBe<
      Effect.Effect<Answer, Refused, Database>
    >()
  })

  test("a combinator made beforehand fits any effect", () => {
    const traced = Langfuse.observe("a", { type: "agent", metadata: { k: 1 } })
    expect(traced(effect)).type.toBe<Effect.Effect<Answer, Refused, Database>>()
    expect(traced(Effect.succeed(1))).type.toBe<Effect.Effect<number>>()
    const tool = Langfuse.tool("a")
    expect(tool(below)).type.toBe<Effect.Effect<Answer, Refused, Database>>()
  })

  test("functions are given the result", () => {
    const generation = effect.pipe(
      Langfuse.generation("a", {
        model: (answer) => {
          expect(answer).type.toBe<Answer>()
          return answer.text
        },
        usage: ({ tokens }) => tokens,
        cost: ({ tokens }) => ({ total: tokens.input * 2 }),
        metadata: (answer) => ({ answer }),
        level: ({ text }) => text === "" ? "WARNING" : undefined,
        modelParameters: ({ text }) => ({ text }),
        completionStartTime: () => new Date(0)
      })
    )
    expect(generation).type.toBe<Effect.Effect<Answer, Refused, Database>>()
    const observed = Langfuse.observe(effect, "a", {
      type: "generation",
      output: (answer) => {
        expect(answer).type.toBe<Answer>()
        return answer
      },
      usage: (answer) => {
        expect(answer).type.toBe<Answer>()
        return undefined
      }
    })
    expect(observed).type.toBe<Effect.Effect<Answer, Refused, Database>>()
  })

  test("refuses what Langfuse has no word for", () => {
    expect(options).type.toBeCallableWith({ type: "tool", level: "ERROR", prompt: { name: "p", version: 1 } })
    for (const take of [options, plain]) {
      expect(take).type.not.toBeCallableWith({ type: "poem" })
      expect(take).type.not.toBeCallableWith({ level: "error" })
      expect(take).type.not.toBeCallableWith({ prompt: { name: "p" } })
      expect(take).type.not.toBeCallableWith({ output: "static" })
      expect(take).type.not.toBeCallableWith({ usage: { input: "many" } })
    }
    expect(plain).type.not.toBeCallableWith({ output: () => 1 })
    expect(plain).type.not.toBeCallableWith({ usage: () => ({}) })
    expect(typed).type.not.toBeCallableWith({ type: "tool" })
  })

  test("an input is a value, and no function", () => {
    const sendEmail = (to: string) => Effect.succeed(to)
    expect(Langfuse.tool).type.not.toBeCallableWith("t", { input: sendEmail })
    expect(Langfuse.tool).type.not.toBeCallableWith(effect, "t", { input: () => 1 })
    expect(Langfuse.observe).type.not.toBeCallableWith("t", { input: Refused })
    expect(Langfuse.observeStream).type.not.toBeCallableWith("t", { input: sendEmail })
    expect(Langfuse.update).type.not.toBeCallableWith({ input: sendEmail })
    expect(Langfuse.update).type.not.toBeCallableWith({ output: sendEmail })
    expect(Langfuse.event).type.not.toBeCallableWith("e", { input: sendEmail })
    const unknown: unknown = 1
    for (const input of [unknown, [1], new Date(), null, { a: sendEmail }]) {
      expect(Langfuse.tool).type.toBeCallableWith("t", { input })
    }
    expect(Langfuse.tool).type.toBeCallableWith("t", { input: JSON.parse("1") })
    expect(effect.pipe(Langfuse.tool("t", { input: unknown, output: ({ text }) => text }))).type.toBe<
      Effect.Effect<Answer, Refused, Database>
    >()
    expect(effect.pipe(Langfuse.tool("t", { input: { a: 1 }, statusMessage: ({ text }) => text }))).type.toBe<
      Effect.Effect<Answer, Refused, Database>
    >()
  })

  test("takes the usage objects of providers as they come", () => {
    const anthropic = { input_tokens: 1, output_tokens: 2, cache_read_input_tokens: null, service_tier: "standard" }
    const openai = {
      prompt_tokens: 1,
      completion_tokens: 2,
      total_tokens: 3,
      prompt_tokens_details: { cached_tokens: 0 },
      service_tier: "default"
    }
    for (const take of [options, plain]) {
      expect(take).type.toBeCallableWith({ usage: anthropic })
      expect(take).type.toBeCallableWith({ usage: openai })
      expect(take).type.toBeCallableWith({ usage: { input: 1, mine: undefined } })
    }
  })

  test("all short forms are alike", () => {
    for (
      const short of [
        Langfuse.generation,
        Langfuse.agent,
        Langfuse.tool,
        Langfuse.chain,
        Langfuse.retriever,
        Langfuse.embedding,
        Langfuse.evaluator,
        Langfuse.guardrail
      ]
    ) {
      expect(short(below, "a", { output: ({ text }) => text })).type.toBe<Effect.Effect<Answer, Refused, Database>>()
      expect(below.pipe(short("a", { output: ({ text }) => text }))).type.toBe<
        Effect.Effect<Answer, Refused, Database>
      >()
    }
  })

  test("an event is an effect of its own", () => {
    expect(Langfuse.event("a", { input: 1, output: 2 })).type.toBe<Effect.Effect<void>>()
    expect(eventOptions).type.not.toBeCallableWith({ model: "m" })
  })
})

describe("observeStream", () => {
  test("leaves element, error and requirements as they are, and provides the parent span", () => {
    expect(Langfuse.observeStream(stream, "a")).type.toBe<Stream.Stream<Answer, Refused, Database>>()
    expect(stream.pipe(Langfuse.observeStream("a", { type: "generation", maxElements: 10 }))).type.toBe<
      Stream.Stream<Answer, Refused, Database>
    >()
    expect(stream.pipe(Langfuse.observeStream("a", {
      output: (answers) => {
        expect(answers).type.toBe<ReadonlyArray<Answer>>()
        return answers.length
      },
      usage: (answers) => answers.at(-1)?.tokens
    }))).type.toBe<Stream.Stream<Answer, Refused, Database>>()
    const observed = Langfuse.observeStream(stream, "a", {
      output: (answers) => {
        expect(answers).type.toBe<ReadonlyArray<Answer>>()
        return answers.length
      }
    })
    expect(observed).type.toBe<Stream.Stream<Answer, Refused, Database>>()
  })
})

describe("the trace", () => {
  test("withTrace changes no type", () => {
    expect(Langfuse.withTrace(below, { name: "t" })).type.toBe<
      Effect.Effect<Answer, Refused, Database | Tracer.ParentSpan>
    >()
    expect(below.pipe(Langfuse.withTrace({ tags: ["a"], metadata: { k: 1 }, public: true }))).type.toBe<
      Effect.Effect<Answer, Refused, Database | Tracer.ParentSpan>
    >()
    expect(trace).type.not.toBeCallableWith({ tags: "a" })
  })

  test("withTrace and flushAfter take streams as well", () => {
    expect(stream.pipe(Langfuse.withTrace({ userId: "u", newTrace: true }))).type.toBe<
      Stream.Stream<Answer, Refused, Database | Tracer.ParentSpan>
    >()
    expect(Langfuse.withTrace(stream, { userId: "u" })).type.toBe<
      Stream.Stream<Answer, Refused, Database | Tracer.ParentSpan>
    >()
    expect(stream.pipe(Langfuse.flushAfter)).type.toBe<
      Stream.Stream<Answer, Refused, Database | Tracer.ParentSpan | LangfuseIngest.LangfuseIngest>
    >()
    expect(effect.pipe(Langfuse.flushAfter)).type.toBe<
      Effect.Effect<Answer, Refused, Database | LangfuseIngest.LangfuseIngest>
    >()
  })

  test("goes along as baggage", () => {
    expect(Langfuse.withBaggage(client)).type.toBe<HttpClient.HttpClient>()
    expect(Langfuse.acceptBaggage(app)).type.toBe<
      Effect.Effect<
        HttpServerResponse.HttpServerResponse,
        Refused,
        Database | HttpServerRequest.HttpServerRequest
      >
    >()
  })

  test("what is known of it needs nothing", () => {
    expect(Langfuse.currentTraceId).type.toBe<Effect.Effect<Option.Option<string>>>()
    expect(Langfuse.currentObservationId).type.toBe<Effect.Effect<Option.Option<string>>>()
    expect(Langfuse.traceUrl()).type.toBe<Effect.Effect<Option.Option<string>>>()
    expect(Langfuse.update({ output: 1, model: "m" })).type.toBe<Effect.Effect<void>>()
    expect(Langfuse.updateTrace({ userId: "u" })).type.toBe<Effect.Effect<void>>()
  })

  test("flushAfter needs the ingest service, and nothing else", () => {
    expect(Langfuse.flushAfter(effect)).type.toBe<
      Effect.Effect<Answer, Refused, Database | LangfuseIngest.LangfuseIngest>
    >()
  })
})

describe("score", () => {
  test("never fails, and needs the ingest service", () => {
    expect(Langfuse.score({ name: "n", value: 1 })).type.toBe<
      Effect.Effect<boolean, never, LangfuseIngest.LangfuseIngest>
    >()
    expect(Langfuse.scoreTrace({ name: "n", value: 1 })).type.toBe<
      Effect.Effect<boolean, never, LangfuseIngest.LangfuseIngest>
    >()
  })

  test("takes values of every type, and targets of every kind", () => {
    expect(score).type.toBeCallableWith({ name: "n", value: true })
    expect(score).type.toBeCallableWith({ name: "n", value: "good" })
    expect(score).type.toBeCallableWith({ name: "n", dataType: "BOOLEAN", value: 1 })
    expect(score).type.toBeCallableWith({ name: "n", dataType: "TEXT", value: "x", traceId: "t" })
    expect(score).type.toBeCallableWith({ dataType: "CORRECTION", value: "x" })
    expect(score).type.toBeCallableWith({ name: "n", value: 1, traceId: "t", observationId: "o" })
    expect(score).type.toBeCallableWith({ name: "n", value: 1, sessionId: "s" })
    expect(score).type.toBeCallableWith({ name: "n", value: 1, datasetRunId: "d" })
    expect(score).type.toBeCallableWith({ name: "n", value: 1, source: "ANNOTATION", configId: "c" })
  })

  test("refuses what Langfuse would refuse, or drop without a word", () => {
    expect(score).type.not.toBeCallableWith({ value: 1 })
    expect(score).type.not.toBeCallableWith({ name: "n" })
    expect(score).type.not.toBeCallableWith({ name: "n", dataType: "NUMERIC", value: "1" })
    expect(score).type.not.toBeCallableWith({ name: "n", dataType: "BOOLEAN", value: 2 })
    expect(score).type.not.toBeCallableWith({ name: "n", dataType: "CATEGORICAL", value: 1 })
    expect(score).type.not.toBeCallableWith({ name: "n", dataType: "CORRECTION", value: "x" })
    expect(score).type.not.toBeCallableWith({ dataType: "CORRECTION", value: "x", sessionId: "s" })
    expect(score).type.not.toBeCallableWith({ name: "n", value: 1, sessionId: "s", traceId: "t" })
    expect(score).type.not.toBeCallableWith({ name: "n", value: 1, observationId: "o" })
    expect(score).type.not.toBeCallableWith({ name: "n", value: 1, source: "ANNOTATION" })
    expect(traceScore).type.not.toBeCallableWith({ name: "n", value: 1, sessionId: "s" })
  })
})

describe("LangfuseTracer", () => {
  test("layers provide no service and need the ingest", () => {
    expect(LangfuseTracer.layer()).type.toBe<Layer.Layer<never, never, LangfuseIngest.LangfuseIngest>>()
    expect(LangfuseTracer.layer({})).type.toBe<Layer.Layer<never, never, LangfuseIngest.LangfuseIngest>>()
    expect(LangfuseTracer.layerTee({ filter: (span) => span.name !== "x", openSpanTimeout: "1 minute" })).type.toBe<
      Layer.Layer<never, never, LangfuseIngest.LangfuseIngest>
    >()
    expect(tracer).type.not.toBeCallableWith({ filter: "none" })
    expect(tracer).type.toBeCallableWith({ remoteParent: "link", remoteSampling: "ignore", spanEvents: false })
    expect(tracer).type.not.toBeCallableWith({ remoteParent: "follow" })
  })
})
