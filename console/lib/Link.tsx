import type { ComponentChildren } from "preact"
import { go } from "./router.js"

/** A link to another page of the console. */
export const Link = (
  { children, class: className, label, to }: {
    readonly to: string
    readonly class?: string
    readonly label?: string
    readonly children?: ComponentChildren
  }
) => (
  <a
    href={to}
    class={className}
    aria-label={label}
    onClick={(event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
      event.preventDefault()
      go(to)
    }}
  >
    {children}
  </a>
)
