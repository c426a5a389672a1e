/**
 * What V8 says of its collections (`--trace-gc`), cut where a collection was asked for: a scenario asks for one before and
 * after what it measures, and so finds its own among those of the whole process.
 */

export interface Garbage {
  /** Bytes by which the heap was larger after a scavenge than before the last collection: what became old, or will. */
  readonly grownBytes: number
  readonly scavenges: number
  readonly fullCollections: number
  /** Milliseconds for which the program stood still. */
  readonly pausedMs: number
}

const collection = / ms: (Scavenge|Mark-Compact)[^\d]* ([\d.]+) \([\d.]+\) -> ([\d.]+) \([\d.]+\) MB, ([\d.]+) \/ /

const nothing: Garbage = { grownBytes: 0, scavenges: 0, fullCollections: 0, pausedMs: 0 }

const megabyte = 1024 * 1024

/** Between the forced collections: before the first, after the first, and so on. */
export const read = (trace: string): ReadonlyArray<Garbage> => {
  const found: Array<Garbage> = []
  let current = nothing
  let last: number | undefined
  for (const line of trace.split("\n")) {
    const [, kind, , after, paused] = collection.exec(line) ?? []
    if (kind === undefined) continue
    const held = Number(after) * megabyte
    if (line.includes("testing")) {
      found.push(current)
      current = nothing
    } else if (kind === "Scavenge") {
      current = {
        ...current,
        grownBytes: current.grownBytes + (last === undefined ? 0 : held - last),
        scavenges: current.scavenges + 1,
        pausedMs: current.pausedMs + Number(paused)
      }
    } else {
      current = {
        ...current,
        fullCollections: current.fullCollections + 1,
        pausedMs: current.pausedMs + Number(paused)
      }
    }
    last = held
  }
  found.push(current)
  return found
}
