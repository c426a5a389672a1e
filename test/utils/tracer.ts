import { Context, Effect, Exit, Layer, Scope, Tracer } from "effect"
import { LangfuseIngest } from "effect-langfuse"
import type { IngestionEvent, LangfuseConfig } from "effect-langfuse"
import * as LangfuseTracer from "effect-langfuse/LangfuseTracer"

/** Any observation, with all that any of them may have. */
export interface Observation {
  readonly type: string
  readonly id: string
  readonly timestamp: string
  readonly body: IngestionEvent.GenerationCreate["body"]
  readonly trace?: IngestionEvent.TraceContext | undefined
}

/** A tracer over an ingest service that keeps events in memory. */
export const layer = (
  options?: LangfuseTracer.Options,
  ingest: LangfuseConfig.IngestOptions = {}
): Layer.Layer<LangfuseIngest.LangfuseIngest | LangfuseIngest.CapturedEvents> =>
  LangfuseTracer.layer(options).pipe(Layer.provideMerge(LangfuseIngest.layerMemoryWith(ingest)))

/** All observations so far, in the order they were handed on. */
export const observations: Effect.Effect<ReadonlyArray<Observation>, never, LangfuseIngest.CapturedEvents> = Effect
  .flatMap(LangfuseIngest.CapturedEvents, ({ all }) => all as Effect.Effect<ReadonlyArray<never>>)

/** The observation of that name; fails the test when there is none, or more than one. */
export const named = (name: string): Effect.Effect<Observation, never, LangfuseIngest.CapturedEvents> =>
  Effect.flatMap(observations, (all) => {
    const [found, ...others] = all.filter(({ body }) => body.name === name)
    return found !== undefined && others.length === 0
      ? Effect.succeed(found)
      : Effect.dieMessage(`${others.length + (found === undefined ? 0 : 1)} observations are called ${name}`)
  })

/** `{ child: parent }` by names; `undefined` for roots, `"?"` for a parent that is not there. */
export const tree = (all: ReadonlyArray<Observation>): Record<string, string | undefined> => {
  const names = new Map(all.map(({ body }) => [body.id, body.name]))
  return Object.fromEntries(all.map(({ body }) => [
    body.name,
    body.parentObservationId ? names.get(body.parentObservationId) ?? "?" : undefined
  ]))
}

/** The next turn of the event loop in which timers fire; those set before fire before. */
export const nextTurn: Effect.Effect<void> = Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 0)))

/** A tracer whose life the test ends. */
export const open = (options?: LangfuseTracer.Options, other?: Tracer.Tracer) =>
  Effect.gen(function*() {
    const ingest = yield* Layer.build(LangfuseIngest.layerMemory)
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const make = other === undefined ? LangfuseTracer.make(options) : LangfuseTracer.makeTee(other, options)
    const tracer = yield* make.pipe(Effect.provide(ingest), Scope.extend(scope))
    const events = Context.get(ingest, LangfuseIngest.CapturedEvents)
    return {
      tracer,
      all: Effect.provideService(observations, LangfuseIngest.CapturedEvents, events),
      close: Scope.close(scope, Exit.void)
    }
  })

/** A tracer that takes down what happens to its spans. */
export const recording = () => {
  const spans: Array<RecordedSpan> = []
  const tracer = Tracer.make({
    span: (name, parent, context, links, startTime, kind) => {
      const span = new RecordedSpan(name, parent, context, links, startTime, kind, spans.length + 1)
      spans.push(span)
      return span
    },
    context: (f) => f()
  })
  return { tracer, spans, span: (name: string) => spans.find((span) => span.name === name) }
}

class RecordedSpan implements Tracer.Span {
  readonly _tag = "Span"
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parent: Tracer.Span["parent"]
  readonly context: Tracer.Span["context"]
  readonly kind: Tracer.SpanKind
  readonly sampled: boolean = true
  status: Tracer.SpanStatus
  readonly attributes = new Map<string, unknown>()
  links: Array<Tracer.SpanLink>
  readonly events: Array<readonly [string, bigint, Record<string, unknown> | undefined]> = []
  ends = 0

  constructor(
    name: string,
    parent: Tracer.Span["parent"],
    context: Tracer.Span["context"],
    links: ReadonlyArray<Tracer.SpanLink>,
    startTime: bigint,
    kind: Tracer.SpanKind,
    index: number
  ) {
    this.name = name
    this.parent = parent
    this.context = context
    this.links = [...links]
    this.kind = kind
    this.status = { _tag: "Started", startTime }
    this.traceId = parent._tag === "Some" ? parent.value.traceId : index.toString(16).padStart(32, "a")
    this.spanId = index.toString(16).padStart(16, "b")
  }

  end(endTime: bigint, exit: Exit.Exit<unknown, unknown>): void {
    this.ends++
    this.status = { _tag: "Ended", startTime: this.status.startTime, endTime, exit }
  }

  attribute(key: string, value: unknown): void {
    this.attributes.set(key, value)
  }

  event(name: string, startTime: bigint, attributes?: Record<string, unknown>): void {
    this.events.push([name, startTime, attributes])
  }

  addLinks(links: ReadonlyArray<Tracer.SpanLink>): void {
    this.links.push(...links)
  }
}
