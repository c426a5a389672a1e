/** Parameters of the call of a model. */
import { contentOf, jsonOf } from "./content.js"
import { notes } from "./json.js"
import { copyOf, isList, isPlain, keysOf, type MutableFields, put, read } from "./object.js"
import type { Policy } from "./policy.js"

const areTexts = (values: ReadonlyArray<unknown>): boolean => values.every((value) => typeof value === "string")

/** What Langfuse takes as it is: a scalar, a list of texts, or an object of them. */
const isFlat = (value: unknown): boolean => {
  if (typeof value !== "object" || value === null) return true
  return isList(value) ? areTexts(value) : isPlain(value) && areTexts(Object.values(copyOf(value)))
}

const parameterOf = (value: unknown, policy: Policy): unknown => {
  if (isFlat(value)) return value
  const content = contentOf(value, policy)
  if (content?.isJson !== true || isPlain(value) || isList(value)) return content?.text
  // A set of texts is a list of them.
  const json: unknown = JSON.parse(content.text)
  return isFlat(json) ? json : content.text
}

/**
 * JSON of the parameters; `undefined` where there are none. For one that is nested the batch endpoint refuses the whole
 * event, and over OTLP `null` would be stored as a text: the first becomes its JSON text, the second is left out.
 */
export const parametersOf = (given: object, policy: Policy): string | undefined => {
  const parameters: MutableFields = {}
  const names = keysOf(given)
  // With its name, a colon and a comma no parameter takes less.
  const most = Math.ceil(policy.maxEventBytes / 5)
  for (const name of names.slice(0, most)) {
    const value = parameterOf(read(given, name), policy)
    if (value !== undefined && value !== null) put(parameters, name, value)
  }
  if (names.length > most) put(parameters, notes.cut, `<${names.length - most} more properties>`)
  return Object.keys(parameters).length === 0 ? undefined : jsonOf(parameters, policy)
}
