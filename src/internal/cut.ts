/**
 * Making the JSON texts of an event fit a limit in bytes, the largest first, and saying what was cut.
 */
import { byteLength } from "./utf8.js"

/**
 * The JSON text of an object in parts: `head` is an object of all its other fields.
 *
 * A class, like all else that is made for each event. Engines look where objects that live long are made by literals, and
 * lay further ones of the same place into old memory at once; those of a full queue do live long. From there even one that is
 * used no more keeps every text it refers to until the next full garbage collection.
 */
export class Fields {
  readonly head: string
  readonly input: string | undefined
  readonly output: string | undefined
  readonly metadata: string | undefined
  readonly log: string | undefined

  constructor(
    head: string,
    input: string | undefined,
    output: string | undefined,
    metadata: string | undefined,
    log: string | undefined
  ) {
    this.head = head
    this.input = input
    this.output = output
    this.metadata = metadata
    this.log = log
  }
}

const contents = ["input", "output", "metadata", "log"] as const

/**
 * The JSON text of the whole object.
 */
export const assemble = (fields: Fields): string => {
  let text = fields.head.slice(0, -1)
  for (const name of contents) {
    const content = fields[name]
    if (content !== undefined) text += text.length === 1 ? `"${name}":${content}` : `,"${name}":${content}`
  }
  return `${text}}`
}

/**
 * What a content field adds to the object besides its own text: its name in quotes, the colon and a comma.
 */
export const overhead = (name: string): number => name.length + 4

/**
 * No value is cut below this: room for the note itself.
 */
const MIN_BYTES = 128

/**
 * What is never cut: without these an event cannot be stored, found, joined or billed.
 */
const untouchable: ReadonlySet<string> = new Set([
  "id",
  "type",
  "traceId",
  "parentObservationId",
  "observationId",
  "sessionId",
  "userId",
  "externalId",
  "datasetRunId",
  "configId",
  "queueId",
  "executionTraceId",
  "timestamp",
  "startTime",
  "endTime",
  "completionStartTime",
  "environment",
  "level",
  "model",
  "promptName",
  "promptVersion",
  "usage",
  "usageDetails",
  "costDetails",
  "dataType",
  "source",
  "public",
  "isAppRoot"
])

/**
 * The fields, cut so that the whole object takes at most `limit` bytes. That cannot be reached only when what is never cut
 * takes all but about 2 KB of it. Texts that were cut do not keep the originals in memory.
 */
export const fit = (fields: Fields, limit: number, maxEventBytes: number): Fields => {
  const present = contents.filter((name) => fields[name] !== undefined)
  const texts = present.map((name) => fields[name] as string) // by the filter
  const sizes = texts.map(byteLength)
  const names = present.reduce((sum, name) => sum + overhead(name), 0)
  const total = sum(sizes)
  let head = fields.head
  let headSize = byteLength(head)

  // Names and messages yield to content only when they take more than half of the event.
  const headLimit = Math.max(Math.floor(limit / 2), limit - names - total)
  if (headSize > headLimit) {
    head = cutObject(head, headLimit, maxEventBytes, untouchable)
    headSize = byteLength(head)
  }
  const level = Math.max(MIN_BYTES, levelOf(sizes, limit - names - headSize))
  const cut: { -readonly [K in keyof Fields]: Fields[K] } = { ...fields, head }
  let used = names
  present.forEach((name, i) => {
    const text = texts[i] as string // one for each name
    const size = sizes[i] as number
    const isObject = name === "metadata" && text.startsWith("{")
    const fitting = size <= level
      ? text
      : isObject
      ? cutObject(text, level, maxEventBytes)
      : cutValue(text, level, maxEventBytes)
    cut[name] = fitting
    used += fitting === text ? size : byteLength(fitting)
  })
  if (headSize > limit - used) cut.head = cutObject(fields.head, limit - used, maxEventBytes, untouchable)
  return cut
}

const sum = (sizes: ReadonlyArray<number>): number => sizes.reduce((total, size) => total + size, 0)

/**
 * The size above which values are to be cut so that all of them together take at most `budget`: cutting the largest to the
 * size of the next, then both, and so on.
 */
const levelOf = (sizes: ReadonlyArray<number>, budget: number): number => {
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

const noteOf = (cut: number, total: number, maxEventBytes: number): string =>
  `...<cut ${cut} of ${total} bytes: maxEventBytes is ${maxEventBytes}>`

/**
 * A value as a JSON string of at most `limit` bytes: the beginning of a string, or of the JSON text of anything else.
 */
export const cutValue = (text: string, limit: number, maxEventBytes: number): string => {
  const total = byteLength(text)
  if (total <= limit) return text
  const room = Math.max(0, limit - noteOf(total, total, maxEventBytes).length - 2)
  const isString = text.startsWith("\"")
  const start = isString ? 1 : 0
  const { bytes, end } = prefix(text, start, isString ? text.length - 1 : text.length, room, !isString)
  const note = noteOf(total - bytes, total, maxEventBytes)
  const kept = text.slice(start, end)
  // A slice shares the memory of the text it was taken from; what JSON.stringify writes is a copy.
  return JSON.stringify((isString ? JSON.parse(`"${kept}"`) as string : kept) + note)
}

/**
 * How much of the text, in whole characters, takes at most `room` bytes in a JSON string. `escape`: the text is not inside
 * one yet, so its quotes and backslashes take another byte there; otherwise its escape sequences are kept whole.
 */
const prefix = (text: string, start: number, stop: number, room: number, escape: boolean) => {
  let bytes = 0
  let weight = 0
  let end = start
  while (end < stop) {
    const code = text.charCodeAt(end)
    let units = 1
    let size = 1
    let extra = 0
    if (code === 0x5c && !escape) units = size = text.charCodeAt(end + 1) === 0x75 ? 6 : 2
    else if (code === 0x22 || code === 0x5c) extra = escape ? 1 : 0
    else if (code >= 0xd800 && code < 0xdc00) {
      // Always the first half of a pair: what we serialise has no lone surrogates.
      units = 2
      size = 4
    } else if (code > 0x7ff) size = 3
    else if (code > 0x7f) size = 2
    if (weight + size + extra > room) break
    weight += size + extra
    bytes += size
    end += units
  }
  return { bytes, end }
}

/**
 * An object of at most `limit` bytes with the same first keys, its largest values cut.
 */
const cutObject = (
  text: string,
  limit: number,
  maxEventBytes: number,
  keep?: ReadonlySet<string>
): string => {
  const total = byteLength(text)
  if (total <= limit) return text
  const entries = Object.entries(JSON.parse(text) as Record<string, unknown>).map(([key, value]) => {
    const json = JSON.stringify(value)
    const kept = keep !== undefined && (keep.has(key) || !/^["[{]/.test(json))
    return { key, json, kept, size: byteLength(json), name: byteLength(JSON.stringify(key)) + 2 }
  })
  const fixed = 2 + entries.reduce((sum, entry) => sum + entry.name + (entry.kept ? entry.size : 0), 0)
  const level = levelOf(entries.filter((entry) => !entry.kept).map((entry) => entry.size), limit - fixed)
  const cut = (key: string, json: string, limit: number): string =>
    keep === undefined || json.startsWith("\"")
      ? cutValue(json, limit, maxEventBytes)
      : key === "tags" && json.startsWith("[")
      ? cutTags(json, limit, maxEventBytes)
      : json.startsWith("{")
      ? cutObject(json, limit, maxEventBytes)
      : cutValue(json, limit, maxEventBytes)

  if (level >= MIN_BYTES) {
    return `{${
      entries.map((entry) =>
        `${JSON.stringify(entry.key)}:${
          entry.kept || entry.size <= level ? entry.json : cut(entry.key, entry.json, level)
        }`
      ).join(",")
    }}`
  }

  // Too many keys to leave room for values: only the first that fit, and a note for the others.
  const noteRoom = noteOf(total, total, maxEventBytes).length + `"<cut>":"",`.length
  let room = limit - 2 - noteRoom -
    entries.reduce((sum, entry) => sum + (entry.kept ? entry.name + entry.size : 0), 0)
  const parts: Array<string> = []
  let left = 0
  for (const { json, kept, key, name, size } of entries) {
    if (kept) {
      parts.push(`${JSON.stringify(key)}:${json}`)
      continue
    }
    const value = size <= MIN_BYTES ? json : cut(key, json, MIN_BYTES)
    const bytes = byteLength(value) + name
    if (bytes > room) {
      left += size + name
    } else {
      room -= bytes
      parts.push(`${JSON.stringify(key)}:${value}`)
    }
  }
  if (left > 0) parts.push(`"<cut>":"${noteOf(left, total, maxEventBytes)}"`)
  return `{${parts.join(",")}}`
}

/**
 * Tags are a list of strings whatever their size, and one is useless in part.
 */
const cutTags = (text: string, limit: number, maxEventBytes: number): string => {
  const total = byteLength(text)
  let room = limit - noteOf(total, total, maxEventBytes).length - 5
  let left = 0
  const kept: Array<string> = []
  for (const tag of JSON.parse(text) as Array<unknown>) {
    const json = JSON.stringify(tag)
    const size = byteLength(json) + 1
    if (size > room) {
      left += size
    } else {
      room -= size
      kept.push(json)
    }
  }
  if (left > 0) kept.push(`"${noteOf(left, total, maxEventBytes)}"`)
  return `[${kept.join(",")}]`
}
