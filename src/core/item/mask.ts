/**
 * Applying the user's mask, so that what it cannot handle is never sent unmasked.
 */
import { quote, stringify } from "./json.js"

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

const failed = "<masked: the mask failed>"
const removed = "<masked: the mask left nothing>"

/**
 * The JSON text of what the mask makes of a value given as JSON text, `undefined` when the field is to be left out.
 */
export const apply = (
  mask: Mask,
  text: string,
  context: MaskContext,
  onFailure: () => void
): string | undefined => {
  let masked: unknown
  let isDone = false
  try {
    masked = mask(JSON.parse(text), context)
    isDone = isValue(masked)
  } catch {
    // What it threw may hold the very value it was to hide.
  }
  if (!isDone) {
    onFailure()
    return context.field === "metadata" || context.field === "modelParameters" ? wrap(quote(failed)) : quote(failed)
  }
  switch (context.field) {
    case "input":
    case "output":
    case "metadata":
      return masked === undefined ? undefined : stringify(masked)
    case "statusMessage":
    case "comment":
      return masked === undefined ? undefined : masked === null ? "null" : asString(masked)
    case "value":
      return masked === undefined || masked === null ? quote(removed) : asString(masked)
    case "log": {
      const json = masked === undefined ? "null" : stringify(masked)
      return json === "null" ? quote(removed) : json
    }
    case "modelParameters": {
      if (masked === undefined || masked === null) return undefined
      const json = stringify(masked)
      return json.startsWith("{") ? json : wrap(quote(json.startsWith("\"") ? JSON.parse(json) : json))
    }
  }
}

const wrap = (text: string): string => `{"masked":${text}}`

const asString = (value: unknown): string => {
  const json = stringify(value)
  return json.startsWith("\"") ? json : quote(json)
}

const isValue = (value: unknown): boolean => {
  if (typeof value === "function" || typeof value === "symbol") return false
  if (typeof value !== "object" || value === null) return true
  const then = (value as { readonly then?: unknown }).then
  if (typeof then !== "function") return true
  // An async mask: nobody waits for it, and its rejection must not end the program.
  Promise.resolve(value).catch(() => {})
  return false
}
