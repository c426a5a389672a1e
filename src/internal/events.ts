/**
 * The events of Langfuse's ingestion API as they are on the wire.
 *
 * @since 0.1.0
 */
import type * as Body from "./bodies.js"
import type * as Score from "./scores.js"

// ---------------------------------------------------------------------------------------------------------------------
// the envelope
// ---------------------------------------------------------------------------------------------------------------------

/**
 * What an event knows about its trace, in memory only: it is never part of a request to the batch endpoint, where a
 * `trace-create` says these things once. Langfuse's OpenTelemetry endpoint has no traces of their own, and there they go
 * on every span.
 *
 * @see https://langfuse.com/integrations/native/opentelemetry
 * @since 0.1.0
 * @category models
 */
export interface TraceContext {
  /** At most 1000 characters. */
  readonly name?: string | undefined
  readonly userId?: string | undefined
  readonly sessionId?: string | undefined
  readonly tags?: ReadonlyArray<string> | undefined
  /** Any JSON. */
  readonly metadata?: unknown
  readonly release?: string | undefined
  readonly version?: string | undefined
  /** 1 to 40 of `a-z`, `0-9`, `-`, `_`, not starting with `langfuse`. */
  readonly environment?: string | undefined
  readonly public?: boolean | undefined
  /** Any JSON. */
  readonly input?: unknown
  /** Any JSON. */
  readonly output?: unknown
  /** When the trace began, as ISO 8601 text with a zone. */
  readonly timestamp?: string | undefined
  /** Whether this observation is where the program's own part of the trace begins, below a parent from elsewhere. */
  readonly isAppRoot?: boolean | undefined
}

/**
 * What is the same for every event.
 *
 * @since 0.1.0
 * @category models
 */
export interface Envelope<Body> {
  /** The id of the event, not of what it is about. Langfuse stores an event with the same id once, and answers by it. 1 to 800 characters. */
  readonly id: string
  /**
   * When the event came about, as ISO 8601 text with a zone. Langfuse merges events of one observation in this order,
   * and takes it for the time of a score.
   */
  readonly timestamp: string
  readonly body: Body
  /** In memory only. */
  readonly trace?: TraceContext | undefined
}

// ---------------------------------------------------------------------------------------------------------------------
// the events
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Creates a trace, or updates the one with the same id.
 *
 * @since 0.1.0
 * @category models
 */
export interface TraceCreate extends Envelope<Body.TraceBody> {
  readonly type: "trace-create"
}

/**
 * Begins a span: a unit of work with a duration. The same id again updates it.
 *
 * @since 0.1.0
 * @category models
 */
export interface SpanCreate extends Envelope<Body.SpanBody> {
  readonly type: "span-create"
}

/**
 * Adds to a span. It makes a span of any other observation with that id.
 *
 * @since 0.1.0
 * @category models
 */
export interface SpanUpdate extends Envelope<Body.SpanBody> {
  readonly type: "span-update"
}

/**
 * Begins a generation: one call of a model.
 *
 * @since 0.1.0
 * @category models
 */
export interface GenerationCreate extends Envelope<Body.GenerationBody> {
  readonly type: "generation-create"
}

/**
 * Adds to a generation. It makes a generation of any other observation with that id.
 *
 * @since 0.1.0
 * @category models
 */
export interface GenerationUpdate extends Envelope<Body.GenerationBody> {
  readonly type: "generation-update"
}

/**
 * Records an event: a point in time.
 *
 * @since 0.1.0
 * @category models
 */
export interface EventCreate extends Envelope<Body.EventBody> {
  readonly type: "event-create"
}

/**
 * Begins an agent: something that decides what is done next. There is no update: the same id again updates it.
 *
 * @since 0.1.0
 * @category models
 */
export interface AgentCreate extends Envelope<Body.GenerationBody> {
  readonly type: "agent-create"
}

/**
 * Begins a tool call. There is no update: the same id again updates it.
 *
 * @since 0.1.0
 * @category models
 */
export interface ToolCreate extends Envelope<Body.GenerationBody> {
  readonly type: "tool-create"
}

/**
 * Begins a chain: a link between steps of a program. There is no update: the same id again updates it.
 *
 * @since 0.1.0
 * @category models
 */
export interface ChainCreate extends Envelope<Body.GenerationBody> {
  readonly type: "chain-create"
}

/**
 * Begins a retrieval of data. There is no update: the same id again updates it.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetrieverCreate extends Envelope<Body.GenerationBody> {
  readonly type: "retriever-create"
}

/**
 * Begins an evaluation of an answer. There is no update: the same id again updates it.
 *
 * @since 0.1.0
 * @category models
 */
export interface EvaluatorCreate extends Envelope<Body.GenerationBody> {
  readonly type: "evaluator-create"
}

/**
 * Begins a call of an embedding model. There is no update: the same id again updates it.
 *
 * @since 0.1.0
 * @category models
 */
export interface EmbeddingCreate extends Envelope<Body.GenerationBody> {
  readonly type: "embedding-create"
}

/**
 * Begins a check against harmful content. There is no update: the same id again updates it.
 *
 * @since 0.1.0
 * @category models
 */
export interface GuardrailCreate extends Envelope<Body.GenerationBody> {
  readonly type: "guardrail-create"
}

/**
 * Scores a trace, an observation, a session or a dataset run. The same id again replaces the score.
 *
 * @since 0.1.0
 * @category models
 */
export interface ScoreCreate extends Envelope<Score.ScoreBody> {
  readonly type: "score-create"
}

/**
 * A note to Langfuse's own logs. The answer to a batch mentions it only when it is refused.
 *
 * @since 0.1.0
 * @category models
 */
export interface SdkLog extends Envelope<Body.SdkLogBody> {
  readonly type: "sdk-log"
}

/**
 * What `span-create`, `generation-create` and `event-create` replaced. Taken from old programs; there is no constructor.
 *
 * @since 0.1.0
 * @category models
 */
export interface ObservationCreate extends Envelope<Body.LegacyObservationBody> {
  readonly type: "observation-create"
}

/**
 * What `span-update` and `generation-update` replaced. Taken from old programs; there is no constructor.
 *
 * @since 0.1.0
 * @category models
 */
export interface ObservationUpdate extends Envelope<Body.LegacyObservationBody> {
  readonly type: "observation-update"
}
