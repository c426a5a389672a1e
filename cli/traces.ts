/**
 * `effect-langfuse traces`: what a running `dev` holds, for scripts and coding agents.
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Client from "./traces/client.js"
import * as Render from "./traces/render.js"

export interface Settings {
  /** Called when there is no such trace, or no `dev` that answers. */
  readonly onFailure: Effect.Effect<void>
}

const options = {
  url: Options.text("url").pipe(
    Options.withDescription("Where dev is running"),
    Options.withDefault("http://127.0.0.1:3210")
  ),
  json: Options.boolean("json").pipe(
    Options.withDescription("Print the JSON of Langfuse's public API, and nothing else")
  )
}

const filters = {
  limit: Options.integer("limit").pipe(
    Options.withDescription("How many traces, the newest first"),
    Options.mapEffect((limit) =>
      limit >= 1 && limit <= 100
        ? Effect.succeed(limit)
        : Effect.fail(ValidationError.invalidValue(HelpDoc.p("--limit takes a number from 1 to 100")))
    ),
    Options.withDefault(20)
  ),
  session: Options.text("session").pipe(Options.withDescription("Only traces of this session"), Options.optional),
  user: Options.text("user").pipe(Options.withDescription("Only traces of this user"), Options.optional),
  name: Options.text("name").pipe(Options.withDescription("Only traces of this name"), Options.optional)
}

const orSay = (settings: Settings) => <R>(effect: Effect.Effect<void, Client.ClientError, R>) =>
  Effect.catchTag(effect, "ClientError", ({ line }) => Effect.zipRight(Console.error(line), settings.onFailure))

const list = (settings: Settings) =>
  Command.make("list", { ...options, ...filters }, ({ json, url, ...filter }) =>
    Client.list(url, filter).pipe(
      Effect.flatMap((page) => Console.log(json ? JSON.stringify(page, undefined, 2) : Render.list(page))),
      orSay(settings)
    )).pipe(Command.withDescription("Lists the newest traces"))

const show = (settings: Settings) =>
  Command.make("show", { ...options, id: Args.text({ name: "id" }) }, ({ id, json, url }) =>
    Client.show(url, id).pipe(
      Effect.flatMap((trace) => Console.log(json ? JSON.stringify(trace, undefined, 2) : Render.show(trace))),
      orSay(settings)
    )).pipe(Command.withDescription("Shows one trace: its observations with inputs and outputs"))

export const command = (settings: Settings) =>
  Command.make("traces").pipe(
    Command.withDescription(
      "What a running dev holds. Exits with 1 when there is no such trace or no dev, 2 when called wrongly."
    ),
    Command.withSubcommands([list(settings), show(settings)])
  )
