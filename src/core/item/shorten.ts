/** Texts and JSON made to fit a number of bytes, with a note in the place of what is left out. */
import { carefully, notes, type Reading, stringify } from "./json.js"
import { Keys } from "./redact.js"
import { byteLength } from "./text.js"

/** A value of fewer bytes is not cut: the note alone takes nearly as many. */
export const minBytes = 128

/** What a text takes as a JSON string. A text that is known to be over the limit is not measured to its end. */
export const quotedLength = (text: string, limit: number): number =>
  text.length + 2 > limit ? text.length + 2 : byteLength(JSON.stringify(text))

/**
 * The size above which values are to be cut so that all of them together take at most `budget`: cutting the largest to the
 * size of the next, then both, and so on.
 */
export const levelOf = (sizes: ReadonlyArray<number>, budget: number): number => {
  const sorted = sizes.slice().sort((a, b) => a - b)
  let rest = budget
  for (let i = 0; i < sorted.length; i++) {
    const size = sorted[i] as number // below the length
    const share = Math.floor(rest / (sorted.length - i))
    if (size > share) return share
    rest -= size
  }
  return Infinity
}

export const noteOf = (cut: number, total: number, unit: string, maxEventBytes: number): string =>
  `...<cut ${cut} of ${total} ${unit}: maxEventBytes is ${maxEventBytes}>`

/**
 * The beginning of a text and a note, which together take at most `limit` bytes as a JSON string. The JSON of an object or a
 * list still is one.
 */
export const shortenText = (text: string, limit: number, maxEventBytes: number): string =>
  shortenJsonText(text, limit, maxEventBytes) ?? firstPart(text, limit, maxEventBytes)

/** A longer one takes more than a few milliseconds to parse. */
const maxParsed = 2_000_000

const shortenJsonText = (text: string, limit: number, maxEventBytes: number): string | undefined => {
  if (text.length > Math.max(maxParsed, 10 * maxEventBytes) || !/^\s*[[{]/.test(text)) return undefined
  try {
    const whole = stringify(JSON.parse(text), readingOf(10 * maxEventBytes))
    // Quotes and line ends take more within a string.
    for (let room = limit, size = 0, tries = 0; tries < 4; tries++, room *= 0.9 * limit / size) {
      const json = shortenJson(whole, room, maxEventBytes)
      size = quotedLength(json, Infinity)
      if (size <= limit) return json
    }
  } catch {
    // It only looks like JSON.
  }
  return undefined
}

const firstPart = (text: string, limit: number, maxEventBytes: number): string => {
  const total = text.length
  const room = limit - noteOf(total, total, "characters", maxEventBytes).length - 2
  const end = prefix(text, room)
  if (end >= total) return text
  // Through JSON, since a slice shares the memory of the text that it was taken from.
  return JSON.parse(
    JSON.stringify(text.slice(0, end) + noteOf(total - end, total, "characters", maxEventBytes))
  ) as string
}

/** How many code units, in whole characters, take at most `room` bytes in a JSON string. */
const prefix = (text: string, room: number): number => {
  let bytes = 0
  let end = 0
  while (end < text.length) {
    const code = text.charCodeAt(end)
    let units = 1
    let size = 1
    if (code < 0x20) size = code >= 0x08 && code <= 0x0d && code !== 0x0b ? 2 : 6
    else if (code === 0x22 || code === 0x5c) size = 2
    else if (code >= 0xd800 && code < 0xdc00) {
      // The first half of a pair: texts that are kept have no lone surrogates.
      units = 2
      size = 4
    } else if (code > 0x7ff) size = 3
    else if (code > 0x7f) size = 2
    if (bytes + size > room) break
    bytes += size
    end += units
  }
  return end
}

/**
 * JSON that takes at most `limit` bytes and is still an object or a list where it was one. The longest texts are shortened
 * first. Only where that is not enough, the middle of lists and objects is left out.
 */
export const shortenJson = (json: string, limit: number, maxEventBytes: number): string => {
  if (json.length <= limit && byteLength(json) <= limit) return json
  const value: unknown = JSON.parse(json)
  if (typeof value === "string") return JSON.stringify(shortenText(value, limit, maxEventBytes))
  const sizes: Array<number> = []
  eachText(value, (text) => {
    const size = text.length < 20 ? 0 : quotedLength(text, Infinity)
    if (size > minBytes) sizes.push(size)
    return text
  })
  const others = byteLength(json) - sizes.reduce((sum, size) => sum + size, 0)
  const level = Math.max(minBytes, levelOf(sizes, limit - others))
  const shortened = eachText(
    value,
    (text) =>
      text.length > level / 6 - 2 && quotedLength(text, level) > level ? shortenText(text, level, maxEventBytes) : text
  )
  const text = JSON.stringify(shortened)
  return byteLength(text) <= limit ? text : parts(shortened, limit, json, maxEventBytes)
}

/** Replaces the texts in a value that was parsed. */
const eachText = (value: unknown, replace: (text: string) => string): unknown => {
  if (typeof value === "string") return replace(value)
  if (typeof value !== "object" || value === null) return value
  const fields = value as Record<string, unknown> // a list has its indices as keys
  for (const key of Object.keys(fields)) {
    const field = fields[key]
    // Own properties, all of them: even __proto__ is assigned to as a property.
    if (typeof field === "string" || (typeof field === "object" && field !== null)) {
      fields[key] = eachText(field, replace)
    }
  }
  return value
}

const noKeys = new Keys(new Set())

const readingOf = (limit: number): Reading => ({ keys: noKeys, readable: () => undefined, limit })

/** First and last parts of lists and objects, as many as there is room for. */
const parts = (value: unknown, limit: number, whole: string, maxEventBytes: number): string => {
  for (let room = limit / 2, tries = 0; tries < 16 && room > 32; tries++) {
    const text = carefully(value, readingOf(room))
    const size = byteLength(text)
    if (size <= limit) return text
    room = Math.floor(room * Math.min(0.8, 0.9 * limit / size))
  }
  const note = JSON.stringify(noteOf(whole.length, whole.length, "characters", maxEventBytes))
  return Array.isArray(value) ? `[${note}]` : typeof value === "object" ? `{"${notes.cut}":${note}}` : note
}
