/**
 * From batches of events to spans in requests: what the assembly sends off is written out, sent and reported.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as DeliveryReport from "../../DeliveryReport.js"
import type { IngestionEvent } from "../../IngestionEvent.js"
import { LangfuseError } from "../../LangfuseError.js"
import { adviceOn } from "../advice.js"
import * as IngestionEndpoint from "../ingestionEndpoint.js"
import * as Notices from "../notices.js"
import * as Sender from "../sender.js"
import { once } from "../slot.js"
import { turnOfEventLoop } from "../turn.js"
import { byteLength } from "../utf8.js"
import * as Assembly from "./assembly.js"
import { endpoint } from "./endpoint.js"
import * as Facts from "./facts.js"
import * as Ids from "./ids.js"

export type Progress = (report: DeliveryReport.DeliveryReport) => void

export interface Options {
  readonly limits: Assembly.Limits
  /**
   * What becomes of events whose spans were answered with 404: there is no OpenTelemetry endpoint. Reported as failed
   * when absent; until this is known, `Progress` does not hear of them.
   */
  readonly onMissing?:
    | ((
      undelivered: ReadonlyArray<DeliveryReport.Undelivered>,
      progress: Progress
    ) => Effect.Effect<DeliveryReport.DeliveryReport>)
    | undefined
}

export interface Otlp {
  readonly send: (
    batch: ReadonlyArray<IngestionEvent>,
    progress: Progress
  ) => Effect.Effect<DeliveryReport.DeliveryReport>
  readonly flush: (progress: Progress) => Effect.Effect<DeliveryReport.DeliveryReport>
  readonly drain: (progress: Progress) => Effect.Effect<DeliveryReport.DeliveryReport>
  /** Gives up all events that are held. */
  readonly release: Effect.Effect<ReadonlyArray<IngestionEvent>>
}

interface Leaving {
  readonly departures: ReadonlyArray<Assembly.Departure>
  /** One for each departure, in order, as far as they have been written. */
  readonly parts: Array<Sender.Part>
  readonly progress: Progress
}

export const make = (sender: Sender.Sender, options: Options): Effect.Effect<Otlp, never, Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const assembly = Assembly.make(options.limits)
    const hash = Ids.makeHasher()
    const notices = Notices.make()
    // Batches are taken in one after the other, even while the ids of one are being worked out.
    const intake = yield* Effect.makeSemaphore(1)
    // One at a time, so that a drain ends only when what was sweeping has ended.
    const housekeeping = yield* Effect.makeSemaphore(1)
    let isSweeping = false

    const takeInNext = Effect.fnUntraced(function*(batch: ReadonlyArray<IngestionEvent>) {
      const unlocated = batch.map(Facts.read)
      const first = yield* hash(unlocated.flatMap(({ seeds }) => seeds))
      const more = yield* hash(unlocated.flatMap(({ moreSeeds }) => moreSeeds(first)))
      const digests = (text: string) => first(text) ?? more(text)
      const ofTraces: Array<Facts.TraceFacts | Facts.ObservationFacts> = []
      const refused: Array<DeliveryReport.Undelivered> = []
      const parts: Array<Sender.Part> = []
      for (const { locate } of unlocated) {
        const facts = locate(digests)
        if (facts._tag === "Refused") refused.push(refuse(facts))
        else if (facts._tag === "Batch") parts.push(batchPart(facts))
        else ofTraces.push(facts)
      }
      const round = assembly.accept(ofTraces, yield* Clock.currentTimeMillis)
      return { round, parts, refused }
    })

    const takeIn = (batch: ReadonlyArray<IngestionEvent>) => intake.withPermits(1)(once(batch, takeInNext))

    /** Sends what a round sends off, and what became ready in the meantime. */
    const deliver = Effect.fnUntraced(function*(round: Assembly.Round, progress: Progress) {
      const reports: Array<DeliveryReport.DeliveryReport> = []
      let current = round
      while (true) {
        const settled = DeliveryReport.failed(current.tooLate, tooLate)
        progress(settled)
        reports.push(settled)
        yield* warnOfUnfinished(current.unfinished)
        if (current.departures.length === 0) return DeliveryReport.merge(reports)
        reports.push(yield* deliverSpans(current.departures, progress))
        current = assembly.next(yield* Clock.currentTimeMillis)
      }
    })

    const deliverSpans = (departures: ReadonlyArray<Assembly.Departure>, progress: Progress) =>
      Effect.suspend(() => {
        const leaving = { departures, parts: [], progress }
        return Effect.flatMap(
          Effect.ensuring(once(leaving, deliverParts), once(leaving, arrive)),
          (report) => insteadOf(report, progress)
        )
      })

    const deliverParts = ({ departures, parts, progress }: Leaving) =>
      encodeAll(departures, parts).pipe(
        Effect.flatMap(() =>
          sender.deliver(
            endpoint,
            parts,
            (report) => progress({ ...report, failed: report.failed.filter(isPresent) })
          )
        )
      )

    /** The report, where there is an endpoint; else what became of the events elsewhere. */
    const insteadOf = (report: DeliveryReport.DeliveryReport, progress: Progress) => {
      const missing = report.failed.filter((each) => !isPresent(each))
      if (missing.length === 0 || options.onMissing === undefined) return Effect.succeed(report)
      return Effect.map(
        options.onMissing(missing, progress),
        (instead) => DeliveryReport.merge([{ ...report, failed: report.failed.filter(isPresent) }, instead])
      )
    }

    const arrive = ({ departures, parts }: Leaving) =>
      Effect.sync(() =>
        departures.forEach((departure, index) => {
          const part = parts[index]
          departure.arrive(part?.isStored === true)
        })
      )

    const warnOfUnfinished = (count: number): Effect.Effect<void> =>
      count === 0
        ? Effect.void
        : notices.warn("unfinished", `${count} Langfuse observations were sent although they never ended`)

    const keepHouse = (round: (now: number) => Assembly.Round, progress: Progress) =>
      Clock.currentTimeMillis.pipe(
        Effect.flatMap((now) => deliver(round(now), progress)),
        housekeeping.withPermits(1)
      )

    /** Sends what has waited too long, for as long as there is something that may come to. */
    const sweep = (progress: Progress): Effect.Effect<void> =>
      Effect.gen(function*() {
        for (let deadline = assembly.deadline(); deadline !== undefined; deadline = assembly.deadline()) {
          const wait = deadline - (yield* Clock.currentTimeMillis)
          if (wait > 0) yield* Effect.sleep(Duration.millis(wait))
          const report = yield* keepHouse(assembly.expire, progress)
          // Nobody waits for this report.
          progress(report)
          const undelivered = [...report.failed, ...report.rejected]
          for (const { error } of undelivered.slice(0, 1)) {
            yield* notices.warn(
              `${error.reason} ${error.status ?? ""}`,
              `${undelivered.length} Langfuse events failed: ${error.message}; ${adviceOn(error)}`
            )
          }
        }
      }).pipe(Effect.ensuring(Effect.sync(() => {
        isSweeping = false
      })))

    const startSweeping = (progress: Progress): Effect.Effect<void> =>
      Effect.suspend(() => {
        if (isSweeping || assembly.deadline() === undefined) return Effect.void
        isSweeping = true
        return Effect.asVoid(Effect.forkIn(Effect.interruptible(sweep(progress)), scope))
      })

    const send = Effect.fnUntraced(function*(batch: ReadonlyArray<IngestionEvent>, progress: Progress) {
      const { parts, refused, round } = yield* takeIn(batch)
      yield* startSweeping(progress)
      const turnedAway = { ...DeliveryReport.empty, rejected: refused }
      progress(turnedAway)
      const spans = deliver(round, progress)
      if (parts.length === 0) return DeliveryReport.merge([turnedAway, yield* spans])
      const others = sender.deliver(IngestionEndpoint.endpoint, parts, progress)
      return DeliveryReport.merge([turnedAway, ...yield* Effect.all([spans, others], { concurrency: 2 })])
    })

    return {
      send,
      flush: (progress) => keepHouse(assembly.flush, progress),
      drain: (progress) => keepHouse(assembly.drain, progress),
      release: Effect.sync(assembly.release)
    }
  })

// -------------------------------------------------------------------------------------
// spans
// -------------------------------------------------------------------------------------

/** Characters after which other fibers and timers get their turn. */
const breath = 256 * 1024

const encodeAll = Effect.fnUntraced(
  function*(departures: ReadonlyArray<Assembly.Departure>, parts: Array<Sender.Part>) {
    let written = 0
    for (const departure of departures) {
      if (written > breath) {
        yield* turnOfEventLoop
        written = 0
      }
      const text = departure.encode()
      written += text.length
      parts.push(new Sender.Part(departure.events, text, byteLength(text)))
    }
  }
)

/** Whether the endpoint that refused it exists. */
const isPresent = ({ error }: DeliveryReport.Undelivered): boolean => error.reason !== "Status" || error.status !== 404

// -------------------------------------------------------------------------------------
// everything else
// -------------------------------------------------------------------------------------

const batchPart = ({ event, text }: Facts.BatchFacts): Sender.Part =>
  new Sender.Part(Sender.alone(event), text, byteLength(text))

const refuse = ({ event, issue }: Facts.Refused): DeliveryReport.Undelivered => ({
  event,
  error: new LangfuseError({ reason: "Unsendable", description: issue })
})

const tooLate = new LangfuseError({
  reason: "Unsendable",
  description:
    "the observation was sent long ago and is no longer held, and Langfuse would replace all of it by this part"
})
