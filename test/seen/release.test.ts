/** The release and the environment that the layer is given, as each server has them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { event, time } from "../utils/otlp.js"
import { enqueue, held } from "../utils/seen.js"

const span = { id: "00000000000000a1", traceId: "0123456789abcdef0123456789abcdef", endTime: time(1) }
const options = { release: "r1", environment: "staging" }

describe("the configured release and environment", () => {
  it.effect("stand on every span, whether or not the trace was said", () =>
    Effect.gen(function*() {
      const rows = yield* held(
        { version: "4.16.0", ...options },
        enqueue([
          event("span-create", { ...span, name: "alone" }),
          event("span-create", { ...span, id: "00000000000000a2", name: "below" }, { trace: { userId: "ada" } }),
          event("trace-create", { id: "fedcba9876543210fedcba9876543210" }),
          event("span-create", { ...span, id: "00000000000000a3", traceId: "fedcba9876543210fedcba9876543210" })
        ])
      )
      assert.strictEqual(rows.observations.length, 4)
      for (const row of rows.observations) assert.deepInclude(row, options)
      for (const trace of rows.traces) assert.deepInclude(trace, options)
    }))

  it.effect("stand back behind what an event says of its trace", () =>
    Effect.gen(function*() {
      const { observations } = yield* held(
        { version: "4.16.0", ...options },
        enqueue([
          event("span-create", span, { trace: { release: "r2", environment: "dev" } }),
          event("span-create", { ...span, id: "00000000000000a2" }, { trace: { release: null } }),
          event("trace-create", { id: "fedcba9876543210fedcba9876543210", release: "r3" }),
          event("span-create", { ...span, id: "00000000000000a3", traceId: "fedcba9876543210fedcba9876543210" })
        ])
      )
      const releases = new Map(observations.map(({ id, release }) => [id, release]))
      assert.strictEqual(releases.get("00000000000000a1"), "r2")
      assert.isUndefined(releases.get("00000000000000a2"))
      assert.strictEqual(releases.get("00000000000000a3"), "r3")
    }))

  it.effect("come with the trace at the batch endpoint", () =>
    Effect.gen(function*() {
      const { traces } = yield* held(
        { version: "3.225.4", ...options },
        enqueue([event("trace-create", { id: span.traceId }), event("span-create", span)])
      )
      assert.strictEqual(traces.length, 1)
      assert.deepInclude(traces[0], options)
    }))
})
