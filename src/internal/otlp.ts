/** The OpenTelemetry endpoint for observations and traces; scores and logs go to the batch endpoint. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { Assembly, type OtlpPiece, type Round } from "../core/flow/assembly.js"
import type { Entry, Ledger } from "../core/flow/ledger.js"
import { overlay } from "../core/flow/merge.js"
import type { Outcome, Problem } from "../core/flow/outcome.js"
import { Piece } from "../core/flow/piece.js"
import { type Item, Observation, Plain, type Trace, TraceFields } from "../core/item/item.js"
import * as Answers from "../core/wire/answers.js"
import { dialectOf } from "../core/wire/dialect.js"
import { rootIdOf, spanIdOf, traceIdOf } from "../core/wire/ids.js"
import { otlpWire } from "../core/wire/otlpWire.js"
import type { Deliver, Endpoint } from "./deliver.js"
import * as Log from "./log.js"
import { type Report, tellTo, type TellTraces } from "./report.js"
import type { Server } from "./server.js"

export interface Options {
  readonly deliver: Deliver
  readonly plain: Endpoint
  readonly server: Server
  readonly serviceName: string | undefined
  readonly tellTraces: TellTraces
  /** What becomes of pieces that were answered with 404: there is no such endpoint. Absent: they failed. */
  readonly onMissing?: ((pieces: ReadonlyArray<Piece>, report: Report) => Effect.Effect<void>) | undefined
}

export interface Otlp {
  readonly send: (batch: ReadonlyArray<Entry>, report: Report) => Effect.Effect<void>
  /** Sends what is open as it is, and waits for what is being sent. */
  readonly drain: Effect.Effect<void>
  /** Gives up what is open. */
  readonly release: () => ReadonlyArray<OtlpPiece>
}

const maxItems = 512

const tooLate: Outcome = {
  rejected: {
    reason: "Unsendable",
    status: undefined,
    description: "what it is about was sent already or never created, and Langfuse would replace all of it by this part"
  }
}

export const make = (options: Options): Effect.Effect<Otlp, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { deliver, onMissing, plain, tellTraces } = options
    const scope = yield* Effect.scope
    const assembly = new Assembly()
    const warn = Log.makeWarn()
    const endpoint = endpointOf(assembly, options)
    // Of two spans of one trace the newest to arrive wins.
    const oneByOne = yield* Effect.makeSemaphore(1)
    /** Services that share this transport each keep books of their own. */
    const reports = new WeakMap<Ledger, Report>()
    let sweeping: Fiber.RuntimeFiber<void> | undefined
    let isSending = false

    const report: Report = {
      settle: (entries, outcome) => eachLedger(entries, (own, ledger) => reports.get(ledger)?.settle(own, outcome)),
      withhold: (entries) => eachLedger(entries, (own, ledger) => reports.get(ledger)?.withhold(own))
    }

    const tell = tellTo(report, (traces, outcome) => {
      if (outcome !== "delivered") { for (const trace of traces) assembly.lose(trace) }
      tellTraces(traces, outcome)
    })

    const deliverSpans = (pieces: Array<Piece>): Effect.Effect<void> => {
      if (onMissing === undefined) return deliver(endpoint, pieces, tell)
      const missing: Array<Piece> = []
      const sent = deliver(endpoint, pieces, (pieces, verdict) => {
        if (isMissing(verdict.outcome)) missing.push(...pieces)
        else tell(pieces, verdict)
      })
      return Effect.zipRight(
        sent,
        Effect.suspend(() => missing.length === 0 ? Effect.void : onMissing(missing, report))
      )
    }

    const leave = (round: Round): Effect.Effect<void> => {
      report.withhold(round.withheld)
      if (round.late.length > 0) report.settle(round.late, tooLate)
      if (round.pieces.length === 0) return Effect.void
      const sent = round.hasTraces
        ? oneByOne.withPermits(1)(deliverSpans(round.pieces))
        : deliverSpans(round.pieces)
      return round.unfinished === 0 ? sent : Effect.zipRight(
        warn("unfinished", `${round.unfinished} Langfuse observations were sent although they never ended`),
        sent
      )
    }

    /** Only while something is open: a timer would keep a program from ending. */
    const sweep: Effect.Effect<void> = Effect.suspend(() => {
      const deadline = assembly.deadline()
      if (deadline === undefined) return Effect.void
      const expire = Effect.flatMap(Clock.currentTimeMillis, (now) => {
        isSending = true
        return leave(assembly.expire(now))
      })
      return Clock.currentTimeMillis.pipe(
        Effect.flatMap((now) => Effect.sleep(Duration.millis(Math.max(0, deadline - now)))),
        Effect.zipRight(expire),
        Effect.zipRight(Effect.sync(() => {
          isSending = false
        })),
        Effect.zipRight(sweep)
      )
    })

    const startSweeping = Effect.suspend(() => {
      if (sweeping !== undefined || assembly.deadline() === undefined) return Effect.void
      return Effect.map(Effect.forkIn(Effect.interruptible(sweep), scope), (fiber) => {
        sweeping = fiber
        fiber.addObserver(() => {
          sweeping = undefined
        })
      })
    })

    const deliverOthers = (others: ReadonlyArray<Entry>): Effect.Effect<void> =>
      deliver(plain, others.map((entry) => new Piece<Item>(mapped(entry.item), Array.of(entry), undefined)), tell)

    return {
      send: (batch, given) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          eachLedger(batch, (_, ledger) => reports.set(ledger, given))
          const others = batch.filter(({ item }) => item.kind === "plain")
          const spans = others.length === 0 ? batch : batch.filter(({ item }) => item.kind !== "plain")
          const sent = Effect.zipRight(leave(assembly.accept(spans, now)), startSweeping)
          return others.length === 0
            ? sent
            : Effect.all([sent, deliverOthers(others)], { concurrency: 2, discard: true })
        }),
      // What is open was all sent by then, so that what sweeps ends.
      drain: Effect.suspend(() => leave(assembly.expire(Infinity))).pipe(
        Effect.zipRight(
          Effect.suspend(() => sweeping !== undefined && isSending ? Effect.asVoid(Fiber.await(sweeping)) : Effect.void)
        )
      ),
      release: () => assembly.release()
    }
  })

const eachLedger = (
  entries: ReadonlyArray<Entry>,
  use: (own: ReadonlyArray<Entry>, ledger: Ledger) => void
): void => {
  const ledger = entries[0]?.ledger
  if (ledger === undefined) return
  const own = entries.filter((entry) => entry.ledger === ledger)
  use(own, ledger)
  if (own.length < entries.length) eachLedger(entries.filter((entry) => entry.ledger !== ledger), use)
}

const endpointOf = (assembly: Assembly, { server, serviceName }: Options): Endpoint => {
  const wire = otlpWire({ serviceName, dialect: () => dialectOf(server.version()) })
  return {
    path: wire.path,
    contentType: wire.contentType,
    // Spans are written as they are and can be read at once. A server that does not know the header ignores it.
    headers: { "x-langfuse-ingestion-version": "4" },
    begin: wire.begin,
    write: (out, { before, item }) => {
      if (before !== undefined) wire.write(out, before)
      if (item.kind === "observation") wire.write(out, placed(item, assembly.traceOf(item)))
      else if (item.kind === "trace") wire.write(out, item)
    },
    end: wire.end,
    maxItems,
    canCompress: true,
    read: (answer) => {
      const outcome = Answers.exportOutcome(answer)
      return () => ({ outcome, before: outcome })
    },
    divisible: Answers.isExportDivisible
  }
}

const isMissing = (outcome: Outcome): boolean =>
  outcome !== "delivered" && "failed" in outcome && isNotFound(outcome.failed)

const isNotFound = ({ reason, status }: Problem): boolean => reason === "Status" && status === 404

/** Nearly all that need one after the other are in the same trace. */
let lastTraceId = ""
let lastRoot = ""

const rootOf = (traceId: string): string => {
  if (traceId !== lastTraceId) {
    lastRoot = rootIdOf(traceIdOf(traceId))
    lastTraceId = traceId
  }
  return lastRoot
}

/** Below the span of its trace, and with what is known of the trace. */
const placed = (item: Observation, trace: Trace | undefined): Observation => {
  if (trace === undefined) return item
  const copy = new Observation(item.eventId, item.at, item.id, item.op, item.type, item.isWhole)
  Object.assign(copy, item)
  copy.parentId ??= rootOf(trace.id)
  const fields = fieldsForSpans(trace)
  copy.context = item.context === undefined ? fields : overlay(fields, item.context)
  return copy
}

/** Characters of metadata that every span of a trace repeats. More of it is on the trace's own span alone. */
const maxRepeated = 4096

const fieldsForSpans = ({ fields }: Trace): TraceFields => {
  let length = 0
  for (const [key, { text }] of fields.metadata ?? []) length += key.length + text.length
  return length <= maxRepeated ? fields : Object.assign(new TraceFields(), fields, { metadata: undefined })
}

/** With the ids that spans have here, and its own in the metadata. */
const mapped = (item: Item): Item => {
  if (item.kind !== "plain") return item
  const foreign = item.ids.flatMap(([field, id]) => {
    const sent = field === "observationId" ? spanIdOf(id) : traceIdOf(id)
    return sent === id ? [] : [{ field, id, sent }]
  })
  if (foreign.length === 0) return item
  const body: { [field: string]: unknown } = JSON.parse(item.body)
  const originals: { [field: string]: unknown } = {}
  for (const { field, id, sent } of foreign) {
    body[field] = sent
    originals[`original${field.charAt(0).toUpperCase()}${field.slice(1)}`] = id
  }
  const metadata = body["metadata"]
  body["metadata"] = {
    ...originals,
    ...(typeof metadata === "object" && metadata !== null && !Array.isArray(metadata)
      ? metadata
      : metadata === undefined || metadata === null
      ? {}
      : { metadata })
  }
  return new Plain(item.eventId, item.at, item.id, item.type, JSON.stringify(body), item.traceId, [])
}
