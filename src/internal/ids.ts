/** Random ids from the web's own source of randomness, which every runtime has. */

const hexOf = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"))

/** Bytes are drawn many at a time: a call for a few costs as much as one for a page. */
const poolSize = 4096

export interface RandomIds {
  readonly hex: (bytes: number) => string
  readonly uuid: () => string
}

export const make = (fill: (bytes: Uint8Array) => void): RandomIds => {
  const pool = new Uint8Array(poolSize)
  let used = poolSize

  const take = (count: number): number => {
    if (used + count > poolSize) {
      fill(pool)
      used = 0
    }
    const start = used
    used += count
    return start
  }

  const text = (start: number, end: number): string => {
    let out = ""
    // The pool is as long as every index asks for.
    for (let index = start; index < end; index++) out += hexOf[pool[index] ?? 0]
    return out
  }

  const hex = (bytes: number): string => {
    const start = take(bytes)
    const id = text(start, start + bytes)
    // OpenTelemetry reads an id of zeros as no id.
    return /[^0]/.test(id) ? id : hex(bytes)
  }

  const uuid = (): string => {
    const start = take(16)
    // Version 4, variant 10.
    pool[start + 6] = ((pool[start + 6] ?? 0) & 0x0f) | 0x40
    pool[start + 8] = ((pool[start + 8] ?? 0) & 0x3f) | 0x80
    return `${text(start, start + 4)}-${text(start + 4, start + 6)}-${text(start + 6, start + 8)}-${
      text(start + 8, start + 10)
    }-${text(start + 10, start + 16)}`
  }

  return { hex, uuid }
}
