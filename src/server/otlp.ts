/**
 * `POST /api/public/otel/v1/traces`: from the body of a request to the spans that are stored.
 */
import type * as Headers from "@effect/platform/Headers"
import * as Effect from "effect/Effect"
import * as Answer from "./answer.js"
import * as Auth from "./auth.js"
import { isAbsent, parse } from "./json.js"
import { elements, problemOf, property } from "./otlpCheck.js"
import { toEvents } from "./otlpEvents.js"
import { misfitsOf, toRow } from "./otlpRows.js"
import { LostExport, readSpans, type Span, spanIds } from "./otlpSpan.js"
import { decodeExport } from "./protobuf.js"
import type { Server } from "./routes.js"
import type { Verdict } from "./service.js"
import { decodeText } from "./wire.js"

/** A body that was read, or the answer to one that could not be. */
export type Body =
  | { readonly ok: true; readonly value: unknown; readonly text: string }
  | { readonly ok: false; readonly answer: Answer.Answer }

const unreadable = (error: string): Body => ({ ok: false, answer: Answer.json(400, { error }) })

const inflate = (bytes: Uint8Array): Effect.Effect<Uint8Array, unknown> =>
  Effect.tryPromise({
    try: async () => {
      // The copy is what makes the bytes a `BlobPart` for sure, whatever memory they came in.
      const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream("gzip"))
      return new Uint8Array(await new Response(stream).arrayBuffer())
    },
    catch: (cause) => cause
  })

/** Reads a body by its headers alone; who sent it is asked elsewhere. */
export const readBody = (headers: Headers.Headers, content: Uint8Array): Effect.Effect<Body> =>
  Effect.gen(function*() {
    const type = (headers["content-type"] ?? "").toLowerCase()
    const isGzip = (headers["content-encoding"] ?? "").includes("gzip")
    const bytes = yield* Effect.option(isGzip ? inflate(content) : Effect.succeed(content))
    if (bytes._tag === "None") return unreadable("Failed to decompress request body")
    if (type.includes("application/x-protobuf")) {
      return yield* Effect.try((): Body => {
        const value = decodeExport(bytes.value)
        return { ok: true, value, text: JSON.stringify(value) }
      }).pipe(Effect.orElseSucceed(() => unreadable("Failed to parse OTel Protobuf Trace")))
    }
    if (!type.includes("application/json")) return unreadable("Invalid content type")
    const text = decodeText(bytes.value)
    const value = parse(text)
    return isAbsent(value) ? unreadable("Failed to parse OTel JSON Trace") : { ok: true, value, text }
  })

/** Headers may be written with underscores. */
const header = (headers: Headers.Headers, name: string): string | undefined =>
  headers[name] || headers[name.replaceAll("-", "_")] || undefined

const isUnsupported = (asked: string | undefined): boolean => asked !== undefined && !(Number.parseInt(asked, 10) <= 4)

interface Stored {
  /** Ids of spans that are not stored although the answer says so, with why. */
  readonly lost: ReadonlyMap<string, string>
  /** How many events the spans became, where an answer tells. */
  readonly events: number
}

/** Into the tables of v3, as events. */
const storeAsEvents = (server: Server, spans: ReadonlyArray<Span>): Stored => {
  const { dropped, observations, traces } = toEvents(spans, {
    parser: server.parser,
    isKnown: server.store.isKnownTrace,
    randomId: server.randomId,
    now: server.now
  })
  for (const { id, reason } of dropped) server.store.lose({ route: "otlp", reason, id })
  server.store.overwrite(observations)
  server.store.ingest(traces, "none", "otlp")
  server.store.meetTraces(spans.map(({ traceId }) => traceId))
  return {
    lost: new Map(dropped.map(({ id, reason }) => [id, reason])),
    events: observations.length + traces.length
  }
}

const store = (server: Server, spans: ReadonlyArray<Span>): Stored => {
  // All or nothing: whatever cannot be read makes itself known here.
  const rows = spans.map((span) => toRow(span, server.prices))
  for (const span of spans) {
    for (const reason of misfitsOf(span)) server.store.lose({ route: "otlp", reason, id: span.id })
  }
  const stored = server.writeMode === "events_only"
    ? { lost: new Map<string, string>(), events: 0 }
    : storeAsEvents(server, spans)
  if (server.writeMode === "legacy") return stored
  for (const { attributes, id } of spans) {
    for (const key of ["langfuse.trace.input", "langfuse.trace.output"]) {
      if (key in attributes) server.store.lose({ route: "otlp", reason: `the attribute ${key} is ignored`, id })
    }
  }
  server.store.write(rows)
  return stored
}

/** What became of each span of an export. */
const verdictsOf = (body: unknown, reasonOf: (id: string) => string | undefined): ReadonlyArray<Verdict> =>
  spanIds(body).map((id) => {
    const reason = reasonOf(id)
    return { id, status: 200, reason, isLost: reason !== undefined }
  })

const successes = (server: Server, count: number) => ({
  successes: Array.from({ length: count }, () => ({ id: server.randomId(), status: 201 })),
  errors: []
})

const accept = (server: Server, body: unknown, version: string | undefined): Answer.Answer => {
  const isQueued = server.dialect.otlp === "queued"
  const resourceSpans = property(body, "resourceSpans")
  const answer = (events: number) =>
    Answer.json(
      200,
      isQueued
        ? { id: server.randomId(), name: "otel-ingestion-job", data: { timestamp: new Date(server.now).toISOString() } }
        : successes(server, events)
    )
  const lose = (reason: string, id: string | undefined): Answer.Answer => {
    server.store.lose({ route: "otlp", reason: `${reason}: the export is lost`, id })
    return { ...answer(0), verdicts: verdictsOf(body, () => reason) }
  }
  if (!resourceSpans || (Array.isArray(resourceSpans) && resourceSpans.length === 0)) {
    return isQueued ? Answer.json(200, {}) : answer(0)
  }
  const problem = server.dialect.checksExports ? problemOf(elements(resourceSpans)) : undefined
  if (problem !== undefined) return Answer.json(400, { error: problem })
  if (server.dialect.checksIngestionVersion && isUnsupported(version)) {
    return Answer.json(400, {
      error: `Unsupported x-langfuse-ingestion-version: "${version ?? ""}". Maximum supported: "4".`
    })
  }
  if (!Array.isArray(resourceSpans)) return lose("resourceSpans is no list", undefined)
  try {
    const { events, lost } = store(server, readSpans(resourceSpans, server))
    return { ...answer(events), verdicts: verdictsOf(body, (id) => lost.get(id)) }
  } catch (cause) {
    if (!(cause instanceof LostExport)) throw cause
    return lose(cause.message, cause.spanId)
  }
}

export const traces = (
  server: Server,
  request: { readonly method: string; readonly headers: Headers.Headers; readonly body: Body }
): Answer.Answer => {
  const { body, headers, method } = request
  if (method === "OPTIONS") return Answer.preflight(headers["access-control-request-headers"])
  if (method !== "POST") {
    return Answer.json(405, { message: "Method not allowed", error: "MethodNotAllowedError" })
  }
  const decision = Auth.authorize(headers, server.keys)
  if (!decision.ok) return Answer.json(401, { message: decision.message })
  if (decision.access !== "project") {
    return Answer.json(403, { message: "Access denied - insufficient permissions for this endpoint" })
  }
  if (!body.ok) return body.answer
  return accept(server, body.value, header(headers, "x-langfuse-ingestion-version"))
}

export const metricsPath = "/api/public/otel/v1/metrics"

/** Metrics are taken and thrown away. */
export const metrics = (
  server: Server,
  request: { readonly method: string; readonly headers: Headers.Headers }
): Answer.Answer => {
  if (request.method !== "POST") {
    return Answer.json(405, { message: "Method not allowed", error: "MethodNotAllowedError" })
  }
  const decision = Auth.authorize(request.headers, server.keys)
  return decision.ok ? Answer.json(200, { message: "OK" }) : Answer.json(401, { message: decision.message })
}
