import { assert, describe, it } from "@effect/vitest"
import * as Barrel from "effect-langfuse"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import {
  isNodeModule,
  isOptionalPeer,
  manifest,
  needsOptionalPeer,
  packagesNeededBy,
  publicModules,
  root,
  sourceOf
} from "../scripts/lib/modules.js"
import { sdkName, version } from "../src/internal/version.js"

const barrel = readFileSync(sourceOf("index"), "utf8")

describe("the package", () => {
  it("has a menu of all modules that need nothing optional, and of nothing else", () => {
    assert.deepStrictEqual(
      Object.keys(Barrel).sort(),
      publicModules.filter((module) => !needsOptionalPeer(module))
    )
  })

  it("has a menu whose lines say what a module is, in the order of their names", () => {
    const lines = [...barrel.matchAll(/\/\*\* (.+)\. \*\/\nexport \* as (\w+) from "\.\/(\w+)\.js"/g)]
    assert.deepStrictEqual(lines.map(([, , name]) => name), Object.keys(Barrel).sort())
    for (const [, , name, file] of lines) assert.strictEqual(name, file)
  })

  it("has no module that needs what is neither a peer nor its own", () => {
    for (const module of ["index", ...publicModules]) {
      const strangers = packagesNeededBy(module).filter((name) => !(name in manifest.peerDependencies))
      assert.deepStrictEqual(strangers, [], module)
    }
  })

  it("needs an optional peer in one module alone", () => {
    const needs = publicModules.filter(needsOptionalPeer).map((module) => [
      module,
      packagesNeededBy(module).filter(isOptionalPeer)
    ])
    assert.deepStrictEqual(needs, [["LangfuseAi", ["@effect/ai"]]])
  })

  it("has no module that needs Node", () => {
    for (const module of publicModules) {
      assert.deepStrictEqual(packagesNeededBy(module).filter(isNodeModule), [], module)
    }
  })

  it("calls itself by its own name and version", () => {
    assert.strictEqual(sdkName, manifest.name)
    assert.strictEqual(version, manifest.version)
  })

  it("has a guide for contributors that knows every module, folder and command", () => {
    const guide = readFileSync(join(root, "CONTRIBUTING.md"), "utf8")
    const entriesOf = (folder: string) =>
      readdirSync(join(root, folder), { withFileTypes: true })
        .map((entry) => entry.isDirectory() ? `${entry.name}/` : entry.name)
        .filter((name) => !name.startsWith(".") && name !== "node_modules/" && name !== "dist/")
    const foldersOf = (folder: string) => entriesOf(folder).filter((name) => name.endsWith("/"))
    const parts = [
      ...publicModules.map((module) => `${module}.ts`),
      ...entriesOf("src/internal"),
      ...[".", "src", "src/core", "test"].flatMap(foldersOf),
      ...Object.keys(manifest.scripts)
    ]
    assert.deepStrictEqual(parts.filter((part) => !guide.includes(part)), [])
  })
})
