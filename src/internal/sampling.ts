/**
 * Which traces are sent. The decision is a function of the trace id alone, so every event and score of a trace agrees,
 * in every process.
 */
import type { IngestionEvent } from "../IngestionEvent.js"

/**
 * A number in [0, 1) that depends on every character of the text: FNV-1a, then the finaliser of MurmurHash3, because
 * FNV alone leaves the high bits of short, similar ids correlated.
 */
export const unitHash = (text: string): number => {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return ((h ^ (h >>> 16)) >>> 0) / 0x1_0000_0000
}

/** Observations remembered so that an update which names no trace follows its create. */
const remembered = 4096

/**
 * Decides for one service. Events that belong to no trace (logs, scores of a session) are always sent.
 */
export const make = (rate: number): (event: IngestionEvent) => boolean => {
  if (rate >= 1) return () => true
  const traceOf = new Map<string, string>()

  const remember = (observationId: string, traceId: string) => {
    traceOf.set(observationId, traceId)
    if (traceOf.size > remembered) {
      for (const oldest of traceOf.keys()) {
        traceOf.delete(oldest)
        return
      }
    }
  }

  return (event) => {
    const subject = traceIdOf(event, traceOf, remember)
    return subject === undefined || unitHash(subject) < rate
  }
}

const traceIdOf = (
  event: IngestionEvent,
  traceOf: Map<string, string>,
  remember: (observationId: string, traceId: string) => void
): string | undefined => {
  const body: { readonly id?: unknown; readonly traceId?: unknown } = event.body ?? {}
  const id = typeof body.id === "string" ? body.id : undefined
  const traceId = typeof body.traceId === "string" && body.traceId !== "" ? body.traceId : undefined
  switch (event.type) {
    case "sdk-log":
      return undefined
    case "trace-create":
      return id
    case "score-create":
      return traceId
    default:
      if (id === undefined) return traceId
      if (traceId !== undefined) {
        remember(id, traceId)
        return traceId
      }
      return traceOf.get(id) ?? id
  }
}
