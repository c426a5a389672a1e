import { Langfuse } from "langfuse"

const langfuse = new Langfuse({ baseUrl: process.env["LANGFUSE_BASE_URL"] ?? "https://cloud.langfuse.com" })

const lookUp = (_question: string) => Promise.resolve("Friday: 9 to 17")
const complete = (_prompt: string) => Promise.resolve({ text: "Yes, from 9 to 17.", usage: { input: 31, output: 9 } })

const answer = async (question: string) => {
  const trace = langfuse.trace({
    name: "question",
    userId: "ada",
    sessionId: "chat-1",
    tags: ["hours"],
    input: question
  })
  const span = trace.span({ name: "answer", input: question })

  const search = span.span({ name: "look up", input: question })
  const hours = await lookUp(question)
  search.end({ output: hours })

  const prompt = `${hours}\n\n${question}`
  const generation = span.generation({ name: "complete", model: "gpt-4.1", input: prompt })
  const { text, usage } = await complete(prompt)
  generation.end({ output: text, usageDetails: usage })

  span.end({ output: text })
  trace.update({ output: text })
  trace.score({ name: "helpful", value: 1, dataType: "BOOLEAN" })
  return text
}

await answer("Are you open on Friday?")
await langfuse.shutdownAsync()
