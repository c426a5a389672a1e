/**
 * What `auto` will do with traces and observations, told from what the server said.
 *
 * It is foretold here and not asked of the transport, so that it can be told without sending anything. Tests hold the two
 * together.
 */
import * as Either from "effect/Either"
import { readHealth } from "../../core/wire/health.js"
import { isCloud } from "../address.js"
import { choiceFor } from "../auto.js"
import type { Outcome } from "./exchange.js"
import type { Endpoint, Probes } from "./probes.js"

export { readHealth } from "../../core/wire/health.js"
export { isCloud } from "../address.js"

/** What a health check may answer later that did not now. */
export const isTrouble = (status: number): boolean => status >= 500 || status === 429 || status === 408

/** @see https://langfuse.com/security/data-regions */
export const regions = [
  "https://cloud.langfuse.com",
  "https://us.cloud.langfuse.com",
  "https://jp.cloud.langfuse.com",
  "https://hipaa.cloud.langfuse.com"
] as const

export const names = {
  otlp: "over OpenTelemetry",
  ingestion: "through the batch endpoint"
} as const

export interface Choice {
  readonly protocol: keyof typeof names
  readonly why: string
  /** Whether traces are taken there. */
  readonly works: boolean
}

export const choose = (baseUrl: string, health: Outcome, probes: Probes): Choice => {
  const first = firstChoice(baseUrl, health)
  return settle(first.protocol, first.why, probes)
}

const firstChoice = (baseUrl: string, health: Outcome): Pick<Choice, "protocol" | "why"> => {
  if (isCloud(baseUrl)) return { protocol: "otlp", why: "Langfuse Cloud takes them no other way" }
  const version = Either.isRight(health) ? readHealth(health.right.text).version : undefined
  if (version === undefined) return { protocol: "otlp", why: "the version is not known, so it tries that first" }
  const protocol = choiceFor(version)
  return {
    protocol,
    why: `Langfuse ${version} is ${protocol === "otlp" ? "version 4 or later" : "older than version 4"}`
  }
}

/** Where the first choice is turned away, `auto` goes to the other. */
const settle = (protocol: Choice["protocol"], why: string, { batch, otlp }: Probes): Choice => {
  if (protocol === "otlp") {
    return isAbsent(otlp) && batch._tag === "Takes" && batch.traces
      ? { protocol: "ingestion", why: "it finds no OpenTelemetry endpoint (404)", works: true }
      : { protocol, why, works: otlp._tag === "Takes" }
  }
  return batch._tag === "Takes" && !batch.traces
    ? { protocol: "otlp", why: "the batch endpoint takes none", works: otlp._tag === "Takes" }
    : { protocol, why, works: batch._tag === "Takes" }
}

/** Whether there is no such endpoint. */
export const isAbsent = (endpoint: Endpoint): boolean =>
  endpoint._tag === "Refuses" && endpoint.error.reason === "Status" && endpoint.error.status === 404
