import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import type { IngestionEvent } from "effect-langfuse"
import * as Sampling from "../../src/internal/sampling.js"

const envelope = { id: "e", timestamp: "2026-11-23T12:00:00.000Z" }
const trace = (id: string): IngestionEvent.IngestionEvent => ({ ...envelope, type: "trace-create", body: { id } })
const span = (id: string, traceId?: string): IngestionEvent.IngestionEvent => ({
  ...envelope,
  type: "span-create",
  body: { id, traceId }
})
const score = (traceId: string): IngestionEvent.IngestionEvent => ({
  ...envelope,
  type: "score-create",
  body: { id: "s", name: "n", value: 1, traceId }
})

describe("sampling", () => {
  it.prop("all events and scores of a trace agree, in every service", [
    FastCheck.string({ minLength: 1 }),
    FastCheck.string({ minLength: 1 }),
    FastCheck.double({ min: 0, max: 1, noNaN: true })
  ], ([traceId, observationId, rate]) => {
    const here = Sampling.make(rate)
    const elsewhere = Sampling.make(rate)
    const decision = here(trace(traceId))
    assert.strictEqual(here(span(observationId, traceId)), decision)
    assert.strictEqual(elsewhere(score(traceId)), decision)
    assert.strictEqual(elsewhere(trace(traceId)), decision)
  })

  it.prop("a higher rate keeps every trace that a lower one keeps", [
    FastCheck.string({ minLength: 1 }),
    FastCheck.double({ min: 0, max: 1, noNaN: true }),
    FastCheck.double({ min: 0, max: 1, noNaN: true })
  ], ([traceId, a, b]) => {
    const low = Sampling.make(Math.min(a, b))(trace(traceId))
    const high = Sampling.make(Math.max(a, b))(trace(traceId))
    assert.isTrue(!low || high)
  })

  it("keeps the share it is asked for, also of ids that are alike", () => {
    for (const name of [(i: number) => `trace-${i}`, (i: number) => i.toString(16).padStart(32, "0")]) {
      for (const rate of [0.1, 0.5, 0.9]) {
        const decide = Sampling.make(rate)
        let kept = 0
        for (let i = 0; i < 20_000; i++) if (decide(trace(name(i)))) kept++
        assert.approximately(kept / 20_000, rate, 0.02)
      }
    }
  })

  it("an update that names no trace follows the observation's create", () => {
    const decide = Sampling.make(0.5)
    for (let i = 0; i < 100; i++) {
      const expected = decide(span(`s${i}`, `t${i}`))
      assert.strictEqual(decide(span(`s${i}`)), expected)
    }
  })

  it("what belongs to no trace is kept", () => {
    const decide = Sampling.make(0)
    assert.isTrue(decide({ ...envelope, type: "sdk-log", body: { log: "x" } }))
    assert.isTrue(decide({ ...envelope, type: "score-create", body: { id: "s", name: "n", value: 1, sessionId: "x" } }))
    assert.isFalse(decide(trace("t")))
  })
})
