/**
 * The reference in `docs/api`: what `@effect/docgen` makes of the comments in `src`, with every example type-checked and
 * run, as plain Markdown that reads well in an editor, on a code host, and from the file system.
 */
import { FileSystem } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { run } from "./lib/command.js"
import type { Source } from "./lib/exports.js"
import { publicSources } from "./lib/exports.js"
import {
  isOptionalPeer,
  manifest,
  needsOptionalPeer,
  packagesNeededBy,
  publicModules,
  root,
  sourceOf
} from "./lib/modules.js"

// docgen looks for the sources one level above it, so it cannot be docs/api.
const raw = `${root}.docgen`
const target = `${root}docs/api`

/** Pages by the file they are about: all public modules, and what those pass on from private ones. */
const pages = [
  ...publicModules.map((module) => ({ name: module, source: sourceOf(module), raw: `${module}.ts.md` })),
  { name: "IngestionEvent.events", source: `${root}src/internal/events.ts`, raw: "internal/events.ts.md" },
  ...["fault", "model", "service"].map((part) => ({
    name: `LangfuseServer.${part}`,
    source: `${root}src/server/${part}.ts`,
    raw: `server/${part}.ts.md`
  }))
]

const pageOf = (specifier: string) => {
  const name = specifier.replace(/^\.\//, "").replace(/\.js$/, "")
  return pages.find((page) => page.raw === `${name}.ts.md`)?.name
}

/** A signature that is but a path says more as a link. */
const linkReferences = (text: string) =>
  text.replace(/\*\*Signature\*\*\n\n```ts\nexport \* from "(.+)"\n```/g, (signature, specifier: string) => {
    const page = pageOf(specifier)
    return page === undefined ? signature : `All of [${page}](${page}.md).`
  })

/** The page of one module, from what docgen wrote: its front matter and class names are for a site generator. */
const rewrite = (page: { readonly name: string }, text: string, source: Source) => {
  const lines = linkReferences(text).split("\n")
  const out: Array<string> = []
  let inCode = false
  let links = source.comment?.tags("see") ?? []
  for (const line of lines.slice(lines.findIndex((line) => line.endsWith(" overview")))) {
    if (line.startsWith("```")) inCode = !inCode
    const [, level, title] = (inCode ? null : /^(#+) (.*)$/.exec(line)) ?? []
    if (title?.endsWith(" overview")) out.push(`# ${page.name}`)
    else if (title !== undefined) {
      out.push(`${level}# ${title}`)
      const named = source.exports.filter(({ name }) => name === title.replace(/ \(.*\)$/, ""))
      links = [...new Set(named.flatMap(({ comment }) => comment?.tags("see") ?? []))]
    } else if (line.startsWith("<h2 class=\"text-delta\">")) out.push("## Contents")
    else if (line.startsWith("Added in v")) {
      out.push(...links.flatMap((link) => [`See ${/^https?:/.test(link) ? `<${link}>` : link}`, ""]), line)
      links = []
    } else out.push(line)
  }
  return `${out.join("\n").trim()}\n`
}

/** The first sentence of a text, on one line. */
const firstSentence = (text: string) => (/^[\s\S]*?\.(?=\s|$)/.exec(text)?.[0] ?? text).replace(/\s+/g, " ")

const index = (sources: ReadonlyArray<Source>) => {
  const rows = publicModules.map((module) => {
    const text = sources.find((source) => source.file === sourceOf(module))?.comment?.text ?? ""
    const optional = needsOptionalPeer(module)
      ? ` Needs ${packagesNeededBy(module).filter(isOptionalPeer).map((name) => `\`${name}\``).join(", ")}.`
      : ""
    return `| [${module}](${module}.md) | ${firstSentence(text)}${optional} |`
  })
  return [
    `# ${manifest.name} ${manifest.version}`,
    "",
    `Each module is imported by its own path, \`${manifest.name}/Langfuse\`, or from \`${manifest.name}\` by its name.`,
    "",
    "| module | |",
    "|---|---|",
    ...rows,
    "",
    "Made of the comments in `src` by `npm run docs`; every example in them is compiled and run.",
    ""
  ].join("\n")
}

const main = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  yield* Effect.addFinalizer(() => Effect.ignore(fs.remove(raw, { recursive: true, force: true })))
  yield* fs.remove(raw, { recursive: true, force: true })
  yield* Console.log("Compiling and running the examples, reading the comments")
  yield* run(`${root}node_modules/.bin/docgen`, [], { cwd: root, timeout: "10 minutes" })
  const sources = publicSources()
  yield* fs.remove(target, { recursive: true, force: true })
  yield* fs.makeDirectory(target, { recursive: true })
  for (const page of pages) {
    const source = sources.find(({ file }) => file === page.source)
    if (source === undefined) return yield* Effect.dieMessage(`${page.name} is not among what can be imported`)
    const text = yield* fs.readFileString(`${raw}/modules/${page.raw}`)
    yield* fs.writeFileString(`${target}/${page.name}.md`, rewrite(page, text, source))
  }
  yield* fs.writeFileString(`${target}/README.md`, index(sources))
  yield* Console.log(`${pages.length} pages in docs/api`)
  return undefined
})

main.pipe(Effect.scoped, Effect.provide(NodeContext.layer), NodeRuntime.runMain)
