/**
 * Bundles the command line into one file that needs nothing but Node, so that `npx effect-langfuse` runs without
 * `@effect/cli` and `@effect/platform-node`, which users of the library have no need for.
 *
 *   tsx scripts/bundle-cli.ts [directory, default dist/bin]
 */
import type { Metafile, Plugin } from "esbuild"
import { build } from "esbuild"
import { readFile, writeFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import type { Assets } from "../cli/dev/assets.js"
import * as Console from "./bundle-console.js"

const root = fileURLToPath(new URL("..", import.meta.url))

export const fileName = "effect-langfuse.js"

export const bundle = async (directory: string): Promise<void> => {
  const console = await Console.bundle()
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["cli/main.ts"],
    outfile: join(directory, fileName),
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20.19",
    minify: true,
    legalComments: "none",
    // `ws`, which comes with the HTTP server, is CommonJS.
    banner: { js: "import { createRequire } from \"node:module\"; const require = createRequire(import.meta.url);" },
    metafile: true,
    plugins: [withAssets(console.assets)],
    logLevel: "warning"
  })
  await writeFile(join(directory, "THIRD-PARTY-LICENSES.txt"), await licenses([metafile, console.metafile]))
}

/** Puts the files of the pages in the place of the module that bundles them. */
const withAssets = (assets: Assets): Plugin => ({
  name: "console-assets",
  setup: (build) => {
    build.onLoad({ filter: /[\\/]cli[\\/]dev[\\/]assets\.ts$/ }, () => ({
      contents: `export const load = async () => (${JSON.stringify(assets)})`
    }))
  }
})

/** Bundled code is distributed, so the licences that come with it are as well. */
const licenses = async (metafiles: ReadonlyArray<Metafile>): Promise<string> => {
  const packages = new Set(
    metafiles.flatMap(({ inputs }) => Object.keys(inputs)).flatMap((path) => {
      const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)
      return match?.[1] === undefined ? [] : [match[1]]
    })
  )
  const texts = await Promise.all(
    [...packages].sort().map(async (path) => {
      const { license, name, version }: { readonly [key: string]: unknown } = JSON.parse(
        await readFile(join(root, path, "package.json"), "utf8")
      )
      const text = await firstOf(
        ["LICENSE", "LICENSE.md", "LICENSE.txt", "license", "LICENCE"].map((file) => join(root, path, file))
      )
      return `${name} ${version} (${license})\n\n${text?.trim() ?? "The package holds no text of its licence."}\n`
    })
  )
  return texts.join(`\n${"-".repeat(80)}\n\n`)
}

const firstOf = async (paths: ReadonlyArray<string>): Promise<string | undefined> => {
  for (const path of paths) {
    try {
      return await readFile(path, "utf8")
    } catch {
      // The next spelling.
    }
  }
  return undefined
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) {
  await bundle(resolve(root, process.argv[2] ?? "dist/bin"))
}
