/**
 * Run in a project that has the package installed: what is meant to be imported can be, and nothing else.
 */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const codeOf = async (specifier: string): Promise<unknown> => {
  try {
    await import(specifier)
    return undefined
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error
  }
}

for (const specifier of ["internal/batcher", "internal/tracer/span", "bin/main", "server/store", "core/item/item"]) {
  const code = await codeOf(`effect-langfuse/${specifier}`)
  if (code !== "ERR_PACKAGE_PATH_NOT_EXPORTED") {
    throw new Error(`effect-langfuse/${specifier} is not closed: ${String(code)}`)
  }
}

const manifest = readFileSync(fileURLToPath(import.meta.resolve("effect-langfuse/package.json")), "utf8")
if (!manifest.includes("\"effect-langfuse\"")) throw new Error("effect-langfuse/package.json is another file")
