/**
 * Who has events for a service that are not enqueued yet: a tracer encodes a span in the turn after its end, because
 * attributes may still come. A flush first asks for those.
 */
import * as Effect from "effect/Effect"
import { turnOfEventLoop } from "./turn.js"

export interface Source {
  /** Enqueues all that is waiting, synchronously. */
  readonly push: () => void
  /**
   * What enqueues all that is waiting now, as much at each call as one turn of the event loop should do; it answers
   * whether there is more.
   */
  readonly parts: () => () => boolean
}

const sources = new WeakMap<object, Set<Source>>()

/** Returns what ends the arrangement. */
export const register = (service: object, source: Source): () => void => {
  const known = sources.get(service) ?? new Set()
  sources.set(service, known.add(source))
  return () => void known.delete(source)
}

export const pushAll = (service: object): void => {
  for (const source of sources.get(service) ?? []) source.push()
}

/**
 * Enqueues the first part of what is waiting, synchronously: nearly always all of it. What is returned enqueues the
 * rest, a part in each turn.
 */
export const pushParts = (service: object): Effect.Effect<void> => {
  const pending = Array.from(sources.get(service) ?? [], (source) => source.parts())
  const pushPart = (): boolean => {
    // One source after the other: several tracers for one service are few.
    while (pending[0] !== undefined) {
      if (pending[0]()) return true
      pending.shift()
    }
    return false
  }
  return pushPart()
    ? Effect.repeat(Effect.map(turnOfEventLoop, pushPart), { while: (isMore) => isMore }).pipe(Effect.asVoid)
    : Effect.void
}
