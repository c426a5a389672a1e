/**
 * Who is measured, and in which settings.
 */
import type { Settings } from "./subject.js"

export interface Variant {
  readonly name: string
  /** The file in `subjects`. */
  readonly program: string
  /** What it is told beside the address. Nothing: the settings its documentation gives for production. */
  readonly tuning: Pick<Settings, "batch" | "interval" | "client">
  /** Whether it is given a queue that holds a whole burst; the documented settings of others are left alone. */
  readonly holdsBurst: boolean
  /** What a program imports for it. */
  readonly imports: ReadonlyArray<string>
  /** Left out of a quick run. */
  readonly onlyInFull: boolean
}

/** As our own defaults. */
const alike = { batch: 100, interval: 2000 }

const large = { batch: 1000, interval: 2000 }

const fetched = { client: "fetch" } as const

const effectOtlp = ["@effect/opentelemetry/OtlpTracer", "@effect/opentelemetry/OtlpSerialization"]
const langfuseV5 = ["@langfuse/tracing", "@langfuse/otel", "@opentelemetry/sdk-trace-node"]
const otelSdk = [
  "@opentelemetry/api",
  "@opentelemetry/exporter-trace-otlp-http",
  "@opentelemetry/sdk-trace-node"
]

const variant = (
  name: string,
  program: string,
  tuning: Variant["tuning"],
  imports: ReadonlyArray<string> = [],
  rest: Partial<Variant> = {}
): Variant => ({
  name,
  program,
  tuning,
  holdsBurst: tuning.batch !== undefined,
  imports,
  onlyInFull: false,
  ...rest
})

export const variants: ReadonlyArray<Variant> = [
  variant("none", "none", {}),
  variant("raw@100", "raw", alike),
  variant("raw@1000", "raw", large, [], { onlyInFull: true }),
  variant("ours-ingestion", "oursIngestion", {}, ["effect-langfuse/LangfuseIngest"], { holdsBurst: true }),
  variant("ours-ingestion@1000", "oursIngestion", large, [], { onlyInFull: true }),
  variant("ours-effect", "oursEffect", {}, [], { holdsBurst: true, onlyInFull: true }),
  variant("ours-otlp", "oursOtlp", {}, ["effect-langfuse/LangfuseIngest"], { holdsBurst: true }),
  variant("ours-tracer", "oursTracer", {}, ["effect-langfuse/LangfuseIngest", "effect-langfuse/LangfuseTracer"], {
    holdsBurst: true
  }),
  variant("ours-observe", "oursObserve", {}, ["effect-langfuse"], { holdsBurst: true, onlyInFull: true }),
  variant("ours-ingestion-fetch", "oursIngestion", fetched, [], { holdsBurst: true, onlyInFull: true }),
  variant("ours-otlp-fetch", "oursOtlp", fetched, [], { holdsBurst: true, onlyInFull: true }),
  variant("ours-tracer-fetch", "oursTracer", fetched, [], { holdsBurst: true, onlyInFull: true }),
  variant("effect-noop", "effectNoop", {}),
  variant("langfuse-v3", "langfuseV3", {}, ["langfuse"]),
  variant("langfuse-v3@100", "langfuseV3", alike, [], { onlyInFull: true }),
  variant("langfuse-v5", "langfuseV5", {}, langfuseV5),
  variant("langfuse-v5@100", "langfuseV5", alike, [], { onlyInFull: true }),
  variant("effect-otlp", "effectOtlp", {}, effectOtlp),
  variant("effect-otlp-fetch", "effectOtlp", fetched, [], { onlyInFull: true }),
  variant("effect-otlp@100", "effectOtlp", alike, [], { onlyInFull: true }),
  variant("otel-sdk", "otelSdk", {}, otelSdk),
  variant("otel-sdk@100", "otelSdk", alike, [], { onlyInFull: true })
]
