/**
 * The few schema combinators the endpoint needs, reporting what they refuse in the words of the validator that
 * Langfuse itself uses: a client that shows such a message to a person must show the same text here.
 *
 * An object keeps only the keys it knows. A value of the wrong type is `invalid`; one that is of the right type and
 * breaks a rule (a length, a format) is reported and read on, so that rules about the whole are looked at as well.
 */
import { isRecord } from "./json.js"

export type Path = ReadonlyArray<string | number>

export interface Issue {
  readonly code: string
  readonly path: Path
  readonly message: string
  readonly [detail: string]: unknown
}

export const invalid: unique symbol = Symbol("invalid")

/** Reads a value; what is wrong goes into `issues`. `invalid` means that there is no value to go on with. */
export type Parser<A> = (value: unknown, path: Path, issues: Array<Issue>) => A | typeof invalid

export type Output<P> = P extends Parser<infer A> ? A : never

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

const sizeIssue = (
  code: "too_small" | "too_big",
  origin: string,
  limit: number,
  path: Path,
  unit = ""
): Issue => ({
  origin,
  code,
  [code === "too_small" ? "minimum" : "maximum"]: limit,
  inclusive: true,
  path,
  message: `Too ${code === "too_small" ? "small" : "big"}: expected ${origin} to ${unit === "" ? "be" : "have"} ` +
    `${code === "too_small" ? ">=" : "<="}${limit}${unit}`
})

export const int: Parser<number> = (value, path, issues) => {
  const checked = number(value, path, issues)
  if (checked === invalid) return invalid
  if (!Number.isInteger(checked)) {
    return fail(issues, { format: "safeint", ...wrongType("int", value, path) })
  }
  if (checked > Number.MAX_SAFE_INTEGER) issues.push(sizeIssue("too_big", "int", Number.MAX_SAFE_INTEGER, path))
  if (checked < Number.MIN_SAFE_INTEGER) issues.push(sizeIssue("too_small", "int", Number.MIN_SAFE_INTEGER, path))
  return checked
}

export const nonNegative = (parser: Parser<number>): Parser<number> => (value, path, issues) => {
  const checked = parser(value, path, issues)
  if (checked !== invalid && checked < 0) issues.push(sizeIssue("too_small", "number", 0, path))
  return checked
}

const lengthOf = (value: unknown): number | undefined => {
  if (typeof value === "string" || Array.isArray(value)) return value.length
  const length = isRecord(value) ? value["length"] : undefined
  return typeof length === "number" ? length : undefined
}

/** Lengths are looked at whatever the value is, as long as it has one. */
export const string =
  (limits: { readonly min?: number; readonly max?: number } = {}): Parser<string> => (value, path, issues) => {
    const isText = typeof value === "string"
    if (!isText) issues.push(wrongType("string", value, path))
    const length = lengthOf(value)
    const origin = isText ? "string" : "array"
    if (length !== undefined && limits.min !== undefined && length < limits.min) {
      issues.push(sizeIssue("too_small", origin, limits.min, path, " characters"))
    }
    if (length !== undefined && limits.max !== undefined && length > limits.max) {
      issues.push(sizeIssue("too_big", origin, limits.max, path, " characters"))
    }
    return isText ? value : invalid
  }

/** What Langfuse takes as the id of an event, a trace, an observation or a score. */
export const id: Parser<string> = (value, path, issues) => {
  const checked = string({ min: 1, max: 800 })(value, path, issues)
  if (checked !== invalid && checked.includes("\r")) {
    issues.push(custom("ID cannot contain carriage return characters", path))
  }
  return checked
}

/** A text of which one character after the other fits. */
export const matching = (pattern: RegExp, max: number, message: string): Parser<string> => (value, path, issues) => {
  const checked = string({ max })(value, path, issues)
  if (checked !== invalid && !pattern.test(checked)) {
    issues.push({ origin: "string", code: "invalid_format", format: "regex", path, message })
  }
  return checked
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
  if (checked !== invalid && !isDatetime(checked)) {
    issues.push({
      origin: "string",
      code: "invalid_format",
      format: "datetime",
      path,
      message: "Invalid ISO datetime"
    })
  }
  return checked
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

export const nullish = <A>(parser: Parser<A>): Parser<A | null | undefined> => (value, path, issues) =>
  value === undefined || value === null ? value : parser(value, path, issues)

export const withDefault = <A>(parser: Parser<A>, otherwise: A): Parser<A> => (value, path, issues) =>
  value === undefined ? otherwise : parser(value, path, issues)

/** Nothing, or the refusal of anything. */
export const nothing: Parser<null | undefined> = (value, path, issues) =>
  value === undefined || value === null ? value : fail(issues, wrongType("undefined", value, path))

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
    if (key === "__proto__") continue
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

/** The first member without an issue; when only one has a value at all, its issues are the union's. */
export const union = <Members extends ReadonlyArray<Parser<unknown>>>(
  ...members: Members
): Parser<Output<Members[number]>> =>
(value, path, issues) => {
  const results: Array<{ readonly read: unknown; readonly found: ReadonlyArray<Issue> }> = []
  for (const member of members) {
    const found: Array<Issue> = []
    const read = member(value, [], found)
    results.push({ read, found })
    if (read !== invalid && found.length === 0) break
  }
  const readable = results.filter(({ read }) => read !== invalid)
  const best = readable.find(({ found }) => found.length === 0) ?? (readable.length === 1 ? readable[0] : undefined)
  if (best === undefined) {
    return fail(issues, {
      code: "invalid_union",
      errors: results.map(({ found }) => found),
      path,
      message: "Invalid input"
    })
  }
  for (const issue of best.found) issues.push({ ...issue, path: [...path, ...issue.path] })
  // Whatever a member returns is of that member's type.
  return best.read as Output<Members[number]>
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

/** Changes what was read; not asked when something was wrong with it. */
export const map = <A, B>(parser: Parser<A>, f: (value: A) => B): Parser<B> => (value, path, issues) => {
  const found: Array<Issue> = []
  const read = parser(value, path, found)
  issues.push(...found)
  return read === invalid || found.length > 0 ? invalid : f(read)
}

/** A rule about the whole value. */
export const refine =
  <A>(parser: Parser<A>, rule: (value: A) => Issue | undefined): Parser<A> => (value, path, issues) => {
    const read = parser(value, path, issues)
    const broken = read === invalid ? undefined : rule(read)
    if (broken !== undefined) issues.push({ ...broken, path: [...path, ...broken.path] })
    return read
  }

export type Parsed<A> =
  | { readonly ok: true; readonly value: A }
  | { readonly ok: false; readonly issues: ReadonlyArray<Issue> }

export const parse = <A>(parser: Parser<A>, value: unknown): Parsed<A> => {
  const issues: Array<Issue> = []
  const read = parser(value, [], issues)
  return read === invalid || issues.length > 0 ? { ok: false, issues } : { ok: true, value: read }
}

/** The validator's `message`: its issues as indented JSON text. */
export const message = (issues: ReadonlyArray<Issue>): string => JSON.stringify(issues, null, 2)
