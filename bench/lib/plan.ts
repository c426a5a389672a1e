/**
 * What is run, in which order, and which measures each run gives.
 */
import type { Outcome, Scenario } from "./scenario.js"
import type { Received } from "./sink.js"
import type { Payload } from "./workload.js"

export type Mode = "up" | "down" | "hanging"

/** One thing that is done to every subject, in every round. */
export interface Trial {
  /** The same for all subjects: what `none` spends in it is taken off the others. */
  readonly key: string
  readonly scenario: Scenario
  readonly payload: Payload
  readonly mode: Mode
  /** What its measures are called beyond their own names, such as `@20KB`. */
  readonly suffix: string
  readonly measures: ReadonlyArray<Measure>
  /** Trials that spend no more than memory or patience run side by side. */
  readonly sideBySide: boolean
}

/** What one run of one trial gave. */
export interface Sample {
  readonly subject: string
  readonly round: number
  readonly trial: Trial
  readonly outcome: Outcome
  readonly received: Received
}

export interface Measure {
  readonly name: string
  readonly unit: string
  readonly of: (sample: Sample, none: Sample | undefined) => number | undefined
}

const measure = (name: string, unit: string, of: Measure["of"]): Measure => ({ name, unit, of })

export const caller = measure("callerMicrosPerEvent", "us", ({ outcome }) => each(outcome.callerMicros, outcome.events))
const turn = measure("turnMicrosPerEvent", "us", ({ outcome }) => each(outcome.turnMicros, outcome.events))
export const cpu = measure(
  "cpuMicrosPerEvent",
  "us",
  ({ outcome, received, subject }, none) =>
    subject === "none" || outcome.cpuMicros === undefined || none?.outcome.cpuMicros === undefined
      ? undefined
      // What was dropped cost next to nothing, and is no reason to call the rest cheap.
      : each(outcome.cpuMicros - none.outcome.cpuMicros, received.events)
)
const throughput = measure(
  "eventsPerSecond",
  "events/s",
  ({ outcome, received, subject }) =>
    subject === "none" || outcome.startedAt === undefined || received.events === 0
      ? undefined
      : received.events / (received.lastAt - outcome.startedAt) * 1000
)
const share = measure(
  "deliveredShare",
  "share",
  ({ outcome, received, subject }) => subject === "none" ? undefined : received.events / outcome.events
)
const delay = measure("eventLoopDelayP99Ms", "ms", ({ outcome }) => outcome.delayP99Ms)
const stall = measure("longestStallMs", "ms", ({ outcome }) => outcome.longestStallMs)
const peak = measure("peakRssMb", "MB", ({ outcome }) => outcome.peakRssMb)
const growth = measure("growthMb", "MB", ({ outcome }) => outcome.growthMb)
const close = measure("closeMs", "ms", ({ outcome, subject }) => subject === "none" ? undefined : outcome.closeMs)

const each = (total: number | undefined, events: number): number | undefined =>
  total === undefined || events === 0 ? undefined : total / events

const suffixed = ({ name, ...rest }: Measure, suffix: string): Measure => ({ name: `${name}${suffix}`, ...rest })

const trial = (
  scenario: Scenario,
  payload: Payload,
  suffix: string,
  measures: ReadonlyArray<Measure>,
  rest: Partial<Trial> = {}
): Trial => ({
  key: `${scenario.kind}${suffix}`,
  scenario,
  payload,
  mode: "up",
  suffix,
  measures: measures.map((measure) => suffixed(measure, suffix)),
  sideBySide: false,
  ...rest
})

export interface Size {
  readonly rounds: number
  readonly burst: number
  readonly flowSeconds: number
  readonly steadySeconds: number
  readonly downSeconds: number
  /** Trials of one payload share a process. */
  readonly shared: boolean
  readonly largePayloads: boolean
}

export const full: Size = {
  rounds: 5,
  burst: 50_000,
  flowSeconds: 2,
  steadySeconds: 3,
  downSeconds: 60,
  shared: false,
  largePayloads: true
}

/** Once through nearly everything: for a look, not for figures to quote. */
export const quick: Size = {
  rounds: 1,
  burst: 10_000,
  flowSeconds: 0.5,
  steadySeconds: 1,
  downSeconds: 5,
  shared: true,
  largePayloads: false
}

const kilobyte: Payload = { kind: "size", bytes: 1000 }
const twentyKilobytes: Payload = { kind: "size", bytes: 20_000 }
const fiftyKilobytes: Payload = { kind: "size", bytes: 50_000 }

export const trials = (size: Size, sessions: ReadonlyArray<Payload>): ReadonlyArray<Trial> => {
  const flow = (rate: number): Scenario => ({ kind: "flow", events: Math.round(rate * size.flowSeconds), rate })
  const small = [
    trial(
      { kind: "steady", seconds: size.steadySeconds, rate: 2000 },
      kilobyte,
      "",
      [delay, peak, suffixed(throughput, "@2000/s"), suffixed(share, "@2000/s")]
    ),
    trial(flow(5000), kilobyte, "", [caller, turn, cpu]),
    trial({ kind: "burst", events: size.burst }, kilobyte, "", [throughput, share]),
    trial({ kind: "stall", events: 500 }, fiftyKilobytes, "", [stall]),
    trial({ kind: "close", events: 1000 }, kilobyte, "", [close, suffixed(share, "@close")])
  ]
  const large = !size.largePayloads ? [] : [
    trial(flow(500), twentyKilobytes, "@20KB", [caller, turn, cpu]),
    trial({ kind: "burst", events: size.burst / 10 }, twentyKilobytes, "@20KB", [throughput, share]),
    ...sessions.flatMap((session, index) => {
      const suffix = sessions.length === 1 ? "@session" : `@session${index + 1}`
      return [
        trial(flow(100), session, suffix, [caller, turn, cpu]),
        trial({ kind: "burst", events: size.burst / 50 }, session, suffix, [throughput, share])
      ]
    })
  ]
  const patient = [
    trial({ kind: "close", events: 1000 }, kilobyte, "@down", [close], { mode: "down", sideBySide: true }),
    trial({ kind: "close", events: 1000 }, kilobyte, "@hanging", [close], { mode: "hanging", sideBySide: true }),
    trial({ kind: "down", seconds: size.downSeconds, rate: 2000 }, kilobyte, "@down", [peak, growth], {
      mode: "down",
      sideBySide: true
    })
  ]
  return [...small, ...large, ...patient]
}

/** `all`, or those that give a measure whose name, or the beginning of it up to an `@`, is among the names. */
export const select = (all: ReadonlyArray<Trial>, names: ReadonlyArray<string>): ReadonlyArray<Trial> =>
  names.length === 0 ? all : all.flatMap((trial) => {
    const measures = trial.measures.filter(({ name }) => isNamed(name, names))
    return measures.length === 0 ? [] : [{ ...trial, measures }]
  })

export const isNamed = (measure: string, names: ReadonlyArray<string>): boolean =>
  names.length === 0 || names.includes(measure) || names.includes(measure.split("@")[0] ?? "")
