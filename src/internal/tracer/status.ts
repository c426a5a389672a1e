/**
 * How an effect ended, as the level and status message of its observation. Messages of errors, never their stacks:
 * those are paths of the machine the program was built on.
 */
import * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { stringify } from "../json.js"
import { take } from "../utf8.js"
import { read } from "./values.js"

export interface Status {
  readonly level: "WARNING" | "ERROR"
  readonly message: string
}

/** What a reader can take in, and a hostile error cannot exceed. */
const maxErrors = 10
const maxMessage = 2000
const maxCauses = 3

const unreadable: Status = { level: "ERROR", message: "failed, with a cause that cannot be read" }

/** `undefined` for success, and for a failure without any cause. Never throws. */
export const of = (exit: Exit.Exit<unknown, unknown> | undefined): Status | undefined => {
  try {
    if (exit === undefined) return unreadable
    if (exit._tag === "Success" || Cause.isEmpty(exit.cause)) return undefined
    if (Cause.isInterruptedOnly(exit.cause)) return { level: "WARNING", message: "interrupted" }
    const errors = Cause.reduce<Array<unknown>, unknown>(exit.cause, [], (errors, cause) => {
      if (cause._tag === "Fail") errors.push(cause.error)
      else if (cause._tag === "Die") errors.push(cause.defect)
      else return Option.none()
      return Option.some(errors)
    })
    const lines = errors.slice(0, maxErrors).map((error) => message(error, 0))
    if (errors.length > maxErrors) lines.push(`and ${errors.length - maxErrors} more`)
    return { level: "ERROR", message: lines.join("\n") }
  } catch {
    return unreadable
  }
}

const message = (error: unknown, depth: number): string => {
  const own = describe(error)
  if (depth === maxCauses || typeof error !== "object" || error === null) return own
  const cause = read(error, "cause")
  return cause instanceof Error ? `${own}\n  caused by ${message(cause, depth + 1)}` : own
}

const describe = (error: unknown): string => {
  if (typeof error === "string") return take(error, maxMessage)
  if (typeof error !== "object" || error === null) return take(String(error), maxMessage)
  const text = nonEmpty(read(error, "message"))
  const tag = nonEmpty(read(error, "_tag")) ?? (error instanceof Error ? nonEmpty(read(error, "name")) : undefined)
  if (text !== undefined) return take(tag === undefined ? text : `${tag}: ${text}`, maxMessage)
  // The fields of an error are payload; an object that is none has nothing but its fields to tell.
  return tag ?? take(stringify(error, { maxLength: maxMessage, maxNodes: 200 }), maxMessage)
}

const nonEmpty = (value: unknown): string | undefined => typeof value === "string" && value !== "" ? value : undefined
