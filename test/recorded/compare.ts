/**
 * In what an answer and what is stored differ from what was recorded, one line a difference.
 */
import type { StoredObservation, StoredScore, StoredTrace } from "effect-langfuse/LangfuseServer"
import * as Equal from "effect/Equal"
import { isDeepStrictEqual } from "node:util"
import type { Reply } from "../utils/server.js"
import type { Case, Json } from "./cases.js"

const varies = "<varies>"

const isRecord = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

/** Whether a value agrees, apart from what was another one each time. */
const agrees = (recorded: unknown, ours: unknown): boolean => {
  if (recorded === varies) return ours !== undefined
  if (Array.isArray(recorded)) {
    return Array.isArray(ours) && recorded.length === ours.length &&
      recorded.every((value, index) => agrees(value, ours[index]))
  }
  if (isRecord(recorded)) {
    if (!isRecord(ours)) return false
    const keys = Object.keys(ours).filter((key) => ours[key] !== undefined)
    return keys.length === Object.keys(recorded).length &&
      keys.every((key) => Object.hasOwn(recorded, key) && agrees(recorded[key], ours[key]))
  }
  return Equal.equals(recorded, ours) || isDeepStrictEqual(recorded, ours)
}

/** What a table has in place of a value that nobody gave. */
const isNothing = (value: unknown): boolean =>
  value === undefined || value === false || (Array.isArray(value) && value.length === 0) ||
  (isRecord(value) && Object.keys(value).length === 0)

const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? "undefined"
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}

/** Kinds and fields of the refusals in a list of issues, or in its text. */
const issuesOf = (given: unknown): ReadonlyArray<string> | undefined => {
  let list = given
  if (typeof given === "string") {
    try {
      list = JSON.parse(given)
    } catch {
      return undefined
    }
  }
  if (!Array.isArray(list) || !list.every(isRecord)) return undefined
  return list.map((issue) => {
    const path = Array.isArray(issue["path"]) ? issue["path"].join(".") : ""
    return `${String(issue["code"])} at ${path}`
  }).sort()
}

/** The reasons in the text that refuses an export. */
const reasonsOf = (text: unknown): ReadonlyArray<string> =>
  typeof text === "string" ? [...text.matchAll(/[\w.]+:(?:absent|not_an_id|not_an_array)/g)].map(String) : []

const refusalDiffers = (recorded: Json, ours: Json): boolean => {
  if (!isDeepStrictEqual(Object.keys(recorded).sort(), Object.keys(ours).sort())) return true
  return Object.entries(recorded).some(([key, value]) => {
    const mine = ours[key]
    const issues = issuesOf(value)
    if (issues !== undefined) return !isDeepStrictEqual(issues, issuesOf(mine))
    const reasons = reasonsOf(value)
    if (reasons.length > 0) return !isDeepStrictEqual(reasons, reasonsOf(mine))
    // How long an explanation is does not matter, its kind does.
    if (typeof value === "string" && typeof mine === "string" && value.length > 80) return false
    return !agrees(value, mine)
  })
}

const entriesOf = (body: unknown, key: string): ReadonlyArray<Json> => {
  const list = isRecord(body) ? body[key] : undefined
  return Array.isArray(list) ? list.filter(isRecord) : []
}

/** A 207 or a 200 with the lists of a batch. */
const batchDiffers = (recorded: Json, ours: unknown): ReadonlyArray<string> => {
  const differences: Array<string> = []
  for (const list of ["successes", "errors"]) {
    const [theirs, mine] = [entriesOf(recorded, list), entriesOf(ours, list)]
    const ids = (entries: ReadonlyArray<Json>) => entries.map(({ id }) => String(id))
    const isSame = theirs.length === mine.length &&
      theirs.every(({ id }, index) => id === varies || id === mine[index]?.["id"])
    if (!isSame) differences.push(`${list}: ${ids(theirs)} recorded, ${ids(mine)} here`)
    else {
      for (const [index, entry] of theirs.entries()) {
        const other = { ...mine[index], id: entry["id"] }
        if (refusalDiffers(entry, other)) differences.push(`${show(entry)} recorded, ${show(other)} here`)
      }
    }
  }
  return differences
}

export const compareAnswer = (recorded: Case["answer"], reply: Reply): ReadonlyArray<string> => {
  const differences: Array<string> = []
  if (reply.status !== recorded.status) differences.push(`status ${recorded.status} recorded, ${reply.status} here`)
  if (recorded.contentType !== undefined) {
    const type = reply.headers.get("content-type")
    if (type !== recorded.contentType) differences.push(`content type ${recorded.contentType} recorded, ${type} here`)
  }
  if (!("body" in recorded)) return differences
  const { body } = recorded
  if (isRecord(body) && ("successes" in body)) differences.push(...batchDiffers(body, reply.json))
  else if (isRecord(body)) {
    if (!isRecord(reply.json) || refusalDiffers(body, reply.json)) {
      differences.push(`body ${show(body)} recorded, ${show(reply.json)} here`)
    }
  } else if (!agrees(body ?? "", typeof body === "string" || body === null ? reply.text : reply.json)) {
    differences.push(`body ${show(body)} recorded, ${show(reply.text)} here`)
  }
  return differences
}

/** Recorded as handed over to a table whose column is text, and turns it into text. */
const texts = new Set(["name", "statusMessage", "version", "release", "traceName", "promptName"])

const stored = (field: string, value: unknown): unknown =>
  texts.has(field) && value !== undefined && typeof value !== "string" ? JSON.stringify(value) : value

const compareRow = (recorded: Json, ours: Json, fields: ReadonlyArray<string>): ReadonlyArray<string> =>
  fields.flatMap((field) => {
    const [theirs, mine] = [stored(field, recorded[field]), ours[field]]
    // The events table has no column for it, reads take it from the costs.
    if (field === "totalCost" && ours["table"] === "events") return []
    const isSame = Object.hasOwn(recorded, field) ? agrees(theirs, mine) : isNothing(mine)
    return isSame ? [] : [`${String(recorded["id"])}.${field}: ${show(theirs)} recorded, ${show(mine)} here`]
  })

const compareRows = (
  kind: string,
  recorded: ReadonlyArray<Json>,
  ours: ReadonlyArray<Json>,
  fields: ReadonlyArray<string> | undefined
): ReadonlyArray<string> => {
  const differences: Array<string> = []
  const rest = [...ours]
  if (recorded.length !== ours.length) differences.push(`${recorded.length} ${kind} recorded, ${ours.length} here`)
  for (const row of recorded) {
    const compared = fields ?? [...new Set(["id", ...Object.keys(row), ...ours.flatMap((one) => Object.keys(one))])]
    let best: { readonly index: number; readonly differences: ReadonlyArray<string> } | undefined
    for (const [index, candidate] of rest.entries()) {
      if (row["id"] !== varies && candidate["id"] !== row["id"]) continue
      if ("table" in row && candidate["table"] !== row["table"]) continue
      const found = compareRow(row, candidate, compared)
      if (best === undefined || found.length < best.differences.length) best = { index, differences: found }
    }
    if (best === undefined) differences.push(`${kind} ${String(row["id"])} recorded, not here`)
    else {
      differences.push(...best.differences)
      rest.splice(best.index, 1)
    }
  }
  return differences
}

export interface Held {
  readonly observations: ReadonlyArray<StoredObservation>
  readonly traces: ReadonlyArray<StoredTrace>
  readonly scores: ReadonlyArray<StoredScore>
  readonly losses: number
}

export const compareStored = (
  recorded: NonNullable<Case["stored"]>,
  held: Held,
  options: { readonly fields: ReadonlyArray<string> | undefined; readonly hasTraces: boolean }
): ReadonlyArray<string> => [
  ...compareRows(
    "observations",
    recorded.observations ?? [],
    held.observations.map((row): Json => ({ ...row })),
    options.fields
  ),
  ...compareRows("scores", recorded.scores ?? [], held.scores.map((row): Json => ({ ...row })), options.fields),
  ...(options.hasTraces
    ? compareRows(
      "traces",
      recorded.traces ?? [],
      held.traces.map(({ observations: _o, scores: _s, totalCost: _c, ...row }): Json => row),
      options.fields
    )
    : []),
  ...((recorded.lost ?? []).length > 0 && held.losses === 0 ? ["a loss was recorded, none is told here"] : [])
]
