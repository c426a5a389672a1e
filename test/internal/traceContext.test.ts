import { assert, describe, it } from "@effect/vitest"
import type { IngestionEvent } from "effect-langfuse"
import * as Snapshot from "../../src/internal/snapshot.js"
import * as TraceContext from "../../src/internal/traceContext.js"

const span = (
  id: string,
  trace: IngestionEvent.TraceContext | undefined,
  body: Partial<IngestionEvent.SpanCreate["body"]> = {}
): Snapshot.Snapshot =>
  Snapshot.of({
    type: "span-create",
    id: `event-${id}`,
    timestamp: "2026-11-23T12:00:01.000Z",
    body: { id, traceId: "t1", startTime: "2026-11-23T12:00:00.000Z", ...body },
    trace
  })

const child = { parentObservationId: "root" }

describe("trace context at the batch endpoint", () => {
  it("becomes a trace with the first event of it, and not again while it stays the same", () => {
    const contexts = TraceContext.make()
    const first = contexts.traceOf(span("a", { name: "n", userId: "u", tags: ["x"] }, child))
    assert.deepStrictEqual(first?.type, "trace-create")
    assert.deepStrictEqual(first?.id, "event-a-trace")
    assert.deepInclude(first?.body, { id: "t1", name: "n", userId: "u", tags: ["x"] })
    assert.isUndefined(contexts.traceOf(span("b", { name: "n", userId: "u", tags: ["x"] }, child)))
    assert.deepInclude(contexts.traceOf(span("c", { name: "m" }, child))?.body, { name: "m" })
  })

  it("takes input and output of the root observation, and its start", () => {
    const contexts = TraceContext.make()
    const root = contexts.traceOf(span("root", { name: "n" }, { input: { a: 1 }, output: "out" }))
    assert.deepInclude(root?.body, { input: { a: 1 }, output: "out", timestamp: "2026-11-23T12:00:00.000Z" })
    const below = contexts.traceOf(span("a", { name: "other" }, { ...child, input: "not the trace's" }))
    assert.isUndefined(below?.body && "input" in below.body ? below.body.input : undefined)
  })

  it("keeps a trace public once it is", () => {
    const contexts = TraceContext.make()
    contexts.traceOf(span("a", { public: true }, child))
    assert.deepInclude(contexts.traceOf(span("b", { name: "n" }, child))?.body, { public: true })
  })

  it("is said again when it did not arrive", () => {
    const contexts = TraceContext.make()
    const event = span("a", { name: "n" }, child)
    assert.isDefined(contexts.traceOf(event))
    assert.isUndefined(contexts.traceOf(event))
    contexts.forget(event)
    assert.isDefined(contexts.traceOf(event))
  })

  it("does nothing for events without one", () => {
    const contexts = TraceContext.make()
    assert.isUndefined(contexts.traceOf(span("a", undefined)))
  })
})
