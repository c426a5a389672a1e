/**
 * The provider packages of `@effect/ai`, answered by a fake HTTP client in the shapes that the providers document.
 */
import { AiError, EmbeddingModel, LanguageModel, Tool, Toolkit } from "@effect/ai"
import { AmazonBedrockClient, AmazonBedrockLanguageModel } from "@effect/ai-amazon-bedrock"
import { AnthropicClient, AnthropicLanguageModel } from "@effect/ai-anthropic"
import { GoogleClient, GoogleLanguageModel } from "@effect/ai-google"
import { OpenAiClient, OpenAiEmbeddingModel, OpenAiLanguageModel } from "@effect/ai-openai"
import { OpenRouterClient, OpenRouterLanguageModel } from "@effect/ai-openrouter"
import type { HttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Layer, Redacted, Schema, Stream } from "effect"
import * as LangfuseAi from "effect-langfuse/LangfuseAi"
import { crc32 } from "node:zlib"
import * as Ai from "./utils/ai.js"
import * as Client from "./utils/client.js"

const apiKey = Redacted.make("sk-provider-secret")

const models = {
  openai: OpenAiLanguageModel.layer({ model: "gpt-5", config: { temperature: 0.5, max_output_tokens: 100 } }).pipe(
    Layer.provide(OpenAiClient.layer({ apiKey }))
  ),
  anthropic: AnthropicLanguageModel.layer({ model: "claude-sonnet-4-20250514", config: { max_tokens: 2000 } }).pipe(
    Layer.provide(AnthropicClient.layer({ apiKey }))
  ),
  google: GoogleLanguageModel.layer({ model: "gemini-2.5-flash" }).pipe(
    Layer.provide(GoogleClient.layer({ apiKey }))
  ),
  bedrock: AmazonBedrockLanguageModel.layer({ model: "anthropic.claude-sonnet-4-20250514-v1:0" }).pipe(
    Layer.provide(AmazonBedrockClient.layer({ accessKeyId: "id", secretAccessKey: apiKey }))
  ),
  openrouter: OpenRouterLanguageModel.layer({ model: "openai/gpt-5" }).pipe(
    Layer.provide(OpenRouterClient.layer({ apiKey }))
  )
}
type Provider = keyof typeof models

/** A program over a decorated model of a provider. */
const run = <A, E>(
  provider: Provider,
  respond: Client.Responder,
  program: Effect.Effect<A, E, LanguageModel.LanguageModel>
) => {
  const recorder = Ai.recorder()
  const fake = Client.make(respond)
  const model: Layer.Layer<LanguageModel.LanguageModel, never, HttpClient.HttpClient> = models[provider]
  return program.pipe(
    Effect.exit,
    Effect.provide([
      LangfuseAi.layerLanguageModel().pipe(Layer.provide(model), Layer.provide(fake.layer)),
      recorder.layer
    ]),
    Effect.map((exit) => {
      const [generation, ...others] = recorder.observations().filter(({ type }) => type === "generation")
      if (generation === undefined) throw new Error(`no generation: ${String(exit)}`)
      assert.deepStrictEqual(others, [])
      const { span, ...observation } = generation
      // What belongs to the call is below it, and all that is written is written before the end.
      assert.deepStrictEqual([span.late, span.exits.length], [[], 1])
      return { exit, generation: observation, span, spans: recorder.spans, requests: fake.requests }
    })
  )
}

const ask = LanguageModel.generateText({
  prompt: [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Why is the sky blue?" }
  ]
})
const stream = Stream.runDrain(LanguageModel.streamText({ prompt: "Why is the sky blue?" }))
const input = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "Why is the sky blue?" }
]
const question = [{ role: "user", content: "Why is the sky blue?" }]
const said = { role: "assistant", content: "Rayleigh scattering." }
const thoughtAndSaid = {
  role: "assistant",
  content: "Rayleigh scattering.",
  thinking: [{ type: "thinking", content: "Light and air." }]
}

const sse = (events: ReadonlyArray<unknown>, options: { readonly named?: boolean; readonly done?: boolean } = {}) => {
  const text = events.map((event) => {
    const { type } = event as { readonly type?: string }
    return `${options.named && type !== undefined ? `event: ${type}\n` : ""}data: ${JSON.stringify(event)}\n\n`
  }).join("") + (options.done ? "data: [DONE]\n\n" : "")
  return new Response(text, { headers: { "content-type": "text/event-stream" } })
}

// -------------------------------------------------------------------------------------
// answers
// -------------------------------------------------------------------------------------

const openAi = (output: ReadonlyArray<unknown>, more: object = {}) => ({
  id: "resp_1",
  object: "response",
  status: "completed",
  created_at: 1763899200,
  error: null,
  incomplete_details: null,
  instructions: null,
  output,
  parallel_tool_calls: true,
  model: "gpt-5-2025-08-07",
  tools: [],
  tool_choice: "auto",
  metadata: {},
  temperature: 0.5,
  top_p: 1,
  service_tier: "default",
  usage: {
    input_tokens: 100,
    input_tokens_details: { cached_tokens: 64 },
    output_tokens: 50,
    output_tokens_details: { reasoning_tokens: 32 },
    total_tokens: 150
  },
  ...more
})
const openAiReasoning = { type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "Light and air." }] }
const openAiMessage = (text: string) => ({
  type: "message",
  id: "msg_1",
  role: "assistant",
  status: "completed",
  content: [{ type: "output_text", text, annotations: [], logprobs: [] }]
})
const openAiUsage = { input: 36, input_cached_tokens: 64, output: 18, output_reasoning_tokens: 32, total: 150 }

describe("OpenAI", () => {
  it.effect("generateText", () =>
    Effect.gen(function*() {
      const { generation, span } = yield* run(
        "openai",
        () => Client.json(200, openAi([openAiReasoning, openAiMessage("Rayleigh scattering.")])),
        ask
      )
      assert.deepInclude(generation, {
        name: "LanguageModel.generateText",
        input,
        output: thoughtAndSaid,
        model: "gpt-5-2025-08-07",
        modelParameters: { temperature: 0.5, max_tokens: 100 },
        usage: openAiUsage,
        cost: undefined,
        level: undefined,
        metadata: { finish_reason: "stop" }
      })
      assert.strictEqual(span.attributes.get("gen_ai.system"), "openai")
      assert.strictEqual(span.attributes.get("gen_ai.response.id"), "resp_1")
    }))

  it.effect("generateText that calls a tool", () =>
    Effect.gen(function*() {
      const Now = Tool.make("Now", { parameters: { zone: Schema.String }, success: Schema.Date })
      const kit = Toolkit.make(Now)
      const { generation, span, spans } = yield* run(
        "openai",
        () =>
          Client.json(
            200,
            openAi([{
              type: "function_call",
              id: "fc_1",
              call_id: "call_1",
              name: "Now",
              arguments: "{\"zone\":\"UTC\"}",
              status: "completed"
            }])
          ),
        LanguageModel.generateText({ prompt: "When?", toolkit: kit }).pipe(
          Effect.provide(kit.toLayer({ Now: () => Effect.succeed(new Date("2026-11-23T12:00:00.000Z")) }))
        )
      )
      assert.deepStrictEqual(generation.output, {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "call_1", type: "function", function: { name: "Now", arguments: "{\"zone\":\"UTC\"}" } }]
      })
      assert.deepStrictEqual(generation.metadata, { finish_reason: "tool-calls" })
      const tool = spans.find((span) => span.name === "Now") ?? assert.fail("no tool")
      assert.strictEqual(tool.parentId, span.spanId)
      assert.deepInclude(Ai.shown(tool), {
        type: "tool",
        input: { zone: "UTC" },
        output: "2026-11-23T12:00:00.000Z",
        usage: undefined
      })
    }))

  it.effect("generateObject", () =>
    Effect.gen(function*() {
      const { exit, generation } = yield* run(
        "openai",
        () => Client.json(200, openAi([openAiMessage("{\"color\":\"blue\"}")])),
        LanguageModel.generateObject({ prompt: "Which?", schema: Schema.Struct({ color: Schema.String }) })
      )
      assert.deepStrictEqual(Exit.map(exit, ({ value }) => value), Exit.succeed({ color: "blue" }))
      assert.deepInclude(generation, {
        name: "LanguageModel.generateObject",
        output: { color: "blue" },
        modelParameters: { temperature: 0.5, max_tokens: 100, response_format: "json" },
        usage: openAiUsage
      })
    }))

  const created = { type: "response.created", sequence_number: 0, response: openAi([], { usage: null }) }
  const added = {
    type: "response.output_item.added",
    sequence_number: 1,
    output_index: 0,
    item: { ...openAiMessage(""), status: "in_progress", content: [] }
  }
  const delta = (text: string) => ({
    type: "response.output_text.delta",
    sequence_number: 2,
    output_index: 0,
    content_index: 0,
    item_id: "msg_1",
    delta: text,
    logprobs: []
  })

  it.effect("streamText", () =>
    Effect.gen(function*() {
      const { generation, span, spans } = yield* run(
        "openai",
        () =>
          sse([
            created,
            added,
            delta("Rayleigh "),
            delta("scattering."),
            {
              type: "response.output_item.done",
              sequence_number: 4,
              output_index: 0,
              item: openAiMessage("Rayleigh scattering.")
            },
            {
              type: "response.completed",
              sequence_number: 5,
              response: openAi([openAiMessage("Rayleigh scattering.")])
            }
          ], { named: true }),
        stream
      )
      assert.deepInclude(generation, {
        name: "LanguageModel.streamText",
        input: question,
        output: said,
        model: "gpt-5-2025-08-07",
        usage: openAiUsage,
        completionStartTime: "1970-01-01T00:00:00.000Z",
        level: undefined,
        metadata: { finish_reason: "stop" }
      })
      assert.deepStrictEqual(
        spans.filter((other) => other !== span).map(({ name, parentId }) => [name, parentId]),
        [["http.client POST", span.spanId]]
      )
    }))

  /** A stream that stays open, or breaks, after its first events. */
  const unfinished = (error?: Error) => {
    const events = [created, added, delta("Rayleigh ")].map((event) => `data: ${JSON.stringify(event)}\n\n`)
    const body = new ReadableStream({
      pull: (controller) => {
        const event = events.shift()
        if (event !== undefined) controller.enqueue(new TextEncoder().encode(event))
        else if (error !== undefined) controller.error(error)
      }
    })
    return new Response(body, { headers: { "content-type": "text/event-stream" } })
  }

  it.effect("streamText that breaks off", () =>
    Effect.gen(function*() {
      const { exit, generation } = yield* run("openai", () => unfinished(new Error("ECONNRESET")), stream)
      assert.isTrue(Exit.isFailure(exit) && AiError.isAiError(Cause.squash(exit.cause)))
      assert.deepInclude(generation, {
        input: question,
        output: { role: "assistant", content: "Rayleigh " },
        model: "gpt-5-2025-08-07",
        level: "ERROR",
        usage: undefined
      })
      assert.match(String(generation.statusMessage), /^HttpResponseError/)
    }))

  it.effect("streamText that is interrupted", () =>
    Effect.gen(function*() {
      const { generation } = yield* run(
        "openai",
        () => unfinished(),
        Effect.gen(function*() {
          const arrived = yield* Effect.makeLatch()
          const fiber = yield* LanguageModel.streamText({ prompt: "Why is the sky blue?" }).pipe(
            Stream.runForEach((part) => part.type === "text-delta" ? arrived.open : Effect.void),
            Effect.fork
          )
          yield* arrived.await
          yield* Fiber.interrupt(fiber)
        })
      )
      assert.deepInclude(generation, {
        input: question,
        output: { role: "assistant", content: "Rayleigh " },
        level: "WARNING",
        statusMessage: "interrupted"
      })
    }))

  it.effect("embeddings", () =>
    Effect.gen(function*() {
      const recorder = Ai.recorder()
      const fake = Client.make(() =>
        Client.json(200, {
          object: "list",
          model: "text-embedding-3-small",
          data: [
            { object: "embedding", index: 0, embedding: [0.1, 0.2] },
            { object: "embedding", index: 1, embedding: [0.3, 0.4] }
          ],
          usage: { prompt_tokens: 4, total_tokens: 4 }
        })
      )
      const model = LangfuseAi.model(
        OpenAiEmbeddingModel.model("text-embedding-3-small", { mode: "batched" }),
        { model: "text-embedding-3-small" }
      )
      const vectors = yield* Effect.flatMap(EmbeddingModel.EmbeddingModel, (model) => model.embedMany(["a", "b"])).pipe(
        Effect.provide([
          model.pipe(Layer.provide(OpenAiClient.layer({ apiKey })), Layer.provide(fake.layer)),
          recorder.layer
        ])
      )
      assert.deepStrictEqual(vectors, [[0.1, 0.2], [0.3, 0.4]])
      assert.strictEqual(fake.requests.length, 1)
      assert.deepStrictEqual(
        recorder.observations().map(({ input, model, output, type }) => ({ input, model, output, type })),
        [{
          type: "embedding",
          model: "text-embedding-3-small",
          input: ["a", "b"],
          output: { vectors: 2, dimensions: 2 }
        }]
      )
    }))
})

describe("Anthropic", () => {
  const usage = {
    input_tokens: 100,
    output_tokens: 50,
    cache_creation_input_tokens: 300,
    cache_read_input_tokens: 64,
    cache_creation: { ephemeral_5m_input_tokens: 200, ephemeral_1h_input_tokens: 100 },
    server_tool_use: null,
    service_tier: "standard"
  }
  const message = (content: ReadonlyArray<unknown>, more: object = {}) => ({
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "claude-sonnet-4-20250514",
    content,
    stop_reason: "end_turn",
    stop_sequence: null,
    usage,
    container: null,
    context_management: null,
    ...more
  })
  const buckets = {
    input: 100,
    input_cached_tokens: 64,
    input_cache_creation: 200,
    input_cache_creation_1h: 100,
    output: 50,
    total: 514
  }

  it.effect("generateText", () =>
    Effect.gen(function*() {
      const { generation } = yield* run(
        "anthropic",
        () =>
          Client.json(
            200,
            message([
              { type: "thinking", thinking: "Light and air.", signature: "c2ln" },
              { type: "text", text: "Rayleigh scattering.", citations: null }
            ])
          ),
        ask
      )
      assert.deepInclude(generation, {
        input,
        output: thoughtAndSaid,
        model: "claude-sonnet-4-20250514",
        modelParameters: { max_tokens: 2000 },
        usage: buckets,
        level: undefined,
        metadata: { finish_reason: "stop" }
      })
    }))

  it.effect("generateObject", () =>
    Effect.gen(function*() {
      const { exit, generation } = yield* run(
        "anthropic",
        () =>
          Client.json(
            200,
            message([{ type: "tool_use", id: "toolu_1", name: "Color", input: { color: "blue" } }], {
              stop_reason: "tool_use"
            })
          ),
        LanguageModel.generateObject({
          prompt: "Which?",
          schema: Schema.Struct({ color: Schema.String }),
          objectName: "Color"
        })
      )
      assert.deepStrictEqual(Exit.map(exit, ({ value }) => value), Exit.succeed({ color: "blue" }))
      assert.deepInclude(generation, { output: { color: "blue" }, usage: buckets })
    }))

  const start = {
    type: "message_start",
    message: message([], { stop_reason: null, usage: { ...usage, output_tokens: 1 } })
  }

  it.effect("streamText", () =>
    Effect.gen(function*() {
      const { generation, span, spans } = yield* run(
        "anthropic",
        () =>
          sse([
            start,
            { type: "ping" },
            { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "", signature: "" } },
            { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "Light " } },
            { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "and air." } },
            { type: "content_block_delta", index: 0, delta: { type: "signature_delta", signature: "c2ln" } },
            { type: "content_block_stop", index: 0 },
            { type: "content_block_start", index: 1, content_block: { type: "text", text: "", citations: null } },
            { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "Rayleigh " } },
            { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "scattering." } },
            { type: "content_block_stop", index: 1 },
            {
              type: "message_delta",
              delta: { stop_reason: "end_turn", stop_sequence: null, container: null },
              context_management: null,
              usage: {
                output_tokens: 50,
                input_tokens: 100,
                cache_creation_input_tokens: 300,
                cache_read_input_tokens: 64,
                server_tool_use: null
              }
            },
            { type: "message_stop" }
          ], { named: true }),
        stream
      )
      assert.deepInclude(generation, {
        input: question,
        output: thoughtAndSaid,
        model: "claude-sonnet-4-20250514",
        usage: buckets,
        completionStartTime: "1970-01-01T00:00:00.000Z",
        metadata: { finish_reason: "stop" }
      })
      assert.deepStrictEqual(spans.filter((other) => other !== span).map(({ parentId }) => parentId), [span.spanId])
    }))

  it.effect("streamText that the provider gives up", () =>
    Effect.gen(function*() {
      const { generation } = yield* run(
        "anthropic",
        () =>
          sse([
            start,
            { type: "content_block_start", index: 0, content_block: { type: "text", text: "", citations: null } },
            { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Rayleigh " } },
            { type: "error", error: { type: "overloaded_error", message: "Overloaded" } }
          ], { named: true }),
        stream
      )
      assert.deepInclude(generation, { output: { role: "assistant", content: "Rayleigh " }, level: "ERROR" })
      assert.include(String(generation.statusMessage), "Overloaded")
    }))
})

describe("Google", () => {
  const usageMetadata = {
    promptTokenCount: 100,
    cachedContentTokenCount: 64,
    candidatesTokenCount: 18,
    thoughtsTokenCount: 32,
    totalTokenCount: 150
  }
  const response = (parts: ReadonlyArray<unknown>, more: object = {}) => ({
    candidates: [{ content: { role: "model", parts }, finishReason: "STOP", index: 0 }],
    modelVersion: "gemini-2.5-flash",
    responseId: "r1",
    usageMetadata,
    ...more
  })
  const buckets = { input: 36, input_cached_tokens: 64, output: 18, output_reasoning_tokens: 32, total: 150 }

  it.effect("generateText", () =>
    Effect.gen(function*() {
      const { generation } = yield* run(
        "google",
        () => Client.json(200, response([{ text: "Light and air.", thought: true }, { text: "Rayleigh scattering." }])),
        ask
      )
      assert.deepInclude(generation, {
        input,
        output: thoughtAndSaid,
        model: "gemini-2.5-flash",
        usage: buckets,
        level: undefined,
        metadata: { finish_reason: "stop" }
      })
    }))

  it.effect("streamText", () =>
    Effect.gen(function*() {
      const part = (part: unknown, more: object = {}) => ({
        ...response([part], { usageMetadata: undefined }),
        candidates: [{ content: { role: "model", parts: [part] }, index: 0 }],
        ...more
      })
      const { generation } = yield* run(
        "google",
        () =>
          sse([
            part({ text: "Light and air.", thought: true }),
            part({ text: "Rayleigh " }),
            response([{ text: "scattering." }])
          ]),
        stream
      )
      assert.deepInclude(generation, {
        input: question,
        output: thoughtAndSaid,
        // The stream does not tell which model answered.
        model: "gemini-2.5-flash",
        usage: buckets,
        completionStartTime: "1970-01-01T00:00:00.000Z",
        metadata: { finish_reason: "stop" }
      })
    }))
})

describe("Amazon Bedrock", () => {
  const usage = {
    inputTokens: 100,
    outputTokens: 50,
    totalTokens: 217,
    cacheReadInputTokens: 64,
    cacheWriteInputTokens: 3
  }

  it.effect("generateText", () =>
    Effect.gen(function*() {
      const { generation } = yield* run(
        "bedrock",
        () =>
          Client.json(200, {
            output: { message: { role: "assistant", content: [{ text: "Rayleigh scattering." }] } },
            stopReason: "end_turn",
            metrics: { latencyMs: 12 },
            usage
          }),
        ask
      )
      assert.deepInclude(generation, {
        input,
        output: said,
        model: "anthropic.claude-sonnet-4-20250514-v1:0",
        usage: { input: 100, input_cached_tokens: 64, input_cache_creation: 3, output: 50, total: 217 },
        level: undefined,
        metadata: { finish_reason: "stop" }
      })
    }))

  /** One message of AWS's event stream encoding. */
  const frame = (type: string, payload: unknown): Buffer => {
    const header = (name: string, value: string) =>
      Buffer.concat([
        Buffer.from([name.length]),
        Buffer.from(name),
        Buffer.from([7, value.length >> 8, value.length & 255]),
        Buffer.from(value)
      ])
    const headers = Buffer.concat([
      header(":message-type", "event"),
      header(":event-type", type),
      header(":content-type", "application/json")
    ])
    const body = Buffer.from(JSON.stringify(payload))
    const uint = (value: number) => {
      const buffer = Buffer.alloc(4)
      buffer.writeUInt32BE(value >>> 0)
      return buffer
    }
    const prelude = Buffer.concat([uint(16 + headers.length + body.length), uint(headers.length)])
    const message = Buffer.concat([prelude, uint(crc32(prelude)), headers, body])
    return Buffer.concat([message, uint(crc32(message))])
  }

  it.effect("streamText", () =>
    Effect.gen(function*() {
      const { generation } = yield* run(
        "bedrock",
        () =>
          new Response(
            new Uint8Array(Buffer.concat([
              frame("messageStart", { role: "assistant" }),
              frame("contentBlockDelta", { contentBlockIndex: 0, delta: { text: "Rayleigh " } }),
              frame("contentBlockDelta", { contentBlockIndex: 0, delta: { text: "scattering." } }),
              frame("contentBlockStop", { contentBlockIndex: 0 }),
              frame("messageStop", { stopReason: "end_turn" }),
              frame("metadata", { usage, metrics: { latencyMs: 12 } })
            ])),
            { headers: { "content-type": "application/vnd.amazon.eventstream" } }
          ),
        stream
      )
      assert.deepInclude(generation, {
        input: question,
        output: said,
        model: "anthropic.claude-sonnet-4-20250514-v1:0",
        // Bedrock tells the tokens last, and version 0.15 of its package has made the finish part by then.
        usage: undefined,
        completionStartTime: "1970-01-01T00:00:00.000Z",
        level: undefined,
        metadata: { finish_reason: "stop" }
      })
    }))
})

describe("OpenRouter", () => {
  const usage = {
    prompt_tokens: 100,
    completion_tokens: 50,
    total_tokens: 150,
    prompt_tokens_details: { cached_tokens: 64, cache_write_tokens: 6 },
    completion_tokens_details: { reasoning_tokens: 32 },
    cost: 0.0125,
    cost_details: { upstream_inference_cost: null }
  }
  const buckets = {
    input: 30,
    input_cached_tokens: 64,
    input_cache_creation: 6,
    output: 18,
    output_reasoning_tokens: 32,
    total: 150
  }

  it.effect("generateText", () =>
    Effect.gen(function*() {
      const { generation } = yield* run(
        "openrouter",
        () =>
          Client.json(200, {
            id: "gen-1",
            provider: "OpenAI",
            model: "openai/gpt-5",
            object: "chat.completion",
            created: 1763899200,
            choices: [{
              index: 0,
              finish_reason: "stop",
              logprobs: null,
              message: { role: "assistant", content: "Rayleigh scattering.", reasoning: "Light and air." }
            }],
            usage
          }),
        ask
      )
      assert.deepInclude(generation, {
        input,
        output: thoughtAndSaid,
        model: "openai/gpt-5",
        usage: buckets,
        cost: { total: 0.0125 },
        level: undefined,
        metadata: { finish_reason: "stop" }
      })
    }))

  const chunk = (delta: unknown, more: object = {}) => ({
    id: "gen-1",
    provider: "OpenAI",
    model: "openai/gpt-5",
    object: "chat.completion.chunk",
    created: 1763899200,
    choices: [{ index: 0, delta, finish_reason: null, logprobs: null }],
    ...more
  })

  it.effect("streamText", () =>
    Effect.gen(function*() {
      const { generation } = yield* run(
        "openrouter",
        () =>
          sse([
            chunk({ role: "assistant", reasoning: "Light " }),
            chunk({ reasoning: "and air." }),
            chunk({ content: "Rayleigh " }),
            chunk({ content: "scattering." }),
            chunk({}, { choices: [{ index: 0, delta: { content: "" }, finish_reason: "stop", logprobs: null }] }),
            chunk({}, { choices: [{ index: 0, delta: { role: "assistant", content: "" } }], usage })
          ], { done: true }),
        stream
      )
      assert.deepInclude(generation, {
        input: question,
        output: thoughtAndSaid,
        model: "openai/gpt-5",
        usage: buckets,
        cost: { total: 0.0125 },
        completionStartTime: "1970-01-01T00:00:00.000Z",
        level: undefined,
        metadata: { finish_reason: "stop" }
      })
    }))
})

describe("a provider that refuses", () => {
  const refusals: Record<Provider, Response> = {
    openai: Client.json(429, { error: { message: "slow down", type: "rate_limit", param: null, code: null } }),
    anthropic: Client.json(529, { type: "error", error: { type: "overloaded_error", message: "Overloaded" } }),
    google: Client.json(400, { error: { code: 400, message: "bad key", status: "INVALID_ARGUMENT" } }),
    bedrock: Client.json(403, { message: "no access" }),
    openrouter: Client.json(402, { error: { code: 402, message: "no credits" } })
  }
  for (const provider of Object.keys(refusals) as Array<Provider>) {
    it.effect(`${provider}: whole and streamed calls show what was asked, the model and the error`, () =>
      Effect.gen(function*() {
        const whole = yield* run(provider, () => refusals[provider].clone(), ask)
        assert.isTrue(Exit.isFailure(whole.exit) && AiError.isAiError(Cause.squash(whole.exit.cause)))
        assert.deepInclude(whole.generation, { input, output: undefined, level: "ERROR", usage: undefined })
        const streamed = yield* run(provider, () => refusals[provider].clone(), stream)
        assert.isTrue(Exit.isFailure(streamed.exit))
        assert.deepInclude(streamed.generation, { input: question, output: undefined, level: "ERROR" })
        for (const { generation } of [whole, streamed]) {
          assert.match(String(generation.statusMessage), /^HttpResponseError: /)
          assert.notInclude(String(generation.statusMessage), Redacted.value(apiKey))
          assert.match(String(generation.model), /gpt-5|claude|gemini/)
        }
      }))
  }
})
