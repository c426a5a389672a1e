import { FetchHttpClient } from "@effect/platform"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer } from "effect"
import { Langfuse, LangfuseIngest, LangfuseServer, LangfuseTracer } from "effect-langfuse"
import { createServer } from "node:http"

// A Langfuse in this process, in memory, on a free port of this machine.
const Server = LangfuseServer.layer().pipe(
  Layer.provide(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" }))
)

const Ingest = Layer.unwrapEffect(
  Effect.map(
    LangfuseServer.LangfuseServer,
    ({ publicKey, secretKey, url }) => LangfuseIngest.layer({ baseUrl: url, publicKey, secretKey })
  )
).pipe(Layer.provide(FetchHttpClient.layer))

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provideMerge(Ingest),
  Layer.provideMerge(Server)
)

const answer = Effect.succeed("Rayleigh scattering.").pipe(
  Effect.delay("20 millis"),
  Langfuse.generation("answer", { model: "gpt-4.1", input: "Why is the sky blue?", output: (text) => text }),
  Langfuse.withTrace({ name: "question", userId: "ada" })
)

const program = Effect.gen(function*() {
  yield* answer

  const ingest = yield* LangfuseIngest.LangfuseIngest
  yield* Console.log(yield* ingest.flush)

  const server = yield* LangfuseServer.LangfuseServer
  for (const { name, observations, userId } of yield* server.traces) {
    yield* Console.log({ name, userId })
    for (const { input, model, name, output, type } of observations) {
      yield* Console.log({ type, name, model, input, output })
    }
  }
})

program.pipe(Effect.provide(LangfuseLive), NodeRuntime.runMain)
