/**
 * Observations that were sent, kept for a while in case more is said about them.
 *
 * Those that ended are kept for some minutes. Those that did not are kept for as long as there is room, since their end may
 * still come. Of those that had to be forgotten the ids are kept.
 */

export interface Limits {
  /** Bytes of observations that ended, and the same again of those that did not. */
  readonly maxLeftBytes: number
  /** Milliseconds for which an observation that ended is kept. */
  readonly leftTimeout: number
  /** Observations of which only the id is kept. */
  readonly maxGone: number
}

export const defaults: Limits = {
  maxLeftBytes: 4 * 1024 * 1024,
  leftTimeout: 600_000,
  maxGone: 10_000
}

export interface Sent {
  readonly id: string
  readonly bytes: number
  readonly leftAt: number
  readonly isInFlight: boolean
  readonly isStored: boolean
  readonly unfinished: string | undefined
}

export interface Left<A> {
  readonly get: (id: string) => A | undefined
  /** Whether the server has an observation of this id that is no longer kept here. */
  readonly wasStored: (id: string) => boolean
  readonly values: () => Iterable<A>
  /** One that is on its way. */
  readonly add: (sent: A) => void
  /** The one that was on its way has arrived, or has not: from now on it may be forgotten. */
  readonly settle: (sent: A) => void
  /** Forgets one. */
  readonly drop: (sent: A) => void
  /** Forgets what was kept long enough. */
  readonly forget: (now: number) => void
  readonly clear: () => void
}

/** Room is made for several at once: to look for the oldest each time costs more than all the rest. */
export const roomy = (limit: number): number => limit - Math.floor(limit / 10)

/** In the order in which they left. */
class Pool<A extends Sent> {
  readonly members = new Map<A, number>()
  bytes = 0

  add(sent: A): void {
    this.members.set(sent, sent.bytes)
    this.bytes += sent.bytes
  }

  delete(sent: A): void {
    const bytes = this.members.get(sent)
    if (bytes === undefined) return
    this.bytes -= bytes
    this.members.delete(sent)
  }

  clear(): void {
    this.members.clear()
    this.bytes = 0
  }
}

export const make = <A extends Sent>(limits: Limits, onForget: (sent: A) => void): Left<A> => {
  const all = new Map<string, A>()
  const ended = new Pool<A>()
  const unended = new Pool<A>()
  const gone = new Set<string>()

  const drop = (sent: A): void => {
    ended.delete(sent)
    unended.delete(sent)
    all.delete(sent.id)
    if (sent.isStored) gone.add(sent.id)
    if (gone.size > limits.maxGone) {
      for (const oldest of gone) {
        gone.delete(oldest)
        if (gone.size <= roomy(limits.maxGone)) break
      }
    }
    onForget(sent)
  }

  return {
    get: (id) => all.get(id),
    wasStored: (id) => gone.has(id),
    values: () => all.values(),
    add: (sent) => {
      ended.delete(sent)
      unended.delete(sent)
      all.set(sent.id, sent)
    },
    settle: (sent) => {
      if (all.get(sent.id) !== sent) return
      const pool = sent.unfinished === undefined ? ended : unended
      pool.add(sent)
      if (pool.bytes <= limits.maxLeftBytes) return
      for (const oldest of pool.members.keys()) {
        drop(oldest)
        if (pool.bytes <= roomy(limits.maxLeftBytes)) break
      }
    },
    drop,
    forget: (now) => {
      for (const oldest of ended.members.keys()) {
        if (oldest.leftAt + limits.leftTimeout > now) break
        drop(oldest)
      }
    },
    clear: () => {
      all.clear()
      ended.clear()
      unended.clear()
      gone.clear()
    }
  }
}
