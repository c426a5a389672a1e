import * as Format from "../lib/format.js"
import type { Tree } from "../model/tree.js"
import type { Row } from "../wire.js"

/** When an observation ran, within the time of its trace. */
export const Bar = ({ row, tree }: { readonly row: Row; readonly tree: Tree }) => {
  const whole = Math.max(1, tree.to - tree.from)
  const start = Date.parse(row.startTime)
  const isOpen = row.endTime === null && row.type !== "EVENT"
  const end = row.endTime === null ? (isOpen ? tree.to : start) : Date.parse(row.endTime)
  const left = ((start - tree.from) / whole) * 100
  const width = ((end - start) / whole) * 100
  const first = row.completionStartTime === null ? undefined : Date.parse(row.completionStartTime)
  const label = row.type === "EVENT" ? "" : isOpen ? "…" : Format.duration(end - start)
  // The label stands behind the bar, before it, or on it, wherever there is room.
  const where = left + width < 82 ? "after" : left > 18 ? "before" : "inside"
  return (
    <div class="bar-cell">
      <div
        class={`bar type-${row.type}${isOpen ? " unended" : ""}${row.type === "EVENT" ? " point" : ""}`}
        style={{ insetInlineStart: `${left}%`, inlineSize: `${width}%` }}
      >
        {first !== undefined && first > start && end > start && (
          <span class="first-token" style={{ inlineSize: `${((first - start) / (end - start)) * 100}%` }} />
        )}
        <span class={`bar-label ${where}`}>{label}</span>
      </div>
    </div>
  )
}
