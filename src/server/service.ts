/**
 * The running server as its owner sees it: options, requests, losses, changes.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Stream from "effect/Stream"
import type { Fault } from "./fault.js"
import type { ModelPrice, Route, ScoreConfig, StoredObservation, StoredScore, StoredTrace, WriteMode } from "./model.js"

/**
 * How the embedded server presents itself.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Default `"pk-lf-local"`. */
  readonly publicKey?: string | undefined
  /** Default `"sk-lf-local"`. */
  readonly secretKey?: Redacted.Redacted | undefined
  /** What the health check says and what decides between v3 and v4. Default `"4.16.0"`. */
  readonly version?: string | undefined
  /** Default `"events_only"` from version 4 on, `"legacy"` before, as Langfuse ships. */
  readonly writeMode?: WriteMode | undefined
  /** Whether there is an OpenTelemetry endpoint; without one it answers 404. Default: from version 3.22.0 on. */
  readonly otlp?: boolean | undefined
  /** The largest body the batch endpoint takes, in bytes. Default 4,718,592 (4.5 MiB), as Langfuse has it. */
  readonly maxBodyBytes?: number | undefined
  /** Default none. */
  readonly scoreConfigs?: ReadonlyArray<ScoreConfig> | undefined
  /** What models cost. Default none: the server knows no model, and costs are those that were sent. */
  readonly prices?: ReadonlyArray<ModelPrice> | undefined
  /**
   * About how many bytes of traces to hold; when there are more, whole traces are forgotten, beginning with the one that
   * was written to longest ago. The bodies of recorded requests are held to the same number, on their own, and of
   * requests, losses, logs and accepted ids there are at most 10,000. Default unlimited.
   */
  readonly maxBytes?: number | undefined
  /** About how many bytes of one trace to hold; its oldest observations go first. Default unlimited. */
  readonly maxTraceBytes?: number | undefined
}

/**
 * What an option is when it is not given. `writeMode` and `otlp` follow `version`.
 *
 * @since 0.1.0
 * @category models
 */
export const defaults = {
  publicKey: "pk-lf-local",
  secretKey: Redacted.make("sk-lf-local"),
  version: "4.16.0",
  maxBodyBytes: 4_718_592,
  scoreConfigs: [],
  prices: [],
  maxBytes: Infinity,
  maxTraceBytes: Infinity
} as const satisfies Options

/**
 * Something a client was told had arrived and that the server nevertheless does not hold, or holds otherwise than it
 * was meant. A correct client causes none.
 *
 * @since 0.1.0
 * @category models
 */
export interface Loss {
  readonly route: Route
  /** One line for a person. */
  readonly reason: string
  /** Id of the event, the observation or the score concerned, where there is one. */
  readonly id: string | undefined
}

/**
 * What the server said about one event, span or score, and what became of it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Verdict {
  /** Id of the event's envelope, of the span, or of the score. */
  readonly id: string
  /** The event's status within the answer, otherwise that of the request. */
  readonly status: number
  /** Why it was refused, or why it is lost although the answer promised otherwise; one line without content. */
  readonly reason: string | undefined
  /** Whether the answer said that it was taken and the server does not hold it. */
  readonly isLost: boolean
}

/**
 * A request as it came, and how it was answered.
 *
 * @since 0.1.0
 * @category models
 */
export interface RecordedRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
  /** In lower case; `authorization` is redacted. */
  readonly headers: { readonly [name: string]: string }
  /**
   * The body's text, of an export inflated and of one in protobuf its JSON form. `undefined` when it was too large,
   * could not be read, or was forgotten to stay within `maxBytes`.
   */
  readonly body: string | undefined
  /** Size of the body as it was sent. */
  readonly bytes: number
  /** What was answered; `undefined` until then, and when no answer is ever given. */
  readonly status: number | undefined
  /** Envelope ids of the batch, or span ids of the export, in the order of the body. */
  readonly ids: ReadonlyArray<string>
  /** The fault that met this request. */
  readonly fault: Fault["_tag"] | undefined
  /** When its body had arrived: ISO text in milliseconds. */
  readonly receivedAt: string
  /**
   * What became of each event of a batch, each span of an export and each posted score, in the order of `ids`. Empty
   * until the request is answered, and when a fault answered in the server's place.
   */
  readonly verdicts: ReadonlyArray<Verdict>
}

/**
 * Something that happened in the server.
 *
 * `sequence` grows by one from change to change. The stream keeps the newest 4,096 for a subscriber that falls behind;
 * a gap in the numbers means that it has to read everything anew.
 *
 * @since 0.1.0
 * @category models
 */
export type Change =
  & { readonly sequence: number }
  & (
    /** A request was answered, or will never be. */
    | { readonly _tag: "Request"; readonly request: RecordedRequest }
    /** Traces of which something was written: an observation, a score, or the trace itself. */
    | { readonly _tag: "Traces"; readonly ids: ReadonlyArray<string> }
    /** Scores were written that belong to no trace. */
    | { readonly _tag: "Scores"; readonly ids: ReadonlyArray<string> }
    /** Traces were forgotten to stay within `maxBytes`. */
    | { readonly _tag: "Evicted"; readonly ids: ReadonlyArray<string> }
    /** Observations of one trace were forgotten, the oldest first, to stay within `maxTraceBytes`. */
    | { readonly _tag: "Trimmed"; readonly traceId: string; readonly observations: ReadonlyArray<string> }
    | { readonly _tag: "Loss"; readonly loss: Loss }
    /** Everything was forgotten, or the version or the write mode changed: nothing read before holds. */
    | { readonly _tag: "Reset" }
  )

/**
 * The running server: where it is, what it holds, and how to make it misbehave.
 *
 * Reads show everything the server holds. After a change of the write mode that includes what was written before it,
 * as a real server shows it once it has migrated its data.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Base URL without a slash at its end, for example `http://127.0.0.1:49152`. */
  readonly url: string
  readonly publicKey: string
  readonly secretKey: Redacted.Redacted
  /** In the order of their timestamps. A legacy trace exists only once there was a `trace-create` for it. */
  readonly traces: Effect.Effect<ReadonlyArray<StoredTrace>>
  readonly trace: (id: string) => Effect.Effect<Option.Option<StoredTrace>>
  /** In the order of their start. */
  readonly observations: Effect.Effect<ReadonlyArray<StoredObservation>>
  /** In the order of their arrival. */
  readonly scores: Effect.Effect<ReadonlyArray<StoredScore>>
  /** What `sdk-log` events carried, in the order of their arrival. */
  readonly logs: Effect.Effect<ReadonlyArray<unknown>>
  /** Every request, in the order of arrival, also while it is not answered yet. */
  readonly requests: Effect.Effect<ReadonlyArray<RecordedRequest>>
  /** Waits until the bodies of that many requests have arrived, and returns all requests. */
  readonly awaitRequests: (count: number) => Effect.Effect<ReadonlyArray<RecordedRequest>>
  /** Envelope ids the batch endpoint took, in the order of arrival, repetitions included. */
  readonly accepted: Effect.Effect<ReadonlyArray<string>>
  readonly losses: Effect.Effect<ReadonlyArray<Loss>>
  /** What happens from the subscription on. A slow subscriber never holds the server up. */
  readonly changes: Stream.Stream<Change>
  /** Adds faults to the queue. Each is used by the next request it applies to; then the server is itself again. */
  readonly script: (...faults: ReadonlyArray<Fault>) => Effect.Effect<void>
  /** A fault for every request it applies to that met none of the queue; `undefined` ends it. */
  readonly always: (fault: Fault | undefined) => Effect.Effect<void>
  readonly setWriteMode: (mode: WriteMode) => Effect.Effect<void>
  /** Upgrades or downgrades the server; the write mode becomes what that version ships with. */
  readonly setVersion: (version: string) => Effect.Effect<void>
  readonly setOtlp: (enabled: boolean) => Effect.Effect<void>
  /** Forgets everything stored and recorded, and all faults; version, write mode and OTLP become the options' again. */
  readonly reset: Effect.Effect<void>
}
