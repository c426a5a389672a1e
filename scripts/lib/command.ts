/**
 * Other programs, run to their end or until the scope closes.
 */
import type { CommandExecutor } from "@effect/platform"
import { Command } from "@effect/platform"
import type { Duration } from "effect"
import { Data, Effect, Stream } from "effect"

export class CommandError extends Data.TaggedError("CommandError")<{
  readonly command: string
  readonly reason: string
  readonly output: string
}> {
  override get message() {
    return `${this.command} ${this.reason}\n${this.output}`
  }
}

export interface Options {
  readonly cwd?: string | undefined
  readonly env?: { readonly [name: string]: string } | undefined
  /** Default 5 minutes. */
  readonly timeout?: Duration.DurationInput | undefined
}

const make = (command: string, args: ReadonlyArray<string>, options: Options) => {
  const made = Command.make(command, ...args).pipe(Command.env(options.env ?? {}))
  return options.cwd === undefined ? made : Command.workingDirectory(made, options.cwd)
}

const textOf = <E>(stream: Stream.Stream<Uint8Array, E>) => stream.pipe(Stream.decodeText(), Stream.mkString)

/** What it wrote. Fails, with all it wrote, when it ends with anything but 0, does not start or takes too long. */
export const run = (
  command: string,
  args: ReadonlyArray<string>,
  options: Options = {}
): Effect.Effect<
  { readonly stdout: string; readonly stderr: string },
  CommandError,
  CommandExecutor.CommandExecutor
> => {
  const shown = [command, ...args].join(" ")
  const fail = (reason: string, output = "") => new CommandError({ command: shown, reason, output })
  return Effect.scoped(Effect.gen(function*() {
    const process = yield* Command.start(make(command, args, options))
    const [stdout, stderr, exitCode] = yield* Effect.all(
      [textOf(process.stdout), textOf(process.stderr), process.exitCode],
      { concurrency: "unbounded" }
    )
    return exitCode === 0 ? { stdout, stderr } : yield* fail(`ended with ${exitCode}`, `${stdout}${stderr}`)
  })).pipe(
    Effect.catchTags({
      BadArgument: (error) => fail("could not be started", error.message),
      SystemError: (error) => fail("could not be run", error.message)
    }),
    Effect.timeoutFail({ duration: options.timeout ?? "5 minutes", onTimeout: () => fail("took too long") })
  )
}

/** Runs it until the scope closes. What it writes is read, because a full pipe would stop it, and thrown away. */
export const start = (command: string, args: ReadonlyArray<string>, options: Options = {}) =>
  Effect.gen(function*() {
    const process = yield* Command.start(make(command, args, options))
    yield* Effect.forkScoped(Stream.runDrain(Stream.merge(process.stdout, process.stderr)))
  })
