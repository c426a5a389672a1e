/**
 * Calls of a toolkit's handlers as `tool` observations.
 */
import type * as Tool from "@effect/ai/Tool"
import type * as Toolkit from "@effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import type * as Tracer from "effect/Tracer"
import * as Attributes from "./attributes.js"
import * as Content from "./content.js"
import * as Outcome from "./outcome.js"
import * as Span from "./span.js"

/** The arguments: the observation's input has them, and there, unlike among other attributes, they can be kept out. */
const withheld = ["parameters"]

/** A model observes the toolkits it is given, which a program may have done before. */
const observed = new WeakSet<object>()

export const observe = <Tools extends Record<string, Tool.Any>>(
  toolkit: Toolkit.WithHandler<Tools>,
  setting: Content.Content
): Toolkit.WithHandler<Tools> => {
  if (observed.has(toolkit)) return toolkit
  const decorated: Toolkit.WithHandler<Tools> = {
    ...toolkit,
    handle: (name, params) =>
      Effect.flatMap(Content.keeps(setting), (keepContent) =>
        Span.observe(
          toolkit.handle(name, params),
          { name: String(name), inner: "Toolkit.handle", withheld },
          {
            start: (span) => start(span, String(name), keepContent ? params : undefined),
            end: (span, exit) => end(span, exit, keepContent)
          }
        ))
  }
  observed.add(decorated)
  return decorated
}

const start = (span: Tracer.Span, name: string, params: unknown): void => {
  Attributes.annotate(span, { type: "tool", input: params })
  Attributes.safely(() => {
    span.attribute("gen_ai.operation.name", "execute_tool")
    span.attribute("gen_ai.tool.name", name)
  })
}

const end = (
  span: Tracer.Span,
  exit: Exit.Exit<Tool.HandlerResult<Tool.Any>, unknown>,
  keepContent: boolean
): void => {
  Outcome.ofExit(span, exit, keepContent)
  if (Exit.isFailure(exit)) return
  if (keepContent) Attributes.fill(span, { output: () => exit.value.encodedResult })
  // The model is told of the failure as a result, so that the call succeeds; the tool did not.
  if (exit.value.isFailure) Outcome.ofError(span, exit.value.result, keepContent)
}

export const isWithHandler = (value: unknown): value is Toolkit.WithHandler<Record<string, Tool.Any>> =>
  Predicate.hasProperty(value, "handle") && Predicate.isFunction(value.handle) &&
  Predicate.hasProperty(value, "tools") && Predicate.isRecord(value.tools)
