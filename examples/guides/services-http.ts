import { FetchHttpClient, HttpClient, HttpRouter, HttpServer, HttpServerResponse } from "@effect/platform"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"
import { createServer } from "node:http"

// #region service
/** The service that is called believes its callers about whose trace it is. */
const search = Effect.succeed("page 1").pipe(
  Langfuse.retriever("search", { output: (page) => page }),
  Effect.map(HttpServerResponse.text)
)

const server = HttpServer.serve(HttpRouter.empty.pipe(HttpRouter.get("/", search)), Langfuse.acceptBaggage)
// #endregion service

// #region caller
/** The caller says whose trace it is to services of its own, and to nobody else. */
const ask = (url: string) =>
  Effect.gen(function*() {
    const client = Langfuse.withBaggage(yield* HttpClient.HttpClient)
    const response = yield* client.get(url)
    return yield* response.text
  }).pipe(
    Effect.scoped,
    Langfuse.agent("assistant", { input: "Why is the sky blue?", output: (page) => page }),
    Langfuse.withTrace({ name: "question", userId: "ada", sessionId: "chat-1" })
  )
// #endregion caller

const program = Effect.gen(function*() {
  const { address } = yield* HttpServer.HttpServer
  yield* ask(address._tag === "TcpAddress" ? `http://127.0.0.1:${address.port}` : "")
})

// Two services in one process, so that the program is complete: each has a tracer of its own.
const Tracer = () => LangfuseTracer.layer().pipe(Layer.provide(LangfuseIngest.layerFromEnv))

const ServiceLive = server.pipe(
  Layer.provide(Tracer()),
  Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" }))
)

program.pipe(
  Effect.provide(
    Layer.mergeAll(Tracer(), ServiceLive).pipe(Layer.provideMerge(FetchHttpClient.layer))
  ),
  NodeRuntime.runMain
)
