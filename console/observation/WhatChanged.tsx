import { diffLines } from "diff"
import { useMemo } from "preact/hooks"
import * as Format from "../lib/format.js"
import type { Changes } from "../model/changes.js"
import { pretty } from "../model/content.js"
import { type Message, textOf } from "../model/conversation.js"

const textFor = (message: Message): string => textOf(message) || pretty(message.parts)

/** A comparison that takes longer than this many milliseconds is left out. */
const most = 200

const Difference = ({ after, before }: { readonly before: Message; readonly after: Message | undefined }) => {
  const parts = useMemo(
    () => diffLines(textFor(before), after === undefined ? "" : textFor(after), { timeout: most }),
    [before, after]
  )
  if (parts === undefined) return <p class="quiet">too different to compare</p>
  return (
    <pre class="diff">
      {parts.map((part, index) => (
        <span key={index} class={part.added ? "added" : part.removed ? "removed" : "same"}>
          {part.added || part.removed || part.value.length < 400
            ? part.value
            : `${part.value.slice(0, 150)}\n⋯\n${part.value.slice(-150)}`}
        </span>
      ))}
    </pre>
  )
}

/** Messages of the generation before which this one has otherwise, or not at all. */
export const WhatChanged = ({ changes, name }: { readonly changes: Changes; readonly name: string }) => {
  return (
    <details class="changed">
      <summary>
        {Format.plural(changes.before.length, "message")} of the generation before, {name}, changed or gone
      </summary>
      {changes.before.map((message, index) => <Difference key={index} before={message} after={changes.now[index]} />)}
    </details>
  )
}
