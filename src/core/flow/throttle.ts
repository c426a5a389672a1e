/** Which warnings are written: the first of its kind, and then at most one in ten seconds. */

const window = 10_000

/** Kinds are few (reasons and statuses). Those beyond share one: a server may make up a new one each time. */
const maxKinds = 256
const others = "others"

class Kind {
  readonly until: number
  heldBack = 0

  constructor(until: number) {
    this.until = until
  }
}

export class Throttle {
  private readonly kinds = new Map<string, Kind>()
  /** In all. */
  heldBack = 0

  /** How many of this kind were held back since the last one, or `undefined` if this one is to be held back too. */
  pass(given: string, now: number): number | undefined {
    const kind = this.kinds.has(given) || this.kinds.size < maxKinds ? given : others
    const known = this.kinds.get(kind)
    // A clock that was set back must not silence a kind for longer than the window.
    if (known !== undefined && now < known.until && known.until - now <= window) {
      known.heldBack++
      this.heldBack++
      return undefined
    }
    this.kinds.set(kind, new Kind(now + window))
    return known?.heldBack ?? 0
  }
}
