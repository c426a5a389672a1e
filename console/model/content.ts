/**
 * Contents as they arrive: text, and what it stands for where it is JSON.
 */

/** Text that is longer is not read as JSON, and not rendered as Markdown, so that it cannot hold up the page. */
const longest = 2_000_000

export type Content =
  | { readonly kind: "nothing" }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "json"; readonly text: string; readonly value: unknown }

export const read = (text: string | null): Content => {
  if (text === null) return { kind: "nothing" }
  if (text.length > longest || !/^\s*[[{"\d\-tfn]/.test(text)) return { kind: "text", text }
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "string" || typeof value === "object" || typeof value === "boolean"
      ? { kind: "json", text, value }
      : { kind: "text", text }
  } catch {
    return { kind: "text", text }
  }
}

/** As the program meant it: the value of JSON, any other text as it is. */
export const valueOf = (content: Content): unknown =>
  content.kind === "json" ? content.value : content.kind === "text" ? content.text : undefined

/** JSON indented, unless it is too deep or too long for that. */
export const pretty = (value: unknown): string => {
  if (typeof value === "string") return value
  try {
    return JSON.stringify(value, undefined, 2) ?? String(value)
  } catch {
    return "(too deeply nested to be written as text)"
  }
}

const escape = String.fromCharCode(27)

/** Colours and cursor movements that terminals understand, of which a page only shows the rubble. */
const sequences = new RegExp(
  `${escape}(\\[[0-9;?]*[ -/]*[@-~]|\\][^${escape}\\u0007]*(\\u0007|${escape}\\\\)?|[@-Z\\\\-_])`,
  "g"
)

export const withoutAnsi = (text: string): string => text.includes(escape) ? text.replace(sequences, "") : text
