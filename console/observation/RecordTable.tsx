type Leaf = string | number | boolean | null

type Records = ReadonlyArray<{ readonly [column: string]: Leaf }>

const isLeaf = (value: unknown): value is Leaf =>
  value === null || typeof value === "number" || typeof value === "boolean" ||
  (typeof value === "string" && value.length <= 60 && !value.includes("\n"))

const isFlat = (value: unknown): value is Records[number] =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every(isLeaf)

/** A list of flat records with the same few keys is read best as a table. */
export const recordsOf = (value: unknown): Records | undefined => {
  if (!Array.isArray(value) || value.length < 2 || value.length > 100) return undefined
  const [first] = value
  if (!isFlat(first)) return undefined
  const columns = Object.keys(first)
  if (columns.length < 2 || columns.length > 8) return undefined
  const isLikeFirst = (item: unknown): item is Records[number] =>
    isFlat(item) && Object.keys(item).length === columns.length && columns.every((column) => column in item)
  return value.every(isLikeFirst) ? value : undefined
}

/** Records as rows. */
export const RecordTable = ({ records }: { readonly records: Records }) => {
  const columns = Object.keys(records[0] ?? {})
  return (
    <table class="records">
      <thead>
        <tr>{columns.map((column) => <th key={column} scope="col">{column}</th>)}</tr>
      </thead>
      <tbody>
        {records.map((record, index) => (
          <tr key={index}>
            {columns.map((column) => {
              const value = record[column]
              return <td key={column} class={typeof value === "number" ? "number" : undefined}>{String(value)}</td>
            })}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
