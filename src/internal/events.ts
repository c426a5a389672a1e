/**
 * The events as they are on the wire: types and schemas. `IngestionEvent` passes them on, beside their constructors.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Body from "../IngestionBody.js"
import * as Score from "../LangfuseScore.js"
import { Environment, Id, Json, Timestamp, TraceName } from "./fields.js"

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
 * Checks what an event knows about its trace. Decoding and encoding change nothing.
 *
 * @since 0.1.0
 * @category schemas
 */
export const TraceContext: Schema.Schema<TraceContext> = Schema.Struct({
  name: Schema.optional(TraceName),
  userId: Schema.optional(Schema.String),
  sessionId: Schema.optional(Schema.String),
  tags: Schema.optional(Schema.Array(Schema.String)),
  metadata: Schema.optional(Json),
  release: Schema.optional(Schema.String),
  version: Schema.optional(Schema.String),
  environment: Schema.optional(Environment),
  public: Schema.optional(Schema.Boolean),
  input: Schema.optional(Json),
  output: Schema.optional(Json),
  timestamp: Schema.optional(Timestamp),
  isAppRoot: Schema.optional(Schema.Boolean)
}).annotations({
  identifier: "TraceContext",
  description: "What an event knows about its trace; in memory only"
})

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
  /** Taken by the server and not used. */
  readonly metadata?: unknown
  /** In memory only. */
  readonly trace?: TraceContext | undefined
}

const event = <const Type extends string, Body>(
  type: Type,
  identifier: string,
  body: Schema.Schema<Body>,
  description: string,
  documentation: string
) =>
  Schema.Struct({
    type: Schema.Literal(type),
    id: Id,
    timestamp: Timestamp,
    body,
    metadata: Schema.optional(Json),
    trace: Schema.optional(TraceContext)
  }).annotations({ identifier, description, documentation })

const dataModel = "https://langfuse.com/docs/observability/data-model"
const observationTypes = "https://langfuse.com/docs/observability/features/observation-types"

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
 * Checks a `trace-create` event. Decoding and encoding change nothing.
 *
 * @since 0.1.0
 * @category schemas
 */
export const TraceCreate: Schema.Schema<TraceCreate> = event(
  "trace-create",
  "TraceCreate",
  Body.TraceBody,
  "Creates or updates a trace",
  dataModel
)

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
 * Checks a `span-create` event. Decoding and encoding change nothing.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SpanCreate: Schema.Schema<SpanCreate> = event(
  "span-create",
  "SpanCreate",
  Body.SpanBody,
  "Begins a span",
  observationTypes
)

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
 * Checks a `span-update` event. Decoding and encoding change nothing.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SpanUpdate: Schema.Schema<SpanUpdate> = event(
  "span-update",
  "SpanUpdate",
  Body.SpanBody,
  "Adds to a span",
  observationTypes
)

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
 * Checks a `generation-create` event. Decoding and encoding change nothing.
 *
 * @since 0.1.0
 * @category schemas
 */
export const GenerationCreate: Schema.Schema<GenerationCreate> = event(
  "generation-create",
  "GenerationCreate",
  Body.GenerationBody,
  "Begins a generation",
  observationTypes
)

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
 * Checks a `generation-update` event. Decoding and encoding change nothing.
 *
 * @since 0.1.0
 * @category schemas
 */
export const GenerationUpdate: Schema.Schema<GenerationUpdate> = event(
  "generation-update",
  "GenerationUpdate",
  Body.GenerationBody,
  "Adds to a generation",
  observationTypes
)

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
 * Checks a `event-create` event. Decoding and encoding change nothing.
 *
 * @since 0.1.0
 * @category schemas
 */
export const EventCreate: Schema.Schema<EventCreate> = event(
  "event-create",
  "EventCreate",
  Body.EventBody,
  "Records a point in time",
  observationTypes
)

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
 * Checks a `agent-create` event. Decoding and encoding change nothing.
 *
 * @since 0.1.0
 * @category schemas
 */
export const AgentCreate: Schema.Schema<AgentCreate> = event(
  "agent-create",
  "AgentCreate",
  Body.GenerationBody,
  "Begins an agent",
  observationTypes
)

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
 * Checks a `tool-create` event. Decoding and encoding change nothing.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ToolCreate: Schema.Schema<ToolCreate> = event(
  "tool-create",
  "ToolCreate",
  Body.GenerationBody,
  "Begins a tool call",
  observationTypes
)

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
 * Checks a `chain-create` event. Decoding and encoding change nothing.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ChainCreate: Schema.Schema<ChainCreate> = event(
  "chain-create",
  "ChainCreate",
  Body.GenerationBody,
  "Begins a chain",
  observationTypes
)

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
 * Checks a `retriever-create` event. Decoding and encoding change nothing.
 *
 * @since 0.1.0
 * @category schemas
 */
export const RetrieverCreate: Schema.Schema<RetrieverCreate> = event(
  "retriever-create",
  "RetrieverCreate",
  Body.GenerationBody,
  "Begins a retrieval",
  observationTypes
)

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
 * Checks a `evaluator-create` event. Decoding and encoding change nothing.
 *
 * @since 0.1.0
 * @category schemas
 */
export const EvaluatorCreate: Schema.Schema<EvaluatorCreate> = event(
  "evaluator-create",
  "EvaluatorCreate",
  Body.GenerationBody,
  "Begins an evaluation",
  observationTypes
)

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
 * Checks a `embedding-create` event. Decoding and encoding change nothing.
 *
 * @since 0.1.0
 * @category schemas
 */
export const EmbeddingCreate: Schema.Schema<EmbeddingCreate> = event(
  "embedding-create",
  "EmbeddingCreate",
  Body.GenerationBody,
  "Begins an embedding",
  observationTypes
)

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
 * Checks a `guardrail-create` event. Decoding and encoding change nothing.
 *
 * @since 0.1.0
 * @category schemas
 */
export const GuardrailCreate: Schema.Schema<GuardrailCreate> = event(
  "guardrail-create",
  "GuardrailCreate",
  Body.GenerationBody,
  "Begins a guardrail",
  observationTypes
)

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
 * Checks a `score-create` event. Decoding and encoding change nothing.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ScoreCreate: Schema.Schema<ScoreCreate> = event(
  "score-create",
  "ScoreCreate",
  Score.ScoreBody,
  "Records a score",
  "https://langfuse.com/docs/evaluation/evaluation-methods/custom-scores"
)

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
 * Checks a `sdk-log` event. Decoding and encoding change nothing.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SdkLog: Schema.Schema<SdkLog> = event(
  "sdk-log",
  "SdkLog",
  Body.SdkLogBody,
  "A note to Langfuse's own logs",
  dataModel
)

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
 * Checks a `observation-create` event. Decoding and encoding change nothing.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ObservationCreate: Schema.Schema<ObservationCreate> = event(
  "observation-create",
  "ObservationCreate",
  Body.LegacyObservationBody,
  "Legacy: begins an observation",
  dataModel
)

/**
 * What `span-update` and `generation-update` replaced. Taken from old programs; there is no constructor.
 *
 * @since 0.1.0
 * @category models
 */
export interface ObservationUpdate extends Envelope<Body.LegacyObservationBody> {
  readonly type: "observation-update"
}

/**
 * Checks a `observation-update` event. Decoding and encoding change nothing.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ObservationUpdate: Schema.Schema<ObservationUpdate> = event(
  "observation-update",
  "ObservationUpdate",
  Body.LegacyObservationBody,
  "Legacy: adds to an observation",
  dataModel
)

/**
 * Every event Langfuse's ingestion API takes, told apart by `type`.
 *
 * @since 0.1.0
 * @category models
 */
export type IngestionEvent =
  | TraceCreate
  | SpanCreate
  | SpanUpdate
  | GenerationCreate
  | GenerationUpdate
  | EventCreate
  | AgentCreate
  | ToolCreate
  | ChainCreate
  | RetrieverCreate
  | EvaluatorCreate
  | EmbeddingCreate
  | GuardrailCreate
  | ScoreCreate
  | SdkLog
  | ObservationCreate
  | ObservationUpdate

/**
 * The check for events of unknown origin, such as a file. What it decodes is the event itself, without fields that
 * Langfuse does not know. It takes what Langfuse takes **and keeps**: a trace or score without an id, which Langfuse
 * acknowledges and does not store, does not pass.
 *
 * @since 0.1.0
 * @category schemas
 */
export const IngestionEvent: Schema.Schema<IngestionEvent> = Schema.Union(
  TraceCreate,
  SpanCreate,
  SpanUpdate,
  GenerationCreate,
  GenerationUpdate,
  EventCreate,
  AgentCreate,
  ToolCreate,
  ChainCreate,
  RetrieverCreate,
  EvaluatorCreate,
  EmbeddingCreate,
  GuardrailCreate,
  ScoreCreate,
  SdkLog,
  ObservationCreate,
  ObservationUpdate
).annotations({
  identifier: "IngestionEvent",
  description: "An event of Langfuse's ingestion API",
  documentation: dataModel
})
