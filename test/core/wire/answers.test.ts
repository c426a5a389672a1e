import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import protobuf from "protobufjs"
import type { Outcome, Reason } from "../../../src/core/flow/outcome.js"
import { Observation, Plain } from "../../../src/core/item/item.js"
import type { Answer, BatchAnswer } from "../../../src/core/wire/answers.js"
import {
  batchOutcomes,
  exportOutcome,
  isBatchDivisible,
  isExportDivisible,
  isTypeNotAccepted,
  problemOf,
  retryable,
  retryAfter,
  unexpectedBody
} from "../../../src/core/wire/answers.js"
import { fixed, text } from "./support/items.js"

const now = Date.parse("2026-02-03T04:05:06.000Z")

const answer = (status: number, body: unknown, headers: Answer["headers"] = {}): Answer => ({
  status,
  headers,
  text: typeof body === "string" ? body : JSON.stringify(body)
})

const event = (id: string) => new Observation(id, now, "o", "create", "span", true)
const log = (id: string) => new Plain(id, now, "l", "sdk-log", "{}", undefined, [])
const ok = (id: string) => ({ id, status: 201 })
const refused = (id: string, rest: Partial<BatchAnswer["errors"][number]> = {}) => ({
  id,
  status: 400,
  message: "Invalid request data",
  ...rest
})

const kindOf = (outcome: Outcome): string =>
  outcome === "delivered" ? outcome : "rejected" in outcome ? "rejected" : `failed ${outcome.failed.reason}`

describe("answers of the batch endpoint", () => {
  const name = FastCheck.constantFrom("a", "b", "c", "d", "unknown", "__proto__", "constructor")
  const names = FastCheck.array(name, { maxLength: 12 })

  it.prop("settle each event by its id, wherever that stands", [name, names, names, FastCheck.boolean()], (
    [id, successes, errors, isLog]
  ) => {
    const outcomeOf = batchOutcomes({ successes: successes.map(ok), errors: errors.map((id) => refused(id)) })
    const expected = id !== "unknown" && errors.includes(id)
      ? "rejected"
      : isLog || successes.includes(id)
      ? "delivered"
      : "failed Unconfirmed"
    assert.strictEqual(kindOf(outcomeOf(isLog ? log(id) : event(id))), expected)
  }, fixed(500))

  it("take the first word on an id that was refused twice", () => {
    const outcome = batchOutcomes({ successes: [], errors: [refused("a", { status: 401 }), refused("a")] })(event("a"))
    assert.deepStrictEqual(outcome, {
      rejected: { reason: "Rejected", status: 401, description: "Invalid request data" }
    })
  })

  it("give events with the same verdict the same outcome, so that one warning covers them", () => {
    const outcomeOf = batchOutcomes({
      successes: [],
      errors: [refused("a"), refused("d"), refused("e", { status: 401 })]
    })
    assert.strictEqual(outcomeOf(event("a")), outcomeOf(event("d")))
    assert.notStrictEqual(outcomeOf(event("a")), outcomeOf(event("e")))
    assert.strictEqual(outcomeOf(event("b")), outcomeOf(event("c")))
  })

  const describeRejection = (rest: Partial<BatchAnswer["errors"][number]>): string => {
    const outcome = batchOutcomes({ successes: [], errors: [refused("a", rest)] })(event("a"))
    return outcome !== "delivered" && "rejected" in outcome
      ? outcome.rejected.description
      : assert.fail(kindOf(outcome))
  }

  const issue = (path: ReadonlyArray<string | number>, code: unknown) => ({ code, path, message: "it was \"s3cr3t\"" })

  it("say which fields broke which rules, and nothing of what was in them", () => {
    const error = JSON.stringify([
      issue(["body", "name"], "too_big"),
      issue(["body", "tags", 0], "invalid_type"),
      issue([], "custom"),
      issue(["body"], "my s3cr3t!")
    ])
    assert.strictEqual(
      describeRejection({ error }),
      "Invalid request data: body.name (too_big), body.tags.0 (invalid_type), event (custom), body (invalid)"
    )
    const many = JSON.stringify(
      Array.from({ length: 50 }, (_, index) => issue(["body", "tags", index, "x".repeat(500)], "y".repeat(500)))
    )
    assert.match(describeRejection({ error: many }), /body\.tags\.4\.x+… \(y+…\) and 45 more$/)
    assert.isBelow(describeRejection({ error: many }).length, 1000)
  })

  it("say the server's message alone where its error is anything else", () => {
    for (
      const error of [
        undefined,
        null,
        "s3cr3t",
        "[",
        "[]",
        "{\"s3cr3t\":1}",
        "[{\"code\":1,\"path\":[]}]",
        "[{\"code\":\"x\"}]",
        "[null]",
        { s3cr3t: 1 },
        [issue(["body"], "custom")]
      ]
    ) assert.strictEqual(describeRejection({ error }), "Invalid request data")
    assert.strictEqual(describeRejection({ message: null }), "refused without a message")
    assert.strictEqual(describeRejection({ message: "" }), "refused without a message")
    // Cut again where it is shown, once the keys are out.
    assert.isBelow(describeRejection({ message: "m".repeat(20_000) }).length, 10_100)
  })

  it("explain the refusals that are not about the event", () => {
    const error = "Event type \"span-create\" is not accepted by /api/public/ingestion when …"
    const notAccepted = batchOutcomes({
      successes: [],
      errors: [refused("a", { message: "Event type not accepted", error }), refused("b")]
    })
    const first = notAccepted(event("a"))
    const second = notAccepted(event("b"))
    assert.isTrue(first !== "delivered" && "rejected" in first && isTypeNotAccepted(first.rejected))
    assert.isFalse(second !== "delivered" && "rejected" in second && isTypeNotAccepted(second.rejected))
    assert.match(describeRejection({ message: "Event type not accepted", error }), /^Event type not accepted: /)
    assert.match(describeRejection({ message: "Authentication error" }), /^Authentication error: .*public key/)
  })

  it.prop("are read whatever they hold", [
    FastCheck.array(FastCheck.record({
      id: text,
      status: FastCheck.integer(),
      message: FastCheck.option(text),
      error: FastCheck.oneof(FastCheck.anything(), FastCheck.json())
    })),
    text
  ], ([errors, id]) => {
    batchOutcomes({ successes: [], errors })(event(id))
  }, fixed(300))
})

describe("answers of the OpenTelemetry endpoint", () => {
  const json = { "content-type": "application/json; charset=utf-8" }

  it.each([
    ["what Langfuse sends", {}],
    ["what Langfuse sends, a job of its queue", { id: "x", name: "otel-ingestion-job", data: { payload: {} } }],
    ["nothing", ""],
    ["what is no JSON", "\u0000\u0001"],
    ["a list", []],
    ["no partial success", { partialSuccess: null }],
    ["an empty partial success", { partialSuccess: {} }],
    ["a warning", { partialSuccess: { rejectedSpans: "0", errorMessage: "slow down" } }],
    ["what 3.95 sends", { successes: [{ id: "x", status: 201 }], errors: [] }]
  ])("deliver everything: %s", (_, body) => {
    assert.strictEqual(exportOutcome(answer(200, body, json)), "delivered")
    assert.strictEqual(exportOutcome(answer(202, body, { "content-type": "application/x-protobuf" })), "delivered")
  })

  it.each([
    [{ partialSuccess: { rejectedSpans: "2", errorMessage: "s3cr3t" } }, 2],
    [{ partialSuccess: { rejectedSpans: 1 } }, 1],
    [{ successes: [], errors: [{ id: "x", status: 400, message: "s3cr3t" }] }, 1]
  ])("confirm nothing where some spans were refused: %j", (body, count) => {
    assert.deepStrictEqual(exportOutcome(answer(200, body, json)), {
      failed: {
        reason: "Unconfirmed",
        status: 200,
        description: `${count} of the request's spans were refused, and not said which`
      }
    })
  })

  describe("in protobuf", () => {
    const response = protobuf.parse(`
      syntax = "proto3";
      message Partial { int64 rejected_spans = 1; string error_message = 2; }
      message Response { Partial partial_success = 1; fixed64 later = 7; fixed32 latest = 8; uint64 last = 900; }
    `).root.lookupType("Response")
    const binary = (bytes: Iterable<number>): Answer =>
      answer(200, Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""), {
        "content-type": "application/x-protobuf"
      })

    it.prop("say how many spans were refused", [FastCheck.record({
      partialSuccess: FastCheck.option(
        FastCheck.record({
          rejectedSpans: FastCheck.oneof(FastCheck.nat(), FastCheck.constantFrom(-1, 127, 128, 2 ** 40)),
          errorMessage: FastCheck.oneof(text, FastCheck.constant("é".repeat(300)))
        }, { requiredKeys: [] }),
        { nil: undefined }
      ),
      later: FastCheck.nat(),
      latest: FastCheck.nat(),
      last: FastCheck.nat()
    }, { requiredKeys: [] })], ([given]) => {
      const refused = Math.max(0, given.partialSuccess?.rejectedSpans ?? 0)
      assert.deepStrictEqual(
        exportOutcome(binary(response.encode(response.fromObject(given)).finish())),
        refused === 0 ? "delivered" : {
          failed: {
            reason: "Unconfirmed",
            status: 200,
            description: `${refused} of the request's spans were refused, and not said which`
          }
        }
      )
    }, fixed(500))

    it.prop("end wherever they are cut off", [FastCheck.uint8Array()], ([bytes]) => {
      assert.include(["delivered", "failed Unconfirmed"], kindOf(exportOutcome(binary(bytes))))
    }, fixed(500))
  })

  it("are not those of a page", () => {
    for (const headers of [{ "content-type": "text/html; charset=utf-8" }, {}]) {
      const page = answer(200, "<html>s3cr3t</html>", headers)
      const problem = unexpectedBody(page)
      assert.deepStrictEqual(exportOutcome(page), { failed: problem })
      assert.strictEqual(problem.reason, "UnexpectedBody")
      assert.notInclude(problem.description, "s3cr3t")
    }
  })
})

describe("requests that were refused", () => {
  it("say why in the server's words where those are documented ones", () => {
    const messages: ReadonlyArray<readonly [status: number, body: unknown, reason: Reason, description: string]> = [
      [401, { error: "UnauthorizedError", message: "Invalid credentials." }, "Status", "Invalid credentials."],
      [403, { error: "ForbiddenError", message: "Ingestion suspended: x" }, "Status", "Ingestion suspended: x"],
      [400, { error: "Invalid content type" }, "Status", "Invalid content type"],
      [500, "<html>s3cr3t</html>", "Status", "refused without a reason"],
      [500, { message: { s3cr3t: 1 } }, "Status", "refused without a reason"],
      [500, { message: "" }, "Status", "refused without a reason"],
      [500, "null", "Status", "refused without a reason"],
      [500, "[]", "Status", "refused without a reason"],
      [413, "Body exceeded 4.5mb limit", "TooLarge", "refused without a reason"],
      [302, "", "Status", "redirected, which is not followed"]
    ]
    for (const [status, body, reason, description] of messages) {
      assert.deepStrictEqual(problemOf(answer(status, body), now), { reason, status, description })
    }
    // What `fetch` tells of a redirect.
    assert.deepStrictEqual(problemOf(answer(0, ""), now), {
      reason: "Status",
      status: undefined,
      description: "redirected, which is not followed"
    })
    assert.isAtMost(problemOf(answer(500, { message: "m".repeat(20_000) }), now).description.length, 10_000)
  })

  it("say how long to wait", () => {
    const waits: ReadonlyArray<readonly [header: string | undefined, body: unknown, millis: number]> = [
      ["7", "", 7000],
      ["0.5", "", 500],
      [" 3 ", "", 3000],
      ["Tue, 03 Feb 2026 04:05:16 GMT", "", 10_000],
      ["Tue, 03 Feb 2026 04:05:00 GMT", "", 0],
      ["100000", "", 60_000],
      ["soon", "", 1000],
      ["-5", "", 1000],
      [undefined, { details: { retryAfterSeconds: 4 } }, 4000],
      [undefined, { details: { retryAfterSeconds: "4" } }, 1000],
      [undefined, { details: null }, 1000],
      [undefined, "null", 1000],
      [undefined, "{", 1000]
    ]
    for (const [header, body, millis] of waits) {
      const limited = answer(429, body, header === undefined ? {} : { "retry-after": header })
      if (header === "-5") assert.isAtMost(retryAfter(limited, now), 60_000)
      else assert.strictEqual(retryAfter(limited, now), millis, String(header))
    }
    assert.deepStrictEqual(
      problemOf(answer(429, { message: "Rate limit exceeded" }, { "retry-after": "7" }), now),
      { reason: "RateLimited", status: 429, description: "Rate limit exceeded, asked to wait 7 s" }
    )
  })

  it("say whether to try again", () => {
    const problem = (reason: Reason, status?: number) => ({
      reason,
      status,
      description: ""
    })
    for (const status of [408, 429, 500, 502, 503, 504]) {
      assert.isTrue(retryable(problem("Status", status)))
      assert.isTrue(retryable(problem("Rejected", status)))
    }
    for (const reason of ["Unreachable", "Timeout", "RateLimited"] as const) assert.isTrue(retryable(problem(reason)))
    for (const status of [undefined, 302, 400, 401, 403, 404, 413]) {
      assert.isFalse(retryable(problem("Status", status)))
      assert.isFalse(retryable(problem("Rejected", status)))
    }
    for (
      const reason of ["TooLarge", "UnexpectedBody", "Unconfirmed", "Unsendable", "Closed", "Defect"] as const
    ) assert.isFalse(retryable(problem(reason, 500)))
  })

  it("say whether halves may pass", () => {
    assert.isTrue(isBatchDivisible(answer(413, "")))
    assert.isFalse(isBatchDivisible(answer(400, "")))
    assert.isTrue(isExportDivisible(answer(413, "")))
    assert.isTrue(isExportDivisible(answer(400, { error: "Invalid OTLP trace export: 1 of 3 span(s) cannot …" })))
    for (
      const error of [
        "Unsupported x-langfuse-ingestion-version: \"5\". Maximum supported: \"4\".",
        "Invalid content type",
        "Failed to decompress request body"
      ]
    ) assert.isFalse(isExportDivisible(answer(400, { error })))
    assert.isFalse(isExportDivisible(answer(500, "")))
  })
})
