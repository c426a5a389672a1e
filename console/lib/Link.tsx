import type { ComponentChildren } from "preact"
import { go } from "./router.js"

/** A link to another page of the console. */
export const Link = (
  { children, class: className, isCurrent = false, label, to }: {
    readonly to: string
    readonly class?: string
    readonly label?: string
    /** Whether it leads to where one is. */
    readonly isCurrent?: boolean
    readonly children?: ComponentChildren
  }
) => (
  <a
    href={to}
    class={className}
    aria-label={label}
    aria-current={isCurrent ? "page" : undefined}
    onClick={(event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
      event.preventDefault()
      go(to)
    }}
  >
    {children}
  </a>
)
