/** Times of short pieces of code, side by side. */

export interface Column {
  readonly name: string
  readonly run: () => unknown
}

/** How many calls take about two milliseconds. */
const callsOf = (run: () => unknown): number => {
  let calls = 1
  for (let elapsed = 0; elapsed < 20; calls *= 2) {
    const start = performance.now()
    for (let i = 0; i < calls; i++) run()
    elapsed = performance.now() - start
  }
  return Math.max(1, Math.floor(calls / 20))
}

/** The best of many short rounds by turns, in nanoseconds a call: the machine's other work is no part of it. */
const times = (columns: ReadonlyArray<Column>): ReadonlyArray<number> => {
  const calls = columns.map(({ run }) => callsOf(run))
  const best = columns.map(() => Infinity)
  for (let round = 0; round < 60; round++) {
    for (const [index, { run }] of columns.entries()) {
      const count = calls[index] ?? 1
      const start = performance.now()
      for (let i = 0; i < count; i++) run()
      best[index] = Math.min(best[index] ?? Infinity, (performance.now() - start) * 1e6 / count)
    }
  }
  return best
}

const show = (ns: number): string =>
  (ns >= 1e6 ? `${(ns / 1e6).toFixed(1)} ms` : ns >= 1e3 ? `${(ns / 1e3).toFixed(2)} µs` : `${ns.toFixed(0)} ns`)
    .padStart(10)

/** One row: each column, and how many times the first it takes. */
export const row = (name: string, columns: ReadonlyArray<Column>): void => {
  const all = times(columns)
  const first = all[0] ?? 1
  console.log(
    `${name.padEnd(42)}${all.map((ns) => `${show(ns)} (x${(ns / first).toFixed(2)})`.padStart(22)).join("")}`
  )
}

export const header = (names: ReadonlyArray<string>): void =>
  console.log(`${"".padEnd(42)}${names.map((name) => name.padStart(22)).join("")}`)
