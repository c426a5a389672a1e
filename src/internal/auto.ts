/** Which protocol a Langfuse takes: found out before the first batch, and again whenever the server says otherwise. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Entry } from "../core/flow/ledger.js"
import type { Piece } from "../core/flow/piece.js"
import { isTypeNotAccepted } from "../core/wire/answers.js"
import type { Deliver } from "./deliver.js"
import * as Ingestion from "./ingestion.js"
import * as Log from "./log.js"
import * as Otlp from "./otlp.js"
import { type Report, tellTo, type TellTraces } from "./report.js"
import type { Server } from "./server.js"

export type Choice = "ingestion" | "otlp"

export interface Options {
  readonly deliver: Deliver
  readonly server: Server
  readonly serviceName: string | undefined
  readonly tellTraces: TellTraces
}

export interface Auto {
  readonly choice: () => Choice
  /** One at a time until it is known which Langfuse this is. */
  readonly concurrency: () => number
  readonly send: (batch: ReadonlyArray<Entry>, report: Report) => Effect.Effect<void>
  readonly drain: Effect.Effect<void>
}

const names: { readonly [K in Choice]: string } = {
  ingestion: "batch endpoint",
  otlp: "OpenTelemetry endpoint"
}

/** Where a server of this version takes traces and observations. */
export const choiceFor = (version: string): Choice => Number.parseInt(version, 10) >= 4 ? "otlp" : "ingestion"

export const make = (options: Options): Effect.Effect<Auto, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { deliver, server, serviceName, tellTraces } = options
    const ingestion = Ingestion.make(deliver, server)
    const inform = Log.makeInform()
    /** What the server has shown, whatever its version promises. */
    let shown: Choice | undefined

    const choice = (): Choice => {
      const version = server.version()
      return shown ?? (version === undefined ? "otlp" : choiceFor(version))
    }

    const change = (to: Choice, why: string): Effect.Effect<void> =>
      Effect.suspend(() => {
        // Of several requests in flight one is the first to find out.
        if (shown === to) return Effect.void
        shown = to
        return inform(to, `${why}: traces and observations now go to the ${names[to]}`)
      })

    const otlp: Otlp.Otlp = yield* Otlp.make({
      deliver,
      plain: Ingestion.endpoint(server),
      server,
      serviceName,
      tellTraces,
      // Their second verdict is told, whatever it is.
      onMissing: (pieces, report) =>
        Effect.zipRight(
          change("ingestion", "this Langfuse has no OpenTelemetry endpoint (404)"),
          Effect.suspend(() => ingestion.send([...pieces, ...otlp.release()], tellTo(report, tellTraces)))
        )
    })
    const sendByIngestion = (batch: ReadonlyArray<Entry>, report: Report): Effect.Effect<void> => {
      const tell = tellTo(report, tellTraces)
      const unwanted: Array<Piece> = []
      const sent = ingestion.send(Ingestion.piecesOf(batch), (pieces, verdict) => {
        const { outcome } = verdict
        if (outcome !== "delivered" && "rejected" in outcome && isTypeNotAccepted(outcome.rejected)) {
          unwanted.push(...pieces)
        } else tell(pieces, verdict)
      })
      return Effect.zipRight(
        sent,
        Effect.suspend(() =>
          unwanted.length === 0 ? Effect.void : Effect.zipRight(
            change("otlp", "the batch endpoint of this Langfuse takes only scores and logs"),
            otlp.send(unwanted.flatMap(({ entries }) => entries), report)
          )
        )
      )
    }

    return {
      choice,
      concurrency: () => choice() === "otlp" && (shown !== undefined || server.isAsked()) ? 4 : 1,
      send: (batch, report) =>
        Effect.zipRight(
          server.ask,
          Effect.suspend(() => choice() === "otlp" ? otlp.send(batch, report) : sendByIngestion(batch, report))
        ),
      drain: otlp.drain
    }
  })
