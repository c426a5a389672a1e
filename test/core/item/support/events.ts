/** Events as programs that know no types enqueue them. */
import { FastCheck } from "effect"

export const types = ["span", "generation", "event", "agent", "tool", "chain", "retriever", "evaluator", "embedding"]
  .concat("guardrail")
  .map((type) => `${type}-create`)
  .concat("span-update", "generation-update", "trace-create", "observation-create", "observation-update")
  .concat("score-create", "sdk-log")

export const fields = [
  "id",
  "traceId",
  "parentObservationId",
  "type",
  "name",
  "startTime",
  "endTime",
  "completionStartTime",
  "timestamp",
  "level",
  "statusMessage",
  "version",
  "environment",
  "model",
  "modelParameters",
  "usage",
  "usageDetails",
  "costDetails",
  "promptName",
  "promptVersion",
  "input",
  "output",
  "metadata",
  "userId",
  "sessionId",
  "release",
  "public",
  "tags",
  "externalId",
  "value",
  "dataType",
  "source",
  "comment",
  "log",
  "somethingNew",
  "__proto__",
  "toJSON",
  "7"
]

/** What JSON can hold. */
const value = FastCheck.oneof(
  { weight: 3, arbitrary: FastCheck.jsonValue() },
  {
    weight: 3,
    arbitrary: FastCheck.constantFrom<unknown>(
      null,
      true,
      false,
      0,
      -0,
      1.5,
      -1,
      1e21,
      "",
      "false",
      "0",
      "text",
      "half \ud83d",
      "2026-01-31T12:00:00.123456789+02:00",
      "2026-01-31T12:00Z",
      "2026-02-30T12:00:00Z",
      [],
      ["a"],
      ["a", 1],
      {},
      { input: 1, output: 2 },
      { input: 1.5, prompt_tokens: 3 },
      { promptTokens: 3, completionTokens: 4 },
      { a: { b: [1, { c: null }] } },
      JSON.parse("{\"__proto__\":{\"a\":1},\"b\":{\"__proto__\":\"x\"}}")
    )
  }
)

/** Most are nearly right. */
const right = new Map<string, FastCheck.Arbitrary<unknown>>(Object.entries({
  id: FastCheck.constantFrom("o1", "o2"),
  traceId: FastCheck.constantFrom("t1", "t2"),
  type: FastCheck.constantFrom("GENERATION", "SPAN", "EVENT"),
  startTime: FastCheck.constant("2026-01-31T12:00:00.000Z"),
  endTime: FastCheck.constant("2026-01-31T12:00:01.5Z"),
  timestamp: FastCheck.constant("2026-01-31T12:00:00.000Z"),
  tags: FastCheck.constant(["b", "a"]),
  public: FastCheck.boolean(),
  usageDetails: FastCheck.constant({ input: 3, input_cached_tokens: 2, output: 1 }),
  costDetails: FastCheck.constant({ input: 0.1, output: 0.2 })
}))

export const body = FastCheck.uniqueArray(FastCheck.constantFrom(...fields), { maxLength: 12 }).chain((keys) =>
  FastCheck.tuple(
    FastCheck.boolean(),
    ...keys.map((key) => FastCheck.oneof({ weight: 2, arbitrary: right.get(key) ?? FastCheck.string() }, value))
  ).map(([hasId, ...values]): Readonly<Record<string, unknown>> => ({
    ...(hasId ? { id: "o1", traceId: "t1" } : {}),
    ...Object.fromEntries(keys.map((key, index) => [key, values[index]]))
  }))
)

const trace = FastCheck.option(body, { nil: undefined })

export const event = FastCheck.record({
  id: FastCheck.oneof({ weight: 9, arbitrary: FastCheck.uuid() }, { weight: 1, arbitrary: value }),
  type: FastCheck.oneof({ weight: 9, arbitrary: FastCheck.constantFrom(...types) }, { weight: 1, arbitrary: value }),
  timestamp: FastCheck.oneof(
    { weight: 9, arbitrary: FastCheck.constantFrom("2026-01-31T12:00:00.000Z", "2026-01-31T12:00:00.000123Z") },
    { weight: 1, arbitrary: value }
  ),
  body: FastCheck.oneof({ weight: 9, arbitrary: body }, { weight: 1, arbitrary: value }),
  trace
})
