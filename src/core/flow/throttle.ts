/** Which warnings are written: the first of its kind, and then at most one in ten seconds. */

const window = 10_000

/** Kinds are few (reasons and statuses); the bound is for a server that makes up a new one each time. */
const maxKinds = 256

class Kind {
  readonly until: number
  heldBack = 0

  constructor(until: number) {
    this.until = until
  }
}

export class Throttle {
  private readonly kinds = new Map<string, Kind>()

  /** How many of this kind were held back since the last one, or `undefined` if this one is to be held back too. */
  pass(kind: string, now: number): number | undefined {
    const known = this.kinds.get(kind)
    // A clock that was set back must not silence a kind for longer than the window.
    if (known !== undefined && now < known.until && known.until - now <= window) {
      known.heldBack++
      return undefined
    }
    if (this.kinds.size >= maxKinds) this.kinds.clear()
    this.kinds.set(kind, new Kind(now + window))
    return known?.heldBack ?? 0
  }
}
