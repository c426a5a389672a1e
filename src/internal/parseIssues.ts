/**
 * A failed check as lines for a person: where, and which rule. Effect's own formatters print the value that broke the
 * rule, and a value is what must never reach a log.
 */
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as AST from "effect/SchemaAST"

const maxLines = 20
const maxKey = 60

const step = (path: string, key: PropertyKey): string => {
  if (typeof key === "number") return `${path}[${key}]`
  const text = String(key)
  const name = text.length > maxKey ? `${text.slice(0, maxKey)}…` : text
  return path === "" ? name : `${path}.${name}`
}

const description = (ast: AST.AST): string | undefined => Option.getOrUndefined(AST.getDescriptionAnnotation(ast))

const isNothing = (ast: AST.AST): boolean => AST.isUndefinedKeyword(ast) || (AST.isLiteral(ast) && ast.literal === null)

const expected = (asts: ReadonlyArray<AST.AST>): string => {
  const literals = asts.filter(AST.isLiteral)
  const others = asts.filter((ast) => !AST.isLiteral(ast)).map((ast) =>
    AST.isTypeLiteral(ast) ? "an object" : AST.isTupleType(ast) ? "a list" : description(ast) ?? String(ast)
  )
  const values = literals.map(({ literal }) => String(literal)).join(", ")
  return [...(values === "" ? [] : [literals.length === 1 ? values : `one of ${values}`]), ...others].join(" or ")
}

const unions = (ast: AST.AST): ReadonlyArray<AST.AST> => AST.isUnion(ast) ? ast.types : [ast]

interface Leaf {
  readonly asts: ReadonlyArray<AST.AST>
  readonly message: string | undefined
}

/** The rule an issue is about, when it is about the value itself and not about something inside it. */
const leaf = (issue: ParseResult.ParseIssue): Leaf | undefined => {
  switch (issue._tag) {
    case "Type":
      return { asts: unions(issue.ast).filter((ast) => !isNothing(ast)), message: issue.message }
    case "Refinement": {
      const inner = leaf(issue.issue)
      const takesObjects = inner?.asts.some(AST.isTypeLiteral) ?? false
      return inner !== undefined && inner.message === undefined && !takesObjects && description(issue.ast) !== undefined
        ? { asts: [issue.ast], message: undefined }
        : inner
    }
    case "Composite": {
      if (!AST.isUnion(issue.ast)) return undefined
      const leaves = members(issue).map(leaf)
      if (leaves.includes(undefined)) return undefined
      return {
        asts: description(issue.ast) === undefined ? leaves.flatMap((leaf) => leaf?.asts ?? []) : [issue.ast],
        message: leaves.find((leaf) => leaf?.message !== undefined)?.message
      }
    }
    default:
      return undefined
  }
}

const members = (issue: ParseResult.Composite): ReadonlyArray<ParseResult.ParseIssue> =>
  "_tag" in issue.issues ? [issue.issues] : issue.issues

const walk = (issue: ParseResult.ParseIssue, path: string, lines: Array<string>): void => {
  const rule = leaf(issue)
  if (rule !== undefined) {
    lines.push(`${path}: ${rule.message ?? `expected ${expected(rule.asts)}`}`)
    return
  }
  switch (issue._tag) {
    case "Pointer": {
      const keys: ReadonlyArray<PropertyKey> = typeof issue.path === "object" ? issue.path : [issue.path]
      return walk(issue.issue, keys.reduce(step, path), lines)
    }
    case "Missing":
      lines.push(`${path}: is missing`)
      return
    case "Composite": {
      const all = members(issue)
      // Of a union, the member that got into the value says more than those that never fitted.
      const inner = AST.isUnion(issue.ast) ? all.filter((member) => leaf(member) === undefined) : all
      for (const member of inner) walk(member, path, lines)
      return
    }
    case "Refinement":
    case "Transformation":
      return walk(issue.issue, path, lines)
    default:
      lines.push(`${path}: is not allowed`)
  }
}

/** One line for each broken rule, such as `body.level: expected one of DEBUG, DEFAULT, WARNING, ERROR`. Never a value. */
export const issueLines = (issue: ParseResult.ParseIssue): ReadonlyArray<string> => {
  const lines: Array<string> = []
  walk(issue, "", lines)
  return lines.length <= maxLines ? lines : [...lines.slice(0, maxLines), `and ${lines.length - maxLines} more`]
}
