/**
 * An Effect `Tracer` whose spans become Langfuse observations. With it, `Effect.withSpan`, every library that opens
 * spans, and the combinators of `Langfuse` end up in one trace.
 *
 * - Ids are W3C's, so a trace goes on across processes in both directions: HTTP servers and clients of
 *   `@effect/platform` read and write `traceparent` by themselves. A caller that is not sampled is honoured.
 * - A span is handed to `LangfuseIngest` once, complete, in the turn of the event loop after its end. `flush`, and
 *   closing the layer, hand on what still waits.
 * - A failure or defect makes the observation an `ERROR` with the errors' messages, an interruption a `WARNING`; what
 *   the program itself says about level and status message wins.
 * - Attributes of Langfuse and of OpenTelemetry's conventions for generative AI become fields of the observation; all
 *   others, events and links are kept in its metadata.
 * - Nothing that is put on a span can make the program fail.
 *
 * @example
 * ```ts
 * import { FetchHttpClient } from "@effect/platform"
 * import { Effect, Layer } from "effect"
 * import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"
 *
 * const TracingLive = LangfuseTracer.layer().pipe(
 *   Layer.provide(LangfuseIngest.layerFromEnv),
 *   Layer.provide(FetchHttpClient.layer)
 * )
 *
 * const answer = Effect.succeed("Because of Rayleigh scattering.").pipe(
 *   Langfuse.generation("answer", {
 *     model: "gpt-4.1",
 *     input: "Why is the sky blue?",
 *     output: (text) => text
 *   })
 * )
 *
 * export const main = Effect.provide(answer, TracingLive)
 * ```
 *
 * @see https://langfuse.com/docs/observability/data-model
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { IdGenerator } from "./IdGenerator.js"
import * as Sources from "./internal/sources.js"
import { SpanExporter } from "./internal/tracer/exporter.js"
import * as ParentIds from "./internal/tracer/ids.js"
import { type Entry, LangfuseSpan, recordFor } from "./internal/tracer/span.js"
import { join } from "./internal/tracer/tee.js"
import { isList } from "./internal/tracer/values.js"
import { LangfuseIngest } from "./LangfuseIngest.js"

// ---------------------------------------------------------------------------------------------------------------------
// models
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Which spans become observations.
 *
 * - `"langfuse"`: those that have a `langfuse.*` or `gen_ai.*` attribute of their own, and whatever lies between two of
 *   them. Spans above the topmost one (the HTTP request, say) and below the lowest (a database query) stay out. An
 *   attribute that `Langfuse.withTrace` or `Effect.annotateSpans` puts on every span is none of the span's own.
 * - `"all"`: every span.
 * - A predicate. Spans it refuses are skipped: those below hang from the nearest one above that it took.
 *
 * The decision is made when the span has ended, or earlier when an observation below it has: then a span that is taken
 * stays taken, and one that is refused may still be taken when it ends, without that observation below it. In
 * particular, attributes may be set at any time before the end, but only those set before the first observation below
 * has ended can have that one below it. A predicate that throws refuses.
 *
 * @since 0.1.0
 * @category models
 */
export type SpanFilter = "langfuse" | "all" | ((span: Tracer.Span) => boolean)

/**
 * Which spans become observations, and what happens to those that stay open.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Which spans become observations. Default `"langfuse"`. */
  readonly filter?: SpanFilter | undefined
  /**
   * Spans that are watched while they are open, so that one that never ends is exported all the same. Spans beyond this
   * are exported when they end, as always. Default 10,000.
   */
  readonly maxOpenSpans?: number | undefined
  /**
   * How long a watched span may stay open. Then it is exported as one that never ended, with the level `WARNING`, and
   * once more, complete, if it does end. The age is checked when spans start and when the layer is closed. Default 10
   * minutes.
   */
  readonly openSpanTimeout?: Duration.DurationInput | undefined
}

/**
 * The value of every option that is not given.
 *
 * @since 0.1.0
 * @category constructors
 */
export const defaults = {
  filter: "langfuse",
  maxOpenSpans: 10_000,
  openSpanTimeout: "10 minutes"
} as const satisfies Options

// ---------------------------------------------------------------------------------------------------------------------
// constructors
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The tracer. It lives as long as the scope; closing that hands on all that has ended, and exports what has not as spans
 * that never ended.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<Tracer.Tracer, never, LangfuseIngest | Scope.Scope> =>
  Effect.map(makeExporter(options), (exporter) =>
    Tracer.make({
      span: (name, parent, context, links, startTime, kind) =>
        start(exporter, undefined, name, parent, context, links, startTime, kind),
      context: (f) => f()
    }))

/**
 * The tracer, beside another one: each span is a span of both, with the same ids, and all that happens to it happens to
 * both. What one of them throws does not reach the other, nor the program. Each decides for itself what it exports.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeTee = (
  other: Tracer.Tracer,
  options: Options = {}
): Effect.Effect<Tracer.Tracer, never, LangfuseIngest | Scope.Scope> =>
  Effect.map(makeExporter(options), (exporter) =>
    Tracer.make({
      span: (name, parent, context, links, startTime, kind, spanOptions) => {
        let span: Tracer.Span | undefined
        try {
          span = other.span(name, parent, context, links, startTime, kind, spanOptions)
        } catch {
          // Langfuse goes on alone.
        }
        const record = start(exporter, span, name, parent, context, links, startTime, kind)
        try {
          return span === undefined ? record : join(record, span)
        } catch {
          return record
        }
      },
      context: (f, fiber) => other.context(f, fiber)
    }))

// ---------------------------------------------------------------------------------------------------------------------
// layers
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Replaces the tracer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<never, never, LangfuseIngest> =>
  Layer.unwrapScoped(Effect.map(make(options), Layer.setTracer))

/**
 * Adds Langfuse to the tracer that is there: the one of a layer this one is provided with, such as OpenTelemetry's.
 * Without any it is like `layer`.
 *
 * @example
 * ```ts
 * import * as Otlp from "@effect/opentelemetry/Otlp"
 * import { FetchHttpClient } from "@effect/platform"
 * import { Layer } from "effect"
 * import { LangfuseIngest, LangfuseTracer } from "effect-langfuse"
 *
 * const OpenTelemetryLive = Otlp.layerJson({
 *   baseUrl: "http://localhost:4318",
 *   resource: { serviceName: "assistant" }
 * })
 *
 * // Spans go to both.
 * export const TracingLive = LangfuseTracer.layerTee().pipe(
 *   Layer.provideMerge(OpenTelemetryLive),
 *   Layer.provide(LangfuseIngest.layerFromEnv),
 *   Layer.provide(FetchHttpClient.layer)
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTee = (options: Options = {}): Layer.Layer<never, never, LangfuseIngest> =>
  Layer.unwrapScoped(
    Effect.tracer.pipe(
      // Effect's own tracer exports nothing: there is nobody to share with.
      Effect.flatMap((other) => other === nativeTracer ? make(options) : makeTee(other, options)),
      Effect.map(Layer.setTracer)
    )
  )

// ---------------------------------------------------------------------------------------------------------------------
// helpers
// ---------------------------------------------------------------------------------------------------------------------

const nativeTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

const makeExporter = (options: Options): Effect.Effect<SpanExporter, never, LangfuseIngest | Scope.Scope> =>
  Effect.gen(function*() {
    const ingest = yield* LangfuseIngest
    const ids = yield* IdGenerator
    const clock = yield* Effect.clock
    const timeout = Duration.decode(options.openSpanTimeout ?? defaults.openSpanTimeout)
    const exporter = new SpanExporter({
      ingest,
      ids: safe(ids),
      clock,
      filter: options.filter ?? defaults.filter,
      maxOpenSpans: options.maxOpenSpans ?? defaults.maxOpenSpans,
      openSpanTimeout: Duration.isFinite(timeout) ? Duration.unsafeToNanos(timeout) : forever,
      timeoutText: Duration.format(timeout)
    })
    const unregister = Sources.register(ingest, exporter)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        exporter.close()
        unregister()
      })
    )
    return exporter
  })

/** Longer than any program runs, in nanoseconds. */
const forever = 1n << 64n

/** Ids of the user's own making, or random ones where making them fails. */
const safe = (ids: typeof IdGenerator.Service): typeof IdGenerator.Service => {
  const random = IdGenerator.defaultValue()
  const attempt = (own: () => string, fallback: () => string): string => {
    try {
      return own()
    } catch {
      return fallback()
    }
  }
  return {
    unsafeTraceId: () => attempt(ids.unsafeTraceId, random.unsafeTraceId),
    unsafeObservationId: () => attempt(ids.unsafeObservationId, random.unsafeObservationId),
    unsafeEventId: () => attempt(ids.unsafeEventId, random.unsafeEventId)
  }
}

interface Place {
  /** `undefined` where a new trace begins. */
  readonly traceId: string | undefined
  readonly above: LangfuseSpan | undefined
  readonly remoteParentId: string | undefined
  readonly sampled: boolean
}

const newTrace: Place = { traceId: undefined, above: undefined, remoteParentId: undefined, sampled: true }

/** Spans of other tracers between ours and us, at most: there is no end to a parent that is its own. */
const maxForeign = 1000

const placeBelow = (exporter: SpanExporter, parent: Option.Option<Tracer.AnySpan>): Place => {
  if (parent._tag === "None") return newTrace
  const direct = parent.value
  const above = recordFor(exporter, direct)
  if (above !== undefined) {
    return { traceId: above.traceId, above, remoteParentId: undefined, sampled: above.sampled }
  }
  const traceId = ParentIds.traceId(direct.traceId)
  const sampled = direct.sampled !== false
  // The caller in another process may be in Langfuse. A span of another tracer in this one is not, but what is above it may.
  let span: Tracer.AnySpan | undefined = direct
  for (let i = 0; i < maxForeign && span !== undefined && traceId !== undefined; i++) {
    if (span._tag === "ExternalSpan") {
      return { traceId, above: undefined, remoteParentId: ParentIds.spanId(span.spanId), sampled }
    }
    const next: Option.Option<Tracer.AnySpan> = span.parent
    span = next._tag === "Some" ? next.value : undefined
    const ours = span === undefined ? undefined : recordFor(exporter, span)
    if (ours !== undefined) return { traceId, above: ours, remoteParentId: undefined, sampled: sampled && ours.sampled }
  }
  return { traceId, above: undefined, remoteParentId: undefined, sampled }
}

const start = (
  exporter: SpanExporter,
  other: Tracer.Span | undefined,
  name: string,
  parent: Option.Option<Tracer.AnySpan>,
  context: Context.Context<never>,
  links: ReadonlyArray<Tracer.SpanLink>,
  startTime: bigint,
  kind: Tracer.SpanKind
): LangfuseSpan => {
  const { ids } = exporter.settings
  let place = newTrace
  let traceId: string | undefined
  let spanId: string | undefined
  try {
    place = placeBelow(exporter, parent)
    // With two tracers the ids are the other's, which has its own ways of making them.
    traceId = ParentIds.traceId(other?.traceId)
    spanId = traceId === undefined ? undefined : ParentIds.spanId(other?.spanId)
    if (spanId === undefined) traceId = undefined
  } catch {
    // A span of another tracer that throws when it is looked at.
  }
  traceId ??= place.traceId ?? ids.unsafeTraceId()
  spanId ??= ids.unsafeObservationId()
  const above = place.above?.traceId === traceId ? place.above : undefined
  const entry: Entry = above?.entry ?? { remoteParentId: place.remoteParentId, rootId: undefined }
  const span = new LangfuseSpan({
    exporter,
    name,
    traceId,
    spanId,
    parent,
    above,
    entry,
    context,
    links: isList(links) ? links : [],
    startTime,
    kind,
    sampled: place.sampled
  })
  if (span.sampled) exporter.started(span)
  return span
}
