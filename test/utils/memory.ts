/**
 * The embedded Langfuse endpoint without a socket: requests go from the client straight into it, so that a test can turn
 * the clock of both.
 */
import { HttpApp, HttpClient, HttpClientError, HttpClientResponse, HttpServer } from "@effect/platform"
import { Context, Effect, Layer } from "effect"
import * as LangfuseServer from "effect-langfuse/LangfuseServer"

/** A server, the client that reaches it, and a way to pull the plug. */
export const make = (options?: LangfuseServer.Options) =>
  Effect.gen(function*() {
    let handle: ((request: Request) => Promise<Response>) | undefined
    let isUp = true
    const httpServer = HttpServer.make({
      address: { _tag: "TcpAddress", hostname: "127.0.0.1", port: 3000 },
      serve: (app) =>
        Effect.map(Effect.runtime<never>(), (runtime) => {
          handle = HttpApp.toWebHandlerRuntime(runtime)(app)
        })
    })
    const server = yield* LangfuseServer.make(options).pipe(Effect.provideService(HttpServer.HttpServer, httpServer))
    const client = HttpClient.make((request, url) =>
      Effect.tryPromise({
        try: async () => {
          if (handle === undefined || !isUp) throw new Error("nobody listens")
          const body = request.body._tag === "Uint8Array" ? new Uint8Array(request.body.body) : undefined
          const response = await handle(
            new Request(url, { method: request.method, headers: request.headers, ...(body && { body }) })
          )
          return HttpClientResponse.fromWeb(request, response)
        },
        catch: (cause) => new HttpClientError.RequestError({ request, reason: "Transport", cause })
      })
    )
    return {
      server,
      client,
      layer: Layer.succeed(HttpClient.HttpClient, client),
      setUp: (up: boolean) =>
        Effect.sync(() => {
          isUp = up
        })
    }
  })

/** What a layer provides, for as long as the test runs. */
export const build = <I, S, E, R>(tag: Context.Tag<I, S>, layer: Layer.Layer<I, E, R>) =>
  Effect.map(Layer.build(layer), (context) => Context.get(context, tag))
