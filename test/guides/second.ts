/**
 * The programs of docs/privacy.md, docs/short-lived.md, docs/opentelemetry.md, docs/fleets.md and docs/migrating.md.
 */
import { assert } from "@effect/vitest"
import { Redacted } from "effect"
import { LangfuseServer } from "effect-langfuse"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { Expectations, ExpectedTrace, Run } from "./expectation.js"

const v3 = "3.120.0"
const { Fault } = LangfuseServer

const page = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), "utf8")

const toOtlp = ({ requests }: Run): ReadonlyArray<LangfuseServer.RecordedRequest> =>
  requests.filter(({ path }) => path === "/api/public/otel/v1/traces")

const neverSent = (...secrets: ReadonlyArray<string>) => ({ requests, stderr, stdout }: Run): void => {
  const all = JSON.stringify(requests) + stdout + stderr
  for (const secret of secrets) assert.notInclude(all, secret)
}

const question = "Why is the sky blue?"
const model = "gpt-4.1"
const noCounts = {}

/** One generation and nothing else, which on v4 is what its trace shows as well. */
const one = (trace: string, name: string, input: unknown, output: unknown): ExpectedTrace => ({
  name: trace,
  input,
  output,
  observations: [{ name, type: "GENERATION", model, input, output }]
})

// ---------------------------------------------------------------------------------------------------------------------
// docs/migrating.md: what the server holds before and after, written down once
// ---------------------------------------------------------------------------------------------------------------------

const friday = "Are you open on Friday?"
const hours = "Friday: 9 to 17"
const yes = "Yes, from 9 to 17."

const migrated = (types: { readonly answer: "SPAN" | "AGENT"; readonly lookUp: "SPAN" | "TOOL" }): ExpectedTrace => ({
  name: "question",
  userId: "ada",
  sessionId: "chat-1",
  tags: ["hours"],
  input: friday,
  output: yes,
  environment: "default",
  observations: [{
    name: "answer",
    type: types.answer,
    input: friday,
    output: yes,
    level: "DEFAULT",
    metadata: {},
    children: [{
      name: "complete",
      type: "GENERATION",
      model,
      input: `${hours}\n\n${friday}`,
      output: yes,
      usageDetails: { input: 31, output: 9, total: 40 }
    }, {
      name: "look up",
      type: types.lookUp,
      input: friday,
      output: hours
    }]
  }]
})

const ofV3: ExpectedTrace = {
  ...migrated({ answer: "SPAN", lookUp: "SPAN" }),
  scores: [{ name: "helpful", dataType: "BOOLEAN", value: 1, stringValue: "True", source: "API" }]
}
const ofV5 = migrated({ answer: "AGENT", lookUp: "TOOL" })

const hashed = createHash("sha256").update("order-17").digest("hex").slice(0, 32)

export const second: Expectations = {
  // docs/privacy.md
  "privacy-mask": {
    traces: [{
      ...one(
        "mail",
        "answer",
        [{ role: "user", content: "Please write to:\n<e-mail>" }],
        "I have written to <e-mail>."
      ),
      userId: "user-17",
      metadata: { cc: ["<e-mail>"] }
    }],
    check: neverSent("example.com")
  },
  "privacy-fails-closed": {
    traces: [one("card", "answer", "<masked: the mask failed>", "Your card ####-#### is valid.")],
    warns: [/the Langfuse mask threw: a note is sent in place of the value/],
    check: neverSent("4111-1111", "no rule for")
  },
  "privacy-layer": {
    traces: [{
      ...one("diagnosis", "answer", undefined, undefined),
      metadata: { clinic: 3 },
      observations: [{
        name: "answer",
        type: "GENERATION",
        model,
        input: undefined,
        output: undefined,
        usageDetails: { input: 9, output: 5, total: 14 }
      }]
    }],
    check: neverSent("fever", "cold")
  },
  "privacy-content": {
    traces: [{
      name: "visit",
      observations: [{
        name: "visit",
        type: "AGENT",
        children: [{
          name: "diagnose",
          type: "GENERATION",
          model,
          input: undefined,
          output: undefined,
          usageDetails: { input: 9, output: 5, total: 14 }
        }, {
          name: "look up",
          type: "TOOL",
          input: { practice: 7, token: "<redacted>" },
          output: "Dr. Grace",
          usageDetails: noCounts
        }]
      }]
    }],
    check: neverSent("fever", "cold", "secret-token-of-ada")
  },

  // docs/short-lived.md
  "short-lived-script": {
    traces: [one("commit message", "summarise", "the diff", "Three files changed.")],
    prints: [/^Three files changed\.$/m]
  },
  "short-lived-exit-code": {
    traces: [one("review", "review", "the diff", "Looks good.")],
    prints: [/^Looks good\.$/m]
  },
  "short-lived-lambda": {
    traces: [one("question", "answer", question, "Rayleigh scattering.")]
  },
  "short-lived-worker": {
    traces: [one("question", "answer", question, "Rayleigh scattering.")],
    prints: [/^Rayleigh scattering\.$/m]
  },
  "short-lived-report": {
    traces: [],
    faults: [Fault.status(503, { route: "otlp" })],
    refusals: [503],
    prints: [
      /^0 of 3 observations are in Langfuse$/m,
      /^the numbers of tonight are incomplete: do not compare them$/m
    ],
    warns: [/3 Langfuse events failed: 503: .*; the server is in trouble; retry sends failed events again/]
  },

  // docs/opentelemetry.md
  "otel-tee": {
    traces: [{
      name: "question",
      input: question,
      observations: [{
        name: "answer",
        type: "AGENT",
        input: question,
        isAppRoot: true,
        children: [{ name: "search", type: "RETRIEVER", input: "sky", output: ["page 1"] }]
      }]
    }],
    check: ({ stdout, traces }) => {
      const [trace] = traces
      const said = (field: string) => [...stdout.matchAll(new RegExp(`^  ${field}: '?([^',]*)`, "gm"))].map((m) => m[1])
      assert.deepStrictEqual(said("name"), ["SELECT pages", "search", "answer", "POST /answer"])
      assert.deepStrictEqual([...new Set(said("traceId"))], [trace?.id])
      // The same spans have the same ids in both places.
      const [, search, answer] = said("id")
      assert.sameMembers(trace?.observations.map(({ id }) => id) ?? [], [search ?? "", answer ?? ""])
    }
  },
  "otel-only": {
    traces: [{
      name: "question",
      userId: "ada",
      sessionId: "chat-1",
      tags: ["demo"],
      input: question,
      output: "Rayleigh scattering.",
      observations: [{
        name: "answer",
        type: "AGENT",
        input: question,
        output: "Rayleigh scattering.",
        children: [{
          name: "complete",
          type: "GENERATION",
          model,
          input: question,
          output: "Rayleigh scattering.",
          usageDetails: { input: 12, output: 5, total: 17 },
          // The attributes are there twice: the server keeps all of those that an unknown tracer sends.
          metadata: { "attributes.langfuse.observation.model.name": model }
        }]
      }]
    }]
  },
  "otel-traceparent": {
    traces: [{
      name: "answer",
      input: undefined,
      output: undefined,
      observations: [{
        name: "answer",
        type: "GENERATION",
        model,
        input: question,
        output: "Rayleigh scattering.",
        isAppRoot: true
      }]
    }],
    check: ({ traces }) => {
      assert.deepStrictEqual(traces.map(({ id }) => id), ["0af7651916cd43dd8448eb211c80319c"])
      assert.strictEqual(traces[0]?.observations[0]?.parentObservationId, "b7ad6b7169203331")
    }
  },
  "otel-genai": {
    traces: [{
      name: "question",
      observations: [{
        name: "chat gpt-4.1",
        type: "GENERATION",
        model,
        modelParameters: { temperature: 0.2 },
        usageDetails: { input: 12, output: 5, total: 17 },
        metadata: { gen_ai: { "operation.name": "chat", "provider.name": "openai" } }
      }]
    }]
  },
  "otel-two-projects": {
    env: {
      RESEARCH_LANGFUSE_PUBLIC_KEY: LangfuseServer.defaults.publicKey,
      RESEARCH_LANGFUSE_SECRET_KEY: Redacted.value(LangfuseServer.defaults.secretKey)
    },
    // The embedded server is one project: the environment tells which of the two layers it came from.
    traces: [{
      name: "experiment",
      environment: "research",
      output: 0.9,
      observations: [{ name: "experiment", type: "EVALUATOR", output: 0.9, environment: "research" }]
    }, { ...one("question", "answer", "Are you open?", "9 to 17"), environment: "default" }]
  },

  // docs/fleets.md
  "fleets-settings": {
    faults: [Fault.rateLimited(0, { route: "otlp" })],
    refusals: [429],
    traces: Array.from({ length: 600 }, (_, i) => ({
      name: "work",
      observations: [{ name: `step ${i + 1}`, type: "EVENT" as const }]
    })),
    check: (run) => {
      const requests = toOtlp(run)
      // More than one batch is in flight, and either may be the one that has to wait.
      const [refused] = requests.filter(({ status }) => status === 429).map(({ ids }) => ids.length)
      const taken = requests.filter(({ status }) => status === 200).map(({ ids }) => ids.length)
      assert.sameMembers(taken, [512, 88])
      assert.include(taken, refused)
      assert.strictEqual(requests.length, 3)
    }
  },
  "fleets-arithmetic": {
    traces: [],
    check: ({ stdout }) => assert.include(page("fleets.md"), `\n${stdout}`, "docs/fleets.md shows what it prints")
  },
  "fleets-sampling": {
    traces: [],
    prints: [/^front 99 of 1000, back 99, the same ones 99$/m],
    check: ({ stdout }) => assert.include(page("fleets.md"), stdout.trim())
  },
  "fleets-collector": {
    traces: [{
      name: "question",
      observations: [{
        name: "answer",
        type: "AGENT",
        children: [{ name: "complete", type: "GENERATION", model, input: question, output: "Rayleigh scattering." }]
      }],
      scores: [{ name: "helpful", dataType: "BOOLEAN", value: 1 }]
    }]
  },

  // docs/migrating.md
  "migrating-before-v3": { server: { version: v3 }, traces: [ofV3] },
  "migrating-after-v3": { server: { version: v3 }, traces: [ofV3] },
  "migrating-before-v5": { traces: [ofV5] },
  "migrating-after-v5": { traces: [ofV5] },
  "migrating-ids": {
    prints: [new RegExp(`^on a v4 server this trace is ${hashed}$`, "m")],
    traces: [{
      name: "order",
      metadata: { originalTraceId: "order-17" },
      observations: [{ name: "order", type: "SPAN" }],
      scores: [{ name: "helpful", value: 1, metadata: { originalTraceId: "order-17" } }]
    }],
    check: ({ traces }) => assert.deepStrictEqual(traces.map(({ id }) => id), [hashed])
  },
  "migrating-older-traces": {
    traces: [],
    scores: [{ name: "refunded", value: 1 }],
    check: ({ scores }) => assert.deepStrictEqual(scores.map(({ traceId }) => traceId), ["order-17"])
  }
}
