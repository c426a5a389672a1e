/**
 * Compiles the sink and the subjects once, so that no run pays for it. Packages stay as they are installed.
 */
import { Effect } from "effect"
import { build } from "esbuild"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../../", import.meta.url))

/** Below node_modules, where packages are found from and nobody looks for sources. */
export const outdir = `${root}node_modules/.cache/effect-langfuse-bench`

export const compiled = (name: string): string => `${outdir}/${name}.mjs`

const options = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  // `effect-langfuse` is ours, by the paths of tsconfig.json; all else is installed.
  packages: "external",
  tsconfig: `${root}tsconfig.json`,
  logLevel: "silent"
} as const

export const compile = (names: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.promise(() =>
    build({
      ...options,
      entryPoints: names.map((name) => ({
        in: `${root}bench/${name === "sink" ? "lib" : "subjects"}/${name}.ts`,
        out: name
      })),
      outdir,
      outExtension: { ".js": ".mjs" },
      splitting: false
    })
  )
