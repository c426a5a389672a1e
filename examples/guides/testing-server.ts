import { FetchHttpClient } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { Langfuse, LangfuseIngest, LangfuseServer, LangfuseTracer } from "effect-langfuse"
import assert from "node:assert"
import { createServer } from "node:http"

const answer = Effect.succeed("Rayleigh scattering.").pipe(
  Langfuse.generation("answer", { model: "gpt-4.1", output: (text) => text })
)

// #region layers
const Server = LangfuseServer.layer().pipe(
  Layer.provide(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" }))
)

const Ingest = Layer.unwrapEffect(
  Effect.map(
    LangfuseServer.LangfuseServer,
    ({ publicKey, secretKey, url }) => LangfuseIngest.layer({ baseUrl: url, publicKey, secretKey })
  )
).pipe(Layer.provide(FetchHttpClient.layer))

const Test = LangfuseTracer.layer().pipe(Layer.provideMerge(Ingest), Layer.provideMerge(Server))
// #endregion layers

// #region test
const test = Effect.gen(function*() {
  const ingest = yield* LangfuseIngest.LangfuseIngest
  const server = yield* LangfuseServer.LangfuseServer

  // The next export fails; the program does not notice.
  yield* server.script(LangfuseServer.Fault.status(500, { route: "otlp" }))
  assert.equal(yield* answer, "Rayleigh scattering.")
  assert.deepEqual(yield* ingest.flush, { delivered: 0, rejected: 0, failed: 1, pending: 0 })

  yield* answer
  assert.deepEqual(yield* ingest.flush, { delivered: 1, rejected: 0, failed: 0, pending: 0 })
  const [trace] = yield* server.traces
  assert.equal(trace?.observations[0]?.output, "Rayleigh scattering.")
}).pipe(Effect.provide(Test))
// #endregion test

Effect.runPromise(test)
