/**
 * `effect-langfuse dev`: the command, its options and what it prints.
 */
import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpServer from "@effect/platform/HttpServer"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { createServer } from "node:http"
import { load } from "./dev/assets.js"
import * as Dev from "./dev/dev.js"
import { openPage } from "./dev/openPage.js"

export const defaultPort = 3210

const invalid = (message: string) => ValidationError.invalidValue(HelpDoc.p(message))

const mebibyte = 1024 * 1024

const options = {
  port: Options.integer("port").pipe(
    Options.withDescription("Where to listen on this machine"),
    Options.mapEffect((port) =>
      port >= 0 && port <= 65_535
        ? Effect.succeed(port)
        : Effect.fail(invalid("--port takes a number from 0 to 65535; 0 is any free port"))
    ),
    Options.withDefault(defaultPort)
  ),
  store: Options.file("store").pipe(
    Options.withPseudoName("file"),
    Options.withDescription("Keep what arrives in this file, and show it again at the next start"),
    Options.optional
  ),
  maxMemory: Options.integer("max-memory").pipe(
    Options.withPseudoName("MiB"),
    Options.withDescription("How much to hold: beyond it the oldest traces go"),
    Options.mapEffect((size) =>
      size >= 1 ? Effect.succeed(size) : Effect.fail(invalid("--max-memory takes a number of MiB, at least 1"))
    ),
    Options.withDefault(512)
  ),
  open: Options.boolean("open").pipe(Options.withDescription("Open the page in the browser"))
}

const bold = (text: string, columns: number | undefined): string =>
  columns === undefined ? text : `\u001b[1m${text}\u001b[22m`

const greeting = (server: Dev.Running, columns: number | undefined): string =>
  [
    `effect-langfuse dev  ${bold(server.url, columns)}`,
    "",
    "Set these for your program, in its .env file or before its command:",
    "",
    `  LANGFUSE_BASE_URL=${server.url}`,
    `  LANGFUSE_PUBLIC_KEY=${server.publicKey}`,
    `  LANGFUSE_SECRET_KEY=${server.secretKey}`,
    "",
    `Plain OpenTelemetry: OTEL_EXPORTER_OTLP_ENDPOINT=${server.url}`,
    ...(server.restored === undefined ? [] : [`Restored ${server.restored} requests from ${server.file}.`]),
    "Ctrl+C stops it."
  ].join("\n")

/** A port that is taken is the user's business, not a defect. */
const whyNot = (port: number, cause: unknown): string => {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined
  if (code === "EADDRINUSE") return `Port ${port} is taken. Choose another one: effect-langfuse dev --port ${port + 1}`
  if (code === "EACCES") return `Port ${port} needs more rights. Choose one above 1023 with --port`
  return `Port ${port} cannot be used${typeof code === "string" ? ` (${code})` : ""}`
}

export interface Settings {
  /** Characters in a line of the terminal; `undefined` when the output goes elsewhere. */
  readonly columns: number | undefined
  /** Called when it could not start. */
  readonly onFailure: Effect.Effect<void>
}

export const command = (settings: Settings) =>
  Command.make("dev", options, ({ maxMemory, open, port, store }) =>
    Effect.gen(function*() {
      const node = createServer()
      const server = yield* NodeHttpServer.make(() => node, { port, host: "127.0.0.1" })
      // Event streams would otherwise keep it from closing.
      yield* Effect.addFinalizer(() => Effect.sync(() => node.closeAllConnections()))
      const running = yield* Dev.make({
        assets: yield* Effect.promise(load),
        file: Option.getOrUndefined(store),
        maxBytes: maxMemory * mebibyte,
        say: Console.error
      }).pipe(Effect.provideService(HttpServer.HttpServer, server))
      yield* Console.log(greeting(running, settings.columns))
      if (open) yield* openPage(running.url)
      return yield* Effect.never
    }).pipe(
      Effect.scoped,
      Effect.catchTags({
        ServeError: ({ cause }) => Effect.zipRight(Console.error(whyNot(port, cause)), settings.onFailure),
        StoreFileError: ({ line }) => Effect.zipRight(Console.error(line), settings.onFailure)
      })
    )).pipe(
      Command.withDescription(
        "Shows traces while you write the program: a Langfuse on this machine that takes what any SDK sends and shows " +
          "it live in the browser. Takes any keys, listens on 127.0.0.1 only, and needs no account."
      )
    )
