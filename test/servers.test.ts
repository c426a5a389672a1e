import { FetchHttpClient } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Stream } from "effect"
import { Langfuse, LangfuseIngest, LangfuseServer, LangfuseTracer } from "effect-langfuse"
import { createServer } from "node:http"

/** A program with every kind of observation, in one trace. */
const program = Effect.gen(function*() {
  const documents = yield* Effect.succeed(["a", "b"]).pipe(
    Langfuse.retriever("search", { input: "query", output: (found) => found })
  )
  yield* Effect.succeed([0.1, 0.2]).pipe(
    Langfuse.embedding("embed", { model: "embedder-1", input: documents, usage: { input: 7 } })
  )
  const text = yield* Stream.make("one ", "two").pipe(
    Langfuse.observeStream("write", {
      type: "generation",
      model: "writer-1",
      modelParameters: { temperature: 0.5, effort: "high" },
      input: [{ role: "user", content: "write" }],
      output: (parts: ReadonlyArray<string>) => parts.join(""),
      usage: { input: 10, output: 5, input_cached_tokens: 3 },
      cost: { input: 0.001, output: 0.002 },
      prompt: { name: "writer", version: 3 },
      metadata: { attempt: 1 },
      version: "v9"
    }),
    Stream.runFold("", (all, part) => all + part)
  )
  yield* Effect.fail("no such file").pipe(
    Langfuse.tool("read", { input: { path: "x" } }),
    Effect.ignore
  )
  yield* Langfuse.event("noticed", { input: "something", level: "WARNING" })
  yield* Effect.all([
    Effect.void.pipe(Langfuse.chain("chain")),
    Effect.void.pipe(Langfuse.guardrail("guardrail")),
    Effect.void.pipe(Langfuse.evaluator("evaluator")),
    Effect.void.pipe(Langfuse.observe("span", { metadata: { nested: { deep: [1] } } }))
  ], { concurrency: "unbounded" })
  yield* Langfuse.score({ name: "on the agent", value: 0.5 })
  yield* Langfuse.scoreTrace({ name: "on the trace", dataType: "CATEGORICAL", value: "good" })
  return text
}).pipe(
  Langfuse.agent("agent", { input: { question: "q" }, output: (text) => ({ text }) }),
  Langfuse.withTrace({
    name: "everything",
    userId: "ada",
    sessionId: "session-1",
    tags: ["x", "y"],
    metadata: { plan: "gold" },
    release: "r1",
    environment: "staging"
  })
)

const run = (options: LangfuseServer.Options) =>
  Effect.gen(function*() {
    const server = yield* LangfuseServer.LangfuseServer
    const stats = yield* Effect.gen(function*() {
      yield* program
      const ingest = yield* LangfuseIngest.LangfuseIngest
      yield* ingest.flush
      return yield* ingest.stats
    }).pipe(
      Effect.provide(
        LangfuseTracer.layer().pipe(
          Layer.provideMerge(
            LangfuseIngest.layer({ baseUrl: server.url, publicKey: server.publicKey, secretKey: server.secretKey })
          ),
          Layer.provide(FetchHttpClient.layer)
        )
      )
    )
    const traces = yield* server.traces
    assert.strictEqual(traces.length, 1)
    const trace = yield* Option.fromNullable(traces[0])
    return { trace, stats, losses: yield* server.losses }
  }).pipe(
    Effect.provide(
      LangfuseServer.layer(options).pipe(
        Layer.provide(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" }))
      )
    )
  )

/**
 * What can be compared between two runs: everything but ids and times. Three differences are the servers' own: v3 keeps no end
 * of an event, v4 keeps lists among model parameters as text (so the program has none), and `{}` where there are no parameters.
 */
const comparable = (trace: LangfuseServer.StoredTrace) => {
  const names = new Map(trace.observations.map(({ id, name }) => [id, name]))
  return {
    name: trace.name,
    userId: trace.userId,
    sessionId: trace.sessionId,
    tags: [...trace.tags].sort(),
    release: trace.release,
    environment: trace.environment,
    input: trace.input,
    output: trace.output,
    plan: LangfuseServer.flattenMetadata(trace.metadata)["plan"],
    scores: trace.scores.map(({ dataType, name, observationId, stringValue, value }) => ({
      name,
      dataType,
      value,
      stringValue,
      on: observationId === undefined ? undefined : names.get(observationId)
    })).sort((a, b) => a.name.localeCompare(b.name)),
    observations: trace.observations.map((observation) => ({
      name: observation.name,
      type: observation.type,
      parent: observation.parentObservationId === undefined ? undefined : names.get(observation.parentObservationId),
      level: observation.level,
      statusMessage: observation.statusMessage,
      model: observation.model,
      modelParameters: observation.modelParameters ?? {},
      usageDetails: observation.usageDetails,
      costDetails: observation.costDetails,
      totalCost: observation.totalCost,
      prompt: [observation.promptName, observation.promptVersion],
      input: observation.input,
      output: observation.output,
      environment: observation.environment,
      version: observation.version,
      hasFirstToken: observation.completionStartTime !== undefined,
      hasEnd: observation.type === "EVENT" || observation.endTime !== undefined
    })).sort((a, b) => String(a.name).localeCompare(String(b.name)))
  }
}

describe("one program on both kinds of server", () => {
  it.live("leaves the same trace, observations and scores on v3 and v4", () =>
    Effect.gen(function*() {
      const v3 = yield* run({ version: "3.120.0" })
      const v4 = yield* run({ version: "4.16.0" })
      for (const { losses, stats } of [v3, v4]) {
        assert.deepStrictEqual(losses, [])
        assert.deepInclude(stats, { dropped: 0, rejected: 0, failed: 0, pending: 0 })
        assert.strictEqual(stats.offered, stats.delivered)
      }
      assert.deepStrictEqual(comparable(v4.trace), comparable(v3.trace))
    }))

  it.live("holds every detail of every observation", () =>
    Effect.gen(function*() {
      const { trace } = yield* run({ version: "4.16.0" })
      assert.strictEqual(trace.observations.length, 10)
      for (const observation of trace.observations) {
        assert.deepInclude(observation, {
          userId: "ada",
          sessionId: "session-1",
          traceName: "everything",
          release: "r1",
          environment: "staging"
        })
        assert.sameMembers([...observation.tags], ["x", "y"])
      }
      const held = comparable(trace)
      const named = (name: string) => held.observations.find((observation) => observation.name === name)
      assert.deepInclude(named("agent"), { type: "AGENT", parent: undefined, input: { question: "q" } })
      assert.deepInclude(named("write"), {
        type: "GENERATION",
        parent: "agent",
        model: "writer-1",
        usageDetails: { input: 10, output: 5, input_cached_tokens: 3, total: 18 },
        totalCost: 0.003,
        prompt: ["writer", 3],
        output: "one two",
        version: "v9",
        hasFirstToken: true
      })
      assert.deepInclude(named("read"), { type: "TOOL", level: "ERROR", statusMessage: "no such file" })
      assert.deepInclude(named("noticed"), { type: "EVENT", level: "WARNING" })
      assert.deepInclude(held, { input: { question: "q" }, output: { text: "one two" }, plan: "gold" })
    }))
})
