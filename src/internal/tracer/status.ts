/**
 * How an effect ended, as the level and status message of its observation. Messages of errors and their fields, never their
 * stacks: those are paths of the machine the program was built on.
 */
import * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { read } from "../../core/item/object.js"
import type { Policy } from "../../core/item/policy.js"
import { reasonOf } from "../../core/item/reason.js"
import { keysOf } from "../../core/item/redact.js"
import { foreignPolicy } from "./values.js"

export interface Status {
  readonly level: "WARNING" | "ERROR"
  readonly message: string
}

/** What a reader can take in, and a hostile error cannot exceed. */
const maxErrors = 10
const maxReason = 2000

const unreadable: Status = { level: "ERROR", message: "failed, with a cause that cannot be read" }

/** `undefined` for success, and for a failure without any cause. Never throws. */
export const of = (
  exit: Exit.Exit<unknown, unknown> | undefined,
  policy: Policy = foreignPolicy
): Status | undefined => {
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
    const told = errors.slice(0, maxErrors).map((error) => messageOf(error, policy))
    if (errors.length > maxErrors) told.push(`and ${errors.length - maxErrors} more`)
    return { level: "ERROR", message: told.join("\n") }
  } catch {
    return unreadable
  }
}

const isText = (message: unknown): boolean => typeof message === "string" && message !== ""

/** Where only metadata leaves, the fields of an error without a message stay here. */
const messageOf = (error: unknown, policy: Policy): string => {
  const isWithheld = policy.content === "metadata" && typeof error === "object" && error !== null &&
    !isText(read(error, "message"))
  return isWithheld
    ? String(read(error, "_tag") ?? "failed")
    : reasonOf(error, { keys: keysOf(policy.redactedNames()), readable: policy.readable, limit: maxReason })
}
