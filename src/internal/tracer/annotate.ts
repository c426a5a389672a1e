/**
 * What a program says about an observation or a trace, as attributes on a span of whatever tracer there is. Nothing in
 * here throws, or lets through what code of the program throws.
 */
import type * as Clock from "effect/Clock"
import * as HashMap from "effect/HashMap"
import type * as Tracer from "effect/Tracer"
import { toIso } from "../datetime.js"
import { notes } from "../json.js"
import * as Names from "./attributes.js"
import { recordOf } from "./span.js"
import * as Time from "./time.js"
import * as Usage from "./usage.js"
import { type AttributeValue, copy, isPlainRecord, text, texts, toAttribute, toJson } from "./values.js"

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

const set = (span: Tracer.Span, name: string, value: AttributeValue | ReadonlyArray<string> | undefined): void => {
  if (value === undefined) return
  try {
    span.attribute(name, value)
  } catch {
    // Another tracer's span.
  }
}

/** Whether it is worth making attributes for this span: not when nobody will export it. */
export const isRecording = (span: Tracer.Span): boolean => (recordOf(span) ?? span).sampled

/** Fields that are functions are left to `annotateResult`. */
export const annotate = (span: Tracer.Span, fields: ObservationFields): void => {
  for (const key of Object.keys(fields)) {
    const name = key as keyof ObservationFields // other keys, from untyped code, match none of the cases below
    const value = fields[name]
    if (value !== undefined && typeof value !== "function") annotateField(span, fields, name, value)
  }
}

/** The same for an observation that is there: Langfuse keeps model, usage and cost from spans, so it is one no longer. */
export const annotateMore = (span: Tracer.Span, fields: ObservationFields): void => {
  const isModelCall = fields.model !== undefined || fields.usage !== undefined || fields.cost !== undefined
  const isSpan = isModelCall && fields.type === undefined && attributeOf(span, Names.observation.type) === "span"
  annotate(span, isSpan ? { ...fields, type: "generation" } : fields)
}

const attributeOf = (span: Tracer.Span, name: string): unknown => {
  try {
    return (recordOf(span) ?? span).attributes.get(name)
  } catch {
    return undefined
  }
}

const annotateField = (
  span: Tracer.Span,
  fields: ObservationFields,
  name: keyof ObservationFields,
  value: unknown
): void => {
  try {
    setField(span, fields, name, value)
  } catch {
    note(span, name, notes.object)
  }
}

const setField = (
  span: Tracer.Span,
  fields: ObservationFields,
  name: keyof ObservationFields,
  value: unknown
): void => {
  const { observation, trace } = Names
  switch (name) {
    case "type":
    case "level":
    case "statusMessage":
    case "model":
      return set(span, observation[name], text(value))
    case "input":
    case "output":
      return fields.content === "metadata" ? undefined : setContent(span, name, value)
    case "modelParameters":
      return set(span, observation.modelParameters, toAttribute(value))
    // Made disjoint here and not only by our own tracer, so that it is right under others too.
    case "usage":
      return set(span, observation.usage, toAttribute(Usage.fromObject(value)))
    case "cost":
      return set(span, observation.cost, toAttribute(Usage.costs(value)))
    case "version":
      return set(span, trace.version, text(value))
    case "completionStartTime":
      return set(span, observation.completionStartTime, toIso(value))
    case "prompt": {
      const prompt = copy(value)
      set(span, observation.promptName, text(prompt["name"]))
      return set(span, observation.promptVersion, toAttribute(prompt["version"]))
    }
    case "metadata":
      return setEach(span, observation.metadata, value)
    case "content":
      return
  }
}

/** Our tracer is told that this text is JSON, and need not find out. */
const setContent = (span: Tracer.Span, name: "input" | "output", value: unknown): void => {
  const json = toJson(value)
  set(span, Names.observation[name], json ?? toAttribute(value))
  if (json !== undefined) {
    const record = recordOf(span)
    if (record !== undefined) record.json[name] = json
  }
}

/** One attribute for each key, as Langfuse has it; anything but a record is one value. */
const setEach = (span: Tracer.Span, prefix: string, value: unknown): void => {
  if (!isPlainRecord(value)) return set(span, prefix, toAttribute(value))
  const record = copy(value)
  for (const key of Object.keys(record)) set(span, `${prefix}.${key}`, toAttribute(record[key]))
}

/** What the functions among the fields make of a result. One that throws leaves a note, and nothing else happens. */
export const annotateResult = (span: Tracer.Span, fields: ObservationFields, result: unknown): void => {
  for (const key of Object.keys(fields)) {
    const name = key as keyof ObservationFields // as above
    const f = fields[name]
    // The type has said what a function among the fields takes.
    if (typeof f === "function") annotateComputed(span, fields, name, f as (result: unknown) => unknown, result)
  }
}

const annotateComputed = (
  span: Tracer.Span,
  fields: ObservationFields,
  name: keyof ObservationFields,
  f: (result: unknown) => unknown,
  result: unknown
): void => {
  if ((name === "output" || name === "input") && fields.content === "metadata") return
  let value: unknown
  try {
    value = f(result)
  } catch {
    // What it threw may hold the very result.
    const note = `<the ${name} callback threw>`
    if (name === "output" || name === "input") return set(span, Names.observation[name], note)
    return set(span, `${Names.observation.metadata}.${name}`, note)
  }
  if (value !== undefined && typeof value !== "function") annotateField(span, fields, name, value)
}

export const hasComputed = (fields: ObservationFields): boolean => {
  for (const key of Object.keys(fields)) {
    if (typeof fields[key as keyof ObservationFields] === "function") return true
  }
  return false
}

export const completionStarted = (span: Tracer.Span, clock: Clock.Clock): void =>
  set(span, Names.observation.completionStartTime, Time.fromNanos(clock.unsafeCurrentTimeNanos()))

export const note = (span: Tracer.Span, key: string, value: AttributeValue): void =>
  set(span, `${Names.observation.metadata}.${key}`, value)

// ---------------------------------------------------------------------------------------------------------------------
// the trace
// ---------------------------------------------------------------------------------------------------------------------

export interface TraceFields {
  readonly name?: unknown
  readonly userId?: unknown
  readonly sessionId?: unknown
  readonly tags?: unknown
  readonly metadata?: unknown
  readonly version?: unknown
  readonly release?: unknown
  readonly environment?: unknown
  readonly public?: unknown
}

type Set = (name: string, value: AttributeValue | ReadonlyArray<string>) => void

const traceAttributes = (given: TraceFields, tagsBefore: unknown, set: Set): void => {
  const fields: TraceFields = copy(given)
  for (const key of ["name", "userId", "sessionId", "version", "release", "environment"] as const) {
    const value = text(fields[key])
    if (value !== undefined) set(Names.trace[key], value)
  }
  if (typeof fields.public === "boolean") set(Names.trace.public, fields.public)
  const tags = texts(fields.tags)
  if (tags.length > 0) set(Names.trace.tags, [...new Set([...texts(tagsBefore), ...tags])])
  const metadata = isPlainRecord(fields.metadata) ? copy(fields.metadata) : { metadata: fields.metadata }
  for (const key of Object.keys(metadata)) {
    const value = toAttribute(metadata[key])
    if (value !== undefined) set(`${Names.trace.metadata}.${key}`, value)
  }
}

/** Adds to what a fiber puts on every span it starts: later values win, tags come together. */
export const ambient =
  (fields: TraceFields) => (annotations: HashMap.HashMap<string, unknown>): HashMap.HashMap<string, unknown> => {
    let all = annotations
    const tags = HashMap.get(annotations, Names.trace.tags)
    traceAttributes(fields, tags._tag === "Some" ? tags.value : undefined, (name, value) => {
      all = HashMap.set(all, name, value)
    })
    return all
  }

export const annotateTrace = (span: Tracer.Span, fields: TraceFields): void =>
  traceAttributes(fields, attributeOf(span, Names.trace.tags), (name, value) => set(span, name, value))

// ---------------------------------------------------------------------------------------------------------------------
// the current observation
// ---------------------------------------------------------------------------------------------------------------------

/** Whether a span is, or is going to be, an observation: our tracer knows, of other tracers' spans the attributes tell. */
export const isObservation = (span: Tracer.Span): boolean => {
  const record = recordOf(span)
  if (record !== undefined) return record.sampled && record.exporter.isObservation(record)
  try {
    return span.sampled &&
      (span.attributes.has(Names.observation.type) || span.attributes.has("gen_ai.operation.name"))
  } catch {
    return false
  }
}
