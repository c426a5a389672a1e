import { useState } from "preact/hooks"
import { pretty } from "../model/content.js"
import type { Message as Model, Part } from "../model/conversation.js"
import { textOf } from "../model/conversation.js"
import { Clamp } from "./Clamp.js"
import { Copy } from "./Copy.js"
import { Json } from "./Json.js"
import { LongText } from "./LongText.js"
import { Markdown } from "./Markdown.js"
import { type Result, ToolCall, ToolResult } from "./ToolCall.js"

const names: { readonly [role: string]: string } = {
  system: "System",
  user: "User",
  assistant: "Assistant",
  tool: "Tool"
}

const PartView = ({ part, results }: { readonly part: Part; readonly results: ReadonlyMap<string, Result> }) => {
  switch (part.kind) {
    case "text":
      return <Markdown text={part.text} />
    case "reasoning":
      return (
        <details class="reasoning">
          <summary>Reasoning</summary>
          <Markdown text={part.text} />
        </details>
      )
    case "call":
      return <ToolCall call={part} result={part.id === undefined ? undefined : results.get(part.id)} />
    case "result":
      return <ToolResult result={part} />
    case "image":
      return part.url.startsWith("data:image/")
        ? <img class="picture" src={part.url} alt="attached" loading="lazy" />
        : <p class="quiet">image: {part.url.slice(0, 200)}</p>
    case "file":
      return <p class="quiet">file: {part.label}</p>
    case "json":
      return <Json value={part.value} />
  }
}

const preview = (message: Model): string => textOf(message).replaceAll(/\s+/g, " ").slice(0, 120)

/** One message; the system's is closed, for it is long and always the same. */
export const Message = (
  { isNew, message, results }: {
    readonly message: Model
    readonly results: ReadonlyMap<string, Result>
    /** Whether the generation before did not have it. */
    readonly isNew?: boolean
  }
) => {
  const [isOpen, setOpen] = useState(message.role !== "system")
  const [isRaw, setRaw] = useState(false)
  const title = message.name ?? names[message.role] ?? message.role
  return (
    <article
      class={`message role-${names[message.role] === undefined ? "other" : message.role}${
        isNew === true ? " new" : ""
      }`}
    >
      <header>
        <button type="button" class="role" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {title}
        </button>
        {!isOpen && <span class="quiet preview">{preview(message)}</span>}
        {isOpen && (
          <span class="actions">
            <button type="button" class="small" aria-pressed={isRaw} onClick={() => setRaw(!isRaw)}>
              Raw
            </button>
            <Copy label="Copy" text={() => textOf(message) || pretty(message.raw)} />
          </span>
        )}
      </header>
      {isOpen && (
        <div class="body">
          <Clamp>
            {isRaw
              ? <LongText text={pretty(message.raw)} />
              : message.parts.length === 0
              ? <p class="quiet">empty</p>
              : message.parts.map((part, index) => <PartView key={index} part={part} results={results} />)}
          </Clamp>
        </div>
      )}
    </article>
  )
}
