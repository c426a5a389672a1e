/**
 * The protocols, and what the fault suite has to know about each.
 */
import type { HttpClient } from "@effect/platform"
import type { Layer } from "effect"
import type { LangfuseConfig, LangfuseServer } from "effect-langfuse"
import { LangfuseTransport } from "effect-langfuse"

export interface Protocol {
  readonly name: LangfuseConfig.Protocol
  /** A server that speaks it. */
  readonly server: LangfuseServer.Options
  /** The route that observations take. */
  readonly route: LangfuseServer.Route
  readonly path: string
  readonly transport: (
    options: LangfuseConfig.TransportOptions
  ) => Layer.Layer<LangfuseTransport.LangfuseTransport, never, HttpClient.HttpClient>
}

export const ingestion: Protocol = {
  name: "ingestion",
  server: { version: "3.120.0" },
  route: "ingestion",
  path: "/api/public/ingestion",
  transport: LangfuseTransport.layerIngestion
}

export const otlp: Protocol = {
  name: "otlp",
  server: { version: "4.16.0" },
  route: "otlp",
  path: "/api/public/otel/v1/traces",
  transport: LangfuseTransport.layerOtlp
}

/** Which comes down to OTLP, once it has found that out. */
export const auto: Protocol = { ...otlp, name: "auto", transport: LangfuseTransport.layerAuto }

export const protocols: ReadonlyArray<Protocol> = [ingestion, otlp, auto]

/**
 * The rows that a protocol is tried with: all of them, or the first few for auto, which sends by way of the others.
 */
export const rowsFor = <A>(protocol: Protocol, rows: ReadonlyArray<A>, few = 3): ReadonlyArray<A> =>
  protocol.name === "auto" ? rows.slice(0, few) : rows
