/**
 * Traces as plain text: one line a trace, or the tree of one with what went in and came out.
 */
import type { Observation, Trace, Traces } from "./client.js"

/** What a terminal would take for commands, and line breaks, are shown and not obeyed. */
const safe = (text: string): string =>
  text.replaceAll(/\p{Cc}/gu, (character) =>
    character === "\n" || character === "\t"
      ? character
      : `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`)

const oneLine = (text: string): string => safe(text).replaceAll(/\s+/g, " ")

const seconds = (value: number | null): string => value === null ? "-" : `${value.toFixed(2)} s`

const dollars = (value: number | null): string => value === null || value === 0 ? "" : `$${value.toFixed(5)}`

const columns = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()).join("\n")
}

export const list = ({ data, meta }: Traces): string => {
  if (data.length === 0) return "No traces."
  const rows = data.map((trace) => [
    trace.id,
    trace.timestamp,
    oneLine(trace.name ?? "(no name)").slice(0, 50),
    `${trace.observations.length} obs`,
    seconds(trace.latency),
    dollars(trace.totalCost)
  ])
  const more = meta.totalItems > data.length ? `\n${meta.totalItems - data.length} older traces, see --limit` : ""
  return columns(rows) + more
}

/** More of a content is in `--json`. */
const most = 2_000

const content = (name: string, value: unknown, indent: string): ReadonlyArray<string> => {
  if (value === null || value === undefined) return []
  const text = typeof value === "string" ? value : JSON.stringify(value)
  const shown = text.length > most ? `${text.slice(0, most)} … (${text.length} characters)` : text
  return [`${indent}  ${name}: ${safe(shown).replaceAll("\n", `\n${indent}    `)}`]
}

const describe = (observation: Observation, depth: number): ReadonlyArray<string> => {
  const { endTime, input, level, model, name, output, startTime, statusMessage, totalCost, type, usageDetails } =
    observation
  const indent = "  ".repeat(Math.min(depth, 20))
  const latency = endTime === null ? "never ended" : seconds((Date.parse(endTime) - Date.parse(startTime)) / 1000)
  const tokens = typeof usageDetails["total"] === "number" ? `${usageDetails["total"]} tokens` : ""
  const facts = [
    type.toLowerCase(),
    oneLine(name ?? "(no name)"),
    type === "EVENT" ? "" : latency,
    oneLine(model ?? ""),
    tokens,
    dollars(totalCost),
    level === "DEFAULT" ? "" : level,
    observation.id
  ]
  return [
    `${indent}${facts.filter((fact) => fact !== "").join("  ")}`,
    ...(statusMessage === null ? [] : content("status", statusMessage, indent)),
    ...content("in", input, indent),
    ...content("out", output, indent)
  ]
}

export const show = (trace: Trace): string => {
  const { observations } = trace
  const ids = new Set(observations.map(({ id }) => id))
  const children = new Map<string | null, Array<Observation>>()
  for (const observation of observations) {
    const { parentObservationId } = observation
    const parent = parentObservationId !== null && ids.has(parentObservationId) ? parentObservationId : null
    const siblings = children.get(parent)
    if (siblings === undefined) children.set(parent, [observation])
    else siblings.push(observation)
  }
  const lines: Array<string> = []
  const shown = new Set<string>()
  const stack = [...children.get(null) ?? []].reverse().map((observation) => ({ observation, depth: 0 }))
  // Observations that are above each other hang from no root.
  const rest = [...observations]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { depth, observation } = next
    if (shown.has(observation.id)) continue
    shown.add(observation.id)
    lines.push(...describe(observation, depth))
    for (const child of [...children.get(observation.id) ?? []].reverse()) {
      stack.push({ observation: child, depth: depth + 1 })
    }
    if (stack.length === 0) {
      const left = rest.find(({ id }) => !shown.has(id))
      if (left !== undefined) stack.push({ observation: left, depth: 0 })
    }
  }
  const heading = [
    oneLine(trace.name ?? "(no name)"),
    trace.timestamp,
    seconds(trace.latency),
    dollars(trace.totalCost)
  ]
  const who = [
    trace.userId === null ? "" : `user ${oneLine(trace.userId)}`,
    trace.sessionId === null ? "" : `session ${oneLine(trace.sessionId)}`
  ].filter((text) => text !== "")
  const scores = trace.scores.map((score) =>
    `score ${oneLine(score.name)} = ${oneLine(String(score.value))}${
      score.observationId === null ? "" : ` (${score.observationId})`
    }`
  )
  return [
    heading.filter((text) => text !== "").join("  "),
    ...(who.length === 0 ? [] : [who.join("  ")]),
    "",
    ...lines,
    ...(scores.length === 0 ? [] : ["", ...scores])
  ].join("\n")
}
