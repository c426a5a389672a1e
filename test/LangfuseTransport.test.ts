import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, Effect, Fiber, Option, Schedule, TestClock, Tracer } from "effect"
import type * as IngestionEvent from "effect-langfuse/IngestionEvent"
import type * as LangfuseConfig from "effect-langfuse/LangfuseConfig"
import * as LangfuseIngest from "effect-langfuse/LangfuseIngest"
import * as LangfuseServer from "effect-langfuse/LangfuseServer"
import * as LangfuseTransport from "effect-langfuse/LangfuseTransport"
import { isBalanced, keys, turns, until } from "./utils/ingest.js"
import { event, spanIdFor, time } from "./utils/otlp.js"
import * as Transport from "./utils/transport.js"

const traceId = "0123456789abcdef0123456789abcdef"
const id = (n: number) => n.toString(16).padStart(16, "0")

interface Subject {
  readonly title: string
  readonly protocol: LangfuseConfig.Protocol
  readonly server: LangfuseServer.Options
}

/** One suite for all: what a transport owes whoever hands it events. */
const subjects: ReadonlyArray<Subject> = [
  { title: "ingestion to v3", protocol: "ingestion", server: { version: "3.160.0" } },
  { title: "OTLP to v4", protocol: "otlp", server: { version: "4.16.0" } },
  { title: "OTLP to v4 in dual mode", protocol: "otlp", server: { version: "4.16.0", writeMode: "dual" } },
  { title: "auto to v3", protocol: "auto", server: { version: "3.160.0" } },
  { title: "auto to v4", protocol: "auto", server: { version: "4.16.0" } }
]

const start = (subject: Subject, options: Partial<LangfuseConfig.Options> = {}) =>
  Transport.start(subject.protocol, subject.server, options)

/** Where traces and observations go. */
const routeOf = ({ protocol, server }: Subject) =>
  protocol === "ingestion" || server.version?.startsWith("3") === true ? "ingestion" : "otlp"

/** `n`: another one, of other observations, for what left is not sent again. */
const session = (n = 0): ReadonlyArray<IngestionEvent.IngestionEvent> => [
  event("trace-create", { id: traceId, name: "session", userId: "ada", sessionId: "s1", tags: ["a"] }, { id: "trace" }),
  event("agent-create", { id: id(1 + 16 * n), traceId, name: "agent", startTime: time(0), endTime: time(90) }, {
    id: "agent"
  }),
  event("generation-create", {
    id: id(2 + 16 * n),
    traceId,
    parentObservationId: id(1 + 16 * n),
    name: "turn",
    startTime: time(5),
    endTime: time(40),
    model: "gpt-4.1",
    input: [{ role: "user", content: "Why?" }],
    output: "Because.",
    usageDetails: { input: 3, output: 4, total: 7 },
    metadata: { turn: 1 }
  }, { id: "generation" }),
  event("event-create", {
    id: id(3 + 16 * n),
    traceId,
    parentObservationId: id(2 + 16 * n),
    name: "note",
    startTime: time(9)
  }, {
    id: "event"
  }),
  event("score-create", { id: "score", traceId, observationId: id(2 + 16 * n), name: "quality", value: 0.5 }, {
    id: "score"
  }),
  event("sdk-log", { log: { hello: "world" } }, { id: "log" })
]

const everything = ["agent", "event", "generation", "log", "score", "trace"]

for (const subject of subjects) {
  describe(`a transport: ${subject.title}`, () => {
    it.scoped("delivers traces, observations, scores and logs, and settles each once", () =>
      Effect.gen(function*() {
        const { send, server } = yield* start(subject)
        const report = yield* send(...session())
        assert.deepStrictEqual(report.delivered, everything)
        assert.deepStrictEqual([report.failed, report.rejected, report.refused], [[], [], []])

        const trace = Option.getOrThrow(yield* server.trace(traceId))
        assert.deepInclude(trace, { name: "session", userId: "ada", sessionId: "s1", tags: ["a"] })
        const rootId = routeOf(subject) === "otlp" ? spanIdFor(`root of ${traceId}`) : undefined
        const own = trace.observations.filter((each) => each.id !== rootId)
        assert.strictEqual(trace.observations.length - own.length, rootId === undefined ? 0 : 1)
        assert.deepStrictEqual(
          own.map((each) => [each.type, each.name, each.parentObservationId, each.startTime]),
          [
            ["AGENT", "agent", rootId, time(0)],
            ["GENERATION", "turn", id(1), time(5)],
            ["EVENT", "note", id(2), time(9)]
          ]
        )
        assert.deepInclude(own[1], {
          model: "gpt-4.1",
          input: [{ role: "user", content: "Why?" }],
          output: "Because.",
          usageDetails: { input: 3, output: 4, total: 7 },
          endTime: time(40)
        })
        assert.deepStrictEqual(trace.scores.map((each) => [each.name, each.value, each.observationId]), [
          ["quality", 0.5, id(2)]
        ])
        assert.deepStrictEqual(yield* server.logs, [{ hello: "world" }])
        assert.deepStrictEqual(yield* server.losses, [])
      }))

    it.scoped("settles what it held at the latest when the service closes", () =>
      Effect.gen(function*() {
        const { close, observations, send, server } = yield* start(subject)
        const open = event("span-create", { id: id(1), traceId, name: "open" }, { id: "open" })
        const trace = event("trace-create", { id: "f".repeat(32), name: "alone" }, { id: "alone" })
        const sent = yield* send(open, trace)
        const drained = yield* close
        assert.deepStrictEqual([...sent.delivered, ...drained.delivered].sort(), ["alone", "open"])
        assert.deepStrictEqual((yield* observations).filter((each) => each.name === "open").length, 1)
        assert.isTrue((yield* server.traces).some((each) => each.name === "alone"))
      }))

    it.scoped("what no Langfuse stores is rejected at once, the others are delivered", () =>
      Effect.gen(function*() {
        const { ingest, logs, send } = yield* start(subject)
        const report = yield* send(
          event("span-create", { name: "no id" }, { id: "no id" }),
          event("span-create", { id: id(1), traceId, startTime: "yesterday" }, { id: "no time" }),
          event("span-create", { id: id(2), traceId, name: 7 }, { id: "no name" }),
          event("span-create", { id: id(3), traceId, endTime: time(1) }, { id: "good" })
        )
        assert.deepStrictEqual([report.delivered, report.refused], [["good"], ["no id", "no name", "no time"]])
        assert.deepInclude(yield* ingest.stats, { offered: 4, rejected: 3, delivered: 1 })
        assert.isAtLeast(logs.warnings().length, 1)
        assert.notInclude(JSON.stringify(logs.lines), "yesterday")
      }))

    it.scoped("what is only the server's to judge is judged by it, and over OTLP sent as the nearest", () =>
      Effect.gen(function*() {
        const { send, server } = yield* start(subject)
        const report = yield* send(
          event("generation-create", { id: id(1), traceId, endTime: time(1), promptName: "p" }, { id: "prompt" }),
          event("span-create", { id: id(2), traceId, endTime: time(1), level: "loud" }, { id: "level" }),
          event("trace-create", { id: traceId, name: "x".repeat(1001) }, { id: "name" }),
          event("span-create", { id: id(3), traceId, endTime: time(1) }, { id: "good" })
        )
        if (routeOf(subject) === "ingestion") {
          assert.deepStrictEqual([report.delivered, report.rejected], [["good"], ["level", "name", "prompt"]])
          assert.deepStrictEqual(report.reasons, ["Rejected 400"])
        } else {
          assert.deepStrictEqual(report.delivered, ["good", "level", "name", "prompt"])
          const stored = yield* server.observations
          assert.deepInclude(stored.find((each) => each.id === id(1))?.metadata, { originalPromptName: "p" })
          assert.deepInclude(stored.find((each) => each.id === id(2))?.metadata, { originalLevel: "loud" })
          assert.strictEqual((yield* server.traces)[0]?.name, "x".repeat(1000))
        }
      }))

    const refusals: ReadonlyArray<readonly [title: string, fault: LangfuseServer.Fault, reason: string]> = [
      ["wrong keys", LangfuseServer.Fault.status(401), "Status 401"],
      ["a suspended project", LangfuseServer.Fault.suspended(), "Status 403"],
      ["a server in trouble", LangfuseServer.Fault.status(503), "Status 503"],
      ["a request that nobody understands", LangfuseServer.Fault.status(422), "Status 422"],
      ["the page of a wrong host", LangfuseServer.Fault.html(), "UnexpectedBody 200"],
      ["an empty answer", LangfuseServer.Fault.empty(), "UnexpectedBody 200"],
      ["a redirect", LangfuseServer.Fault.respond({ status: 308, headers: { location: "/elsewhere" } }), "Status 308"],
      ["a body that is too large, however small", LangfuseServer.Fault.status(413), "TooLarge 413"]
    ]
    for (const [title, fault, reason] of refusals) {
      it.scoped(`${title}: everything fails, and says why`, () =>
        Effect.gen(function*() {
          const { observations, send, server } = yield* start(subject)
          yield* server.always(fault)
          const report = yield* send(...session())
          assert.deepStrictEqual(report.failed, everything)
          assert.deepStrictEqual(report.reasons, [reason])
          assert.deepStrictEqual([...yield* observations, ...yield* server.scores], [])
          // It is not remembered against the server.
          yield* server.always(undefined)
          assert.deepStrictEqual((yield* send(...session(1))).delivered, everything)
        }))
    }

    it.scoped("nobody listens: everything fails, and the next batch is delivered once somebody does", () =>
      Effect.gen(function*() {
        const { send, setUp } = yield* start(subject)
        yield* setUp(false)
        const report = yield* send(...session())
        assert.strictEqual(report.failed.length, 6)
        assert.deepStrictEqual(report.reasons, ["Unreachable"])
        yield* setUp(true)
        assert.deepStrictEqual((yield* send(...session(1))).delivered, everything)
      }))

    it.scoped("a server that hangs: everything fails after requestTimeout", () =>
      Effect.gen(function*() {
        const { send, server } = yield* start(subject, { requestTimeout: "3 seconds" })
        yield* server.always(LangfuseServer.Fault.hang())
        const sending = yield* Effect.fork(send(...session()))
        yield* server.awaitRequests(1)
        // One second of them is for a health check that hangs as well.
        for (let second = 0; second < 4; second++) {
          yield* turns()
          yield* TestClock.adjust("1 second")
        }
        const report = yield* Fiber.join(sending)
        assert.strictEqual(report.failed.length, 6)
        assert.deepStrictEqual(report.reasons, ["Timeout"])
      }))

    it.scoped("with a schedule it tries again what may still arrive, and nothing arrives twice", () =>
      Effect.gen(function*() {
        const route = routeOf(subject)
        const { observations, send, server } = yield* start(subject, { retry: Schedule.recurs(3) })
        yield* server.script(
          LangfuseServer.Fault.status(503, { route }),
          LangfuseServer.Fault.status(500, { route }),
          LangfuseServer.Fault.status(502, { route })
        )
        const report = yield* send(...session())
        assert.deepStrictEqual(report.delivered, everything)
        assert.strictEqual((yield* observations).length, route === "otlp" ? 4 : 3)
        assert.strictEqual((yield* server.scores).length, 1)
        assert.strictEqual((yield* server.logs).length, 1)
      }))

    it.scoped("a batch larger than a request takes several, and all of it arrives", () =>
      Effect.gen(function*() {
        const { observations, send, server } = yield* start(subject, { maxBatchBytes: 20_000 })
        const events = Array.from({ length: 30 }, (_, n) =>
          event("span-create", {
            id: id(n + 1),
            traceId,
            startTime: time(n),
            endTime: time(n),
            input: "x".repeat(4000)
          }))
        const report = yield* send(...events)
        assert.strictEqual(report.delivered.length, 30)
        const requests = (yield* server.requests).filter((each) => each.method === "POST")
        assert.isAtLeast(requests.length, 6)
        assert.isTrue(requests.every((each) => each.bytes <= 20_000))
        assert.strictEqual((yield* observations).length, 30)
      }))

    it.scoped("what is too large for a proxy goes through in halves", () =>
      Effect.gen(function*() {
        const { observations, send, server } = yield* start(subject)
        const events = Array.from({ length: 8 }, (_, n) =>
          event("span-create", { id: id(n + 1), traceId, startTime: time(n), endTime: time(n) }))
        const route = routeOf(subject)
        yield* server.script(
          LangfuseServer.Fault.status(413, { route }),
          LangfuseServer.Fault.status(413, { route })
        )
        assert.strictEqual((yield* send(...events)).delivered.length, 8)
        assert.deepStrictEqual(
          (yield* observations).map((each) =>
            each.id
          ),
          Arr.makeBy(8, (n) => id(n + 1))
        )
      }))

    it.scoped("what has arrived is known before the rest is", () =>
      Effect.gen(function*() {
        const { ingest, send, server, words } = yield* start(subject, { maxBatchBytes: 1 })
        const route = routeOf(subject)
        yield* server.script(LangfuseServer.Fault.delay("1 second", { route }), LangfuseServer.Fault.hang({ route }))
        const whole = (n: number) =>
          event("span-create", { id: id(n), traceId, endTime: time(9) }, { id: `whole ${n}` })
        // In one batch, of two requests.
        yield* Effect.fork(send(whole(1), whole(2)))
        yield* until(Effect.map(server.requests, (requests) => requests.some((each) => each.method === "POST")))
        assert.deepStrictEqual(words, [])
        yield* turns()
        yield* TestClock.adjust("1 second")
        yield* until(() => words.length > 0)
        assert.deepStrictEqual(words.map(({ id, kind }) => `${id} ${kind}`), ["whole 1 delivered"])
        assert.deepInclude(yield* ingest.stats, { delivered: 1, pending: 1 })
        yield* turns()
        yield* TestClock.adjust("5 seconds")
        yield* until(() => words.length > 1)
        assert.deepStrictEqual(words.map(({ id, kind }) => `${id} ${kind}`), ["whole 1 delivered", "whole 2 failed"])
      }))

    it.scoped("opens no span of its own, and sends no trace header", () =>
      Effect.gen(function*() {
        const opened: Array<string> = []
        const native = yield* Effect.tracer
        const tracer = Tracer.make({
          span: (name, ...rest) => {
            opened.push(name)
            return native.span(name, ...rest)
          },
          context: (run, fiber) => native.context(run, fiber)
        })
        const { close, send, server } = yield* start(subject)
        yield* Effect.zipRight(send(...session()), close).pipe(Effect.withTracer(tracer))
        assert.deepStrictEqual(opened, [])
        for (const request of yield* server.requests) {
          assert.notProperty(request.headers, "traceparent")
          assert.notProperty(request.headers, "b3")
        }
      }))

    it.scoped("names itself and its keys to the server, and its keys to nobody else", () =>
      Effect.gen(function*() {
        const { logs, send, server } = yield* start(subject)
        yield* send(...session())
        for (const request of yield* server.requests) {
          assert.deepInclude(request.headers, {
            authorization: "<redacted>",
            "x-langfuse-sdk-name": "effect-langfuse"
          })
        }
        yield* server.always(LangfuseServer.Fault.respond({
          status: 400,
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ message: `bad key ${keys.publicKey}:sk-lf-test-secret` })
        }))
        const report = yield* send(...session(1))
        const said = JSON.stringify([report.problems, logs.lines])
        assert.notInclude(said, "sk-lf-test-secret")
        assert.notInclude(said, keys.publicKey)
      }))

    describe("under the ingest service", () => {
      it.scoped("the ledger counts an observation as pending until it is on the server", () =>
        Effect.gen(function*() {
          const { ingest, observations } = yield* start(subject)
          yield* ingest.enqueue(event("span-create", { id: id(1), traceId, name: "work" }, { at: 0 }))
          const first = yield* ingest.flush
          const stats = yield* ingest.stats
          assert.isTrue(isBalanced(stats))
          assert.strictEqual(stats.delivered, (yield* observations).length)
          assert.strictEqual(first.pending, 1 - stats.delivered)
          yield* ingest.enqueue(event("span-update", { id: id(1), endTime: time(100) }, { at: 1 }))
          const second = yield* ingest.flush
          assert.strictEqual(second.pending, 0)
          assert.deepInclude(yield* ingest.stats, { pending: 0, delivered: 2 })
          assert.deepStrictEqual((yield* observations).map((each) => [each.name, each.endTime]), [[
            "work",
            time(100)
          ]])
        }))

      it.scoped("closing sends everything, finished or not, and the books balance", () =>
        Effect.gen(function*() {
          const { observations, server } = yield* Effect.scoped(Effect.gen(function*() {
            const started = yield* start(subject)
            for (const each of session()) yield* started.ingest.enqueue(each)
            yield* started.ingest.enqueue(event("span-create", { id: id(9), traceId, name: "open" }))
            return started
          }))
          assert.deepStrictEqual((yield* observations).map((each) => each.name).sort(), [
            "agent",
            "note",
            "open",
            // The trace is a span of its own.
            ...(routeOf(subject) === "otlp" ? ["session"] : []),
            "turn"
          ])
          assert.strictEqual((yield* server.scores).length, 1)
        }))
    })
  })
}

describe("LangfuseTransport.layerFunction", () => {
  it.scoped("hands plain events to the function and reports them as delivered; where it dies, as failed", () =>
    Effect.gen(function*() {
      const seen: Array<IngestionEvent.IngestionEvent> = []
      let dies = false
      const ingest = yield* LangfuseIngest.make().pipe(
        Effect.provide(LangfuseTransport.layerFunction((batch) =>
          Effect.sync(() => {
            if (dies) throw new Error("s3cr3t")
            seen.push(...batch)
          })
        ))
      )
      for (const each of session()) yield* ingest.enqueue(each)
      assert.deepInclude(yield* ingest.flush, { delivered: 6, failed: 0 })
      assert.deepStrictEqual(seen, [...session()])
      dies = true
      for (const each of session()) yield* ingest.enqueue(each)
      assert.deepInclude(yield* ingest.flush, { delivered: 0, failed: 6 })
    }))
})
