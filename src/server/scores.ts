/**
 * What becomes of a score after it was accepted. These checks happen later in Langfuse than the answer to the request,
 * so a score that fails them is gone without a word.
 */
import { deepMerge, toMetadata } from "./content.js"
import type { ScoreBody, ScoreDataType, ScoreSource } from "./events.js"
import type { ScoreConfig } from "./model.js"
import type { Json } from "./validation.js"

export interface ScoreRow {
  readonly id: string
  readonly timestamp: number
  readonly environment: string
  readonly name: string
  readonly dataType: ScoreDataType
  readonly value: number | undefined
  readonly stringValue: string | undefined
  readonly traceId: string | undefined
  readonly sessionId: string | undefined
  readonly datasetRunId: string | undefined
  readonly observationId: string | undefined
  readonly comment: string | null | undefined
  readonly source: ScoreSource
  readonly configId: string | undefined
  readonly queueId: string | undefined
  readonly executionTraceId: string | undefined
  readonly metadata: Json
}

type Values = Pick<ScoreRow, "dataType" | "value" | "stringValue">

type Inflated = Values | { readonly dropped: string }

const dropped = (reason: string): Inflated => ({ dropped: reason })

const inflate = (dataType: ScoreDataType, value: string | number): Inflated => {
  switch (dataType) {
    case "NUMERIC":
      return typeof value === "number"
        ? { dataType, value, stringValue: undefined }
        : dropped("the value does not fit the score's data type")
    case "BOOLEAN":
      return value === 0 || value === 1
        ? { dataType, value, stringValue: value === 1 ? "True" : "False" }
        : dropped("the value does not fit the score's data type")
    default:
      return typeof value === "string"
        ? { dataType, value: undefined, stringValue: value }
        : dropped("the value does not fit the score's data type")
  }
}

const withConfig = (config: ScoreConfig, body: ScoreBody): Inflated => {
  if (config.isArchived === true) return dropped("the score's config is archived")
  if (body.dataType !== undefined && body.dataType !== config.dataType) {
    return dropped("the score's data type is not that of its config")
  }
  const inflated = inflate(config.dataType, body.value)
  if ("dropped" in inflated) return inflated
  if (inflated.value !== undefined) {
    if (config.minValue !== undefined && inflated.value < config.minValue) {
      return dropped("the value is below the minimum of the score's config")
    }
    if (config.maxValue !== undefined && inflated.value > config.maxValue) {
      return dropped("the value is above the maximum of the score's config")
    }
  }
  if (config.dataType === "CATEGORICAL") {
    const category = config.categories?.find((category) => category.label === inflated.stringValue)
    return category === undefined
      ? dropped("the value is not a category of the score's config")
      : { ...inflated, value: category.value }
  }
  return inflated
}

/** The stored value of a score, or why the server drops it. */
export const inflateScore = (body: ScoreBody, configs: ReadonlyArray<ScoreConfig>): Inflated => {
  if (body.source === "ANNOTATION" && !body.configId && body.dataType !== "CORRECTION") {
    return dropped("an ANNOTATION score needs a config")
  }
  if (body.dataType === "CORRECTION" && (body.sessionId || body.datasetRunId)) {
    return dropped("a CORRECTION is for traces and observations only")
  }
  if (!body.configId) {
    return inflate(body.dataType ?? (typeof body.value === "number" ? "NUMERIC" : "CATEGORICAL"), body.value)
  }
  const config = configs.find((config) => config.id === body.configId)
  return config === undefined ? dropped("the score's config is unknown") : withConfig(config, body)
}

export const mergeScore = (
  id: string,
  existing: ScoreRow | undefined,
  events: ReadonlyArray<{ readonly at: number; readonly body: ScoreBody }>,
  configs: ReadonlyArray<ScoreConfig>
): ScoreRow | undefined =>
  [...events].sort((a, b) => a.at - b.at).reduce<ScoreRow | undefined>((row, { at, body }) => {
    const values = inflateScore(body, configs)
    return "dropped" in values ? row : {
      ...values,
      id,
      timestamp: row?.timestamp ?? at,
      environment: row?.environment ?? body.environment,
      traceId: row?.traceId ?? (body.traceId || undefined),
      name: configs.find((config) => config.id === body.configId)?.name ?? body.name,
      sessionId: body.sessionId || row?.sessionId,
      datasetRunId: body.datasetRunId || row?.datasetRunId,
      observationId: body.observationId || row?.observationId,
      comment: body.comment === undefined ? row?.comment : body.comment,
      source: body.source,
      configId: body.configId ?? row?.configId,
      queueId: body.queueId ?? row?.queueId,
      executionTraceId: body.executionTraceId ?? row?.executionTraceId,
      metadata: deepMerge(row?.metadata ?? {}, toMetadata(body.metadata) ?? {})
    }
  }, existing)
