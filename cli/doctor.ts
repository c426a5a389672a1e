/**
 * `effect-langfuse doctor`: the command, its options and what it prints.
 */
import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import * as PlatformConfigProvider from "@effect/platform/PlatformConfigProvider"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Doctor from "../src/internal/doctor/doctor.js"
import * as Render from "../src/internal/doctor/render.js"
import { isHealthy } from "../src/internal/doctor/verdict.js"
import * as LangfuseConfig from "../src/LangfuseConfig.js"

const invalid = (message: string) => ValidationError.invalidValue(HelpDoc.p(message))

/** Read by the rule for `LANGFUSE_BASE_URL`. */
const readAddress = (address: string): Effect.Effect<string, ValidationError.ValidationError> =>
  LangfuseConfig.env.pipe(
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["LANGFUSE_BASE_URL", address]]))),
    Effect.flatMap(({ baseUrl }) => Either.fromNullable(baseUrl, () => undefined)),
    Effect.mapError(() => invalid("--base-url takes an http or https address without credentials, query or fragment"))
  )

const longestTimeout = 60

const readTimeout = (seconds: number): Effect.Effect<Duration.Duration, ValidationError.ValidationError> =>
  seconds > 0 && seconds <= longestTimeout
    ? Effect.succeed(Duration.seconds(seconds))
    : Effect.fail(invalid(`--timeout takes a number of seconds, more than 0 and at most ${longestTimeout}`))

const options = {
  baseUrl: Options.text("base-url").pipe(
    Options.withPseudoName("url"),
    Options.withDescription("The address to look at, instead of LANGFUSE_BASE_URL"),
    Options.mapEffect(readAddress),
    Options.optional
  ),
  timeout: Options.float("timeout").pipe(
    Options.withPseudoName("seconds"),
    Options.withDescription("How long each request may take. Default: LANGFUSE_TIMEOUT, else 5"),
    Options.mapEffect(readTimeout),
    Options.optional
  ),
  // Not `--env-file`: Node takes that for itself, wherever it stands on the command line.
  dotenv: Options.file("dotenv", { exists: "yes" }).pipe(
    Options.withPseudoName("path"),
    Options.withDescription("A .env file to read variables from that are not set otherwise"),
    Options.optional
  ),
  noCanary: Options.boolean("no-canary").pipe(
    Options.withDescription("Send no trace and no score: only ask")
  ),
  json: Options.boolean("json").pipe(
    Options.withDescription("Print one JSON object, and nothing else")
  )
}

/** @see https://no-color.org */
const wantsColors: Effect.Effect<boolean> = Config.string("NO_COLOR").pipe(
  Effect.map((value) => value === ""),
  Effect.orElseSucceed(() => true)
)

const withDotenv = (path: Option.Option<string>) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Option.match(path, {
    onNone: () => effect,
    onSome: (path) =>
      PlatformConfigProvider.fromDotEnv(path).pipe(
        Effect.mapError(() => "--dotenv takes the path of a file that can be read"),
        // What the command itself finds wrong is not printed by `@effect/cli`.
        Effect.tapError((message) => Console.error(message)),
        Effect.mapError(invalid),
        Effect.flatMap((file) =>
          Effect.configProviderWith((environment) =>
            Effect.withConfigProvider(effect, ConfigProvider.orElse(environment, () => file))
          )
        )
      )
  })

export interface Settings {
  /** Characters in a line of the terminal; `undefined` when the output goes elsewhere. */
  readonly columns: number | undefined
  /** Told whether no problem was found. */
  readonly onDone: (healthy: boolean) => Effect.Effect<void>
}

export const command = (settings: Settings) =>
  Command.make("doctor", options, ({ baseUrl, dotenv, json, noCanary, timeout }) =>
    Effect.gen(function*() {
      const request = {
        baseUrl: Option.getOrUndefined(baseUrl),
        timeout: Option.getOrUndefined(timeout),
        canary: !noCanary
      }
      if (json) {
        const report = yield* Doctor.run(request)
        yield* Console.log(Render.json(report, request))
        return yield* settings.onDone(isHealthy(report))
      }
      const { columns } = settings
      const text = Render.text({ columns, colors: columns !== undefined && (yield* wantsColors) })
      yield* Console.log(text.title)
      const report = yield* Doctor.run({ ...request, tell: (verdict) => Console.log(text.verdict(verdict)) })
      yield* Console.log(text.summary(report, request))
      yield* settings.onDone(isHealthy(report))
    }).pipe(withDotenv(dotenv))).pipe(
      Command.withDescription(
        "Finds out why traces do not arrive: reads the LANGFUSE_* variables, asks the server, sends a trace and a score " +
          "named \"effect-langfuse doctor\", and says what to do about whatever is wrong. Exits with 0 when all is well, " +
          "1 when it found a problem, 2 when it was called wrongly."
      )
    )
