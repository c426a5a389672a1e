/**
 * `npm run dev`: the command `dev` from the sources, with a recorded session and a made-up one replayed into it.
 *
 *   npm run dev -- [--port 3210] [--store FILE] [--open]
 */
import { Command, FetchHttpClient, HttpClient } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Effect, Layer, Schedule } from "effect"
import { defaultPort } from "../cli/dev.js"
import { root } from "./lib/modules.js"

const args = process.argv.slice(2)
const portAt = args.indexOf("--port")
const url = `http://127.0.0.1:${portAt < 0 ? defaultPort : args[portAt + 1]}`

const run = (file: string, ...rest: ReadonlyArray<string>) =>
  Command.make(process.execPath, "--import", "tsx", file, ...rest).pipe(
    Command.workingDirectory(root),
    Command.stderr("inherit")
  )

const isReady = HttpClient.get(`${url}/console/api/status`).pipe(
  Effect.retry(Schedule.spaced("200 millis").pipe(Schedule.upTo("30 seconds")))
)

const replay = Effect.forEach(["examples/agent-session.ts", "scripts/demo.ts"], (file) =>
  run(file).pipe(
    Command.env({ LANGFUSE_BASE_URL: url, LANGFUSE_PUBLIC_KEY: "pk-lf-local", LANGFUSE_SECRET_KEY: "sk-lf-local" }),
    Command.exitCode
  ))

const dev = run("cli/main.ts", "dev", ...args).pipe(Command.stdout("inherit"), Command.exitCode)

// A `dev` that cannot start ends first, and has said why.
Effect.raceFirst(dev, Effect.zipRight(Effect.zipRight(isReady, replay), Effect.never)).pipe(
  Effect.flatMap((code) => Effect.sync(() => void (process.exitCode = code))),
  Effect.provide(Layer.merge(NodeContext.layer, FetchHttpClient.layer)),
  NodeRuntime.runMain
)
