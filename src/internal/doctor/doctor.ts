/**
 * All checks, one after the other, as far as the ones before allow.
 *
 * It makes at most four requests of its own, each of them bounded, and leaves nothing behind but the canary.
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Langfuse from "../../Langfuse.js"
import * as Canary from "./canary.js"
import * as Checks from "./checks.js"
import * as Probes from "./probes.js"
import * as Protocol from "./protocol.js"
import type { Overrides } from "./settings.js"
import * as Settings from "./settings.js"
import type { Report, Verdict } from "./verdict.js"

export interface Options extends Overrides {
  /** Whether to send a trace and a score. */
  readonly canary: boolean
  /** Told each verdict as soon as there is one. */
  readonly tell?: ((verdict: Verdict) => Effect.Effect<void>) | undefined
}

export const run = (options: Options): Effect.Effect<Report, never, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const { redact, settings, verdicts } = yield* Settings.read(options)
    const report: { -readonly [K in keyof Report]: Report[K] } = {
      verdicts: [],
      baseUrl: settings && redact(settings.baseUrl),
      serverVersion: undefined,
      protocol: undefined,
      traceUrl: undefined
    }
    const say = (...news: ReadonlyArray<Verdict>) =>
      Effect.forEach(news, (verdict) => {
        const told = { ...verdict, message: redact(verdict.message), cure: verdict.cure && redact(verdict.cure) }
        report.verdicts = [...report.verdicts, told]
        return options.tell?.(told) ?? Effect.void
      }, { discard: true })

    yield* say(...verdicts)
    if (settings === undefined) return report
    yield* say(Checks.address(settings))

    const health = yield* Probes.health(settings)
    const { keys } = settings
    const probes = keys === undefined || Checks.isDeadEnd(settings, health)
      ? undefined
      : yield* Probes.endpoints(settings, keys)
    yield* say(Checks.server(settings, health, probes))
    const version = Either.isRight(health) ? Protocol.readHealth(health.right.text).version : undefined
    report.serverVersion = version && redact(version)
    if (version === undefined && !(probes && Checks.isAnsweredByLangfuse(probes))) return report
    if (Either.isRight(health)) yield* say(Checks.clock(health.right))
    if (keys === undefined || probes === undefined) return report

    const known = Checks.keys(settings, probes)
    if (known !== undefined) {
      yield* say(known)
      if (known.outcome === "problem") return report
    }
    const choice = Protocol.choose(settings.baseUrl, health, probes)
    yield* say(
      Checks.otlpEndpoint(settings, probes, choice),
      Checks.batchEndpoint(settings, probes),
      Checks.protocol(choice)
    )
    report.protocol = choice.protocol
    if (!options.canary || !choice.works) return report

    const canary = yield* Canary.send(settings, keys)
    const traceUrl = Option.getOrElse(
      yield* Langfuse.traceUrl({
        baseUrl: settings.baseUrl,
        projectId: probes.project?.id,
        traceId: canary.traceId
      }),
      () => settings.baseUrl
    )
    yield* say(...Checks.canary(settings, canary, traceUrl))
    if (canary.trace._tag === "Arrived") {
      report.protocol = canary.protocol
      report.traceUrl = redact(traceUrl)
    }
    return report
  })
