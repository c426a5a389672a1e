/**
 * Calls of language models, embedding models and tools of `@effect/ai` as Langfuse observations: prompts, answers, token
 * buckets, cost, time to first token, tools with their arguments and results.
 *
 * `@effect/ai` writes the model, its parameters and two token counts on the spans of its calls, and nothing of what was
 * said. A service decorated by this module is called as before, with the same results, errors and requirements, and its
 * calls become:
 *
 * | call | observation | input | output |
 * | --- | --- | --- | --- |
 * | `generateText`, `streamText` | `generation` | all messages, and the tools that were offered | the answer as a message |
 * | `generateObject` | `generation` | the same | the object |
 * | a tool that the model called | `tool`, named after the tool | its arguments | its encoded result |
 * | `embed`, `embedMany` | `embedding` | the texts | how many vectors of how many dimensions |
 *
 * Generations also hold the model, its parameters, the finish reason, usage as buckets that do not overlap (whatever the
 * provider's own way of counting), cost where the provider tells it, and for streams the time of the first token. A failed
 * call shows what the model was asked, a stream that broke off what had arrived. Files are told by kind and size.
 *
 * All of it is span attributes that Langfuse documents, set on ordinary spans: `LangfuseTracer` makes observations of
 * them, and so does any OpenTelemetry exporter that sends to Langfuse.
 *
 * **One call is one observation.** `@effect/ai` opens the span of a call inside the call. Its hook for that span,
 * `Telemetry.CurrentSpanTransformer`, is one slot that belongs to the program, is not called when a call fails, and comes
 * too late for a stream's first token. A second span around the call would make two generations of one call and count its
 * tokens twice. So the decorated service opens the span itself and, when `@effect/ai` asks the tracer for its span, hands
 * it that one: what the provider and a transformer of the program write is on it as well. Decorate the service that makes
 * the calls. Of a service that in turn calls several models (a fallback, a router), decorate those: each call is then a
 * generation of its own.
 *
 * Nothing here fails, delays or changes a call. Without a tracer that records, next to nothing is done.
 *
 * @see https://langfuse.com/integrations/native/opentelemetry
 * @see https://langfuse.com/docs/observability/features/observation-types
 * @since 0.1.0
 */
import * as EmbeddingModel from "@effect/ai/EmbeddingModel"
import * as LanguageModel from "@effect/ai/LanguageModel"
import * as Model from "@effect/ai/Model"
import type * as Tool from "@effect/ai/Tool"
import type * as Toolkit from "@effect/ai/Toolkit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Content from "./internal/ai/content.js"
import * as ObservedEmbeddingModel from "./internal/ai/embeddingModel.js"
import * as ObservedLanguageModel from "./internal/ai/languageModel.js"
import * as ObservedToolkit from "./internal/ai/toolkit.js"

/**
 * How calls of models and tools are observed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * `"metadata"` keeps prompts, answers, arguments, results and the messages of errors off the spans, so that no tracer
   * sees them; model, parameters, tokens, cost, times and levels stay. Default `"full"`. Where several of these settings
   * meet, on a service and around a call, `"metadata"` holds. What a program's own `Telemetry.CurrentSpanTransformer`
   * writes, and what a tracer makes of an error that fails a span, is up to them.
   */
  readonly content?: "full" | "metadata" | undefined
}

/**
 * How calls of embedding models are observed.
 *
 * @since 0.1.0
 * @category models
 */
export interface EmbeddingOptions extends Options {
  /** The model's name. Langfuse has no price without it, and `@effect/ai` does not tell it for embeddings. */
  readonly model?: string | undefined
}

const contentOf = (options: Options | undefined): Content.Content => options?.content ?? "full"

// -------------------------------------------------------------------------------------
// services
// -------------------------------------------------------------------------------------

/**
 * A language model whose calls become generations, and the tools it calls tool observations.
 *
 * @example
 * ```ts
 * import { LanguageModel } from "@effect/ai"
 * import { Effect } from "effect"
 * import * as LangfuseAi from "effect-langfuse/LangfuseAi"
 *
 * const program = Effect.gen(function*() {
 *   const model = LangfuseAi.languageModel(yield* LanguageModel.LanguageModel)
 *   return yield* model.generateText({ prompt: "Why is the sky blue?" })
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const languageModel = (service: LanguageModel.Service, options?: Options): LanguageModel.Service =>
  ObservedLanguageModel.observe(service, contentOf(options))

/**
 * An embedding model whose calls become embeddings. `@effect/ai` tells neither the model nor the tokens of these calls:
 * give the model's name in the options.
 *
 * @since 0.1.0
 * @category constructors
 */
export const embeddingModel = (
  service: EmbeddingModel.Service,
  options?: EmbeddingOptions
): EmbeddingModel.Service => ObservedEmbeddingModel.observe(service, contentOf(options), options?.model)

/**
 * A toolkit whose handlers become tool observations, with arguments, results and failures; a failure that is returned to
 * the model (`failureMode: "return"`) is one too. The span of a call has the tool's name in place of `Toolkit.handle`, and
 * the arguments as its input in place of an attribute `parameters`. A decorated language model does this for the toolkits it is given: use
 * it where the program calls `handle` itself, after `disableToolCallResolution`.
 *
 * @example
 * ```ts
 * import { Tool, Toolkit } from "@effect/ai"
 * import { Effect } from "effect"
 * import * as LangfuseAi from "effect-langfuse/LangfuseAi"
 *
 * const Tools = Toolkit.make(Tool.make("Now"))
 *
 * const program = Effect.gen(function*() {
 *   const tools = yield* LangfuseAi.toolkit(Tools)
 *   return yield* tools.handle("Now", {})
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export function toolkit<Tools extends Record<string, Tool.Any>>(
  toolkit: Toolkit.WithHandler<Tools>,
  options?: Options
): Toolkit.WithHandler<Tools>
export function toolkit<Tools extends Record<string, Tool.Any>, E, R>(
  toolkit: Effect.Effect<Toolkit.WithHandler<Tools>, E, R>,
  options?: Options
): Effect.Effect<Toolkit.WithHandler<Tools>, E, R>
export function toolkit<Tools extends Record<string, Tool.Any>, E, R>(
  toolkit: Toolkit.WithHandler<Tools> | Effect.Effect<Toolkit.WithHandler<Tools>, E, R>,
  options?: Options
): Toolkit.WithHandler<Tools> | Effect.Effect<Toolkit.WithHandler<Tools>, E, R> {
  return Effect.isEffect(toolkit)
    ? Effect.map(toolkit, (toolkit) => ObservedToolkit.observe(toolkit, contentOf(options)))
    : ObservedToolkit.observe(toolkit, contentOf(options))
}

// -------------------------------------------------------------------------------------
// layers
// -------------------------------------------------------------------------------------

/**
 * Decorates the `LanguageModel` it is given.
 *
 * @example
 * ```ts
 * import { LanguageModel } from "@effect/ai"
 * import { OpenAiClient, OpenAiLanguageModel } from "@effect/ai-openai"
 * import { FetchHttpClient } from "@effect/platform"
 * import { Config, Layer } from "effect"
 * import * as LangfuseAi from "effect-langfuse/LangfuseAi"
 *
 * const OpenAi = OpenAiClient.layerConfig({ apiKey: Config.redacted("OPENAI_API_KEY") }).pipe(
 *   Layer.provide(FetchHttpClient.layer)
 * )
 *
 * const Gpt = LangfuseAi.layerLanguageModel().pipe(
 *   Layer.provide(OpenAiLanguageModel.layer({ model: "gpt-4o" })),
 *   Layer.provide(OpenAi)
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerLanguageModel = (
  options?: Options
): Layer.Layer<LanguageModel.LanguageModel, never, LanguageModel.LanguageModel> =>
  Layer.effect(
    LanguageModel.LanguageModel,
    Effect.map(LanguageModel.LanguageModel, (service) => languageModel(service, options))
  )

/**
 * Decorates the `EmbeddingModel` it is given.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerEmbeddingModel = (
  options?: EmbeddingOptions
): Layer.Layer<EmbeddingModel.EmbeddingModel, never, EmbeddingModel.EmbeddingModel> =>
  Layer.effect(
    EmbeddingModel.EmbeddingModel,
    Effect.map(EmbeddingModel.EmbeddingModel, (service) => embeddingModel(service, options))
  )

/**
 * Decorates the services of a `Model`, which stays one.
 *
 * @example
 * ```ts
 * import { LanguageModel } from "@effect/ai"
 * import { AnthropicLanguageModel } from "@effect/ai-anthropic"
 * import { Effect } from "effect"
 * import * as LangfuseAi from "effect-langfuse/LangfuseAi"
 *
 * const Claude = LangfuseAi.model(AnthropicLanguageModel.model("claude-sonnet-4-20250514"))
 *
 * const program = LanguageModel.generateText({ prompt: "Why is the sky blue?" }).pipe(Effect.provide(Claude))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const model = <const Provider extends string, Provides, Requires>(
  model: Model.Model<Provider, Provides, Requires>,
  options?: EmbeddingOptions
): Model.Model<Provider, Provides, Requires> =>
  Model.make<Provider, Provides, Requires>(
    model.provider,
    Layer.map(model, (context: Context.Context<Provides | Model.ProviderName>) => decorate(context, options))
  )

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * Decorates the language model and the embedding model that an effect is run with. With `content: "metadata"` it also
 * holds for what is decorated already, and so is how a single call keeps its content to itself.
 *
 * The models have to be provided outside: `effect.pipe(LangfuseAi.withTelemetry(), Effect.provide(model))`.
 *
 * @example
 * ```ts
 * import { LanguageModel } from "@effect/ai"
 * import * as LangfuseAi from "effect-langfuse/LangfuseAi"
 *
 * const traced = LanguageModel.generateText({ prompt: "Why is the sky blue?" }).pipe(LangfuseAi.withTelemetry())
 *
 * const discreet = LanguageModel.generateText({ prompt: "My password is …" }).pipe(
 *   LangfuseAi.withTelemetry({ content: "metadata" })
 * )
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const withTelemetry: {
  (options?: EmbeddingOptions): <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(effect: Effect.Effect<A, E, R>, options?: EmbeddingOptions): Effect.Effect<A, E, R>
} = dual(
  (args) => Effect.isEffect(args[0]),
  <A, E, R>(effect: Effect.Effect<A, E, R>, options?: EmbeddingOptions): Effect.Effect<A, E, R> =>
    Effect.mapInputContext(effect, (context: Context.Context<R>) => surround(context, options))
)

/**
 * `withTelemetry` for a stream.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withTelemetryStream: {
  (options?: EmbeddingOptions): <A, E, R>(stream: Stream.Stream<A, E, R>) => Stream.Stream<A, E, R>
  <A, E, R>(stream: Stream.Stream<A, E, R>, options?: EmbeddingOptions): Stream.Stream<A, E, R>
} = dual(
  (args) => Stream.StreamTypeId in Object(args[0]),
  <A, E, R>(stream: Stream.Stream<A, E, R>, options?: EmbeddingOptions): Stream.Stream<A, E, R> =>
    Stream.mapInputContext(stream, (context: Context.Context<R>) => surround(context, options))
)

const decorate = <R>(context: Context.Context<R>, options: EmbeddingOptions | undefined): Context.Context<R> => {
  let decorated = context
  const language = Context.getOption(context, LanguageModel.LanguageModel)
  if (Option.isSome(language)) {
    decorated = Context.add(decorated, LanguageModel.LanguageModel, languageModel(language.value, options))
  }
  const embedding = Context.getOption(context, EmbeddingModel.EmbeddingModel)
  if (Option.isSome(embedding)) {
    decorated = Context.add(decorated, EmbeddingModel.EmbeddingModel, embeddingModel(embedding.value, options))
  }
  return decorated
}

const surround = <R>(context: Context.Context<R>, options: EmbeddingOptions | undefined): Context.Context<R> => {
  const decorated = decorate(context, options)
  return options?.content === "metadata" ? Context.add(decorated, Content.Ambient, options.content) : decorated
}
