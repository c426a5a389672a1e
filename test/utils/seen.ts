/** What a server holds of events that went through the ingest service. */
import { Context, Effect, Exit, Layer, Scope } from "effect"
import { LangfuseIngest, LangfuseTransport } from "effect-langfuse"
import type { IngestionEvent, LangfuseConfig, LangfuseServer } from "effect-langfuse"
import { collectLogs, keys } from "./ingest.js"
import * as Memory from "./memory.js"

export interface To extends Partial<LangfuseConfig.Options> {
  readonly version: string
  readonly server?: LangfuseServer.Options
}

type Outcomes = Map<string, "delivered" | "rejected" | "failed">

/** A transport that notes the outcome of each event, by the event's id. */
const noting = (inner: LangfuseTransport.Service, outcomes: Outcomes): LangfuseTransport.Service => {
  const note = (report: LangfuseTransport.Report): LangfuseTransport.Report => ({
    settle: (entries, outcome) => {
      for (const { id } of entries) {
        outcomes.set(id, outcome === "delivered" ? outcome : "rejected" in outcome ? "rejected" : "failed")
      }
      report.settle(entries, outcome)
    },
    withhold: report.withhold
  })
  return {
    ...inner,
    send: (batch, report) => inner.send(batch, note(report)),
    drain: (report) => inner.drain(note(report))
  }
}

/**
 * Runs a program over a service that sends to an embedded server in memory, closes the service, and gives what the server
 * holds then.
 */
export const held = <A, E>(
  { server, version, ...options }: To,
  program: Effect.Effect<A, E, LangfuseIngest.LangfuseIngest>
) =>
  Effect.gen(function*() {
    const memory = yield* Memory.make({ ...keys, version, ...server })
    const logs = collectLogs()
    const all: LangfuseConfig.Options = { ...keys, baseUrl: memory.server.url, ...options }
    const outcomes: Outcomes = new Map()
    const scope = yield* Scope.make()
    const transport = Context.get(
      yield* LangfuseTransport.layerProtocol(all.protocol ?? "auto", all).pipe(
        Layer.provide(memory.layer),
        Layer.buildWithScope(scope)
      ),
      LangfuseTransport.LangfuseTransport
    )
    const ingest = yield* LangfuseIngest.make(all).pipe(
      Effect.provideService(LangfuseTransport.LangfuseTransport, noting(transport, outcomes)),
      Scope.extend(scope),
      Effect.provide(logs.layer)
    )
    yield* Effect.provideService(program, LangfuseIngest.LangfuseIngest, ingest)
    yield* Scope.close(scope, Exit.void)
    const { losses, observations, requests, scores, traces } = memory.server
    return {
      outcomes,
      stats: yield* ingest.stats,
      warnings: logs.warnings(),
      requests: yield* requests,
      observations: yield* observations,
      traces: yield* traces,
      scores: yield* scores,
      losses: yield* losses
    }
  }).pipe(Effect.scoped)

/** Enqueues events batch by batch. */
export const enqueue = (...batches: ReadonlyArray<ReadonlyArray<unknown>>) =>
  Effect.flatMap(LangfuseIngest.LangfuseIngest, (ingest) =>
    Effect.forEach(batches, (batch) =>
      Effect.zipRight(
        // Events of untyped programs may be anything.
        Effect.forEach(batch, (event) => ingest.enqueue(event as IngestionEvent.IngestionEvent), { discard: true }),
        ingest.flush
      ), { discard: true }))
