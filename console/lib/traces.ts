/**
 * All traces, as the event stream tells of them.
 */
import { computed, signal } from "@preact/signals"
import type { Status, TraceSummary, Update } from "../wire.js"

/** Replaced by each update, so that what depends on it is made anew. */
export const traces = signal<ReadonlyMap<string, TraceSummary>>(new Map())
export const status = signal<Status | undefined>(undefined)
export const connection = signal<"connecting" | "live" | "lost">("connecting")

export const newestFirst = computed(() =>
  [...traces.value.values()].sort((a, b) => b.timestamp < a.timestamp ? -1 : b.timestamp > a.timestamp ? 1 : 0)
)

const apply = (update: Update): void => {
  if (update.all || update.traces.length > 0 || update.removed.length > 0) {
    const next = new Map(update.all ? [] : traces.value)
    for (const trace of update.traces) next.set(trace.id, trace)
    for (const id of update.removed) next.delete(id)
    traces.value = next
  }
  status.value = update.status
}

export const follow = (): void => {
  const events = new EventSource("/console/api/events")
  events.onopen = () => {
    connection.value = "live"
  }
  events.onerror = () => {
    connection.value = "lost"
    // A browser tries again by itself, unless the answer was none of a stream.
    if (events.readyState === EventSource.CLOSED) setTimeout(follow, 1000)
  }
  events.onmessage = ({ data }) => {
    connection.value = "live"
    apply(JSON.parse(String(data)))
  }
}
