/**
 * The server's memory: its tables, and nothing else. Synchronous, so that a request is stored whole or not at all.
 */
import type { Event } from "./events.js"
import type { ScoreConfig, StoredObservation, StoredScore, StoredTrace } from "./model.js"
import { mergeObservation, mergeTrace, type ObservationRow, type TraceRow } from "./rows.js"
import { inflateScore, mergeScore, type ScoreRow } from "./scores.js"
import type { Loss, Route } from "./service.js"
import * as View from "./view.js"

type EventOf<Entity> = Extract<Event, { readonly entity: Entity }>

/**
 * How a row of the old tables is seen from the events table: not at all, by propagation, or because the same span
 * was also written there directly.
 */
export type Propagation = "none" | "staged" | "direct"

/**
 * All events of one trace, observation or score. They lie in files named after an event's id: a file sent again
 * replaces the old one.
 */
interface Entity<E, Row> {
  readonly files: Map<string, ReadonlyArray<E>>
  row: Row | undefined
  propagation: Propagation
  arrival: number
}

type Entities<E, Row> = Map<string, Entity<E, Row>>

export interface Store {
  /** Takes events in the order of their processing. */
  readonly ingest: (events: ReadonlyArray<Event>, propagation: Propagation, route: Route) => void
  /** Writes rows of the events table; a row with the same key is replaced. */
  readonly write: (rows: ReadonlyArray<View.EventRow>) => void
  readonly accept: (ids: ReadonlyArray<string>) => void
  readonly lose: (loss: Loss) => void
  /** Whether the trace was ever heard of, which decides if a span has to announce it. */
  readonly knowsTrace: (id: string) => boolean
  readonly clear: () => void
  readonly traces: (eventsFirst: boolean) => ReadonlyArray<StoredTrace>
  readonly observations: (eventsFirst: boolean) => ReadonlyArray<StoredObservation>
  readonly scores: () => ReadonlyArray<StoredScore>
  readonly logs: () => ReadonlyArray<unknown>
  readonly accepted: () => ReadonlyArray<string>
  readonly losses: () => ReadonlyArray<Loss>
}

export const make = (options: {
  readonly scoreConfigs: ReadonlyArray<ScoreConfig>
  readonly randomId: () => string
}): Store => {
  const traces: Entities<EventOf<"trace">, TraceRow> = new Map()
  const observations: Entities<EventOf<"observation">, ObservationRow> = new Map()
  const scores: Entities<EventOf<"score">, ScoreRow> = new Map()
  const events = new Map<string, View.Arrived<View.EventRow>>()
  const logs: Array<unknown> = []
  const accepted: Array<string> = []
  const losses: Array<Loss> = []
  let arrivals = 0

  /** Adds one batch's events to their entities and merges each entity anew. */
  const add = <E extends { readonly id: string; readonly at: number }, Row>(
    entities: Entities<E, Row>,
    idOf: (event: E) => string | null | undefined,
    batch: ReadonlyArray<E>,
    merge: (id: string, existing: Row | undefined, events: ReadonlyArray<E>) => Row | undefined,
    options: { readonly propagation: Propagation; readonly route: Route }
  ): void => {
    const groups = new Map<string, Array<E>>()
    for (const event of batch) {
      const id = idOf(event)
      if (!id) {
        losses.push({ route: options.route, reason: "an event without body.id is not stored", id: event.id })
        continue
      }
      const group = groups.get(id)
      if (group === undefined) groups.set(id, [event])
      else group.push(event)
    }
    for (const [id, group] of groups) {
      const earliest = group.reduce((first, event) => event.at < first.at ? event : first)
      const entity = entities.get(id) ?? { files: new Map(), row: undefined, propagation: "none", arrival: 0 }
      entities.set(id, entity)
      entity.files.set(earliest.id, group)
      entity.row = merge(id, entity.row, [...entity.files.values()].flat())
      if (options.propagation !== "none") entity.propagation = options.propagation
      entity.arrival = arrivals++
    }
  }

  const rowsOf = <E, Row>(entities: Entities<E, Row>): ReadonlyArray<View.Arrived<Row> & Entity<E, Row>> =>
    [...entities.values()].flatMap((entity) => entity.row === undefined ? [] : [{ ...entity, row: entity.row }])

  /** The events table as the propagation job fills it. */
  const staged = (): ReadonlyArray<View.Arrived<View.EventRow>> => [
    ...rowsOf(traces).filter(({ propagation }) => propagation === "staged")
      .map(({ arrival, row }) => ({ arrival, row: View.stagedTrace(row) })),
    ...rowsOf(observations).filter(({ propagation }) => propagation === "staged")
      .map(({ arrival, row }) => ({ arrival, row: View.stagedObservation(row, traces.get(row.traceId)?.row) }))
  ]

  const tables = (eventsFirst: boolean): View.Tables => {
    // A row that is in both tables is shown from the one that counts, and only from there.
    const shown = (entity: { readonly propagation: Propagation }) => !eventsFirst || entity.propagation === "none"
    return {
      eventsFirst,
      traces: rowsOf(traces).filter(shown).map(({ row }) => row),
      observations: rowsOf(observations).filter(shown),
      events: eventsFirst ? [...events.values(), ...staged()] : [...events.values()],
      scores: rowsOf(scores).map(({ row }) => row)
    }
  }

  return {
    ingest: (batch, propagation, route) => {
      const where = { propagation, route }
      add(traces, ({ body }) => body.id, batch.filter((event) => event.entity === "trace"), mergeTrace, where)
      add(
        observations,
        ({ body }) => body.id,
        batch.filter((event) => event.entity === "observation"),
        (id, existing, events) => mergeObservation(id, existing, events, options.randomId),
        where
      )
      add(
        scores,
        ({ body }) => body.id,
        batch.filter((event) => event.entity === "score").filter((event) => {
          const values = inflateScore(event.body, options.scoreConfigs)
          if (!("dropped" in values)) return true
          losses.push({ route, reason: values.dropped, id: event.body.id ?? event.id })
          return false
        }),
        (id, existing, events) => mergeScore(id, existing, events, options.scoreConfigs),
        where
      )
      for (const event of batch) if (event.entity === "log") logs.push(event.log)
    },
    write: (rows) => {
      for (const row of rows) {
        const key = JSON.stringify([row.traceId, row.id, row.startTime])
        events.delete(key)
        events.set(key, { row, arrival: arrivals++ })
      }
    },
    accept: (ids) => {
      for (const id of ids) accepted.push(id)
    },
    lose: (loss) => {
      losses.push(loss)
    },
    knowsTrace: (id) => traces.has(id),
    clear: () => {
      for (const table of [traces, observations, scores, events]) table.clear()
      for (const list of [logs, accepted, losses]) list.length = 0
    },
    traces: (eventsFirst) => View.traces(tables(eventsFirst)),
    observations: (eventsFirst) => View.observations(tables(eventsFirst)),
    scores: () => View.scores(tables(true)),
    logs: () => [...logs],
    accepted: () => [...accepted],
    losses: () => [...losses]
  }
}
