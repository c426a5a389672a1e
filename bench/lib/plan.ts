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

/** They send nothing, so that there is nothing to be said of what arrives. */
const sendsNothing = (subject: string): boolean => subject === "none" || subject === "effect-noop"

const measure = (name: string, unit: string, of: Measure["of"]): Measure => ({ name, unit, of })

export const caller = measure("callerMicrosPerEvent", "us", ({ outcome }) => each(outcome.callerMicros, outcome.events))
const turn = measure("turnMicrosPerEvent", "us", ({ outcome }) => each(outcome.turnMicros, outcome.events))
/** Of a total, less what the same program spends without telemetry, for each event that arrived. */
const added = (
  name: string,
  total: (outcome: Outcome) => number | undefined
): Measure =>
  measure(name, "us", ({ outcome, received, subject }, none) => {
    const own = total(outcome)
    const other = none && total(none.outcome)
    // What was dropped cost next to nothing, and is no reason to call the rest cheap. A tracer that does nothing sends none.
    const events = sendsNothing(subject) ? outcome.events : received.events
    return subject === "none" || own === undefined || other === undefined ? undefined : each(own - other, events)
  })

export const cpu = added("cpuMicrosPerEvent", ({ cpuMicros }) => cpuMicros)
const main = added("mainThreadMicrosPerEvent", ({ mainMicros }) => mainMicros)
const others = added(
  "otherThreadsMicrosPerEvent",
  ({ cpuMicros, mainMicros }) =>
    cpuMicros === undefined || mainMicros === undefined ? undefined : cpuMicros - mainMicros
)
const heap = measure("heapBytesPerEvent", "B", ({ outcome }) => each(outcome.garbage?.grownBytes, outcome.events))
const full10s = measure(
  "fullCollectionsIn10s",
  "",
  ({ outcome: { flowMs, garbage } }) =>
    garbage === undefined || flowMs === undefined ? undefined : garbage.fullCollections * 10_000 / flowMs
)
const throughput = measure(
  "eventsPerSecond",
  "events/s",
  ({ outcome, received, subject }) =>
    sendsNothing(subject) || outcome.startedAt === undefined || received.events === 0
      ? undefined
      : received.events / (received.lastAt - outcome.startedAt) * 1000
)
const share = measure(
  "deliveredShare",
  "share",
  ({ outcome, received, subject }) => sendsNothing(subject) ? undefined : received.events / outcome.events
)
const delay = measure("eventLoopDelayP99Ms", "ms", ({ outcome }) => outcome.delayP99Ms)
const stall = measure("longestStallMs", "ms", ({ outcome }) => outcome.longestStallMs)
const peak = measure("peakRssMb", "MB", ({ outcome }) => outcome.peakRssMb)
const growth = measure("growthMb", "MB", ({ outcome }) => outcome.growthMb)
const close = measure("closeMs", "ms", ({ outcome, subject }) => sendsNothing(subject) ? undefined : outcome.closeMs)

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
  /** Of flow before anything is measured, and of flow that is. */
  readonly warmSeconds: number
  readonly flowSeconds: number
  readonly steadySeconds: number
  readonly downSeconds: number
  /** Trials of one payload share a process. */
  readonly shared: boolean
  readonly largePayloads: boolean
}

export const full: Size = {
  rounds: 3,
  burst: 50_000,
  warmSeconds: 10,
  flowSeconds: 15,
  steadySeconds: 3,
  downSeconds: 60,
  shared: false,
  largePayloads: true
}

/** Once through nearly everything: for a look, not for figures to quote. */
export const quick: Size = {
  rounds: 1,
  burst: 10_000,
  warmSeconds: 0.5,
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
  const flow = (rate: number): Scenario => ({
    kind: "flow",
    events: Math.round(rate * size.flowSeconds),
    rate,
    warmSeconds: size.warmSeconds
  })
  const ofFlow = [caller, turn, cpu, main, others, heap, full10s]
  const small = [
    trial(
      { kind: "steady", seconds: size.steadySeconds, rate: 2000 },
      kilobyte,
      "",
      [delay, peak, suffixed(throughput, "@2000/s"), suffixed(share, "@2000/s")]
    ),
    trial(flow(5000), kilobyte, "", ofFlow),
    trial({ kind: "burst", events: size.burst }, kilobyte, "", [throughput, share]),
    trial({ kind: "stall", events: 500 }, fiftyKilobytes, "", [stall]),
    trial({ kind: "close", events: 1000 }, kilobyte, "", [close, suffixed(share, "@close")])
  ]
  const large = !size.largePayloads ? [] : [
    trial(flow(500), twentyKilobytes, "@20KB", ofFlow),
    trial({ kind: "burst", events: size.burst / 10 }, twentyKilobytes, "@20KB", [throughput, share]),
    ...sessions.flatMap((session, index) => {
      const suffix = sessions.length === 1 ? "@session" : `@session${index + 1}`
      return [
        trial(flow(100), session, suffix, ofFlow),
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

/** Of what size the events of a trial are, as a person calls it. */
const sizeOf = ({ payload }: Trial): string => payload.kind === "session" ? "session" : `${payload.bytes / 1000}KB`

/** Those that give a measure whose name, or the beginning of it up to an `@`, is among the names, with events of this size. */
export const select = (
  all: ReadonlyArray<Trial>,
  names: ReadonlyArray<string>,
  size: string | undefined
): ReadonlyArray<Trial> =>
  all.filter((trial) => size === undefined || sizeOf(trial) === size).flatMap((trial) => {
    const measures = trial.measures.filter(({ name }) => isNamed(name, names))
    return measures.length === 0 ? [] : [{ ...trial, measures }]
  })

export const isNamed = (measure: string, names: ReadonlyArray<string>): boolean =>
  names.length === 0 || names.includes(measure) || names.includes(measure.split("@")[0] ?? "")
