/**
 * What `dev` holds: the embedded server, an index of its traces for the pages, and the requests that came.
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { FaultName, Status, Update } from "../../console/wire.js"
import type { RecordedRequest, StoredObservation, StoredScore, StoredTrace } from "../../src/LangfuseServer.js"
import { Fault } from "../../src/LangfuseServer.js"
import { Catalog } from "./catalog.js"
import { Deliveries } from "./deliveries.js"
import * as Front from "./front.js"

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

/** Serves nothing by itself: `app` does. */
export const make = Effect.fnUntraced(function*(options: Options) {
  const { app, service } = yield* Front.makeServer({
    version,
    // The batch endpoint takes traces, and spans go straight to the tables of version 4.
    writeMode: "dual",
    maxBytes: options.maxBytes,
    maxTraceBytes: options.maxTraceBytes
  })
  const catalog = new Catalog()
  const deliveries = new Deliveries()
  const dirty = new Set<string>()
  let fault: FaultName = "none"
  let evicted = 0
  let statusVersion = 0

  const read = Effect.fnUntraced(function*(id: string) {
    const trace = yield* service.trace(id)
    if (trace._tag === "Some") catalog.put(trace.value)
    else catalog.remove(id)
  })

  const readDirty = Effect.gen(function*() {
    const started = yield* Clock.currentTimeMillis
    const ids = [...dirty]
    dirty.clear()
    for (const id of ids) {
      yield* read(id)
      yield* Effect.yieldNow()
    }
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
        case "Reset":
          return Effect.sync(() => {
            dirty.clear()
            catalog.clear()
          })
        case "Scores":
        case "Loss":
          return Effect.sync(() => {
            statusVersion++
          })
      }
    }),
    Effect.forkScoped
  )
  yield* Effect.forkScoped(Effect.forever(readDirty))

  // TODO interim
  const interim = (app: HttpApp.Default<unknown>): HttpApp.Default<unknown> =>
    Effect.ensuring(
      app,
      Effect.gen(function*() {
        const requests = yield* service.requests
        const request = requests.at(-1)
        if (request === undefined) return
        deliveries.answer(Number(request.headers[Front.numberHeader]), request)
        if (
          request.status !== undefined && request.status < 300 && Front.numberHeader in request.headers
        ) yield* options.onTaken(request)
        for (const trace of yield* service.traces) dirty.add(trace.id)
      })
    )

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
    app: Front.before(interim(app), service, deliveries),
    restore: Front.withKeys(interim(app), service),
    catalog,
    deliveries,
    trace: service.trace,
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
      catalog.clear()
      deliveries.clear()
      evicted = 0
      statusVersion++
    })
  } satisfies Store as Store
})
