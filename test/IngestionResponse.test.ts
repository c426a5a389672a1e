import { assert, describe, it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import type { DeliveryReport } from "effect-langfuse/DeliveryReport"
import * as IngestionEvent from "effect-langfuse/IngestionEvent"
import * as IngestionResponse from "effect-langfuse/IngestionResponse"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"

// ---------------------------------------------------------------------------------------------------------------------
// helpers
// ---------------------------------------------------------------------------------------------------------------------

const trace = (id: string) => IngestionEvent.unsafeTraceCreate({ id: `trace of ${id}` }, { id })
const log = (id: string) => IngestionEvent.unsafeSdkLog({ log: "a note" }, { id })

const ok = (id: string): IngestionResponse.Success => ({ id, status: 201 })
const refused = (id: string, more?: Partial<IngestionResponse.Failure>): IngestionResponse.Failure => ({
  id,
  status: 400,
  message: "Invalid request data",
  ...more
})

const ids = (report: DeliveryReport) => ({
  delivered: report.delivered.map(({ id }) => id),
  rejected: report.rejected.map(({ event }) => event.id),
  failed: report.failed.map(({ event }) => event.id)
})

const describeRejection = (failure: Partial<IngestionResponse.Failure>): string => {
  const report = IngestionResponse.toReport([trace("a")], { successes: [], errors: [refused("a", failure)] })
  strictEqual(report.rejected.length, 1)
  return report.rejected[0]?.error.message ?? ""
}

const issue = (path: ReadonlyArray<string | number>, code: string, message = "quotes s3cr3t") => ({
  code,
  path,
  message,
  received: "s3cr3t",
  values: ["s3cr3t"]
})

// ---------------------------------------------------------------------------------------------------------------------
// tests
// ---------------------------------------------------------------------------------------------------------------------

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

describe("IngestionResponse.toReport", () => {
  it("matches by envelope id, whatever the order of the answer, and keeps the order of the batch", () => {
    const batch = ["a", "b", "c", "d", "e"].map(trace)
    const report = IngestionResponse.toReport(batch, {
      successes: [ok("d"), ok("a")],
      errors: [refused("e"), refused("b")]
    })
    deepStrictEqual(ids(report), { delivered: ["a", "d"], rejected: ["b", "e"], failed: ["c"] })
    strictEqual(report.delivered[0], batch[0])
    strictEqual(report.rejected[0]?.event, batch[1])
  })

  it("says why an event is not delivered", () => {
    const { failed, rejected } = IngestionResponse.toReport([trace("a"), trace("b")], {
      successes: [],
      errors: [refused("a", { status: 401, message: "Authentication error", error: "Access Scope Denied" })]
    })
    strictEqual(rejected[0]?.error.reason, "Rejected")
    strictEqual(rejected[0]?.error.status, 401)
    strictEqual(rejected[0]?.error.retryable, false)
    strictEqual(failed[0]?.error.reason, "Unconfirmed")
  })

  it("delivers an sdk-log that the answer does not mention, and rejects one that it refuses", () => {
    const report = IngestionResponse.toReport([log("a"), log("b"), trace("c")], {
      successes: [],
      errors: [refused("b")]
    })
    deepStrictEqual(ids(report), { delivered: ["a"], rejected: ["b"], failed: ["c"] })
  })

  it("rejects an id that is in both lists", () => {
    const report = IngestionResponse.toReport([trace("a")], { successes: [ok("a")], errors: [refused("a")] })
    deepStrictEqual(ids(report), { delivered: [], rejected: ["a"], failed: [] })
  })

  it("gives all events of one id its verdict, each once", () => {
    const batch = [trace("a"), trace("b"), trace("a")]
    const report = IngestionResponse.toReport(batch, { successes: [ok("a"), ok("a"), ok("b")], errors: [refused("b")] })
    deepStrictEqual(ids(report), { delivered: ["a", "a"], rejected: ["b"], failed: [] })
    strictEqual(report.delivered[1], batch[2])
  })

  it("ignores ids that are not of the batch", () => {
    const report = IngestionResponse.toReport([trace("a")], { successes: [ok("x"), ok("a")], errors: [refused("y")] })
    deepStrictEqual(ids(report), { delivered: ["a"], rejected: [], failed: [] })
  })

  it("does not take the server's word for an unreadable id for an event of that name", () => {
    const answer = { successes: [ok("unknown")], errors: [refused("unknown")] }
    deepStrictEqual(ids(IngestionResponse.toReport([trace("unknown")], answer)).delivered, ["unknown"])
  })

  it("is not confused by ids that objects have a meaning for", () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty"]
    const batch = names.map(trace)
    deepStrictEqual(ids(IngestionResponse.toReport(batch, { successes: [], errors: [] })).failed, names)
    deepStrictEqual(
      ids(IngestionResponse.toReport(batch, { successes: names.map(ok), errors: [refused("__proto__")] })),
      { delivered: names.slice(1), rejected: ["__proto__"], failed: [] }
    )
  })

  it("settles an empty batch as nothing", () => {
    deepStrictEqual(IngestionResponse.toReport([], { successes: [ok("a")], errors: [refused("b")] }), {
      delivered: [],
      rejected: [],
      failed: []
    })
  })

  it("takes time in proportion to the batch", () => {
    const template = trace("t")
    const batch = Array.from({ length: 100_000 }, (_, index) => ({ ...template, id: String(index) }))
    // Compared pairwise this would be ten thousand million steps, and would not end within the test's time.
    const report = IngestionResponse.toReport(batch, { successes: batch.map(({ id }) => ok(id)).reverse(), errors: [] })
    strictEqual(report.delivered.length, batch.length)
    assert.isTrue(report.delivered.every((event, index) => event === batch[index]))
  })

  const name = FastCheck.constantFrom("a", "b", "c", "d", "unknown", "__proto__", "")
  const names = FastCheck.array(name, { maxLength: 12 })

  it.prop("puts every event of any batch into exactly one list, in order, by the rules", [
    FastCheck.array(FastCheck.tuple(name.filter((id) => id !== ""), FastCheck.boolean()), { maxLength: 12 }),
    names,
    names
  ], ([events, successes, errors]) => {
    const batch = events.map(([id, isLog]) => isLog ? log(id) : trace(id))
    const report = IngestionResponse.toReport(batch, {
      successes: successes.map(ok),
      errors: errors.map((id) => refused(id))
    })
    const isRefused = (id: string) => id !== "unknown" && errors.includes(id)
    const expected = {
      delivered: batch.filter(({ id, type }) => !isRefused(id) && (successes.includes(id) || type === "sdk-log")),
      rejected: batch.filter(({ id }) => isRefused(id)),
      failed: batch.filter(({ id, type }) => !isRefused(id) && !successes.includes(id) && type !== "sdk-log")
    }
    const actual = {
      delivered: report.delivered,
      rejected: report.rejected.map(({ event }) => event),
      failed: report.failed.map(({ event }) => event)
    }
    for (const list of ["delivered", "rejected", "failed"] as const) {
      strictEqual(actual[list].length, expected[list].length)
      // The very objects, since two events may be equal.
      assert.isTrue(actual[list].every((event, index) => event === expected[list][index]))
    }
    strictEqual(actual.delivered.length + actual.rejected.length + actual.failed.length, batch.length)
  })
})

describe("what a rejection says", () => {
  it("names the fields and rules the server found broken, and quotes nothing of the event", () => {
    const error = JSON.stringify([
      issue(["body", "name"], "too_big"),
      issue(["body", "tags", 0], "invalid_type"),
      issue([], "custom")
    ])
    strictEqual(
      describeRejection({ error }),
      "400: Invalid request data: body.name (too_big), body.tags.0 (invalid_type), event (custom)"
    )
  })

  it("names a bounded number of them, each clipped", () => {
    const many = Array.from(
      { length: 50 },
      (_, index) => issue(["body", "tags", index, "x".repeat(500)], "y".repeat(500))
    )
    const text = describeRejection({ error: JSON.stringify(many) })
    assert.match(text, /body\.tags\.4\.x+… \(y+…\) and 45 more$/)
    assert.isBelow(text.length, 1000)
  })

  it("keeps the server's message alone where the error is anything else", () => {
    const others = [
      undefined,
      null,
      "s3cr3t",
      "[",
      "[]",
      "{\"s3cr3t\":1}",
      "[{\"code\":1}]",
      { s3cr3t: 1 },
      [issue(["body"], "custom")]
    ]
    for (const error of others) strictEqual(describeRejection({ error }), "400: Invalid request data")
    strictEqual(describeRejection({ message: null, status: 500 }), "500: refused without a message")
    strictEqual(describeRejection({ message: undefined }), "400: refused without a message")
    assert.isBelow(describeRejection({ message: "m".repeat(10_000) }).length, 250)
  })

  it("does not let a code quote anything either", () => {
    strictEqual(
      describeRejection({ error: JSON.stringify([issue(["body"], "my s3cr3t!")]) }),
      "400: Invalid request data: body (invalid)"
    )
  })

  it("explains the two refusals that are not about the event", () => {
    const error = "Event type \"span-create\" is not accepted by /api/public/ingestion when …"
    assert.match(describeRejection({ message: "Event type not accepted", error }), /^400: Event type not accepted: /)
    assert.match(
      describeRejection({ status: 401, message: "Authentication error", error: "Access Scope Denied" }),
      /^401: Authentication error: /
    )
  })

  it("can be told to mean that this Langfuse takes traces only through OpenTelemetry", () => {
    assert.isTrue(IngestionResponse.isEventTypeNotAccepted(refused("a", { message: "Event type not accepted" })))
    assert.isFalse(IngestionResponse.isEventTypeNotAccepted(refused("a")))
    assert.isFalse(IngestionResponse.isEventTypeNotAccepted({}))
    assert.isFalse(IngestionResponse.isEventTypeNotAccepted({ message: null }))
  })
})
