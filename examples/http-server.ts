/**
 * One trace over two services: a front that answers questions and a search service that it calls over HTTP. The front's
 * `HttpClient` sends a `traceparent` header, and the observations of the search service hang below the call.
 *
 *   npm run example:http-server
 */
import {
  FetchHttpClient,
  HttpClient,
  HttpClientRequest,
  HttpRouter,
  HttpServer,
  HttpServerRequest,
  HttpServerResponse
} from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { Context, Effect, Layer, Schema } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"
import { createServer } from "node:http"
import * as Endpoint from "./lib/endpoint.js"
import { printTraces, readArguments, runMain, settle } from "./lib/main.js"

const Passages = Schema.Array(Schema.String)

/** Where the search service is. */
class SearchService extends Context.Tag("examples/SearchService")<SearchService, { readonly url: string }>() {}

const search = (query: string) =>
  Effect.succeed([`${query}: page 1`, `${query}: page 2`]).pipe(
    Effect.delay("5 millis"),
    Langfuse.retriever("search index", { input: query, output: (passages) => passages })
  )

const routes = HttpRouter.empty.pipe(
  HttpRouter.get(
    "/search",
    Effect.gen(function*() {
      const { q } = yield* HttpServerRequest.schemaSearchParams(Schema.Struct({ q: Schema.String }))
      return yield* HttpServerResponse.json(yield* search(q))
    })
  )
)

const SearchServiceLive = Layer.unwrapScoped(Effect.gen(function*() {
  yield* HttpServer.serveEffect(routes)
  const { address } = yield* HttpServer.HttpServer
  const port = address._tag === "TcpAddress" ? address.port : 0
  return Layer.succeed(SearchService, { url: `http://127.0.0.1:${port}` })
})).pipe(Layer.provide(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" })))

const answer = (question: string) =>
  Effect.gen(function*() {
    const { url } = yield* SearchService
    const client = yield* HttpClient.HttpClient
    const passages = yield* client.execute(
      HttpClientRequest.get(`${url}/search`).pipe(HttpClientRequest.setUrlParam("q", question))
    ).pipe(
      Effect.flatMap((response) => response.json),
      Effect.flatMap(Schema.decodeUnknown(Passages))
    )
    return yield* Effect.succeed(`found ${passages.length} pages`).pipe(
      Langfuse.generation("summarize", { model: "front-model-1", input: passages, output: (text) => text })
    )
  }).pipe(
    Langfuse.agent("front", { input: question, output: (text) => text }),
    Langfuse.withTrace({ name: "two services", userId: "ada" })
  )

/** Both ends of a call between services are worth seeing; the default would leave them out, as it does all plain HTTP. */
const Tracer = LangfuseTracer.layer({
  filter: (span) => span.kind === "client" || span.kind === "server" || span.attributes.has("langfuse.observation.type")
})

runMain(Effect.gen(function*() {
  const { server } = yield* readArguments
  return yield* Effect.gen(function*() {
    yield* answer("opening hours")
    const ingest = yield* LangfuseIngest.LangfuseIngest
    yield* ingest.flush
    yield* printTraces
    return yield* settle
  }).pipe(
    Effect.provide(
      SearchServiceLive.pipe(
        Layer.provideMerge(FetchHttpClient.layer),
        Layer.provideMerge(Tracer),
        Layer.provideMerge(Endpoint.layerIngest(server))
      )
    )
  )
}))
