/** Times of short pieces of code, side by side. */

/** The best of several rounds, in nanoseconds a call: the machine's other work is no part of it. */
export const time = (run: () => unknown): number => {
  let calls = 1
  for (let elapsed = 0; elapsed < 20; calls *= 2) {
    const start = performance.now()
    for (let i = 0; i < calls; i++) run()
    elapsed = performance.now() - start
  }
  let best = Infinity
  for (let round = 0; round < 9; round++) {
    const start = performance.now()
    for (let i = 0; i < calls; i++) run()
    best = Math.min(best, (performance.now() - start) * 1e6 / calls)
  }
  return best
}

export const show = (ns: number): string =>
  (ns >= 1e6 ? `${(ns / 1e6).toFixed(1)} ms` : ns >= 1e3 ? `${(ns / 1e3).toFixed(2)} µs` : `${ns.toFixed(0)} ns`)
    .padStart(10)

export interface Column {
  readonly name: string
  readonly run: () => unknown
}

/** One row: each column, and how many times the first it takes. */
export const row = (name: string, columns: ReadonlyArray<Column>): void => {
  const times = columns.map(({ run }) => time(run))
  const first = times[0] ?? 1
  console.log(
    `${name.padEnd(40)}${times.map((ns) => `${show(ns)} (x${(ns / first).toFixed(2)})`.padStart(22)).join("")}`
  )
}

export const header = (names: ReadonlyArray<string>): void =>
  console.log(`${"".padEnd(40)}${names.map((name) => name.padStart(22)).join("")}`)
