/**
 * Calls of a language model as `generation` observations.
 */
import type * as LanguageModel from "@effect/ai/LanguageModel"
import * as Prompt from "@effect/ai/Prompt"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Call } from "./call.js"
import * as Content from "./content.js"
import * as Span from "./span.js"
import * as Toolkit from "./toolkit.js"

/** Once is enough: twice would do everything twice. */
const observed = new WeakSet<LanguageModel.Service>()

const named = (name: string): Span.Names => ({ name, inner: name })
const generateText = named("LanguageModel.generateText")
const generateObject = named("LanguageModel.generateObject")
const streamText = named("LanguageModel.streamText")

export const observe = (model: LanguageModel.Service, setting: Content.Content): LanguageModel.Service => {
  if (observed.has(model)) return model
  const decorated: LanguageModel.Service = {
    ...model,
    generateText: (options) =>
      Effect.flatMap(Content.keeps(setting), (keepContent) => {
        const call = new Call({ keepContent, isObject: false, toolChoice: options.toolChoice })
        return Span.observe(model.generateText(prepare(options, call, setting)), generateText, call.whole)
      }),
    generateObject: (options) =>
      Effect.flatMap(Content.keeps(setting), (keepContent) => {
        const call = new Call({ keepContent, isObject: true, toolChoice: options.toolChoice })
        return Span.observe(model.generateObject(prepare(options, call, setting)), generateObject, call.whole)
      }),
    streamText: (options) =>
      Stream.unwrap(Effect.map(Content.keeps(setting), (keepContent) => {
        const call = new Call({ keepContent, isObject: false, toolChoice: options.toolChoice })
        return Span.observeStream(model.streamText(prepare(options, call, setting)), streamText, call.streamed)
      }))
  }
  observed.add(decorated)
  return decorated
}

/**
 * Tells the call what the model is asked with. The options stay what they are, but for a prompt that can be read only
 * once, which becomes one that both can read, and for the toolkit, whose calls are observed.
 */
const prepare = <Options extends { readonly prompt: Prompt.RawInput; readonly toolkit?: unknown }>(
  options: Options,
  call: Call,
  setting: Content.Content
): Options => {
  const { prompt, toolkit } = options
  call.prompt = typeof prompt === "string" || Array.isArray(prompt) || Prompt.isPrompt(prompt)
    ? prompt
    : Array.from(prompt)
  if (toolkit === undefined) return { ...options, prompt: call.prompt }
  const offered = (kit: unknown): unknown => {
    if (!Toolkit.isWithHandler(kit)) return kit
    call.offer(Object.values(kit.tools))
    return Toolkit.observe(kit, setting)
  }
  if (!Effect.isEffect(toolkit)) return { ...options, prompt: call.prompt, toolkit: offered(toolkit) }
  call.awaitTools()
  return { ...options, prompt: call.prompt, toolkit: Effect.map(toolkit, offered) }
}
