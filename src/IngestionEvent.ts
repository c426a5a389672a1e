/**
 * The events of Langfuse's ingestion API, and the constructors that make them.
 *
 * An event is a **plain object** of the shape it has on the wire: `{ type, id, timestamp, body }`, times as ISO text.
 * What came from JSON can be enqueued as it is. The schema checks events of unknown origin; the constructors fill in
 * ids and times, take a `Date` or a `DateTime` wherever there is a time, and refuse what Langfuse would refuse, or would
 * accept and then drop or alter without a word.
 *
 * Every constructor comes twice: `generationCreate(body)` is an Effect that takes the time from `Clock` and ids from
 * `IdGenerator`; `unsafeGenerationCreate(body)` does the same in a plain callback, and throws.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as IngestionEvent from "effect-langfuse/IngestionEvent"
 *
 * const program = Effect.gen(function*() {
 *   const trace = yield* IngestionEvent.traceCreate({ name: "answer a question", userId: "ada" })
 *   const generation = yield* IngestionEvent.generationCreate({
 *     traceId: trace.body.id,
 *     model: "gpt-4.1",
 *     input: [{ role: "user", content: "Why is the sky blue?" }],
 *     usageDetails: { input: 12, output: 80 }
 *   })
 *   return [trace, generation]
 * })
 * ```
 *
 * @see https://langfuse.com/docs/observability/data-model
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Schema from "effect/Schema"
import type * as Body from "./internal/bodies.js"
import * as Construct from "./internal/construct.js"
import type * as Events from "./internal/events.js"
import { IdGenerator, type Ids } from "./internal/idGenerator.js"
import { AnyEvent } from "./internal/schemas.js"
import type * as Score from "./internal/scores.js"
import type { InvalidEventError } from "./LangfuseError.js"

/**
 * What events are about: traces and observations.
 *
 * @since 0.1.0
 */
export type * from "./internal/bodies.js"
/**
 * The events themselves.
 *
 * @since 0.1.0
 */
export type * from "./internal/events.js"
/**
 * Where ids come from.
 *
 * @since 0.1.0
 */
export * from "./internal/idGenerator.js"
/**
 * Scores.
 *
 * @since 0.1.0
 */
export type * from "./internal/scores.js"
/**
 * Tokens, costs and parameters of model calls.
 *
 * @since 0.1.0
 */
export type * from "./internal/usage.js"

/**
 * Every event Langfuse's ingestion API takes, told apart by `type`.
 *
 * @since 0.1.0
 * @category models
 */
export type IngestionEvent =
  | Events.TraceCreate
  | Events.SpanCreate
  | Events.SpanUpdate
  | Events.GenerationCreate
  | Events.GenerationUpdate
  | Events.EventCreate
  | Events.AgentCreate
  | Events.ToolCreate
  | Events.ChainCreate
  | Events.RetrieverCreate
  | Events.EvaluatorCreate
  | Events.EmbeddingCreate
  | Events.GuardrailCreate
  | Events.ScoreCreate
  | Events.SdkLog
  | Events.ObservationCreate
  | Events.ObservationUpdate

/**
 * The check for events of unknown origin, such as a file. What it decodes is the event itself, without fields that
 * Langfuse does not know. It takes what Langfuse takes **and keeps**: a trace or score without an id, which Langfuse
 * acknowledges and does not store, does not pass.
 *
 * @since 0.1.0
 * @category schemas
 */
export const IngestionEvent: Schema.Schema<IngestionEvent> = AnyEvent.annotations({
  identifier: "IngestionEvent",
  description: "An event of Langfuse's ingestion API",
  documentation: "https://langfuse.com/docs/observability/data-model"
})

/**
 * What a constructor can be told beside the body.
 *
 * @since 0.1.0
 * @category models
 */
export interface EventOptions {
  /** The id of the event itself. Default: a new UUID. */
  readonly id?: string | undefined
  /** When the event came about, and for a score its time. Default: now. */
  readonly timestamp?: Body.TimeInput | undefined
  /** What the event knows about its trace, for Langfuse's OpenTelemetry endpoint. */
  readonly trace?: Events.TraceContext | undefined
}

/**
 * What a constructor that is a plain function can be told: it has no services to take a clock and ids from.
 *
 * @since 0.1.0
 * @category models
 */
export interface UnsafeEventOptions extends EventOptions {
  /** Default: the system's clock. */
  readonly clock?: Clock.Clock | undefined
  /** Default: random ids. */
  readonly ids?: Ids | undefined
}

/**
 * Makes an event of a body, with the time from `Clock` and ids from `IdGenerator`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Constructor<Input, E> {
  (body: Input, options?: EventOptions): Effect.Effect<E, InvalidEventError>
}

/**
 * The same in a plain callback: throws `InvalidEventError`.
 *
 * @since 0.1.0
 * @category models
 */
export interface UnsafeConstructor<Input, E> {
  (body: Input, options?: UnsafeEventOptions): E
}

const systemClock = Clock.make()

interface Constructors<Input, E> {
  readonly effect: Constructor<Input, E>
  readonly unsafe: UnsafeConstructor<Input, E>
}

const constructors = <Input extends object, E>(recipe: Construct.Recipe<E>): Constructors<Input, E> => ({
  effect: (body, options) =>
    Effect.clockWith((clock) =>
      Effect.flatMap(IdGenerator, (ids) => Construct.build(recipe, body, options, clock.unsafeCurrentTimeMillis(), ids))
    ),
  unsafe: (body, options) =>
    Either.getOrThrowWith(
      Construct.build(
        recipe,
        body,
        options,
        (options?.clock ?? systemClock).unsafeCurrentTimeMillis(),
        options?.ids ?? IdGenerator.defaultValue()
      ),
      (error) => error
    )
})

const traceCreates = constructors<Body.TraceInput, Events.TraceCreate>(Construct.traceRecipe("trace-create"))

/**
 * Creates a trace, or updates the one with the given id.
 *
 * `id` and `timestamp` of the body are filled in when absent. A later `trace-create` without `public` makes the trace
 * private again, so say it every time.
 *
 * @since 0.1.0
 * @category constructors
 */
export const traceCreate: Constructor<Body.TraceInput, Events.TraceCreate> = traceCreates.effect

/**
 * `traceCreate` for a plain callback: throws `InvalidEventError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsafeTraceCreate: UnsafeConstructor<Body.TraceInput, Events.TraceCreate> = traceCreates.unsafe

const spanCreates = constructors<Body.SpanInput, Events.SpanCreate>(Construct.spanRecipe("span-create"))

/**
 * Begins a span, or records one that is over when it has an `endTime`.
 *
 * `id` is filled in when absent, and `startTime` with now or, when that is earlier, with `endTime`. The same holds for
 * every constructor of an observation.
 *
 * @since 0.1.0
 * @category constructors
 */
export const spanCreate: Constructor<Body.SpanInput, Events.SpanCreate> = spanCreates.effect

/**
 * `spanCreate` for a plain callback: throws `InvalidEventError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsafeSpanCreate: UnsafeConstructor<Body.SpanInput, Events.SpanCreate> = spanCreates.unsafe

const spanUpdates = constructors<Body.SpanUpdateInput, Events.SpanUpdate>(Construct.spanUpdateRecipe("span-update"))

/**
 * Adds to a span, `endTime` most of all. What is absent stays as it is.
 *
 * @since 0.1.0
 * @category constructors
 */
export const spanUpdate: Constructor<Body.SpanUpdateInput, Events.SpanUpdate> = spanUpdates.effect

/**
 * `spanUpdate` for a plain callback: throws `InvalidEventError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsafeSpanUpdate: UnsafeConstructor<Body.SpanUpdateInput, Events.SpanUpdate> = spanUpdates.unsafe

const generationCreates = constructors<Body.GenerationInput, Events.GenerationCreate>(
  Construct.generationRecipe("generation-create")
)

/**
 * Begins a generation, or records one that is over when it has an `endTime`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const generationCreate: Constructor<Body.GenerationInput, Events.GenerationCreate> = generationCreates.effect

/**
 * `generationCreate` for a plain callback: throws `InvalidEventError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsafeGenerationCreate: UnsafeConstructor<Body.GenerationInput, Events.GenerationCreate> =
  generationCreates.unsafe

const generationUpdates = constructors<Body.GenerationUpdateInput, Events.GenerationUpdate>(
  Construct.generationUpdateRecipe("generation-update")
)

/**
 * Adds to a generation: output, usage, `endTime`. What is absent stays as it is; usage and costs are replaced whole.
 *
 * @since 0.1.0
 * @category constructors
 */
export const generationUpdate: Constructor<Body.GenerationUpdateInput, Events.GenerationUpdate> =
  generationUpdates.effect

/**
 * `generationUpdate` for a plain callback: throws `InvalidEventError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsafeGenerationUpdate: UnsafeConstructor<Body.GenerationUpdateInput, Events.GenerationUpdate> =
  generationUpdates.unsafe

const eventCreates = constructors<Body.EventInput, Events.EventCreate>(Construct.eventRecipe("event-create"))

/**
 * Records a point in time.
 *
 * @since 0.1.0
 * @category constructors
 */
export const eventCreate: Constructor<Body.EventInput, Events.EventCreate> = eventCreates.effect

/**
 * `eventCreate` for a plain callback: throws `InvalidEventError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsafeEventCreate: UnsafeConstructor<Body.EventInput, Events.EventCreate> = eventCreates.unsafe

const agentCreates = constructors<Body.GenerationInput, Events.AgentCreate>(Construct.generationRecipe("agent-create"))

/**
 * Begins an agent, or updates the one with the given id.
 *
 * @since 0.1.0
 * @category constructors
 */
export const agentCreate: Constructor<Body.GenerationInput, Events.AgentCreate> = agentCreates.effect

/**
 * `agentCreate` for a plain callback: throws `InvalidEventError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsafeAgentCreate: UnsafeConstructor<Body.GenerationInput, Events.AgentCreate> = agentCreates.unsafe

const toolCreates = constructors<Body.GenerationInput, Events.ToolCreate>(Construct.generationRecipe("tool-create"))

/**
 * Begins a tool call, or updates the one with the given id.
 *
 * @since 0.1.0
 * @category constructors
 */
export const toolCreate: Constructor<Body.GenerationInput, Events.ToolCreate> = toolCreates.effect

/**
 * `toolCreate` for a plain callback: throws `InvalidEventError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsafeToolCreate: UnsafeConstructor<Body.GenerationInput, Events.ToolCreate> = toolCreates.unsafe

const chainCreates = constructors<Body.GenerationInput, Events.ChainCreate>(Construct.generationRecipe("chain-create"))

/**
 * Begins a chain, or updates the one with the given id.
 *
 * @since 0.1.0
 * @category constructors
 */
export const chainCreate: Constructor<Body.GenerationInput, Events.ChainCreate> = chainCreates.effect

/**
 * `chainCreate` for a plain callback: throws `InvalidEventError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsafeChainCreate: UnsafeConstructor<Body.GenerationInput, Events.ChainCreate> = chainCreates.unsafe

const retrieverCreates = constructors<Body.GenerationInput, Events.RetrieverCreate>(
  Construct.generationRecipe("retriever-create")
)

/**
 * Begins a retrieval, or updates the one with the given id.
 *
 * @since 0.1.0
 * @category constructors
 */
export const retrieverCreate: Constructor<Body.GenerationInput, Events.RetrieverCreate> = retrieverCreates.effect

/**
 * `retrieverCreate` for a plain callback: throws `InvalidEventError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsafeRetrieverCreate: UnsafeConstructor<Body.GenerationInput, Events.RetrieverCreate> =
  retrieverCreates.unsafe

const evaluatorCreates = constructors<Body.GenerationInput, Events.EvaluatorCreate>(
  Construct.generationRecipe("evaluator-create")
)

/**
 * Begins an evaluation, or updates the one with the given id.
 *
 * @since 0.1.0
 * @category constructors
 */
export const evaluatorCreate: Constructor<Body.GenerationInput, Events.EvaluatorCreate> = evaluatorCreates.effect

/**
 * `evaluatorCreate` for a plain callback: throws `InvalidEventError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsafeEvaluatorCreate: UnsafeConstructor<Body.GenerationInput, Events.EvaluatorCreate> =
  evaluatorCreates.unsafe

const embeddingCreates = constructors<Body.GenerationInput, Events.EmbeddingCreate>(
  Construct.generationRecipe("embedding-create")
)

/**
 * Begins a call of an embedding model, or updates the one with the given id.
 *
 * @since 0.1.0
 * @category constructors
 */
export const embeddingCreate: Constructor<Body.GenerationInput, Events.EmbeddingCreate> = embeddingCreates.effect

/**
 * `embeddingCreate` for a plain callback: throws `InvalidEventError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsafeEmbeddingCreate: UnsafeConstructor<Body.GenerationInput, Events.EmbeddingCreate> =
  embeddingCreates.unsafe

const guardrailCreates = constructors<Body.GenerationInput, Events.GuardrailCreate>(
  Construct.generationRecipe("guardrail-create")
)

/**
 * Begins a guardrail, or updates the one with the given id.
 *
 * @since 0.1.0
 * @category constructors
 */
export const guardrailCreate: Constructor<Body.GenerationInput, Events.GuardrailCreate> = guardrailCreates.effect

/**
 * `guardrailCreate` for a plain callback: throws `InvalidEventError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsafeGuardrailCreate: UnsafeConstructor<Body.GenerationInput, Events.GuardrailCreate> =
  guardrailCreates.unsafe

const scoreCreates = constructors<Score.ScoreInput, Events.ScoreCreate>(Construct.scoreRecipe("score-create"))

/**
 * Scores a trace, an observation, a session or a dataset run.
 *
 * `id` is filled in when absent. A `BOOLEAN` may be a boolean, and a `CORRECTION` needs no name. The time of the score is
 * `timestamp` of the options.
 *
 * @since 0.1.0
 * @category constructors
 */
export const scoreCreate: Constructor<Score.ScoreInput, Events.ScoreCreate> = scoreCreates.effect

/**
 * `scoreCreate` for a plain callback: throws `InvalidEventError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsafeScoreCreate: UnsafeConstructor<Score.ScoreInput, Events.ScoreCreate> = scoreCreates.unsafe

const sdkLogs = constructors<Body.SdkLogBody, Events.SdkLog>(Construct.logRecipe("sdk-log"))

/**
 * A note to Langfuse's own logs.
 *
 * @since 0.1.0
 * @category constructors
 */
export const sdkLog: Constructor<Body.SdkLogBody, Events.SdkLog> = sdkLogs.effect

/**
 * `sdkLog` for a plain callback: throws `InvalidEventError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unsafeSdkLog: UnsafeConstructor<Body.SdkLogBody, Events.SdkLog> = sdkLogs.unsafe
