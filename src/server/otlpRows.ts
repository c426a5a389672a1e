/**
 * A span as a row of the events table.
 */
import { costOf as pricedCost } from "./cost.js"
import { flatten, isAbsent, type Json, toText } from "./json.js"
import type { ModelPrice, ObservationType } from "./model.js"
import { contentOf, isContent, otherAttributes } from "./otlpContent.js"
import * as Fields from "./otlpFields.js"
import type { Span } from "./otlpSpan.js"
import { isKnownType, typeOf } from "./otlpType.js"
import { costOf, isAgentOperation, usageOf } from "./otlpUsage.js"
import { moveTools, toolsOf } from "./tools.js"
import * as Usage from "./usage.js"
import * as V from "./validation.js"
import type { EventRow } from "./view.js"

/** What the server adds to the metadata by itself. */
export const ownMetadata = (span: Span): Json => ({
  ...(Fields.isSdkScope(span) ? {} : { attributes: otherAttributes(span.attributes) }),
  resourceAttributes: span.resource,
  scope: { ...span.scope, attributes: span.scopeAttributes }
})

/** The fields that both kinds of tables have. Nothing is checked yet. */
export const readFields = (span: Span) => {
  const { attributes, resource } = span
  const type: ObservationType = typeOf(span)
  const [promptName, promptVersion] = type === "GENERATION" ? Fields.promptOf(span) : []
  return {
    type,
    name: Fields.nameOf(span),
    level: Fields.levelOf(span),
    statusMessage: attributes["langfuse.observation.status_message"] ?? span.statusMessage,
    version: attributes["langfuse.version"] ?? resource["service.version"],
    model: isAgentOperation(attributes) ? undefined : Fields.modelOf(span),
    modelParameters: Fields.parametersOf(span),
    completionStart: Fields.completionStartOf(span),
    usage: usageOf(span),
    cost: costOf(span),
    environment: Fields.environmentOf(span),
    promptName,
    promptVersion
  }
}

/** Columns of text: what is none becomes text, an empty one is as good as none. */
const text = (value: unknown): string | undefined => isAbsent(value) || value === "" ? undefined : toText(value)

/** Contents can be empty texts. */
const contentText = (value: unknown): string | undefined => isAbsent(value) ? undefined : toText(value)

/** Prompt versions are kept in 16 bits. */
const smallInteger = (value: unknown): number | undefined => {
  const read = isAbsent(value) ? Number.NaN : Number.parseInt(String(value), 10)
  return read >= 0 && read <= 65_535 ? read : undefined
}

const levels = ["DEBUG", "DEFAULT", "WARNING", "ERROR"] as const

const parametersText = (value: unknown): EventRow["modelParameters"] =>
  typeof value === "object" && value !== null ? { ...value } : {}

/** The row of the events table. Values are stored loosely: nothing is validated here. */
export const toRow = (span: Span, prices: ReadonlyArray<ModelPrice>): EventRow => {
  const { attributes, resource } = span
  const fields = readFields(span)
  const content = contentOf(span)
  const moved = moveTools(content.input, {
    ...ownMetadata(span),
    ...Fields.metadataOf(attributes, "observation"),
    ...Fields.metadataOf(attributes, "trace")
  })
  const usage = V.parse(V.nullish(Usage.usageDetails(span.dialect)), fields.usage)
  const isCounted = span.dialect.countsWithoutModel || Boolean(fields.model)
  const completionStart = Fields.dateOf(fields.completionStart)
  return {
    id: span.id,
    traceId: span.traceId,
    parentObservationId: span.parentId,
    type: fields.type,
    name: text(fields.name),
    startTime: span.start,
    endTime: span.end,
    completionStartTime: fields.completionStart && !Number.isNaN(completionStart) ? completionStart : undefined,
    level: levels.find((level) => level === fields.level) ?? "DEFAULT",
    statusMessage: text(fields.statusMessage),
    model: text(fields.model),
    modelParameters: parametersText(fields.modelParameters),
    ...pricedCost(
      { usage: isCounted && usage.ok ? usage.value ?? {} : {}, cost: isCounted ? fields.cost : {} },
      { model: fields.model, modelParameters: fields.modelParameters, metadata: moved.metadata },
      prices
    ),
    ...toolsOf(moved.input, content.output),
    promptName: text(fields.promptName),
    promptVersion: smallInteger(fields.promptVersion),
    input: contentText(moved.input),
    output: contentText(content.output),
    metadata: flatten(moved.metadata),
    environment: fields.environment,
    version: text(fields.version),
    release: text(attributes["langfuse.release"] ?? resource["langfuse.release"]),
    traceName: text(attributes["langfuse.trace.name"]),
    userId: text(Fields.userIdOf(span)),
    sessionId: text(Fields.sessionIdOf(span)),
    tags: Fields.tagsOf(span),
    public: Fields.publicOf(span) ?? false,
    isAppRoot: Fields.isTrue(attributes["langfuse.internal.is_app_root"])
  }
}

const placed = new Set([
  "user.id",
  "session.id",
  "gen_ai.conversation.id",
  "deployment.environment",
  "deployment.environment.name",
  "model",
  "openinference.span.kind"
])

const hasPlace = (key: string): boolean =>
  placed.has(key) || isContent(key) || ["langfuse.", "gen_ai.", "ai.", "llm."].some((prefix) => key.startsWith(prefix))

/** What a client surely meant otherwise, one line each. */
export const misfitsOf = (span: Span): ReadonlyArray<string> => {
  const { attributes, parentId, scope, statusCode } = span
  const misfits: Array<string> = []
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "string" && /^\{"(?:kvlistValue|arrayValue|bytesValue)":/.test(value)) {
      misfits.push(`the attribute ${key} has no plain value and is stored as the text of its wrapper`)
    }
    if (Fields.isSdkScope(span) && !hasPlace(key)) {
      misfits.push(`the attribute ${key} is discarded under the scope ${String(scope["name"])}`)
    }
  }
  const type = attributes["langfuse.observation.type"]
  if (!isAbsent(type) && !isKnownType(type)) misfits.push(`the observation type ${JSON.stringify(type)} is unknown`)
  for (const kind of ["observation", "trace"] as const) {
    const whole = attributes[`langfuse.${kind}.metadata`]
    if (
      !isAbsent(whole) && Object.keys(Fields.metadataOf({ [`langfuse.${kind}.metadata`]: whole }, kind)).length === 0
    ) {
      if (whole !== "{}" && whole !== "[]") {
        misfits.push(`langfuse.${kind}.metadata is no JSON text of an object and is dropped`)
      }
    }
  }
  const usage = attributes["langfuse.observation.usage_details"]
  if (
    !isAbsent(usage) &&
    Object.keys(usageOf({ ...span, attributes: { "langfuse.observation.usage_details": usage } })).length === 0 &&
    usage !== "{}"
  ) {
    misfits.push("langfuse.observation.usage_details is no JSON text of an object")
  }
  if (/^0+$/.test(parentId)) misfits.push("a parent id of zeros is a parent that does not exist")
  if (typeof statusCode === "string") misfits.push("a status code by name is not recognised")
  return misfits
}
