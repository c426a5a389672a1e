/**
 * One trace as it grows: its rows are asked for again whenever the event stream says that it changed.
 */
import { createContext } from "preact"
import { useContext, useEffect, useRef, useState } from "preact/hooks"
import type { Observation, Row, Score, TraceSummary } from "../wire.js"
import { live, type Source } from "./source.js"

export const SourceContext = createContext<Source>(live)

export interface Trace {
  readonly summary: TraceSummary
  readonly metadata: { readonly [key: string]: unknown }
  readonly scores: ReadonlyArray<Score>
  /** A new map whenever something changed. */
  readonly rows: ReadonlyMap<string, Row>
  readonly revision: number
}

export type Loaded<A> =
  | { readonly state: "loading" }
  | { readonly state: "failed"; readonly reason: string }
  | { readonly state: "loaded"; readonly value: A }

const loading = { state: "loading" } as const

const failed = (error: unknown): Loaded<never> => ({
  state: "failed",
  reason: error instanceof Error ? error.message : String(error)
})

const load = async (source: Source, id: string, known: Trace | undefined): Promise<Trace> => {
  const changes = await source.trace(id, known?.revision ?? 0)
  const rows = new Map(known?.rows)
  for (const row of changes.rows) rows.set(row.id, row)
  // Rows went, or the server was started anew.
  if (known !== undefined && rows.size !== changes.count) return load(source, id, undefined)
  const { metadata, revision, scores, summary } = changes
  return { summary, metadata, scores, revision, rows }
}

/** `revision` is the newest that is known to exist. Readings follow each other; one that is not needed anymore is left out. */
export const useTrace = (id: string, revision: number | undefined): Loaded<Trace> => {
  const source = useContext(SourceContext)
  const [trace, setTrace] = useState<Loaded<Trace>>(loading)
  const known = useRef<Trace | undefined>(undefined)
  const reading = useRef(Promise.resolve())
  useEffect(() => {
    let isGone = false
    reading.current = reading.current.then(async () => {
      const { current } = known
      if (isGone || (current !== undefined && (revision ?? 0) <= current.revision)) return
      try {
        const value = await load(source, id, current)
        known.current = value
        setTrace({ state: "loaded", value })
      } catch (error) {
        setTrace(failed(error))
      }
    })
    return () => {
      isGone = true
    }
  }, [id, revision, source])
  return trace
}

/** One observation with its contents, read again when `revision` grows; the old one is shown until then. */
export const useObservation = (
  traceId: string,
  id: string | undefined,
  revision: number
): Loaded<Observation> => {
  const source = useContext(SourceContext)
  const [loaded, setLoaded] = useState<Loaded<Observation>>(loading)
  useEffect(() => {
    if (id === undefined) return
    let isGone = false
    setLoaded((before) => before.state === "loaded" && before.value.id === id ? before : loading)
    source.observation(traceId, id).then(
      (value) => !isGone && setLoaded({ state: "loaded", value }),
      (error: unknown) => !isGone && setLoaded(failed(error))
    )
    return () => {
      isGone = true
    }
  }, [traceId, id, revision, source])
  return loaded
}
