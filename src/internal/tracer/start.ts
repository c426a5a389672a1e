/**
 * Where a span that starts belongs: the trace it is in, and the nearest span of ours above it.
 */
import * as Context from "effect/Context"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { isList } from "../../core/item/object.js"
import type { SpanExporter } from "./exporter.js"
import * as ParentIds from "./ids.js"
import { currentFiber } from "./native.js"
import * as Scope from "./scope.js"
import { LangfuseSpan, ownIdOf, recordFor, type Start } from "./span.js"
import { type Fate, LocalTrace } from "./trace.js"

/** Spans of other tracers between ours and us, at most: there is no end to a parent that is its own. */
const maxForeign = 1000

export const start = (given: Start): LangfuseSpan => {
  const { exporter, other } = given
  const fiber = currentFiber()
  const scope = fiber?.getFiberRef(Scope.current)
  let isBelowHidden = false
  let visibleId: string | undefined
  let spanId: string | undefined
  let place: Place | undefined
  try {
    // With two tracers the ids are the other's, which has its own ways of making them.
    visibleId = ParentIds.traceId(other?.traceId)
    spanId = visibleId === undefined ? undefined : ParentIds.spanId(other && ownIdOf(other))
    if (spanId === undefined) visibleId = undefined
    const innermost = fiber === undefined ? undefined : innermostSpan(fiber)
    isBelowHidden = innermost !== undefined && isHidden(innermost)
    place = placeOf(given, scope, shownSpan(innermost), visibleId)
  } catch {
    // A span of another tracer that throws when it is looked at.
  }
  const trace = place?.trace ?? newTrace(exporter, visibleId, undefined)
  const span = new LangfuseSpan(
    given,
    linksOf(given.links, place?.link),
    spanId ?? exporter.settings.ids.unsafeObservationId(),
    trace,
    place?.above,
    scope,
    isBelowHidden
  )
  if (span.isRecording && span.above === undefined) {
    for (const said of Scope.outwards(scope, trace.cut)) said.write(exporter.settings.intake.policy)
  }
  if (trace.cut !== undefined && scope !== undefined) {
    for (const [name, value] of scope.without(trace.cut)) span.put(name, value)
  }
  exporter.started(span)
  return span
}

// ---------------------------------------------------------------------------------------------------------------------

interface Place {
  readonly trace: LocalTrace
  readonly above: LangfuseSpan | undefined
  /** A caller that is not the parent. */
  readonly link: Tracer.AnySpan | undefined
}

const placeOf = (
  { exporter, isRoot, parent }: Pick<Start, "exporter" | "isRoot" | "parent">,
  scope: Scope.TraceScope | undefined,
  around: Tracer.AnySpan | undefined,
  visibleId: string | undefined
): Place => {
  const boundary = scope?.boundary
  if (parent._tag === "None") {
    const cut = cutOf(scope, around)
    const trace = boundary !== undefined && !isRoot && boundary.around === undefined
      ? traceOf(exporter, boundary, visibleId)
      : takeNext(exporter, isRoot || visibleId !== undefined ? undefined : scope, cut) ??
        newTrace(exporter, visibleId, cut)
    return { trace, above: undefined, link: undefined }
  }
  const direct = parent.value
  if (boundary !== undefined && boundary.around === direct) {
    return { trace: traceOf(exporter, boundary, visibleId), above: undefined, link: undefined }
  }
  const above = recordFor(exporter, direct)
  if (above !== undefined) {
    return visibleId === undefined || visibleId === above.trace.visibleId
      ? { trace: above.trace, above, link: undefined }
      : { trace: newTrace(exporter, visibleId, undefined), above: undefined, link: undefined }
  }
  return placeBelowForeign(exporter, direct, visibleId)
}

/** The trace that a span would be in that started here and was not made a root. */
export const traceHere = (
  exporter: SpanExporter,
  scope: Scope.TraceScope,
  around: Tracer.AnySpan | undefined
): LocalTrace | undefined => {
  try {
    const { trace } = placeOf(
      { exporter, isRoot: false, parent: Option.fromNullable(around) },
      scope,
      around,
      undefined
    )
    if (around === undefined && scope.boundary === undefined) scope.next.trace = trace
    return trace
  } catch {
    // A span of another tracer that throws when it is looked at.
    return undefined
  }
}

/** The caller in another process may be in Langfuse. A span of another tracer in this one is not, but what is above it may. */
const placeBelowForeign = (exporter: SpanExporter, direct: Tracer.AnySpan, visibleId: string | undefined): Place => {
  const traceId = ParentIds.traceId(direct.traceId)
  let span: Tracer.AnySpan | undefined = direct
  for (let i = 0; i < maxForeign && span !== undefined && traceId !== undefined; i++) {
    if (span._tag === "ExternalSpan") return placeBelowRemote(exporter, span, traceId, visibleId)
    const next: Option.Option<Tracer.AnySpan> = span.parent
    span = next._tag === "Some" ? next.value : undefined
    const ours = span === undefined ? undefined : recordFor(exporter, span)
    if (ours !== undefined && (visibleId ?? traceId) === ours.trace.visibleId) {
      return { trace: ours.trace, above: ours, link: undefined }
    }
  }
  const trace = traceId === undefined
    ? newTrace(exporter, visibleId, undefined)
    : make(exporter, visibleId ?? traceId, undefined, direct.sampled !== false)
  return { trace, above: undefined, link: undefined }
}

const placeBelowRemote = (
  exporter: SpanExporter,
  remote: Tracer.ExternalSpan,
  traceId: string,
  visibleId: string | undefined
): Place => {
  const { remoteParent } = exporter.settings
  const link = remoteParent === "link" ? remote : undefined
  const known = exporter.entries.get(remote)
  if (known !== undefined && (visibleId === undefined || visibleId === known.visibleId)) {
    return { trace: known, above: undefined, link }
  }
  const isContinued = remoteParent === "continue"
  const trace = make(
    exporter,
    isContinued ? visibleId ?? traceId : undefined,
    visibleId,
    !isContinued || remote.sampled !== false
  )
  if (isContinued) trace.remoteParentId = ParentIds.spanId(remote.spanId)
  exporter.entries.set(remote, trace)
  return { trace, above: undefined, link }
}

// ---------------------------------------------------------------------------------------------------------------------

const make = (
  exporter: SpanExporter,
  traceId: string | undefined,
  visibleId: string | undefined,
  sampled: boolean
): LocalTrace => {
  const id = traceId ?? exporter.settings.ids.unsafeTraceId()
  return new LocalTrace(exporter, id, visibleId ?? id, fateOf(exporter, id, sampled), sampled)
}

const newTrace = (
  exporter: SpanExporter,
  traceId: string | undefined,
  cut: Scope.TraceScope | undefined
): LocalTrace => {
  const trace = make(exporter, traceId, traceId, true)
  trace.cut = cut
  return trace
}

/** The trace that a `withTrace` begins. It has one id in all projects. */
const traceOf = (exporter: SpanExporter, boundary: Scope.TraceScope, visibleId: string | undefined): LocalTrace => {
  const known = boundary.traces.find((trace) => trace.exporter === exporter)
  if (known !== undefined) return known
  const { around } = boundary
  const trace = make(exporter, boundary.traces[0]?.traceId, visibleId, true)
  if (around !== undefined) trace.outerTraceId = recordFor(exporter, around)?.trace.traceId ?? around.traceId
  boundary.traces.push(trace)
  return trace
}

const takeNext = (
  exporter: SpanExporter,
  scope: Scope.TraceScope | undefined,
  cut: Scope.TraceScope | undefined
): LocalTrace | undefined => {
  const trace = scope?.next.trace
  if (scope === undefined || trace?.exporter !== exporter || trace.cut !== cut) return undefined
  scope.next.trace = undefined
  return trace
}

const fateOf = (exporter: SpanExporter, traceId: string, sampled: boolean): Fate => {
  const { intake, remoteSampling } = exporter.settings
  if (intake.isOff) return "off"
  if (!sampled && remoteSampling === "respect") {
    exporter.leftOutByCaller()
    return "sampledOut"
  }
  return intake.isSampled(traceId) ? "recorded" : "sampledOut"
}

/** Of a new root: what is said further out than the span around it does not hold. */
const cutOf = (
  scope: Scope.TraceScope | undefined,
  around: Tracer.AnySpan | undefined
): Scope.TraceScope | undefined => {
  let cut = scope
  while (cut !== undefined && cut.around === around) cut = cut.outer
  return cut
}

// ---------------------------------------------------------------------------------------------------------------------

/** The innermost span, also one for which tracing is turned off. */
export const innermostSpan = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Tracer.AnySpan | undefined => {
  const span = Context.getOption(fiber.getFiberRef(FiberRef.currentContext), Tracer.ParentSpan)
  return span._tag === "Some" ? span.value : undefined
}

/** Whether tracing was turned off for the span. */
export const isHidden = (span: Tracer.AnySpan): boolean => Context.get(span.context, Tracer.DisablePropagation)

/** The span that a new one would be below. */
export const shownSpan = (innermost: Tracer.AnySpan | undefined): Tracer.AnySpan | undefined => {
  let span = innermost
  while (span !== undefined && isHidden(span)) {
    span = span._tag === "Span" && span.parent._tag === "Some" ? span.parent.value : undefined
  }
  return span
}

const linksOf = (
  links: ReadonlyArray<Tracer.SpanLink>,
  remote: Tracer.AnySpan | undefined
): ReadonlyArray<Tracer.SpanLink> => {
  const given = isList(links) ? links : []
  return remote === undefined ? given : [...given, { _tag: "SpanLink", span: remote, attributes: {} }]
}
