/**
 * The recorded cases as values, see README.md.
 */
import { readFileSync } from "node:fs"
import { gzipSync } from "node:zlib"

export type Json = { readonly [key: string]: unknown }

export interface RecordedRequest {
  readonly method: string
  readonly path: string
  readonly headers?: { readonly [name: string]: string | null }
  readonly body?: unknown
  readonly bodyBase64?: string
  readonly gzip?: boolean
  readonly fill?: { readonly marker: string; readonly char: string; readonly count: number }
}

export interface Rows {
  readonly observations?: ReadonlyArray<Json>
  readonly traces?: ReadonlyArray<Json>
  readonly scores?: ReadonlyArray<Json>
  readonly lost?: ReadonlyArray<string>
}

export interface Case {
  readonly name: string
  readonly server: string
  readonly also?: ReadonlyArray<string>
  readonly alsoAnswer?: ReadonlyArray<string>
  readonly fields?: ReadonlyArray<string>
  readonly given?: { readonly scoreConfigs?: ReadonlyArray<unknown>; readonly prices?: string }
  readonly before?: ReadonlyArray<RecordedRequest>
  readonly request: RecordedRequest
  readonly answer: { readonly status: number; readonly body?: unknown; readonly contentType?: string | null }
  readonly stored: Rows | null
}

export const files = [
  "chat-view",
  "falsy",
  "merges",
  "old-servers",
  "otlp-requests",
  "otlp-spans",
  "scores",
  "usage-cost",
  "verdicts"
] as const

export const readCases = (file: string): ReadonlyArray<Case> =>
  readFileSync(new URL(`./${file}.ndjson`, import.meta.url), "utf8").split("\n").filter((line) => line !== "")
    .map((line): Case => JSON.parse(line))

const bytesOf = (request: RecordedRequest): Uint8Array | undefined => {
  if (request.bodyBase64 !== undefined) return Buffer.from(request.bodyBase64, "base64")
  if (request.body === undefined) return undefined
  const text = typeof request.body === "string" ? request.body : JSON.stringify(request.body)
  const { fill } = request
  return Buffer.from(fill === undefined ? text : text.replace(fill.marker, () => fill.char.repeat(fill.count)))
}

/** A recorded request as `fetch` sends it. */
export const initOf = (request: RecordedRequest, authorization: string): RequestInit => {
  const headers = new Map<string, string>([["content-type", "application/json"], ["authorization", authorization]])
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    if (value === null) headers.delete(name)
    else headers.set(name, value)
  }
  const bytes = bytesOf(request)
  const body = bytes !== undefined && request.gzip === true ? gzipSync(bytes) : bytes
  // The copy is what makes the bytes a `BodyInit`, whatever memory they came in.
  return {
    method: request.method,
    headers: Object.fromEntries(headers),
    ...(body === undefined ? {} : { body: new Uint8Array(body) })
  }
}
