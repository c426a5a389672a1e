/**
 * Sends recorded requests to an embedded server of the same version, set up in the same way.
 */
import { LangfuseServer, type Options } from "effect-langfuse/LangfuseServer"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { basic, layerServer, request } from "../utils/server.js"
import { type Case, initOf } from "./cases.js"
import { compareAnswer, compareStored } from "./compare.js"
import { prices } from "./prices.js"

const keys = { publicKey: "pk-lf-test", secretKey: "sk-lf-test" }

/** Which server a case is for, and how that is set up. */
export const keyOf = (one: Case, server: string): string => JSON.stringify([server, one.given])

const optionsOf = (one: Case, server: string): Options => {
  const [version = "", mode] = server.replace(/^v/, "").split("-")
  return {
    publicKey: keys.publicKey,
    secretKey: Redacted.make(keys.secretKey),
    version,
    ...(mode === "legacy" || mode === "dual" ? { writeMode: mode } : {}),
    ...(one.given?.prices === undefined ? {} : { prices }),
    // The recordings were made with configs of this shape.
    scoreConfigs: (one.given?.scoreConfigs ?? []) as NonNullable<Options["scoreConfigs"]>
  }
}

export interface Result {
  readonly name: string
  readonly differences: ReadonlyArray<string>
}

/** Replays cases that share a server, each on its own. */
export const replay = (
  cases: ReadonlyArray<Case>,
  server: string
): Effect.Effect<ReadonlyArray<Result>, unknown> => {
  const [first] = cases
  if (first === undefined) return Effect.succeed([])
  const isV4 = server === "v4.16.0"
  return Effect.gen(function*() {
    const langfuse = yield* LangfuseServer
    return yield* Effect.forEach(cases, (one) =>
      Effect.gen(function*() {
        yield* langfuse.reset
        for (const earlier of one.before ?? []) {
          yield* request(langfuse.url + earlier.path, initOf(earlier, basic(keys.publicKey, keys.secretKey)))
        }
        const reply = yield* request(
          langfuse.url + one.request.path,
          initOf(one.request, basic(keys.publicKey, keys.secretKey))
        )
        const isStored = one.stored !== null && (one.server === server || one.also?.includes(server) === true)
        const differences = [
          ...compareAnswer(one.answer, reply),
          ...(isStored && one.stored !== null
            ? compareStored(one.stored, {
              observations: yield* langfuse.observations,
              traces: yield* langfuse.traces,
              scores: yield* langfuse.scores,
              losses: (yield* langfuse.losses).length
            }, {
              fields: one.fields,
              // Of traces that spans make, only whole rows were recorded.
              hasTraces: !isV4 && (one.fields === undefined || one.stored.traces !== undefined)
            })
            : [])
        ]
        return { name: one.name, differences }
      }))
  }).pipe(Effect.provide(layerServer(optionsOf(first, server))))
}
