/**
 * The events of Langfuse's batch endpoint as its server reads them: which types there are, which fields each of them
 * keeps, and what is refused.
 */
import type { ObservationType } from "./model.js"
import * as Usage from "./usage.js"
import * as V from "./validation.js"

/** Never an error: whatever is not an environment's name is `default`. */
export const environment = (value: unknown): string => {
  if (typeof value !== "string") return "default"
  let name = value.toLowerCase()
  while (name.startsWith("langfuse")) name = name.slice("langfuse".length).replace(/^[-_]/, "")
  name = name.slice(0, 40)
  return /^[a-z0-9-_]+$/.test(name) ? name : "default"
}

const environmentField: V.Parser<string> = environment

const text = V.nullish(V.string())
const time = V.nullish(V.datetime)

const traceBody = V.object({
  id: V.nullish(V.id),
  timestamp: time,
  name: V.nullish(V.string({ max: 1000 })),
  externalId: text,
  input: V.any,
  output: V.any,
  sessionId: text,
  userId: text,
  environment: environmentField,
  metadata: V.any,
  release: text,
  version: text,
  public: V.nullish(V.boolean),
  tags: V.nullish(V.array(V.string()))
})

export type TraceBody = V.Output<typeof traceBody>

const level = V.nullish(V.literals("DEBUG", "DEFAULT", "WARNING", "ERROR"))

const base = {
  id: V.id,
  traceId: V.nullish(V.id),
  environment: environmentField,
  name: text,
  startTime: time,
  metadata: V.any,
  input: V.any,
  output: V.any,
  level,
  statusMessage: text,
  parentObservationId: text,
  version: text
}

const scalar = V.union(V.string(), V.number, V.boolean)

const modelParameter = V.nullish(V.union(scalar, V.array(V.string()), V.record(V.string())))

const modelFields = {
  endTime: time,
  completionStartTime: time,
  model: text,
  usage: V.nullish(Usage.usage),
  usageDetails: V.nullish(Usage.usageDetails),
  costDetails: V.nullish(Usage.costDetails)
}

const eventBody = V.object(base)

const spanBody = V.object({ ...base, endTime: time })

const generationBody = V.refine(
  V.object({
    ...base,
    ...modelFields,
    modelParameters: V.nullish(V.record(modelParameter)),
    promptName: text,
    promptVersion: V.nullish(V.int)
  }),
  (body) =>
    Boolean(body.promptName) === Boolean(body.promptVersion)
      ? undefined
      : V.custom("Both promptName and promptVersion must be provided or neither must be provided.")
)

const legacyObservationBody = V.object({
  ...base,
  ...modelFields,
  id: V.nullish(V.id),
  type: V.literals("GENERATION", "SPAN", "EVENT"),
  environment: V.map(V.any, () => "default"),
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
  readonly modelParameters?: V.Json | null | undefined
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
    issues.push(V.custom("Invalid input", path))
    return V.invalid
  }
})

const scoreTarget = {
  traceId: text,
  sessionId: text,
  datasetRunId: text,
  observationId: text,
  comment: text,
  queueId: text,
  metadata: V.any,
  configId: text
}

const scoreName = V.string({ min: 1 })

/** Fields of a score, without those in which the two endpoints that take scores differ. */
const scoreFields = <Value, Type extends V.Parser<string | undefined>>(dataType: Type, value: V.Parser<Value>) => ({
  ...scoreTarget,
  name: scoreName,
  dataType,
  value
})

const zeroOrOne: V.Parser<number> = V.refine(
  V.number,
  (value) =>
    value === 0 || value === 1
      ? undefined
      : V.custom("Value must be a number equal to either 0 or 1 for data type BOOLEAN")
)

const noConfig: V.Parser<null | undefined> = (value, path, issues) => {
  if (value === undefined || value === null) return value
  issues.push(V.custom("configId is not supported for CORRECTION scores", path))
  return V.invalid
}

const fieldsByType = {
  untyped: scoreFields(
    V.map(V.any, () => undefined),
    V.union<readonly [V.Parser<string | number>, V.Parser<number>]>(V.string(), V.number)
  ),
  NUMERIC: scoreFields(V.literals("NUMERIC"), V.number),
  BOOLEAN: scoreFields(V.literals("BOOLEAN"), zeroOrOne),
  CATEGORICAL: scoreFields(V.literals("CATEGORICAL"), V.string()),
  TEXT: scoreFields(V.literals("TEXT"), V.string({ min: 1, max: 500 })),
  CORRECTION: {
    ...scoreFields(V.literals("CORRECTION"), V.string()),
    name: V.map(V.any, () => "output"),
    configId: noConfig
  }
}

export type ScoreDataType = "NUMERIC" | "BOOLEAN" | "CATEGORICAL" | "TEXT" | "CORRECTION"

export type ScoreSource = "API" | "EVAL" | "ANNOTATION"

export interface ScoreBody {
  readonly id?: string | null | undefined
  readonly name: string
  readonly value: string | number
  readonly dataType?: ScoreDataType | undefined
  readonly traceId?: string | null | undefined
  readonly sessionId?: string | null | undefined
  readonly datasetRunId?: string | null | undefined
  readonly observationId?: string | null | undefined
  readonly comment?: string | null | undefined
  readonly queueId?: string | null | undefined
  readonly executionTraceId?: string | null | undefined
  readonly metadata?: unknown
  readonly configId?: string | null | undefined
  readonly environment: string
  readonly source: ScoreSource
}

/** Absence is decided by truthiness, so an empty text is no target. */
const oneTarget = (score: ScoreBody): V.Issue | undefined => {
  const targets = [score.traceId, score.sessionId, score.datasetRunId].filter(Boolean).length
  if (targets === 1 && (!score.observationId || score.traceId)) return undefined
  return V.custom(
    "Provide exactly one of the following: traceId (optionally with observationId), sessionId or datasetRunId."
  )
}

type ScoreExtras = {
  readonly id: V.Parser<string | null | undefined>
  readonly environment: V.Parser<string>
  readonly source: V.Parser<ScoreSource>
  readonly executionTraceId?: V.Parser<string | null | undefined>
}

const scoreParser = (
  extras: ScoreExtras,
  ...rules: ReadonlyArray<(score: ScoreBody) => V.Issue | undefined>
): V.Parser<ScoreBody> => {
  const parsers: { readonly [Type in keyof typeof fieldsByType]: V.Parser<ScoreBody> } = {
    untyped: V.refine<ScoreBody>(V.object({ ...fieldsByType.untyped, ...extras }), oneTarget, ...rules),
    NUMERIC: V.refine<ScoreBody>(V.object({ ...fieldsByType.NUMERIC, ...extras }), oneTarget, ...rules),
    BOOLEAN: V.refine<ScoreBody>(V.object({ ...fieldsByType.BOOLEAN, ...extras }), oneTarget, ...rules),
    CATEGORICAL: V.refine<ScoreBody>(V.object({ ...fieldsByType.CATEGORICAL, ...extras }), oneTarget, ...rules),
    TEXT: V.refine<ScoreBody>(V.object({ ...fieldsByType.TEXT, ...extras }), oneTarget, ...rules),
    CORRECTION: V.refine<ScoreBody>(V.object({ ...fieldsByType.CORRECTION, ...extras }), oneTarget, ...rules)
  }
  return V.discriminated("dataType", (type) => {
    switch (type) {
      case undefined:
        return parsers.untyped
      case "NUMERIC":
      case "BOOLEAN":
      case "CATEGORICAL":
      case "TEXT":
      case "CORRECTION":
        return parsers[type]
      default:
        return undefined
    }
  })
}

const withDefault = <A>(parser: V.Parser<A>, otherwise: A): V.Parser<A> => (value, path, issues) =>
  value === undefined ? otherwise : parser(value, path, issues)

const ingestedScore = scoreParser({
  id: V.nullish(V.id),
  environment: environmentField,
  source: withDefault(V.literals("API", "EVAL", "ANNOTATION"), "API"),
  executionTraceId: text
})

/** The body of `POST /api/public/scores`, which is a little stricter than a `score-create` event. */
export const postedScore: V.Parser<ScoreBody> = scoreParser(
  {
    id: (value, path, issues) => value === "" ? undefined : V.nullish(V.id)(value, path, issues),
    environment: V.map(withDefault(V.string(), "default"), environment),
    source: withDefault<ScoreSource>(V.literals("API", "ANNOTATION"), "API")
  },
  (score) =>
    score.source === "ANNOTATION" && !score.configId && score.dataType !== "CORRECTION"
      ? V.custom("configId is required for ANNOTATION scores", ["configId"])
      : undefined
)

/** An event that passed validation; `at` is its timestamp in epoch milliseconds. */
export type Event =
  & { readonly id: string; readonly type: string; readonly at: number }
  & (
    | { readonly entity: "trace"; readonly body: TraceBody }
    | { readonly entity: "observation"; readonly observation: ObservationType; readonly body: ObservationBody }
    | { readonly entity: "score"; readonly body: ScoreBody }
    | { readonly entity: "log"; readonly log: unknown }
    | { readonly entity: "dataset-run-item" }
  )

const envelope = { id: V.id, timestamp: V.datetime, type: V.string() }

const withBody = <A>(body: V.Parser<A>, make: (head: Omit<Event, "entity">, body: A) => Event): V.Parser<Event> =>
  V.map(
    V.object({ ...envelope, body }),
    (event) => make({ id: event.id, type: event.type, at: Date.parse(event.timestamp) }, event.body)
  )

const observed = (observation: ObservationType, body: V.Parser<ObservationBody>) =>
  withBody(body, (head, body) => ({ ...head, entity: "observation", observation, body }))

const legacyObservation = withBody(
  legacyObservationBody,
  (head, body) => ({ ...head, entity: "observation", observation: body.type, body })
)

const parsers: ReadonlyMap<unknown, V.Parser<Event>> = new Map<unknown, V.Parser<Event>>([
  ["trace-create", withBody(traceBody, (head, body) => ({ ...head, entity: "trace", body }))],
  ["score-create", withBody(ingestedScore, (head, body) => ({ ...head, entity: "score", body }))],
  ["event-create", observed("EVENT", eventBody)],
  ["span-create", observed("SPAN", spanBody)],
  ["span-update", observed("SPAN", spanBody)],
  ["generation-create", observed("GENERATION", generationBody)],
  ["generation-update", observed("GENERATION", generationBody)],
  ["agent-create", observed("AGENT", generationBody)],
  ["tool-create", observed("TOOL", generationBody)],
  ["chain-create", observed("CHAIN", generationBody)],
  ["retriever-create", observed("RETRIEVER", generationBody)],
  ["evaluator-create", observed("EVALUATOR", generationBody)],
  ["embedding-create", observed("EMBEDDING", generationBody)],
  ["guardrail-create", observed("GUARDRAIL", generationBody)],
  ["observation-create", legacyObservation],
  ["observation-update", legacyObservation],
  ["sdk-log", withBody(logBody, (head, body) => ({ ...head, entity: "log", log: body.log }))],
  ["dataset-run-item-create", withBody(V.any, (head) => ({ ...head, entity: "dataset-run-item" }))]
])

/** One element of a `batch`. */
export const event: V.Parser<Event> = V.discriminated("type", (type) => parsers.get(type))

/** Updates are processed after everything else, each group in the order of its timestamps. */
export const processingOrder = (events: ReadonlyArray<Event>): ReadonlyArray<Event> => {
  const isUpdate = (event: Event) => event.type.endsWith("-update")
  const inTime = (group: ReadonlyArray<Event>) => [...group].sort((a, b) => a.at - b.at)
  return [...inTime(events.filter((event) => !isUpdate(event))), ...inTime(events.filter(isUpdate))]
}
