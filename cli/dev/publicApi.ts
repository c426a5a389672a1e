/**
 * The reading part of Langfuse's public API, as far as `dev` has it: traces, observations (v2) and scores (v3).
 *
 * @see https://langfuse.com/docs/api-and-data-platform/features/observations-api
 */
import type { Observation } from "../../console/wire.js"
import type { StoredObservation, StoredScore, StoredTrace } from "../../src/LangfuseServer.js"
import * as Shape from "./shape.js"

/** A request that cannot be answered, in one sentence. */
export class BadQuery {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

export type Query = URLSearchParams

const projectId = "local"

const numberOf = (query: Query, name: string, fallback: number, most: number): number | BadQuery => {
  const text = query.get(name)
  if (text === null || text === "") return fallback
  const value = Number(text)
  return Number.isInteger(value) && value >= 1 && value <= most
    ? value
    : new BadQuery(`${name} is a whole number from 1 to ${most}`)
}

/** A page of a list, and the cursor of the next one: the position, in Base64 as Langfuse has it. */
const pageOf = <A>(
  items: ReadonlyArray<A>,
  query: Query,
  most: number
): { readonly page: ReadonlyArray<A>; readonly limit: number; readonly cursor: string | undefined } | BadQuery => {
  const limit = numberOf(query, "limit", 50, most)
  if (typeof limit !== "number") return limit
  const cursor = query.get("cursor")
  const position = cursor === null || cursor === "" ? "0" : Buffer.from(cursor, "base64url").toString("utf8")
  if (!/^\d{1,15}$/.test(position)) return new BadQuery("cursor is one that an earlier answer gave")
  const from = Number(position)
  const next = from + limit
  return {
    page: items.slice(from, next),
    limit,
    cursor: next < items.length ? Buffer.from(String(next), "utf8").toString("base64url") : undefined
  }
}

const timeOf = (query: Query, name: string, otherwise: number): number | BadQuery => {
  const text = query.get(name)
  if (text === null || text === "") return otherwise
  const time = Date.parse(text)
  return Number.isNaN(time) ? new BadQuery(`${name} is an ISO 8601 date and time`) : time
}

const groups = ["core", "basic", "time", "io", "metadata", "model", "usage", "prompt", "metrics", "trace_context"]

const cut = (value: unknown): unknown => {
  const text = Shape.asText(value) ?? ""
  return text.length > 200 ? text.slice(0, 200) : value
}

/** The fields of an observation that were asked for. */
const select = (
  stored: StoredObservation,
  wanted: ReadonlySet<string>,
  expanded: ReadonlySet<string>
): { readonly [key: string]: unknown } => {
  const whole = Shape.observation(stored)
  const metadata = () =>
    Object.fromEntries(
      Object.entries(whole.metadata).map(([key, value]) => [
        key,
        expanded.has(key) || expanded.has("*") ? value : cut(value)
      ])
    )
  const pick = (group: string, fields: () => { readonly [key: string]: unknown }) => wanted.has(group) ? fields() : {}
  return {
    id: whole.id,
    traceId: whole.traceId,
    startTime: whole.startTime,
    endTime: whole.endTime,
    projectId,
    parentObservationId: whole.parentObservationId,
    type: whole.type,
    modelId: null,
    inputPrice: null,
    outputPrice: null,
    totalPrice: null,
    ...pick("basic", () => ({
      name: whole.name,
      level: whole.level,
      statusMessage: whole.statusMessage,
      version: whole.version,
      environment: whole.environment,
      bookmarked: false,
      public: stored.public,
      userId: whole.userId,
      sessionId: whole.sessionId,
      isRootObservation: whole.parentObservationId === null || stored.isAppRoot
    })),
    ...pick("time", () => ({
      completionStartTime: whole.completionStartTime,
      createdAt: whole.startTime,
      updatedAt: whole.endTime ?? whole.startTime
    })),
    ...pick("io", () => ({ input: whole.input, output: whole.output })),
    ...pick("metadata", () => ({ metadata: metadata() })),
    ...pick("model", () => ({
      model: whole.model,
      internalModelId: null,
      modelParameters: whole.modelParameters
    })),
    ...pick("usage", () => ({
      usageDetails: whole.usageDetails,
      costDetails: whole.costDetails,
      totalCost: whole.totalCost,
      usagePricingTierName: null
    })),
    ...pick("prompt", () => ({
      promptId: null,
      promptName: whole.promptName,
      promptVersion: whole.promptVersion
    })),
    ...pick("metrics", () => ({ latency: whole.latency, timeToFirstToken: whole.timeToFirstToken })),
    ...pick("trace_context", () => ({ tags: whole.tags, release: whole.release, traceName: whole.traceName }))
  }
}

const split = (value: string | null): ReadonlyArray<string> =>
  value === null ? [] : value.split(",").map((item) => item.trim()).filter((item) => item !== "")

type Test = (observation: StoredObservation) => boolean

const equal = (query: Query, name: string, field: (observation: StoredObservation) => unknown): ReadonlyArray<Test> => {
  const value = query.get(name)
  return value === null ? [] : [(observation) => String(field(observation) ?? "") === value]
}

/** One condition of `filter`, for the fields whose values are text, numbers or dates. */
const condition = (value: unknown): Test | BadQuery => {
  if (typeof value !== "object" || value === null) return new BadQuery("filter is a JSON array of conditions")
  const { column, operator, value: wanted }: { column?: unknown; operator?: unknown; value?: unknown } = value
  const read = columns[String(column)]
  if (read === undefined) {
    return new BadQuery(`filter: dev knows the columns ${Object.keys(columns).join(", ")}`)
  }
  const list = Array.isArray(wanted) ? wanted.map(String) : [String(wanted)]
  const compare = (test: (found: number | string, than: number | string) => boolean): Test => (observation) => {
    const found = read(observation)
    if (found === undefined || found === null) return false
    return typeof found === "number" ? test(found, Number(wanted)) : test(String(found), String(wanted))
  }
  switch (operator) {
    case "=":
      return compare((found, than) => found === than)
    case ">":
      return compare((found, than) => found > than)
    case "<":
      return compare((found, than) => found < than)
    case ">=":
      return compare((found, than) => found >= than)
    case "<=":
      return compare((found, than) => found <= than)
    case "contains":
    case "matches":
      return compare((found, than) => String(found).toLowerCase().includes(String(than).toLowerCase()))
    case "does not contain":
      return compare((found, than) => !String(found).includes(String(than)))
    case "starts with":
      return compare((found, than) => String(found).startsWith(String(than)))
    case "ends with":
      return compare((found, than) => String(found).endsWith(String(than)))
    case "any of":
      return (observation) => list.includes(String(read(observation)))
    case "none of":
      return (observation) => !list.includes(String(read(observation)))
    case "is null":
      return (observation) => (read(observation) ?? null) === null
    case "is not null":
      return (observation) => (read(observation) ?? null) !== null
    default:
      return new BadQuery("filter: dev knows no such operator")
  }
}

const columns: { readonly [name: string]: (observation: StoredObservation) => unknown } = {
  id: ({ id }) => id,
  type: ({ type }) => type,
  name: ({ name }) => name,
  traceId: ({ traceId }) => traceId,
  startTime: ({ startTime }) => startTime,
  endTime: ({ endTime }) => endTime,
  environment: ({ environment }) => environment,
  level: ({ level }) => level,
  statusMessage: ({ statusMessage }) => statusMessage,
  version: ({ version }) => version,
  userId: ({ userId }) => userId,
  sessionId: ({ sessionId }) => sessionId,
  traceName: ({ traceName }) => traceName,
  model: ({ model }) => model,
  promptName: ({ promptName }) => promptName,
  promptVersion: ({ promptVersion }) => promptVersion,
  totalCost: ({ totalCost }) => totalCost,
  totalTokens: (observation) => Shape.tokensOf(observation),
  latency: (observation) => Shape.observation(observation).latency,
  input: ({ input }) => Shape.asText(input),
  output: ({ output }) => Shape.asText(output)
}

const testsOf = (query: Query): ReadonlyArray<Test> | BadQuery => {
  const filter = query.get("filter")
  if (filter !== null && filter !== "") {
    try {
      const conditions: unknown = JSON.parse(filter)
      if (!Array.isArray(conditions)) return new BadQuery("filter is a JSON array of conditions")
      const tests = conditions.map(condition)
      const bad = tests.find((test) => test instanceof BadQuery)
      if (bad !== undefined) return bad
      return tests.filter((test) => typeof test === "function")
    } catch {
      return new BadQuery("filter is a JSON array of conditions")
    }
  }
  const from = timeOf(query, "fromStartTime", -Infinity)
  const to = timeOf(query, "toStartTime", Infinity)
  if (typeof from !== "number") return from
  if (typeof to !== "number") return to
  const environments = query.getAll("environment")
  const isRoot = query.get("isRootObservation")
  return [
    ...equal(query, "name", ({ name }) => name),
    ...equal(query, "userId", ({ userId }) => userId),
    ...equal(query, "sessionId", ({ sessionId }) => sessionId),
    ...equal(query, "type", ({ type }) => type),
    ...equal(query, "level", ({ level }) => level),
    ...equal(query, "version", ({ version }) => version),
    ...equal(query, "parentObservationId", (observation) => Shape.observation(observation).parentObservationId),
    ...(environments.length === 0 ? [] : [({ environment }: StoredObservation) => environments.includes(environment)]),
    ...(isRoot === null ?
      [] :
      [(observation: StoredObservation) =>
        (Shape.observation(observation).parentObservationId === null || observation.isAppRoot) ===
          (isRoot === "true")]),
    ({ startTime }) => Date.parse(startTime) >= from && Date.parse(startTime) < to
  ]
}

/** `GET /api/public/v2/observations`; the newest first, as Langfuse has it. */
export const observations = (all: ReadonlyArray<StoredObservation>, query: Query): unknown | BadQuery => {
  const wanted = new Set(split(query.get("fields") ?? "core,basic"))
  const unknown = [...wanted].find((group) => !groups.includes(group))
  if (unknown !== undefined) return new BadQuery(`fields are among ${groups.join(", ")}`)
  if (query.get("parseIoAsJson") === "true") return new BadQuery("parseIoAsJson is gone: input and output are text")
  const tests = testsOf(query)
  if (tests instanceof BadQuery) return tests
  const found = all.filter((observation) => tests.every((test) => test(observation)))
    .sort((a, b) => Date.parse(b.startTime) - Date.parse(a.startTime))
  const page = pageOf(found, query, 1_000)
  if (page instanceof BadQuery) return page
  const expanded = new Set(split(query.get("expandMetadata")))
  return {
    data: page.page.map((observation) => select(observation, wanted, expanded)),
    meta: page.cursor === undefined ? {} : { cursor: page.cursor }
  }
}

/** `GET /api/public/v3/scores` */
export const scores = (all: ReadonlyArray<StoredScore>, query: Query): unknown | BadQuery => {
  const wanted = new Set(split(query.get("fields")))
  if ([...wanted].some((group) => !["details", "subject", "annotation"].includes(group))) {
    return new BadQuery("fields are among details, subject, annotation")
  }
  if (query.has("observationId") && !query.has("traceId")) return new BadQuery("observationId needs traceId")
  const filters: ReadonlyArray<readonly [string, (score: StoredScore) => string | undefined]> = [
    ["id", ({ id }) => id],
    ["name", ({ name }) => name],
    ["source", ({ source }) => source],
    ["dataType", ({ dataType }) => dataType],
    ["environment", ({ environment }) => environment],
    ["configId", ({ configId }) => configId],
    ["queueId", ({ queueId }) => queueId],
    ["traceId", ({ traceId }) => traceId],
    ["sessionId", ({ sessionId }) => sessionId],
    ["observationId", ({ observationId }) => observationId],
    ["experimentId", ({ datasetRunId }) => datasetRunId]
  ]
  const from = timeOf(query, "fromTimestamp", -Infinity)
  const to = timeOf(query, "toTimestamp", Infinity)
  if (typeof from !== "number") return from
  if (typeof to !== "number") return to
  const found = all.filter((score) =>
    Date.parse(score.timestamp) >= from && Date.parse(score.timestamp) < to &&
    filters.every(([name, field]) => !query.has(name) || split(query.get(name)).includes(field(score) ?? ""))
  )
  const page = pageOf(found, query, 100)
  if (page instanceof BadQuery) return page
  return {
    data: page.page.map((stored) => {
      const { comment, metadata, subject, ...core } = Shape.score(stored)
      return {
        ...core,
        projectId,
        createdAt: core.timestamp,
        updatedAt: core.timestamp,
        ...(wanted.has("details") ? { comment, configId: stored.configId ?? null, metadata } : {}),
        ...(wanted.has("subject") ? { subject } : {}),
        ...(wanted.has("annotation") ? { authorUserId: null, queueId: stored.queueId ?? null } : {})
      }
    }),
    meta: { limit: page.limit, ...(page.cursor === undefined ? {} : { cursor: page.cursor }) }
  }
}

const traceCore = (trace: StoredTrace) => {
  const { duration } = Shape.summary(trace)
  return {
    id: trace.id,
    timestamp: trace.timestamp,
    name: trace.name ?? null,
    input: trace.input ?? null,
    output: trace.output ?? null,
    sessionId: trace.sessionId ?? null,
    release: trace.release ?? null,
    version: trace.version ?? null,
    userId: trace.userId ?? null,
    metadata: trace.metadata,
    tags: trace.tags,
    public: trace.public,
    environment: trace.environment,
    bookmarked: false,
    projectId,
    createdAt: trace.timestamp,
    updatedAt: trace.timestamp,
    htmlPath: `/traces/${encodeURIComponent(trace.id)}`,
    latency: duration === undefined ? null : duration / 1000,
    totalCost: trace.totalCost ?? 0
  }
}

/** What the older endpoints call an observation: contents are values, not text. */
const view = (stored: StoredObservation) => {
  const whole: Observation = Shape.observation(stored)
  return {
    ...whole,
    projectId,
    input: stored.input ?? null,
    output: stored.output ?? null,
    createdAt: whole.startTime,
    updatedAt: whole.endTime ?? whole.startTime
  }
}

/** `GET /api/public/traces/ID` */
export const trace = (stored: StoredTrace): { readonly [key: string]: unknown } => ({
  ...traceCore(stored),
  observations: Shape.observationsOf(stored).map(view),
  scores: stored.scores.map((score) => {
    const { subject: _, ...shown } = Shape.score(score)
    return {
      ...shown,
      traceId: stored.id,
      observationId: score.observationId ?? null,
      projectId,
      createdAt: shown.timestamp,
      updatedAt: shown.timestamp
    }
  })
})

/** `GET /api/public/traces`; the newest first. */
export const traces = (all: ReadonlyArray<StoredTrace>, query: Query): unknown | BadQuery => {
  const limit = numberOf(query, "limit", 50, 100)
  const page = numberOf(query, "page", 1, 1_000_000)
  const from = timeOf(query, "fromTimestamp", -Infinity)
  const to = timeOf(query, "toTimestamp", Infinity)
  if (typeof limit !== "number") return limit
  if (typeof page !== "number") return page
  if (typeof from !== "number") return from
  if (typeof to !== "number") return to
  const order = query.get("orderBy") ?? "timestamp.desc"
  if (!/^timestamp\.(asc|desc)$/i.test(order)) return new BadQuery("orderBy is timestamp.asc or timestamp.desc")
  const is = (name: string, value: string | undefined) => !query.has(name) || query.get(name) === value
  const environments = query.getAll("environment")
  const tags = query.getAll("tags")
  const found = all.filter((trace) =>
    is("userId", trace.userId) && is("name", trace.name) && is("sessionId", trace.sessionId) &&
    is("version", trace.version) && is("release", trace.release) &&
    (environments.length === 0 || environments.includes(trace.environment)) &&
    tags.every((tag) => trace.tags.includes(tag)) &&
    Date.parse(trace.timestamp) >= from && Date.parse(trace.timestamp) < to
  ).sort((a, b) => (/asc$/i.test(order) ? 1 : -1) * (Date.parse(a.timestamp) - Date.parse(b.timestamp)))
  const groups = new Set(split(query.get("fields") ?? "core,io,scores,observations,metrics"))
  return {
    data: found.slice((page - 1) * limit, page * limit).map((trace) => {
      const { input, latency, metadata, output, totalCost, ...core } = traceCore(trace)
      return {
        ...core,
        ...(groups.has("io") ? { input, output, metadata } : {}),
        observations: groups.has("observations") ? Shape.observationsOf(trace).map(({ id }) => id) : [],
        scores: groups.has("scores") ? trace.scores.map(({ id }) => id) : [],
        totalCost: groups.has("metrics") ? totalCost : -1,
        latency: groups.has("metrics") ? latency : -1
      }
    }),
    meta: { page, limit, totalItems: found.length, totalPages: Math.ceil(found.length / limit) }
  }
}
