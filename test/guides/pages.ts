/**
 * What the pages say: programs, commands and links.
 */
import { readdirSync, readFileSync } from "node:fs"
import { root } from "../../scripts/lib/compile.js"

export const read = (path: string): string => readFileSync(`${root}${path}`, "utf8")

/** All pages that are written by hand, from the repository. */
export const pages: ReadonlyArray<string> = [
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  ...readdirSync(`${root}docs`).filter((name) => name.endsWith(".md")).sort().map((name) => `docs/${name}`)
]

/** The names of all programs. */
export const programs: ReadonlyArray<string> = readdirSync(`${root}examples/guides`)
  .filter((name) => name.endsWith(".ts"))
  .map((name) => name.slice(0, -".ts".length))

export interface Block {
  /** `page:line` of its first line. */
  readonly at: string
  readonly language: string
  readonly text: string
  /** The line above it. */
  readonly above: string
}

/** The blocks of a page, without what indents them. */
export const blocks = (page: string): ReadonlyArray<Block> => {
  const found: Array<Block> = []
  let open: { readonly indent: string; readonly block: Block; readonly lines: Array<string> } | undefined
  let above = ""
  for (const [index, line] of read(page).split("\n").entries()) {
    const [, indent = "", language = ""] = /^( *)```(.*)$/.exec(line) ?? []
    if (open === undefined) {
      if (/^ *```/.test(line)) {
        open = { indent, block: { at: `${page}:${index + 2}`, language, text: "", above }, lines: [] }
      }
      above = line
    } else if (line === `${open.indent}\`\`\``) {
      found.push({ ...open.block, text: open.lines.join("\n") })
      open = undefined
    } else {
      open.lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line)
    }
  }
  if (open !== undefined) throw new Error(`${open.block.at}: the block never ends`)
  return found
}

const isMarker = (line: string) => /^\s*\/\/ #(end)?region\b/.test(line)

/** What a page shows of a program: all of it, or a part. `undefined` when there is no such thing. */
export const shown = (program: string, region?: string): string | undefined => {
  if (!programs.includes(program)) return undefined
  const lines = read(`examples/guides/${program}.ts`).trimEnd().split("\n")
  if (region === undefined) return lines.filter((line) => !isMarker(line)).join("\n")
  const from = lines.findIndex((line) => line.trim() === `// #region ${region}`)
  const to = lines.findIndex((line) => line.trim() === `// #endregion ${region}`)
  if (from === -1 || to < from) return undefined
  const part = lines.slice(from + 1, to).filter((line) => !isMarker(line))
  const indent = Math.min(...part.filter((line) => line !== "").map((line) => line.search(/\S/)))
  return part.map((line) => line.slice(indent)).join("\n")
}

/** The program and the part of it that a block says it shows. */
export const marker = ({ above }: Block): { readonly program: string; readonly region?: string } | undefined => {
  const [, program, region] = /^ *<!-- program: ([a-z0-9-]+)(?:#([a-z0-9-]+))? -->$/.exec(above) ?? []
  return program === undefined ? undefined : { program, ...(region === undefined ? undefined : { region }) }
}

const withoutBlocks = (page: string): string => read(page).replace(/^( *)```[^]*?^\1```$/gm, "")

/** Where the links of a page lead to, apart from those to other sites. */
export const links = (page: string): ReadonlyArray<string> =>
  [...withoutBlocks(page).replace(/`[^`\n]*`/g, "").matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target))

/** The anchors of a page's headings, as GitHub makes them. */
export const anchors = (page: string): ReadonlyArray<string> => {
  const seen = new Map<string, number>()
  return [...withoutBlocks(page).matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading = ""]) => {
    const anchor = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replace(/\s/g, "-")
    const before = seen.get(anchor) ?? 0
    seen.set(anchor, before + 1)
    return before === 0 ? anchor : `${anchor}-${before}`
  })
}

/** The commands of a block, one each: without comments, with lines that go on joined, and `&&` taken apart. */
export const commands = (text: string): ReadonlyArray<string> =>
  text
    .replace(/\\\n\s*/g, " ")
    .split("\n")
    .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
    .flatMap((line) => line.split(/\s+&&\s+/))
    .filter((line) => line !== "")
