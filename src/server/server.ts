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
import { dialectOf } from "./dialect.js"
import { eventParser } from "./events.js"
import type { Fault } from "./fault.js"
import type { Refuse } from "./ingestion.js"
import { flatten, type Json, readMetadata } from "./json.js"
import type { Route, WriteMode } from "./model.js"
import * as Otlp from "./otlp.js"
import { spanIds } from "./otlpSpan.js"
import * as RequestLog from "./requestLog.js"
import * as Routes from "./routes.js"
import type { Change, Options, RecordedRequest, Service } from "./service.js"
import * as Store from "./store.js"
import * as Wire from "./wire.js"

type Following = "writeMode" | "otlp"

/** Options with their defaults; two are those of the version unless they were chosen. */
export type Settings =
  & Required<{ readonly [K in Exclude<keyof Options, Following>]: NonNullable<Options[K]> }>
  & { readonly [K in Following]: Options[K] }

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

/** A server of some version; its write mode is what that version ships with. */
const ofVersion = (version: string) => {
  const dialect = dialectOf(version)
  const writeMode: WriteMode = dialect.isV4 ? "events_only" : "legacy"
  return { version, dialect, parser: eventParser(dialect), writeMode }
}

const makeChanges = Effect.map(PubSub.sliding<Change>(4096), (changes) => {
  let sequence = 0
  return {
    stream: Stream.fromPubSub(changes),
    publish: (
      happening: Store.Happening | { readonly _tag: "Request"; readonly request: RecordedRequest } | {
        readonly _tag: "Reset"
      }
    ) => {
      changes.unsafeOffer({ ...happening, sequence: sequence++ })
    }
  }
})

/** What a request carries that nobody could process, such as JSON too deep to be written again. */
const orFailed = (process: () => Answer.Answer): Answer.Answer => {
  try {
    return process()
  } catch (cause) {
    return Answer.failed(cause)
  }
}

/** @internal */
export const make = Effect.fnUntraced(function*(server: HttpServer.HttpServer, settings: Settings) {
  const closing = yield* Effect.makeLatch()
  const randomId = yield* makeRandomId
  const changes = yield* makeChanges
  const store = Store.make({ ...settings, randomId, emit: changes.publish })
  const requests = RequestLog.make(settings.maxBytes)
  const keys = { publicKey: settings.publicKey, secretKey: Redacted.value(settings.secretKey) }
  const initial = () => {
    const shipped = ofVersion(settings.version)
    return { ...shipped, writeMode: settings.writeMode ?? shipped.writeMode, otlp: settings.otlp }
  }
  let current = initial()
  let constant: Fault | undefined
  const queue: Array<Fault> = []
  const open = new Set<HttpServerRequest.HttpServerRequest>()

  const takeFault = (route: Route | undefined): Fault | undefined => {
    const applies = (fault: Fault) => fault.route === undefined || fault.route === route
    const index = queue.findIndex(applies)
    if (index >= 0) return queue.splice(index, 1)[0]
    return constant !== undefined && applies(constant) ? constant : undefined
  }

  /** Reads a request as its route does: what there is to record of it, and how it is answered. */
  const read = Effect.fnUntraced(function*(request: HttpServerRequest.HttpServerRequest, path: string) {
    const { headers, method } = request
    const route = Routes.routeOf(path)
    const hasOtlp = () => current.otlp ?? current.dialect.otlp !== "none"
    if (route === "otlp") {
      const { bytes, content = new Uint8Array() } = yield* Wire.readBody(request, Infinity)
      const body = yield* Otlp.readBody(headers, content)
      return {
        bytes,
        body: body.ok ? body.text : undefined,
        ids: body.ok ? spanIds(body.value) : [],
        answer: (at: Routes.Server) => hasOtlp() ? Otlp.traces(at, { method, headers, body }) : Answer.notFound
      }
    }
    const limit = route === "ingestion" ? settings.maxBodyBytes : Routes.defaultLimit
    const { bytes, content } = yield* Wire.readBody(request, limit)
    const body = Routes.readBody(headers, content, limit)
    const incoming = { method, headers, body }
    return {
      bytes,
      body: content && Wire.decodeText(content),
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
            return path === Otlp.metricsPath && hasOtlp() ? Otlp.metrics(at, incoming) : Answer.notFound
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
    const recorded = requests.record(request, { ...seen, fault: fault?._tag, receivedAt })
    const process = Effect.map(Clock.currentTimeMillis, (now) => {
      const given = orFailed(() => answer({ ...current, keys, prices: settings.prices, store, randomId, now }, fault))
      recorded.verdicts = given.verdicts ??
        seen.ids.map((id) => ({ id, status: given.status, reason: Answer.reasonOf(given), isLost: false }))
      return given
    })
    // Told once it is known how the request ends, or that it never does.
    yield* Effect.addFinalizer(() => Effect.sync(() => changes.publish({ _tag: "Request", request: { ...recorded } })))
    return yield* Wire.serve({
      request,
      closing,
      process,
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

  /** After this, nothing that was read before holds. */
  const change = (by: Partial<typeof current>): Effect.Effect<void> =>
    Effect.sync(() => {
      current = { ...current, ...by }
      changes.publish({ _tag: "Reset" })
    })
  const traces = Effect.sync(() => store.traces(current.writeMode === "events_only"))

  return {
    url: baseUrl(server.address),
    publicKey: settings.publicKey,
    secretKey: settings.secretKey,
    traces,
    trace: (id) => Effect.sync(() => Option.fromNullable(store.trace(id, current.writeMode === "events_only"))),
    observations: Effect.sync(store.observations),
    scores: Effect.sync(store.scores),
    logs: Effect.sync(store.logs),
    requests: requests.read,
    awaitRequests: requests.awaitCount,
    accepted: Effect.sync(store.accepted),
    losses: Effect.sync(store.losses),
    changes: changes.stream,
    script: (...faults) =>
      Effect.sync(() => {
        queue.push(...faults)
      }),
    always: (fault) =>
      Effect.sync(() => {
        constant = fault
      }),
    setWriteMode: (writeMode) => change({ writeMode }),
    setVersion: (version) => Effect.suspend(() => change(ofVersion(version))),
    setOtlp: (otlp) => change({ otlp }),
    reset: Effect.suspend(() => {
      store.clear()
      requests.clear()
      constant = undefined
      queue.length = 0
      return change(initial())
    })
  } satisfies Service as Service
})

/** @internal */
export const flattenMetadata = (metadata: Json): Json => readMetadata(flatten(metadata))
