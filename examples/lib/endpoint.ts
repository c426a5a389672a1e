/**
 * Where an example sends to: the server that `LANGFUSE_*` names, else an embedded one on this machine.
 */
import type { HttpClient, HttpServerError } from "@effect/platform"
import { FetchHttpClient } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import type { ConfigError } from "effect"
import { Config, Context, Effect, Layer, Option } from "effect"
import type { LangfuseConfig } from "effect-langfuse"
import { LangfuseIngest, LangfuseServer, LangfuseTracer } from "effect-langfuse"
import { createServer } from "node:http"

/** Langfuse versions an embedded server can stand in for. */
export const versions = { v3: "3.120.0", v4: "4.16.0" } as const
export type Version = keyof typeof versions

/** The embedded server, absent when the example talks to a real one. */
export class Embedded extends Context.Tag("examples/Embedded")<
  Embedded,
  Option.Option<LangfuseServer.Service>
>() {}

const isConfigured = Config.all([
  Config.option(Config.string("LANGFUSE_PUBLIC_KEY")),
  Config.option(Config.string("LANGFUSE_SECRET_KEY"))
]).pipe(Config.map((keys) => keys.every(Option.isSome)))

const embedded = (version: Version, options: Partial<LangfuseConfig.Options>) =>
  Layer.unwrapScoped(Effect.gen(function*() {
    const server = yield* LangfuseServer.make({ version: versions[version] })
    return Layer.merge(
      LangfuseIngest.layer({
        ...options,
        baseUrl: server.url,
        publicKey: server.publicKey,
        secretKey: server.secretKey
      }),
      Layer.succeed(Embedded, Option.some(server))
    )
  })).pipe(Layer.provide(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" })))

/** All an example needs: the ingest service, sending to the server that `LANGFUSE_*` names or to an embedded one, and the tracer. */
export const layer = (version: Version, options: Partial<LangfuseConfig.Options> = {}) =>
  Layer.provideMerge(LangfuseTracer.layer(), layerIngest(version, options))

/** The same without the tracer. */
export const layerIngest = (
  version: Version,
  options: Partial<LangfuseConfig.Options> = {}
): Layer.Layer<LangfuseIngest.LangfuseIngest | Embedded, ConfigError.ConfigError | HttpServerError.ServeError> =>
  Layer.unwrapEffect(
    Effect.map(isConfigured, (real) => {
      const chosen: Layer.Layer<
        LangfuseIngest.LangfuseIngest | Embedded,
        ConfigError.ConfigError | HttpServerError.ServeError,
        HttpClient.HttpClient
      > = real
        ? Layer.merge(LangfuseIngest.layerFromEnvWith(options), Layer.succeed(Embedded, Option.none()))
        : embedded(version, options)
      return chosen
    })
  ).pipe(Layer.provide(FetchHttpClient.layer))
