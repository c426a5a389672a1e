import { useEffect, useMemo } from "preact/hooks"
import * as Format from "../lib/format.js"
import { place, setQuery } from "../lib/router.js"
import { newestFirst, status } from "../lib/traces.js"
import { fields, matches, says } from "../model/filter.js"
import { EmptyPage } from "./EmptyPage.js"
import { filterOf, Filters } from "./Filters.js"
import { Search, useSearch } from "./Search.js"
import { TraceList } from "./TraceList.js"

/** What the limits took away, said where it is missed. */
const Evicted = () => {
  const now = status.value
  if (now === undefined || now.evicted === 0) return null
  return (
    <p class="notice">
      {Format.plural(now.evicted, "older trace")} had to go: at most {Format.bytes(now.maxBytes)}{" "}
      are held. Start dev with <code>--max-memory</code> for more.
    </p>
  )
}

/** All traces, live. */
export const TracesPage = () => {
  const all = newestFirst.value
  const { query } = place.value
  const text = query.get("q")?.trim() ?? ""
  const filter = filterOf(query)
  const newest = all.reduce((most, { revision }) => Math.max(most, revision), 0)
  const found = useSearch(text, newest)
  const shown = useMemo(() => {
    const inContents = new Set(found?.traces)
    return all.filter((trace) =>
      matches(trace, filter) && (text === "" || says(trace, text) || inContents.has(trace.id))
    )
  }, [all, query, found])
  const isFiltered = text !== "" || Object.keys(filter).length > 0
  useEffect(() => {
    document.title = "Traces · effect-langfuse dev"
  }, [])
  if (status.value === undefined) {
    return (
      <main class="page">
        <p class="quiet loading">Loading…</p>
      </main>
    )
  }
  if (all.length === 0) {
    return (
      <main class="page">
        <EmptyPage />
      </main>
    )
  }
  const clear = () => setQuery(Object.fromEntries([...fields, "q"].map((name) => [name, undefined])), "replace")
  return (
    <main class="traces-page">
      <h1 class="hidden">Traces</h1>
      <div class="bar-top">
        <Search />
        <Filters traces={all} />
        <span class="quiet count" role="status">
          {isFiltered
            ? `${Format.count(shown.length)} of ${Format.plural(all.length, "trace")}`
            : Format.plural(all.length, "trace")}
          {text !== "" && found === undefined && ", searching…"}
          {found?.complete === false && ", not all were searched"}
        </span>
        {isFiltered && <button type="button" class="small" onClick={clear}>Show all</button>}
      </div>
      <Evicted />
      {shown.length === 0 ? <p class="page quiet">Nothing matches.</p> : <TraceList traces={shown} />}
    </main>
  )
}
