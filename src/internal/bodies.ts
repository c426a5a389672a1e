/**
 * What the events of Langfuse's ingestion API say: the bodies of traces, observations and SDK logs, as they are on the
 * wire and as the constructors of `IngestionEvent` take them.
 *
 * Texts have no upper bound unless one is named. A field that is absent keeps what Langfuse already holds; `null` clears a
 * trace's name, user, session, release and version and an observation's name, level and model, and is like absent
 * elsewhere.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type { CostDetails, ModelParameters, Usage, UsageDetails } from "./usage.js"

// ---------------------------------------------------------------------------------------------------------------------
// traces
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The body of a `trace-create`. A second one with the same `id` updates the trace.
 *
 * @see https://langfuse.com/docs/observability/data-model
 * @since 0.1.0
 * @category models
 */
export interface TraceBody {
  /** 1 to 800 characters. Langfuse stores nothing of a trace without it. */
  readonly id: string
  /** When the trace began. The first one a trace gets stays. */
  readonly timestamp?: string | null | undefined
  /** At most 1000 characters. */
  readonly name?: string | null | undefined
  /** Taken by the server and not used. */
  readonly externalId?: string | null | undefined
  /** Any JSON. */
  readonly input?: unknown
  /** Any JSON. */
  readonly output?: unknown
  readonly sessionId?: string | null | undefined
  readonly userId?: string | null | undefined
  /** 1 to 40 of `a-z`, `0-9`, `-`, `_`, not starting with `langfuse`. Absent means `"default"`. The first one a trace gets stays. */
  readonly environment?: string | null | undefined
  /** Any JSON. Objects are merged key by key with what was there. */
  readonly metadata?: unknown
  readonly release?: string | null | undefined
  readonly version?: string | null | undefined
  /** Whether anyone with the link may read the trace. A later `trace-create` without it makes the trace private again. */
  readonly public?: boolean | null | undefined
  /** Added to the tags that are there; a tag cannot be taken away. */
  readonly tags?: ReadonlyArray<string> | null | undefined
}

// ---------------------------------------------------------------------------------------------------------------------
// observations
// ---------------------------------------------------------------------------------------------------------------------

/**
 * How serious an observation is. Exact case; the absence of a level means `"DEFAULT"`.
 *
 * @see https://langfuse.com/docs/observability/features/log-levels
 * @since 0.1.0
 * @category models
 */
export type ObservationLevel = "DEBUG" | "DEFAULT" | "WARNING" | "ERROR"

/**
 * What every observation has, and all that an `event-create` has: an event is a point in time, so Langfuse drops an end
 * time, a model or usage from it.
 *
 * @see https://langfuse.com/docs/observability/features/observation-types
 * @since 0.1.0
 * @category models
 */
export interface EventBody {
  /** 1 to 800 characters. Unique within the project, not only within the trace. */
  readonly id: string
  /** 1 to 800 characters. An observation without it ends up in a trace of its own with a random id. */
  readonly traceId?: string | null | undefined
  /** 1 to 40 of `a-z`, `0-9`, `-`, `_`, not starting with `langfuse`. Absent means `"default"`. The first one an observation gets stays. */
  readonly environment?: string | null | undefined
  readonly name?: string | null | undefined
  /** The first one an observation gets stays. */
  readonly startTime?: string | null | undefined
  /** Any JSON. Objects are merged key by key with what was there. */
  readonly metadata?: unknown
  /** Any JSON. */
  readonly input?: unknown
  /** Any JSON. */
  readonly output?: unknown
  readonly level?: ObservationLevel | null | undefined
  readonly statusMessage?: string | null | undefined
  readonly parentObservationId?: string | null | undefined
  readonly version?: string | null | undefined
}

/**
 * The body of a `span-create` or `span-update`. Langfuse drops a model or usage from it: those belong to a generation.
 *
 * @see https://langfuse.com/docs/observability/features/observation-types
 * @since 0.1.0
 * @category models
 */
export interface SpanBody extends EventBody {
  /** An end before the start is moved to the start. */
  readonly endTime?: string | null | undefined
}

/**
 * The body of a generation, and of the observations that are like one: agent, tool, chain, retriever, evaluator,
 * embedding and guardrail.
 *
 * @see https://langfuse.com/docs/observability/features/observation-types
 * @since 0.1.0
 * @category models
 */
export interface GenerationBody extends SpanBody {
  /** When the first token arrived. */
  readonly completionStartTime?: string | null | undefined
  readonly model?: string | null | undefined
  readonly modelParameters?: ModelParameters | null | undefined
  /** Deprecated by Langfuse: `usageDetails` wins over it. */
  readonly usage?: Usage | null | undefined
  readonly usageDetails?: UsageDetails | null | undefined
  readonly costDetails?: CostDetails | null | undefined
  /** Goes together with `promptVersion`. */
  readonly promptName?: string | null | undefined
  /** An integer other than 0. Goes together with `promptName`. */
  readonly promptVersion?: number | null | undefined
}

/**
 * The body of the legacy `observation-create` and `observation-update`. It can name neither an environment nor a prompt.
 *
 * @since 0.1.0
 * @category models
 */
export interface LegacyObservationBody
  extends Omit<GenerationBody, "environment" | "promptName" | "promptVersion" | "modelParameters">
{
  readonly type: "GENERATION" | "SPAN" | "EVENT"
  /** Plain values only. */
  readonly modelParameters?: { readonly [parameter: string]: string | number | boolean | null } | null | undefined
}

// ---------------------------------------------------------------------------------------------------------------------
// logs
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The body of an `sdk-log`: something about the program's own use of Langfuse, for Langfuse's logs. No trace shows it.
 *
 * @since 0.1.0
 * @category models
 */
export interface SdkLogBody {
  /** Any JSON but null. */
  readonly log: unknown
  /** Taken by the server and not used. */
  readonly id?: string | null | undefined
}

// ---------------------------------------------------------------------------------------------------------------------
// what the constructors take
// ---------------------------------------------------------------------------------------------------------------------

/**
 * A time as programs have it: a `Date`, a `DateTime` in UTC or in a zone, or ISO 8601 text with a zone. Langfuse keeps
 * milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export type TimeInput = Date | DateTime.DateTime | string

/**
 * A trace as a program gives it to `IngestionEvent.traceCreate`.
 *
 * @since 0.1.0
 * @category models
 */
export interface TraceInput extends Omit<TraceBody, "id" | "timestamp" | "externalId"> {
  /** 1 to 800 characters. Default: a new one of 32 hex digits. */
  readonly id?: string | undefined
  /** When the trace began. Default: now. */
  readonly timestamp?: TimeInput | null | undefined
}

/**
 * An event as a program gives it to `IngestionEvent.eventCreate`.
 *
 * @since 0.1.0
 * @category models
 */
export interface EventInput extends Omit<EventBody, "id" | "startTime"> {
  /** 1 to 800 characters. Default: a new one of 16 hex digits. */
  readonly id?: string | undefined
  /** Default: now. */
  readonly startTime?: TimeInput | null | undefined
}

/**
 * A span as a program gives it to `IngestionEvent.spanCreate`.
 *
 * @since 0.1.0
 * @category models
 */
export interface SpanInput extends EventInput {
  /** Absent while the observation is still going on. */
  readonly endTime?: TimeInput | null | undefined
}

/**
 * What a program adds to a span with `IngestionEvent.spanUpdate`. Fields that are absent stay as they are.
 *
 * @since 0.1.0
 * @category models
 */
export interface SpanUpdateInput extends Omit<SpanInput, "id" | "startTime"> {
  /** The observation to update. */
  readonly id: string
  /** Stays as it is when absent. */
  readonly startTime?: TimeInput | null | undefined
}

/**
 * A version of a prompt kept in Langfuse: both its name and its version, or neither.
 *
 * @see https://langfuse.com/docs/prompt-management/features/link-to-traces
 * @since 0.1.0
 * @category models
 */
export type PromptReference =
  | { readonly promptName: string; readonly promptVersion: number }
  | { readonly promptName?: null | undefined; readonly promptVersion?: null | undefined }

/**
 * What generations have beyond spans, as a program gives it. Parameters, counts and costs that are undefined are left
 * out.
 *
 * @since 0.1.0
 * @category models
 */
export interface ModelCallInput {
  /** When the first token arrived. */
  readonly completionStartTime?: TimeInput | null | undefined
  readonly model?: string | null | undefined
  /** Numbers are finite; write anything nested deeper than these types as JSON text. */
  readonly modelParameters?:
    | { readonly [parameter: string]: ModelParameters[string] | undefined }
    | null
    | undefined
  /** Deprecated by Langfuse: use `usageDetails` and `costDetails`. */
  readonly usage?: Usage | null | undefined
  /** Disjoint buckets with counts (integers of 0 or more), or the usage object of a provider or an SDK as it came. */
  readonly usageDetails?: UsageDetails | null | undefined
  /** US dollars by bucket, 0 or more. Without a `total` the sum of the others becomes it. */
  readonly costDetails?: { readonly [bucket: string]: number | undefined } | null | undefined
}

/**
 * A generation, or an observation like one, as a program gives it to `IngestionEvent.generationCreate` and its like.
 *
 * @since 0.1.0
 * @category models
 */
export type GenerationInput = SpanInput & ModelCallInput & PromptReference

/**
 * What a program adds to a generation with `IngestionEvent.generationUpdate`. Fields that are absent stay as they are.
 *
 * @since 0.1.0
 * @category models
 */
export type GenerationUpdateInput = SpanUpdateInput & ModelCallInput & PromptReference
