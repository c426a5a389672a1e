import { LangfuseSpanProcessor } from "@langfuse/otel"
import { propagateAttributes, startActiveObservation } from "@langfuse/tracing"
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node"

const provider = new NodeTracerProvider({ spanProcessors: [new LangfuseSpanProcessor()] })
provider.register()

const lookUp = (question: string) =>
  startActiveObservation("look up", (tool) => {
    const hours = "Friday: 9 to 17"
    tool.update({ input: question, output: hours })
    return Promise.resolve(hours)
  }, { asType: "tool" })

const complete = (prompt: string) =>
  startActiveObservation("complete", (generation) => {
    const text = "Yes, from 9 to 17."
    generation.update({ model: "gpt-4.1", input: prompt, output: text, usageDetails: { input: 31, output: 9 } })
    return Promise.resolve(text)
  }, { asType: "generation" })

const answer = (question: string) =>
  propagateAttributes(
    { traceName: "question", userId: "ada", sessionId: "chat-1", tags: ["hours"] },
    () =>
      startActiveObservation("answer", async (agent) => {
        const hours = await lookUp(question)
        const text = await complete(`${hours}\n\n${question}`)
        agent.update({ input: question, output: text })
        return text
      }, { asType: "agent" })
  )

await answer("Are you open on Friday?")
await provider.shutdown()
