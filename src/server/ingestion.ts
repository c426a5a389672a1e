/**
 * One request to `POST /api/public/ingestion`: from its body to the events that are taken and the answer about them.
 */
import type { Access } from "./auth.js"
import * as Events from "./events.js"
import { isRecord } from "./json.js"
import type { WriteMode } from "./model.js"
import type { Verdict } from "./service.js"
import * as V from "./validation.js"

/** What the answer says of an event that was not taken. */
export interface Refusal {
  readonly id: string
  readonly status: number
  readonly message?: string | undefined
  readonly error?: string | undefined
}

export interface Processed {
  readonly successes: ReadonlyArray<{ readonly id: string; readonly status: 201 }>
  readonly errors: ReadonlyArray<Refusal>
  /** The events taken, in the order in which they are processed. */
  readonly events: ReadonlyArray<Events.Event>
  /** Envelope ids of the events taken, in the order of the request. */
  readonly accepted: ReadonlyArray<string>
  /** What was said about each event that has an id, in the order of the request. */
  readonly verdicts: ReadonlyArray<Verdict>
}

/** Refuses an event before anything looks at it. */
export type Refuse = (event: unknown, index: number) => Omit<Refusal, "id"> | undefined

const shape = V.object({ batch: V.array(V.any), metadata: V.any })

/** The batch of a request's body, or what is wrong with its shape. */
export const readBatch = (body: unknown): V.Parsed<ReadonlyArray<unknown>> => {
  const parsed = V.parse(shape, body)
  return parsed.ok ? { ok: true, value: parsed.value.batch } : parsed
}

/** The id by which the answer speaks of an event, whatever the event is. */
const idOf = (event: unknown): string => {
  const id = isRecord(event) ? event["id"] : undefined
  return typeof id === "string" ? id : "unknown"
}

const typeOf = (event: unknown): string => {
  const type = isRecord(event) ? event["type"] : undefined
  return typeof type === "string" ? type : "unknown"
}

const notAccepted = (event: unknown): Refusal => ({
  id: idOf(event),
  status: 400,
  message: "Event type not accepted",
  error: `Event type "${typeOf(event)}" is not accepted by /api/public/ingestion when ` +
    "LANGFUSE_MIGRATION_V4_WRITE_MODE is events_only. This endpoint only accepts score and log events. " +
    "Send traces and observations over OpenTelemetry with a v4-compatible SDK, or set the write mode to dual for the " +
    "time of the upgrade: https://langfuse.com/self-hosting/upgrade/upgrade-guides/upgrade-v3-to-v4"
})

const isAllowed = (event: Events.Event, access: Access): boolean =>
  access === "project" || event.entity === "score" || event.entity === "log"

/** What was wrong, on one line. */
const lineOf = (issues: ReadonlyArray<V.Issue>): string =>
  issues.map(({ message, path }) => `${path.join(".")}: ${message}`).join("; ")

interface Judged extends Refusal {
  readonly line?: string
}

const verdictOf = (raw: unknown, judged: Judged | undefined): ReadonlyArray<Verdict> => {
  const id = isRecord(raw) ? raw["id"] : undefined
  if (typeof id !== "string") return []
  return [{ id, status: judged?.status ?? 201, reason: judged?.line ?? judged?.message, isLost: false }]
}

export const processBatch = (
  batch: ReadonlyArray<unknown>,
  options: {
    readonly access: Access
    readonly writeMode: WriteMode
    readonly parser: V.Parser<Events.Event>
    readonly wording: (issues: ReadonlyArray<V.Issue>) => ReadonlyArray<V.Issue>
    readonly refuse?: Refuse | undefined
  }
): Processed => {
  const malformed: Array<Refusal> = []
  const denied: Array<Refusal> = []
  const unwanted: Array<Refusal> = []
  const refused: Array<Refusal> = []
  const taken: Array<Events.Event> = []
  const judge = (raw: unknown, index: number): Judged | undefined => {
    const asked = options.refuse?.(raw, index)
    if (asked !== undefined) return refuseIn(refused, { id: idOf(raw), ...asked })
    const type = typeOf(raw)
    if (options.writeMode === "events_only" && type !== "score-create" && type !== "sdk-log") {
      return refuseIn(unwanted, notAccepted(raw))
    }
    const parsed = V.parse(options.parser, raw)
    if (!parsed.ok) {
      const error = V.message(options.wording(parsed.issues))
      const refusal = refuseIn(malformed, { id: idOf(raw), status: 400, message: "Invalid request data", error })
      return { ...refusal, line: lineOf(parsed.issues) }
    }
    if (!isAllowed(parsed.value, options.access)) {
      const reason = { message: "Authentication error", error: "Access Scope Denied" }
      return refuseIn(denied, { id: parsed.value.id, status: 401, ...reason })
    }
    taken.push(parsed.value)
    return undefined
  }
  const verdicts = batch.flatMap((raw, index) => verdictOf(raw, judge(raw, index)))
  const events = Events.processingOrder(taken)
  return {
    // A log is taken without being mentioned.
    successes: events.flatMap((event) => event.entity === "log" ? [] : [{ id: event.id, status: 201 }]),
    errors: [...malformed, ...denied, ...unwanted, ...refused],
    events,
    accepted: taken.map((event) => event.id),
    verdicts
  }
}

const refuseIn = (list: Array<Refusal>, refusal: Refusal): Refusal => {
  list.push(refusal)
  return refusal
}
