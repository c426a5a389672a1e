/**
 * The few schema combinators the endpoint needs, reporting what they refuse in the words of the validator that
 * Langfuse itself uses: a client that shows such a message to a person must show the same text here.
 *
 * An object keeps only the keys it knows, a refinement runs only when the fields themselves were fine.
 */

export type Path = ReadonlyArray<string | number>

export interface Issue {
  readonly code: string
  readonly path: Path
  readonly message: string
  readonly [detail: string]: unknown
}

export const invalid: unique symbol = Symbol("invalid")

/** Reads a value; what is wrong goes into `issues`, and the result is then `invalid`. */
export type Parser<A> = (value: unknown, path: Path, issues: Array<Issue>) => A | typeof invalid

export type Output<P> = P extends Parser<infer A> ? A : never

export type Json = { readonly [key: string]: unknown }

export const isRecord = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const nameOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : Number.isNaN(value) ? "nan" : typeof value

const fail = (issues: Array<Issue>, issue: Issue): typeof invalid => {
  issues.push(issue)
  return invalid
}

const wrongType = (expected: string, value: unknown, path: Path): Issue => ({
  expected,
  code: "invalid_type",
  path,
  message: `Invalid input: expected ${expected}, received ${nameOf(value)}`
})

export const custom = (message: string, path: Path = []): Issue => ({ code: "custom", path, message })

export const any: Parser<unknown> = (value) => value

export const boolean: Parser<boolean> = (value, path, issues) =>
  typeof value === "boolean" ? value : fail(issues, wrongType("boolean", value, path))

export const number: Parser<number> = (value, path, issues) =>
  typeof value === "number" && Number.isFinite(value) ? value : fail(issues, wrongType("number", value, path))

export const int: Parser<number> = (value, path, issues) => {
  const checked = number(value, path, issues)
  return checked === invalid || Number.isSafeInteger(checked)
    ? checked
    : fail(issues, { format: "safeint", ...wrongType("int", value, path) })
}

export const string =
  (limits: { readonly min?: number; readonly max?: number } = {}): Parser<string> => (value, path, issues) => {
    if (typeof value !== "string") return fail(issues, wrongType("string", value, path))
    if (limits.min !== undefined && value.length < limits.min) {
      return fail(issues, {
        origin: "string",
        code: "too_small",
        minimum: limits.min,
        inclusive: true,
        path,
        message: `Too small: expected string to have >=${limits.min} characters`
      })
    }
    if (limits.max !== undefined && value.length > limits.max) {
      return fail(issues, {
        origin: "string",
        code: "too_big",
        maximum: limits.max,
        inclusive: true,
        path,
        message: `Too big: expected string to have <=${limits.max} characters`
      })
    }
    return value
  }

/** What Langfuse takes as the id of an event, a trace, an observation or a score. */
export const id: Parser<string> = (value, path, issues) => {
  const checked = string({ min: 1, max: 800 })(value, path, issues)
  return checked !== invalid && checked.includes("\r")
    ? fail(issues, custom("ID cannot contain carriage return characters", path))
    : checked
}

const datetimeParts =
  /^(\d{4})-(\d{2})-(\d{2})T([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

const daysInMonth = (year: number, month: number): number =>
  month === 2
    ? (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28)
    : [4, 6, 9, 11].includes(month)
    ? 30
    : 31

const isDatetime = (text: string): boolean => {
  const parts = datetimeParts.exec(text)
  if (parts === null) return false
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])]
  return month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month)
}

/** ISO 8601 with a zone. The seconds may be missing, the fraction may have any length. */
export const datetime: Parser<string> = (value, path, issues) => {
  const checked = string()(value, path, issues)
  return checked === invalid || isDatetime(checked)
    ? checked
    : fail(issues, {
      origin: "string",
      code: "invalid_format",
      format: "datetime",
      path,
      message: "Invalid ISO datetime"
    })
}

export const literals =
  <const Values extends ReadonlyArray<string>>(...values: Values): Parser<Values[number]> => (value, path, issues) =>
    values.find((candidate) => candidate === value) ?? fail(issues, {
      code: "invalid_value",
      values,
      path,
      message: values.length === 1
        ? `Invalid input: expected ${JSON.stringify(values[0])}`
        : `Invalid option: expected one of ${values.map((candidate) => JSON.stringify(candidate)).join("|")}`
    })

export const optional = <A>(parser: Parser<A>): Parser<A | undefined> => (value, path, issues) =>
  value === undefined ? undefined : parser(value, path, issues)

export const nullish = <A>(parser: Parser<A>): Parser<A | null | undefined> => (value, path, issues) =>
  value === undefined || value === null ? value : parser(value, path, issues)

export const array = <A>(item: Parser<A>): Parser<ReadonlyArray<A>> => (value, path, issues) => {
  if (!Array.isArray(value)) return fail(issues, wrongType("array", value, path))
  const elements: Array<A> = []
  let failed = false
  for (const [index, element] of value.entries()) {
    const read = item(element, [...path, index], issues)
    if (read === invalid) failed = true
    else elements.push(read)
  }
  return failed ? invalid : elements
}

export const record = <A>(item: Parser<A>): Parser<{ readonly [key: string]: A }> => (value, path, issues) => {
  if (!isRecord(value)) return fail(issues, wrongType("record", value, path))
  const entries: Array<readonly [string, A]> = []
  let failed = false
  for (const key of Object.keys(value)) {
    const read = item(value[key], [...path, key], issues)
    if (read === invalid) failed = true
    else entries.push([key, read])
  }
  return failed ? invalid : Object.fromEntries(entries)
}

type Fields = { readonly [key: string]: Parser<unknown> }

export type Shape<F extends Fields> = { readonly [K in keyof F]: Output<F[K]> }

export const object = <F extends Fields>(
  fields: F,
  options: { readonly strict?: boolean } = {}
): Parser<Shape<F>> =>
(value, path, issues) => {
  if (!isRecord(value)) return fail(issues, wrongType("object", value, path))
  const entries: Array<readonly [string, unknown]> = []
  let failed = false
  for (const [key, parser] of Object.entries(fields)) {
    const read = parser(value[key], [...path, key], issues)
    if (read === invalid) failed = true
    else if (read !== undefined || key in value) entries.push([key, read])
  }
  if (options.strict === true) {
    const keys = Object.keys(value).filter((key) => !Object.hasOwn(fields, key))
    if (keys.length > 0) {
      failed = true
      issues.push({
        code: "unrecognized_keys",
        keys,
        path,
        message: `Unrecognized key${keys.length === 1 ? "" : "s"}: ${keys.map((key) => JSON.stringify(key)).join(", ")}`
      })
    }
  }
  // The entries were read with the parsers of exactly these fields.
  return failed ? invalid : Object.fromEntries(entries) as Shape<F>
}

export const union = <Members extends ReadonlyArray<Parser<unknown>>>(
  ...members: Members
): Parser<Output<Members[number]>> =>
(value, path, issues) => {
  const errors: Array<ReadonlyArray<Issue>> = []
  for (const member of members) {
    const found: Array<Issue> = []
    const read = member(value, [], found)
    // Whatever a member returns is of that member's type.
    if (read !== invalid) return read as Output<Members[number]>
    errors.push(found)
  }
  return fail(issues, { code: "invalid_union", errors, path, message: "Invalid input" })
}

/** Chooses the parser by the text under one key. */
export const discriminated = <A>(
  key: string,
  choose: (value: unknown) => Parser<A> | undefined
): Parser<A> =>
(value, path, issues) => {
  if (!isRecord(value)) return fail(issues, wrongType("object", value, path))
  const parser = choose(value[key])
  return parser === undefined
    ? fail(issues, {
      code: "invalid_union",
      errors: [],
      note: "No matching discriminator",
      discriminator: key,
      path: [...path, key],
      message: "Invalid input"
    })
    : parser(value, path, issues)
}

export const map = <A, B>(parser: Parser<A>, f: (value: A) => B): Parser<B> => (value, path, issues) => {
  const read = parser(value, path, issues)
  return read === invalid ? invalid : f(read)
}

/** Rules that see the whole value; they run only when its parts were fine. */
export const refine = <A>(
  parser: Parser<A>,
  ...rules: ReadonlyArray<(value: A) => Issue | undefined>
): Parser<A> =>
(value, path, issues) => {
  const read = parser(value, path, issues)
  if (read === invalid) return invalid
  const broken = rules.flatMap((rule) => rule(read) ?? [])
  for (const issue of broken) issues.push({ ...issue, path: [...path, ...issue.path] })
  return broken.length === 0 ? read : invalid
}

export type Parsed<A> =
  | { readonly ok: true; readonly value: A }
  | { readonly ok: false; readonly issues: ReadonlyArray<Issue> }

export const parse = <A>(parser: Parser<A>, value: unknown): Parsed<A> => {
  const issues: Array<Issue> = []
  const read = parser(value, [], issues)
  return read === invalid ? { ok: false, issues } : { ok: true, value: read }
}

/** The validator's `message`: its issues as indented JSON text. */
export const message = (issues: ReadonlyArray<Issue>): string => JSON.stringify(issues, null, 2)
