import { useRef } from "preact/hooks"
import { useVirtual } from "../lib/useVirtual.js"
import type { TraceSummary } from "../wire.js"
import { TraceLine } from "./TraceLine.js"

const isNarrow = matchMedia("(max-width: 700px)")

/** Moves between the lines that are rendered; the browser scrolls to the one in focus. */
const onKey = (event: KeyboardEvent) => {
  const { key, target } = event
  if (!(target instanceof HTMLElement) || (key !== "ArrowDown" && key !== "ArrowUp")) return
  const line = target.closest<HTMLElement>("[data-index]")
  const index = Number(line?.dataset["index"]) + (key === "ArrowDown" ? 1 : -1)
  const next = line?.parentElement?.querySelector<HTMLElement>(`[data-index="${index}"] a`)
  event.preventDefault()
  if (next !== null && next !== undefined) next.focus()
  else if (index < 0) document.getElementById("search")?.focus()
}

/** The newest trace first; only those in sight are rendered. */
export const TraceList = ({ traces }: { readonly traces: ReadonlyArray<TraceSummary> }) => {
  const scroll = useRef<HTMLDivElement>(null)
  const height = isNarrow.matches ? 62 : 36
  const { height: whole, items } = useVirtual(scroll, traces.length, height)
  return (
    <div class="trace-list">
      <div class="trace-line head" aria-hidden="true">
        <span>Time</span>
        <span>Trace</span>
        <span class="who">Tags, session, user</span>
        <span class="number observations">Obs.</span>
        <span class="number">Duration</span>
        <span class="number tokens">Tokens</span>
        <span class="number cost">Cost</span>
      </div>
      <div class="list-scroll" ref={scroll} onKeyDown={onKey} tabIndex={-1}>
        <ul style={{ blockSize: `${whole}px` }} aria-label={`${traces.length} traces`}>
          {items.map(({ index, start }) => {
            const trace = traces[index]
            return trace !== undefined && (
              <li
                key={trace.id}
                data-index={index}
                style={{ transform: `translateY(${start}px)`, blockSize: `${height}px` }}
              >
                <TraceLine trace={trace} />
              </li>
            )
          })}
        </ul>
      </div>
    </div>
  )
}
