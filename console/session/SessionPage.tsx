import { useEffect, useState } from "preact/hooks"
import * as Format from "../lib/format.js"
import { Link } from "../lib/Link.js"
import { tracePath } from "../lib/router.js"
import { newestFirst } from "../lib/traces.js"
import type { TraceSummary } from "../wire.js"
import { Turn } from "./Turn.js"

/** So many traces of a session are read at once. */
const portion = 20

const sum = (values: ReadonlyArray<number | undefined>): number | undefined =>
  values.reduce((total, value) => value === undefined ? total : (total ?? 0) + value, undefined)

const Head = ({ trace }: { readonly trace: TraceSummary }) => (
  <header>
    <h2>
      <Link to={tracePath(trace.id)}>{trace.name ?? "(no name)"}</Link>
    </h2>
    <p class="numbers">
      <span>{Format.moment(trace.timestamp)}</span>
      <span>{Format.duration(trace.duration)}</span>
      {trace.tokens !== undefined && <span>{Format.plural(trace.tokens, "token")}</span>}
      {trace.cost !== undefined && <span>{Format.cost(trace.cost)}</span>}
      {trace.errors > 0 && <span class="level level-ERROR">{Format.plural(trace.errors, "error")}</span>}
    </p>
  </header>
)

/** The traces of a session as one thread, the oldest first. */
export const SessionPage = ({ id }: { readonly id: string }) => {
  const traces = newestFirst.value.filter(({ sessionId }) => sessionId === id).reverse()
  const [limit, setLimit] = useState(portion)
  useEffect(() => {
    document.title = `Session ${id} · effect-langfuse dev`
  }, [id])
  const hidden = Math.max(0, traces.length - limit)
  return (
    <main class="page session-page">
      <header class="trace-header">
        <div class="trace-title">
          <Link to="/" class="back" label="All traces">←</Link>
          <h1>Session {id}</h1>
        </div>
        <p class="numbers">
          <span>{Format.plural(traces.length, "trace")}</span>
          {[...new Set(traces.flatMap(({ userId }) => userId ?? []))].slice(0, 3).map((user) => (
            <span key={user}>user {user}</span>
          ))}
          <span>{Format.plural(sum(traces.map(({ tokens }) => tokens)) ?? 0, "token")}</span>
          <span>{Format.cost(sum(traces.map(({ cost }) => cost)))}</span>
        </p>
      </header>
      {traces.length === 0 && <p class="quiet">No trace of this session is held.</p>}
      {hidden > 0 && (
        <button type="button" class="fold" onClick={() => setLimit(limit + portion)}>
          Show {Format.plural(hidden, "earlier trace")}
        </button>
      )}
      {traces.slice(hidden).map((trace) => (
        <section key={trace.id} class="turn" aria-label={trace.name ?? trace.id}>
          <Head trace={trace} />
          <Turn id={trace.id} revision={trace.revision} />
        </section>
      ))}
    </main>
  )
}
