import { useMemo } from "preact/hooks"
import { type Trace, useObservation } from "../lib/useTrace.js"
import * as Contents from "../model/content.js"
import * as Talk from "../model/conversation.js"
import { Conversation } from "../observation/Conversation.js"
import { Json } from "../observation/Json.js"
import { ObservationView } from "../observation/ObservationView.js"
import { Scores } from "../observation/Scores.js"
import type { Row } from "../wire.js"

const depthOf = (row: Row, rows: ReadonlyMap<string, Row>): number => {
  let depth = 0
  for (let id = row.parentObservationId; id !== null && depth < 100; depth++) {
    id = rows.get(id)?.parentObservationId ?? null
  }
  return depth
}

/** The generation that has seen most of the conversation: the last one of those nearest to the root. */
const lastGeneration = (rows: ReadonlyMap<string, Row>): Row | undefined => {
  let found: { readonly row: Row; readonly depth: number } | undefined
  for (const row of rows.values()) {
    if (row.type !== "GENERATION") continue
    const depth = depthOf(row, rows)
    if (
      found === undefined || depth < found.depth || (depth === found.depth && row.startTime >= found.row.startTime)
    ) found = { row, depth }
  }
  return found?.row
}

const firstRoot = (rows: ReadonlyMap<string, Row>): Row | undefined => {
  let found: Row | undefined
  for (const row of rows.values()) {
    if (row.parentObservationId !== null && rows.has(row.parentObservationId)) continue
    if (found === undefined || row.startTime < found.startTime) found = row
  }
  return found
}

const Said = ({ row, trace }: { readonly row: Row; readonly trace: Trace }) => {
  const loaded = useObservation(row.traceId, row.id, trace.revision)
  const talk = useMemo(() => {
    if (loaded.state !== "loaded") return undefined
    const { input, output } = loaded.value
    return {
      question: Talk.read(Contents.valueOf(Contents.read(input)), "user"),
      answer: Talk.read(Contents.valueOf(Contents.read(output)), "assistant")
    }
  }, [loaded])
  if (loaded.state === "failed") return <p class="problem">{loaded.reason}</p>
  if (talk === undefined) return <p class="quiet loading">Loading…</p>
  if (talk.question === undefined && talk.answer === undefined) return <ObservationView row={row} trace={trace} />
  return <Conversation messages={talk.question?.messages ?? []} answer={talk.answer?.messages ?? []} />
}

/** The trace as what was said in it. */
export const Overview = ({ trace }: { readonly trace: Trace }) => {
  const { metadata, rows } = trace
  const row = useMemo(() => lastGeneration(rows), [rows])
  const root = useMemo(() => firstRoot(rows), [rows])
  const scores = trace.scores.filter(({ subject }) => subject?.kind === "trace")
  return (
    <div class="observation overview">
      <Scores scores={scores} />
      {row !== undefined
        ? <Said key={row.id} row={row} trace={trace} />
        : root !== undefined && <ObservationView key={root.id} row={root} trace={trace} />}
      {Object.keys(metadata).length > 0 && (
        <details class="section">
          <summary>Metadata of the trace</summary>
          <Json value={metadata} />
        </details>
      )}
    </div>
  )
}
