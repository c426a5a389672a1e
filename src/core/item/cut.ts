/** Makes an event fit `maxEventBytes`: its largest values are shortened, and say so. */
import {
  type Clearable,
  Content,
  type Item,
  type Metadata,
  type Observation,
  type Plain,
  type TraceFields
} from "./item.js"
import { notes } from "./json.js"
import { essential } from "./names.js"
import { levelOf, minBytes, noteOf, quotedLength, shortenJson, shortenText } from "./shorten.js"
import { byteLength } from "./text.js"

/** What may be cut of an item. */
class Part {
  /** Bytes of it on the batch endpoint's wire. */
  readonly size: number
  /** Makes it take at most so many. */
  readonly cut: (limit: number) => void

  constructor(size: number, cut: (limit: number) => void) {
    this.size = size
    this.cut = cut
  }
}

/** Cuts what is over the limit; whether there was anything to cut. */
export const cutItem = (item: Item, maxEventBytes: number): boolean => {
  const cutter = new Cutter(maxEventBytes)
  switch (item.kind) {
    case "observation": {
      const isCut = cutter.fit(observationBytes(item), cutter.observation(item))
      // The context does not travel with the event at the batch endpoint, and is bounded for itself.
      return item.context === undefined
        ? isCut
        : cutter.fit(fieldsBytes(item.context), cutter.fields(item.context)) || isCut
    }
    case "trace":
      return cutter.fit(envelopeBytes + item.id.length + fieldsBytes(item.fields), [
        ...cutter.fields(item.fields),
        ...cutter.extra(item)
      ])
    case "plain":
      return cutter.plain(item)
  }
}

/** Ids and type of the event, its time, braces and names: `{"id":"","type":"","timestamp":"","body":{}}`. */
const envelopeBytes = 170

const fieldBytes = (name: string, value: Clearable<string | number>): number =>
  value === undefined ? 0 : name.length + 6 + (typeof value === "string" ? 2 * value.length : 24)

/** What an observation takes without its parts; times and counts at their longest. */
const observationBytes = (item: Observation): number =>
  envelopeBytes + item.eventId.length + item.id.length + fieldBytes("traceId", item.traceId) +
  fieldBytes("parentObservationId", item.parentId) + fieldBytes("level", item.level) +
  fieldBytes("environment", item.environment) + fieldBytes("startTime", item.start) + fieldBytes("endTime", item.end) +
  fieldBytes("completionStartTime", item.completionStart) + fieldBytes("promptVersion", item.promptVersion) +
  (item.usage === undefined ? 0 : 16 + item.usage.length) + (item.cost === undefined ? 0 : 16 + item.cost.length)

/** Too long to be meant: the id of a user or a session is cut only then. */
const isLong = (name: Clearable<string>): name is string => typeof name === "string" && name.length > 1000

const fieldsBytes = (fields: TraceFields): number =>
  (isLong(fields.userId) ? 0 : fieldBytes("userId", fields.userId)) +
  (isLong(fields.sessionId) ? 0 : fieldBytes("sessionId", fields.sessionId)) +
  fieldBytes("environment", fields.environment) + fieldBytes("timestamp", fields.start) + 20

class Cutter {
  readonly limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  /** Cuts the largest parts so that all together are within the limit. */
  fit(fixed: number, parts: ReadonlyArray<Part>): boolean {
    const budget = this.limit - fixed
    const level = Math.max(minBytes, levelOf(parts.map((part) => part.size), budget))
    let isCut = false
    for (const part of parts) {
      if (part.size <= level) continue
      part.cut(level)
      isCut = true
    }
    return isCut
  }

  observation(item: Observation): ReadonlyArray<Part> {
    return [
      ...this.content("input", item.input, (content) => item.input = content),
      ...this.content("output", item.output, (content) => item.output = content),
      ...this.metadata(item.metadata, (metadata) => item.metadata = metadata),
      ...this.text("statusMessage", item.statusMessage, (text) => item.statusMessage = text),
      ...this.text("name", item.name, (text) => item.name = text),
      ...this.text("model", item.model, (text) => item.model = text),
      ...this.text("version", item.version, (text) => item.version = text),
      ...this.text("promptName", item.promptName, (text) => item.promptName = text),
      ...this.json("modelParameters", item.parameters, (json) => item.parameters = json),
      ...this.extra(item)
    ]
  }

  fields(fields: TraceFields): ReadonlyArray<Part> {
    return [
      ...this.content("input", fields.input, (content) => fields.input = content),
      ...this.content("output", fields.output, (content) => fields.output = content),
      ...this.metadata(fields.metadata, (metadata) => fields.metadata = metadata),
      ...this.text("name", fields.name, (text) => fields.name = text),
      ...this.text("release", fields.release, (text) => fields.release = text),
      ...this.text("version", fields.version, (text) => fields.version = text),
      ...isLong(fields.userId) ? this.text("userId", fields.userId, (text) => fields.userId = text) : [],
      ...isLong(fields.sessionId) ? this.text("sessionId", fields.sessionId, (text) => fields.sessionId = text) : [],
      ...this.tags(fields)
    ]
  }

  private part(name: string, size: number, cut: (limit: number) => void): Part {
    const more = name.length + 4
    return new Part(size + more, (limit) => cut(limit - more))
  }

  private text(name: string, text: Clearable<string>, set: (text: string) => void): ReadonlyArray<Part> {
    if (typeof text !== "string") return []
    return [this.part(name, quotedLength(text, this.limit), (limit) => set(shortenText(text, limit, this.limit)))]
  }

  private json(name: string, json: string | undefined, set: (json: string) => void): ReadonlyArray<Part> {
    if (json === undefined) return []
    return [this.part(name, byteLength(json), (limit) => set(shortenJson(json, limit, this.limit)))]
  }

  private content(name: string, content: Content | undefined, set: (content: Content) => void): ReadonlyArray<Part> {
    if (content === undefined) return []
    return [this.part(name, sizeOf(content, this.limit), (limit) => set(shorten(content, limit, this.limit)))]
  }

  private metadata(metadata: Metadata | undefined, set: (metadata: Metadata) => void): ReadonlyArray<Part> {
    if (metadata === undefined) return []
    const entries = Array.from(metadata, ([key, content]) => new Entry(key, content, this.limit))
    return [this.part("metadata", sum(entries) + 2, (limit) => set(shortenEntries(entries, limit - 2, this.limit)))]
  }

  /** A tag is useless in part. */
  private tags(fields: TraceFields): ReadonlyArray<Part> {
    const { tags } = fields
    if (tags === undefined) return []
    const cut = (limit: number): void => {
      let room = limit - 80
      const kept: Array<string> = []
      for (const tag of tags) {
        const size = quotedLength(tag, room) + 1
        if (size > room) continue
        room -= size
        kept.push(tag)
      }
      fields.tags = [...kept, noteOf(tags.length - kept.length, tags.length, "tags", this.limit)]
    }
    return [this.part("tags", byteLength(JSON.stringify(tags)), cut)]
  }

  /** `,"key":value` repeated. */
  extra(item: { extra: string }): ReadonlyArray<Part> {
    const { extra } = item
    if (extra === "") return []
    return [
      new Part(byteLength(extra), (limit) => {
        item.extra = `,${shortenJson(`{${extra.slice(1)}}`, limit, this.limit).slice(1, -1)}`
      })
    ]
  }

  plain(item: Plain): boolean {
    const fixed = envelopeBytes + item.eventId.length + item.type.length
    if (fixed + item.body.length <= this.limit && fixed + byteLength(item.body) <= this.limit) return false
    const fields = Object.entries(JSON.parse(item.body) as Readonly<Record<string, unknown>>)
      .map(([key, value]) => ({ key, json: JSON.stringify(value) }))
    const isKept = (key: string, json: string): boolean =>
      (essential.has(key) && json.length <= 1000) || !/^["[{]/.test(json)
    const parts = fields.flatMap((field) =>
      isKept(field.key, field.json) ? [] : this.json(field.key, field.json, (json) => field.json = json)
    )
    const kept = fields.filter(({ json, key }) => isKept(key, json))
      .reduce((sum, { json, key }) => sum + key.length + 4 + byteLength(json), 0)
    const isCut = this.fit(fixed + kept, parts)
    if (isCut) item.body = `{${fields.map(({ json, key }) => `${JSON.stringify(key)}:${json}`).join(",")}}`
    return isCut
  }
}

const sizeOf = (content: Content, limit: number): number =>
  content.isJson
    ? content.text.length > limit ? content.text.length : byteLength(content.text)
    : quotedLength(content.text, limit)

const shorten = (content: Content, limit: number, maxEventBytes: number): Content =>
  content.isJson
    ? new Content(shortenJson(content.text, limit, maxEventBytes), true)
    : new Content(shortenText(content.text, limit, maxEventBytes), false)

class Entry {
  readonly key: string
  readonly content: Content
  readonly size: number

  constructor(key: string, content: Content, limit: number) {
    this.key = key
    this.content = content
    this.size = quotedLength(key, limit) + 2 + sizeOf(content, limit)
  }
}

const sum = (entries: ReadonlyArray<Entry>): number => entries.reduce((total, entry) => total + entry.size, 0)

/** The same keys with the largest values cut; where that is not enough, the first and the last of them. */
const shortenEntries = (entries: ReadonlyArray<Entry>, limit: number, maxEventBytes: number): Metadata => {
  const level = Math.max(minBytes, levelOf(entries.map((entry) => entry.size), limit))
  const cut = entries.map((entry) =>
    entry.size <= level ? entry : new Entry(
      entry.key,
      shorten(entry.content, Math.max(level - quotedLength(entry.key, maxEventBytes) - 2, minBytes), maxEventBytes),
      maxEventBytes
    )
  )
  if (sum(cut) <= limit) return new Map(cut.map(({ content, key }) => [key, content]))
  let room = limit - 100
  const take = (from: ReadonlyArray<Entry>, budget: number): ReadonlyArray<Entry> => {
    let count = 0
    for (let left = budget; count < from.length; count++) {
      left -= (from[count] as Entry).size // below the length
      if (left < 0) break
    }
    return from.slice(0, count)
  }
  const first = take(cut, room / 2)
  room -= sum(first)
  const last = take(cut.slice(first.length).reverse(), room).slice().reverse()
  const left = cut.length - first.length - last.length
  const note = new Content(noteOf(left, cut.length, "properties", maxEventBytes), false)
  return new Map([
    ...first.map(({ content, key }) => [key, content] as const),
    [notes.cut, note],
    ...last.map(({ content, key }) => [key, content] as const)
  ])
}
