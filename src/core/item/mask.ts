/** Applies the user's mask. A value that it cannot handle is not sent. */
import { contentOf, jsonOf, jsonOfContent, metadataOf } from "./content.js"
import { Content, eventTypeOf, type Item, type Metadata, type Plain, type TraceFields } from "./item.js"
import { essential } from "./names.js"
import { parametersOf } from "./parameters.js"
import type { Policy } from "./policy.js"

/**
 * The parts of an event that are content, and so are passed to a mask.
 *
 * Everything else of an event identifies or measures it and leaves as it is: ids, names, times, user, session, tags, level,
 * model, usage, cost, version, release, environment, numeric and categorical scores. A field that is not one of Langfuse's
 * (it can only come from untyped code) is passed as `metadata`.
 *
 * @since 0.1.0
 * @category models
 */
export type MaskField =
  | "input"
  | "output"
  | "metadata"
  | "statusMessage"
  | "comment"
  | "log"
  | "modelParameters"
  | "value"

/**
 * Which value of which event a mask is looking at.
 *
 * @since 0.1.0
 * @category models
 */
export interface MaskContext {
  readonly field: MaskField
  /** The event's type, such as `generation-create`. */
  readonly type: string
  readonly traceId?: string | undefined
}

/**
 * Replaces a value before it leaves the process.
 *
 * It is given the JSON value just as it would be sent (never the program's own object, so changing it in place is safe;
 * `Redacted` is already `<redacted>`) and returns the value to send. It runs inside `enqueue`: keep it quick.
 *
 * - `undefined` leaves the field out, where Langfuse allows that: a score's value and a log get a note in its place.
 * - A status message, a comment and the value of a text score stay text: anything else is sent as its JSON text.
 * - Model parameters stay an object: anything else is put under the key `masked`.
 * - When it throws, or returns a promise, function or symbol, the field becomes the note `<masked: the mask failed>`.
 * - `null` is not passed to it: there is nothing to hide.
 *
 * @since 0.1.0
 * @category models
 */
export type Mask = (value: unknown, context: MaskContext) => unknown

const failedNote = "<masked: the mask failed>"
const removedNote = "<masked: the mask left nothing>"

/** What is done to the values of one item. */
class Masking {
  readonly mask: Mask
  readonly policy: Policy
  readonly type: string
  readonly traceId: string | undefined

  constructor(mask: Mask, policy: Policy, type: string, traceId: string | undefined) {
    this.mask = mask
    this.policy = policy
    this.type = type
    this.traceId = traceId
  }

  /** What the mask makes of the value, or `failed`. */
  apply(field: MaskField, value: unknown): unknown {
    try {
      const masked = this.mask(value, { field, type: this.type, traceId: this.traceId })
      if (isValue(masked)) return masked
    } catch {
      // What it threw may hold the very value it was to hide.
    }
    try {
      this.policy.onMaskFailure()
    } catch {
      // The count is lost, the event is not.
    }
    return failed
  }

  content(field: "input" | "output", content: Content | undefined): Content | undefined {
    if (content === undefined) return undefined
    const masked = this.apply(field, valueOf(content))
    return masked === failed ? new Content(failedNote, false) : contentOf(masked, this.policy)
  }

  metadata(metadata: Metadata | undefined): Metadata | undefined {
    if (metadata === undefined) return undefined
    const fields = Array.from(metadata, ([key, content]) => `${JSON.stringify(key)}:${jsonOfContent(content)}`)
    const masked = this.apply("metadata", JSON.parse(`{${fields.join(",")}}`))
    return masked === failed
      ? new Map([["masked", new Content(failedNote, false)]])
      : metadataOf(masked, this.policy)
  }

  /** A text stays one. */
  text(field: "statusMessage" | "comment", value: string): string | undefined {
    const masked = this.apply(field, value)
    return masked === failed ? failedNote : masked === undefined || masked === null ? undefined : this.textOf(masked)
  }

  textOf(value: unknown): string {
    const json = jsonOf(value, this.policy)
    return json.startsWith("\"") ? JSON.parse(json) as string : json
  }

  /** JSON of an object. */
  parameters(json: string): string | undefined {
    const masked = this.apply("modelParameters", JSON.parse(json))
    if (masked === failed) return wrap(JSON.stringify(failedNote))
    if (masked === undefined || masked === null) return undefined
    const text = jsonOf(masked, this.policy)
    if (text.startsWith("{")) return parametersOf(JSON.parse(text) as object, this.policy)
    return wrap(text.startsWith("\"") ? text : JSON.stringify(text))
  }

  /** JSON of a value that has a name of its own on the batch endpoint; `undefined` leaves it out. */
  json(field: MaskField, value: unknown): string | undefined {
    switch (field) {
      case "statusMessage":
      case "comment": {
        const masked = this.text(field, this.textOf(value))
        return masked === undefined ? undefined : JSON.stringify(masked)
      }
      case "modelParameters":
        return this.parameters(JSON.stringify(value))
      case "value":
      case "log": {
        const masked = this.apply(field, value)
        if (masked === failed) return JSON.stringify(failedNote)
        const json = masked === undefined || masked === null ? "null" : jsonOf(masked, this.policy)
        if (json === "null") return JSON.stringify(removedNote)
        return field === "log" || json.startsWith("\"") ? json : JSON.stringify(json)
      }
      default: {
        const masked = this.apply(field, value)
        if (masked !== failed) return masked === undefined ? undefined : jsonOf(masked, this.policy)
        return field === "metadata" ? wrap(JSON.stringify(failedNote)) : JSON.stringify(failedNote)
      }
    }
  }

  context(fields: TraceFields): void {
    fields.input = this.content("input", fields.input)
    fields.output = this.content("output", fields.output)
    fields.metadata = this.metadata(fields.metadata)
  }

  /** `,"key":value` repeated. */
  extra(extra: string): string {
    if (extra === "") return ""
    let out = ""
    for (const [key, value] of Object.entries(JSON.parse(`{${extra.slice(1)}}`) as Readonly<Record<string, unknown>>)) {
      const json = value === null ? "null" : this.json(fieldOf(key), value)
      if (json !== undefined) out += `,${JSON.stringify(key)}:${json}`
    }
    return out
  }

  body(item: Plain): string {
    const fields = JSON.parse(item.body) as Readonly<Record<string, unknown>>
    const out: Array<string> = []
    for (const [key, value] of Object.entries(fields)) {
      const isValue = key === "value" && item.type === "score-create"
      const isOpen = value === null || openFields.has(key) ||
        (isValue && (typeof value === "number" || typeof value === "boolean" || openKinds.has(fields["dataType"])))
      const json = isOpen ? JSON.stringify(value) : this.json(isValue ? "value" : fieldOf(key), value)
      if (json !== undefined) out.push(`${JSON.stringify(key)}:${json}`)
    }
    return `{${out.join(",")}}`
  }
}

const failed = Symbol("failed")

const wrap = (json: string): string => `{"masked":${json}}`

const valueOf = (content: Content): unknown => content.isJson ? JSON.parse(content.text) : content.text

const isValue = (value: unknown): boolean => {
  if (typeof value === "function" || typeof value === "symbol") return false
  if (typeof value !== "object" || value === null) return true
  const then = (value as { readonly then?: unknown }).then
  if (typeof then !== "function") return true
  // An async mask: nobody waits for it, and its rejection must not end the program.
  Promise.resolve(value).catch(() => {})
  return false
}

const maskedFields: ReadonlyMap<string, MaskField> = new Map<string, MaskField>(
  (["input", "output", "statusMessage", "comment", "log", "modelParameters"] as const).map((field) => [field, field])
)

const fieldOf = (key: string): MaskField => maskedFields.get(key) ?? "metadata"

/** What identifies or measures, and is not shown to the mask: see `MaskField`. */
const openFields: ReadonlySet<string> = new Set([...essential, "name", "release", "version", "tags"])

/** A measure or a category is no text; a string of another kind of score is. */
const openKinds: ReadonlySet<unknown> = new Set([undefined, null, "NUMERIC", "BOOLEAN", "CATEGORICAL"])

/** Replaces all values of the item that a mask is to see. Does nothing without one. */
export const maskItem = (item: Item, policy: Policy): void => {
  const { mask } = policy
  if (mask === undefined) return
  switch (item.kind) {
    case "observation": {
      const masking = new Masking(mask, policy, eventTypeOf(item), item.traceId)
      item.input = masking.content("input", item.input)
      item.output = masking.content("output", item.output)
      item.metadata = masking.metadata(item.metadata)
      if (typeof item.statusMessage === "string") item.statusMessage = masking.text("statusMessage", item.statusMessage)
      if (item.parameters !== undefined) item.parameters = masking.parameters(item.parameters)
      if (item.context !== undefined) masking.context(item.context)
      item.extra = masking.extra(item.extra)
      return
    }
    case "trace": {
      const masking = new Masking(mask, policy, "trace-create", item.id)
      masking.context(item.fields)
      item.extra = masking.extra(item.extra)
      return
    }
    case "plain":
      item.body = new Masking(mask, policy, item.type, item.traceId).body(item)
  }
}
