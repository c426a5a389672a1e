/**
 * The spans that are open, in the order in which they came. The links are on the spans: a `Set` through which spans pass
 * in great numbers is built anew every few of them, and the tables it has outgrown keep each other alive.
 */

/** What is known of a span here. A span is in one list at most. */
export interface Listed<A> {
  isOpen: boolean
  older: A | undefined
  newer: A | undefined
}

export class OpenSpans<A extends Listed<A>> {
  private oldest: A | undefined = undefined
  private newest: A | undefined = undefined
  size = 0

  /** At the end, unless it is there already. */
  add(span: A): void {
    if (span.isOpen) return
    span.isOpen = true
    span.older = this.newest
    if (this.newest === undefined) this.oldest = span
    else this.newest.newer = span
    this.newest = span
    this.size++
  }

  delete(span: A): void {
    if (!span.isOpen) return
    const { newer, older } = span
    if (older === undefined) this.oldest = newer
    else older.newer = newer
    if (newer === undefined) this.newest = older
    else newer.older = older
    span.isOpen = false
    span.older = undefined
    span.newer = undefined
    this.size--
  }

  /** The oldest first. */
  *[Symbol.iterator](): Generator<A, void> {
    for (let span = this.oldest; span !== undefined; span = span.newer) yield span
  }
}
