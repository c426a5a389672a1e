/**
 * Which page is shown: the address is the whole truth, and links change it without a reload.
 */
import { signal } from "@preact/signals"

export type Page =
  | { readonly name: "traces" }
  | { readonly name: "trace"; readonly id: string }
  | { readonly name: "session"; readonly id: string }
  | { readonly name: "delivery" }

const readPage = (path: string): Page => {
  const [first, second] = path.split("/").filter((segment) => segment !== "").map(decodeURIComponent)
  if (first === "delivery") return { name: "delivery" }
  if (first === "traces" && second !== undefined) return { name: "trace", id: second }
  if (first === "sessions" && second !== undefined) return { name: "session", id: second }
  return { name: "traces" }
}

interface Place {
  readonly page: Page
  readonly query: URLSearchParams
}

const here = (): Place => ({ page: readPage(location.pathname), query: new URLSearchParams(location.search) })

export const place = signal<Place>(here())

addEventListener("popstate", () => {
  place.value = here()
})

export const go = (address: string, how: "push" | "replace" = "push"): void => {
  if (how === "push") history.pushState(undefined, "", address)
  else history.replaceState(undefined, "", address)
  place.value = here()
}

/** Sets parts of the query; `undefined` and the empty text remove one. */
export const setQuery = (changes: { readonly [name: string]: string | undefined }, how: "push" | "replace"): void => {
  const query = new URLSearchParams(location.search)
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === "") query.delete(name)
    else query.set(name, value)
  }
  const text = query.toString()
  go(`${location.pathname}${text === "" ? "" : `?${text}`}`, how)
}

export const tracePath = (id: string, observation?: string): string =>
  `/traces/${encodeURIComponent(id)}${
    observation === undefined ? "" : `?observation=${encodeURIComponent(observation)}`
  }`

export const sessionPath = (id: string): string => `/sessions/${encodeURIComponent(id)}`
