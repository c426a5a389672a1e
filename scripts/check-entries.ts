/**
 * Whether the packed package says of itself what is so (`publint`), and whether the declarations of every module are found
 * and are those of the code that is run, however modules are resolved (`attw`, which cannot tell from a pattern in
 * `exports` which modules there are).
 */
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { run } from "./lib/command.js"
import { publicModules, root } from "./lib/modules.js"
import { pack } from "./lib/tarball.js"

const main = Effect.gen(function*() {
  const { file } = yield* pack
  yield* run(`${root}node_modules/.bin/publint`, ["run", file, "--strict"])
  yield* Console.log("package.json is right.")
  const entries = [".", ...publicModules]
  // Not for `require` under old Node, nor for resolution by folders: the package is of ES modules only.
  const options = ["--profile", "esm-only", "--format", "ascii", "--no-emoji", "--no-color"]
  yield* run(`${root}node_modules/.bin/attw`, [file, ...options, "--entrypoints", ...entries])
  yield* Console.log(`The types of all ${entries.length} entries are right.`)
})

main.pipe(Effect.scoped, Effect.provide(NodeContext.layer), NodeRuntime.runMain)
