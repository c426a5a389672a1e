/**
 * A search through everything that traces hold: names, ids, contents, scores.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Found } from "../../console/wire.js"
import type { StoredTrace } from "../../src/LangfuseServer.js"
import { asText } from "./shape.js"
import type { Store } from "./store.js"

/** A search that takes longer gives what it has. */
const most = 5_000

const has = (value: unknown, needle: string): boolean => {
  const text = asText(value)
  return text !== null && text.toLowerCase().includes(needle)
}

const matches = (trace: StoredTrace, needle: string): boolean =>
  [trace.id, trace.name, trace.userId, trace.sessionId, trace.release, trace.version, ...trace.tags]
    .some((field) => has(field, needle)) ||
  has(trace.metadata, needle) || has(trace.input, needle) || has(trace.output, needle) ||
  trace.scores.some((score) => [score.name, score.comment, score.stringValue].some((field) => has(field, needle))) ||
  trace.observations.some((observation) =>
    [observation.id, observation.name, observation.model, observation.statusMessage, observation.promptName]
      .some((field) => has(field, needle)) ||
    has(observation.input, needle) || has(observation.output, needle) || has(observation.metadata, needle)
  )

/** The newest traces first; the process stays responsive meanwhile. */
export const search = Effect.fnUntraced(function*(store: Store, text: string) {
  const needle = text.toLowerCase()
  const started = yield* Clock.currentTimeMillis
  const traces: Array<string> = []
  for (const id of [...store.catalog.ids()].reverse()) {
    if ((yield* Clock.currentTimeMillis) - started > most) return { traces, complete: false } satisfies Found as Found
    const trace = yield* store.trace(id)
    if (trace._tag === "Some" && matches(trace.value, needle)) traces.push(id)
    yield* Effect.yieldNow()
  }
  return { traces, complete: true } satisfies Found as Found
})
