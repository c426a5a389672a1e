/** What options and variables take. */
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

type Checked<A> = Either.Either<A, ConfigError.ConfigError>

const invalid = (name: string, takes: string, got: unknown): Checked<never> =>
  Either.left(ConfigError.InvalidData([name], `${name} takes ${takes}, but got ${show(got)}`))

/** A key pasted into the wrong variable must not end up in a log. */
const show = (got: unknown): string => {
  if (typeof got === "string") {
    return /[ps]k-|@/.test(got) ? "a text that may hold a secret (not shown)" : JSON.stringify(got.slice(0, 80))
  }
  if (typeof got === "number" || typeof got === "boolean" || typeof got === "undefined") return String(got)
  return got === null ? "null" : `a value of type ${typeof got}`
}

export const whole = (name: string, got: number): Checked<number> => {
  return Number.isSafeInteger(got) && got >= 0 ? Either.right(got) : invalid(name, "a whole number from 0", got)
}

/** 0 is 1: the least that lets events through at all. */
export const atLeastOne = (name: string, got: number): Checked<number> =>
  Either.map(whole(name, got), (n) => Math.max(1, n))

export const number = (name: string, value: string): Checked<number> => {
  const parsed = Number(value)
  return Number.isFinite(parsed) ? Either.right(parsed) : invalid(name, "a number", value)
}

export const share = (name: string, got: number): Checked<number> => {
  return typeof got === "number" && got >= 0 && got <= 1
    ? Either.right(got)
    : invalid(name, "a number from 0 to 1", got)
}

const longest = Duration.days(1)

export const duration = (
  name: string,
  got: Duration.DurationInput,
  least: Duration.Duration = Duration.zero
): Checked<Duration.Duration> => {
  const decoded = Option.getOrUndefined(Duration.decodeUnknown(got))
  // Duration turns negative and NaN input into zero; what was meant is anybody's guess.
  const senseless = typeof got === "number" && !(got >= 0)
  return decoded === undefined || senseless || Duration.greaterThan(decoded, longest)
    ? invalid(name, "a duration of up to a day, such as \"2 seconds\"", got)
    : Either.right(Duration.max(decoded, least))
}

export const seconds = (name: string, got: string): Checked<Duration.Duration> => {
  const value = Number(got)
  return value >= 0 && value <= Duration.toSeconds(longest)
    ? Either.right(Duration.seconds(value))
    : invalid(name, "a number of seconds, up to a day", got)
}

export const text = (name: string, got: string): Checked<string> => {
  return typeof got === "string" && got.trim() !== ""
    ? Either.right(got)
    : invalid(name, "a text that is not empty", got)
}

export const texts = (name: string, got: ReadonlyArray<string>): Checked<ReadonlyArray<string>> =>
  Array.isArray(got) && got.every((value) => typeof value === "string")
    ? Either.right(got)
    : invalid(name, "a list of texts", got)

export const environment = (name: string, got: string): Checked<string> => {
  const lower = typeof got === "string" ? got.toLowerCase() : ""
  return /^(?!langfuse)[a-z0-9_-]{1,40}$/.test(lower)
    ? Either.right(lower)
    : invalid(name, "up to 40 of a-z, 0-9, - and _, not starting with \"langfuse\"", got)
}

export const oneOf = <A extends string>(
  name: string,
  got: A,
  values: ReadonlyArray<A>
): Checked<A> => {
  return values.includes(got) ? Either.right(got) : invalid(name, `one of ${values.join(", ")}`, got)
}

export const truth = (name: string, got: string): Checked<boolean> => {
  switch (got.toLowerCase()) {
    case "true":
    case "yes":
    case "on":
    case "1":
      return Either.right(true)
    case "false":
    case "no":
    case "off":
    case "0":
      return Either.right(false)
    default:
      return invalid(name, "true or false", got)
  }
}

export const key = (name: string, got: string): Checked<string> => {
  // A colon would move the border between the two halves of the Basic credentials, a line break end the header.
  return typeof got === "string" && /^[\x21-\x39\x3b-\x7e]+$/.test(got)
    ? Either.right(got)
    : Either.left(
      ConfigError.InvalidData([name], `${name} takes a key of printable ASCII without blanks or colons (not shown)`)
    )
}

export const secret = (
  name: string,
  got: Redacted.Redacted
): Checked<Redacted.Redacted> =>
  Redacted.isRedacted(got)
    ? Either.map(key(name, Redacted.value(got)), () => got)
    : Either.left(ConfigError.InvalidData([name], `${name} takes a Redacted text: Redacted.make(…)`))

export const address = (name: string, got: string): Checked<string> => {
  const takes = "an http or https address without credentials, query or fragment"
  if (typeof got !== "string") return invalid(name, takes, got)
  try {
    const url = new URL(got)
    const plain = url.username === "" && url.password === "" && url.search === "" && url.hash === ""
    return plain && (url.protocol === "https:" || url.protocol === "http:")
      ? Either.right(`${url.origin}${url.pathname}`.replace(/\/+$/, ""))
      : invalid(name, takes, got)
  } catch {
    return invalid(name, takes, got)
  }
}
