import * as Format from "../lib/format.js"
import { Link } from "../lib/Link.js"
import { sessionPath } from "../lib/router.js"
import { Copy } from "../observation/Copy.js"
import type { TraceSummary } from "../wire.js"

/** What a trace is, at a glance. */
export const TraceHeader = ({ isFile, trace }: { readonly trace: TraceSummary; readonly isFile: boolean }) => (
  <header class="trace-header">
    <div class="trace-title">
      {!isFile && <Link to="/" class="back" label="All traces">←</Link>}
      <h1>{trace.name ?? "(no name)"}</h1>
      <span class="actions">
        <Copy label="Copy id" text={trace.id} />
        {!isFile && (
          <>
            <a class="button small" href={`/console/api/traces/${encodeURIComponent(trace.id)}/export.json`}>JSON</a>
            <a class="button small" href={`/console/api/traces/${encodeURIComponent(trace.id)}/export.html`}>HTML</a>
          </>
        )}
      </span>
    </div>
    <p class="numbers">
      <span>{Format.moment(trace.timestamp)}</span>
      <span>{Format.duration(trace.duration)}</span>
      <span>{Format.plural(trace.observations, "observation")}</span>
      {trace.tokens !== undefined && <span>{Format.plural(trace.tokens, "token")}</span>}
      {trace.cost !== undefined && <span>{Format.cost(trace.cost)}</span>}
      {trace.errors > 0 && <span class="level level-ERROR">{Format.plural(trace.errors, "error")}</span>}
      {trace.open > 0 && <span class="level level-open">{trace.open} never ended</span>}
      {trace.userId !== undefined && <span>user {trace.userId}</span>}
      {trace.sessionId !== undefined && (
        isFile ?
          <span>session {trace.sessionId}</span> :
          <Link to={sessionPath(trace.sessionId)}>session {trace.sessionId}</Link>
      )}
      {trace.environment !== "default" && <span>{trace.environment}</span>}
      {trace.version !== undefined && <span>version {trace.version}</span>}
      {trace.tags.map((tag) => <span key={tag} class="tag">{tag}</span>)}
    </p>
  </header>
)
