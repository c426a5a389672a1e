/** From what a program says to an event that Langfuse takes: in one pass fields are checked, and times become text. */
import * as Either from "effect/Either"
import { type Fields, isFields, type MutableFields } from "../core/item/object.js"
import type { EventOptions } from "../IngestionEvent.js"
import { InvalidEventError } from "../LangfuseError.js"
import { fromMillis, toIso } from "./datetime.js"
import * as Rules from "./eventRules.js"
import type { Issue, Rule } from "./eventRules.js"
import type { Ids } from "./idGenerator.js"

// ---------------------------------------------------------------------------------------------------------------------
// issues
// ---------------------------------------------------------------------------------------------------------------------

const maxIssues = 20
const maxKey = 60

const short = (key: string): string => key.length > maxKey ? `${key.slice(0, maxKey)}…` : key

class Issues {
  count = 0
  /** The path of the object being checked, with its last dot. */
  path = ""
  private readonly lines: Array<string> = []

  add(field: string, message: string): undefined {
    this.count += 1
    if (this.count <= maxIssues) this.lines.push(`${this.path}${field}: ${message}`)
    return undefined
  }

  addAll(prefix: string, issues: ReadonlyArray<Issue>): void {
    for (const [key, message] of issues) this.add(`${prefix}${short(key)}`, message)
  }

  /** Checks the fields of a field. */
  within<A>(field: string, check: () => A): A {
    const { path } = this
    this.path = `${path}${field}.`
    try {
      return check()
    } finally {
      this.path = path
    }
  }

  /** One line for each broken rule, such as `body.level: expected one of DEBUG, DEFAULT, WARNING, ERROR`. Never a value. */
  all(): ReadonlyArray<string> {
    return this.count <= maxIssues ? this.lines : [...this.lines, `and ${this.count - maxIssues} more`]
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// fields
// ---------------------------------------------------------------------------------------------------------------------

/** What becomes of the value of a field. */
type Check = (value: unknown, field: string, issues: Issues) => unknown

const checked = ({ accepts, description }: Rule<unknown>): Check => (value, field, issues) =>
  accepts(value) ? value : issues.add(field, `expected ${description}`)

const anything: Check = (value) => value

const time: Check = (value, field, issues) =>
  toIso(value) ?? issues.add(field, `expected ${Rules.timestamp.description}`)

const texts: Check = (value, field, issues) => {
  if (!Array.isArray(value)) return issues.add(field, "expected a list")
  // Not `forEach`, which passes over holes.
  for (let i = 0; i < value.length; i++) {
    if (!Rules.text.accepts(value[i])) issues.add(`${field}[${i}]`, `expected ${Rules.text.description}`)
  }
  return value
}

/** By assignment, as the schemas' parser copies, this key would become the prototype of the copy. */
const prototypeKey = "__proto__"

/** JSON has no word for undefined, and Langfuse none for a bucket or parameter of it. */
const defined = (fields: Fields): MutableFields => {
  const out: MutableFields = {}
  for (const key of Object.keys(fields)) {
    if (key !== prototypeKey && fields[key] !== undefined) out[key] = fields[key]
  }
  return out
}

const map =
  (check: (fields: MutableFields, field: string, issues: Issues) => void): Check => (value, field, issues) => {
    if (!isFields(value)) return issues.add(field, "expected an object")
    const out = defined(value)
    check(out, field, issues)
    return out
  }

const parameters = map((parameters, field, issues) => {
  for (const key of Object.keys(parameters)) {
    const value = parameters[key]
    if (!Rules.parameter.accepts(value)) issues.add(`${field}.${short(key)}`, `expected ${Rules.parameter.description}`)
    else if (isFields(value) && Object.hasOwn(value, prototypeKey)) parameters[key] = defined(value)
  }
})

const usageDetails = map((usage, field, issues) => issues.addAll(`${field}.`, Rules.usageDetailsIssues(usage)))

/** Langfuse has no sum of buckets other than `input` and `output` without a `total`. */
const costDetails = map((costs, field, issues) => {
  let sum: number | undefined
  for (const key of Object.keys(costs)) {
    const cost = costs[key]
    if (Rules.cost.accepts(cost)) sum = (sum ?? 0) + cost
    else issues.add(`${field}.${short(key)}`, `expected ${Rules.cost.description}`)
  }
  if (sum !== undefined && Number.isFinite(sum)) costs.total ??= sum
})

interface Shape {
  readonly owner: string
  /** Whether fields may be null, which is like absent or clears what was there. */
  readonly isNullable: boolean
  readonly checks: ReadonlyMap<string, Check>
}

const shape = (owner: string, isNullable: boolean, checks: { readonly [field: string]: Check }): Shape => ({
  owner,
  isNullable,
  checks: new Map(Object.entries(checks))
})

/** Checks all fields but those that are undefined. */
const checkAll = ({ checks, isNullable, owner }: Shape, given: Fields, issues: Issues): MutableFields => {
  const out: MutableFields = {}
  for (const key of Object.keys(given)) {
    try {
      const value = given[key]
      if (value === undefined) continue
      const check = checks.get(key)
      if (check === undefined) issues.add(short(key), `not a field of ${owner}, Langfuse would drop it`)
      else out[key] = value === null && isNullable ? null : check(value, key, issues)
    } catch {
      // A getter threw. The field is there, and is not missing.
      out[key] = issues.add(short(key), "cannot be read")
    }
  }
  return out
}

const legacyUsage = shape("usage", true, {
  input: checked(Rules.int),
  output: checked(Rules.int),
  total: checked(Rules.int),
  unit: checked(Rules.unit),
  inputCost: checked(Rules.finite),
  outputCost: checked(Rules.finite),
  totalCost: checked(Rules.finite),
  promptTokens: checked(Rules.int),
  completionTokens: checked(Rules.int),
  totalTokens: checked(Rules.int)
})

const usage: Check = (value, field, issues) => {
  if (!isFields(value)) return issues.add(field, "expected an object")
  const before = issues.count
  const out = issues.within(field, () => checkAll(legacyUsage, value, issues))
  if (issues.count === before) issues.addAll(`${field}.`, Rules.usageIssues(out))
  return out
}

const traceContext = shape("a trace context", false, {
  name: checked(Rules.traceName),
  userId: checked(Rules.text),
  sessionId: checked(Rules.text),
  tags: texts,
  metadata: anything,
  release: checked(Rules.text),
  version: checked(Rules.text),
  environment: checked(Rules.environment),
  public: checked(Rules.boolean),
  input: anything,
  output: anything,
  timestamp: time,
  isAppRoot: checked(Rules.boolean)
})

// ---------------------------------------------------------------------------------------------------------------------
// bodies
// ---------------------------------------------------------------------------------------------------------------------

/** Fills in what is absent, and checks what goes together. `now` in milliseconds. */
type Complete = (body: MutableFields, now: number, ids: Ids, issues: Issues) => void

export interface Recipe<E> {
  readonly type: string
  readonly shape: Shape
  readonly complete: Complete
  /** What passed is one: the schema of the event takes it. */
  readonly isEvent: (event: unknown, issues: Issues) => event is E
}

const recipe = (checks: { readonly [field: string]: Check }, complete: Complete) => <E>(type: string): Recipe<E> => ({
  type,
  shape: shape(type, true, checks),
  complete,
  isEvent: (_event, issues): _event is E => issues.count === 0
})

const isAbsent = (value: unknown): boolean => value === undefined || value === null

const checkId = (body: MutableFields, issues: Issues): void => {
  if (!("id" in body)) issues.add("id", "is missing")
  else if (body.id !== undefined && !Rules.id.accepts(body.id)) issues.add("id", `expected ${Rules.id.description}`)
}

const completeObservation: Complete = (body, now, ids, issues) => {
  body.id ??= ids.unsafeObservationId()
  checkId(body, issues)
  if (!isAbsent(body.startTime)) return
  // An observation that is over did not start just now: Langfuse would move its end to the start.
  const end = typeof body.endTime === "string" ? Date.parse(body.endTime) : now
  body.startTime = fromMillis(end < now ? end : now)
}

const completeUpdate: Complete = (body, _now, _ids, issues) => checkId(body, issues)

const withPrompt = (complete: Complete): Complete => (body, now, ids, issues) => {
  complete(body, now, ids, issues)
  if (issues.count === 0) issues.addAll("", Rules.promptIssues(body))
}

const event = {
  id: anything,
  traceId: checked(Rules.id),
  environment: checked(Rules.environment),
  name: checked(Rules.text),
  startTime: time,
  metadata: anything,
  input: anything,
  output: anything,
  level: checked(Rules.level),
  statusMessage: checked(Rules.text),
  parentObservationId: checked(Rules.text),
  version: checked(Rules.text)
}

const span = { ...event, endTime: time }

const generation = {
  ...span,
  completionStartTime: time,
  model: checked(Rules.text),
  modelParameters: parameters,
  usage,
  usageDetails,
  costDetails,
  promptName: checked(Rules.text),
  promptVersion: checked(Rules.int)
}

export const eventRecipe = recipe(event, completeObservation)
export const spanRecipe = recipe(span, completeObservation)
export const spanUpdateRecipe = recipe(span, completeUpdate)
export const generationRecipe = recipe(generation, withPrompt(completeObservation))
export const generationUpdateRecipe = recipe(generation, withPrompt(completeUpdate))

export const traceRecipe = recipe({
  id: anything,
  timestamp: time,
  name: checked(Rules.traceName),
  externalId: checked(Rules.text),
  input: anything,
  output: anything,
  sessionId: checked(Rules.text),
  userId: checked(Rules.text),
  environment: checked(Rules.environment),
  metadata: anything,
  release: checked(Rules.text),
  version: checked(Rules.text),
  public: checked(Rules.boolean),
  tags: texts
}, (body, now, ids, issues) => {
  body.id ??= ids.unsafeTraceId()
  checkId(body, issues)
  body.timestamp ??= fromMillis(now)
})

/** Fields of a score that cannot be null, or depend on others. */
const scoreRules: ReadonlyArray<readonly [field: string, rule: Rule<unknown>, isRequired: boolean]> = [
  ["name", Rules.scoreName, true],
  ["dataType", Rules.dataType, false],
  ["value", Rules.scoreValue, true],
  ["source", Rules.source, false]
]

export const scoreRecipe = recipe({
  id: anything,
  name: anything,
  dataType: anything,
  value: anything,
  traceId: checked(Rules.text),
  observationId: checked(Rules.text),
  sessionId: checked(Rules.text),
  datasetRunId: checked(Rules.text),
  comment: checked(Rules.text),
  environment: checked(Rules.environment),
  metadata: anything,
  source: anything,
  configId: checked(Rules.text),
  queueId: checked(Rules.text),
  executionTraceId: checked(Rules.text)
}, (body, _now, ids, issues) => {
  body.id ??= ids.unsafeEventId()
  checkId(body, issues)
  if (body.dataType === "BOOLEAN" && typeof body.value === "boolean") body.value = body.value ? 1 : 0
  if (body.dataType === "CORRECTION") body.name ??= "output"
  for (const [field, { accepts, description }, isRequired] of scoreRules) {
    if (body[field] === undefined) {
      if (isRequired && !(field in body)) issues.add(field, "is missing")
    } else if (!accepts(body[field])) issues.add(field, `expected ${description}`)
  }
  if (issues.count === 0) issues.addAll("", Rules.scoreIssues(body))
})

export const logRecipe = recipe({ log: anything, id: checked(Rules.text) }, (body, _now, _ids, issues) => {
  if (!("log" in body)) issues.add("log", "is missing")
  else if (body.log !== undefined && !Rules.log.accepts(body.log)) {
    issues.add("log", `expected ${Rules.log.description}`)
  }
})

// ---------------------------------------------------------------------------------------------------------------------
// events
// ---------------------------------------------------------------------------------------------------------------------

export const build = <E>(
  { complete, isEvent, shape, type }: Recipe<E>,
  input: object,
  options: EventOptions | undefined,
  now: number,
  ids: Ids
): Either.Either<E, InvalidEventError> => {
  const issues = new Issues()
  if (!isFields(input)) return Either.left(new InvalidEventError({ type, issues: ["body: expected an object"] }))
  const body = read(shape, input, "body", issues)
  if (body !== undefined) issues.within("body", () => complete(body, now, ids, issues))
  const id = options?.id ?? ids.unsafeEventId()
  if (!Rules.id.accepts(id)) issues.add("id", `expected ${Rules.id.description}`)
  const timestamp = options?.timestamp === undefined ? fromMillis(now) : time(options.timestamp, "timestamp", issues)
  const event: MutableFields = { type, id, timestamp, body }
  if (options?.trace !== undefined) {
    const { trace } = options
    if (isFields(trace)) event.trace = read(traceContext, trace, "trace", issues)
    else issues.add("trace", "expected an object")
  }
  return isEvent(event, issues)
    ? Either.right(event)
    : Either.left(new InvalidEventError({ type, issues: issues.all() }))
}

const read = (shape: Shape, given: Fields, field: string, issues: Issues): MutableFields | undefined => {
  try {
    return issues.within(field, () => checkAll(shape, given, issues))
  } catch {
    // A proxy that refuses to list its fields.
    return issues.add(field, "cannot be read")
  }
}
