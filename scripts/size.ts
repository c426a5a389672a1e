/**
 * What a module adds to a bundle: minified and compressed, without the peers, which the program has anyway.
 *
 * A budget is the size when it was last looked at, and 3 %. To raise one, say why.
 */
import { Console, Effect } from "effect"
import { build } from "esbuild"
import { gzipSync } from "node:zlib"
import { publicModules, root } from "./lib/modules.js"

/** Bytes after gzip. */
const budgets: { readonly [entry: string]: number } = {
  // Writes times and spells ids by itself, for speed.
  IngestionEvent: 8_700,
  IngestionResponse: 500,
  Langfuse: 38_600,
  LangfuseAi: 24_000,
  LangfuseConfig: 1_600,
  LangfuseError: 600,
  // Reads values of any kind, redacts, masks and cuts them, for both protocols.
  LangfuseIngest: 47_100,
  // With the rules of every release it can be, and a reader of protobuf.
  LangfuseServer: 31_600,
  LangfuseTracer: 36_800,
  LangfuseTransport: 22_000
}

/** What programs do: each is a program, and must cost no more than what it uses, also through the barrel. */
const programs: ReadonlyArray<{ readonly name: string; readonly source: string; readonly budget: number }> = [
  {
    name: "enqueue, with a transport of one's own",
    source: "export { LangfuseIngest, make } from \"effect-langfuse/LangfuseIngest\"",
    budget: 28_800
  },
  {
    name: "the same, with the batch endpoint alone",
    source: `export { LangfuseIngest, make } from "effect-langfuse/LangfuseIngest"
      export { layerIngestion } from "effect-langfuse/LangfuseTransport"`,
    budget: 37_600
  },
  {
    name: "trace a program",
    source: `export { layerFromEnv } from "effect-langfuse/LangfuseIngest"
      export { layer } from "effect-langfuse/LangfuseTracer"
      export { generation, withTrace } from "effect-langfuse/Langfuse"`,
    // Too large: the goal is less than 41,600, what it was before values of every kind were read and redacted here.
    budget: 65_200
  },
  {
    name: "trace a program, through the barrel",
    source: `import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"
      export const all = [Langfuse.generation, Langfuse.withTrace, LangfuseIngest.layerFromEnv, LangfuseTracer.layer]`,
    budget: 74_100
  }
]

const sizeOf = (source: string) =>
  Effect.promise(async () => {
    const { outputFiles } = await build({
      stdin: { contents: source, resolveDir: root },
      absWorkingDir: root,
      bundle: true,
      minify: true,
      write: false,
      format: "esm",
      platform: "neutral",
      // By the package's own name and `exports`, not by the paths of tsconfig.json, which lead to the sources.
      tsconfigRaw: {},
      external: ["effect", "effect/*", "@effect/*"],
      logLevel: "silent"
    })
    const [code = new Uint8Array()] = outputFiles.map((file) => file.contents)
    return { minified: code.length, gzipped: gzipSync(code, { level: 9 }).length }
  })

const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`.padStart(9)

const main = Effect.gen(function*() {
  const entries = [
    ...publicModules.map((module) => ({
      name: module,
      source: `export * from "effect-langfuse/${module}"`,
      budget: budgets[module] ?? 0
    })),
    ...programs
  ]
  const width = Math.max(...entries.map(({ name }) => name.length))
  yield* Console.log(`${"".padEnd(width)}   minified       gzip     budget`)
  let over = 0
  for (const { budget, name, source } of entries) {
    const { gzipped, minified } = yield* sizeOf(source)
    const verdict = gzipped > budget ? "  over its budget" : ""
    if (gzipped > budget) over += 1
    yield* Console.log(
      `${name.padEnd(width)}  ${kilobytes(minified)}  ${kilobytes(gzipped)}  ${kilobytes(budget)}${verdict}`
    )
  }
  if (over > 0) return yield* Effect.fail(`${over} over the budget in scripts/size.ts`)
})

Effect.runPromise(main.pipe(
  Effect.catchAll((error) => Console.error(error).pipe(Effect.andThen(Effect.sync(() => void (process.exitCode = 1)))))
))
