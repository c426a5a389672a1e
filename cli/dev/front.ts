/**
 * What stands before the embedded server: any keys are taken, plain OTLP has its usual path, and each request is noted.
 */
import * as Headers from "@effect/platform/Headers"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Redacted from "effect/Redacted"
import * as LangfuseServer from "../../src/LangfuseServer.js"
import type { Deliveries } from "./deliveries.js"

/** Tells a recorded request which line of the deliveries it is. */
export const numberHeader = "x-effect-langfuse-delivery"

/** The embedded server without a socket of its own: what it would serve. */
export const makeServer = Effect.fnUntraced(function*(options: LangfuseServer.Options) {
  const { address } = yield* HttpServer.HttpServer
  let served: HttpApp.Default<unknown> | undefined
  const service = yield* LangfuseServer.make(options).pipe(
    Effect.provideService(
      HttpServer.HttpServer,
      HttpServer.make({
        address,
        serve: (app) =>
          Effect.sync(() => {
            served = app
          })
      })
    )
  )
  if (served === undefined) return yield* Effect.dieMessage("the embedded server serves nothing")
  return { service, app: served }
})

const plainOtlp = "/v1/traces"

/** Where a Langfuse takes what is sent to a plain OTLP endpoint. */
const langfuseUrl = (url: string): string =>
  url === plainOtlp || url.startsWith(`${plainOtlp}?`) ? `/api/public/otel${url}` : url

/** `app` for requests with any keys, or none. */
export const withKeys = (
  app: HttpApp.Default<unknown>,
  server: LangfuseServer.Service,
  more: { readonly [name: string]: string } = {}
): HttpApp.Default<unknown> => {
  const keys = Encoding.encodeBase64(`${server.publicKey}:${Redacted.value(server.secretKey)}`)
  return Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
    Effect.provideService(
      app,
      HttpServerRequest.HttpServerRequest,
      request.modify({
        url: langfuseUrl(request.url),
        headers: Headers.setAll(request.headers, { ...more, authorization: `Basic ${keys}` })
      })
    ))
}

/** `app` with keys that it takes, noted in `deliveries`. */
export const before = (
  app: HttpApp.Default<unknown>,
  server: LangfuseServer.Service,
  deliveries: Deliveries
): HttpApp.Default<unknown> =>
  Effect.gen(function*() {
    const { headers, method, url } = yield* HttpServerRequest.HttpServerRequest
    const at = yield* Clock.currentTimeMillis
    const number = deliveries.arrive({ at, method, path: url, headers })
    return yield* withKeys(app, server, { [numberHeader]: String(number) }).pipe(
      Effect.onExit((exit) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          deliveries.end(number, now, exit._tag === "Success" ? exit.value.status : undefined)
        })
      )
    )
  })

/**
 * A Langfuse 4 refuses traces at the batch endpoint; `dev` takes them. While such a request is there, the server is in
 * the mode that does; otherwise spans go to the tables of version 4 alone, which costs half.
 */
export const takingTraces = (
  app: HttpApp.Default<unknown>,
  server: LangfuseServer.Service
): HttpApp.Default<unknown> => {
  let batches = 0
  return Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
    if (!request.url.startsWith("/api/public/ingestion")) return app
    return Effect.acquireUseRelease(
      Effect.suspend(() => batches++ === 0 ? server.setWriteMode("dual") : Effect.void),
      () => app,
      () => Effect.suspend(() => --batches === 0 ? server.setWriteMode("events_only") : Effect.void)
    )
  })
}
