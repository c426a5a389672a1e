/**
 * Spans as the tracer hands them out: they take down what happens to them and never throw, whatever they are given.
 */
import type * as Context from "effect/Context"
import type * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as HashMap from "effect/HashMap"
import type * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import { contentOf } from "../../core/item/content.js"
import { isContent, isRead } from "../../core/item/foreign.js"
import type { Content } from "../../core/item/item.js"
import { isContentEvent } from "../../core/item/messages.js"
import { aliases, genAiPrefix, isLangfuse, keyUnder, observation, trace } from "../../core/item/names.js"
import type { Policy } from "../../core/item/policy.js"
import type { EndedSpan, SpanLink } from "../../core/item/span.js"
import type { SpanExporter } from "./exporter.js"
import { currentFiber } from "./native.js"
import type { Listed } from "./open.js"
import type { TraceScope } from "./scope.js"
import { toMillis } from "./time.js"
import type { LocalTrace } from "./trace.js"
import { attributeValue, isGiven, isObject, snapshotOf, snapshotsOf, Union } from "./values.js"

/** Events, and links, that one span keeps: OpenTelemetry's default. A span may log for as long as the program runs. */
const maxEvents = 128

/** Where a span's record is found, on the span itself or on the one a tee hands out. */
export const RecordId: unique symbol = Symbol.for("effect-langfuse/LangfuseTracer/Record")

/** Classes, not literals: they live as long as the span (see `Content`). */
class Started {
  readonly _tag = "Started"
  readonly startTime: bigint

  constructor(startTime: bigint) {
    this.startTime = startTime
  }
}

class Ended {
  readonly _tag = "Ended"
  readonly startTime: bigint
  readonly endTime: bigint
  readonly exit: Exit.Exit<unknown, unknown>

  constructor(startTime: bigint, endTime: bigint, exit: Exit.Exit<unknown, unknown>) {
    this.startTime = startTime
    this.endTime = endTime
    this.exit = exit
  }
}

class SpanEvent {
  readonly name: string
  readonly time: number
  attributes: Readonly<Record<string, unknown>>

  constructor(name: string, time: number, attributes: Readonly<Record<string, unknown>>) {
    this.name = name
    this.time = time
    this.attributes = attributes
  }
}

/** Texts of attributes that are known to be JSON. */
class JsonTexts {
  input: string | undefined = undefined
  output: string | undefined = undefined
  /** By the attribute's name. Where there are any, other texts are not taken for JSON. */
  others: Map<string, string> | undefined = undefined
}

type EndedStatus = EndedSpan["status"]

/** Something said inside a span that shares its fate, such as a score. */
export class Held {
  readonly keep: () => void
  readonly leaveOut: () => void

  constructor(keep: () => void, leaveOut: () => void) {
    this.keep = keep
    this.leaveOut = leaveOut
  }
}

/** What is known when a span starts. */
export interface Start {
  readonly exporter: SpanExporter
  /** The span of the other tracer of a tee. */
  readonly other: Tracer.Span | undefined
  readonly name: string
  readonly parent: Option.Option<Tracer.AnySpan>
  readonly context: Context.Context<never>
  readonly links: ReadonlyArray<Tracer.SpanLink>
  readonly startTime: bigint
  readonly kind: Tracer.SpanKind
  readonly isRoot: boolean
}

export class LangfuseSpan implements Tracer.Span, Listed<LangfuseSpan> {
  readonly _tag = "Span"
  readonly exporter: SpanExporter
  readonly name: string
  /** The id of its observation. */
  readonly ownId: string
  readonly parent: Option.Option<Tracer.AnySpan>
  readonly above: LangfuseSpan | undefined
  readonly trace: LocalTrace
  readonly scope: TraceScope | undefined
  readonly context: Context.Context<never>
  readonly kind: Tracer.SpanKind
  status: Tracer.SpanStatus
  readonly attributes = new Map<string, unknown>()
  links: ReadonlyArray<Tracer.SpanLink>
  events: Array<SpanEvent> | undefined = undefined
  leftOut = 0
  /** The characters of all texts that were set, about. */
  text = 0
  json: JsonTexts | undefined = undefined
  /** Whether it has an attribute of Langfuse or of generative AI that was set on it, and not on all spans around. */
  isOwn = false
  /** Whether an observation is below it, so that it is exported where one is above it too. */
  leads = false
  /** The names whose values were to be redacted where it started, and where it ended. */
  names: ReadonlySet<string> | undefined = undefined
  /** Whether objects that are given are written at once, since the others have been. */
  isWritten = false
  /** What was left for its end to write. */
  hasMore: boolean
  writtenLinks: ReadonlyArray<SpanLink> | undefined = undefined
  writtenStatus: EndedStatus | undefined = undefined
  /** Whether its `langfuse.version` is its own, and not its trace's. */
  hasOwnVersion = false
  /** Whether a span for which tracing was turned off is between this one and its parent. */
  readonly isBelowHidden: boolean
  /** Whether it is exported, once that is certain. */
  isKept: boolean | undefined = undefined
  /** Exported, or left out, after its end. */
  isSettled = false
  /** Exported as one that never ended. */
  isGivenUp = false
  /** What stands for this span in the program when another tracer has a span for it too. */
  visible: Tracer.Span = this
  /** The record of another tee for the same span. */
  beneath: LangfuseSpan | undefined = undefined
  /** Whether it is another tracer's span too, so that the ids are the other's. */
  isTeed = false
  /** Whether the other tracer records it. */
  isShared = false
  /** The scope of the last observation below, to tell siblings that contradict each other. */
  scopeOfLast: TraceScope | undefined = undefined
  /** What waits for it to be certain whether this is exported. */
  held: Array<Held> | undefined = undefined
  /** Sets what is known so far, for a span that is exported before its end. */
  beforeEnd: (() => void) | undefined = undefined
  isOpen = false
  older: LangfuseSpan | undefined = undefined
  newer: LangfuseSpan | undefined = undefined

  constructor(
    start: Start,
    links: ReadonlyArray<Tracer.SpanLink>,
    ownId: string,
    trace: LocalTrace,
    above: LangfuseSpan | undefined,
    scope: TraceScope | undefined,
    isBelowHidden: boolean
  ) {
    this.exporter = start.exporter
    this.name = textOf(start.name)
    this.ownId = ownId
    this.parent = start.parent
    this.above = above
    this.trace = trace
    this.scope = scope
    this.context = start.context
    this.links = links
    this.kind = start.kind
    this.isBelowHidden = isBelowHidden
    this.status = new Started(this.time(start.startTime))
    this.hasMore = links.length > 0
    if (this.isRecording) this.names = this.policy.redactedNames()
  }

  get [RecordId](): LangfuseSpan {
    return this
  }

  get traceId(): string {
    return this.trace.visibleId
  }

  /**
   * What goes out in headers as the parent of whatever is called: an observation that Langfuse will know. It is this one if
   * it is certain to be exported, else the nearest one above that is.
   */
  get spanId(): string {
    return this.exporter.shownId(this)
  }

  get sampled(): boolean {
    return this.trace.sampled
  }

  private get policy(): Policy {
    return this.exporter.settings.intake.policy
  }

  /** For what all projects are told: what any of them redacts is. */
  get commonPolicy(): Policy {
    const { beneath, policy } = this
    return beneath === undefined
      ? policy
      : { ...policy, redactedNames: () => new Union(policy.redactedNames(), beneath.commonPolicy.redactedNames()) }
  }

  /** Whether its observation is sent. */
  get isRecording(): boolean {
    return this.trace.fate === "recorded"
  }

  /** Whether anybody keeps what is set on it. */
  get isWanted(): boolean {
    return this.isRecording || this.isShared
  }

  end(endTime: bigint, exit: Exit.Exit<unknown, unknown>): void {
    if (this.status._tag === "Ended") return
    this.status = new Ended(this.status.startTime, this.time(endTime), exit)
    this.exporter.ended(this)
  }

  attribute(key: string, value: unknown): void {
    if (this.isCut(key, value)) return
    const isOwn = !this.isOwn && isLangfuse(key) && !isAmbient(key, value)
    if (isOwn) this.own()
    this.put(key, value)
    if (isOwn && this.status._tag === "Ended") this.exporter.write(this)
  }

  /** Makes an observation of it. */
  own(): void {
    this.isOwn = true
    for (let span = this.above; span !== undefined && !span.isOwn && !span.leads; span = span.above) span.leads = true
  }

  /** Whether it was put on every span by a `withTrace` that does not hold in this trace. */
  private isCut(key: string, value: unknown): boolean {
    return this.trace.cut !== undefined && this.scope !== undefined && this.scope.all.get(key) === value &&
      this.attributes.get(key) !== value
  }

  /** An object is written at once where its name is one that is read, to show what it was then, and else at the end. */
  private written(key: string, value: object): unknown {
    if (!this.isRecording || typeof key !== "string") return value
    const { policy } = this
    if (isGiven(value)) return this.contentOf(key, value.written(policy))
    if (this.isWithheld(key)) return value
    return isRead(key) ? this.contentOf(key, contentOf(value, policy)) : this.writtenLater(value, key)
  }

  private isWithheld(key: string): boolean {
    return this.policy.content === "metadata" &&
      (isContent(key) || (this.name === toolkitSpan && key === toolkitParameters))
  }

  /** At once where later it would not be known what of it is to be redacted. */
  private writtenLater(value: unknown, key: string): unknown {
    if (!isObject(value)) return value
    if (this.isWritten || this.isElsewhere) return snapshotOf(value, key, this.policy)
    this.hasMore = true
    return value
  }

  /** Whether other names are redacted here than where it started. */
  private get isElsewhere(): boolean {
    return this.isRecording && this.policy.redactedNames() !== this.names
  }

  /** Writes what was left for the end. */
  write(policy: Policy): void {
    this.isWritten = true
    this.hasMore = false
    for (const [key, value] of this.attributes) {
      if (isObject(value) && !this.isWithheld(key)) this.attributes.set(key, snapshotOf(value, key, policy))
    }
    for (const event of this.events ?? []) {
      event.attributes = snapshotsOf(event.attributes, (value, key) => snapshotOf(value, key, policy))
    }
  }

  private contentOf(key: string, content: Content | undefined): unknown {
    const attribute = attributeValue(content)
    if (content?.isJson === true && typeof attribute === "string") {
      this.text += attribute.length
      if (isContent(key) || isMetadata(key)) this.isJson(key, attribute)
    }
    return attribute
  }

  /** What holds of the trace for this span; nothing of what is on the spans around counts. */
  put(key: string, value: unknown): void {
    if (typeof value === "string") this.text += value.length
    this.attributes.set(key, typeof value === "object" && value !== null ? this.written(key, value) : value)
  }

  /** Takes down that this text is JSON, final as it is; for the projects of a tee beneath too. */
  isJson(key: string, text: string): void {
    this.beneath?.isJson(key, text)
    const json = this.json ??= new JsonTexts()
    if (key === observation.input) json.input = text
    else if (key === observation.output) json.output = text
    else (json.others ??= new Map()).set(key, text)
  }

  /** Takes down that of the metadata only what is said to be JSON is. */
  knowsJson(): void {
    this.beneath?.knowsJson()
    const json = this.json ??= new JsonTexts()
    json.others ??= new Map()
  }

  event(name: string, startTime: bigint, attributes?: Record<string, unknown>): void {
    if (!this.isRecording || !isKept(this.exporter, textOf(name), attributes)) return
    const event = new SpanEvent(textOf(name), toMillis(this.time(startTime)), noAttributes)
    const isMessage = event.name.startsWith(genAiPrefix)
    if (this.policy.content === "metadata" && isContentEvent(event)) return
    event.attributes = snapshotsOf(
      attributes,
      (value, key) => isMessage || isRead(key) ? snapshotOf(value, key, this.policy) : this.writtenLater(value, key)
    )
    const events = this.events ??= []
    // The newest stay: what led to a failure comes last.
    if (events.length === 2 * maxEvents) events.splice(0, maxEvents)
    if (events.push(event) > maxEvents) this.leftOut++
  }

  get newestEvents(): ReadonlyArray<SpanEvent> {
    return this.events === undefined ? none : this.events.slice(-maxEvents)
  }

  /** Where timing is turned off for the tracer, Langfuse still has nothing without it. */
  private time(given: bigint): bigint {
    return typeof given === "bigint" && given !== 0n ? given : this.exporter.settings.clock.unsafeCurrentTimeNanos()
  }

  addLinks(links: ReadonlyArray<Tracer.SpanLink>): void {
    try {
      const all = this.links.concat(this.isElsewhere ? links.map((link) => writtenLink(link, this.policy)) : links)
      this.leftOut += Math.max(0, all.length - maxEvents)
      this.links = all.length > maxEvents ? all.slice(0, maxEvents) : all
      this.writtenLinks = undefined
      this.hasMore = true
    } catch {
      // Not a list of links.
    }
  }
}

const none: ReadonlyArray<SpanEvent> = []

const noAttributes: Readonly<Record<string, unknown>> = {}

const writtenLink = (link: Tracer.SpanLink, policy: Policy): Tracer.SpanLink => {
  try {
    const attributes = snapshotsOf(link.attributes, (value, key) => snapshotOf(value, key, policy))
    return { _tag: "SpanLink", span: link.span, attributes }
  } catch {
    // Not a link.
    return link
  }
}

/** The span that `@effect/ai` opens for the call of a tool, and what goes into it. */
const toolkitSpan = "Toolkit.handle"
const toolkitParameters = "parameters"

/** Names are texts, unless untyped code says otherwise. */
const textOf = (name: unknown): string => {
  try {
    return typeof name === "string" ? name : String(name)
  } catch {
    return ""
  }
}

const isMetadata = (key: string): boolean =>
  (keyUnder(observation.metadata, key) ?? keyUnder(trace.metadata, key) ?? keyUnder(aliases.metadata, key)) !==
    undefined

/** Messages in events are content; log lines and all other events are not told where only metadata leaves, or none is wanted. */
const isKept = (exporter: SpanExporter, name: string, attributes: unknown): boolean => {
  if (name.startsWith("gen_ai.")) return true
  if (!exporter.settings.spanEvents) return false
  return exporter.settings.intake.policy.content === "full" || !isLogLine(attributes)
}

const isLogLine = (attributes: unknown): boolean => {
  try {
    return typeof attributes === "object" && attributes !== null && "effect.logLevel" in attributes
  } catch {
    return true
  }
}

/**
 * Whether the running fiber puts this very attribute on every span, as `withTrace` and `Effect.annotateSpans` do. Such
 * a one says nothing about the span itself: every database query below would be an observation.
 */
const isAmbient = (key: string, value: unknown): boolean => {
  const annotations = currentFiber()?.getFiberRef(FiberRef.currentTracerSpanAnnotations)
  if (annotations === undefined || HashMap.isEmpty(annotations)) return false
  const ambient = HashMap.get(annotations, key)
  return ambient._tag === "Some" && ambient.value === value
}

/** The record of a span, whoever handed the span out; `undefined` for spans that are none of ours. */
export const recordOf = (span: Tracer.AnySpan): LangfuseSpan | undefined => {
  try {
    // Of a span of any tracer nothing else is known.
    const record: unknown = (span as { readonly [RecordId]?: unknown })[RecordId]
    return record instanceof LangfuseSpan ? record : undefined
  } catch {
    return undefined
  }
}

/** The id of its observation, which is not the one that a span of ours shows. */
export const ownIdOf = (span: Tracer.AnySpan): string => recordOf(span)?.ownId ?? span.spanId

/** Its records in all projects: tees may be stacked. */
export function* recordsOf(span: Tracer.AnySpan): Generator<LangfuseSpan, void> {
  for (let record = recordOf(span); record !== undefined; record = record.beneath) yield record
}

/** The record that one project's tracer made of a span. */
export const recordFor = (exporter: SpanExporter, span: Tracer.AnySpan): LangfuseSpan | undefined => {
  for (const record of recordsOf(span)) if (record.exporter.isSameAs(exporter)) return record
  return undefined
}
