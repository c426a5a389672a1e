/**
 * Which protocol a Langfuse server takes: found out before the first batch, and again whenever the server says otherwise.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as DeliveryReport from "../DeliveryReport.js"
import type { IngestionEvent } from "../IngestionEvent.js"
import type { ResolvedTransport } from "../LangfuseConfig.js"
import { LangfuseError } from "../LangfuseError.js"
import * as IngestionEndpoint from "./ingestionEndpoint.js"
import * as Notices from "./notices.js"
import type * as Assembly from "./otlp/assembly.js"
import type { Otlp, Progress } from "./otlp/transport.js"
import * as OtlpTransport from "./otlp/transport.js"
import type * as Sender from "./sender.js"

type Choice = "ingestion" | "otlp"

export const make = (
  sender: Sender.Sender,
  options: Pick<ResolvedTransport, "baseUrl" | "retry">,
  { limits }: { readonly limits: Assembly.Limits }
): Effect.Effect<Omit<Otlp, "release">, never, Scope.Scope> =>
  Effect.gen(function*() {
    const asking = yield* Effect.makeSemaphore(1)
    let choice: Choice | undefined = isCloud(options.baseUrl) ? "otlp" : undefined

    const change = (to: Choice, why: string): Effect.Effect<void> =>
      Effect.suspend(() => {
        // Of several requests under way one is the first to find out.
        if (choice === to) return Effect.void
        choice = to
        return Notices.info(`${why}: traces and observations now go to the ${names[to]}`)
      })

    const toIngestion = IngestionEndpoint.make(sender)

    const otlp: Otlp = yield* OtlpTransport.make(sender, {
      limits,
      onMissing: (undelivered, progress) =>
        Effect.gen(function*() {
          yield* change("ingestion", "this Langfuse has no OpenTelemetry endpoint (404)")
          const held = yield* otlp.release
          return yield* toIngestion([...undelivered.map(({ event }) => event), ...held], progress)
        })
    })

    const sendByIngestion = Effect.fnUntraced(function*(batch: ReadonlyArray<IngestionEvent>, progress: Progress) {
      const report = yield* toIngestion(batch, (report) => progress(withoutUnwanted(report)))
      const unwanted = report.rejected.filter(isUnwanted)
      if (unwanted.length === 0) return report
      yield* change("otlp", "the batch endpoint of this Langfuse takes only scores and logs")
      const rest = yield* otlp.send(unwanted.map(({ event }) => event), progress)
      return DeliveryReport.merge([withoutUnwanted(report), rest])
    })

    const firstAsk: Effect.Effect<Choice, LangfuseError> = Effect.suspend(() =>
      choice === undefined
        ? sender.get("/api/public/health").pipe(
          Effect.flatMap(firstChoice),
          options.retry === undefined
            ? (health) => health
            : Effect.retry({ schedule: options.retry, while: (error) => error.retryable }),
          // A schedule is the user's code.
          Effect.catchAllDefect(() =>
            Effect.fail(new LangfuseError({ reason: "Defect", description: "the retry schedule failed unexpectedly" }))
          ),
          Effect.tap((found) => {
            choice = found
            return Notices.debug(`traces and observations go to the ${names[found]}`)
          })
        )
        // Somebody else has asked meanwhile.
        : Effect.succeed(choice)
    ).pipe(asking.withPermits(1))

    /** Asked of a server whose address does not tell. */
    const ask: Effect.Effect<Choice, LangfuseError> = Effect.suspend(() =>
      choice === undefined ? firstAsk : Effect.succeed(choice)
    )

    return {
      send: (batch, progress) =>
        Effect.matchEffect(ask, {
          onFailure: (error) => Effect.succeed(DeliveryReport.failed(batch, error)),
          onSuccess: (found) => found === "otlp" ? otlp.send(batch, progress) : sendByIngestion(batch, progress)
        }),
      flush: otlp.flush,
      drain: otlp.drain
    }
  })

const names: { readonly [K in Choice]: string } = {
  ingestion: "batch endpoint",
  otlp: "OpenTelemetry endpoint"
}

/** Langfuse Cloud, in whatever region: it has taken traces and observations over OTLP only since 2026-11-16. */
export const isCloud = (baseUrl: string): boolean => /^(.+\.)?cloud\.langfuse\.com$/.test(new URL(baseUrl).hostname)

/**
 * What the answer of the health check tells. One that is not Langfuse's, as of a proxy that keeps the path to itself, tells
 * nothing: then OTLP is tried, which says whether it is there.
 */
const firstChoice = (answer: Sender.Answer): Either.Either<Choice, LangfuseError> => {
  const { version } = readHealth(answer)
  if (version !== undefined) return Either.right(choiceFor(version))
  return isTrouble(answer.status)
    ? Either.left(
      new LangfuseError({ reason: "Status", status: answer.status, description: "the health check was not answered" })
    )
    : Either.right("otlp")
}

/** What a health check may answer later that did not now. */
export const isTrouble = (status: number): boolean => status >= 500 || status === 429 || status === 408

/** What the health check says; all of it can be missing. */
export interface Health {
  readonly version: string | undefined
  /** `OK`, or what is wrong. */
  readonly state: string | undefined
}

export const readHealth = ({ text }: { readonly text: string }): Health => {
  try {
    const health: { readonly version?: unknown; readonly status?: unknown } | null = JSON.parse(text)
    const version = health?.version
    const state = health?.status
    return {
      version: typeof version === "string" && /^v?\d+(\.|$)/.test(version)
        ? version.replace(/^v/, "").slice(0, 40)
        : undefined,
      state: typeof state === "string" ? state.slice(0, 200) : undefined
    }
  } catch {
    return { version: undefined, state: undefined }
  }
}

/** Where a server of this version takes traces and observations. */
export const choiceFor = (version: string): Choice => Number.parseInt(version, 10) >= 4 ? "otlp" : "ingestion"

/** Refused since v4 takes no events of this kind at its batch endpoint: see `IngestionResponse`. */
const isUnwanted = ({ error }: DeliveryReport.Undelivered): boolean =>
  error.reason === "Rejected" && error.status === 400 && error.description.startsWith("Event type not accepted")

const withoutUnwanted = (report: DeliveryReport.DeliveryReport): DeliveryReport.DeliveryReport => ({
  ...report,
  rejected: report.rejected.filter((each) => !isUnwanted(each))
})
