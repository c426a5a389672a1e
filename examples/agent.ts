/**
 * A support agent that looks things up, calls tools, one of which fails, and streams its answer: two questions in two
 * sessions, each its own trace, scored by what the user thought of the answer. The model is scripted.
 *
 *   npm run example:agent
 */
import { Chunk, Effect, Stream } from "effect"
import { Langfuse } from "effect-langfuse"
import { example } from "./lib/main.js"

interface Message {
  readonly role: "system" | "user" | "assistant" | "tool"
  readonly content: string
}

interface Step {
  readonly text: string
  readonly tool?: { readonly name: string; readonly argument: string }
  readonly tokens: { readonly input: number; readonly output: number }
}

const model = "support-model-1"

/** Passages that fit a question, best first. */
const search = (question: string) =>
  Effect.succeed([
    { title: "Opening hours", score: 0.91 },
    { title: `About: ${question}`, score: 0.64 }
  ]).pipe(
    Effect.delay("5 millis"),
    Langfuse.retriever("search handbook", { input: question, output: (passages) => passages })
  )

const tools: Record<string, (argument: string) => Effect.Effect<string, string>> = {
  hours: (day) => Effect.delay(Effect.succeed(`${day}: 9 to 17`), "3 millis"),
  order: (id) => Effect.delay(Effect.fail(`no order ${id}`), "4 millis")
}

/** A failing tool is an observation of level ERROR, and something for the model to know, not the end. */
const call = (name: string, argument: string) =>
  (tools[name]?.(argument) ?? Effect.fail(`no tool ${name}`)).pipe(
    Langfuse.tool(name, { input: { argument }, output: (result) => result }),
    Effect.catchAll((problem) => Effect.succeed(`error: ${problem}`))
  )

const decide = (messages: ReadonlyArray<Message>, script: Step) =>
  Effect.succeed(script).pipe(
    Effect.delay("8 millis"),
    Langfuse.generation("decide", {
      model,
      modelParameters: { temperature: 0 },
      input: messages,
      output: ({ text, tool }) => ({ role: "assistant", content: text, tool }),
      usage: ({ tokens }) => tokens
    })
  )

/** The last word is streamed; the time to the first piece of it becomes the observation's time to first token. */
const write = (messages: ReadonlyArray<Message>, answer: string) =>
  Stream.fromIterable(answer.split(/(?<= )/)).pipe(
    Stream.tap(() => Effect.sleep("2 millis")),
    Langfuse.observeStream("write", {
      type: "generation",
      model,
      input: messages,
      output: (pieces: ReadonlyArray<string>) => pieces.join(""),
      usage: (pieces: ReadonlyArray<string>) => ({ input: 120, output: pieces.length })
    }),
    Stream.runCollect,
    Effect.map(Chunk.join(""))
  )

const answer = (question: string, steps: ReadonlyArray<Step>, last: string) =>
  Effect.gen(function*() {
    const passages = yield* search(question)
    let messages: ReadonlyArray<Message> = [
      { role: "system", content: passages.map((passage) => passage.title).join("\n") },
      { role: "user", content: question }
    ]
    for (const script of steps) {
      const { text, tool } = yield* decide(messages, script)
      messages = [...messages, { role: "assistant", content: text }]
      if (tool !== undefined) {
        messages = [...messages, { role: "tool", content: yield* call(tool.name, tool.argument) }]
      }
    }
    return yield* write(messages, last)
  }).pipe(
    Langfuse.agent("support", { input: question, output: (text) => text })
  )

/** One question of one user, and what they thought of the answer. */
const ask = (
  question: string,
  run: Effect.Effect<string>,
  verdict: { readonly value: boolean; readonly comment?: string },
  trace: Langfuse.Trace
) =>
  run.pipe(
    Effect.tap(Langfuse.scoreTrace({ name: "helpful", ...verdict })),
    Langfuse.chain("ask", { input: question, output: (text: string) => text }),
    Langfuse.withTrace({ name: "question", ...trace })
  )

const friday = "Are you open on Friday?"
const first = ask(
  friday,
  answer(friday, [
    { text: "I look at the hours.", tool: { name: "hours", argument: "Friday" }, tokens: { input: 80, output: 12 } }
  ], "Yes, on Friday from 9 to 17."),
  { value: true },
  { userId: "ada", sessionId: "chat-1", tags: ["hours"] }
)

const order = "Where is my order 17?"
const second = ask(
  order,
  answer(order, [
    { text: "I look the order up.", tool: { name: "order", argument: "17" }, tokens: { input: 90, output: 14 } },
    { text: "It is not there.", tokens: { input: 120, output: 6 } }
  ], "There is no order with the number 17."),
  { value: false, comment: "the user meant 71" },
  { userId: "grace", sessionId: "chat-2", tags: ["order"] }
)

example(Effect.all([first, second], { concurrency: "unbounded" }))
