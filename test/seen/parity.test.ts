/**
 * Arbitrary programs of events, sent to v3 by the batch endpoint and to v4 by OTLP: users see the same of them, but for
 * what docs/protocols.md lists.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { read } from "../guides/pages.js"
import { runs } from "../utils/properties.js"
import { enqueue, held } from "../utils/seen.js"
import { type Event, program } from "./support/programs.js"
import { differences, ofObservations, ofTraces, rowsOf } from "./support/same.js"

/** Ids of events that were not delivered. */
const left = ({ outcomes }: { readonly outcomes: ReadonlyMap<string, string> }): ReadonlyArray<string> =>
  [...outcomes].flatMap(([id, outcome]) => outcome === "delivered" ? [] : [id])

/** With all events of observations whose creation is among them. */
const withUpdates = (
  program: ReadonlyArray<ReadonlyArray<Event>>,
  ids: ReadonlyArray<string>
): ReadonlyArray<string> => {
  const bodies = program.flat().filter(({ id }) => ids.includes(id)).map(({ body }) => body.id)
  return program.flat().filter(({ body, id }) => ids.includes(id) || bodies.includes(body.id)).map(({ id }) => id)
}

const compared = (program: ReadonlyArray<ReadonlyArray<Event>>) =>
  Effect.gen(function*() {
    const without = (ids: ReadonlyArray<string>) =>
      program.map((batch) => batch.filter(({ id }) => !ids.includes(id))).filter((batch) => batch.length > 0)
    // What no Langfuse takes, and what comes after its observation has left.
    const refused = withUpdates(program, left(yield* held({ version: "3.225.4" }, enqueue(...program))))
    const v4 = yield* held({ version: "4.16.0" }, enqueue(...without(refused)))
    const late = left(v4)
    const v3 = yield* held({ version: "3.225.4" }, enqueue(...without([...refused, ...late])))
    return { v3, v4, late, refused, sent: without([...refused, ...late]) }
  })

describe("docs/protocols.md", () => {
  it("lists all differences and no others", () => {
    const rows = read("docs/protocols.md").split("\n").filter((line) => line.startsWith("| `"))
    assert.deepStrictEqual(rows, [...rowsOf(ofObservations), ...rowsOf(ofTraces)])
  })
})

describe("one program of events, by the batch endpoint to v3 and by OTLP to v4", () => {
  it.effect.prop("is seen alike", { program }, ({ program }) =>
    Effect.gen(function*() {
      const { sent, v3, v4 } = yield* compared(program)
      assert.deepStrictEqual(left(v3), [])
      assert.deepStrictEqual([...v3.losses, ...v4.losses], [])
      assert.deepStrictEqual(differences(v3, v4, sent.flat()), [])
    }), runs(25))
})
