/**
 * What stands in for Langfuse: the batch endpoint and the OTLP endpoint of one plain HTTP server, in a process of its own.
 *
 * It has to cost little, and the same for everyone, so it parses nothing: it looks for the envelope ids that a 207 has to
 * name, and for the numbered names of the events, which are counted once each however often they arrive. Runs are told
 * apart by the path: `/r/<run>/api/public/…`; under `/hang/r/<run>/…` nothing is ever answered.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import { createServer } from "node:http"
import { fileURLToPath } from "node:url"
import { gunzipSync } from "node:zlib"

export interface Received {
  /** Distinct events. */
  readonly events: number
  readonly requests: number
  readonly bytes: number
  /** Milliseconds since the epoch at which the last event arrived that had not arrived before. */
  readonly lastAt: number
}

class Run {
  private seen = new Uint8Array(1 << 16)
  events = 0
  requests = 0
  bytes = 0
  lastAt = 0

  /** Counts the names `"bench-<n>`. */
  count(body: Buffer): void {
    this.requests++
    this.bytes += body.length
    const before = this.events
    for (let at = body.indexOf(marker); at >= 0; at = body.indexOf(marker, at + marker.length)) {
      let number = 0
      for (let i = at + marker.length;; i++) {
        const digit = (body[i] ?? 0) - 0x30
        if (digit < 0 || digit > 9) break
        number = number * 10 + digit
      }
      if (number >= this.seen.length) {
        const larger = new Uint8Array(Math.max(number + 1, this.seen.length * 2))
        larger.set(this.seen)
        this.seen = larger
      }
      if (this.seen[number] === 0) {
        this.seen[number] = 1
        this.events++
      }
    }
    if (this.events > before) this.lastAt = performance.timeOrigin + performance.now()
  }

  report(): Received {
    return { events: this.events, requests: this.requests, bytes: this.bytes, lastAt: this.lastAt }
  }
}

const marker = Buffer.from("\"bench-")
const afterId = Buffer.from("\",\"type\":\"")
const quote = 0x22

/**
 * The ids of envelopes that begin with `{"id":"…","type":"…-create"`, as every client here writes them. Content may hold
 * objects that begin alike; their types differ, and inside a text the quotes are escaped.
 */
export const envelopeIds = (body: Buffer): ReadonlyArray<string> => {
  const ids: Array<string> = []
  for (let at = body.indexOf(afterId); at >= 0; at = body.indexOf(afterId, at + afterId.length)) {
    const typeEnd = body.indexOf(quote, at + afterId.length)
    if (typeEnd < 0) break
    const type = body.toString("latin1", at + afterId.length, typeEnd)
    if (!type.endsWith("-create") && !type.endsWith("-update")) continue
    const start = body.lastIndexOf(quote, at - 1)
    ids.push(body.toString("latin1", start + 1, at))
  }
  return ids
}

const runs = new Map<string, Run>()

const runOf = (name: string): Run => {
  const known = runs.get(name)
  if (known !== undefined) return known
  const made = new Run()
  runs.set(name, made)
  return made
}

const json = (response: ServerResponse, status: number, text: string): void => {
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) })
  response.end(text)
}

const take = (run: Run, url: string, request: IncomingMessage, body: Buffer, response: ServerResponse): void => {
  if (url.endsWith("/api/public/ingestion")) {
    const successes = envelopeIds(body).map((id) => `{"id":"${id}","status":201}`).join(",")
    run.count(body)
    json(response, 207, `{"successes":[${successes}],"errors":[]}`)
  } else if (url.endsWith("/api/public/otel/v1/traces")) {
    run.count(request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body)
    json(response, 200, "{}")
  } else json(response, 404, "{\"error\":\"LangfuseNotFoundError\",\"message\":\"Not found\"}")
}

const handle = (request: IncomingMessage, response: ServerResponse): void => {
  const [, hang, name] = /^(\/hang)?\/r\/([^/]+)\//.exec(request.url ?? "") ?? []
  if (name === undefined) return json(response, 404, "{}")
  const run = runOf(name)
  if (request.method === "GET") {
    return json(
      response,
      200,
      request.url?.endsWith("/received") === true
        ? JSON.stringify(run.report())
        : "{\"status\":\"OK\",\"version\":\"3.100.0\"}"
    )
  }
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => {
    if (hang === undefined) take(run, request.url ?? "", request, Buffer.concat(chunks), response)
  })
}

/** Started by the harness: tells it the port, and ends with it. */
const serve = (): void => {
  const server = createServer(handle)
  server.keepAliveTimeout = 60_000
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    if (typeof address === "object" && address !== null) process.send?.(address.port)
  })
  process.on("disconnect", () => process.exit(0))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) serve()
