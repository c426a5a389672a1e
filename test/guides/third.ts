/**
 * The programs of docs/traces.md, docs/streamed-answers.md and docs/several-services.md.
 */
import type { Expectations, ExpectedTrace } from "./expectation.js"

const job = (userId: string): ExpectedTrace => ({
  name: "job",
  userId,
  observations: [{
    name: "job",
    type: "AGENT",
    input: "Are you open on Friday?",
    children: [{ name: "answer", type: "GENERATION", output: "Yes, from 9 to 17." }]
  }]
})

export const third: Expectations = {
  "traces-worker": {
    traces: [
      job("grace"),
      job("linus"),
      { name: "request", userId: "ada", observations: [{ name: "start the worker", type: "TOOL" }] }
    ]
  },
  "streamed-answer": {
    traces: [{
      name: "question",
      userId: "ada",
      input: "Why is the sky blue?",
      output: "Rayleigh scattering.",
      observations: [{
        name: "assistant",
        type: "AGENT",
        output: "Rayleigh scattering.",
        children: [{ name: "LanguageModel.streamText", type: "GENERATION" }]
      }]
    }],
    prints: [/data: "Rayleigh "\n\ndata: "scattering\."/]
  },
  "services-http": {
    traces: [{
      name: "question",
      userId: "ada",
      sessionId: "chat-1",
      observations: [{
        name: "assistant",
        type: "AGENT",
        output: "page 1",
        children: [{ name: "search", type: "RETRIEVER", userId: "ada", sessionId: "chat-1", output: "page 1" }]
      }]
    }]
  },
  "services-queue": {
    traces: [{
      name: "upload",
      userId: "ada",
      sessionId: "s-1",
      observations: [{
        name: "librarian",
        type: "AGENT",
        children: [{ name: "index", type: "TOOL", userId: "ada", input: "document 17", output: "indexed" }]
      }]
    }]
  }
}
