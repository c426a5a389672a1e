/**
 * ISO 8601 text to the nanoseconds of OpenTelemetry.
 */
import { isIsoDateTime } from "../datetime.js"

/** Nanoseconds since 1970. */
export type Nanos = bigint

const parts = /^(.{16})(?::(\d{2})(?:\.(\d+))?)?(Z|.{6})$/

/** The time, to the nanosecond as far as it is given; `undefined` where Langfuse would not read it. */
export const parse = (text: string): Nanos | undefined => {
  if (!isIsoDateTime(text)) return undefined
  // What `toISOString` gives, as nearly every time is.
  if (text.length === 24 && text.charAt(23) === "Z") return fromMillis(Date.parse(text))
  const match = parts.exec(text)
  if (match === null) return undefined
  const [, minute, seconds, fraction, zone] = match
  const millis = Date.parse(`${minute}:${seconds ?? "00"}${zone}`)
  return fromMillis(millis) + BigInt((fraction ?? "").slice(0, 9).padEnd(9, "0"))
}

export const fromMillis = (millis: number): Nanos => BigInt(millis) * 1_000_000n

export const toIso = (time: Nanos): string => new Date(Number(time / 1_000_000n)).toISOString()

const last = 2n ** 64n - 1n

/** As OTLP/JSON has it. The wire type is unsigned and takes 0 for "not known", so earlier times are the first one it can hold. */
export const toText = (time: Nanos): string => String(time < 1n ? 1n : time > last ? last : time)
