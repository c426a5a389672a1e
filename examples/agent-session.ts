/**
 * Replays a recorded agent session as one trace: a generation for each turn of the model, with the whole conversation so
 * far as its input, a tool observation for each action, and a score for how it ended.
 *
 *   npm start                                 the session in examples/session.json
 *   npm start -- path/to/recording.json       any other recording
 *   npm start -- --server v3                  against an embedded Langfuse v3 instead of v4
 *
 * It sends to an embedded server over real HTTP, or to the one that `LANGFUSE_*` names, prints what the *server* holds and
 * the ledger, and exits with 1 when the two disagree.
 */
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Clock, Console, Data, DateTime, Effect, Option } from "effect"
import { IngestionEvent, LangfuseIngest } from "effect-langfuse"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import * as Endpoint from "./lib/endpoint.js"
import * as Session from "./lib/session.js"
import { render } from "./lib/tree.js"

class UsageError extends Data.TaggedError("UsageError")<{ readonly line: string }> {}

const usage = Effect.try({
  try: () => {
    const { positionals, values } = parseArgs({
      allowPositionals: true,
      options: { server: { type: "string", default: "v4" } }
    })
    if (values.server !== "v3" && values.server !== "v4") throw new Error("--server takes v3 or v4")
    if (positionals.length > 1) throw new Error("takes one session file")
    const server: Endpoint.Version = values.server
    return { server, path: positionals[0] ?? fileURLToPath(new URL("session.json", import.meta.url)) }
  },
  catch: (error) =>
    new UsageError({ line: `npm start: ${error instanceof Error ? error.message.split("\n")[0] : error}` })
})

/** Milliseconds a model turn takes in the replay: recordings do not say. */
const thinking = 250

const replay = (session: Session.Session) =>
  Effect.gen(function*() {
    const ingest = yield* LangfuseIngest.LangfuseIngest
    let now = yield* Clock.currentTimeMillis
    const elapse = (milliseconds: number) => {
      const start = DateTime.unsafeMake(now)
      now += Math.max(1, Math.round(milliseconds))
      return { startTime: start, endTime: DateTime.unsafeMake(now) }
    }

    const trace = yield* IngestionEvent.traceCreate({
      name: session.name,
      sessionId: `replay of ${session.name}`,
      tags: ["replay"],
      input: session.turns[0]?.messages,
      output: session.info.submission,
      metadata: session.info.model_stats
    })
    yield* ingest.enqueue(trace)
    const traceId = trace.body.id

    for (const [index, turn] of session.turns.entries()) {
      yield* ingest.enqueue(
        yield* IngestionEvent.generationCreate({
          traceId,
          name: `turn ${index + 1}`,
          input: turn.messages,
          output: { role: "assistant", content: turn.response ?? turn.thought },
          model: session.model,
          ...elapse(thinking)
        })
      )
      const action = turn.action?.trim() ?? ""
      if (action === "") continue
      yield* ingest.enqueue(
        yield* IngestionEvent.toolCreate({
          traceId,
          name: action.split(/\s/)[0],
          input: action,
          output: turn.observation,
          ...elapse((turn.execution_time ?? 0) * 1000)
        })
      )
    }
    if (session.info.exit_status !== undefined) {
      yield* ingest.enqueue(
        yield* IngestionEvent.scoreCreate({
          traceId,
          name: "exit status",
          dataType: "CATEGORICAL",
          value: session.info.exit_status
        })
      )
    }
    return traceId
  })

/** What the replay must have left on the server. */
const expected = (session: Session.Session) => ({
  generations: session.turns.length,
  tools: session.turns.filter((turn) => (turn.action?.trim() ?? "") !== "").length,
  scores: session.info.exit_status === undefined ? 0 : 1
})

const program = Effect.gen(function*() {
  const { path, server } = yield* usage
  const session = yield* Session.read(path)

  const problems = yield* Effect.gen(function*() {
    const ingest = yield* LangfuseIngest.LangfuseIngest
    const embedded = yield* Endpoint.Embedded
    const traceId = yield* replay(session)
    const flushed = yield* ingest.flush
    const stats = yield* ingest.stats
    const found: Array<string> = []

    if (Option.isSome(embedded)) {
      const stored = yield* embedded.value.trace(traceId)
      if (Option.isNone(stored)) found.push("the server does not hold the trace")
      else {
        yield* Console.log(render(stored.value))
        const counts = {
          generations: stored.value.observations.filter(({ type }) => type === "GENERATION").length,
          tools: stored.value.observations.filter(({ type }) => type === "TOOL").length,
          scores: stored.value.scores.length
        }
        for (const [kind, count] of Object.entries(expected(session))) {
          const held = counts[kind as keyof typeof counts]
          if (held !== count) found.push(`${count} ${kind} were sent, but the server holds ${held}`)
        }
      }
    }
    yield* Console.log(`\nledger ${Object.entries(stats).map(([name, count]) => `${name} ${count}`).join(" · ")}`)
    const { offered, ...outcomes } = stats
    if (Object.values(outcomes).reduce((sum, count) => sum + count, 0) !== offered) {
      found.push("the ledger does not balance")
    }
    if (stats.delivered !== offered) found.push(`${offered - stats.delivered} events did not arrive`)
    if (flushed.pending > 0) found.push(`${flushed.pending} events were still pending after the flush`)
    return found
  }).pipe(Effect.provide(Endpoint.layer(server, { capacity: 100_000 })))

  yield* Effect.forEach(problems, (problem) => Console.error(problem), { discard: true })
  return problems.length === 0 ? 0 : 1
})

const exitWith = (code: number) => Effect.sync(() => void (process.exitCode = code))

program.pipe(
  Effect.flatMap(exitWith),
  Effect.catchTags({
    // One line, no stack: these are about what was asked, not about the program.
    UsageError: ({ line }) => Effect.zipRight(Console.error(line), exitWith(2)),
    SessionError: ({ line }) => Effect.zipRight(Console.error(line), exitWith(2)),
    ConfigError: (error) => Effect.zipRight(Console.error(String(error)), exitWith(2))
  }),
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain
)
