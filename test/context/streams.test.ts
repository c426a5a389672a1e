/** Answers that stream: the trace holds until the last element. */
import { HttpApp, HttpClient, HttpRouter, HttpServer, HttpServerResponse } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { assert, describe } from "@effect/vitest"
import { Chunk, Context, Deferred, Effect, Exit, Fiber, Layer, Scope, Stream } from "effect"
import { LangfuseIngest } from "effect-langfuse"
import * as Langfuse from "effect-langfuse/Langfuse"
import { createServer } from "node:http"
import { layerProcess, observation, observations, onBoth, stored, tree, withWarnings } from "../utils/context.js"
import { inProcess } from "../utils/context.js"
import { until } from "../utils/ingest.js"

const words = ["Rayleigh ", "scattering."]

/** An agent that streams: it searches, and then a model answers. */
const answer = (question: string) =>
  Stream.fromEffect(Effect.succeed([]).pipe(Langfuse.retriever("search", { input: question }))).pipe(
    Stream.drain,
    Stream.concat(
      Stream.fromIterable(words).pipe(
        Stream.rechunk(1),
        Langfuse.observeStream("model", { type: "generation", output: (words) => words.join("") })
      )
    ),
    Stream.concat(Stream.drain(Stream.fromEffect(Langfuse.updateTrace({ tags: ["answered"] })))),
    Langfuse.observeStream("agent", { type: "agent", input: question, output: (words) => words.join("") })
  )

const trace = { name: "question", userId: "ada", sessionId: "s" }

const isComplete = Effect.gen(function*() {
  assert.deepStrictEqual(yield* tree, { search: "agent", model: "agent", agent: undefined })
  const [one, ...others] = yield* stored
  assert.deepStrictEqual(others, [])
  assert.deepInclude(one, { ...trace, output: words.join("") })
  assert.deepStrictEqual([...(one?.tags ?? [])], ["answered"])
  for (const found of yield* observations) {
    if (found.table === "events") assert.deepInclude(found, { userId: "ada", sessionId: "s", traceName: "question" })
  }
})

/** A server in a process of its own. */
const serve = <E, R>(app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
  Effect.gen(function*() {
    const router = HttpRouter.empty.pipe(HttpRouter.all("*", app))
    const context = yield* Layer.build(
      HttpServer.serve(router).pipe(
        Layer.provideMerge(layerProcess()),
        Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" }))
      )
    )
    const { address } = Context.get(context, HttpServer.HttpServer)
    const ingest = Context.get(context, LangfuseIngest.LangfuseIngest)
    return { ingest, url: address._tag === "TcpAddress" ? `http://127.0.0.1:${address.port}/` : "" }
  })

const textOf = (url: string) =>
  Effect.flatMap(HttpClient.HttpClient, (client) => client.get(url)).pipe(
    Effect.flatMap((response) => response.text),
    Effect.scoped,
    Effect.withTracerEnabled(false)
  )

describe("a stream", () => {
  onBoth(
    "may be the root of a trace, with all that happens in it",
    Effect.gen(function*() {
      const chunks = yield* inProcess(answer("Why?").pipe(Langfuse.withTrace(trace), Stream.runCollect))
      assert.deepStrictEqual(Chunk.toReadonlyArray(chunks), words)
      yield* isComplete
    })
  )

  onBoth(
    "that a server runs after the handler has returned keeps its trace",
    Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        const { url } = yield* serve(
          Effect.sync(() =>
            HttpServerResponse.stream(answer("Why?").pipe(Langfuse.withTrace(trace), Stream.encodeText))
          )
        )
        assert.strictEqual(yield* textOf(url), words.join(""))
      }))
      yield* isComplete
    })
  )

  onBoth(
    "keeps the trace of the handler that made it",
    Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        const { url } = yield* serve(
          Effect.sync(() => HttpServerResponse.stream(answer("Why?").pipe(Stream.encodeText))).pipe(
            Langfuse.withTrace(trace)
          )
        )
        assert.strictEqual(yield* textOf(url), words.join(""))
      }))
      yield* isComplete
    })
  )

  onBoth(
    "keeps the trace where a web handler hands it on and nothing is around it any more",
    Effect.gen(function*() {
      yield* inProcess(Effect.gen(function*() {
        const runtime = yield* Effect.runtime<LangfuseIngest.LangfuseIngest>()
        const handler = HttpApp.toWebHandlerRuntime(runtime)(
          Effect.sync(() => HttpServerResponse.stream(answer("Why?").pipe(Stream.encodeText))).pipe(
            Langfuse.withTrace(trace)
          )
        )
        const response = yield* Effect.promise(() => handler(new Request("http://localhost/")))
        assert.strictEqual(yield* Effect.promise(() => response.text()), words.join(""))
      }))
      yield* isComplete
    })
  )

  onBoth(
    "belongs to the user for whom it is run, whoever made it, and leaves nothing behind",
    Effect.gen(function*() {
      yield* inProcess(Effect.gen(function*() {
        const made = yield* Effect.sync(() => answer("Why?")).pipe(Langfuse.withTrace({ userId: "maker" }))
        yield* Stream.runDrain(made).pipe(Langfuse.withTrace({ userId: "runner" }))
        yield* Effect.void.pipe(Langfuse.tool("after"))
      }))
      const traces = yield* stored
      assert.deepStrictEqual(traces.map(({ userId }) => userId).sort(), ["runner", undefined])
    })
  )

  onBoth(
    "that is left midway has what had arrived",
    Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        const { ingest, url } = yield* serve(Effect.sync(() =>
          HttpServerResponse.stream(
            Stream.concat(Stream.make("Ray"), Stream.never).pipe(
              Langfuse.observeStream("agent", { type: "agent", output: (words) => words.join("") }),
              Langfuse.withTrace(trace),
              Stream.encodeText
            )
          )
        ))
        const client = yield* HttpClient.HttpClient
        yield* Effect.flatMap(client.get(url), (response) => Stream.runDrain(Stream.take(response.stream, 1))).pipe(
          Effect.scoped,
          Effect.withTracerEnabled(false)
        )
        yield* until(Effect.zipRight(ingest.flush, Effect.map(ingest.stats, ({ delivered }) => delivered === 1)))
      }))
      const agent = yield* observation("agent")
      assert.deepInclude(agent, { output: "Ray", level: "WARNING" })
      assert.strictEqual((yield* stored)[0]?.userId, "ada")
    })
  )

  onBoth(
    "that is open when the scope closes is sent with what had arrived",
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(layerProcess(), scope)
      const arrived = yield* Deferred.make()
      const fiber = yield* Stream.make("Ray").pipe(
        Stream.concat(Stream.drain(Stream.fromEffect(Deferred.succeed(arrived, undefined)))),
        Stream.concat(Stream.never),
        Langfuse.observeStream("agent", { type: "agent", output: (words) => words.join("") }),
        Stream.runDrain,
        Effect.provide(context),
        Effect.fork
      )
      yield* Deferred.await(arrived)
      yield* Scope.close(scope, Exit.void)
      const agent = yield* observation("agent")
      assert.deepInclude(agent, { output: "Ray", level: "WARNING" })
      yield* Fiber.interruptFork(fiber)
    })
  )

  onBoth(
    "is flushed after its end with flushAfter",
    Effect.gen(function*() {
      const stats = yield* inProcess(Effect.gen(function*() {
        yield* answer("Why?").pipe(Langfuse.withTrace(trace), Langfuse.flushAfter, Stream.runDrain)
        return yield* (yield* LangfuseIngest.LangfuseIngest).stats
      }))
      assert.deepInclude(stats, { offered: 3, delivered: 3 })
      yield* isComplete
    })
  )
})

describe("a score", () => {
  onBoth(
    "understands its environment and ids however they are spelled",
    Effect.gen(function*() {
      const [, warnings] = yield* withWarnings(inProcess(Effect.gen(function*() {
        const { observationId, traceId } = yield* Effect.all({
          traceId: Effect.flatten(Langfuse.currentTraceId),
          observationId: Effect.flatten(Langfuse.currentObservationId)
        }).pipe(Langfuse.tool("t"))
        const dashed = traceId.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
        for (
          const [name, id] of [["plain", traceId], ["capitals", traceId.toUpperCase()], ["dashes", dashed]] as const
        ) {
          assert.isTrue(
            yield* Langfuse.score({
              name,
              value: 1,
              traceId: id,
              observationId: observationId.toUpperCase(),
              environment: "Production"
            })
          )
        }
        assert.isTrue(yield* Langfuse.score({ name: "bad", value: 1, traceId, environment: "prod/eu" }))
      })))
      const [trace, ...others] = yield* stored
      assert.deepStrictEqual(others, [])
      const scores = trace?.scores ?? []
      assert.deepStrictEqual(scores.map(({ name }) => name).sort(), ["bad", "capitals", "dashes", "plain"])
      for (const { environment, name } of scores) {
        assert.strictEqual(environment, name === "bad" ? "default" : "production")
      }
      assert.strictEqual(warnings.filter((line) => line.includes("prod/eu")).length, 1)
      assert.strictEqual(warnings.length, 1)
    })
  )
})
