/** From what a program says to an event Langfuse takes: times become text, what is absent is filled in, then the check. */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import type * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import type { EventOptions, Ids } from "../IngestionEvent.js"
import { InvalidEventError } from "../LangfuseError.js"
import { Usage } from "../LangfuseUsage.js"
import { accepts } from "./accept.js"
import { fromMillis, toIso } from "./datetime.js"
import { TraceContext } from "./events.js"
import { issueLines } from "./parseIssues.js"

interface Fields {
  [field: string]: unknown
}

/** Fills in what is absent, in place. `now` in milliseconds. */
type Complete = (body: Fields, now: number, ids: Ids) => void

export interface Recipe<E> {
  readonly type: string
  /** The fields of the body, and what is done to them first. */
  readonly fields: ReadonlyMap<string, Treatment>
  readonly isValid: (event: unknown) => event is E
  readonly validate: (event: unknown) => Either.Either<E, ParseResult.ParseIssue>
  readonly complete: Complete
}

/** A time becomes text, and of a map only what is defined is taken. */
type Treatment = "time" | "map" | "none"

const times = new Set(["timestamp", "startTime", "endTime", "completionStartTime"])
const maps = new Set(["modelParameters", "usage", "usageDetails", "costDetails"])

const treatmentOf = (field: string): Treatment => times.has(field) ? "time" : maps.has(field) ? "map" : "none"

const fieldsOf = (ast: AST.AST): ReadonlyArray<string> =>
  AST.isRefinement(ast)
    ? fieldsOf(ast.from)
    : AST.isTypeLiteral(ast)
    ? ast.propertySignatures.map(({ name }) => String(name))
    : []

export const recipe = <E>(
  type: string,
  event: Schema.Schema<E>,
  body: Schema.Schema.All,
  complete: Complete
): Recipe<E> => ({
  type,
  fields: new Map(fieldsOf(body.ast).map((field) => [field, treatmentOf(field)])),
  isValid: accepts(event),
  // Made when it is needed: that is seldom, and takes as long as a thousand events.
  validate: (value) => ParseResult.validateEither(event, { errors: "all" })(value),
  complete
})

// ---------------------------------------------------------------------------------------------------------------------
// what is absent
// ---------------------------------------------------------------------------------------------------------------------

const sumCosts = (body: Fields): void => {
  const costs = body.costDetails
  if (!isFields(costs) || "total" in costs) return
  const values = Object.values(costs)
  const sum = values.reduce<number>((sum, cost) => typeof cost === "number" ? sum + cost : NaN, 0)
  // Where this is no cost, neither is one of the buckets, and the check names that one.
  if (values.length > 0 && Number.isFinite(sum) && sum >= 0) body.costDetails = { ...costs, total: sum }
}

export const completeTrace: Complete = (body, now, ids) => {
  body.id ??= ids.unsafeTraceId()
  body.timestamp ??= fromMillis(now)
}

export const completeObservation: Complete = (body, now, ids) => {
  body.id ??= ids.unsafeObservationId()
  if (body.startTime === undefined || body.startTime === null) {
    // An observation that is over did not start just now: Langfuse would move its end to the start.
    const end = typeof body.endTime === "string" ? Date.parse(body.endTime) : now
    body.startTime = fromMillis(end < now ? end : now)
  }
  sumCosts(body)
}

export const completeUpdate: Complete = sumCosts

export const completeScore: Complete = (body, _now, ids) => {
  body.id ??= ids.unsafeEventId()
  if (body.dataType === "BOOLEAN" && typeof body.value === "boolean") body.value = body.value ? 1 : 0
  if (body.dataType === "CORRECTION") body.name ??= "output"
}

export const completeNothing: Complete = () => {}

// ---------------------------------------------------------------------------------------------------------------------
// the event
// ---------------------------------------------------------------------------------------------------------------------

const usageFields: ReadonlySet<string> = new Set(fieldsOf(Usage.ast))
const traceFields: ReadonlySet<string> = new Set(fieldsOf(TraceContext.ast))

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** An invalid time stays what it is, for the check to name it. */
const timeOf = (time: unknown): unknown => toIso(time) ?? time

/** By assignment, as the parser does it too, this key would become the prototype of the copy. */
const prototypeKey = "__proto__"

/** JSON has no word for undefined, and Langfuse none for a bucket or parameter of it. */
const defined = (map: Fields): Fields => {
  const out: Fields = {}
  for (const key of Object.keys(map)) {
    if (key !== prototypeKey && map[key] !== undefined) out[key] = map[key]
  }
  return out
}

/** Whether a parameter is a record that the parser would copy without that key. */
const holdsPrototypeKey = (parameters: unknown): boolean =>
  isFields(parameters) &&
  Object.values(parameters).some((value) => isFields(value) && Object.hasOwn(value, prototypeKey))

const unknownField = (path: string, key: string, owner: string): string =>
  `${path}.${key.slice(0, 60)}: not a field of ${owner}, Langfuse would drop it`

const unknownFields = (
  path: string,
  value: unknown,
  known: ReadonlySet<string>,
  owner: string
): ReadonlyArray<string> =>
  isFields(value)
    ? Object.keys(value).filter((key) => !known.has(key)).map((key) => unknownField(path, key, owner))
    : []

export const build = <E>(
  { complete, fields, isValid, type, validate }: Recipe<E>,
  input: object,
  options: EventOptions | undefined,
  now: number,
  ids: Ids
): Either.Either<E, InvalidEventError> => {
  const body: Fields = {}
  const issues: Array<string> = []
  const given = isFields(input) ? input : {}
  if (given !== input) issues.push("body: expected an object")
  for (const key of Object.keys(given)) {
    const value = given[key]
    if (value === undefined) continue
    const treatment = fields.get(key)
    if (treatment === undefined) issues.push(unknownField("body", key, type))
    else if (treatment === "time") body[key] = timeOf(value)
    else body[key] = treatment === "map" && isFields(value) ? defined(value) : value
  }
  if (body.usage !== undefined) issues.push(...unknownFields("body.usage", body.usage, usageFields, "usage"))
  complete(body, now, ids)

  const event: Fields = {
    type,
    id: options?.id ?? ids.unsafeEventId(),
    timestamp: options?.timestamp === undefined ? fromMillis(now) : timeOf(options.timestamp),
    body
  }
  if (options?.metadata !== undefined) event.metadata = options.metadata
  if (options?.trace !== undefined) {
    event.trace = defined({ ...options.trace })
    issues.push(...unknownFields("trace", event.trace, traceFields, "a trace context"))
  }

  if (issues.length === 0 && !holdsPrototypeKey(body.modelParameters) && isValid(event)) return Either.right(event)
  const checked = validate(event)
  if (Either.isLeft(checked)) issues.push(...issueLines(checked.left))
  else if (issues.length === 0) return Either.right(checked.right)
  return Either.left(new InvalidEventError({ type, issues }))
}
