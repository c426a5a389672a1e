/**
 * Child processes that end with the scope they belong to, whatever happens.
 */
import { Data, Duration, Effect } from "effect"
import type { Scope } from "effect"
import type { ChildProcess } from "node:child_process"
import { fork, spawn } from "node:child_process"
import { createServer } from "node:net"
import { compiled } from "./build.js"
import type { Outcome, Step } from "./scenario.js"

export class ChildError extends Data.TaggedError("ChildError")<{ readonly subject: string; readonly reason: string }> {
  override get message(): string {
    return `${this.subject}: ${this.reason}`
  }
}

const ended = (child: ChildProcess): Effect.Effect<void> =>
  Effect.async((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGKILL")
  })

const owned = (start: () => ChildProcess): Effect.Effect<ChildProcess, never, Scope.Scope> =>
  Effect.acquireRelease(Effect.sync(start), ended)

/** Starts the sink; its port. */
export const sink: Effect.Effect<number, ChildError, Scope.Scope> = Effect.flatMap(
  owned(() => fork(compiled("sink"), [], { stdio: ["ignore", "ignore", "inherit", "ipc"] })),
  (child) =>
    Effect.async<number, ChildError>((resume) => {
      child.once("message", (port) => resume(Effect.succeed(Number(port))))
      child.once("exit", () => resume(Effect.fail(new ChildError({ subject: "sink", reason: "did not start" }))))
    })
)

/** A port of this machine where nothing listens. */
export const deadPort: Effect.Effect<number> = Effect.async<number>((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})

const linesOf = (text: string): ReadonlyArray<string> => text.split("\n").filter((line) => line !== "")

/** Runs a compiled subject to its end and reads what it measured. */
export const subject = (
  name: string,
  steps: ReadonlyArray<Step>,
  limit: Duration.DurationInput,
  { flags = [], onOutput }: {
    /** Of the engine. */
    readonly flags?: ReadonlyArray<string>
    /** What the process prints; thrown away when nobody asks. */
    readonly onOutput?: (text: string) => void
  } = {}
): Effect.Effect<ReadonlyArray<Outcome>, ChildError> =>
  Effect.scoped(Effect.gen(function*() {
    const child = yield* owned(() =>
      spawn(
        process.execPath,
        [
          "--expose-gc",
          "--max-old-space-size=4096",
          ...flags,
          ...linesOf(process.env["BENCH_NODE_FLAGS"]?.replaceAll(" ", "\n") ?? ""),
          compiled(name),
          JSON.stringify(steps)
        ],
        { stdio: ["ignore", onOutput === undefined ? "ignore" : "pipe", "pipe", "pipe"] }
      )
    )
    let results = ""
    let errors = ""
    child.stdio[3]?.on("data", (chunk: Buffer) => {
      results += chunk.toString()
    })
    if (onOutput !== undefined) child.stdout?.on("data", (chunk: Buffer) => onOutput(chunk.toString()))
    child.stderr?.on("data", (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-2000)
    })
    const code = yield* Effect.async<number | null>((resume) => {
      child.once("close", (code) => resume(Effect.succeed(code)))
    }).pipe(
      Effect.timeoutFail({
        duration: limit,
        onTimeout: () => new ChildError({ subject: name, reason: `took longer than ${Duration.format(limit)}` })
      })
    )
    const lines = linesOf(results)
    if (lines.length < steps.length) {
      return yield* new ChildError({ subject: name, reason: `ended with ${code}: ${errors}` })
    }
    return lines.map((line): Outcome => JSON.parse(line))
  }))
