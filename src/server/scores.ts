/**
 * What becomes of a score after it was accepted. These checks happen later in Langfuse than the answer to the request,
 * so a score that fails them is gone without a word.
 */
import type { ScoreConfig } from "./model.js"
import type { ScoreBody, ScoreDataType } from "./scoreBody.js"

interface Values {
  readonly name: string
  readonly dataType: ScoreDataType
  readonly value: number | undefined
  readonly stringValue: string | undefined
  readonly longStringValue: string | undefined
}

type Inflated = Values | { readonly dropped: string }

const dropped = (reason: string): Inflated => ({ dropped: reason })

const misfit = "the value does not fit the score's data type"

const inflate = (name: string, dataType: ScoreDataType, value: string | number): Inflated => {
  const stored = { name, dataType, value: undefined, stringValue: undefined, longStringValue: undefined }
  switch (dataType) {
    case "NUMERIC":
      return typeof value === "number" ? { ...stored, value } : dropped(misfit)
    case "BOOLEAN":
      return value === 0 || value === 1
        ? { ...stored, value, stringValue: value === 1 ? "True" : "False" }
        : dropped(misfit)
    case "CATEGORICAL":
      return typeof value === "string" ? { ...stored, stringValue: value } : dropped(misfit)
    case "TEXT":
      return typeof value === "string" && value.length >= 1 && value.length <= 500
        ? { ...stored, stringValue: value }
        : dropped(misfit)
    case "CORRECTION":
      return typeof value === "string" ? { ...stored, name: "output", longStringValue: value } : dropped(misfit)
  }
}

const withConfig = (config: ScoreConfig, body: ScoreBody): Inflated => {
  if (config.isArchived === true) return dropped("the score's config is archived")
  if (body.dataType !== undefined && body.dataType !== config.dataType) {
    return dropped("the score's data type is not that of its config")
  }
  const inflated = inflate(config.name, config.dataType, body.value)
  if ("dropped" in inflated) return inflated
  if (config.dataType === "NUMERIC" && inflated.value !== undefined) {
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
    const inferred = typeof body.value === "number" ? "NUMERIC" : "CATEGORICAL"
    return inflate(body.name, body.dataType ?? inferred, body.value)
  }
  const config = configs.find((config) => config.id === body.configId)
  return config === undefined ? dropped("the score's config is unknown") : withConfig(config, body)
}
