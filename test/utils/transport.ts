/** A transport under the ingest service, with the word on each event written down. */
import type { HttpClient } from "@effect/platform"
import { Context, Effect, Exit, Fiber, Layer, Scope, TestClock } from "effect"
import type * as IngestionEvent from "effect-langfuse/IngestionEvent"
import type * as LangfuseConfig from "effect-langfuse/LangfuseConfig"
import * as LangfuseIngest from "effect-langfuse/LangfuseIngest"
import type * as LangfuseServer from "effect-langfuse/LangfuseServer"
import * as LangfuseTransport from "effect-langfuse/LangfuseTransport"
import { collectLogs, keys, turns } from "./ingest.js"
import * as Memory from "./memory.js"

type Kind = "delivered" | "rejected" | "failed"

export interface Word {
  readonly id: string
  readonly kind: Kind
  readonly problem: LangfuseTransport.Problem | undefined
}

/** Ids by what became of them, sorted. Of `refused` no transport ever heard. */
export interface Outcomes {
  readonly delivered: ReadonlyArray<string>
  readonly rejected: ReadonlyArray<string>
  readonly failed: ReadonlyArray<string>
  readonly refused: ReadonlyArray<string>
  /** `reason status` of all that did not arrive, each once. */
  readonly reasons: ReadonlyArray<string>
  readonly problems: ReadonlyArray<LangfuseTransport.Problem>
}

const outcomesOf = (words: ReadonlyArray<Word>, refused: ReadonlyArray<string>): Outcomes => {
  const of = (kind: Kind) => words.filter((word) => word.kind === kind).map(({ id }) => id).sort()
  const problems = words.flatMap(({ problem }) => problem ?? [])
  return {
    delivered: of("delivered"),
    rejected: of("rejected"),
    failed: of("failed"),
    refused: refused.slice().sort(),
    problems,
    reasons: [...new Set(problems.map(({ reason, status }) => `${reason} ${status ?? ""}`.trim()))]
  }
}

const kindOf = (outcome: LangfuseTransport.Outcome): readonly [Kind, LangfuseTransport.Problem | undefined] =>
  outcome === "delivered"
    ? [outcome, undefined]
    : "failed" in outcome
    ? ["failed", outcome.failed]
    : ["rejected", outcome.rejected]

/** The transport that `protocol` names over a client. Closed with the test, for which time passes if it has to. */
export const over = (
  protocol: LangfuseConfig.Protocol,
  client: Layer.Layer<HttpClient.HttpClient>,
  options: Partial<LangfuseConfig.Options> = {}
) =>
  Effect.gen(function*() {
    const logs = collectLogs()
    const words: Array<Word> = []
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) =>
      Effect.gen(function*() {
        const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
        yield* turns()
        yield* TestClock.adjust("1 day")
        yield* Fiber.join(closing)
      }))
    const transport = LangfuseTransport.layerProtocol(protocol, {
      ...keys,
      baseUrl: "https://langfuse.test",
      ...options
    })
      .pipe(Layer.provide(client))
    const heard = Layer.effect(
      LangfuseTransport.LangfuseTransport,
      Effect.map(LangfuseTransport.LangfuseTransport, (transport): LangfuseTransport.Service => {
        const hearing = (report: LangfuseTransport.Report): LangfuseTransport.Report => ({
          settle: (entries, outcome) => {
            const [kind, problem] = kindOf(outcome)
            for (const { id } of entries) words.push({ id, kind, problem })
            report.settle(entries, outcome)
          },
          withhold: report.withhold
        })
        return {
          ...transport,
          send: (batch, report) => transport.send(batch, hearing(report)),
          drain: (report) => transport.drain(hearing(report))
        }
      })
    ).pipe(Layer.provide(transport))
    const context = yield* Layer.buildWithScope(
      Layer.scoped(LangfuseIngest.LangfuseIngest, LangfuseIngest.make(options)).pipe(
        Layer.provide(heard),
        Layer.provideMerge(logs.layer)
      ),
      scope
    )
    const ingest = Context.get(context, LangfuseIngest.LangfuseIngest)
    /** What became of events in the meantime. */
    const during = (work: Effect.Effect<ReadonlyArray<string>>): Effect.Effect<Outcomes> =>
      Effect.suspend(() => {
        const before = words.length
        return Effect.map(work, (refused) => outcomesOf(words.slice(before), refused))
      })
    return {
      logs,
      ingest,
      words,
      /** Enqueues and flushes. */
      send: (...events: ReadonlyArray<IngestionEvent.IngestionEvent>) =>
        during(Effect.gen(function*() {
          const refused: Array<string> = []
          for (const event of events) if (!(yield* ingest.enqueue(event))) refused.push(event.id)
          yield* ingest.flush
          return refused
        })),
      close: during(Effect.as(Scope.close(scope, Exit.void), []))
    }
  })

/** The same over an embedded server. */
export const start = (
  protocol: LangfuseConfig.Protocol,
  server: LangfuseServer.Options = {},
  options: Partial<LangfuseConfig.Options> = {}
) =>
  Effect.gen(function*() {
    const memory = yield* Memory.make({ ...keys, ...server })
    // In dual mode each is in two tables.
    const observations = Effect.map(
      memory.server.observations,
      (all) => [...new Map(all.map((each) => [each.id, each])).values()]
    )
    const started = yield* over(protocol, memory.layer, { baseUrl: memory.server.url, ...options })
    return {
      ...memory,
      ...started,
      /** Of all requests, the health checks too. */
      paths: Effect.map(
        memory.server.requests,
        (requests) => requests.map((each) => each.path.replace("/api/public/", ""))
      ),
      observations,
      stored: Effect.map(observations, (all) => all.map((each) => each.id))
    }
  })
