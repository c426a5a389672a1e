/**
 * The check that refuses an export as a whole before anything of it is stored.
 */
import { isAbsent, isRecord } from "./json.js"

export const property = (value: unknown, key: string): unknown => isRecord(value) ? value[key] : undefined

export const elements = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []

/** Ids are texts, bytes, lists of bytes, or what becomes of Node's buffers in JSON. */
export const isId = (value: unknown): boolean =>
  typeof value === "string" || value instanceof Uint8Array || Array.isArray(value) ||
  (property(value, "type") === "Buffer" && Array.isArray(property(value, "data")))

const isNoList = (owner: unknown, key: string): boolean => {
  const value = property(owner, key)
  return !isAbsent(value) && !Array.isArray(value)
}

const spanReasons = (span: unknown): ReadonlyArray<string> => {
  const id = (field: string) => {
    const value = property(span, field)
    return isAbsent(value) ? [`${field}:absent`] : isId(value) ? [] : [`${field}:not_an_id`]
  }
  const list = (owner: unknown, key: string, name: string) => isNoList(owner, key) ? [`${name}:not_an_array`] : []
  return [
    ...id("traceId"),
    ...id("spanId"),
    ...(property(span, "parentSpanId") ? id("parentSpanId") : []),
    ...list(span, "attributes", "attributes"),
    ...list(span, "events", "events"),
    ...elements(property(span, "events")).flatMap((event) => list(event, "attributes", "event.attributes")).slice(0, 1)
  ]
}

/** Why the whole export is refused, `undefined` when it is not. */
export const problemOf = (resourceSpans: ReadonlyArray<unknown>): string | undefined => {
  const reasons = new Set<string>()
  let total = 0
  let bad = 0
  let lists = 0
  const checkList = (owner: unknown, key: string, name: string) => {
    if (!isNoList(owner, key)) return
    lists++
    reasons.add(`${name}:not_an_array`)
  }
  for (const group of resourceSpans) {
    checkList(property(group, "resource"), "attributes", "resource.attributes")
    checkList(group, "scopeSpans", "scopeSpans")
    for (const scoped of elements(property(group, "scopeSpans"))) {
      checkList(property(scoped, "scope"), "attributes", "scope.attributes")
      checkList(scoped, "spans", "spans")
      for (const span of elements(property(scoped, "spans"))) {
        total++
        const found = spanReasons(span)
        if (found.length > 0) bad++
        for (const reason of found) reasons.add(reason)
      }
    }
  }
  if (reasons.size === 0) return undefined
  const problems = [
    ...(bad > 0 ? [`${bad} of ${total} span(s) cannot be processed`] : []),
    ...(lists > 0 ? [`${lists} field(s) of a resource or a scope are no lists`] : [])
  ]
  return `Invalid OTLP trace export: ${problems.join("; ")} (${[...reasons].join(", ")}). ` +
    "Nothing of this export was stored."
}
