/** Why something failed, in a few lines: the message, the causes and the errors inside. */
import { isError } from "./builtin.js"
import { type Reading, stringify } from "./json.js"
import { read } from "./object.js"
import { cleanStart, cleanText } from "./redact.js"
import { take } from "./text.js"

/** What a person can take in, and a hostile error cannot exceed. */
const maxMessage = 2000
const maxReason = 8000
const maxCauses = 3
const maxErrors = 5

/** Never throws. Credentials in addresses are left out, and so are stacks: those are paths of the machine. */
export const reasonOf = (error: unknown, reading: Reading): string => {
  try {
    return take(reason(error, reading, 0), maxReason)
  } catch {
    return "an error that cannot be read"
  }
}

const reason = (error: unknown, reading: Reading, depth: number): string => {
  if (typeof error !== "object" || error === null) return clean(String(error))
  const lines = [take(own(error, reading), maxMessage)]
  if (depth === maxCauses) return lines.join("")
  const errors = read(error, "errors")
  if (Array.isArray(errors)) {
    for (const inner of errors.slice(0, maxErrors)) lines.push(indent(`- ${reason(inner, reading, depth + 1)}`))
    if (errors.length > maxErrors) lines.push(`  and ${errors.length - maxErrors} more`)
  }
  const cause = read(error, "cause")
  if (isReason(cause)) lines.push(indent(`caused by ${reason(cause, reading, depth + 1)}`))
  return lines.join("\n")
}

const isReason = (cause: unknown): boolean =>
  (typeof cause === "string" && cause !== "") || (typeof cause === "object" && cause !== null && isError(cause))

const indent = (text: string): string => `  ${text.replaceAll("\n", "\n  ")}`

const own = (given: object, reading: Reading): string => {
  const error = shown(given, reading)
  const message = text(read(error, "message"))
  const tag = text(read(error, "_tag")) ?? (isError(error) ? text(read(error, "name")) : undefined)
  if (message !== undefined) return clean(tag === undefined ? message : `${tag}: ${message}`)
  const json = stringify(isError(error) ? fields(error) : error, { ...reading, limit: maxMessage }, "said")
  return tag === undefined ? json : json === "{}" ? tag : `${tag}: ${json}`
}

/** What the shell makes of its own errors, where that has a message: the error's may quote what must not leave. */
const shown = (error: object, reading: Reading): object => {
  const value = isError(error) ? undefined : reading.readable(error)?.value
  return typeof value === "object" && value !== null && text(read(value, "message")) !== undefined ? value : error
}

const clean = (text: string): string => cleanStart(cleanText, text, maxMessage)

const told: ReadonlySet<string> = new Set(["_tag", "name", "message", "stack", "cause", "errors"])

/** What the error says beside its name. */
const fields = (error: object): unknown =>
  Object.fromEntries(Object.keys(error).filter((key) => !told.has(key)).map((key) => [key, read(error, key)]))

const text = (value: unknown): string | undefined => typeof value === "string" && value !== "" ? value : undefined
