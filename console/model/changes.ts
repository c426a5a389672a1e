/**
 * What changed between two generations of the same agent: most often messages were added at the end.
 */
import type { Row } from "../wire.js"
import { type Message, textOf } from "./conversation.js"

export interface Changes {
  /** How many messages at the beginning are the same. */
  readonly same: number
  /** Messages after those which are gone, or were others. */
  readonly before: ReadonlyArray<Message>
  /** What stands in their place, and what was added. */
  readonly now: ReadonlyArray<Message>
}

const key = (message: Message): string => {
  try {
    return JSON.stringify([message.role, message.parts])
  } catch {
    return `${message.role} ${textOf(message)}`
  }
}

export const compare = (before: ReadonlyArray<Message>, now: ReadonlyArray<Message>): Changes => {
  let same = 0
  for (const message of before) {
    const other = now[same]
    if (other === undefined || key(message) !== key(other)) break
    same++
  }
  return { same, before: before.slice(same), now: now.slice(same) }
}

/** Above which a generation belongs to: the nearest agent, or else its parent. */
const ownerOf = (row: Row, rows: ReadonlyMap<string, Row>): string | null => {
  const seen = new Set<string>()
  for (let id = row.parentObservationId; id !== null && !seen.has(id);) {
    seen.add(id)
    const parent = rows.get(id)
    if (parent === undefined) break
    if (parent.type === "AGENT") return parent.id
    id = parent.parentObservationId
  }
  return row.parentObservationId
}

/** The generation before this one in the same agent. */
export const previousGeneration = (row: Row, rows: ReadonlyMap<string, Row>): Row | undefined => {
  if (row.type !== "GENERATION") return undefined
  const owner = ownerOf(row, rows)
  let found: Row | undefined
  for (const other of rows.values()) {
    if (other.type !== "GENERATION" || other.id === row.id || other.startTime >= row.startTime) continue
    if (found !== undefined && other.startTime <= found.startTime) continue
    if (ownerOf(other, rows) === owner) found = other
  }
  return found
}
