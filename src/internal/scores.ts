/**
 * Scores: what a person, a rule or a model thinks of a trace, an observation, a session or a dataset run.
 *
 * A score has a value of one of five types and exactly one target, and both are unions here, so that a combination
 * Langfuse would refuse does not compile. Two things it finds out only later, after it has accepted the score, and then
 * drops the score without a word: a `configId` that is unknown or archived, and a value outside of what its config
 * allows.
 *
 * @since 0.1.0
 */

/**
 * An id that is not there. Langfuse takes an empty text for absent as well.
 *
 * @since 0.1.0
 * @category models
 */
export type NoTarget = "" | null | undefined

/**
 * A score of a trace, or of one observation in it. Langfuse does not check that they exist.
 *
 * @since 0.1.0
 * @category models
 */
export interface TraceTarget {
  readonly traceId: string
  readonly observationId?: string | null | undefined
  readonly sessionId?: NoTarget
  readonly datasetRunId?: NoTarget
}

/**
 * A score of a whole session.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionTarget {
  readonly sessionId: string
  readonly traceId?: NoTarget
  readonly observationId?: NoTarget
  readonly datasetRunId?: NoTarget
}

/**
 * A score of a dataset run, which is what an experiment leaves behind.
 *
 * @since 0.1.0
 * @category models
 */
export interface DatasetRunTarget {
  readonly datasetRunId: string
  readonly traceId?: NoTarget
  readonly observationId?: NoTarget
  readonly sessionId?: NoTarget
}

/**
 * Exactly one of the three.
 *
 * @since 0.1.0
 * @category models
 */
export type ScoreTarget = TraceTarget | SessionTarget | DatasetRunTarget

/**
 * Where a score comes from. A person's annotation belongs to a score config: without one Langfuse drops it.
 *
 * @since 0.1.0
 * @category models
 */
export type ScoreOrigin =
  | {
    /** Default: `"API"`. */
    readonly source?: "API" | "EVAL" | undefined
    /** The score config to check the value against, and to take the name from. */
    readonly configId?: string | null | undefined
  }
  | { readonly source: "ANNOTATION"; readonly configId: string }

/**
 * What every score has. Its time is the time of the event that carries it.
 *
 * @since 0.1.0
 * @category models
 */
export interface ScoreDetails {
  /** 1 to 800 characters. A second score with the same id replaces the first. Langfuse stores nothing without it. */
  readonly id: string
  /** At least one character. */
  readonly name: string
  readonly comment?: string | null | undefined
  /** 1 to 40 of `a-z`, `0-9`, `-`, `_`, not starting with `langfuse`. Absent means `"default"`. The first one a score gets stays. */
  readonly environment?: string | null | undefined
  /** Any JSON. */
  readonly metadata?: unknown
  /** The annotation queue the score was given in. */
  readonly queueId?: string | null | undefined
  /** The trace of the evaluation itself. */
  readonly executionTraceId?: string | null | undefined
}

/**
 * A value with its type. Without a type a number is `NUMERIC` and a text `CATEGORICAL`, or whatever the config says.
 *
 * @since 0.1.0
 * @category models
 */
export type ScoreValue =
  | { readonly dataType?: undefined; readonly value: string | number }
  | { readonly dataType: "NUMERIC"; readonly value: number }
  | { readonly dataType: "BOOLEAN"; readonly value: 0 | 1 }
  | { readonly dataType: "CATEGORICAL"; readonly value: string }
  /** 1 to 500 characters. */
  | { readonly dataType: "TEXT"; readonly value: string }

/**
 * A correction says what the output should have been. Langfuse calls it `output` whatever its name is.
 *
 * @since 0.1.0
 * @category models
 */
export interface Correction {
  readonly dataType: "CORRECTION"
  readonly value: string
  readonly source?: "API" | "EVAL" | "ANNOTATION" | undefined
  readonly configId?: null | undefined
}

/**
 * The body of a `score-create`.
 *
 * @see https://langfuse.com/docs/evaluation/evaluation-methods/custom-scores
 * @since 0.1.0
 * @category models
 */
export type ScoreBody =
  | (ScoreDetails & ScoreValue & ScoreOrigin & ScoreTarget)
  | (ScoreDetails & Correction & TraceTarget)

/**
 * A value with its type, as a program gives it: `BOOLEAN` takes a boolean too.
 *
 * @since 0.1.0
 * @category models
 */
export type ScoreValueInput =
  | Exclude<ScoreValue, { readonly dataType: "BOOLEAN" }>
  | { readonly dataType: "BOOLEAN"; readonly value: 0 | 1 | boolean }

/**
 * What a score has beside its value and what it belongs to, as a program gives it.
 *
 * @since 0.1.0
 * @category models
 */
export interface ScoreDetailsInput extends Omit<ScoreDetails, "id" | "name"> {
  /** 1 to 800 characters. Default: a new UUID. */
  readonly id?: string | undefined
}

/**
 * A score as a program gives it: a named value of a trace, an observation, a session or a dataset run, or the correction
 * of an output.
 *
 * @since 0.1.0
 * @category models
 */
export type ScoreInput =
  | (ScoreDetailsInput & { readonly name: string } & ScoreValueInput & ScoreOrigin & ScoreTarget)
  | (ScoreDetailsInput & { readonly name?: "output" | undefined } & Correction & TraceTarget)
