/**
 * What becomes of spans that end: which of them are observations, what is above each, and when they are handed on.
 *
 * A span is made an observation in a turn of the event loop after the one it ended in, since attributes may still come (a
 * model call that fails while it streams sets its own then), and children before their parents. So when that is done its
 * ancestors are mostly open still. What is certain of them is fixed then: a span already named as a parent will be
 * exported, and one that was passed over, or has been left out before, is not named as anyone's parent. Everything that has
 * to be remembered for that is on the spans themselves, and goes with them.
 */
import type * as Clock from "effect/Clock"
import type * as Exit from "effect/Exit"
import type * as Tracer from "effect/Tracer"
import { fromSpan } from "../../core/item/fromSpan.js"
import type { Policy } from "../../core/item/policy.js"
import type { Ids } from "../idGenerator.js"
import type { Intake, Source } from "../intake.js"
import { endedSpan, linksOf } from "./ended.js"
import { OpenSpans } from "./open.js"
import { badEnvironment, isWithin } from "./scope.js"
import type { Held, LangfuseSpan } from "./span.js"
import * as Status from "./status.js"
import type { LocalTrace } from "./trace.js"
import { addTraceFields, contradicts, separateVersion } from "./traceFields.js"
import { Union } from "./values.js"

type Filter = "langfuse" | "all" | ((span: Tracer.Span) => boolean)

export interface Settings {
  readonly intake: Intake
  readonly ids: Ids
  readonly clock: Clock.Clock
  readonly filter: Filter
  readonly maxOpenSpans: number
  /** Nanoseconds. */
  readonly openSpanTimeout: bigint
  /** For a person, such as `10 minutes`. */
  readonly timeoutText: string
  readonly remoteParent: "continue" | "link" | "ignore"
  readonly remoteSampling: "respect" | "ignore"
  readonly spanEvents: boolean
  /** At most one in ten seconds of each kind is written. */
  readonly warn: (kind: string, message: string) => void
}

/** Spans encoded in one turn at most, and the characters of attributes they have together, about. */
const maxPerTurn = 256
const maxTextPerTurn = 1_000_000

/**
 * Spans that wait for the next turn at most. A program that never yields to the event loop has no next turn; beyond
 * this the first ones are encoded at once.
 */
const maxWaiting = 2048

/** And so many characters of attributes together: what waits is not counted by the service yet. */
const maxTextWaiting = 4_000_000

/** What is said inside one span that is not certain to be exported, at most. */
const maxHeld = 1000

/** Spans given up at one time at most: it is in some span's start that they are. */
const maxPerSweep = 64

export class SpanExporter implements Source {
  readonly settings: Settings
  /** The traces that callers begin here, for spans beside each other. */
  readonly entries = new WeakMap<Tracer.ExternalSpan, LocalTrace>()
  private readonly open = new OpenSpans<LangfuseSpan>()
  private waiting: Array<LangfuseSpan> = []
  private next = 0
  private textWaiting = 0
  /** Spans that do not wait any more. */
  private taken = 0
  private isDraining = false
  private isClosed = false
  /** No open span is over the age limit before this time. */
  private sweepAt = 0n
  /** The span that the filter is looking at. */
  private asked: LangfuseSpan | undefined = undefined
  private hasSaidUnsampled = false
  private lastPolicy: Policy | undefined = undefined

  constructor(settings: Settings) {
    this.settings = settings
  }

  /** Whether both send to the same project, so that a span of one may be above a span of the other. */
  isSameAs(that: SpanExporter): boolean {
    if (this === that) return true
    const { intake } = this.settings
    const other = that.settings.intake
    return intake === other || (intake.project !== undefined && intake.project === other.project)
  }

  /** Spans that began, to be rescued when they never end: at most so many, so that forgotten ones take no memory. */
  started(span: LangfuseSpan): void {
    if (!span.isRecording) return
    span.trace.open++
    if (span.scope?.badEnvironment !== undefined) this.warnOfEnvironment(span.scope.badEnvironment)
    const { maxOpenSpans, openSpanTimeout } = this.settings
    const now = span.status.startTime
    if (this.open.size > 0 && now >= this.sweepAt) this.sweep(now)
    if (this.isClosed || this.open.size >= maxOpenSpans) return
    if (this.open.size === 0) this.sweepAt = now + openSpanTimeout
    this.open.add(span)
  }

  ended(span: LangfuseSpan): void {
    if (!span.isRecording) {
      span.isSettled = true
      if (span.trace.fate === "sampledOut" && this.isObservation(span)) this.settings.intake.sampleOut(1)
      return
    }
    this.open.delete(span)
    const names = this.settings.intake.policy.redactedNames()
    if (span.names !== names) span.names = span.names === undefined ? names : new Union(span.names, names)
    this.write(span)
    const waiting = this.waiting.push(span) - this.next
    this.textWaiting += span.text
    // The timer of a request that was cut off may never fire: from time to time another one is set.
    if (waiting % maxPerTurn === 1) setTimeout(() => this.turn(), 0)
    if (waiting > maxWaiting || this.textWaiting > maxTextWaiting) this.drain(maxPerTurn)
  }

  /** Writes what was left for the end of a span that is exported, in the program's turn: it may change any value later. */
  write(span: LangfuseSpan): void {
    const { status } = span
    if (status._tag === "Started" || span.isSettled) return
    try {
      if (!span.hasMore && status.exit._tag === "Success") return
      const above = this.certainAbove(span)
      const isBetween = span.leads && above !== undefined && this.settings.filter === "langfuse"
      if (!isBetween && !this.isObservation(span) && !this.isCall(span)) return
      if (!this.settings.intake.hasRoom(above === undefined)) return
      const policy = this.policyOf(span)
      span.write(policy)
      span.writtenLinks = linksOf(span, policy)
      span.writtenStatus = Status.of(status.exit, policy)
    } catch {
      // Untyped code may have ended it with anything.
    }
  }

  /** With the names that were to be redacted where the span was open. */
  private policyOf({ names }: LangfuseSpan): Policy {
    const { policy } = this.settings.intake
    if (names === undefined) return policy
    if (this.lastPolicy?.redactedNames() !== names) this.lastPolicy = { ...policy, redactedNames: () => names }
    return this.lastPolicy
  }

  /** Hands over all that waits. */
  push(): void {
    this.drain(Infinity)
  }

  /** What hands over all that waits now, so much at each call as one turn should do; whether there is more. */
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
      this.textWaiting -= span.text
      try {
        room -= this.settle(span)
      } catch {
        // Ids of the user's, or a service, that throws.
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
    const { status } = span
    if (status._tag === "Started") return 0
    span.isSettled = true
    span.trace.open--
    if (!this.isObservation(span) && !this.isCall(span)) {
      span.isKept = false
      this.leaveOut(span)
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
        if (!this.isObservation(span)) {
          this.leaveOut(span)
          continue
        }
        span.beforeEnd?.()
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
    const { held } = span
    span.held = undefined
    for (const one of held ?? []) one.keep()
    const { ids, intake } = this.settings
    const { trace } = span
    const above = this.keptAbove(span)
    const isAppRoot = above === undefined && !trace.isCallerKnown &&
      (trace.rootId ??= span.ownId) === span.ownId
    this.watchSiblings(span, above)
    if (!intake.hasRoom(above === undefined)) return intake.drop()
    addTraceFields(span, above)
    const policy = this.policyOf(span)
    const item = fromSpan(
      endedSpan(span, { above, isAppRoot, endTime, exit, neverEnded, policy }),
      ids.unsafeEventId(),
      policy
    )
    separateVersion(span, item)
    intake.take(item)
  }

  /** Holds what is said inside a span until its fate is certain; `false` where there is too much of it. */
  hold(span: LangfuseSpan, held: Held): boolean {
    const all = span.held ??= []
    if (all.length >= maxHeld || !this.track(span)) return false
    all.push(held)
    return true
  }

  private leaveOut(span: LangfuseSpan): void {
    const { held } = span
    span.held = undefined
    for (const one of held ?? []) one.leaveOut()
  }

  private watchSiblings(span: LangfuseSpan, above: LangfuseSpan | undefined): void {
    if (span.scope === undefined) return
    const siblings = above ?? span.trace
    const known = siblings.scopeOfLast
    // One that says more is kept for the next.
    if (known === undefined || !isWithin(known, span.scope)) siblings.scopeOfLast = span.scope
    if (known === undefined || !contradicts(known, span.scope)) return
    this.settings.warn(
      "siblings",
      "observations of one Langfuse trace are said to be of different users, sessions or trace names, and the last one " +
        "counts for all: give each a trace of its own with Langfuse.withTrace({ newTrace: true })"
    )
  }

  private warnOfEnvironment(name: string): void {
    this.settings.warn("environment", badEnvironment(name))
  }

  /** Says once that the callers in other processes decide. */
  leftOutByCaller(): void {
    if (this.hasSaidUnsampled) return
    this.hasSaidUnsampled = true
    this.settings.warn(
      "unsampled",
      "a caller's traceparent says that its trace is not sampled, so it is left out of Langfuse here too and counted as " +
        "sampledOut; with remoteSampling: \"ignore\" the sampleRate decides instead"
    )
  }

  /** Whether the span is exported for certain, now or when it ends. Once it is, it stays so. */
  isObservation(span: LangfuseSpan): boolean {
    if (span.exporter !== this) return span.exporter.isObservation(span)
    if (span.isKept !== undefined) return span.isKept
    if (!this.passes(span)) return false
    span.isKept = true
    return true
  }

  private passes(span: LangfuseSpan): boolean {
    const { filter } = this.settings
    if (filter === "all") return true
    if (filter === "langfuse") return span.isOwn
    // It may read the span's id, which asks it again.
    if (this.asked === span) return false
    this.asked = span
    try {
      return filter(span.visible)
    } catch {
      // A filter that cannot tell has not said yes.
      return false
    } finally {
      this.asked = undefined
    }
  }

  /**
   * A request of another tracer too, below an observation: its id, which is the other's, is what the service that was
   * called names as the parent. Databases read no headers.
   */
  private isCall(span: LangfuseSpan): boolean {
    if (!span.isTeed || (span.kind !== "client" && span.kind !== "producer")) return false
    for (const name of span.attributes.keys()) {
      if (typeof name === "string" && name.startsWith("db.")) return false
    }
    return this.certainAbove(span) !== undefined
  }

  /** The nearest span above that is exported for certain. */
  private certainAbove(span: LangfuseSpan): LangfuseSpan | undefined {
    let above = span.above
    while (above !== undefined && !this.isObservation(above)) above = above.above
    return above
  }

  shownId(span: LangfuseSpan): string {
    // What the filter is asked about has no other id yet.
    if (span.isTeed || !span.isRecording || this.asked !== undefined || this.isObservation(span)) return span.ownId
    const above = this.certainAbove(span)
    if (above === undefined) return span.trace.remoteParentId ?? span.ownId
    above.exporter.track(above)
    return above.ownId
  }

  /** The nearest span above that is exported. */
  private keptAbove(span: LangfuseSpan): LangfuseSpan | undefined {
    const anchor = this.certainAbove(span)
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
