import { useState } from "preact/hooks"
import * as Format from "../lib/format.js"
import type { Changes } from "../model/changes.js"
import type { Message as Model } from "../model/conversation.js"
import { Message } from "./Message.js"
import type { Result } from "./ToolCall.js"

/** Results of tools by the id of their call. */
const resultsOf = (messages: ReadonlyArray<Model>): ReadonlyMap<string, Result> => {
  const results = new Map<string, Result>()
  for (const message of messages) {
    for (const part of message.parts) if (part.kind === "result" && part.id !== undefined) results.set(part.id, part)
  }
  return results
}

interface Placed {
  readonly message: Model
  readonly place: number
}

/** Messages without the results that are shown with their calls. */
const joined = (messages: ReadonlyArray<Placed>): ReadonlyArray<Placed> => {
  const called = new Set(
    messages.flatMap(({ message }) => message.parts.flatMap((part) => part.kind === "call" ? part.id ?? [] : []))
  )
  const isWithItsCall = ({ message: { parts } }: Placed) =>
    parts.length > 0 && parts.every((part) => part.kind === "result" && part.id !== undefined && called.has(part.id))
  return messages.filter((placed) => !isWithItsCall(placed))
}

/** A conversation of that many messages is not rendered at once. */
const portion = 60

/**
 * Messages from the first to the last. Those that the generation before had already can be folded away, so that what is
 * new comes first.
 */
export const Conversation = (
  { answer, changes, messages }: {
    readonly messages: ReadonlyArray<Model>
    readonly answer: ReadonlyArray<Model>
    readonly changes?: Changes | undefined
  }
) => {
  const [isFolded, setFolded] = useState(true)
  const [limit, setLimit] = useState(portion)
  const all = [...messages, ...answer]
  const results = resultsOf(all)
  const same = changes?.same ?? 0
  const folds = same > 1
  const first = folds && isFolded ? same : 0
  const shown = joined(all.map((message, place) => ({ message, place })).slice(first))
  const isNew = (place: number) => same > 0 && place >= same && place < messages.length
  const hidden = Math.max(0, shown.length - limit)
  return (
    <div class="conversation">
      {folds && (
        <button type="button" class="fold" aria-expanded={!isFolded} onClick={() => setFolded(!isFolded)}>
          {isFolded ? "Show" : "Hide"} the {Format.plural(same, "message")} that the generation before had too
        </button>
      )}
      {hidden > 0 && (
        <button type="button" class="fold" onClick={() => setLimit(limit + portion * 4)}>
          Show {Format.plural(hidden, "earlier message")}
        </button>
      )}
      {shown.slice(hidden).map(({ message, place }) => (
        <Message key={place} message={message} results={results} isNew={isNew(place)} />
      ))}
    </div>
  )
}
