import { useEffect, useMemo, useRef, useState } from "preact/hooks"
import * as Format from "../lib/format.js"
import { useVirtual } from "../lib/useVirtual.js"
import { build, type Line, type Tree as Model } from "../model/tree.js"
import type { Row } from "../wire.js"
import { Bar } from "./Bar.js"
import { Icon } from "./Icon.js"
import { Ruler } from "./Ruler.js"

const rowHeight = 30

/** Deeper than this nothing is indented further. */
const deepest = 14

const lineId = (id: string): string => `line-${id.replaceAll(/[^\w-]/g, "_")}`

const TreeLine = (
  { index, isSelected, line, onSelect, onToggle, top, tree }: {
    readonly line: Line
    readonly index: number
    readonly top: number
    readonly tree: Model
    readonly isSelected: boolean
    readonly onSelect: () => void
    readonly onToggle: () => void
  }
) => {
  const { row } = line
  const isOpen = row.endTime === null && row.type !== "EVENT"
  return (
    <div
      id={lineId(row.id)}
      class={`tree-line level-${row.level}${row.isPlain ? " plain" : ""}${isOpen ? " unended" : ""}`}
      role="treeitem"
      aria-level={line.depth + 1}
      aria-selected={isSelected}
      aria-expanded={line.below === 0 ? undefined : !line.isCollapsed}
      aria-posinset={index + 1}
      aria-setsize={tree.lines.length}
      style={{ transform: `translateY(${top}px)`, blockSize: `${rowHeight}px` }}
      onClick={onSelect}
    >
      <div class="tree-name" style={{ paddingInlineStart: `${Math.min(line.depth, deepest) * 14 + 4}px` }}>
        {line.below === 0 ? <span class="twisty" /> : (
          <span
            class={line.isCollapsed ? "twisty closed" : "twisty"}
            aria-hidden="true"
            onClick={(event) => {
              event.stopPropagation()
              onToggle()
            }}
          />
        )}
        <Icon type={row.type} />
        <span class="name">{row.name ?? "(no name)"}</span>
        {line.isCollapsed && <span class="badge">{Format.count(line.below)}</span>}
        {row.level === "ERROR" && <span class="level level-ERROR">error</span>}
        {row.level === "WARNING" && <span class="level level-WARNING">warning</span>}
        {isOpen && <span class="level level-open">open</span>}
        {row.model !== null && <span class="model quiet">{row.model}</span>}
        {row.tokens !== null && <span class="tokens quiet">{Format.count(row.tokens)} tok</span>}
      </div>
      <Bar row={row} tree={tree} />
    </div>
  )
}

export interface Selection {
  readonly id: string | undefined
  readonly select: (id: string | undefined) => void
}

/** Tree and waterfall side by side: one line is one observation in both. */
export const Tree = (
  { hidePlain, rows, selection }: {
    readonly rows: ReadonlyMap<string, Row>
    readonly hidePlain: boolean
    readonly selection: Selection
  }
) => {
  const scroll = useRef<HTMLDivElement>(null)
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set())
  const tree = useMemo(() => build(rows, { hidePlain, collapsed }), [rows, hidePlain, collapsed])
  const { lines } = tree
  const virtual = useVirtual(scroll, lines.length, rowHeight)
  const at = useMemo(() => lines.findIndex(({ row }) => row.id === selection.id), [lines, selection.id])

  useEffect(() => {
    if (at >= 0) virtual.scrollTo(at)
  }, [selection.id])

  const toggle = (id: string, close: boolean) => {
    const next = new Set(collapsed)
    if (close) next.add(id)
    else next.delete(id)
    setCollapsed(next)
  }

  const move = (to: number) => {
    const line = lines[Math.max(0, Math.min(lines.length - 1, to))]
    if (line !== undefined) selection.select(line.row.id)
  }

  const parentOf = (index: number): number => {
    const depth = lines[index]?.depth ?? 0
    for (let other = index - 1; other >= 0; other--) if ((lines[other]?.depth ?? 0) < depth) return other
    return index
  }

  const onKey = (event: KeyboardEvent) => {
    const line = lines[at]
    const keys: { readonly [key: string]: () => void } = {
      ArrowDown: () => move(at + 1),
      ArrowUp: () => move(at < 0 ? 0 : at - 1),
      Home: () => move(0),
      End: () => move(lines.length - 1),
      PageDown: () => move(at + 20),
      PageUp: () => move(at - 20),
      ArrowRight: () =>
        line !== undefined && (line.isCollapsed ? toggle(line.row.id, false) : line.below > 0 && move(at + 1)),
      ArrowLeft: () =>
        line !== undefined && (line.below > 0 && !line.isCollapsed ? toggle(line.row.id, true) : move(parentOf(at))),
      Escape: () => selection.select(undefined)
    }
    const action = keys[event.key]
    if (action === undefined || event.altKey || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    action()
  }

  const selected = lines[at]
  return (
    <div class="tree">
      <Ruler from={tree.from} to={tree.to} />
      <div
        class="tree-scroll"
        ref={scroll}
        role="tree"
        tabIndex={0}
        aria-label="Observations"
        aria-activedescendant={selected === undefined ? undefined : lineId(selected.row.id)}
        onKeyDown={onKey}
      >
        <div class="tree-lines" role="presentation" style={{ blockSize: `${virtual.height}px` }}>
          {virtual.items.map(({ index, start }) => {
            const line = lines[index]
            return line !== undefined && (
              <TreeLine
                key={line.row.id}
                line={line}
                index={index}
                top={start}
                tree={tree}
                isSelected={line.row.id === selection.id}
                onSelect={() => selection.select(line.row.id)}
                onToggle={() => toggle(line.row.id, !line.isCollapsed)}
              />
            )
          })}
        </div>
      </div>
    </div>
  )
}
