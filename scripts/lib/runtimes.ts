/**
 * Where the program of `test/runtimes` is run, and how each of these is got and started.
 */
import { FileSystem, HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { Deferred, Effect, Schedule, Schema } from "effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import type { Address, Outcome } from "../../test/runtimes/program.js"
import { run, start } from "./command.js"
import { project } from "./tarball.js"

/** Why a runtime is not there. */
export class Absent extends Schema.TaggedError<Absent>()("Absent", { reason: Schema.String }) {
  override get message() {
    return this.reason
  }
}

/** A project in which the package is installed and the program is compiled: see `program` in `scripts/runtimes.ts`. */
export type Folder = string

const Counts = Schema.Struct({
  flushed: Schema.Struct({
    delivered: Schema.Number,
    rejected: Schema.Number,
    failed: Schema.Number,
    pending: Schema.Number
  }),
  stats: Schema.Struct({
    offered: Schema.Number,
    sampledOut: Schema.Number,
    dropped: Schema.Number,
    pending: Schema.Number,
    delivered: Schema.Number,
    rejected: Schema.Number,
    failed: Schema.Number
  })
})

const decode = (value: unknown): Effect.Effect<Outcome, unknown> => Schema.decodeUnknown(Counts)(value)

const decodeText = (text: string): Effect.Effect<Outcome, unknown> => Schema.decode(Schema.parseJson(Counts))(text)

/** The newest version of a package whose binary is the runtime. */
const fromNpm = (name: string, version = "latest") =>
  Effect.gen(function*() {
    const folder = yield* project([`${name}@${version}`])
    const binary = `${folder}/node_modules/.bin/${name}`
    const { stdout } = yield* run(binary, ["--version"])
    return { binary, version: /\d[\d.-]*/.exec(stdout)?.[0] ?? stdout.trim() }
  }).pipe(
    Effect.timeoutFail({
      duration: "3 minutes",
      onTimeout: () => new Absent({ reason: "its installation took too long" })
    }),
    Effect.mapError(({ message }) => {
      const [what = "", ...lines] = message.trim().split("\n")
      const why = lines.find((line) => /error/i.test(line))
      return new Absent({ reason: why === undefined ? what : `${what}: ${why}` })
    })
  )

const variables = (address: Address) => ({
  LANGFUSE_BASE_URL: address.baseUrl,
  LANGFUSE_PUBLIC_KEY: address.publicKey,
  LANGFUSE_SECRET_KEY: address.secretKey
})

/**
 * A runtime with a console: it is told the address by variables, and writes the outcome. As a user would, it also runs the
 * README's first program, which takes no other address.
 */
const console = (binary: string, args: ReadonlyArray<string> = []) => (folder: Folder, address: Address) => {
  const ran = (program: string) =>
    run(binary, [...args, `${folder}/${program}.mjs`], {
      cwd: folder,
      env: variables(address),
      timeout: "1 minute"
    })
  return Effect.zipRight(ran("readme"), ran("console")).pipe(Effect.flatMap(({ stdout }) => decodeText(stdout)))
}

const node = (version: string) => ({
  name: "Node",
  find: Effect.map(fromNpm("node", version), ({ binary, version }) => ({
    version,
    hasVariables: true,
    run: console(binary)
  }))
})

const bun = {
  name: "Bun",
  find: Effect.map(fromNpm("bun"), ({ binary, version }) => ({
    version,
    hasVariables: true,
    run: console(binary)
  }))
}

const deno = {
  name: "Deno",
  find: Effect.map(fromNpm("deno"), ({ binary, version }) => ({
    version,
    hasVariables: true,
    run: console(binary, ["run", "--no-prompt", "--allow-net=127.0.0.1", "--allow-env", "--node-modules-dir=manual"])
  }))
}

const freePort = Effect.async<number>((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo
    server.close(() => resume(Effect.succeed(port)))
  })
})

const workerdConfig = (port: number) =>
  `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .program),
    (name = "internet", network = (allow = ["public", "private"]))
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const program :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2025-01-01"
);
`

const post = (url: string, body: unknown) =>
  Effect.tryPromise(async (signal) => {
    const response = await fetch(url, { method: "POST", body: JSON.stringify(body), signal })
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    return await response.json() as unknown
  })

const isUp = (url: string) => Effect.tryPromise((signal) => fetch(url, { method: "OPTIONS", signal }))

const workerd = {
  name: "workerd",
  find: Effect.map(fromNpm("workerd"), ({ binary, version }) => ({
    version,
    hasVariables: false,
    run: (folder: Folder, address: Address) =>
      Effect.scoped(Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const port = yield* freePort
        yield* fs.writeFileString(`${folder}/workerd.capnp`, workerdConfig(port))
        yield* start(binary, ["serve", `${folder}/workerd.capnp`])
        const url = `http://127.0.0.1:${port}/`
        yield* Effect.retry(isUp(url), { schedule: Schedule.spaced("100 millis"), times: 100 })
        return yield* Effect.flatMap(post(url, address), decode)
      }))
  }))
}

/** Serves the page; completes with what the page tells. */
const servePage = (script: string, address: Address, told: Deferred.Deferred<unknown>) =>
  HttpRouter.empty.pipe(
    HttpRouter.get("/", HttpServerResponse.html("<!doctype html><script type=\"module\" src=\"/page.js\"></script>")),
    HttpRouter.get("/page.js", HttpServerResponse.text(script, { contentType: "text/javascript" })),
    HttpRouter.get("/address", HttpServerResponse.unsafeJson(address)),
    HttpRouter.post(
      "/outcome",
      HttpServerRequest.HttpServerRequest.pipe(
        Effect.flatMap((request) => request.json),
        Effect.flatMap((outcome) => Deferred.succeed(told, outcome)),
        Effect.as(HttpServerResponse.empty())
      )
    ),
    HttpServer.serveEffect()
  )

const quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]

const chromium = {
  name: "Chromium",
  find: run("chromium", ["--version"]).pipe(
    Effect.mapError(() => new Absent({ reason: "there is no chromium; Debian's package is enough" })),
    Effect.map(({ stdout }) => ({
      version: /\d[\d.]*/.exec(stdout)?.[0] ?? stdout.trim(),
      hasVariables: false,
      run: (folder: Folder, address: Address) =>
        Effect.gen(function*() {
          const fs = yield* FileSystem.FileSystem
          const profile = yield* fs.makeTempDirectoryScoped({ prefix: "effect-langfuse-chromium-" })
          const told = yield* Deferred.make<unknown>()
          yield* servePage(yield* fs.readFileString(`${folder}/page.js`), address, told)
          const url = yield* HttpServer.addressFormattedWith(Effect.succeed)
          // The browser ends before the page's server, which would wait for connections that were opened in advance.
          return yield* start("chromium", [...quiet, `--user-data-dir=${profile}`, url]).pipe(
            Effect.zipRight(Effect.flatMap(Deferred.await(told), decode)),
            Effect.scoped
          )
        }).pipe(
          Effect.provide(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" })),
          Effect.scoped
        )
    }))
  )
}

/** In the order of the table. */
export const runtimes = [node("20"), node("latest"), bun, deno, workerd, chromium]
