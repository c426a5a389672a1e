/**
 * A program that is watched: what it computes, and when, must not depend on who watches.
 */
import { Effect, Ref, Runtime } from "effect"
import type { IngestionEvent } from "effect-langfuse"
import { LangfuseIngest } from "effect-langfuse"

/** In every value that a program traces, and so nowhere else. */
export const marker = "payload-marker-9c1e55aa"

const start = Date.UTC(2026, 10, 23, 12)

const at = (milliseconds: number) => new Date(start + milliseconds).toISOString()

let runs = 0

/** A name for one run, which keeps the ids of its events apart from all others'. */
export const newRun = (): string => (++runs).toString(16).padStart(6, "0")

const observationId = (run: string, index: number): string => `${run}${index.toString(16).padStart(10, "0")}`

/** A complete observation, which every protocol can send at once. */
export const generation = (run: string, index: number, input: unknown): IngestionEvent.GenerationCreate => ({
  type: "generation-create",
  id: `${run}-${index}`,
  timestamp: at(index),
  body: {
    id: observationId(run, index),
    traceId: `${run}00000000000000000000000001`,
    name: "step",
    startTime: at(index),
    endTime: at(index + 5),
    model: "some-model",
    input,
    output: `${marker} out ${index}`,
    metadata: { note: marker }
  }
})

/**
 * Dies if the effect waits for anything at all, however short. A clock would tell only of a long wait, and not on a busy
 * machine.
 */
const withoutWaiting = <A>(effect: Effect.Effect<A>): Effect.Effect<A> =>
  Effect.flatMap(Effect.runtime(), (runtime) => Effect.suspend(() => Runtime.runSyncExit(runtime)(effect)))

export interface Options {
  readonly run: string
  readonly events: number
  /** Characters that each event carries besides. */
  readonly padding: number
}

export interface Observed {
  /** What the program is there for. */
  readonly result: unknown
  readonly accepted: ReadonlyArray<string>
  /** Milliseconds. */
  readonly elapsed: number
  /** The longest that one `enqueue` took, in milliseconds. */
  readonly longest: number
}

export const host = (
  { events, padding, run }: Options
): Effect.Effect<Observed, never, LangfuseIngest.LangfuseIngest> =>
  Effect.gen(function*() {
    const ingest = yield* LangfuseIngest.LangfuseIngest
    const accepted: Array<string> = []
    let longest = 0
    const program = Effect.gen(function*() {
      const total = yield* Ref.make(0)
      const squares = yield* Effect.forEach(
        Array.from({ length: events }, (_, index) => index),
        (index) =>
          Effect.gen(function*() {
            const messages = [{ role: "user", content: `${marker} in ${index} ${"x".repeat(padding)}` }]
            const event = generation(run, index, messages)
            const before = performance.now()
            const isTaken = index % 3 === 0
              ? ingest.unsafeEnqueue(event)
              : index % 3 === 1
              ? yield* ingest.enqueue(event)
              : yield* withoutWaiting(ingest.enqueue(event))
            longest = Math.max(longest, performance.now() - before)
            if (isTaken) accepted.push(observationId(run, index))
            messages.push({ role: "assistant", content: "later" })
            yield* Ref.update(total, (n) => n + index)
            return index * index
          }).pipe(Effect.withSpan("step", { attributes: { index } }))
      )
      const failure = yield* Effect.flip(Effect.fail("of the program's own"))
      const timer = yield* Effect.raceFirst(Effect.as(Effect.sleep("1 millis"), "timer"), Effect.never)
      return { squares, total: yield* Ref.get(total), failure, timer }
    }).pipe(Effect.withSpan("program"))
    // On the wall: the program's own clock may be one that jumps.
    const before = performance.now()
    const result = yield* program
    return { result, accepted, elapsed: performance.now() - before, longest }
  })
