/**
 * One span for the program out of ours and another tracer's.
 */
import type * as Context from "effect/Context"
import type * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import type { LangfuseSpan } from "./span.js"
import { ownIdOf, RecordId, recordOf } from "./span.js"
import { attributeValue, isGiven } from "./values.js"

/** What another tracer throws is not the program's failure, and not ours. */
const attempt = (f: () => void): void => {
  try {
    f()
  } catch {
    // Nobody to tell.
  }
}

const methods = ["end", "attribute", "event", "addLinks"] as const

/** A span's own ways of taking things down, before they were shared with a record. */
class Target {
  readonly span: Tracer.Span
  readonly end: Tracer.Span["end"]
  readonly attribute: Tracer.Span["attribute"]
  readonly event: Tracer.Span["event"]
  readonly addLinks: Tracer.Span["addLinks"]

  constructor(span: Tracer.Span) {
    this.span = span
    this.end = span.end
    this.attribute = span.attribute
    this.event = span.event
    this.addLinks = span.addLinks
  }
}

/** Spans as they were, for tracers that hand one span out many times. */
const targets = new WeakMap<LangfuseSpan, Target>()

/**
 * The program gets the other tracer's own span, so that code made for that tracer goes on working, down to what its
 * `context` makes the active span elsewhere; only its four methods tell the record too. Where the other's span cannot
 * serve, because it is sealed, has other ids, has ended before it began or was handed out already, there is a new one.
 */
export const join = (record: LangfuseSpan, other: Tracer.Span): Tracer.Span => {
  const before = recordOf(other)
  const isShared = before !== undefined && before.exporter === record.exporter
  const target = (isShared ? targets.get(before) : undefined) ?? new Target(other)
  record.beneath = isShared ? undefined : before
  record.isTeed = true
  record.isShared = isShared || before === undefined ? other.sampled : before.isWanted
  targets.set(record, target)
  record.visible = !isShared && canServe(record, other) ? share(record, target) : new TeeSpan(record, target)
  return record.visible
}

const canServe = (record: LangfuseSpan, other: Tracer.Span): boolean =>
  other.traceId === record.traceId && ownIdOf(other) === record.ownId && other.status._tag === "Started" &&
  Object.isExtensible(other) &&
  methods.every((name) => Object.getOwnPropertyDescriptor(other, name)?.configurable !== false)

const share = (record: LangfuseSpan, target: Target): Tracer.Span => {
  const { span } = target
  const define = (name: PropertyKey, value: unknown): void =>
    void Object.defineProperty(span, name, { value, configurable: true, writable: true })
  const told = new Told(record, target)
  define(RecordId, record)
  for (const name of methods) define(name, told[name])
  return span
}

/** Tells both of what happens. Its methods go by themselves onto the spans of others. */
class Told {
  readonly end: Tracer.Span["end"]
  readonly attribute: Tracer.Span["attribute"]
  readonly event: Tracer.Span["event"]
  readonly addLinks: Tracer.Span["addLinks"]

  constructor(record: LangfuseSpan, { addLinks, attribute, end, event, span }: Target) {
    this.end = (endTime, exit) => {
      if (record.status._tag === "Ended") return
      record.end(endTime, exit)
      attempt(() => end.call(span, endTime, exit))
    }
    this.attribute = (key, value) => {
      record.attribute(key, value)
      attempt(() => attribute.call(span, key, shownTo(record, value)))
    }
    this.event = (name, startTime, attributes) => {
      record.event(name, startTime, attributes)
      attempt(() => event.call(span, name, startTime, attributes))
    }
    this.addLinks = (links) => {
      record.addLinks(links)
      attempt(() => addLinks.call(span, links))
    }
  }
}

/** What another tracer is told of a value of ours. */
const shownTo = ({ beneath, exporter }: LangfuseSpan, value: unknown): unknown =>
  beneath === undefined && isGiven(value)
    ? attributeValue(value.written(exporter.settings.intake.policy))
    : value

class TeeSpan extends Told implements Tracer.Span {
  readonly _tag = "Span"
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parent: Option.Option<Tracer.AnySpan>
  readonly context: Context.Context<never>
  readonly kind: Tracer.SpanKind
  readonly sampled: boolean
  readonly attributes: ReadonlyMap<string, unknown>
  readonly [RecordId]: LangfuseSpan

  constructor(record: LangfuseSpan, target: Target) {
    super(record, target)
    this.name = record.name
    this.traceId = record.traceId
    this.spanId = record.ownId
    this.parent = record.parent
    this.context = record.context
    this.kind = record.kind
    // What other processes are told is the other tracer's decision, as before.
    this.sampled = target.span.sampled
    this.attributes = record.attributes
    this[RecordId] = record
  }

  get status(): Tracer.SpanStatus {
    return this[RecordId].status
  }

  get links(): ReadonlyArray<Tracer.SpanLink> {
    return this[RecordId].links
  }
}
