/**
 * The command line as an effect: from arguments to an exit code.
 */
import type * as CliApp from "@effect/cli/CliApp"
import * as Command from "@effect/cli/Command"
import * as Span from "@effect/cli/HelpDoc/Span"
import * as ValidationError from "@effect/cli/ValidationError"
import type * as CommandExecutor from "@effect/platform/CommandExecutor"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import { version } from "../src/internal/version.js"
import * as Dev from "./dev.js"
import * as Doctor from "./doctor.js"
import * as Traces from "./traces.js"

/** 0: healthy. 1: problems were found. 2: called wrongly. */
export type ExitCode = 0 | 1 | 2

/** `args` without the runtime and the script. */
export const run = (
  args: ReadonlyArray<string>,
  options: Pick<Doctor.Settings, "columns">
): Effect.Effect<
  ExitCode,
  never,
  CliApp.CliApp.Environment | CommandExecutor.CommandExecutor | HttpClient.HttpClient
> =>
  Effect.gen(function*() {
    // To be asked for help is no failure, but in a script nothing at all must not read as a clean bill of health.
    let code: ExitCode = args.length === 0 ? 2 : 0
    const doctor = Doctor.command({
      columns: options.columns,
      onDone: (healthy) =>
        Effect.sync(() => {
          code = healthy ? 0 : 1
        })
    })
    const onFailure = Effect.sync(() => {
      code = 1
    })
    const dev = Dev.command({ columns: options.columns, onFailure })
    const traces = Traces.command({ onFailure })
    const app = Command.run(
      Command.make("effect-langfuse").pipe(
        Command.withDescription(
          "To see traces while you write the program, run: effect-langfuse dev. When they do not arrive at a Langfuse, " +
            "run: effect-langfuse doctor"
        ),
        Command.withSubcommands([dev, traces, doctor])
      ),
      {
        name: "effect-langfuse",
        version,
        executable: "effect-langfuse",
        summary: Span.text("Langfuse tracing for Effect programs")
      }
    )
    yield* app(["", "", ...args]).pipe(
      Effect.catchIf(ValidationError.isValidationError, () => {
        code = 2
        const command = args.find((word) => word === "dev" || word === "traces") ?? "doctor"
        return Console.error(`effect-langfuse ${command} --help says how it is called.`)
      })
    )
    return code
  }).pipe(options.columns === undefined ? plain : identity)

/** What is printed to a file or a pipe has no colours: the help of `@effect/cli` always has. */
const plain = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.consoleWith((console) =>
    Effect.withConsole(effect, {
      ...console,
      log: (...args) => console.log(...args.map(withoutColors)),
      error: (...args) => console.error(...args.map(withoutColors))
    })
  )

/** Select Graphic Rendition. */
const sgr = new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m`, "g")

const withoutColors = (value: unknown): unknown => typeof value === "string" ? value.replace(sgr, "") : value
