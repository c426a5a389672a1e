import type { ComponentChildren } from "preact"
import { useEffect } from "preact/hooks"
import { Link } from "../lib/Link.js"
import { place } from "../lib/router.js"
import { live } from "../lib/source.js"
import { connection, status } from "../lib/traces.js"

const tabs = [["/", "Traces", "traces"], ["/delivery", "Delivery", "delivery"]] as const

const Connection = () => {
  const words = { connecting: "connecting", live: "live", lost: "dev is not running" }
  return <span class={`connection ${connection.value}`} role="status">{words[connection.value]}</span>
}

/** `/` goes to the search, wherever one is. */
const useSlash = () =>
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const { target } = event
      const isTyping = target instanceof HTMLElement && /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)
      if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey) return
      const search = document.getElementById("search")
      if (search === null) return
      event.preventDefault()
      search.focus()
    }
    addEventListener("keydown", onKey)
    return () => removeEventListener("keydown", onKey)
  }, [])

/** What is around each page. */
export const Shell = ({ children }: { readonly children: ComponentChildren }) => {
  useSlash()
  const now = status.value
  const { name } = place.value.page
  const problems = (now?.refused ?? 0) + (now?.losses ?? 0)
  return (
    <div class="shell">
      <nav class="top" aria-label="Pages">
        <Link to="/" class="brand">
          effect-langfuse <span>dev</span>
        </Link>
        {tabs.map(([address, title, page]) => (
          <Link key={page} to={address} class="tab" isCurrent={name === page}>
            {title}
            {page === "delivery" && problems > 0 && <span class="badge bad">{problems}</span>}
            {page === "delivery" && now !== undefined && now.fault !== "none" && (
              <span class="badge bad">{now.fault}</span>
            )}
          </Link>
        ))}
        <span class="space" />
        {now !== undefined && now.traces > 0 && (
          <button
            type="button"
            class="small"
            onClick={() => confirm("Forget all traces and requests?") && void live.clear()}
          >
            Clear
          </button>
        )}
        <Connection />
      </nav>
      {children}
    </div>
  )
}
