/**
 * What the public modules export, with the comments it has: also what they take from private modules.
 */
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import ts from "typescript"
import { publicModules, root, sourceOf } from "./modules.js"

export interface Comment {
  readonly text: string
  /** Values by the tag's name, without the at sign. */
  readonly tags: (name: string) => ReadonlyArray<string>
}

export interface Exported {
  readonly file: string
  readonly line: number
  readonly name: string
  readonly comment: Comment | undefined
  /** Members of an interface, each with whether it has a comment. */
  readonly members: ReadonlyArray<{ readonly name: string; readonly isDescribed: boolean }>
}

export interface Source {
  readonly file: string
  /** Of the file as a whole. */
  readonly comment: Comment | undefined
  readonly exports: ReadonlyArray<Exported>
}

const textOf = (comment: ts.JSDocTag["comment"]) => ts.getTextOfJSDocComment(comment)?.trim() ?? ""

// TypeScript takes the scheme of an address for a name that is linked to.
const seen = (tag: ts.JSDocTag) => tag.getText().replace(/^@see\s+/, "").replace(/[\s*]+$/, "")

const read = (comment: ts.JSDoc | undefined): Comment | undefined =>
  comment && {
    text: textOf(comment.comment),
    tags: (name) =>
      (comment.tags ?? []).filter((tag) => tag.tagName.text === name).map((tag) =>
        name === "see" ? seen(tag) : textOf(tag.comment)
      )
  }

const commentOf = (node: ts.Node) => read(ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).at(-1))

const isExported = (node: ts.Statement) =>
  ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)

const namesOf = (node: ts.Statement): ReadonlyArray<string> => {
  if (ts.isVariableStatement(node)) return node.declarationList.declarations.map(({ name }) => name.getText())
  const { name } = node as ts.Statement & { readonly name?: ts.Node }
  return name === undefined ? [] : [name.getText()]
}

const membersOf = (node: ts.Statement) =>
  ts.isInterfaceDeclaration(node)
    ? node.members.map((member) => ({
      name: member.name?.getText() ?? "",
      isDescribed: commentOf(member) !== undefined
    }))
    : []

/** A file's own comment is the one before its first import. */
const headOf = (file: ts.SourceFile): Comment | undefined => {
  const [first] = file.statements
  if (first === undefined) return undefined
  const [head] = ts.getJSDocCommentsAndTags(first).filter(ts.isJSDoc)
  return read(head)
}

interface Reference {
  readonly file: string
  readonly only: ReadonlySet<string> | undefined
}

/** What is exported from elsewhere: all, or the names. */
const referencesOf = (path: string, file: ts.SourceFile): ReadonlyArray<Reference> =>
  file.statements.flatMap((node) => {
    if (!ts.isExportDeclaration(node) || node.moduleSpecifier === undefined) return []
    if (!ts.isStringLiteral(node.moduleSpecifier)) return []
    const { exportClause: clause } = node
    return [{
      file: join(dirname(path), node.moduleSpecifier.text.replace(/\.js$/, ".ts")),
      only: clause !== undefined && ts.isNamedExports(clause)
        ? new Set(clause.elements.map((element) => (element.propertyName ?? element.name).text))
        : undefined
    }]
  }).filter(({ file }) => file.startsWith(root))

const exportsOf = (path: string, file: ts.SourceFile, only: ReadonlySet<string> | undefined) => {
  const found: Array<Exported> = []
  const overloaded = new Set<string>()
  const look = (node: ts.Statement, within: string) => {
    if (!isExported(node)) return
    for (const name of namesOf(node)) {
      if (within === "" && only !== undefined && !only.has(name)) continue
      // The first overload speaks for all.
      if (ts.isFunctionDeclaration(node) && overloaded.has(name)) continue
      if (ts.isFunctionDeclaration(node)) overloaded.add(name)
      found.push({
        file: path,
        line: file.getLineAndCharacterOfPosition(node.getStart()).line + 1,
        name: `${within}${name}`,
        comment: commentOf(node),
        members: membersOf(node)
      })
      if (ts.isModuleDeclaration(node) && node.body !== undefined && ts.isModuleBlock(node.body)) {
        for (const inner of node.body.statements) look(inner, `${within}${name}.`)
      }
    }
  }
  for (const node of file.statements) look(node, "")
  return found
}

/** The files that hold what a program can import, each with those of its exports that can be. */
export const publicSources = (): ReadonlyArray<Source> => {
  const sources = new Map<string, Source>()
  const visit = ({ file: path, only }: Reference) => {
    const key = [path, ...only ?? []].join()
    if (sources.has(key)) return
    const file = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.ES2022, true)
    sources.set(key, { file: path, comment: headOf(file), exports: exportsOf(path, file, only) })
    for (const reference of referencesOf(path, file)) visit(reference)
  }
  for (const module of publicModules) visit({ file: sourceOf(module), only: undefined })
  return [...sources.values()]
}
