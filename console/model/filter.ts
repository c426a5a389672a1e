/**
 * Which traces the list shows.
 */
import type { TraceSummary } from "../wire.js"

export const fields = ["environment", "user", "session", "tag", "level"] as const

export type Field = (typeof fields)[number]

export type Filter = { readonly [field in Field]?: string }

const levels = ["errors", "warnings", "never ended"] as const

const levelOf: { readonly [level: string]: (trace: TraceSummary) => boolean } = {
  errors: ({ errors }) => errors > 0,
  warnings: ({ errors, warnings }) => warnings > 0 || errors > 0,
  "never ended": ({ open }) => open > 0
}

export const matches = (trace: TraceSummary, filter: Filter): boolean =>
  (filter.environment === undefined || trace.environment === filter.environment) &&
  (filter.user === undefined || trace.userId === filter.user) &&
  (filter.session === undefined || trace.sessionId === filter.session) &&
  (filter.tag === undefined || trace.tags.includes(filter.tag)) &&
  (filter.level === undefined || (levelOf[filter.level]?.(trace) ?? true))

/** What there is to choose from, the most frequent first. */
export const choices = (traces: ReadonlyArray<TraceSummary>, field: Field): ReadonlyArray<string> => {
  if (field === "level") return levels
  const counts = new Map<string, number>()
  for (const trace of traces) {
    for (const value of valuesOf(trace, field)) counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, 200).map(([value]) => value)
}

const valuesOf = (trace: TraceSummary, field: Field): ReadonlyArray<string> => {
  switch (field) {
    case "environment":
      return [trace.environment]
    case "user":
      return trace.userId === undefined ? [] : [trace.userId]
    case "session":
      return trace.sessionId === undefined ? [] : [trace.sessionId]
    case "tag":
      return trace.tags
    case "level":
      return levels
  }
}

/** Names and ids match here, at once; contents are searched by the server. */
export const says = (trace: TraceSummary, text: string): boolean => {
  const needle = text.toLowerCase()
  return [trace.name, trace.id, trace.userId, trace.sessionId, trace.preview, ...trace.tags]
    .some((field) => field?.toLowerCase().includes(needle) === true)
}
