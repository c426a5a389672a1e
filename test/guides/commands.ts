/**
 * How each command of the pages is known to work. One that is not known here fails the test.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Redacted } from "effect"
import type { LangfuseServer } from "effect-langfuse"
import { existsSync } from "node:fs"
import * as Cli from "../../cli/cli.js"
import { root } from "../../scripts/lib/compile.js"
import { manifest } from "../../scripts/lib/modules.js"
import * as Pages from "./pages.js"

/** Checks a command that its pattern has matched. */
type Verify = (args: string, server: LangfuseServer.Service) => Effect.Effect<void>

const verify = (check: (args: string) => void): Verify => (args) => Effect.sync(() => check(args))

const script: Verify = verify((args) => {
  const [name = ""] = args.split(" ")
  assert.property(manifest.scripts, name)
})

/** The range of a peer, or the version that is used here. */
const known = (name: string): string | undefined =>
  name === manifest.name ? `^${manifest.version}` : manifest.peerDependencies[name] ?? manifest.devDependencies[name]

const numbers = (version: string): ReadonlyArray<number> =>
  version.replace(/^[\^~]/, "").split(".").map(Number).concat(0, 0).slice(0, 3)

/** By the rule of `^`: no part to the left of the first that is not 0 may differ, and the rest may be larger. */
const satisfies = (version: string, range: string): boolean => {
  const [wanted, had] = [numbers(range), numbers(version)]
  if (!range.startsWith("^")) return String(wanted) === String(had)
  const fixed = wanted.findIndex((part) => part !== 0)
  const first = wanted.findIndex((part, index) => part !== had[index])
  return first === -1 || (first > fixed && (had[first] ?? 0) > (wanted[first] ?? 0))
}

const install: Verify = verify((args) => {
  for (const spec of args.split(" ").filter((arg) => !/^(--save-dev|-D)$/.test(arg))) {
    const [, name = "", range] = /^(@?[^@]+)(?:@(.+))?$/.exec(spec) ?? []
    const version = known(name)
    assert.isDefined(version, `${name} is none of our packages`)
    if (range !== undefined) assert.isTrue(satisfies(version ?? "", range), `${version} is not what ${spec} installs`)
  }
})

/** The doctor of the sources, whose every request goes to the embedded server, whatever the address. */
const doctor: Verify = (args, server) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const dotenv = yield* fs.makeTempFileScoped({ suffix: ".env" })
    const words = args.split(" ").map((word) => word === ".env" ? dotenv : word)
    const toServer = Effect.map(
      HttpClient.HttpClient,
      HttpClient.mapRequest((request) => {
        const { pathname } = new URL(request.url)
        return HttpClientRequest.setUrl(request, `${server.url}${pathname}`)
      })
    )
    const silent = () => Effect.void
    const code = yield* Effect.consoleWith((console) =>
      Cli.run(words, { columns: undefined }).pipe(
        Effect.withConsole({ ...console, log: silent, error: silent })
      )
    ).pipe(
      Effect.withConfigProvider(ConfigProvider.fromMap(
        new Map([
          ["LANGFUSE_BASE_URL", server.url],
          ["LANGFUSE_PUBLIC_KEY", server.publicKey],
          ["LANGFUSE_SECRET_KEY", Redacted.value(server.secretKey)]
        ])
      )),
      Effect.provide([
        Layer.effect(HttpClient.HttpClient, toServer).pipe(Layer.provide(FetchHttpClient.layer)),
        NodeContext.layer
      ])
    )
    assert.strictEqual(code, 0, `effect-langfuse ${args}`)
  }).pipe(Effect.scoped, Effect.orDie, Effect.provide(NodeFileSystem.layer))

/** Commands that run until they are stopped, or need one that does: each option they are shown with is in their help. */
const shown: Verify = (args) => {
  const [name = "", ...rest] = args.split(" ")
  const words = name === "traces" ? [name, rest[0] ?? ""] : [name]
  const lines: Array<string> = []
  const keep = (...said: ReadonlyArray<unknown>) => Effect.sync(() => void lines.push(said.map(String).join(" ")))
  return Effect.consoleWith((console) =>
    Cli.run([...words, "--help"], { columns: undefined }).pipe(
      Effect.withConsole({ ...console, log: keep, error: keep })
    )
  ).pipe(
    Effect.provide([FetchHttpClient.layer, NodeContext.layer]),
    Effect.map((code) => {
      assert.strictEqual(code, 0, `effect-langfuse ${args}`)
      for (const option of rest.filter((word) => word.startsWith("--"))) assert.include(lines.join("\n"), option)
    })
  )
}

const table: ReadonlyArray<readonly [command: RegExp, verify: Verify]> = [
  [/^npm run (\S+(?: -- .+)?)$/, script],
  [/^npm (start|test)(?: -- .+)?$/, script],
  [/^npm ci$/, verify(() => assert.isTrue(existsSync(`${root}package-lock.json`)))],
  [/^npm install (.+)$/, install],
  [/^npx effect-langfuse (doctor\b.*)$/, doctor],
  [/^npx effect-langfuse ((?:dev|traces)\b.*)$/, shown],
  [/^npx vitest run (\S+)$/, verify((file) => assert.isTrue(existsSync(`${root}${file}`), file))],
  // A program of a guide, that its reader has saved; it is run for itself.
  [/^npx tsx (\S+)\.ts(?: .+)?$/, verify((program) => assert.include(Pages.programs, program))],
  // Variables are told to the commands after them; here it is looked at their names.
  [
    /^export ([A-Z_]+)=\S+$/,
    verify((name) => assert.include(Pages.read("src/LangfuseConfig.ts"), name, `${name} is not read`))
  ]
]

export const check = (command: string, server: LangfuseServer.Service): Effect.Effect<void> => {
  // Variables in front of a command, as in `NAME=value npm start`.
  const bare = command.replace(/^(?:[A-Z_]+=\S+ )+/, "")
  for (const [pattern, verify] of table) {
    const match = pattern.exec(bare)
    if (match !== null) return verify(match[1] ?? "", server)
  }
  return Effect.dieMessage(`nobody knows whether this works: ${command}`)
}
