/** What is refused before it is sent, no server would have stored. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, Schema } from "effect"
import { LangfuseServer, type Options } from "effect-langfuse/LangfuseServer"
import { fromEvent } from "../../../src/core/item/fromEvent.js"
import { runs } from "../../properties/support/runs.js"
import { ingest, layerServer } from "../../utils/server.js"
import * as Events from "./support/events.js"
import { open } from "./support/policy.js"

/** Each with an id of its own, for what it is about too, so that it can be found. */
const refused = FastCheck.sample(Events.event, runs(4000))
  .map((event, index) => {
    const body = event.body
    const isNamed = typeof body === "object" && body !== null && "id" in body && body.id === "o1"
    return {
      ...event,
      id: typeof event.id === "string" && event.id !== "" ? `e${index}` : event.id,
      body: isNamed ? { ...body, id: `o${index}`, traceId: `t${index}` } : body
    }
  })
  // As it is on the wire.
  .map((event): typeof event => JSON.parse(JSON.stringify(event)))
  .filter((event) => "issues" in fromEvent(event, open))

const isAboutDetails = (event: unknown): boolean => {
  const result = fromEvent(event, open)
  return "issues" in result && result.issues.every((issue) => /^body\.(?:usage|cost)Details/.test(issue))
}

const Answer = Schema.Struct({ successes: Schema.Array(Schema.Struct({ id: Schema.String })) })

const servers: ReadonlyArray<Options> = [
  { version: "2.95.12" },
  { version: "3.95.0" },
  { version: "3.225.4" },
  { version: "4.16.0", writeMode: "legacy" },
  { version: "4.16.0" }
]

describe("what is refused here", () => {
  it("has something to be tried with", () => {
    assert.isAbove(refused.length, 500)
  })

  for (const options of servers) {
    it.effect(`is refused or not stored by ${options.version} ${options.writeMode ?? ""}`, () =>
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        const accepted = new Set<string>()
        // Before 3.38 there were no details, and an empty id of an event was as good as any.
        const isOld = options.version === "2.95.12"
        const sent = refused.filter((event) => !isOld || event.id !== "" && !isAboutDetails(event))
        for (let at = 0; at < sent.length; at += 100) {
          const { json } = yield* ingest(sent.slice(at, at + 100))
          const { successes } = yield* Schema.decodeUnknown(Answer)(json)
          for (const { id } of successes) accepted.add(id)
        }
        // A legacy observation without an id is the one thing that is acknowledged and not stored.
        for (const event of sent.filter(({ id }) => typeof id === "string" && accepted.has(id))) {
          assert.include(["observation-create", "observation-update"], event.type, JSON.stringify(event))
        }
        assert.deepStrictEqual(yield* server.observations, [])
        assert.deepStrictEqual(yield* server.traces, [])
        assert.deepStrictEqual(yield* server.scores, [])
      }).pipe(Effect.provide(layerServer(options))))
  }
})
