/**
 * The names of span attributes that mean something to Langfuse, all in one place.
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
  environment: "langfuse.environment"
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

/** Set by Effect on a span that failed: paths of the machine the program was built on. */
export const stackTraces: ReadonlySet<string> = new Set(["code.stacktrace", "exception.stacktrace"])

/** Whether an attribute of this name makes an observation of the span it is set on. */
export const isLangfuse = (name: unknown): boolean => {
  if (typeof name !== "string") return false
  const first = name.charCodeAt(0)
  return first === 0x6c ? name.startsWith(langfusePrefix) : first === 0x67 && name.startsWith(genAiPrefix)
}

/** `key` of a name such as `langfuse.trace.metadata.key`. */
export const keyUnder = (prefix: string, name: string): string | undefined =>
  name.length > prefix.length + 1 && name.charCodeAt(prefix.length) === 0x2e && name.startsWith(prefix)
    ? name.slice(prefix.length + 1)
    : undefined
