/**
 * What the harness and a subject agree on: one small interface in front of every way to get an event to Langfuse.
 */
import type { Work } from "./workload.js"

/** Where and how a subject sends. What is absent is the subject's own default. */
export interface Settings {
  /** Of the server, with a path. */
  readonly baseUrl: string
  /** Events in a request. */
  readonly batch?: number | undefined
  /** Milliseconds. */
  readonly interval?: number | undefined
  /** Events that may wait. */
  readonly capacity?: number | undefined
  /** Milliseconds a close may take at most, where that is an option: a burst takes longer than a program would wait. */
  readonly patience?: number | undefined
  /** Whose HTTP client, where that is a choice: Node's own, or the one of `fetch`. Default `"undici"`. */
  readonly client?: "undici" | "fetch" | undefined
}

export interface Instance {
  /** The work of the program that is watched: each piece is recorded as one generation. All within one turn. */
  readonly record: (works: ReadonlyArray<Work>) => void
  /** Where a subject prepares what others make while they record. */
  readonly prepare?: ((works: ReadonlyArray<Work>) => void) | undefined
  /** The documented way to get out what waits, where there is one. */
  readonly flush?: (() => Promise<unknown>) | undefined
  /** The documented end of a program. */
  readonly close: () => Promise<unknown>
}

export interface Subject {
  readonly open: (settings: Settings) => Promise<Instance>
  /** How long after a flush events may still come, in milliseconds: 0 for one that waits for all of them. */
  readonly lag: (settings: Settings) => number
}

export const credentials = { publicKey: "pk-lf-bench", secretKey: "sk-lf-bench" }

export const authorization = `Basic ${
  Buffer.from(`${credentials.publicKey}:${credentials.secretKey}`).toString("base64")
}`

/** What a user who knows Langfuse's documentation sets on a span of OpenTelemetry. */
export const attributesOf = (work: Work) => ({
  "langfuse.observation.type": "generation",
  "langfuse.observation.model.name": work.model,
  "langfuse.observation.input": JSON.stringify(work.input),
  "langfuse.observation.output": JSON.stringify(work.output),
  "langfuse.observation.usage_details": JSON.stringify(work.usage),
  "langfuse.observation.metadata.attempt": 1
})
