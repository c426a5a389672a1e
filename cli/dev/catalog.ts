/**
 * What the list of traces and the trees show, without contents, each with the revision at which it last changed. A page
 * asks for what is newer than what it has.
 */
import type { Row, TraceSummary } from "../../console/wire.js"
import type { StoredTrace } from "../../src/LangfuseServer.js"
import * as Shape from "./shape.js"

interface Entry {
  summary: TraceSummary
  rows: Map<string, Row>
}

/** More removals than this are not remembered: a page that is further behind reads everything anew. */
const removalsKept = 10_000

const isSame = (row: Row, other: Omit<Row, "revision">): boolean =>
  row.endTime === other.endTime && row.name === other.name && row.level === other.level && row.type === other.type &&
  row.parentObservationId === other.parentObservationId && row.model === other.model && row.tokens === other.tokens &&
  row.totalCost === other.totalCost && row.statusMessage === other.statusMessage && row.isPlain === other.isPlain &&
  row.startTime === other.startTime && row.completionStartTime === other.completionStartTime

export class Catalog {
  readonly #entries = new Map<string, Entry>()
  #removals: Array<{ readonly id: string; readonly revision: number }> = []
  /** What is older than this cannot be told in changes. */
  #horizon = 0
  #revision = 0
  #observations = 0

  get revision(): number {
    return this.#revision
  }

  get observations(): number {
    return this.#observations
  }

  get size(): number {
    return this.#entries.size
  }

  has(id: string): boolean {
    return this.#entries.has(id)
  }

  ids(): ReadonlyArray<string> {
    return [...this.#entries.keys()]
  }

  put(trace: StoredTrace): void {
    const revision = ++this.#revision
    const before = this.#entries.get(trace.id)
    const rows = new Map<string, Row>()
    for (const observation of Shape.observationsOf(trace)) {
      const row = Shape.row(observation)
      const known = before?.rows.get(row.id)
      rows.set(row.id, known !== undefined && isSame(known, row) ? known : { ...row, revision })
    }
    this.#observations += rows.size - (before?.rows.size ?? 0)
    this.#entries.set(trace.id, { summary: { ...Shape.summary(trace), revision }, rows })
  }

  remove(id: string): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    this.#entries.delete(id)
    this.#observations -= entry.rows.size
    this.#removals.push({ id, revision: ++this.#revision })
    if (this.#removals.length > removalsKept) {
      const [gone] = this.#removals.splice(0, removalsKept / 2).slice(-1)
      this.#horizon = gone?.revision ?? this.#horizon
    }
  }

  clear(): void {
    this.#entries.clear()
    this.#removals = []
    this.#observations = 0
    this.#horizon = ++this.#revision
  }

  /** What a page that knows everything up to `since` has to be told. */
  since(since: number): {
    readonly traces: ReadonlyArray<TraceSummary>
    readonly removed: ReadonlyArray<string>
    readonly all: boolean
  } {
    const all = since < this.#horizon || since > this.#revision || since === 0
    const traces: Array<TraceSummary> = []
    for (const { summary } of this.#entries.values()) if (all || summary.revision > since) traces.push(summary)
    const removed = all ? [] : this.#removals.filter(({ revision }) => revision > since).map(({ id }) => id)
    return { traces, removed: removed.filter((id) => !this.#entries.has(id)), all }
  }

  summary(id: string): TraceSummary | undefined {
    return this.#entries.get(id)?.summary
  }

  rows(id: string, since: number): ReadonlyArray<Row> {
    const rows: Array<Row> = []
    for (const row of this.#entries.get(id)?.rows.values() ?? []) if (row.revision > since) rows.push(row)
    return rows
  }

  /** Ids of a trace's rows: a page forgets those that are not among them. */
  count(id: string): number {
    return this.#entries.get(id)?.rows.size ?? 0
  }
}
