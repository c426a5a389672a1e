import { useState } from "preact/hooks"
import type { Content as Model } from "../model/content.js"
import { pretty } from "../model/content.js"
import { Copy } from "./Copy.js"
import { Json } from "./Json.js"
import { LongText } from "./LongText.js"
import { Markdown } from "./Markdown.js"

/** An input or an output that is no conversation. */
export const Content = ({ content, title }: { readonly title: string; readonly content: Model }) => {
  const [isRaw, setRaw] = useState(false)
  if (content.kind === "nothing") return null
  return (
    <section class="content" aria-label={title}>
      <header>
        <h3>{title}</h3>
        <span class="actions">
          <button type="button" class="small" aria-pressed={isRaw} onClick={() => setRaw(!isRaw)}>
            Raw
          </button>
          <Copy label="Copy" text={content.text} />
        </span>
      </header>
      <div class="body">
        {isRaw
          ? <LongText text={content.kind === "json" ? pretty(content.value) : content.text} />
          : content.kind === "json" && typeof content.value === "object"
          ? <Json value={content.value} />
          : /\n|[*_`#]/.test(content.text)
          ? <Markdown text={content.kind === "json" ? String(content.value) : content.text} />
          : <LongText text={content.kind === "json" ? String(content.value) : content.text} />}
      </div>
    </section>
  )
}
