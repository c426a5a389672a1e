/**
 * An embedded Langfuse endpoint for demos, tests and local work: it takes what a real Langfuse takes, refuses what a
 * real one refuses, and shows what it would have stored.
 *
 * It speaks the [ingestion API](https://api.reference.langfuse.com/#tag/ingestion), `POST /api/public/scores`, the
 * [OpenTelemetry endpoint](https://langfuse.com/integrations/native/opentelemetry) and the health check, as a v3 or as
 * a v4 server, over whatever `HttpServer` it is given. It keeps everything in memory and has no user interface.
 *
 * It is tested against 958 requests that Langfuse's own code answered, from v2.95 to v4.16, and does otherwise in two of
 * them: over OpenTelemetry, model parameters that are JSON but no object are stored as none. It knows every prompt, and
 * counts no tokens by itself.
 *
 * A real server answers first and stores later; here what an answer promises can be read back at once. What a real
 * server would lose without a word after a successful answer is lost here too, and told by `losses`.
 *
 * With `Fault`s it misbehaves as scripted: statuses, delays, hangs, resets, foreign and broken answers.
 *
 * @example
 * ```ts
 * import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import { createServer } from "node:http"
 * import { LangfuseServer } from "effect-langfuse"
 *
 * const Server = LangfuseServer.layer().pipe(
 *   Layer.provide(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))
 * )
 *
 * const program = Effect.gen(function*() {
 *   const server = yield* LangfuseServer.LangfuseServer
 *   yield* Effect.log(server.url)
 *   // … send something to it …
 *   return yield* server.traces
 * })
 *
 * export const main = Effect.provide(program, Server)
 * ```
 *
 * @since 0.1.0
 */
import * as HttpServer from "@effect/platform/HttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as internal from "./server/server.js"
import { defaults, type Options, type Service } from "./server/service.js"

/**
 * How the server misbehaves when asked to.
 *
 * @since 0.1.0
 */
export * from "./server/fault.js"
/**
 * What it holds and is set up with.
 *
 * @since 0.1.0
 */
export * from "./server/model.js"
/**
 * The running server as its owner sees it.
 *
 * @since 0.1.0
 */
export * from "./server/service.js"

/**
 * The embedded server.
 *
 * @since 0.1.0
 * @category tags
 */
export class LangfuseServer extends Context.Tag("effect-langfuse/LangfuseServer")<LangfuseServer, Service>() {}

/**
 * Serves on the `HttpServer` at hand until the scope closes. Requests that are still open then are cut.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (options?: Options) => Effect.Effect<Service, never, HttpServer.HttpServer | Scope.Scope> = Effect
  .fnUntraced(function*(options: Options = {}) {
    const server = yield* HttpServer.HttpServer
    return yield* internal.make(server, {
      publicKey: options.publicKey ?? defaults.publicKey,
      secretKey: options.secretKey ?? defaults.secretKey,
      version: options.version ?? defaults.version,
      writeMode: options.writeMode,
      otlp: options.otlp,
      maxBodyBytes: options.maxBodyBytes ?? defaults.maxBodyBytes,
      scoreConfigs: options.scoreConfigs ?? defaults.scoreConfigs,
      prices: options.prices ?? defaults.prices,
      maxBytes: options.maxBytes ?? defaults.maxBytes,
      maxTraceBytes: options.maxTraceBytes ?? defaults.maxTraceBytes
    })
  })

/**
 * The embedded server, on the `HttpServer` at hand until the layer's scope closes.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<LangfuseServer, never, HttpServer.HttpServer> =>
  Layer.scoped(LangfuseServer, make(options))

/**
 * Metadata as the events table of v4 has it, flat with dotted keys, so that it can be compared with the nested
 * metadata of the tables before it.
 *
 * @since 0.1.0
 * @category combinators
 */
export const flattenMetadata: (
  metadata: { readonly [key: string]: unknown }
) => { readonly [key: string]: unknown } = internal.flattenMetadata
