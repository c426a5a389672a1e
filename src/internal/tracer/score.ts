/** Scores: of the observation this runs in, of its trace, or of whatever the ids say. */
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as HashMap from "effect/HashMap"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import { fromEvent } from "../../core/item/fromEvent.js"
import { environmentOf, trace as names } from "../../core/item/names.js"
import * as IngestionEvent from "../../IngestionEvent.js"
import { LangfuseIngest, type Service } from "../../LangfuseIngest.js"
import * as Intake from "../intake.js"
import { makeWarn } from "../log.js"
import type * as LangfuseScore from "../scores.js"
import * as Current from "./current.js"
import { spelled } from "./ids.js"
import { badEnvironment } from "./scope.js"
import { Held, type LangfuseSpan } from "./span.js"

/** As it may come from untyped code. */
export interface Input {
  readonly name?: unknown
  readonly traceId?: unknown
  readonly observationId?: unknown
  readonly sessionId?: unknown
  readonly datasetRunId?: unknown
  readonly environment?: unknown
  readonly dataType?: unknown
  readonly value?: unknown
}

interface Target {
  readonly traceId?: string | undefined
  readonly observationId?: string | undefined
}

type Sent = Effect.Effect<boolean, never, LangfuseIngest>

export const observation = (score: Input): Sent =>
  guarded(() => score.traceId || score.sessionId || score.datasetRunId ? ofIds(score) : ofCurrent(score, false))

export const trace = (score: Input): Sent => guarded(() => ofCurrent(score, true))

/** Reading a member of the score may throw. */
const guarded = (send: () => Sent): Sent =>
  Effect.catchAllDefect(
    Effect.suspend(send),
    () => refuse("invalid", "a Langfuse score was not sent: it cannot be read")
  )

const ofIds = (score: Input): Sent => {
  const { observationId, traceId } = score
  return send(score, {
    ...(typeof traceId === "string" ? { traceId: spelled(traceId) } : undefined),
    ...(typeof observationId === "string" ? { observationId: spelled(observationId) } : undefined)
  }, undefined)
}

const ofCurrent = (score: Input, isOfTrace: boolean): Sent =>
  Effect.withFiberRuntime((fiber) => {
    const place = Current.place(fiber)
    switch (place._tag) {
      case "Nowhere":
        return refuse(
          "no_trace",
          `a Langfuse score (${nameOf(score)}) was not sent: there is no trace here to score; ` +
            "run it inside a span, or give ids"
        )
      case "LeftOut":
        if (place.record?.trace.fate === "sampledOut") place.record.exporter.settings.intake.sampleOut(1)
        return Effect.succeed(false)
      case "Here":
        return isOfTrace
          ? send(score, { traceId: place.traceId }, undefined)
          : send(score, { traceId: place.traceId, observationId: place.observationId }, place.record)
    }
  })

const send = (score: Input, target: Target, record: LangfuseSpan | undefined): Sent =>
  Effect.flatMap(LangfuseIngest, (ingest) => {
    const intake = Intake.of(ingest)
    if (intake.isOff) return Effect.succeed(false)
    if (target.traceId !== undefined && !intake.isSampled(target.traceId)) {
      intake.sampleOut(1)
      return Effect.succeed(false)
    }
    return Effect.flatMap(
      FiberRef.get(FiberRef.currentTracerSpanAnnotations),
      (ambient) => scoreOf(score, target, HashMap.get(ambient, names.environment))
    ).pipe(
      Effect.zipLeft(warnOfEnvironment(ingest, score.environment)),
      Effect.flatMap((event) => held(event, record, ingest) ?? ingest.enqueue(event)),
      Effect.catchAll((error) =>
        refuse("invalid", `a Langfuse score (${nameOf(score)}) was not sent: ${error.message}`)
      )
    )
  })

const scoreOf = (score: Input, target: Target, ambient: Option.Option<unknown>) => {
  const { environment: own, ...rest } = score
  const environment = own === undefined
    ? environmentOf(Option.getOrUndefined(ambient))
    : typeof own === "string"
    ? environmentOf(own)
    : own
  const body = {
    ...rest,
    ...(environment === undefined ? undefined : { environment }),
    ...target,
    ...(score.dataType === undefined && typeof score.value === "boolean" ? { dataType: "BOOLEAN" } : undefined)
  }
  // Its parts are those of a score with its target; that they go together is what the caller's type has said.
  return IngestionEvent.scoreCreate(body as LangfuseScore.ScoreInput)
}

/** A score shares the fate of its observation, which may not be certain yet. */
const held = (
  event: IngestionEvent.IngestionEvent,
  record: LangfuseSpan | undefined,
  ingest: Service
): Effect.Effect<boolean> | undefined => {
  if (record === undefined || record.exporter.isObservation(record)) return undefined
  const intake = Intake.of(ingest)
  const leaveOut = (): void => intake.sampleOut(1)
  // Read now: its metadata may change, and so do the names that are redacted.
  const item = record.isSettled ? undefined : fromEvent(event, intake.policy)
  if (item === undefined) leaveOut()
  else if ("issues" in item) intake.refuse(item.issues.join("; "))
  else if (record.exporter.hold(record, new Held(() => void intake.take(item), leaveOut))) return Effect.succeed(true)
  else intake.drop()
  return Effect.succeed(false)
}

const nameOf = (score: Input): string => String(score.name ?? "output").slice(0, 100)

/** So many different wrong scores have a warning each. Those beyond share one. */
const maxWarnings = 20

/** Scores are many, and wrong ones are so again and again. */
class Warnings {
  readonly warn = makeWarn()
  private readonly known = new Set<string>()

  kindOf(message: string): string {
    if (this.known.size < maxWarnings) this.known.add(message)
    return this.known.has(message) ? message : "invalid score"
  }
}

const warnings = new WeakMap<Service, Warnings>()

const warningsOf = (ingest: Service): Warnings => {
  const known = warnings.get(ingest) ?? new Warnings()
  warnings.set(ingest, known)
  return known
}

const warnOfEnvironment = (ingest: Service, environment: unknown): Effect.Effect<void> => {
  if (typeof environment !== "string" || environmentOf(environment) !== undefined) return Effect.void
  return warningsOf(ingest).warn("environment", badEnvironment(environment))
}

const refused = Metric.counter("langfuse_scores_refused_total", {
  description: "Scores that were not sent because they have no target or break a rule.",
  incremental: true
})

const refuse = (reason: "no_trace" | "invalid", message: string): Effect.Effect<false, never, LangfuseIngest> =>
  Effect.flatMap(LangfuseIngest, (ingest) => {
    const known = warningsOf(ingest)
    return Metric.increment(Metric.tagged(refused, "reason", reason)).pipe(
      Effect.zipRight(known.warn(reason === "no_trace" ? reason : known.kindOf(message), message)),
      Effect.as(false as const)
    )
  })
