/**
 * The embedded endpoint on a socket of its own, with the keys that the suite looks for.
 */
import { NodeHttpServer } from "@effect/platform-node"
import { Context, Effect, Layer, type Scope } from "effect"
import { LangfuseServer } from "effect-langfuse"
import { createServer, type Server } from "node:http"
import type { Protocol } from "./protocols.js"
import { publicKey, secretKey } from "./run.js"

/** A server that does not wait for connections which a client opened in advance and never used. */
const create = (): Server => {
  const server = createServer()
  const close = server.close.bind(server)
  server.close = (done) => {
    close(done)
    server.closeAllConnections()
    return server
  }
  return server
}

export const serve = (
  protocol: Protocol,
  options: LangfuseServer.Options & { readonly port?: number | undefined } = {}
): Effect.Effect<LangfuseServer.Service, never, Scope.Scope> =>
  LangfuseServer.layer({ publicKey, secretKey, ...protocol.server, ...options }).pipe(
    Layer.provide(Layer.orDie(NodeHttpServer.layer(create, { port: options.port ?? 0, host: "127.0.0.1" }))),
    Layer.build,
    Effect.map((context) => Context.get(context, LangfuseServer.LangfuseServer))
  )
