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
  readonly limit: number
  readonly atLeast?: boolean
}

const peers = [
  "langfuse-v3",
  "langfuse-v3@100",
  "langfuse-v5",
  "langfuse-v5@100",
  "effect-otlp",
  "effect-otlp@100",
  "otel-sdk",
  "otel-sdk@100"
]

const targets: ReadonlyArray<Target> = [
  ...["ours-ingestion", "ours-otlp", "ours-tracer"].flatMap((ours): ReadonlyArray<Target> => [
    { name: "caller against v3", ours, measure: "callerMicrosPerEvent", against: ["langfuse-v3"], limit: 0.1 },
    { name: "caller against v5", ours, measure: "callerMicrosPerEvent", against: ["langfuse-v5"], limit: 0.2 },
    {
      name: "caller against OtlpTracer",
      ours,
      measure: "callerMicrosPerEvent",
      against: ["effect-otlp"],
      limit: 1 / 3
    },
    { name: "CPU against the best peer", ours, measure: "cpuMicrosPerEvent", against: peers, limit: 0.5 }
  ]),
  {
    name: "CPU against raw",
    ours: "ours-ingestion",
    measure: "cpuMicrosPerEvent",
    against: ["raw@100"],
    limit: 1.25
  },
  {
    name: "burst at 100 a batch against raw",
    ours: "ours-ingestion",
    measure: "eventsPerSecond",
    against: ["raw@100"],
    limit: 0.85,
    atLeast: true
  },
  {
    name: "burst at 1000 a batch against raw",
    ours: "ours-ingestion@1000",
    measure: "eventsPerSecond",
    against: ["raw@1000"],
    limit: 0.95,
    atLeast: true
  },
  ...["ours-ingestion", "ours-otlp", "ours-tracer"].flatMap((ours): ReadonlyArray<Target> => [
    { name: "delivered of a burst", ours, measure: "deliveredShare", against: 1, limit: 1, atLeast: true },
    { name: "event-loop delay against none", ours, measure: "eventLoopDelayP99Ms", against: ["none"], limit: 1.2 },
    { name: "longest stall against the best peer", ours, measure: "longestStallMs", against: peers, limit: 0.2 },
    // The events of `maxQueueBytes`, here at most 1024 of about 1.5 KB, and three batches.
    { name: "growth with Langfuse down (MB)", ours, measure: "growthMb@down", against: 1, limit: 64 + 3 * 2.5 },
    { name: "close, hanging (ms)", ours, measure: "closeMs@hanging", against: 1, limit: 5100 },
    { name: "bundle (kB)", ours, measure: "bundleKb", against: 1, limit: 10 }
  ])
]

/** One line for each target whose figures are in the result. */
export const verdicts = ({ subjects }: Result): ReadonlyArray<string> =>
  targets.flatMap(({ against, atLeast = false, limit, measure, name, ours }) => {
    const value = subjects[ours]?.[measure]?.median
    if (value === undefined) return []
    const others = typeof against === "number"
      ? [against]
      : against.flatMap((other) => subjects[other]?.[measure]?.median ?? [])
    if (others.length === 0) return []
    const ratio = value / (atLeast ? Math.max(...others) : Math.min(...others))
    const met = atLeast ? ratio >= limit : ratio <= limit
    const sign = atLeast ? ">=" : "<="
    return [`${met ? "met   " : "MISSED"} ${ours}: ${name}: ${ratio.toPrecision(3)} (${sign} ${limit.toPrecision(3)})`]
  })
