/**
 * Runs all property tests with many more cases than `npm test` does, and others in every run. Prints the seed: with
 * `PROPERTY_SEED` set to it the same cases come again.
 */
import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

const files = readdirSync("test", { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".test.ts"))
  .map((name) => join("test", name))
  .filter((name) => /\bit\.prop\(|\.effect\.prop\(|FastCheck\.(assert|check|sample)\(/.test(readFileSync(name, "utf8")))

const PROPERTY_SEED = process.env["PROPERTY_SEED"] ?? String(Math.floor(Math.random() * 2 ** 31))
const PROPERTY_RUNS = process.env["PROPERTY_RUNS"] ?? "10"

console.log(`PROPERTY_SEED=${PROPERTY_SEED} PROPERTY_RUNS=${PROPERTY_RUNS}, ${files.length} files`)

const { status } = spawnSync("npx", ["vitest", "run", ...files], {
  stdio: "inherit",
  shell: process.platform === "win32",
  env: { ...process.env, PROPERTY_SEED, PROPERTY_RUNS }
})
console.log(`PROPERTY_SEED=${PROPERTY_SEED}`)
process.exitCode = status ?? 1
