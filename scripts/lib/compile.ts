/**
 * Compiles programs of this repository to JavaScript, so that no run of them pays for it.
 */
import type { Plugin } from "esbuild"
import { build } from "esbuild"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../../", import.meta.url))

export interface Programs {
  /** From the repository, by the name of what is made of it. */
  readonly entries: { readonly [name: string]: string }
  /** Below node_modules/.cache, where packages are found from and nobody looks for sources. */
  readonly folder: string
  /**
   * `"external"` leaves packages as they are installed. `"bundled"` takes Effect's own in, of which a program needs little
   * and would otherwise load hundreds of files. Default `"external"`.
   */
  readonly packages?: "external" | "bundled"
  /** Whether what several of them need is kept once, in files of its own. Default `true`. */
  readonly splitting?: boolean
}

export const outdir = (folder: string): string => `${root}node_modules/.cache/${folder}`

/** Where the program of that name is after `compile`. */
export const compiled = (folder: string, name: string): string => `${outdir(folder)}/${name}.mjs`

const onlyEffect: Plugin = {
  name: "only Effect's packages",
  setup: ({ onResolve }) => {
    onResolve(
      { filter: /^[^./]/ },
      ({ kind, path }) =>
        kind === "entry-point" || /^(@effect\/|effect(-langfuse)?($|\/))/.test(path)
          ? undefined
          : { path, external: true }
    )
  }
}

export const compile = async ({ entries, folder, packages, splitting }: Programs): Promise<void> => {
  await build({
    absWorkingDir: root,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    // `effect-langfuse` is ours, by the paths of tsconfig.json.
    tsconfig: `${root}tsconfig.json`,
    logLevel: "silent",
    entryPoints: Object.entries(entries).map(([out, path]) => ({ in: `${root}${path}`, out })),
    outdir: outdir(folder),
    outExtension: { ".js": ".mjs" },
    splitting: splitting ?? true,
    ...(packages === "bundled" ? { plugins: [onlyEffect] } : { packages: "external" as const })
  })
}
