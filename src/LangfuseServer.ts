/**
 * An embedded Langfuse endpoint for demos, tests and local work: it takes what a real Langfuse takes, refuses what a
 * real one refuses, and shows what it would have stored.
 *
 * It speaks the [ingestion API](https://api.reference.langfuse.com/#tag/ingestion), `POST /api/public/scores`, the
 * [OpenTelemetry endpoint](https://langfuse.com/integrations/native/opentelemetry) and the health check, as a v3 or as
 * a v4 server, over whatever `HttpServer` it is given. It keeps everything in memory and has no user interface.
 *
 * A real server answers first and stores later; here what an answer promises can be read back at once. What a real
 * server would lose without a word after a successful answer is lost here too, and told by `losses`.
 *
 * With `Fault`s it misbehaves as scripted: statuses, delays, hangs, resets, foreign and broken answers.
 *
 * @example
 * ```ts
 * import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import { createServer } from "node:http"
 * import { LangfuseServer } from "effect-langfuse"
 *
 * const Server = LangfuseServer.layer().pipe(
 *   Layer.provide(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))
 * )
 *
 * const program = Effect.gen(function*() {
 *   const server = yield* LangfuseServer.LangfuseServer
 *   yield* Effect.log(server.url)
 *   // … send something to it …
 *   return yield* server.traces
 * })
 *
 * export const main = Effect.provide(program, Server)
 * ```
 *
 * @since 0.1.0
 */
import * as HttpServer from "@effect/platform/HttpServer"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as internal from "./internal/server/server.js"

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
  /** Whether there is an OpenTelemetry endpoint; `false` is a server too old to have one, which answers 404. Default `true`. */
  readonly otlp?: boolean | undefined
  /** The largest body the batch endpoint takes, in bytes. Default 4,718,592 (4.5 MiB), as Langfuse has it. */
  readonly maxBodyBytes?: number | undefined
  /** Default none. */
  readonly scoreConfigs?: ReadonlyArray<ScoreConfig> | undefined
}

/**
 * What an option is when it is not given. `writeMode` follows `version`.
 *
 * @since 0.1.0
 * @category models
 */
export const defaults = {
  publicKey: "pk-lf-local",
  secretKey: Redacted.make("sk-lf-local"),
  version: "4.16.0",
  otlp: true,
  maxBodyBytes: 4_718_592,
  scoreConfigs: []
} as const satisfies Options

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
  readonly promptName: string | undefined
  readonly promptVersion: number | undefined
  readonly input: unknown
  readonly output: unknown
  /** Nested in the table `observations`; flat with dotted keys in `events`, where it also has what the span brought. */
  readonly metadata: { readonly [key: string]: unknown }
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
   * The body's text, of an export inflated and of one in protobuf its JSON form. `undefined` when it was too large or
   * could not be read.
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
}

/**
 * A group of paths to which a fault can be restricted.
 *
 * @since 0.1.0
 * @category models
 */
export type Route = "ingestion" | "otlp" | "scores" | "health"

/**
 * A way to misbehave, for one request. `stored` says whether what the request carries is stored all the same: `true`
 * with an answer that does not say so is the case "accepted, but the answer was lost".
 *
 * Durations are measured with the `Clock` of the place where the layer is built.
 *
 * @since 0.1.0
 * @category models
 */
export type Fault =
  | Fault.Respond
  | Fault.Delay
  | Fault.Hang
  | Fault.Drip
  | Fault.Reset
  | Fault.Truncate
  | Fault.Rewrite
  | Fault.Reject

/**
 * The faults by their kind.
 *
 * @since 0.1.0
 * @category models
 */
export declare namespace Fault {
  /**
   * Which requests a fault is for.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Target {
    /** Only requests to this route meet the fault. Default: any request, the health check included. */
    readonly route?: Route | undefined
  }

  /**
   * An answer instead of the server's own.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Respond extends Target {
    readonly _tag: "Respond"
    readonly status: number
    readonly headers: { readonly [name: string]: string }
    readonly body: string
    readonly stored: boolean
  }

  /**
   * The server's own answer, late.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Delay extends Target {
    readonly _tag: "Delay"
    readonly duration: Duration.DurationInput
    /** `"before"` waits and then stores, even when the client has gone meanwhile; `"after"` stores and then waits. */
    readonly when: "before" | "after"
    readonly stored: true
  }

  /**
   * No answer, not even headers, until the client gives up or the server closes.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Hang extends Target {
    readonly _tag: "Hang"
    readonly stored: boolean
  }

  /**
   * The server's own answer: its headers at once, its body in small pieces.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Drip extends Target {
    readonly _tag: "Drip"
    readonly bytes: number
    readonly interval: Duration.DurationInput
    readonly stored: true
  }

  /**
   * The connection is cut: `"before"` anything is stored, `"after"` everything is, or in the middle of the answer's
   * `"body"`, when everything is as well.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Reset extends Target {
    readonly _tag: "Reset"
    readonly when: "before" | "after" | "body"
    readonly stored: boolean
  }

  /**
   * A complete answer with half of the server's own body.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Truncate extends Target {
    readonly _tag: "Truncate"
    readonly stored: true
  }

  /**
   * The server's own answer with another body.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Rewrite extends Target {
    readonly _tag: "Rewrite"
    readonly rewrite: (body: string) => string
    readonly stored: true
  }

  /**
   * Some events of a batch are refused one by one. They are not stored, the others are processed as ever.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Reject extends Target {
    readonly _tag: "Reject"
    readonly route: "ingestion"
    readonly which: ReadonlyArray<number> | ((event: unknown, index: number) => boolean)
    readonly status: number
    readonly message: string
    readonly error: string | undefined
    readonly stored: "others"
  }
}

const jsonHeaders = { "content-type": "application/json; charset=utf-8" }

/**
 * Constructors of faults.
 *
 * @since 0.1.0
 * @category constructors
 */
export const Fault = {
  /** Any answer. Nothing is stored unless `stored` is `true`. */
  respond: (options: {
    readonly status: number
    readonly headers?: { readonly [name: string]: string } | undefined
    readonly body?: string | undefined
    readonly stored?: boolean | undefined
    readonly route?: Route | undefined
  }): Fault.Respond => ({
    _tag: "Respond",
    status: options.status,
    headers: options.headers ?? {},
    body: options.body ?? "",
    stored: options.stored ?? false,
    route: options.route
  }),

  /** A status with a small JSON body. Nothing is stored unless `stored` is `true`. */
  status: (
    status: number,
    options: Fault.Target & { readonly stored?: boolean | undefined } = {}
  ): Fault.Respond =>
    Fault.respond({ ...options, status, headers: jsonHeaders, body: JSON.stringify({ message: `Status ${status}` }) }),

  /**
   * Langfuse Cloud's 429. `retryAfter` is in whole seconds, or any text for the header. Nothing is stored.
   */
  rateLimited: (retryAfter: number | string, options: Fault.Target = {}): Fault.Respond =>
    Fault.respond({
      ...options,
      status: 429,
      headers: {
        ...jsonHeaders,
        "retry-after": String(retryAfter),
        "x-ratelimit-limit": "1000",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "Thu Jan 01 2026 00:00:00 GMT+0000 (Coordinated Universal Time)"
      },
      body: JSON.stringify({
        message: "Rate limit exceeded",
        code: "rate_limited",
        details: {
          retryAfterSeconds: typeof retryAfter === "number" ? retryAfter : 1,
          limit: 1000,
          remaining: 0,
          resetAt: "2026-01-01T00:00:00.000Z"
        }
      })
    }),

  /** Langfuse Cloud's 403 for a project over its usage limit. Nothing is stored. */
  suspended: (options: Fault.Target = {}): Fault.Respond =>
    Fault.respond({
      ...options,
      status: 403,
      headers: jsonHeaders,
      body: JSON.stringify({
        error: "ForbiddenError",
        message: "Ingestion suspended: Usage threshold exceeded. Please upgrade your plan."
      })
    }),

  /** 200 with an HTML page, as of a wrong host. Nothing is stored. */
  html: (options: Fault.Target = {}): Fault.Respond =>
    Fault.respond({
      ...options,
      status: 200,
      headers: { "content-type": "text/html; charset=utf-8" },
      body: "<!DOCTYPE html><html><head><title>Welcome</title></head><body>It works!</body></html>"
    }),

  /** 200 without a body. Nothing is stored unless `stored` is `true`. */
  empty: (options: Fault.Target & { readonly stored?: boolean | undefined } = {}): Fault.Respond =>
    Fault.respond({ ...options, status: 200 }),

  /** A late answer; everything is stored. By default the wait comes after storing. */
  delay: (
    duration: Duration.DurationInput,
    options: Fault.Target & { readonly when?: "before" | "after" | undefined } = {}
  ): Fault.Delay => ({ _tag: "Delay", duration, when: options.when ?? "after", stored: true, route: options.route }),

  /** No answer at all. Nothing is stored unless `stored` is `true`. */
  hang: (options: Fault.Target & { readonly stored?: boolean | undefined } = {}): Fault.Hang => ({
    _tag: "Hang",
    stored: options.stored ?? false,
    route: options.route
  }),

  /** A body in pieces of `bytes` (default 1), one each `interval`. Everything is stored. */
  drip: (
    interval: Duration.DurationInput,
    options: Fault.Target & { readonly bytes?: number | undefined } = {}
  ): Fault.Drip => ({ _tag: "Drip", interval, bytes: options.bytes ?? 1, stored: true, route: options.route }),

  /** A cut connection. Nothing is stored when it is cut `"before"`, everything otherwise. */
  reset: (when: "before" | "after" | "body", options: Fault.Target = {}): Fault.Reset => ({
    _tag: "Reset",
    when,
    stored: when !== "before",
    route: options.route
  }),

  /** A JSON body that ends in the middle. Everything is stored. */
  truncate: (options: Fault.Target = {}): Fault.Truncate => ({
    _tag: "Truncate",
    stored: true,
    route: options.route
  }),

  /** The server's own answer with another body. Everything is stored. */
  rewrite: (rewrite: (body: string) => string, options: Fault.Target = {}): Fault.Rewrite => ({
    _tag: "Rewrite",
    rewrite,
    stored: true,
    route: options.route
  }),

  /** A 207 that speaks of ids nobody sent. Everything is stored. */
  unknownIds: (): Fault.Rewrite => Fault.rewrite(internal.withUnknownIds, { route: "ingestion" }),

  /** A 207 that names every event twice. Everything is stored. */
  duplicateIds: (): Fault.Rewrite => Fault.rewrite(internal.withDuplicateIds, { route: "ingestion" }),

  /** A 207 that names no event. Everything is stored. */
  omittedIds: (): Fault.Rewrite => Fault.rewrite(internal.withoutIds, { route: "ingestion" }),

  /** Some events of a batch, by index or by predicate, are refused; the others are stored. */
  reject: (
    which: ReadonlyArray<number> | ((event: unknown, index: number) => boolean),
    options: {
      readonly status?: number | undefined
      readonly message?: string | undefined
      readonly error?: string | undefined
    } = {}
  ): Fault.Reject => ({
    _tag: "Reject",
    which,
    status: options.status ?? 400,
    message: options.message ?? "Invalid request data",
    error: options.error,
    stored: "others",
    route: "ingestion"
  })
}

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

/**
 * The embedded server.
 *
 * @since 0.1.0
 * @category tags
 */
export class LangfuseServer extends Context.Tag("effect-langfuse/LangfuseServer")<LangfuseServer, Service>() {}

/**
 * Serves on the `HttpServer` at hand until the scope closes. Requests that are still open then are cut.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (options?: Options) => Effect.Effect<Service, never, HttpServer.HttpServer | Scope.Scope> = Effect
  .fnUntraced(function*(options: Options = {}) {
    const server = yield* HttpServer.HttpServer
    const version = options.version ?? defaults.version
    return yield* internal.make(server, {
      publicKey: options.publicKey ?? defaults.publicKey,
      secretKey: options.secretKey ?? defaults.secretKey,
      version,
      writeMode: options.writeMode,
      otlp: options.otlp ?? defaults.otlp,
      maxBodyBytes: options.maxBodyBytes ?? defaults.maxBodyBytes,
      scoreConfigs: options.scoreConfigs ?? defaults.scoreConfigs
    })
  })

/**
 * The embedded server, on the `HttpServer` at hand until the layer's scope closes.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<LangfuseServer, never, HttpServer.HttpServer> =>
  Layer.scoped(LangfuseServer, make(options))

/**
 * Metadata as the events table of v4 has it, flat with dotted keys, so that it can be compared with the nested
 * metadata of the tables before it.
 *
 * @since 0.1.0
 * @category combinators
 */
export const flattenMetadata: (
  metadata: { readonly [key: string]: unknown }
) => { readonly [key: string]: unknown } = internal.flattenMetadata
