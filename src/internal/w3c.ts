/** Ids as W3C Trace Context writes them. https://www.w3.org/TR/trace-context/#trace-id */

export const isTraceId = (id: string): boolean => id.length === 32 && isHex(id)

export const isSpanId = (id: string): boolean => id.length === 16 && isHex(id)

/** Lowercase hex digits, and not zeros only. Each event has several ids, so without a regular expression. */
const isHex = (text: string): boolean => {
  let isZero = true
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (!(code >= 0x30 && code <= 0x39) && !(code >= 0x61 && code <= 0x66)) return false
    if (code !== 0x30) isZero = false
  }
  return !isZero
}
