import { Effect, Layer } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"
import assert from "node:assert"

const answer = (question: string) =>
  Effect.succeed("Rayleigh scattering.").pipe(
    Langfuse.generation("answer", { model: "gpt-4.1", input: question, output: (text) => text }),
    Langfuse.withTrace({ userId: "ada" })
  )

// #region test
const test = Effect.gen(function*() {
  yield* answer("Why is the sky blue?")
  const captured = yield* LangfuseIngest.CapturedEvents
  const [event] = yield* captured.all
  assert(event?.type === "generation-create")
  assert.equal(event.body.name, "answer")
  assert.equal(event.body.output, "Rayleigh scattering.")
  assert.equal(event.trace?.userId, "ada")
}).pipe(
  Effect.provide(LangfuseTracer.layer().pipe(Layer.provideMerge(LangfuseIngest.layerMemory)))
)
// #endregion test

Effect.runPromise(test)
