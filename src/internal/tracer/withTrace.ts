/** `withTrace` and `updateTrace`: what is said of a trace. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as HashMap from "effect/HashMap"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { textsOf } from "../../core/item/attributes.js"
import { trace as names } from "../../core/item/names.js"
import { read } from "../../core/item/object.js"
import { attributeOf, isRecording } from "./annotate.js"
import * as Current from "./current.js"
import { currentFiber, exporterOf, isNative, type Made, tracerOf } from "./native.js"
import * as Scope from "./scope.js"
import { Held, type LangfuseSpan, recordsOf } from "./span.js"
import { innermostSpan, traceHere } from "./start.js"
import { say } from "./traceFields.js"
import { foreignPolicy } from "./values.js"

type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>
type Run = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** What is said here is written as it is now, unless it is known that nobody records it. */
const scopeOf = (fiber: AnyFiber, outer: Scope.TraceScope | undefined, fields: Scope.TraceInput): Scope.TraceScope => {
  const isNew = typeof fields === "object" && fields !== null && read(fields, "newTrace") === true
  const tracer = tracerOf(fiber)
  const made = exporterOf(tracer)
  const around = Current.parent(fiber)
  const isLazy = made !== undefined || isNative(tracer)
  const scope = new Scope.TraceScope(outer, around, fields, isNew, isLazy ? undefined : foreignPolicy)
  if (made === undefined || !scope.hasObjects || !fiber.getFiberRef(FiberRef.currentTracerEnabled)) return scope
  // Another tracer beside ours gets it in any case.
  if (made.isAlone && traceHere(made.exporter, scope, around)?.fate !== "recorded") return scope
  for (let each: Made | undefined = made; each !== undefined; each = each.beneath) scope.write(each.intake.policy)
  return scope
}

const within = (scope: Scope.TraceScope | undefined, annotations: HashMap.HashMap<string, unknown>): Run => (self) =>
  Effect.locally(
    Effect.locally(self, FiberRef.currentTracerSpanAnnotations, annotations),
    Scope.current,
    scope
  )

const enter = (fiber: AnyFiber, fields: Scope.TraceInput): Run => {
  const outer = fiber.getFiberRef(Scope.current)
  const scope = scopeOf(fiber, outer, fields)
  return within(
    scope,
    Scope.annotations(scope, outer)(fiber.getFiberRef(FiberRef.currentTracerSpanAnnotations))
  )
}

export const effect = <A, E, R>(self: Effect.Effect<A, E, R>, fields: Scope.TraceInput): Effect.Effect<A, E, R> =>
  Effect.withFiberRuntime((fiber) => enter(fiber, fields)(self))

/** Whoever runs the stream, and in whatever fiber: all that it does is done within. */
const locally = <A, E, R>(self: Stream.Stream<A, E, R>, enter: (fiber: AnyFiber) => Run): Stream.Stream<A, E, R> =>
  Stream.fromPull(
    Effect.withFiberRuntime((fiber) => {
      const run = enter(fiber)
      return Effect.map(run(Stream.toPull(self)), run)
    })
  )

export const stream = <A, E, R>(self: Stream.Stream<A, E, R>, fields: Scope.TraceInput): Stream.Stream<A, E, R> =>
  inherit(locally(self, (fiber) => enter(fiber, fields)))

/**
 * A stream that is made within a `withTrace` is often run by somebody else, such as a server after the handler has returned:
 * then what was said where it was made holds, unless something is said where it is run.
 */
export const inherit = <A, E, R>(self: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> => {
  const maker = currentFiber()
  const scope = maker?.getFiberRef(Scope.current)
  if (maker === undefined || scope === undefined) return self
  const around = innermostSpan(maker)
  const annotations = maker.getFiberRef(FiberRef.currentTracerSpanAnnotations)
  return locally(self, (fiber) => {
    const said = fiber.getFiberRef(Scope.current) !== undefined
      ? identity
      : within(
        scope,
        HashMap.union(annotations, fiber.getFiberRef(FiberRef.currentTracerSpanAnnotations))
      )
    return around === undefined || innermostSpan(fiber) !== undefined
      ? said
      : below(around, said)
  })
}

const below = (span: Tracer.AnySpan, run: Run): Run => (self) =>
  Effect.withFiberRuntime((fiber) =>
    run(Effect.locally(self, FiberRef.currentContext, Context.add(fiber.currentContext, Tracer.ParentSpan, span)))
  )

const identity: Run = (self) => self

/** Says it of the trace this runs in. */
export const update = (fields: Scope.TraceInput): Effect.Effect<void> =>
  Effect.withFiberRuntime((fiber) => {
    const span = Current.target(fiber)
    if (span !== undefined) updateAt(span, fields)
    return Effect.void
  })

const updateAt = (span: Tracer.Span, fields: Scope.TraceInput): void => {
  let isShared = true
  for (const record of recordsOf(span)) {
    if (record.isRecording) tell(record, fields)
    isShared = record.isShared && record.beneath === undefined
  }
  if (isShared) annotate(span, fields)
}

const tell = (record: LangfuseSpan, fields: Scope.TraceInput): void => {
  const { trace } = record
  if (record.isSettled && trace.open === 0) {
    if (record.isKept === true) record.exporter.settings.intake.refuse(tooLate)
    return
  }
  record.own()
  const apply = say(trace, fields)
  // What is said inside an observation has its fate.
  if (record.exporter.isObservation(record)) apply()
  else if (!record.isSettled && !record.exporter.hold(record, new Held(apply, nothing))) {
    record.exporter.settings.intake.drop()
  }
}

const nothing = (): void => {}

const tooLate = "updateTrace came when all observations of the trace had left; call it before the last one ends"

/** For another tracer there is only the span. */
const annotate = (span: Tracer.Span, fields: Scope.TraceInput): void => {
  if (!isRecording(span)) return
  for (const [name, value] of Scope.valuesOf(fields, foreignPolicy)) {
    const all = name === names.tags ? [...new Set([...textsOf(attributeOf(span, name)), ...textsOf(value)])] : value
    try {
      span.attribute(name, all)
    } catch {
      // Another tracer's span.
    }
  }
}
