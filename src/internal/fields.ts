/** The fields that events are made of, as schemas. What they take is said in `eventRules`. */
import * as Schema from "effect/Schema"
import * as Rules from "./eventRules.js"

/** Optional and nullable, as nearly every field is. */
export const nullish = <A, I>(schema: Schema.Schema<A, I>) => Schema.optional(Schema.NullOr(schema))

export const Text = Schema.String

export const texts = Schema.Array(Schema.String)

const Key = Schema.String.pipe(Schema.filter((key) => key !== "__proto__", {
  description: "any name but __proto__"
}))

/**
 * An object with keys of the program's choice. The parser copies it by assignment, by which `__proto__` would become the
 * copy's prototype or vanish, so that key is passed over.
 */
export const record = <A>(value: Schema.Schema<A>) => Schema.Record({ key: Key, value })

/**
 * Whatever can be written as JSON. It is not looked into: the ingest service replaces what cannot be written by a
 * readable note, so that an odd value never costs the event.
 */
export const Json = Schema.Unknown.annotations({
  description: "any JSON value",
  arbitrary: () => (fc) => fc.jsonValue()
})

export const Id = Schema.String.pipe(Schema.filter(Rules.id.accepts, {
  identifier: "LangfuseId",
  description: Rules.id.description,
  jsonSchema: { minLength: 1, maxLength: 800, pattern: "^[^\\r]*$" },
  arbitrary: () => (fc) => fc.stringMatching(/^[0-9a-f]{16}$/)
}))

export const Timestamp = Schema.String.pipe(Schema.filter(Rules.timestamp.accepts, {
  identifier: "LangfuseTimestamp",
  description: Rules.timestamp.description,
  documentation: "https://langfuse.com/docs/api",
  jsonSchema: { format: "date-time" },
  arbitrary: () => (fc) =>
    fc.date({ min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true })
      .map((date) => date.toISOString())
}))

export const Environment = Schema.String.pipe(Schema.filter(Rules.environment.accepts, {
  identifier: "LangfuseEnvironment",
  description: Rules.environment.description,
  documentation: "https://langfuse.com/docs/observability/features/environments",
  jsonSchema: { pattern: Rules.environmentPattern },
  arbitrary: () => (fc) => fc.constantFrom("default", "production", "staging", "dev_2")
}))

export const TraceName = Schema.String.pipe(Schema.filter(Rules.traceName.accepts, {
  description: Rules.traceName.description,
  jsonSchema: { maxLength: 1000 }
}))

export const ScoreName = Schema.String.pipe(Schema.filter(Rules.scoreName.accepts, {
  description: Rules.scoreName.description,
  jsonSchema: { minLength: 1 }
}))

export const Level = Schema.Literal("DEBUG", "DEFAULT", "WARNING", "ERROR")

/** A number that survives JSON, where `NaN` and the infinities become null. */
export const Finite = Schema.Number.pipe(Schema.filter(Rules.finite.accepts, {
  description: Rules.finite.description,
  jsonSchema: {},
  arbitrary: () => (fc) => fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)
}))

export const Int = Schema.Number.pipe(Schema.filter(Rules.int.accepts, {
  description: Rules.int.description,
  jsonSchema: { type: "integer" },
  arbitrary: () => (fc) => fc.integer()
}))

export const Cost = Finite.pipe(Schema.filter(Rules.cost.accepts, {
  description: Rules.cost.description,
  jsonSchema: { minimum: 0 },
  arbitrary: () => (fc) => fc.double({ min: 0, max: 1e6, noNaN: true }).map((value) => value + 0)
}))

/** Rules between fields, for a filter. */
export const issuesOf = (issues: ReadonlyArray<Rules.Issue>): ReadonlyArray<Schema.FilterIssue> =>
  issues.map(([key, message]) => ({ path: [key], message }))
