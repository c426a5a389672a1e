/**
 * Everything that `dev` answers: pages, what they read, Langfuse's public API, and the requests of clients.
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import { type FaultName, faults } from "../../console/wire.js"
import type { Assets } from "./assets.js"
import * as Export from "./export.js"
import * as Guard from "./guard.js"
import * as Live from "./live.js"
import * as PublicApi from "./publicApi.js"
import * as Search from "./search.js"
import * as Shape from "./shape.js"
import type { Store } from "./store.js"

export interface Settings {
  readonly store: Store
  readonly assets: Assets
  readonly port: number
  readonly epoch: Live.Epoch
}

type Response = Effect.Effect<HttpServerResponse.HttpServerResponse>

const json = (value: unknown): HttpServerResponse.HttpServerResponse => {
  try {
    return Guard.guarded(HttpServerResponse.unsafeJson(value))
  } catch {
    return Guard.problem(500, "This holds JSON that is nested too deeply to be sent.")
  }
}

const answer = (value: unknown): HttpServerResponse.HttpServerResponse =>
  value instanceof PublicApi.BadQuery ? Guard.problem(400, value.message) : json(value)

const notFound = (what: string): HttpServerResponse.HttpServerResponse => Guard.problem(404, what)

const noTrace = notFound("There is no such trace: it never came, or it had to make room for newer ones.")

const revisionOf = (query: URLSearchParams): number => Number(query.get("since")) || 0

/** The addresses of pages; what they show, they ask for themselves. */
const isPage = (segments: ReadonlyArray<string>): boolean =>
  segments.length === 0 ||
  (segments.length === 1 && (segments[0] === "delivery" || segments[0] === "traces")) ||
  (segments.length === 2 && (segments[0] === "traces" || segments[0] === "sessions"))

const page = ({ assets }: Settings): HttpServerResponse.HttpServerResponse =>
  Guard.guarded(HttpServerResponse.setHeaders(HttpServerResponse.html(assets.html), Guard.pageHeaders))

const asset = ({ assets }: Settings, name: string | undefined): HttpServerResponse.HttpServerResponse | undefined => {
  const text = (body: string, contentType: string) =>
    Guard.guarded(HttpServerResponse.text(body, { contentType: `${contentType}; charset=utf-8` }))
  switch (name) {
    case "console.js":
      return text(assets.script, "text/javascript")
    case "console.css":
      return text(assets.style, "text/css")
    case "icon.svg":
      return text(assets.icon, "image/svg+xml")
    default:
      return undefined
  }
}

const traceChanges = (settings: Settings, id: string, query: URLSearchParams): Response =>
  Effect.gen(function*() {
    const { store } = settings
    const since = revisionOf(query)
    const summary = store.catalog.summary(id)
    const trace = yield* store.trace(id)
    if (summary === undefined || trace._tag === "None") return noTrace
    return json({
      revision: store.catalog.revision,
      summary,
      metadata: trace.value.metadata,
      rows: store.catalog.rows(id, since),
      count: store.catalog.count(id),
      scores: trace.value.scores.map(Shape.score)
    })
  })

const exported = (settings: Settings, id: string, format: "json" | "html"): Response =>
  Effect.map(settings.store.trace(id), (trace) => {
    if (trace._tag === "None") return noTrace
    const name = `trace-${id.replaceAll(/[^\w-]/g, "_").slice(0, 80)}.${format}`
    const body = format === "json" ? Export.json(trace.value) : Export.html(trace.value, settings.assets)
    return Guard.guarded(HttpServerResponse.text(body, {
      contentType: format === "json" ? "application/json; charset=utf-8" : "text/html; charset=utf-8",
      headers: { "content-disposition": `attachment; filename="${name}"` }
    }))
  })

/** What pages read that Langfuse has no endpoint for. */
const consoleApi = (settings: Settings, segments: ReadonlyArray<string>, query: URLSearchParams): Response => {
  const { store } = settings
  const [what, id, part] = segments
  if (what === "requests" && id === undefined) {
    return Effect.sync(() => json({ requests: store.deliveries.list(), total: store.deliveries.total }))
  }
  if (what === "status" && id === undefined) return Effect.map(store.status, json)
  if (what === "search" && id === undefined) {
    const text = query.get("q") ?? ""
    return text === ""
      ? Effect.succeed(Guard.problem(400, "q is what to search for"))
      : Effect.map(Search.search(store, text), json)
  }
  if (what === "traces" && id !== undefined) {
    if (part === undefined) return traceChanges(settings, id, query)
    if (part === "export.json") return exported(settings, id, "json")
    if (part === "export.html") return exported(settings, id, "html")
  }
  return Effect.succeed(notFound("dev has no such address."))
}

const events = ({ epoch, store }: Settings, request: HttpServerRequest.HttpServerRequest) => {
  const known = Live.knownOf(epoch, request.headers["last-event-id"])
  return Guard.guarded(
    HttpServerResponse.stream(Live.events(store, epoch, known), { contentType: "text/event-stream" })
  )
}

const isFault = (name: unknown): name is FaultName => faults.some((fault) => fault === name)

/** The switches of the delivery page. */
const command = (settings: Settings, what: string, request: HttpServerRequest.HttpServerRequest): Response => {
  const { store } = settings
  // A form of another page cannot send this type without asking first.
  if (request.headers["content-type"]?.includes("application/json") !== true) {
    return Effect.succeed(Guard.problem(415, "The content type is application/json."))
  }
  if (what === "clear") return Effect.zipRight(store.clear, Effect.map(store.status, json))
  if (what !== "fault") return Effect.succeed(notFound("dev has no such address."))
  return request.json.pipe(
    Effect.flatMap((body) => {
      const name = typeof body === "object" && body !== null && "fault" in body ? body.fault : undefined
      return isFault(name)
        ? Effect.zipRight(store.misbehave(name), Effect.map(store.status, json))
        : Effect.succeed(Guard.problem(400, `fault is one of: ${faults.join(", ")}`))
    }),
    Effect.catchAll(() => Effect.succeed(Guard.problem(400, "The body is no JSON.")))
  )
}

/** Langfuse's reading endpoints; `undefined` where `dev` has none. */
const publicApi = (
  settings: Settings,
  segments: ReadonlyArray<string>,
  query: URLSearchParams
): Response | undefined => {
  const { store } = settings
  const path = segments.join("/")
  const traceId = query.get("traceId")
  if (path === "v2/observations") {
    const all = traceId === null
      ? store.observations
      : Effect.map(store.trace(traceId), (trace) => trace._tag === "None" ? [] : trace.value.observations)
    return Effect.map(all, (all) => answer(PublicApi.observations(all.filter(Shape.wasSent), query)))
  }
  if (path === "v3/scores") return Effect.map(store.scores, (all) => answer(PublicApi.scores(all, query)))
  if (path === "traces") return Effect.map(store.traces, (all) => answer(PublicApi.traces(all, query)))
  const [what, id, more] = segments
  if (what === "traces" && id !== undefined && more === undefined) {
    return Effect.map(store.trace(id), (trace) => trace._tag === "None" ? noTrace : json(PublicApi.trace(trace.value)))
  }
  return undefined
}

const segmentsOf = (path: string): ReadonlyArray<string> | undefined => {
  try {
    return path.split("/").filter((segment) => segment !== "").map(decodeURIComponent)
  } catch {
    return undefined
  }
}

const isClients = (path: string): boolean => path === "/v1/traces" || path.startsWith("/api/public/")

const get = (
  settings: Settings,
  request: HttpServerRequest.HttpServerRequest,
  segments: ReadonlyArray<string>,
  query: URLSearchParams
): Response | undefined => {
  const [first, second] = segments
  if (isPage(segments)) return Effect.sync(() => page(settings))
  const isForeign = Guard.isForeign(request.headers, settings.port)
  const refused = Effect.succeed(Guard.problem(403, "Another page may not read this."))
  if (first === "console" && second === "api") {
    if (isForeign) return refused
    return segments[2] === "events" && segments.length === 3
      ? Effect.sync(() => events(settings, request))
      : consoleApi(settings, segments.slice(2), query)
  }
  if (first === "console" && segments.length === 2) {
    const found = asset(settings, second)
    return found && Effect.succeed(found)
  }
  if (first === "api" && second === "public") {
    const response = publicApi(settings, segments.slice(2), query)
    return response && (isForeign ? refused : response)
  }
  return undefined
}

const post = (
  settings: Settings,
  request: HttpServerRequest.HttpServerRequest,
  segments: ReadonlyArray<string>
): Response | undefined => {
  const [first, second, what] = segments
  if (first !== "console" || second !== "api" || what === undefined || segments.length !== 3) return undefined
  return Guard.isForeign(request.headers, settings.port)
    ? Effect.succeed(Guard.problem(403, "Another page may not do this."))
    : command(settings, what, request)
}

export const make = (settings: Settings): HttpApp.Default<unknown> =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
    if (!Guard.isOurHost(request.headers, settings.port)) {
      return Effect.succeed(Guard.problem(403, `dev answers at http://127.0.0.1:${settings.port} only.`))
    }
    const url = new URL(request.url, "http://localhost")
    const segments = segmentsOf(url.pathname)
    if (segments === undefined) return Effect.succeed(Guard.problem(400, "The address cannot be read."))
    const isRead = request.method === "GET" || request.method === "HEAD"
    const response = isRead
      ? get(settings, request, segments, url.searchParams)
      : request.method === "POST"
      ? post(settings, request, segments)
      : undefined
    if (response !== undefined) return response
    if (isClients(url.pathname)) return settings.store.app
    return Effect.succeed(notFound("dev has no such address. Traces are taken at /api/public and at /v1/traces."))
  })
