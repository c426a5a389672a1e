/**
 * Traces to show the pages with: a travel agent with tools, in a session of three questions, of which one fails.
 */
import { Clock, Data, Effect } from "effect"
import { Langfuse } from "effect-langfuse"

interface Message {
  readonly role: string
  readonly content: unknown
  readonly tool_calls?: ReadonlyArray<unknown>
  readonly tool_call_id?: string
}

const system: Message = {
  role: "system",
  content:
    "You plan journeys by train. Look connections up with the tools, never guess a time, and answer in a short table."
}

const user = (content: string): Message => ({ role: "user", content })

const calls = (...named: ReadonlyArray<readonly [string, string, unknown]>): Message => ({
  role: "assistant",
  content: null,
  tool_calls: named.map(([id, name, args]) => ({
    id,
    type: "function",
    function: { name, arguments: JSON.stringify(args) }
  }))
})

const result = (id: string, content: unknown): Message => ({
  role: "tool",
  tool_call_id: id,
  content: typeof content === "string" ? content : JSON.stringify(content)
})

const tools = ["find_connections", "seat_map", "book"].map((name) => ({ type: "function", function: { name } }))

/** A model's turn; the cost is that of a small model. */
const think = (
  name: string,
  messages: ReadonlyArray<Message>,
  answer: unknown,
  { cached = 0, input, millis, output }: {
    readonly millis: number
    readonly input: number
    readonly output: number
    readonly cached?: number
  }
) =>
  Effect.gen(function*() {
    yield* Effect.sleep(millis * 0.3)
    const first = new Date(yield* Clock.currentTimeMillis)
    yield* Effect.sleep(millis * 0.7)
    return { answer, first }
  }).pipe(
    Langfuse.generation(name, {
      input: { messages, tools },
      output: ({ answer }) => answer,
      model: "example-large-2",
      modelParameters: { temperature: 0.2, max_tokens: 1024 },
      completionStartTime: ({ first }) => first,
      usage: { input: input - cached, output, input_cached_tokens: cached },
      cost: { input: (input - cached) * 3e-6, output: output * 15e-6, input_cached_tokens: cached * 0.3e-6 }
    })
  )

const run = (name: string, input: unknown, millis: number, output: unknown) =>
  Effect.succeed(output).pipe(Effect.delay(millis), Langfuse.tool(name, { input, output: (answer) => answer }))

const question =
  "I have to be in Zürich on Tuesday before noon, coming from Basel. What are my options, and can I sit together with a colleague?"

const connections = [
  { train: "IC 3", departs: "08:37", arrives: "09:31", platform: "7", free_seats: 41 },
  { train: "IR 36", departs: "09:07", arrives: "10:12", platform: "5", free_seats: 112 },
  { train: "IC 3", departs: "09:37", arrives: "10:31", platform: "7", free_seats: 8 }
]

const seats = { train: "IC 3", departs: "08:37", pairs: ["12A–12B", "14C–14D"], quiet_zone: true }

const reply = [
  "Three trains arrive before noon:",
  "",
  "| Train | Departs | Arrives | Seats side by side |",
  "| --- | --- | --- | --- |",
  "| **IC 3** | 08:37 | 09:31 | yes, 12A and 12B |",
  "| IR 36 | 09:07 | 10:12 | no reservation needed |",
  "| IC 3 | 09:37 | 10:31 | no |",
  "",
  "I would take the **08:37**: it is the fastest with two seats together, in the quiet zone. Shall I book 12A and 12B?"
].join("\n")

const trace = (version: string) => ({
  name: "travel agent",
  userId: "ada",
  sessionId: "journey to Zürich",
  tags: ["demo", "trains"],
  version
})

const opening = [system, user(question)]
const lookup = calls(["call_1", "find_connections", { from: "Basel SBB", to: "Zürich HB", arrive_before: "12:00" }])
const afterLookup = [...opening, lookup, result("call_1", connections)]
const map = calls(["call_2", "seat_map", { train: "IC 3", departs: "08:37" }])
const afterMap = [...afterLookup, map, result("call_2", seats)]

const plan = Effect.gen(function*() {
  yield* Effect.succeed({ passed: true }).pipe(
    Effect.delay(60),
    Langfuse.guardrail("personal data", { input: question, output: (answer) => answer })
  )
  yield* think("plan", opening, lookup, { millis: 900, input: 412, output: 38 })
  yield* run("find_connections", { from: "Basel SBB", to: "Zürich HB", arrive_before: "12:00" }, 340, connections)
  yield* think("plan", afterLookup, map, { millis: 760, input: 655, output: 24, cached: 384 })
  yield* run("seat_map", { train: "IC 3", departs: "08:37" }, 210, seats)
  yield* think("plan", afterMap, { role: "assistant", content: reply }, {
    millis: 1900,
    input: 790,
    output: 164,
    cached: 640
  })
  yield* Langfuse.scoreTrace({ name: "helpful", value: true })
  yield* Langfuse.scoreTrace({ name: "faithfulness", value: 0.97, comment: "Every time is in the timetable." })
}).pipe(
  Langfuse.agent("travel agent", { input: opening, output: () => reply, metadata: { channel: "web" } }),
  Langfuse.withTrace(trace("2026.11"))
)

const yes = user("Yes, please book them.")
const afterPlan = [...afterMap, { role: "assistant", content: reply }, yes]
const booking = calls(["call_3", "book", { train: "IC 3", departs: "08:37", seats: ["12A", "12B"] }])
class Unavailable extends Data.TaggedError("Unavailable")<{ readonly message: string }> {}

const refused = "The reservation system did not answer within 2 s"

const book = Effect.gen(function*() {
  yield* think("plan", afterPlan, booking, { millis: 640, input: 1004, output: 31, cached: 896 })
  yield* Effect.fail(new Unavailable({ message: refused })).pipe(
    Effect.delay(2000),
    Langfuse.tool("book", { input: { train: "IC 3", departs: "08:37", seats: ["12A", "12B"] } }),
    Effect.ignore
  )
  const after = [...afterPlan, booking, result("call_3", { error: refused })]
  const sorry =
    "I could not book yet: the reservation system did not answer. Both seats are still free; shall I try again in a minute?"
  yield* think("plan", after, { role: "assistant", content: sorry }, {
    millis: 1100,
    input: 1102,
    output: 40,
    cached: 960
  })
  yield* Langfuse.scoreTrace({ name: "helpful", value: false })
  return sorry
}).pipe(
  Langfuse.agent("travel agent", { input: [yes], output: (answer) => answer }),
  Langfuse.withTrace(trace("2026.11"))
)

const articles = [
  { title: "Refunds of reservations", text: "A reservation that was never confirmed costs nothing.", score: 0.91 },
  { title: "Changing a seat", text: "Seats can be changed until departure.", score: 0.72 }
]

const answerQuestion = Effect.gen(function*() {
  const asked = "Do I pay for the reservation that failed?"
  yield* Effect.succeed([0.12, -0.04, 0.33]).pipe(
    Effect.delay(45),
    Langfuse.embedding("embed question", { input: asked, model: "example-embed-1", usage: { input: 9 } })
  )
  yield* Effect.succeed(articles).pipe(
    Effect.delay(80),
    Langfuse.retriever("help articles", { input: asked, output: (found) => found })
  )
  const text = "No. A reservation that was **never confirmed** costs nothing; you were not charged."
  const messages = [
    { role: "system", content: "Answer from the articles only." },
    user(`${asked}\n\nArticles:\n${articles.map((article) => `- ${article.title}: ${article.text}`).join("\n")}`)
  ]
  const answer = {
    role: "assistant",
    content: text,
    thinking: [{ type: "thinking", content: "The first article says it: unconfirmed reservations are free." }]
  }
  yield* think("answer", messages, answer, { millis: 1300, input: 240, output: 58 })
  yield* Effect.succeed({ verdict: "grounded" }).pipe(
    Effect.delay(400),
    Langfuse.evaluator("grounded in articles", { input: text, output: (verdict) => verdict })
  )
  yield* Langfuse.scoreTrace({ name: "grounded", value: 1 })
}).pipe(
  Langfuse.chain("help desk", {
    input: [user("Do I pay for the reservation that failed?")],
    output: () => "No. A reservation that was **never confirmed** costs nothing; you were not charged."
  }),
  Langfuse.withTrace({ ...trace("2026.11"), name: "help desk", tags: ["demo", "help"] })
)

/** Three traces of one session. */
export const demo = Effect.gen(function*() {
  yield* plan
  yield* Effect.sleep("20 seconds")
  yield* book
  yield* Effect.sleep("40 seconds")
  yield* answerQuestion
})
