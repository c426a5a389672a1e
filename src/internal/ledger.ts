/**
 * What became of every event: the one place where outcomes are counted.
 *
 * An event is offered, and from then on has exactly one outcome: `sampledOut` and `dropped` at once, `delivered`,
 * `rejected` or `failed` once it was held (`pending`) and then settled. An event that is settled twice, or was never
 * held, changes nothing: a transport that reports nonsense cannot unbalance the books.
 */
import type { IngestionEvent } from "../IngestionEvent.js"
import * as Metrics from "./metrics.js"

export type Settlement = "delivered" | "rejected" | "failed"

export interface Stats {
  readonly offered: number
  readonly sampledOut: number
  readonly dropped: number
  readonly pending: number
  readonly delivered: number
  readonly rejected: number
  readonly failed: number
}

/** The outcomes of the events that were held when the watch began, and of those that came until it was said to be all. */
export interface Watch {
  readonly isAll: () => void
  readonly report: () => Pick<Stats, Settlement | "pending">
  readonly stop: () => void
}

/**
 * What is known of an event that is held: a link of a list, and noted on the event itself. In a `Map` or `Set` through which
 * events pass in great numbers, the tables it has outgrown keep each other alive, and so the events that were in them, until
 * the next full garbage collection.
 */
class Held {
  readonly ledger: Ledger
  readonly event: Noted
  readonly sequence: number
  readonly bytes: number
  previous: Held | undefined
  next: Held | undefined

  constructor(ledger: Ledger, event: Noted, sequence: number, bytes: number, previous: Held | undefined) {
    this.ledger = ledger
    this.event = event
    this.sequence = sequence
    this.bytes = bytes
    this.previous = previous
    this.next = undefined
  }
}

const note = Symbol("effect-langfuse/ledger")

type Noted = IngestionEvent & { [note]?: Held | undefined }

interface Watching {
  upTo: number
  readonly counts: Record<Settlement, number>
  pending: number
}

export class Ledger {
  private offered = 0
  private sampledOut = 0
  private dropped = 0
  private readonly settled: Record<Settlement, number> = { delivered: 0, rejected: 0, failed: 0 }
  private first: Held | undefined
  private last: Held | undefined
  private pending = 0
  private readonly watching = new Set<Watching>()
  private sequence = 0
  /** Bytes of all events held. */
  heldBytes = 0

  // The books first, all of a sudden, then the metrics: a stack that ends in one of these must not unbalance them.

  sampleOut(): void {
    this.offered++
    this.sampledOut++
    Metrics.sampledOut.count(1)
  }

  /** Returns how many were dropped so far, this one included. */
  drop(): number {
    this.offered++
    const dropped = ++this.dropped
    Metrics.dropped.count(1)
    return dropped
  }

  hold(event: IngestionEvent, bytes: number): void {
    const previous = this.last
    const held = new Held(this, event, this.sequence + 1, bytes, previous)
    held.event[note] = held
    if (previous === undefined) this.first = held
    else previous.next = held
    this.last = held
    this.pending++
    this.sequence++
    this.offered++
    this.heldBytes += bytes
    Metrics.queueEvents.set(this.pending)
    Metrics.queueBytes.set(this.heldBytes)
  }

  /** Whether the event was held until now. */
  settle(event: IngestionEvent, outcome: Settlement): boolean {
    const held = this.find(event)
    if (held === undefined) return false
    this.remove(held)
    this.settled[outcome]++
    for (const watch of this.watching) {
      if (held.sequence <= watch.upTo) {
        watch.pending--
        watch.counts[outcome]++
      }
    }
    Metrics.settled[outcome].count(1)
    Metrics.queueEvents.set(this.pending)
    Metrics.queueBytes.set(this.heldBytes)
    return true
  }

  /** Settles all that is held as failed; returns how many those were. */
  abandon(): number {
    let abandoned = 0
    for (let held = this.first; held !== undefined; held = this.first) {
      this.settle(held.event, "failed")
      abandoned++
    }
    return abandoned
  }

  isHeld(event: IngestionEvent): boolean {
    return this.find(event) !== undefined
  }

  private find(event: Noted): Held | undefined {
    const held = event[note]
    return held?.ledger === this ? held : undefined
  }

  private remove(held: Held): void {
    const { next, previous } = held
    if (previous === undefined) this.first = next
    else previous.next = next
    if (next === undefined) this.last = previous
    else next.previous = previous
    held.event[note] = undefined
    held.previous = undefined
    held.next = undefined
    this.pending--
    this.heldBytes -= held.bytes
  }

  watch(): Watch {
    const watch: Watching = {
      upTo: Infinity,
      pending: 0,
      counts: { delivered: 0, rejected: 0, failed: 0 }
    }
    this.watching.add(watch)
    return {
      isAll: () => {
        watch.upTo = this.sequence
        watch.pending = this.pending
      },
      report: () => ({ ...watch.counts, pending: watch.upTo === Infinity ? this.pending : watch.pending }),
      stop: () => void this.watching.delete(watch)
    }
  }

  stats(): Stats {
    return {
      offered: this.offered,
      sampledOut: this.sampledOut,
      dropped: this.dropped,
      pending: this.pending,
      ...this.settled
    }
  }
}
