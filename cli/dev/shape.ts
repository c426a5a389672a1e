/**
 * What is stored, in the shapes that the pages and Langfuse's public API have for it.
 */
import { firstWords } from "../../console/model/conversation.js"
import type { Observation, Row, Score, TraceSummary } from "../../console/wire.js"
import type { StoredObservation, StoredScore, StoredTrace } from "../../src/LangfuseServer.js"

/** The write mode `dual` shows a trace that came event by event as a span above its observations. */
export const wasSent = (observation: StoredObservation): boolean => observation.id !== `t-${observation.traceId}`

/** The observations that were sent. */
export const observationsOf = (trace: StoredTrace): ReadonlyArray<StoredObservation> =>
  trace.observations.filter(wasSent)

const parentOf = ({ parentObservationId, traceId }: StoredObservation): string | null =>
  parentObservationId === undefined || parentObservationId === `t-${traceId}` ? null : parentObservationId

export const tokensOf = ({ usageDetails }: StoredObservation): number | undefined => {
  if (typeof usageDetails["total"] === "number") return usageDetails["total"]
  const counts = Object.values(usageDetails)
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0)
}

/** Where spans of instrumentations keep what Langfuse has no field for. */
const attributes = /^(attributes|resourceAttributes|scope)(\.|$)/

const isPlain = (observation: StoredObservation): boolean =>
  observation.type === "SPAN" && observation.input === undefined && observation.output === undefined &&
  observation.model === undefined && Object.keys(observation.usageDetails).length === 0 &&
  Object.keys(observation.metadata).every((key) => attributes.test(key)) &&
  !/^langfuse/.test(scopeOf(observation.metadata))

const scopeOf = (metadata: StoredObservation["metadata"]): string => {
  const scope = metadata["scope"]
  return String(
    metadata["scope.name"] ?? (typeof scope === "object" && scope !== null && "name" in scope ? scope.name : "")
  )
}

/** What a line of the tree and the whole observation both say. */
const shared = (stored: StoredObservation) => ({
  id: stored.id,
  traceId: stored.traceId,
  parentObservationId: parentOf(stored),
  type: stored.type,
  name: stored.name ?? null,
  startTime: stored.startTime,
  endTime: stored.endTime ?? null,
  completionStartTime: stored.completionStartTime ?? null,
  level: stored.level,
  statusMessage: stored.statusMessage ?? null,
  model: stored.model ?? null,
  totalCost: stored.totalCost ?? null
})

export const row = (observation: StoredObservation): Omit<Row, "revision"> => ({
  ...shared(observation),
  tokens: tokensOf(observation) ?? null,
  isPlain: isPlain(observation)
})

export const asText = (value: unknown): string | null => {
  if (value === undefined || value === null) return null
  if (typeof value === "string") return value
  try {
    return JSON.stringify(value)
  } catch {
    return "(nested too deeply to be written as text)"
  }
}

const seconds = (from: string, to: string | undefined): number | null =>
  to === undefined ? null : (Date.parse(to) - Date.parse(from)) / 1000

export const observation = (stored: StoredObservation): Observation => ({
  ...shared(stored),
  version: stored.version ?? null,
  release: stored.release ?? null,
  environment: stored.environment,
  userId: stored.userId ?? null,
  sessionId: stored.sessionId ?? null,
  tags: stored.tags,
  traceName: stored.traceName ?? null,
  modelParameters: stored.modelParameters ?? null,
  usageDetails: stored.usageDetails,
  costDetails: stored.costDetails,
  promptName: stored.promptName ?? null,
  promptVersion: stored.promptVersion ?? null,
  input: asText(stored.input),
  output: asText(stored.output),
  metadata: stored.metadata,
  latency: seconds(stored.startTime, stored.endTime),
  timeToFirstToken: seconds(stored.startTime, stored.completionStartTime)
})

const valueOf = (score: StoredScore): Score["value"] => {
  switch (score.dataType) {
    case "NUMERIC":
      return score.value ?? 0
    case "BOOLEAN":
      return score.value === 1
    case "CORRECTION":
      return score.longStringValue ?? score.stringValue ?? ""
    default:
      return score.stringValue ?? ""
  }
}

const subjectOf = (score: StoredScore): Score["subject"] => {
  if (score.observationId !== undefined) {
    const { observationId: id, traceId } = score
    return traceId === undefined ? { kind: "observation", id } : { kind: "observation", id, traceId }
  }
  if (score.traceId !== undefined) return { kind: "trace", id: score.traceId }
  if (score.sessionId !== undefined) return { kind: "session", id: score.sessionId }
  return { kind: "experiment", id: score.datasetRunId ?? "" }
}

export const score = (stored: StoredScore): Required<Score> & { readonly subject: NonNullable<Score["subject"]> } => ({
  id: stored.id,
  name: stored.name,
  dataType: stored.dataType,
  value: valueOf(stored),
  source: stored.source,
  timestamp: stored.timestamp,
  environment: stored.environment,
  comment: stored.comment ?? null,
  metadata: stored.metadata,
  subject: subjectOf(stored) ?? { kind: "experiment", id: "" }
})

const count = <A>(items: ReadonlyArray<A>, test: (item: A) => boolean): number =>
  items.reduce((sum, item) => test(item) ? sum + 1 : sum, 0)

const sum = (values: ReadonlyArray<number | undefined>): number | undefined =>
  values.reduce((total, value) => value === undefined ? total : (total ?? 0) + value, undefined)

const durationOf = (observations: ReadonlyArray<StoredObservation>): number | undefined => {
  let first = Infinity
  let last = -Infinity
  for (const { endTime, startTime } of observations) {
    first = Math.min(first, Date.parse(startTime))
    last = Math.max(last, Date.parse(endTime ?? startTime))
  }
  return last >= first ? last - first : undefined
}

/** What was asked of the whole trace, or else of the first model in it. */
const asked = (trace: StoredTrace, observations: ReadonlyArray<StoredObservation>): string | undefined =>
  firstWords(trace.input) ?? firstWords(observations.find(({ type }) => type === "GENERATION")?.input)

export const summary = (trace: StoredTrace): Omit<TraceSummary, "revision"> => {
  const observations = observationsOf(trace)
  return {
    id: trace.id,
    name: trace.name,
    timestamp: trace.timestamp,
    userId: trace.userId,
    sessionId: trace.sessionId,
    tags: trace.tags,
    environment: trace.environment,
    release: trace.release,
    version: trace.version,
    public: trace.public,
    duration: durationOf(observations),
    observations: observations.length,
    generations: count(observations, ({ type }) => type === "GENERATION"),
    tools: count(observations, ({ type }) => type === "TOOL"),
    errors: count(observations, ({ level }) => level === "ERROR"),
    warnings: count(observations, ({ level }) => level === "WARNING"),
    open: count(observations, ({ endTime, type }) => endTime === undefined && type !== "EVENT"),
    tokens: sum(observations.map(tokensOf)),
    cost: trace.totalCost,
    scores: trace.scores.length,
    models: [...new Set(observations.flatMap(({ model }) => model ?? []))].slice(0, 5),
    preview: asked(trace, observations)
  }
}
