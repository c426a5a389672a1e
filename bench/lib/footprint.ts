/**
 * What it takes to load a subject: time to import it, and its size in a bundle.
 */
import { Effect } from "effect"
import { build } from "esbuild"
import { spawn } from "node:child_process"
import { readdirSync } from "node:fs"
import { gzipSync } from "node:zlib"
import { outdir, root } from "./build.js"
import type { Variant } from "./variants.js"

const dist = `${outdir}/dist`

/** Our modules one by one, as they are published. */
export const compileModules: Effect.Effect<void> = Effect.promise(() =>
  build({
    absWorkingDir: root,
    entryPoints: readdirSync(`${root}src`, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .map((path) => `${root}src/${path}`),
    outbase: `${root}src`,
    outdir: dist,
    format: "esm",
    target: "es2022",
    logLevel: "silent"
  })
)

/** `effect-langfuse/Langfuse`, or the barrel. */
const located = (specifier: string): string =>
  specifier.replace(
    /^effect-langfuse(?:\/(.+))?$/,
    (_, module: string | undefined) => `${dist}/${module ?? "index"}.js`
  )

/** Milliseconds to import a subject, in a process that has imported `before`. */
export const importMs = (
  { imports }: Variant,
  before: ReadonlyArray<string> = []
): Effect.Effect<number> =>
  Effect.async<number>((resume) => {
    const load = (specifiers: ReadonlyArray<string>) =>
      specifiers.map((specifier) => `await import(${JSON.stringify(located(specifier))});`).join("")
    const script = `${load(before)}const start = performance.now();${load(imports)}` +
      "process.stdout.write(String(performance.now() - start), () => process.exit(0))"
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      cwd: outdir,
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 60_000,
      killSignal: "SIGKILL"
    })
    let text = ""
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString()
    })
    child.once("close", () => resume(Effect.succeed(text === "" ? Number.NaN : Number(text))))
    return Effect.sync(() => void child.kill("SIGKILL"))
  })

export interface Bundle {
  /** Minified and compressed, in units of 1000 bytes. */
  readonly kilobytes: number
  /** Bytes of each file of ours in the minified bundle, largest first. */
  readonly files: ReadonlyArray<readonly [path: string, bytes: number]>
  /** Modules of Effect that are imported. */
  readonly external: ReadonlyArray<string>
}

/** The subject's own code, and of other packages all but Effect and its platform. */
export const bundle = ({ imports }: Variant): Effect.Effect<Bundle> =>
  Effect.promise(async () => {
    const result = await build({
      absWorkingDir: root,
      stdin: {
        contents: imports.map((specifier, i) => `export * as m${i} from ${JSON.stringify(specifier)}`).join("\n"),
        resolveDir: root,
        loader: "ts"
      },
      bundle: true,
      minify: true,
      format: "esm",
      platform: "node",
      target: "es2022",
      tsconfig: `${root}tsconfig.json`,
      external: ["effect", "effect/*", "@effect/platform", "@effect/platform/*"],
      metafile: true,
      write: false,
      logLevel: "silent"
    })
    const [output] = Object.values(result.metafile.outputs)
    const bytes = result.outputFiles[0]?.contents ?? new Uint8Array()
    return {
      kilobytes: gzipSync(bytes, { level: 9 }).length / 1000,
      files: Object.entries(output?.inputs ?? {})
        .map(([path, { bytesInOutput }]) => [path, bytesInOutput] as const)
        .sort(([, a], [, b]) => b - a),
      external: [...new Set((output?.imports ?? []).map(({ path }) => path))].filter((path) =>
        !path.startsWith("node:")
      )
    }
  })
