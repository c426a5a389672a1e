/**
 * Where the pages read from: the running `dev`, or the trace inside of an exported file.
 */
import type { FaultName, Found, Observation, Requests, Row, Score, TraceChanges, TraceSummary } from "../wire.js"

export interface Source {
  /** Fails with a sentence. */
  readonly trace: (id: string, since: number) => Promise<TraceChanges>
  readonly observation: (traceId: string, id: string) => Promise<Observation>
  readonly search: (text: string) => Promise<Found>
  readonly requests: () => Promise<Requests>
  readonly misbehave: (fault: FaultName) => Promise<void>
  readonly clear: () => Promise<void>
}

/** What an exported file holds. */
export interface Exported {
  readonly summary: TraceSummary
  readonly metadata: { readonly [key: string]: unknown }
  readonly observations: ReadonlyArray<{ readonly row: Row; readonly whole: Observation }>
  readonly scores: ReadonlyArray<Score>
}

/** The answer, when it is a good one. */
const ask = async (path: string, init?: RequestInit): Promise<Response> => {
  const response = await fetch(path, init)
  if (response.ok) return response
  const body: unknown = await response.json().catch(() => undefined)
  const said = typeof body === "object" && body !== null && "error" in body ? String(body.error) : undefined
  throw new Error(said ?? `The server answered ${response.status}.`)
}

// The server and the page are built together, so what it answers is taken as what it says it is.
const read = async <A>(path: string): Promise<A> => (await ask(path)).json()

const send = async (path: string, body: unknown): Promise<void> => {
  await ask(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body)
  })
}

const groups = "core,basic,time,io,metadata,model,usage,prompt,metrics,trace_context"

export const live: Source = {
  trace: (id, since) => read(`/console/api/traces/${encodeURIComponent(id)}?since=${since}`),
  observation: async (traceId, id) => {
    const query = new URLSearchParams({
      traceId,
      fields: groups,
      expandMetadata: "*",
      filter: JSON.stringify([{ type: "string", column: "id", operator: "=", value: id }])
    })
    const { data: [observation] } = await read<{ readonly data: ReadonlyArray<Observation> }>(
      `/api/public/v2/observations?${query}`
    )
    if (observation === undefined) throw new Error("There is no such observation anymore.")
    return observation
  },
  search: (text) => read(`/console/api/search?q=${encodeURIComponent(text)}`),
  requests: () => read("/console/api/requests"),
  misbehave: (fault) => send("/console/api/fault", { fault }),
  clear: () => send("/console/api/clear", {})
}

const only = async (): Promise<never> => {
  throw new Error("A file holds one trace and nothing else.")
}

export const fromFile = (file: Exported): Source => {
  const byId = new Map(file.observations.map(({ whole }) => [whole.id, whole]))
  return {
    trace: async () => ({
      revision: 1,
      summary: file.summary,
      metadata: file.metadata,
      rows: file.observations.map(({ row }) => row),
      count: file.observations.length,
      scores: file.scores
    }),
    observation: async (_, id) => byId.get(id) ?? only(),
    search: only,
    requests: only,
    misbehave: only,
    clear: only
  }
}
