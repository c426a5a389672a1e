/**
 * What an event says, read field by field.
 *
 * What the batch endpoint would refuse, and what no server could make sense of, is refused here in one line, so that an
 * event has the same outcome whichever protocol carries it. Two things are taken that the batch endpoint does not take,
 * because spans can carry them: a level in any case, and model parameters of any depth.
 */
import type { IngestionEvent } from "../../IngestionEvent.js"
import * as Snapshot from "../snapshot.js"
import { take } from "../utf8.js"
import * as W3c from "../w3c.js"
import type { Digests, Id } from "./ids.js"
import * as Ids from "./ids.js"
import type { Nanos } from "./time.js"
import * as Time from "./time.js"
import type { Buckets, JsonObject } from "./usage.js"
import * as Usage from "./usage.js"

export type { JsonObject } from "./usage.js"

/** As the attribute has it: in lower case. */
export type ObservationType =
  | "span"
  | "generation"
  | "event"
  | "agent"
  | "tool"
  | "chain"
  | "retriever"
  | "evaluator"
  | "embedding"
  | "guardrail"

/** `null` clears a field where Langfuse lets it, and is `undefined` where it does not. */
export type Clearable<A> = A | null | undefined

/** What an event knows about its trace beyond its id. */
export interface Context {
  readonly name?: string | undefined
  readonly userId?: string | undefined
  readonly sessionId?: string | undefined
  readonly tags?: ReadonlyArray<string> | undefined
  readonly metadata?: JsonObject | undefined
  readonly release?: string | undefined
  readonly version?: string | undefined
  readonly environment?: string | undefined
  readonly isPublic?: boolean | undefined
  readonly isAppRoot?: boolean | undefined
  /** JSON text. */
  readonly input?: string | undefined
  readonly output?: string | undefined
}

interface About<Event> {
  readonly event: Event
  /** The bytes it keeps in memory. */
  readonly bytes: number
  /** When it came about, in milliseconds since 1970: what Langfuse sorts by. */
  readonly at: number
  readonly id: Id
  readonly environment: string | undefined
  readonly metadata: JsonObject | undefined
  /** JSON text of a value that counts: not of `null`, `0`, `false` or `""`. */
  readonly input: string | undefined
  readonly output: string | undefined
  readonly name: Clearable<string>
}

export interface TraceFacts extends About<IngestionEvent> {
  readonly _tag: "Trace"
  /** The span that can stand for the trace itself. */
  readonly rootId: string
  readonly timestamp: Nanos | undefined
  readonly userId: Clearable<string>
  readonly sessionId: Clearable<string>
  readonly release: Clearable<string>
  readonly version: Clearable<string>
  readonly tags: ReadonlyArray<string>
  readonly isPublic: boolean
}

/** What the event of an observation says, as the texts that it is read from. */
export interface Texts {
  readonly head: string
  readonly metadata: string | undefined
  readonly input: string | undefined
  readonly output: string | undefined
  readonly trace: string | undefined
}

/** All else that it is read from. */
export interface Source {
  readonly kind: Kind
  readonly type: ObservationType
  readonly bytes: number
  readonly at: number
  readonly id: Id
  /** The one it has of its own when it names none. */
  readonly traceId: Id
  readonly isTraceNamed: boolean
  readonly parentId: Id | undefined
}

/**
 * The event is no longer known when they are read again.
 *
 * A class, as is everything that is kept of an observation until its span has arrived: see `Sender.alone` for why.
 */
export class ObservationFacts<Event = IngestionEvent> implements About<Event> {
  readonly _tag = "Observation"
  readonly event: Event
  readonly source: Source
  readonly texts: Texts
  readonly bytes: number
  readonly at: number
  readonly id: Id
  readonly type: ObservationType
  readonly isCreate: boolean
  readonly traceId: Id | undefined
  /** The trace it is in when it never says which. */
  readonly ownTraceId: Id
  readonly parentId: Id | undefined
  readonly environment: string | undefined
  readonly metadata: JsonObject | undefined
  readonly input: string | undefined
  readonly output: string | undefined
  readonly name: Clearable<string>
  readonly startTime: Nanos | undefined
  readonly endTime: Nanos | undefined
  readonly completionStartTime: Nanos | undefined
  readonly level: Clearable<string>
  readonly statusMessage: string | undefined
  readonly version: string | undefined
  readonly model: Clearable<string>
  readonly modelParameters: JsonObject | undefined
  readonly usage: Buckets | undefined
  readonly cost: Buckets | undefined
  readonly promptName: string | undefined
  readonly promptVersion: number | undefined
  readonly context: Context | undefined

  /** What is wrong with the event is left with the reader. */
  constructor(event: Event, source: Source, texts: Texts, body: JsonObject, reader: Reader) {
    const { at, bytes, id, isTraceNamed, kind: { extent, isCreate }, parentId, traceId, type } = source
    const call = readCall(reader, extent)
    this.event = event
    this.source = source
    this.texts = texts
    this.bytes = bytes
    this.at = at
    this.id = id
    this.type = type
    this.isCreate = isCreate
    this.traceId = isTraceNamed ? traceId : undefined
    this.ownTraceId = traceId
    this.parentId = parentId
    this.environment = extent === "legacy" ? undefined : environmentOf(body["environment"])
    this.metadata = parseMetadata(texts.metadata)
    this.input = texts.input
    this.output = texts.output
    this.name = reader.clearable("name")
    this.startTime = reader.time("startTime")
    this.endTime = extent === "point" ? undefined : reader.time("endTime")
    this.level = reader.level()
    this.statusMessage = reader.text("statusMessage")
    this.version = reader.text("version")
    this.completionStartTime = call.completionStartTime
    this.model = call.model
    this.modelParameters = call.modelParameters
    this.usage = call.usage
    this.cost = call.cost
    this.promptName = call.promptName
    this.promptVersion = call.promptVersion
    this.context = readContext(texts.trace)
  }
}

/** A score or a log: the batch endpoint takes these on every server. */
export interface BatchFacts {
  readonly _tag: "Batch"
  readonly event: IngestionEvent
  readonly text: string
}

export interface Refused {
  readonly _tag: "Refused"
  readonly event: IngestionEvent
  /** One line that names fields and rules, never values. */
  readonly issue: string
}

export type Facts = TraceFacts | ObservationFacts | BatchFacts | Refused

/** An event whose ids are still those it was given. */
export interface Unlocated {
  /** Texts whose digests are needed. */
  readonly seeds: ReadonlyArray<string>
  /** Texts whose digests are needed once those of `seeds` are known. */
  readonly moreSeeds: (digests: Digests) => ReadonlyArray<string>
  readonly locate: (digests: Digests) => Facts
}

const noSeeds: ReadonlyArray<string> = []
const noMoreSeeds = () => noSeeds

export const read = (event: IngestionEvent): Unlocated => {
  const snapshot = Snapshot.of(event)
  switch (snapshot.type) {
    case "sdk-log": {
      const facts: BatchFacts = { _tag: "Batch", event, text: snapshot.json() }
      return { seeds: noSeeds, moreSeeds: noMoreSeeds, locate: () => facts }
    }
    case "score-create":
      return readScore(event, snapshot)
    case "trace-create":
      return readTrace(event, snapshot)
    default: {
      const kind = kinds.get(snapshot.type)
      return kind === undefined
        ? refuse(event, ["type: not an event Langfuse knows"])
        : readObservation(event, snapshot, kind)
    }
  }
}

const refused = (event: IngestionEvent, issues: ReadonlyArray<string>): Refused => ({
  _tag: "Refused",
  event,
  issue: issues.slice(0, 3).join("; ") + (issues.length > 3 ? ` and ${issues.length - 3} more` : "")
})

const refuse = (event: IngestionEvent, issues: ReadonlyArray<string>): Unlocated => ({
  seeds: noSeeds,
  moreSeeds: noMoreSeeds,
  locate: () => refused(event, issues)
})

const noDigests = (event: IngestionEvent): Refused => ({
  _tag: "Refused",
  event,
  issue: "this runtime has no WebCrypto (an insecure page?), so ids must be 32 and 16 lowercase hex digits"
})

// -------------------------------------------------------------------------------------
// fields
// -------------------------------------------------------------------------------------

/** Reads fields of one object and collects what is wrong with them. */
class Reader {
  readonly issues: Array<string>
  private readonly fields: JsonObject

  constructor(fields: JsonObject, issues: Array<string>) {
    this.fields = fields
    this.issues = issues
  }

  private get(key: string): unknown {
    const value = this.fields[key]
    // Most fields are absent, and what is there may be a prototype's.
    return value !== undefined && Object.hasOwn(this.fields, key) ? value : undefined
  }

  wrong(key: string, rule: string): undefined {
    this.issues.push(`body.${key}: ${rule}`)
    return undefined
  }

  clearable(key: string, maxLength = Infinity): Clearable<string> {
    const value = this.get(key)
    if (value === undefined || value === null) return value
    if (typeof value !== "string") return this.wrong(key, "expected a text")
    return value.length <= maxLength ? value : this.wrong(key, `expected at most ${maxLength} characters`)
  }

  text(key: string): string | undefined {
    return this.clearable(key) ?? undefined
  }

  /** Spans do with fewer rules for ids than the batch endpoint has: one of any length is digested. */
  id(key: string): string | undefined {
    const id = this.clearable(key)
    return id === "" ? this.wrong(key, "expected a text that is not empty") : id ?? undefined
  }

  time(key: string): Nanos | undefined {
    const text = this.text(key)
    if (text === undefined) return undefined
    return Time.parse(text) ?? this.wrong(key, "expected a date and time in ISO 8601 with a zone")
  }

  level(): Clearable<string> {
    const level = this.clearable("level")?.trim().toUpperCase()
    if (level === undefined) return this.get("level") === null ? null : undefined
    return levels.has(level) ? level : this.wrong("level", "expected DEBUG, DEFAULT, WARNING or ERROR")
  }

  boolean(key: string): boolean | undefined {
    const value = this.get(key)
    if (value === undefined || value === null) return undefined
    return typeof value === "boolean" ? value : this.wrong(key, "expected true or false")
  }

  int(key: string): number | undefined {
    const value = this.get(key)
    if (value === undefined || value === null) return undefined
    return typeof value === "number" && Number.isSafeInteger(value) ? value : this.wrong(key, "expected an integer")
  }

  object(key: string): JsonObject | undefined {
    const value = this.get(key)
    if (value === undefined || value === null) return undefined
    return Usage.isObject(value) ? value : this.wrong(key, "expected an object")
  }

  texts(key: string): ReadonlyArray<string> {
    const value = this.get(key)
    if (value === undefined || value === null) return []
    if (isTexts(value)) return value
    this.wrong(key, "expected a list of texts")
    return []
  }
}

const levels: ReadonlySet<string> = new Set(["DEBUG", "DEFAULT", "WARNING", "ERROR"])

const isTexts = (value: unknown): value is ReadonlyArray<string> =>
  Array.isArray(value) && value.every((item) => typeof item === "string")

/** A head is always the JSON text of an object. */
const parseObject = (text: string): JsonObject => {
  const value: unknown = JSON.parse(text)
  return Usage.isObject(value) ? value : {}
}

/** Whatever is not the name of an environment is none: Langfuse files it under `default` and complains of nothing. */
const environmentOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined

/** Langfuse lets no value replace another that JavaScript takes for false. */
const content = (text: string | undefined): string | undefined =>
  text === undefined || text === "null" || text === "\"\"" || text === "false" || isZero(text) ? undefined : text

/** To ask for the number of a text means to go through it, and objects, lists and texts are no numbers. */
const isZero = (text: string): boolean => !/^[[{"]/.test(text) && Number(text) === 0

/** Metadata that is no object is kept under the key `metadata`. */
const metadataOf = (value: unknown): JsonObject | undefined =>
  value === undefined || value === null ? undefined : Usage.isObject(value) ? value : { metadata: value }

const parseMetadata = (text: string | undefined): JsonObject | undefined =>
  text === undefined ? undefined : metadataOf(JSON.parse(text))

/** The rules that hold for the envelope of every event; `at` is what its timestamp says. */
const envelopeIssues = (snapshot: Snapshot.Snapshot, at: number | undefined): Array<string> => {
  const issues: Array<string> = []
  if (at === undefined) issues.push("timestamp: expected a date and time in ISO 8601 with a zone")
  if (snapshot.bodyId === undefined || snapshot.bodyId === "") issues.push("body.id: expected a text that is not empty")
  return issues
}

// -------------------------------------------------------------------------------------
// traces
// -------------------------------------------------------------------------------------

/** Longer names make some servers drop the trace. */
const maxTraceName = 1000

const readTrace = (event: IngestionEvent, snapshot: Snapshot.Snapshot): Unlocated => {
  const given = snapshot.bodyId ?? ""
  return {
    seeds: W3c.isTraceId(given) ? noSeeds : [given],
    moreSeeds: (digests) => {
      const id = Ids.traceIdOf(given, digests)
      return id === undefined ? noSeeds : [Ids.rootSeed(id.sent)]
    },
    locate: (digests) => {
      const id = Ids.traceIdOf(given, digests)
      if (id === undefined) return noDigests(event)
      const body = parseObject(snapshot.headText)
      const at = Time.millisOf(snapshot.timestamp)
      const reader = new Reader(body, envelopeIssues(snapshot, at))
      const facts: TraceFacts = {
        _tag: "Trace",
        event,
        bytes: snapshot.heldBytes,
        at: at ?? NaN,
        id,
        rootId: Ids.rootIdOf(id.sent, digests),
        environment: environmentOf(body["environment"]),
        metadata: parseMetadata(snapshot.metadataText),
        input: content(snapshot.inputText),
        output: content(snapshot.outputText),
        name: reader.clearable("name", maxTraceName),
        timestamp: reader.time("timestamp"),
        userId: reader.clearable("userId"),
        sessionId: reader.clearable("sessionId"),
        release: reader.clearable("release"),
        version: reader.clearable("version"),
        tags: reader.texts("tags"),
        // A trace is private again as soon as an event of it does not say otherwise.
        isPublic: reader.boolean("public") ?? false
      }
      return reader.issues.length === 0 ? facts : refused(event, reader.issues)
    }
  }
}

// -------------------------------------------------------------------------------------
// observations
// -------------------------------------------------------------------------------------

/** Which fields an event type has: the batch endpoint drops the others, and so do we. */
type Extent = "point" | "duration" | "call" | "legacy"

interface Kind {
  readonly type: ObservationType | undefined
  readonly isCreate: boolean
  readonly extent: Extent
}

const kind = (type: ObservationType | undefined, isCreate: boolean, extent: Extent): Kind => ({
  type,
  isCreate,
  extent
})

const kinds: ReadonlyMap<string, Kind> = new Map([
  ["event-create", kind("event", true, "point")],
  ["span-create", kind("span", true, "duration")],
  ["span-update", kind("span", false, "duration")],
  ["generation-create", kind("generation", true, "call")],
  ["generation-update", kind("generation", false, "call")],
  ["agent-create", kind("agent", true, "call")],
  ["tool-create", kind("tool", true, "call")],
  ["chain-create", kind("chain", true, "call")],
  ["retriever-create", kind("retriever", true, "call")],
  ["evaluator-create", kind("evaluator", true, "call")],
  ["embedding-create", kind("embedding", true, "call")],
  ["guardrail-create", kind("guardrail", true, "call")],
  ["observation-create", kind(undefined, true, "legacy")],
  ["observation-update", kind(undefined, false, "legacy")]
])

const legacyTypes: ReadonlyMap<unknown, ObservationType> = new Map([
  ["GENERATION", "generation"],
  ["SPAN", "span"],
  ["EVENT", "event"]
])

const noCall = {
  completionStartTime: undefined,
  model: undefined,
  modelParameters: undefined,
  usage: undefined,
  cost: undefined,
  promptName: undefined,
  promptVersion: undefined
}

const readCall = (reader: Reader, extent: Extent) => {
  if (extent !== "call" && extent !== "legacy") return noCall
  const usage = reader.object("usage")
  const usageDetails = reader.object("usageDetails")
  const costDetails = reader.object("costDetails")
  if (usage !== undefined) {
    for (const issue of Usage.usageIssues(usage)) reader.issues.push(`body.usage.${issue}`)
  }
  const deprecated = usage && Usage.readUsage(usage)
  // Empty texts and version 0 are no prompt.
  const promptName = extent === "call" ? reader.text("promptName") || undefined : undefined
  const promptVersion = extent === "call" ? reader.int("promptVersion") || undefined : undefined
  if ((promptName === undefined) !== (promptVersion === undefined)) {
    reader.wrong(
      promptName === undefined ? "promptName" : "promptVersion",
      "a prompt needs both its name and a version other than 0"
    )
  }
  return {
    completionStartTime: reader.time("completionStartTime"),
    model: reader.clearable("model"),
    modelParameters: reader.object("modelParameters"),
    usage: (usageDetails && Usage.readUsageDetails(usageDetails)) ?? deprecated?.usage,
    cost: (costDetails && Usage.readCostDetails(costDetails)) ?? deprecated?.cost,
    promptName,
    promptVersion
  }
}

const readObservation = (event: IngestionEvent, snapshot: Snapshot.Snapshot, kind: Kind): Unlocated => {
  const body = parseObject(snapshot.headText)
  const at = Time.millisOf(snapshot.timestamp)
  const reader = new Reader(body, envelopeIssues(snapshot, at))
  const type = kind.type ?? legacyTypes.get(body["type"])
  if (type === undefined) return refuse(event, ["body.type: expected GENERATION, SPAN or EVENT"])
  const given = snapshot.bodyId ?? ""
  const namedTrace = reader.id("traceId")
  // An observation that names no trace gets one of its own.
  const givenTrace = namedTrace ?? given
  const givenParent = reader.text("parentObservationId") || undefined
  const knownId = Ids.asSpanId(given)
  const knownTrace = Ids.asTraceId(givenTrace)
  const knownParent = givenParent === undefined ? undefined : Ids.asParentId(givenParent)
  const seeds: Array<string> = []
  if (knownId === undefined) seeds.push(given)
  if (knownTrace === undefined) seeds.push(givenTrace)
  if (givenParent !== undefined && knownParent === undefined) seeds.push(givenParent)
  return {
    seeds,
    moreSeeds: noMoreSeeds,
    locate: (digests) => {
      const id = knownId ?? Ids.spanIdOf(given, digests)
      const traceId = knownTrace ?? Ids.traceIdOf(givenTrace, digests)
      const parentId = knownParent ?? (givenParent === undefined ? undefined : Ids.spanIdOf(givenParent, digests))
      if (id === undefined || traceId === undefined || (givenParent !== undefined && parentId === undefined)) {
        return noDigests(event)
      }
      const source: Source = {
        kind,
        type,
        bytes: snapshot.heldBytes,
        at: at ?? NaN,
        id,
        traceId,
        isTraceNamed: namedTrace !== undefined,
        parentId
      }
      const facts = new ObservationFacts(event, source, new TextsOf(snapshot), body, reader)
      return reader.issues.length === 0 ? facts : refused(event, reader.issues)
    }
  }
}

class TextsOf implements Texts {
  readonly head: string
  readonly metadata: string | undefined
  readonly input: string | undefined
  readonly output: string | undefined
  readonly trace: string | undefined

  constructor(snapshot: Snapshot.Snapshot) {
    this.head = snapshot.headText
    this.metadata = snapshot.metadataText
    this.input = content(snapshot.inputText)
    this.output = content(snapshot.outputText)
    this.trace = snapshot.traceText
  }
}

/** Of an event that was read once, and had nothing wrong with it. */
export const readAgain = (source: Source, texts: Texts): ObservationFacts<undefined> => {
  const body = parseObject(texts.head)
  return new ObservationFacts(undefined, source, texts, body, new Reader(body, []))
}

const readContext = (text: string | undefined): Context | undefined => {
  if (text === undefined) return undefined
  const fields = parseObject(text)
  const string = (key: string) => {
    const value = fields[key]
    return typeof value === "string" ? value : undefined
  }
  const boolean = (key: string) => {
    const value = fields[key]
    return typeof value === "boolean" ? value : undefined
  }
  const json = (key: string) => fields[key] === undefined ? undefined : content(JSON.stringify(fields[key]))
  const name = string("name")
  return {
    name: name && take(name, maxTraceName),
    userId: string("userId"),
    sessionId: string("sessionId"),
    tags: isTexts(fields["tags"]) ? fields["tags"] : undefined,
    metadata: metadataOf(fields["metadata"]),
    release: string("release"),
    version: string("version"),
    environment: environmentOf(fields["environment"]),
    isPublic: boolean("public"),
    isAppRoot: boolean("isAppRoot"),
    input: json("input"),
    output: json("output")
  }
}

// -------------------------------------------------------------------------------------
// scores
// -------------------------------------------------------------------------------------

/** The ids of a score, and the metadata keys under which it keeps those it was given. */
const scoreIds = [
  { field: "traceId", original: "originalTraceId", toId: Ids.traceIdOf, isId: W3c.isTraceId },
  { field: "observationId", original: "originalObservationId", toId: Ids.spanIdOf, isId: W3c.isSpanId },
  { field: "executionTraceId", original: "originalExecutionTraceId", toId: Ids.traceIdOf, isId: W3c.isTraceId }
] as const

const readScore = (event: IngestionEvent, snapshot: Snapshot.Snapshot): Unlocated => {
  const body = parseObject(snapshot.headText)
  const foreign = scoreIds.flatMap((each) => {
    const given = body[each.field]
    // What is not a text is the batch endpoint's to refuse.
    return typeof given === "string" && given !== "" && !each.isId(given) ? [{ ...each, given }] : []
  })
  if (foreign.length === 0) {
    const facts: BatchFacts = { _tag: "Batch", event, text: snapshot.json() }
    return { seeds: noSeeds, moreSeeds: noMoreSeeds, locate: () => facts }
  }
  return {
    seeds: foreign.map(({ given }) => given),
    moreSeeds: noMoreSeeds,
    locate: (digests) => {
      const sent: Record<string, string> = {}
      const originals: Record<string, string> = {}
      for (const { field, given, original, toId } of foreign) {
        const id = toId(given, digests)
        if (id === undefined) return noDigests(event)
        sent[field] = id.sent
        originals[original] = given
      }
      const metadata = { ...originals, ...parseMetadata(snapshot.metadataText) }
      const { id, timestamp, type } = snapshot
      const text = JSON.stringify({ id, type, timestamp, body: { ...body, ...sent, metadata } })
      return { _tag: "Batch", event, text }
    }
  }
}
