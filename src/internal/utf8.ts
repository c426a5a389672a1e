/**
 * Measuring and repairing text without Node's Buffer, so that it runs wherever Effect does.
 */

interface WellFormed {
  isWellFormed(): boolean
  toWellFormed(): string
}

// ES2024, newer than our compile target: in every runtime since 2023, but a browser may be older.
const native = String.prototype as Partial<WellFormed>

// In unicode mode a paired surrogate is one code point of another category, so this finds the lone ones only.
const lone = /\p{Surrogate}/u
const loneGlobal = /\p{Surrogate}/gu

/**
 * Whether the text has no lone surrogate, i.e. can be written as UTF-8 without loss. Constant time for Latin-1 text in V8.
 */
export const isWellFormed: (text: string) => boolean = typeof native.isWellFormed === "function"
  // The guard above is what makes the method certain.
  ? (text) => (text as unknown as WellFormed).isWellFormed()
  : (text) => !lone.test(text)

/**
 * The text with every lone surrogate replaced by U+FFFD.
 */
export const toWellFormed = (text: string): string => isWellFormed(text) ? text : text.replace(loneGlobal, "\ufffd")

const encoder = new TextEncoder()
let scratch: Uint8Array | undefined

/**
 * The exact length of the text in UTF-8. A lone surrogate counts as the three bytes that encoders write for it.
 */
export const byteLength = (text: string): number => {
  const length = text.length
  if (length < 24) {
    // Shorter than what a call into the encoder costs.
    let ascii = 0
    while (ascii < length && text.charCodeAt(ascii) < 0x80) ascii++
    if (ascii === length) return length
  }
  scratch ??= new Uint8Array(1 << 16)
  let bytes = 0
  let rest = text
  while (true) {
    const { read, written } = encoder.encodeInto(rest, scratch)
    bytes += written
    if (read >= rest.length) return bytes
    rest = rest.slice(read)
  }
}

/**
 * Writes the text as UTF-8 from a place on, where there must be room for all of it; returns the place after it.
 */
export const write = (text: string, into: Uint8Array, at: number): number =>
  at + encoder.encodeInto(text, into.subarray(at)).written

/**
 * The memory a text of so many UTF-8 bytes holds at most: engines keep ASCII in one byte a character, other text in two.
 */
export const heldBytes = (text: string, bytes: number): number =>
  bytes === text.length ? bytes : Math.max(bytes, 2 * text.length)

/**
 * The first `length` code units at most, without half a surrogate pair at the end.
 */
export const take = (text: string, length: number): string => {
  if (length >= text.length) return text
  if (length <= 0) return ""
  const last = text.charCodeAt(length - 1)
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length)
}
