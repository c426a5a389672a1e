import { place, setQuery } from "../lib/router.js"
import { choices, type Field, fields, type Filter } from "../model/filter.js"
import type { TraceSummary } from "../wire.js"

export const filterOf = (query: URLSearchParams): Filter =>
  Object.fromEntries(fields.flatMap((field) => {
    const value = query.get(field)
    return value === null || value === "" ? [] : [[field, value]]
  }))

const names: { readonly [field in Field]: string } = {
  environment: "Environment",
  user: "User",
  session: "Session",
  tag: "Tag",
  level: "Level"
}

const Choice = ({ field, traces }: { readonly field: Field; readonly traces: ReadonlyArray<TraceSummary> }) => {
  const values = choices(traces, field)
  const value = place.value.query.get(field) ?? ""
  const all = value === "" || values.includes(value) ? values : [value, ...values]
  if (all.length === 0 || (field === "environment" && all.length < 2 && value === "")) return null
  return (
    <select
      aria-label={names[field]}
      value={value}
      class={value === "" ? undefined : "set"}
      onChange={({ currentTarget }) => setQuery({ [field]: currentTarget.value }, "replace")}
    >
      <option value="">{names[field]}</option>
      {all.map((choice) => <option key={choice} value={choice}>{choice}</option>)}
    </select>
  )
}

/** Which traces to show; the address remembers it. */
export const Filters = ({ traces }: { readonly traces: ReadonlyArray<TraceSummary> }) => (
  <div class="filters" role="group" aria-label="Filters">
    {fields.map((field) => <Choice key={field} field={field} traces={traces} />)}
  </div>
)
