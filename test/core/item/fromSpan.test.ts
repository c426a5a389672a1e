import { assert, describe, it, vi } from "@effect/vitest"
import { FastCheck } from "effect"
import { fromEvent } from "../../../src/core/item/fromEvent.js"
import { fromSpan } from "../../../src/core/item/fromSpan.js"
import type { Observation } from "../../../src/core/item/item.js"
import type { Policy } from "../../../src/core/item/policy.js"
import { toEvent } from "../../../src/core/item/toEvent.js"
import { readable, redactedNames } from "../../../src/internal/readable.js"
import { runs } from "../../utils/properties.js"
import { type Given, spanOf } from "./support/span.js"

const policy: Policy = {
  content: "full",
  maxEventBytes: 1_000_000,
  mask: undefined,
  onMaskFailure: () => {},
  environment: undefined,
  release: undefined,
  redactedNames,
  readable
}

const itemOf = (attributes: Record<string, unknown>, given?: Given, changed: Partial<Policy> = {}): Observation =>
  fromSpan(spanOf(attributes, given), "event", { ...policy, ...changed })

/** As Langfuse shows it: text that is JSON of an object or a list as its value. */
const shown = (value: unknown): unknown => {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

interface Sent {
  readonly type: string
  readonly body: { readonly [field: string]: unknown }
  readonly trace: unknown
}

/** What Langfuse is sent for a span with these attributes. */
const sent = (attributes: Record<string, unknown>, given?: Given): Sent => {
  const { body, trace, type } = toEvent(itemOf(attributes, given)) as unknown as Sent // an event of any type
  const out: Record<string, unknown> = { ...body }
  for (const field of ["input", "output"]) if (field in out) out[field] = shown(out[field])
  return { type, body: out, trace }
}

const body = (attributes: Record<string, unknown>, given?: Given) => sent(attributes, given).body

const chat = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4.1" }

const usageOf = (provider: string, usage: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  body({
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": provider,
    ...Object.fromEntries(Object.entries(usage).map(([name, value]) => [`gen_ai.usage.${name}`, value])),
    ...more
  })["usageDetails"]

describe("attributes of generative AI", () => {
  it("a tool call of @effect/ai is a tool, and what it was called with its input, not metadata", () => {
    const event = sent({ tool: "GetWeather", parameters: { city: "Lisbon" }, other: 1 }, { name: "Toolkit.handle" })
    assert.strictEqual(event.type, "tool-create")
    assert.deepInclude(event.body, {
      name: "GetWeather",
      input: { city: "Lisbon" },
      metadata: { attributes: { other: 1 } }
    })
    // Attributes of these names on any other span are the program's own.
    assert.deepInclude(sent({ tool: "hammer" }).body, { name: "span", metadata: { attributes: { tool: "hammer" } } })
  })

  describe("type", () => {
    const types: ReadonlyArray<readonly [string, Record<string, unknown>]> = [
      ["generation-create", { "gen_ai.operation.name": "chat" }],
      ["generation-create", { "gen_ai.operation.name": "text_completion" }],
      ["generation-create", { "gen_ai.operation.name": "generate_content" }],
      ["embedding-create", { "gen_ai.operation.name": "embeddings" }],
      ["agent-create", { "gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "gpt-4.1" }],
      ["agent-create", { "gen_ai.operation.name": "create_agent" }],
      ["tool-create", { "gen_ai.operation.name": "execute_tool" }],
      ["retriever-create", { "gen_ai.operation.name": "retrieval" }],
      ["tool-create", { "gen_ai.tool.name": "search" }],
      ["tool-create", { "gen_ai.tool.call.id": "call_1" }],
      ["generation-create", { "gen_ai.request.model": "gpt-4.1" }],
      ["generation-create", { "gen_ai.response.model": "gpt-4.1" }],
      ["generation-create", { "langfuse.observation.model.name": "gpt-4.1" }],
      ["generation-create", { "gen_ai.operation.name": "something new", "gen_ai.request.model": "m" }],
      ["span-create", { "gen_ai.operation.name": "something new" }],
      ["span-create", { model: "a car", input: "x", prompt: "y" }],
      ["span-create", {}]
    ]
    for (const [type, attributes] of types) {
      it(`${JSON.stringify(attributes)} is ${type}`, () => assert.strictEqual(sent(attributes).type, type))
    }

    it("langfuse.observation.type wins, in any case, over what the operation would be", () => {
      for (
        const type of [
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
        ]
      ) {
        assert.strictEqual(sent({ ...chat, "langfuse.observation.type": type }).type, `${type}-create`)
        assert.strictEqual(sent({ ...chat, "langfuse.observation.type": type.toUpperCase() }).type, `${type}-create`)
      }
      assert.strictEqual(sent({ ...chat, "langfuse.observation.type": "poem" }).type, "generation-create")
    })
  })

  describe("names", () => {
    it("a tool or agent that an instrumentation named is called what it is", () => {
      const tool = { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search" }
      assert.strictEqual(body(tool, { name: "execute_tool search" })["name"], "search")
      const agent = { "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Math Tutor" }
      assert.strictEqual(body(agent, { name: "invoke_agent" })["name"], "Math Tutor")
      assert.strictEqual(body(chat, { name: "chat gpt-4.1" })["name"], "chat gpt-4.1")
    })

    it("an observation that the program named keeps its name", () => {
      const attributes = { "langfuse.observation.type": "tool", "gen_ai.tool.name": "search" }
      assert.strictEqual(body(attributes, { name: "look it up" })["name"], "look it up")
    })
  })

  describe("model and parameters", () => {
    it("the model is the one that answered, and the one asked for stays in the metadata when it is another", () => {
      const answered = body({ ...chat, "gen_ai.response.model": "gpt-4.1-2026-04-14" })
      assert.strictEqual(answered.model, "gpt-4.1-2026-04-14")
      assert.deepInclude(answered.metadata, { gen_ai: { "operation.name": "chat", "request.model": "gpt-4.1" } })
      assert.strictEqual(body(chat)["model"], "gpt-4.1")
      assert.strictEqual(body({ ...chat, "langfuse.observation.model.name": "mine" })["model"], "mine")
    })

    it("request attributes are parameters, nested ones as JSON text", () => {
      assert.deepStrictEqual(
        body({
          ...chat,
          "gen_ai.request.temperature": 0.5,
          "gen_ai.request.max_tokens": 1024,
          "gen_ai.request.stop_sequences": ["END"],
          "gen_ai.request.choice.count": 2,
          "gen_ai.request.encoding_formats": [1, 2],
          "gen_ai.openai.request.response_format": { type: "json_schema", json_schema: { a: 1 } },
          "gen_ai.request.top_k": undefined,
          "gen_ai.request.seed": NaN
        })["modelParameters"],
        {
          temperature: 0.5,
          max_tokens: 1024,
          stop_sequences: ["END"],
          "choice.count": 2,
          encoding_formats: "[1,2]",
          response_format: `{"type":"json_schema","json_schema":{"a":1}}`,
          seed: "NaN"
        }
      )
    })

    it("agents and tools have no model, parameters, tokens or cost of their own: the calls below them have", () => {
      for (const operation of ["invoke_agent", "create_agent", "execute_tool"]) {
        const agent = body({
          "gen_ai.operation.name": operation,
          "gen_ai.request.model": "gpt-4.1",
          "gen_ai.request.temperature": 1,
          "gen_ai.usage.input_tokens": 100,
          "gen_ai.usage.cost": 1
        })
        for (const field of ["model", "modelParameters", "usageDetails", "costDetails"]) {
          assert.notProperty(agent, field, operation)
        }
      }
    })

    it("time to the first chunk makes the start of the completion", () => {
      assert.strictEqual(
        body({ ...chat, "gen_ai.response.time_to_first_chunk": 0.25 })["completionStartTime"],
        "1970-01-01T00:00:01.250Z"
      )
      assert.strictEqual(
        body({ ...chat, "langfuse.observation.completion_start_time": "\"2026-11-23T12:00:00.500Z\"" })
          .completionStartTime,
        "2026-11-23T12:00:00.500Z"
      )
      assert.strictEqual(
        body({ ...chat, "langfuse.observation.completion_start_time": 1767225600500 }).completionStartTime,
        "2026-01-01T00:00:00.500Z"
      )
      for (const time of ["yesterday", 17, "2026-11-23", null]) {
        assert.notProperty(body({ ...chat, "langfuse.observation.completion_start_time": time }), "completionStartTime")
      }
    })
  })

  it("false says nobody, and what is no text stays beside the fields", () => {
    const none = body({ "user.id": false, "session.id": false, "langfuse.trace.name": false })
    assert.notProperty(none, "userId")
    const lists = body({
      "langfuse.release": ["a", "b"],
      "langfuse.version": ["v"],
      "langfuse.observation.status_message": ["m"],
      "user.id": { name: "ada" }
    })
    assert.deepInclude(lists.metadata, {
      attributes: {
        "langfuse.release": ["a", "b"],
        "langfuse.version": ["v"],
        "langfuse.observation.status_message": ["m"],
        "user.id": { name: "ada" }
      }
    })
  })

  describe("usage", () => {
    it("is read by the conventions, whoever counted", () => {
      for (const provider of ["openai", "anthropic", "aws.bedrock", "gcp.vertex_ai", "unheard of"]) {
        assert.deepStrictEqual(
          usageOf(provider, {
            input_tokens: 100,
            output_tokens: 10,
            "cache_read.input_tokens": 60,
            "cache_creation.input_tokens": 10
          }),
          { input: 30, output: 10, input_cached_tokens: 60, input_cache_creation: 10, total: 110 },
          provider
        )
      }
    })

    it("of OpenInference and Vercel's SDK is read as well", () => {
      assert.deepStrictEqual(
        body({
          "openinference.span.kind": "LLM",
          "llm.token_count.prompt": 100,
          "llm.token_count.completion": 20,
          "llm.token_count.total": 120,
          "llm.token_count.prompt_details.cache_read": 40,
          "llm.token_count.completion_details.reasoning": 12,
          "llm.cost.total": 0.3
        }),
        {
          ...body({ "openinference.span.kind": "LLM" }),
          usageDetails: { input: 60, output: 8, input_cached_tokens: 40, output_reasoning_tokens: 12, total: 120 },
          costDetails: { total: 0.3 }
        }
      )
      const vercel = {
        "ai.operationId": "ai.generateText.doGenerate",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20
      }
      assert.deepStrictEqual(
        body({ ...vercel, "ai.usage.inputTokens": 100, "ai.usage.cachedInputTokens": 40 })["usageDetails"],
        { input: 60, output: 20, input_cached_tokens: 40, total: 120 }
      )
      assert.deepStrictEqual(
        body({
          ...vercel,
          "ai.response.providerMetadata": `{"openai":{"cachedPromptTokens":40,"reasoningTokens":12}}`
        })["usageDetails"],
        { input: 60, output: 8, input_cached_tokens: 40, output_reasoning_tokens: 12, total: 120 }
      )
    })

    it("what is no count is left out, with a note", () => {
      const { metadata, usageDetails } = body({ ...chat, "gen_ai.usage.input_tokens": -1 })
      assert.isUndefined(usageDetails)
      assert.include(JSON.stringify(metadata), "left out: input_tokens")
    })

    it("a count that may be part of another is no bucket, and not lost either", () => {
      const { metadata, usageDetails } = body({
        ...chat,
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.search_units": 2
      })
      assert.deepStrictEqual(usageDetails, { input: 5, total: 5 })
      assert.deepStrictEqual(metadata, { gen_ai: { "operation.name": "chat", "usage.search_units": 2 } })
    })

    it("cost is taken from the provider, and Langfuse's own attributes win", () => {
      assert.deepStrictEqual(body({ ...chat, "gen_ai.usage.cost": 0.25 })["costDetails"], { total: 0.25 })
      assert.deepStrictEqual(
        body({
          ...chat,
          "gen_ai.usage.cost": 0.25,
          "gen_ai.usage.input_tokens": 5,
          "langfuse.observation.cost_details": `{"input":1,"cache":2}`,
          "langfuse.observation.usage_details": `{"input":7}`
        }),
        {
          ...body(chat),
          costDetails: { input: 1, cache: 2, total: 3 },
          usageDetails: { input: 7, total: 7 }
        }
      )
    })

    it("that is no JSON is noted, and the provider's counts", () => {
      const event = body({ ...chat, "gen_ai.usage.input_tokens": 5, "langfuse.observation.usage_details": "nope" })
      assert.deepStrictEqual(event["usageDetails"], { input: 5, total: 5 })
      assert.include(JSON.stringify(event["metadata"]), "left out")
    })
  })

  describe("messages", () => {
    const question = [{ role: "user", parts: [{ type: "text", content: "Why?" }] }]
    const answer = [{ role: "assistant", parts: [{ type: "text", content: "So." }], finish_reason: "stop" }]

    it("are input and output, as JSON text or as they are", () => {
      for (const encode of [JSON.stringify, (value: unknown) => value]) {
        const { input, output } = body({
          ...chat,
          "gen_ai.input.messages": encode(question),
          "gen_ai.output.messages": encode(answer)
        })
        assert.deepStrictEqual(input, question)
        assert.deepStrictEqual(output, answer)
      }
    })

    it("begin with the system's instructions, unless they have such a message", () => {
      const instructions = [{ type: "text", content: "Be brief." }]
      assert.deepStrictEqual(
        body({
          ...chat,
          "gen_ai.system_instructions": JSON.stringify(instructions),
          "gen_ai.input.messages": JSON.stringify(question)
        })["input"],
        [{ role: "system", parts: instructions }, ...question]
      )
      assert.deepStrictEqual(
        body({ ...chat, "gen_ai.system_instructions": "Be brief.", "gen_ai.input.messages": question })["input"],
        [{ role: "system", content: "Be brief." }, ...question]
      )
      const own = [{ role: "system", content: "x" }]
      assert.deepStrictEqual(
        body({ ...chat, "gen_ai.system_instructions": "Be brief.", "gen_ai.input.messages": own })["input"],
        own
      )
    })

    it("come with the tools the model could call", () => {
      assert.deepStrictEqual(
        body({ ...chat, "gen_ai.input.messages": question, "gen_ai.tool.definitions": `[{"name":"search"}]` })["input"],
        { messages: question, tools: [{ name: "search" }] }
      )
    })

    it("are put together from attributes of one value each", () => {
      const { input, metadata, output } = body({
        ...chat,
        "gen_ai.prompt.1.content": "Why?",
        "gen_ai.prompt.0.role": "system",
        "gen_ai.prompt.0.content": "Be brief.",
        "gen_ai.prompt.1.role": "user",
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.tool_calls.0.name": "search",
        "gen_ai.completion.0.tool_calls.0.arguments": "{}",
        "gen_ai.prompt.99999999.role": "nobody"
      })
      assert.deepStrictEqual(input, [{ role: "system", content: "Be brief." }, { content: "Why?", role: "user" }])
      assert.deepStrictEqual(output, [{ role: "assistant", tool_calls: [{ name: "search", arguments: "{}" }] }])
      assert.deepStrictEqual(metadata, {
        gen_ai: { "operation.name": "chat", "prompt.99999999.role": "nobody" }
      })
    })

    it("are taken from events, which then are no metadata", () => {
      const { input, metadata, output } = body(chat, {
        events: [
          { name: "gen_ai.system.message", attributes: { "gen_ai.system": "openai", content: "Be brief." } },
          { name: "gen_ai.user.message", attributes: { content: "Why?" } },
          { name: "gen_ai.choice", attributes: { index: 0, finish_reason: "stop", message: `{"content":"So."}` } },
          { name: "something else", attributes: {} }
        ]
      })
      assert.deepStrictEqual(input, [{ role: "system", content: "Be brief." }, { role: "user", content: "Why?" }])
      assert.deepStrictEqual(output, { index: 0, finish_reason: "stop", message: { content: "So." } })
      assert.deepStrictEqual((metadata as { events: ReadonlyArray<{ name: string }> }).events.map(({ name }) => name), [
        "something else"
      ])
    })

    it("are taken from the one event that has them all", () => {
      const { input, output } = body(chat, {
        events: [{
          name: "gen_ai.client.inference.operation.details",
          attributes: {
            "gen_ai.input.messages": JSON.stringify(question),
            "gen_ai.output.messages": JSON.stringify(answer)
          }
        }]
      })
      assert.deepStrictEqual(input, question)
      assert.deepStrictEqual(output, answer)
    })

    it("of a tool are its arguments and its result", () => {
      const { input, metadata, output } = body({
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "search",
        "gen_ai.tool.call.id": "call_1",
        "gen_ai.tool.call.arguments": `{"q":"sky"}`,
        "gen_ai.tool.call.result": "blue"
      })
      assert.deepStrictEqual(input, { q: "sky" })
      assert.strictEqual(output, "blue")
      assert.deepStrictEqual(metadata, { gen_ai: { "operation.name": "execute_tool", "tool.call.id": "call_1" } })
    })

    it("give way to what Langfuse's own attributes say, and are in nothing else then", () => {
      const { input, metadata, output } = body({
        ...chat,
        "langfuse.observation.input": "own",
        "gen_ai.input.messages": question,
        "gen_ai.output.messages": answer
      })
      assert.strictEqual(input, "own")
      assert.deepStrictEqual(output, answer)
      assert.deepStrictEqual(metadata, { gen_ai: { "operation.name": "chat" } })
    })

    it("are left out where content is not wanted, and so is what the program logged", () => {
      const secret = (name: string) => [name, "s3cret"] as const
      const item = itemOf(
        Object.fromEntries([
          ["gen_ai.operation.name", "chat"],
          ...[
            "langfuse.observation.input",
            "langfuse.trace.output",
            "gen_ai.system_instructions",
            "gen_ai.input.messages",
            "gen_ai.output.messages",
            "gen_ai.prompt.0.content",
            "gen_ai.completion.0.content",
            "gen_ai.tool.call.arguments",
            "gen_ai.tool.call.result",
            "gen_ai.tool.definitions",
            "llm.input_messages.0.message.content",
            "ai.prompt.messages",
            "ai.response.text",
            "ai.value",
            "input.value",
            "output",
            "lk.chat_ctx",
            "mlflow.spanInputs",
            "traceloop.entity.output",
            "genkit:input",
            "ai.response.reasoning",
            "ai.response.files",
            "ai.response.providerMetadata",
            "ai.toolCall.input",
            "ai.toolCall.output",
            "ai.request.body",
            "gen_ai.request.messages",
            "gen_ai.agent.description",
            "gen_ai.some.new_field",
            "llm.prompts.0.prompt.text",
            "llm.prompt_template.variables",
            "retrieval.documents.0.document.content",
            "retrieval.documents.0.document.metadata",
            "embedding.embeddings.0.embedding.text",
            "reranker.query",
            "reranker.input_documents.0.document.content",
            "tool.parameters",
            "exception.message",
            "lk.instructions",
            "traceloop.prompt.template"
          ].map(secret),
          ["embedding.embeddings.0.embedding.vector", [77.5, 77.5]],
          ["embedding.embeddings.0.embedding.vector.0", 77.5],
          ["gen_ai.provider.name", "openai"],
          ["gen_ai.response.finish_reasons", ["stop"]],
          ["ai.response.msToFinish", 1234],
          ["retrieval.documents.0.document.score", 0.125],
          ["ai.response.timestamp", "2026-11-28"],
          ["http.route", "/answers"]
        ]),
        {
          events: [
            { name: "gen_ai.user.message", attributes: { content: "s3cret" } },
            { name: "s3cret", attributes: { "effect.logLevel": "INFO" } },
            { name: "kept", attributes: { "exception.message": "s3cret", "exception.type": "TypeError" } }
          ]
        },
        { content: "metadata" }
      )
      const text = JSON.stringify(toEvent(item))
      assert.notInclude(text, "s3cret")
      assert.notInclude(text, "77.5")
      for (const kept of ["kept", "TypeError", "openai", "stop", "1234", "0.125", "2026-11-28", "/answers"]) {
        assert.include(text, kept)
      }
    })
  })

  it("what describes the call otherwise is metadata, and the conversation is the session", () => {
    const { body, trace } = sent({
      ...chat,
      "gen_ai.provider.name": "openai",
      "gen_ai.response.id": "resp_1",
      "gen_ai.response.finish_reasons": ["stop"],
      "gen_ai.conversation.id": "conversation",
      "server.address": "api.openai.com"
    })
    assert.deepStrictEqual(body.metadata, {
      gen_ai: {
        "operation.name": "chat",
        "provider.name": "openai",
        "response.id": "resp_1",
        "response.finish_reasons": ["stop"]
      },
      attributes: { "server.address": "api.openai.com" }
    })
    assert.deepStrictEqual(trace, { sessionId: "conversation" })
  })
})

describe("Langfuse's attributes", () => {
  it("JSON text of an object or a list becomes what it is, any other text stays text", () => {
    const input = (text: unknown) => body({ "langfuse.observation.input": text })["input"]
    assert.deepStrictEqual(input(`{"a":[1,null]}`), { a: [1, null] })
    assert.deepStrictEqual(input(` [1, 2]`), [1, 2])
    for (const text of ["[INFO] started", "{not json", "17", "true", "\"quoted\"", "", "plain"]) {
      assert.strictEqual(input(text), text)
    }
    assert.strictEqual(input(17), 17)
    assert.strictEqual(input(false), false)
    assert.deepStrictEqual(input({ a: 1 }), { a: 1 })
  })

  it("describe the observation", () => {
    assert.deepStrictEqual(
      sent({
        "langfuse.observation.type": "generation",
        "langfuse.observation.level": "warn",
        "langfuse.observation.status_message": "slow",
        "langfuse.observation.model.name": "gpt",
        "langfuse.observation.model.parameters": `{"temperature":1,"deep":{"a":{"b":1}}}`,
        "langfuse.observation.prompt.name": "summarise",
        "langfuse.observation.prompt.version": "3",
        "langfuse.observation.metadata": `{"a":1,"b":2}`,
        "langfuse.observation.metadata.b": `{"c":3}`,
        "langfuse.observation.metadata.d.e": "dotted",
        "langfuse.version": "v2",
        "langfuse.experiment.id": "ex"
      }).body,
      {
        id: "b7ad6b7169203331",
        traceId: "0af7651916cd43dd8448eb211c80319c",
        name: "span",
        startTime: "1970-01-01T00:00:01.000Z",
        endTime: "1970-01-01T00:00:02.000Z",
        level: "WARNING",
        statusMessage: "slow",
        model: "gpt",
        modelParameters: { temperature: 1, deep: `{"a":{"b":1}}` },
        promptName: "summarise",
        promptVersion: 3,
        version: "v2",
        metadata: { a: 1, b: { c: 3 }, "d.e": "dotted", "experiment.id": "ex" }
      }
    )
  })

  it("a prompt needs both its name and its version, as the server does", () => {
    const type = { "langfuse.observation.type": "generation" }
    for (
      const prompt of [
        { "langfuse.observation.prompt.name": "p" },
        { "langfuse.observation.prompt.version": 3 },
        { "langfuse.observation.prompt.name": "p", "langfuse.observation.prompt.version": 0 },
        { "langfuse.observation.prompt.name": "", "langfuse.observation.prompt.version": 1 },
        { "langfuse.observation.prompt.name": "p", "langfuse.observation.prompt.version": 1.5 },
        { "langfuse.observation.prompt.name": "p", "langfuse.observation.prompt.version": "latest" }
      ]
    ) {
      const event = body({ ...type, ...prompt })
      assert.notProperty(event, "promptName")
      assert.notProperty(event, "promptVersion")
    }
  })

  it("a span that has a model, usage or cost is a generation, for Langfuse keeps none of them of a span", () => {
    for (
      const said of [
        { "langfuse.observation.usage_details": `{"input":1}` },
        { "langfuse.observation.cost_details": `{"input":1}` },
        { "langfuse.observation.model.name": "m" }
      ]
    ) {
      assert.strictEqual(sent(said).type, "generation-create")
      assert.strictEqual(sent({ ...said, "langfuse.observation.type": "span" }).type, "generation-create")
      assert.strictEqual(sent({ ...said, "langfuse.observation.type": "tool" }).type, "tool-create")
    }
  })

  it("events have no end", () => {
    const event = body({ "langfuse.observation.type": "event", "langfuse.observation.input": "x" })
    assert.notProperty(event, "endTime")
    assert.strictEqual(event["input"], "x")
  })

  it("describe the trace, on every observation", () => {
    assert.deepStrictEqual(
      sent({
        "langfuse.trace.name": "n".repeat(2000),
        "user.id": 17,
        "session.id": "s",
        "langfuse.trace.tags": ["a", "b", "a"],
        "langfuse.trace.public": "true",
        "langfuse.trace.metadata": `{"a":1}`,
        "langfuse.trace.metadata.b": "2",
        "langfuse.version": "v",
        "langfuse.release": "r",
        "langfuse.environment": "Langfuse-Staging"
      }).trace,
      {
        name: "n".repeat(1000),
        userId: "17",
        sessionId: "s",
        tags: ["a", "b"],
        public: true,
        metadata: { a: 1, b: "2" },
        version: "v",
        release: "r",
        environment: "staging"
      }
    )
    assert.deepStrictEqual(sent({ "langfuse.trace.tags": "a, b" }).trace, { tags: ["a", "b"] })
    assert.deepStrictEqual(sent({ "langfuse.trace.tags": `["a","b"]` }).trace, { tags: ["a", "b"] })
    assert.isUndefined(sent({ "langfuse.environment": "no such.thing", "langfuse.trace.tags": [] }).trace)
  })

  it("an environment is on the observation too, where the batch endpoint reads it", () =>
    assert.strictEqual(body({ "langfuse.environment": "staging" })["environment"], "staging"))

  const names = [
    "langfuse.observation.type",
    "langfuse.observation.input",
    "langfuse.observation.output",
    "langfuse.observation.level",
    "langfuse.observation.status_message",
    "langfuse.observation.model.name",
    "langfuse.observation.model.parameters",
    "langfuse.observation.usage_details",
    "langfuse.observation.cost_details",
    "langfuse.observation.completion_start_time",
    "langfuse.observation.prompt.name",
    "langfuse.observation.prompt.version",
    "langfuse.observation.metadata",
    "langfuse.observation.metadata.k",
    "langfuse.observation.metadata.__proto__",
    "langfuse.trace.name",
    "langfuse.trace.tags",
    "langfuse.trace.public",
    "langfuse.trace.metadata.k",
    "langfuse.environment",
    "langfuse.version",
    "langfuse.release",
    "user.id",
    "session.id",
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.request.temperature",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.total_tokens",
    "gen_ai.usage.cost",
    "gen_ai.input.messages",
    "gen_ai.system_instructions",
    "gen_ai.prompt.0.content",
    "gen_ai.prompt.0.content.1.x",
    "gen_ai.tool.definitions",
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.",
    "langfuse.",
    "__proto__",
    "toString"
  ]
  const value = FastCheck.oneof(
    FastCheck.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
    FastCheck.json(),
    FastCheck.constantFrom("generation", "agent", "event", "chat", "invoke_agent", "anthropic", "true", "{", "[", "12"),
    FastCheck.double(),
    FastCheck.nat()
  )

  it.prop(
    "whatever the attributes are, the event is one that is taken",
    [FastCheck.array(FastCheck.tuple(FastCheck.constantFrom(...names), value), { maxLength: 12 })],
    ([attributes]) => {
      const item = itemOf(Object.fromEntries(attributes))
      const event = toEvent(item)
      assert.notProperty(fromEvent(event, policy), "issues")
    },
    runs(500)
  )
})

describe("other instrumentations", () => {
  const cases: ReadonlyArray<readonly [string, Record<string, unknown>, Record<string, unknown>]> = [
    ["OpenInference", {
      "openinference.span.kind": "LLM",
      "llm.model_name": "gpt-4.1",
      "llm.invocation_parameters": `{"temperature":0.2}`,
      "input.value": `{"messages":[]}`,
      "output.value": "yo"
    }, {
      type: "generation-create",
      model: "gpt-4.1",
      modelParameters: { temperature: 0.2 },
      input: { messages: [] },
      output: "yo"
    }],
    ["OpenInference, one attribute for each value", {
      "openinference.span.kind": "LLM",
      "llm.input_messages.0.message.role": "user",
      "llm.input_messages.0.message.content": "hi",
      "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "f",
      "llm.tools.0.tool.json_schema": `{"type":"function","function":{"name":"f"}}`
    }, {
      input: {
        messages: [{ message: { role: "user", content: "hi" } }],
        tools: [{ type: "function", function: { name: "f" } }]
      },
      output: [{ message: { tool_calls: [{ tool_call: { function: { name: "f" } } }] } }]
    }],
    ["OpenInference, a retriever", { "openinference.span.kind": "RETRIEVER", "input.value": "q", "tag.tags": ["x"] }, {
      type: "retriever-create",
      input: "q"
    }],
    ["Vercel's SDK", {
      "ai.operationId": "ai.generateText.doGenerate",
      "ai.telemetry.functionId": "fn",
      "ai.model.id": "gpt-4.1",
      "ai.settings.maxRetries": 2,
      "ai.prompt.messages": `[{"role":"user","content":"hi"}]`,
      "ai.response.text": "yo",
      "ai.response.msToFirstChunk": 250,
      "ai.telemetry.metadata.langfusePrompt": `{"name":"p","version":3}`
    }, {
      type: "generation-create",
      name: "fn:ai.generateText.doGenerate",
      model: "gpt-4.1",
      modelParameters: { maxRetries: 2 },
      input: [{ role: "user", content: "hi" }],
      output: "yo",
      completionStartTime: "1970-01-01T00:00:01.250Z",
      promptName: "p",
      promptVersion: 3
    }],
    ["Vercel's SDK, text and calls of tools", {
      "ai.operationId": "ai.streamText.doStream",
      "ai.response.text": "Let me look.",
      "ai.response.toolCalls": `[{"toolName":"f"}]`
    }, { output: { role: "assistant", content: "Let me look.", tool_calls: [{ toolName: "f" }] } }],
    ["Vercel's SDK, the whole of a call", { "ai.operationId": "ai.generateText", "ai.model.id": "m" }, {
      type: "span-create"
    }],
    ["Vercel's SDK, a tool", {
      "ai.operationId": "ai.toolCall",
      "ai.toolCall.name": "f",
      "ai.toolCall.args": `{"a":1}`,
      "ai.toolCall.result": "2"
    }, { type: "tool-create", name: "f", input: { a: 1 }, output: "2" }],
    ["Genkit", {
      "genkit:metadata:subtype": "model",
      "genkit:name": "gemini",
      "genkit:input": `{"messages":[1]}`,
      "genkit:output": `{"message":{"a":1}}`
    }, { type: "generation-create", name: "gemini", model: "gemini", input: [1], output: { a: 1 } }],
    ["LiveKit", { "lk.chat_ctx": `{"items":[]}`, "lk.response.text": "yo", "gen_ai.request.model": "m" }, {
      type: "generation-create",
      input: { items: [] },
      output: "yo"
    }],
    ["MLflow", { "mlflow.spanInputs": "in", "mlflow.spanOutputs": "out" }, { input: "in", output: "out" }],
    ["OpenLLMetry", { "traceloop.entity.input": "in", "traceloop.entity.output": "out" }, {
      input: "in",
      output: "out"
    }],
    ["Google's ADK, a tool", {
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": "f",
      "gcp.vertex.agent.tool_call_args": `{"a":1}`,
      "gcp.vertex.agent.tool_response": `{"r":2}`,
      "gcp.vertex.agent.llm_request": "{}",
      "gcp.vertex.agent.llm_response": "{}"
    }, { type: "tool-create", name: "f", input: { a: 1 }, output: { r: 2 } }],
    ["Logfire", { "logfire.msg": "running", "gen_ai.tool.name": "f", "tool_arguments": "{}", "tool_response": "r" }, {
      type: "tool-create",
      name: "f",
      output: "r"
    }],
    ["flue", { "flue.tool.name": "f", "flue.tool.arguments": "a", "flue.tool.result": "r" }, {
      type: "tool-create",
      input: "a",
      output: "r"
    }],
    ["plain attributes", { input: "a", output: 42 }, { type: "span-create", input: "a", output: 42 }]
  ]
  for (const [name, attributes, expected] of cases) {
    it(name, () => {
      const { body, type } = sent(attributes)
      assert.deepInclude({ type, ...body }, expected)
    })
  }

  it("user, session, tags and metadata of Vercel's SDK are those of the trace and of the observation", () => {
    const { body, trace } = sent({
      "ai.operationId": "ai.generateText",
      "ai.telemetry.metadata.userId": "u",
      "ai.telemetry.metadata.sessionId": "s",
      "ai.telemetry.metadata.tags": ["a"],
      "ai.telemetry.metadata.k": "v"
    })
    assert.deepStrictEqual(trace, { userId: "u", sessionId: "s", tags: ["a"] })
    assert.deepInclude(body["metadata"], { k: "v" })
  })

  it("options that were not set are no parameters", () => {
    for (const empty of [[], "[]"]) {
      assert.notProperty(body({ ...chat, "gen_ai.request.stop_sequences": empty }), "modelParameters")
    }
  })

  it("an attribute beside a content that the program gave is kept as one", () =>
    assert.deepInclude(body({ "langfuse.observation.input": "mine", input: "other" }), {
      input: "mine",
      metadata: { attributes: { input: "other" } }
    }))
})

describe("what stands on a span", () => {
  it("is not parsed where it is known to be JSON, or another instrumentation's text", () => {
    const input = `{ "a":  1 }`
    const messages = ` [ {"role":"user"} ] `
    const parse = vi.spyOn(JSON, "parse")
    try {
      const own = itemOf({
        "langfuse.observation.input": input,
        "langfuse.observation.metadata.k": `{"b":2}`,
        "langfuse.observation.usage_details": `{"input":1,"total":1}`
      }, {
        json: {
          input,
          output: undefined,
          others: new Map([
            ["langfuse.observation.metadata.k", `{"b":2}`],
            ["langfuse.observation.usage_details", `{"input":1,"total":1}`]
          ])
        }
      })
      const foreign = itemOf({ ...chat, "gen_ai.input.messages": messages, "gen_ai.evaluation.details": messages })
      const given = itemOf({ ...chat, "gen_ai.input.messages": messages }, {
        json: { input: undefined, output: undefined, others: new Map([["gen_ai.input.messages", messages]]) }
      })
      assert.strictEqual(parse.mock.calls.length, 0)
      assert.deepStrictEqual({ ...own.input }, { text: input, isJson: true })
      assert.deepStrictEqual({ ...own.metadata?.get("k") }, { text: `{"b":2}`, isJson: true })
      assert.strictEqual(own.usage, `{"input":1,"total":1}`)
      assert.deepStrictEqual({ ...foreign.input }, { text: messages, isJson: false })
      assert.deepStrictEqual({ ...given.input }, { text: messages, isJson: true })
      assert.include(foreign.metadata?.get("gen_ai")?.text, JSON.stringify(messages))
    } finally {
      parse.mockRestore()
    }
  })

  it("is redacted by its name", () => {
    const text = JSON.stringify(toEvent(itemOf({
      "http.request.header.authorization": "Bearer s3cret",
      "http.request.header.cookie": ["s3cret"],
      "url.full": "https://u:s3cret@example.com/",
      authorization: "s3cret",
      "langfuse.observation.metadata.authorization": "s3cret",
      "langfuse.observation.metadata": `{"cookie":"s3cret"}`,
      "langfuse.trace.metadata.x-api-key": "s3cret",
      "ai.request.headers.authorization": "s3cret",
      "server.url": "https://u:s3cret@example.com/"
    }, {
      events: [{
        name: "e",
        attributes: { "x-api-key": "s3cret", "effect.cause": "Error: at https://u:s3cret@h/\n    at /home/x.ts:1:1" }
      }],
      links: [{ traceId: "t", spanId: "s", attributes: { cookie: "s3cret" } }]
    })))
    assert.notInclude(text, "s3cret")
    assert.include(text, "https://<redacted>@example.com/")
  })

  it("is completed by the exit and the settings", () => {
    const status = { level: "ERROR", message: "no" }
    const item = itemOf({}, { status }, { environment: "staging", release: "r1" })
    assert.deepInclude({ ...item }, { level: "ERROR", statusMessage: "no", environment: "staging" })
    assert.strictEqual(item.context?.release, "r1")
    const said = itemOf(
      {
        "langfuse.observation.level": "warning",
        "langfuse.observation.status_message": "mine",
        "langfuse.environment": "mine",
        "langfuse.release": "r2"
      },
      { status },
      { environment: "staging", release: "r1" }
    )
    assert.deepInclude({ ...said }, { level: "WARNING", statusMessage: "mine", environment: "mine" })
    assert.strictEqual(said.context?.release, "r2")
  })

  it("is not lost where Langfuse would not take it", () => {
    const said = {
      "langfuse.observation.level": "loud",
      "langfuse.observation.type": "poem",
      "langfuse.observation.completion_start_time": "yesterday",
      "langfuse.observation.model.parameters": "hot",
      "langfuse.observation.prompt.name": "p",
      "langfuse.environment": "no such.thing"
    }
    const { metadata } = body(said)
    for (const value of Object.values(said)) assert.include(JSON.stringify(metadata), value)
  })

  it("events and links are metadata, without stacks", () => {
    const { metadata } = body({ "code.stacktrace": "at /home" }, {
      events: [{
        name: "failed",
        attributes: { "effect.cause": "Error: no\n    at /home/x.ts:1:1", "exception.stacktrace": "at /home" }
      }],
      links: [{ traceId: "t", spanId: "s", attributes: {} }],
      leftOut: 3
    })
    assert.deepStrictEqual(metadata, {
      events: [{ name: "failed", time: "1970-01-01T00:00:01.500Z", attributes: { "effect.cause": "Error: no" } }],
      links: [{ traceId: "t", spanId: "s" }],
      leftOut: "3 more events or links"
    })
  })

  it("survives what throws", () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const attributes = new Map<string, unknown>([["langfuse.trace.tags", proxy], ["k", proxy], ["input.value", proxy]])
    const item = fromSpan({ ...spanOf({}), attributes }, "event", policy)
    assert.strictEqual(item.name, "span")
    const throwing: ReadonlyMap<string, unknown> = new Proxy(new Map(), {
      get: () => {
        throw new Error("no")
      }
    })
    assert.strictEqual(fromSpan({ ...spanOf({}), attributes: throwing }, "event", policy).name, "span")
  })
})
