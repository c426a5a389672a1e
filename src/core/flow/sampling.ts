/**
 * Which traces are sent. The decision depends on the trace id alone, so every event and score of a trace agrees, in every
 * process.
 */
import { hash, Recent } from "./recent.js"

/**
 * A number in [0, 1) that depends on every character of the text: FNV-1a, then the finaliser of MurmurHash3, because
 * FNV alone leaves the high bits of short, similar ids correlated.
 */
const unitHash = (text: string): number => {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return ((h ^ (h >>> 16)) >>> 0) / 0x1_0000_0000
}

/** Observations remembered so that an update which names no trace follows its create. */
const remembered = 100_000

interface Ids {
  readonly type?: unknown
  readonly body?: { readonly id?: unknown; readonly traceId?: unknown } | null
}

const textOf = (value: unknown): string | undefined => typeof value === "string" && value !== "" ? value : undefined

/** Decides for one service. Events that belong to no trace (logs, scores of a session) are always sent. */
export class Sampling {
  readonly rate: number
  /** By the hash of an observation's id: 1 where its trace is sent. */
  private readonly decided = new Recent(remembered)

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
      return this.decide(event as Ids)
    } catch {
      return true
    }
  }

  private decide({ body, type }: Ids): boolean {
    const id = textOf(body?.id)
    const traceId = textOf(body?.traceId)
    if (type === "sdk-log") return true
    if (type === "trace-create") return id === undefined || this.isTraceSampled(id)
    if (type === "score-create" || id === undefined) return traceId === undefined || this.isTraceSampled(traceId)
    if (traceId === undefined) {
      const before = this.decided.get(hash(id))
      return before === undefined ? this.isTraceSampled(id) : before === 1
    }
    const isSampled = this.isTraceSampled(traceId)
    this.decided.set(hash(id), isSampled ? 1 : 0)
    return isSampled
  }
}
