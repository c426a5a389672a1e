/** The books: what became of every event. */
import type { IngestionEvent } from "../../IngestionEvent.js"
import { eventTypeOf, type Item, Plain } from "../item/item.js"
import { toEvent } from "../item/toEvent.js"

export interface Stats {
  readonly offered: number
  readonly sampledOut: number
  readonly dropped: number
  readonly pending: number
  readonly delivered: number
  readonly rejected: number
  readonly failed: number
}

type Settled = "delivered" | "rejected" | "failed"

type Writable<A> = { -readonly [K in keyof A]: A[K] }

export type Counts = Pick<Stats, Settled | "pending">

/** Stands for an item whose outcome is known, so that whoever still holds the entry holds no content. */
const gone = new Plain("", 0, "", "", "null", undefined, [])

/** What a transport withholds at most, in events and in bytes. */
const maxWithheld = 100_000
const maxWithheldBytes = 64 << 20

/** An event whose outcome is not known yet. Its state belongs to the ledger. */
export class Entry {
  readonly id: string
  readonly type: string
  readonly bytes: number
  /** @internal */
  item: Item
  /** @internal */
  readonly ledger: Ledger
  /** @internal */
  readonly sequence: number
  /** @internal */
  state: "held" | "withheld" | "settled" = "held"
  /** @internal What the ledger has counted of it. */
  countedBytes: number

  constructor(item: Item, ledger: Ledger, sequence: number) {
    this.id = item.eventId
    this.type = eventTypeOf(item)
    this.bytes = this.countedBytes = item.bytes
    this.item = item
    this.ledger = ledger
    this.sequence = sequence
  }

  /** The plain event, made each time it is asked for; empty once the entry is settled. */
  get event(): IngestionEvent {
    return toEvent(this.item)
  }

  /** Lets go of the item: what it says is elsewhere. */
  release(): void {
    this.item = gone
  }
}

export interface Watch {
  /** What is held from now on is not part of it. */
  readonly close: () => void
  readonly report: () => Counts
  readonly stop: () => void
}

class Watching {
  upTo = Infinity
  readonly counts: Writable<Counts>
  readonly onSettled: () => void

  constructor(pending: number, onSettled: () => void) {
    this.counts = { delivered: 0, rejected: 0, failed: 0, pending }
    this.onSettled = onSettled
  }

  tellIfSettled(): void {
    if (this.upTo !== Infinity && this.counts.pending === 0) this.onSettled()
  }
}

export class Ledger {
  private readonly counts: Writable<Stats> = {
    offered: 0,
    sampledOut: 0,
    dropped: 0,
    pending: 0,
    delivered: 0,
    rejected: 0,
    failed: 0
  }
  private readonly watching = new Set<Watching>()
  private sequence = 0
  private isClosed = false
  private withheld = 0
  private withheldBytes = 0
  /** Of what is held and not withheld. */
  heldBytes = 0

  get pending(): number {
    return this.counts.pending
  }

  sampleOut(count: number): void {
    this.counts.offered += count
    this.counts.sampledOut += count
  }

  /** Returns how many were dropped so far. */
  drop(): number {
    this.counts.offered++
    return ++this.counts.dropped
  }

  /** Of an event that is not even held. */
  refuse(): void {
    this.counts.offered++
    this.counts.rejected++
  }

  hold(item: Item): Entry {
    this.counts.offered++
    this.counts.pending++
    this.heldBytes += item.bytes
    for (const { counts, upTo } of this.watching) if (upTo === Infinity) counts.pending++
    return new Entry(item, this, ++this.sequence)
  }

  isOpen(entry: Entry): boolean {
    return entry.ledger === this && entry.state !== "settled" && !this.isClosed
  }

  /** Held, and nobody said that it is kept on purpose. */
  isForgotten(entry: Entry): boolean {
    return this.isOpen(entry) && entry.state === "held"
  }

  /** Kept on purpose, outside of the queue's bounds; `false` where too much is. */
  withhold(entry: Entry): boolean {
    if (!this.isOpen(entry) || entry.state === "withheld") return true
    // Nothing, where what it says was merged into something else.
    const { bytes } = entry.item
    if (this.withheld >= maxWithheld || this.withheldBytes + bytes > maxWithheldBytes) return false
    entry.state = "withheld"
    this.withheld++
    this.withheldBytes += bytes
    this.heldBytes -= entry.countedBytes
    entry.countedBytes = bytes
    return true
  }

  /** The first outcome of an entry of this ledger counts; `false` for any other. */
  settle(entry: Entry, outcome: Settled): boolean {
    if (!this.isOpen(entry)) return false
    if (entry.state === "held") this.heldBytes -= entry.countedBytes
    else {
      this.withheld--
      this.withheldBytes -= entry.countedBytes
    }
    entry.state = "settled"
    entry.release()
    this.counts.pending--
    this.counts[outcome]++
    for (const watching of this.watching) {
      if (entry.sequence > watching.upTo) continue
      watching.counts.pending--
      watching.counts[outcome]++
      watching.tellIfSettled()
    }
    return true
  }

  /** What is open has failed, and nothing changes any more. Returns how many that is. */
  abandon(): number {
    const { pending } = this.counts
    this.isClosed = true
    this.counts.failed += pending
    this.counts.pending = this.heldBytes = 0
    for (const watching of this.watching) {
      watching.counts.failed += watching.counts.pending
      watching.counts.pending = 0
      watching.tellIfSettled()
    }
    return pending
  }

  /** Counts what becomes of the events held now and until it is closed. `onSettled` is called when none of them is pending. */
  watch(onSettled: () => void): Watch {
    const watching = new Watching(this.counts.pending, onSettled)
    this.watching.add(watching)
    return {
      close: () => {
        watching.upTo = this.sequence
        watching.tellIfSettled()
      },
      report: () => ({ ...watching.counts }),
      stop: () => void this.watching.delete(watching)
    }
  }

  stats(): Stats {
    return { ...this.counts }
  }
}
