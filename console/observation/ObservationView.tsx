import { useMemo } from "preact/hooks"
import * as Format from "../lib/format.js"
import { type Trace, useObservation } from "../lib/useTrace.js"
import { compare, previousGeneration } from "../model/changes.js"
import * as Contents from "../model/content.js"
import * as Talk from "../model/conversation.js"
import { Icon } from "../trace/Icon.js"
import type { Observation, Row } from "../wire.js"
import { Content } from "./Content.js"
import { Conversation } from "./Conversation.js"
import { Copy } from "./Copy.js"
import { Facts } from "./Facts.js"
import { Json } from "./Json.js"
import { Scores } from "./Scores.js"
import { Usage } from "./Usage.js"
import { WhatChanged } from "./WhatChanged.js"

/** Types whose contents are talk with a model. */
const talks = new Set(["GENERATION", "AGENT", "CHAIN"])

interface Read {
  readonly input: Contents.Content
  readonly output: Contents.Content
  readonly question: Talk.Conversation | undefined
  readonly answer: Talk.Conversation | undefined
}

const readContents = (observation: Observation): Read => {
  const input = Contents.read(observation.input)
  const output = Contents.read(observation.output)
  const talking = talks.has(observation.type)
  const conversation = (content: Contents.Content, role: "user" | "assistant") =>
    content.kind === "nothing" || (!talking && content.kind === "text")
      ? undefined
      : Talk.read(Contents.valueOf(content), role)
  const question = conversation(input, "user")
  const answer = conversation(output, "assistant")
  // Bare text beside an object is not a conversation with it.
  return { input, output, question, answer }
}

const Numbers = ({ observation, row }: { readonly observation: Observation; readonly row: Row }) => {
  const isOpen = observation.endTime === null && observation.type !== "EVENT"
  return (
    <p class="numbers">
      {observation.level !== "DEFAULT" && (
        <span class={`level level-${observation.level}`}>{observation.level.toLowerCase()}</span>
      )}
      {isOpen
        ? <span class="level level-open">never ended</span>
        : observation.type !== "EVENT" && <span>{Format.duration((observation.latency ?? 0) * 1000)}</span>}
      {observation.model !== null && <span class="model">{observation.model}</span>}
      {observation.timeToFirstToken !== null && (
        <span>first token after {Format.duration(observation.timeToFirstToken * 1000)}</span>
      )}
      {row.tokens !== null && <span>{Format.plural(row.tokens, "token")}</span>}
      {observation.totalCost !== null && <span>{Format.cost(observation.totalCost)}</span>}
    </p>
  )
}

const Rest = ({ title, value }: { readonly title: string; readonly value: { readonly [key: string]: unknown } }) => (
  <details class="section">
    <summary>
      {title}: {Object.keys(value).slice(0, 6).join(", ")}
    </summary>
    <Json value={value} />
  </details>
)

const Contained = ({ observation, row, trace }: {
  readonly observation: Observation
  readonly row: Row
  readonly trace: Trace
}) => {
  const read = useMemo(() => readContents(observation), [observation.input, observation.output, observation.type])
  const previous = useMemo(() => previousGeneration(row, trace.rows), [row, trace.rows])
  const before = useObservation(row.traceId, previous?.id, previous?.revision ?? 0)
  const changes = useMemo(() => {
    if (previous === undefined || before.state !== "loaded" || before.value.id !== previous.id) return undefined
    const asked = Talk.read(Contents.valueOf(Contents.read(before.value.input)), "user")
    return asked === undefined || read.question === undefined
      ? undefined
      : compare(asked.messages, read.question.messages)
  }, [before, previous, read])
  const isTalk = read.question !== undefined || read.answer !== undefined
  return (
    <>
      {changes !== undefined && changes.before.length > 0 && (
        <WhatChanged changes={changes} name={previous?.name ?? "which has no name"} />
      )}
      {read.question === undefined && <Content title="Input" content={read.input} />}
      {isTalk && (
        <Conversation
          key={observation.id}
          messages={read.question?.messages ?? []}
          answer={read.answer?.messages ?? []}
          changes={changes}
        />
      )}
      {read.answer === undefined && <Content title="Output" content={read.output} />}
      {read.question?.rest !== undefined && <Rest title="With the input" value={read.question.rest} />}
      {read.answer?.rest !== undefined && <Rest title="With the output" value={read.answer.rest} />}
      {read.input.kind === "nothing" && read.output.kind === "nothing" && (
        <p class="quiet nothing">No input and no output were recorded.</p>
      )}
    </>
  )
}

/** All that is known of one observation, the conversation first. */
export const ObservationView = ({ row, trace }: { readonly row: Row; readonly trace: Trace }) => {
  const loaded = useObservation(row.traceId, row.id, trace.revision)
  const scores = trace.scores.filter(({ subject }) => subject?.kind === "observation" && subject.id === row.id)
  return (
    <div class="observation">
      <header class="observation-header">
        <h2>
          <Icon type={row.type} /> {row.name ?? "(no name)"}
        </h2>
        {loaded.state === "loaded" && <Numbers observation={loaded.value} row={row} />}
        {row.statusMessage !== null && (
          <p class={`status-message level-${row.level}`}>{row.statusMessage.slice(0, 5000)}</p>
        )}
        <Scores scores={scores} />
      </header>
      {loaded.state === "loading" && <p class="quiet loading">Loading…</p>}
      {loaded.state === "failed" && <p class="problem">{loaded.reason}</p>}
      {loaded.state === "loaded" && (
        <>
          <Contained key={row.id} observation={loaded.value} row={row} trace={trace} />
          <Usage observation={loaded.value} />
          <Facts observation={loaded.value} />
          <p class="foot">
            <Copy label="Copy as JSON" text={() => Contents.pretty(loaded.value)} />
          </p>
        </>
      )}
    </div>
  )
}
