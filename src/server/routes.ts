/**
 * What each path answers.
 */
import type * as Headers from "@effect/platform/Headers"
import * as Answer from "./answer.js"
import * as Auth from "./auth.js"
import type { Dialect } from "./dialect.js"
import type { Event } from "./events.js"
import * as Ingestion from "./ingestion.js"
import { isRecord, parse } from "./json.js"
import type { ModelPrice, Route, WriteMode } from "./model.js"
import { inOldWords } from "./oldIssues.js"
import { postedScore } from "./scoreBody.js"
import type { Store } from "./store.js"
import * as V from "./validation.js"
import { decodeText, decodeTextAs } from "./wire.js"

/** The server as it is at the moment. */
export interface Server {
  readonly keys: { readonly publicKey: string; readonly secretKey: string }
  readonly version: string
  readonly dialect: Dialect
  readonly parser: V.Parser<Event>
  readonly writeMode: WriteMode
  readonly prices: ReadonlyArray<ModelPrice>
  readonly store: Store
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

/** Text in the encoding that the header names; `undefined` when there is no such encoding. */
const decoded = (content: Uint8Array, contentType: string): string | undefined => {
  const charset = /;\s*charset="?([^";\s]+)/i.exec(contentType)?.[1]
  return charset === undefined || charset.toLowerCase() === "utf-8"
    ? decodeText(content)
    : decodeTextAs(content, charset)
}

/** Only JSON that says so is read as JSON. There is no content when it was more than the limit. */
export const readBody = (headers: Headers.Headers, content: Uint8Array | undefined, limit: number): Body => {
  if (content === undefined) return { ok: false, answer: Answer.tooLarge(limit) }
  const contentType = headers["content-type"] ?? "text/plain"
  const text = decoded(content, contentType)
  if (text === undefined) return { ok: false, answer: Answer.text(400, "Invalid body") }
  switch (contentType.split(";")[0]?.trim().toLowerCase()) {
    case "application/json":
    case "application/ld+json": {
      const value = text === "" ? {} : parse(text)
      return value === undefined ? { ok: false, answer: Answer.text(400, "Invalid JSON") } : { ok: true, value }
    }
    case "application/x-www-form-urlencoded":
      return { ok: true, value: Object.fromEntries(new URLSearchParams(text)) }
    default:
      return { ok: true, value: text }
  }
}

/** Envelope ids of a body, as far as they can be seen, for the record of requests. */
export const idsOf = (body: unknown): ReadonlyArray<string> => {
  const batch = Ingestion.readBatch(body)
  return batch.ok
    ? batch.value.flatMap((event) => isRecord(event) && typeof event["id"] === "string" ? [event["id"]] : [])
    : []
}

const error = (status: number, name: string, message: string): Answer.Answer =>
  Answer.json(status, { error: name, message })

const wordingOf = ({ dialect }: Server) => (issues: ReadonlyArray<V.Issue>): ReadonlyArray<V.Issue> =>
  dialect.hasNewIssues ? issues : inOldWords(issues)

export const ingestion = (server: Server, request: Incoming, refuse?: Ingestion.Refuse): Answer.Answer => {
  const { body } = request
  if (!body.ok) return body.answer
  if (request.method === "OPTIONS") return Answer.preflight(request.headers["access-control-request-headers"])
  if (request.method !== "POST") return error(405, "MethodNotAllowedError", "Method not allowed")
  const decision = Auth.authorize(request.headers, server.keys)
  if (!decision.ok) return error(401, "UnauthorizedError", decision.message)
  const batch = Ingestion.readBatch(body.value)
  if (!batch.ok) {
    return Answer.json(400, {
      message: "Invalid request data",
      errors: wordingOf(server)(batch.issues).map((issue) => issue.message)
    })
  }
  const { accepted, errors, events, successes, verdicts } = Ingestion.processBatch(batch.value, {
    access: decision.access,
    writeMode: server.writeMode,
    parser: server.parser,
    wording: wordingOf(server),
    refuse
  })
  server.store.accept(accepted)
  const lost = server.store.ingest(events, server.writeMode === "dual" ? "staged" : "none", "ingestion")
  return {
    ...Answer.json(207, { successes, errors }),
    verdicts: verdicts.map((verdict) => {
      const reason = verdict.status === 201 ? lost.get(verdict.id) : undefined
      return reason === undefined ? verdict : { ...verdict, reason, isLost: true }
    })
  }
}

const methodNotAllowed = Answer.json(405, { message: "Method not allowed", error: "MethodNotAllowedError" })

export const scores = (server: Server, request: Incoming): Answer.Answer => {
  const { body, headers, method } = request
  if (!body.ok) return body.answer
  if (method === "OPTIONS") return Answer.preflight(headers["access-control-request-headers"])
  if (method === "GET" && server.writeMode === "events_only") {
    return Answer.json(404, {
      message: "This endpoint is not available on deployments running in Langfuse v4 events_only mode."
    })
  }
  if (method !== "POST") return methodNotAllowed
  const decision = Auth.authorize(headers, server.keys)
  if (!decision.ok) return Answer.json(401, { message: decision.message })
  const score = V.parse(postedScore(server.dialect), body.value)
  if (!score.ok) return Answer.json(400, { message: "Invalid request data", error: wordingOf(server)(score.issues) })
  const id = score.value.id || server.randomId()
  // What comes of it is what would come of an event.
  const event = V.parse(server.parser, {
    id: server.randomId(),
    type: "score-create",
    timestamp: new Date(server.now).toISOString(),
    body: { ...score.value, id }
  })
  if (!event.ok) return Answer.json(400, { message: V.message(event.issues) })
  const lost = server.store.ingest([event.value], "none", "scores")
  const reason = lost.get(event.value.id)
  return { ...Answer.json(200, { id }), verdicts: [{ id, status: 200, reason, isLost: reason !== undefined }] }
}

export const health = (server: Server, request: Incoming): Answer.Answer => {
  // A browser asks first, because clients send their headers with the health check too.
  if (request.method === "OPTIONS") return Answer.preflight(request.headers["access-control-request-headers"])
  return request.method === "GET" || request.method === "HEAD"
    ? Answer.json(200, { status: "OK", version: server.version })
    : error(405, "MethodNotAllowedError", "Method not allowed")
}
