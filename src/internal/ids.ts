/** Random ids from the web's own source of randomness, which every runtime has. */

const digits = "0123456789abcdef"
const dash = 0x2d

/** Bytes are drawn many at a time: a call for a few costs as much as one for a page. */
const poolSize = 4096

export interface RandomIds {
  readonly traceId: () => string
  readonly spanId: () => string
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

  /** Writes bytes of the pool as hex digits: codes of characters, from an index on. */
  const spell = (codes: Array<number>, at: number, start: number, bytes: number): void => {
    for (let i = 0; i < bytes; i++) {
      // The pool is as long as every index asks for.
      const byte = pool[start + i] ?? 0
      codes[at + 2 * i] = digits.charCodeAt(byte >> 4)
      codes[at + 2 * i + 1] = digits.charCodeAt(byte & 0x0f)
    }
  }

  /** A text is made of its codes at once: one that is put together from parts takes twice as long. */
  const hexOf = (bytes: number): () => string => {
    const codes = new Array<number>(2 * bytes).fill(dash)
    const next = (): string => {
      spell(codes, 0, take(bytes), bytes)
      const id = String.fromCharCode(...codes)
      // OpenTelemetry reads an id of zeros as no id.
      return /[^0]/.test(id) ? id : next()
    }
    return next
  }

  const uuidCodes = new Array<number>(36).fill(dash)

  const uuid = (): string => {
    const start = take(16)
    // Version 4, variant 10.
    pool[start + 6] = ((pool[start + 6] ?? 0) & 0x0f) | 0x40
    pool[start + 8] = ((pool[start + 8] ?? 0) & 0x3f) | 0x80
    spell(uuidCodes, 0, start, 4)
    spell(uuidCodes, 9, start + 4, 2)
    spell(uuidCodes, 14, start + 6, 2)
    spell(uuidCodes, 19, start + 8, 2)
    spell(uuidCodes, 24, start + 10, 6)
    return String.fromCharCode(...uuidCodes)
  }

  return { traceId: hexOf(16), spanId: hexOf(8), uuid }
}
