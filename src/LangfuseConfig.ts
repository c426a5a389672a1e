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
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Schedule from "effect/Schedule"
import type { Mask } from "./internal/snapshot.js"
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
} from "./internal/snapshot.js"

/**
 * How events are held, grouped and given up. All optional; see `defaults`.
 *
 * @since 0.1.0
 * @category models
 */
export interface IngestOptions {
  /** Events that may wait to be sent; one more is dropped and counted. 0 is 1. Default 1024. */
  readonly capacity?: number | undefined
  /** Events in one batch. 0 is 1. Default 100. */
  readonly maxBatch?: number | undefined
  /** The longest an event waits for its batch to fill. Default 2 seconds. */
  readonly interval?: Duration.DurationInput | undefined
  /** Bytes of all events that are held, from enqueue until their outcome is known; more are dropped. Default 64 MiB. */
  readonly maxQueueBytes?: number | undefined
  /** Bytes of one event; of a larger one the input, output or metadata is cut, with a note. Default 1,000,000. */
  readonly maxEventBytes?: number | undefined
  /** Batches in flight at one time. With more than 1, batches may arrive out of order. Default 1. */
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
 * The value of every option that is not given.
 *
 * @since 0.1.0
 * @category constructors
 */
export const defaults = {
  baseUrl: "https://cloud.langfuse.com",
  capacity: 1024,
  maxBatch: 100,
  interval: Duration.seconds(2),
  maxQueueBytes: 64 * 1024 * 1024,
  maxBatchBytes: 2_500_000,
  maxEventBytes: 1_000_000,
  concurrency: 1,
  requestTimeout: Duration.seconds(5),
  flushTimeout: Duration.seconds(5),
  shutdownTimeout: Duration.seconds(5),
  protocol: "auto",
  sampleRate: 1,
  content: "full",
  enabled: true
} as const

/**
 * Checked ingest options, defaults filled in.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResolvedIngest {
  readonly capacity: number
  readonly maxBatch: number
  readonly interval: Duration.Duration
  readonly maxQueueBytes: number
  readonly maxEventBytes: number
  readonly concurrency: number
  readonly flushTimeout: Duration.Duration
  readonly shutdownTimeout: Duration.Duration
  readonly sampleRate: number
  readonly environment: string | undefined
  readonly release: string | undefined
  readonly mask: Mask | undefined
  readonly content: "full" | "metadata"
}

/**
 * Checked transport options, defaults filled in.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResolvedTransport {
  readonly publicKey: string
  readonly secretKey: Redacted.Redacted
  /** Without a trailing slash. */
  readonly baseUrl: string
  readonly maxBatchBytes: number
  readonly requestTimeout: Duration.Duration
  readonly retry: Schedule.Schedule<unknown, LangfuseError> | undefined
  readonly transformClient: ((client: HttpClient.HttpClient) => HttpClient.HttpClient) | undefined
}

/**
 * Checks the options of the ingest service and fills in the defaults. Fails with a `ConfigError` that names the option,
 * what it got and what it takes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const resolveIngest = (options: IngestOptions): Either.Either<ResolvedIngest, ConfigError.ConfigError> =>
  Either.gen(function*() {
    return {
      capacity: yield* atLeastOne("capacity", options.capacity ?? defaults.capacity),
      maxBatch: yield* atLeastOne("maxBatch", options.maxBatch ?? defaults.maxBatch),
      interval: yield* duration("interval", options.interval ?? defaults.interval, shortestInterval),
      maxQueueBytes: yield* atLeastOne("maxQueueBytes", options.maxQueueBytes ?? defaults.maxQueueBytes),
      maxEventBytes: yield* atLeastOne("maxEventBytes", options.maxEventBytes ?? defaults.maxEventBytes),
      concurrency: yield* atLeastOne("concurrency", options.concurrency ?? defaults.concurrency),
      flushTimeout: yield* duration("flushTimeout", options.flushTimeout ?? defaults.flushTimeout),
      shutdownTimeout: yield* duration("shutdownTimeout", options.shutdownTimeout ?? defaults.shutdownTimeout),
      sampleRate: yield* share("sampleRate", options.sampleRate ?? defaults.sampleRate),
      environment: options.environment === undefined ? undefined : yield* environment(
        "environment",
        options.environment
      ),
      release: options.release === undefined ? undefined : yield* text("release", options.release),
      mask: options.mask,
      content: yield* oneOf("content", options.content ?? defaults.content, ["full", "metadata"])
    }
  })

/**
 * Checks the options of a transport and fills in the defaults. Fails with a `ConfigError` that names the option and what
 * it takes; a key is never shown.
 *
 * @since 0.1.0
 * @category constructors
 */
export const resolveTransport = (
  options: TransportOptions
): Either.Either<ResolvedTransport, ConfigError.ConfigError> =>
  Either.gen(function*() {
    return {
      publicKey: yield* key("publicKey", options.publicKey),
      secretKey: yield* secret("secretKey", options.secretKey),
      baseUrl: yield* address("baseUrl", options.baseUrl ?? defaults.baseUrl),
      maxBatchBytes: yield* atLeastOne("maxBatchBytes", options.maxBatchBytes ?? defaults.maxBatchBytes),
      requestTimeout: yield* duration("requestTimeout", options.requestTimeout ?? defaults.requestTimeout),
      retry: options.retry,
      transformClient: options.transformClient
    }
  })

/**
 * Checks the protocol; none is `"auto"`. Fails with a `ConfigError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const resolveProtocol = (protocol: Protocol | undefined): Either.Either<Protocol, ConfigError.ConfigError> =>
  oneOf("protocol", protocol ?? defaults.protocol, ["auto", "ingestion", "otlp"])

/**
 * Checks all options at once, for the layers that have a `ConfigError` to fail with.
 *
 * @since 0.1.0
 * @category constructors
 */
export const resolve = (options: Options): Either.Either<void, ConfigError.ConfigError> =>
  Either.map(
    Either.all([resolveIngest(options), resolveTransport(options), resolveProtocol(options.protocol)]),
    constVoid
  )

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

const number = (name: string, value: string): Either.Either<number, ConfigError.ConfigError> => {
  const parsed = Number(value)
  return Number.isFinite(parsed) ? Either.right(parsed) : invalid(name, "a number", value)
}

const firstOf = <A>(...configs: ReadonlyArray<Config.Config<A | undefined>>): Config.Config<A | undefined> =>
  Config.map(Config.all(configs), (values) => values.find((value) => value !== undefined))

/**
 * `LANGFUSE_BASE_URL`, `LANGFUSE_PUBLIC_KEY` and the rest, each absent when the variable is not set.
 *
 * `LANGFUSE_BASEURL` and `LANGFUSE_HOST` are read where `LANGFUSE_BASE_URL` is not set; intervals and timeouts are in
 * seconds.
 *
 * @since 0.1.0
 * @category constructors
 */
export const env: Config.Config<
  & Omit<PlainOptions, "publicKey" | "secretKey">
  & { readonly publicKey: string | undefined; readonly secretKey: Redacted.Redacted | undefined }
> = Config.all({
  publicKey: variable("LANGFUSE_PUBLIC_KEY", key),
  secretKey: variable("LANGFUSE_SECRET_KEY", (name, value) => Either.map(key(name, value), Redacted.make)),
  baseUrl: firstOf(
    variable("LANGFUSE_BASE_URL", address),
    variable("LANGFUSE_BASEURL", address),
    variable("LANGFUSE_HOST", address)
  ),
  maxBatch: variable("LANGFUSE_FLUSH_AT", (name, value) => Either.flatMap(number(name, value), (n) => whole(name, n))),
  interval: variable("LANGFUSE_FLUSH_INTERVAL", (name, value) => seconds(name, value)),
  requestTimeout: variable("LANGFUSE_TIMEOUT", (name, value) => seconds(name, value)),
  sampleRate: variable(
    "LANGFUSE_SAMPLE_RATE",
    (name, value) => Either.flatMap(number(name, value), (n) => share(name, n))
  ),
  environment: variable("LANGFUSE_TRACING_ENVIRONMENT", environment),
  release: variable("LANGFUSE_RELEASE", text),
  enabled: variable("LANGFUSE_TRACING_ENABLED", truth)
})

// -------------------------------------------------------------------------------------
// rules
// -------------------------------------------------------------------------------------

/** A shorter window would re-arm its timer without pause. */
const shortestInterval = Duration.millis(1)

const invalid = (name: string, takes: string, got: unknown): Either.Either<never, ConfigError.ConfigError> =>
  Either.left(ConfigError.InvalidData([name], `${name} takes ${takes}, but got ${show(got)}`))

/** A key pasted into the wrong variable must not end up in a log. */
const show = (got: unknown): string => {
  if (typeof got === "string") {
    return /[ps]k-|@/.test(got) ? "a text that may hold a secret (not shown)" : JSON.stringify(got.slice(0, 80))
  }
  if (typeof got === "number" || typeof got === "boolean" || typeof got === "undefined") return String(got)
  return got === null ? "null" : `a value of type ${typeof got}`
}

function whole(name: string, got: number): Either.Either<number, ConfigError.ConfigError> {
  return Number.isSafeInteger(got) && got >= 0 ? Either.right(got) : invalid(name, "a whole number from 0", got)
}

/** 0 is 1: the least that lets events through at all. */
const atLeastOne = (name: string, got: number): Either.Either<number, ConfigError.ConfigError> =>
  Either.map(whole(name, got), (n) => Math.max(1, n))

function share(name: string, got: number): Either.Either<number, ConfigError.ConfigError> {
  return typeof got === "number" && got >= 0 && got <= 1
    ? Either.right(got)
    : invalid(name, "a number from 0 to 1", got)
}

const longest = Duration.days(1)

function duration(
  name: string,
  got: Duration.DurationInput,
  least: Duration.Duration = Duration.zero
): Either.Either<Duration.Duration, ConfigError.ConfigError> {
  const decoded = Option.getOrUndefined(Duration.decodeUnknown(got))
  // Duration turns negative and NaN input into zero; what was meant is anybody's guess.
  const senseless = typeof got === "number" && !(got >= 0)
  return decoded === undefined || senseless || Duration.greaterThan(decoded, longest)
    ? invalid(name, "a duration of up to a day, such as \"2 seconds\"", got)
    : Either.right(Duration.max(decoded, least))
}

function seconds(name: string, got: string): Either.Either<Duration.Duration, ConfigError.ConfigError> {
  const value = Number(got)
  return value >= 0 && value <= Duration.toSeconds(longest)
    ? Either.right(Duration.seconds(value))
    : invalid(name, "a number of seconds, up to a day", got)
}

function text(name: string, got: string): Either.Either<string, ConfigError.ConfigError> {
  return typeof got === "string" && got.trim() !== ""
    ? Either.right(got)
    : invalid(name, "a text that is not empty", got)
}

function environment(name: string, got: string): Either.Either<string, ConfigError.ConfigError> {
  const lower = typeof got === "string" ? got.toLowerCase() : ""
  return /^(?!langfuse)[a-z0-9_-]{1,40}$/.test(lower)
    ? Either.right(lower)
    : invalid(name, "up to 40 of a-z, 0-9, - and _, not starting with \"langfuse\"", got)
}

function oneOf<A extends string>(
  name: string,
  got: A,
  values: ReadonlyArray<A>
): Either.Either<A, ConfigError.ConfigError> {
  return values.includes(got) ? Either.right(got) : invalid(name, `one of ${values.join(", ")}`, got)
}

function truth(name: string, got: string): Either.Either<boolean, ConfigError.ConfigError> {
  switch (got.toLowerCase()) {
    case "true":
    case "yes":
    case "on":
    case "1":
      return Either.right(true)
    case "false":
    case "no":
    case "off":
    case "0":
      return Either.right(false)
    default:
      return invalid(name, "true or false", got)
  }
}

function key(name: string, got: string): Either.Either<string, ConfigError.ConfigError> {
  // A colon would move the border between the two halves of the Basic credentials, a line break end the header.
  return typeof got === "string" && /^[\x21-\x39\x3b-\x7e]+$/.test(got)
    ? Either.right(got)
    : Either.left(
      ConfigError.InvalidData([name], `${name} takes a key of printable ASCII without blanks or colons (not shown)`)
    )
}

const secret = (
  name: string,
  got: Redacted.Redacted
): Either.Either<Redacted.Redacted, ConfigError.ConfigError> =>
  Redacted.isRedacted(got)
    ? Either.map(key(name, Redacted.value(got)), () => got)
    : Either.left(ConfigError.InvalidData([name], `${name} takes a Redacted text: Redacted.make(…)`))

function address(name: string, got: string): Either.Either<string, ConfigError.ConfigError> {
  const takes = "an http or https address without credentials, query or fragment"
  if (typeof got !== "string") return invalid(name, takes, got)
  try {
    const url = new URL(got)
    const plain = url.username === "" && url.password === "" && url.search === "" && url.hash === ""
    return plain && (url.protocol === "https:" || url.protocol === "http:")
      ? Either.right(`${url.origin}${url.pathname}`.replace(/\/+$/, ""))
      : invalid(name, takes, got)
  } catch {
    return invalid(name, takes, got)
  }
}
