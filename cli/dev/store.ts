/**
 * What `dev` holds: the embedded server, an index of its traces for the pages, and the requests that came.
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { FaultName, Status, Update } from "../../console/wire.js"
import type { RecordedRequest, StoredObservation, StoredScore, StoredTrace } from "../../src/LangfuseServer.js"
import { Fault } from "../../src/LangfuseServer.js"
import { Catalog } from "./catalog.js"
import { Deliveries } from "./deliveries.js"
import * as Front from "./front.js"
import { Recent } from "./recent.js"

export interface Options {
  readonly maxBytes: number
  readonly maxTraceBytes: number
  /** Where what arrived is kept, for the page to name. */
  readonly file: string | undefined
  /** Told of each request that was taken. */
  readonly onTaken: (request: RecordedRequest) => Effect.Effect<void>
}

export interface Store {
  readonly url: string
  /** What takes the requests of clients. */
  readonly app: HttpApp.Default<unknown>
  /** The same for what was taken before: neither noted nor told to `onTaken`. */
  readonly restore: HttpApp.Default<unknown>
  readonly catalog: Catalog
  readonly deliveries: Deliveries
  readonly trace: (id: string) => Effect.Effect<Option.Option<StoredTrace>>
  readonly traces: Effect.Effect<ReadonlyArray<StoredTrace>>
  readonly observations: Effect.Effect<ReadonlyArray<StoredObservation>>
  readonly scores: Effect.Effect<ReadonlyArray<StoredScore>>
  readonly status: Effect.Effect<Status>
  /** Grows with whatever a page could show. */
  readonly version: () => number
  readonly updateSince: (revision: number) => Effect.Effect<Update>
  readonly misbehave: (fault: FaultName) => Effect.Effect<void>
  readonly clear: Effect.Effect<void>
}

/** Langfuse's version that is stood in for. */
const version = "4.16.0"

const faultOf = (name: FaultName): Fault | undefined => {
  switch (name) {
    case "none":
      return undefined
    case "rate limit":
      return Fault.rateLimited(1)
    case "error":
      return Fault.status(500)
    case "hang":
      return Fault.hang()
    case "slow":
      return Fault.delay("3 seconds")
    case "cut":
      return Fault.reset("before")
  }
}

/** Changed traces are read again this often, and less often when reading them takes long. */
const shortestPause = 100

/** Milliseconds of reading traces one by one, after which the rest is read at once. */
const patience = 100

/** Serves nothing by itself: `app` does. */
export const make = Effect.fnUntraced(function*(options: Options) {
  const { app, service } = yield* Front.makeServer({
    version,
    maxBytes: options.maxBytes,
    maxTraceBytes: options.maxTraceBytes
  })
  const catalog = new Catalog()
  const deliveries = new Deliveries()
  const dirty = new Set<string>()
  let fault: FaultName = "none"
  let evicted = 0
  let statusVersion = 0

  const recent = new Recent()
  const put = (id: string, trace: StoredTrace | undefined): void => {
    recent.forget(id)
    if (trace === undefined) catalog.remove(id)
    else catalog.put(trace)
  }

  /** Reads traces one by one while there is time; returns those that are left. */
  const readOnes = (ids: ReadonlyArray<string>) =>
    Effect.gen(function*() {
      const started = yield* Clock.currentTimeMillis
      for (const [index, id] of ids.entries()) {
        put(id, Option.getOrUndefined(yield* service.trace(id)))
        yield* Effect.yieldNow()
        if ((yield* Clock.currentTimeMillis) - started > patience) return ids.slice(index + 1)
      }
      return []
    })

  const readAll = (ids: ReadonlyArray<string>) =>
    Effect.map(service.traces, (traces) => {
      const byId = new Map(traces.map((trace) => [trace.id, trace]))
      for (const id of ids) put(id, byId.get(id))
    })

  const readDirty = Effect.gen(function*() {
    const ids = [...dirty]
    dirty.clear()
    const started = yield* Clock.currentTimeMillis
    const left = yield* readOnes(ids)
    if (left.length > 0) yield* readAll(left)
    const took = (yield* Clock.currentTimeMillis) - started
    yield* Effect.sleep(Math.max(shortestPause, 3 * took))
  })

  yield* service.changes.pipe(
    Stream.runForEach((change) => {
      switch (change._tag) {
        case "Request": {
          const number = Number(change.request.headers[Front.numberHeader])
          deliveries.answer(number, change.request)
          const { status } = change.request
          return status !== undefined && status < 300 && !Number.isNaN(number)
            ? options.onTaken(change.request)
            : Effect.void
        }
        case "Traces":
          return Effect.sync(() => {
            for (const id of change.ids) dirty.add(id)
          })
        case "Evicted":
          return Effect.sync(() => {
            evicted += change.ids.length
            for (const id of change.ids) {
              dirty.delete(id)
              catalog.remove(id)
            }
          })
        case "Trimmed":
          return Effect.sync(() => dirty.add(change.traceId))
        // Sent by `clear`, which sees to all else itself, and at each change of the write mode.
        case "Reset":
          return Effect.void
        case "Scores":
        case "Loss":
          return Effect.sync(() => {
            statusVersion++
          })
      }
    }),
    Effect.forkScoped
  )
  // Whatever a trace holds, the next one is read.
  yield* Effect.forkScoped(Effect.forever(Effect.catchAllCause(readDirty, (cause) => Effect.logError(cause))))

  const status = Effect.sync((): Status => ({
    version,
    url: service.url,
    fault,
    traces: catalog.size,
    observations: catalog.observations,
    requests: deliveries.total,
    refused: deliveries.refused,
    losses: deliveries.losses,
    maxBytes: options.maxBytes,
    evicted,
    file: options.file
  }))

  return {
    url: service.url,
    app: Front.before(Front.takingTraces(app, service), service, deliveries),
    restore: Front.withKeys(Front.takingTraces(app, service), service),
    catalog,
    deliveries,
    trace: (id) =>
      Effect.suspend(() => {
        const known = dirty.has(id) ? undefined : recent.find(id)
        return known === undefined
          ? Effect.tap(service.trace(id), (trace) => Effect.sync(() => recent.keep(id, trace)))
          : Effect.succeed(known)
      }),
    traces: service.traces,
    observations: service.observations,
    scores: service.scores,
    status,
    version: () => catalog.revision + deliveries.version + statusVersion,
    updateSince: (revision) =>
      Effect.map(status, (status) => ({ revision: catalog.revision, ...catalog.since(revision), status })),
    misbehave: (name) =>
      Effect.zipRight(
        service.always(faultOf(name)),
        Effect.sync(() => {
          fault = name
          statusVersion++
        })
      ),
    clear: Effect.gen(function*() {
      yield* service.reset
      yield* service.always(faultOf(fault))
      dirty.clear()
      recent.clear()
      catalog.clear()
      deliveries.clear()
      evicted = 0
      statusVersion++
    })
  } satisfies Store as Store
})
