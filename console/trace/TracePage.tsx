import { useEffect, useState } from "preact/hooks"
import { Link } from "../lib/Link.js"
import { place, setQuery } from "../lib/router.js"
import { traces } from "../lib/traces.js"
import { type Trace, useTrace } from "../lib/useTrace.js"
import { ObservationView } from "../observation/ObservationView.js"
import { Overview } from "./Overview.js"
import { TraceHeader } from "./TraceHeader.js"
import { Tree } from "./Tree.js"

/** Remembered while the page is open. */
let hidesPlain = true

const plainCount = (trace: Trace): number => {
  let count = 0
  for (const { isPlain } of trace.rows.values()) if (isPlain) count++
  return count
}

const TraceBody = ({ isFile, trace }: { readonly trace: Trace; readonly isFile: boolean }) => {
  const plain = plainCount(trace)
  const [isHiding, setHiding] = useState(hidesPlain)
  const [view, setView] = useState<"tree" | "detail">("detail")
  const [fileSelection, setFileSelection] = useState<string>()
  // A file has an address of its own, which is not ours to change.
  const selected = isFile ? fileSelection : place.value.query.get("observation") ?? undefined
  const hide = isHiding && plain < trace.rows.size
  const select = (id: string | undefined) => {
    if (isFile) setFileSelection(id)
    else setQuery({ observation: id }, selected === undefined ? "push" : "replace")
    if (id !== undefined) setView("detail")
  }
  const row = selected === undefined ? undefined : trace.rows.get(selected)
  useEffect(() => {
    document.title = `${trace.summary.name ?? "trace"} · effect-langfuse dev`
  }, [trace.summary.name])
  return (
    <main class="trace-page" data-view={view}>
      <TraceHeader trace={trace.summary} isFile={isFile} />
      <div class="views" role="group" aria-label="View">
        <button
          type="button"
          aria-pressed={view === "detail" && row === undefined}
          onClick={() => {
            select(undefined)
            setView("detail")
          }}
        >
          Conversation
        </button>
        {row !== undefined && (
          <button type="button" aria-pressed={view === "detail"} onClick={() => setView("detail")}>
            {row.name?.slice(0, 30) ?? "Observation"}
          </button>
        )}
        <button type="button" aria-pressed={view === "tree"} onClick={() => setView("tree")}>Tree</button>
      </div>
      <section class="pane tree-pane" aria-label="Tree and waterfall">
        <div class="pane-bar">
          <button
            type="button"
            class="small wide"
            aria-pressed={row === undefined}
            onClick={() => select(undefined)}
          >
            Conversation
          </button>
          {plain > 0 && (
            <label class="check">
              <input
                type="checkbox"
                checked={hide}
                onChange={({ currentTarget }) => {
                  hidesPlain = currentTarget.checked
                  setHiding(currentTarget.checked)
                }}
              />{" "}
              Hide {plain} other {plain === 1 ? "span" : "spans"}
            </label>
          )}
        </div>
        <Tree rows={trace.rows} hidePlain={hide} selection={{ id: selected, select }} />
      </section>
      <section class="pane detail-pane" aria-label="Observation" tabIndex={-1}>
        {row !== undefined
          ? <ObservationView key={row.id} row={row} trace={trace} />
          : <Overview trace={trace} />}
      </section>
    </main>
  )
}

/** One trace: tree and waterfall, and beside them the conversation or one observation. */
export const TracePage = ({ id, isFile = false }: { readonly id: string; readonly isFile?: boolean }) => {
  const loaded = useTrace(id, isFile ? 1 : traces.value.get(id)?.revision)
  switch (loaded.state) {
    case "loading":
      return (
        <main class="page">
          <p class="quiet loading">Loading…</p>
        </main>
      )
    case "failed":
      return (
        <main class="page">
          <h1>No trace</h1>
          <p>{loaded.reason}</p>
          <p>
            <Link to="/">All traces</Link>
          </p>
        </main>
      )
    case "loaded":
      return <TraceBody trace={loaded.value} isFile={isFile} />
  }
}
