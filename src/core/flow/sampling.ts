/**
 * Which traces are sent. The decision depends on the trace id alone, so every event and score of a trace agrees, in every
 * process.
 */

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

interface Ids {
  readonly type?: unknown
  readonly body?: { readonly id?: unknown; readonly traceId?: unknown } | null
}

const textOf = (value: unknown): string | undefined => typeof value === "string" && value !== "" ? value : undefined

/** Decides for one service. Events that belong to no trace (logs, scores of a session) are always sent. */
export class Sampling {
  readonly rate: number
  private readonly traces = new Map<string, string>()

  constructor(rate: number) {
    this.rate = rate
  }

  isTraceSampled(traceId: string): boolean {
    return this.rate >= 1 || unitHash(traceId) < this.rate
  }

  /** An event that cannot be read is let through, for the reader to refuse. */
  isSampled(event: unknown): boolean {
    if (this.rate >= 1) return true
    try {
      // Whatever it is, reading these members of it is all that happens here.
      const traceId = this.traceIdOf(event as Ids)
      return traceId === undefined || this.isTraceSampled(traceId)
    } catch {
      return true
    }
  }

  private traceIdOf({ body, type }: Ids): string | undefined {
    const id = textOf(body?.id)
    const traceId = textOf(body?.traceId)
    if (type === "sdk-log") return undefined
    if (type === "trace-create") return id
    if (type === "score-create" || id === undefined) return traceId
    if (traceId === undefined) return this.traces.get(id) ?? id
    this.remember(id, traceId)
    return traceId
  }

  private remember(id: string, traceId: string): void {
    this.traces.set(id, traceId)
    if (this.traces.size <= remembered) return
    for (const oldest of this.traces.keys()) {
      this.traces.delete(oldest)
      return
    }
  }
}
