/** What servers that are not current do not store of an item, for its metadata. */
import { Content, type Item, type Metadata, type Observation } from "../item/item.js"
import { current, type Dialect } from "./dialect.js"

const oldTypes: ReadonlySet<string> = new Set(["span", "generation", "event"])

/** The type as such a server knows it. */
export const typeFor = (item: Observation, dialect: Dialect): Observation["type"] =>
  dialect.knowsAllTypes || oldTypes.has(item.type) ? item.type : item.type === "embedding" ? "generation" : "span"

export const notesFor = (item: Item, dialect: Dialect): Metadata | undefined => {
  if (dialect === current || item.kind === "plain") return undefined
  const notes = new Map<string, Content>()
  const add = (name: string, value: string | null | undefined, isJson: boolean): void => {
    if (value !== undefined && value !== null) notes.set(name, new Content(value, isJson))
  }
  if (item.kind === "trace") {
    if (!dialect.knowsEnvironments) add("environment", item.fields.environment, false)
    return notes
  }
  if (!dialect.knowsEnvironments) add("environment", item.environment ?? item.context?.environment, false)
  const type = typeFor(item, dialect)
  if (type !== item.type) add("observationType", item.type, false)
  if (type !== item.type && type === "span") {
    add("model", item.model, false)
    add("modelParameters", item.parameters, true)
    add("usageDetails", item.usage, true)
    add("costDetails", item.cost, true)
    add("promptName", item.promptName, false)
    add("promptVersion", item.promptVersion === undefined ? undefined : JSON.stringify(item.promptVersion), true)
  } else if (!dialect.knowsDetails) {
    add("usageDetails", item.usage, true)
    add("costDetails", item.cost, true)
  }
  return notes
}

const sides = ["input", "output"] as const

/** Buckets as the three numbers of the deprecated `usage`. */
const threeOf = (json: string | undefined, names: readonly [string, string, string]): ReadonlyArray<string> => {
  if (json === undefined) return []
  const buckets: Readonly<Record<string, number>> = JSON.parse(json)
  const sums = sides.map((side) => {
    const own = Object.entries(buckets).filter(([name]) => name === side || name.startsWith(`${side}_`))
    return own.length === 0 ? undefined : own.reduce((sum, [, count]) => sum + count, 0)
  })
  return [...sums, buckets["total"]].flatMap((count, index) =>
    count === undefined ? [] : [`"${names[index]}":${count}`]
  )
}

/** Usage and cost for servers that know no details: JSON of the deprecated `usage`. */
export const legacyUsage = ({ cost, usage }: Observation): string | undefined => {
  const members = [
    ...threeOf(usage, ["input", "output", "total"]),
    ...threeOf(cost, ["inputCost", "outputCost", "totalCost"])
  ]
  return members.length === 0 ? undefined : `{${members.join(",")},"unit":"TOKENS"}`
}
