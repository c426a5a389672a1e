/** Ids of spans from elsewhere, as W3C Trace Context has them. https://www.w3.org/TR/trace-context/#trace-id */

import { isSpanId, isTraceId } from "../w3c.js"

const isZero = (id: string): boolean => /^0+$/.test(id)

/** 32 lowercase hex digits; B3 headers may have 16. `undefined` for what is no trace id. */
export const traceId = (id: unknown): string | undefined => {
  if (typeof id !== "string") return undefined
  // Nearly all are as they should be, and need no more work.
  if (isTraceId(id)) return id
  if (!/^(?:[0-9a-f]{32}|[0-9a-f]{16})$/i.test(id) || isZero(id)) return undefined
  return id.toLowerCase().padStart(32, "0")
}

/** 16 lowercase hex digits. */
export const spanId = (id: unknown): string | undefined => {
  if (typeof id !== "string") return undefined
  if (isSpanId(id)) return id
  return /^[0-9a-f]{16}$/i.test(id) && !isZero(id) ? id.toLowerCase() : undefined
}
