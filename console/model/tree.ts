/**
 * The observations of a trace as the lines of a tree: parents before children, children in the order of their start.
 */
import type { Row } from "../wire.js"

export interface Line {
  readonly row: Row
  readonly depth: number
  /** How many lines hang from it, at any depth. */
  readonly below: number
  readonly isCollapsed: boolean
}

export interface Tree {
  readonly lines: ReadonlyArray<Line>
  /** Epoch milliseconds of the first start and the last end. */
  readonly from: number
  readonly to: number
  /** Spans of other libraries, shown or not. */
  readonly plain: number
}

export interface Options {
  readonly hidePlain: boolean
  readonly collapsed: ReadonlySet<string>
}

const noRows: ReadonlyArray<Row> = []

const byStart = (a: Row, b: Row): number => a.startTime < b.startTime ? -1 : a.startTime > b.startTime ? 1 : 0

/** The nearest one above that is shown; a chain that bites its own tail ends at the top. */
const shownParent = (row: Row, rows: ReadonlyMap<string, Row>, isShown: (row: Row) => boolean): string | undefined => {
  const seen = new Set<string>([row.id])
  let id = row.parentObservationId
  while (id !== null && !seen.has(id)) {
    const parent = rows.get(id)
    if (parent === undefined) return undefined
    if (isShown(parent)) return id
    seen.add(id)
    id = parent.parentObservationId
  }
  return undefined
}

/** Rows without a parent, and one of each circle, which no root leads to. */
const rootsOf = (rows: ReadonlyArray<Row>, parents: ReadonlyMap<string, string>): ReadonlyArray<Row> => {
  const settled = new Set<string>()
  const roots = new Set<string>()
  for (const row of rows) {
    const walked = new Set<string>()
    let id: string | undefined = row.id
    while (id !== undefined && !settled.has(id) && !walked.has(id)) {
      walked.add(id)
      id = parents.get(id)
    }
    if (id !== undefined && walked.has(id)) roots.add(id)
    if (!parents.has(row.id)) roots.add(row.id)
    for (const seen of walked) settled.add(seen)
  }
  return rows.filter(({ id }) => roots.has(id))
}

export const build = (rows: ReadonlyMap<string, Row>, options: Options): Tree => {
  const isShown = (row: Row) => !(options.hidePlain && row.isPlain)
  const shown: Array<Row> = []
  let plain = 0
  let from = Infinity
  let to = -Infinity
  for (const row of rows.values()) {
    if (row.isPlain) plain++
    from = Math.min(from, Date.parse(row.startTime))
    to = Math.max(to, Date.parse(row.endTime ?? row.startTime))
    if (isShown(row)) shown.push(row)
  }
  shown.sort(byStart)
  const parents = new Map<string, string>()
  const children = new Map<string, Array<Row>>()
  for (const row of shown) {
    const parent = shownParent(row, rows, isShown)
    if (parent !== undefined) parents.set(row.id, parent)
  }
  const roots = rootsOf(shown, parents)
  const isRoot = new Set(roots)
  for (const row of shown) {
    const parent = parents.get(row.id)
    if (parent === undefined || isRoot.has(row)) continue
    const siblings = children.get(parent)
    if (siblings === undefined) children.set(parent, [row])
    else siblings.push(row)
  }
  return { lines: flatten(roots, children, options.collapsed), from, to, plain }
}

/** Depth first, without recursion: a tree can be as deep as a program is wrong. */
const flatten = (
  roots: ReadonlyArray<Row>,
  children: ReadonlyMap<string, ReadonlyArray<Row>>,
  collapsed: ReadonlySet<string>
): ReadonlyArray<Line> => {
  const below = countBelow(roots, children)
  const lines: Array<Line> = []
  const stack = [...roots].reverse().map((row) => ({ row, depth: 0 }))
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { depth, row } = next
    const isCollapsed = collapsed.has(row.id)
    lines.push({ row, depth, below: below.get(row.id) ?? 0, isCollapsed })
    if (isCollapsed) continue
    const own = children.get(row.id) ?? noRows
    for (let index = own.length - 1; index >= 0; index--) {
      const child = own[index]
      if (child !== undefined) stack.push({ row: child, depth: depth + 1 })
    }
  }
  return lines
}

const countBelow = (
  roots: ReadonlyArray<Row>,
  children: ReadonlyMap<string, ReadonlyArray<Row>>
): ReadonlyMap<string, number> => {
  const order: Array<Row> = []
  const stack = [...roots]
  for (let row = stack.pop(); row !== undefined; row = stack.pop()) {
    order.push(row)
    for (const child of children.get(row.id) ?? noRows) stack.push(child)
  }
  const below = new Map<string, number>()
  for (let index = order.length - 1; index >= 0; index--) {
    const row = order[index]
    if (row === undefined) continue
    const own = children.get(row.id) ?? noRows
    below.set(row.id, own.reduce((sum, child) => sum + 1 + (below.get(child.id) ?? 0), 0))
  }
  return below
}
