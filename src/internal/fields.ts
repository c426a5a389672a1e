/** The fields that events are made of. Every rule of the server stands here once: the schemas check with it, and so do the constructors. */
import * as Schema from "effect/Schema"
import { isIsoDateTime } from "./datetime.js"

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

export const Id = Schema.String.pipe(Schema.filter(
  (id) => id.length >= 1 && id.length <= 800 && !id.includes("\r"),
  {
    identifier: "LangfuseId",
    description: "a string of 1 to 800 characters without carriage returns",
    jsonSchema: { minLength: 1, maxLength: 800, pattern: "^[^\\r]*$" },
    arbitrary: () => (fc) => fc.stringMatching(/^[0-9a-f]{16}$/)
  }
))

export const Timestamp = Schema.String.pipe(Schema.filter(isIsoDateTime, {
  identifier: "LangfuseTimestamp",
  description: "a date and time in ISO 8601 with a zone, such as 2026-01-31T12:00:00.000Z",
  documentation: "https://langfuse.com/docs/api",
  jsonSchema: { format: "date-time" },
  arbitrary: () => (fc) =>
    fc.date({ min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true })
      .map((date) => date.toISOString())
}))

export const Environment = Schema.String.pipe(Schema.filter(
  (name) => /^(?!langfuse)[a-z0-9-_]{1,40}$/.test(name),
  {
    identifier: "LangfuseEnvironment",
    description: "1 to 40 of a-z, 0-9, - and _, not starting with langfuse (Langfuse would file it under another name)",
    documentation: "https://langfuse.com/docs/observability/features/environments",
    jsonSchema: { pattern: "^(?!langfuse)[a-z0-9-_]{1,40}$" },
    arbitrary: () => (fc) => fc.constantFrom("default", "production", "staging", "dev_2")
  }
))

export const TraceName = Schema.String.pipe(Schema.filter((name) => name.length <= 1000, {
  description: "a string of at most 1000 characters",
  jsonSchema: { maxLength: 1000 }
}))

export const Level = Schema.Literal("DEBUG", "DEFAULT", "WARNING", "ERROR")

/** A number that survives JSON, where `NaN` and the infinities become null. */
export const Finite = Schema.Number.pipe(Schema.filter(Number.isFinite, {
  description: "a finite number",
  jsonSchema: {},
  arbitrary: () => (fc) => fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)
}))

/** Kept by the server only as a safe integer. */
export const Int = Schema.Number.pipe(Schema.filter((value) => Number.isSafeInteger(value), {
  description: "an integer",
  jsonSchema: { type: "integer" },
  arbitrary: () => (fc) => fc.integer()
}))

export const Count = Int.pipe(Schema.filter((value) => value >= 0, {
  description: "an integer of 0 or more (Langfuse drops any other count without a word)",
  jsonSchema: { type: "integer", minimum: 0 },
  arbitrary: () => (fc) => fc.nat()
}))

export const Cost = Finite.pipe(Schema.filter((value) => value >= 0, {
  description: "a finite number of 0 or more (Langfuse drops any other cost without a word)",
  jsonSchema: { minimum: 0 },
  arbitrary: () => (fc) => fc.double({ min: 0, max: 1e6, noNaN: true }).map((value) => value + 0)
}))
