/** The exporter behind a tracer that this library made. */
import type * as Tracer from "effect/Tracer"
import type { Intake } from "../intake.js"
import type { SpanExporter } from "./exporter.js"

const ExporterId: unique symbol = Symbol.for("effect-langfuse/LangfuseTracer/Exporter")

export class Made {
  readonly exporter: SpanExporter
  /** Whether there is no other tracer beside it. */
  readonly isAlone: boolean

  constructor(exporter: SpanExporter, isAlone: boolean) {
    this.exporter = exporter
    this.isAlone = isAlone
  }

  get intake(): Intake {
    return this.exporter.settings.intake
  }
}

export const attach = (tracer: Tracer.Tracer, exporter: SpanExporter, isAlone: boolean): Tracer.Tracer =>
  Object.assign(tracer, { [ExporterId]: new Made(exporter, isAlone) })

export const exporterOf = (tracer: Tracer.Tracer): Made | undefined => {
  const made: unknown = Reflect.get(tracer, ExporterId)
  return made instanceof Made ? made : undefined
}
