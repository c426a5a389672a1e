import { useState } from "preact/hooks"
import * as Format from "../lib/format.js"
import { LongText } from "./LongText.js"
import { recordsOf, RecordTable } from "./RecordTable.js"

/** So many entries are shown at once; the others on demand. */
const portion = 100
/** Objects that are nested deeper are closed at first. */
const openDepth = 2

type Entries = ReadonlyArray<readonly [string, unknown]>

const entriesOf = (value: object): Entries =>
  Array.isArray(value) ? value.map((item: unknown, index) => [String(index), item] as const) : Object.entries(value)

const Leaf = ({ value }: { readonly value: unknown }) => {
  if (typeof value !== "string") return <span class={`json-${typeof value}`}>{String(value)}</span>
  return value.length > 300 || value.includes("\n")
    ? <LongText text={value} />
    : <span class="json-string">{JSON.stringify(value)}</span>
}

const summaryOf = (value: object): string =>
  Array.isArray(value)
    ? Format.plural(value.length, "item")
    : `${Object.keys(value).slice(0, 4).join(", ")}${Object.keys(value).length > 4 ? ", …" : ""}`

const Entry = ({ depth, name, value }: { readonly name: string; readonly value: unknown; readonly depth: number }) => {
  const isBranch = typeof value === "object" && value !== null
  const [isOpen, setOpen] = useState(
    isBranch && depth < openDepth && (entriesOf(value).length <= 20 || recordsOf(value) !== undefined)
  )
  if (!isBranch) {
    return (
      <li>
        <span class="json-key">{name}</span> <Leaf value={value} />
      </li>
    )
  }
  return (
    <li>
      <button type="button" class="json-toggle" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <span class="json-key">{name}</span>{" "}
        <span class="quiet">{isOpen ? (Array.isArray(value) ? "[ ]" : "{ }") : summaryOf(value)}</span>
      </button>
      {isOpen && <Branch value={value} depth={depth + 1} />}
    </li>
  )
}

const Branch = ({ depth, value }: { readonly value: object; readonly depth: number }) => {
  const [shown, setShown] = useState(portion)
  const records = recordsOf(value)
  if (records !== undefined) return <RecordTable records={records} />
  const entries = entriesOf(value)
  return (
    <ul>
      {entries.slice(0, shown).map(([name, item]) => <Entry key={name} name={name} value={item} depth={depth} />)}
      {entries.length > shown && (
        <li>
          <button type="button" onClick={() => setShown(shown + portion * 5)}>
            {Format.count(entries.length - shown)} more
          </button>
        </li>
      )}
    </ul>
  )
}

/** JSON as a tree that opens step by step. */
export const Json = ({ value }: { readonly value: unknown }) => (
  <div class="json">
    {typeof value === "object" && value !== null ? <Branch value={value} depth={0} /> : <Leaf value={value} />}
  </div>
)
