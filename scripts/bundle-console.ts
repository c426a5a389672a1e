/**
 * Bundles the pages of `effect-langfuse dev`: one script and one style sheet, which go into the command's own bundle.
 */
import type { Metafile } from "esbuild"
import { build } from "esbuild"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Assets } from "../cli/dev/assets.js"

const root = fileURLToPath(new URL("..", import.meta.url))

/** Also what went into them, for the licences. */
export const bundle = async (): Promise<{ readonly assets: Assets; readonly metafile: Metafile }> => {
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: { console: "console/main.tsx" },
    outdir: "console",
    write: false,
    bundle: true,
    platform: "browser",
    format: "esm",
    target: ["chrome107", "firefox115", "safari16"],
    minify: true,
    legalComments: "none",
    metafile: true,
    logLevel: "warning"
  })
  const text = (extension: string): string => {
    const file = outputFiles.find(({ path }) => path.endsWith(extension))
    if (file === undefined) throw new Error(`the pages have no ${extension}`)
    // Both can also stand inside of a page, where these would end the element.
    return file.text.trimEnd().replaceAll("</script", "<\\/script").replaceAll("</style", "<\\/style")
  }
  return {
    assets: {
      html: await readFile(join(root, "console", "index.html"), "utf8"),
      icon: await readFile(join(root, "console", "icon.svg"), "utf8"),
      script: text(".js"),
      style: text(".css")
    },
    metafile
  }
}
