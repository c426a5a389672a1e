import { useMemo } from "preact/hooks"
import { type Trace, useObservation, useTrace } from "../lib/useTrace.js"
import * as Contents from "../model/content.js"
import * as Talk from "../model/conversation.js"
import { Content } from "../observation/Content.js"
import { Conversation } from "../observation/Conversation.js"
import { Scores } from "../observation/Scores.js"
import type { Row } from "../wire.js"

/** The observation whose input and output are those of the trace: the first root. */
const rootOf = ({ rows }: Trace): Row | undefined => {
  let found: Row | undefined
  for (const row of rows.values()) {
    const isRoot = row.parentObservationId === null || !rows.has(row.parentObservationId)
    if (isRoot && !row.isPlain && (found === undefined || row.startTime < found.startTime)) found = row
  }
  return found
}

/** What the user said last: in a thread, the traces before have shown the rest. */
const lastQuestion = (messages: ReadonlyArray<Talk.Message>): ReadonlyArray<Talk.Message> => {
  const at = messages.map(({ role }) => role).lastIndexOf("user")
  return at < 0 ? messages.slice(-1) : messages.slice(at)
}

const Said = ({ row, trace }: { readonly row: Row; readonly trace: Trace }) => {
  const loaded = useObservation(row.traceId, row.id, trace.revision)
  const read = useMemo(() => {
    if (loaded.state !== "loaded") return undefined
    const input = Contents.read(loaded.value.input)
    const output = Contents.read(loaded.value.output)
    return {
      input,
      output,
      question: Talk.read(Contents.valueOf(input), "user"),
      answer: Talk.read(Contents.valueOf(output), "assistant")
    }
  }, [loaded])
  if (loaded.state === "failed") return <p class="problem">{loaded.reason}</p>
  if (read === undefined) return <p class="quiet loading">Loading…</p>
  return (
    <>
      {read.question === undefined && <Content title="Input" content={read.input} />}
      <Conversation messages={lastQuestion(read.question?.messages ?? [])} answer={read.answer?.messages ?? []} />
      {read.answer === undefined && <Content title="Output" content={read.output} />}
    </>
  )
}

/** One trace of a session: what was asked, and what came of it. */
export const Turn = ({ id, revision }: { readonly id: string; readonly revision: number }) => {
  const loaded = useTrace(id, revision)
  if (loaded.state === "loading") return <p class="quiet loading">Loading…</p>
  if (loaded.state === "failed") return <p class="problem">{loaded.reason}</p>
  const row = rootOf(loaded.value)
  return (
    <>
      {row !== undefined && <Said key={row.id} row={row} trace={loaded.value} />}
      <Scores scores={loaded.value.scores.filter(({ subject }) => subject?.kind === "trace")} />
    </>
  )
}
