/**
 * Runs the watched program against a server that misbehaves, and holds what happened against the promises.
 */
import type { HttpClient } from "@effect/platform"
import { assert } from "@effect/vitest"
import { type Clock, Context, Duration, Effect, Exit, Fiber, Layer, Redacted, Scope } from "effect"
import type * as LangfuseConfig from "effect-langfuse/LangfuseConfig"
import * as LangfuseIngest from "effect-langfuse/LangfuseIngest"
import * as LangfuseTransport from "effect-langfuse/LangfuseTransport"
import { vi } from "vitest"
import { isBalanced } from "../../utils/ingest.js"
import { host, marker, newRun } from "./host.js"
import * as Output from "./output.js"
import type { Protocol } from "./protocols.js"

// These tests wait for events, not for time, but a machine may have much else to do.
vi.setConfig({ testTimeout: 60_000 })

export const publicKey = "pk-lf-fault-3f0c7d51"
const secret = "sk-lf-fault-e1b8a946"
export const secretKey = Redacted.make(secret)

/** What must never be read anywhere but in a request. */
export const secrets = {
  "the public key": publicKey,
  "the secret key": secret,
  "the Basic token": Buffer.from(`${publicKey}:${secret}`).toString("base64"),
  "the payload": marker
} as const

export interface Setup {
  readonly protocol: Protocol
  readonly client: Layer.Layer<HttpClient.HttpClient>
  readonly baseUrl: string
  readonly options?: Partial<LangfuseConfig.Options> | undefined
  readonly events?: number | undefined
  readonly padding?: number | undefined
  readonly clock?: Clock.Clock | undefined
  /** Done when the program has ended. */
  readonly meanwhile?: ((ingest: LangfuseIngest.Service) => Effect.Effect<void>) | undefined
  /** The program runs once more after that, with so many events. */
  readonly then?: number | undefined
}

export interface Outcome {
  readonly stats: LangfuseIngest.IngestStats
  readonly flushed: LangfuseIngest.FlushReport
  /** Ids of the observations that the program was told would be sent. */
  readonly accepted: ReadonlyArray<string>
  readonly delivered: ReadonlySet<string>
  readonly rejected: ReadonlySet<string>
  readonly failed: ReadonlySet<string>
  readonly errors: ReadonlyArray<LangfuseTransport.Problem>
  readonly warnings: ReadonlyArray<string>
  readonly output: Output.Output
  /** Milliseconds that closing took. */
  readonly closing: number
}

const defaults: Partial<LangfuseConfig.Options> = {
  maxBatch: 5,
  interval: "20 millis",
  // One batch after the other, so that faults meet the batches that they are meant for.
  concurrency: 1,
  requestTimeout: "5 seconds",
  flushTimeout: "20 seconds",
  shutdownTimeout: "10 seconds"
}

/** Notes what becomes of each event, as soon as the ingest service learns it. */
const recording = (transport: Layer.Layer<LangfuseTransport.LangfuseTransport>) => {
  const delivered = new Set<string>()
  const rejected = new Set<string>()
  const failed = new Set<string>()
  const errors = new Set<LangfuseTransport.Problem>()
  /** By the id of the event, that of what it is about. */
  const ids = new Map<string, string>()
  const told = new Set<string>()
  const learn = (batch: ReadonlyArray<LangfuseTransport.Entry>) => {
    for (const { event, id } of batch) {
      const body: unknown = event.body
      ids.set(id, typeof body === "object" && body !== null && "id" in body ? String(body.id) : "?")
    }
  }
  const noting = (report: LangfuseTransport.Report): LangfuseTransport.Report => ({
    settle: (entries, outcome) => {
      const into = outcome === "delivered" ? delivered : "failed" in outcome ? failed : rejected
      // The first word stands.
      for (const { id } of entries) {
        if (told.has(id)) continue
        told.add(id)
        into.add(ids.get(id) ?? "?")
      }
      if (outcome !== "delivered") errors.add("failed" in outcome ? outcome.failed : outcome.rejected)
      report.settle(entries, outcome)
    },
    withhold: report.withhold
  })
  const layer = Layer.effect(
    LangfuseTransport.LangfuseTransport,
    Effect.map(LangfuseTransport.LangfuseTransport, (inner): LangfuseTransport.Service => ({
      ...inner,
      send: (batch, report) => {
        learn(batch)
        return inner.send(batch, noting(report))
      },
      drain: (report) => inner.drain(noting(report))
    }))
  ).pipe(Layer.provide(transport))
  return { layer, delivered, rejected, failed, errors }
}

/** All that any run of this file said, for one search over the whole at its end. */
const wholeOutput: Array<string> = []

export const searchWholeOutput = (): void => searchFor(wholeOutput.join("\n"))

export const searchFor = (text: string): void => {
  for (const [name, value] of Object.entries(secrets)) {
    const at = text.indexOf(value)
    if (at >= 0) assert.fail(`${name} is in the output: …${text.slice(Math.max(0, at - 200), at + 60)}…`)
  }
}

/** Waits until so many events have an outcome. */
export const settled = (ingest: LangfuseIngest.Service, count: number): Effect.Effect<void> =>
  ingest.stats.pipe(
    Effect.zipLeft(Effect.sleep("5 millis")),
    Effect.repeat({ until: ({ delivered, failed, rejected }) => delivered + failed + rejected >= count }),
    Effect.asVoid
  )

/** What a run waits for before it looks for errors that nobody caught. */
const turns = Effect.promise(() => new Promise<void>((resolve) => setTimeout(resolve, 5)))

/**
 * The run, and all the checks that hold for every fault.
 */
export const run = (setup: Setup): Effect.Effect<Outcome, never, Scope.Scope> =>
  Effect.gen(function*() {
    const size = { events: setup.events ?? 15, padding: setup.padding ?? 0 }
    const output = yield* Output.capture
    const bare = yield* host({ ...size, run: newRun() }).pipe(Effect.provide(LangfuseIngest.layerNoop))

    const options = { ...defaults, publicKey, secretKey, baseUrl: setup.baseUrl, ...setup.options }
    const transport = recording(setup.protocol.transport(options).pipe(Layer.provide(setup.client)))
    const layer = Layer.scoped(LangfuseIngest.LangfuseIngest, LangfuseIngest.make(options)).pipe(
      Layer.provide(transport.layer),
      Layer.provideMerge(output.layer)
    )
    const watched = Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(layer, scope)
      const ingest = Context.get(context, LangfuseIngest.LangfuseIngest)

      const unbalanced: Array<LangfuseIngest.IngestStats> = []
      const look = Effect.map(ingest.stats, (stats) => void (isBalanced(stats) || unbalanced.push(stats)))
      const looking = yield* Effect.fork(Effect.forever(Effect.zipRight(look, Effect.sleep("1 millis"))))

      const observed = yield* host({ ...size, run: newRun() }).pipe(Effect.provide(context))
      yield* look
      if (setup.meanwhile !== undefined) yield* setup.meanwhile(ingest)
      const again = setup.then === undefined
        ? undefined
        : yield* host({ ...size, events: setup.then, run: newRun() }).pipe(Effect.provide(context))
      const atFlush = yield* ingest.stats
      const flushed = yield* ingest.flush
      const flushedTo = yield* ingest.stats
      yield* look
      const before = performance.now()
      yield* Scope.close(scope, Exit.void)
      const closing = performance.now() - before
      yield* look
      yield* Fiber.interrupt(looking)
      const stats = yield* ingest.stats
      output.add([ingest, observed, flushed, stats, [...transport.errors]])
      const accepted = [...observed.accepted, ...again?.accepted ?? []]
      return { observed, accepted, unbalanced, atFlush, flushed, flushedTo, stats, closing }
    })
    const { accepted, atFlush, closing, flushed, flushedTo, observed, stats, unbalanced } =
      yield* setup.clock === undefined
        ? watched
        : Effect.withClock(watched, setup.clock)
    yield* turns
    const text = output.text()
    wholeOutput.push(text)

    assert.deepStrictEqual(observed.result, bare.result, "the program computes what it computes unwatched")
    assert.isBelow(observed.elapsed, Math.max(1500, 20 * bare.elapsed), "the program is not held up")
    assert.isBelow(observed.longest, 500, "no enqueue waits")
    assert.deepStrictEqual(unbalanced, [], "the ledger balances at every look")
    const { delivered, failed, pending, rejected } = flushed
    assert.strictEqual(delivered + rejected + failed + pending, atFlush.pending, "a flush reports all that was pending")
    if (pending === 0) {
      assert.deepStrictEqual(flushed, {
        delivered: flushedTo.delivered - atFlush.delivered,
        rejected: flushedTo.rejected - atFlush.rejected,
        failed: flushedTo.failed - atFlush.failed,
        pending: 0
      })
    }
    assert.strictEqual(stats.pending, 0, "nothing is pending after close")
    assert.strictEqual(stats.offered, size.events + (setup.then ?? 0))
    assert.strictEqual(stats.delivered, transport.delivered.size)
    assert.strictEqual(stats.rejected, transport.rejected.size)
    const outcomes = [...transport.delivered, ...transport.rejected, ...transport.failed]
    assert.strictEqual(new Set(outcomes).size, outcomes.length, "no event is reported with two outcomes")
    const shutdown = Duration.toMillis(Duration.decode(options.shutdownTimeout ?? "5 seconds"))
    assert.isBelow(closing, shutdown + 1500, "closing is bounded")
    assert.deepStrictEqual(output.uncaught(), [], "nothing reaches the process")
    assert.deepStrictEqual(
      [...new Set(output.spans())].sort(),
      ["program", "step"],
      "the tracer sees the program's spans and no other"
    )
    searchFor(text)
    return {
      stats,
      flushed,
      closing,
      accepted,
      delivered: transport.delivered,
      rejected: transport.rejected,
      failed: transport.failed,
      errors: [...transport.errors],
      warnings: output.warnings(),
      output
    }
  })
