import * as Format from "../lib/format.js"
import { Link } from "../lib/Link.js"
import { tracePath } from "../lib/router.js"
import type { TraceSummary } from "../wire.js"

/** One trace in the list. */
export const TraceLine = ({ trace }: { readonly trace: TraceSummary }) => (
  <Link to={tracePath(trace.id)} class={trace.errors > 0 ? "trace-line failed" : "trace-line"}>
    <span class="time">{Format.moment(trace.timestamp)}</span>
    <span class="title">
      <strong>{trace.name ?? "(no name)"}</strong>
      {trace.errors > 0 && <span class="level level-ERROR">{Format.plural(trace.errors, "error")}</span>}
      {trace.open > 0 && <span class="level level-open">{trace.open} open</span>}
      <span class="quiet preview">{trace.preview}</span>
    </span>
    <span class="who">
      {trace.tags.slice(0, 3).map((tag) => <span key={tag} class="tag">{tag}</span>)}
      {trace.sessionId !== undefined && <span class="quiet">{trace.sessionId}</span>}
      {trace.userId !== undefined && <span class="quiet">{trace.userId}</span>}
    </span>
    <span class="number observations">{Format.count(trace.observations)}</span>
    <span class="number">{Format.duration(trace.duration)}</span>
    <span class="number tokens">{trace.tokens === undefined ? "" : Format.count(trace.tokens)}</span>
    <span class="number cost">{trace.cost === undefined ? "" : Format.cost(trace.cost)}</span>
  </Link>
)
