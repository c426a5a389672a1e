/** A program's own times as the texts that Langfuse takes. */
import * as DateTime from "effect/DateTime"
import { isWritable, parseTime, toIso as isoOf } from "../core/wire/time.js"

/** `YYYY-MM-DDTHH:MM[:SS[.d+]]` with `Z` or `±HH:MM`, and a day that exists. Only old servers take `±HHMM`. */
export const isIsoDateTime = (text: string): boolean =>
  (text.endsWith("Z") || text.charAt(text.length - 3) === ":") && !Number.isNaN(parseTime(text))

/** `undefined` for what has no such text: beyond the range of a Date, or a year of more than four digits. */
export const fromMillis = (millis: number): string | undefined => {
  const whole = Math.trunc(millis)
  return isWritable(whole) ? isoOf(whole) : undefined
}

/** The text of a time, or `undefined` where Langfuse would refuse whatever text it has. */
export const toIso = (time: unknown): string | undefined => {
  if (typeof time === "string") {
    if (!isIsoDateTime(time)) return undefined
    // Newer servers insist on seconds, older ones take them.
    return time.charAt(16) === ":" ? time : `${time.slice(0, 16)}:00${time.slice(16)}`
  }
  if (time instanceof Date) return fromMillis(time.getTime())
  return DateTime.isDateTime(time) ? fromMillis(time.epochMillis) : undefined
}
