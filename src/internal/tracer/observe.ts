/** An effect, or a stream, with a span of its own that is an observation. */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Tracer from "effect/Tracer"
import * as Annotate from "./annotate.js"
import { Elements } from "./elements.js"
import { recordsOf } from "./span.js"
import * as WithTrace from "./withTrace.js"

type CallSite = () => string | undefined

export interface Options
  extends Annotate.ObservationFields, Pick<Tracer.SpanOptions, "context" | "kind" | "links" | "parent" | "root">
{
  readonly maxElements?: number | undefined
}

const spanOptions = (options: Options, captureStackTrace: CallSite): Tracer.SpanOptions => ({
  captureStackTrace,
  ...(options.context === undefined ? undefined : { context: options.context }),
  ...(options.kind === undefined ? undefined : { kind: options.kind }),
  ...(options.links === undefined ? undefined : { links: options.links }),
  ...(options.parent === undefined ? undefined : { parent: options.parent }),
  ...(options.root === undefined ? undefined : { root: options.root })
})

const none: Options = {}

/** The type comes first, so that tracers that look at spans early find it. */
const fieldsOf = (type: string | undefined, options: Options): Annotate.ObservationFields => {
  const { type: own, ...fields } = options
  const isModelCall = options.model !== undefined || options.usage !== undefined || options.cost !== undefined
  return { type: type ?? own ?? (isModelCall ? "generation" : "span"), ...fields }
}

export const effect = (name: string, type: string | undefined, given: Options | undefined, site: CallSite) => {
  const options = given ?? none
  const fields = fieldsOf(type, options)
  const span = spanOptions(options, site)
  const hasComputed = Annotate.hasComputed(fields)
  return <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>> =>
    Effect.useSpan(name, span, (span) => {
      const inner = Effect.withParentSpan(self, span)
      if (!Annotate.isRecording(span)) {
        Annotate.mark(span, fields.type)
        return inner
      }
      Annotate.annotate(span, fields)
      if (!hasComputed) return inner
      return Effect.map(inner, (result) => {
        Annotate.annotateResult(span, fields, result)
        return result
      })
    })
}

export const event = (name: string, given: Options | undefined, site: CallSite): Effect.Effect<void> => {
  const options = given ?? none
  return Effect.useSpan(name, spanOptions(options, site), (span) =>
    Effect.sync(() => {
      Annotate.mark(span, "event")
      if (Annotate.isRecording(span)) Annotate.annotateValues(span, options)
    }))
}

const defaultMaxElements = 100_000

export const stream = (name: string, given: Options | undefined, site: CallSite) => {
  const options = given ?? none
  const fields = fieldsOf(undefined, options)
  const span = spanOptions(options, site)
  return <A, E, R>(self: Stream.Stream<A, E, R>): Stream.Stream<A, E, Exclude<R, Tracer.ParentSpan>> =>
    WithTrace.inherit(Stream.withSpan(recorded(self, fields, options.maxElements ?? defaultMaxElements), name, span))
}

/** The stream in its span: what is made of the elements is set when it ends. */
const recorded = <A, E, R>(self: Stream.Stream<A, E, R>, fields: Annotate.ObservationFields, maxElements: number) =>
  Stream.unwrap(Effect.map(Effect.zip(Effect.option(Effect.currentSpan), Effect.clock), ([current, clock]) => {
    if (Option.isNone(current)) return self
    const span = current.value
    if (!Annotate.isRecording(span)) {
      Annotate.mark(span, fields.type)
      return self
    }
    Annotate.annotate(span, fields)
    const hasComputed = Annotate.hasComputed(fields)
    const elements = new Elements<A>(maxElements)
    const finish = (): void => {
      if (!hasComputed) return
      Annotate.annotateResult(span, fields, elements.all())
      if (elements.leftOut > 0) Annotate.note(span, "elementsLeftOut", elements.leftOut)
    }
    for (const record of recordsOf(span)) record.beforeEnd = finish
    let isFirst = fields.completionStartTime === undefined
    return self.pipe(
      Stream.mapChunks((chunk) => {
        if (isFirst && Chunk.isNonEmpty(chunk)) {
          isFirst = false
          Annotate.completionStarted(span, clock)
        }
        if (hasComputed) { for (const element of chunk) elements.add(element) }
        return chunk
      }),
      Stream.ensuring(Effect.sync(() => {
        for (const record of recordsOf(span)) record.beforeEnd = undefined
        finish()
      }))
    )
  }))
