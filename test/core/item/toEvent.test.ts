import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import * as IngestionEvent from "effect-langfuse/IngestionEvent"
import { fromEvent } from "../../../src/core/item/fromEvent.js"
import { fromSpan } from "../../../src/core/item/fromSpan.js"
import { Content, Observation, TraceFields } from "../../../src/core/item/item.js"
import type { Policy } from "../../../src/core/item/policy.js"
import { toEvent } from "../../../src/core/item/toEvent.js"
import { fixed } from "../wire/support/items.js"
import * as Events from "./support/events.js"
import { open } from "./support/policy.js"

const policies: ReadonlyArray<Policy> = [
  open,
  { ...open, environment: "production", release: "v1" },
  { ...open, content: "metadata" }
]

/** A bucket whose name is a number changes its place in an object. */
const comparable = (item: unknown) =>
  item instanceof Observation
    ? { ...item, cost: JSON.parse(item.cost ?? "null"), usage: JSON.parse(item.usage ?? "null") }
    : item

/** What is read of an event is read of it again. */
const comesBack = (event: unknown) => {
  for (const policy of policies) {
    const item = fromEvent(event, policy)
    if ("issues" in item) return
    assert.deepStrictEqual(comparable(fromEvent(toEvent(item), policy)), comparable(item))
    // The event is its own, and nothing of it is the item's.
    const again = JSON.parse(JSON.stringify(toEvent(item)))
    assert.deepStrictEqual(toEvent(item), again)
    assert.deepStrictEqual(comparable(fromEvent(again, policy)), comparable(item))
  }
}

describe("toEvent", () => {
  it.prop(
    "is the way back of fromEvent, for events of any values",
    [Events.event],
    ([event]) => comesBack(event),
    fixed(500)
  )

  it.prop(
    "is the way back of fromEvent, for events that are right",
    { event: Arbitrary.make(IngestionEvent.IngestionEvent) },
    ({ event }) => comesBack(event),
    fixed(300)
  )

  it("shows a span whole, with what it says of its trace", () => {
    const start = Date.parse("2026-01-31T12:00:00.000Z")
    const item = new Observation("e", start + 1500, "o", "create", "generation", true)
    item.traceId = "t"
    item.name = "answer"
    item.start = start + 0.25
    item.end = start + 1500
    item.input = new Content("[{\"role\":\"user\"}]", true)
    item.output = new Content("[not parsed", false)
    item.metadata = new Map([["a", new Content("1", true)], ["__proto__", new Content("x", false)]])
    item.usage = "{\"input\":1,\"total\":1}"
    item.extra = ",\"a\":1,\"a\":2"
    item.context = new TraceFields()
    item.context.userId = "ada"
    item.context.tags = ["b"]
    item.context.isAppRoot = true
    assert.deepStrictEqual<unknown>(toEvent(item), {
      type: "generation-create",
      id: "e",
      timestamp: "2026-01-31T12:00:01.500Z",
      body: {
        id: "o",
        traceId: "t",
        name: "answer",
        startTime: "2026-01-31T12:00:00.00025Z",
        endTime: "2026-01-31T12:00:01.500Z",
        usageDetails: { input: 1, total: 1 },
        input: [{ role: "user" }],
        output: "[not parsed",
        metadata: JSON.parse("{\"a\":1,\"__proto__\":\"x\"}"),
        a: 2
      },
      trace: { userId: "ada", tags: ["b"], isAppRoot: true }
    })
  })

  it("is the way back of a span, but that other events may be about it", () => {
    const start = Date.parse("2026-01-31T12:00:00.000Z")
    const item = fromSpan(
      {
        traceId: "0123456789abcdef0123456789abcdef",
        spanId: "0123456789abcdef",
        parentId: "1123456789abcdef",
        isAppRoot: true,
        name: "answer",
        kind: "internal",
        start: start + 0.25,
        end: start + 1500,
        status: { level: "ERROR", message: "no" },
        attributes: new Map<string, unknown>([
          ["langfuse.observation.type", "generation"],
          ["langfuse.observation.input", "[{\"role\":\"user\"}]"],
          ["langfuse.observation.output", "text"],
          ["langfuse.observation.model.name", "gpt"],
          ["langfuse.observation.usage_details", "{\"input\":3,\"output\":4}"],
          ["langfuse.observation.cost_details", "{\"input\":0.5}"],
          ["langfuse.observation.metadata.a", "b"],
          ["user.id", "ada"],
          ["langfuse.trace.tags", "[\"a\"]"],
          ["langfuse.environment", "test"]
        ]),
        json: { input: "[{\"role\":\"user\"}]", output: undefined },
        events: [],
        links: [],
        leftOut: 0
      },
      "e",
      open
    )
    const again = fromEvent(toEvent(item), open)
    assert.isTrue(item.isWhole)
    assert.deepStrictEqual({ ...again, isWhole: true }, { ...item })
  })

  it("keeps times to the nanosecond", () => {
    const at = Date.parse("2026-01-31T12:00:00.000Z")
    for (const millis of [0, 0.5, at, at + 0.0005, at + 0.000244140625, at + 0.5, at + 0.999755859375]) {
      const item = new Observation("e", millis, "o", "create", "span", true)
      item.start = millis
      const again = fromEvent(toEvent(item), open)
      assert.deepInclude(again, { at: millis, start: millis })
    }
  })
})
