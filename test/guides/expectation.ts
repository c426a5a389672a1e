/**
 * What a program of a guide is expected to leave behind. One entry for each file in `examples/guides`.
 */
import type { LangfuseServer } from "effect-langfuse"

/**
 * An observation, and those below it. Level, and what is named here, must be what the server holds; of `metadata` it
 * may hold more. Observations with the same parent are compared in the order of their names.
 */
export interface ExpectedObservation
  extends Partial<Omit<LangfuseServer.StoredObservation, "id" | "traceId" | "parentObservationId">>
{
  readonly name: string
  readonly type: LangfuseServer.ObservationType
  /** Default: none. */
  readonly children?: ReadonlyArray<ExpectedObservation> | undefined
}

/** A score, of which what is named here must be what the server holds. */
export interface ExpectedScore extends Partial<Omit<LangfuseServer.StoredScore, "traceId" | "observationId">> {
  readonly name: string
  /** Name of the observation it belongs to; `undefined` when it belongs to a trace, a session or a dataset run. */
  readonly observation?: string | undefined
}

/**
 * A trace. User, session and tags must be those named here, or none; of the other fields only those that are named are
 * compared.
 */
export interface ExpectedTrace
  extends Partial<Omit<LangfuseServer.StoredTrace, "id" | "observations" | "scores" | "timestamp">>
{
  readonly name: string | undefined
  /** Those at the top. */
  readonly observations: ReadonlyArray<ExpectedObservation>
  /** Default: none. */
  readonly scores?: ReadonlyArray<ExpectedScore> | undefined
}

/** How a program ended, and what its server then had. */
export interface Run {
  readonly stdout: string
  readonly stderr: string
  readonly traces: ReadonlyArray<LangfuseServer.StoredTrace>
  readonly scores: ReadonlyArray<LangfuseServer.StoredScore>
  readonly requests: ReadonlyArray<LangfuseServer.RecordedRequest>
}

/** A run ends with exit code 0, and leaves this. */
export interface Expectation {
  /** Compared in the order of their names. A program that sends nothing has `[]`. */
  readonly traces: ReadonlyArray<ExpectedTrace>
  /** Those of no trace: of sessions and dataset runs. Default: none. */
  readonly scores?: ReadonlyArray<ExpectedScore> | undefined
  /** Found in the standard output. Default: anything may be there but warnings and errors. */
  readonly prints?: ReadonlyArray<RegExp> | undefined
  /** Each line with a warning or an error in the output is one of these, and each of these is there. Default: none. */
  readonly warns?: ReadonlyArray<RegExp> | undefined
  /** Statuses from 300 on that the server answered with, in their order. Default: none. */
  readonly refusals?: ReadonlyArray<number> | undefined
  /** Further variables. `LANGFUSE_PUBLIC_KEY`, `LANGFUSE_SECRET_KEY` and `LANGFUSE_BASE_URL` name the embedded server. */
  readonly env?: { readonly [name: string]: string } | undefined
  /** The embedded server, which every run has for itself. Default: a v4 server. */
  readonly server?: Omit<LangfuseServer.Options, "publicKey" | "secretKey"> | undefined
  /** Faults the server has from the beginning, each for one request. Default: none. */
  readonly faults?: ReadonlyArray<LangfuseServer.Fault> | undefined
  /** What stands in for a provider of models answers, one JSON body a request. Its address is in `OPENAI_API_URL`. */
  readonly provider?: ReadonlyArray<unknown> | undefined
  /** A program that is run before it, against the same server, and what this one's arguments are after that. */
  readonly after?: { readonly program: string; readonly args: (before: Run) => ReadonlyArray<string> } | undefined
  /** Whatever else is to be looked at. */
  readonly check?: ((run: Run) => void) | undefined
}

/** By the name of the program: `examples/guides/<name>.ts`. */
export interface Expectations {
  readonly [program: string]: Expectation
}
