import { Effect, Fiber, Layer, TestClock, TestContext } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"
import assert from "node:assert"

const slow = Effect.sleep("3 seconds").pipe(Langfuse.tool("search"))

// #region test
const test = Effect.gen(function*() {
  const fiber = yield* Effect.fork(slow)
  yield* TestClock.adjust("3 seconds")
  yield* Fiber.join(fiber)
  const captured = yield* LangfuseIngest.CapturedEvents
  const [event] = yield* captured.all
  assert(event?.type === "tool-create")
  assert.equal(event.body.startTime, "1970-01-01T00:00:00.000Z")
  assert.equal(event.body.endTime, "1970-01-01T00:00:03.000Z")
}).pipe(
  Effect.provide(
    LangfuseTracer.layer().pipe(
      Layer.provideMerge(LangfuseIngest.layerMemory),
      Layer.provideMerge(TestContext.TestContext)
    )
  )
)
// #endregion test

Effect.runPromise(test)
