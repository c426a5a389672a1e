/**
 * THE service: takes Langfuse events from a program without ever failing it, holding it up or growing without bound, and
 * sends them in batches from a fiber of its own.
 *
 * - `enqueue` never fails and never waits. When there is no room the event is dropped and counted.
 * - A request that fails is logged and counted; it is not repeated unless the `retry` option says so.
 * - Closing the scope flushes, within `shutdownTimeout`, even when Langfuse hangs.
 * - Every event has exactly one outcome. At any instant
 *   `offered = sampledOut + dropped + pending + delivered + rejected + failed`.
 *
 * @example
 * ```ts
 * import { FetchHttpClient } from "@effect/platform"
 * import { Effect, Layer } from "effect"
 * import { IngestionEvent, LangfuseIngest } from "effect-langfuse"
 *
 * const program = Effect.gen(function*() {
 *   const ingest = yield* LangfuseIngest.LangfuseIngest
 *   const trace = yield* IngestionEvent.traceCreate({ name: "hello" })
 *   yield* ingest.enqueue(trace)
 * })
 *
 * // Reads LANGFUSE_PUBLIC_KEY, LANGFUSE_SECRET_KEY and LANGFUSE_BASE_URL; what is left is sent when the scope closes.
 * export const main = program.pipe(
 *   Effect.provide(LangfuseIngest.layerFromEnv.pipe(Layer.provide(FetchHttpClient.layer)))
 * )
 * ```
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Arr from "effect/Array"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import { Entry, Ledger } from "./core/flow/ledger.js"
import type { Outcome } from "./core/flow/outcome.js"
import { Throttle } from "./core/flow/throttle.js"
import { toEvent } from "./core/item/toEvent.js"
import type { IngestionEvent } from "./IngestionEvent.js"
import { adviceOn } from "./internal/advice.js"
import * as Batcher from "./internal/batcher.js"
import { errorOf } from "./internal/deliver.js"
import * as Intake from "./internal/intake.js"
import * as Log from "./internal/log.js"
import * as Metrics from "./internal/metrics.js"
import * as Settings from "./internal/settings.js"
import * as LangfuseConfig from "./LangfuseConfig.js"
import type { LangfuseError } from "./LangfuseError.js"
import * as LangfuseTransport from "./LangfuseTransport.js"

// -------------------------------------------------------------------------------------
// models
// -------------------------------------------------------------------------------------

/**
 * How many events had which outcome since the service was made, exact at any instant.
 *
 * @since 0.1.0
 * @category models
 */
export interface IngestStats {
  /** All events that `enqueue` was called with. */
  readonly offered: number
  /** Left out by `sampleRate`. */
  readonly sampledOut: number
  /** Refused at once: no room, or the scope has closed. */
  readonly dropped: number
  /** Held, with no outcome yet. */
  readonly pending: number
  /** Accepted by the server. It may still drop them later, for example by its own sampling. */
  readonly delivered: number
  /** Refused by the server one by one, or not even sent because it would be. */
  readonly rejected: number
  /** Not accepted: the request failed, or could not be made in time. */
  readonly failed: number
}

/**
 * What became of the events that were pending when `flush` was called.
 *
 * @since 0.1.0
 * @category models
 */
export interface FlushReport {
  readonly delivered: number
  readonly rejected: number
  readonly failed: number
  /** Not settled within `flushTimeout`, or still held by the transport because their observation has not ended. */
  readonly pending: number
}

/**
 * How delivery is going, for health checks.
 *
 * @since 0.1.0
 * @category models
 */
export interface IngestStatus {
  /** Which protocol carries traces and observations, as far as it is known. */
  readonly protocol: "ingestion" | "otlp" | undefined
  /** Why events last failed or were rejected, and when. */
  readonly lastFailure: { readonly error: LangfuseError; readonly at: Date } | undefined
}

/**
 * Takes events, groups them and sends them. None of its methods fails or throws, and only `flush` waits.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Takes an event; `false` when it will not be sent: no room, left out by sampling, or the scope has closed. */
  readonly enqueue: (event: IngestionEvent) => Effect.Effect<boolean>
  /** The same from plain callbacks. It never throws. */
  readonly unsafeEnqueue: (event: IngestionEvent) => boolean
  /**
   * Ends when all that was enqueued before it has been attempted, requests in flight included, or after `flushTimeout`.
   * Safe to interrupt, to run many times at once, and in any region: in a finalizer, in `Effect.ensuring`, uninterruptible.
   */
  readonly flush: Effect.Effect<FlushReport>
  readonly stats: Effect.Effect<IngestStats>
  readonly status: Effect.Effect<IngestStatus>
}

/**
 * The ingest service.
 *
 * @since 0.1.0
 * @category tags
 */
export class LangfuseIngest extends Context.Tag("effect-langfuse/LangfuseIngest")<LangfuseIngest, Service>() {}

export {
  /**
   * The value of every option that is not given.
   *
   * @since 0.1.0
   * @category constructors
   */
  defaults
} from "./LangfuseConfig.js"

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The service over the transport in the environment. It lives as long as the scope; closing that flushes.
 *
 * Options that make no sense (`sampleRate: 2`) are a defect that carries a `ConfigError`; use `layerConfig` to have it in
 * the error channel.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: LangfuseConfig.IngestOptions = {}
): Effect.Effect<Service, never, LangfuseTransport.LangfuseTransport | Scope.Scope> =>
  Effect.gen(function*() {
    const settings = yield* Effect.orDie(Settings.ingestSettings(options))
    const transport = yield* LangfuseTransport.LangfuseTransport
    const runtime = yield* Effect.runtime<never>()
    const clock = yield* Effect.clock
    const ledger = new Ledger()
    const holding = new Metrics.Holding()
    const throttle = new Throttle()
    let isClosed = false
    let lastFailure: IngestStatus["lastFailure"]

    const warn = (kind: string, message: string): void => {
      const heldBack = throttle.pass(kind, clock.unsafeCurrentTimeMillis())
      if (heldBack === undefined) return
      const more = heldBack === 0 || kind === "dropped" ? "" : ` (${heldBack} more like this were not logged)`
      Runtime.runFork(runtime)(Log.warning(`${message}${more}`))
    }

    const measure = (): void => holding.update(ledger.pending, ledger.heldBytes)

    const settle = (entries: ReadonlyArray<Entry>, outcome: Outcome): void => {
      const name = outcome === "delivered" ? "delivered" : "failed" in outcome ? "failed" : "rejected"
      let count = 0
      const ids: Array<string> = []
      for (const entry of entries) {
        if (!ledger.settle(entry, name)) continue
        count++
        if (ids.length <= namedIds) ids.push(entry.id)
      }
      if (count === 0) return
      Metrics.settled[name].count(count)
      measure()
      if (outcome === "delivered") return
      const error = errorIn(outcome)
      const verb = name === "failed" ? "failed" : "were rejected"
      lastFailure = { error, at: new Date(clock.unsafeCurrentTimeMillis()) }
      warn(
        `${name} ${error.reason} ${error.status ?? ""}`,
        `${count} Langfuse events ${verb}: ${error.message}; ${adviceOn(error)} (${namesOf(ids)})`
      )
    }

    const tooMuch: Outcome = {
      failed: { reason: "Defect", status: undefined, description: "the transport keeps too many events back" }
    }

    // What a transport of the user's own hands over may be anything.
    const report: LangfuseTransport.Report = Object.freeze<LangfuseTransport.Report>({
      settle: (entries, outcome) => {
        try {
          settle(entries.filter((entry) => entry instanceof Entry), outcome)
        } catch {
          // No list of entries, or no outcome.
        }
      },
      withhold: (entries) => {
        try {
          const own = entries.filter((entry) => entry instanceof Entry)
          settle(own.filter((entry) => !ledger.withhold(entry)), tooMuch)
          measure()
        } catch {
          // As above.
        }
      }
    })

    const forgotten: Outcome = {
      failed: { reason: "Defect", status: undefined, description: "the transport failed unexpectedly, or forgot them" }
    }

    const send = (batch: ReadonlyArray<Entry>): Effect.Effect<void> =>
      Effect.suspend(() => {
        // Of its own: whatever the transport does to it, what is forgotten is found in `batch`.
        const given = batch.slice()
        return Arr.isNonEmptyReadonlyArray(given) ? transport.send(given, report) : Effect.void
      }).pipe(
        // Why it died is not logged: that may hold anything.
        Effect.catchAllCause(() => Effect.void),
        Effect.ensuring(
          Effect.sync(() => settle(batch.filter((entry) => ledger.isForgotten(entry)), forgotten))
        )
      )

    const concurrency = (): number => {
      if (settings.concurrency !== undefined) return settings.concurrency
      try {
        const wanted = transport.concurrency?.() ?? 1
        return Math.max(isClosed ? 4 : 1, wanted >= 1 ? wanted : 1)
      } catch {
        return 1
      }
    }

    const protocol = (): IngestStatus["protocol"] => {
      try {
        return transport.protocol?.()
      } catch {
        return undefined
      }
    }

    const fibers = yield* Scope.make()
    const batcher = yield* Batcher.make<Entry>({
      capacity: settings.capacity,
      reserve: settings.capacity >> 4,
      maxBatch: settings.maxBatch,
      // What a batch is over by is less than this, nearly always, so that it is one request.
      maxBytes: (transport.maxBatchBytes ?? LangfuseConfig.defaults.maxBatchBytes) * 0.9,
      interval: settings.interval,
      concurrency,
      send: (batch) => Effect.zipRight(Metric.update(Metrics.batchEvents, batch.length), send(batch))
    }).pipe(Scope.extend(fibers))

    const maxQueueBytes = settings.maxQueueBytes
    const maxBytesOfOthers = maxQueueBytes - (maxQueueBytes >> 4)

    const intake = Intake.make(settings, {
      ledger,
      hasRoom: (isRoot, bytes) =>
        !isClosed && batcher.hasRoom(isRoot) &&
        // An event without bytes is one that is only asked for.
        ledger.heldBytes + Math.max(bytes, 1) <= (isRoot ? maxQueueBytes : maxBytesOfOthers),
      offer: (entry) => {
        const isTaken = batcher.unsafeOffer(entry)
        if (!isTaken) settle([entry], forgotten)
        measure()
        return isTaken
      },
      warn,
      isClosed: () => isClosed,
      baseUrl: transport.baseUrl
    })

    /**
     * In a fiber like those of the batcher, not like that of whoever waits: in the mask and with the clock of the caller it
     * could take for ever. Interruptible outside of the timeout, since a timeout waits for its loser.
     */
    const within = (duration: Duration.Duration, work: Effect.Effect<void>): Effect.Effect<void> =>
      Effect.suspend(() => {
        const bounded = Effect.interruptible(Effect.timeoutOption(Effect.disconnect(work), duration))
        return Effect.asVoid(Fiber.await(Runtime.runFork(runtime)(bounded)))
      })

    const flush = Effect.suspend(() => {
      const settled = Effect.unsafeMakeLatch()
      const watch = ledger.watch(() => settled.unsafeOpen())
      const work = Effect.suspend(() => Intake.pushSources(intake.sources)).pipe(
        Effect.zipRight(Effect.sync(watch.close)),
        // A batch may have later events too, and take several requests: those are not waited for.
        Effect.zipRight(Effect.raceFirst(batcher.flush, settled.await))
      )
      return within(settings.flushTimeout, isClosed ? Effect.zipRight(Effect.sync(watch.close), settled.await) : work)
        .pipe(
          Effect.map(watch.report),
          Effect.ensuring(Effect.sync(watch.stop))
        )
    })

    const drain = Effect.catchAllCause(Effect.suspend(() => transport.drain(report)), () => Effect.void)

    yield* Effect.addFinalizer(() =>
      Effect.gen(function*() {
        for (const source of intake.sources) source.push()
        isClosed = true
        batcher.widen()
        yield* within(settings.shutdownTimeout, Effect.zipRight(batcher.flush, drain))
        const abandoned = ledger.abandon()
        measure()
        if (abandoned > 0) {
          Metrics.settled.failed.count(abandoned)
          const error = errorOf({
            reason: "Closed",
            status: undefined,
            description: `not sent or not confirmed within ${Duration.format(settings.shutdownTimeout)} of closing`
          })
          lastFailure = { error, at: new Date(clock.unsafeCurrentTimeMillis()) }
          yield* Log.warning(`${abandoned} Langfuse events failed: ${error.message}; ${adviceOn(error)}`)
        }
        if (throttle.heldBack > 0) {
          const { dropped, failed, offered, rejected } = ledger.stats()
          yield* Log.info(
            `of ${offered} Langfuse events ${failed} failed, ${rejected} were rejected and ${dropped} were dropped in all`
          )
        }
        yield* Scope.close(fibers, Exit.void)
      })
    )

    return Intake.register<Service>({
      enqueue: (event) => Effect.sync(() => intake.unsafeEnqueue(event)),
      unsafeEnqueue: intake.unsafeEnqueue,
      flush,
      stats: Effect.sync(() => ledger.stats()),
      status: Effect.sync(() => ({ protocol: protocol(), lastFailure }))
    }, intake)
  })

// -------------------------------------------------------------------------------------
// layers
// -------------------------------------------------------------------------------------

/**
 * The service, with the transport that `protocol` names. Provide an `HttpClient`, such as `FetchHttpClient.layer`.
 *
 * Options that make no sense are a defect that carries a `ConfigError`; `layerConfig` has it in the error channel.
 *
 * @example
 * ```ts
 * import { FetchHttpClient } from "@effect/platform"
 * import { Layer, Redacted } from "effect"
 * import { LangfuseIngest } from "effect-langfuse"
 *
 * export const LangfuseLive = LangfuseIngest.layer({
 *   baseUrl: "http://localhost:3000",
 *   publicKey: "pk-lf-local",
 *   secretKey: Redacted.make("sk-lf-local"),
 *   environment: "staging",
 *   interval: "1 second"
 * }).pipe(Layer.provide(FetchHttpClient.layer))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: LangfuseConfig.Options): Layer.Layer<LangfuseIngest, never, HttpClient.HttpClient> =>
  options.enabled === false
    ? layerNoop
    : Layer.scoped(
      LangfuseIngest,
      Effect.zipRight(
        Effect.orDie(Settings.check(options)),
        Effect.map(make(options), Intake.inProject(options.publicKey))
      )
    ).pipe(Layer.provide(transportOf(options)))

/**
 * `layer` from configuration. Strict: a missing key or a malformed value is a `ConfigError`.
 *
 * @example
 * ```ts
 * import { Config } from "effect"
 * import { LangfuseIngest } from "effect-langfuse"
 *
 * export const LangfuseLive = LangfuseIngest.layerConfig({
 *   publicKey: Config.string("LANGFUSE_PUBLIC_KEY"),
 *   secretKey: Config.redacted("LANGFUSE_SECRET_KEY"),
 *   baseUrl: Config.string("LANGFUSE_BASE_URL")
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  config: Config.Config.Wrap<LangfuseConfig.PlainOptions>,
  functions: LangfuseConfig.FunctionOptions = {}
): Layer.Layer<LangfuseIngest, ConfigError.ConfigError, HttpClient.HttpClient> =>
  Layer.unwrapEffect(
    Config.unwrap(config).pipe(
      Effect.tap((options) => Settings.check(options)),
      Effect.map((options) => layer({ ...options, ...functions }))
    )
  )

/**
 * `layerFromEnv` with options beside the variables, which win over them.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFromEnvWith = (
  overrides: Partial<LangfuseConfig.Options>
): Layer.Layer<LangfuseIngest, ConfigError.ConfigError, HttpClient.HttpClient> =>
  Layer.unwrapEffect(
    Effect.gen(function*() {
      const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined))
      const options: Omit<LangfuseConfig.Options, "publicKey" | "secretKey"> & {
        readonly publicKey?: string | undefined
        readonly secretKey?: LangfuseConfig.Options["secretKey"] | undefined
      } = { ...(yield* LangfuseConfig.env), ...given }
      if (options.enabled === false) return layerNoop
      const { publicKey, secretKey } = options
      if (publicKey === undefined || secretKey === undefined) {
        const missing = [
          publicKey === undefined ? "LANGFUSE_PUBLIC_KEY" : undefined,
          secretKey === undefined ? "LANGFUSE_SECRET_KEY" : undefined
        ].filter((name) => name !== undefined)
        yield* Log.warning(`Langfuse tracing is off: ${missing.join(" and ")} not set`)
        return layerNoop
      }
      const complete = { ...options, publicKey, secretKey }
      yield* Settings.check(complete)
      return layer(complete)
    })
  )

/**
 * The service from the `LANGFUSE_*` variables alone (`LangfuseConfig.env` lists them).
 *
 * Without keys tracing is off and one warning says which variables are missing, so a program starts without Langfuse
 * too. A malformed value is a `ConfigError` that names the variable, what it got and what it takes.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFromEnv: Layer.Layer<LangfuseIngest, ConfigError.ConfigError, HttpClient.HttpClient> =
  layerFromEnvWith({})

/**
 * Does nothing: for a program whose tracing is turned off.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerNoop: Layer.Layer<LangfuseIngest> = Layer.sync(LangfuseIngest, () =>
  Intake.register<Service>({
    enqueue: () => Effect.succeed(false),
    unsafeEnqueue: () => false,
    flush: Effect.succeed(nothing),
    stats: Effect.succeed(new Ledger().stats()),
    status: Effect.succeed({ protocol: undefined, lastFailure: undefined })
  }, Intake.off()))

/**
 * The events that `layerMemory` took, for a test to look at.
 *
 * @since 0.1.0
 * @category tags
 */
export class CapturedEvents extends Context.Tag("effect-langfuse/LangfuseIngest/CapturedEvents")<CapturedEvents, {
  /** In the order they were enqueued, as they would have left the process. */
  readonly all: Effect.Effect<ReadonlyArray<IngestionEvent>>
  readonly clear: Effect.Effect<void>
}>() {}

/**
 * Keeps events in memory, where `CapturedEvents` reads them back, and sends nothing: for the tests of programs that use
 * the service. An event is captured, and counted as delivered, at once. Options that shape events apply: `mask`,
 * `content`, `environment`, `release`, `maxEventBytes`, `sampleRate`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { IngestionEvent, LangfuseIngest } from "effect-langfuse"
 *
 * const test = Effect.gen(function*() {
 *   const ingest = yield* LangfuseIngest.LangfuseIngest
 *   yield* ingest.enqueue(yield* IngestionEvent.traceCreate({ name: "hello" }))
 *   const events = yield* (yield* LangfuseIngest.CapturedEvents).all
 *   return events.map((event) => event.type) // ["trace-create"]
 * }).pipe(Effect.provide(LangfuseIngest.layerMemory))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemoryWith = (
  options: LangfuseConfig.IngestOptions
): Layer.Layer<LangfuseIngest | CapturedEvents> =>
  Layer.effectContext(Effect.gen(function*() {
    const settings = yield* Effect.orDie(Settings.ingestSettings(options))
    const ledger = new Ledger()
    let captured: Array<IngestionEvent> = []
    const intake = Intake.make(settings, {
      ledger,
      hasRoom: () => true,
      offer: (entry) => {
        captured.push(toEvent(entry.item))
        ledger.settle(entry, "delivered")
        Metrics.settled.delivered.count(1)
        return true
      },
      warn: () => {},
      isClosed: () => false,
      baseUrl: undefined
    })
    const pushAll = Effect.sync(() => intake.sources.forEach((source) => source.push()))
    const service = Intake.register<Service>({
      enqueue: (event) => Effect.sync(() => intake.unsafeEnqueue(event)),
      unsafeEnqueue: intake.unsafeEnqueue,
      flush: Effect.as(pushAll, nothing),
      stats: Effect.sync(() => ledger.stats()),
      status: Effect.succeed({ protocol: undefined, lastFailure: undefined })
    }, intake)
    return Context.make(LangfuseIngest, service).pipe(
      Context.add(CapturedEvents, {
        all: Effect.zipRight(pushAll, Effect.sync(() => captured.slice())),
        clear: Effect.sync(() => {
          captured = []
        })
      })
    )
  }))

/**
 * `layerMemoryWith` the defaults.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: Layer.Layer<LangfuseIngest | CapturedEvents> = layerMemoryWith({})

// -------------------------------------------------------------------------------------
// helpers
// -------------------------------------------------------------------------------------

const transportOf = (
  options: LangfuseConfig.Options
): Layer.Layer<LangfuseTransport.LangfuseTransport, never, HttpClient.HttpClient> =>
  Layer.unwrapEffect(
    Effect.map(
      Effect.orDie(Settings.protocolSetting(options.protocol)),
      (protocol) => LangfuseTransport.layerProtocol(protocol, options)
    )
  )

/** Of a transport of the user's own, which may give no problem, or one of no known reason. */
const errorIn = (outcome: Exclude<Outcome, "delivered">): LangfuseError => {
  try {
    return errorOf("failed" in outcome ? outcome.failed : outcome.rejected)
  } catch {
    return errorOf({ reason: "Defect", status: undefined, description: "the transport does not say why" })
  }
}

const nothing: FlushReport = { delivered: 0, rejected: 0, failed: 0, pending: 0 }

/** Event ids named in one warning; the rest are only counted. */
const namedIds = 3

const namesOf = (ids: ReadonlyArray<string>): string => {
  const named = ids.slice(0, namedIds).map((id) => id.slice(0, 64).replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, " "))
  return `${named.join(", ")}${ids.length > namedIds ? ", …" : ""}`
}
