/**
 * How a call ended, as the level and status message of its observation.
 */
import * as AiError from "@effect/ai/AiError"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import type { Span } from "effect/Tracer"
import * as Status from "../tracer/status.js"
import * as Attributes from "./attributes.js"

export const write = (span: Span, level: "DEFAULT" | "WARNING" | "ERROR", message: string): void =>
  Attributes.fill(span, { level: () => level, statusMessage: () => message })

/**
 * Nothing for a success. The messages of errors quote prompts, answers and arguments: without content only the kind of
 * error is told.
 */
export const ofExit = (span: Span, exit: Exit.Exit<unknown, unknown>, keepContent: boolean): void => {
  const status = Status.of(exit)
  if (status === undefined) return
  const isKind = !keepContent && status.level === "ERROR" && Exit.isFailure(exit)
  write(span, status.level, isKind ? kindOf(Cause.squash(exit.cause)) : status.message)
}

/** Something that went wrong without failing the call. */
export const ofError = (span: Span, error: unknown, keepContent: boolean): void =>
  ofExit(span, Exit.fail(error), keepContent)

const kindOf = (error: unknown): string => {
  try {
    if (AiError.isAiError(error) && error._tag === "HttpResponseError") return `${error._tag} ${error.response.status}`
    if (Predicate.hasProperty(error, "_tag") && typeof error._tag === "string") return error._tag
    return error instanceof Error ? error.name : "failed"
  } catch {
    return "failed"
  }
}
