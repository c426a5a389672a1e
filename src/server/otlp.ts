/**
 * `POST /api/public/otel/v1/traces`: from the body of a request to the spans that are stored.
 */
import type * as Headers from "@effect/platform/Headers"
import * as Effect from "effect/Effect"
import * as Answer from "./answer.js"
import * as Auth from "./auth.js"
import * as Legacy from "./otlpLegacy.js"
import * as Mapping from "./otlpMapping.js"
import type { Decoder } from "./otlpProtobuf.js"
import * as Spans from "./otlpSpan.js"
import type { Server } from "./routes.js"
import * as V from "./validation.js"
import { decodeText } from "./wire.js"

/** A body that was read, or the answer to one that could not be. */
export type Body =
  | { readonly ok: true; readonly value: unknown; readonly text: string }
  | { readonly ok: false; readonly answer: Answer.Answer }

const unreadable = (status: number, error: string): Body => ({ ok: false, answer: Answer.json(status, { error }) })

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
export const readBody = (
  headers: Headers.Headers,
  content: Uint8Array,
  decoder: Effect.Effect<Decoder, unknown>
): Effect.Effect<Body> =>
  Effect.gen(function*() {
    const type = (headers["content-type"] ?? "").toLowerCase()
    const isGzip = (headers["content-encoding"] ?? "").includes("gzip")
    const bytes = yield* Effect.option(isGzip ? inflate(content) : Effect.succeed(content))
    if (bytes._tag === "None") return unreadable(400, "Failed to decompress request body")
    if (type.includes("application/json")) {
      const text = decodeText(bytes.value)
      return yield* Effect.try((): Body => ({ ok: true, value: JSON.parse(text), text })).pipe(
        Effect.orElseSucceed(() => unreadable(400, "Failed to parse OTel JSON Trace"))
      )
    }
    if (!type.includes("application/x-protobuf")) return unreadable(400, "Invalid content type")
    const decode = yield* Effect.option(decoder)
    if (decode._tag === "None") return unreadable(500, "Bodies in protobuf need the package protobufjs")
    return yield* Effect.try((): Body => {
      const value = decode.value(bytes.value)
      return { ok: true, value, text: JSON.stringify(value) }
    }).pipe(Effect.orElseSucceed(() => unreadable(400, "Failed to parse OTel Protobuf Trace")))
  })

/** Headers may be written with underscores. */
const header = (headers: Headers.Headers, name: string): string | undefined =>
  headers[name] || headers[name.replaceAll("-", "_")] || undefined

const directSdks: { readonly [name: string]: number } = { javascript: 5, python: 4 }

type Path = "direct" | "older"

/** Which way a span takes on a v4 server, or the answer when its headers ask for one that does not exist. */
const pathOf = (headers: Headers.Headers): Path | Answer.Answer => {
  const asked = header(headers, "x-langfuse-ingestion-version")
  const version = asked === undefined ? undefined : Number.parseInt(asked, 10)
  if (version !== undefined && !(version <= 4)) {
    return Answer.json(400, {
      error: `Unsupported x-langfuse-ingestion-version: "${asked ?? ""}". Maximum supported: "4".`
    })
  }
  const least = directSdks[header(headers, "x-langfuse-sdk-name") ?? ""]
  const sdk = Number.parseInt(header(headers, "x-langfuse-sdk-version") ?? "", 10)
  if (version === 4 || (least !== undefined && sdk >= least)) return "direct"
  return version === undefined ? "direct" : "older"
}

const majorOf = (version: string): number => Number.parseInt(version, 10)

const store = (server: Server, spans: ReadonlyArray<Mapping.Mapped>, path: Path): void => {
  const isDirect = server.writeMode === "events_only" || (server.writeMode === "dual" && path === "direct")
  for (const { notes, span } of spans) {
    for (const reason of notes) server.store.lose({ route: "otlp", reason, id: span.id })
  }
  if (isDirect) {
    for (const { span } of spans) {
      for (const key of ["langfuse.trace.input", "langfuse.trace.output"]) {
        if (key in span.attributes) {
          server.store.lose({ route: "otlp", reason: `the attribute ${key} is ignored`, id: span.id })
        }
      }
    }
    server.store.write(spans.map(Mapping.toRow))
  }
  if (server.writeMode === "events_only") return
  const { dropped, events } = Legacy.toEvents(spans, server)
  for (const { id, reason } of dropped) server.store.lose({ route: "otlp", reason, id })
  server.store.ingest(events, server.writeMode === "legacy" ? "none" : isDirect ? "direct" : "staged", "otlp")
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
  const verdict = Auth.authorize(headers, server.keys)
  if (!verdict.ok) return Answer.json(401, { message: verdict.message })
  if (verdict.access !== "project") {
    return Answer.json(403, { message: "Access denied - insufficient permissions for this endpoint" })
  }
  if (!body.ok) return body.answer
  const path = majorOf(server.version) >= 4 ? pathOf(headers) : "older"
  if (typeof path !== "string") return path
  const resourceSpans = V.isRecord(body.value) ? body.value["resourceSpans"] : undefined
  if (!resourceSpans || (Array.isArray(resourceSpans) && resourceSpans.length === 0)) return Answer.json(200, {})
  const queued = Answer.json(200, {
    id: server.randomId(),
    name: "otel-ingestion-job",
    data: { timestamp: new Date(server.now).toISOString() }
  })
  if (!Array.isArray(resourceSpans)) {
    server.store.lose({ route: "otlp", reason: "resourceSpans is no list: the export is lost", id: undefined })
    return queued
  }
  const problem = Spans.problemOf(resourceSpans)
  if (problem !== undefined) return Answer.json(400, { error: problem })
  try {
    store(server, Spans.readSpans(resourceSpans, server.now).map(Mapping.map), path)
  } catch (cause) {
    if (!(cause instanceof Spans.LostExport)) throw cause
    server.store.lose({ route: "otlp", reason: `${cause.message}: the export is lost`, id: cause.spanId })
  }
  return queued
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
  const verdict = Auth.authorize(request.headers, server.keys)
  return verdict.ok ? Answer.json(200, { message: "OK" }) : Answer.json(401, { message: verdict.message })
}
