/**
 * Running trials: the sink and every subject in processes of their own, one subject at a time, round by round.
 */
import { Console, Effect } from "effect"
import type { Scope } from "effect"
import * as Collections from "./collections.js"
import type { Mode, Sample, Trial } from "./plan.js"
import { ChildError, deadPort, sink, subject } from "./processes.js"
import type { Step } from "./scenario.js"
import type { Received } from "./sink.js"
import type { Settings } from "./subject.js"
import type { Variant } from "./variants.js"

/** A run that takes longer is broken. */
const limit = "4 minutes"

export interface Bench {
  /** Runs the trials of one subject, in one process. What fails is said on stderr and leaves no sample. */
  readonly run: (variant: Variant, round: number, trials: ReadonlyArray<Trial>) => Effect.Effect<ReadonlyArray<Sample>>
}

export const make: Effect.Effect<Bench, ChildError, Scope.Scope> = Effect.gen(function*() {
  const port = yield* sink
  const dead = yield* deadPort
  let runs = 0

  const addressOf = (run: number, mode: Mode): string => {
    switch (mode) {
      case "up":
        return `http://127.0.0.1:${port}/r/${run}`
      case "down":
        return `http://127.0.0.1:${dead}/r/${run}`
      case "hanging":
        return `http://127.0.0.1:${port}/hang/r/${run}`
    }
  }

  const receivedOf = (run: number): Effect.Effect<Received> =>
    Effect.promise(async () => {
      const response = await fetch(`http://127.0.0.1:${port}/r/${run}/received`)
      return await response.json() as Received // our own sink's
    })

  const settingsOf = (variant: Variant, trial: Trial, baseUrl: string): Settings => ({
    baseUrl,
    ...variant.tuning,
    ...(trial.scenario.kind === "burst" || trial.scenario.kind === "stall"
      ? {
        patience: 60_000,
        // A part of the queue is kept for roots.
        ...(variant.holdsBurst ? { capacity: Math.ceil(trial.scenario.events * 1.1) } : {})
      }
      : {})
  })

  const run: Bench["run"] = (variant, round, trials) =>
    Effect.gen(function*() {
      const started = trials.map((trial) => ({ trial, run: ++runs }))
      const steps = started.map(({ run, trial }): Step => ({
        scenario: trial.scenario,
        payload: trial.payload,
        settings: settingsOf(variant, trial, addressOf(run, trial.mode))
      }))
      let trace = ""
      const outcomes = yield* subject(variant.program, steps, limit, {
        flags: ["--trace-gc"],
        onOutput: (text) => {
          trace += text
        }
      })
      const garbage = Collections.read(trace)
      return yield* Effect.forEach(started, ({ run, trial }, index) =>
        Effect.gen(function*() {
          const outcome = outcomes[index]
          if (outcome === undefined) return yield* new ChildError({ subject: variant.name, reason: "said nothing" })
          const received = yield* receivedOf(run)
          const collected = outcome.collections === undefined ? undefined : garbage[outcome.collections]
          return {
            subject: variant.name,
            round,
            trial,
            outcome: collected === undefined ? outcome : { ...outcome, garbage: collected },
            received
          }
        }))
    }).pipe(
      Effect.catchAll((error) =>
        Effect.as(Console.error(`${variant.name}, ${trials.map(({ key }) => key).join(" ")}: ${error.reason}`), [])
      )
    )

  return { run }
})

/**
 * All trials for all subjects. Subjects take turns, so that what else the machine does hits all alike. `soFar` is told all
 * samples after every round.
 */
export const runAll = (
  bench: Bench,
  variants: ReadonlyArray<Variant>,
  trials: ReadonlyArray<Trial>,
  rounds: number,
  shared: boolean,
  soFar: (samples: ReadonlyArray<Sample>) => Effect.Effect<void> = () => Effect.void
): Effect.Effect<ReadonlyArray<Sample>> =>
  Effect.gen(function*() {
    const alone = trials.filter((trial) => !trial.sideBySide)
    const groups = shared && alone.length > 0 ? [alone] : alone.map((trial) => [trial])
    const waiting = trials.filter((trial) => trial.sideBySide)
    const samples: Array<Sample> = []
    for (let round = 1; round <= rounds; round++) {
      yield* Console.error(`round ${round} of ${rounds}`)
      for (const group of groups) {
        for (const variant of variants) samples.push(...yield* bench.run(variant, round, group))
      }
      // These wait far more than they work.
      const runs = yield* Effect.forEach(
        waiting,
        (trial) => Effect.forEach(variants, (variant) => bench.run(variant, round, [trial]), { concurrency: 20 }),
        // All at once where time counts more than figures.
        { concurrency: shared ? "unbounded" : 1 }
      )
      samples.push(...runs.flat(2))
      yield* soFar(samples)
    }
    return samples
  })
