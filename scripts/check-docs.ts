/**
 * Every export that a program can reach says what it is, since when, and under which heading, and every option says what
 * it does: what `@effect/docgen` does not look at, because it makes up a heading where there is none, does not look at
 * members, and cannot see what a public module takes from a private one.
 */
import type { Exported } from "./lib/exports.js"
import { publicSources } from "./lib/exports.js"
import { publicModules, relativeToRoot, sourceOf } from "./lib/modules.js"

const categories = new Set([
  "models",
  "tags",
  "references",
  "constructors",
  "layers",
  "errors",
  "guards",
  "combinators",
  "schemas"
])

const isVersion = (text: string | undefined) => /^\d+\.\d+\.\d+$/.test(text ?? "")

const problemsOf = ({ comment, members, name }: Exported): ReadonlyArray<string> => {
  if (comment === undefined) return ["has no comment"]
  const problems: Array<string> = []
  if (comment.text === "") problems.push("has no description")
  if (comment.tags("since").length !== 1 || !isVersion(comment.tags("since")[0])) problems.push("has no @since 1.2.3")
  const [category, ...others] = comment.tags("category")
  if (category === undefined || others.length > 0) problems.push("does not have exactly one @category")
  else if (!categories.has(category)) {
    problems.push(`has the @category ${category}, which is none of ${[...categories].join(", ")}`)
  }
  if (name.endsWith("Options")) {
    for (const member of members) if (!member.isDescribed) problems.push(`does not describe ${member.name}`)
  }
  return problems
}

const sources = publicSources()
const exported = sources.flatMap((source) => source.exports)

const modules = new Set(publicModules.map(sourceOf))
const gaps = [
  ...sources.filter(({ comment, file }) => modules.has(file) && !isVersion(comment?.tags("since")[0]))
    .map(({ file }) => `${relativeToRoot(file)}:1 does not begin with a comment that has @since 1.2.3`),
  ...exported.flatMap((one) =>
    problemsOf(one).map((problem) => `${relativeToRoot(one.file)}:${one.line} ${one.name} ${problem}`)
  )
]

if (exported.length === 0) gaps.push("nothing is exported")

if (gaps.length > 0) {
  console.error(`${gaps.join("\n")}\n${gaps.length} gaps in the documentation of ${exported.length} exports`)
  process.exitCode = 1
} else console.log(`All ${exported.length} exports are documented.`)
