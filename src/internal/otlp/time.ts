/**
 * ISO 8601 text to the nanoseconds of OpenTelemetry.
 */
import { isIsoDateTime } from "../datetime.js"

/** Nanoseconds since 1970. */
export type Nanos = bigint

// The day of the latest time in the text that `toISOString` gives, which those that follow nearly always share.
let lastDate = ""
let lastMidnight = NaN

const digit = (text: string, index: number): number => {
  const value = text.charCodeAt(index) - 0x30
  return value >= 0 && value <= 9 ? value : NaN
}

const two = (text: string, index: number): number => digit(text, index) * 10 + digit(text, index + 1)

/** What `toISOString` gives, as nearly every time is, on the day of the latest: `NaN` for anything else. */
const millisToday = (text: string): number => {
  if (text.length !== 24 || !text.startsWith(lastDate) || lastDate === "") return NaN
  if (text.charAt(13) !== ":" || text.charAt(16) !== ":" || text.charAt(19) !== "." || text.charAt(23) !== "Z") {
    return NaN
  }
  const hours = two(text, 11)
  const minutes = two(text, 14)
  const seconds = two(text, 17)
  return hours < 24 && minutes < 60 && seconds < 60
    ? lastMidnight + ((hours * 60 + minutes) * 60 + seconds) * 1000 + digit(text, 20) * 100 + two(text, 21)
    : NaN
}

/** Milliseconds since 1970, without what is smaller; `undefined` where Langfuse would not read it. */
export const millisOf = (text: string): number | undefined => {
  const today = millisToday(text)
  if (!Number.isNaN(today)) return today
  if (!isIsoDateTime(text)) return undefined
  if (text.length === 24 && text.charAt(23) === "Z") {
    lastDate = text.slice(0, 11)
    lastMidnight = Date.parse(`${lastDate}00:00:00.000Z`)
  }
  return Date.parse(text)
}

const parts = /^(.{16})(?::(\d{2})(?:\.(\d+))?)?(Z|.{6})$/

/** The time, to the nanosecond as far as it is given; `undefined` where Langfuse would not read it. */
export const parse = (text: string): Nanos | undefined => {
  const time = millisOf(text)
  if (time === undefined) return undefined
  // What `toISOString` gives.
  if (text.length === 24 && text.charAt(23) === "Z") return fromMillis(time)
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
