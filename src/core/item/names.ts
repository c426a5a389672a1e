/**
 * The names of span attributes that mean something to Langfuse, and the rules for names and environments, each once.
 *
 * https://langfuse.com/integrations/native/opentelemetry#property-mapping lists them.
 */

/** What says something about one observation. */
export const observation = {
  type: "langfuse.observation.type",
  input: "langfuse.observation.input",
  output: "langfuse.observation.output",
  level: "langfuse.observation.level",
  statusMessage: "langfuse.observation.status_message",
  model: "langfuse.observation.model.name",
  modelParameters: "langfuse.observation.model.parameters",
  usage: "langfuse.observation.usage_details",
  cost: "langfuse.observation.cost_details",
  completionStartTime: "langfuse.observation.completion_start_time",
  promptName: "langfuse.observation.prompt.name",
  promptVersion: "langfuse.observation.prompt.version",
  metadata: "langfuse.observation.metadata"
} as const

/** What says something about the whole trace, and so stands on every span of it. */
export const trace = {
  name: "langfuse.trace.name",
  userId: "user.id",
  sessionId: "session.id",
  tags: "langfuse.trace.tags",
  public: "langfuse.trace.public",
  metadata: "langfuse.trace.metadata",
  version: "langfuse.version",
  release: "langfuse.release",
  environment: "langfuse.environment",
  input: "langfuse.trace.input",
  output: "langfuse.trace.output"
} as const

/** Other names that Langfuse reads the same things from. */
export const aliases = {
  userId: "langfuse.user.id",
  sessionId: "langfuse.session.id",
  tags: "langfuse.tags",
  public: "langfuse.public",
  promptName: "langfuse.prompt.name",
  promptVersion: "langfuse.prompt.version",
  metadata: "langfuse.metadata",
  deploymentEnvironment: "deployment.environment.name",
  oldDeploymentEnvironment: "deployment.environment"
} as const

export const langfusePrefix = "langfuse."
export const genAiPrefix = "gen_ai."
/** OpenInference. */
export const llmPrefix = "llm."
export const openInferenceKind = "openinference.span.kind"

/** Set by Effect on a span that failed: paths of the machine the program was built on. */
export const stackTraces: ReadonlySet<string> = new Set(["code.stacktrace", "exception.stacktrace"])

/** Whether an attribute of this name makes an observation of the span it is set on. */
export const isLangfuse = (name: unknown): boolean => {
  if (typeof name !== "string") return false
  switch (name.charCodeAt(0)) {
    case 0x67:
      return name.startsWith(genAiPrefix)
    case 0x6c:
      return name.startsWith(langfusePrefix) || name.startsWith(llmPrefix)
    case 0x6f:
      return name === openInferenceKind
    default:
      return false
  }
}

/** `key` of a name such as `langfuse.trace.metadata.key`. */
export const keyUnder = (prefix: string, name: string): string | undefined =>
  name.length > prefix.length + 1 && name.charCodeAt(prefix.length) === 0x2e && name.startsWith(prefix)
    ? name.slice(prefix.length + 1)
    : undefined

/** Fields of events without which they cannot be stored, found, joined or billed. */
export const essential: ReadonlySet<string> = new Set([
  "id",
  "type",
  "traceId",
  "parentObservationId",
  "observationId",
  "sessionId",
  "userId",
  "externalId",
  "datasetRunId",
  "configId",
  "queueId",
  "executionTraceId",
  "timestamp",
  "startTime",
  "endTime",
  "completionStartTime",
  "environment",
  "level",
  "model",
  "promptName",
  "promptVersion",
  "usage",
  "usageDetails",
  "costDetails",
  "dataType",
  "source",
  "public",
  "isAppRoot"
])

/** The keys of metadata under which it is said what was left out. */
export const usageNote = "usage_note"
export const costNote = "cost_note"
export const traceNote = "trace_note"

/** Levels, and what other tools call them. */
const levels = new Map([
  ["debug", "DEBUG"],
  ["trace", "DEBUG"],
  ["verbose", "DEBUG"],
  ["default", "DEFAULT"],
  ["info", "DEFAULT"],
  ["log", "DEFAULT"],
  ["notice", "DEFAULT"],
  ["ok", "DEFAULT"],
  ["success", "DEFAULT"],
  ["warning", "WARNING"],
  ["warn", "WARNING"],
  ["error", "ERROR"],
  ["fatal", "ERROR"],
  ["critical", "ERROR"]
])

/** The level that Langfuse has for a text, in any case; `undefined` where there is none. */
export const levelOf = (text: string): string | undefined => levels.get(text.trim().toLowerCase())

/** A longer name of a trace is refused by the batch endpoint. */
export const maxTraceName = 1000

const maxEnvironment = 40
const reserved = "langfuse"

/** The name under which Langfuse files an environment; `undefined` where that would be `default`, which goes unsaid. */
export const environmentOf = (value: unknown): string | undefined => {
  if (typeof value !== "string") return typeof value === "number" ? environmentOf(String(value)) : undefined
  let name = value.toLowerCase()
  while (name.startsWith(reserved)) {
    const after = name.charCodeAt(reserved.length)
    name = name.slice(after === 0x2d || after === 0x5f ? reserved.length + 1 : reserved.length)
  }
  if (name.length > maxEnvironment) name = name.slice(0, maxEnvironment)
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at)
    const isAllowed = code >= 0x61 && code <= 0x7a || code >= 0x30 && code <= 0x39 || code === 0x2d || code === 0x5f
    if (!isAllowed) return undefined
  }
  return name === "" ? undefined : name
}
