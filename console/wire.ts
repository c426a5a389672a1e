/**
 * What the pages are told: the types both sides of the console share.
 */
import type { ObservationType } from "../src/server/model.js"

export type Level = "DEBUG" | "DEFAULT" | "WARNING" | "ERROR"

export type { ObservationType }

/** One line of the list of traces. */
export interface TraceSummary {
  readonly id: string
  readonly name: string | undefined
  readonly timestamp: string
  readonly userId: string | undefined
  readonly sessionId: string | undefined
  readonly tags: ReadonlyArray<string>
  readonly environment: string
  readonly release: string | undefined
  readonly version: string | undefined
  readonly public: boolean
  /** Milliseconds from the first start to the last end. */
  readonly duration: number | undefined
  readonly observations: number
  readonly generations: number
  readonly tools: number
  readonly errors: number
  readonly warnings: number
  /** Observations without an end. */
  readonly open: number
  readonly tokens: number | undefined
  readonly cost: number | undefined
  readonly scores: number
  readonly models: ReadonlyArray<string>
  /** The beginning of what was asked. */
  readonly preview: string | undefined
  /** When it last changed, in the order of all changes. */
  readonly revision: number
}

/** What a line of the tree and the whole observation both say. */
interface Shared {
  readonly id: string
  readonly traceId: string
  readonly parentObservationId: string | null
  readonly type: ObservationType
  readonly name: string | null
  readonly startTime: string
  readonly endTime: string | null
  readonly completionStartTime: string | null
  readonly level: Level
  readonly statusMessage: string | null
  readonly model: string | null
  readonly totalCost: number | null
}

/** An observation without its contents, under the names of Langfuse's API. */
export interface Row extends Shared {
  readonly tokens: number | null
  /** A span of another library: no content, no model, nothing said for Langfuse. */
  readonly isPlain: boolean
  readonly revision: number
}

/** An observation whole, as Langfuse's API shows it; `input` and `output` are text, of JSON where they were JSON. */
export interface Observation extends Shared {
  readonly version: string | null
  readonly release: string | null
  readonly environment: string
  readonly userId: string | null
  readonly sessionId: string | null
  readonly tags: ReadonlyArray<string>
  readonly traceName: string | null
  readonly modelParameters: { readonly [name: string]: unknown } | null
  readonly usageDetails: { readonly [bucket: string]: number }
  readonly costDetails: { readonly [bucket: string]: unknown }
  readonly promptName: string | null
  readonly promptVersion: number | null
  readonly input: string | null
  readonly output: string | null
  readonly metadata: { readonly [key: string]: unknown }
  /** Seconds. */
  readonly latency: number | null
  /** Seconds. */
  readonly timeToFirstToken: number | null
}

/** A score as `GET /api/public/v3/scores` shows it. */
export interface Score {
  readonly id: string
  readonly name: string
  readonly dataType: "NUMERIC" | "BOOLEAN" | "CATEGORICAL" | "TEXT" | "CORRECTION"
  readonly value: number | string | boolean
  readonly source: "API" | "EVAL" | "ANNOTATION"
  readonly timestamp: string
  readonly environment: string
  readonly comment?: string | null
  readonly metadata?: { readonly [key: string]: unknown }
  readonly subject?:
    | { readonly kind: "trace" | "session" | "experiment"; readonly id: string }
    | { readonly kind: "observation"; readonly id: string; readonly traceId?: string }
}

/** `GET /console/api/traces/ID`: what changed of a trace since a revision. */
export interface TraceChanges {
  readonly revision: number
  readonly summary: TraceSummary
  readonly metadata: { readonly [key: string]: unknown }
  /** The rows that changed since then. */
  readonly rows: ReadonlyArray<Row>
  /** How many rows there are: with another number, the page reads all of them. */
  readonly count: number
  readonly scores: ReadonlyArray<Score>
}

/** What a request came to. */
export interface RequestLine {
  readonly number: number
  /** Epoch milliseconds. */
  readonly at: number
  readonly method: string
  readonly path: string
  readonly protocol: "batch" | "otlp json" | "otlp protobuf" | "score" | "health" | "other"
  readonly client: string | undefined
  readonly gzip: boolean
  readonly bytes: number
  /** Events or spans it carried. */
  readonly items: number
  /** `undefined` while it is not answered, and when it never is. */
  readonly status: number | undefined
  /** Milliseconds until the answer. */
  readonly took: number | undefined
  readonly fault: string | undefined
  readonly refused: ReadonlyArray<Refusal>
  readonly losses: ReadonlyArray<LossLine>
  /** What a real Langfuse would have done with it otherwise. */
  readonly notes: ReadonlyArray<string>
}

export interface Refusal {
  readonly id: string | undefined
  readonly status: number
  readonly reason: string
}

export interface LossLine {
  readonly id: string | undefined
  readonly reason: string
}

/** The ways to misbehave that the delivery page offers. */
export const faults = ["none", "rate limit", "error", "hang", "slow", "cut"] as const

export type FaultName = (typeof faults)[number]

/** Numbers about everything that is held. */
export interface Status {
  readonly version: string
  readonly url: string
  readonly fault: FaultName
  readonly traces: number
  readonly observations: number
  readonly requests: number
  readonly refused: number
  readonly losses: number
  /** The most bytes that are held, in all. */
  readonly maxBytes: number
  /** Traces that had to go since the start. */
  readonly evicted: number
  readonly file: string | undefined
}

/** One message of the event stream. */
export interface Update {
  readonly revision: number
  /** Traces that changed, without any that are gone. */
  readonly traces: ReadonlyArray<TraceSummary>
  readonly removed: ReadonlyArray<string>
  /** All traces are in `traces`: forget what was known before. */
  readonly all: boolean
  readonly status: Status
}

/** `GET /console/api/requests` */
export interface Requests {
  /** The newest last. */
  readonly requests: ReadonlyArray<RequestLine>
  readonly total: number
}

/** What a search found. */
export interface Found {
  /** Ids of traces. */
  readonly traces: ReadonlyArray<string>
  /** Whether everything was looked through in the time there is. */
  readonly complete: boolean
}
