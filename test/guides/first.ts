/**
 * The programs of the README, docs/first-trace.md, docs/agents.md, docs/effect-ai.md, docs/sessions-users-scores.md and
 * docs/testing.md.
 */
import { assert } from "@effect/vitest"
import type { Expectations } from "./expectation.js"
import * as Pages from "./pages.js"

const question = "Why is the sky blue?"
const fact = "Rayleigh scattering."

/** What OpenAI's endpoint `/responses` answers, with usage in its own way of counting. */
const openAiAnswer = {
  id: "resp_1",
  object: "response",
  status: "completed",
  created_at: 1763899200,
  error: null,
  incomplete_details: null,
  instructions: null,
  output: [{
    type: "message",
    id: "msg_1",
    role: "assistant",
    status: "completed",
    content: [{ type: "output_text", text: fact, annotations: [], logprobs: [] }]
  }],
  parallel_tool_calls: true,
  model: "gpt-4.1-2025-04-14",
  tools: [],
  tool_choice: "auto",
  metadata: {},
  temperature: 1,
  top_p: 1,
  service_tier: "default",
  usage: {
    input_tokens: 100,
    input_tokens_details: { cached_tokens: 64 },
    output_tokens: 5,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 105
  }
}

const modelCall = {
  name: "complete",
  type: "GENERATION",
  model: "gpt-4.1",
  modelParameters: { temperature: 0 },
  usageDetails: { input: 16, input_cached_tokens: 64, output: 12, total: 92 },
  costDetails: { input: 0.00016, output: 0.0001, total: 0.00016 + 0.0001 }
} as const

export const first: Expectations = {
  "readme-trace": {
    // The batch endpoint of a v3 server, from the same program.
    server: { version: "3.120.0" },
    traces: [{
      name: "question",
      userId: "ada",
      sessionId: "chat-1",
      tags: ["demo"],
      observations: [{
        name: "answer",
        type: "AGENT",
        input: question,
        output: fact,
        children: [{
          name: "complete",
          type: "GENERATION",
          model: "gpt-4.1",
          input: [{ role: "user", content: question }],
          output: fact,
          usageDetails: { input: 12, output: 5, total: 17 }
        }]
      }],
      scores: [{ name: "helpful", dataType: "BOOLEAN", value: 1, observation: "answer" }]
    }]
  },
  "readme-ingest": {
    traces: [{
      name: "answer a question",
      userId: "ada",
      observations: [{
        // The trace is an observation of its own.
        name: "answer a question",
        type: "SPAN",
        children: [{
          name: "complete",
          type: "GENERATION",
          model: "gpt-4.1",
          input: [{ role: "user", content: question }],
          output: fact,
          usageDetails: { input: 12, output: 80, total: 92 }
        }]
      }]
    }],
    prints: [/delivered\W+2\b/]
  },

  "first-trace-embedded": {
    traces: [],
    check: ({ stdout }) => assert.include(Pages.read("docs/first-trace.md"), `\`\`\`text\n${stdout}\`\`\``)
  },
  "first-trace": {
    traces: [{
      name: "question",
      userId: "ada",
      observations: [{
        name: "assistant",
        type: "AGENT",
        children: [{ name: "answer", type: "GENERATION", model: "gpt-4.1", input: question, output: fact }]
      }]
    }],
    check: ({ stdout, traces }) => assert.include(stdout, `/trace/${traces[0]?.id}`)
  },

  agent: {
    traces: [{
      name: "question",
      userId: "ada",
      observations: [{
        name: "support",
        type: "AGENT",
        input: "Are you open on Friday?",
        output: "Yes, from 9 to 17.",
        children: [
          { name: "search", type: "RETRIEVER", output: ["Opening hours", "How to find us"] },
          {
            ...modelCall,
            // As it was then, although the program went on to change the list.
            input: [
              { role: "system", content: "Opening hours\nHow to find us" },
              { role: "user", content: "Are you open on Friday?" }
            ],
            output: { role: "assistant", content: "hours(Friday)" }
          },
          { ...modelCall, output: { role: "assistant", content: "Yes, from 9 to 17." } },
          { name: "hours", type: "TOOL", input: { day: "Friday" }, output: "Friday: 9 to 17" }
        ]
      }]
    }]
  },
  "agent-failures": {
    traces: [{
      name: "order",
      observations: [{
        name: "support",
        type: "AGENT",
        children: [
          { name: "order", type: "TOOL", level: "ERROR", statusMessage: "no order 17", input: { id: 17 } },
          { name: "slow search", type: "TOOL", level: "WARNING", input: "order 17" },
          {
            name: "complete with retries",
            type: "CHAIN",
            children: [
              {
                name: "complete",
                type: "GENERATION",
                level: "ERROR",
                statusMessage: "Overloaded: the model is overloaded",
                output: undefined
              },
              { name: "complete", type: "GENERATION", output: "It is on its way." }
            ]
          },
          {
            name: "answer",
            type: "CHAIN",
            level: "WARNING",
            statusMessage: "answered from the cache",
            metadata: { age: "2 hours" },
            output: "It is on its way."
          }
        ]
      }]
    }]
  },
  "agent-stream": {
    traces: [{
      name: "question",
      observations: [{
        name: "complete",
        type: "GENERATION",
        model: "gpt-4.1",
        input: question,
        output: fact,
        usageDetails: { output: 4, total: 4 }
      }]
    }],
    check: ({ traces }) => {
      const [call] = traces[0]?.observations ?? []
      const [start, token, end] = [call?.startTime, call?.completionStartTime, call?.endTime].map((time) =>
        Date.parse(time ?? "")
      )
      assert.isTrue(Number(start) < Number(token) && Number(token) < Number(end))
    }
  },
  "agent-forks": {
    traces: [{
      name: "research",
      tags: ["nightly"],
      observations: [{
        name: "researcher",
        type: "AGENT",
        children: [
          { name: "fill cache", type: "TOOL", output: 2 },
          {
            name: "page",
            type: "SPAN",
            children: [{ name: "summarize one", type: "GENERATION", output: "about one" }]
          },
          {
            name: "page",
            type: "SPAN",
            children: [{ name: "summarize two", type: "GENERATION", output: "about two" }]
          }
        ]
      }]
    }]
  },

  "effect-ai-openai": {
    provider: [openAiAnswer],
    traces: [{
      name: "question",
      userId: "ada",
      observations: [{
        name: "LanguageModel.generateText",
        type: "GENERATION",
        model: "gpt-4.1-2025-04-14",
        input: [{ role: "user", content: question }],
        output: { role: "assistant", content: fact },
        usageDetails: { input: 36, input_cached_tokens: 64, output: 5, output_reasoning_tokens: 0, total: 105 }
      }]
    }],
    prints: [/^Rayleigh scattering\.$/m]
  },
  "effect-ai": {
    traces: [{
      name: "day",
      observations: [{
        name: "plan a day",
        type: "AGENT",
        children: [
          {
            name: "LanguageModel.generateText",
            type: "GENERATION",
            usageDetails: { input: 26, input_cached_tokens: 64, output: 6, total: 96 },
            children: [{ name: "Weather", type: "TOOL", input: { city: "Lisbon" }, output: { degrees: 21 } }]
          },
          { name: "LanguageModel.generateText", type: "GENERATION", input: undefined, output: undefined },
          {
            name: "Chat.generateText",
            type: "SPAN",
            children: [{
              name: "LanguageModel.generateText",
              type: "GENERATION",
              input: [
                { role: "system", content: "You know the weather in Lisbon." },
                { role: "user", content: "How is it today?" }
              ],
              output: { role: "assistant", content: "Clear, 21 degrees." }
            }]
          },
          {
            name: "Chat.streamText",
            type: "SPAN",
            children: [{
              name: "LanguageModel.streamText",
              type: "GENERATION",
              input: [
                { role: "system", content: "You know the weather in Lisbon." },
                { role: "user", content: "How is it today?" },
                { role: "assistant", content: "Clear, 21 degrees." },
                { role: "user", content: "What should I take with me?" }
              ],
              output: { role: "assistant", content: "Sunglasses." }
            }]
          },
          {
            name: "EmbeddingModel.embed",
            type: "EMBEDDING",
            model: "text-embedding-3-small",
            input: "Lisbon in spring",
            output: { vectors: 1, dimensions: 3 }
          }
        ]
      }]
    }]
  },
  "effect-ai-failures": {
    traces: [{
      name: "questions",
      observations: [{
        name: "questions",
        type: "AGENT",
        children: [
          {
            name: "LanguageModel.generateText",
            type: "GENERATION",
            level: "ERROR",
            statusMessage: "UnknownError: Scripted.generateText: the model is overloaded",
            input: [{ role: "user", content: question }],
            output: undefined
          },
          {
            name: "LanguageModel.streamText",
            type: "GENERATION",
            level: "ERROR",
            input: [{ role: "user", content: question }],
            output: { role: "assistant", content: "Because of" }
          },
          { name: "LanguageModel.generateText", type: "GENERATION", metadata: { feature: "greeting" } }
        ]
      }]
    }]
  },

  sessions: {
    traces: [
      ...["Hello", "How are you?"].map((message) => ({
        name: "turn",
        userId: "ada",
        sessionId: "chat-1",
        tags: ["web"],
        metadata: { plan: "free" },
        environment: "staging",
        release: "2026-11-25",
        observations: [{
          name: "assistant",
          type: "AGENT",
          input: message,
          children: [{ name: "reply", type: "GENERATION", userId: "ada", environment: "staging" }]
        }]
      } as const)),
      {
        name: "who",
        userId: "grace",
        sessionId: "chat-2",
        tags: ["logged in"],
        observations: [{
          name: "assistant",
          type: "AGENT",
          userId: "grace",
          children: [{ name: "reply", type: "GENERATION", userId: "grace" }]
        }]
      }
    ]
  },
  scores: {
    traces: [{
      name: "question",
      sessionId: "chat-1",
      observations: [{ name: "support", type: "AGENT", output: "Yes." }],
      scores: [
        { name: "relevance", dataType: "NUMERIC", value: 0.8, observation: "support" },
        { name: "helpful", dataType: "BOOLEAN", value: 1, comment: "thumbs up", observation: "support" },
        { name: "tone", dataType: "CATEGORICAL", stringValue: "friendly", observation: "support" },
        { name: "review", dataType: "TEXT", stringValue: "Short, and to the point.", observation: "support" },
        { name: "output", dataType: "CORRECTION", longStringValue: "Yes, from 9 to 17.", observation: "support" },
        { name: "resolved", dataType: "BOOLEAN", value: 1 }
      ]
    }],
    scores: [{ name: "csat", dataType: "NUMERIC", value: 4, sessionId: "chat-1" }]
  },
  "feedback-answer": {
    traces: [{
      name: "question",
      observations: [{ name: "support", type: "AGENT", output: "Yes, from 9 to 17." }]
    }],
    prints: [/^{"traceId":"[0-9a-f]{32}","observationId":"[0-9a-f]{16}"}$/m]
  },
  feedback: {
    after: { program: "feedback-answer", args: ({ stdout }) => [stdout.trim()] },
    traces: [{
      name: "question",
      observations: [{ name: "support", type: "AGENT" }],
      scores: [{ name: "thumbs", dataType: "BOOLEAN", value: 1, observation: "support" }]
    }],
    prints: [/thank you/]
  },

  "testing-memory": { traces: [] },
  "testing-noop": { traces: [] },
  "testing-server": {
    traces: [],
    warns: [/1 Langfuse events failed: .*500/]
  },
  "testing-clock": { traces: [] },
  "testing-transport": { traces: [] }
}
