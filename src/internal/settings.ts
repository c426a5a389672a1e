/** Checked options, with the defaults filled in. */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import { constVoid } from "effect/Function"
import type * as Redacted from "effect/Redacted"
import type * as Schedule from "effect/Schedule"
import type { Mask } from "../core/item/mask.js"
import { defaults, type IngestOptions, type Options, type Protocol, type TransportOptions } from "../LangfuseConfig.js"
import type { LangfuseError } from "../LangfuseError.js"
import { address, atLeastOne, duration, environment, key, oneOf, secret, share, text, texts } from "./rules.js"

type Checked<A> = Either.Either<A, ConfigError.ConfigError>

export interface IngestSettings {
  readonly capacity: number
  readonly maxBatch: number
  readonly interval: Duration.Duration
  readonly maxQueueBytes: number
  readonly maxEventBytes: number
  /** `undefined`: whatever suits the protocol. */
  readonly concurrency: number | undefined
  readonly flushTimeout: Duration.Duration
  readonly shutdownTimeout: Duration.Duration
  readonly sampleRate: number
  readonly environment: string | undefined
  readonly release: string | undefined
  readonly mask: Mask | undefined
  readonly content: "full" | "metadata"
  readonly redactedNames: ReadonlyArray<string>
}

export interface TransportSettings {
  readonly publicKey: string
  readonly secretKey: Redacted.Redacted
  /** Without a trailing slash. */
  readonly baseUrl: string
  readonly maxBatchBytes: number
  readonly requestTimeout: Duration.Duration
  readonly retry: Schedule.Schedule<unknown, LangfuseError> | undefined
  readonly compression: "none" | "gzip"
  readonly serviceName: string | undefined
  readonly transformClient: ((client: HttpClient.HttpClient) => HttpClient.HttpClient) | undefined
}

const shortestInterval = Duration.millis(1)

const optional = <A, B>(got: A | undefined, check: (got: A) => Checked<B>): Checked<B | undefined> =>
  got === undefined ? Either.right(undefined) : check(got)

export const ingestSettings = (options: IngestOptions): Checked<IngestSettings> =>
  Either.gen(function*() {
    return {
      capacity: yield* atLeastOne("capacity", options.capacity ?? defaults.capacity),
      maxBatch: yield* atLeastOne("maxBatch", options.maxBatch ?? defaults.maxBatch),
      interval: yield* duration("interval", options.interval ?? defaults.interval, shortestInterval),
      maxQueueBytes: yield* atLeastOne("maxQueueBytes", options.maxQueueBytes ?? defaults.maxQueueBytes),
      maxEventBytes: yield* atLeastOne("maxEventBytes", options.maxEventBytes ?? defaults.maxEventBytes),
      concurrency: yield* optional(options.concurrency, (got) => atLeastOne("concurrency", got)),
      flushTimeout: yield* duration("flushTimeout", options.flushTimeout ?? defaults.flushTimeout),
      shutdownTimeout: yield* duration("shutdownTimeout", options.shutdownTimeout ?? defaults.shutdownTimeout),
      sampleRate: yield* share("sampleRate", options.sampleRate ?? defaults.sampleRate),
      environment: yield* optional(options.environment, (got) => environment("environment", got)),
      release: yield* optional(options.release, (got) => text("release", got)),
      mask: options.mask,
      content: yield* oneOf("content", options.content ?? defaults.content, ["full", "metadata"]),
      redactedNames: yield* texts("redactedNames", options.redactedNames ?? [])
    }
  })

export const transportSettings = (options: TransportOptions): Checked<TransportSettings> =>
  Either.gen(function*() {
    return {
      publicKey: yield* key("publicKey", options.publicKey),
      secretKey: yield* secret("secretKey", options.secretKey),
      baseUrl: yield* address("baseUrl", options.baseUrl ?? defaults.baseUrl),
      maxBatchBytes: yield* atLeastOne("maxBatchBytes", options.maxBatchBytes ?? defaults.maxBatchBytes),
      requestTimeout: yield* duration("requestTimeout", options.requestTimeout ?? defaults.requestTimeout),
      retry: options.retry,
      compression: yield* oneOf("compression", options.compression ?? defaults.compression, ["none", "gzip"]),
      serviceName: yield* optional(options.serviceName, (got) => text("serviceName", got)),
      transformClient: options.transformClient
    }
  })

export const protocolSetting = (protocol: Protocol | undefined): Checked<Protocol> =>
  oneOf("protocol", protocol ?? defaults.protocol, ["auto", "ingestion", "otlp"])

/** All options at once, for the layers that have a `ConfigError` to fail with. */
export const check = (options: Options): Checked<void> =>
  Either.map(
    Either.all([ingestSettings(options), transportSettings(options), protocolSetting(options.protocol)]),
    constVoid
  )
