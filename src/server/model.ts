/**
 * What the embedded server holds and is set up with: observations, scores, traces, score configs, prices.
 *
 * @since 0.1.0
 */

/**
 * What a Langfuse server does with traces and observations, its `LANGFUSE_MIGRATION_V4_WRITE_MODE`:
 *
 * - `"legacy"`: everything goes into the tables of v3.
 * - `"dual"`: into both these and the events table of v4.
 * - `"events_only"`: the batch endpoint refuses traces and observations one by one; OpenTelemetry and scores are taken.
 *
 * See the [upgrade guide](https://langfuse.com/self-hosting/upgrade/upgrade-guides/upgrade-v3-to-v4).
 *
 * @since 0.1.0
 * @category models
 */
export type WriteMode = "legacy" | "dual" | "events_only"

/**
 * A [score config](https://langfuse.com/docs/evaluation/evaluation-methods/custom-scores) the server knows. A score
 * that names another config, or does not fit the one it names, is accepted and then lost.
 *
 * @since 0.1.0
 * @category models
 */
export interface ScoreConfig {
  readonly id: string
  /** Takes the place of the score's own name. */
  readonly name: string
  readonly dataType: "NUMERIC" | "BOOLEAN" | "CATEGORICAL"
  readonly minValue?: number | undefined
  readonly maxValue?: number | undefined
  readonly categories?: ReadonlyArray<{ readonly label: string; readonly value: number }> | undefined
  readonly isArchived?: boolean | undefined
}

/**
 * What a model costs, in the shape of the entries of Langfuse's own
 * [price file](https://github.com/langfuse/langfuse/blob/main/worker/src/constants/default-model-prices.json).
 *
 * @since 0.1.0
 * @category models
 */
export interface ModelPrice {
  readonly id: string
  readonly modelName: string
  /** A regular expression over the model's name; it may begin with `(?i)`. */
  readonly matchPattern: string
  readonly pricingTiers: ReadonlyArray<PricingTier>
}

/**
 * The prices of a model under certain conditions. The default tier applies when no other does.
 *
 * @since 0.1.0
 * @category models
 */
export interface PricingTier {
  readonly name: string
  readonly isDefault: boolean
  /** Tiers are tried from the lowest. */
  readonly priority: number
  readonly conditions: ReadonlyArray<PriceCondition>
  /** US dollars for one unit of each usage bucket. */
  readonly prices: { readonly [bucket: string]: number }
}

/**
 * When a pricing tier applies: all of its conditions have to hold.
 *
 * A condition on usage compares the sum of the buckets whose names match `usageDetailPattern`. One on the model's
 * parameters or the metadata compares the value under `key`.
 *
 * @since 0.1.0
 * @category models
 */
export type PriceCondition =
  | {
    readonly source?: undefined
    readonly usageDetailPattern: string
    readonly operator: "gt" | "gte" | "lt" | "lte" | "eq" | "neq"
    readonly value: number
    readonly caseSensitive?: boolean | undefined
  }
  | {
    readonly source: "model_parameters" | "metadata"
    readonly key: string
    readonly operator: "in"
    readonly values: ReadonlyArray<string>
  }

/**
 * What kind of work an observation is, spelled as Langfuse's own API gives it back.
 *
 * @since 0.1.0
 * @category models
 */
export type ObservationType =
  | "SPAN"
  | "GENERATION"
  | "EVENT"
  | "AGENT"
  | "TOOL"
  | "CHAIN"
  | "RETRIEVER"
  | "EVALUATOR"
  | "EMBEDDING"
  | "GUARDRAIL"

/**
 * An observation as the server holds it. Times are ISO text in milliseconds.
 *
 * The server keeps `input`, `output` and the values of `metadata` as text. They are given back the way its API gives
 * them back: text that is JSON as the value it stands for, any other text as it is.
 *
 * @since 0.1.0
 * @category models
 */
export interface StoredObservation {
  /** `"observations"` is the table of v3 and of the write mode `legacy`, `"events"` that of v4. */
  readonly table: "observations" | "events"
  readonly id: string
  readonly traceId: string
  readonly parentObservationId: string | undefined
  readonly type: ObservationType
  readonly name: string | undefined
  readonly startTime: string
  readonly endTime: string | undefined
  readonly completionStartTime: string | undefined
  readonly level: "DEBUG" | "DEFAULT" | "WARNING" | "ERROR"
  readonly statusMessage: string | undefined
  readonly model: string | undefined
  readonly modelParameters: { readonly [name: string]: unknown } | undefined
  /** Empty when no usage was given. Otherwise it has a `total`, if need be the sum of all other buckets. */
  readonly usageDetails: { readonly [bucket: string]: number }
  /** The costs as given: over OpenTelemetry the server checks nothing, so a value can be of any kind. */
  readonly costDetails: { readonly [bucket: string]: unknown }
  readonly totalCost: number | undefined
  /** Id of the entry of the price table that matched the model. */
  readonly internalModelId: string | undefined
  readonly promptName: string | undefined
  readonly promptVersion: number | undefined
  readonly input: unknown
  readonly output: unknown
  /** Nested in the table `observations`; flat with dotted keys in `events`, where it also has what the span brought. */
  readonly metadata: { readonly [key: string]: unknown }
  /** Descriptions and parameters of the tools the model was offered, as JSON text by name. */
  readonly toolDefinitions: { readonly [name: string]: string }
  /** The calls the model asked for, as JSON text. */
  readonly toolCalls: ReadonlyArray<string>
  readonly environment: string
  readonly version: string | undefined
  /** This and the fields below are those of the trace, which rows of `events` repeat; nothing in `observations`. */
  readonly release: string | undefined
  readonly userId: string | undefined
  readonly sessionId: string | undefined
  readonly tags: ReadonlyArray<string>
  readonly traceName: string | undefined
  readonly public: boolean
  readonly isAppRoot: boolean
}

/**
 * A score as the server holds it.
 *
 * @since 0.1.0
 * @category models
 */
export interface StoredScore {
  readonly id: string
  readonly name: string
  readonly dataType: "NUMERIC" | "BOOLEAN" | "CATEGORICAL" | "TEXT" | "CORRECTION"
  /** Of a numeric or boolean score, and of a categorical one whose config gives its categories numbers. */
  readonly value: number | undefined
  /** Of any other; also `"True"` or `"False"` of a boolean one. */
  readonly stringValue: string | undefined
  /** The text of a correction. */
  readonly longStringValue: string | undefined
  readonly traceId: string | undefined
  readonly sessionId: string | undefined
  readonly datasetRunId: string | undefined
  readonly observationId: string | undefined
  readonly comment: string | undefined
  readonly source: "API" | "EVAL" | "ANNOTATION"
  readonly configId: string | undefined
  readonly queueId: string | undefined
  readonly executionTraceId: string | undefined
  readonly metadata: { readonly [key: string]: unknown }
  readonly environment: string
  readonly timestamp: string
}

/**
 * A trace as the server shows it: in `legacy` what its `trace-create` events made of it, in the modes of v4 what its
 * spans say together.
 *
 * @since 0.1.0
 * @category models
 */
export interface StoredTrace {
  readonly id: string
  readonly name: string | undefined
  readonly userId: string | undefined
  readonly sessionId: string | undefined
  readonly tags: ReadonlyArray<string>
  readonly metadata: { readonly [key: string]: unknown }
  readonly input: unknown
  readonly output: unknown
  readonly release: string | undefined
  readonly version: string | undefined
  readonly environment: string
  readonly public: boolean
  readonly timestamp: string
  /** The sum over its observations, `undefined` when none of them has a cost. */
  readonly totalCost: number | undefined
  /** In the order of their start, those of the same millisecond in the order of their arrival. */
  readonly observations: ReadonlyArray<StoredObservation>
  /** In the order of their arrival. */
  readonly scores: ReadonlyArray<StoredScore>
}

/**
 * A group of paths to which a fault can be restricted.
 *
 * @since 0.1.0
 * @category models
 */
export type Route = "ingestion" | "otlp" | "scores" | "health"
