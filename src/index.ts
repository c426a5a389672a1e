/**
 * Langfuse tracing for Effect programs. Start with `LangfuseIngest`.
 *
 * @since 0.1.0
 */

/** The events Langfuse takes, their parts and their constructors. */
export * as IngestionEvent from "./IngestionEvent.js"
/** The batch endpoint's answer. */
export * as IngestionResponse from "./IngestionResponse.js"
/** What users call: observations, traces and scores as combinators on effects. */
export * as Langfuse from "./Langfuse.js"
/** Options, defaults and `LANGFUSE_*` variables. */
export * as LangfuseConfig from "./LangfuseConfig.js"
/** Why events did not arrive. */
export * as LangfuseError from "./LangfuseError.js"
/** The service that takes events, groups them and sends them. */
export * as LangfuseIngest from "./LangfuseIngest.js"
/** An embedded Langfuse endpoint for tests, demos and local work. */
export * as LangfuseServer from "./LangfuseServer.js"
/** An Effect tracer whose spans become observations. */
export * as LangfuseTracer from "./LangfuseTracer.js"
/** How a batch leaves the process. */
export * as LangfuseTransport from "./LangfuseTransport.js"
