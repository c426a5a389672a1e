/** One thing on the wire, and the events whose outcome it decides. */
import type { Item, Trace } from "../item/item.js"
import type { Entry } from "./ledger.js"

export class Piece<A extends Item = Item> {
  readonly item: A
  readonly entries: ReadonlyArray<Entry>
  /** A derived trace that goes before it. It is no event: it has a counter of its own. */
  before: Trace | undefined

  constructor(item: A, entries: ReadonlyArray<Entry>, before: Trace | undefined) {
    this.item = item
    this.entries = entries
    this.before = before
  }
}
