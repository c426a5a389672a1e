/** Writes package.json's version, which changesets has raised, where the code says it. */
import { readFileSync, writeFileSync } from "node:fs"
import { manifest, root } from "./lib/modules.js"

const path = `${root}src/internal/version.ts`
const before = readFileSync(path, "utf8")
const after = before.replace(/(export const version = ")[^"]*(")/, `$1${manifest.version}$2`)

if (!after.includes(`"${manifest.version}"`)) throw new Error(`${path} has no place for the version`)
writeFileSync(path, after)
