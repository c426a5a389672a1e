/**
 * Writing on the span of a call: nothing here throws, whatever the span and the values do.
 */
import type { Span } from "effect/Tracer"
import { observation } from "../../core/item/names.js"
import * as Annotate from "../tracer/annotate.js"
import { recordOf } from "../tracer/span.js"

export { annotate, completionStarted, isRecording, note } from "../tracer/annotate.js"

/** Whether inputs and outputs leave from this span: where they do not, they are not even put together. */
export const keepsContent = (span: Span): boolean => {
  const record = recordOf(span)
  return record === undefined || record.isShared || record.exporter.settings.intake.policy.content === "full"
}

/** Runs something that only observes: the call it observes goes on whatever happens here. */
export const safely = (run: () => void): void => {
  try {
    run()
  } catch {
    // There is nobody to tell: the program must not hear of it, and what threw may be the tracer itself.
  }
}

/** What some instrumentation, or the program, has written on the span so far. */
export const read = (span: Span, name: string): unknown => {
  try {
    return span.attributes.get(name)
  } catch {
    return undefined
  }
}

type Field = "output" | "level" | "statusMessage" | "model" | "modelParameters" | "usage" | "cost"

/**
 * Writes what is known at the end. What the program has said itself meanwhile stays, and a value that cannot be worked
 * out costs no other.
 */
export const fill = (span: Span, fields: { readonly [K in Field]?: () => unknown }): void => {
  for (const field of Object.keys(fields) as Array<Field>) { // the type allows no others
    if (read(span, observation[field]) !== undefined) continue
    safely(() => {
      const value = fields[field]?.()
      if (value !== undefined) Annotate.annotate(span, { [field]: value })
    })
  }
}
