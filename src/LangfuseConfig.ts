/**
 * Every option of the ingest service and its transports, with its default, and the `LANGFUSE_*` variables that set it.
 *
 * The variables are those of the official SDKs. A value that makes no sense is a `ConfigError` that names the option or
 * variable, what it got and what it takes; it never names a key.
 *
 * @see https://langfuse.com/docs/observability/sdk/overview
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Schedule from "effect/Schedule"
import type { Mask } from "./core/item/mask.js"
import * as Rules from "./internal/rules.js"
import type { LangfuseError } from "./LangfuseError.js"

export type {
  /**
   * Replaces a value before it leaves the process.
   *
   * @since 0.1.0
   * @category models
   */
  Mask,
  /**
   * Which value of which event a mask is looking at.
   *
   * @since 0.1.0
   * @category models
   */
  MaskContext,
  /**
   * The parts of an event that are content, and so are passed to a mask.
   *
   * @since 0.1.0
   * @category models
   */
  MaskField
} from "./core/item/mask.js"

/**
 * How events are held, grouped and given up. All optional; see `defaults`.
 *
 * @since 0.1.0
 * @category models
 */
export interface IngestOptions {
  /**
   * Events that may wait to be sent; one more is dropped and counted. The last sixteenth is for observations without a
   * parent in this process: a root ends last, and the rest of its trace would be orphaned without it. 0 is 1. Default
   * 10,000.
   */
  readonly capacity?: number | undefined
  /** Events in one batch. 0 is 1. Default 512. */
  readonly maxBatch?: number | undefined
  /** The longest an event waits for its batch to fill. Default 2 seconds. */
  readonly interval?: Duration.DurationInput | undefined
  /**
   * Bytes of all events that are held, from enqueue until their outcome is known; more are dropped, and the last sixteenth
   * is for observations without a parent in this process. Open observations that are kept to be merged do not count: they
   * have bounds of their own. Default 64 MiB.
   */
  readonly maxQueueBytes?: number | undefined
  /** Bytes of one event; of a larger one the input, output or metadata is cut, with a note. Default 1,000,000. */
  readonly maxEventBytes?: number | undefined
  /**
   * Batches in flight at one time. With more than 1, batches may arrive out of order. Default 4 over OTLP and 1 at the
   * batch endpoint; 4 while closing.
   */
  readonly concurrency?: number | undefined
  /** How long `flush` waits before it reports what is still pending. Default 5 seconds. */
  readonly flushTimeout?: Duration.DurationInput | undefined
  /** How long closing the scope may take in all; what is not sent by then has failed. Default 5 seconds. */
  readonly shutdownTimeout?: Duration.DurationInput | undefined
  /** Share of traces that are sent, from 0 to 1, decided by a hash of the trace id. Default 1. */
  readonly sampleRate?: number | undefined
  /** Written into every event that names no environment: `[a-z0-9-_]`, up to 40, not starting with "langfuse". */
  readonly environment?: string | undefined
  /** Written into every trace that names no release. */
  readonly release?: string | undefined
  /**
   * Sees every content value before it leaves (input, output, metadata at any depth, status message, comment, log,
   * model parameters, text and correction scores) as the JSON value that would be sent, and returns what is sent in its
   * place. When it throws, a note is sent instead: never the value. Identifiers (ids, names, user, session, tags, model)
   * are not passed to it.
   */
  readonly mask?: Mask | undefined
  /** `"metadata"` sends no input and no output at all. Default `"full"`. */
  readonly content?: "full" | "metadata" | undefined
  /**
   * Names of fields whose texts are redacted at any depth of any value, beside `authorization`, `cookie`, `set-cookie`,
   * `x-api-key`, `proxy-authorization` and what `Headers.currentRedactedNames` holds. Capitals do not matter.
   */
  readonly redactedNames?: ReadonlyArray<string> | undefined
}

/**
 * Where and how requests are made. The keys are required; for the rest see `defaults`.
 *
 * @since 0.1.0
 * @category models
 */
export interface TransportOptions {
  /** The project's public key, `pk-lf-…`. */
  readonly publicKey: string
  /** The project's secret key, `sk-lf-…`. */
  readonly secretKey: Redacted.Redacted
  /** Address of the Langfuse server, with or without a path. Default `"https://cloud.langfuse.com"`. */
  readonly baseUrl?: string | undefined
  /** Bytes of one request's body. A single larger event is sent alone. Default 2,500,000. */
  readonly maxBatchBytes?: number | undefined
  /** For one request, from its start to the last byte of the answer. Default 5 seconds. */
  readonly requestTimeout?: Duration.DurationInput | undefined
  /**
   * Sends events again that failed with 408, 429, 5xx or without an answer: those events only, with the same ids.
   * Default: none, so that a server in trouble causes no build-up here.
   */
  readonly retry?: Schedule.Schedule<unknown, LangfuseError> | undefined
  /** `"gzip"` compresses requests over OTLP: less traffic for about 24 ms of CPU for 700 KB. Default `"none"`. */
  readonly compression?: "none" | "gzip" | undefined
  /** The `service.name` of the OpenTelemetry resource. The layers that read the environment take `OTEL_SERVICE_NAME`. */
  readonly serviceName?: string | undefined
  /** Last word on the HTTP client that requests are made with: a proxy, a header, a recorder. */
  readonly transformClient?: ((client: HttpClient.HttpClient) => HttpClient.HttpClient) | undefined
}

/**
 * Which of Langfuse's protocols carries the events: `"ingestion"` is the batch endpoint of v2 and v3 servers, `"otlp"`
 * the OpenTelemetry endpoint of v3.22 and later (the only one for traces on v4 and Langfuse Cloud), and `"auto"` finds
 * out.
 *
 * @since 0.1.0
 * @category models
 */
export type Protocol = "auto" | "ingestion" | "otlp"

/**
 * All options of the ingest layers.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends IngestOptions, TransportOptions {
  /** Default `"auto"`. */
  readonly protocol?: Protocol | undefined
  /** `false` turns tracing off: nothing is held, nothing is sent. Default `true`. */
  readonly enabled?: boolean | undefined
}

/**
 * The options that are functions, and so cannot come from configuration.
 *
 * @since 0.1.0
 * @category models
 */
export type FunctionOptions = Pick<Options, "mask" | "retry" | "transformClient">

/**
 * The options that configuration can supply.
 *
 * @since 0.1.0
 * @category models
 */
export type PlainOptions = Omit<Options, keyof FunctionOptions>

/**
 * The value of every option that is not given. That of `concurrency` depends on the protocol.
 *
 * @since 0.1.0
 * @category constructors
 */
export const defaults = {
  baseUrl: "https://cloud.langfuse.com",
  capacity: 10_000,
  maxBatch: 512,
  interval: Duration.seconds(2),
  maxQueueBytes: 64 * 1024 * 1024,
  maxBatchBytes: 2_500_000,
  maxEventBytes: 1_000_000,
  requestTimeout: Duration.seconds(5),
  flushTimeout: Duration.seconds(5),
  shutdownTimeout: Duration.seconds(5),
  protocol: "auto",
  sampleRate: 1,
  content: "full",
  compression: "none",
  enabled: true
} as const

// -------------------------------------------------------------------------------------
// environment
// -------------------------------------------------------------------------------------

const variable = <A>(
  name: string,
  parse: (name: string, value: string) => Either.Either<A, ConfigError.ConfigError>
): Config.Config<A | undefined> =>
  Config.string(name).pipe(
    Config.option,
    Config.mapOrFail((found): Either.Either<A | undefined, ConfigError.ConfigError> => {
      // A variable that is set to nothing is how shells and compose files spell "not set".
      const value = Option.getOrElse(found, () => "").trim()
      return value === "" ? Either.right(undefined) : parse(name, value)
    })
  )

const firstOf = <A>(...configs: ReadonlyArray<Config.Config<A | undefined>>): Config.Config<A | undefined> =>
  Config.map(Config.all(configs), (values) => values.find((value) => value !== undefined))

/**
 * `LANGFUSE_BASE_URL`, `LANGFUSE_PUBLIC_KEY` and the rest, each absent when the variable is not set.
 *
 * `LANGFUSE_BASEURL` and `LANGFUSE_HOST` are read where `LANGFUSE_BASE_URL` is not set; intervals and timeouts are in
 * seconds. `OTEL_SERVICE_NAME` is the resource's `service.name`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const env: Config.Config<
  & Omit<PlainOptions, "publicKey" | "secretKey">
  & { readonly publicKey: string | undefined; readonly secretKey: Redacted.Redacted | undefined }
> = Config.all({
  publicKey: variable("LANGFUSE_PUBLIC_KEY", Rules.key),
  secretKey: variable("LANGFUSE_SECRET_KEY", (name, value) => Either.map(Rules.key(name, value), Redacted.make)),
  baseUrl: firstOf(
    variable("LANGFUSE_BASE_URL", Rules.address),
    variable("LANGFUSE_BASEURL", Rules.address),
    variable("LANGFUSE_HOST", Rules.address)
  ),
  maxBatch: variable(
    "LANGFUSE_FLUSH_AT",
    (name, value) => Either.flatMap(Rules.number(name, value), (n) => Rules.whole(name, n))
  ),
  interval: variable("LANGFUSE_FLUSH_INTERVAL", (name, value) => Rules.seconds(name, value)),
  requestTimeout: variable("LANGFUSE_TIMEOUT", (name, value) => Rules.seconds(name, value)),
  sampleRate: variable(
    "LANGFUSE_SAMPLE_RATE",
    (name, value) => Either.flatMap(Rules.number(name, value), (n) => Rules.share(name, n))
  ),
  environment: variable("LANGFUSE_TRACING_ENVIRONMENT", Rules.environment),
  release: variable("LANGFUSE_RELEASE", Rules.text),
  serviceName: variable("OTEL_SERVICE_NAME", Rules.text),
  enabled: variable("LANGFUSE_TRACING_ENABLED", Rules.truth)
})
