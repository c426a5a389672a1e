/**
 * Names of environments, whose rule changed from version to version.
 */
import type { Dialect } from "./dialect.js"
import * as V from "./validation.js"

const fits = /^[a-z0-9-_]+$/

/** Changes a name until it fits; whatever cannot be made to is `default`. */
export const normalize = (value: unknown, rule: Dialect["environments"] = "repeated"): string => {
  if (typeof value !== "string") return "default"
  const prefixes = rule === "repeated" ? /^(?:langfuse[-_]?)+/ : /^langfuse[-_]?/
  const name = value.toLowerCase().replace(prefixes, "").slice(0, 40)
  return fits.test(name) ? name : "default"
}

const refusing = V.matching(
  /^(?!langfuse)[a-z0-9-_]+$/,
  40,
  "Only alphanumeric lower case characters, hyphens, and underscores are allowed and it must not start with 'langfuse'"
)

/** The field `environment` of an event. */
export const field = (rule: Dialect["environments"]): V.Parser<string> => {
  switch (rule) {
    case "none":
      return () => "default"
    case "refused":
      return V.withDefault(refusing, "default")
    default:
      return (value) => normalize(value, rule)
  }
}
