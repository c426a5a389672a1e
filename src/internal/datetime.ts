/** The date and time texts Langfuse takes, and how a program's own times become one. */
import * as DateTime from "effect/DateTime"

const shape =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

const daysOf = (year: number, month: number): number => {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** `YYYY-MM-DDTHH:MM[:SS[.d+]]` with `Z` or `±HH:MM`, and a day that exists. */
export const isIsoDateTime = (text: string): boolean => {
  if (!shape.test(text)) return false
  const day = Number(text.slice(8, 10))
  return day <= 28 || day <= daysOf(Number(text.slice(0, 4)), Number(text.slice(5, 7)))
}

const dayMillis = 86_400_000

/** 00 to 99: hours, minutes, seconds and the hundredths of a second. */
const two = Array.from({ length: 100 }, (_, n) => String(n).padStart(2, "0"))

// Most times of a program are of one day, and that part of the text is what takes the engine long.
let lastDay = NaN
let lastDate = ""

/** `undefined` for what has no such text: beyond the range of a Date, or a year of more than four digits. */
export const fromMillis = (millis: number): string | undefined => {
  // `toISOString` throws beyond the range of a Date, and a year past 9999 or before 0 makes it longer than Langfuse takes.
  if (!(Math.abs(millis) <= 8.64e15)) return undefined
  const time = Math.trunc(millis)
  const day = Math.floor(time / dayMillis)
  if (day !== lastDay) {
    const text = new Date(time).toISOString()
    if (text.length !== 24) return undefined
    lastDay = day
    lastDate = text.slice(0, 11)
  }
  const rest = time - day * dayMillis
  const seconds = Math.floor(rest / 1000)
  const minutes = Math.floor(seconds / 60)
  const fraction = rest % 1000
  return `${lastDate}${two[Math.floor(minutes / 60)]}:${two[minutes % 60]}:${two[seconds % 60]}.${
    two[Math.floor(fraction / 10)]
  }${fraction % 10}Z`
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
