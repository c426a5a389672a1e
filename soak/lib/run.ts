/**
 * One soak: the load, the server that misbehaves, and whether all the promises held.
 */
import { FetchHttpClient } from "@effect/platform"
import { Context, Effect, Exit, Fiber, Layer, Logger, LogLevel, Metric, Redacted, Schedule, Scope } from "effect"
import type { LangfuseConfig } from "effect-langfuse"
import { LangfuseIngest, LangfuseTransport } from "effect-langfuse"
import { type ChildProcess, fork } from "node:child_process"
import { performance } from "node:perf_hooks"
import { fileURLToPath } from "node:url"
import { Bits } from "./bits.js"
import * as Load from "./load.js"
import * as Meters from "./meters.js"
import * as Random from "./random.js"
import { type Account, type FromServer, numberOf, type ToServer } from "./wire.js"

export interface Options extends Load.Options {
  readonly protocol: LangfuseConfig.Protocol
  readonly seconds: number
  readonly seed: number
}

export interface Result {
  readonly protocol: LangfuseConfig.Protocol
  readonly seconds: number
  readonly stats: LangfuseIngest.IngestStats
  /** Requests that met each fault, and how often the server was closed. */
  readonly faults: Readonly<Record<string, number>>
  readonly requests: number
  readonly badInputs: number
  /** Bytes. */
  readonly memory: {
    /** Most that the queue held, by its own count. */
    readonly held: number
    /** Most that the heap grew, garbage taken out. */
    readonly heap: number
    /** Most that the whole process had from the system. */
    readonly resident: number
    readonly boundOfHeld: number
    readonly boundOfHeap: number
  }
  readonly delay: Meters.Delay
  /** Of the same program when nobody watches it. */
  readonly delayUnwatched: Meters.Delay
  readonly warnings: number
  /** What did not hold, in words. Empty when all did. */
  readonly violations: ReadonlySet<string>
}

const mebibyte = 1024 * 1024
const capacity = 4000
const maxBatch = 20
const maxQueueBytes = 3 * mebibyte
const maxBatchBytes = 512 * 1024
/** What the table of OpenTelemetry spans may keep besides (twice 4 MiB, and 16 MiB), and what V8 keeps for itself. */
const slack = 48 * mebibyte

const configure = (options: Options, baseUrl: string): LangfuseConfig.Options => ({
  publicKey: "pk-lf-soak",
  secretKey: Redacted.make("sk-lf-soak"),
  baseUrl,
  protocol: options.protocol,
  capacity,
  maxBatch,
  interval: "100 millis",
  maxQueueBytes,
  maxBatchBytes,
  requestTimeout: "300 millis",
  flushTimeout: "1 second",
  shutdownTimeout: "3 seconds",
  // Every other seed tries again.
  retry: options.seed % 2 === 0 ? Schedule.intersect(Schedule.spaced("50 millis"), Schedule.recurs(2)) : undefined
})

// -------------------------------------------------------------------------------------
// the server
// -------------------------------------------------------------------------------------

const ask = (child: ChildProcess, message: ToServer): Effect.Effect<FromServer> =>
  Effect.async((resume) => {
    child.once("message", (reply: FromServer) => resume(Effect.succeed(reply)))
    child.once("exit", () => resume(Effect.dieMessage("the server ended without an answer")))
    child.send(message)
  })

const startServer = ({ protocol, seed }: Options) =>
  Effect.gen(function*() {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        fork(fileURLToPath(new URL("./server.ts", import.meta.url)), { execArgv: ["--import", "tsx"] })
      ),
      (child) => Effect.sync(() => child.kill())
    )
    const order = { seed, delay: 20, version: protocol === "ingestion" ? "3.120.0" : "4.16.0" }
    const reply = yield* ask(child, { _tag: "start", order })
    if (reply._tag !== "listening") return yield* Effect.dieMessage("the server did not start")
    const stop: Effect.Effect<Account> = Effect.flatMap(
      ask(child, { _tag: "stop" }),
      (reply) => reply._tag === "account" ? Effect.succeed(reply.account) : Effect.dieMessage("the server lost count")
    )
    return { url: reply.url, stop }
  })

// -------------------------------------------------------------------------------------
// the exporter
// -------------------------------------------------------------------------------------

/** Notes which events were delivered, as the ingest service learns it. */
const recording = (transport: Layer.Layer<LangfuseTransport.LangfuseTransport>) => {
  const delivered = new Bits()
  let rejected = 0
  const noting = (report: LangfuseTransport.Report): LangfuseTransport.Report => ({
    settle: (entries, outcome) => {
      if (outcome === "delivered") {
        for (const { id } of entries) {
          const number = numberOf(id)
          if (number !== undefined) delivered.add(number)
        }
      } else if ("rejected" in outcome) rejected += entries.length
      report.settle(entries, outcome)
    },
    withhold: report.withhold
  })
  const layer = Layer.effect(
    LangfuseTransport.LangfuseTransport,
    Effect.map(LangfuseTransport.LangfuseTransport, (inner): LangfuseTransport.Service => ({
      ...inner,
      send: (batch, report) => inner.send(batch, noting(report)),
      drain: (report) => inner.drain(noting(report))
    }))
  ).pipe(Layer.provide(transport))
  return { layer, delivered, rejected: () => rejected }
}

const startExporter = (options: Options, url: string) =>
  Effect.gen(function*() {
    let warnings = 0
    const counting = Logger.make(({ logLevel }) => {
      if (LogLevel.greaterThanEqual(logLevel, LogLevel.Warning)) warnings++
    })
    const configured = configure(options, url)
    const transport = recording(
      LangfuseTransport.layerProtocol(options.protocol, configured).pipe(Layer.provide(FetchHttpClient.layer))
    )
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(
      Layer.scoped(LangfuseIngest.LangfuseIngest, LangfuseIngest.make(configured)).pipe(
        Layer.provide(transport.layer),
        Layer.provide(Logger.replace(Logger.defaultLogger, counting))
      ),
      scope
    )
    return {
      ingest: Context.get(context, LangfuseIngest.LangfuseIngest),
      delivered: transport.delivered,
      /** By the transport; others were refused at once. */
      rejected: transport.rejected,
      close: Scope.close(scope, Exit.void),
      warnings: () => warnings
    }
  })

const heldBytes = Metric.gauge("langfuse_ingest_queue_bytes", { description: "Bytes of the events held." })

const isBalanced = (stats: LangfuseIngest.IngestStats): boolean =>
  stats.offered === stats.sampledOut + stats.dropped + stats.pending + stats.delivered + stats.rejected + stats.failed

// -------------------------------------------------------------------------------------
// the run
// -------------------------------------------------------------------------------------

/** How late the event loop is under the same load when nobody watches. */
const unwatched = (options: Options): Effect.Effect<Meters.Delay> =>
  Effect.gen(function*() {
    const load = Load.make(yield* LangfuseIngest.LangfuseIngest, Random.make(options.seed), options)
    const delay = Meters.delay()
    yield* Effect.timeoutOption(load.run, `${Math.min(10, options.seconds / 5)} seconds`)
    return delay.read()
  }).pipe(Effect.provide(LangfuseIngest.layerNoop))

export const run = (options: Options): Effect.Effect<Result> =>
  Effect.gen(function*() {
    const violations = new Set<string>()
    const check = (holds: boolean, otherwise: string): void => {
      if (!holds) violations.add(otherwise)
    }

    const delayUnwatched = yield* unwatched(options)
    const server = yield* startServer(options)
    const heapBefore = Meters.heap()
    const before = yield* Meters.running
    const exporter = yield* startExporter(options, server.url)
    const { ingest } = exporter
    const load = Load.make(ingest, Random.make(options.seed), options)
    let held = 0
    let heap = 0
    let resident = 0

    const look = Effect.gen(function*() {
      const stats = yield* ingest.stats
      check(isBalanced(stats), "the ledger did not balance at every look")
      check(stats.offered === load.offered(), "the ledger counted other offers than there were")
      const refused = stats.rejected - exporter.rejected()
      check(
        stats.dropped + refused === load.offered() - load.accepted(),
        "the ledger counted other drops than were told"
      )
      // Every event of the load is complete, so nothing is held besides the queue and the batches on their way.
      check(stats.pending <= capacity + 4 * maxBatch, "more events were held than the queue and four batches")
      held = Math.max(held, (yield* Metric.value(heldBytes)).value)
      resident = Math.max(resident, process.memoryUsage.rss())
    })
    const delay = Meters.delay()
    const weigh = Effect.sync(() => {
      heap = Math.max(heap, delay.without(Meters.heap) - heapBefore)
    })

    // The load and those who look at it.
    const started = performance.now()
    const looking = yield* Effect.fork(Effect.repeat(look, Schedule.spaced("10 millis")))
    const weighing = yield* Effect.fork(Effect.repeat(weigh, Schedule.spaced("5 seconds")))
    yield* Effect.timeoutOption(load.run, `${options.seconds} seconds`)
    const delayed = delay.read()
    const seconds = (performance.now() - started) / 1000
    yield* Fiber.interruptAll([looking, weighing])
    yield* look

    // The end.
    const closing = performance.now()
    yield* exporter.close
    check(performance.now() - closing < 4500, "closing took longer than shutdownTimeout")
    yield* look
    heap = Math.max(heap, Meters.heap() - heapBefore)
    const stats = yield* ingest.stats
    check(stats.pending === 0, "events were pending after close")
    check(load.oddFlushes().length === 0, `a flush reported ${load.oddFlushes()[0]}`)

    // Connections that a server has cut, and the timers of the HTTP client, are gone a moment later.
    let after = yield* Meters.running
    for (let i = 0; i < 100 && (after.fibers > before.fibers || after.timers > before.timers); i++) {
      yield* Effect.sleep("50 millis")
      after = yield* Meters.running
    }
    check(after.fibers <= before.fibers, `${after.fibers - before.fibers} fibers were left after close`)
    check(after.timers <= before.timers, `${after.timers - before.timers} timers were left after close`)

    // What either side says of the other.
    const account = yield* server.stop
    const stored = Bits.fromText(account.stored)
    check(exporter.delivered.without(stored) === 0, "events counted as delivered that the server does not hold")
    check(stored.without(exporter.delivered) <= stats.failed, "the server holds events that did not count as failed")
    check(exporter.delivered.size <= stats.delivered, "the ledger counted fewer deliveries than there were")

    const boundOfHeap = maxQueueBytes + 3 * maxBatchBytes + slack
    check(held <= maxQueueBytes, "the queue held more than maxQueueBytes")
    check(heap <= boundOfHeap, "the heap grew beyond its bound")
    return {
      protocol: options.protocol,
      seconds,
      stats,
      faults: account.faults,
      requests: account.requests,
      badInputs: load.badInputs(),
      memory: { held, heap, resident, boundOfHeld: maxQueueBytes, boundOfHeap },
      delay: delayed,
      delayUnwatched,
      warnings: exporter.warnings(),
      violations
    }
  }).pipe(Effect.scoped)
