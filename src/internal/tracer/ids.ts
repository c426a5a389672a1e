/** Ids of spans from elsewhere, as W3C Trace Context has them. https://www.w3.org/TR/trace-context/#trace-id */

const isZero = (id: string): boolean => /^0+$/.test(id)

/** Whether the id is what W3C writes: lowercase hex digits, not all of them 0. Nearly all are, and need no more work. */
const isCanonical = (id: string): boolean => {
  let isZero = true
  for (let i = 0; i < id.length; i++) {
    const unit = id.charCodeAt(i)
    if (unit < 0x30 || unit > 0x66 || (unit > 0x39 && unit < 0x61)) return false
    if (unit !== 0x30) isZero = false
  }
  return !isZero
}

/** 32 lowercase hex digits; B3 headers may have 16. `undefined` for what is no trace id. */
export const traceId = (id: unknown): string | undefined => {
  if (typeof id !== "string") return undefined
  if (id.length === 32 && isCanonical(id)) return id
  if (!/^(?:[0-9a-f]{32}|[0-9a-f]{16})$/i.test(id) || isZero(id)) return undefined
  return id.toLowerCase().padStart(32, "0")
}

/** 16 lowercase hex digits. */
export const spanId = (id: unknown): string | undefined => {
  if (typeof id !== "string") return undefined
  if (id.length === 16 && isCanonical(id)) return id
  return /^[0-9a-f]{16}$/i.test(id) && !isZero(id) ? id.toLowerCase() : undefined
}
