import { Effect } from "effect"
import { Langfuse, LangfuseIngest } from "effect-langfuse"
import assert from "node:assert"

// Needs LangfuseIngest, for the score.
const answer = Effect.succeed("Rayleigh scattering.").pipe(
  Effect.tap(Langfuse.score({ name: "helpful", value: true })),
  Langfuse.generation("answer", { model: "gpt-4.1" })
)

const test = Effect.gen(function*() {
  assert.equal(yield* answer, "Rayleigh scattering.")
}).pipe(Effect.provide(LangfuseIngest.layerNoop))

Effect.runPromise(test)
