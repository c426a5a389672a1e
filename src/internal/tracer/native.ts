/**
 * Which tracer a fiber runs under. Effect's own keeps spans for nobody, so under it nothing is worth recording.
 */
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Fiber from "effect/Fiber"
import * as Tracer from "effect/Tracer"
import type { Intake } from "../intake.js"
import type { SpanExporter } from "./exporter.js"

const nativeTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

export const isNative = (tracer: Tracer.Tracer): boolean => tracer === nativeTracer

/** The fiber whose code runs now, if it is a fiber's. */
export const currentFiber = (): Fiber.RuntimeFiber<unknown, unknown> | undefined => {
  const fiber = Fiber.getCurrentFiber()
  return fiber._tag === "Some" ? fiber.value : undefined
}

export const tracerOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Tracer.Tracer =>
  Context.get(fiber.getFiberRef(DefaultServices.currentServices), Tracer.Tracer)

const ExporterId: unique symbol = Symbol.for("effect-langfuse/LangfuseTracer/Exporter")

export class Made {
  readonly exporter: SpanExporter
  /** Whether there is no other tracer beside it. */
  readonly isAlone: boolean
  /** The one behind the tracer beside it. */
  readonly beneath: Made | undefined

  constructor(exporter: SpanExporter, other: Tracer.Tracer | undefined) {
    this.exporter = exporter
    this.isAlone = other === undefined
    this.beneath = other && exporterOf(other)
  }

  get intake(): Intake {
    return this.exporter.settings.intake
  }
}

export const attach = (
  tracer: Tracer.Tracer,
  exporter: SpanExporter,
  other: Tracer.Tracer | undefined
): Tracer.Tracer => Object.assign(tracer, { [ExporterId]: new Made(exporter, other) })

/** The exporter behind a tracer that this library made. */
export const exporterOf = (tracer: Tracer.Tracer): Made | undefined => {
  const made: unknown = Reflect.get(tracer, ExporterId)
  return made instanceof Made ? made : undefined
}
