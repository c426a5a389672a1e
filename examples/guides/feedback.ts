import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer, Schema } from "effect"
import { Langfuse, LangfuseIngest } from "effect-langfuse"

const Ids = Schema.parseJson(Schema.Struct({ traceId: Schema.String, observationId: Schema.String }))

const program = Effect.gen(function*() {
  const { observationId, traceId } = yield* Schema.decodeUnknown(Ids)(process.argv[2])
  const sent = yield* Langfuse.score({
    // With an id of its own, a second vote replaces the first.
    id: `${observationId}-thumbs`,
    name: "thumbs",
    value: true,
    traceId,
    observationId
  })
  yield* Effect.log(sent ? "thank you" : "not counted")
})

program.pipe(
  Effect.provide(LangfuseIngest.layerFromEnv.pipe(Layer.provide(FetchHttpClient.layer))),
  NodeRuntime.runMain
)
