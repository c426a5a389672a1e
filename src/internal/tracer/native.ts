/**
 * Which tracer a fiber runs under. Effect's own keeps spans for nobody, so under it nothing is worth recording.
 */
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Fiber from "effect/Fiber"
import * as Tracer from "effect/Tracer"

const nativeTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

export const isNative = (tracer: Tracer.Tracer): boolean => tracer === nativeTracer

/** The fiber whose code runs now, if it is a fiber's. */
export const currentFiber = (): Fiber.RuntimeFiber<unknown, unknown> | undefined => {
  const fiber = Fiber.getCurrentFiber()
  return fiber._tag === "Some" ? fiber.value : undefined
}

export const tracerOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Tracer.Tracer =>
  Context.get(fiber.getFiberRef(DefaultServices.currentServices), Tracer.Tracer)
