/**
 * Recorded batches, enqueued event by event: v3 holds what it was recorded to hold, or more of what was meant.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Case, readCases, type RecordedRequest } from "../recorded/cases.js"
import { compareStored } from "../recorded/compare.js"
import { enqueue, held } from "../utils/seen.js"

interface Event {
  readonly id?: unknown
}

/** What is stored otherwise than it was recorded, line by line, and why that is what is meant. */
const wanted: ReadonlyArray<{ readonly why: string; readonly is: RegExp; readonly of?: RegExp }> = [
  { why: "false, 0 and an empty text are contents", is: /(?:in|out)put: .* (?:0|false|"") here$/ },
  { why: "they are metadata, too", is: /metadata: .*"metadata":(?:0|false|""|\{\}).* here$/ },
  { why: "no parent is no parent", is: /parentObservationId: "" recorded, undefined here$/ },
  { why: "numbers and legacy events have environments", is: /environment: "default" recorded, "(?:0|text)" here$/ },
  { why: "usage and costs are read in more shapes", is: /(?:usageDetails|costDetails|totalCost): / },
  { why: "empty parameters are none", is: /modelParameters: \{\} recorded/ },
  { why: "the last of events that tie wins", is: /(?:name|userId|public): /, of: /^(?:tie|microseconds)/ },
  {
    why: "taken with the nearest value, with a note, or with an id",
    is: /^\d+ (?:observations|traces|scores) recorded, \d+ here$/
  }
]

const isBatch = ({ body, headers, path }: RecordedRequest): boolean =>
  path === "/api/public/ingestion" && headers === undefined && Array.isArray(batchOf(body))

const batchOf = (body: unknown): ReadonlyArray<Event> =>
  (body as { readonly batch: ReadonlyArray<Event> } | null)?.batch ?? []

const cases = ["verdicts", "merges", "usage-cost", "falsy", "scores"].flatMap((file) =>
  readCases(file).filter(({ answer, before, given, request, server, stored }) =>
    server === "v3.225.4" && stored !== null && given === undefined && answer.status === 207 && isBatch(request) &&
    (before ?? []).every(isBatch)
  )
)

/** Refused here, and not stored there although it was accepted: a legacy observation without an id. */
const isUnstored = ({ name }: Case, id: unknown) =>
  /^observation-(?:create|update)-id$/.test(name) && (id === "null" || id === "missing")

const used = new Set<string>()

describe("recorded batches", () => {
  it.effect.each(cases)("$name", (one) =>
    Effect.gen(function*() {
      const batches = [...one.before ?? [], one.request].map(({ body }) => batchOf(body))
      const { losses, observations, outcomes, scores, traces } = yield* held(
        { version: "3.225.4" },
        enqueue(...batches)
      )
      // Whether there is such a config, only the server knows; constructors refuse an annotation that names none.
      const reasons = losses.map(({ reason }) => reason).filter((reason) =>
        !/needs a config|config is unknown/.test(reason)
      )
      assert.deepStrictEqual(reasons, [])
      const { successes } = one.answer.body as { readonly successes: ReadonlyArray<{ readonly id: string }> }
      const refused = successes.filter(({ id }) =>
        id !== "" && outcomes.get(id) !== "delivered" && !isUnstored(one, id)
      )
      assert.deepStrictEqual(refused, [], "refused here, accepted there")
      const unexplained = compareStored(
        one.stored ?? {},
        { observations, traces, scores, losses: losses.length },
        { fields: one.fields, hasTraces: one.fields === undefined || one.stored?.traces !== undefined }
      ).filter((line) => {
        const found = wanted.find(({ is, of }) => is.test(line) && of?.test(one.name) !== false)
        if (found !== undefined) used.add(found.why)
        return found === undefined
      })
      assert.strictEqual(unexplained.join("\n"), "")
    }))

  it("differ only in ways that are listed, each of which occurs", () => {
    assert.strictEqual(wanted.map(({ why }) => why).filter((why) => !used.has(why)).join("\n"), "")
  })
})
