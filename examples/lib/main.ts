/**
 * How an example runs: its program is traced, and then what the server holds is printed, and the ledger.
 */
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import type { NodeContext as Node } from "@effect/platform-node/NodeContext"
import { Console, Data, Effect, Option } from "effect"
import { LangfuseIngest } from "effect-langfuse"
import { parseArgs } from "node:util"
import * as Endpoint from "./endpoint.js"
import { render } from "./tree.js"

/** Ends the program with one line and no stack: it is about what was asked, not about the program. */
export class UsageError extends Data.TaggedError("UsageError")<{ readonly line: string }> {}

export interface Arguments {
  readonly server: Endpoint.Version
  /** What else is on the command line. */
  readonly rest: ReadonlyArray<string>
}

export const readArguments = Effect.try({
  try: (): Arguments => {
    const { positionals, values } = parseArgs({
      allowPositionals: true,
      options: { server: { type: "string", default: "v4" } }
    })
    if (values.server !== "v3" && values.server !== "v4") throw new Error("--server takes v3 or v4")
    return { server: values.server, rest: positionals }
  },
  catch: (error) =>
    new UsageError({ line: error instanceof Error ? error.message.split("\n")[0] ?? "" : String(error) })
})

/** Prints the ledger; returns what is wrong with it. */
export const settle = Effect.gen(function*() {
  const ingest = yield* LangfuseIngest.LangfuseIngest
  const flushed = yield* ingest.flush
  const stats = yield* ingest.stats
  const { offered, ...outcomes } = stats
  yield* Console.log(`\nledger ${Object.entries(stats).map(([name, count]) => `${name} ${count}`).join(" · ")}`)
  const balance = Object.values(outcomes).reduce((sum, count) => sum + count, 0)
  return [
    balance === offered ? undefined : "the ledger does not balance",
    stats.delivered === offered ? undefined : `${offered - stats.delivered} events did not arrive`,
    flushed.pending === 0 ? undefined : `${flushed.pending} events were still pending after the flush`
  ].filter((problem) => problem !== undefined)
})

/** Prints all traces the embedded server holds. */
export const printTraces = Effect.gen(function*() {
  const embedded = yield* Endpoint.Embedded
  if (Option.isNone(embedded)) return
  const traces = yield* embedded.value.traces
  yield* Console.log(traces.map(render).join("\n\n"))
})

const exitWith = (code: number) => Effect.sync(() => void (process.exitCode = code))

/** Runs a main program: problems go to stderr, and make the exit code 1; a wrong command line or setting makes it 2. */
export const runMain = <E>(program: Effect.Effect<ReadonlyArray<string>, E, Node>): void =>
  program.pipe(
    Effect.tap(Effect.forEach((problem) => Console.error(problem))),
    Effect.flatMap((problems) => exitWith(problems.length === 0 ? 0 : 1)),
    Effect.catchAll((error) => Effect.zipRight(Console.error(lineOf(error)), exitWith(2))),
    Effect.provide(NodeContext.layer),
    NodeRuntime.runMain
  )

const lineOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "line" in error ? String(error.line) : String(error)

/** A whole example: `program` runs traced, against an embedded server or the one that `LANGFUSE_*` names. */
export const example = <E>(program: Effect.Effect<unknown, E, LangfuseIngest.LangfuseIngest>): void =>
  runMain(Effect.gen(function*() {
    const { server } = yield* readArguments
    return yield* Effect.gen(function*() {
      yield* program
      const ingest = yield* LangfuseIngest.LangfuseIngest
      yield* ingest.flush
      yield* printTraces
      return yield* settle
    }).pipe(Effect.provide(Endpoint.layer(server)))
  }))
