/**
 * What is done to a subject, inside its own process, and what is measured there.
 */
import { readFileSync } from "node:fs"
import { createHistogram, monitorEventLoopDelay, performance } from "node:perf_hooks"
import type { Garbage } from "./collections.js"
import type { Instance, Settings, Subject } from "./subject.js"
import type { Payload, Work } from "./workload.js"
import { workload } from "./workload.js"

export type Scenario =
  /**
   * So many events at so many a second, a few in each turn; what is recorded costs the caller and the process this. Before
   * that the same flow goes on for `warmSeconds`, unmeasured: two seconds alone would charge V8's compilation to the events.
   */
  | { readonly kind: "flow"; readonly events: number; readonly rate: number; readonly warmSeconds?: number | undefined }
  /** All events in one turn. */
  | { readonly kind: "burst"; readonly events: number }
  /** The same at a rate any subject can follow, with an eye on the event loop and on memory. */
  | { readonly kind: "steady"; readonly seconds: number; readonly rate: number }
  /** The same while nothing takes the events; ends without a close. */
  | { readonly kind: "down"; readonly seconds: number; readonly rate: number }
  /** Large events in one turn: how long does nothing else run? */
  | { readonly kind: "stall"; readonly events: number }
  /** A program that ends while events wait. */
  | { readonly kind: "close"; readonly events: number }

export interface Step {
  readonly scenario: Scenario
  readonly payload: Payload
  readonly settings: Settings
}

export interface Outcome {
  readonly events: number
  /** Microseconds in the calls that record. */
  readonly callerMicros?: number
  /** The same up to the program's next turn: with whatever the calls left to do in promises. */
  readonly turnMicros?: number
  /** Microseconds of the whole process, user and system, all threads, until everything was sent. */
  readonly cpuMicros?: number
  /** Of these, those of the main thread. */
  readonly mainMicros?: number
  /** Milliseconds from the first event to the end of the flush. */
  readonly flowMs?: number
  /** How many collections the process had asked for when its measure began; it asked for one more at its end. */
  readonly collections?: number
  /** What was collected in between: added by the harness. */
  readonly garbage?: Garbage
  /** Milliseconds since the epoch of the first call. */
  readonly startedAt?: number
  readonly delayP99Ms?: number
  readonly longestStallMs?: number
  readonly closeMs?: number
  readonly peakRssMb?: number
  /** What the process holds after a full garbage collection, over what it held before. */
  readonly growthMb?: number
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const megabyte = 1024 * 1024

let collections = 0

const collectOnce = (): void => {
  // Started with --expose-gc.
  globalThis.gc?.()
  collections++
}

const collect = (): void => {
  // Twice: finalizers of the first round free memory in the second.
  collectOnce()
  collectOnce()
}

/** Microseconds of CPU that the main thread took: exact on Linux, elsewhere the time it was not idle. */
const mainThread = (): number => {
  try {
    return Number(readFileSync("/proc/self/schedstat", "utf8").split(" ")[0]) / 1000
  } catch {
    return performance.eventLoopUtilization().active * 1000
  }
}

const heldMb = (): number => {
  collect()
  const { external, heapUsed } = process.memoryUsage()
  return (heapUsed + external) / megabyte
}

interface Spent {
  caller: number
  turn: number
}

/** Records in a turn of its own, and measures what that turn takes. */
const turn = (instance: Instance, works: ReadonlyArray<Work>, spent: Spent): Promise<void> =>
  new Promise((resolve) => {
    let start = 0
    setImmediate(() => {
      start = performance.now()
      instance.record(works)
      spent.caller += (performance.now() - start) * 1000
    })
    // Runs in the same phase of the event loop: between the two there are only promises and ticks, no input or output.
    setImmediate(() => {
      spent.turn += (performance.now() - start) * 1000
      resolve()
    })
  })

/** Milliseconds between the turns of a flow. */
const pace = 5

/** More work than this is not made before the clock starts, for it takes memory. */
const maxReady = 100_000

/** Records `events` at `rate`; what is due is recorded in one turn. */
const flow = async (
  instance: Instance,
  make: (from: number, to: number) => Array<Work>,
  events: number,
  rate: number,
  started: () => void = () => {}
): Promise<Spent> => {
  const spent: Spent = { caller: 0, turn: 0 }
  const ready = events <= maxReady ? make(0, events) : undefined
  if (ready !== undefined) instance.prepare?.(ready)
  started()
  const start = performance.now()
  let done = 0
  while (done < events) {
    const due = Math.min(events, Math.ceil((performance.now() - start + pace) * rate / 1000))
    if (due > done) {
      const works = ready?.slice(done, due) ?? make(done, due)
      if (ready === undefined) instance.prepare?.(works)
      await turn(instance, works, spent)
      done = due
    }
    const next = start + done * 1000 / rate - performance.now()
    await sleep(Math.max(0, Math.min(next, pace)))
  }
  return spent
}

const received = async (settings: Settings): Promise<number> => {
  const response = await fetch(`${settings.baseUrl}/received`)
  const report = await response.json() as { readonly events: number } // our own sink's
  return report.events
}

/** A flush, or a close. Some reject when they lost events; the sink knows how many. */
const ended = async (work: (() => Promise<unknown>) | undefined): Promise<void> => {
  try {
    await work?.()
  } catch {
    // As said.
  }
}

const flush = (instance: Instance): Promise<void> => ended(instance.flush)

const close = (instance: Instance): Promise<void> => ended(instance.close)

/** Until all events have arrived, or none has for as long as one of this subject may take. */
const settle = async (subject: Subject, instance: Instance, settings: Settings, events: number): Promise<void> => {
  await flush(instance)
  const lag = subject.lag(settings)
  let last = -1
  let quietSince = performance.now()
  while (lag > 0) {
    const now = await received(settings)
    if (now >= events) return
    if (now !== last) {
      last = now
      quietSince = performance.now()
    } else if (performance.now() - quietSince > lag) return
    await sleep(25)
  }
}

/** At most, and of small ones. */
export const warmEvents = 5000

/** Runs all code once more than the engine needs to compile it, in an instance of its own. */
export const warm = async (subject: Subject, step: Step): Promise<void> => {
  const instance = await subject.open(step.settings)
  const { make } = workload(step.payload, "warm")
  const bytes = step.payload.kind === "size" ? step.payload.bytes : 50_000
  const events = Math.max(50, Math.min(warmEvents, Math.round(20_000_000 / bytes)))
  await flow(instance, make, events, Math.max(500, events * 2))
  await flush(instance)
  await close(instance)
  await sleep(50)
}

export const run = async (subject: Subject, { payload, scenario, settings }: Step): Promise<Outcome> => {
  const { make } = workload(payload)
  switch (scenario.kind) {
    case "flow": {
      const instance = await subject.open(settings)
      const warm = Math.round((scenario.warmSeconds ?? 0) * scenario.rate)
      await flow(instance, workload(payload, "warm").make, warm, scenario.rate)
      let cpu = process.cpuUsage()
      let main = 0
      let before = 0
      let start = 0
      const spent = await flow(instance, make, scenario.events, scenario.rate, () => {
        collect()
        before = collections
        start = performance.now()
        main = mainThread()
        cpu = process.cpuUsage()
      })
      await flush(instance)
      const { system, user } = process.cpuUsage(cpu)
      const mainMicros = mainThread() - main
      const flowMs = performance.now() - start
      collectOnce()
      await settle(subject, { ...instance, flush: undefined }, settings, scenario.events)
      await close(instance)
      return {
        events: scenario.events,
        callerMicros: spent.caller,
        turnMicros: spent.turn,
        cpuMicros: user + system,
        mainMicros,
        flowMs,
        collections: before
      }
    }
    case "burst": {
      const works = make(0, scenario.events)
      const instance = await subject.open(settings)
      instance.prepare?.(works)
      collect()
      const spent: Spent = { caller: 0, turn: 0 }
      const startedAt = performance.timeOrigin + performance.now()
      await turn(instance, works, spent)
      await settle(subject, instance, settings, scenario.events)
      await close(instance)
      return { events: scenario.events, startedAt, callerMicros: spent.caller, turnMicros: spent.turn }
    }
    case "steady": {
      const events = scenario.seconds * scenario.rate
      const instance = await subject.open(settings)
      const delay = monitorEventLoopDelay({ resolution: 1 })
      let startedAt = 0
      await flow(instance, make, events, scenario.rate, () => {
        collect()
        startedAt = performance.timeOrigin + performance.now()
        delay.enable()
      })
      delay.disable()
      const peakRssMb = process.resourceUsage().maxRSS / 1024
      await settle(subject, instance, settings, events)
      await close(instance)
      return { events, startedAt, delayP99Ms: delay.percentile(99) / 1e6, peakRssMb }
    }
    case "down": {
      const events = scenario.seconds * scenario.rate
      const before = heldMb()
      const instance = await subject.open(settings)
      await flow(instance, make, events, scenario.rate)
      const peakRssMb = process.resourceUsage().maxRSS / 1024
      return { events, peakRssMb, growthMb: heldMb() - before }
    }
    case "stall": {
      const works = make(0, scenario.events)
      const instance = await subject.open(settings)
      instance.prepare?.(works)
      collect()
      await sleep(20)
      const gaps = createHistogram()
      let last = performance.now()
      let done = false
      const probe = (): void => {
        const now = performance.now()
        gaps.record(Math.max(1, Math.round((now - last) * 1000)))
        last = now
        if (!done) setImmediate(probe)
      }
      setImmediate(probe)
      await turn(instance, works, { caller: 0, turn: 0 })
      await flush(instance)
      await settle(subject, { ...instance, flush: undefined }, settings, scenario.events)
      done = true
      await close(instance)
      return { events: scenario.events, longestStallMs: gaps.max / 1000 }
    }
    case "close": {
      const instance = await subject.open(settings)
      await flow(instance, make, scenario.events, scenario.events * 10)
      const start = performance.now()
      await close(instance)
      return { events: scenario.events, closeMs: performance.now() - start }
    }
  }
}
