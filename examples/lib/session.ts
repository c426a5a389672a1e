/**
 * A recorded agent session: a JSON file of turns, each with what the model was asked, thought and did, and what came of it.
 *
 * The shape is that of SWE-agent's trajectory files, of which only `trajectory` is required.
 */
import { FileSystem } from "@effect/platform"
import { Data, Effect, ParseResult, Schema } from "effect"

const Message = Schema.Struct({ role: Schema.String }, { key: Schema.String, value: Schema.Unknown })

const Turn = Schema.Struct({
  /** What the model said, whole. */
  response: Schema.optionalWith(Schema.String, { nullable: true }),
  thought: Schema.optionalWith(Schema.String, { nullable: true }),
  /** The command it gave. */
  action: Schema.optionalWith(Schema.String, { nullable: true }),
  /** What the command printed. */
  observation: Schema.optionalWith(Schema.String, { nullable: true }),
  /** Seconds the command took. */
  execution_time: Schema.optionalWith(Schema.Number, { nullable: true })
})

const Info = Schema.Struct({
  exit_status: Schema.optionalWith(Schema.String, { nullable: true }),
  submission: Schema.optionalWith(Schema.String, { nullable: true }),
  model_stats: Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.Number }), { nullable: true })
})

const Recording = Schema.Struct({
  environment: Schema.optional(Schema.String),
  model: Schema.optional(Schema.String),
  trajectory: Schema.NonEmptyArray(Turn),
  history: Schema.optionalWith(Schema.Array(Message), { default: () => [] }),
  info: Schema.optionalWith(Info, { default: () => ({}) })
})

export type Message = typeof Message.Type
export type Turn = typeof Turn.Type

export interface Session {
  readonly name: string
  readonly model: string | undefined
  readonly turns: ReadonlyArray<Turn & { readonly messages: ReadonlyArray<Message> }>
  readonly info: typeof Info.Type
}

/** One line that says what is wrong with a file, and where. */
export class SessionError extends Data.TaggedError("SessionError")<{ readonly line: string }> {}

export const read = (path: string): Effect.Effect<Session, SessionError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const text = yield* fs.readFileString(path).pipe(
      Effect.mapError((error) =>
        new SessionError({
          line: `${path}: cannot be read (${error._tag === "SystemError" ? error.reason : error._tag})`
        })
      )
    )
    return yield* parse(path, text)
  })

export const parse = (path: string, text: string): Effect.Effect<Session, SessionError> =>
  Effect.gen(function*() {
    const json = yield* Effect.try({
      try: (): unknown => JSON.parse(text),
      catch: (error) => new SessionError({ line: `${path}${position(text, error)}: not JSON` })
    })
    const recording = yield* Schema.decodeUnknown(Recording)(json).pipe(
      Effect.mapError((error) => {
        const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
        const where = issue === undefined ? "" : dotted(issue.path)
        return new SessionError({ line: `${path}: ${where}: ${rule(issue?.message ?? "not a session")}` })
      })
    )
    return {
      name: path.replace(/^.*[\\/]/, "").replace(/(\.traj)?\.json$/, ""),
      model: recording.model,
      turns: recording.trajectory.map((turn, index) => ({ ...turn, messages: messagesBefore(recording, index) })),
      info: recording.info
    }
  })

/** The conversation up to the model's turn: as recorded where the history has it, else put together from the turns. */
const messagesBefore = (recording: typeof Recording.Type, index: number): ReadonlyArray<Message> => {
  const spoken = recording.history.flatMap((message, at) => message.role === "assistant" ? [at] : [])
  const at = spoken[index]
  if (spoken.length === recording.trajectory.length && at !== undefined) return recording.history.slice(0, at)
  const opening = recording.history.slice(0, spoken[0] ?? recording.history.length)
  const sofar = recording.trajectory.slice(0, index).flatMap((turn) => [
    { role: "assistant", content: turn.response ?? turn.thought ?? "" },
    { role: "user", content: turn.observation ?? "" }
  ])
  return [...opening, ...sofar]
}

const position = (text: string, error: unknown): string => {
  const found = /at position (\d+)/.exec(error instanceof Error ? error.message : "")
  // An unexpected end has no position of its own.
  const before = text.slice(0, found?.[1] === undefined ? text.length : Number(found[1]))
  const lines = before.split("\n")
  return `:${lines.length}:${(lines[lines.length - 1]?.length ?? 0) + 1}`
}

const dotted = (path: ReadonlyArray<PropertyKey>): string =>
  path.length === 0 ? "top level" : path.reduce<string>(
    (text, key) => typeof key === "number" ? `${text}[${key}]` : text === "" ? String(key) : `${text}.${String(key)}`,
    ""
  )

/** A session can hold anything; an error line repeats the rule, not the value. */
const rule = (message: string): string => message.replace(/, actual .*$/s, "").split("\n")[0] ?? ""
