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
import * as DeliveryReport from "./DeliveryReport.js"
import type { IngestionEvent } from "./IngestionEvent.js"
import { adviceOn } from "./internal/advice.js"
import * as Batcher from "./internal/batcher.js"
import { Ledger } from "./internal/ledger.js"
import * as Metrics from "./internal/metrics.js"
import * as Notices from "./internal/notices.js"
import * as Sampling from "./internal/sampling.js"
import { once } from "./internal/slot.js"
import * as Snapshot from "./internal/snapshot.js"
import * as Sources from "./internal/sources.js"
import * as LangfuseConfig from "./LangfuseConfig.js"
import { LangfuseError } from "./LangfuseError.js"
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
   * Safe to interrupt, and to run many times at once.
   */
  readonly flush: Effect.Effect<FlushReport>
  readonly stats: Effect.Effect<IngestStats>
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
    const settings = yield* Effect.orDie(LangfuseConfig.resolveIngest(options))
    const transport = yield* LangfuseTransport.LangfuseTransport
    const runtime = yield* Effect.runtime()
    const ledger = new Ledger()
    const notices = Notices.make()
    const isSampled = Sampling.make(settings.sampleRate)
    const snapshot = Snapshot.make({
      mask: settings.mask,
      content: settings.content,
      maxEventBytes: settings.maxEventBytes,
      environment: settings.environment,
      release: settings.release,
      onMaskFailure: () => {
        Metrics.maskFailures.count(1)
        fork(notices.warn("mask", "the Langfuse mask threw: a note is sent in place of the value"))
      }
    })
    let closed = false
    // After an event did not fit, others are not even serialised until something has left.
    let bytesRefusedAt: number | undefined

    const fork = (effect: Effect.Effect<void>): void => void Runtime.runFork(runtime, effect)

    const settle = (report: DeliveryReport.DeliveryReport): void => {
      for (const event of report.delivered) ledger.settle(event, "delivered")
      for (const { event } of report.rejected) ledger.settle(event, "rejected")
      for (const { event } of report.failed) ledger.settle(event, "failed")
    }

    const settleAndWarn = (report: DeliveryReport.DeliveryReport): Effect.Effect<void> =>
      Effect.suspend(() => {
        settle(report)
        return Effect.forEach(summarize(report), ({ key, message }) => notices.warn(key, message), { discard: true })
      })

    const told = (run: Effect.Effect<DeliveryReport.DeliveryReport>) =>
      Effect.provideService(Effect.suspend(() => run), LangfuseTransport.Progress, settle)

    /** Runs the transport so that nothing it does, or is, reaches further than its own events. */
    const settled = (
      run: Effect.Effect<DeliveryReport.DeliveryReport>,
      batch: ReadonlyArray<IngestionEvent>
    ): Effect.Effect<void> =>
      told(run).pipe(
        Effect.flatMap(settleAndWarn),
        // Caught in the fiber itself: why one failed is logged, and may hold anything.
        Effect.catchAllCause(() =>
          settleAndWarn(DeliveryReport.failed(
            batch.filter((event) => ledger.isHeld(event)),
            new LangfuseError({ reason: "Defect", description: "the transport failed unexpectedly" })
          ))
        )
      )

    const fibers = yield* Scope.make()
    const batcher = yield* Batcher.make<Snapshot.Snapshot>({
      capacity: settings.capacity,
      maxBatch: settings.maxBatch,
      interval: settings.interval,
      concurrency: settings.concurrency,
      send: (batch) =>
        Effect.zipRight(
          Metric.update(Metrics.batchEvents, batch.length),
          settled(once(batch, (batch) => transport.send(batch)), batch)
        )
    }).pipe(Scope.extend(fibers))

    const drop = (): false => {
      const dropped = ledger.drop()
      if (!closed && (dropped === 1 || dropped % 256 === 0)) {
        fork(Notices.warning(
          `no room for more Langfuse events: ${dropped} dropped so far (the program is not affected; ` +
            "capacity and maxQueueBytes set how many are held)"
        ))
      }
      return false
    }

    const unsafeEnqueue = (event: IngestionEvent): boolean => {
      try {
        if (closed) return drop()
        if (!isSampled(event)) {
          ledger.sampleOut()
          return false
        }
        // Checked before the work of serialising: a drop must cost nothing.
        if (!batcher.hasRoom() || ledger.heldBytes >= settings.maxQueueBytes) return drop()
        if (bytesRefusedAt !== undefined && ledger.heldBytes >= bytesRefusedAt) return drop()
        const taken = snapshot(event)
        if (ledger.heldBytes + taken.heldBytes > settings.maxQueueBytes) {
          bytesRefusedAt = ledger.heldBytes
          return drop()
        }
        bytesRefusedAt = undefined
        if (!batcher.unsafeOffer(taken)) return drop()
        // The batcher's fiber runs in a later turn, so nothing can be settled before it is held.
        ledger.hold(taken, taken.heldBytes)
        return true
      } catch {
        return drop()
      }
    }

    /**
     * In a fiber like those of the batcher, not like that of whoever flushes or closes. Who waits for it may give up; what
     * was sent off is settled all the same.
     */
    const onItsOwn = (run: Effect.Effect<DeliveryReport.DeliveryReport>): Effect.Effect<void> =>
      Effect.suspend(() =>
        Effect.asVoid(Fiber.await(
          // What cannot be interrupted must not hold up the end of the scope.
          Runtime.runFork(runtime)(Effect.interruptible(Effect.disconnect(settled(run, []))), {
            scope: fibers,
            immediate: false
          })
        ))
      )

    const flushTransport = transport.flush === undefined ? Effect.void : onItsOwn(transport.flush)

    const flush: Effect.Effect<FlushReport> = Effect.suspend(() => {
      const rest = Sources.pushParts(service)
      const watch = ledger.watch()
      const send = Effect.suspend(() => {
        watch.isAll()
        return closed ? Effect.void : Effect.zipRight(batcher.flush, flushTransport)
      })
      return Effect.zipRight(rest, send).pipe(
        Effect.timeoutOption(settings.flushTimeout),
        Effect.map(() => watch.report()),
        Effect.ensuring(Effect.sync(watch.stop))
      )
    })

    yield* Effect.addFinalizer(() =>
      Effect.gen(function*() {
        closed = true
        yield* batcher.flush.pipe(
          Effect.zipRight(onItsOwn(transport.drain)),
          Effect.disconnect,
          // Inside the timeout, so in a fiber of its own: the one that closes the scope may be interrupted already, and
          // would then skip all of this.
          Effect.interruptible,
          Effect.timeoutOption(settings.shutdownTimeout),
          Effect.catchAllCause(() => Effect.void)
        )
        const abandoned = ledger.abandon()
        if (abandoned > 0) {
          const error = new LangfuseError({
            reason: "Closed",
            description: `not sent or not confirmed within ${Duration.format(settings.shutdownTimeout)} of closing`
          })
          yield* Notices.warning(`${abandoned} Langfuse events failed: ${error.message}; ${adviceOn(error)}`)
        }
        yield* Scope.close(fibers, Exit.void)
      })
    )

    const service: Service = {
      enqueue: (event) => Effect.sync(() => unsafeEnqueue(event)),
      unsafeEnqueue,
      flush,
      stats: Effect.sync(() => ledger.stats())
    }
    return service
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
      Effect.zipRight(Effect.orDie(LangfuseConfig.resolve(options)), make(options))
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
      Effect.tap((options) => LangfuseConfig.resolve(options)),
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
        yield* Notices.warning(`Langfuse tracing is off: ${missing.join(" and ")} not set`)
        return layerNoop
      }
      const complete = { ...options, publicKey, secretKey }
      yield* LangfuseConfig.resolve(complete)
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
export const layerNoop: Layer.Layer<LangfuseIngest> = Layer.sync(LangfuseIngest, () => ({
  enqueue: () => Effect.succeed(false),
  unsafeEnqueue: () => false,
  flush: Effect.succeed({ delivered: 0, rejected: 0, failed: 0, pending: 0 }),
  stats: Effect.succeed(new Ledger().stats())
}))

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
    const settings = yield* Effect.orDie(LangfuseConfig.resolveIngest(options))
    const ledger = new Ledger()
    const isSampled = Sampling.make(settings.sampleRate)
    const snapshot = Snapshot.make({ ...settings, onMaskFailure: () => Metrics.maskFailures.count(1) })
    let captured: Array<IngestionEvent> = []
    const unsafeEnqueue = (event: IngestionEvent): boolean => {
      if (!isSampled(event)) {
        ledger.sampleOut()
        return false
      }
      const taken = snapshot(event)
      ledger.hold(taken, taken.heldBytes)
      ledger.settle(taken, "delivered")
      captured.push(Snapshot.plain(taken))
      return true
    }
    const service: Service = {
      enqueue: (event) => Effect.sync(() => unsafeEnqueue(event)),
      unsafeEnqueue,
      flush: Effect.sync(() => {
        Sources.pushAll(service)
        return { delivered: 0, rejected: 0, failed: 0, pending: 0 }
      }),
      stats: Effect.sync(() => ledger.stats())
    }
    return Context.make(LangfuseIngest, service).pipe(
      Context.add(CapturedEvents, {
        all: Effect.sync(() => {
          Sources.pushAll(service)
          return captured.slice()
        }),
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
    LangfuseConfig.resolveProtocol(options.protocol).pipe(
      Effect.orDie,
      Effect.map((protocol) => LangfuseTransport.layerProtocol(protocol, options))
    )
  )

/** Event ids named in one warning; the rest are only counted. */
const namedIds = 3

/** One line for each distinct reason in a report. */
const summarize = (
  report: DeliveryReport.DeliveryReport
): ReadonlyArray<{ readonly key: string; readonly message: string }> => {
  if (report.failed.length === 0 && report.rejected.length === 0) return []
  const groups = new Map<
    string,
    { readonly outcome: string; readonly error: LangfuseError; readonly ids: Array<string> }
  >()
  const add = (outcome: string) => ({ error, event }: DeliveryReport.Undelivered) => {
    const key = `${outcome} ${error.reason} ${error.status ?? ""}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { outcome, error, ids: [event.id] })
    else group.ids.push(event.id)
  }
  report.failed.forEach(add("failed"))
  report.rejected.forEach(add("were rejected"))
  return [...groups].map(([key, { error, ids, outcome }]) => {
    const named = ids.slice(0, namedIds).map((id) => String(id).slice(0, 64).replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, " "))
      .join(", ")
    const more = ids.length > namedIds ? ", …" : ""
    return {
      key,
      message: `${ids.length} Langfuse events ${outcome}: ${error.message}; ${adviceOn(error)} (${named}${more})`
    }
  })
}
