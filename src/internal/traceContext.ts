/**
 * The trace context of events, as the batch endpoint knows it.
 *
 * A tracer writes what it knows about the trace beside each observation. Over OpenTelemetry that goes on every span; the
 * batch endpoint has a trace of its own instead, so here a `trace-create` is derived from the context: for the first event
 * of a trace, when the context changes, and for the root observation, whose input and output are those of the trace.
 */
import type { IngestionEvent } from "../IngestionEvent.js"
import type * as Snapshot from "./snapshot.js"

/** Traces remembered so that the same context is not sent with every observation. */
const remembered = 10_000

/** Langfuse refuses a trace with a longer name. */
const longestName = 1000

interface Known {
  readonly text: string
  readonly isPublic: boolean
}

export interface TraceContexts {
  /** What to send before an event, if anything. */
  readonly traceOf: (event: Snapshot.Snapshot) => IngestionEvent | undefined
  /** The trace of this event was not sent after all. */
  readonly forget: (event: Snapshot.Snapshot) => void
}

export const make = (): TraceContexts => {
  const traces = new Map<string, Known>()

  const traceOf = (event: Snapshot.Snapshot): IngestionEvent | undefined => {
    const { traceId, traceText } = event
    if (traceText === undefined || traceId === undefined || event.type === "trace-create") return undefined
    const head = fieldsOf(event.headText)
    const context = fieldsOf(traceText)
    const isRoot = head["parentObservationId"] == null || context["isAppRoot"] === true
    const known = traces.get(traceId)
    if (known?.text === traceText && !isRoot) return undefined

    // A later trace-create that says nothing about it would make the trace private again.
    const isPublic = known?.isPublic === true || context["public"] === true
    traces.delete(traceId)
    traces.set(traceId, { text: traceText, isPublic })
    if (traces.size > remembered) {
      for (const oldest of traces.keys()) {
        traces.delete(oldest)
        break
      }
    }

    const { input, isAppRoot: _, name, output, timestamp, ...rest } = context
    return {
      type: "trace-create",
      // Made from the observation's, so that sending the observation again repeats it too.
      id: `${event.id}-trace`,
      timestamp: event.timestamp,
      body: {
        ...rest,
        name: text(name)?.slice(0, longestName),
        id: traceId,
        timestamp: text(timestamp) ?? text(head["startTime"]) ?? event.timestamp,
        ...(isPublic ? { public: true } : {}),
        input: input ?? (isRoot ? jsonOf(event.inputText) : undefined),
        output: output ?? (isRoot ? jsonOf(event.outputText) : undefined)
      }
    }
  }

  return {
    traceOf,
    forget: ({ traceId }) => {
      if (traceId !== undefined) traces.delete(traceId)
    }
  }
}

const fieldsOf = (json: string): Readonly<Record<string, unknown>> => JSON.parse(json)

const text = (value: unknown): string | undefined => typeof value === "string" ? value : undefined

const jsonOf = (json: string | undefined): unknown => json === undefined ? undefined : JSON.parse(json)
