/**
 * What stands in for Langfuse: the batch endpoint and the OTLP endpoint of one plain HTTP server, in a process of its own.
 *
 * It has to cost little, and the same for everyone, so it parses next to nothing: it looks for the envelope ids that a 207
 * has to name, and for the numbered names of the events, which are counted once each however often they arrive. In JSON
 * these are texts; in protobuf they are found by the lengths of the messages, for a byte after a name can be a digit. Runs are
 * told apart by the path: `/r/<run>/api/public/…`; under `/hang/r/<run>/…` nothing is ever answered.
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

  count(body: Buffer, numbers: ReadonlyArray<number>): void {
    this.requests++
    this.bytes += body.length
    const before = this.events
    for (const number of numbers) this.see(number)
    if (this.events > before) this.lastAt = performance.timeOrigin + performance.now()
  }

  private see(number: number): void {
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

  report(): Received {
    return { events: this.events, requests: this.requests, bytes: this.bytes, lastAt: this.lastAt }
  }
}

const marker = Buffer.from("\"bench-")
const prefix = Buffer.from("bench-")

/** More digits than any run has events. */
const mostDigits = 9

/** The digits from a place on as a number; `undefined` where there are none or too many. */
const numberAt = (body: Buffer, from: number, to: number): number | undefined => {
  let number = 0
  let at = from
  for (; at < to; at++) {
    const digit = (body[at] ?? 0) - 0x30
    if (digit < 0 || digit > 9) break
    number = number * 10 + digit
  }
  return at === from || at - from > mostDigits ? undefined : number
}

/** Of the texts in JSON that begin with `bench-<n>`. */
export const numbersInJson = (body: Buffer): ReadonlyArray<number> => {
  const numbers: Array<number> = []
  for (let at = body.indexOf(marker); at >= 0; at = body.indexOf(marker, at + marker.length)) {
    const number = numberAt(body, at + marker.length, body.length)
    if (number !== undefined) numbers.push(number)
  }
  return numbers
}

/** Calls with each field that has a length; stops where the bytes make no sense. */
const eachField = (
  body: Buffer,
  from: number,
  to: number,
  visit: (field: number, from: number, to: number) => void
): void => {
  let at = from
  const varint = (): number => {
    let value = 0
    for (let unit = 1; at < to; unit *= 128) {
      const byte = body[at++] ?? 0
      value += (byte & 0x7f) * unit
      if (byte < 0x80) break
    }
    return value
  }
  while (at < to) {
    const tag = varint()
    switch (tag % 8) {
      case 0:
        varint()
        break
      case 1:
        at += 8
        break
      case 2: {
        const end = varint() + at
        if (end > to) return
        visit(Math.floor(tag / 8), at, end)
        at = end
        break
      }
      case 5:
        at += 4
        break
      default:
        return
    }
  }
}

// https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
const pathOfName = [1, 2, 2, 5]

/** Of the spans of an OTLP export in protobuf whose names are `bench-<n>`. */
export const numbersInProtobuf = (body: Buffer): ReadonlyArray<number> => {
  const numbers: Array<number> = []
  const walk = (depth: number, from: number, to: number): void =>
    eachField(body, from, to, (field, from, to) => {
      if (field !== pathOfName[depth]) return
      if (depth + 1 < pathOfName.length) return walk(depth + 1, from, to)
      const digits = from + prefix.length
      if (digits >= to || prefix.compare(body, from, digits) !== 0) return
      const number = numberAt(body, digits, to)
      if (number !== undefined) numbers.push(number)
    })
  walk(0, 0, body.length)
  return numbers
}

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
    run.count(body, numbersInJson(body))
    json(response, 207, `{"successes":[${successes}],"errors":[]}`)
  } else if (url.endsWith("/api/public/otel/v1/traces")) {
    const plain = request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body
    const isProtobuf = request.headers["content-type"]?.includes("protobuf") === true
    run.count(plain, isProtobuf ? numbersInProtobuf(plain) : numbersInJson(plain))
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
