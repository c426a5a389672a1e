/**
 * Whether prompts, answers, arguments and results are written on spans.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

export type Content = "full" | "metadata"

/** What the surroundings of a call say. */
export class Ambient extends Context.Reference<Ambient>()("effect-langfuse/LangfuseAi/Content", {
  defaultValue: (): Content => "full"
}) {}

/** The stricter of what the service was decorated with and what surrounds the call holds. */
export const keeps = (setting: Content): Effect.Effect<boolean> =>
  Effect.map(Ambient, (ambient) => setting === "full" && ambient === "full")
