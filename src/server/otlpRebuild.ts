/**
 * Objects and lists out of attributes with dotted names, such as `gen_ai.prompt.0.content`.
 */
import type { Json } from "./json.js"
import { LostExport } from "./otlpSpan.js"

/** Places in lists that may come of one group of attributes. */
const maxSlots = 10_001

const isIndex = (step: string): boolean => /^\d+$/.test(step)

class Node {
  readonly isList: boolean
  readonly children = new Map<string, unknown>()
  constructor(isList: boolean) {
    this.isList = isList
  }
}

const build = (value: unknown): unknown => {
  if (!(value instanceof Node)) return value
  if (!value.isList) return Object.fromEntries([...value.children].map(([key, child]) => [key, build(child)]))
  const indices = [...value.children.keys()].filter(isIndex).map(Number)
  const list: Array<unknown> = Array.from({ length: Math.max(-1, ...indices) + 1 }, () => null)
  for (const index of indices) list[index] = build(value.children.get(String(index)))
  return list
}

/** Counts the places that a path needs, and takes them if there is room. */
const makeBudget = () => {
  const lengths = new Map<string, number>()
  let used = 0
  return (path: ReadonlyArray<string>): boolean => {
    const needed = new Map<string, number>()
    for (const [position, step] of path.entries()) {
      if (isIndex(step)) needed.set(path.slice(0, position).join("."), Number(step) + 1)
    }
    const more = [...needed].reduce((sum, [list, length]) => sum + Math.max(0, length - (lengths.get(list) ?? 0)), 0)
    if (used + more > maxSlots) return false
    used += more
    for (const [list, length] of needed) lengths.set(list, Math.max(length, lengths.get(list) ?? 0))
    return true
  }
}

const forbidden = new Set(["__proto__", "constructor", "prototype"])

const set = (root: Node, path: ReadonlyArray<string>, value: unknown): void => {
  let node = root
  for (const [position, step] of path.slice(0, -1).entries()) {
    if (forbidden.has(step)) return
    if (!node.children.has(step)) node.children.set(step, new Node(isIndex(path[position + 1] ?? "")))
    const next = node.children.get(step)
    if (!(next instanceof Node)) throw new LostExport("an attribute has both a value and attributes below it")
    node = next
  }
  const last = String(path.at(-1))
  if (!forbidden.has(last)) node.children.set(last, value)
}

/** What attributes below a prefix say together. A value under the prefix itself says it all. */
export const rebuild = (attributes: Json, prefix: string): unknown => {
  if (attributes[prefix]) return attributes[prefix]
  const isAffordable = makeBudget()
  const names = Object.keys(attributes).map((key) => key.replace(`${prefix}.`, ""))
    .filter((name) => isAffordable(name.split(".")))
  const root = new Node(names.some((name) => /^\d+\./.test(name)))
  for (const name of names) {
    const value = attributes[`${prefix}.${name}`]
    const path = name.split(".")
    if (!root.isList) {
      set(root, path, value)
      continue
    }
    const index = String(Number(path[0]))
    if (!root.children.has(index)) root.children.set(index, new Node(false))
    const element = root.children.get(index)
    if (element instanceof Node) set(element, path.slice(1), value)
  }
  return build(root)
}
