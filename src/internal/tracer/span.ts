/**
 * Spans as the tracer hands them out: they take down what happens to them and never throw, whatever they are given.
 */
import type * as Context from "effect/Context"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as HashMap from "effect/HashMap"
import type * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import { isLangfuse } from "./attributes.js"
import type { SpanExporter } from "./exporter.js"
import type { SpanEvent } from "./observation.js"
import type { Listed } from "./open.js"

/** Events, and links, that one span keeps: OpenTelemetry's default. A span may log for as long as the program runs. */
const maxEvents = 128

/** One entry of a trace into this process, shared by all spans below it. */
export interface Entry {
  /** The caller in another process. */
  readonly remoteParentId: string | undefined
  /** The first observation with no other above it: where this process's part of the trace begins. */
  rootId: string | undefined
}

/** Where a span's record is found, on the span itself or on the one a tee hands out. */
export const RecordId: unique symbol = Symbol.for("effect-langfuse/LangfuseTracer/Record")

export interface Options {
  readonly exporter: SpanExporter
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parent: Option.Option<Tracer.AnySpan>
  /** The nearest span of this tracer above it. */
  readonly above: LangfuseSpan | undefined
  readonly entry: Entry
  readonly context: Context.Context<never>
  readonly links: ReadonlyArray<Tracer.SpanLink>
  readonly startTime: bigint
  readonly kind: Tracer.SpanKind
  readonly sampled: boolean
}

export class LangfuseSpan implements Tracer.Span, Listed<LangfuseSpan> {
  readonly _tag = "Span"
  readonly exporter: SpanExporter
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parent: Option.Option<Tracer.AnySpan>
  readonly above: LangfuseSpan | undefined
  readonly entry: Entry
  readonly context: Context.Context<never>
  readonly kind: Tracer.SpanKind
  readonly sampled: boolean
  status: Tracer.SpanStatus
  readonly attributes = new Map<string, unknown>()
  links: ReadonlyArray<Tracer.SpanLink>
  events: ReadonlyArray<SpanEvent> = none
  leftOut = 0
  /** The characters of all texts that were set, about. */
  text = 0
  /** Texts of attributes that are known to be JSON. */
  readonly json: { input: string | undefined; output: string | undefined } = { input: undefined, output: undefined }
  /** Whether it has an attribute of Langfuse or of generative AI that was set on it, and not on all spans around. */
  isOwn = false
  /** Whether it is exported, once that is certain. */
  isKept: boolean | undefined = undefined
  /** Exported as one that never ended. */
  isGivenUp = false
  /** What stands for this span in the program when another tracer has a span for it too. */
  visible: Tracer.Span = this
  /** The record of another tee for the same span. */
  beneath: LangfuseSpan | undefined = undefined
  isOpen = false
  older: LangfuseSpan | undefined = undefined
  newer: LangfuseSpan | undefined = undefined

  constructor(options: Options) {
    this.exporter = options.exporter
    this.name = textOf(options.name)
    this.traceId = options.traceId
    this.spanId = options.spanId
    this.parent = options.parent
    this.above = options.above
    this.entry = options.entry
    this.context = options.context
    this.links = options.links
    this.kind = options.kind
    this.sampled = options.sampled
    this.status = { _tag: "Started", startTime: this.time(options.startTime) }
  }

  get [RecordId](): LangfuseSpan {
    return this
  }

  end(endTime: bigint, exit: Exit.Exit<unknown, unknown>): void {
    if (this.status._tag === "Ended") return
    this.status = { _tag: "Ended", startTime: this.status.startTime, endTime: this.time(endTime), exit }
    if (this.sampled) this.exporter.ended(this)
  }

  attribute(key: string, value: unknown): void {
    this.attributes.set(key, value)
    if (typeof value === "string") this.text += value.length
    if (!this.isOwn && isLangfuse(key)) this.isOwn = !isAmbient(key, value)
  }

  event(name: string, startTime: bigint, attributes?: Record<string, unknown>): void {
    if (!this.sampled) return
    if (this.events.length >= maxEvents) {
      this.leftOut++
      return
    }
    if (this.events === none) this.events = [] // Made by the line above, and nowhere else.
    ;(this.events as Array<SpanEvent>).push({ name: textOf(name), time: this.time(startTime), attributes })
  }

  /** Where timing is turned off for the tracer, Langfuse still has nothing without it. */
  private time(given: bigint): bigint {
    return typeof given === "bigint" && given !== 0n ? given : this.exporter.settings.clock.unsafeCurrentTimeNanos()
  }

  addLinks(links: ReadonlyArray<Tracer.SpanLink>): void {
    try {
      const all = this.links.concat(links)
      this.leftOut += Math.max(0, all.length - maxEvents)
      this.links = all.length > maxEvents ? all.slice(0, maxEvents) : all
    } catch {
      // Not a list of links.
    }
  }
}

const none: ReadonlyArray<SpanEvent> = []

/** Names are texts, unless untyped code says otherwise. */
const textOf = (name: unknown): string => {
  try {
    return typeof name === "string" ? name : String(name)
  } catch {
    return ""
  }
}

/**
 * Whether the running fiber puts this very attribute on every span, as `withTrace` and `Effect.annotateSpans` do. Such
 * a one says nothing about the span itself: every database query below would be an observation.
 */
const isAmbient = (key: string, value: unknown): boolean => {
  const fiber = Fiber.getCurrentFiber()
  if (fiber._tag === "None") return false
  const annotations = fiber.value.getFiberRef(FiberRef.currentTracerSpanAnnotations)
  if (HashMap.isEmpty(annotations)) return false
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

/** The record that one exporter's tracer made of a span: tees may be stacked. */
export const recordFor = (exporter: SpanExporter, span: Tracer.AnySpan): LangfuseSpan | undefined => {
  let record = recordOf(span)
  while (record !== undefined && !record.exporter.isSameAs(exporter)) record = record.beneath
  return record
}
