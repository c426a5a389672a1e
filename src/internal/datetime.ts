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
const daySeconds = 86_400

/** 00 to 59: hours, minutes and seconds. */
const two = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, "0"))

/** What follows the second. */
const fractions = Array.from({ length: 1000 }, (_, n) => `.${String(n).padStart(3, "0")}Z`)

// Most times of a program are of one day, and many of one second: that part of the text is what takes long.
let lastDay = NaN
let lastDate = ""
let lastSecond = NaN
let lastText = ""

/** `undefined` for what has no such text: beyond the range of a Date, or a year of more than four digits. */
export const fromMillis = (millis: number): string | undefined => {
  // `toISOString` throws beyond the range of a Date, and a year past 9999 or before 0 makes it longer than Langfuse takes.
  if (!(Math.abs(millis) <= 8.64e15)) return undefined
  const time = Math.trunc(millis)
  const second = Math.floor(time / 1000)
  if (second !== lastSecond) {
    const day = Math.floor(time / dayMillis)
    if (day !== lastDay) {
      const text = new Date(time).toISOString()
      if (text.length !== 24) return undefined
      lastDay = day
      lastDate = text.slice(0, 11)
    }
    const rest = second - day * daySeconds
    const minutes = Math.floor(rest / 60)
    lastText = `${lastDate}${two[Math.floor(minutes / 60)]}:${two[minutes % 60]}:${two[rest % 60]}`
    lastSecond = second
  }
  return lastText + fractions[time - second * 1000]
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
