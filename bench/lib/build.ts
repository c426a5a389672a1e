/**
 * Compiles the sink and the subjects once, so that no run pays for it. Packages stay as they are installed.
 */
import { Effect } from "effect"
import * as Compile from "../../scripts/lib/compile.js"

const folder = "effect-langfuse-bench"

export const root = Compile.root

export const outdir = Compile.outdir(folder)

export const compiled = (name: string): string => Compile.compiled(folder, name)

export const compile = (names: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.promise(() =>
    Compile.compile({
      entries: Object.fromEntries(
        names.map((name) => [name, `bench/${name === "sink" ? "lib" : "subjects"}/${name}.ts`])
      ),
      folder,
      splitting: false
    })
  )
