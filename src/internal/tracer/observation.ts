/**
 * A finished span as the event of an observation, complete with start and end. Pure, and the same for both protocols.
 */
import type * as Exit from "effect/Exit"
import type * as Tracer from "effect/Tracer"
import type { IngestionEvent, TraceContext } from "../../IngestionEvent.js"
import { toIso } from "../datetime.js"
import { JsonText } from "../snapshot.js"
import { take } from "../utf8.js"
import {
  aliases,
  genAiPrefix,
  isLangfuse,
  keyUnder,
  langfusePrefix,
  observation,
  stackTraces,
  trace
} from "./attributes.js"
import * as GenAi from "./genai.js"
import * as Status from "./status.js"
import * as Time from "./time.js"
import * as Usage from "./usage.js"
import {
  content,
  copy,
  type Fields,
  finite,
  isFields,
  isPlainRecord,
  parsed,
  put,
  read,
  text,
  texts
} from "./values.js"

export interface SpanEvent {
  readonly name: string
  readonly time: bigint
  readonly attributes: Readonly<Record<string, unknown>> | undefined
}

/** All that is known of a span once it is over. */
export interface FinishedSpan {
  readonly traceId: string
  readonly spanId: string
  /** The nearest ancestor that is exported too, or the caller in another process. */
  readonly parentId: string | undefined
  /** Whether this process's part of the trace begins here. */
  readonly isAppRoot: boolean
  readonly name: string
  readonly kind: Tracer.SpanKind
  /** Nanoseconds since 1970. */
  readonly startTime: bigint
  readonly endTime: bigint
  readonly exit: Exit.Exit<unknown, unknown> | undefined
  /** Why there is no exit. */
  readonly neverEnded: string | undefined
  readonly attributes: ReadonlyMap<string, unknown>
  readonly events: ReadonlyArray<SpanEvent>
  readonly links: ReadonlyArray<Tracer.SpanLink>
  /** Events and links beyond the limits. */
  readonly leftOut: number
  /** Texts of attributes that are known to be the JSON of an object or a list, to save finding out. */
  readonly json?: { readonly input: string | undefined; readonly output: string | undefined } | undefined
  /** Whether it was exported before, as one that never ended. */
  readonly isLate: boolean
}

/** Never throws. */
export const toEvent = (span: FinishedSpan, eventId: string): IngestionEvent => {
  const start = Time.fromNanos(span.startTime)
  const end = span.endTime <= span.startTime ? start : Time.fromNanos(span.endTime)
  try {
    return complete(span, eventId, start, end)
  } catch {
    // An attribute so hostile that even asking what it is throws: the observation survives without any.
    return bare(span, eventId, start, end)
  }
}

const complete = (span: FinishedSpan, eventId: string, start: string, end: string): IngestionEvent => {
  const body = baseOf(span, start)
  const { trace, type } = readAttributes(span, body)
  if (type !== "event") body["endTime"] = end
  setStatus(span, body)
  return eventOf(type, eventId, end, body, trace)
}

const bare = (span: FinishedSpan, eventId: string, start: string, end: string): IngestionEvent => {
  const body = { ...baseOf(span, start), endTime: end, metadata: { note: "<unreadable attributes>" } }
  setStatus(span, body)
  return eventOf("span", eventId, end, body, span.isAppRoot ? { isAppRoot: true } : undefined)
}

const baseOf = (span: FinishedSpan, start: string): Fields => {
  const body: Fields = { id: span.spanId, traceId: span.traceId, name: span.name, startTime: start }
  if (span.parentId !== undefined) body["parentObservationId"] = span.parentId
  return body
}

const eventOf = (
  observationType: GenAi.ObservationType,
  id: string,
  timestamp: string,
  body: Fields,
  trace: TraceContext | undefined
): IngestionEvent => {
  const type = eventTypes[observationType]
  const event = trace === undefined ? { type, id, timestamp, body } : { type, id, timestamp, body, trace }
  // The body has the fields of its type, which TypeScript cannot follow through the record they were collected in.
  return event as unknown as IngestionEvent
}

const lateMessage = "ended after it had been reported as one that never ended"

/** What the program says about level and message wins; else the exit tells. */
const setStatus = (span: FinishedSpan, body: Fields): void => {
  const status = span.neverEnded !== undefined
    ? { level: "WARNING", message: span.neverEnded }
    : Status.of(span.exit) ?? (span.isLate ? { level: "DEFAULT", message: lateMessage } : undefined)
  if (status === undefined) return
  body["level"] ??= status.level
  body["statusMessage"] ??= status.message
}

// ---------------------------------------------------------------------------------------------------------------------

interface Read {
  readonly type: GenAi.ObservationType
  readonly trace: TraceContext | undefined
}

/** In full, so that the text of an event's type is made once and not for each event. */
const eventTypes: { readonly [Type in GenAi.ObservationType]: `${Type}-create` } = {
  span: "span-create",
  generation: "generation-create",
  event: "event-create",
  agent: "agent-create",
  tool: "tool-create",
  chain: "chain-create",
  retriever: "retriever-create",
  evaluator: "evaluator-create",
  embedding: "embedding-create",
  guardrail: "guardrail-create"
}

const isType = (value: string): value is GenAi.ObservationType => Object.hasOwn(eventTypes, value)

/** Attributes that are asked for by their names, and so are no metadata; nor are paths of the machine. */
const asked: ReadonlySet<unknown> = new Set<string>([
  ...Object.values(observation).filter((name) => name !== observation.metadata),
  ...Object.values(trace).filter((name) => name !== trace.metadata),
  ...Object.values(aliases).filter((name) => name !== aliases.metadata && isLangfuse(name)),
  ...stackTraces
])

/**
 * The span that `@effect/ai` opens for the call of a tool, in terms of the conventions. What the tool was called with is an
 * input like any other, so that `content: "metadata"` keeps it back.
 */
const toolkitSpan = "Toolkit.handle"
const toolkitAttributes: ReadonlyMap<string, string> = new Map([
  ["tool", "tool.name"],
  ["parameters", "tool.call.arguments"]
])

const readAttributes = (span: FinishedSpan, body: Fields): Read => {
  const { attributes } = span
  let genAi: GenAi.GenAi | undefined
  const metadata: Fields = {}
  const traceMetadata: Fields = {}
  const others: Fields = {}
  const isToolCall = span.name === toolkitSpan && attributes.has("tool")
  for (const [name, value] of attributes) {
    if (asked.has(name)) continue
    if (isToolCall && toolkitAttributes.has(name)) {
      genAi = (genAi ?? new Map()).set(toolkitAttributes.get(name) ?? name, value)
    } else if (!isLangfuse(name)) {
      if (value !== undefined) put(others, String(name), value)
    } else if (value === undefined || value === null) {
      // Nothing was said.
    } else if (name.startsWith(genAiPrefix)) {
      genAi = (genAi ?? new Map()).set(name.slice(genAiPrefix.length), value)
    } else addMetadata(name, value, metadata, traceMetadata)
  }
  const events = span.events.map(({ attributes, name, time }) => ({ name, time, attributes: copy(attributes) }))
  // Messages may be in events only.
  if (events.length > 0) genAi ??= new Map()

  const given = text(attributes.get(observation.type))?.toLowerCase()
  const said = given !== undefined && isType(given) ? given : undefined
  const type = said ?? (genAi === undefined ? undefined : GenAi.typeOf(genAi)) ??
    (attributes.has(observation.model) ? "generation" : "span")

  // A span that an instrumentation named is called what it is about; one the program named keeps its name.
  const name = said === undefined && genAi !== undefined ? GenAi.nameOf(genAi, type) : undefined
  if (name !== undefined) body["name"] = name

  const messages = genAi === undefined ? undefined : GenAi.contentOf(genAi, events)
  const input = own(attributes.get(observation.input), span.json?.input) ?? messages?.input
  if (input !== undefined) body["input"] = input
  const output = own(attributes.get(observation.output), span.json?.output) ?? messages?.output
  if (output !== undefined) body["output"] = output
  const level = levelOf(attributes.get(observation.level))
  if (level !== undefined) body["level"] = level
  const statusMessage = text(attributes.get(observation.statusMessage))
  if (statusMessage !== undefined) body["statusMessage"] = statusMessage
  if (type !== "span" && type !== "event") setModelCall(span, type, genAi, body)

  const context = traceContext(span, genAi, traceMetadata)
  if (context?.version !== undefined) body["version"] = context.version
  if (context?.environment !== undefined) body["environment"] = context.environment
  const all = allMetadata(span, metadata, genAi, others, events)
  if (all !== undefined) body["metadata"] = all
  return { type, trace: context }
}

const own = (value: unknown, json: string | undefined): unknown => {
  if (value === undefined || value === null) return undefined
  return typeof value === "string" && value === json ? new JsonText(value) : content(value)
}

const setModelCall = (
  span: FinishedSpan,
  type: GenAi.ObservationType,
  genAi: GenAi.GenAi | undefined,
  body: Fields
): void => {
  const { attributes } = span
  const isCall = genAi !== undefined && genAi.size > 0 && GenAi.isModelCall(type)
  const call = isCall ? GenAi.modelCall(genAi) : undefined
  const model = text(attributes.get(observation.model)) ?? call?.model
  if (model !== undefined) body["model"] = model
  const parameters = parametersOf(attributes.get(observation.modelParameters)) ?? call?.parameters
  if (parameters !== undefined) body["modelParameters"] = parameters
  const usage = Usage.fromObject(parsed(attributes.get(observation.usage))) ?? call?.usage
  if (usage !== undefined) body["usageDetails"] = usage
  const cost = Usage.costs(parsed(attributes.get(observation.cost))) ?? call?.cost
  if (cost !== undefined) body["costDetails"] = cost
  const completionStart = timeOf(attributes.get(observation.completionStartTime)) ??
    (call?.timeToFirst === undefined
      ? undefined
      : Time.fromNanos(span.startTime + BigInt(Math.round(call.timeToFirst * 1e9))))
  if (completionStart !== undefined) body["completionStartTime"] = completionStart
  const promptName = text(attributes.get(observation.promptName) ?? attributes.get(aliases.promptName))
  const promptVersion = finite(attributes.get(observation.promptVersion) ?? attributes.get(aliases.promptVersion))
  // Langfuse refuses an observation that has one without the other.
  if (promptName !== undefined && promptVersion !== undefined && promptVersion !== 0) {
    if (Number.isSafeInteger(promptVersion)) {
      body["promptName"] = promptName
      body["promptVersion"] = promptVersion
    }
  }
}

const parametersOf = (value: unknown): Fields | undefined => {
  const given = parsed(value)
  if (!isPlainRecord(given)) return undefined
  const parameters: Fields = {}
  for (const name of Object.keys(given)) {
    const parameter = GenAi.parameterValue(given[name])
    if (parameter !== undefined) put(parameters, name, parameter)
  }
  return parameters
}

/** The official SDK writes the time as JSON, so in quotes. */
const timeOf = (value: unknown): string | undefined =>
  toIso(typeof value === "string" ? value.replace(/^"(.*)"$/, "$1") : value)

const levels = new Map([
  ["debug", "DEBUG"],
  ["trace", "DEBUG"],
  ["verbose", "DEBUG"],
  ["default", "DEFAULT"],
  ["info", "DEFAULT"],
  ["log", "DEFAULT"],
  ["notice", "DEFAULT"],
  ["ok", "DEFAULT"],
  ["success", "DEFAULT"],
  ["warning", "WARNING"],
  ["warn", "WARNING"],
  ["error", "ERROR"],
  ["fatal", "ERROR"],
  ["critical", "ERROR"]
])

const levelOf = (value: unknown): string | undefined => levels.get(text(value)?.trim().toLowerCase() ?? "")

// ---------------------------------------------------------------------------------------------------------------------
// the trace
// ---------------------------------------------------------------------------------------------------------------------

const maxTraceName = 1000

const traceContext = (
  { attributes, isAppRoot }: FinishedSpan,
  genAi: GenAi.GenAi | undefined,
  metadata: Fields
): TraceContext | undefined => {
  const context: { -readonly [K in keyof TraceContext]: TraceContext[K] } = {}
  const conversation = genAi === undefined ? undefined : GenAi.conversation(genAi)
  const name = text(attributes.get(trace.name))
  if (name !== undefined) context.name = take(name, maxTraceName)
  const userId = text(attributes.get(aliases.userId) ?? attributes.get(trace.userId))
  if (userId !== undefined) context.userId = userId
  const sessionId = text(attributes.get(aliases.sessionId) ?? attributes.get(trace.sessionId)) ?? conversation
  if (sessionId !== undefined) context.sessionId = sessionId
  const tags = attributes.get(trace.tags) ?? attributes.get(aliases.tags)
  const tagTexts = tags === undefined ? noTags : texts(tags)
  if (tagTexts.length > 0) context.tags = tagTexts
  if (Object.keys(metadata).length > 0) context.metadata = metadata
  const release = text(attributes.get(trace.release))
  if (release !== undefined) context.release = release
  const version = text(attributes.get(trace.version))
  if (version !== undefined) context.version = version
  const environment = environmentOf(
    attributes.get(trace.environment) ?? attributes.get(aliases.deploymentEnvironment) ??
      attributes.get(aliases.oldDeploymentEnvironment)
  )
  if (environment !== undefined) context.environment = environment
  const isPublic = attributes.get(trace.public) ?? attributes.get(aliases.public)
  if (isPublic !== undefined && isPublic !== null) context.public = isPublic === true || isPublic === "true"
  if (isAppRoot) context.isAppRoot = true
  return Object.keys(context).length === 0 ? undefined : context
}

const noTags: ReadonlyArray<string> = []

/** The name Langfuse would file the environment under; `undefined` for one it would not take. */
export const environmentOf = (value: unknown): string | undefined => {
  const name = text(value)?.toLowerCase().replace(/^(?:langfuse[-_]?)+/, "").slice(0, 40)
  return name !== undefined && /^[a-z0-9-_]+$/.test(name) ? name : undefined
}

// ---------------------------------------------------------------------------------------------------------------------
// metadata
// ---------------------------------------------------------------------------------------------------------------------

const addMetadata = (name: string, value: unknown, metadata: Fields, traceMetadata: Fields): void => {
  const observationKey = keyUnder(observation.metadata, name) ?? keyUnder(aliases.metadata, name)
  if (observationKey !== undefined) return put(metadata, observationKey, parsed(value))
  const traceKey = keyUnder(trace.metadata, name)
  if (traceKey !== undefined) return put(traceMetadata, traceKey, parsed(value))
  if (name === observation.metadata || name === aliases.metadata) return spread(metadata, value)
  if (name === trace.metadata) return spread(traceMetadata, value)
  // Langfuse attributes of other kinds (experiments, for one) are not lost.
  put(metadata, name.slice(langfusePrefix.length), parsed(value))
}

const spread = (into: Fields, value: unknown): void => {
  const given = parsed(value)
  if (!isFields(given)) return put(into, "metadata", given)
  const fields = copy(given)
  // A key of its own says it more exactly.
  for (const key of Object.keys(fields)) if (!Object.hasOwn(into, key)) put(into, key, fields[key])
}

const allMetadata = (
  span: FinishedSpan,
  metadata: Fields,
  genAi: GenAi.GenAi | undefined,
  others: Fields,
  events: ReadonlyArray<SpanEvent & { readonly attributes: Fields }>
): Fields | undefined => {
  const all: Fields = {}
  if (genAi !== undefined && genAi.size > 0) {
    const rest: Fields = {}
    for (const [name, value] of genAi) put(rest, name, parsed(value))
    all["gen_ai"] = rest
  }
  if (span.kind !== "internal") others["span.kind"] = span.kind
  if (Object.keys(others).length > 0) all["attributes"] = others
  const kept = events.filter((event) => !GenAi.isContentEvent(event)).map(spanEventOf)
  if (kept.length > 0) all["events"] = kept
  if (span.links.length > 0) all["links"] = span.links.map(linkOf)
  if (span.leftOut > 0) all["leftOut"] = `${span.leftOut} more events or links`
  for (const key of Object.keys(metadata)) put(all, key, metadata[key])
  return Object.keys(all).length === 0 ? undefined : all
}

const spanEventOf = ({ attributes, name, time }: SpanEvent & { readonly attributes: Fields }): Fields => {
  const event: Fields = { name, time: Time.fromNanos(time) }
  const kept: Fields = {}
  for (const key of Object.keys(attributes)) {
    if (stackTraces.has(key)) continue
    const value = attributes[key]
    // Effect writes the whole cause of a log line, stacks included.
    put(kept, key, key === "effect.cause" && typeof value === "string" ? withoutStacks(value) : value)
  }
  if (Object.keys(kept).length > 0) event["attributes"] = kept
  return event
}

const withoutStacks = (cause: string): string => cause.split("\n").filter((line) => !/^\s+at /.test(line)).join("\n")

const linkOf = (link: Tracer.SpanLink): Fields => {
  const { attributes, span } = copy(link)
  const target = typeof span === "object" && span !== null ? span : {}
  const out: Fields = { traceId: text(read(target, "traceId")), spanId: text(read(target, "spanId")) }
  const kept = copy(attributes)
  if (Object.keys(kept).length > 0) out["attributes"] = kept
  return out
}
