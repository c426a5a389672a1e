/**
 * One span for one call.
 *
 * `@effect/ai` opens the span of a call inside the call, where nobody outside can reach it: it is gone when the call
 * fails, and a second span around it would make two observations of one call and count its tokens twice. So the span is
 * opened here, and when `@effect/ai` asks the tracer for its own, it is lent this one. What the provider writes and what is
 * written here meet on one span, under any tracer, and it ends when all of it is written.
 */
import * as Cause from "effect/Cause"
import type * as Chunk from "effect/Chunk"
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import * as Attributes from "./attributes.js"

export interface Names {
  /** Of the span that is opened here. */
  readonly name: string
  /** Of the span that `@effect/ai` opens for the same call. */
  readonly inner: string
  /** Attributes that `@effect/ai` writes and that must not be there. */
  readonly withheld?: ReadonlyArray<string> | undefined
}

/** What is written on the span; not called for a span that nobody records. */
export interface Recorder<in A, in E> {
  readonly start: (span: Tracer.Span) => void
  readonly end: (span: Tracer.Span, exit: Exit.Exit<A, E>) => void
}

export interface StreamRecorder<in A, in E> extends Recorder<void, E> {
  readonly chunk: (span: Tracer.Span, chunk: Chunk.Chunk<A>, clock: Clock.Clock) => void
  /** The stream was left before its end, by a consumer that was satisfied, failed or was interrupted. */
  readonly left: (span: Tracer.Span, exit: Exit.Exit<unknown, unknown>) => void
}

/**
 * Runs the effect with a span of its own.
 */
export const observe = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  names: Names,
  recorder: Recorder<A, E>
): Effect.Effect<A, E, R> =>
  Effect.useSpan(names.name, { captureStackTrace: false }, (span) => {
    const lent = lend(span, names)
    const isRecording = Attributes.isRecording(span)
    if (isRecording) Attributes.safely(() => recorder.start(span))
    return effect.pipe(
      Effect.mapInputContext(below<R>(span)),
      inScopeOf(lent),
      Effect.onExit((exit) =>
        Effect.sync(() => {
          lent.close()
          if (isRecording) Attributes.safely(() => recorder.end(span, exit))
        })
      )
    )
  })

/**
 * Runs the stream with a span of its own, from its first pull to its end. Chunks pass through as they are.
 */
export const observeStream = <A, E, R>(
  stream: Stream.Stream<A, E, R>,
  names: Names,
  recorder: StreamRecorder<A, E>
): Stream.Stream<A, E, R> =>
  Stream.unwrapScoped(Effect.gen(function*() {
    const span = yield* Effect.makeSpanScoped(names.name, { captureStackTrace: false })
    const clock = yield* Effect.clock
    const lent = lend(span, names)
    const isRecording = Attributes.isRecording(span)
    let ended: Exit.Exit<void, E> | undefined = undefined
    const pulled = (chunk: Chunk.Chunk<A>) => {
      if (isRecording) Attributes.safely(() => recorder.chunk(span, chunk, clock))
      return chunk
    }
    const stopped = (cause: Cause.Cause<Option.Option<E>>) => {
      // No error is how a pull says that the stream is over.
      const error = Cause.failureOption(cause)
      ended = Option.isSome(error) && Option.isNone(error.value)
        ? Exit.void
        : Exit.failCause(Cause.flatMap(cause, Option.match({ onNone: () => Cause.empty, onSome: Cause.fail })))
    }
    if (isRecording) Attributes.safely(() => recorder.start(span))
    yield* Effect.addFinalizer((exit) =>
      Effect.sync(() => {
        lent.close()
        if (!isRecording) return
        Attributes.safely(() => ended === undefined ? recorder.left(span, exit) : recorder.end(span, ended))
      })
    )
    const pull = yield* Stream.toPull(Stream.mapInputContext(stream, below<R>(span)))
    // The inner span is opened by the first pull; from then on pulls are left as they are.
    const first = inScopeOf(lent)(pull)
    return Stream.repeatEffectChunkOption(
      Effect.matchCauseEffect(Effect.suspend(() => lent.isTaken() ? pull : first), {
        onFailure: (cause) => {
          stopped(cause)
          return Effect.failCause(cause)
        },
        onSuccess: (chunk) => Effect.succeed(pulled(chunk))
      })
    )
  }))

/** A context with the span as parent. */
const below = <R>(span: Tracer.Span) => (context: Context.Context<R>): Context.Context<R> =>
  Context.add(context, Tracer.ParentSpan, span)

interface Lent {
  readonly tracer: (tracer: Tracer.Tracer) => Tracer.Tracer
  readonly isTaken: () => boolean
  /** The call is over: a fiber that outlives it gets spans of its own. */
  readonly close: () => void
}

/**
 * The span for whoever asks below it for the inner one, once.
 */
const lend = (span: Tracer.Span, names: Names): Lent => {
  let isOpen = true
  let isTaken = false
  return {
    tracer: (tracer) =>
      Tracer.make({
        span: (name, parent, context, links, startTime, kind, options) => {
          if (isOpen && !isTaken && name === names.inner && Option.contains(parent, span)) {
            isTaken = true
            return viewOf(span, names.withheld ?? [])
          }
          return tracer.span(name, parent, context, links, startTime, kind, options)
        },
        context: (f, fiber) => tracer.context(f, fiber)
      }),
    isTaken: () => isTaken,
    close: () => {
      isOpen = false
    }
  }
}

/**
 * The span itself in all respects but that it cannot be ended, which is not up to those it is lent to. Reads and calls
 * reach the span as if they were made on it: it may keep private state, and what a tracer adds to its spans is found.
 */
const viewOf = (span: Tracer.Span, withheld: ReadonlyArray<string>): Tracer.Span => {
  const own: Pick<Tracer.Span, "attribute" | "end"> = {
    end: constVoid,
    attribute: (key, value) => {
      // An option that was not given is no attribute; other tracers would write the word "undefined".
      if (value !== undefined && !withheld.includes(key)) span.attribute(key, value)
    }
  }
  // The target has nothing of its own, or a frozen span would not let its `end` be replaced.
  const target: Tracer.Span = Object.create(span)
  return new Proxy(target, {
    get: (_, key): unknown => {
      if (Object.hasOwn(own, key)) return Reflect.get(own, key)
      const value: unknown = Reflect.get(span, key)
      return typeof value === "function" ? value.bind(span) : value
    },
    set: (_, key, value) => Reflect.set(span, key, value)
  })
}

const inScopeOf = (lent: Lent) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.tracerWith((tracer) => Effect.withTracer(effect, lent.tracer(tracer)))
