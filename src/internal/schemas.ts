/** Events as schemas: the check for events of unknown origin, and for tests. */
import * as Schema from "effect/Schema"
import type * as Bodies from "./bodies.js"
import * as Rules from "./eventRules.js"
import type * as Events from "./events.js"
import {
  Cost,
  Environment,
  Finite,
  Id,
  Int,
  issuesOf,
  Json,
  Level,
  nullish,
  record,
  ScoreName,
  Text,
  texts,
  Timestamp,
  TraceName
} from "./fields.js"
import type * as Scores from "./scores.js"
import type * as Usages from "./usage.js"

// ---------------------------------------------------------------------------------------------------------------------
// model calls
// ---------------------------------------------------------------------------------------------------------------------

const ModelParameters: Schema.Schema<Usages.ModelParameters> = record(
  Schema.Union(
    Schema.String,
    Finite,
    Schema.Boolean,
    Schema.Null,
    texts,
    record(Schema.String)
  ).annotations({
    description:
      "a string, finite number, boolean, null, list of strings or flat record of strings (write anything deeper as JSON text)"
  })
)

const Usage: Schema.Schema<Usages.Usage> = Schema.Struct({
  input: nullish(Int),
  output: nullish(Int),
  total: nullish(Int),
  unit: nullish(Schema.Literal("CHARACTERS", "TOKENS", "SECONDS", "MILLISECONDS", "IMAGES", "REQUESTS")),
  inputCost: nullish(Finite),
  outputCost: nullish(Finite),
  totalCost: nullish(Finite),
  promptTokens: nullish(Int),
  completionTokens: nullish(Int),
  totalTokens: nullish(Int)
}).pipe(
  Schema.filter((usage) => issuesOf(Rules.usageIssues(usage)), {
    arbitrary: () => (fc) =>
      fc.oneof(
        fc.record({ input: fc.nat(), output: fc.nat(), unit: fc.constant("TOKENS" as const), totalCost: fc.nat() }),
        fc.record({ promptTokens: fc.nat(), completionTokens: fc.nat() })
      )
  }),
  Schema.filter((_usage): _usage is Usages.Usage => true, {
    identifier: "Usage",
    description: "Langfuse's deprecated usage: usageDetails and costDetails replace it"
  }),
  Schema.typeSchema
)

export const UsageDetails: Schema.Schema<Usages.UsageDetails> = record(Schema.Unknown)
  .pipe(
    Schema.filter((details) => issuesOf(Rules.usageDetailsIssues(details))),
    Schema.filter((_details): _details is Usages.UsageDetails => true, {
      identifier: "UsageDetails",
      description: "disjoint buckets with counts, or the usage object of a provider or an SDK",
      documentation: "https://langfuse.com/docs/observability/features/token-and-cost-tracking",
      arbitrary: () => (fc) =>
        fc.oneof(
          fc.dictionary(fc.constantFrom("input", "output", "total", "input_cached_tokens"), fc.nat()),
          fc.record({ prompt_tokens: fc.nat(), completion_tokens: fc.nat(), total_tokens: fc.nat() }),
          fc.record({ inputTokens: fc.nat(), outputTokens: fc.nat(), cachedInputTokens: fc.nat() })
        )
    }),
    Schema.typeSchema
  )

const CostDetails: Schema.Schema<Usages.CostDetails> = record(Cost).annotations({
  identifier: "CostDetails",
  description: "US dollars by bucket",
  documentation: "https://langfuse.com/docs/observability/features/token-and-cost-tracking"
})

// ---------------------------------------------------------------------------------------------------------------------
// bodies
// ---------------------------------------------------------------------------------------------------------------------

export const TraceBody: Schema.Schema<Bodies.TraceBody> = Schema.Struct({
  id: Id,
  timestamp: nullish(Timestamp),
  name: nullish(TraceName),
  externalId: nullish(Text),
  input: Schema.optional(Json),
  output: Schema.optional(Json),
  sessionId: nullish(Text),
  userId: nullish(Text),
  environment: nullish(Environment),
  metadata: Schema.optional(Json),
  release: nullish(Text),
  version: nullish(Text),
  public: nullish(Schema.Boolean),
  tags: nullish(texts)
}).annotations({
  identifier: "TraceBody",
  description: "The body of a trace-create event",
  documentation: "https://langfuse.com/docs/observability/data-model"
})

const eventFields = {
  id: Id,
  traceId: nullish(Id),
  environment: nullish(Environment),
  name: nullish(Text),
  startTime: nullish(Timestamp),
  metadata: Schema.optional(Json),
  input: Schema.optional(Json),
  output: Schema.optional(Json),
  level: nullish(Level),
  statusMessage: nullish(Text),
  parentObservationId: nullish(Text),
  version: nullish(Text)
}

export const EventBody: Schema.Schema<Bodies.EventBody> = Schema.Struct(eventFields).annotations({
  identifier: "EventBody",
  description: "The body of an event-create event",
  documentation: "https://langfuse.com/docs/observability/features/observation-types"
})

const spanFields = { ...eventFields, endTime: nullish(Timestamp) }

export const SpanBody: Schema.Schema<Bodies.SpanBody> = Schema.Struct(spanFields).annotations({
  identifier: "SpanBody",
  description: "The body of a span-create or span-update event",
  documentation: "https://langfuse.com/docs/observability/features/observation-types"
})

export const GenerationBody: Schema.Schema<Bodies.GenerationBody> = Schema.Struct({
  ...spanFields,
  completionStartTime: nullish(Timestamp),
  model: nullish(Text),
  modelParameters: nullish(ModelParameters),
  usage: nullish(Usage),
  usageDetails: nullish(UsageDetails),
  costDetails: nullish(CostDetails),
  promptName: nullish(Text),
  promptVersion: nullish(Int)
}).pipe(Schema.filter(
  (body) => issuesOf(Rules.promptIssues(body)),
  {
    identifier: "GenerationBody",
    description: "The body of a generation, agent, tool, chain, retriever, evaluator, embedding or guardrail event",
    documentation: "https://langfuse.com/docs/observability/features/observation-types",
    arbitrary: (body) => (fc) =>
      fc.tuple(body(fc), fc.boolean()).map(([body, prompt]) =>
        prompt
          ? { ...body, promptName: "summarise", promptVersion: 3 }
          : { ...body, promptName: null, promptVersion: null }
      )
  }
))

const LegacyObservationBody: Schema.Schema<Bodies.LegacyObservationBody> = Schema.Struct({
  id: Id,
  traceId: nullish(Id),
  type: Schema.Literal("GENERATION", "SPAN", "EVENT"),
  name: nullish(Text),
  startTime: nullish(Timestamp),
  endTime: nullish(Timestamp),
  completionStartTime: nullish(Timestamp),
  model: nullish(Text),
  modelParameters: nullish(record(Schema.Union(Schema.String, Finite, Schema.Boolean, Schema.Null))),
  input: Schema.optional(Json),
  output: Schema.optional(Json),
  metadata: Schema.optional(Json),
  usage: nullish(Usage),
  usageDetails: nullish(UsageDetails),
  costDetails: nullish(CostDetails),
  parentObservationId: nullish(Text),
  level: nullish(Level),
  statusMessage: nullish(Text),
  version: nullish(Text)
}).annotations({
  identifier: "LegacyObservationBody",
  description: "The body of the legacy observation-create and observation-update events"
})

export const SdkLogBody: Schema.Schema<Bodies.SdkLogBody> = Schema.Struct({
  log: Json.pipe(Schema.filter((log): boolean => Rules.log.accepts(log), { description: Rules.log.description })),
  id: nullish(Text)
}).annotations({ identifier: "SdkLogBody", description: "The body of an sdk-log event" })

const Wide = Schema.Struct({
  id: Id,
  name: ScoreName,
  dataType: Schema.optional(Schema.Literal("NUMERIC", "BOOLEAN", "CATEGORICAL", "TEXT", "CORRECTION")),
  value: Schema.Union(Schema.String, Finite),
  traceId: nullish(Text),
  observationId: nullish(Text),
  sessionId: nullish(Text),
  datasetRunId: nullish(Text),
  comment: nullish(Text),
  environment: nullish(Environment),
  metadata: Schema.optional(Json),
  source: Schema.optional(Schema.Literal("API", "EVAL", "ANNOTATION")),
  configId: nullish(Text),
  queueId: nullish(Text),
  executionTraceId: nullish(Text)
})

export const ScoreBody: Schema.Schema<Scores.ScoreBody> = Wide.pipe(
  Schema.filter((score) => issuesOf(Rules.scoreIssues(score)), {
    arbitrary: (wide) => (fc) => {
      const trace = fc.record({ traceId: fc.uuid(), observationId: fc.option(fc.uuid()) })
      const target = fc.oneof(trace, fc.record({ sessionId: fc.uuid() }), fc.record({ datasetRunId: fc.uuid() }))
      const value = fc.oneof(
        fc.record({ dataType: fc.constant("NUMERIC" as const), value: fc.nat() }),
        fc.record({ dataType: fc.constant("BOOLEAN" as const), value: fc.constantFrom(0, 1) }),
        fc.record({ dataType: fc.constantFrom("CATEGORICAL" as const, "TEXT" as const), value: fc.constant("good") }),
        fc.record({ dataType: fc.constant(undefined), value: fc.oneof(fc.string(), fc.nat()) })
      )
      const correction = fc.record({
        dataType: fc.constant("CORRECTION" as const),
        value: fc.string(),
        configId: fc.constant(null)
      })
      const none = { traceId: null, observationId: null, sessionId: null, datasetRunId: null, configId: "config" }
      return fc.tuple(wide(fc), fc.oneof(fc.tuple(value, target), fc.tuple(correction, trace)))
        .map(([score, [value, target]]) => ({ ...score, ...none, ...value, ...target }))
    }
  }),
  Schema.filter((_score): _score is typeof _score & Scores.ScoreBody => true, {
    identifier: "ScoreBody",
    description: "The body of a score-create event",
    documentation: "https://langfuse.com/docs/evaluation/evaluation-methods/custom-scores"
  }),
  Schema.typeSchema
)

// ---------------------------------------------------------------------------------------------------------------------
// events
// ---------------------------------------------------------------------------------------------------------------------

const TraceContext: Schema.Schema<Events.TraceContext> = Schema.Struct({
  name: Schema.optional(TraceName),
  userId: Schema.optional(Text),
  sessionId: Schema.optional(Text),
  tags: Schema.optional(texts),
  metadata: Schema.optional(Json),
  release: Schema.optional(Text),
  version: Schema.optional(Text),
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

const event = <const Type extends string, Body>(
  type: Type,
  identifier: string,
  body: Schema.Schema<Body>,
  description: string
) =>
  Schema.Struct({
    type: Schema.Literal(type),
    id: Id,
    timestamp: Timestamp,
    body,
    trace: Schema.optional(TraceContext)
  }).annotations({ identifier, description })

/** Told apart by `type`. */
export const AnyEvent = Schema.Union(
  event("trace-create", "TraceCreate", TraceBody, "Creates or updates a trace"),
  event("span-create", "SpanCreate", SpanBody, "Begins a span"),
  event("span-update", "SpanUpdate", SpanBody, "Adds to a span"),
  event("generation-create", "GenerationCreate", GenerationBody, "Begins a generation"),
  event("generation-update", "GenerationUpdate", GenerationBody, "Adds to a generation"),
  event("event-create", "EventCreate", EventBody, "Records a point in time"),
  event("agent-create", "AgentCreate", GenerationBody, "Begins an agent"),
  event("tool-create", "ToolCreate", GenerationBody, "Begins a tool call"),
  event("chain-create", "ChainCreate", GenerationBody, "Begins a chain"),
  event("retriever-create", "RetrieverCreate", GenerationBody, "Begins a retrieval"),
  event("evaluator-create", "EvaluatorCreate", GenerationBody, "Begins an evaluation"),
  event("embedding-create", "EmbeddingCreate", GenerationBody, "Begins an embedding"),
  event("guardrail-create", "GuardrailCreate", GenerationBody, "Begins a guardrail"),
  event("score-create", "ScoreCreate", ScoreBody, "Records a score"),
  event("sdk-log", "SdkLog", SdkLogBody, "A note to Langfuse's own logs"),
  event("observation-create", "ObservationCreate", LegacyObservationBody, "Legacy: begins an observation"),
  event("observation-update", "ObservationUpdate", LegacyObservationBody, "Legacy: adds to an observation")
)
