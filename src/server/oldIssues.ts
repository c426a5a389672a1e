/**
 * What is wrong with a value in the words that the validator had before Langfuse 3.69.0.
 */
import type { Issue } from "./validation.js"

const received = (message: string): string => /received (\w+)$/.exec(message)?.[1] ?? "undefined"

const translate = (issue: Issue): Issue => {
  const { code, expected, format, message, note, path, values } = issue
  switch (code) {
    case "invalid_type": {
      const [wanted, given] = format === "safeint" ? ["integer", "float"] : [expected, received(message)]
      const said = given === "undefined" ? "Required" : `Expected ${String(wanted)}, received ${given}`
      return { code, expected: wanted, received: given, path, message: said }
    }
    case "invalid_value":
      return { code: "invalid_enum_value", options: values, path, message: "Invalid enum value" }
    case "invalid_format":
      return { code: "invalid_string", validation: format, path, message: `Invalid ${String(format)}` }
    case "invalid_union":
      return note === undefined
        ? { code, unionErrors: [], path, message }
        : { code: "invalid_union_discriminator", path, message: "Invalid discriminator value" }
    default:
      return issue
  }
}

/** Lengths were looked at only where the value was a text. */
export const inOldWords = (issues: ReadonlyArray<Issue>): ReadonlyArray<Issue> =>
  issues.filter(({ origin }) => origin !== "array").map(translate)
