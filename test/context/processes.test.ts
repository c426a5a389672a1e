/** Traces over several services: parents that exist, callers that are not sampled, and whose trace it is. */
import { HttpClient, HttpRouter, HttpServer, HttpServerResponse } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { Rpc, RpcGroup, RpcTest } from "@effect/rpc"
import { assert, describe } from "@effect/vitest"
import { Context, Effect, Layer, Schema, Tracer } from "effect"
import { LangfuseIngest } from "effect-langfuse"
import * as Langfuse from "effect-langfuse/Langfuse"
import * as LangfuseTracer from "effect-langfuse/LangfuseTracer"
import { createServer } from "node:http"
import {
  inProcess,
  layerProcess,
  observation,
  observations,
  onBoth,
  stored,
  tree,
  withWarnings
} from "../utils/context.js"
import { recording } from "../utils/tracer.js"

const traceId = "0af7651916cd43dd8448eb211c80319c"
const spanId = "b7ad6b7169203331"

type Process = Parameters<typeof layerProcess>

/** A service in a process of its own, and where it is. */
const serve = <E, R>(app: Effect.Effect<string, E, R>, ...process: Process) =>
  Effect.gen(function*() {
    const router = HttpRouter.empty.pipe(HttpRouter.all("*", Effect.map(app, HttpServerResponse.text)))
    const context = yield* Layer.build(
      HttpServer.serve(router, Langfuse.acceptBaggage).pipe(
        Layer.provide(layerProcess(...process)),
        Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" }))
      )
    )
    const { address } = Context.get(context, HttpServer.HttpServer)
    return address._tag === "TcpAddress" ? `http://127.0.0.1:${address.port}/` : ""
  })

const call = (url: string, headers: Record<string, string> = {}) =>
  Effect.flatMap(HttpClient.HttpClient, (client) => client.get(url, { headers })).pipe(
    Effect.flatMap((response) => response.text),
    Effect.scoped
  )

const search = Effect.succeed("found").pipe(Langfuse.retriever("search"))

const teed = (options: LangfuseTracer.Options) =>
  LangfuseTracer.layerTee(options).pipe(Layer.provide(Layer.setTracer(recording().tracer)))

const noHttp: LangfuseTracer.SpanFilter = (span) => !span.name.startsWith("http")

describe("parents", () => {
  const processes: ReadonlyArray<readonly [string, Process, Process]> = [
    ["the default filter", [], []],
    ["a predicate", [{ filter: noHttp }], [{ filter: noHttp }]],
    ["a predicate that decides by what is on the span", [{
      filter: (span) => span.attributes.has("langfuse.observation.type")
    }], []],
    ["all spans", [{ filter: "all" }], [{ filter: "all" }]],
    ["all spans of the service only", [], [{ filter: "all" }]],
    ["all spans of the caller only", [{ filter: "all" }], []],
    ["another tracer beside it", [{}, {}, teed], []]
  ]
  for (const [what, caller, service] of processes) {
    onBoth(
      `exist between services, with ${what}`,
      Effect.gen(function*() {
        yield* Effect.scoped(Effect.gen(function*() {
          const url = yield* serve(Effect.withSpan(search, "handler"), ...service)
          yield* inProcess(
            call(url).pipe(Effect.withSpan("plain"), Langfuse.tool("ask"), Langfuse.agent("agent")),
            ...caller
          )
        }))
        const parents = yield* tree
        assert.notInclude(Object.values(parents), "?", JSON.stringify(parents))
        assert.strictEqual((yield* stored).length, 1)
        assert.deepStrictEqual(Object.keys(parents).filter((name) => parents[name] === undefined), ["agent"])
      })
    )
  }

  onBoth(
    "exist across a service that has no observation, and one process that calls itself",
    Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        const last = yield* serve(search)
        const between = yield* serve(call(last))
        yield* inProcess(call(between).pipe(Langfuse.agent("agent")))
      }))
      assert.deepStrictEqual(yield* tree, { search: "agent", agent: undefined })
    })
  )

  onBoth(
    "exist below a call of @effect/rpc, also within one process",
    Effect.gen(function*() {
      class Search extends Rpc.make("Search", { success: Schema.String }) {}
      const group = RpcGroup.make(Search)
      const handlers = group.toLayer({ Search: () => search })
      yield* inProcess(
        Effect.flatMap(RpcTest.makeClient(group), (client) => client.Search()).pipe(
          Langfuse.agent("agent"),
          Effect.scoped,
          Effect.provide(handlers)
        )
      )
      assert.deepStrictEqual(yield* tree, { search: "agent", agent: undefined })
    })
  )

  onBoth(
    "exist between two runtimes of one project",
    Effect.gen(function*() {
      yield* inProcess(
        Effect.gen(function*() {
          const span = yield* Effect.currentSpan
          yield* inProcess(Effect.withParentSpan(search, span))
        }).pipe(Effect.withSpan("plain"), Langfuse.agent("agent"))
      )
      const parents = yield* tree
      assert.notInclude(Object.values(parents), "?")
      assert.deepStrictEqual(Object.keys(parents).filter((name) => parents[name] === undefined), ["agent"])
    })
  )

  onBoth(
    "of a database below a tee are not sent for it",
    Effect.gen(function*() {
      yield* inProcess(
        Effect.void.pipe(
          Effect.withSpan("SELECT", { kind: "client", attributes: { "db.system.name": "postgresql" } }),
          Langfuse.tool("query")
        ),
        {},
        {},
        teed
      )
      assert.deepStrictEqual(yield* tree, { query: undefined })
    })
  )
})

describe("a remote caller", () => {
  const below = (name: string, options: { readonly sampled?: boolean } = {}) =>
    Effect.withParentSpan(
      Effect.void.pipe(Langfuse.tool(name), Effect.withSpan("http.server")),
      Tracer.externalSpan({ traceId, spanId, ...options })
    )

  onBoth(
    "is continued, linked or ignored",
    Effect.gen(function*() {
      yield* inProcess(below("continue"))
      yield* inProcess(below("link"), { remoteParent: "link" })
      yield* inProcess(below("ignore"), { remoteParent: "ignore" })
      const continued = yield* observation("continue")
      assert.deepInclude(continued, { traceId, parentObservationId: spanId })
      for (const name of ["link", "ignore"]) {
        const one = yield* observation(name)
        assert.notStrictEqual(one.traceId, traceId)
        assert.isUndefined(one.parentObservationId)
      }
    })
  )

  onBoth(
    "that is not sampled leaves out what it calls, counted and said once",
    Effect.gen(function*() {
      const [stats, warnings] = yield* withWarnings(inProcess(Effect.gen(function*() {
        yield* Effect.all([below("a", { sampled: false }), below("b", { sampled: false })])
        return yield* (yield* LangfuseIngest.LangfuseIngest).stats
      })))
      assert.deepInclude(stats, { offered: 2, sampledOut: 2 })
      assert.strictEqual(warnings.filter((line) => line.includes("remoteSampling")).length, 1)
      assert.deepStrictEqual(yield* stored, [])
    })
  )

  onBoth(
    "that is not sampled is not asked with remoteSampling: \"ignore\", and what goes out says what it said",
    Effect.gen(function*() {
      const flags: Array<boolean> = []
      const note = Effect.map(Effect.currentSpan, (span) => flags.push(span.sampled))
      yield* inProcess(
        Effect.withParentSpan(
          note.pipe(Langfuse.tool("a"), Effect.withSpan("http.server")),
          Tracer.externalSpan({ traceId, spanId, sampled: false })
        ),
        { remoteSampling: "ignore" }
      )
      assert.deepStrictEqual(flags, [false])
      assert.strictEqual((yield* observation("a")).traceId, traceId)
    })
  )

  onBoth(
    "by a UUID is always the same trace",
    Effect.gen(function*() {
      const uuid = "0199b2c4-7d1e-7000-8000-00805f9b34fb"
      for (const id of [uuid, uuid.toUpperCase()]) {
        yield* inProcess(
          Effect.withParentSpan(
            Effect.void.pipe(Langfuse.tool(`by ${id}`)),
            Tracer.externalSpan({ traceId: id, spanId: "none" })
          )
        )
      }
      assert.strictEqual((yield* stored).length, 1)
    })
  )

  onBoth(
    "that never reaches Langfuse does not hide the input and output of the trace",
    Effect.gen(function*() {
      yield* inProcess(
        Effect.withParentSpan(
          Effect.zipRight(
            Langfuse.updateTrace({ output: { answer: "So." } }),
            Effect.succeed("indexed")
          ).pipe(
            Langfuse.tool("index", { input: "document 17", output: (text) => text }),
            Langfuse.withTrace({ name: "question", input: "Why?" })
          ),
          Tracer.externalSpan({ traceId, spanId })
        )
      )
      const [trace] = yield* stored
      assert.deepInclude(trace, { input: "Why?", name: "question" })
      assert.deepStrictEqual(trace?.output, { answer: "So." })
    })
  )

  onBoth(
    "keeps its own input and output of the trace: a service below it says nothing of those",
    Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        const url = yield* serve(
          Effect.succeed("indexed").pipe(Langfuse.tool("index", { input: "document 17", output: (text) => text }))
        )
        yield* inProcess(
          call(url).pipe(
            Effect.as("So."),
            Langfuse.agent("answer", {
              input: "Why?",
              output: (text) => text
            })
          )
        )
      }))
      const [trace] = yield* stored
      assert.deepInclude(trace, { input: "Why?", output: "So." })
    })
  )

  onBoth(
    "that says by baggage that it is in Langfuse gives the trace its name",
    Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        const url = yield* serve(search)
        yield* inProcess(
          Effect.gen(function*() {
            const client = Langfuse.withBaggage(yield* HttpClient.HttpClient)
            yield* Effect.provideService(call(url), HttpClient.HttpClient, client)
          }).pipe(Langfuse.agent("answer"))
        )
      }))
      const [trace] = yield* stored
      assert.strictEqual(trace?.name, "answer")
      assert.isFalse((yield* observation("search")).isAppRoot)
    })
  )
})

describe("baggage", () => {
  const trace: Langfuse.Trace = {
    name: "a question, with = and ä",
    userId: "ada@example.com",
    sessionId: "s 1",
    tags: ["web", "vip"],
    environment: "staging",
    version: "7",
    metadata: { plan: "free", nested: { not: "sent" } }
  }

  onBoth(
    "brings user, session and what else is said to the service that is called",
    Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        const url = yield* serve(search)
        const program = Effect.gen(function*() {
          const client = Langfuse.withBaggage(yield* HttpClient.HttpClient)
          yield* Effect.provideService(call(url, { baggage: "other=1" }), HttpClient.HttpClient, client)
        })
        yield* inProcess(program.pipe(Langfuse.agent("agent"), Langfuse.withTrace(trace)))
      }))
      const [one, ...others] = yield* stored
      assert.deepStrictEqual(others, [])
      assert.deepInclude(one, { name: trace.name, userId: trace.userId, sessionId: trace.sessionId })
      const found = yield* observation("search")
      assert.strictEqual(found.environment, "staging")
      if (found.table === "events") {
        assert.deepInclude(found, { userId: trace.userId, sessionId: trace.sessionId, traceName: trace.name })
        assert.sameMembers([...found.tags], ["web", "vip"])
        assert.strictEqual(found.metadata["plan"], "free")
      }
    })
  )

  onBoth(
    "stays behind without being asked for, and of strangers nothing is taken",
    Effect.gen(function*() {
      let seen: string | undefined
      yield* Effect.scoped(Effect.gen(function*() {
        const url = yield* serve(search)
        const program = Effect.gen(function*() {
          const client = yield* HttpClient.HttpClient
          const spy = HttpClient.tapRequest(
            client,
            (request) => Effect.sync(() => void (seen = request.headers["baggage"]))
          )
          yield* Effect.provideService(
            call(url, { baggage: "user=mallory,langfuse_unknown=1,broken" }),
            HttpClient.HttpClient,
            spy
          )
        })
        yield* inProcess(program.pipe(Langfuse.agent("agent"), Langfuse.withTrace({ userId: "ada" })))
      }))
      assert.strictEqual(seen, "user=mallory,langfuse_unknown=1,broken")
      assert.notInclude(JSON.stringify(yield* observations), "mallory")
    })
  )
})
