/** Conversations of `@effect/ai`, as Langfuse's interface was recorded to show them. */
import { LanguageModel, Prompt, type Response, Tool, Toolkit } from "@effect/ai"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck as fc, Layer, Schema, Stream } from "effect"
import { LangfuseTracer } from "effect-langfuse"
import * as LangfuseAi from "effect-langfuse/LangfuseAi"
import { type Case, readCases } from "../recorded/cases.js"
import * as Ai from "../utils/ai.js"
import { runs } from "../utils/properties.js"
import { held } from "../utils/seen.js"
import { hasThinking, isShown, isToolCall, messagesIn } from "./support/chat.js"

type Json = { readonly [key: string]: unknown }

interface Chat {
  readonly conversation: boolean
  readonly messages: ReadonlyArray<{ readonly contentShownAsText: boolean; readonly thinkingShown: boolean }>
}

const chatOf = ({ stored }: Case): Chat => (stored as unknown as { readonly chat: Chat }).chat

const read = (text: string | undefined): unknown => {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return text
  }
}

interface Body {
  readonly resourceSpans: ReadonlyArray<{
    readonly scopeSpans: ReadonlyArray<{
      readonly spans: ReadonlyArray<{
        readonly attributes: ReadonlyArray<{ readonly key: string; readonly value: { readonly stringValue: string } }>
      }>
    }>
  }>
}

/** The messages of a recorded generation, of the input and then of the output. */
const recorded = (one: Case): ReadonlyArray<Json> | undefined => {
  const attributes = (one.request.body as Body).resourceSpans[0]?.scopeSpans[0]?.spans[0]?.attributes ?? []
  const at = (name: string) =>
    read(attributes.find(({ key }) => key === `langfuse.observation.${name}`)?.value.stringValue)
  const [input, output] = [messagesIn(at("input")), messagesIn(at("output"))]
  return input && output && [...input, ...output]
}

const cases = readCases("chat-view").filter((one) => {
  // Other SDKs' own forms have adapters of their own.
  const messages = recorded(one)
  return chatOf(one).conversation && messages?.length === chatOf(one).messages.length
})

describe("the rules of the test", () => {
  it("are tried with most recordings", () => {
    assert.isAbove(cases.length, 40)
  })

  it.each(cases)("agree with the recording $name", (one) => {
    const messages = recorded(one) ?? []
    const shown = chatOf(one).messages
    const isGenAi = messages.some((message) => "parts" in message)
    for (const [index, message] of messages.entries()) {
      if (isGenAi) continue
      assert.strictEqual(isShown(message), shown[index]?.contentShownAsText, JSON.stringify(message))
      assert.strictEqual(hasThinking(message), shown[index]?.thinkingShown, JSON.stringify(message))
    }
  })
})

// ---------------------------------------------------------------------------------------------------------------------
// programs
// ---------------------------------------------------------------------------------------------------------------------

const text = fc.constantFrom("Weather in Lisbon?", "21 degrees.", "", "# Title\n\nsome *text*", "half \ud83d")

const file = fc.constantFrom<Prompt.FilePartEncoded>(
  { type: "file", mediaType: "image/png", data: new URL("https://example.com/cat.png") },
  { type: "file", mediaType: "image/png", data: new Uint8Array([1, 2, 3]) },
  { type: "file", mediaType: "application/pdf", fileName: "a.pdf", data: "JVBERi0xLjQK" },
  { type: "file", mediaType: "audio/wav", data: new Uint8Array(3) }
)

const textPart = text.map((text) => ({ type: "text" as const, text }))
const reasoning = text.map((text) => ({ type: "reasoning" as const, text }))

const turn = (id: string) =>
  fc.tuple(
    fc.array(fc.oneof(textPart, reasoning, file), { maxLength: 3 }),
    fc.boolean(),
    fc.constantFrom<unknown>("sunny", { degrees: 21 }, [1], null)
  ).map(([parts, hasCall, result]): ReadonlyArray<Prompt.MessageEncoded> => [
    {
      role: "assistant",
      content: [
        ...parts,
        ...(hasCall
          ? [{ type: "tool-call" as const, id, name: "GetWeather", params: { city: "Rome" }, providerExecuted: false }]
          : [])
      ]
    },
    ...(hasCall
      ? [{
        role: "tool" as const,
        content: [{
          type: "tool-result" as const,
          id,
          name: "GetWeather",
          isFailure: false,
          result,
          providerExecuted: false
        }]
      }]
      : [])
  ])

const prompt = fc.tuple(
  fc.option(text, { nil: undefined }),
  fc.oneof(text, fc.array(fc.oneof(textPart, file), { minLength: 1, maxLength: 3 })),
  turn("call_1"),
  turn("call_2"),
  text
).map(([system, user, first, second, last]): ReadonlyArray<Prompt.MessageEncoded> => [
  ...(system === undefined ? [] : [{ role: "system" as const, content: system }]),
  { role: "user", content: user },
  ...first,
  ...second,
  { role: "user", content: last }
])

const answer = fc.tuple(
  fc.array(fc.oneof(textPart, reasoning), { maxLength: 3 }),
  fc.boolean()
).map(([parts, hasCall]): ReadonlyArray<Response.PartEncoded> => [
  ...parts,
  ...(hasCall ? [Ai.toolCall("call_3", "GetWeather", { city: "Oslo" })] : [])
])

const streamed = (parts: ReadonlyArray<Response.PartEncoded>): ReadonlyArray<Response.StreamPartEncoded> =>
  parts.flatMap((part, index): ReadonlyArray<Response.StreamPartEncoded> => {
    const id = String(index)
    if (part.type === "text") {
      return [{ type: "text-start", id }, { type: "text-delta", id, delta: part.text }, { type: "text-end", id }]
    }
    return part.type === "reasoning"
      ? [
        { type: "reasoning-start", id },
        { type: "reasoning-delta", id, delta: part.text },
        { type: "reasoning-end", id }
      ]
      : part.type === "tool-call"
      ? [part]
      : []
  })

const GetWeather = Tool.make("GetWeather", {
  description: "The weather in a city",
  parameters: { city: Schema.String },
  success: Schema.String
})
const Tools = Toolkit.make(GetWeather)

const generation = (
  version: string,
  messages: ReadonlyArray<Prompt.MessageEncoded>,
  parts: ReadonlyArray<Response.PartEncoded>,
  isStream: boolean
) =>
  Effect.gen(function*() {
    const options = { prompt: Prompt.make(messages), toolkit: Tools, disableToolCallResolution: true }
    const program: Effect.Effect<unknown, unknown, LanguageModel.LanguageModel | Tool.HandlersFor<typeof Tools.tools>> =
      isStream ? Stream.runDrain(LanguageModel.streamText(options)) : LanguageModel.generateText(options)
    const { observations } = yield* held(
      { version },
      program.pipe(
        Effect.provide([
          LangfuseAi.layerLanguageModel().pipe(Layer.provide(Ai.scripted({
            generateText: Effect.succeed([...parts, Ai.finish()]),
            streamText: Stream.fromIterable([...streamed(parts), Ai.finish()])
          }))),
          Tools.toLayer({ GetWeather: () => Effect.succeed("sunny") })
        ]),
        Effect.provide(LangfuseTracer.layer())
      )
    )
    const [found] = observations.filter(({ type }) => type === "GENERATION")
    assert.isDefined(found)
    return found
  })

const idsOf = (messages: ReadonlyArray<Json>): ReadonlyArray<unknown> =>
  messages.flatMap(({ tool_calls: calls }) => Array.isArray(calls) ? calls.map((call: Json) => call["id"]) : [])

describe("a conversation of @effect/ai", () => {
  it.effect.prop(
    "is shown as text with thinking, and its calls are joined to their results",
    { messages: prompt, parts: answer, isStream: fc.boolean(), version: fc.constantFrom("3.225.4", "4.16.0") },
    ({ isStream, messages, parts, version }) =>
      Effect.gen(function*() {
        const { input, output } = yield* generation(version, messages, parts, isStream)
        const [asked, said] = [messagesIn(input), messagesIn(output)]
        assert.isDefined(asked, JSON.stringify(input))
        assert.isDefined(said, JSON.stringify(output))
        for (const message of [...asked, ...said]) {
          assert.isTrue(isShown(message), JSON.stringify(message))
          if ("thinking" in message) assert.isTrue(hasThinking(message), JSON.stringify(message))
          const { tool_calls: calls } = message
          if (calls !== undefined) assert.isTrue(Array.isArray(calls) && calls.every(isToolCall))
        }
        const results = asked.filter(({ role }) => role === "tool").map(({ tool_call_id: id }) => id)
        assert.deepStrictEqual(results, idsOf(asked))
        assert.strictEqual(idsOf(said).length, parts.filter(({ type }) => type === "tool-call").length)
        const thoughts = parts.filter((part) => part.type === "reasoning" && part.text !== "")
        assert.strictEqual(said.some(hasThinking), thoughts.length > 0)
      }),
    runs(40)
  )
})
