/**
 * What is traced: one class for each kind, with every field always there in the same order.
 *
 * Classes and not literals: V8 may decide for good that the objects of a literal are made in old space, together with the
 * texts they hold.
 */

/** A recorded value: JSON text, or a string as it was given. */
export class Content {
  readonly text: string
  /** The text is JSON of something that is not a string. */
  readonly isJson: boolean

  constructor(text: string, isJson: boolean) {
    this.text = text
    this.isJson = isJson
  }
}

export type Metadata = ReadonlyMap<string, Content>

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

/** `undefined`: not said; `null`: cleared. */
export type Clearable<A> = A | null | undefined

/** What an event says about its trace. */
export class TraceFields {
  name: Clearable<string> = undefined
  userId: Clearable<string> = undefined
  sessionId: Clearable<string> = undefined
  release: Clearable<string> = undefined
  version: Clearable<string> = undefined
  environment: string | undefined = undefined
  tags: ReadonlyArray<string> | undefined = undefined
  isPublic: boolean | undefined = undefined
  metadata: Metadata | undefined = undefined
  /** Of the trace itself, never those of its root observation. */
  input: Content | undefined = undefined
  output: Content | undefined = undefined
  /** Milliseconds. */
  start: number | undefined = undefined
  /** The observation is where this program's part of the trace begins, below a parent from elsewhere. */
  isAppRoot = false
}

class Base {
  readonly eventId: string
  /** The event's own time, in milliseconds. */
  at: number
  readonly id: string
  /** The memory it takes. */
  bytes = 0

  constructor(eventId: string, at: number, id: string) {
    this.eventId = eventId
    this.at = at
    this.id = id
  }
}

/** Times are milliseconds since 1970, with fractions. */
export class Observation extends Base {
  readonly kind = "observation"
  op: "create" | "update"
  type: ObservationType
  /** Complete: no other event is about it. */
  isWhole: boolean
  traceId: string | undefined = undefined
  parentId: string | undefined = undefined
  name: Clearable<string> = undefined
  level: Clearable<string> = undefined
  statusMessage: Clearable<string> = undefined
  model: Clearable<string> = undefined
  version: Clearable<string> = undefined
  environment: string | undefined = undefined
  start: number | undefined = undefined
  end: number | undefined = undefined
  completionStart: number | undefined = undefined
  input: Content | undefined = undefined
  output: Content | undefined = undefined
  metadata: Metadata | undefined = undefined
  /** JSON of an object. */
  parameters: string | undefined = undefined
  /** JSON of disjoint buckets with their total. */
  usage: string | undefined = undefined
  cost: string | undefined = undefined
  promptName: Clearable<string> = undefined
  promptVersion: Clearable<number> = undefined
  /** Of the program; what `context` says of the trace counts more. */
  release: string | undefined = undefined
  context: TraceFields | undefined = undefined
  /** Fields we do not know, for the batch endpoint: `,"key":value` repeated. */
  extra = ""

  constructor(
    eventId: string,
    at: number,
    id: string,
    op: "create" | "update",
    type: ObservationType,
    isWhole: boolean
  ) {
    super(eventId, at, id)
    this.op = op
    this.type = type
    this.isWhole = isWhole
  }
}

/** A `trace-create`; its id is the trace's. */
export class Trace extends Base {
  readonly kind = "trace"
  fields = new TraceFields()
  /** As for an observation. */
  extra = ""
}

/** A score, a log or a type we do not know. */
export class Plain extends Base {
  readonly kind = "plain"
  readonly type: string
  /** JSON of the whole body. */
  body: string
  /** The trace it belongs to. */
  readonly traceId: string | undefined
  /** Fields of the body that hold ids of traces and observations, to be mapped where those have other ids. */
  readonly ids: ReadonlyArray<readonly [field: string, id: string]>

  constructor(
    eventId: string,
    at: number,
    id: string,
    type: string,
    body: string,
    traceId: string | undefined,
    ids: ReadonlyArray<readonly [field: string, id: string]>
  ) {
    super(eventId, at, id)
    this.type = type
    this.body = body
    this.traceId = traceId
    this.ids = ids
  }
}

export type Item = Observation | Trace | Plain

/** In full, so that no text is made for each event. */
const eventTypes: Readonly<Record<ObservationType, string>> = {
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

export const isObservationType = (type: string): type is ObservationType => Object.hasOwn(eventTypes, type)

export const observationTypes: ReadonlyArray<ObservationType> = Object.keys(eventTypes).filter(isObservationType)

export const eventTypeOfCreate = (type: ObservationType): string => eventTypes[type]

/** The type of the event on the batch endpoint. Only spans and generations have updates; a second create updates the others. */
export const eventTypeOf = (item: Item): string => {
  if (item.kind === "plain") return item.type
  if (item.kind === "trace") return "trace-create"
  if (item.op === "update" && item.type === "span") return "span-update"
  if (item.op === "update" && item.type === "generation") return "generation-update"
  return eventTypes[item.type]
}
