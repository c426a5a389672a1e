/**
 * The traces a server holds, as text.
 */
import type { LangfuseServer } from "effect-langfuse"

/** Bytes of a stored value. */
const size = (value: unknown): string => {
  if (value === undefined || value === null) return "-"
  const bytes = new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value)).length
  return bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} kB`
}

const duration = (observation: LangfuseServer.StoredObservation): string => {
  if (observation.endTime === undefined) return "open"
  const milliseconds = Date.parse(observation.endTime) - Date.parse(observation.startTime)
  return milliseconds < 1000 ? `${milliseconds} ms` : `${(milliseconds / 1000).toFixed(2)} s`
}

const describe = (observation: LangfuseServer.StoredObservation): string =>
  [
    observation.type.toLowerCase().padEnd(10),
    observation.name ?? "(no name)",
    duration(observation),
    `in ${size(observation.input)}`,
    `out ${size(observation.output)}`,
    observation.model,
    Object.keys(observation.usageDetails).length > 0
      ? `${observation.usageDetails["input"] ?? 0}→${observation.usageDetails["output"] ?? 0} tokens`
      : undefined,
    observation.level === "DEFAULT" ? undefined : observation.level,
    observation.statusMessage
  ].filter((part) => part !== undefined).join(" · ")

const score = (stored: LangfuseServer.StoredScore): string =>
  `score      ${stored.name} = ${stored.stringValue ?? stored.value ?? ""}`

/** One trace with its observations below their parents, and the scores below what they judge. */
export const render = (trace: LangfuseServer.StoredTrace): string => {
  const known = new Set(trace.observations.map((observation) => observation.id))
  const lines = [
    [
      `trace ${trace.name ?? trace.id}`,
      trace.userId === undefined ? undefined : `user ${trace.userId}`,
      trace.sessionId === undefined ? undefined : `session ${trace.sessionId}`,
      trace.tags.length === 0 ? undefined : trace.tags.map((tag) => `#${tag}`).join(" "),
      `in ${size(trace.input)}`,
      `out ${size(trace.output)}`
    ].filter((part) => part !== undefined).join(" · ")
  ]
  const below = (parent: string | undefined, indent: string): void => {
    const scores = trace.scores.filter((stored) => stored.observationId === parent)
    const children = trace.observations.filter((observation) =>
      // An observation whose parent never came stands at the top.
      observation.parentObservationId === parent ||
      (parent === undefined && observation.parentObservationId !== undefined &&
        !known.has(observation.parentObservationId))
    )
    const total = children.length + scores.length
    children.forEach((child, index) => {
      const last = index === total - 1
      lines.push(`${indent}${last ? "└─" : "├─"} ${describe(child)}`)
      below(child.id, `${indent}${last ? "   " : "│  "}`)
    })
    scores.forEach((stored, index) => {
      lines.push(`${indent}${children.length + index === total - 1 ? "└─" : "├─"} ${score(stored)}`)
    })
  }
  below(undefined, "")
  return lines.join("\n")
}
