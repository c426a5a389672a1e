/** The batch endpoint: one event a piece, and a verdict on each in the answer. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Entry } from "../core/flow/ledger.js"
import { Piece } from "../core/flow/piece.js"
import { Stamps } from "../core/flow/stamps.js"
import { DerivedTrace, Traces } from "../core/flow/traces.js"
import * as Answers from "../core/wire/answers.js"
import { dialectOf } from "../core/wire/dialect.js"
import { ingestionWire } from "../core/wire/ingestionWire.js"
import * as IngestionResponse from "../IngestionResponse.js"
import type { Deliver, Endpoint, Tell } from "./deliver.js"
import type { Server } from "./server.js"

/** v3 writes an object to its blob storage for every entity of a request before it answers. */
const maxItems = 256

/** Both sides of a request: how it is written depends on what the server knows. */
export const endpoint = (server: Server): Endpoint => {
  const { begin, contentType, end, path } = ingestionWire(dialectOf(undefined))
  return {
    path,
    contentType,
    headers: {},
    begin,
    write: (out, { before, item }) => {
      const { write } = ingestionWire(dialectOf(server.version()))
      if (before !== undefined) write(out, before)
      write(out, item)
    },
    end,
    maxItems,
    canCompress: false,
    read: (answer) =>
      Either.match(IngestionResponse.decode(answer.text), {
        onLeft: () => {
          const unexpected = { failed: Answers.unexpectedBody(answer) }
          return () => ({ outcome: unexpected, before: unexpected })
        },
        onRight: (response) => {
          const outcomeOf = Answers.batchOutcomes(response)
          return ({ before, item }) => ({
            outcome: outcomeOf(item),
            before: before === undefined ? "delivered" : outcomeOf(before)
          })
        }
      }),
    divisible: Answers.isBatchDivisible
  }
}

export interface Ingestion {
  /** The list is emptied at the end. */
  readonly send: (pieces: Array<Piece>, tell: Tell) => Effect.Effect<void>
}

export const piecesOf = (batch: ReadonlyArray<Entry>): Array<Piece> =>
  batch.map((entry) => new Piece(entry.item, Array.of(entry), undefined))

export const make = (deliver: Deliver, server: Server): Ingestion => {
  const to = endpoint(server)
  const stamps = new Stamps()
  const traces = new Traces()
  return {
    send: (pieces, tell) =>
      Effect.suspend(() => {
        const derive = traces.batch()
        for (const piece of pieces) {
          piece.before = derive(piece.item)
          if (piece.before !== undefined) stamps.stamp(piece.before)
          stamps.stamp(piece.item)
        }
        return deliver(to, pieces, (pieces, verdict) => {
          if (verdict.before === "delivered") {
            for (const { before } of pieces) if (before instanceof DerivedTrace) traces.delivered(before)
          }
          tell(pieces, verdict)
        })
      })
  }
}
