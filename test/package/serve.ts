/**
 * Run in a project that has the package installed: an embedded server, and programs that know it by `LANGFUSE_*` alone.
 * Each program named as an argument must end by itself, and the server must then hold a trace and have refused nothing.
 */
import { Command, FetchHttpClient } from "@effect/platform"
// One by one, because all of them together need the types of `ws`, which they do not bring.
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Layer, Redacted } from "effect"
import { LangfuseServer } from "effect-langfuse"
import { createServer } from "node:http"

const Server = LangfuseServer.layer().pipe(
  Layer.provide(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" }))
)

const main = Effect.gen(function*() {
  const server = yield* LangfuseServer.LangfuseServer
  const programs = process.argv.slice(2)
  if (programs.length === 0) return yield* Effect.dieMessage("no program was named")
  for (const program of programs) {
    yield* server.reset
    const exitCode = yield* Command.make(process.execPath, program).pipe(
      Command.env({
        LANGFUSE_BASE_URL: server.url,
        LANGFUSE_PUBLIC_KEY: server.publicKey,
        LANGFUSE_SECRET_KEY: Redacted.value(server.secretKey)
      }),
      Command.stdout("inherit"),
      Command.stderr("inherit"),
      Command.exitCode,
      Effect.timeout("30 seconds")
    )
    if (exitCode !== 0) return yield* Effect.dieMessage(`${program} ended with ${exitCode}`)
    const traces = yield* server.traces
    const observations = traces.flatMap((trace) => trace.observations)
    const losses = yield* server.losses
    const refused = (yield* server.requests).filter(({ status }) => status === undefined || status >= 300)
    if (observations.length === 0) return yield* Effect.dieMessage(`${program} left no observation`)
    if (losses.length > 0) return yield* Effect.dieMessage(`the server lost something: ${JSON.stringify(losses)}`)
    if (refused.length > 0) return yield* Effect.dieMessage(`the server refused ${refused.length} requests`)
    yield* Console.log(
      `  ${traces.length} trace, ${observations.length} observations: ${
        observations.map(({ name }) => name).join(", ")
      }`
    )
  }
})

main.pipe(Effect.provide([Server, NodeContext.layer, FetchHttpClient.layer]), NodeRuntime.runMain)
