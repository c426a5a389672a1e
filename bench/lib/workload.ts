/**
 * What the measured programs do: turns of a model, each with its messages, its answer and its usage.
 */
import { readFileSync } from "node:fs"

export interface Message {
  readonly role: string
  readonly content: string
}

/** One turn of a model. The sink knows it by its name. */
export interface Work {
  readonly name: string
  readonly traceId: string
  readonly parentId: string
  readonly start: Date
  readonly end: Date
  readonly model: string
  readonly input: ReadonlyArray<Message>
  readonly output: Message
  readonly usage: { readonly input: number; readonly output: number }
}

export type Payload =
  | { readonly kind: "size"; readonly bytes: number }
  /** A recorded session: the whole conversation so far is the input of each turn. */
  | { readonly kind: "session"; readonly path: string }

type Content = Pick<Work, "input" | "output">

const sentence = "The tool answered \"done\" after 12 ms.\nNow look at the next file, then decide what to do. "

/** A text of its own: slices and repetitions would share one, which no program's messages do. */
const flat = (text: string): string => Buffer.from(text).toString()

const variants = 64

const ofSize = (bytes: number): ReadonlyArray<Content> => {
  const count = Math.max(1, Math.min(20, Math.round(bytes / 300)))
  const length = Math.max(8, Math.floor(bytes / (count + 1)) - 40)
  const prose = sentence.repeat(Math.ceil((length + variants) / sentence.length))
  return Array.from({ length: bytes > 20_000 ? 16 : variants }, (_, variant) => ({
    input: Array.from({ length: count }, (_, i) => ({
      role: i === 0 ? "system" : i % 2 === 1 ? "user" : "assistant",
      content: flat(prose.slice(variant, variant + length))
    })),
    output: { role: "assistant", content: flat(prose.slice(variant, variant + length)) }
  }))
}

interface Recording {
  readonly trajectory: ReadonlyArray<{ readonly response?: string | null; readonly observation?: string | null }>
  readonly history?: ReadonlyArray<{ readonly role: string; readonly content?: unknown }> | undefined
}

const ofSession = (path: string): ReadonlyArray<Content> => {
  const recording: Recording = JSON.parse(readFileSync(path, "utf8"))
  const text = (content: unknown): string => typeof content === "string" ? content : JSON.stringify(content ?? "")
  const history: Array<Message> = []
  for (const { content, role } of recording.history ?? []) {
    if (role === "assistant") break
    history.push({ role, content: text(content) })
  }
  return recording.trajectory.map((turn) => {
    const input = history.slice()
    const output = { role: "assistant", content: text(turn.response) }
    history.push(output, { role: "user", content: text(turn.observation) })
    return { input, output }
  })
}

const hex = (number: number, length: number): string => number.toString(16).padStart(length, "0")

/** Turns of one trace: an agent's step has some tens of observations. */
const turnsOfTrace = 50

/** `make(from, to)` gives the turns with these numbers. */
export const workload = (payload: Payload, name = "bench") => {
  const contents = payload.kind === "size" ? ofSize(payload.bytes) : ofSession(payload.path)
  const now = Date.now()
  const salt = Math.floor(Math.random() * 0xffff_ffff)
  const make = (from: number, to: number): Array<Work> => {
    const works: Array<Work> = []
    for (let i = from; i < to; i++) {
      const content = contents[i % contents.length]
      if (content === undefined) throw new Error("the recording has no turns")
      const trace = Math.floor(i / turnsOfTrace) + 1
      works.push({
        name: `${name}-${i}`,
        traceId: hex(salt, 16) + hex(trace, 16),
        parentId: hex(trace, 16),
        start: new Date(now + i),
        end: new Date(now + 1000 + i),
        model: "gpt-4.1",
        input: content.input,
        output: content.output,
        usage: { input: 1000 + i % 100, output: 200 }
      })
    }
    return works
  }
  return { make, turns: contents.length }
}
