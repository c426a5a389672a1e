/**
 * What the process costs: memory, the event loop, and what is left running.
 */
import { Effect, Fiber } from "effect"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

const collectGarbage = ((): () => void => {
  setFlagsFromString("--expose-gc")
  const collect: unknown = runInNewContext("gc")
  return typeof collect === "function" ? () => void collect() : () => {}
})()

/** Bytes of the heap, garbage taken out. */
export const heap = (): number => {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

/** Milliseconds by which the event loop was late. */
export interface Delay {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export interface DelayMeter {
  /** Does something that the delay is not to be charged for. */
  readonly without: <A>(f: () => A) => A
  /** Ends the measurement. */
  readonly read: () => Delay
}

/** Measures from now on. */
export const delay = (): DelayMeter => {
  const histogram = monitorEventLoopDelay({ resolution: 5 })
  const milliseconds = (nanoseconds: number) => Math.round(nanoseconds / 1e4) / 100
  histogram.enable()
  return {
    without: (f) => {
      histogram.disable()
      const result = f()
      histogram.enable()
      return result
    },
    read: () => {
      histogram.disable()
      return {
        p50: milliseconds(histogram.percentile(50)),
        p99: milliseconds(histogram.percentile(99)),
        max: milliseconds(histogram.max)
      }
    }
  }
}

export interface Running {
  readonly fibers: number
  /** Those that keep the process alive. */
  readonly timers: number
}

export const running: Effect.Effect<Running> = Effect.map(Fiber.roots, (roots) => ({
  fibers: Array.from(roots).length,
  timers: process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length
}))
