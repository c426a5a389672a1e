/**
 * Fields of protobuf. https://protobuf.dev/programming-guides/encoding/
 *
 * A tag is the number of the field times eight, and 2 for what has a length, 1 for eight bytes, 0 for a varint.
 */
import type { Bytes } from "./bytes.js"

/**
 * Begins a message whose length is not known yet, and reserves four bytes for it: decoders take a varint that is padded
 * (11000000 10000000 …). That is enough for 256 MB. Returns the place to `close`.
 */
export const open = (out: Bytes, tag: number): number => {
  out.reserve(5)
  out.buffer[out.length] = tag
  out.length += 5
  return out.length
}

/** Fills in the length of what was written since. */
export const close = (out: Bytes, from: number): void => {
  const length = out.length - from
  const { buffer } = out
  buffer[from - 4] = (length & 0x7f) | 0x80
  buffer[from - 3] = ((length >> 7) & 0x7f) | 0x80
  buffer[from - 2] = ((length >> 14) & 0x7f) | 0x80
  buffer[from - 1] = length >> 21
}

/** Up to this length no text takes more than 127 bytes, the longest length of one byte. */
const short = 42

export const text = (out: Bytes, tag: number, value: string): void => {
  if (value.length > short) {
    const from = open(out, tag)
    out.utf8(value)
    close(out, from)
  } else {
    out.reserve(2)
    out.buffer[out.length] = tag
    out.length += 2
    const from = out.length
    out.utf8(value)
    out.buffer[from - 1] = out.length - from
  }
}

/** An integer from 0. */
export const varint = (out: Bytes, tag: number, value: number): void => {
  out.byte(tag)
  let rest = value
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) out.byte(rest % 0x80 | 0x80)
  out.byte(rest)
}

/**
 * Bytes given in hex. Returns `false`, and writes nothing, unless it is lowercase and not zeros only: what an id of
 * OpenTelemetry is, apart from its length (see `ids.ts`).
 */
export const hex = (out: Bytes, tag: number, digits: string): boolean => {
  const size = digits.length >> 1
  out.reserve(2 + size)
  const { buffer } = out
  let at = out.length
  buffer[at++] = tag
  buffer[at++] = size
  let bits = 0
  for (let i = 0; i < digits.length; i += 2) {
    const byte = nibble(digits.charCodeAt(i)) << 4 | nibble(digits.charCodeAt(i + 1))
    bits |= byte
    buffer[at++] = byte
  }
  if (bits === 0 || bits > 0xff) return false
  out.length = at
  return true
}

/** Above a byte for what is no digit. */
const nibble = (code: number): number =>
  code >= 0x30 && code <= 0x39 ? code - 0x30 : code >= 0x61 && code <= 0x66 ? code - 0x57 : 0x100

/** 2^64 − 1 nanoseconds, in the year 2554. */
const lastMillis = 18_446_744_073_709.55

/** Whether `nanos` can say a time. */
export const hasNanos = (millis: number): boolean => millis >= 0 && millis < lastMillis

/**
 * Milliseconds since 1970 as nanoseconds in eight bytes, the lowest first. What is earlier becomes 1, since decoders
 * take 0 for absent; what is later than eight bytes can say becomes the largest. No number is exact enough for all of them,
 * so they are made in two parts.
 */
export const nanos = (out: Bytes, tag: number, millis: number): void => {
  out.byte(tag)
  if (millis >= lastMillis) {
    fixed32(out, 0xffff_ffff)
    return fixed32(out, 0xffff_ffff)
  }
  if (!(millis >= 1e-6)) {
    fixed32(out, 1)
    return fixed32(out, 0)
  }
  const whole = Math.floor(millis)
  const upper = Math.floor(whole / 2 ** 20) * 1e6
  const lower = upper % 2 ** 12 * 2 ** 20 + whole % 2 ** 20 * 1e6 + Math.floor((millis - whole) * 1e6)
  fixed32(out, lower % 2 ** 32)
  fixed32(out, Math.floor(upper / 2 ** 12) + Math.floor(lower / 2 ** 32))
}

const fixed32 = (out: Bytes, value: number): void => {
  out.reserve(4)
  for (let shift = 0; shift < 32; shift += 8) out.buffer[out.length++] = value >>> shift
}
