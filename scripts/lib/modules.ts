/**
 * What the package offers, read from the sources: so no check has a list of its own that could fall behind.
 */
import { readdirSync, readFileSync } from "node:fs"
import { builtinModules } from "node:module"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../../", import.meta.url))

const src = join(root, "src")

interface Manifest {
  readonly name: string
  readonly version: string
  readonly peerDependencies: { readonly [name: string]: string }
  readonly peerDependenciesMeta: { readonly [name: string]: { readonly optional?: boolean } }
  readonly devDependencies: { readonly [name: string]: string }
  readonly scripts: { readonly [name: string]: string }
}

export const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest

const privateFolders = ["bin", "core", "internal", "server"]

const isPrivate = (path: string) => privateFolders.some((folder) => path.startsWith(`${folder}/`))

/** Every module that can be imported, as its path below the package's name: `"Langfuse"`. Without the barrel. */
export const publicModules: ReadonlyArray<string> = readdirSync(src, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts") && !isPrivate(path) && path !== "index.ts")
  .map((path) => path.slice(0, -".ts".length))
  .sort()

export const sourceOf = (module: string): string => join(src, `${module}.ts`)

// Types too: who lacks a package lacks its declarations. Dynamic imports do not count, those may fail.
const specifier = /^(?:import|export)\b[^"'`]*?\bfrom\s+"([^"]+)"|^import\s+"([^"]+)"/gm

const packageOf = (name: string) => name.split("/").slice(0, name.startsWith("@") ? 2 : 1).join("/")

const packagesOf = (file: string, seen = new Set<string>()): ReadonlySet<string> => {
  const packages = new Set<string>()
  if (seen.has(file)) return packages
  seen.add(file)
  for (const match of readFileSync(file, "utf8").matchAll(specifier)) {
    const name = match[1] ?? match[2] ?? ""
    if (name.startsWith(".")) {
      for (const one of packagesOf(join(dirname(file), name.replace(/\.js$/, ".ts")), seen)) packages.add(one)
    } else packages.add(packageOf(name))
  }
  return packages
}

/** The packages without which a module cannot be imported, or its types not be read. */
export const packagesNeededBy = (module: string): ReadonlyArray<string> => [...packagesOf(sourceOf(module))].sort()

export const isOptionalPeer = (name: string): boolean => manifest.peerDependenciesMeta[name]?.optional === true

/** Whether a program can import it without having installed anything optional. */
export const needsOptionalPeer = (module: string): boolean => packagesNeededBy(module).some(isOptionalPeer)

export const isNodeModule = (name: string): boolean => name.startsWith("node:") || builtinModules.includes(name)

export const relativeToRoot = (file: string): string => relative(root, file)
