import { useEffect, useState } from "preact/hooks"
import { place, setQuery } from "../lib/router.js"
import { live } from "../lib/source.js"
import type { Found } from "../wire.js"

/** What the server found in contents for the text in the address; it is asked again when traces changed. */
export const useSearch = (text: string, revision: number): Found | undefined => {
  const [found, setFound] = useState<{ readonly text: string; readonly found: Found }>()
  useEffect(() => {
    if (text === "") return
    let isGone = false
    const timer = setTimeout(() => {
      live.search(text).then(
        (found) => !isGone && setFound({ text, found }),
        () => undefined
      )
    }, found?.text === text ? 1000 : 150)
    return () => {
      isGone = true
      clearTimeout(timer)
    }
  }, [text, revision])
  return text !== "" && found?.text === text ? found.found : undefined
}

/** The field to search in. */
export const Search = () => (
  <input
    id="search"
    type="search"
    placeholder="Search names, ids and contents  /"
    aria-label="Search names, ids and contents"
    value={place.value.query.get("q") ?? ""}
    onInput={({ currentTarget }) => setQuery({ q: currentTarget.value }, "replace")}
    onKeyDown={(event) => {
      if (event.key === "Escape") {
        setQuery({ q: undefined }, "replace")
        event.currentTarget.blur()
      }
      if (event.key === "ArrowDown") document.querySelector<HTMLElement>("a.trace-line")?.focus()
    }}
  />
)
