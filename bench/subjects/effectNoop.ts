/** The program of `effect-otlp` with a tracer that does nothing: what spans cost before anybody looks at them. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import type * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { main } from "../lib/child.js"
import { recordSpans } from "../lib/spans.js"
import type { Work } from "../lib/workload.js"

const attributes = new Map<string, unknown>()

/** Takes everything and keeps nothing. */
class NoopSpan implements Tracer.Span {
  readonly _tag = "Span"
  readonly spanId = "b7ad6b7169203331"
  readonly traceId = "0af7651916cd43dd8448eb211c80319c"
  readonly sampled = false
  readonly attributes = attributes
  readonly links: ReadonlyArray<Tracer.SpanLink> = []
  readonly status: Tracer.SpanStatus = { _tag: "Started", startTime: 0n }
  readonly name: string
  readonly parent: Option.Option<Tracer.AnySpan>
  readonly context: Tracer.Span["context"]
  readonly kind: Tracer.SpanKind

  constructor(
    name: string,
    parent: Option.Option<Tracer.AnySpan>,
    context: Tracer.Span["context"],
    kind: Tracer.SpanKind
  ) {
    this.name = name
    this.parent = parent
    this.context = context
    this.kind = kind
  }

  attribute(): void {}
  event(): void {}
  addLinks(): void {}
  end(): void {}
}

const tracer = Tracer.make({
  span: (name, parent, context, _links, _startTime, kind) => new NoopSpan(name, parent, context, kind),
  context: (run) => run()
})

const open = async () => {
  const runtime = ManagedRuntime.make(Layer.setTracer(tracer))
  await runtime.runPromise(Effect.void)
  return {
    record: (works: ReadonlyArray<Work>) => runtime.runSync(recordSpans(works)),
    close: () => runtime.dispose()
  }
}

await main({ open, lag: () => 0 })
