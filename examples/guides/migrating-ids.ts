import { FetchHttpClient } from "@effect/platform"
import { Console, Effect, Layer } from "effect"
import { IngestionEvent, LangfuseIngest } from "effect-langfuse"
import { createHash } from "node:crypto"

const hashed = (id: string) => createHash("sha256").update(id).digest("hex").slice(0, 32)

const program = Effect.gen(function*() {
  const ingest = yield* LangfuseIngest.LangfuseIngest
  yield* ingest.enqueue(yield* IngestionEvent.traceCreate({ id: "order-17", name: "order" }))
  yield* ingest.enqueue(yield* IngestionEvent.scoreCreate({ traceId: "order-17", name: "helpful", value: 1 }))
  yield* Console.log(`on a v4 server this trace is ${hashed("order-17")}`)
})

program.pipe(
  Effect.provide(LangfuseIngest.layerFromEnv.pipe(Layer.provide(FetchHttpClient.layer))),
  Effect.runPromise
)
