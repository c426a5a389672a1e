/**
 * A trace as far as this process has a part in it, shared by all spans of that part.
 */
import type { SpanExporter } from "./exporter.js"
import type { TraceScope, TraceValue } from "./scope.js"
import type { Given } from "./values.js"

/** What becomes of the observations of a trace: decided once, when its first span starts. */
export type Fate = "recorded" | "sampledOut" | "off"

/** Said with `updateTrace`. */
export class Said {
  readonly value: TraceValue
  readonly order: number

  constructor(value: TraceValue, order: number) {
    this.value = value
    this.order = order
  }
}

export class LocalTrace {
  readonly exporter: SpanExporter
  readonly traceId: string
  /** What the program sees: of two tracers it is the other's. */
  readonly visibleId: string
  readonly fate: Fate
  /** The sampled flag of W3C that goes out with requests: the caller's, if there is one. */
  readonly sampled: boolean
  /** The caller in another process. */
  remoteParentId: string | undefined = undefined
  /** The innermost `withTrace` that does not hold in this trace. */
  cut: TraceScope | undefined = undefined
  /** The trace around one that a program begins within another. */
  outerTraceId: string | undefined = undefined
  /** The first observation with no other above it: where this process's part of the trace begins. */
  rootId: string | undefined = undefined
  /** Whether the caller is known to be in Langfuse, so that the trace begins there. */
  isCallerKnown = false
  said: Map<string, Said> | undefined = undefined
  /** Input and output of the trace. */
  contents: Map<string, Given> | undefined = undefined
  /** Spans that have not been settled yet. */
  open = 0
  /** The scope of the last observation without one above it, to tell siblings that contradict each other. */
  scopeOfLast: TraceScope | undefined = undefined

  constructor(exporter: SpanExporter, traceId: string, visibleId: string, fate: Fate, sampled: boolean) {
    this.exporter = exporter
    this.traceId = traceId
    this.visibleId = visibleId
    this.fate = fate
    this.sampled = sampled
  }
}
