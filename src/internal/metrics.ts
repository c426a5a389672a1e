/**
 * The Effect metrics of the ingest service, in the process-wide registry. Counting is synchronous, because events also
 * come from plain callbacks, and costs a few nanoseconds, because each metric is looked up once.
 */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"
import * as MetricLabel from "effect/MetricLabel"

const none: ReadonlyArray<MetricLabel.MetricLabel> = []

const counter = (name: string, description: string, outcome?: string) => {
  const key = MetricKey.counter(name, { description, incremental: true })
  const labels = outcome === undefined ? none : [MetricLabel.make("outcome", outcome)]
  const metric = Metric.fromMetricKey(MetricKey.taggedWithLabels(key, labels))
  return { count: (n: number): void => metric.unsafeUpdate(n, none) }
}

const events = (outcome: string) => counter("langfuse_ingest_events_total", "Events by their outcome.", outcome)

const traces = (outcome: string) =>
  counter("langfuse_ingest_traces_total", "Traces sent because observations belong to them, by their outcome.", outcome)

/** A sum over all services of the process. */
const gauge = (name: string, description: string) => {
  const metric = Metric.fromMetricKey(MetricKey.gauge(name, { description }))
  let total = 0
  return {
    add: (n: number): void => {
      total += n
      metric.unsafeUpdate(total, none)
    }
  }
}

export const sampledOut = events("sampled_out")
export const dropped = events("dropped")
export const settled = { delivered: events("delivered"), rejected: events("rejected"), failed: events("failed") }

export const derivedTraces = { delivered: traces("delivered"), rejected: traces("rejected"), failed: traces("failed") }

export const maskFailures = counter(
  "langfuse_ingest_mask_failures_total",
  "Values replaced by a note because the mask threw."
)

const queueEvents = gauge(
  "langfuse_ingest_queue_events",
  "Events held, from enqueue until their outcome is known."
)
const queueBytes = gauge("langfuse_ingest_queue_bytes", "Bytes of the events held.")

/** What one service adds to the gauges. */
export class Holding {
  private events = 0
  private bytes = 0

  update(events: number, bytes: number): void {
    queueEvents.add(events - this.events)
    queueBytes.add(bytes - this.bytes)
    this.events = events
    this.bytes = bytes
  }
}

/** Events in one batch as it leaves the queue. */
export const batchEvents = Metric.histogram(
  "langfuse_ingest_batch_events",
  MetricBoundaries.exponential({ start: 1, factor: 2, count: 12 }),
  "Events in one batch."
)

const seconds = Metric.histogram(
  "langfuse_ingest_request_seconds",
  MetricBoundaries.exponential({ start: 0.001, factor: 2, count: 15 }),
  "Seconds one request took."
)

/** There are as many as statuses. */
const secondsByStatus = new Map<string, typeof seconds>()

/** Seconds one request took, from its start to the last byte of the answer, by status (or why there was none). */
export const requestSeconds = (status: string): typeof seconds => {
  const known = secondsByStatus.get(status)
  if (known !== undefined) return known
  const metric = Metric.tagged(seconds, "status", status)
  secondsByStatus.set(status, metric)
  return metric
}
