/**
 * What we promise ourselves, as ratios within one result.
 */
import type { Result } from "./report.js"

interface Target {
  readonly name: string
  readonly ours: string
  readonly measure: string
  /** The best of these is what counts. */
  readonly against: ReadonlyArray<string> | number
  /** Taken off both sides: what the same program costs under this subject. */
  readonly less?: string
  readonly limit: number
  readonly atLeast?: boolean
}

const sdks = ["langfuse-v5", "otel-sdk"]

const peers = ["langfuse-v3", "langfuse-v5", "effect-otlp", "otel-sdk"]

const cpu = (ours: string, against: string, small: number, large: number): ReadonlyArray<Target> => [
  { name: `CPU against ${against}`, ours, measure: "cpuMicrosPerEvent", against: [against], limit: small },
  { name: `CPU against ${against}, 20 KB`, ours, measure: "cpuMicrosPerEvent@20KB", against: [against], limit: large }
]

const targets: ReadonlyArray<Target> = [
  ...cpu("ours-otlp", "otel-sdk", 1.4, 0.85),
  ...cpu("ours-otlp", "langfuse-v5", 0.9, 0.6),
  ...cpu("ours-ingestion", "langfuse-v5", 1.1, 0.65),
  ...cpu("ours-tracer", "effect-otlp", 1, 1),
  ...cpu("ours-tracer", "effect-otlp", 1, 0.7).map((target) => ({
    ...target,
    name: `${target.name}, over effect-noop`,
    less: "effect-noop"
  })),
  ...["ours-ingestion", "ours-otlp"].flatMap((ours): ReadonlyArray<Target> => [
    { name: "CPU against v5, session", ours, measure: "cpuMicrosPerEvent@session", against: ["langfuse-v5"], limit: 1 },
    { name: "caller against the better SDK", ours, measure: "callerMicrosPerEvent", against: sdks, limit: 0.75 },
    { name: "heap (B an event)", ours, measure: "heapBytesPerEvent", against: 1, limit: 512 }
  ]),
  {
    name: "caller, over effect-noop",
    ours: "ours-tracer",
    measure: "callerMicrosPerEvent",
    against: ["effect-otlp"],
    less: "effect-noop",
    limit: 0.6
  },
  { name: "heap (B an event)", ours: "ours-tracer", measure: "heapBytesPerEvent", against: 1, limit: 717 },
  ...["ours-ingestion", "ours-otlp", "ours-tracer"].flatMap((ours): ReadonlyArray<Target> => [
    { name: "full collections in 10 s", ours, measure: "fullCollectionsIn10s", against: 1, limit: 0 },
    { name: "burst against raw", ours, measure: "eventsPerSecond", against: ["raw@100"], limit: 0.55, atLeast: true },
    { name: "delivered of a burst", ours, measure: "deliveredShare", against: 1, limit: 1, atLeast: true },
    { name: "event-loop delay against none", ours, measure: "eventLoopDelayP99Ms", against: ["none"], limit: 2 },
    { name: "longest stall against the best peer", ours, measure: "longestStallMs", against: peers, limit: 0.85 },
    // The events of `maxQueueBytes`, and three batches.
    { name: "growth with Langfuse down (MB)", ours, measure: "growthMb@down", against: 1, limit: 64 + 3 * 2.5 },
    { name: "close, hanging (ms)", ours, measure: "closeMs@hanging", against: 1, limit: 5100 }
  ])
]

/** One line for each target whose figures are in the result. */
export const verdicts = ({ subjects }: Result): ReadonlyArray<string> =>
  targets.flatMap(({ against, atLeast = false, less, limit, measure, name, ours }) => {
    const medianOf = (subject: string): number | undefined => subjects[subject]?.[measure]?.median
    const value = medianOf(ours)
    const base = less === undefined ? 0 : medianOf(less)
    if (value === undefined || base === undefined) return []
    const others = typeof against === "number" ? [against] : against.flatMap((other) => medianOf(other) ?? [])
    if (others.length === 0) return []
    const ratio = (value - base) / ((atLeast ? Math.max(...others) : Math.min(...others)) - base)
    const met = atLeast ? ratio >= limit : ratio <= limit
    const sign = atLeast ? ">=" : "<="
    return [`${met ? "met   " : "MISSED"} ${ours}: ${name}: ${ratio.toPrecision(3)} (${sign} ${limit.toPrecision(3)})`]
  })
