import { LanguageModel } from "@effect/ai"
import {
  FetchHttpClient,
  HttpClient,
  HttpRouter,
  HttpServer,
  HttpServerRequest,
  HttpServerResponse
} from "@effect/platform"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Option, Schema, Stream } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"
import * as LangfuseAi from "effect-langfuse/LangfuseAi"
import { createServer } from "node:http"

// Stands in for a provider, such as `OpenAiLanguageModel.layer`.
const Scripted = Layer.effect(
  LanguageModel.LanguageModel,
  LanguageModel.make({
    generateText: () => Effect.succeed([]),
    streamText: () =>
      Stream.make("Rayleigh ", "scattering.").pipe(
        Stream.map((delta) => ({ type: "text-delta" as const, id: "1", delta }))
      )
  })
)

// #region answer
/** The agent lasts as long as its answer. */
const answer = (question: string, user: string) =>
  LanguageModel.streamText({ prompt: question }).pipe(
    Stream.filterMap((part) => part.type === "text-delta" ? Option.some(part.delta) : Option.none()),
    Langfuse.observeStream("assistant", {
      type: "agent",
      input: question,
      output: (deltas) => deltas.join("")
    }),
    Langfuse.withTrace({ name: "question", userId: user })
  )
// #endregion answer

// #region route
/** Server-sent events. The server runs the stream when this handler has returned. */
const route = HttpRouter.get(
  "/answer",
  Effect.gen(function*() {
    const Query = Schema.Struct({ q: Schema.String, user: Schema.String })
    const { q, user } = yield* HttpServerRequest.schemaSearchParams(Query)
    const model = yield* LanguageModel.LanguageModel
    return HttpServerResponse.stream(
      answer(q, user).pipe(
        Stream.map((delta) => `data: ${JSON.stringify(delta)}\n\n`),
        Stream.encodeText,
        Stream.provideService(LanguageModel.LanguageModel, model)
      ),
      { contentType: "text/event-stream" }
    )
  })
)
// #endregion route

const ServerLive = HttpServer.serve(HttpRouter.empty.pipe(route)).pipe(
  Layer.provide(LangfuseAi.layerLanguageModel().pipe(Layer.provide(Scripted))),
  Layer.provide(
    LangfuseTracer.layer({ remoteParent: "ignore" }).pipe(Layer.provide(LangfuseIngest.layerFromEnv))
  ),
  Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" }))
)

const program = Effect.gen(function*() {
  const server = yield* HttpServer.HttpServer
  const client = yield* HttpClient.HttpClient
  const port = server.address._tag === "TcpAddress" ? server.address.port : 0
  const response = yield* client.get(`http://127.0.0.1:${port}/answer`, {
    urlParams: { q: "Why is the sky blue?", user: "ada" }
  })
  yield* Console.log((yield* response.text).trim())
}).pipe(Effect.scoped)

program.pipe(
  Effect.provide(ServerLive.pipe(Layer.provideMerge(FetchHttpClient.layer))),
  NodeRuntime.runMain
)
