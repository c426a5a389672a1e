/**
 * Decorating changes no type: results, errors and requirements of every call are what they were.
 */
import type { EmbeddingModel } from "@effect/ai"
import { LanguageModel, Model, Tool, Toolkit } from "@effect/ai"
import * as LangfuseAi from "effect-langfuse/LangfuseAi"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { describe, expect, test } from "tstyche"

declare class Database {
  private readonly database: true
}
declare const database: Context.Tag<Database, { readonly find: (name: string) => string }>

const Find = Tool.make("Find", {
  parameters: { name: Schema.String },
  success: Schema.Number,
  failure: Schema.Struct({ reason: Schema.String }),
  dependencies: [database]
})
const Tools = Toolkit.make(Find)

declare const undecorated: LanguageModel.Service
const decorated = LangfuseAi.languageModel(undecorated)

describe("languageModel", () => {
  test("is a language model", () => {
    expect(decorated).type.toBe<LanguageModel.Service>()
  })

  test("has calls of the same types", () => {
    const options = { prompt: "hello", toolkit: Tools } as const
    expect(decorated.generateText(options)).type.toBe(undecorated.generateText(options))
    expect(decorated.streamText(options)).type.toBe(undecorated.streamText(options))
    const schema = Schema.Struct({ a: Schema.NumberFromString })
    expect(decorated.generateObject({ ...options, schema })).type.toBe(
      undecorated.generateObject({ ...options, schema })
    )
    expect(decorated.generateText({ prompt: "hello" })).type.toBe(undecorated.generateText({ prompt: "hello" }))
  })
})

describe("toolkit", () => {
  test("keeps tools, failures and requirements", () => {
    const toolkit = LangfuseAi.toolkit(Tools)
    expect(toolkit).type.toBe<
      Effect.Effect<Toolkit.WithHandler<{ readonly Find: typeof Find }>, never, Tool.Handler<"Find">>
    >()
    const call = (tools: Toolkit.WithHandler<{ readonly Find: typeof Find }>) => tools.handle("Find", { name: "a" })
    expect(Effect.flatMap(toolkit, call)).type.toBe(Effect.flatMap(Tools, call))
    expect(Effect.map(Tools, (tools) => LangfuseAi.toolkit(tools))).type.toBe(toolkit)
  })
})

describe("layers", () => {
  test("take and give a model", () => {
    expect(LangfuseAi.layerLanguageModel()).type.toBe<
      Layer.Layer<LanguageModel.LanguageModel, never, LanguageModel.LanguageModel>
    >()
    expect(LangfuseAi.layerEmbeddingModel({ model: "a" })).type.toBe<
      Layer.Layer<EmbeddingModel.EmbeddingModel, never, EmbeddingModel.EmbeddingModel>
    >()
  })

  test("keep what a Model provides and needs", () => {
    const model = Model.make("mine", Layer.effect(LanguageModel.LanguageModel, Effect.as(database, undecorated)))
    expect(LangfuseAi.model(model)).type.toBe<Model.Model<"mine", LanguageModel.LanguageModel, Database>>()
  })
})

describe("withTelemetry", () => {
  const call = LanguageModel.generateText({ prompt: "hello", toolkit: Tools })
  const stream = LanguageModel.streamText({ prompt: "hello", toolkit: Tools })

  test("keeps the type of an effect", () => {
    expect(LangfuseAi.withTelemetry(call)).type.toBe<typeof call>()
    expect(LangfuseAi.withTelemetry(call, { content: "metadata" })).type.toBe<typeof call>()
    expect(call.pipe(LangfuseAi.withTelemetry())).type.toBe<typeof call>()
    expect(call.pipe(LangfuseAi.withTelemetry({ content: "metadata" }))).type.toBe<typeof call>()
  })

  test("keeps the type of a stream", () => {
    expect(LangfuseAi.withTelemetryStream(stream)).type.toBe<typeof stream>()
    expect(stream.pipe(LangfuseAi.withTelemetryStream(), Stream.runDrain)).type.toBe(Stream.runDrain(stream))
  })

  test("takes no other content", () => {
    expect(LangfuseAi.withTelemetry).type.not.toBeCallableWith(call, { content: "none" })
    expect(LangfuseAi.languageModel).type.not.toBeCallableWith(undecorated, { content: true })
  })
})
