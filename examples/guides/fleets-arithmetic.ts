interface Load {
  readonly processes: number
  /** Of one process. */
  readonly eventsPerSecond: number
  readonly bytesPerEvent: number
}

interface Settings {
  /** Seconds. */
  readonly interval: number
  readonly maxBatch: number
}

const maxBatchBytes = 2_500_000

// #region formula
/** Requests a minute of the whole fleet. */
const requests = ({ bytesPerEvent, eventsPerSecond, processes }: Load, { interval, maxBatch }: Settings): number => {
  const eventsPerBatch = Math.max(1, Math.min(maxBatch, eventsPerSecond * interval))
  const batches = 60 * eventsPerSecond / eventsPerBatch
  const requestsPerBatch = Math.ceil(eventsPerBatch * bytesPerEvent / maxBatchBytes)
  return Math.ceil(processes * batches * requestsPerBatch)
}
// #endregion formula

const loads: ReadonlyArray<Load> = [
  { processes: 10, eventsPerSecond: 1, bytesPerEvent: 4_000 },
  { processes: 50, eventsPerSecond: 1, bytesPerEvent: 4_000 },
  { processes: 50, eventsPerSecond: 100, bytesPerEvent: 4_000 },
  { processes: 50, eventsPerSecond: 100, bytesPerEvent: 40_000 },
  { processes: 1000, eventsPerSecond: 1, bytesPerEvent: 4_000 },
  { processes: 1000, eventsPerSecond: 100, bytesPerEvent: 4_000 }
]

const row = (cells: ReadonlyArray<string | number>): void => console.log(`| ${cells.join(" | ")} |`)
const count = (n: number): string => n.toLocaleString("en-US")

row(["processes", "events/s each", "bytes an event", "defaults: 2 s, 512", "10 s, 512", "30 s, 512"])
row(["---:", "---:", "---:", "---:", "---:", "---:"])
for (const load of loads) {
  row([
    count(load.processes),
    load.eventsPerSecond,
    count(load.bytesPerEvent),
    ...[2, 10, 30].map((interval) => count(requests(load, { interval, maxBatch: 512 })))
  ])
}
