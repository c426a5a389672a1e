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
import { Console, Effect, Option } from "effect"
import { Langfuse, LangfuseIngest } from "effect-langfuse"
import { fileURLToPath } from "node:url"
import * as ReplayClock from "./lib/clock.js"
import * as Endpoint from "./lib/endpoint.js"
import { readArguments, runMain, settle, UsageError } from "./lib/main.js"
import * as Session from "./lib/session.js"
import { render } from "./lib/tree.js"

/** What a turn of the model takes in the replay: recordings do not say. */
const thinking = "250 millis"

/** The model's part of a turn: the whole conversation so far goes in, its answer comes out. */
const think = (session: Session.Session, turn: Session.Session["turns"][number], number: number) =>
  Effect.succeed({ role: "assistant", content: turn.response ?? turn.thought }).pipe(
    Effect.delay(thinking),
    Langfuse.generation(`turn ${number}`, {
      input: turn.messages,
      output: (answer) => answer,
      model: session.model
    })
  )

/** The tool's part: a command goes in, what it printed comes out. */
const act = (action: string, turn: Session.Turn) =>
  Effect.succeed(turn.observation).pipe(
    Effect.delay(`${Math.round((turn.execution_time ?? 0) * 1000)} millis`),
    Langfuse.tool(action.split(/\s/)[0] ?? action, { input: action, output: (observation) => observation })
  )

const actionOf = (turn: Session.Turn): string => turn.action?.trim() ?? ""

/** The session as a traced run; returns the id of its trace. */
const replay = (session: Session.Session) =>
  Effect.gen(function*() {
    for (const [index, turn] of session.turns.entries()) {
      yield* think(session, turn, index + 1)
      const action = actionOf(turn)
      if (action !== "") yield* act(action, turn)
    }
    if (session.info.exit_status !== undefined) {
      yield* Langfuse.scoreTrace({ name: "exit status", dataType: "CATEGORICAL", value: session.info.exit_status })
    }
    return yield* Effect.flatten(Langfuse.currentTraceId)
  }).pipe(
    Langfuse.agent(session.name, {
      input: session.turns[0]?.messages,
      output: () => session.info.submission,
      metadata: session.info.model_stats
    }),
    Langfuse.withTrace({ name: session.name, sessionId: `replay of ${session.name}`, tags: ["replay"] })
  )

/** How many of each kind the replay must have left on the server. */
const expected = (session: Session.Session) =>
  [
    ["GENERATION", session.turns.length],
    ["TOOL", session.turns.filter((turn) => actionOf(turn) !== "").length],
    ["AGENT", 1]
  ] as const

/** Prints the trace as the embedded server holds it; returns what is missing. */
const compare = (session: Session.Session, traceId: string) =>
  Effect.gen(function*() {
    const embedded = yield* Endpoint.Embedded
    if (Option.isNone(embedded)) return []
    const stored = yield* embedded.value.trace(traceId)
    if (Option.isNone(stored)) return ["the server does not hold the trace"]
    const { observations, scores } = stored.value
    yield* Console.log(render(stored.value))
    const problems = expected(session).flatMap(([type, count]) => {
      const held = observations.filter((observation) => observation.type === type).length
      return held === count ? [] : [`${count} observations of type ${type} were sent, the server holds ${held}`]
    })
    const scored = session.info.exit_status === undefined ? 0 : 1
    return scores.length === scored
      ? problems
      : [...problems, `${scored} scores were sent, the server holds ${scores.length}`]
  })

runMain(Effect.gen(function*() {
  const { rest, server } = yield* readArguments
  if (rest.length > 1) return yield* new UsageError({ line: "npm start takes one session file" })
  const session = yield* Session.read(rest[0] ?? fileURLToPath(new URL("session.json", import.meta.url)))

  return yield* Effect.gen(function*() {
    const traceId = yield* Effect.withClock(replay(session), yield* ReplayClock.make)
    const ingest = yield* LangfuseIngest.LangfuseIngest
    yield* ingest.flush
    const missing = yield* compare(session, traceId)
    return [...missing, ...yield* settle]
  }).pipe(Effect.provide(Endpoint.layer(server, { capacity: 100_000 })))
}))
