/**
 * Which observation and which trace the running code is in.
 *
 * What is said inside an observation belongs to it, whatever becomes of it: it is never said of the one around.
 */
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import type * as Tracer from "effect/Tracer"
import { observation as names } from "../../core/item/names.js"
import { isNative, tracerOf } from "./native.js"
import { type LangfuseSpan, recordOf } from "./span.js"
import { innermostSpan, isHidden, shownSpan } from "./start.js"

type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>

/** The span that a new one would be below. */
export const parent = (fiber: AnyFiber): Tracer.AnySpan | undefined => shownSpan(innermostSpan(fiber))

/** Whether tracing is off here, so that nothing is said. */
const isOff = (fiber: AnyFiber, innermost: Tracer.AnySpan | undefined): boolean =>
  !fiber.getFiberRef(FiberRef.currentTracerEnabled) || (innermost !== undefined && isHidden(innermost))

/** The innermost span that is an observation. */
export const observation = (fiber: AnyFiber): Tracer.Span | undefined => {
  const innermost = innermostSpan(fiber)
  return isOff(fiber, innermost) ? undefined : observationAt(innermost)
}

const observationAt = (innermost: Tracer.AnySpan | undefined): Tracer.Span | undefined => {
  let span = innermost
  while (span !== undefined && span._tag === "Span") {
    if (isObservation(span)) return span
    if (recordOf(span)?.isBelowHidden === true) return undefined
    span = span.parent._tag === "Some" ? span.parent.value : undefined
  }
  return undefined
}

/** The span that is told what is said here: where there is no observation, the innermost one becomes one. */
export const target = (fiber: AnyFiber): Tracer.Span | undefined => {
  const innermost = innermostSpan(fiber)
  if (innermost === undefined || innermost._tag !== "Span" || isOff(fiber, innermost)) return undefined
  return observationAt(innermost) ?? innermost
}

/**
 * Whether a span is an observation: by what is on it, and for spans of ours also by the filter. One that the program makes an
 * observation is its own place to say something, also where the filter leaves it out.
 */
const isObservation = (span: Tracer.Span): boolean => {
  const record = recordOf(span)
  if (record !== undefined) return record.isOwn || record.exporter.isObservation(record)
  try {
    return span.attributes.has(names.type) || span.attributes.has("gen_ai.operation.name")
  } catch {
    return false
  }
}

export type Place =
  | {
    readonly _tag: "Here"
    readonly traceId: string
    readonly record: LangfuseSpan | undefined
    readonly observationId: string | undefined
  }
  /** Nothing is sent of this trace. */
  | { readonly _tag: "LeftOut"; readonly record: LangfuseSpan | undefined }
  | { readonly _tag: "Nowhere" }

/** What a score is about. */
export const place = (fiber: AnyFiber): Place => {
  const innermost = innermostSpan(fiber)
  if (innermost === undefined) return { _tag: "Nowhere" }
  if (isOff(fiber, innermost)) return { _tag: "LeftOut", record: undefined }
  const span = observationAt(innermost)
  const record = recordOf(span ?? innermost)
  if (record === undefined ? !innermost.sampled : !record.isRecording) return { _tag: "LeftOut", record }
  const observationId = record !== undefined && span !== undefined ? record.ownId : span?.spanId
  return { _tag: "Here", traceId: record?.trace.traceId ?? innermost.traceId, record: span && record, observationId }
}

export const traceIdOf = (span: Tracer.AnySpan): string => recordOf(span)?.trace.traceId ?? span.traceId

/**
 * Whether it is worth writing values for this span: not when nobody keeps them. It is called in a fiber that runs under the
 * tracer that made the span.
 */
export const isWanted = (span: Tracer.Span, fiber: AnyFiber | undefined): boolean => {
  const record = recordOf(span)
  if (record !== undefined) return record.isWanted
  return span.sampled && !(fiber !== undefined && isNative(tracerOf(fiber)))
}
