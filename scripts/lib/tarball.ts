/**
 * The package as npm would publish it, and folders it is installed in.
 */
import { FileSystem, Path } from "@effect/platform"
import { Effect, Schema } from "effect"
import { run } from "./command.js"
import { manifest, root } from "./modules.js"

const Packed = Schema.parseJson(Schema.Tuple(Schema.Struct({
  filename: Schema.String,
  size: Schema.Number,
  unpackedSize: Schema.Number,
  files: Schema.Array(Schema.Struct({ path: Schema.String }))
})))

/** Packs what `npm run build` has made. The file is gone when the scope closes. */
export const pack = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  if (!(yield* fs.exists(path.join(root, "dist", "index.js")))) {
    return yield* Effect.dieMessage("nothing is built: run npm run build")
  }
  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "effect-langfuse-pack-" })
  const { stdout } = yield* run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: root
  })
  const [packed] = yield* Schema.decode(Packed)(stdout)
  return {
    file: path.join(folder, packed.filename),
    size: packed.size,
    unpackedSize: packed.unpackedSize,
    paths: packed.files.map((file) => file.path)
  }
})

/** The version of a package that this project is built and tested with. */
export const installed = (name: string): string => {
  const version = manifest.devDependencies[name]
  if (version === undefined) throw new Error(`${name} is not among the devDependencies`)
  return `${name}@${version}`
}

/** The oldest version of a peer that the package says it works with. */
export const lowest = (name: string): string => {
  const range = manifest.peerDependencies[name]
  if (range === undefined || !/^\^\d+\.\d+\.\d+$/.test(range)) {
    throw new Error(`the range of the peer ${name} is not of the form ^1.2.3`)
  }
  return `${name}@${range.slice(1)}`
}

/** A project of its own with these packages installed, as if outside this repository. */
export const project = (packages: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const folder = yield* fs.makeTempDirectoryScoped({ prefix: "effect-langfuse-consumer-" })
    yield* fs.writeFileString(
      path.join(folder, "package.json"),
      JSON.stringify({ name: "consumer", private: true, type: "module" })
    )
    yield* run("npm", ["install", "--strict-peer-deps", "--no-audit", "--no-fund", "--prefer-offline", ...packages], {
      cwd: folder
    })
    return folder
  })
