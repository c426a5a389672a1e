/** Random ids from the web's own source of randomness, which every runtime has. */

const digits = Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0))
const dash = 0x2d

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

  /** One text, made at once: one that is put together stays in pieces until it is read. */
  const text = (start: number, bytes: number, isUuid: boolean): string => {
    const codes: Array<number> = []
    for (let i = 0; i < bytes; i++) {
      if (isUuid && (i === 4 || i === 6 || i === 8 || i === 10)) codes.push(dash)
      // The pool is as long as every index asks for.
      const byte = pool[start + i] ?? 0
      codes.push(digits[byte >> 4] ?? dash, digits[byte & 0x0f] ?? dash)
    }
    return String.fromCharCode(...codes)
  }

  const hex = (bytes: number): string => {
    const id = text(take(bytes), bytes, false)
    // OpenTelemetry reads an id of zeros as no id.
    return /[^0]/.test(id) ? id : hex(bytes)
  }

  const uuid = (): string => {
    const start = take(16)
    // Version 4, variant 10.
    pool[start + 6] = ((pool[start + 6] ?? 0) & 0x0f) | 0x40
    pool[start + 8] = ((pool[start + 8] ?? 0) & 0x3f) | 0x80
    return text(start, 16, true)
  }

  return { hex, uuid }
}
