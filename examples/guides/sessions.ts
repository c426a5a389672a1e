import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

const reply = (message: string) =>
  Effect.succeed(`You said: ${message}`).pipe(
    Langfuse.generation("reply", { model: "gpt-4.1", input: message, output: (text) => text })
  )

// #region session
/** Each turn of a conversation is a trace, and the session id holds them together. */
const turn = (message: string) =>
  reply(message).pipe(
    Langfuse.agent("assistant", { input: message, output: (text) => text }),
    Langfuse.withTrace({
      name: "turn",
      userId: "ada",
      sessionId: "chat-1",
      tags: ["web"],
      metadata: { plan: "free" },
      environment: "staging",
      release: "2026-11-25"
    })
  )
// #endregion session

// #region update
/** Whose trace it is comes out only on the way. */
const authenticated = Effect.gen(function*() {
  yield* Langfuse.updateTrace({ userId: "grace", tags: ["logged in"] })
  return yield* reply("Who am I?")
}).pipe(Langfuse.agent("assistant"), Langfuse.withTrace({ name: "who", sessionId: "chat-2" }))
// #endregion update

const program = Effect.all([turn("Hello"), turn("How are you?"), authenticated])

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provide(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

program.pipe(Effect.provide(LangfuseLive), NodeRuntime.runMain)
