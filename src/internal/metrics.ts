/**
 * The Effect metrics of the ingest service, in the process-wide registry. Counting is synchronous, because events also
 * come from plain callbacks, and costs a few nanoseconds, because each metric is looked up once.
 */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"
import * as MetricLabel from "effect/MetricLabel"

const none: ReadonlyArray<MetricLabel.MetricLabel> = []

const events = (outcome: string) => {
  const metric = Metric.fromMetricKey(MetricKey.taggedWithLabels(
    MetricKey.counter("langfuse_ingest_events_total", {
      description: "Events by their outcome.",
      incremental: true
    }),
    [MetricLabel.make("outcome", outcome)]
  ))
  return { count: (n: number): void => metric.unsafeUpdate(n, none) }
}

const gauge = (name: string, description: string) => {
  const metric = Metric.fromMetricKey(MetricKey.gauge(name, { description }))
  return { set: (n: number): void => metric.unsafeUpdate(n, none) }
}

export const sampledOut = events("sampled_out")
export const dropped = events("dropped")
export const settled = { delivered: events("delivered"), rejected: events("rejected"), failed: events("failed") }

/** Masks that threw, each time one value was replaced by a note. */
export const maskFailures = (() => {
  const metric = Metric.fromMetricKey(MetricKey.counter("langfuse_ingest_mask_failures_total", {
    description: "Values replaced by a note because the mask threw.",
    incremental: true
  }))
  return { count: (n: number): void => metric.unsafeUpdate(n, none) }
})()

export const queueEvents = gauge(
  "langfuse_ingest_queue_events",
  "Events held, from enqueue until their outcome is known."
)
export const queueBytes = gauge("langfuse_ingest_queue_bytes", "Bytes of the events held.")

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
