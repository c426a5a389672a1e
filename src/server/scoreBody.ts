/**
 * Scores as the batch endpoint and `POST /api/public/scores` read them.
 */
import type { Dialect } from "./dialect.js"
import * as Environment from "./environment.js"
import * as V from "./validation.js"

export type ScoreDataType = "NUMERIC" | "BOOLEAN" | "CATEGORICAL" | "TEXT" | "CORRECTION"

export type ScoreSource = "API" | "EVAL" | "ANNOTATION"

export interface ScoreBody {
  readonly id?: string | null | undefined
  readonly name: string
  readonly value: string | number
  readonly dataType?: ScoreDataType | undefined
  readonly traceId?: string | null | undefined
  readonly sessionId?: string | null | undefined
  readonly datasetRunId?: string | null | undefined
  readonly observationId?: string | null | undefined
  readonly comment?: string | null | undefined
  readonly queueId?: string | null | undefined
  readonly executionTraceId?: string | null | undefined
  readonly metadata?: unknown
  readonly configId?: string | null | undefined
  readonly environment: string
  readonly source: ScoreSource
}

const text = V.nullish(V.string())

const zeroOrOne: V.Parser<number> = V.refine(V.number, (value) =>
  value === 0 || value === 1
    ? undefined
    : V.custom("Value must be a number equal to either 0 or 1 for data type BOOLEAN"))

const withConfig = { configId: text }

/** What depends on the data type: the type itself, the value, and whether there can be a config. */
const byType = {
  untyped: {
    dataType: (): undefined => undefined,
    value: V.union<readonly [V.Parser<string | number>, V.Parser<number>]>(V.string(), V.number),
    ...withConfig
  },
  NUMERIC: { dataType: V.literals("NUMERIC"), value: V.number, ...withConfig },
  BOOLEAN: { dataType: V.literals("BOOLEAN"), value: zeroOrOne, ...withConfig },
  CATEGORICAL: { dataType: V.literals("CATEGORICAL"), value: V.string(), ...withConfig },
  TEXT: { dataType: V.literals("TEXT"), value: V.string({ min: 1, max: 500 }), ...withConfig },
  CORRECTION: { dataType: V.literals("CORRECTION"), value: V.string(), configId: V.nothing }
}

/** Absence is decided by truthiness, so an empty text is no target. */
const oneTarget = (score: ScoreBody): V.Issue | undefined => {
  const targets = [score.traceId, score.sessionId, score.datasetRunId].filter(Boolean).length
  if (targets === 1 && (!score.observationId || score.traceId)) return undefined
  return V.custom(
    "A score is on exactly one of traceId (and perhaps an observationId in it), sessionId and datasetRunId",
    ["traceId", "sessionId", "datasetRunId", "observationId"]
  )
}

const isKnown = (type: unknown, dialect: Dialect): type is ScoreDataType => {
  switch (type) {
    case "NUMERIC":
    case "BOOLEAN":
    case "CATEGORICAL":
      return true
    case "TEXT":
      return dialect.hasTextScores
    case "CORRECTION":
      return dialect.hasCorrections
    default:
      return false
  }
}

const choosing = <A>(dialect: Dialect, make: (type: ScoreDataType | "untyped") => V.Parser<A>): V.Parser<A> =>
  V.discriminated(
    "dataType",
    (type) => type === undefined ? make("untyped") : isKnown(type, dialect) ? make(type) : undefined
  )

const shared = {
  name: V.string({ min: 1 }),
  traceId: text,
  sessionId: text,
  datasetRunId: text,
  observationId: text,
  comment: text,
  metadata: V.any,
  queueId: text
}

/** The body of a `score-create`. */
export const scoreBody = (dialect: Dialect): V.Parser<ScoreBody> => {
  const fields = {
    ...shared,
    id: V.nullish(dialect.limitsIds ? V.id : V.string()),
    environment: Environment.field(dialect.environments),
    source: V.withDefault(V.literals("API", "EVAL", "ANNOTATION"), "API"),
    executionTraceId: text
  }
  // Before there were other targets, a score had nothing but its trace.
  const onTrace = { ...fields, traceId: V.string(), sessionId: () => undefined, datasetRunId: () => undefined }
  const parsers = new Map<string, V.Parser<ScoreBody>>()
  return choosing(dialect, (type) => {
    const known = parsers.get(type)
    if (known !== undefined) return known
    const parser: V.Parser<ScoreBody> = dialect.hasScoreTargets
      ? V.refine<ScoreBody>(V.object({ ...fields, ...byType[type] }), oneTarget)
      : V.object({ ...onTrace, ...byType[type] })
    parsers.set(type, parser)
    return parser
  })
}

/** Both parts are asked, whatever the other says. */
const both =
  <A extends object, B extends object>(first: V.Parser<A>, second: V.Parser<B>): V.Parser<A & B> =>
  (value, path, issues) => {
    const one = first(value, path, issues)
    const other = second(value, path, issues)
    return one === V.invalid || other === V.invalid ? V.invalid : Object.assign({}, one, other)
  }

/** The body of `POST /api/public/scores`, which is a little stricter than a `score-create`. */
export const postedScore = (dialect: Dialect): V.Parser<ScoreBody> => {
  const parser: V.Parser<ScoreBody> = both(
    V.object({
      ...shared,
      id: text,
      environment: V.withDefault(V.string(), "default"),
      source: V.withDefault<ScoreSource>(V.literals("API", "ANNOTATION"), "API")
    }),
    choosing<Pick<ScoreBody, "dataType" | "value" | "configId">>(dialect, (type) => V.object(byType[type]))
  )
  return V.refine(
    V.refine(parser, oneTarget),
    (score) =>
      dialect.checksAnnotations && score.source === "ANNOTATION" && !score.configId && score.dataType !== "CORRECTION"
        ? V.custom("A score with the source ANNOTATION needs a configId", ["configId"])
        : undefined
  )
}
