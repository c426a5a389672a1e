/**
 * Programs in processes of their own.
 */
import { Array as Arr, Effect, type Scope } from "effect"
import { build } from "esbuild"
import { spawn } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export interface Child {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** Milliseconds from `ready`, or from the signal, to the end. */
  readonly took: number
}

const root = fileURLToPath(new URL("../../../", import.meta.url))

/**
 * A program below `test/faults` as one file of JavaScript, which starts in a fraction of the time that its hundreds of
 * modules take.
 */
export const bundle = (program: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.gen(function*() {
    const folder = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "effect-langfuse-"))),
      (folder) => Effect.promise(() => rm(folder, { recursive: true }))
    )
    const outfile = join(folder, "program.mjs")
    yield* Effect.promise(() =>
      build({
        entryPoints: [`${root}test/faults/${program}`],
        outfile,
        bundle: true,
        platform: "node",
        format: "esm",
        target: "node20",
        tsconfig: `${root}test/tsconfig.json`,
        logLevel: "error",
        // Some dependencies are CommonJS and ask for Node's modules with `require`.
        banner: { js: "import{createRequire as r}from'node:module';const require=r(import.meta.url);" }
      })
    )
    return outfile
  })

/**
 * Runs a program to its end: a bundled one, or what Node takes before the arguments. It gets `signals`, one after the
 * other, once it says `ready`.
 */
export const run = (
  program: string | ReadonlyArray<string>,
  args: ReadonlyArray<string>,
  options: {
    readonly env?: Readonly<Record<string, string>> | undefined
    readonly signals?: ReadonlyArray<NodeJS.Signals> | undefined
  } = {}
): Effect.Effect<Child> =>
  Effect.async((resume) => {
    const child = spawn(process.execPath, [...Arr.ensure(program), ...args], {
      cwd: root,
      env: { PATH: process.env["PATH"], ...options.env },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let stdout = ""
    let stderr = ""
    let since = performance.now()
    let signalled = false
    child.stdout.on("data", (data) => {
      stdout += String(data)
      if (!signalled && stdout.includes("ready\n")) {
        signalled = true
        since = performance.now()
        for (const [index, signal] of (options.signals ?? []).entries()) {
          setTimeout(() => child.kill(signal), index * 100)
        }
      }
    })
    child.stderr.on("data", (data) => {
      stderr += String(data)
    })
    child.on("close", (code, signal) => {
      resume(Effect.succeed({ code, signal, stdout, stderr, took: performance.now() - since }))
    })
    return Effect.sync(() => child.kill("SIGKILL"))
  })
