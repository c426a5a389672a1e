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
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { read } from "./core/item/object.js"
import { IdGenerator } from "./internal/idGenerator.js"
import * as Intake from "./internal/intake.js"
import { makeWarn } from "./internal/log.js"
import { SpanExporter } from "./internal/tracer/exporter.js"
import { attach, isNative } from "./internal/tracer/native.js"
import { start } from "./internal/tracer/start.js"
import { join } from "./internal/tracer/tee.js"
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
  /**
   * What a caller in another process, known by its `traceparent` header, is to the first spans here. Default `"continue"`.
   *
   * - `"continue"`: their parent, in the same trace.
   * - `"link"`: a link of theirs; the trace is a new one.
   * - `"ignore"`: nothing.
   */
  readonly remoteParent?: "continue" | "link" | "ignore" | undefined
  /**
   * What it means when the caller of a trace that is continued has not sampled it (`traceparent: 00-…-00`). Default
   * `"respect"`.
   *
   * - `"respect"`: it is left out here too, and its observations are counted as `sampledOut`.
   * - `"ignore"`: the `sampleRate` of `LangfuseIngest` decides alone. Requests that go out still say what the caller said.
   */
  readonly remoteSampling?: "respect" | "ignore" | undefined
  /**
   * Whether events of spans, such as log lines, are kept in the metadata. Messages of a model in `gen_ai.*` events are read
   * all the same. With `content: "metadata"` log lines are left out in any case. Default `true`.
   */
  readonly spanEvents?: boolean | undefined
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
  openSpanTimeout: "10 minutes",
  remoteParent: "continue",
  remoteSampling: "respect",
  spanEvents: true
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
  Effect.map(makeExporter(options), (exporter) => tracerOf(exporter, undefined))

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
  Effect.map(makeExporter(options), (exporter) => tracerOf(exporter, other))

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
      Effect.flatMap((other) => isNative(other) ? make(options) : makeTee(other, options)),
      Effect.map(Layer.setTracer)
    )
  )

// ---------------------------------------------------------------------------------------------------------------------
// helpers
// ---------------------------------------------------------------------------------------------------------------------

const tracerOf = (exporter: SpanExporter, other: Tracer.Tracer | undefined): Tracer.Tracer =>
  attach(
    Tracer.make({
      span: (name, parent, context, links, startTime, kind, options) => {
        const beside = attempt(() => other?.span(name, parent, context, links, startTime, kind, options))
        const record = start({
          exporter,
          other: beside,
          name,
          parent,
          context,
          links,
          startTime,
          kind,
          isRoot: isRoot(options)
        })
        return (beside && attempt(() => join(record, beside))) ?? record
      },
      context: (f, fiber) => other === undefined ? f() : other.context(f, fiber)
    }),
    exporter,
    other
  )

/** Where another tracer throws, Langfuse goes on alone. */
const attempt = <A>(f: () => A): A | undefined => {
  try {
    return f()
  } catch {
    return undefined
  }
}

const makeExporter = (options: Options): Effect.Effect<SpanExporter, never, LangfuseIngest | Scope.Scope> =>
  Effect.gen(function*() {
    const ingest = yield* LangfuseIngest
    const ids = yield* IdGenerator
    const clock = yield* Effect.clock
    const runtime = yield* Effect.runtime()
    const intake = Intake.of(ingest)
    const warn = makeWarn()
    const timeout = Duration.decode(options.openSpanTimeout ?? defaults.openSpanTimeout)
    const exporter = new SpanExporter({
      intake,
      ids: safe(ids),
      clock,
      filter: options.filter ?? defaults.filter,
      maxOpenSpans: options.maxOpenSpans ?? defaults.maxOpenSpans,
      openSpanTimeout: Duration.isFinite(timeout) ? Duration.unsafeToNanos(timeout) : forever,
      timeoutText: Duration.format(timeout),
      remoteParent: options.remoteParent ?? defaults.remoteParent,
      remoteSampling: options.remoteSampling ?? defaults.remoteSampling,
      spanEvents: options.spanEvents ?? defaults.spanEvents,
      warn: (kind, message) => void Runtime.runFork(runtime)(warn(kind, message))
    })
    intake.sources.add(exporter)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        exporter.close()
        intake.sources.delete(exporter)
      })
    )
    return exporter
  })

/** Untyped code may hand in anything. */
const isRoot = (options: unknown): boolean =>
  typeof options === "object" && options !== null && read(options, "root") === true

/** Longer than any program runs, in nanoseconds. */
const forever = 1n << 64n

/** Ids of the user's own making, or random ones where making them fails. */
const safe = (ids: typeof IdGenerator.Service): typeof IdGenerator.Service => {
  const random = IdGenerator.defaultValue()
  return {
    unsafeTraceId: () => attempt(() => ids.unsafeTraceId()) ?? random.unsafeTraceId(),
    unsafeObservationId: () => attempt(() => ids.unsafeObservationId()) ?? random.unsafeObservationId(),
    unsafeEventId: () => attempt(() => ids.unsafeEventId()) ?? random.unsafeEventId()
  }
}
