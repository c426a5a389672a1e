import { Effect, Layer } from "effect"
import { IngestionEvent, LangfuseIngest, LangfuseTransport } from "effect-langfuse"
import assert from "node:assert"

// #region transport
/** Counts events by their type, and sends nothing. */
const counts = new Map<string, number>()

const Counting = Layer.succeed(LangfuseTransport.LangfuseTransport, {
  send: (batch, report) =>
    Effect.sync(() => {
      for (const { type } of batch) counts.set(type, (counts.get(type) ?? 0) + 1)
      report.settle(batch, "delivered")
    }),
  drain: () => Effect.void
})

const Ingest = Layer.scoped(LangfuseIngest.LangfuseIngest, LangfuseIngest.make({ interval: "1 second" })).pipe(
  Layer.provide(Counting)
)
// #endregion transport

const test = Effect.gen(function*() {
  const ingest = yield* LangfuseIngest.LangfuseIngest
  yield* ingest.enqueue(yield* IngestionEvent.traceCreate({ name: "hello" }))
  assert.deepEqual(yield* ingest.flush, { delivered: 1, rejected: 0, failed: 0, pending: 0 })
  assert.deepEqual([...counts], [["trace-create", 1]])
}).pipe(Effect.provide(Ingest))

Effect.runPromise(test)
