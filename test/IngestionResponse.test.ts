import { assert, describe, it } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as IngestionResponse from "effect-langfuse/IngestionResponse"
import * as Either from "effect/Either"

describe("IngestionResponse.decode", () => {
  const answer = {
    successes: [{ id: "a", status: 201 }],
    errors: [{ id: "b", status: 400, message: "Invalid request data", error: "[]" }]
  }

  it("reads the text of an answer and the value parsed from it", () => {
    deepStrictEqual(Either.getOrThrow(IngestionResponse.decode(JSON.stringify(answer))), answer)
    deepStrictEqual(Either.getOrThrow(IngestionResponse.decode(answer)), answer)
    const empty = { successes: [], errors: [] }
    deepStrictEqual(Either.getOrThrow(IngestionResponse.decode(empty)), empty)
  })

  it("ignores fields it does not know, and takes any error and no message", () => {
    for (const error of [undefined, null, 1, { issues: [] }, [1], "text"]) {
      const failure = { id: "b", status: 401, message: null, error }
      const decoded = Either.getOrThrow(
        IngestionResponse.decode({ successes: [{ id: "a", status: 201, at: 1 }], errors: [failure], more: true })
      )
      deepStrictEqual(decoded, { successes: [{ id: "a", status: 201 }], errors: [failure] })
    }
    deepStrictEqual(
      Either.getOrThrow(IngestionResponse.decode({ successes: [], errors: [{ id: "b", status: 500 }] })),
      {
        successes: [],
        errors: [{ id: "b", status: 500 }]
      }
    )
  })

  it("refuses what is no answer of Langfuse's", () => {
    const others = [
      "<html></html>",
      "",
      "{\"successes\":[{\"id\":\"a\",",
      "null",
      "[]",
      "{}",
      null,
      undefined,
      { message: "Invalid request data", errors: ["batch"] },
      { successes: [] },
      { errors: [] },
      { successes: null, errors: null },
      { successes: [{ id: 1, status: 201 }], errors: [] },
      { successes: ["a"], errors: [] }
    ]
    for (const other of others) assert.isTrue(Either.isLeft(IngestionResponse.decode(other)), JSON.stringify(other))
  })
})

describe("IngestionResponse.isEventTypeNotAccepted", () => {
  it("tells that this Langfuse takes traces only through OpenTelemetry", () => {
    assert.isTrue(IngestionResponse.isEventTypeNotAccepted({ message: "Event type not accepted" }))
    assert.isFalse(IngestionResponse.isEventTypeNotAccepted({ message: "Invalid request data" }))
    assert.isFalse(IngestionResponse.isEventTypeNotAccepted({}))
    assert.isFalse(IngestionResponse.isEventTypeNotAccepted({ message: null }))
  })
})
