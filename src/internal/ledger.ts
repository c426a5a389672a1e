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

/** The outcomes of the events that were held when the watch began. */
export interface Watch {
  readonly report: () => Pick<Stats, Settlement | "pending">
  readonly stop: () => void
}

interface Held {
  readonly sequence: number
  readonly bytes: number
}

interface Watching {
  readonly upTo: number
  readonly counts: Record<Settlement, number>
  pending: number
}

export class Ledger {
  private offered = 0
  private sampledOut = 0
  private dropped = 0
  private readonly settled: Record<Settlement, number> = { delivered: 0, rejected: 0, failed: 0 }
  private readonly held = new Map<IngestionEvent, Held>()
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
    this.held.set(event, { sequence: this.sequence + 1, bytes })
    this.sequence++
    this.offered++
    this.heldBytes += bytes
    Metrics.queueEvents.set(this.held.size)
    Metrics.queueBytes.set(this.heldBytes)
  }

  /** Whether the event was held until now. */
  settle(event: IngestionEvent, outcome: Settlement): boolean {
    const held = this.held.get(event)
    if (held === undefined) return false
    this.held.delete(event)
    this.heldBytes -= held.bytes
    this.settled[outcome]++
    for (const watch of this.watching) {
      if (held.sequence <= watch.upTo) {
        watch.pending--
        watch.counts[outcome]++
      }
    }
    Metrics.settled[outcome].count(1)
    Metrics.queueEvents.set(this.held.size)
    Metrics.queueBytes.set(this.heldBytes)
    return true
  }

  /** Settles all that is held as failed; returns how many those were. */
  abandon(): number {
    const events = [...this.held.keys()]
    for (const event of events) this.settle(event, "failed")
    return events.length
  }

  isHeld(event: IngestionEvent): boolean {
    return this.held.has(event)
  }

  watch(): Watch {
    const watch: Watching = {
      upTo: this.sequence,
      pending: this.held.size,
      counts: { delivered: 0, rejected: 0, failed: 0 }
    }
    this.watching.add(watch)
    return {
      report: () => ({ ...watch.counts, pending: watch.pending }),
      stop: () => void this.watching.delete(watch)
    }
  }

  stats(): Stats {
    return {
      offered: this.offered,
      sampledOut: this.sampledOut,
      dropped: this.dropped,
      pending: this.held.size,
      ...this.settled
    }
  }
}
