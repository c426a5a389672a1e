/**
 * What Langfuse takes **and keeps**, as plain functions with the words for it. The schemas and the constructors check with
 * the same ones.
 */
import type { Fields } from "../core/item/object.js"
import { isProviderUsage } from "../core/item/usage.js"
import { isIsoDateTime } from "./datetime.js"

export interface Rule<A> {
  readonly accepts: (value: unknown) => value is A
  /** What follows "expected". */
  readonly description: string
}

const rule = <A>(description: string, accepts: (value: unknown) => value is A): Rule<A> => ({ description, accepts })

/** One broken rule: the key of the field and what is wrong with it. */
export type Issue = readonly [key: string, message: string]

const isText = (value: unknown): value is string => typeof value === "string"

const isFiniteNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value)

/** Kept by the server only as a safe integer. */
const isInt = (value: unknown): value is number => Number.isSafeInteger(value)

const oneOf = <const A extends string>(...values: ReadonlyArray<A>): Rule<A> => {
  const known: ReadonlySet<unknown> = new Set(values)
  return rule(`one of ${values.join(", ")}`, (value): value is A => known.has(value))
}

// ---------------------------------------------------------------------------------------------------------------------
// values
// ---------------------------------------------------------------------------------------------------------------------

export const text = rule("a string", isText)

export const boolean = rule("a boolean", (value) => typeof value === "boolean")

export const id = rule(
  "a string of 1 to 800 characters without carriage returns",
  (value): value is string => isText(value) && value.length >= 1 && value.length <= 800 && !value.includes("\r")
)

export const timestamp = rule(
  "a date and time in ISO 8601 with a zone, such as 2026-01-31T12:00:00.000Z",
  (value): value is string => isText(value) && isIsoDateTime(value)
)

export const environmentPattern = "^(?!langfuse)[a-z0-9-_]{1,40}$"

const environmentShape = new RegExp(environmentPattern)

export const environment = rule(
  "1 to 40 of a-z, 0-9, - and _, not starting with langfuse (Langfuse would file it under another name)",
  (value): value is string => isText(value) && environmentShape.test(value)
)

export const traceName = rule(
  "a string of at most 1000 characters",
  (value): value is string => isText(value) && value.length <= 1000
)

export const scoreName = rule(
  "a string of at least one character",
  (value): value is string => isText(value) && value.length > 0
)

export const scoreValue = rule(
  "a string or a finite number",
  (value): value is string | number => isText(value) || isFiniteNumber(value)
)

export const finite = rule("a finite number", isFiniteNumber)

export const int = rule("an integer", isInt)

const count = rule(
  "an integer of 0 or more (Langfuse drops any other count without a word)",
  (value): value is number => isInt(value) && value >= 0
)

export const cost = rule(
  "a finite number of 0 or more (Langfuse drops any other cost without a word)",
  (value): value is number => isFiniteNumber(value) && value >= 0
)

export const log = rule(
  "any JSON value but null",
  (value): value is NonNullable<unknown> => value !== null && value !== undefined
)

export const level = oneOf("DEBUG", "DEFAULT", "WARNING", "ERROR")
export const unit = oneOf("CHARACTERS", "TOKENS", "SECONDS", "MILLISECONDS", "IMAGES", "REQUESTS")
export const dataType = oneOf("NUMERIC", "BOOLEAN", "CATEGORICAL", "TEXT", "CORRECTION")
export const source = oneOf("API", "EVAL", "ANNOTATION")

/** Not `every`, which passes over holes. */
const isTexts = (values: ReadonlyArray<unknown>): boolean => {
  for (let i = 0; i < values.length; i++) if (!isText(values[i])) return false
  return true
}

export const parameter = rule(
  "a string, finite number, boolean, null, list of strings or flat record of strings (write anything deeper as JSON text)",
  (value): value is string | number | boolean | null | ReadonlyArray<string> | { readonly [key: string]: string } =>
    typeof value === "object"
      ? value === null || isTexts(Array.isArray(value) ? value : Object.values(value))
      : isText(value) || typeof value === "boolean" || isFiniteNumber(value)
)

// ---------------------------------------------------------------------------------------------------------------------
// fields that go together
// ---------------------------------------------------------------------------------------------------------------------

export const promptIssues = ({ promptName, promptVersion }: Fields): ReadonlyArray<Issue> =>
  Boolean(promptName) === Boolean(promptVersion)
    ? []
    : [[promptName ? "promptVersion" : "promptName", "a prompt needs both its name and a version other than 0"]]

const inTokens = ["promptTokens", "completionTokens", "totalTokens"]
const inUnits = ["input", "output", "total", "inputCost", "outputCost", "totalCost"]

/** Of the deprecated usage: its two forms do not mix. */
export const usageIssues = (usage: Fields): ReadonlyArray<Issue> =>
  inTokens.every((key) => usage[key] === undefined)
    ? []
    : [
      ...inUnits.filter((key) => (usage[key] ?? undefined) !== undefined),
      ...((usage["unit"] ?? "TOKENS") === "TOKENS" ? [] : ["unit"])
    ].map((key) => [key, "lost beside promptTokens, completionTokens or totalTokens"])

/** Of buckets; what is no count in the usage object of a provider is left out when buckets are made of it. */
export const usageDetailsIssues = (details: Fields): ReadonlyArray<Issue> => {
  const buckets = Object.keys(details)
  return isProviderUsage(buckets)
    ? []
    : buckets.filter((bucket) => details[bucket] !== undefined && !count.accepts(details[bucket]))
      .map((bucket) => [bucket, `expected ${count.description}`])
}

const valueIssue = ({ dataType, value }: Fields): string | undefined => {
  switch (dataType) {
    case "NUMERIC":
      return isFiniteNumber(value) ? undefined : "expected a finite number, as the dataType is NUMERIC"
    case "BOOLEAN":
      return value === 0 || value === 1 ? undefined : "expected 0 or 1, as the dataType is BOOLEAN"
    case "TEXT":
      return isText(value) && value.length >= 1 && value.length <= 500
        ? undefined
        : "expected a string of 1 to 500 characters, as the dataType is TEXT"
    case "CATEGORICAL":
    case "CORRECTION":
      return isText(value) ? undefined : `expected a string, as the dataType is ${dataType}`
    default:
      return undefined
  }
}

/** Which value a data type takes, and what a score may belong to. */
export const scoreIssues = (score: Fields): ReadonlyArray<Issue> => {
  const issues: Array<Issue> = []
  const value = valueIssue(score)
  if (value !== undefined) issues.push(["value", value])

  const [target, ...others] = ["traceId", "sessionId", "datasetRunId"].filter((target) => Boolean(score[target]))
  if (target === undefined) issues.push(["traceId", "a score needs a traceId, a sessionId or a datasetRunId"])
  for (const other of others) issues.push([other, `a score has one target, and this one has a ${target}`])
  if (score["observationId"] && target !== "traceId") {
    issues.push(["observationId", "only a traceId can go with it, and must"])
  }

  if (score["dataType"] === "CORRECTION") {
    if ((score["configId"] ?? undefined) !== undefined) issues.push(["configId", "a correction has no config"])
    if (target === "sessionId" || target === "datasetRunId") issues.push([target, "a correction belongs to a trace"])
  } else if (score["source"] === "ANNOTATION" && !score["configId"]) {
    issues.push(["configId", "an annotation needs one, or Langfuse drops it without a word"])
  }
  return issues
}
