/**
 * Whether a value fits a schema, as a plain function made once from the schema's AST.
 *
 * The parser of `effect/ParseResult` says what is wrong, and allocates for every field to be able to. The constructors run
 * in the caller's time and nearly always make events that fit, so they ask here first, and the parser for the reasons only.
 */
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"

type Accepts = (value: unknown) => boolean

const always: Accepts = () => true
const never: Accepts = () => false

/**
 * A guard that is exact for the kinds of schemas that events are made of, and without services or transformations. One that
 * holds anything else accepts nothing, so that the parser decides.
 */
export const accepts = <A>(schema: Schema.Schema<A>): (value: unknown) => value is A => {
  const isAccepted = compile(schema.ast)
  return (value): value is A => isAccepted(value)
}

const compile = (ast: AST.AST): Accepts => {
  switch (ast._tag) {
    case "UnknownKeyword":
    case "AnyKeyword":
      return always
    case "UndefinedKeyword":
      return (value) => value === undefined
    case "StringKeyword":
      return (value) => typeof value === "string"
    case "NumberKeyword":
      return (value) => typeof value === "number"
    case "BooleanKeyword":
      return (value) => typeof value === "boolean"
    case "Literal": {
      const { literal } = ast
      return (value) => value === literal
    }
    case "Union":
      return compileUnion(ast)
    case "Refinement":
      return compileRefinement(ast)
    case "TupleType":
      return compileArray(ast)
    case "TypeLiteral":
      return compileObject(ast)
    default:
      return never
  }
}

const compileUnion = ({ types }: AST.Union): Accepts => {
  const members = types.map(compile)
  return (value) => {
    for (const accepts of members) if (accepts(value)) return true
    return false
  }
}

const compileRefinement = (ast: AST.Refinement): Accepts => {
  const from = compile(ast.from)
  return (value) => from(value) && Option.isNone(ast.filter(value, AST.defaultParseOption, ast))
}

const compileArray = ({ elements, rest: [item, ...others] }: AST.TupleType): Accepts => {
  if (item === undefined || elements.length > 0 || others.length > 0) return never
  const accepts = compile(item.type)
  return (value) => {
    if (!Array.isArray(value)) return false
    // Not `every`, which passes over holes.
    for (let i = 0; i < value.length; i++) if (!accepts(value[i])) return false
    return true
  }
}

const compileObject = ({ indexSignatures, propertySignatures }: AST.TypeLiteral): Accepts => {
  const [index, ...others] = indexSignatures
  if (index === undefined) {
    const fields = propertySignatures.map(({ isOptional, name, type }) => ({
      name,
      isOptional,
      accepts: compile(type)
    }))
    return (value) => {
      if (!isRecord(value)) return false
      for (const { accepts, isOptional, name } of fields) {
        const property = value[name]
        if (property === undefined && isOptional) continue
        if (!accepts(property)) return false
      }
      return true
    }
  }
  if (others.length > 0 || propertySignatures.length > 0 || !isText(index.parameter)) return never
  const isMeant = compile(index.parameter)
  const accepts = compile(index.type)
  return (value) => {
    if (!isRecord(value)) return false
    // A key that the signature is not about is passed over, as the parser does.
    for (const key of Object.keys(value)) if (isMeant(key) && !accepts(value[key])) return false
    return true
  }
}

const isText = (key: AST.Parameter): boolean => AST.isRefinement(key) ? isText(key.from) : AST.isStringKeyword(key)

const isRecord = (value: unknown): value is Record<PropertyKey, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
