/**
 * What becomes of spans that end: which of them are observations, what is above each, and when they are handed on.
 *
 * A span is encoded in a turn of the event loop after the one it ended in, since attributes may still come (a model call
 * that fails while it streams sets its own then), and children before their parents. So when an observation is encoded
 * its ancestors are mostly open still. What is certain of them is fixed then: a span of which the observation has been
 * told that it is above will be exported, and one that was passed over, or has been left out before, is not named as
 * anyone's parent. Every parent named is therefore exported, sooner or later; and everything that has to be remembered
 * for that is on the spans themselves, and goes with them.
 */
import type * as Clock from "effect/Clock"
import type * as Exit from "effect/Exit"
import type * as Tracer from "effect/Tracer"
import type { Ids } from "../../IdGenerator.js"
import type { IngestionEvent } from "../../IngestionEvent.js"
import type { Source } from "../sources.js"
import { toEvent } from "./observation.js"
import { OpenSpans } from "./open.js"
import type { LangfuseSpan } from "./span.js"

export type Filter = "langfuse" | "all" | ((span: Tracer.Span) => boolean)

export interface Settings {
  readonly ingest: { readonly unsafeEnqueue: (event: IngestionEvent) => boolean }
  readonly ids: Ids
  readonly clock: Clock.Clock
  readonly filter: Filter
  readonly maxOpenSpans: number
  /** Nanoseconds. */
  readonly openSpanTimeout: bigint
  /** For a person, such as `10 minutes`. */
  readonly timeoutText: string
}

/** Spans encoded in one turn at most, and the characters of attributes they have together, about. */
const maxPerTurn = 256
const maxTextPerTurn = 1_000_000

/**
 * Spans that wait for the next turn at most. A program that never yields to the event loop has no next turn; beyond
 * this the first ones are encoded at once.
 */
const maxWaiting = 2048

/** Spans given up at one time at most: it is in some span's start that they are. */
const maxPerSweep = 64

export class SpanExporter implements Source {
  readonly settings: Settings
  private readonly open = new OpenSpans<LangfuseSpan>()
  private waiting: Array<LangfuseSpan> = []
  private next = 0
  /** Spans that do not wait any more. */
  private taken = 0
  private isDraining = false
  private isClosed = false
  /** No open span is over the age limit before this time. */
  private sweepAt = 0n

  constructor(settings: Settings) {
    this.settings = settings
  }

  /** Whether both send to the same place, so that a span of one may be above a span of the other. */
  isSameAs(that: SpanExporter): boolean {
    return this === that || this.settings.ingest === that.settings.ingest
  }

  /** Spans that began, to be rescued when they never end: at most so many, so that forgotten ones take no memory. */
  started(span: LangfuseSpan): void {
    const { maxOpenSpans, openSpanTimeout } = this.settings
    const now = span.status.startTime
    if (this.open.size > 0 && now >= this.sweepAt) this.sweep(now)
    if (this.isClosed || this.open.size >= maxOpenSpans) return
    if (this.open.size === 0) this.sweepAt = now + openSpanTimeout
    this.open.add(span)
  }

  ended(span: LangfuseSpan): void {
    this.open.delete(span)
    const waiting = this.waiting.push(span) - this.next
    // The timer of a request that was cut off may never fire: from time to time another one is set.
    if (waiting % maxPerTurn === 1) setTimeout(() => this.turn(), 0)
    if (waiting > maxWaiting) this.drain(maxPerTurn)
  }

  /** Encodes all that waits. */
  push(): void {
    this.drain(Infinity)
  }

  /** Encodes all that waits now, so much at each call as one turn should do; whether there is more. */
  parts(): () => boolean {
    const end = this.taken + this.waiting.length - this.next
    return () => {
      if (this.taken < end) this.drain(maxPerTurn)
      return this.taken < end
    }
  }

  /** Exports what is open as never ended. Spans that end later are still exported, as long as events are taken. */
  close(): void {
    this.push()
    this.giveUp([...this.open], this.settings.clock.unsafeCurrentTimeNanos(), "still open when tracing stopped")
    this.isClosed = true
  }

  private turn(): void {
    this.drain(maxPerTurn)
    if (this.waiting.length > this.next) setTimeout(() => this.turn(), 0)
  }

  private drain(limit: number): void {
    // The user's mask runs in here, and may flush or end spans of its own.
    if (this.isDraining) return
    this.isDraining = true
    let room = limit === Infinity ? Infinity : maxTextPerTurn
    for (let count = 0; count < limit && room > 0; count++) {
      const span = this.waiting[this.next]
      if (span === undefined) break
      this.next++
      this.taken++
      try {
        room -= this.settle(span)
      } catch {
        // A service of the user's that throws.
      }
    }
    if (this.next === this.waiting.length || this.next >= maxWaiting) {
      this.waiting = this.waiting.slice(this.next)
      this.next = 0
    }
    this.isDraining = false
  }

  /** Exports or leaves out a span that ended; returns about how much text that was. */
  private settle(span: LangfuseSpan): number {
    const status = span.status
    if (status._tag === "Started") return 0
    if (!this.isObservation(span)) {
      span.isKept = false
      return 0
    }
    this.export(span, status.endTime, status.exit, undefined)
    return span.text
  }

  private sweep(now: bigint): void {
    const { openSpanTimeout, timeoutText } = this.settings
    const old: Array<LangfuseSpan> = []
    for (const span of this.open) {
      if (now - span.status.startTime < openSpanTimeout) {
        this.sweepAt = span.status.startTime + openSpanTimeout
        break
      }
      if (old.length === maxPerSweep) break
      old.push(span)
    }
    this.giveUp(old, now, `has not ended after ${timeoutText}`)
  }

  private giveUp(spans: ReadonlyArray<LangfuseSpan>, now: bigint, why: string): void {
    // Those below first, as when they end.
    for (let i = spans.length - 1; i >= 0; i--) {
      const span = spans[i]
      if (span === undefined) continue
      this.open.delete(span)
      try {
        // One that is not an observation yet may become one before it ends.
        if (!this.isObservation(span)) continue
        this.export(span, now, undefined, `never ended: ${why}`)
        span.isGivenUp = true
      } catch {
        // As above.
      }
    }
  }

  private export(
    span: LangfuseSpan,
    endTime: bigint,
    exit: Exit.Exit<unknown, unknown> | undefined,
    neverEnded: string | undefined
  ): void {
    span.isKept = true
    const above = this.keptAbove(span)
    const isAppRoot = above === undefined && (span.entry.rootId ??= span.spanId) === span.spanId
    this.settings.ingest.unsafeEnqueue(
      toEvent({
        traceId: span.traceId,
        spanId: span.spanId,
        parentId: above?.spanId ?? span.entry.remoteParentId,
        isAppRoot,
        name: span.name,
        kind: span.kind,
        startTime: span.status.startTime,
        endTime,
        exit,
        neverEnded,
        attributes: span.attributes,
        events: span.events,
        links: span.links,
        leftOut: span.leftOut,
        json: span.json,
        isLate: span.isGivenUp
      }, this.settings.ids.unsafeEventId())
    )
  }

  /** Whether the span is exported for certain, now or when it ends. Once it is, it stays so. */
  isObservation(span: LangfuseSpan): boolean {
    if (span.exporter !== this) return span.exporter.isObservation(span)
    if (span.isKept !== undefined) return span.isKept
    if (!passes(this.settings.filter, span)) return false
    span.isKept = true
    return true
  }

  /** The nearest span above that is exported. */
  private keptAbove(span: LangfuseSpan): LangfuseSpan | undefined {
    let anchor = span.above
    while (anchor !== undefined && !this.isObservation(anchor)) anchor = anchor.above
    if (anchor === undefined) return undefined
    anchor.exporter.track(anchor)
    if (this.settings.filter !== "langfuse") return anchor
    // What is between two observations shows how one led to the other.
    let nearest: LangfuseSpan | undefined
    for (let between = span.above; between !== undefined && between !== anchor; between = between.above) {
      if (between.isKept !== undefined) continue
      between.isKept = between.exporter.track(between)
      if (between.isKept) nearest ??= between
    }
    return nearest ?? anchor
  }

  /** Whether the span will be handed on even if it never ends. */
  private track(span: LangfuseSpan): boolean {
    if (span.status._tag === "Ended" || span.isOpen) return true
    if (this.isClosed || this.open.size >= this.settings.maxOpenSpans) return false
    this.open.add(span)
    return true
  }
}

const passes = (filter: Filter, span: LangfuseSpan): boolean => {
  if (filter === "all") return true
  if (filter === "langfuse") return span.isOwn
  try {
    return filter(span.visible)
  } catch {
    // A filter that cannot tell has not said yes.
    return false
  }
}
