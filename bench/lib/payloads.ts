/** Values that programs trace, for the micro-benchmarks. */
import { readFileSync } from "node:fs"

const prose = "The tool answered \"done\" after 12 ms.\nNow look at the next file, then decide what to do. "

export const messages = (count: number, size: number, text = prose): ReadonlyArray<unknown> =>
  Array.from({ length: count }, (_, i) => ({
    role: i % 2 === 0 ? "user" : "assistant",
    content: text.repeat(Math.ceil(size / count / text.length)).slice(0, size / count)
  }))

const session: unknown = JSON.parse(readFileSync(new URL("../../examples/session.json", import.meta.url), "utf8"))

export const plain: ReadonlyArray<readonly [string, unknown]> = [
  ["1 KB of messages", messages(5, 1000)],
  ["20 KB of messages", messages(12, 20_000)],
  ["recorded session", session],
  ["1 MB of messages", messages(50, 1_000_000)],
  ["20 KB of messages, not Latin-1", messages(12, 20_000, `${prose}終わり。`)],
  ["an embedding, 1536 numbers", Array.from({ length: 1536 }, (_, i) => Math.sin(i))],
  ["1000 records", Array.from({ length: 1000 }, (_, i) => ({ id: i, name: `record ${i}`, tags: ["a", "b"], ok: true }))]
]
