/**
 * The events of the batch endpoint as a server of some version reads them: which types there are, which fields each of
 * them keeps, and what is refused.
 */
import type { Dialect } from "./dialect.js"
import * as Environment from "./environment.js"
import type { ObservationType } from "./model.js"
import { type ScoreBody, scoreBody } from "./scoreBody.js"
import * as Usage from "./usage.js"
import * as V from "./validation.js"

const text = V.nullish(V.string())
const time = V.nullish(V.datetime)

const traceBody = ({ environments, limitsIds, limitsTraceNames }: Dialect) =>
  V.object({
    id: V.nullish(limitsIds ? V.id : V.string()),
    timestamp: time,
    name: V.nullish(V.string(limitsTraceNames ? { max: 1000 } : {})),
    externalId: text,
    input: V.any,
    output: V.any,
    sessionId: text,
    userId: text,
    environment: Environment.field(environments),
    metadata: V.any,
    release: text,
    version: text,
    public: V.nullish(V.boolean),
    tags: V.nullish(V.array(V.string()))
  })

export type TraceBody = V.Output<ReturnType<typeof traceBody>>

const scalar = V.union(V.string(), V.number, V.boolean)

const modelParameter = V.nullish(V.union(V.string(), V.number, V.boolean, V.array(V.string()), V.record(V.string())))

const base = ({ environments, limitsIds }: Dialect) => ({
  id: limitsIds ? V.id : V.string({ min: 1 }),
  traceId: V.nullish(limitsIds ? V.id : V.string()),
  environment: Environment.field(environments),
  name: text,
  startTime: time,
  metadata: V.any,
  input: V.any,
  output: V.any,
  level: V.nullish(V.literals("DEBUG", "DEFAULT", "WARNING", "ERROR")),
  statusMessage: text,
  parentObservationId: text,
  version: text
})

const modelFields = (dialect: Dialect) => ({
  endTime: time,
  completionStartTime: time,
  model: text,
  usage: V.nullish(Usage.usage),
  usageDetails: V.nullish(Usage.usageDetails(dialect)),
  costDetails: V.nullish(Usage.costDetails(dialect))
})

const generationBody = (dialect: Dialect) =>
  V.refine(
    V.object({
      ...base(dialect),
      ...modelFields(dialect),
      modelParameters: V.nullish(V.record(modelParameter)),
      promptName: text,
      promptVersion: V.nullish(V.int)
    }),
    (body) =>
      Boolean(body.promptName) === Boolean(body.promptVersion)
        ? undefined
        : V.custom("promptName and promptVersion belong together")
  )

const legacyObservationBody = (dialect: Dialect) =>
  V.object({
    ...base(dialect),
    ...modelFields(dialect),
    id: V.nullish(base(dialect).id),
    type: V.literals("GENERATION", "SPAN", "EVENT"),
    environment: () => "default",
    modelParameters: V.nullish(V.record(V.nullish(scalar)))
  })

/** What any of the observation events can carry; each type keeps only its own part. */
export interface ObservationBody {
  readonly id?: string | null | undefined
  readonly traceId?: string | null | undefined
  readonly environment: string
  readonly name?: string | null | undefined
  readonly startTime?: string | null | undefined
  readonly endTime?: string | null | undefined
  readonly completionStartTime?: string | null | undefined
  readonly metadata?: unknown
  readonly input?: unknown
  readonly output?: unknown
  readonly level?: "DEBUG" | "DEFAULT" | "WARNING" | "ERROR" | null | undefined
  readonly statusMessage?: string | null | undefined
  readonly parentObservationId?: string | null | undefined
  readonly version?: string | null | undefined
  readonly model?: string | null | undefined
  readonly modelParameters?: { readonly [name: string]: unknown } | null | undefined
  readonly usage?: Usage.Usage | null | undefined
  readonly usageDetails?: Usage.Counts | null | undefined
  readonly costDetails?: Usage.Counts | null | undefined
  readonly promptName?: string | null | undefined
  readonly promptVersion?: number | null | undefined
}

const logBody = V.object({
  id: V.nullish(V.string()),
  log: (value, path, issues) => {
    if (value !== undefined && value !== null) return value
    issues.push({ code: "invalid_union", errors: [], path, message: "Invalid input" })
    return V.invalid
  }
})

/** An event that passed validation; `at` is its timestamp in epoch milliseconds. */
export type Event =
  & { readonly id: string; readonly type: string; readonly at: number }
  & (
    | { readonly entity: "trace"; readonly body: TraceBody }
    | { readonly entity: "observation"; readonly observation: ObservationType; readonly body: ObservationBody }
    | { readonly entity: "score"; readonly body: ScoreBody }
    | { readonly entity: "log"; readonly log: unknown }
  )

export type EventOf<Entity> = Extract<Event, { readonly entity: Entity }>

interface Head {
  readonly id: string
  readonly type: string
  readonly at: number
}

const withBody = <A, E extends Event>(
  dialect: Dialect,
  body: V.Parser<A>,
  make: (head: Head, body: A) => E
): V.Parser<Event> =>
  V.map(
    V.object({ id: dialect.limitsIds ? V.id : V.string(), timestamp: V.datetime, type: V.string(), body }),
    ({ body, id, timestamp, type }) => make({ id, type, at: Date.parse(timestamp) }, body)
  )

const datasetRunItemBody = V.object({
  id: V.nullish(V.id),
  traceId: V.string(),
  observationId: text,
  error: text,
  createdAt: time,
  datasetId: V.string(),
  runId: V.string(),
  datasetItemId: V.string()
})

/** Never taken from outside. */
const datasetRunItem: V.Parser<never> = (value, path, issues) => {
  const envelope = V.object({ id: V.id, timestamp: V.datetime, type: V.string(), body: datasetRunItemBody })
  if (envelope(value, path, issues) !== V.invalid) {
    issues.push(V.custom("Dataset run item creation is only allowed for internal usage", path))
  }
  return V.invalid
}

const parsersOf = (dialect: Dialect): ReadonlyMap<unknown, V.Parser<Event>> => {
  const observed = (observation: ObservationType, body: V.Parser<ObservationBody>) =>
    withBody(dialect, body, (head, body) => ({ ...head, entity: "observation", observation, body }))
  const legacy = withBody(
    dialect,
    legacyObservationBody(dialect),
    (head, body) => ({ ...head, entity: "observation", observation: body.type, body })
  )
  const generation = generationBody(dialect)
  const span = V.object({ ...base(dialect), endTime: time })
  const agents = ["AGENT", "TOOL", "CHAIN", "RETRIEVER", "EVALUATOR", "EMBEDDING", "GUARDRAIL"] as const
  return new Map<unknown, V.Parser<Event>>([
    ["trace-create", withBody(dialect, traceBody(dialect), (head, body) => ({ ...head, entity: "trace", body }))],
    ["score-create", withBody(dialect, scoreBody(dialect), (head, body) => ({ ...head, entity: "score", body }))],
    ["event-create", observed("EVENT", V.object(base(dialect)))],
    ["span-create", observed("SPAN", span)],
    ["span-update", observed("SPAN", span)],
    ["generation-create", observed("GENERATION", generation)],
    ["generation-update", observed("GENERATION", generation)],
    ...(dialect.hasAgentTypes
      ? agents.map((type) => [`${type.toLowerCase()}-create`, observed(type, generation)] as const)
      : []),
    ["observation-create", legacy],
    ["observation-update", legacy],
    ["sdk-log", withBody(dialect, logBody, (head, body) => ({ ...head, entity: "log", log: body.log }))],
    // With the limits of ids came dataset runs.
    ...(dialect.limitsIds ? [["dataset-run-item-create", datasetRunItem] as const] : [])
  ])
}

/** One element of a `batch`. */
export const eventParser = (dialect: Dialect): V.Parser<Event> => {
  const parsers = parsersOf(dialect)
  return V.discriminated("type", (type) => parsers.get(type))
}

/** Updates are processed after everything else, each group in the order of its timestamps. */
export const processingOrder = (events: ReadonlyArray<Event>): ReadonlyArray<Event> => {
  const isUpdate = (event: Event) => event.type.endsWith("-update")
  const inTime = (group: ReadonlyArray<Event>) => [...group].sort((a, b) => a.at - b.at)
  return [...inTime(events.filter((event) => !isUpdate(event))), ...inTime(events.filter(isUpdate))]
}
