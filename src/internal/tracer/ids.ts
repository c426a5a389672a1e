/** Ids of spans from elsewhere, as W3C Trace Context has them. https://www.w3.org/TR/trace-context/#trace-id */
import { isSpanId, isTraceId, traceIdOf } from "../../core/wire/ids.js"

const isZero = (id: string): boolean => /^0+$/.test(id)

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** 1, 4 and 7 are the versions that are used as ids of traces; `IdGenerator` makes no trace id that looks like one. */
const used = /^.{14}[147].{4}[89ab]/

/** 32 lowercase hex digits. B3 headers may have 16, and some programs use UUIDs. `undefined` for what is no trace id. */
export const traceId = (id: unknown): string | undefined => {
  if (typeof id !== "string") return undefined
  // Nearly all are as they should be, and need no more work.
  if (isTraceId(id)) return id
  const lower = id.toLowerCase()
  if (uuid.test(lower)) return traceIdOf(spelled(lower))
  if (!/^(?:[0-9a-f]{32}|[0-9a-f]{16})$/.test(lower) || isZero(lower)) return undefined
  return lower.padStart(32, "0")
}

/** 16 lowercase hex digits. */
export const spanId = (id: unknown): string | undefined => {
  if (typeof id !== "string") return undefined
  if (isSpanId(id)) return id
  return /^[0-9a-f]{16}$/i.test(id) && !isZero(id) ? id.toLowerCase() : undefined
}

/**
 * An id that somebody kept and handed back, in capitals or with the dashes of a UUID, as it was. A real UUID is left alone:
 * events that a program writes itself, and traces of older SDKs, may have one as their id.
 */
export const spelled = (id: string): string => {
  const lower = id.toLowerCase()
  if (uuid.test(lower)) return used.test(lower) ? id : lower.replaceAll("-", "")
  return isTraceId(lower) || isSpanId(lower) ? lower : id
}
