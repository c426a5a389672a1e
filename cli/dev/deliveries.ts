/**
 * The requests that clients made: what they carried, what became of it, and what a real Langfuse would have said.
 */
import type { RequestLine } from "../../console/wire.js"
import type { RecordedRequest, Verdict } from "../../src/LangfuseServer.js"

/** Only the newest are kept. */
const kept = 2_000

/** Of one request no more refusals and losses are listed than this. */
const listed = 50

type Line = { -readonly [K in keyof RequestLine]: RequestLine[K] }

export interface Arriving {
  readonly at: number
  readonly method: string
  readonly path: string
  readonly headers: { readonly [name: string]: string | undefined }
}

/** A client is known by the name it gives itself, or by its user agent. */
const clientOf = (headers: Arriving["headers"]): string | undefined => {
  const name = headers["x-langfuse-sdk-name"]
  const version = headers["x-langfuse-sdk-version"]
  if (name !== undefined) return version === undefined ? name : `${name} ${version}`
  return headers["user-agent"]?.slice(0, 80)
}

const protocolOf = (path: string, headers: Arriving["headers"]): RequestLine["protocol"] => {
  if (path.endsWith("/v1/traces")) {
    return headers["content-type"]?.includes("protobuf") === true ? "otlp protobuf" : "otlp json"
  }
  if (path.endsWith("/ingestion")) return "batch"
  if (path.endsWith("/scores")) return "score"
  return path.endsWith("/health") ? "health" : "other"
}

const notesOn = (line: RequestLine, headers: Arriving["headers"]): ReadonlyArray<string> => {
  const notes: Array<string> = []
  if (line.protocol === "health" || line.protocol === "other") return notes
  if (headers["authorization"] === undefined) {
    notes.push("No Authorization header: a Langfuse answers 401. Set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY.")
  }
  if (line.path.startsWith("/v1/traces")) {
    notes.push("A Langfuse listens at /api/public/otel/v1/traces, not at /v1/traces.")
  }
  return notes
}

const refusesTraces = "Langfuse 4 and Langfuse Cloud take only scores here: send traces over OpenTelemetry."

/** Whether a batch carries more than scores and logs. */
const hasTraces = (body: string | undefined): boolean =>
  body !== undefined &&
  /"type"\s*:\s*"(trace|span|generation|event|observation|agent|tool|chain|retriever|evaluator|embedding|guardrail)-(create|update)"/
    .test(body)

/** What is wrong by field, from the list of issues that the server gives as text. */
const readable = (reason: string | undefined): string => {
  if (reason === undefined) return ""
  if (!reason.startsWith("[")) return reason
  try {
    const issues: unknown = JSON.parse(reason)
    if (!Array.isArray(issues)) return reason
    return issues.map((issue: { readonly path?: ReadonlyArray<unknown>; readonly message?: unknown }) =>
      `${issue.path?.join(".") ?? ""}: ${String(issue.message)}`
    ).join("; ")
  } catch {
    return reason
  }
}

export class Deliveries {
  readonly #lines: Array<Line> = []
  #total = 0
  #refused = 0
  #losses = 0
  /** Grows with every change. */
  version = 0

  get total(): number {
    return this.#total
  }

  get refused(): number {
    return this.#refused
  }

  get losses(): number {
    return this.#losses
  }

  /** Notes that a request came; returns its number. */
  arrive(request: Arriving): number {
    const { headers } = request
    const line: Line = {
      number: ++this.#total,
      at: request.at,
      method: request.method,
      path: request.path,
      protocol: protocolOf(request.path.split("?")[0] ?? "", headers),
      client: clientOf(headers),
      gzip: headers["content-encoding"]?.includes("gzip") === true,
      bytes: Number(headers["content-length"] ?? 0) || 0,
      items: 0,
      status: undefined,
      took: undefined,
      fault: undefined,
      refused: [],
      losses: [],
      notes: []
    }
    line.notes = notesOn(line, headers)
    this.#lines.push(line)
    if (this.#lines.length > kept) this.#lines.splice(0, this.#lines.length - kept)
    this.version++
    return line.number
  }

  /** Notes what the server says of a request. */
  answer(number: number, request: RecordedRequest): void {
    const line = this.#find(number)
    if (line === undefined) return
    line.status = request.status
    line.bytes = request.bytes
    line.items = request.ids.length
    line.fault = request.fault
    const isRefused = (verdict: Verdict) => !verdict.isLost && verdict.status >= 400
    const refused = request.verdicts.filter(isRefused)
    const lost = request.verdicts.filter(({ isLost }) => isLost)
    line.refused = refused.slice(0, listed).map(({ id, reason, status }) => ({ id, status, reason: readable(reason) }))
    line.losses = lost.slice(0, listed).map(({ id, reason }) => ({ id, reason: readable(reason) }))
    this.#refused += refused.length
    this.#losses += lost.length
    if (line.protocol === "batch" && hasTraces(request.body)) line.notes = [...line.notes, refusesTraces]
    this.version++
  }

  /** Notes that a request is over, answered or not. */
  end(number: number, now: number, status: number | undefined): void {
    const line = this.#find(number)
    if (line === undefined) return
    line.took = now - line.at
    line.status ??= status
    this.version++
  }

  clear(): void {
    this.#lines.length = 0
    this.#refused = 0
    this.#losses = 0
    this.version++
  }

  list(): ReadonlyArray<RequestLine> {
    return this.#lines
  }

  #find(number: number): Line | undefined {
    const first = this.#lines[0]
    return first === undefined ? undefined : this.#lines[number - first.number]
  }
}
