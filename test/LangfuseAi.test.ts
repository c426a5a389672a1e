import {
  AiError,
  Chat,
  EmbeddingModel,
  LanguageModel,
  Model,
  Prompt,
  Response,
  Telemetry,
  Tool,
  Toolkit
} from "@effect/ai"
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Chunk,
  Duration,
  Effect,
  Exit,
  FastCheck,
  Fiber,
  Layer,
  Schema,
  Stream,
  TestClock,
  Tracer
} from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"
import * as LangfuseAi from "effect-langfuse/LangfuseAi"
import { usageOf } from "../src/core/item/usage.js"
import { Answer } from "../src/internal/ai/answer.js"
import * as Files from "../src/internal/ai/files.js"
import * as Usage from "../src/internal/ai/usage.js"
import * as Ai from "./utils/ai.js"
import { turns } from "./utils/ingest.js"

const boom = new AiError.UnknownError({ module: "Test", method: "test", description: "boom" })

const isBoom = (exit: Exit.Exit<unknown, unknown>): void => {
  const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : exit
  assert.isTrue(error instanceof AiError.UnknownError && error.description === "boom")
}

/** A program over a scripted model that is decorated, and the spans it left. */
const run = <A, E>(
  program: Effect.Effect<A, E, LanguageModel.LanguageModel>,
  script: Parameters<typeof Ai.scripted>[0],
  options?: LangfuseAi.Options
) => {
  const recorder = Ai.recorder()
  return program.pipe(
    Effect.exit,
    Effect.provide([
      LangfuseAi.layerLanguageModel(options).pipe(Layer.provide(Ai.scripted(script))),
      recorder.layer
    ]),
    Effect.map((exit) => ({ ...recorder, exit }))
  )
}

const answer = (...parts: Array<Response.PartEncoded>) => ({ generateText: Effect.succeed([...parts, Ai.finish()]) })

const GetWeather = Tool.make("GetWeather", {
  description: "The weather in a city",
  parameters: { city: Schema.String, at: Schema.optional(Schema.Date) },
  success: Schema.Struct({ degrees: Schema.Number, seen: Schema.Date }),
  failure: Schema.Struct({ reason: Schema.String }),
  failureMode: "return"
})
const Strict = Tool.make("Strict", {
  parameters: { amount: Schema.Number },
  success: Schema.String,
  failure: Schema.String
})
const Tools = Toolkit.make(GetWeather, Strict)
const seen = new Date("2026-11-23T12:00:00.000Z")
const toolsLayer = Tools.toLayer({
  GetWeather: ({ city }) =>
    city === "Atlantis"
      ? Effect.fail({ reason: "no such city" })
      : Effect.succeed({ degrees: 21, seen }).pipe(Effect.withSpan("lookup")),
  Strict: ({ amount }) => amount > 9 ? Effect.fail("too much") : Effect.succeed(`paid ${amount}`)
})

const weatherTool = {
  type: "function",
  function: {
    name: "GetWeather",
    description: "The weather in a city",
    parameters: {
      type: "object",
      required: ["city"],
      properties: {
        city: { type: "string" },
        at: { type: "string", description: "a string to be decoded into a Date" }
      },
      additionalProperties: false
    }
  }
}

describe("generateText", () => {
  it.effect("is one generation with the prompt, the answer, the model and the tokens", () =>
    Effect.gen(function*() {
      const recorder = yield* run(
        LanguageModel.generateText({ prompt: "Why is the sky blue?" }).pipe(Effect.withSpan("request")),
        answer(
          { type: "response-metadata", id: "resp_1", modelId: "gpt-4o-2024-08-06", timestamp: undefined },
          Ai.text("Because of "),
          Ai.text("Rayleigh scattering.")
        )
      )
      const [generation, ...others] = recorder.observations()
      assert.deepStrictEqual(others, [])
      assert.deepInclude(generation, {
        name: "LanguageModel.generateText",
        type: "generation",
        input: [{ role: "user", content: "Why is the sky blue?" }],
        output: { role: "assistant", content: "Because of Rayleigh scattering." },
        model: "gpt-4o-2024-08-06",
        usage: { input: 10, output: 5, total: 15 },
        level: undefined,
        metadata: { finish_reason: "stop" }
      })
      assert.deepStrictEqual(recorder.spans.map((span) => span.name), ["request", "LanguageModel.generateText"])
      assert.strictEqual(generation?.span.parentId, recorder.one("request").spanId)
    }))

  it.effect("shows every kind of message it was asked with", () =>
    Effect.gen(function*() {
      const pixels = new Uint8Array(1234)
      const { observations } = yield* run(
        LanguageModel.generateText({
          prompt: [
            { role: "system", content: "Be brief." },
            {
              role: "user",
              content: [
                { type: "text", text: "What is this?" },
                { type: "file", mediaType: "image/png", data: pixels },
                { type: "file", mediaType: "image/png", data: new URL("https://example.com/cat.png") },
                { type: "file", mediaType: "application/pdf", fileName: "a.pdf", data: "JVBERi0xLjQK".repeat(100) },
                { type: "file", mediaType: "application/pdf", data: "file-abc123" }
              ]
            },
            {
              role: "assistant",
              content: [
                { type: "reasoning", text: "Let me look." },
                { type: "text", text: "Looking." },
                { type: "tool-call", id: "c1", name: "Look", params: { at: "cat" } }
              ]
            },
            {
              role: "tool",
              content: [
                {
                  type: "tool-result",
                  id: "c1",
                  name: "Look",
                  isFailure: false,
                  result: { is: "a cat" },
                  providerExecuted: false
                }
              ]
            }
          ]
        }),
        answer(Ai.text("A cat."))
      )
      const [generation] = observations()
      assert.deepStrictEqual(generation?.input, [
        { role: "system", content: "Be brief." },
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "text", text: "<image/png, 1234 bytes>" },
            { type: "image_url", image_url: { url: "https://example.com/cat.png" } },
            { type: "text", text: "<a.pdf, application/pdf, 900 bytes>" },
            { type: "text", text: "<application/pdf, file-abc123>" }
          ]
        },
        {
          role: "assistant",
          content: "Looking.",
          thinking: [{ type: "thinking", content: "Let me look." }],
          tool_calls: [{ id: "c1", type: "function", function: { name: "Look", arguments: "{\"at\":\"cat\"}" } }]
        },
        { role: "tool", tool_call_id: "c1", name: "Look", content: "{\"is\":\"a cat\"}" }
      ])
    }))

  it.effect("shows the same for a prompt that is decoded already", () =>
    Effect.gen(function*() {
      const messages: ReadonlyArray<Prompt.MessageEncoded> = [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Hello" },
        { role: "assistant", content: "Hi" }
      ]
      const ask = (prompt: Prompt.RawInput) =>
        Effect.map(run(LanguageModel.generateText({ prompt }), answer(Ai.text("!"))), (ran) =>
          ran.observations()[0]?.input)
      assert.deepStrictEqual(yield* ask(Prompt.make(messages)), yield* ask(messages))
    }))

  it.effect("leaves a prompt that can be read only once to the model", () =>
    Effect.gen(function*() {
      const asked: Array<Prompt.Prompt> = []
      const once = function*(): Generator<Prompt.MessageEncoded> {
        yield { role: "user", content: "one" }
        yield { role: "user", content: "two" }
      }
      const { observations } = yield* run(LanguageModel.generateText({ prompt: once() }), {
        generateText: (options) => {
          asked.push(options.prompt)
          return Effect.succeed([Ai.text("ok")])
        }
      })
      assert.strictEqual(asked[0]?.content.length, 2)
      assert.deepStrictEqual(observations()[0]?.input, [
        { role: "user", content: "one" },
        { role: "user", content: "two" }
      ])
    }))

  it.effect("shows what was asked when it was asked", () =>
    Effect.gen(function*() {
      const messages: Array<Prompt.MessageEncoded> = [{ role: "user", content: "one" }]
      const { observations } = yield* run(LanguageModel.generateText({ prompt: messages }), {
        generateText: Effect.sync(() => {
          messages.push({ role: "user", content: "two" })
          return [Ai.text("ok")]
        })
      })
      assert.deepStrictEqual(observations()[0]?.input, [{ role: "user", content: "one" }])
    }))

  it.effect("shows reasoning, files, sources and the tools that the provider ran as a conversation", () =>
    Effect.gen(function*() {
      const Search = Tool.make("Search", { parameters: { q: Schema.String }, success: Schema.Array(Schema.String) })
      const kit = Toolkit.make(Search)
      const { observations } = yield* run(
        LanguageModel.generateText({ prompt: "draw", toolkit: kit }).pipe(
          Effect.provide(kit.toLayer({ Search: () => Effect.die("the provider runs it") }))
        ),
        answer(
          { type: "reasoning", text: "Thinking." },
          { ...Ai.toolCall("s1", "Search", { q: "cats" }), providerName: "web_search", providerExecuted: true },
          {
            type: "tool-result",
            id: "s1",
            name: "Search",
            isFailure: false,
            result: ["a cat"],
            providerName: "web_search",
            providerExecuted: true
          },
          { type: "file", mediaType: "image/png", data: "AAAA" },
          { type: "source", sourceType: "url", id: "u", url: "https://example.com/", title: "Cats" },
          Ai.text("Done.")
        )
      )
      assert.deepStrictEqual(observations()[0]?.output, [
        {
          role: "assistant",
          content: null,
          thinking: [{ type: "thinking", content: "Thinking." }],
          tool_calls: [{ id: "s1", type: "function", function: { name: "web_search", arguments: "{\"q\":\"cats\"}" } }]
        },
        { role: "tool", tool_call_id: "s1", name: "web_search", content: "[\"a cat\"]" },
        {
          role: "assistant",
          content: [{ type: "text", text: "<image/png, 3 bytes>" }, { type: "text", text: "Done." }],
          sources: [{ url: "https://example.com/", title: "Cats" }]
        }
      ])
    }))

  it.effect("joins results of tools that the provider ran to their calls in the history too", () =>
    Effect.gen(function*() {
      const { observations } = yield* run(
        LanguageModel.generateText({
          prompt: [
            { role: "user", content: [{ type: "file", mediaType: "audio/wav", data: new Uint8Array(3) }] },
            {
              role: "assistant",
              content: [
                { type: "reasoning", text: "Hm." },
                { type: "text", text: "Let me look." },
                { type: "tool-call", id: "1", name: "search", params: { q: 1 }, providerExecuted: true },
                {
                  type: "tool-result",
                  id: "1",
                  name: "search",
                  result: { r: 2 },
                  isFailure: false,
                  providerExecuted: true
                },
                { type: "reasoning", text: "" },
                { type: "text", text: "Found." },
                { type: "tool-call", id: "2", name: "own", params: "x", providerExecuted: false }
              ]
            },
            {
              role: "tool",
              content: [
                {
                  type: "tool-result",
                  id: "2",
                  name: "own",
                  result: null,
                  isFailure: true,
                  providerExecuted: false
                }
              ]
            }
          ]
        }),
        answer(Ai.text("yes"))
      )
      const call = (id: string, name: string, args: string) => ({
        id,
        type: "function",
        function: { name, arguments: args }
      })
      assert.deepStrictEqual(observations()[0]?.input, [
        { role: "user", content: [{ type: "text", text: "<audio/wav, 3 bytes>" }] },
        {
          role: "assistant",
          content: "Let me look.",
          thinking: [{ type: "thinking", content: "Hm." }],
          tool_calls: [call("1", "search", `{"q":1}`)]
        },
        { role: "tool", tool_call_id: "1", name: "search", content: `{"r":2}` },
        { role: "assistant", content: "Found.", tool_calls: [call("2", "own", "x")] },
        { role: "tool", tool_call_id: "2", name: "own", content: "null" }
      ])
    }))

  it.effect("shows what was asked when it fails, and fails with the same error", () =>
    Effect.gen(function*() {
      const { exit, observations } = yield* run(LanguageModel.generateText({ prompt: "hello" }), {
        generateText: Effect.fail(boom)
      })
      isBoom(exit)
      assert.deepInclude(observations()[0], {
        type: "generation",
        input: [{ role: "user", content: "hello" }],
        output: undefined,
        level: "ERROR",
        statusMessage: "UnknownError: Test.test: boom"
      })
    }))

  it.effect("is an ERROR after a defect and a WARNING after an interruption", () =>
    Effect.gen(function*() {
      const died = yield* run(LanguageModel.generateText({ prompt: "hello" }), {
        generateText: Effect.die(new Error("defect"))
      })
      assert.deepInclude(died.observations()[0], { level: "ERROR", statusMessage: "Error: defect" })

      const interrupted = yield* run(
        LanguageModel.generateText({ prompt: "hello" }).pipe(Effect.timeout("1 minute"), Effect.option),
        { generateText: TestClock.adjust("1 minute").pipe(Effect.zipRight(Effect.never)) }
      )
      assert.deepInclude(interrupted.observations()[0], {
        input: [{ role: "user", content: "hello" }],
        level: "WARNING",
        statusMessage: "interrupted"
      })
    }))

  it.effect("has its parameters from what the provider says and what the program asked for", () =>
    Effect.gen(function*() {
      const { observations } = yield* run(
        LanguageModel.generateText({ prompt: "hello", toolkit: Tools, toolChoice: { oneOf: ["GetWeather"] } }).pipe(
          Effect.provide(toolsLayer)
        ),
        {
          generateText: (options) => {
            Telemetry.addGenAIAnnotations(options.span, {
              system: "openai",
              request: { model: "gpt-4o", temperature: 0.5, maxTokens: 100, stopSequences: [] }
            })
            return Effect.succeed([Ai.text("ok")])
          }
        }
      )
      const [generation] = observations()
      assert.strictEqual(generation?.model, "gpt-4o")
      assert.deepStrictEqual(generation?.modelParameters, {
        temperature: 0.5,
        max_tokens: 100,
        tool_choice: "{\"oneOf\":[\"GetWeather\"]}"
      })
      assert.deepStrictEqual(generation?.input, {
        messages: [{ role: "user", content: "hello" }],
        tools: [weatherTool]
      })
    }))

  it.effect("shows what was asked when the tools cannot be had", () =>
    Effect.gen(function*() {
      const noTools: Effect.Effect<Toolkit.WithHandler<Record<never, never>>, string> = Effect.fail("no tools")
      const { exit, observations } = yield* run(
        LanguageModel.generateText({ prompt: "hello", toolkit: noTools }),
        answer(Ai.text("ok"))
      )
      assert.deepStrictEqual(exit, Exit.fail("no tools"))
      assert.deepInclude(observations()[0], { input: [{ role: "user", content: "hello" }], level: "ERROR" })
    }))

  it.effect("is one generation for a service that opens no span itself", () =>
    Effect.gen(function*() {
      const recorder = Ai.recorder()
      const bare: LanguageModel.Service = {
        generateText: () =>
          Effect.succeed(new LanguageModel.GenerateTextResponse([Response.textPart({ text: "bare" })])),
        generateObject: () => Effect.die("unused"),
        streamText: () => Stream.make(Response.textDeltaPart({ id: "1", delta: "bare" }))
      }
      const model = LangfuseAi.languageModel(bare)
      yield* model.generateText({ prompt: "a" }).pipe(Effect.provide(recorder.layer))
      yield* Stream.runDrain(model.streamText({ prompt: "b" })).pipe(Effect.provide(recorder.layer))
      assert.deepStrictEqual(
        recorder.observations().map(({ name, output }) => [name, output]),
        ["LanguageModel.generateText", "LanguageModel.streamText"].map((name) => [
          name,
          { role: "assistant", content: "bare" }
        ])
      )
    }))

  it.effect("is one generation however often the service is decorated", () =>
    Effect.gen(function*() {
      const recorder = Ai.recorder()
      const decorated = LangfuseAi.layerLanguageModel().pipe(
        Layer.provide(LangfuseAi.layerLanguageModel()),
        Layer.provide(Ai.scripted(answer(Ai.text("ok"))))
      )
      yield* LanguageModel.generateText({ prompt: "a" }).pipe(
        LangfuseAi.withTelemetry(),
        Effect.provide([decorated, recorder.layer])
      )
      assert.strictEqual(recorder.spans.length, 1)
    }))

  it.effect("lets a call within a tool be a generation of its own", () =>
    Effect.gen(function*() {
      const Ask = Tool.make("Ask", { success: Schema.String })
      const kit = Toolkit.make(Ask)
      let calls = 0
      const recorder = yield* run(
        LanguageModel.generateText({ prompt: "outer", toolkit: kit }).pipe(
          Effect.provide(Layer.unwrapEffect(Effect.map(LanguageModel.LanguageModel, (model) =>
            kit.toLayer({
              Ask: () =>
                model.generateText({ prompt: "inner" }).pipe(Effect.map((response) => response.text), Effect.orDie)
            }))))
        ),
        {
          generateText: () =>
            Effect.sync(() => calls++ === 0 ? [Ai.toolCall("c", "Ask", {}), Ai.finish()] : [Ai.text("42"), Ai.finish()])
        }
      )
      const [outer, tool, inner] = recorder.observations()
      assert.deepStrictEqual(recorder.spans.length, 3)
      assert.deepStrictEqual([outer?.type, tool?.type, inner?.type], ["generation", "tool", "generation"])
      assert.deepStrictEqual([tool?.span.parentId, inner?.span.parentId], [outer?.span.spanId, tool?.span.spanId])
      assert.deepStrictEqual(inner?.output, { role: "assistant", content: "42" })
      assert.strictEqual(tool?.span.attributes.get("langfuse.observation.output"), "42")
    }))

  it.effect("gives a call that outlives it in a fiber a span of its own", () =>
    Effect.gen(function*() {
      const recorder = Ai.recorder()
      const gate = yield* Effect.makeLatch()
      const inner: LanguageModel.Service = yield* LanguageModel.make({
        generateText: () => Effect.succeed([Ai.text("late")]),
        streamText: () => Stream.empty
      })
      let late: Fiber.Fiber<unknown, unknown> | undefined
      const bare: LanguageModel.Service = {
        ...inner,
        generateText: () =>
          Effect.map(
            Effect.forkDaemon(Effect.zipRight(gate.await, inner.generateText({ prompt: "late" }))),
            (fiber) => {
              late = fiber
              return new LanguageModel.GenerateTextResponse([])
            }
          )
      }
      yield* LangfuseAi.languageModel(bare).generateText({ prompt: "first" }).pipe(Effect.provide(recorder.layer))
      yield* gate.open
      if (late !== undefined) yield* Fiber.join(late)
      assert.deepStrictEqual(
        recorder.named("LanguageModel.generateText").map((span) => [span.exits.length, span.late]),
        [[1, []], [1, []]]
      )
    }))
})

describe("generateObject", () => {
  const Person = Schema.Struct({ name: Schema.String, age: Schema.NumberFromString })

  it.effect("shows the object", () =>
    Effect.gen(function*() {
      const { exit, observations } = yield* run(
        LanguageModel.generateObject({ prompt: "who?", schema: Person, objectName: "person" }),
        answer(Ai.text("{\"name\":\"Ada\","), Ai.text("\"age\":\"36\"}"))
      )
      assert.deepStrictEqual(Exit.map(exit, (response) => response.value), Exit.succeed({ name: "Ada", age: 36 }))
      assert.deepInclude(observations()[0], {
        name: "LanguageModel.generateObject",
        type: "generation",
        output: { name: "Ada", age: "36" },
        modelParameters: { response_format: "json" },
        usage: { input: 10, output: 5, total: 15 }
      })
      assert.strictEqual(observations().length, 1)
    }))

  it.effect("shows the answer that was not the object asked for", () =>
    Effect.gen(function*() {
      const ask = (text: string) =>
        run(LanguageModel.generateObject({ prompt: "who?", schema: Person }), answer(Ai.text(text)))
      const wrong = yield* ask("{\"name\":1}")
      assert.isTrue(Exit.isFailure(wrong.exit))
      assert.deepInclude(wrong.observations()[0], { output: { name: 1 }, level: "ERROR" })
      const prose = yield* ask("I do not know.")
      assert.strictEqual(prose.spans[0]?.attributes.get("langfuse.observation.output"), "I do not know.")
    }))
})

describe("streamText", () => {
  const deltas: ReadonlyArray<Response.StreamPartEncoded> = [
    { type: "response-metadata", id: "resp_1", modelId: "claude-sonnet-4", timestamp: undefined },
    { type: "reasoning-start", id: "0" },
    { type: "reasoning-delta", id: "0", delta: "Hm" },
    { type: "reasoning-delta", id: "0", delta: "m." },
    { type: "reasoning-end", id: "0" },
    { type: "text-start", id: "0" },
    { type: "text-start", id: "1" },
    { type: "text-delta", id: "0", delta: "Hello" },
    { type: "text-delta", id: "1", delta: "again" },
    { type: "text-delta", id: "0", delta: ", " },
    { type: "text-end", id: "0" },
    { type: "text-end", id: "1" }
  ]
  const whole = {
    role: "assistant",
    content: "Hello, again",
    thinking: [{ type: "thinking", content: "Hmm." }]
  }
  const everything = Stream.fromIterable([...deltas, Ai.finish()]).pipe(Stream.rechunk(1))
  const drain = LanguageModel.streamText({ prompt: "hello" }).pipe(Stream.runDrain)

  it.effect("is one generation with its deltas put together", () =>
    Effect.gen(function*() {
      const recorder = yield* run(drain, { streamText: everything })
      assert.strictEqual(recorder.spans.length, 1)
      assert.deepInclude(recorder.observations()[0], {
        name: "LanguageModel.streamText",
        type: "generation",
        input: [{ role: "user", content: "hello" }],
        output: whole,
        model: "claude-sonnet-4",
        usage: { input: 10, output: 5, total: 15 },
        level: undefined,
        metadata: { finish_reason: "stop" }
      })
    }))

  it.effect("gives the program the same parts in the same chunks, pulled when it wants them", () =>
    Effect.gen(function*() {
      const chunksOf = (decorate: (model: LanguageModel.Service) => LanguageModel.Service) =>
        Effect.gen(function*() {
          const log: Array<string> = []
          const source = Stream.fromChunks(...[[0, 1], [2], [], [3, 4, 5]].map((ids) =>
            Chunk.unsafeFromArray(ids.map((id) => Response.textDeltaPart({ id: "1", delta: String(id) })))
          )).pipe(Stream.mapChunks((chunk) => {
            log.push(`made ${chunk.length}`)
            return chunk
          }))
          const bare: LanguageModel.Service = {
            generateText: () =>
              Effect.die("unused"),
            generateObject: () => Effect.die("unused"),
            streamText: () => source
          }
          yield* decorate(bare).streamText({ prompt: "a" }).pipe(
            Stream.chunks,
            Stream.runForEach((chunk) => Effect.sync(() => log.push(`got ${chunk.length}`)))
          )
          return log
        })
      assert.deepStrictEqual(yield* chunksOf(LangfuseAi.languageModel), yield* chunksOf((model) => model))
    }))

  it.effect("notes when the first token came, not the first part", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.parse("2026-11-23T12:00:00.000Z"))
      const at = (parts: ReadonlyArray<Response.StreamPartEncoded>) =>
        run(drain, {
          streamText: Stream.fromIterable(parts).pipe(
            Stream.rechunk(1),
            Stream.mapEffect((part) => Effect.as(TestClock.adjust("1 second"), part))
          )
        }).pipe(
          Effect.map(({ observations }) => observations()[0]?.completionStartTime),
          Effect.ensuring(TestClock.setTime(Date.parse("2026-11-23T12:00:00.000Z")))
        )
      assert.strictEqual(yield* at(deltas), "2026-11-23T12:00:03.000Z")
      assert.strictEqual(yield* at(deltas.slice(4)), "2026-11-23T12:00:04.000Z")
      assert.strictEqual(yield* at(deltas.slice(0, 2)), undefined)
      const Look = Tool.make("Look", { success: Schema.String })
      const kit = Toolkit.make(Look)
      const calling = yield* run(
        LanguageModel.streamText({ prompt: "a", toolkit: kit, disableToolCallResolution: true }).pipe(
          Stream.runDrain,
          Effect.provide(kit.toLayer({ Look: () => Effect.succeed("") }))
        ),
        {
          streamText: Stream.make<[Response.StreamPartEncoded, Response.StreamPartEncoded]>(
            { type: "tool-params-start", id: "c", name: "Look", providerExecuted: false },
            { type: "tool-params-delta", id: "c", delta: "{" }
          )
        }
      )
      assert.deepInclude(calling.observations()[0], {
        completionStartTime: "2026-11-23T12:00:00.000Z",
        output: {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "c", type: "function", function: { name: "Look", arguments: "{" } }]
        }
      })
    }))

  it.effect("shows what had arrived when it fails, and fails with the same error", () =>
    Effect.gen(function*() {
      const { exit, observations, one } = yield* run(drain, {
        streamText: Stream.concat(Stream.fromIterable(deltas), Stream.fail(boom))
      })
      isBoom(exit)
      assert.deepInclude(observations()[0], {
        input: [{ role: "user", content: "hello" }],
        output: whole,
        level: "ERROR",
        statusMessage: "UnknownError: Test.test: boom"
      })
      assert.isTrue(one("LanguageModel.streamText").exits.every(Exit.isFailure))
    }))

  it.effect("shows what had arrived when it is interrupted", () =>
    Effect.gen(function*() {
      const arrived = yield* Effect.makeLatch()
      const recorder = yield* run(
        Effect.gen(function*() {
          const fiber = yield* Effect.fork(
            LanguageModel.streamText({ prompt: "hello" }).pipe(
              Stream.runForEach((part) => part.type === "text-delta" ? arrived.open : Effect.void)
            )
          )
          yield* arrived.await
          yield* Fiber.interrupt(fiber)
        }),
        { streamText: Stream.concat(Stream.fromIterable(deltas), Stream.never) }
      )
      assert.deepInclude(recorder.observations()[0], { output: whole, level: "WARNING", statusMessage: "interrupted" })
    }))

  it.effect("shows what was read when it is left early", () =>
    Effect.gen(function*() {
      const taken = yield* run(LanguageModel.streamText({ prompt: "a" }).pipe(Stream.take(3), Stream.runDrain), {
        streamText: everything
      })
      assert.deepInclude(taken.observations()[0], {
        output: { role: "assistant", content: "", thinking: [{ type: "thinking", content: "Hm" }] },
        level: "DEFAULT",
        statusMessage: "the stream was not read to its end"
      })
      const failed = yield* run(
        LanguageModel.streamText({ prompt: "a" }).pipe(Stream.runForEach(() => Effect.fail("mine"))),
        { streamText: everything }
      )
      assert.deepStrictEqual(failed.exit, Exit.fail("mine"))
      assert.deepInclude(failed.observations()[0], {
        level: "WARNING",
        statusMessage: "the stream was not read to its end: its reader failed"
      })
    }))

  it.effect("does not take a failure of its reader for one of the model that has answered", () =>
    Effect.gen(function*() {
      const { observations } = yield* run(
        LanguageModel.streamText({ prompt: "a" }).pipe(
          Stream.runForEach((part) => part.type === "finish" ? Effect.fail("mine") : Effect.void)
        ),
        { streamText: everything }
      )
      assert.deepInclude(observations()[0], {
        output: whole,
        level: "DEFAULT",
        statusMessage: "the answer is complete: its reader failed"
      })
    }))

  it.effect("is an ERROR when the provider puts one in the stream", () =>
    Effect.gen(function*() {
      const { exit, observations } = yield* run(drain, {
        streamText: Stream.fromIterable<Response.StreamPartEncoded>([
          ...deltas,
          { type: "error", error: { _tag: "Overloaded", message: "try later" } },
          Ai.finish()
        ])
      })
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepInclude(observations()[0], { output: whole, level: "ERROR", statusMessage: "Overloaded: try later" })
    }))

  it.effect("has the tools it calls below it, as text that is generated at once does", () =>
    Effect.gen(function*() {
      const recorder = yield* run(
        LanguageModel.streamText({ prompt: "weather?", toolkit: Tools }).pipe(
          Stream.runCollect,
          Effect.provide(toolsLayer),
          Effect.withSpan("request")
        ),
        {
          streamText: Stream.make<[Response.StreamPartEncoded, Response.StreamPartEncoded]>(
            Ai.toolCall("c1", "GetWeather", { city: "Rome" }),
            Ai.finish()
          )
        }
      )
      const generation = recorder.one("LanguageModel.streamText")
      assert.strictEqual(recorder.one("GetWeather").parentId, generation.spanId)
      assert.strictEqual(generation.parentId, recorder.one("request").spanId)
      assert.deepStrictEqual(
        recorder.spans.map((span) => span.exits.length),
        recorder.spans.map(() => 1)
      )
      assert.deepStrictEqual(Ai.shown(generation).output, {
        role: "assistant",
        content: null,
        tool_calls: [
          { id: "c1", type: "function", function: { name: "GetWeather", arguments: "{\"city\":\"Rome\"}" } }
        ]
      })
    }))

  it.effect("is a generation each time it is run", () =>
    Effect.gen(function*() {
      const { observations } = yield* run(Effect.zip(drain, drain), { streamText: everything })
      assert.deepStrictEqual(observations().map(({ output }) => output), [whole, whole])
    }))

  describe("of many deltas", () => {
    const model = (count: number, onRead: () => void): LanguageModel.Service => ({
      generateText: () => Effect.die("unused"),
      generateObject: () => Effect.die("unused"),
      streamText: () =>
        Stream.range(1, count).pipe(
          Stream.rechunk(1),
          Stream.map((n) => {
            const part = Response.textDeltaPart({ id: "1", delta: `${n % 10}` })
            return Object.defineProperty(part, "delta", {
              get: () => {
                onRead()
                return `${n % 10}`
              }
            })
          })
        )
    })
    const stream = (service: LanguageModel.Service) => {
      const recorder = Ai.recorder()
      return Stream.runDrain(service.streamText({ prompt: "a" })).pipe(
        Effect.provide(recorder.layer),
        Effect.as(recorder)
      )
    }

    it.live("reads each of 20,000 once", () =>
      Effect.gen(function*() {
        let reads = 0
        const recorder = yield* stream(LangfuseAi.languageModel(model(20_000, () => reads++)))
        const { output } = Ai.shown(recorder.one("LanguageModel.streamText"))
        assert.strictEqual(reads, 20_000)
        assert.strictEqual(
          JSON.stringify(output).length,
          20_000 + JSON.stringify({ role: "assistant", content: "" }).length
        )
      }))

    it.live("does not become slower the more have come", () =>
      Effect.gen(function*() {
        const millis = (service: LanguageModel.Service) =>
          Effect.map(Effect.timed(stream(service)), ([duration]) => Duration.toMillis(duration))
        const plain = model(40_000, () => {})
        yield* millis(LangfuseAi.languageModel(model(2000, () => {})))
        const ratio = (yield* millis(LangfuseAi.languageModel(plain))) / (yield* millis(plain))
        // Copying all that came before with each delta makes it more than 30.
        assert.isBelow(ratio, 12)
      }))
  })
})

describe("tools", () => {
  const call = (name: string, params: unknown) =>
    run(
      LanguageModel.generateText({ prompt: "go", toolkit: Tools }).pipe(Effect.provide(toolsLayer)),
      answer(Ai.toolCall("c1", name, params))
    )

  it.effect("are observations with their arguments and encoded results, named after themselves", () =>
    Effect.gen(function*() {
      const recorder = yield* call("GetWeather", { city: "Rome" })
      const [generation, tool, ...others] = recorder.observations()
      assert.deepStrictEqual(others, [])
      assert.deepInclude(tool, {
        name: "GetWeather",
        type: "tool",
        input: { city: "Rome" },
        output: { degrees: 21, seen: "2026-11-23T12:00:00.000Z" },
        level: undefined,
        usage: undefined
      })
      assert.strictEqual(tool?.span.parentId, generation?.span.spanId)
      assert.deepStrictEqual(recorder.named("Toolkit.handle"), [])
      assert.strictEqual(recorder.one("lookup").parentId, tool?.span.spanId)
      assert.strictEqual(tool?.span.attributes.get("gen_ai.tool.name"), "GetWeather")
      assert.isFalse(tool?.span.attributes.has("parameters"))
    }))

  it.effect("are not part of the model's answer, but their calls are", () =>
    Effect.gen(function*() {
      const { exit, observations } = yield* call("GetWeather", { city: "Rome" })
      assert.strictEqual(Exit.isSuccess(exit) && exit.value.toolResults.length, 1)
      assert.deepStrictEqual(observations()[0]?.output, {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "c1", type: "function", function: { name: "GetWeather", arguments: "{\"city\":\"Rome\"}" } }]
      })
    }))

  it.effect("that fail are ERRORs, whether the model is told or the call fails", () =>
    Effect.gen(function*() {
      const returned = yield* call("GetWeather", { city: "Atlantis" })
      assert.isTrue(Exit.isSuccess(returned.exit))
      assert.deepInclude(returned.observations()[1], {
        name: "GetWeather",
        output: { reason: "no such city" },
        level: "ERROR",
        statusMessage: "{\"reason\":\"no such city\"}"
      })
      assert.deepInclude(returned.observations()[0], { type: "generation", level: undefined })

      const failed = yield* call("Strict", { amount: 10 })
      assert.deepStrictEqual(failed.exit, Exit.fail("too much"))
      assert.deepInclude(failed.observations()[1], {
        name: "Strict",
        input: { amount: 10 },
        output: undefined,
        level: "ERROR",
        statusMessage: "too much"
      })
    }))

  it.effect("show arguments that they do not take", () =>
    Effect.gen(function*() {
      const { exit, observations } = yield* call("Strict", { amount: "much" })
      assert.isTrue(Exit.isFailure(exit))
      const tool = observations()[1]
      assert.deepInclude(tool, { name: "Strict", input: { amount: "much" }, level: "ERROR" })
      assert.match(String(tool?.statusMessage), /^MalformedOutput: .*Failed to decode tool call parameters/s)
    }))

  it.effect("that run at the same time keep to their own observations", () =>
    Effect.gen(function*() {
      const { observations } = yield* run(
        LanguageModel.generateText({ prompt: "go", toolkit: Tools, concurrency: "unbounded" }).pipe(
          Effect.provide(Tools.toLayer({
            GetWeather: ({ city }) => Effect.as(Effect.yieldNow(), { degrees: city.length, seen }),
            Strict: ({ amount }) => Effect.as(Effect.yieldNow(), `paid ${amount}`)
          }))
        ),
        answer(
          Ai.toolCall("1", "GetWeather", { city: "Rome" }),
          Ai.toolCall("2", "Strict", { amount: 1 }),
          Ai.toolCall("3", "GetWeather", { city: "Lisbon" })
        )
      )
      const outputs = observations().slice(1).map(({ input, name, span }) => [
        name,
        input,
        span.attributes.get("langfuse.observation.output")
      ])
      assert.deepStrictEqual(outputs, [
        ["GetWeather", { city: "Rome" }, `{"degrees":4,"seen":"${seen.toISOString()}"}`],
        ["Strict", { amount: 1 }, "paid 1"],
        ["GetWeather", { city: "Lisbon" }, `{"degrees":6,"seen":"${seen.toISOString()}"}`]
      ])
    }))

  it.effect("that the program calls itself are observations with a decorated toolkit", () =>
    Effect.gen(function*() {
      const recorder = Ai.recorder()
      const program = Effect.gen(function*() {
        const fromEffect = yield* LangfuseAi.toolkit(Tools)
        yield* fromEffect.handle("Strict", { amount: 1 })
        const fromValue = LangfuseAi.toolkit(yield* Tools)
        yield* fromValue.handle("Strict", { amount: 2 })
        yield* LangfuseAi.toolkit(fromValue).handle("Strict", { amount: 3 })
      })
      yield* program.pipe(Effect.provide([toolsLayer, recorder.layer]))
      assert.deepStrictEqual(
        recorder.spans.map((span) => [span.name, span.attributes.get("langfuse.observation.output")]),
        [["Strict", "paid 1"], ["Strict", "paid 2"], ["Strict", "paid 3"]]
      )
    }))

  it.effect("keep what their handlers say about them", () =>
    Effect.gen(function*() {
      const { observations } = yield* run(
        LanguageModel.generateText({ prompt: "go", toolkit: Tools }).pipe(
          Effect.provide(Tools.toLayer({
            GetWeather: () => Effect.die("unused"),
            Strict: () =>
              Effect.as(
                Langfuse.update({ output: "in short", level: "WARNING", metadata: { cached: true } }),
                "at length"
              )
          }))
        ),
        answer(Ai.toolCall("c", "Strict", { amount: 1 }))
      )
      const tool = observations()[1]
      assert.strictEqual(tool?.span.attributes.get("langfuse.observation.output"), "in short")
      assert.deepInclude(tool, { level: "WARNING", metadata: { cached: true } })
    }))
})

describe("embeddings", () => {
  const embed = <A, E>(
    program: Effect.Effect<A, E, EmbeddingModel.EmbeddingModel>,
    options?: LangfuseAi.EmbeddingOptions,
    onRequest?: (input: ReadonlyArray<string>) => void
  ) => {
    const recorder = Ai.recorder()
    return program.pipe(
      Effect.provide([
        LangfuseAi.layerEmbeddingModel(options).pipe(Layer.provide(Ai.embeddings(3, onRequest))),
        recorder.layer
      ]),
      Effect.exit,
      Effect.map((exit) => ({ ...recorder, exit }))
    )
  }
  const withModel = <A, E>(f: (model: EmbeddingModel.Service) => Effect.Effect<A, E>) =>
    Effect.flatMap(EmbeddingModel.EmbeddingModel, f)

  it.effect("show the texts, and of the vectors their number and size", () =>
    Effect.gen(function*() {
      const one = yield* embed(withModel((model) => model.embed("hello")), { model: "text-embedding-3-small" })
      assert.deepStrictEqual(one.exit, Exit.succeed([0.125, 0.125, 0.125]))
      assert.strictEqual(one.spans.length, 1)
      const { span: _, ...embedding } = one.observations()[0] ?? assert.fail("no observation")
      assert.deepStrictEqual(embedding, {
        name: "EmbeddingModel.embed",
        type: "embedding",
        input: "hello",
        output: { vectors: 1, dimensions: 3 },
        model: "text-embedding-3-small",
        modelParameters: undefined,
        usage: undefined,
        cost: undefined,
        completionStartTime: undefined,
        level: undefined,
        statusMessage: undefined,
        metadata: { vectors: 1, dimensions: 3 }
      })
      const many = yield* embed(withModel((model) => model.embedMany(["a", "b"])))
      assert.deepInclude(many.observations()[0], {
        name: "EmbeddingModel.embedMany",
        input: ["a", "b"],
        output: { vectors: 2, dimensions: 3 },
        model: undefined
      })
    }))

  it.effect("are sent to the provider together as before", () =>
    Effect.gen(function*() {
      const requests: Array<ReadonlyArray<string>> = []
      const { exit, observations } = yield* embed(
        withModel((model) => Effect.forEach(["a", "b", "c"], model.embed, { batching: true })),
        {},
        (input) => requests.push(input)
      )
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepStrictEqual(requests, [["a", "b", "c"]])
      assert.deepStrictEqual(observations().map(({ input }) => input), ["a", "b", "c"])
    }))

  it.effect("show what was asked when they fail", () =>
    Effect.gen(function*() {
      const recorder = Ai.recorder()
      const failing = yield* EmbeddingModel.make({ embedMany: () => Effect.fail(boom) })
      const exit = yield* LangfuseAi.embeddingModel(failing).embed("hello").pipe(
        Effect.exit,
        Effect.provide(recorder.layer)
      )
      isBoom(exit)
      assert.deepInclude(recorder.observations()[0], { input: "hello", output: undefined, level: "ERROR" })
    }))
})

describe("content: metadata", () => {
  const secret = "s3cr3t"
  const hidden = (recorder: ReturnType<typeof Ai.recorder>) => {
    for (const span of recorder.spans) {
      for (const [name, value] of span.attributes) {
        assert.notInclude(JSON.stringify(value) ?? "", secret, `${span.name} has it in ${name}`)
      }
    }
  }
  const secretive = Toolkit.make(
    Tool.make("Secretive", {
      parameters: { text: Schema.String },
      success: Schema.String,
      failure: Schema.String,
      failureMode: "return"
    })
  )
  const talk = LanguageModel.generateText({ prompt: secret, toolkit: secretive }).pipe(
    Effect.provide(secretive.toLayer({ Secretive: ({ text }) => Effect.fail(text) }))
  )
  const script = answer(Ai.text(secret), Ai.toolCall("c", "Secretive", { text: secret }))

  it.effect("keeps all that was said off the spans of a decorated service, and the rest on them", () =>
    Effect.gen(function*() {
      const recorder = yield* run(talk, script, { content: "metadata" })
      hidden(recorder)
      const [generation, tool] = recorder.observations()
      assert.deepInclude(generation, {
        type: "generation",
        input: undefined,
        output: undefined,
        usage: { input: 10, output: 5, total: 15 },
        metadata: { finish_reason: "stop" }
      })
      assert.deepInclude(tool, { name: "Secretive", type: "tool", input: undefined, level: "ERROR" })
    }))

  it.effect("keeps them off streams, objects, embeddings and failures", () =>
    Effect.gen(function*() {
      const options = { content: "metadata" } as const
      const error = new AiError.UnknownError({ module: "Test", method: "test", description: secret })
      const streamed = yield* run(LanguageModel.streamText({ prompt: secret }).pipe(Stream.runDrain), {
        streamText: Stream.fromIterable<Response.StreamPartEncoded>([
          { type: "text-start", id: "1" },
          { type: "text-delta", id: "1", delta: secret }
        ]).pipe(Stream.concat(Stream.fail(error)))
      }, options)
      hidden(streamed)
      assert.deepInclude(streamed.observations()[0], {
        level: "ERROR",
        statusMessage: "UnknownError",
        completionStartTime: "1970-01-01T00:00:00.000Z"
      })
      const refused = yield* run(
        LanguageModel.generateObject({ prompt: secret, schema: Schema.Struct({ n: Schema.Number }) }),
        answer(Ai.text(`{"n":"${secret}"}`)),
        options
      )
      hidden(refused)
      assert.deepInclude(refused.observations()[0], { level: "ERROR", statusMessage: "MalformedOutput" })
      const recorder = Ai.recorder()
      yield* Effect.flatMap(EmbeddingModel.EmbeddingModel, (model) => model.embed(secret)).pipe(
        Effect.provide([
          LangfuseAi.layerEmbeddingModel(options).pipe(Layer.provide(Ai.embeddings(3))),
          recorder.layer
        ])
      )
      hidden(recorder)
      assert.deepInclude(recorder.observations()[0], { metadata: { vectors: 1, dimensions: 3 }, output: undefined })
    }))

  it.effect("holds for a single call of a service that is decorated without it", () =>
    Effect.gen(function*() {
      const discreet = yield* run(talk.pipe(LangfuseAi.withTelemetry({ content: "metadata" })), script)
      hidden(discreet)
      assert.strictEqual(discreet.observations().length, 2)
      const stream = yield* run(
        LanguageModel.streamText({ prompt: secret }).pipe(
          LangfuseAi.withTelemetryStream({ content: "metadata" }),
          Stream.runDrain
        ),
        { streamText: Stream.make(Ai.finish()) }
      )
      hidden(stream)
      assert.strictEqual(stream.observations().length, 1)
    }))

  it.effect("is not lifted by what surrounds a call", () =>
    Effect.gen(function*() {
      hidden(yield* run(talk.pipe(LangfuseAi.withTelemetry({ content: "full" })), script, { content: "metadata" }))
    }))
})

describe("the spans", () => {
  it.effect("end once, with the exit of the call, when all has been written", () =>
    Effect.gen(function*() {
      const deltas = Stream.make<[Response.StreamPartEncoded, Response.StreamPartEncoded]>(
        { type: "text-start", id: "1" },
        { type: "text-delta", id: "1", delta: "Hi" }
      )
      const calls = Effect.gen(function*() {
        yield* Effect.exit(LanguageModel.generateText({ prompt: "a", toolkit: Tools }))
        yield* Effect.exit(LanguageModel.generateObject({ prompt: "b", schema: Schema.Struct({ a: Schema.String }) }))
        yield* Effect.exit(Stream.runDrain(LanguageModel.streamText({ prompt: "c", toolkit: Tools })))
      }).pipe(Effect.provide(toolsLayer))
      const transformer: Telemetry.SpanTransformer = ({ span }) => span.attribute("mine", true)
      const scripts: ReadonlyArray<Parameters<typeof Ai.scripted>[0]> = [
        { ...answer(Ai.text("{\"a\":\"b\"}"), Ai.toolCall("c", "Strict", { amount: 1 })), streamText: deltas },
        { generateText: Effect.fail(boom), streamText: Stream.concat(deltas, Stream.fail(boom)) }
      ]
      for (const script of scripts) {
        const { spans } = yield* run(
          calls.pipe(Effect.provideService(Telemetry.CurrentSpanTransformer, transformer)),
          script
        )
        for (const span of spans) {
          assert.deepStrictEqual([span.name, span.late, span.exits.length], [span.name, [], 1])
        }
        const isFailing = script.generateText !== undefined && Effect.isEffect(script.generateText) &&
          Exit.isFailure(yield* Effect.exit(script.generateText))
        assert.strictEqual(spans[0]?.exits[0]?._tag, isFailing ? "Failure" : "Success")
      }
    }))

  it.effect("are those that a program's own transformer is given, and what it writes stays", () =>
    Effect.gen(function*() {
      const given: Array<Tracer.Span> = []
      const transformer: Telemetry.SpanTransformer = ({ response, span }) => {
        given.push(span)
        span.attribute("langfuse.observation.output", `mine of ${response.length}`)
      }
      const recorder = yield* run(
        LanguageModel.generateText({ prompt: "a" }).pipe(
          Effect.provideService(Telemetry.CurrentSpanTransformer, transformer)
        ),
        answer(Ai.text("ok"))
      )
      const generation = recorder.one("LanguageModel.generateText")
      assert.strictEqual(given[0]?.spanId, generation.spanId)
      assert.strictEqual(generation.attributes.get("langfuse.observation.output"), "mine of 2")
    }))

  it.effect("take the events, links and log lines of what runs within the call", () =>
    Effect.gen(function*() {
      const { one } = yield* run(
        LanguageModel.generateText({ prompt: "a" }),
        {
          generateText: (options) =>
            Effect.gen(function*() {
              options.span.event("asked", 1n)
              options.span.addLinks([{ _tag: "SpanLink", span: options.span, attributes: {} }])
              yield* Effect.logInfo("asking")
              return [Ai.text(String(options.span.status._tag)), Ai.finish()]
            })
        }
      )
      const generation = one("LanguageModel.generateText")
      assert.deepStrictEqual(generation.events, ["asked", "asking"])
      assert.strictEqual(generation.links.length, 1)
      assert.deepStrictEqual(Ai.shown(generation).output, { role: "assistant", content: "Started" })
    }))

  it.effect("do not turn options that were not given into attributes", () =>
    Effect.gen(function*() {
      const { spans } = yield* run(LanguageModel.generateText({ prompt: "a" }), answer(Ai.text("ok")))
      assert.deepStrictEqual([...spans[0]?.attributes.values() ?? []].filter((value) => value === undefined), [])
    }))

  it.effect("are not there when tracing is off", () =>
    Effect.gen(function*() {
      const recorder = yield* run(
        Effect.withTracerEnabled(
          Effect.zip(
            LanguageModel.generateText({ prompt: "a" }),
            Stream.runCollect(LanguageModel.streamText({ prompt: "a" }))
          ),
          false
        ),
        { ...answer(Ai.text("ok")), streamText: Stream.make(Ai.finish()) }
      )
      assert.isTrue(Exit.isSuccess(recorder.exit))
      assert.deepStrictEqual(recorder.spans, [])
    }))
})

describe("whatever goes wrong with a span", () => {
  const hostile = (broken: "attribute" | "attributes" | "everything"): Tracer.Tracer => {
    const refuse = () => {
      throw new Error("refused")
    }
    return Tracer.make({
      span: (name, parent, context, links, startTime, kind) => {
        const span: Tracer.Span = {
          _tag: "Span",
          name,
          spanId: "1",
          traceId: "1",
          parent,
          context,
          status: { _tag: "Started", startTime },
          attributes: new Map(),
          links,
          sampled: true,
          kind,
          // What Effect and `@effect/ai` themselves write has to pass, or no call would succeed.
          attribute: (key) => key.startsWith("langfuse.") ? refuse() : undefined,
          event: () => {},
          addLinks: () => {},
          end: () => {}
        }
        if (broken !== "attribute") Object.defineProperty(span, "attributes", { get: refuse })
        return broken === "everything" ? Object.freeze(span) : span
      },
      context: (f) => f()
    })
  }
  const calls = Effect.gen(function*() {
    const generated = yield* LanguageModel.generateText({ prompt: "a", toolkit: Tools })
    const object = yield* LanguageModel.generateObject({ prompt: "b", schema: Schema.Struct({ a: Schema.String }) })
    const streamed = yield* Stream.runCollect(LanguageModel.streamText({ prompt: "c" }))
    return [generated.content, object.value, Chunk.toReadonlyArray(streamed)]
  }).pipe(Effect.provide(toolsLayer))
  const script: Parameters<typeof Ai.scripted>[0] = {
    generateText: (options) =>
      Effect.succeed([
        Ai.text("{\"a\":\"b\"}"),
        ...options.tools.length > 0 ? [Ai.toolCall("c", "Strict", { amount: 1 })] : [],
        Ai.finish()
      ]),
    streamText: Stream.make(Ai.finish())
  }

  it.effect("the call gives what it gives undecorated", () =>
    Effect.gen(function*() {
      const expected = yield* calls.pipe(Effect.provide(Ai.scripted(script)))
      for (const broken of ["attribute", "attributes", "everything"] as const) {
        const actual = yield* calls.pipe(
          Effect.provide(LangfuseAi.layerLanguageModel().pipe(Layer.provide(Ai.scripted(script)))),
          Effect.withTracer(hostile(broken))
        )
        assert.deepStrictEqual(actual, expected)
      }
    }))

  it.effect("a transformer of the program that throws fails the call as before, and the call is recorded", () =>
    Effect.gen(function*() {
      const failing = LanguageModel.generateText({ prompt: "a" }).pipe(
        Effect.provideService(Telemetry.CurrentSpanTransformer, () => {
          throw new Error("mine")
        })
      )
      const { exit, observations } = yield* run(failing, answer(Ai.text("ok")))
      assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
      assert.deepInclude(observations()[0], { level: "ERROR", statusMessage: "Error: mine" })
    }))

  it.effect("values that cannot be read cost only themselves", () =>
    Effect.gen(function*() {
      const cyclic: Record<string, unknown> = {}
      cyclic["self"] = cyclic
      const thrower = {
        get boom(): never {
          throw new Error("no")
        }
      }
      const { exit, observations } = yield* run(
        LanguageModel.generateText({
          prompt: [
            { role: "user", content: "hello" },
            { role: "assistant", content: [{ type: "tool-call", id: "1", name: "X", params: cyclic }] },
            {
              role: "tool",
              content: [
                { type: "tool-result", id: "1", name: "X", isFailure: false, result: thrower, providerExecuted: false }
              ]
            }
          ]
        }),
        answer(Ai.text("ok"))
      )
      assert.isTrue(Exit.isSuccess(exit))
      const input = JSON.stringify(observations()[0]?.input)
      assert.include(input, "hello")
      assert.include(input, "circular")
      assert.include(input, "the getter threw")
    }))
})

describe("a program is decorated", () => {
  const recorded = <A, E>(program: Effect.Effect<A, E>) => {
    const recorder = Ai.recorder()
    return program.pipe(
      Effect.provide(recorder.layer),
      Effect.as(recorder)
    )
  }
  const ask = LanguageModel.generateText({ prompt: "a" })
  const plain = Ai.scripted({ ...answer(Ai.text("ok")), streamText: Stream.make(Ai.finish()) })

  it.effect("as a Model, which stays one", () =>
    Effect.gen(function*() {
      const scriptedModel = Model.make("scripted", plain)
      const decorated = LangfuseAi.model(scriptedModel)
      assert.strictEqual(decorated.provider, "scripted")
      const { observations } = yield* recorded(
        Effect.zipRight(ask, Model.ProviderName).pipe(
          Effect.tap((name) => assert.strictEqual(name, "scripted")),
          Effect.provide(decorated)
        )
      )
      assert.strictEqual(observations().length, 1)
      const yielded = yield* recorded(
        Effect.flatMap(decorated, (layer) => Effect.provide(ask, layer))
      )
      assert.strictEqual(yielded.observations().length, 1)
    }))

  it.effect("as an effect or a stream", () =>
    Effect.gen(function*() {
      for (
        const program of [
          LangfuseAi.withTelemetry(ask),
          ask.pipe(LangfuseAi.withTelemetry()),
          Stream.runDrain(LangfuseAi.withTelemetryStream(LanguageModel.streamText({ prompt: "a" }))),
          LanguageModel.streamText({ prompt: "a" }).pipe(LangfuseAi.withTelemetryStream(), Stream.runDrain)
        ]
      ) {
        const { observations } = yield* recorded(Effect.provide(program, plain))
        assert.deepStrictEqual(observations().map(({ type }) => type), ["generation"])
      }
    }))

  it.effect("as an effect that uses embeddings, or no model at all", () =>
    Effect.gen(function*() {
      const { observations } = yield* recorded(
        Effect.flatMap(EmbeddingModel.EmbeddingModel, (model) => model.embed("a")).pipe(
          LangfuseAi.withTelemetry({ model: "text-embedding-3-small" }),
          Effect.provide(Ai.embeddings(2))
        )
      )
      assert.deepInclude(observations()[0], { type: "embedding", model: "text-embedding-3-small" })
      assert.strictEqual(yield* LangfuseAi.withTelemetry(Effect.succeed(1)), 1)
    }))

  it.effect("through Chat, with its history in the input", () =>
    Effect.gen(function*() {
      const { observations, one } = yield* recorded(
        Effect.gen(function*() {
          const chat = yield* Chat.fromPrompt([{ role: "system", content: "Be brief." }])
          yield* chat.generateText({ prompt: "one" })
          yield* Stream.runDrain(chat.streamText({ prompt: "two" }))
        }).pipe(Effect.provide(LangfuseAi.layerLanguageModel().pipe(Layer.provide(plain))))
      )
      const [first, second, ...others] = observations()
      assert.deepStrictEqual(others, [])
      assert.strictEqual(first?.span.parentId, one("Chat.generateText").spanId)
      assert.strictEqual(second?.span.parentId, one("Chat.streamText").spanId)
      assert.deepStrictEqual(second?.input, [
        { role: "system", content: "Be brief." },
        { role: "user", content: "one" },
        { role: "assistant", content: "ok" },
        { role: "user", content: "two" }
      ])
    }))
})

describe("with LangfuseTracer", () => {
  interface Observation {
    readonly type: string
    readonly body: { readonly [field: string]: unknown }
  }

  const program = Effect.gen(function*() {
    yield* LanguageModel.generateText({ prompt: "weather?", toolkit: Tools }).pipe(Effect.provide(toolsLayer))
    yield* Effect.exit(Stream.runDrain(LanguageModel.streamText({ prompt: "stream" })))
  }).pipe(Langfuse.agent("assistant"), Langfuse.withTrace({ userId: "u1" }))
  const script: Parameters<typeof Ai.scripted>[0] = {
    ...answer(Ai.text("Let me look."), Ai.toolCall("c1", "GetWeather", { city: "Rome" })),
    streamText: Stream.make<[Response.StreamPartEncoded, Response.StreamPartEncoded]>(
      { type: "text-start", id: "1" },
      { type: "text-delta", id: "1", delta: "partial" }
    ).pipe(Stream.concat(Stream.fail(boom)))
  }
  const observationsOf = (tracer: Layer.Layer<never, never, LangfuseIngest.LangfuseIngest>) =>
    Effect.gen(function*() {
      yield* program.pipe(
        Effect.provide([
          LangfuseAi.layerLanguageModel().pipe(Layer.provide(Ai.scripted(script))),
          tracer
        ])
      )
      yield* turns()
      const events = yield* Effect.flatMap(LangfuseIngest.CapturedEvents, (captured) => captured.all)
      return events.filter((event) => event.type.endsWith("-create")).map((event): Observation => ({
        type: event.type,
        body: { ...event.body }
      }))
    }).pipe(Effect.provide(LangfuseIngest.layerMemory))

  const check = (
    observations: ReadonlyArray<Observation>
  ) => {
    const named = (name: string) => {
      const found = observations.filter((observation) => observation.body["name"] === name)
      assert.strictEqual(found.length, 1, name)
      return found[0] ?? assert.fail(name)
    }
    const agent = named("assistant")
    const generation = named("LanguageModel.generateText")
    const tool = named("GetWeather")
    const stream = named("LanguageModel.streamText")
    assert.strictEqual(observations.length, 4)
    assert.deepStrictEqual(
      [agent.type, generation.type, tool.type, stream.type],
      ["agent-create", "generation-create", "tool-create", "generation-create"]
    )
    assert.strictEqual(generation.body["parentObservationId"], agent.body["id"])
    assert.strictEqual(tool.body["parentObservationId"], generation.body["id"])
    assert.strictEqual(stream.body["parentObservationId"], agent.body["id"])
    assert.deepInclude(generation.body, { usageDetails: { input: 10, output: 5, total: 15 } })
    assert.isUndefined(agent.body["usageDetails"])
    assert.deepStrictEqual(tool.body["input"], { city: "Rome" })
    assert.deepStrictEqual(tool.body["output"], { degrees: 21, seen: "2026-11-23T12:00:00.000Z" })
    assert.deepInclude(stream.body, { level: "ERROR", statusMessage: "UnknownError: Test.test: boom" })
    assert.deepStrictEqual(stream.body["input"], [{ role: "user", content: "stream" }])
    assert.deepStrictEqual(stream.body["output"], { role: "assistant", content: "partial" })
    assert.strictEqual(stream.body["completionStartTime"], "1970-01-01T00:00:00.000Z")
  }

  it.effect("calls, tools and streams are observations in one tree", () =>
    Effect.gen(function*() {
      check(yield* observationsOf(LangfuseTracer.layer()))
    }))

  it.effect("and another tracer beside it, both have the same", () =>
    Effect.gen(function*() {
      const recorder = Ai.recorder()
      check(yield* observationsOf(LangfuseTracer.layerTee().pipe(Layer.provide(recorder.layer))))
      assert.deepStrictEqual(
        recorder.observations().map(({ name }) => name),
        ["assistant", "LanguageModel.generateText", "GetWeather", "LanguageModel.streamText"]
      )
      for (const span of recorder.spans) assert.deepStrictEqual([span.late, span.exits.length], [[], 1])
    }))
})

describe("usage", () => {
  const usageDetails = (tokens: Usage.Tokens, metadata: Usage.Metadata) => {
    const { text } = usageOf(Usage.usage(tokens, metadata))
    return text === undefined ? undefined : JSON.parse(text) as Record<string, number> // written from counts
  }
  const tokens = { inputTokens: 100, outputTokens: 20, totalTokens: 120 }

  it("takes cached and reasoning tokens out of counts that hold them", () => {
    assert.deepStrictEqual(
      usageDetails({ ...tokens, cachedInputTokens: 40, reasoningTokens: 5 }, { openai: {} }),
      { input: 60, input_cached_tokens: 40, output: 15, output_reasoning_tokens: 5, total: 120 }
    )
  })

  it("leaves Anthropic's input as it is and adds what was read from and written to the cache", () => {
    const metadata = {
      anthropic: {
        usage: {
          cache_creation_input_tokens: 300,
          cache_creation: { ephemeral_1h_input_tokens: 100, ephemeral_5m_input_tokens: 200 }
        }
      }
    }
    assert.deepStrictEqual(usageDetails({ ...tokens, cachedInputTokens: 40 }, metadata), {
      input: 100,
      input_cached_tokens: 40,
      input_cache_creation: 200,
      input_cache_creation_1h: 100,
      output: 20,
      total: 460
    })
  })

  it("adds Google's thoughts and the prompts of its tools", () => {
    assert.deepStrictEqual(
      usageDetails(
        { inputTokens: 100, outputTokens: 20, totalTokens: 157, reasoningTokens: 30, cachedInputTokens: 40 },
        { google: { usageMetadata: { toolUsePromptTokenCount: 7 } } }
      ),
      { input: 67, input_cached_tokens: 40, output: 20, output_reasoning_tokens: 30, total: 157 }
    )
    assert.deepStrictEqual(
      usageDetails({ ...tokens, reasoningTokens: 5 }, { google: {} }),
      { input: 100, output: 15, output_reasoning_tokens: 5, total: 120 }
    )
  })

  it("leaves out prompts of Google's tools that are more than a number holds", () =>
    assert.deepStrictEqual(
      usageDetails(
        { inputTokens: 1 },
        { google: { usageMetadata: { toolUsePromptTokenCount: Number.MAX_SAFE_INTEGER } } }
      ),
      { input: 1, total: 1 }
    ))

  it("adds what Bedrock read from and wrote to the cache", () => {
    assert.deepStrictEqual(
      usageDetails({ ...tokens, cachedInputTokens: 40 }, { bedrock: { usage: { cacheWriteInputTokens: 3 } } }),
      { input: 100, input_cached_tokens: 40, input_cache_creation: 3, output: 20, total: 163 }
    )
  })

  it("takes OpenRouter's cache out of the input, and its cost as it is charged", () => {
    const of = (usage: object) => ({ openrouter: { usage } })
    assert.deepStrictEqual(
      usageDetails(
        { ...tokens, cachedInputTokens: 40 },
        of({ promptTokensDetails: { cached_tokens: 40, cache_write_tokens: 10 } })
      ),
      { input: 50, input_cached_tokens: 40, input_cache_creation: 10, output: 20, total: 120 }
    )
    assert.deepStrictEqual(Usage.cost(of({ cost: 0.02 })), { total: 0.02 })
    assert.deepStrictEqual(
      Usage.cost(of({ cost: 0.02, costDetails: { upstream_inference_cost: 0.02 } })),
      { total: 0.02 }
    )
    assert.deepStrictEqual(
      Usage.cost(of({ cost: 1, costDetails: { upstream_inference_cost: 20 } })),
      { total: 21 }
    )
    assert.isUndefined(Usage.cost(of({ cost: Number.NaN })))
    assert.isUndefined(Usage.cost({}))
  })

  it("is nothing where nothing was told", () => {
    assert.isUndefined(usageDetails({ totalTokens: 0 }, { openai: {} }))
    assert.isUndefined(usageDetails({ inputTokens: Number.NaN, outputTokens: -1 }, {}))
    assert.deepStrictEqual(usageDetails({ totalTokens: 7 }, {}), { total: 7 })
  })

  const Count = FastCheck.oneof(
    FastCheck.nat(1000),
    FastCheck.constantFrom(undefined, null, -1, 1.5, Number.NaN, Infinity, "7", Number.MAX_SAFE_INTEGER)
  )
  const Provider = FastCheck.oneof(
    FastCheck.constant({}),
    FastCheck.record({ openai: FastCheck.constant({}) }),
    FastCheck.record({
      anthropic: FastCheck.record({
        usage: FastCheck.record({
          cache_creation_input_tokens: Count,
          cache_creation: FastCheck.option(FastCheck.record({ ephemeral_1h_input_tokens: Count }))
        })
      })
    }),
    FastCheck.record({
      google: FastCheck.record({
        usageMetadata: FastCheck.option(FastCheck.record({ toolUsePromptTokenCount: Count }))
      })
    }),
    FastCheck.record({ bedrock: FastCheck.record({ usage: FastCheck.record({ cacheWriteInputTokens: Count }) }) }),
    FastCheck.record({
      openrouter: FastCheck.record({
        usage: FastCheck.record({
          promptTokensDetails: FastCheck.option(FastCheck.record({ cache_write_tokens: Count }))
        })
      })
    })
  )
  const Tokens = FastCheck.record({
    inputTokens: Count,
    outputTokens: Count,
    totalTokens: Count,
    reasoningTokens: Count,
    cachedInputTokens: Count
  })

  it.prop(
    "is always counts of 0 or more with a total that is no less than their sum",
    [Tokens, Provider],
    ([tokens, provider]) => {
      const buckets = usageDetails(tokens, provider)
      if (buckets === undefined) return
      const { total, ...others } = buckets
      for (const count of Object.values(buckets)) assert.isTrue(Number.isSafeInteger(count) && count >= 0)
      if (total !== undefined) assert.isAtMost(Object.values(others).reduce((sum, count) => sum + count, 0), total)
    }
  )

  it.prop(
    "has OpenAI's total, however the tokens are divided",
    [FastCheck.nat(1000), FastCheck.nat(1000), FastCheck.double({ min: 0, max: 1, noNaN: true })],
    ([input, output, share]) => {
      const cached = Math.floor(input * share)
      const reasoning = Math.floor(output * share)
      const buckets = usageDetails({
        inputTokens: input,
        outputTokens: output,
        totalTokens: input + output,
        cachedInputTokens: cached,
        reasoningTokens: reasoning
      }, { openai: {} })
      assert.strictEqual(buckets?.["total"], input + output)
      assert.strictEqual(buckets?.["input"], input - cached)
      assert.strictEqual(buckets?.["output"], output - reasoning)
    }
  )

  it.prop(
    "has Google's total, thoughts and tool prompts included",
    [FastCheck.nat(1000), FastCheck.nat(1000), FastCheck.nat(1000), FastCheck.nat(1000)],
    ([input, output, thoughts, toolPrompts]) => {
      const total = input + output + thoughts + toolPrompts
      const buckets = usageDetails(
        { inputTokens: input, outputTokens: output, totalTokens: total, reasoningTokens: thoughts },
        { google: { usageMetadata: { toolUsePromptTokenCount: toolPrompts } } }
      )
      assert.strictEqual(buckets?.["total"], total)
    }
  )
})

describe("the parts of an answer", () => {
  const Cuts = FastCheck.array(FastCheck.string({ unit: "grapheme" }), { maxLength: 20 })

  it.prop("are the same whole and streamed, in whatever pieces", [Cuts, Cuts], ([thoughts, words]) => {
    const streamed = new Answer(true)
    const pieces = Math.max(thoughts.length, words.length)
    streamed.add(Response.reasoningStartPart({ id: "a" }))
    streamed.add(Response.textStartPart({ id: "a" }))
    for (let i = 0; i < pieces; i++) {
      const [thought, word] = [thoughts[i], words[i]]
      if (thought !== undefined) streamed.add(Response.reasoningDeltaPart({ id: "a", delta: thought }))
      if (word !== undefined) streamed.add(Response.textDeltaPart({ id: "a", delta: word }))
    }
    const whole = new Answer(true)
    whole.add(Response.reasoningPart({ text: thoughts.join("") }))
    whole.add(Response.textPart({ text: words.join("") }))
    assert.deepStrictEqual(streamed.message, whole.message)
  })

  it("are kept up to a bound, and what is beyond is counted", () => {
    const answer = new Answer(true)
    const piece = "x".repeat(1_000_000)
    for (let i = 0; i < 12; i++) answer.add(Response.textDeltaPart({ id: "1", delta: piece }))
    const content = (answer.message as { readonly content: string }).content // one message of text
    assert.strictEqual(String(content).replace(/^x+/, ""), "<4000000 more characters>")
    assert.strictEqual(String(content).indexOf("<"), 8_000_000)
  })

  it("are not held without content", () => {
    const answer = new Answer(false)
    answer.add(Response.textPart({ text: "secret" }))
    answer.add(Response.toolCallPart({ id: "1", name: "X", params: { a: "secret" }, providerExecuted: false }))
    assert.notInclude(JSON.stringify(answer), "secret")
    assert.isUndefined(answer.message)
  })
})

describe("files", () => {
  it("are links, ids of the provider, or a kind and a size", () => {
    const cases: ReadonlyArray<readonly [unknown, string]> = [
      ["https://example.com/a.pdf", "<application/pdf, https://example.com/a.pdf>"],
      ["https://me:s3cret@example.com/a.pdf", "<application/pdf, https://<redacted>@example.com/a.pdf>"],
      ["gs://bucket/a.pdf", "<application/pdf, gs://bucket/a.pdf>"],
      ["file-1", "<application/pdf, file-1>"],
      ["data:application/pdf;base64,AAAA", "<application/pdf, 3 bytes>"],
      [new URL("data:application/pdf;base64,AAA="), "<application/pdf, 2 bytes>"],
      [new Uint8Array(5), "<application/pdf, 5 bytes>"],
      [undefined, "<application/pdf>"]
    ]
    for (const [data, text] of cases) {
      assert.deepStrictEqual(Files.reference("application/pdf", undefined, data), { type: "text", text })
    }
    assert.deepStrictEqual(Files.reference("image/png", "cat.png", "https://example.com/cat.png"), {
      type: "image_url",
      image_url: { url: "https://example.com/cat.png" }
    })
  })

  it.prop("tell the size of base64", [FastCheck.uint8Array({ minLength: 100, maxLength: 400 })], ([bytes]) => {
    const base64 = Buffer.from(bytes).toString("base64")
    assert.deepStrictEqual(Files.reference("image/png", undefined, base64), {
      type: "text",
      text: `<image/png, ${bytes.length} bytes>`
    })
  })
})
