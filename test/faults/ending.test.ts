/**
 * How a process ends, and what has arrived by then: programs in processes of their own.
 *
 * Each traces ten steps. The first six are a full batch, which leaves at once; the other four wait for the end.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import { LangfuseServer } from "effect-langfuse"
import * as Child from "./support/child.js"
import { newRun } from "./support/host.js"
import { ingestion, otlp, type Protocol } from "./support/protocols.js"
import * as Run from "./support/run.js"
import { serve } from "./support/server.js"

interface Row {
  readonly ending: string
  readonly signals?: ReadonlyArray<NodeJS.Signals>
  readonly protocol?: Protocol
  readonly fault?: LangfuseServer.Fault
  readonly stored: number
  /** Exit code, or the signal that ended it. */
  readonly ends: number | NodeJS.Signals
  /** What the ledger says, where the program lives long enough to say it. */
  readonly ledger?: Readonly<Record<string, number>>
}

const flushed = { stored: 10, ledger: { offered: 10, delivered: 10, failed: 0, pending: 0 } }

class Program extends Context.Tag("test/Program")<Program, string>() {}

const check = ({ ending, ends, fault, ledger, protocol = ingestion, signals, stored }: Row) =>
  Effect.gen(function*() {
    const program = yield* Program
    const server = yield* serve(protocol)
    if (fault !== undefined) yield* server.always(fault)
    const child = yield* Child.run(program, [ending, newRun(), protocol.name], {
      signals,
      env: {
        LANGFUSE_BASE_URL: server.url,
        LANGFUSE_PUBLIC_KEY: Run.publicKey,
        LANGFUSE_SECRET_KEY: Redacted.value(Run.secretKey)
      }
    })
    const output = child.stdout + child.stderr
    assert.strictEqual(child.signal ?? child.code, ends, output)
    const ids = (yield* server.observations).map(({ id }) => id)
    assert.strictEqual(ids.length, stored, output)
    assert.strictEqual(new Set(ids).size, ids.length)
    const [line] = child.stdout.split("\n").filter((line) => line.startsWith("{\"offered\""))
    if (ledger === undefined) assert.isUndefined(line)
    else assert.deepInclude(JSON.parse(line ?? "null"), ledger)
    assert.isBelow(child.took, 3000, "it ends without delay")
    Run.searchFor(output)
  })

describe("what a process has sent when it ends", () => {
  const rows: ReadonlyArray<readonly [title: string, row: Row]> = [
    ["the program returns: everything", { ending: "value", ends: 0, ...flushed }],
    ["the program fails: everything", { ending: "failure", ends: 1, ...flushed }],
    ["the program dies of a defect: everything", { ending: "defect", ends: 1, ...flushed }],
    ["the program interrupts itself: everything", { ending: "interruption", ends: 0, ...flushed }],
    ["SIGTERM under runMain: everything", { ending: "waits", signals: ["SIGTERM"], ends: 0, ...flushed }],
    ["SIGINT under runMain: everything", { ending: "waits", signals: ["SIGINT"], ends: 0, ...flushed }],
    ["SIGTERM under runMain, over OpenTelemetry: everything", {
      ending: "waits",
      signals: ["SIGTERM"],
      protocol: otlp,
      ends: 0,
      ...flushed
    }],
    ["SIGTERM while the server hangs: what it got, and the end comes at shutdownTimeout", {
      ending: "waits",
      signals: ["SIGTERM"],
      fault: LangfuseServer.Fault.hang(),
      ends: 0,
      stored: 0,
      ledger: { offered: 10, delivered: 0, failed: 10, pending: 0 }
    }],
    ["a second SIGINT while the server hangs: the end comes at once", {
      ending: "waits",
      signals: ["SIGINT", "SIGINT"],
      fault: LangfuseServer.Fault.hang(),
      ends: "SIGINT",
      stored: 0
    }],
    ["process.exit in a finalizer that runs after the exporter's: everything", {
      ending: "exit in an outer finalizer",
      ends: 3,
      ...flushed
    }],
    ["process.exit in a finalizer that runs before the exporter's: only full batches", {
      ending: "exit in an inner finalizer",
      ends: 3,
      stored: 6
    }],
    ["process.exit in the middle: only full batches", { ending: "exit", ends: 3, stored: 6 }],
    ["an exception outside of Effect: only full batches", { ending: "exception", ends: 1, stored: 6 }],
    ["a rejection that nobody handles: only full batches", { ending: "rejection", ends: 1, stored: 6 }],
    ["SIGTERM without runMain: only full batches", {
      ending: "without runMain",
      signals: ["SIGTERM"],
      ends: "SIGTERM",
      stored: 6
    }],
    ["SIGKILL: only full batches", { ending: "waits", signals: ["SIGKILL"], ends: "SIGKILL", stored: 6 }],
    ["a runtime that nobody disposes of: everything, once its interval has passed", {
      ending: "forgets",
      ends: 0,
      stored: 10
    }]
  ]
  layer(Layer.scoped(Program, Child.bundle("programs/agent.ts")), { excludeTestServices: true })((it) => {
    for (const [title, row] of rows) it.scoped(title, () => check(row))
  })
})
