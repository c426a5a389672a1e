/**
 * `npm run soak`: five minutes, or `--seconds`, of overload and faults, for each protocol in turn. Prints what happened, and
 * exits with 1 when a promise was broken.
 *
 *     npm run soak -- --seconds 20 --seed 7 --protocol otlp
 */
import { Effect } from "effect"
import type { LangfuseConfig } from "effect-langfuse"
import { parseArgs } from "node:util"
import * as Run from "./lib/run.js"

const protocols = ["ingestion", "otlp", "auto"] as const

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "300" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    protocol: { type: "string" },
    fibers: { type: "string", default: "200" },
    // The server takes one request of 20 events in 20 ms at best.
    rate: { type: "string", default: "10000" }
  }
})

const number = (name: string, text: string): number => {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) {
    process.stderr.write(`--${name} takes a number above 0, but got ${text}\n`)
    process.exit(2)
  }
  return value
}

const chosen = (text: string | undefined): ReadonlyArray<LangfuseConfig.Protocol> => {
  const found = protocols.filter((protocol) => text === undefined || protocol === text)
  if (found.length === 0) {
    process.stderr.write(`--protocol takes ${protocols.join(", ")}, but got ${text}\n`)
    process.exit(2)
  }
  return found
}

const seconds = number("seconds", values.seconds)
const seed = number("seed", values.seed)
const fibers = number("fibers", values.fibers)
const rate = number("rate", values.rate)
const runs = chosen(values.protocol)

const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`

const late = ({ max, p50, p99 }: Run.Result["delay"]): string =>
  `late by ${p50} ms (p50), ${p99} ms (p99), ${max} ms at most`

const injected = ({ well: _, ...faults }: Run.Result["faults"]): number =>
  Object.values(faults).reduce((sum, count) => sum + count, 0)

const print = (result: Run.Result): void => {
  const { delay, delayUnwatched, faults, memory, stats } = result
  const lines: ReadonlyArray<readonly [string, string]> = [
    ["offered", `${stats.offered} (${Math.round(stats.offered / result.seconds)} a second)`],
    ["delivered", String(stats.delivered)],
    ["dropped", String(stats.dropped)],
    ["rejected", String(stats.rejected)],
    ["failed", String(stats.failed)],
    ["pending", String(stats.pending)],
    ["requests", String(result.requests)],
    ["faults", `${injected(faults)}: ${Object.entries(faults).map(([fault, n]) => `${fault} ${n}`).join(", ")}`],
    ["bad inputs", String(result.badInputs)],
    ["warnings", String(result.warnings)],
    ["held at most", `${mebibytes(memory.held)} of ${mebibytes(memory.boundOfHeld)}`],
    ["heap grew by", `${mebibytes(memory.heap)} of ${mebibytes(memory.boundOfHeap)}`],
    ["resident", `${mebibytes(memory.resident)} at most, of the whole process`],
    ["event loop", late(delay)],
    ["unwatched", late(delayUnwatched)]
  ]
  process.stdout.write(`\n${result.protocol}, ${result.seconds.toFixed(0)} s\n`)
  for (const [name, value] of lines) process.stdout.write(`  ${name.padEnd(13)} ${value}\n`)
  for (const violation of result.violations) process.stdout.write(`  VIOLATED      ${violation}\n`)
}

// Until it has succeeded: a process that runs out of work before that ends without a word.
process.exitCode = 1
process.stdout.write(`seed ${seed}, ${fibers} fibers, ${rate} events a second\n`)

const soak = Effect.forEach(runs, (protocol, index) =>
  Effect.tap(
    Run.run({ protocol, seconds: seconds / runs.length, seed: seed + index, fibers, rate }),
    (result) => Effect.sync(() => print(result))
  ))

Effect.runPromise(soak).then(
  (results) => {
    const broken = results.reduce((sum, { violations }) => sum + violations.size, 0)
    process.stdout.write(broken === 0 ? "\nall accounted for\n" : `\nbroken promises: ${broken}\n`)
    process.exitCode = broken === 0 ? 0 : 1
  },
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`)
    process.exitCode = 1
  }
)
