/**
 * The same short program, from the packed package, in every runtime the package promises, against the embedded server:
 * as a Langfuse v4, which takes OpenTelemetry, and as a v3 without it, which has the batch endpoint alone.
 *
 * What cannot be installed is skipped, and said. `--write` puts the table into `docs/runtimes.md`.
 */
import { FileSystem } from "@effect/platform"
import { NodeContext, NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Cause, Console, Effect, Layer, Redacted } from "effect"
import { LangfuseServer } from "effect-langfuse"
import { build } from "esbuild"
import { createServer } from "node:http"
import type { Outcome } from "../test/runtimes/program.js"
import { manifest, root } from "./lib/modules.js"
import { Absent, runtimes } from "./lib/runtimes.js"
import { installed, pack, project } from "./lib/tarball.js"

const versions = [{ version: "4.16.0" }, { version: "3.120.0", otlp: false }] as const

/** A project with the package, and the program compiled in it: with its imports for a console, whole for the others. */
const program = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const tarball = yield* pack
  const folder = yield* project([tarball.file, installed("effect"), installed("@effect/platform")])
  for (const name of ["program", "console", "worker", "page"]) {
    yield* fs.copyFile(`${root}test/runtimes/${name}.ts`, `${folder}/${name}.ts`)
  }
  // The README's first program, which a test holds against the README.
  yield* fs.copyFile(`${root}examples/guides/readme-trace.ts`, `${folder}/readme.ts`)
  const common = {
    absWorkingDir: folder,
    bundle: true,
    format: "esm",
    target: "es2022",
    tsconfigRaw: {},
    logLevel: "silent"
  } as const
  yield* Effect.tryPromise(() =>
    Promise.all([
      build({ ...common, entryPoints: ["console.ts"], outfile: "console.mjs", packages: "external" }),
      build({ ...common, entryPoints: ["readme.ts"], outfile: "readme.mjs", packages: "external" }),
      // `platform: "browser"` gives neither of these any of Node's modules.
      build({
        ...common,
        entryPoints: ["worker.ts"],
        outfile: "worker.js",
        platform: "browser",
        conditions: ["workerd"]
      }),
      build({ ...common, entryPoints: ["page.ts"], outfile: "page.js", platform: "browser" })
    ])
  )
  return folder
})

const claims = ["README", "ingest", "tracer", "flush", "ledger", "close"] as const

/** `undefined` for what the runtime has no place for. */
type Claims = { readonly [claim in typeof claims[number]]: boolean | undefined }

/** What the program says has to agree with what the server holds. */
const judge = (
  { flushed, stats }: Outcome,
  traces: ReadonlyArray<LangfuseServer.StoredTrace>,
  hasVariables: boolean
): Claims => {
  const named = (name: string) => traces.find((trace) => trace.name === name)
  const traced = named("traced")
  const agent = traced?.observations.find((observation) => observation.name === "agent")
  const below = traced?.observations.filter(({ parentObservationId }) => parentObservationId === agent?.id) ?? []
  const settled = stats.sampledOut + stats.dropped + stats.pending + stats.delivered + stats.rejected + stats.failed
  return {
    README: hasVariables
      ? named("question")?.observations.map(({ type }) => type).sort().join() === "AGENT,GENERATION"
      : undefined,
    ingest: named("by hand")?.observations.some(({ type }) => type === "GENERATION") === true,
    tracer: traced?.sessionId === "s-1" && agent?.type === "AGENT"
      && below.map(({ level, type }) => `${type} ${level}`).sort().join() === "GENERATION DEFAULT,TOOL ERROR",
    flush: flushed.delivered === stats.offered && flushed.pending + flushed.failed + flushed.rejected === 0,
    ledger: stats.offered >= 5 && stats.offered === settled && stats.delivered === stats.offered,
    close: named("closing")?.observations.length === 1
  }
}

const against = <E, R>(
  options: LangfuseServer.Options,
  hasVariables: boolean,
  run: (address: { baseUrl: string; publicKey: string; secretKey: string }) => Effect.Effect<Outcome, E, R>
) =>
  Effect.gen(function*() {
    const server = yield* LangfuseServer.make(options)
    const outcome = yield* run({
      baseUrl: server.url,
      publicKey: server.publicKey,
      secretKey: Redacted.value(server.secretKey)
    }).pipe(Effect.timeout("90 seconds"))
    return judge(outcome, yield* server.traces, hasVariables)
  }).pipe(
    Effect.scoped,
    Effect.provide(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" }).pipe(Layer.fresh))
  )

interface Row {
  readonly name: string
  readonly version: string
  readonly claims: Claims | undefined
  readonly note: string
}

const failed = (row: Row) => row.claims !== undefined && claims.some((claim) => row.claims?.[claim] === false)

const words = new Map([[true, "yes"], [false, "**no**"], [undefined, "–"]])

const table = (rows: ReadonlyArray<Row>) =>
  [
    `| runtime | version | ${claims.join(" | ")} | why not |`,
    `|---|---|${claims.map(() => "---|").join("")}---|`,
    ...rows.map(({ claims: held, name, note, version }) =>
      `| ${name} | ${version} | ${
        claims.map((claim) => held === undefined ? "not run" : words.get(held[claim])).join(" | ")
      } | ${note} |`
    )
  ].join("\n")

const none: Claims = { README: false, ingest: false, tracer: false, flush: false, ledger: false, close: false }

const oneLine = (text: string) => text.trim().split("\n").slice(0, 3).join(" ").replaceAll("|", "\\|")

const tried = (folder: string) =>
  Effect.forEach(runtimes, ({ find, name }) =>
    Effect.gen(function*() {
      const runtime = yield* find
      const held = yield* Effect.forEach(
        versions,
        (options) => against(options, runtime.hasVariables, (address) => runtime.run(folder, address))
      )
      const both: Claims = {
        README: runtime.hasVariables
          ? held.every((one) => one.README)
          : undefined,
        ingest: held.every((one) => one.ingest),
        tracer: held.every((one) => one.tracer),
        flush: held.every((one) => one.flush),
        ledger: held.every((one) => one.ledger),
        close: held.every((one) => one.close)
      }
      return { name, version: runtime.version, claims: both, note: "" }
    }).pipe(
      Effect.catchIf(
        (error) => error instanceof Absent,
        (error) => Effect.succeed<Row>({ name, version: "", claims: undefined, note: oneLine(error.message) })
      ),
      Effect.catchAllCause((cause) =>
        Console.error(cause).pipe(
          Effect.as<Row>({ name, version: "", claims: none, note: oneLine(Cause.pretty(cause)) })
        )
      ),
      Effect.tap((row) =>
        Console.log(
          `${row.name} ${row.version}: ${
            row.claims === undefined ? "skipped" : failed(row) ? "FAILED" : "works"
          } ${row.note}`
        )
      ),
      Effect.scoped
    ))

const markers = ["<!-- runtimes -->", "<!-- /runtimes -->"] as const

const write = (text: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = `${root}docs/runtimes.md`
    const page = yield* fs.readFileString(path)
    const start = page.indexOf(markers[0])
    const end = page.indexOf(markers[1])
    if (start < 0 || end < start) return yield* Effect.dieMessage("docs/runtimes.md has no place for the table")
    yield* fs.writeFileString(path, `${page.slice(0, start)}${markers[0]}\n\n${text}\n\n${page.slice(end)}`)
    return undefined
  })

const main = Effect.gen(function*() {
  const rows = yield* Effect.flatMap(program, tried)
  const text = table(rows)
  yield* Console.log(`\n${manifest.name} ${manifest.version}\n\n${text}`)
  if (process.argv.includes("--write")) yield* write(text)
  if (rows.some(failed)) return yield* Effect.fail("it does not work everywhere")
  if (rows.every((row) => row.claims === undefined)) return yield* Effect.fail("it was run nowhere")
  return undefined
})

main.pipe(Effect.scoped, Effect.provide(NodeContext.layer), NodeRuntime.runMain)
