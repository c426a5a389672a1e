import type { Part } from "../model/conversation.js"
import { Icon } from "../trace/Icon.js"
import { Json } from "./Json.js"
import { LongText } from "./LongText.js"

export type Call = Extract<Part, { readonly kind: "call" }>
export type Result = Extract<Part, { readonly kind: "result" }>

const isShort = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length <= 6 &&
  Object.values(value).every((entry) =>
    typeof entry !== "object" && (typeof entry !== "string" || (entry.length <= 80 && !entry.includes("\n")))
  )

/** Arguments of a call in one line, where they fit. */
const Arguments = ({ value }: { readonly value: unknown }) => {
  if (value === undefined || value === null || value === "") return <p class="quiet">no arguments</p>
  if (typeof value === "string") return <LongText text={value} />
  if (typeof value === "object" && isShort(value)) {
    return (
      <p class="arguments">
        {Object.entries(value).map(([name, entry]) => (
          <span key={name}>
            <span class="json-key">{name}</span>{" "}
            {typeof entry === "string" ? <code>{entry}</code> : <span class="json-number">{String(entry)}</span>}
          </span>
        ))}
      </p>
    )
  }
  return <Json value={value} />
}

const Output = ({ value }: { readonly value: unknown }) =>
  value === undefined || value === null || value === ""
    ? <p class="quiet">nothing</p>
    : typeof value === "object"
    ? <Json value={value} />
    : <LongText text={String(value)} />

/** What a tool was asked, and what it answered, where the conversation has that. */
export const ToolCall = ({ call, result }: { readonly call: Call; readonly result: Result | undefined }) => (
  <section class="tool-call" aria-label={`call of ${call.name}`}>
    <p class="call-name">
      <Icon type="TOOL" /> {call.name}
    </p>
    <Arguments value={call.input} />
    {result !== undefined && (
      <div class={result.isError ? "tool-result failed" : "tool-result"}>
        <Output value={result.output} />
      </div>
    )}
  </section>
)

/** An answer of a tool that stands alone. */
export const ToolResult = ({ result }: { readonly result: Result }) => (
  <div class={result.isError ? "tool-result failed" : "tool-result"}>
    {result.name !== undefined && <p class="call-name">{result.name}</p>}
    <Output value={result.output} />
  </div>
)
