/** The elements of a stream, for what is made of them when it ends: the first ones and, beyond the limit, the last. */

/** What comes last matters: usage and the reason to stop are in the last elements of a model's answer. */
const lastOnes = 256

export class Elements<A> {
  private readonly limit: number
  private readonly first: Array<A> = []
  private last: Array<A> = []
  /** How many there were in all. */
  count = 0

  constructor(limit: number) {
    this.limit = limit
  }

  add(element: A): void {
    this.count++
    if (this.first.length < this.limit) this.first.push(element)
    else if (this.last.push(element) >= 2 * lastOnes) this.last = this.last.slice(-lastOnes)
  }

  get leftOut(): number {
    return Math.max(0, this.count - this.limit - lastOnes)
  }

  all(): ReadonlyArray<A> {
    return this.first.concat(this.last.slice(-lastOnes))
  }
}
