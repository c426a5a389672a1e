/**
 * Timestamps at the batch endpoint: v3 orders the events of one entity by the millisecond and reverses creates that tie, so
 * no two of them carry the same one. It holds within one process.
 */
import type { Item } from "../item/item.js"
import { hash, otherSeed, Recent } from "./recent.js"

const remembered = 10_000

/** How far a timestamp is moved at most, in milliseconds. */
const furthest = 1000

/** Above `furthest`: one number holds the given millisecond and how far the last event of it was moved. */
const base = 1024

export class Stamps {
  private readonly last = new Recent(remembered)

  /** Moves the item's time behind that of an earlier event of the same entity, where the two would tie. */
  stamp(item: Item): void {
    if (item.kind === "plain") return
    const key = hash(item.id, item.kind === "trace" ? otherSeed : 0)
    const at = Math.floor(item.at)
    const known = this.last.get(key)
    const given = known === undefined ? -1 : Math.floor(known / base)
    const used = known === undefined ? -1 : given + known % base
    // What is older than the last one keeps its place in the order.
    if (at < given) return
    item.at = at > used ? at : Math.min(used + 1, at + furthest)
    if (at >= 0) this.last.set(key, at * base + (item.at - at))
  }
}
