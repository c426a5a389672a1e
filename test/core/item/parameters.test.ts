import { assert, describe, it } from "@effect/vitest"
import { FastCheck, Option } from "effect"
import { fromEvent } from "../../../src/core/item/fromEvent.js"
import { fromSpan } from "../../../src/core/item/fromSpan.js"
import type { Policy } from "../../../src/core/item/policy.js"
import { policy } from "../../utils/policy.js"
import { runs } from "../../utils/properties.js"
import { spanOf } from "./support/span.js"

const parse = (json: string | undefined): unknown => json === undefined ? undefined : JSON.parse(json)

const ofEvent = (modelParameters: unknown, given: Policy): unknown => {
  const item = fromEvent({
    type: "generation-create",
    id: "e",
    timestamp: "2026-02-03T04:05:06.000Z",
    body: { id: "o", modelParameters }
  }, given)
  assert("kind" in item && item.kind === "observation")
  return parse(item.parameters)
}

const spanWith = (parameters: unknown) => spanOf({ "langfuse.observation.model.parameters": parameters })

/** What becomes of parameters of an event, of a span's attribute, and of what a mask makes of others. */
const ways = (parameters: unknown, options: Partial<Policy> = {}): ReadonlyArray<unknown> => [
  ofEvent(parameters, policy(options)),
  parse(fromSpan(spanWith(parameters), "e", policy(options)).parameters),
  ofEvent({ a: 1 }, policy({ ...options, mask: () => parameters }))
]

describe("parameters", () => {
  it.each<readonly [given: unknown, expected: unknown]>([
    [{ stop: null, t: 1 }, { t: 1 }],
    [{ a: { b: [1] } }, { a: `{"b":[1]}` }],
    [{ t: 0.5, on: true, stop: ["x"], format: { type: "json" }, none: undefined }, {
      t: 0.5,
      on: true,
      stop: ["x"],
      format: { type: "json" }
    }],
    [{ stop: [1, 2], mixed: ["a", { b: 1 }], deep: { a: null } }, {
      stop: "[1,2]",
      mixed: `["a",{"b":1}]`,
      deep: `{"a":null}`
    }],
    [{ stop: new Set(["a"]), since: new Date(0), seed: Option.some(7), not: Option.none(), big: 10n, nan: NaN }, {
      stop: ["a"],
      since: "1970-01-01T00:00:00.000Z",
      seed: 7,
      big: "10",
      nan: "NaN"
    }],
    [{ stop: null }, undefined],
    [{}, undefined]
  ])("are flat whatever way they come", (given, expected) => {
    for (const way of ways(given)) assert.deepStrictEqual(way, expected)
  })

  it("of too many names are bounded, and say so", () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`p${i}`, i]))
    for (const way of ways(many, { maxEventBytes: 3000 })) {
      const text = JSON.stringify(way)
      assert.isAtMost(text.length, 3000)
      assert.include(text, "more properties")
    }
  })

  it.prop("are what the batch endpoint takes, and the same whatever way they come", [
    FastCheck.dictionary(FastCheck.string(), FastCheck.jsonValue())
  ], ([given]) => {
    const [first, ...others] = ways(given)
    for (const other of others) assert.deepStrictEqual(other, first)
    const isText = (value: unknown) => typeof value === "string"
    for (const value of Object.values(first ?? {})) {
      assert.isTrue(typeof value === "object" ? value !== null && Object.values(value).every(isText) : true)
    }
  }, runs(300))
})
