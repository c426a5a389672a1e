/**
 * What a program says about an observation, as attributes on a span of whatever tracer there is. Nothing in here throws, or
 * lets through what code of the program throws.
 */
import type * as Clock from "effect/Clock"
import type * as Tracer from "effect/Tracer"
import { textOf } from "../../core/item/attributes.js"
import { contentOf, metadataOf } from "../../core/item/content.js"
import { Content } from "../../core/item/item.js"
import { costNote, observation, trace, usageNote } from "../../core/item/names.js"
import { read } from "../../core/item/object.js"
import { parametersOf } from "../../core/item/parameters.js"
import type { Policy } from "../../core/item/policy.js"
import { costOf, usageOf } from "../../core/item/usage.js"
import { toIso as fromMillis } from "../../core/wire/time.js"
import { toIso } from "../datetime.js"
import { isWanted } from "./current.js"
import { currentFiber } from "./native.js"
import { recordOf, recordsOf } from "./span.js"
import { toMillis } from "./time.js"
import { type AttributeValue, attributeValue, entriesOf, foreignPolicy } from "./values.js"

/** What can be said of an observation; unknown, as it may come from untyped code. */
export interface ObservationFields {
  readonly type?: unknown
  readonly input?: unknown
  readonly output?: unknown
  readonly level?: unknown
  readonly statusMessage?: unknown
  readonly model?: unknown
  readonly modelParameters?: unknown
  readonly usage?: unknown
  readonly cost?: unknown
  readonly completionStartTime?: unknown
  readonly prompt?: unknown
  readonly metadata?: unknown
  readonly version?: unknown
  readonly content?: unknown
}

const set = (span: Tracer.Span, name: string, value: AttributeValue | undefined): void => {
  if (value === undefined) return
  try {
    span.attribute(name, value)
  } catch {
    // Another tracer's span.
  }
}

/** Whether it is worth making attributes for this span: not when nobody will export it. */
export const isRecording = (span: Tracer.Span): boolean => isWanted(span, currentFiber())

/** All that is known of a span which nobody keeps: its id is that of an observation all the same. */
export const mark = (span: Tracer.Span, type: unknown): void => set(span, observation.type, textOf(type))

const policyOf = (span: Tracer.Span): Policy => recordOf(span)?.commonPolicy ?? foreignPolicy

/** Only our own tracer keeps to the option; another one beside it has all attributes. */
const keepsContent = (span: Tracer.Span, fields: ObservationFields): boolean => {
  if (fields.content === "metadata") return false
  const record = recordOf(span)
  return record === undefined || record.isShared || record.exporter.settings.intake.policy.content === "full"
}

/** What takes functions of the result. Anywhere else a function is a value like any other. */
const computed = [
  "output",
  "level",
  "statusMessage",
  "model",
  "modelParameters",
  "usage",
  "cost",
  "completionStartTime",
  "metadata"
] as const satisfies ReadonlyArray<keyof ObservationFields>

type Computed = typeof computed[number]

const isComputed = (name: string): name is Computed => computed.some((known) => known === name)

export const hasComputed = (fields: ObservationFields): boolean => {
  for (const name of computed) if (typeof fields[name] === "function") return true
  return false
}

/** Functions of the result are left to `annotateResult`. */
export const annotate = (span: Tracer.Span, fields: ObservationFields): void => {
  for (const [name, value] of entriesOf(fields)) {
    if (value === undefined || (typeof value === "function" && isComputed(name))) continue
    annotateField(span, fields, name, value)
  }
}

/** All that is given is a value. */
export const annotateValues = (span: Tracer.Span, fields: ObservationFields): void => {
  for (const [name, value] of entriesOf(fields)) if (value !== undefined) annotateField(span, fields, name, value)
}

/** The same for an observation that is there: Langfuse keeps model, usage and cost from spans, so it is one no longer. */
const annotateMore = (span: Tracer.Span, fields: ObservationFields): void => {
  const isModelCall = ["model", "usage", "cost"].some((name) => read(fields, name) !== undefined)
  const isSpan = isModelCall && read(fields, "type") === undefined && attributeOf(span, observation.type) === "span"
  if (isSpan) mark(span, "generation")
  annotateValues(span, fields)
}

/** What `Langfuse.update` says. */
export const update = (span: Tracer.Span, fields: ObservationFields): void => {
  // From untyped code.
  if (typeof fields !== "object" || fields === null) return
  const record = recordOf(span)
  if (record?.isSettled === true && record.isRecording) {
    // Of one that the filter left out nothing is missed.
    if (record.isKept === true) record.exporter.settings.intake.refuse(tooLate)
    if (!record.isShared) return
  }
  if (isRecording(span)) annotateMore(span, fields)
  else mark(span, read(fields, "type"))
}

const tooLate = "update came when its observation had left; call it before the observation ends"

export const attributeOf = (span: Tracer.Span, name: string): unknown => {
  try {
    return (recordOf(span) ?? span).attributes.get(name)
  } catch {
    return undefined
  }
}

const annotateField = (span: Tracer.Span, fields: ObservationFields, name: string, value: unknown): void => {
  try {
    setField(span, fields, name, value)
  } catch {
    note(span, name, "<unreadable: the object threw>")
  }
}

const setField = (span: Tracer.Span, fields: ObservationFields, name: string, value: unknown): void => {
  switch (name) {
    case "type":
    case "level":
    case "statusMessage":
    case "model":
      return set(span, observation[name], textIn(span, value))
    case "input":
    case "output":
      return keepsContent(span, fields) ? setValue(span, observation[name], value) : undefined
    case "modelParameters":
      return typeof value === "object" && value !== null
        ? setJson(span, observation.modelParameters, parametersOf(value, policyOf(span)))
        : setValue(span, observation.modelParameters, value)
    // Made disjoint here and not only by our own tracer, so that it is right under others too.
    case "usage": {
      const usage = usageOf(value)
      setJson(span, observation.usage, usage.text)
      return note(span, usageNote, usage.note)
    }
    case "cost": {
      const cost = costOf(value)
      setJson(span, observation.cost, cost.text)
      return note(span, costNote, cost.note)
    }
    case "version":
      for (const record of recordsOf(span)) record.hasOwnVersion = true
      return set(span, trace.version, textIn(span, value))
    case "completionStartTime":
      return set(span, observation.completionStartTime, toIso(value))
    case "prompt":
      if (typeof value !== "object" || value === null) return
      set(span, observation.promptName, textOf(read(value, "name")))
      return setValue(span, observation.promptVersion, read(value, "version"))
    case "metadata":
      return setMetadata(span, value)
  }
}

const textIn = (span: Tracer.Span, value: unknown): string | undefined =>
  typeof value === "function" ? contentOf(value, policyOf(span))?.text : textOf(value)

/** Our tracer is told what is JSON, and need not find out. */
const setContent = (span: Tracer.Span, name: string, content: Content | undefined): void => {
  const attribute = attributeValue(content)
  if (content?.isJson === true && typeof attribute === "string") recordOf(span)?.isJson(name, attribute)
  set(span, name, attribute)
}

const setValue = (span: Tracer.Span, name: string, value: unknown): void =>
  setContent(span, name, contentOf(value, policyOf(span)))

const setJson = (span: Tracer.Span, name: string, json: string | undefined): void =>
  setContent(span, name, json === undefined ? undefined : new Content(json, true))

/** One attribute for each key, as Langfuse has it; anything but a record is one value. */
const setMetadata = (span: Tracer.Span, value: unknown): void => {
  const contents = metadataOf(value, policyOf(span))
  if (contents === undefined) return
  recordOf(span)?.knowsJson()
  for (const [key, content] of contents) setContent(span, `${observation.metadata}.${key}`, content)
}

/** What the functions among the fields make of a result. One that throws leaves a note, and nothing else happens. */
export const annotateResult = (span: Tracer.Span, fields: ObservationFields, result: unknown): void => {
  for (const name of computed) {
    const f = fields[name]
    // The type has said what a function among the fields takes.
    if (typeof f === "function") annotateComputed(span, fields, name, f as (result: unknown) => unknown, result)
  }
}

const annotateComputed = (
  span: Tracer.Span,
  fields: ObservationFields,
  name: Computed,
  f: (result: unknown) => unknown,
  result: unknown
): void => {
  if (name === "output" && !keepsContent(span, fields)) return
  // What was said inside of the observation, by `Langfuse.update`, wins.
  if (attributeOf(span, observation[name]) !== undefined) return
  let value: unknown
  try {
    value = f(result)
  } catch {
    // What it threw may hold the very result.
    const thrown = `<the ${name} callback threw>`
    return name === "output" ? set(span, observation.output, thrown) : note(span, name, thrown)
  }
  if (value !== undefined) annotateField(span, fields, name, value)
}

export const completionStarted = (span: Tracer.Span, clock: Clock.Clock): void =>
  set(span, observation.completionStartTime, fromMillis(toMillis(clock.unsafeCurrentTimeNanos())))

export const note = (span: Tracer.Span, key: string, value: AttributeValue | undefined): void =>
  set(span, `${observation.metadata}.${key}`, value)
