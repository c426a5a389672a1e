/**
 * What depends on the version of Langfuse, each with the release that brought it.
 */

export interface Dialect {
  /** From 4.0.0 on there is the events table, and the write mode `events_only` is the default. */
  readonly isV4: boolean
  /** `agent-create` to `guardrail-create`: 3.98.2. */
  readonly hasAgentTypes: boolean
  /** Scores with text: 3.165.0. */
  readonly hasTextScores: boolean
  /** Corrections: 3.143.0. */
  readonly hasCorrections: boolean
  /** Scores on sessions and dataset runs: 3.55.0. Before it a score needs a trace. */
  readonly hasScoreTargets: boolean
  /** The validator of today, with other words for what is wrong: 3.69.0. */
  readonly hasNewIssues: boolean
  /** ANNOTATION scores without a config are dropped: 3.171.0. */
  readonly checksAnnotations: boolean
  /**
   * None before 3.31.0; a name that does not fit is refused before 3.161.0, then it is changed until it fits, in 4.0.0
   * until no reserved prefix is left.
   */
  readonly environments: "none" | "refused" | "once" | "repeated"
  /** `usageDetails` and `costDetails`: none before 3.2.0, refused when they do not fit before 3.138.0. */
  readonly details: "none" | "refused" | "filtered"
  /** Texts of digits are counts: 3.147.0. */
  readonly readsTextCounts: boolean
  /** Limits of ids: 3.38.0. */
  readonly limitsIds: boolean
  /** Limit of a trace's name: 3.0.0. */
  readonly limitsTraceNames: boolean
  /** The OpenTelemetry endpoint: none before 3.22.0, at once before 3.108.0, later through a queue. */
  readonly otlp: "none" | "at-once" | "queued"
  /** Refuses an unknown `x-langfuse-ingestion-version`: 3.154.0. */
  readonly checksIngestionVersion: boolean
  /** Refuses an export with ids or lists that are none, instead of losing it: 4.4.0. */
  readonly checksExports: boolean
  /** Levels over OpenTelemetry in any spelling: 4.0.0. */
  readonly hasLevelAliases: boolean
  /** Usage and cost count without a model over OpenTelemetry: 4.4.0. */
  readonly countsWithoutModel: boolean
  /** Splits reasoning and audio tokens off, reads the blobs of Google's agents, bounds rebuilt lists: 4.7.0. */
  readonly splitsOutputTokens: boolean
  /** Vercel's service tier, and Langfuse's own parameters over Vercel's: 4.13.0. */
  readonly hasServiceTier: boolean
  /** `llm.invocation_parameters.<name>`: 4.14.0. */
  readonly readsInvocationParameters: boolean
}

const numbersOf = (version: string): ReadonlyArray<number> =>
  version.split(/[.-]/, 3).map((part) => Number.parseInt(part, 10) || 0)

const isAtLeast = (version: string, least: string): boolean => {
  const [given, wanted] = [numbersOf(version), numbersOf(least)]
  for (const [index, number] of wanted.entries()) {
    const own = given[index] ?? 0
    if (own !== number) return own > number
  }
  return true
}

export const dialectOf = (version: string): Dialect => {
  const since = (least: string) => isAtLeast(version, least)
  return {
    isV4: since("4.0.0"),
    hasAgentTypes: since("3.98.2"),
    hasTextScores: since("3.165.0"),
    hasCorrections: since("3.143.0"),
    hasScoreTargets: since("3.55.0"),
    hasNewIssues: since("3.69.0"),
    checksAnnotations: since("3.171.0"),
    environments: since("4.0.0") ? "repeated" : since("3.161.0") ? "once" : since("3.31.0") ? "refused" : "none",
    details: since("3.138.0") ? "filtered" : since("3.2.0") ? "refused" : "none",
    readsTextCounts: since("3.147.0"),
    limitsIds: since("3.38.0"),
    limitsTraceNames: since("3.0.0"),
    otlp: since("3.108.0") ? "queued" : since("3.22.0") ? "at-once" : "none",
    checksIngestionVersion: since("3.154.0"),
    checksExports: since("4.4.0"),
    hasLevelAliases: since("4.0.0"),
    countsWithoutModel: since("4.4.0"),
    splitsOutputTokens: since("4.7.0"),
    hasServiceTier: since("4.13.0"),
    readsInvocationParameters: since("4.14.0")
  }
}
