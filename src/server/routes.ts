/**
 * What each path answers.
 */
import type * as Headers from "@effect/platform/Headers"
import * as Answer from "./answer.js"
import * as Auth from "./auth.js"
import * as Events from "./events.js"
import * as Ingestion from "./ingestion.js"
import type { WriteMode } from "./model.js"
import type { Route } from "./service.js"
import type { Store } from "./store.js"
import * as V from "./validation.js"

/** The server as it is at the moment. */
export interface Server {
  readonly keys: { readonly publicKey: string; readonly secretKey: string }
  readonly version: string
  readonly writeMode: WriteMode
  readonly otlp: boolean
  readonly store: Store
  readonly knowsTrace: (id: string) => boolean
  readonly randomId: () => string
  /** Epoch milliseconds. */
  readonly now: number
}

export interface Incoming {
  readonly method: string
  readonly headers: Headers.Headers
  readonly body: Body
}

/** A body as the framework hands it over, or the answer that the framework gives by itself. */
export type Body =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly answer: Answer.Answer }

/** The framework's own limit for paths that set none. */
export const defaultLimit = 1024 * 1024

export const pathOf = (url: string): string => url.split("?")[0] ?? url

const routes: { readonly [path: string]: Route } = {
  "/api/public/ingestion": "ingestion",
  "/api/public/otel/v1/traces": "otlp",
  "/api/public/scores": "scores",
  "/api/public/health": "health"
}

export const routeOf = (path: string): Route | undefined => routes[path]

/** Only JSON that says so is read as JSON. `text` is `undefined` when there was more than the limit. */
export const readBody = (headers: Headers.Headers, text: string | undefined, limit: number): Body => {
  if (text === undefined) return { ok: false, answer: Answer.tooLarge(limit) }
  const type = (headers["content-type"] ?? "text/plain").split(";")[0]?.trim().toLowerCase()
  if (type !== "application/json" && type !== "application/ld+json") return { ok: true, value: text }
  try {
    return { ok: true, value: text === "" ? {} : JSON.parse(text) }
  } catch {
    return { ok: false, answer: Answer.text(400, "Invalid JSON") }
  }
}

/** Envelope ids of a body, as far as they can be seen, for the record of requests. */
export const idsOf = (body: unknown): ReadonlyArray<string> => {
  const batch = Ingestion.readBatch(body)
  return batch.ok
    ? batch.value.flatMap((event) => V.isRecord(event) && typeof event["id"] === "string" ? [event["id"]] : [])
    : []
}

const error = (status: number, name: string, message: string): Answer.Answer =>
  Answer.json(status, { error: name, message })

export const ingestion = (server: Server, request: Incoming, refuse?: Ingestion.Refuse): Answer.Answer => {
  const { body } = request
  if (!body.ok) return body.answer
  if (request.method === "OPTIONS") return Answer.preflight(request.headers["access-control-request-headers"])
  if (request.method !== "POST") return error(405, "MethodNotAllowedError", "Method not allowed")
  const verdict = Auth.authorize(request.headers, server.keys)
  if (!verdict.ok) return error(401, "UnauthorizedError", verdict.message)
  const batch = Ingestion.readBatch(body.value)
  if (!batch.ok) {
    return Answer.json(400, {
      message: "Invalid request data",
      errors: batch.issues.map((issue) => issue.message)
    })
  }
  const { accepted, errors, events, successes } = Ingestion.processBatch(batch.value, {
    access: verdict.access,
    writeMode: server.writeMode,
    refuse
  })
  server.store.accept(accepted)
  server.store.ingest(events, server.writeMode === "dual" ? "staged" : "none", "ingestion")
  return Answer.json(207, { successes, errors })
}

export const scores = (server: Server, request: Incoming): Answer.Answer => {
  const { body } = request
  if (!body.ok) return body.answer
  if (request.method === "OPTIONS") return Answer.preflight(request.headers["access-control-request-headers"])
  if (request.method !== "POST") return error(405, "MethodNotAllowedError", "Method not allowed")
  const verdict = Auth.authorize(request.headers, server.keys)
  if (!verdict.ok) return Answer.json(401, { message: verdict.message })
  const score = V.parse(Events.postedScore, body.value)
  if (!score.ok) return Answer.json(400, { message: "Invalid request data", error: score.issues })
  const id = score.value.id ?? server.randomId()
  server.store.ingest(
    [{
      id: server.randomId(),
      type: "score-create",
      at: server.now,
      entity: "score",
      body: { ...score.value, id }
    }],
    "none",
    "scores"
  )
  return Answer.json(200, { id })
}

export const health = (server: Server, request: Incoming): Answer.Answer => {
  // A browser asks first, because clients send their headers with the health check too.
  if (request.method === "OPTIONS") return Answer.preflight(request.headers["access-control-request-headers"])
  return request.method === "GET" || request.method === "HEAD"
    ? Answer.json(200, { status: "OK", version: server.version })
    : error(405, "MethodNotAllowedError", "Method not allowed")
}
