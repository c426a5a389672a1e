/** Fields of an object of which nothing is known. */
import { parseTime } from "../wire/time.js"
import { contentOf, jsonOf, objectOf } from "./content.js"
import type { Content } from "./item.js"
import { type Fields, isPlain } from "./object.js"
import type { Policy } from "./policy.js"
import { toWellFormed } from "./text.js"

const isText = (value: unknown): value is string => typeof value === "string"

/** The longest id that every server takes. */
const leastMaxId = 800

/** A `DateTime.Zoned` says its zone after its offset: `…+01:00[Europe/Berlin]`. */
const withoutZone = (text: string): string => text.endsWith("]") ? text.slice(0, text.indexOf("[")) : text

/** Reads fields as what they are on the wire, and collects what is wrong with them. */
export class Reader {
  readonly issues: Array<string> = []
  readonly policy: Policy
  path = ""
  /** As in `Observation`. */
  extra = ""

  constructor(policy: Policy) {
    this.policy = policy
  }

  wrong(key: string, rule: string): undefined {
    this.issues.push(`${this.path}${key}: ${rule}`)
    return undefined
  }

  /** What JSON makes of a value that is not what the field holds: a `Date` or a `URL` is a text there. */
  json(value: unknown): unknown {
    const content = contentOf(value, this.policy)
    return content === undefined ? null : content.isJson ? JSON.parse(content.text) : content.text
  }

  clearable(key: string, value: unknown): string | null | undefined {
    if (typeof value === "string" || value === null || value === undefined) return value
    const json = typeof value === "number" || typeof value === "boolean" ? value : this.json(value)
    return typeof json === "string" || json === null ? json : this.wrong(key, "expected a text")
  }

  text(key: string, value: unknown): string | undefined {
    return this.clearable(key, value) ?? undefined
  }

  /** As it will be in UTF-8: the same for all that name it. It cannot be cut, and so must fit into an event. */
  id(key: string, value: unknown): string | undefined {
    const id = this.text(key, value)
    if (id === undefined) return undefined
    if (id === "") return this.wrong(key, "expected a text that is not empty")
    if (id.length > this.maxId) return this.wrong(key, `expected a text of at most ${this.maxId} characters`)
    return toWellFormed(id)
  }

  get maxId(): number {
    return Math.max(leastMaxId, this.policy.maxEventBytes)
  }

  time(key: string, value: unknown): number | undefined {
    if (value === undefined || value === null) return undefined
    const text = typeof value === "string" ? value : value instanceof Date ? value.toJSON() : this.json(value)
    if (text === null) return undefined
    const time = typeof text === "string" ? parseTime(withoutZone(text)) : NaN
    return Number.isNaN(time) ? this.wrong(key, "expected a date and time in ISO 8601 with a zone") : time
  }

  boolean(key: string, value: unknown): boolean | undefined {
    if (typeof value === "boolean" || value === undefined || value === null) return value ?? undefined
    const json = this.json(value)
    return typeof json === "boolean" || json === null ? json ?? undefined : this.wrong(key, "expected true or false")
  }

  /** JSON has no `NaN` and no infinities, and writes `null` for them. */
  number(key: string, value: unknown): number | undefined {
    if (value === undefined || value === null) return undefined
    const json = typeof value === "number" ? value : this.json(value)
    if (typeof json === "number") return Number.isFinite(json) ? json : undefined
    return json === null ? undefined : this.wrong(key, "expected a number")
  }

  texts(key: string, value: unknown): ReadonlyArray<string> | undefined {
    if (value === undefined || value === null) return undefined
    if (Array.isArray(value) && value.every(isText)) return value.slice()
    const json = this.json(value)
    if (json === null) return undefined
    return Array.isArray(json) && json.every(isText) ? json : this.wrong(key, "expected a list of texts")
  }

  object(key: string, value: unknown): Fields | undefined {
    if (value === undefined || value === null) return undefined
    const fields = isPlain(value) ? value : objectOf(value, this.policy)
    return fields === undefined ? this.wrong(key, "expected an object") : fields ?? undefined
  }

  content(value: unknown): Content | undefined {
    return this.policy.content === "full" ? contentOf(value, this.policy) : undefined
  }

  /** A field that is not one of the event's, for the batch endpoint. A method `toJSON` of the body's is none. */
  other(key: string, value: unknown): void {
    if (value === undefined || (key === "toJSON" && typeof value === "function")) return
    const text = jsonOf({ [key]: value }, this.policy)
    if (text.length > 2 && text.charCodeAt(0) === 0x7b) this.extra += `,${text.slice(1, -1)}`
  }
}
