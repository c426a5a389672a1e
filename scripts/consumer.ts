/**
 * The packed package in projects of their own, outside this repository: one with the oldest versions of the peers and
 * nothing optional, one with the versions this project is built with and all that is optional.
 *
 * Each compiles an import of every module, and the README's first program, under both ways to resolve modules and with
 * the declarations of all packages checked; then runs them, the program against the embedded server.
 */
import { FileSystem, Path } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { build } from "esbuild"
import { run } from "./lib/command.js"
import { isOptionalPeer, manifest, needsOptionalPeer, publicModules, root } from "./lib/modules.js"
import { installed, lowest, pack, project } from "./lib/tarball.js"

const fixture = "test/package"

/** The first program in the README, as it stands there. */
const readmeProgram = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const readme = yield* fs.readFileString(`${root}README.md`)
  const [, program] = /^```ts\n([\s\S]*?)^```$/m.exec(readme) ?? []
  return program ?? (yield* Effect.dieMessage("the README has no program"))
})

const importing = (modules: ReadonlyArray<string>) =>
  [
    "import * as Barrel from \"effect-langfuse\"",
    ...modules.map((module) => `import * as ${module.replaceAll("/", "_")} from "effect-langfuse/${module}"`),
    `const modules = { Barrel, ${modules.map((module) => module.replaceAll("/", "_")).join(", ")} }`,
    "for (const [name, module] of Object.entries(modules)) {",
    "  if (Object.keys(module).length === 0) throw new Error(`${name} exports nothing`)",
    "}"
  ].join("\n")

const compile = (folder: string, modules: ReadonlyArray<string>, fixtures: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    for (const name of ["tsconfig.nodenext.json", "tsconfig.bundler.json", "doors.ts", ...fixtures]) {
      yield* fs.copyFile(`${root}${fixture}/${name}`, `${folder}/${name}`)
    }
    yield* fs.writeFileString(`${folder}/modules.ts`, importing(modules))
    yield* fs.writeFileString(`${folder}/readme.ts`, yield* readmeProgram)
    for (const resolution of ["nodenext", "bundler"]) {
      yield* run("npx", ["tsc", "-p", `tsconfig.${resolution}.json`], { cwd: folder })
      yield* Console.log(`  compiles under ${resolution}`)
    }
    for (const name of ["modules.js", "doors.js"]) yield* run("node", [`out/${name}`], { cwd: folder })
    yield* Console.log(`  ${modules.length + 1} modules can be imported, no other`)
  })

/** For a browser, without what is optional: a bundler must not give up on what is not installed. */
const isBundled = (folder: string) =>
  Effect.tryPromise(() =>
    build({
      absWorkingDir: folder,
      entryPoints: ["modules.ts"],
      bundle: true,
      write: false,
      format: "esm",
      platform: "browser",
      tsconfigRaw: {},
      logLevel: "silent"
    })
  ).pipe(Effect.andThen(Console.log("  all of them can be bundled for a browser")))

/** The command is one file, so it runs without what it is made of. */
const commandRuns = (folder: string) =>
  Effect.gen(function*() {
    const { stdout } = yield* run("npx", ["--no-install", manifest.name, "--version"], { cwd: folder })
    if (!stdout.includes(manifest.version)) return yield* Effect.dieMessage(`its command says it is ${stdout}`)
    return yield* Console.log(`  npx ${manifest.name} runs`)
  })

/** Two copies of Effect break what fibers assume of each other. */
const hasOneEffect = (folder: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const all = yield* fs.readDirectory(`${folder}/node_modules`, { recursive: true })
    const copies = all.filter((path) => /(^|\/)node_modules\/effect\/package\.json$|^effect\/package\.json$/.test(path))
    if (copies.length !== 1) return yield* Effect.dieMessage(`there are ${copies.length} copies of effect`)
  })

/** Where a debugger looks for the sources, there they are. */
const hasSources = (folder: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const dist = `${folder}/node_modules/${manifest.name}/dist`
    const maps = (yield* fs.readDirectory(dist, { recursive: true })).filter((name) => name.endsWith(".map"))
    for (const name of maps) {
      const map = JSON.parse(yield* fs.readFileString(`${dist}/${name}`)) as { readonly sources: ReadonlyArray<string> }
      for (const source of map.sources) {
        const file = path.join(path.dirname(`${dist}/${name}`), source)
        if (!(yield* fs.exists(file))) {
          return yield* Effect.dieMessage(`${name} points to ${source}, which is not packed`)
        }
      }
    }
    yield* Console.log(`  ${maps.length} source maps lead to sources`)
  })

const allowed = /^(dist|src)\/|^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/

const main = Effect.gen(function*() {
  const tarball = yield* pack
  const strange = tarball.paths.filter((path) =>
    !allowed.test(path) || /\.(test|tst)\.ts$|tsconfig|tsbuildinfo/.test(path)
  )
  if (strange.length > 0) return yield* Effect.dieMessage(`not meant to be packed: ${strange.join(", ")}`)
  yield* Console.log(
    `${tarball.paths.length} files, ${Math.round(tarball.size / 1000)} kB packed, ${
      Math.round(tarball.unpackedSize / 1000)
    } kB unpacked`
  )

  const tools = [installed("typescript"), installed("@types/node")]
  const required = Object.keys(manifest.peerDependencies).filter((name) => !isOptionalPeer(name))
  const optional = Object.keys(manifest.peerDependencies).filter(isOptionalPeer)

  const oldest = [...required.map(lowest), ...tools]
  yield* Console.log(`\n${oldest.join(" ")}`)
  const first = yield* project([tarball.file, ...oldest])
  yield* compile(first, publicModules.filter((module) => !needsOptionalPeer(module)), [])
  yield* hasOneEffect(first)
  yield* hasSources(first)
  yield* isBundled(first)
  yield* commandRuns(first)

  // What an optional peer of ours needs in turn, npm installs by itself.
  const newest = [...required, ...optional, "@effect/platform-node"].map(installed).concat(tools)
  yield* Console.log(`\n${newest.join(" ")}`)
  const second = yield* project([tarball.file, ...newest])
  yield* compile(second, publicModules, ["serve.ts"])
  yield* hasOneEffect(second)

  yield* Console.log(
    "\nThe README's first program, against the embedded server, in the first project and in the second"
  )
  const { stdout } = yield* run("node", ["out/serve.js", `${first}/out/readme.js`, `${second}/out/readme.js`], {
    cwd: second
  })
  yield* Console.log(stdout.trimEnd())
  return undefined
})

main.pipe(Effect.scoped, Effect.provide(NodeContext.layer), NodeRuntime.runMain)
