import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import type { Facts, ObservationFacts, TraceFacts } from "../../src/internal/otlp/facts.js"
import * as Merge from "../../src/internal/otlp/merge.js"
import { event, locate } from "../utils/otlp.js"

type NonEmpty<A> = readonly [A, ...Array<A>]

/** Events that are known to be about one trace or one observation. */
const read = <A extends Facts>(events: ReadonlyArray<readonly [at: number, type: string, body: object]>): NonEmpty<A> =>
  events.map(([at, type, body]) => locate(event(type, { id: "x", ...body }, { at }))) as unknown as NonEmpty<A>

/** What comes of batches of events, merged one after the other. */
const observation = (...batches: ReadonlyArray<ReadonlyArray<readonly [at: number, type: string, body: object]>>) => {
  let merged: Merge.Known | undefined
  for (const batch of batches) merged = Merge.observation(merged, read<ObservationFacts>(batch))
  return merged?.subject ?? assert.fail("nothing merged")
}

const trace = (...batches: ReadonlyArray<ReadonlyArray<readonly [at: number, body: object]>>) => {
  let merged: Merge.Merged<TraceFacts, Merge.Trace> | undefined
  for (const batch of batches) {
    merged = Merge.trace(merged, read(batch.map(([at, body]) => [at, "trace-create", body] as const)))
  }
  return merged?.subject ?? assert.fail("nothing merged")
}

const at = (seconds: number) => `2026-01-01T00:00:0${seconds}.000Z`

describe("merge", () => {
  describe("observations", () => {
    it("the first value of trace, start and environment stays", () => {
      const merged = observation(
        [[0, "span-create", { traceId: "t", startTime: at(1), environment: "prod" }]],
        [[1, "span-update", { traceId: "u", startTime: at(2), environment: "dev" }]]
      )
      assert.strictEqual(merged.traceId.given, "t")
      assert.strictEqual(merged.startTime, BigInt(Date.parse(at(1))) * 1_000_000n)
      assert.strictEqual(merged.environment, "prod")
    })

    it("a first event that names no environment decides as well", () => {
      const merged = observation([[0, "span-create", {}], [1, "span-update", { environment: "dev" }]])
      assert.isUndefined(merged.environment)
    })

    it("the first trace that is named counts, even if an event before named none", () => {
      const merged = observation([[0, "span-update", {}]], [[1, "span-create", { traceId: "t" }]])
      assert.strictEqual(merged.traceId.given, "t")
    })

    it("a start that nobody gave is the time of the first event", () => {
      assert.strictEqual(
        observation([[5, "span-create", {}]]).startTime,
        BigInt(Date.UTC(2026, 10, 23, 12) + 5) * 1_000_000n
      )
    })

    it("absent keeps, a value replaces, null clears name, level and model and nothing else", () => {
      const create = [0, "generation-create", {
        name: "n",
        level: "ERROR",
        model: "m",
        statusMessage: "s",
        version: "v"
      }] as const
      const kept = observation([create, [1, "generation-update", {}]])
      assert.deepInclude(kept, { name: "n", level: "ERROR", model: "m", statusMessage: "s", version: "v" })
      const nulls = { name: null, level: null, model: null, statusMessage: null, version: null }
      const cleared = observation([create, [1, "generation-update", nulls]])
      assert.deepInclude(cleared, { name: null, level: null, model: null, statusMessage: "s", version: "v" })
      assert.deepInclude(observation([create, [1, "generation-update", { name: "o", model: "l" }]]), {
        name: "o",
        model: "l"
      })
    })

    it("input and output are replaced by what JavaScript takes for true only", () => {
      const create = [0, "span-create", { input: "i", output: { o: 1 } }] as const
      assert.deepInclude(observation([create, [1, "span-update", { input: "", output: 0 }]]), {
        input: "\"i\"",
        output: "{\"o\":1}"
      })
      assert.deepInclude(observation([create, [1, "span-update", { output: "x" }]]), { output: "\"x\"" })
    })

    it("metadata is merged at any depth, lists are replaced", () => {
      const merged = observation([
        [0, "span-create", { metadata: { a: { b: 1, c: [1, 2] }, d: 1 } }],
        [1, "span-update", { metadata: { a: { c: [3] }, e: null } }]
      ])
      assert.deepStrictEqual(merged.metadata, { a: { b: 1, c: [3] }, d: 1, e: null })
    })

    it("usage and costs are replaced whole, unless nothing is given", () => {
      const create = [0, "generation-create", { usageDetails: { input: 1 }, costDetails: { input: 1 } }] as const
      assert.deepInclude(
        observation([create, [1, "generation-update", { usageDetails: { output: 2 }, costDetails: {} }]]),
        {
          usage: { output: 2 },
          cost: { input: 1 }
        }
      )
    })

    it("the type is that of the last event", () => {
      assert.strictEqual(observation([[0, "agent-create", {}], [1, "span-update", {}]]).type, "span")
      assert.strictEqual(observation([[0, "span-create", {}], [1, "tool-create", {}]]).type, "tool")
    })

    it("what one event knows of the trace stays until another knows better", () => {
      const facts = [
        locate(event("span-create", { id: "x" }, { trace: { userId: "u", name: "n" } })),
        locate(event("span-update", { id: "x" }, { at: 1, trace: { userId: "v" } }))
      ] as unknown as NonEmpty<ObservationFacts>
      assert.deepInclude(Merge.observation(undefined, facts).subject.context, { userId: "v", name: "n" })
    })
  })

  describe("traces", () => {
    it("tags are a union, sorted, and never taken away", () => {
      assert.deepStrictEqual(trace([[0, { tags: ["b", "a"] }], [1, { tags: ["c", "a"] }]], [[2, { tags: [] }]]).tags, [
        "a",
        "b",
        "c"
      ])
    })

    it("one that does not say it is public makes it private again", () => {
      assert.isTrue(trace([[0, {}], [1, { public: true }]]).isPublic)
      assert.isFalse(trace([[0, { public: true }], [1, { name: "n" }]]).isPublic)
    })

    it("the first timestamp and environment stay, null clears the rest", () => {
      const merged = trace(
        [[0, { timestamp: at(1), environment: "prod", userId: "u", name: "n", release: "r" }]],
        [[1, { timestamp: at(2), environment: "dev", userId: null, name: null, release: "s" }]]
      )
      assert.strictEqual(merged.timestamp, BigInt(Date.parse(at(1))) * 1_000_000n)
      assert.deepInclude(merged, { environment: "prod", userId: null, name: null, release: "s" })
    })
  })

  describe("order", () => {
    it("events count in the order of their timestamps, in one batch and over several", () => {
      const first = [0, "span-create", { name: "first", metadata: { a: 1, b: 1 } }] as const
      const second = [1, "span-update", { name: "second", metadata: { b: 2 } }] as const
      for (const merged of [observation([second, first]), observation([second], [first])]) {
        assert.strictEqual(merged.name, "second")
        assert.deepStrictEqual(merged.metadata, { a: 1, b: 2 })
      }
    })

    it("of two with the same timestamp the create comes first", () => {
      const merged = observation([[0, "span-update", { name: "update" }], [0, "span-create", { name: "create" }]])
      assert.strictEqual(merged.name, "update")
    })

    it("one that comes late changes no decision of the first", () => {
      const merged = observation(
        [[5, "span-update", { endTime: at(9) }]],
        [[1, "span-create", { startTime: at(1), environment: "prod" }]]
      )
      assert.strictEqual(merged.startTime, BigInt(Date.UTC(2026, 10, 23, 12) + 5) * 1_000_000n)
      assert.isUndefined(merged.environment)
      assert.isTrue(merged.isCreated)
    })

    it("one alone comes to what it does beside itself", () => {
      const body = {
        traceId: "t",
        name: "n",
        startTime: at(1),
        endTime: at(2),
        level: null,
        input: "i",
        usageDetails: { input: 1 },
        metadata: { a: { b: 1 } }
      }
      const event = [3, "generation-create", body] as const
      assert.deepStrictEqual(observation([event]), observation([event, event]))
      const said = [3, { name: "n", userId: null, tags: ["b", "a"], metadata: { a: { b: 1 } }, output: "o" }] as const
      // Tags are put in order when they are brought together.
      assert.deepStrictEqual(trace([said]).tags, ["a", "b"])
      assert.deepStrictEqual(trace([said]), trace([said, said]))
    })

    it("remembers only the latest events of what is changed over and over", () => {
      let merged: Merge.Known | undefined
      for (let i = 0; i < 1000; i++) {
        merged = Merge.observation(
          merged,
          read<ObservationFacts>([[i, "span-update", { metadata: { [`k${i % 7}`]: i } }]])
        )
      }
      assert.isAtMost(merged?.facts.length ?? Infinity, 32)
      assert.deepStrictEqual(merged?.subject.metadata, {
        k0: 994,
        k1: 995,
        k2: 996,
        k3: 997,
        k4: 998,
        k5: 999,
        k6: 993
      })
    })

    it.prop(
      "however events are spread over batches, as long as the first is in the first, they come to the same",
      {
        updates: FastCheck.array(
          FastCheck.record({
            name: FastCheck.option(FastCheck.constantFrom("a", "b", null), { nil: undefined }),
            output: FastCheck.option(FastCheck.constantFrom("x", 0, "", { y: 1 }), { nil: undefined }),
            metadata: FastCheck.option(FastCheck.dictionary(FastCheck.constantFrom("k", "l"), FastCheck.nat(3)), {
              nil: undefined
            })
          }),
          { maxLength: 6 }
        ),
        order: FastCheck.array(FastCheck.nat(100), { minLength: 8, maxLength: 8 }),
        cuts: FastCheck.array(FastCheck.boolean(), { minLength: 8, maxLength: 8 })
      },
      ({ cuts, order, updates }) => {
        const create = [0, "span-create", { name: "n", startTime: at(0) }] as const
        const all = updates.map((body, i) => [i + 1, "span-update", body] as const)
        const shuffled = all.slice().sort((a, b) => (order[a[0]] ?? 0) - (order[b[0]] ?? 0))
        const batches: Array<Array<readonly [number, string, object]>> = [[create]]
        shuffled.forEach((update, i) => {
          if (cuts[i] === true) batches.push([update])
          else batches[batches.length - 1]?.push(update)
        })
        assert.deepStrictEqual(observation(...batches), observation([create, ...all]))
      }
    )
  })
})
