import { assert, describe, it } from "@effect/vitest"
import { Exit, FastCheck, Schema } from "effect"
import { IngestionEvent } from "effect-langfuse"
import { JsonText, make, of, plain } from "../src/internal/snapshot.js"
import { toEvent } from "../src/internal/tracer/observation.js"
import { costs, fromObject } from "../src/internal/tracer/usage.js"
import type { Observation } from "./utils/tracer.js"

interface Given {
  readonly name?: string
  readonly events?: ReadonlyArray<{ readonly name: string; readonly attributes: Record<string, unknown> }>
}

/** What Langfuse is sent for a span with these attributes. */
const sent = (attributes: Record<string, unknown>, given: Given = {}): Observation => {
  const event = toEvent({
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    parentId: undefined,
    isAppRoot: false,
    name: given.name ?? "span",
    kind: "internal",
    startTime: 1_000_000_000n,
    endTime: 2_000_000_000n,
    exit: Exit.void,
    neverEnded: undefined,
    attributes: new Map(Object.entries(attributes)),
    events: (given.events ?? []).map((event) => ({ ...event, time: 1_500_000_000n })),
    links: [],
    leftOut: 0,
    isLate: false
  }, "event")
  return plain(of(event)) as Observation
}

const body = (attributes: Record<string, unknown>, given?: Given) => sent(attributes, given).body

const chat = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4.1" }

const usageOf = (provider: string, usage: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  body({
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": provider,
    ...Object.fromEntries(Object.entries(usage).map(([name, value]) => [`gen_ai.usage.${name}`, value])),
    ...more
  }).usageDetails

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
      assert.strictEqual(body(tool, { name: "execute_tool search" }).name, "search")
      const agent = { "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Math Tutor" }
      assert.strictEqual(body(agent, { name: "invoke_agent" }).name, "Math Tutor")
      assert.strictEqual(body(chat, { name: "chat gpt-4.1" }).name, "chat gpt-4.1")
    })

    it("an observation that the program named keeps its name", () => {
      const attributes = { "langfuse.observation.type": "tool", "gen_ai.tool.name": "search" }
      assert.strictEqual(body(attributes, { name: "look it up" }).name, "look it up")
    })
  })

  describe("model and parameters", () => {
    it("the model is the one that answered, and the one asked for stays in the metadata when it is another", () => {
      const answered = body({ ...chat, "gen_ai.response.model": "gpt-4.1-2026-04-14" })
      assert.strictEqual(answered.model, "gpt-4.1-2026-04-14")
      assert.deepInclude(answered.metadata, { gen_ai: { "operation.name": "chat", "request.model": "gpt-4.1" } })
      assert.strictEqual(body(chat).model, "gpt-4.1")
      assert.strictEqual(body({ ...chat, "langfuse.observation.model.name": "mine" }).model, "mine")
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
        }).modelParameters,
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
        body({ ...chat, "gen_ai.response.time_to_first_chunk": 0.25 }).completionStartTime,
        "1970-01-01T00:00:01.250Z"
      )
      assert.strictEqual(
        body({ ...chat, "langfuse.observation.completion_start_time": "\"2026-11-23T12:00:00.500Z\"" })
          .completionStartTime,
        "2026-11-23T12:00:00.500Z"
      )
      for (const time of ["yesterday", 17, "2026-11-23", null]) {
        assert.notProperty(body({ ...chat, "langfuse.observation.completion_start_time": time }), "completionStartTime")
      }
    })
  })

  describe("usage", () => {
    it("of OpenAI and most others has cached tokens within the input, and reasoning within the output", () => {
      const usage = {
        input_tokens: 100,
        output_tokens: 50,
        "cache_read.input_tokens": 40,
        "reasoning.output_tokens": 30
      }
      for (
        const provider of ["openai", "azure.ai.openai", "deepseek", "x_ai", "mistral_ai", "openrouter", "unheard of"]
      ) {
        assert.deepStrictEqual(usageOf(provider, usage), {
          input: 60,
          output: 20,
          input_cached_tokens: 40,
          output_reasoning_tokens: 30
        }, provider)
      }
    })

    it("of Anthropic has cached tokens beside the input", () => {
      const expected = { input: 100, output: 50, input_cached_tokens: 40, input_cache_creation: 10 }
      for (const provider of ["anthropic", "aws.bedrock", "aws_bedrock"]) {
        assert.deepStrictEqual(
          usageOf(provider, {
            input_tokens: 100,
            output_tokens: 50,
            cache_read_input_tokens: 40,
            cache_creation_input_tokens: 10
          }),
          expected,
          provider
        )
      }
      const vertex = usageOf("gcp.vertex_ai", { input_tokens: 100, "cache_read.input_tokens": 40 }, {
        "gen_ai.request.model": "claude-sonnet-4-5"
      })
      assert.deepStrictEqual(vertex, { input: 100, input_cached_tokens: 40 })
    })

    it("of Google has thoughts beside the output, and cached tokens within the input", () => {
      for (const provider of ["gcp.gemini", "gcp.vertex_ai", "gemini", "google"]) {
        assert.deepStrictEqual(
          usageOf(provider, {
            input_tokens: 100,
            output_tokens: 50,
            "cache_read.input_tokens": 40,
            "reasoning.output_tokens": 30
          }),
          { input: 60, output: 50, input_cached_tokens: 40, output_reasoning_tokens: 30 },
          provider
        )
      }
    })

    it("the old name of the provider counts as well", () => {
      const usage = body({
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "anthropic",
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.cache_read_input_tokens": 4
      }).usageDetails
      assert.deepStrictEqual(usage, { input: 10, input_cached_tokens: 4 })
    })

    it("a part larger than the whole is beside it, whoever counted", () => {
      assert.deepStrictEqual(usageOf("openai", { input_tokens: 3, "cache_read.input_tokens": 4000 }), {
        input: 3,
        input_cached_tokens: 4000
      })
    })

    it("a total tells how the counts were meant", () => {
      const counts = { input_tokens: 100, output_tokens: 50, "cache_read.input_tokens": 40 }
      assert.deepStrictEqual(usageOf("unheard of", { ...counts, total_tokens: 190 }), {
        input: 100,
        output: 50,
        input_cached_tokens: 40,
        total: 190
      })
      assert.deepStrictEqual(usageOf("unheard of", { ...counts, total_tokens: 150 }), {
        input: 60,
        output: 50,
        input_cached_tokens: 40,
        total: 150
      })
      assert.deepStrictEqual(
        usageOf("gcp.gemini", { input_tokens: 10, output_tokens: 50, reasoning_tokens: 30, total_tokens: 60 }),
        { input: 10, output: 20, output_reasoning_tokens: 30, total: 60 }
      )
      // Anthropic's own counts just added up are no total of what was used.
      assert.deepStrictEqual(usageOf("anthropic", { ...counts, total_tokens: 150 }), {
        input: 100,
        output: 50,
        input_cached_tokens: 40
      })
    })

    it("counts under every name that instrumentations give them", () => {
      const names: ReadonlyArray<readonly [string, string]> = [
        ["prompt_tokens", "input"],
        ["completion_tokens", "output"],
        ["cache_read_input_tokens", "input_cached_tokens"],
        ["cached_tokens", "input_cached_tokens"],
        ["input_tokens.cached", "input_cached_tokens"],
        ["prompt_tokens_details.cached_tokens", "input_cached_tokens"],
        ["cache_creation.input_tokens", "input_cache_creation"],
        ["cache_write_tokens", "input_cache_creation"],
        ["reasoning_tokens", "output_reasoning_tokens"],
        ["output_tokens.reasoning", "output_reasoning_tokens"],
        ["completion_tokens_details.reasoning_tokens", "output_reasoning_tokens"],
        ["total_tokens", "total"]
      ]
      for (const [name, bucket] of names) {
        assert.deepStrictEqual(usageOf("openai", { [name]: 7 }), { [bucket]: 7 }, name)
      }
    })

    it("only integers of 0 or more are counts; numbers written as text are numbers", () => {
      assert.deepStrictEqual(usageOf("openai", { input_tokens: "12", output_tokens: 3n }), { input: 12, output: 3 })
      assert.isUndefined(usageOf("openai", { input_tokens: 1.5, output_tokens: -1, total_tokens: "many" }))
    })

    it("a count that may be part of another is no bucket, and not lost either", () => {
      const { metadata, usageDetails } = body({
        ...chat,
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.search_units": 2
      })
      assert.deepStrictEqual(usageDetails, { input: 5 })
      assert.deepStrictEqual(metadata, { gen_ai: { "operation.name": "chat", "usage.search_units": 2 } })
    })

    it("cost is taken from the provider, and Langfuse's own attributes win", () => {
      assert.deepStrictEqual(body({ ...chat, "gen_ai.usage.cost": 0.25 }).costDetails, { total: 0.25 })
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
          usageDetails: { input: 7 }
        }
      )
    })

    it.prop(
      "what is disjoint adds up to what was counted, and no bucket is negative",
      [
        FastCheck.record({
          input: FastCheck.nat(1000),
          output: FastCheck.nat(1000),
          cached: FastCheck.nat(1000),
          creation: FastCheck.nat(1000),
          reasoning: FastCheck.nat(1000),
          provider: FastCheck.constantFrom("openai", "anthropic", "gcp.gemini", "aws.bedrock", "")
        })
      ],
      ([{ cached, creation, input, output, provider, reasoning }]) => {
        const usage = usageOf(provider, {
          input_tokens: input,
          output_tokens: output,
          "cache_read.input_tokens": cached,
          "cache_creation.input_tokens": creation,
          "reasoning.output_tokens": reasoning
        }) as Record<string, number>
        assert.isTrue(Object.values(usage).every((count) => count >= 0))
        const inAll = (whole: number, parts: number): ReadonlyArray<number> => [Math.max(whole, parts), whole + parts]
        assert.include(inAll(input, cached + creation), (usage["input"] ?? 0) + cached + creation)
        assert.include(inAll(output, reasoning), (usage["output"] ?? 0) + reasoning)
      }
    )
  })

  describe("usage objects of providers", () => {
    it("buckets stay as they are, without what is no count", () => {
      assert.deepStrictEqual(fromObject({ input: 1, output: 2, mine: 3, half: 0.5, text: "x", none: undefined }), {
        input: 1,
        output: 2,
        mine: 3
      })
      for (const none of [{}, { input: -1 }, null, 7, "x", []]) assert.isUndefined(fromObject(none))
    })

    it("OpenAI's become disjoint, with whatever else is in them", () => {
      assert.deepStrictEqual(
        fromObject({
          prompt_tokens: 100,
          completion_tokens: 20,
          total_tokens: 120,
          prompt_tokens_details: { cached_tokens: 40, audio_tokens: 0 },
          completion_tokens_details: { reasoning_tokens: 5, accepted_prediction_tokens: null },
          service_tier: "default"
        }),
        {
          input: 60,
          output: 15,
          total: 120,
          input_cached_tokens: 40,
          input_audio_tokens: 0,
          output_reasoning_tokens: 5
        }
      )
      assert.deepStrictEqual(
        fromObject({
          input_tokens: 10,
          output_tokens: 5,
          total_tokens: 15,
          input_tokens_details: { cached_tokens: 4 },
          output_tokens_details: { reasoning_tokens: 2 }
        }),
        { input: 6, output: 3, total: 15, input_cached_tokens: 4, output_reasoning_tokens: 2 }
      )
    })

    it("Anthropic's have their cached tokens beside the input", () => {
      assert.deepStrictEqual(
        fromObject({
          input_tokens: 10,
          output_tokens: 5,
          cache_read_input_tokens: 4,
          cache_creation_input_tokens: 0,
          cache_creation: { ephemeral_5m_input_tokens: 0 },
          service_tier: "standard"
        }),
        { input: 10, output: 5, input_cached_tokens: 4, input_cache_creation: 0 }
      )
    })

    it("costs have a total", () => {
      assert.deepStrictEqual(costs({ input: 1, output: 2, cache: 0.5 }), {
        input: 1,
        output: 2,
        cache: 0.5,
        total: 3.5
      })
      assert.deepStrictEqual(costs({ total: 1, input: 5, bad: -1, none: undefined }), { total: 1, input: 5 })
      assert.isUndefined(costs({}))
      assert.isUndefined(costs("free"))
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
        }).input,
        [{ role: "system", parts: instructions }, ...question]
      )
      assert.deepStrictEqual(
        body({ ...chat, "gen_ai.system_instructions": "Be brief.", "gen_ai.input.messages": question }).input,
        [{ role: "system", content: "Be brief." }, ...question]
      )
      const own = [{ role: "system", content: "x" }]
      assert.deepStrictEqual(
        body({ ...chat, "gen_ai.system_instructions": "Be brief.", "gen_ai.input.messages": own }).input,
        own
      )
    })

    it("come with the tools the model could call", () => {
      assert.deepStrictEqual(
        body({ ...chat, "gen_ai.input.messages": question, "gen_ai.tool.definitions": `[{"name":"search"}]` }).input,
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

    it("are left out where content is not wanted", () => {
      const snapshot = make({ content: "metadata", maxEventBytes: 1_000_000, onMaskFailure: () => {} })
      const event = toEvent({
        traceId: "0af7651916cd43dd8448eb211c80319c",
        spanId: "b7ad6b7169203331",
        parentId: undefined,
        isAppRoot: false,
        name: "chat",
        kind: "internal",
        startTime: 1n,
        endTime: 2n,
        exit: Exit.void,
        neverEnded: undefined,
        attributes: new Map<string, unknown>([
          ["gen_ai.operation.name", "chat"],
          ["gen_ai.system_instructions", "s3cret"],
          ["gen_ai.input.messages", "s3cret"],
          ["gen_ai.output.messages", "s3cret"],
          ["gen_ai.prompt.0.content", "s3cret"],
          ["gen_ai.completion.0.content", "s3cret"],
          ["gen_ai.tool.call.arguments", "s3cret"],
          ["gen_ai.tool.call.result", "s3cret"]
        ]),
        events: [{ name: "gen_ai.user.message", time: 1n, attributes: { content: "s3cret" } }],
        links: [],
        leftOut: 0,
        isLate: false
      }, "event")
      assert.notInclude(snapshot(event).json(), "s3cret")
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
    const input = (text: unknown) => body({ "langfuse.observation.input": text }).input
    assert.deepStrictEqual(input(`{"a":[1,null]}`), { a: [1, null] })
    assert.deepStrictEqual(input(` [1, 2]`), [1, 2])
    for (const text of ["[INFO] started", "{not json", "17", "true", "\"quoted\"", "", "plain"]) {
      assert.strictEqual(input(text), text)
    }
    assert.strictEqual(input(17), 17)
    assert.strictEqual(input(false), false)
    assert.deepStrictEqual(input({ a: 1 }), { a: 1 })
    assert.deepStrictEqual(input(`{"half":"\\ud83d"}`), { half: "\ufffd" })
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

  it("spans have no model, and events no end either", () => {
    const span = body({ "langfuse.observation.type": "span", "langfuse.observation.usage_details": `{"input":1}` })
    assert.notProperty(span, "usageDetails")
    const event = body({ "langfuse.observation.type": "event", "langfuse.observation.input": "x" })
    assert.notProperty(event, "endTime")
    assert.strictEqual(event.input, "x")
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
    assert.strictEqual(body({ "langfuse.environment": "staging" }).environment, "staging"))

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
    "whatever the attributes are, the event is one Langfuse takes",
    [FastCheck.array(FastCheck.tuple(FastCheck.constantFrom(...names), value), { maxLength: 12 })],
    ([attributes]) => {
      const event = sent(Object.fromEntries(attributes))
      const checked = Schema.validateEither(IngestionEvent.IngestionEvent, {
        errors: "all",
        onExcessProperty: "error"
      })(
        event
      )
      assert.strictEqual(checked._tag, "Right", checked._tag === "Left" ? checked.left.message : "")
    },
    { fastCheck: { numRuns: 500 } }
  )
})

describe("JSON text as a value", () => {
  const event = (input: unknown): IngestionEvent.IngestionEvent => ({
    type: "span-create",
    id: "e",
    timestamp: "2026-11-23T12:00:00.000Z",
    body: { id: "s", input }
  })

  it("is part of the event as it is, not written once more", () => {
    const taken = of(event(new JsonText(`{ "a": [1,  2] }`)))
    assert.strictEqual(taken.inputText, `{ "a": [1,  2] }`)
    assert.deepStrictEqual((plain(taken).body as { input: unknown }).input, { a: [1, 2] })
    assert.strictEqual(taken.bytes, new TextEncoder().encode(taken.json()).length)
  })

  it("is what it stands for to whoever writes the event otherwise", () => {
    assert.strictEqual(JSON.stringify(event(new JsonText("[1]"))), JSON.stringify(event([1])))
    assert.strictEqual(of(event({ nested: new JsonText("[1]") })).inputText, `{"nested":[1]}`)
  })

  it("is shown to the mask as the value it is", () => {
    const snapshot = make({
      content: "full",
      maxEventBytes: 1_000_000,
      mask: (value) => ({ masked: value }),
      onMaskFailure: () => {}
    })
    assert.strictEqual(snapshot(event(new JsonText(`{"a":1}`))).inputText, `{"masked":{"a":1}}`)
  })

  it("is cut like any other value", () => {
    const snapshot = make({ content: "full", maxEventBytes: 2000, onMaskFailure: () => {} })
    const taken = snapshot(event(new JsonText(JSON.stringify({ long: "x".repeat(10_000) }))))
    assert.isAtMost(taken.bytes, 2000)
    assert.include(taken.inputText ?? "", "<cut ")
  })
})
