/**
 * What a program says about itself: which effects are observations, what went into them and came out, whose trace they
 * are in, and how good it all was.
 *
 * The combinators only set Langfuse's documented attributes on ordinary Effect spans. `LangfuseTracer` makes events of
 * those; under another tracer, such as OpenTelemetry's with Langfuse as its destination, they mean the same. Without any
 * tracer they do nothing. They never change what an effect results in, fails with or needs.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Langfuse } from "effect-langfuse"
 *
 * declare const search: (query: string) => Effect.Effect<ReadonlyArray<string>>
 * declare const complete: (prompt: string) => Effect.Effect<{
 *   readonly text: string
 *   readonly tokens: { readonly input: number; readonly output: number }
 * }>
 *
 * const answer = (question: string) =>
 *   Effect.gen(function*() {
 *     const documents = yield* search(question).pipe(
 *       Langfuse.retriever("search", { input: question, output: (documents) => documents })
 *     )
 *     const { text } = yield* complete(`${documents.join("\n")}\n\n${question}`).pipe(
 *       Langfuse.generation("complete", {
 *         model: "gpt-4.1",
 *         input: question,
 *         output: ({ text }) => text,
 *         usage: ({ tokens }) => tokens
 *       })
 *     )
 *     return text
 *   }).pipe(
 *     Langfuse.agent("answer", { input: question, output: (text) => text }),
 *     Langfuse.withTrace({ name: "question", userId: "ada", sessionId: "s-1", tags: ["demo"] })
 *   )
 * ```
 *
 * @see https://langfuse.com/docs/observability/features/observation-types
 * @since 0.1.0
 */
import * as Chunk from "effect/Chunk"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import { dual } from "effect/Function"
import * as HashMap from "effect/HashMap"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import type * as IngestionBody from "./IngestionBody.js"
import * as IngestionEvent from "./IngestionEvent.js"
import * as Notices from "./internal/notices.js"
import * as Annotate from "./internal/tracer/annotate.js"
import { trace as traceNames } from "./internal/tracer/attributes.js"
import { callSite } from "./internal/tracer/callSite.js"
import { Elements } from "./internal/tracer/elements.js"
import { environmentOf } from "./internal/tracer/observation.js"
import * as LangfuseConfig from "./LangfuseConfig.js"
import { LangfuseIngest, type Service } from "./LangfuseIngest.js"
import type * as LangfuseScore from "./LangfuseScore.js"

// ---------------------------------------------------------------------------------------------------------------------
// models
// ---------------------------------------------------------------------------------------------------------------------

/**
 * What kind of work an observation is.
 *
 * @see https://langfuse.com/docs/observability/features/observation-types
 * @since 0.1.0
 * @category models
 */
export type ObservationType =
  | "span"
  | "generation"
  | "event"
  | "agent"
  | "tool"
  | "chain"
  | "retriever"
  | "evaluator"
  | "embedding"
  | "guardrail"

/**
 * How much of what a model call used: disjoint buckets with counts (`input`, `output`, `input_cached_tokens`, …), or the
 * usage object of OpenAI's or Anthropic's answer, of which disjoint buckets are made.
 *
 * @see https://langfuse.com/docs/observability/features/token-and-cost-tracking
 * @since 0.1.0
 * @category models
 */
export type Usage = NonNullable<IngestionBody.ModelCallInput["usageDetails"]> | AnthropicUsage

/**
 * The usage object of Anthropic's messages, in which cached tokens are beside the input.
 *
 * @since 0.1.0
 * @category models
 */
export interface AnthropicUsage {
  readonly input_tokens: number
  readonly output_tokens: number
  readonly cache_read_input_tokens?: number | null | undefined
  readonly cache_creation_input_tokens?: number | null | undefined
}

/**
 * US dollars by bucket. Without a `total` the sum of the others becomes it.
 *
 * @since 0.1.0
 * @category models
 */
export type Cost = NonNullable<IngestionBody.ModelCallInput["costDetails"]>

/**
 * Parameters of a model call. What is nested deeper than a list or record of texts is sent as JSON text.
 *
 * @since 0.1.0
 * @category models
 */
export interface Parameters {
  readonly [parameter: string]: unknown
}

/**
 * A version of a prompt kept in Langfuse.
 *
 * @see https://langfuse.com/docs/prompt-management/features/link-to-traces
 * @since 0.1.0
 * @category models
 */
export interface PromptReference {
  readonly name: string
  /** An integer other than 0. */
  readonly version: number
}

/**
 * What is known of an observation beforehand.
 *
 * @since 0.1.0
 * @category models
 */
export interface Description {
  /** Anything. It is written as JSON when the observation begins, so it shows what the value was then. */
  readonly input?: unknown
  /** Default: how the effect ended tells. */
  readonly level?: IngestionBody.ObservationLevel | undefined
  /** Default: the messages of the errors the effect failed with. */
  readonly statusMessage?: string | undefined
  readonly model?: string | undefined
  readonly modelParameters?: Parameters | undefined
  readonly usage?: Usage | undefined
  readonly cost?: Cost | undefined
  /** When the first token arrived. */
  readonly completionStartTime?: IngestionBody.TimeInput | undefined
  readonly prompt?: PromptReference | undefined
  readonly metadata?: { readonly [key: string]: unknown } | undefined
  readonly version?: string | undefined
}

/**
 * What the span of an observation can be told, beside the observation's own fields.
 *
 * @since 0.1.0
 * @category models
 */
export interface SpanOptions extends Pick<Tracer.SpanOptions, "context" | "kind" | "links" | "parent" | "root"> {
  /** `"metadata"` leaves input and output out, whatever else says otherwise. Default `"full"`. */
  readonly content?: "full" | "metadata" | undefined
}

/**
 * A value, or a function that makes it of the result. What such a function throws is replaced by a note in the
 * observation's metadata, and has no other effect.
 *
 * @since 0.1.0
 * @category models
 */
export type FromResult<A, Value> = Value | ((result: A) => Value | undefined) | undefined

/**
 * How an effect of a known type is observed. `A` is its result; for a stream, the list of its elements.
 *
 * @since 0.1.0
 * @category models
 */
export interface TypedOptions<in A>
  extends
    Omit<Description, "completionStartTime" | "cost" | "level" | "metadata" | "model" | "modelParameters" | "usage">,
    SpanOptions
{
  /** What came out, made of the result. Default: nothing. */
  readonly output?: ((result: A) => unknown) | undefined
  /** Default: how the effect ended tells. */
  readonly level?: FromResult<A, IngestionBody.ObservationLevel>
  /** The model's name, as its provider spells it: Langfuse looks up prices by it. Default: none. */
  readonly model?: FromResult<A, string>
  /** Default: none. */
  readonly modelParameters?: FromResult<A, Parameters>
  /** Default: none, and Langfuse may count tokens itself where it knows the model. */
  readonly usage?: FromResult<A, Usage>
  /** US dollars. Default: none, and Langfuse works it out where it has prices for the model. */
  readonly cost?: FromResult<A, Cost>
  /** When the first token arrived. `observeStream` finds out by itself. */
  readonly completionStartTime?: FromResult<A, IngestionBody.TimeInput>
  /** Anything, by key. Default: none. */
  readonly metadata?: FromResult<A, { readonly [key: string]: unknown }>
}

/**
 * How an effect, or a stream, is observed.
 *
 * @since 0.1.0
 * @category models
 */
export interface ObserveOptions<in A> extends TypedOptions<A> {
  /** Default `"span"`; `"generation"` when there is a model. */
  readonly type?: ObservationType | undefined
}

/**
 * `TypedOptions` in which nothing depends on the result.
 *
 * @since 0.1.0
 * @category models
 */
export interface PlainTypedOptions extends Description, SpanOptions {
  /** What comes out is only known from the result. */
  readonly output?: undefined
}

/**
 * `ObserveOptions` in which nothing depends on the result.
 *
 * @since 0.1.0
 * @category models
 */
export interface PlainObserveOptions extends PlainTypedOptions {
  /** Default `"span"`; `"generation"` when there is a model. */
  readonly type?: ObservationType | undefined
}

/**
 * How much of a stream is kept for its observation.
 *
 * @since 0.1.0
 * @category models
 */
export interface StreamOptions {
  /** Elements kept for `output` and the like: the first ones. Of those beyond, only the last 256. Default 100,000. */
  readonly maxElements?: number | undefined
}

/**
 * What `update` adds to an observation.
 *
 * @since 0.1.0
 * @category models
 */
export interface Update extends Description {
  /** Default: what it was; a `"span"` that gets a model, usage or cost is a `"generation"`. */
  readonly type?: ObservationType | undefined
  /** Anything. It is written as JSON at once. */
  readonly output?: unknown
}

/**
 * What is the same for every observation of a trace.
 *
 * @see https://langfuse.com/docs/observability/features/sessions
 * @since 0.1.0
 * @category models
 */
export interface Trace {
  /** At most 1000 characters. */
  readonly name?: string | undefined
  readonly userId?: string | undefined
  readonly sessionId?: string | undefined
  readonly tags?: ReadonlyArray<string> | undefined
  readonly metadata?: { readonly [key: string]: unknown } | undefined
  readonly version?: string | undefined
  readonly release?: string | undefined
  /** 1 to 40 of `a-z`, `0-9`, `-`, `_`, not starting with `langfuse`. */
  readonly environment?: string | undefined
  /** Whether anyone with the link may read the trace. */
  readonly public?: boolean | undefined
}

// ---------------------------------------------------------------------------------------------------------------------
// observe
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Makes an effect an observation, in both ways of calling.
 *
 * @since 0.1.0
 * @category models
 */
export interface Observe {
  (
    name: string,
    options?: PlainObserveOptions
  ): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>>
  <A>(
    name: string,
    options: ObserveOptions<A>
  ): <E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>>
  <A, E, R>(
    self: Effect.Effect<A, E, R>,
    name: string,
    options?: ObserveOptions<NoInfer<A>>
  ): Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>>
}

/**
 * Makes an effect an observation that has its type already, in both ways of calling.
 *
 * @since 0.1.0
 * @category models
 */
export interface ObserveTyped {
  (
    name: string,
    options?: PlainTypedOptions
  ): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>>
  <A>(
    name: string,
    options: TypedOptions<A>
  ): <E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>>
  <A, E, R>(
    self: Effect.Effect<A, E, R>,
    name: string,
    options?: TypedOptions<NoInfer<A>>
  ): Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>>
}

const observed = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  name: string,
  fields: Annotate.ObservationFields,
  options: Tracer.SpanOptions
): Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>> => {
  const hasComputed = Annotate.hasComputed(fields)
  return Effect.useSpan(name, options, (span) => {
    const inner = Effect.withParentSpan(self, span)
    if (!Annotate.isRecording(span)) return inner
    Annotate.annotate(span, fields)
    if (!hasComputed) return inner
    return Effect.map(inner, (result) => {
      Annotate.annotateResult(span, fields, result)
      return result
    })
  })
}

const spanOptions = (options: SpanOptions | undefined, captureStackTrace: () => string | undefined) => ({
  captureStackTrace,
  ...(options?.context === undefined ? undefined : { context: options.context }),
  ...(options?.kind === undefined ? undefined : { kind: options.kind }),
  ...(options?.links === undefined ? undefined : { links: options.links }),
  ...(options?.parent === undefined ? undefined : { parent: options.parent }),
  ...(options?.root === undefined ? undefined : { root: options.root })
})

type AnyOptions = ObserveOptions<never> & StreamOptions

/** The type comes first, so that tracers that look at spans early find it. */
const fieldsOf = (type: ObservationType | undefined, options: AnyOptions = {}): Annotate.ObservationFields => {
  const { type: own, ...fields } = options
  return { type: type ?? own ?? (options.model === undefined ? "span" : "generation"), ...fields }
}

const observeAs = (type: ObservationType | undefined): Observe => {
  const observe = (...args: ReadonlyArray<unknown>) => {
    const site = callSite()
    // What the overloads of `Observe` let through.
    const [name, options] = (Effect.isEffect(args[0]) ? args.slice(1) : args) as [string, AnyOptions | undefined]
    const fields = fieldsOf(type, options)
    const span = spanOptions(options, site)
    const apply = <A, E, R>(self: Effect.Effect<A, E, R>) => observed(self, name, fields, span)
    return Effect.isEffect(args[0]) ? apply(args[0]) : apply
  }
  // One function for three ways of calling it.
  return observe as Observe
}

/**
 * Makes an effect an observation: a span that begins and ends with it, below the one it runs in.
 *
 * A failure or defect gives it the level `ERROR` and the errors' messages, an interruption `WARNING`. `output` and the
 * other functions of the result run only when there is one.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Langfuse } from "effect-langfuse"
 *
 * declare const load: (id: string) => Effect.Effect<{ readonly title: string }>
 *
 * export const loadTraced = (id: string) =>
 *   load(id).pipe(
 *     Langfuse.observe("load", { type: "tool", input: { id }, output: (document) => document.title })
 *   )
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const observe: Observe = observeAs(undefined)

/**
 * `observe` for one call of a model.
 *
 * @since 0.1.0
 * @category combinators
 */
export const generation: ObserveTyped = observeAs("generation")

/**
 * `observe` for something that decides what is done next.
 *
 * @since 0.1.0
 * @category combinators
 */
export const agent: ObserveTyped = observeAs("agent")

/**
 * `observe` for the call of a tool.
 *
 * @since 0.1.0
 * @category combinators
 */
export const tool: ObserveTyped = observeAs("tool")

/**
 * `observe` for a link between steps, such as one that hands documents to a model.
 *
 * @since 0.1.0
 * @category combinators
 */
export const chain: ObserveTyped = observeAs("chain")

/**
 * `observe` for a retrieval of data.
 *
 * @since 0.1.0
 * @category combinators
 */
export const retriever: ObserveTyped = observeAs("retriever")

/**
 * `observe` for a call of an embedding model.
 *
 * @since 0.1.0
 * @category combinators
 */
export const embedding: ObserveTyped = observeAs("embedding")

/**
 * `observe` for an evaluation of an answer.
 *
 * @since 0.1.0
 * @category combinators
 */
export const evaluator: ObserveTyped = observeAs("evaluator")

/**
 * `observe` for a check against harmful content.
 *
 * @since 0.1.0
 * @category combinators
 */
export const guardrail: ObserveTyped = observeAs("guardrail")

/**
 * Records a point in time.
 *
 * @example
 * ```ts
 * import { Langfuse } from "effect-langfuse"
 *
 * export const missed = Langfuse.event("cache miss", { level: "WARNING", metadata: { key: "answer/42" } })
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const event = (
  name: string,
  options?: Pick<Update, "input" | "level" | "metadata" | "output" | "statusMessage" | "version"> & SpanOptions
): Effect.Effect<void> =>
  Effect.useSpan(name, { ...spanOptions(options, callSite()) }, (span) =>
    Effect.sync(() => {
      if (Annotate.isRecording(span)) Annotate.annotate(span, { type: "event", ...options })
    }))

// ---------------------------------------------------------------------------------------------------------------------
// streams
// ---------------------------------------------------------------------------------------------------------------------

const defaultMaxElements = 100_000

const observedStream = <A, E, R>(
  self: Stream.Stream<A, E, R>,
  name: string,
  options: AnyOptions | undefined,
  span: Tracer.SpanOptions
): Stream.Stream<A, E, Exclude<R, Tracer.ParentSpan>> => {
  const fields = fieldsOf(undefined, options)
  const hasComputed = Annotate.hasComputed(fields)
  const maxElements = options?.maxElements ?? defaultMaxElements
  const inner = Effect.map(Effect.zip(Effect.option(Effect.currentSpan), Effect.clock), ([current, clock]) => {
    if (Option.isNone(current) || !Annotate.isRecording(current.value)) return self
    const span = current.value
    const elements = new Elements<A>(maxElements)
    let isFirst = fields.completionStartTime === undefined
    Annotate.annotate(span, fields)
    return self.pipe(
      Stream.mapChunks((chunk) => {
        if (isFirst && Chunk.isNonEmpty(chunk)) {
          isFirst = false
          Annotate.completionStarted(span, clock)
        }
        if (hasComputed) { for (const element of chunk) elements.add(element) }
        return chunk
      }),
      Stream.ensuring(Effect.sync(() => {
        if (!hasComputed) return
        Annotate.annotateResult(span, fields, elements.all())
        if (elements.leftOut > 0) Annotate.note(span, "elementsLeftOut", elements.leftOut)
      }))
    )
  })
  return Stream.withSpan(Stream.unwrap(inner), name, span)
}

/**
 * Makes a stream an observation, from the moment it is run until it ends, fails, or is no longer wanted. The first
 * element is when the completion starts. `output`, `usage` and the other functions are given the elements that arrived,
 * however the stream ended.
 *
 * @example
 * ```ts
 * import { Stream } from "effect"
 * import { Langfuse } from "effect-langfuse"
 *
 * interface Delta {
 *   readonly text: string
 *   readonly outputTokens?: number
 * }
 *
 * const deltas: Stream.Stream<Delta> = Stream.make({ text: "Rayleigh " }, { text: "scattering.", outputTokens: 4 })
 *
 * export const traced = deltas.pipe(
 *   Langfuse.observeStream("complete", {
 *     type: "generation",
 *     model: "gpt-4.1",
 *     input: "Why is the sky blue?",
 *     output: (deltas) => deltas.map((delta) => delta.text).join(""),
 *     usage: (deltas) => ({ output: deltas.at(-1)?.outputTokens })
 *   })
 * )
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const observeStream: {
  (
    name: string,
    options?: PlainObserveOptions & StreamOptions
  ): <A, E, R>(self: Stream.Stream<A, E, R>) => Stream.Stream<A, E, Exclude<R, Tracer.ParentSpan>>
  <A>(
    name: string,
    options: ObserveOptions<ReadonlyArray<A>> & StreamOptions
  ): <E, R>(self: Stream.Stream<A, E, R>) => Stream.Stream<A, E, Exclude<R, Tracer.ParentSpan>>
  <A, E, R>(
    self: Stream.Stream<A, E, R>,
    name: string,
    options?: ObserveOptions<ReadonlyArray<NoInfer<A>>> & StreamOptions
  ): Stream.Stream<A, E, Exclude<R, Tracer.ParentSpan>>
} = (...args: ReadonlyArray<unknown>) => {
  const site = callSite()
  const isDataFirst = typeof args[0] !== "string"
  // What the overloads let through.
  const [name, options] = (isDataFirst ? args.slice(1) : args) as [string, AnyOptions | undefined]
  const span = spanOptions(options, site)
  const apply = <A, E, R>(self: Stream.Stream<A, E, R>) => observedStream(self, name, options, span)
  // As above; and one function for three ways of calling it.
  return (isDataFirst ? apply(args[0] as Stream.Stream<unknown>) : apply) as never
}

// ---------------------------------------------------------------------------------------------------------------------
// the current observation and trace
// ---------------------------------------------------------------------------------------------------------------------

/** The span that a new one would be below. */
const currentParent: Effect.Effect<Tracer.AnySpan | undefined> = Effect.contextWith(
  (context: Context.Context<never>) => {
    let span = Option.getOrUndefined(Context.getOption(context, Tracer.ParentSpan))
    while (span !== undefined && Context.get(span.context, Tracer.DisablePropagation)) {
      span = span._tag === "Span" ? Option.getOrUndefined(span.parent) : undefined
    }
    return span
  }
)

const currentObservation: Effect.Effect<Tracer.Span | undefined> = Effect.map(currentParent, (parent) => {
  let span = parent
  while (span !== undefined && span._tag === "Span") {
    if (Annotate.isObservation(span)) return span
    span = Option.getOrUndefined(span.parent)
  }
  return undefined
})

/**
 * Adds to the observation this runs in: the innermost one, past spans that are none. Where there is no observation, the
 * innermost span becomes one; without any span nothing happens. What was said before is replaced, metadata key by key.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Langfuse } from "effect-langfuse"
 *
 * export const guarded = Effect.gen(function*() {
 *   yield* Langfuse.update({ level: "WARNING", statusMessage: "took the fallback", metadata: { attempts: 3 } })
 * }).pipe(Langfuse.chain("with fallback"))
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const update = (update: Update): Effect.Effect<void> =>
  Effect.map(Effect.zip(currentObservation, currentParent), ([observation, parent]) => {
    const span = observation ?? parent
    if (span?._tag === "Span" && Annotate.isRecording(span)) Annotate.annotateMore(span, update)
  })

/**
 * Says whose and what the trace is, on every span that starts in the effect: in fibers forked there, in streams run and
 * layers built there, and under any tracer. Within another `withTrace` it adds to that: the inner values win, metadata
 * key by key, and tags come together.
 *
 * Langfuse reads these things from every observation, so it is best around the whole trace. Spans that are open already
 * are not changed; `updateTrace` is for those.
 *
 * @see https://langfuse.com/docs/observability/features/users
 * @since 0.1.0
 * @category combinators
 */
export const withTrace: {
  (trace: Trace): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, trace: Trace): Effect.Effect<A, E, R>
} = dual(
  2,
  <A, E, R>(self: Effect.Effect<A, E, R>, trace: Trace): Effect.Effect<A, E, R> =>
    Effect.locallyWith(self, FiberRef.currentTracerSpanAnnotations, Annotate.ambient(trace))
)

/**
 * Says it of the trace this runs in when only now it is known: on the observation this runs in, from where it holds for
 * the whole trace. Tags are added to those it has.
 *
 * @since 0.1.0
 * @category combinators
 */
export const updateTrace = (trace: Trace): Effect.Effect<void> =>
  Effect.map(Effect.zip(currentObservation, currentParent), ([observation, parent]) => {
    const span = observation ?? parent
    if (span?._tag === "Span" && Annotate.isRecording(span)) Annotate.annotateTrace(span, trace)
  })

/**
 * The id of the trace this runs in.
 *
 * @since 0.1.0
 * @category combinators
 */
export const currentTraceId: Effect.Effect<Option.Option<string>> = Effect.map(
  currentParent,
  (span) => span === undefined ? Option.none() : Option.some(span.traceId)
)

/**
 * The id of the observation this runs in: of the innermost span that is one.
 *
 * @since 0.1.0
 * @category combinators
 */
export const currentObservationId: Effect.Effect<Option.Option<string>> = Effect.map(
  currentObservation,
  (span) => span === undefined ? Option.none() : Option.some(span.spanId)
)

/**
 * Where people look at Langfuse.
 *
 * @since 0.1.0
 * @category models
 */
export interface WebAddress {
  /** Default: `LANGFUSE_BASE_URL`, else Langfuse Cloud. */
  readonly baseUrl?: string | undefined
  /** With it the link leads straight to the trace; without, Langfuse finds the project, and asks to log in first. */
  readonly projectId?: string | undefined
}

/**
 * What `traceUrl` makes links from.
 *
 * @since 0.1.0
 * @category tags
 */
export class LangfuseWeb extends Context.Reference<LangfuseWeb>()("effect-langfuse/LangfuseWeb", {
  defaultValue: (): WebAddress => ({})
}) {}

const baseUrlFromEnv = Config.string("LANGFUSE_BASE_URL").pipe(
  Config.orElse(() => Config.string("LANGFUSE_BASEURL")),
  Config.orElse(() => Config.string("LANGFUSE_HOST"))
)

/**
 * A link to the trace this runs in, or to the one given.
 *
 * @since 0.1.0
 * @category combinators
 */
export const traceUrl = (
  options: WebAddress & { readonly traceId?: string | undefined } = {}
): Effect.Effect<Option.Option<string>> =>
  Effect.gen(function*() {
    const web = yield* LangfuseWeb
    const traceId = options.traceId ?? Option.getOrUndefined(yield* currentTraceId)
    if (traceId === undefined) return Option.none()
    const baseUrl = options.baseUrl ?? web.baseUrl ??
      (yield* Effect.orElseSucceed(baseUrlFromEnv, () => LangfuseConfig.defaults.baseUrl))
    const projectId = options.projectId ?? web.projectId
    const id = encodeURIComponent(traceId)
    return Option.some(
      baseUrl.replace(/\/+$/, "") +
        (projectId === undefined ? `/trace/${id}` : `/project/${encodeURIComponent(projectId)}/traces/${id}`)
    )
  })

// ---------------------------------------------------------------------------------------------------------------------
// serverless
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Sends what there is after the effect, however it ends, for handlers whose process may be frozen as soon as they have
 * answered. It takes at most the `flushTimeout` of `LangfuseIngest`, and changes nothing of the result.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Langfuse } from "effect-langfuse"
 *
 * declare const handle: (request: Request) => Effect.Effect<Response>
 *
 * // The span is inside, so that it has ended when all is sent.
 * export const handler = (request: Request) => Langfuse.flushAfter(handle(request).pipe(Langfuse.observe("request")))
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const flushAfter = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | LangfuseIngest> =>
  Effect.flatMap(LangfuseIngest, (ingest) =>
    Effect.onExit(self, () =>
      // In a fiber of its own: here nothing can be interrupted, so the flush could not be cut short by its time limit.
      Effect.flatMap(Effect.forkDaemon(Effect.interruptible(ingest.flush)), Fiber.await)))

// ---------------------------------------------------------------------------------------------------------------------
// scores
// ---------------------------------------------------------------------------------------------------------------------

/**
 * A target that is not said: the current one.
 *
 * @since 0.1.0
 * @category models
 */
export interface CurrentTarget {
  readonly traceId?: LangfuseScore.NoTarget
  readonly observationId?: LangfuseScore.NoTarget
  readonly sessionId?: LangfuseScore.NoTarget
  readonly datasetRunId?: LangfuseScore.NoTarget
}

/**
 * What a score says: a value of one of five types, where a boolean needs no type to be told.
 *
 * @since 0.1.0
 * @category models
 */
export type ScoreContent =
  | (
    & LangfuseScore.ScoreDetailsInput
    & { readonly name: string }
    & (LangfuseScore.ScoreValueInput | { readonly dataType?: undefined; readonly value: boolean })
    & LangfuseScore.ScoreOrigin
  )
  | (LangfuseScore.ScoreDetailsInput & { readonly name?: "output" | undefined } & LangfuseScore.Correction)

/**
 * A score with its target: the current observation, or ids. A correction has no session or dataset run.
 *
 * @since 0.1.0
 * @category models
 */
export type Score =
  | (ScoreContent & (CurrentTarget | LangfuseScore.TraceTarget))
  | (Exclude<ScoreContent, LangfuseScore.Correction> & (LangfuseScore.SessionTarget | LangfuseScore.DatasetRunTarget))

/**
 * Scores the observation this runs in, or what the ids say. `false` when the score is not sent: there is no trace, it
 * breaks one of Langfuse's rules (one warning says which), the trace is left out by sampling, or there is no room.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Langfuse } from "effect-langfuse"
 *
 * export const scored = Effect.gen(function*() {
 *   yield* Langfuse.score({ name: "helpful", value: true, comment: "thumbs up" })
 *   yield* Langfuse.score({ name: "tone", dataType: "CATEGORICAL", value: "friendly" })
 *   yield* Langfuse.score({ name: "csat", value: 4, sessionId: "session-1" })
 * })
 * ```
 *
 * @see https://langfuse.com/docs/evaluation/evaluation-methods/custom-scores
 * @since 0.1.0
 * @category combinators
 */
export const score = (score: Score): Effect.Effect<boolean, never, LangfuseIngest> =>
  Effect.zip(currentParent, currentObservation).pipe(
    Effect.flatMap(([parent, observation]) => {
      if (score.traceId || score.sessionId || score.datasetRunId) return send(score, {})
      if (parent === undefined) return refuse("no_trace", withoutTrace(score))
      if (!isRecorded(parent)) return Effect.succeed(false)
      return send(score, { traceId: parent.traceId, observationId: observation?.spanId })
    })
  )

/**
 * Scores the whole trace this runs in.
 *
 * @since 0.1.0
 * @category combinators
 */
export const scoreTrace = (score: ScoreContent & CurrentTarget): Effect.Effect<boolean, never, LangfuseIngest> =>
  Effect.flatMap(currentParent, (parent) => {
    if (parent === undefined) return refuse("no_trace", withoutTrace(score))
    return isRecorded(parent) ? send(score, { traceId: parent.traceId }) : Effect.succeed(false)
  })

const isRecorded = (span: Tracer.AnySpan): boolean => span._tag === "Span" ? Annotate.isRecording(span) : span.sampled

const withoutTrace = (score: ScoreContent): string =>
  `a Langfuse score (${nameOf(score)}) was not sent: there is no trace here to score; run it inside a span, or give ids`

const nameOf = (score: ScoreContent): string => String(score.name ?? "output").slice(0, 100)

const send = (
  score: ScoreContent,
  target: { readonly traceId?: string; readonly observationId?: string | undefined }
): Effect.Effect<boolean, never, LangfuseIngest> =>
  Effect.flatMap(
    LangfuseIngest,
    (ingest) =>
      Effect.flatMap(FiberRef.get(FiberRef.currentTracerSpanAnnotations), (ambient) => {
        const environment = environmentOf(Option.getOrUndefined(HashMap.get(ambient, traceNames.environment)))
        const body = {
          ...(environment === undefined ? undefined : { environment }),
          ...score,
          ...target,
          ...(score.dataType === undefined && typeof score.value === "boolean"
            ? { dataType: "BOOLEAN" as const }
            : undefined)
        }
        // Its parts are those of a score with its target; that they go together is what the caller's type has said.
        return IngestionEvent.scoreCreate(body as LangfuseScore.ScoreInput)
      }).pipe(
        Effect.flatMap(ingest.enqueue),
        Effect.catchAll((error) =>
          refuse("invalid", `a Langfuse score (${nameOf(score)}) was not sent: ${error.message}`)
        ),
        Effect.catchAllDefect(() => refuse("invalid", "a Langfuse score was not sent: it cannot be read"))
      )
  )

/** Scores are many, and wrong ones are so again and again. */
const noticesOf = new WeakMap<Service, Notices.Notices>()

const refused = Metric.counter("langfuse_scores_refused_total", {
  description: "Scores that were not sent because they have no target or break a rule.",
  incremental: true
})

const refuse = (reason: "no_trace" | "invalid", message: string): Effect.Effect<false, never, LangfuseIngest> =>
  Effect.flatMap(LangfuseIngest, (ingest) => {
    const notices = noticesOf.get(ingest) ?? Notices.make()
    noticesOf.set(ingest, notices)
    return Metric.increment(Metric.tagged(refused, "reason", reason)).pipe(
      Effect.zipRight(notices.warn(reason, message)),
      Effect.as(false as const)
    )
  })
