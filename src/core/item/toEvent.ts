/** The way back: an item as the plain event that a program would have enqueued. */
import type { IngestionEvent } from "../../IngestionEvent.js"
import { toIso } from "../wire/time.js"
import { type Content, eventTypeOf, type Item, type Metadata, type Observation, type TraceFields } from "./item.js"

/** An event of the program's own, and `fromEvent` makes an equal item of it. */
export const toEvent = (item: Item): IngestionEvent => {
  const event: Record<string, unknown> = {
    type: typeOf(item),
    id: item.eventId,
    timestamp: timeOf(item.at),
    body: bodyOf(item)
  }
  if (item.kind === "observation" && item.context !== undefined) {
    event["trace"] = Object.fromEntries(context(item.context))
  }
  // Of items that spans became it is one of the union's. Others are what a program enqueued, whatever that was.
  return event as unknown as IngestionEvent
}

const isLegacy = (item: Item): boolean => item.kind === "observation" && item.type === "event" && item.op === "update"

/** Only the legacy type says that it is about an event which is there already. */
const typeOf = (item: Item): string => isLegacy(item) ? "observation-update" : eventTypeOf(item)

type Members = Array<readonly [key: string, value: unknown]>

const bodyOf = (item: Item): unknown => {
  switch (item.kind) {
    case "plain":
      return JSON.parse(item.body)
    case "trace":
      return Object.fromEntries([["id", item.id] as const, ...traceFields(item.fields), ...others(item.extra)])
    case "observation":
      return Object.fromEntries(observation(item))
  }
}

/** Text only: a key may be `__proto__`, so these become members and are never assigned. */
const others = (extra: string): Members => extra === "" ? [] : Object.entries(JSON.parse(`{${extra.slice(1)}}`))

const observation = (item: Observation): Members => {
  const out: Members = [["id", item.id]]
  if (isLegacy(item)) out.push(["type", "EVENT"])
  add(out, "traceId", item.traceId)
  add(out, "parentObservationId", item.parentId)
  add(out, "name", item.name)
  addTime(out, "startTime", item.start)
  addTime(out, "endTime", item.end)
  addTime(out, "completionStartTime", item.completionStart)
  add(out, "level", item.level)
  add(out, "statusMessage", item.statusMessage)
  add(out, "version", item.version)
  add(out, "environment", item.environment)
  add(out, "model", item.model)
  addJson(out, "modelParameters", item.parameters)
  addJson(out, "usageDetails", item.usage)
  addJson(out, "costDetails", item.cost)
  add(out, "promptName", item.promptName)
  add(out, "promptVersion", item.promptVersion)
  addContent(out, "input", item.input)
  addContent(out, "output", item.output)
  addMetadata(out, item.metadata)
  out.push(...others(item.extra))
  return out
}

const traceFields = (fields: TraceFields): Members => {
  const out: Members = []
  addTime(out, "timestamp", fields.start)
  add(out, "name", fields.name)
  add(out, "userId", fields.userId)
  add(out, "sessionId", fields.sessionId)
  add(out, "release", fields.release)
  add(out, "version", fields.version)
  add(out, "environment", fields.environment)
  add(out, "public", fields.isPublic)
  add(out, "tags", fields.tags)
  addContent(out, "input", fields.input)
  addContent(out, "output", fields.output)
  addMetadata(out, fields.metadata)
  return out
}

const context = (fields: TraceFields): Members =>
  fields.isAppRoot ? [...traceFields(fields), ["isAppRoot", true]] : traceFields(fields)

const add = (out: Members, key: string, value: unknown): void => {
  if (value !== undefined) out.push([key, value])
}

const addJson = (out: Members, key: string, json: string | undefined): void => {
  if (json !== undefined) out.push([key, JSON.parse(json)])
}

const addTime = (out: Members, key: string, millis: number | undefined): void => {
  if (millis !== undefined) out.push([key, timeOf(millis)])
}

const valueOf = ({ isJson, text }: Content): unknown => isJson ? JSON.parse(text) : text

const addContent = (out: Members, key: string, content: Content | undefined): void => {
  if (content !== undefined) out.push([key, valueOf(content)])
}

const addMetadata = (out: Members, metadata: Metadata | undefined): void => {
  if (metadata === undefined) return
  out.push(["metadata", Object.fromEntries(Array.from(metadata, ([key, content]) => [key, valueOf(content)]))])
}

/** To the nanosecond where there is more than milliseconds. */
const timeOf = (millis: number): string => {
  const text = toIso(millis)
  const nanos = Math.min(999_999, Math.round((millis - Math.floor(millis)) * 1e6))
  return nanos > 0 ? `${text.slice(0, -1)}${String(nanos).padStart(6, "0").replace(/0+$/, "")}Z` : text
}
