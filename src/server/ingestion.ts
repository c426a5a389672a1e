/**
 * One request to `POST /api/public/ingestion`: from its body to the events that are taken and the answer about them.
 */
import type { Access } from "./auth.js"
import * as Events from "./events.js"
import type { WriteMode } from "./model.js"
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
export const idOf = (event: unknown): string => {
  const id = V.isRecord(event) ? event["id"] : undefined
  return typeof id === "string" ? id : "unknown"
}

const typeOf = (event: unknown): string => {
  const type = V.isRecord(event) ? event["type"] : undefined
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
  event.entity === "score" || event.entity === "log" ||
  (access === "project" && event.entity !== "dataset-run-item")

export const processBatch = (
  batch: ReadonlyArray<unknown>,
  options: { readonly access: Access; readonly writeMode: WriteMode; readonly refuse?: Refuse | undefined }
): Processed => {
  const malformed: Array<Refusal> = []
  const denied: Array<Refusal> = []
  const unwanted: Array<Refusal> = []
  const refused: Array<Refusal> = []
  const taken: Array<Events.Event> = []
  for (const [index, raw] of batch.entries()) {
    const refusal = options.refuse?.(raw, index)
    if (refusal !== undefined) {
      refused.push({ id: idOf(raw), ...refusal })
      continue
    }
    const type = typeOf(raw)
    if (options.writeMode === "events_only" && type !== "score-create" && type !== "sdk-log") {
      unwanted.push(notAccepted(raw))
      continue
    }
    const parsed = V.parse(Events.event, raw)
    if (!parsed.ok) {
      malformed.push({
        id: idOf(raw),
        status: 400,
        message: "Invalid request data",
        error: V.message(parsed.issues)
      })
    } else if (!isAllowed(parsed.value, options.access)) {
      denied.push({
        id: parsed.value.id,
        status: 401,
        message: "Authentication error",
        error: "Access Scope Denied"
      })
    } else {
      taken.push(parsed.value)
    }
  }
  const events = Events.processingOrder(taken)
  return {
    // A log is taken without being mentioned.
    successes: events.flatMap((event) => event.entity === "log" ? [] : [{ id: event.id, status: 201 }]),
    errors: [...malformed, ...denied, ...unwanted, ...refused],
    events,
    accepted: taken.map((event) => event.id)
  }
}
