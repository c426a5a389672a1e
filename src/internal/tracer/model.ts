/**
 * What can be said of observations, traces and scores: the types of `Langfuse`.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type * as Tracer from "effect/Tracer"
import type { LangfuseIngest } from "../../LangfuseIngest.js"
import type * as IngestionBody from "../bodies.js"
import type * as LangfuseScore from "../scores.js"

// ---------------------------------------------------------------------------------------------------------------------
// observations
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
 * A value that is recorded. A function is none: only what comes out, and what is counted, is made of the result. Any other
 * type will do, `unknown` too.
 *
 * @since 0.1.0
 * @category models
 */
export type Value<A> = A extends AnyFunction ? never : A

type AnyFunction = ((...args: never) => unknown) | (abstract new(...args: never) => unknown)

/**
 * An input that is no function.
 *
 * @since 0.1.0
 * @category models
 */
export interface ValueOf<Input> {
  readonly input?: Value<Input>
}

/**
 * An output that is no function.
 *
 * @since 0.1.0
 * @category models
 */
export interface OutputOf<Output> {
  readonly output?: Value<Output>
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
export interface TypedOptions<in A> extends
  Omit<
    Description,
    "completionStartTime" | "cost" | "level" | "metadata" | "model" | "modelParameters" | "statusMessage" | "usage"
  >,
  SpanOptions
{
  /** What came out, made of the result. Default: nothing. */
  readonly output?: ((result: A) => unknown) | undefined
  /** Default: how the effect ended tells. */
  readonly level?: FromResult<A, IngestionBody.ObservationLevel>
  /** Default: the messages of the errors the effect failed with. */
  readonly statusMessage?: FromResult<A, string>
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
 * What kind of work is observed.
 *
 * @since 0.1.0
 * @category models
 */
export interface WithType {
  /** Default `"span"`; `"generation"` when there is a model. */
  readonly type?: ObservationType | undefined
}

/**
 * How an effect, or a stream, is observed.
 *
 * @since 0.1.0
 * @category models
 */
export interface ObserveOptions<in A> extends TypedOptions<A>, WithType {}

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
export interface PlainObserveOptions extends PlainTypedOptions, WithType {}

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
  /**
   * Input of the trace as a whole, where it is not that of its root observation: in a service that is called by one which
   * does not trace, for example. Anything. Only our own tracer sends it.
   */
  readonly input?: unknown
  /** Output of the trace as a whole, likewise. */
  readonly output?: unknown
}

/**
 * What `withTrace` takes.
 *
 * @since 0.1.0
 * @category models
 */
export interface TraceOptions extends Trace {
  /**
   * Whether this is a trace of its own, even within another one. What is said of the outer trace does not hold in it; the
   * outer trace's id is in its metadata, as `outerTraceId`. For what outlives a request, and for jobs of a worker. Needs
   * `LangfuseTracer`: another tracer's spans keep their parent. Default `false`.
   */
  readonly newTrace?: boolean | undefined
}

/**
 * Makes an effect an observation, in both ways of calling.
 *
 * @since 0.1.0
 * @category models
 */
export interface Observe<Options = WithType> {
  <Input>(
    name: string,
    options?: PlainTypedOptions & Options & ValueOf<Input>
  ): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>>
  <A, Input>(
    name: string,
    options: TypedOptions<A> & Options & ValueOf<Input>
  ): <E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>>
  <A, E, R, Input>(
    self: Effect.Effect<A, E, R>,
    name: string,
    options?: TypedOptions<NoInfer<A>> & Options & ValueOf<Input>
  ): Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>>
}

/**
 * Makes an effect an observation that has its type already, in both ways of calling.
 *
 * @since 0.1.0
 * @category models
 */
export type ObserveTyped = Observe<object>

// ---------------------------------------------------------------------------------------------------------------------
// effects and streams
// ---------------------------------------------------------------------------------------------------------------------

/**
 * What `withTrace` takes: an effect or a stream.
 *
 * @since 0.1.0
 * @category models
 */
export type Traceable = Effect.Effect<unknown, unknown, unknown> | Stream.Stream<unknown, unknown, unknown>

/**
 * The same effect, or the same stream.
 *
 * @since 0.1.0
 * @category models
 */
export type Traced<Self> = Self extends Effect.Effect<infer A, infer E, infer R> ? Effect.Effect<A, E, R>
  : Self extends Stream.Stream<infer A, infer E, infer R> ? Stream.Stream<A, E, R>
  : never

/**
 * The same effect, or the same stream, with a `LangfuseIngest` to flush.
 *
 * @since 0.1.0
 * @category models
 */
export type Flushed<Self> = Self extends Effect.Effect<infer A, infer E, infer R>
  ? Effect.Effect<A, E, R | LangfuseIngest>
  : Self extends Stream.Stream<infer A, infer E, infer R> ? Stream.Stream<A, E, R | LangfuseIngest>
  : never

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
