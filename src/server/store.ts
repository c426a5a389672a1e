/**
 * The server's memory: its tables, and nothing else. Synchronous, so that a request is stored whole or not at all.
 */
import type { Event, EventOf } from "./events.js"
import { groupBy } from "./json.js"
import * as Merge from "./merge.js"
import type { ModelPrice, Route, ScoreConfig, StoredObservation, StoredScore, StoredTrace } from "./model.js"
import { inflateScore } from "./scores.js"
import type { Loss } from "./service.js"
import { makeShelf } from "./shelf.js"
import * as View from "./view.js"

/** How rows of the old tables get into the events table: not at all, or later by propagation. */
export type Propagation = "none" | "staged"

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

/** Something that changed. */
export type Happening =
  | { readonly _tag: "Traces"; readonly ids: ReadonlyArray<string> }
  | { readonly _tag: "Scores"; readonly ids: ReadonlyArray<string> }
  | { readonly _tag: "Evicted"; readonly ids: ReadonlyArray<string> }
  | { readonly _tag: "Trimmed"; readonly traceId: string; readonly observations: ReadonlyArray<string> }
  | { readonly _tag: "Loss"; readonly loss: Loss }

export interface Store {
  /** Takes events in the order of their processing; says by the envelope's id what was not stored, and why. */
  readonly ingest: (
    events: ReadonlyArray<Event>,
    propagation: Propagation,
    route: Route
  ) => ReadonlyMap<string, string>
  /** Observations of one export: each is merged with what was there before the export, and with nothing else. */
  readonly overwrite: (events: ReadonlyArray<EventOf<"observation">>) => void
  /** Writes rows of the events table; a row with the same key is replaced. */
  readonly write: (rows: ReadonlyArray<View.EventRow>) => void
  readonly accept: (ids: ReadonlyArray<string>) => void
  readonly lose: (loss: Loss) => void
  /** Whether an earlier export had spans of the trace, which decides if a span has to announce it. */
  readonly isKnownTrace: (id: string) => boolean
  /** Remembers the traces of an export. */
  readonly meetTraces: (ids: ReadonlyArray<string>) => void
  readonly clear: () => void
  readonly traces: (eventsFirst: boolean) => ReadonlyArray<StoredTrace>
  /** One trace, without looking at what the others hold. */
  readonly trace: (id: string, eventsFirst: boolean) => StoredTrace | undefined
  readonly observations: () => ReadonlyArray<StoredObservation>
  readonly scores: () => ReadonlyArray<StoredScore>
  readonly logs: () => ReadonlyArray<unknown>
  readonly accepted: () => ReadonlyArray<string>
  readonly losses: () => ReadonlyArray<Loss>
}

export interface Options {
  readonly scoreConfigs: ReadonlyArray<ScoreConfig>
  readonly prices: ReadonlyArray<ModelPrice>
  readonly maxBytes: number
  readonly maxTraceBytes: number
  readonly randomId: () => string
  readonly emit: (happening: Happening) => void
}

/** How many lines of a list are kept where the memory has a bound. */
const maxLines = 10_000

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  `${a}.json` < `${b}.json` ? -1 : 1

export const make = (options: Options): Store => {
  const traces: Entities<EventOf<"trace">, Merge.TraceRow> = new Map()
  const observations: Entities<EventOf<"observation">, Merge.ObservationRow> = new Map()
  const scores: Entities<EventOf<"score">, Merge.ScoreRow> = new Map()
  const events = new Map<string, View.Arrived<View.EventRow>>()
  const logs: Array<unknown> = []
  const accepted: Array<string> = []
  const losses: Array<Loss> = []
  const known = new Set<string>()
  const shelf = makeShelf(options)
  const merging = { randomId: options.randomId, prices: options.prices }
  let arrivals = 0

  const add = <A>(list: Array<A>, lines: ReadonlyArray<A>): void => {
    for (const line of lines) list.push(line)
    if (Number.isFinite(options.maxBytes) && list.length > maxLines) list.splice(0, list.length - maxLines)
  }

  const lose = (loss: Loss): void => {
    add(losses, [loss])
    options.emit({ _tag: "Loss", loss })
  }

  const entityOf = <E, Row>(entities: Entities<E, Row>, id: string): Entity<E, Row> => {
    const entity = entities.get(id) ?? { files: new Map(), row: undefined, propagation: "none", arrival: 0 }
    entities.set(id, entity)
    return entity
  }

  /** Adds one batch's events to their entities and merges each entity anew. */
  const addBatch = <E extends { readonly id: string; readonly at: number }, Row>(
    entities: Entities<E, Row>,
    batch: ReadonlyArray<E & { readonly body: { readonly id?: string | null | undefined } }>,
    merge: (id: string, existing: Row | undefined, events: ReadonlyArray<E>) => Row | undefined,
    propagation: Propagation
  ): ReadonlyArray<readonly [id: string, row: Row, events: ReadonlyArray<E>]> =>
    [...groupBy(batch, ({ body }) => body.id)].flatMap(([id, group]) => {
      const [first] = group
      if (!id || first === undefined) return []
      const entity = entityOf(entities, id)
      entity.files.set(first.id, group)
      entity.row = merge(id, entity.row, [...entity.files].sort(byName).flatMap(([, events]) => events))
      if (propagation !== "none") entity.propagation = propagation
      entity.arrival = arrivals++
      return entity.row === undefined ? [] : [[id, entity.row, group] as const]
    })

  const rowsOf = <E, Row>(entities: Entities<E, Row>): ReadonlyArray<View.Arrived<Row> & Entity<E, Row>> =>
    [...entities.values()].flatMap((entity) => entity.row === undefined ? [] : [{ ...entity, row: entity.row }])

  /** The events table as the propagation job fills it. */
  const stagedOf = (
    records: Entities<EventOf<"trace">, Merge.TraceRow>,
    own: Entities<EventOf<"observation">, Merge.ObservationRow>
  ): ReadonlyArray<View.Arrived<View.EventRow>> => [
    ...rowsOf(records).filter(({ propagation }) => propagation === "staged")
      .map(({ arrival, row }) => ({ arrival, row: View.stagedTrace(row) })),
    ...rowsOf(own).filter(({ propagation }) => propagation === "staged")
      .map(({ arrival, row }) => ({ arrival, row: View.stagedObservation(row, traces.get(row.traceId)?.row) }))
  ]

  const tables = (options: { readonly eventsFirst: boolean; readonly withStaged: boolean }): View.Tables => ({
    eventsFirst: options.eventsFirst,
    traces: rowsOf(traces).map(({ row }) => row),
    observations: rowsOf(observations),
    events: options.withStaged ? [...events.values(), ...stagedOf(traces, observations)] : [...events.values()],
    scores: rowsOf(scores).map(({ row }) => row)
  })

  const tablesOf = (traceId: string, eventsFirst: boolean): View.Tables => {
    const trace = traces.get(traceId)
    const ofTrace = <E, Row extends { readonly traceId?: string | null | undefined }>(
      entities: Entities<E, Row>
    ): Entities<E, Row> => {
      const own: Entities<E, Row> = new Map()
      for (const [id, entity] of entities) if (entity.row?.traceId === traceId) own.set(id, entity)
      return own
    }
    const record: Entities<EventOf<"trace">, Merge.TraceRow> = new Map(trace === undefined ? [] : [[traceId, trace]])
    const own = ofTrace(observations)
    const written: Array<View.Arrived<View.EventRow>> = []
    for (const arrived of events.values()) if (arrived.row.traceId === traceId) written.push(arrived)
    return {
      eventsFirst,
      traces: rowsOf(record).map(({ row }) => row),
      observations: rowsOf(own),
      events: eventsFirst ? [...written, ...stagedOf(record, own)] : written,
      scores: rowsOf(ofTrace(scores)).map(({ row }) => row)
    }
  }

  /** Tells what was written, and forgets what there is no room for. */
  const settle = (traceIds: ReadonlyArray<string>): void => {
    const ids = [...new Set(traceIds)]
    if (ids.length > 0) options.emit({ _tag: "Traces", ids })
    for (const [traceId, trimmed] of shelf.trim(ids)) {
      options.emit({ _tag: "Trimmed", traceId, observations: trimmed })
    }
    const evicted = shelf.evict()
    for (const id of evicted) known.delete(id)
    if (evicted.length > 0) options.emit({ _tag: "Evicted", ids: evicted })
  }

  const keepObservation = (id: string, row: Merge.ObservationRow, content: unknown): void =>
    shelf.put({
      traceId: row.traceId,
      key: `observation ${id}`,
      observation: id,
      content,
      forget: () => observations.delete(id)
    })

  const writeEvents = (batch: ReadonlyArray<Event>, propagation: Propagation, route: Route) => {
    const unstored = new Map<string, string>()
    const lost = (event: Event, id: string, reason: string) => {
      lose({ route, reason, id })
      unstored.set(event.id, reason)
    }
    const of = <T extends Event["entity"]>(entity: T): ReadonlyArray<EventOf<T>> =>
      batch.filter((event): event is EventOf<T> => event.entity === entity)
    const named = <E extends Exclude<Event, EventOf<"log">>>(events: ReadonlyArray<E>) =>
      events.filter((event) => {
        if (event.body.id) return true
        lost(event, event.id, "an event without body.id is not stored")
        return false
      })
    const written: Array<string> = []
    for (const [id, row, events] of addBatch(traces, named(of("trace")), Merge.mergeTrace, propagation)) {
      written.push(row.id)
      shelf.put({ traceId: row.id, key: `trace ${id}`, content: events, forget: () => traces.delete(id) })
    }
    const merge = (
      id: string,
      existing: Merge.ObservationRow | undefined,
      all: ReadonlyArray<EventOf<"observation">>
    ) => Merge.mergeObservation(id, existing, all, merging)
    for (const [id, row, events] of addBatch(observations, named(of("observation")), merge, propagation)) {
      written.push(row.traceId)
      keepObservation(id, row, events)
    }
    const fitting = named(of("score")).filter((event) => {
      const values = inflateScore(event.body, options.scoreConfigs)
      if ("dropped" in values) lost(event, event.body.id ?? event.id, values.dropped)
      return !("dropped" in values)
    })
    const mergeScore = (id: string, existing: Merge.ScoreRow | undefined, all: ReadonlyArray<EventOf<"score">>) =>
      Merge.mergeScore(id, existing, all, options.scoreConfigs)
    const elsewhere: Array<string> = []
    for (const [id, row, events] of addBatch(scores, fitting, mergeScore, "none")) {
      if (row.traceId) written.push(row.traceId)
      else elsewhere.push(id)
      shelf.put({
        traceId: row.traceId || "",
        key: `score ${id}`,
        content: events,
        forget: () => scores.delete(id)
      })
    }
    add(logs, of("log").map(({ log }) => log))
    if (elsewhere.length > 0) options.emit({ _tag: "Scores", ids: elsewhere })
    settle(written)
    return unstored
  }

  return {
    ingest: writeEvents,
    overwrite: (batch) => {
      const before = new Map(batch.map(({ body }) => [body.id, observations.get(body.id ?? "")?.row]))
      const written: Array<string> = []
      for (const event of batch) {
        const id = event.body.id ?? ""
        const entity = entityOf(observations, id)
        const row = Merge.mergeObservation(id, before.get(id), [event], merging)
        entity.row = row
        entity.arrival = arrivals++
        if (row === undefined) continue
        written.push(row.traceId)
        keepObservation(id, row, row)
      }
      settle(written)
    },
    write: (rows) => {
      for (const row of rows) {
        const key = JSON.stringify([row.traceId, row.id, row.startTime])
        events.delete(key)
        events.set(key, { row, arrival: arrivals++ })
        shelf.put({
          traceId: row.traceId,
          key,
          observation: row.id,
          content: row,
          forget: () => events.delete(key)
        })
      }
      settle(rows.map(({ traceId }) => traceId))
    },
    accept: (ids) => add(accepted, ids),
    lose,
    isKnownTrace: (id) => known.has(id),
    meetTraces: (ids) => {
      for (const id of ids) known.add(id)
    },
    clear: () => {
      for (const table of [traces, observations, scores, events, known]) table.clear()
      for (const list of [logs, accepted, losses]) list.length = 0
      shelf.clear()
    },
    traces: (eventsFirst) => View.traces(tables({ eventsFirst, withStaged: eventsFirst })),
    trace: (id, eventsFirst) => View.traces(tablesOf(id, eventsFirst))[0],
    observations: () => View.observations(tables({ eventsFirst: true, withStaged: true })),
    scores: () => View.scores(tables({ eventsFirst: true, withStaged: false })),
    logs: () => [...logs],
    accepted: () => [...accepted],
    losses: () => [...losses]
  }
}
