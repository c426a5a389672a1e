/**
 * The endpoint put together: its state, its faults, and what its owner can read and change.
 */
import type * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Utils from "effect/Utils"
import * as Answer from "./answer.js"
import * as Content from "./content.js"
import type { Fault } from "./fault.js"
import type { Refuse } from "./ingestion.js"
import type { WriteMode } from "./model.js"
import * as Otlp from "./otlp.js"
import * as Protobuf from "./otlpProtobuf.js"
import { spanIds } from "./otlpSpan.js"
import * as Routes from "./routes.js"
import type { Change, Options, RecordedRequest, Route, Service } from "./service.js"
import * as Store from "./store.js"
import type * as V from "./validation.js"
import * as Wire from "./wire.js"

/** Options with their defaults; the write mode is that of the version unless it was chosen. */
export type Settings = Required<{ readonly [K in Exclude<keyof Options, "writeMode">]: NonNullable<Options[K]> }> & {
  readonly writeMode: WriteMode | undefined
}

const writeModeOf = (version: string): WriteMode => Number.parseInt(version, 10) >= 4 ? "events_only" : "legacy"

type Seen = Pick<RecordedRequest, "body" | "bytes" | "ids" | "fault" | "receivedAt">

type Recorded = { -readonly [K in keyof RecordedRequest]: RecordedRequest[K] }

const baseUrl = (address: HttpServer.HttpServer["address"]): string => {
  if (address._tag === "UnixAddress") return `unix://${address.path}`
  const everywhere = address.hostname === "0.0.0.0" || address.hostname === "::"
  const host = everywhere ? "127.0.0.1" : address.hostname
  return `http://${host.includes(":") ? `[${host}]` : host}:${address.port}`
}

const makeRandomId = Effect.map(Random.nextInt, (seed) => {
  const random = new Utils.PCGRandom(seed)
  const hex = (length: number) => Array.from({ length }, () => random.integer(16).toString(16)).join("")
  return () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`
})

const refuseOf = (fault: Fault | undefined): Refuse | undefined => {
  if (fault?._tag !== "Reject") return undefined
  const { error, message, status, which } = fault
  return (event, index) =>
    (typeof which === "function" ? which(event, index) : which.includes(index))
      ? { status, message, error }
      : undefined
}

/** @internal */
export const make = Effect.fnUntraced(function*(server: HttpServer.HttpServer, settings: Settings) {
  const closing = yield* Effect.makeLatch()
  const randomId = yield* makeRandomId
  const store = Store.make({ scoreConfigs: settings.scoreConfigs, randomId })
  const changes = yield* PubSub.sliding<Change>(4096)
  const keys = { publicKey: settings.publicKey, secretKey: Redacted.value(settings.secretKey) }
  const initial = () => ({
    version: settings.version,
    writeMode: settings.writeMode ?? writeModeOf(settings.version),
    otlp: settings.otlp
  })
  let current = initial()
  let constant: Fault | undefined
  const queue: Array<Fault> = []
  const requests: Array<Recorded> = []
  const waiting = new Set<{ readonly count: number; readonly reached: Effect.Latch }>()
  const open = new Set<HttpServerRequest.HttpServerRequest>()

  const takeFault = (route: Route | undefined): Fault | undefined => {
    const applies = (fault: Fault) => fault.route === undefined || fault.route === route
    const index = queue.findIndex(applies)
    if (index >= 0) return queue.splice(index, 1)[0]
    return constant !== undefined && applies(constant) ? constant : undefined
  }

  const record = (request: HttpServerRequest.HttpServerRequest, seen: Seen): Recorded => {
    const { authorization, ...headers } = request.headers
    const recorded: Recorded = {
      method: request.method,
      path: request.url,
      headers: authorization === undefined ? headers : { ...headers, authorization: "<redacted>" },
      status: undefined,
      verdicts: [],
      ...seen
    }
    requests.push(recorded)
    for (const waiter of waiting) {
      if (requests.length >= waiter.count) waiter.reached.unsafeOpen()
    }
    return recorded
  }

  const decoder = yield* Effect.cached(Protobuf.decoder)

  /** Reads a request as its route does: what there is to record of it, and how it is answered. */
  const read = Effect.fnUntraced(function*(request: HttpServerRequest.HttpServerRequest, path: string) {
    const { headers, method } = request
    const route = Routes.routeOf(path)
    if (route === "otlp") {
      const { bytes, content = new Uint8Array() } = yield* Wire.readBody(request, Infinity)
      const body = yield* Otlp.readBody(headers, content, decoder)
      return {
        bytes,
        body: body.ok ? body.text : undefined,
        ids: body.ok ? spanIds(body.value) : [],
        answer: (at: Routes.Server) => at.otlp ? Otlp.traces(at, { method, headers, body }) : Answer.notFound
      }
    }
    const limit = route === "ingestion" ? settings.maxBodyBytes : Routes.defaultLimit
    const { bytes, content } = yield* Wire.readBody(request, limit)
    const text = content && Wire.decodeText(content)
    const body = Routes.readBody(headers, text, limit)
    const incoming = { method, headers, body }
    return {
      bytes,
      body: text,
      ids: route === "ingestion" && body.ok ? Routes.idsOf(body.value) : [],
      answer: (at: Routes.Server, fault: Fault | undefined) => {
        switch (route) {
          case "ingestion":
            return Routes.ingestion(at, incoming, refuseOf(fault))
          case "scores":
            return Routes.scores(at, incoming)
          case "health":
            return Routes.health(at, incoming)
          default:
            return path === Otlp.metricsPath && at.otlp ? Otlp.metrics(at, incoming) : Answer.notFound
        }
      }
    }
  })

  const app = Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    yield* Effect.acquireRelease(
      Effect.sync(() => open.add(request)),
      () => Effect.sync(() => open.delete(request))
    )
    const path = Routes.pathOf(request.url)
    const fault = takeFault(Routes.routeOf(path))
    const { answer, ...seen } = yield* read(request, path)
    const receivedAt = new Date(yield* Clock.currentTimeMillis).toISOString()
    const recorded = record(request, { ...seen, fault: fault?._tag, receivedAt })
    return yield* Wire.serve({
      request,
      closing,
      process: Effect.map(
        Clock.currentTimeMillis,
        (now) => answer({ ...current, keys, store, knowsTrace: store.knowsTrace, randomId, now }, fault)
      ),
      answering: (status) => {
        recorded.status = status
      }
    }, fault)
  })

  // Whoever traces the program must not find the requests of its own exporter in the trace.
  yield* Effect.withTracerEnabled(server.serve(app), false)
  // A connection that hangs would otherwise keep the HTTP server from closing.
  yield* Effect.addFinalizer(() =>
    Effect.zipRight(
      closing.open,
      Effect.sync(() => {
        for (const request of open) Wire.cut(request)
      })
    )
  )

  const readRequests = Effect.sync(() => requests.map((request): RecordedRequest => ({ ...request })))
  const eventsFirst = () => current.writeMode !== "legacy"

  return {
    url: baseUrl(server.address),
    publicKey: settings.publicKey,
    secretKey: settings.secretKey,
    traces: Effect.sync(() => store.traces(eventsFirst())),
    trace: (id) => Effect.sync(() => Option.fromNullable(store.traces(eventsFirst()).find((trace) => trace.id === id))),
    observations: Effect.sync(() => store.observations(eventsFirst())),
    scores: Effect.sync(store.scores),
    logs: Effect.sync(store.logs),
    requests: readRequests,
    awaitRequests: (count) =>
      Effect.suspend(() => {
        if (requests.length >= count) return readRequests
        const waiter = { count, reached: Effect.unsafeMakeLatch() }
        waiting.add(waiter)
        return waiter.reached.await.pipe(
          Effect.ensuring(Effect.sync(() => waiting.delete(waiter))),
          Effect.zipRight(readRequests)
        )
      }),
    accepted: Effect.sync(store.accepted),
    losses: Effect.sync(store.losses),
    changes: Stream.fromPubSub(changes),
    script: (...faults) =>
      Effect.sync(() => {
        queue.push(...faults)
      }),
    always: (fault) =>
      Effect.sync(() => {
        constant = fault
      }),
    setWriteMode: (writeMode) =>
      Effect.sync(() => {
        current = { ...current, writeMode }
      }),
    setVersion: (version) =>
      Effect.sync(() => {
        current = { ...current, version, writeMode: writeModeOf(version) }
      }),
    setOtlp: (otlp) =>
      Effect.sync(() => {
        current = { ...current, otlp }
      }),
    reset: Effect.sync(() => {
      store.clear()
      current = initial()
      constant = undefined
      queue.length = 0
      requests.length = 0
    })
  } satisfies Service as Service
})

/** @internal */
export const flattenMetadata = (metadata: V.Json): V.Json => Content.readMetadata(Content.flatten(metadata))
