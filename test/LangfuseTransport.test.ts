import { HttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, Effect, Fiber, Layer, Option, Schedule, TestClock, Tracer } from "effect"
import type { DeliveryReport, IngestionEvent, LangfuseConfig } from "effect-langfuse"
import { LangfuseIngest, LangfuseServer, LangfuseTransport } from "effect-langfuse"
import { collectLogs, isBalanced, keys, turns, until } from "./utils/ingest.js"
import * as Memory from "./utils/memory.js"
import { event, time } from "./utils/otlp.js"

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

const start = (subject: Subject, options: Partial<LangfuseConfig.TransportOptions> = {}) =>
  Effect.gen(function*() {
    const memory = yield* Memory.make({ ...keys, ...subject.server })
    const logs = collectLogs()
    const transport = yield* Memory.build(
      LangfuseTransport.LangfuseTransport,
      LangfuseTransport.layerProtocol(subject.protocol, { ...keys, baseUrl: memory.server.url, ...options }).pipe(
        Layer.provide(memory.layer)
      )
    )
    const run = (effect: Effect.Effect<DeliveryReport.DeliveryReport>) => Effect.provide(effect, logs.layer)
    return {
      ...memory,
      logs,
      send: (...batch: Arr.NonEmptyReadonlyArray<IngestionEvent.IngestionEvent>) => run(transport.send(batch)),
      drain: run(transport.drain)
    }
  })

const startIngest = (subject: Subject, options: Partial<LangfuseConfig.Options> = {}) =>
  Effect.gen(function*() {
    const memory = yield* Memory.make({ ...keys, ...subject.server })
    const logs = collectLogs()
    const ingest = yield* Memory.build(
      LangfuseIngest.LangfuseIngest,
      LangfuseIngest.layer({ ...keys, baseUrl: memory.server.url, protocol: subject.protocol, ...options }).pipe(
        Layer.provide(memory.layer),
        Layer.provide(logs.layer)
      )
    )
    return { ...memory, logs, ingest }
  })

const names = (events: ReadonlyArray<IngestionEvent.IngestionEvent>) => events.map((each) => each.id).sort()

const reasons = (report: DeliveryReport.DeliveryReport) =>
  Arr.dedupe(report.failed.map(({ error }) => `${error.reason} ${error.status ?? ""}`.trim()))

const session = (): Arr.NonEmptyReadonlyArray<IngestionEvent.IngestionEvent> => [
  event("trace-create", { id: traceId, name: "session", userId: "ada", sessionId: "s1", tags: ["a"] }, { id: "trace" }),
  event("agent-create", { id: id(1), traceId, name: "agent", startTime: time(0), endTime: time(90) }, { id: "agent" }),
  event("generation-create", {
    id: id(2),
    traceId,
    parentObservationId: id(1),
    name: "turn",
    startTime: time(5),
    endTime: time(40),
    model: "gpt-4.1",
    input: [{ role: "user", content: "Why?" }],
    output: "Because.",
    usageDetails: { input: 3, output: 4, total: 7 },
    metadata: { turn: 1 }
  }, { id: "generation" }),
  event("event-create", { id: id(3), traceId, parentObservationId: id(2), name: "note", startTime: time(9) }, {
    id: "event"
  }),
  event("score-create", { id: "score", traceId, observationId: id(2), name: "quality", value: 0.5 }, { id: "score" }),
  event("sdk-log", { log: { hello: "world" } }, { id: "log" })
]

const everything = ["agent", "event", "generation", "log", "score", "trace"]

for (const subject of subjects) {
  describe(`a transport: ${subject.title}`, () => {
    it.scoped("delivers traces, observations, scores and logs, and settles each once", () =>
      Effect.gen(function*() {
        const { send, server } = yield* start(subject)
        const report = yield* send(...session())
        assert.deepStrictEqual(names(report.delivered), everything)
        assert.deepStrictEqual([report.failed, report.rejected], [[], []])

        const trace = Option.getOrThrow(yield* server.trace(traceId))
        assert.deepInclude(trace, { name: "session", userId: "ada", sessionId: "s1", tags: ["a"] })
        assert.deepStrictEqual(
          trace.observations.map((each) => [each.type, each.name, each.parentObservationId, each.startTime]),
          [
            ["AGENT", "agent", undefined, time(0)],
            ["GENERATION", "turn", id(1), time(5)],
            ["EVENT", "note", id(2), time(9)]
          ]
        )
        assert.deepInclude(trace.observations[1], {
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

    it.scoped("hands back the very objects it was given", () =>
      Effect.gen(function*() {
        const { send } = yield* start(subject)
        const batch = session()
        const report = yield* send(...batch)
        assert.isTrue(report.delivered.every((each) => batch.includes(each)))
      }))

    it.scoped("settles what it held at the latest when it drains", () =>
      Effect.gen(function*() {
        const { drain, send, server } = yield* start(subject)
        const open = event("span-create", { id: id(1), traceId, name: "open" }, { id: "open" })
        const trace = event("trace-create", { id: "f".repeat(32), name: "alone" }, { id: "alone" })
        const sent = yield* send(open, trace)
        const drained = yield* drain
        assert.deepStrictEqual(names([...sent.delivered, ...drained.delivered]), ["alone", "open"])
        assert.deepStrictEqual(
          (yield* server.traces).map((each) => each.name).sort(),
          ["alone", "open"].slice(
            0,
            // On v3 nobody ever told of the trace that the observation is in.
            subject.server.version?.startsWith("3") === true ? 1 : 2
          )
        )
        assert.deepStrictEqual(yield* drain, { delivered: [], rejected: [], failed: [] })
      }))

    it.scoped("an event that Langfuse would refuse is rejected, the others are delivered", () =>
      Effect.gen(function*() {
        const { send } = yield* start(subject)
        const report = yield* send(
          event("span-create", { name: "no id" }, { id: "no id" }),
          event("span-create", { id: id(1), traceId, startTime: "yesterday" }, { id: "no time" }),
          event("generation-create", { id: id(2), traceId, endTime: time(1), promptName: "p" }, {
            id: "half a prompt"
          }),
          event("trace-create", { id: traceId, name: "x".repeat(1001) }, { id: "long name" }),
          event("span-create", { id: id(3), traceId, endTime: time(1) }, { id: "good" })
        )
        assert.deepStrictEqual(names(report.delivered), ["good"])
        assert.deepStrictEqual(
          names(report.rejected.map((each) => each.event)),
          ["half a prompt", "long name", "no id", "no time"]
        )
        for (const { error } of report.rejected) {
          // The batch endpoint says so itself; for the other it is found out here.
          assert.include(["Rejected", "Unsendable"], error.reason)
          assert.notInclude(error.message, "yesterday")
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
          const { drain, send, server } = yield* start(subject)
          yield* server.always(fault)
          const report = yield* send(...session())
          assert.deepStrictEqual(names(report.failed.map((each) => each.event)), everything)
          assert.deepStrictEqual(reasons(report), [reason])
          assert.deepStrictEqual([...yield* server.observations, ...yield* server.scores], [])
          // It is not remembered against the server.
          yield* server.always(undefined)
          assert.deepStrictEqual(names((yield* send(...session())).delivered), everything)
          assert.deepStrictEqual(yield* drain, { delivered: [], rejected: [], failed: [] })
        }))
    }

    it.scoped("nobody listens: everything fails, and the next batch is delivered once somebody does", () =>
      Effect.gen(function*() {
        const { send, setUp } = yield* start(subject)
        yield* setUp(false)
        const report = yield* send(...session())
        assert.strictEqual(report.failed.length, 6)
        assert.deepStrictEqual(reasons(report), ["Unreachable"])
        yield* setUp(true)
        assert.deepStrictEqual(names((yield* send(...session())).delivered), everything)
      }))

    it.scoped("a server that hangs: everything fails after requestTimeout", () =>
      Effect.gen(function*() {
        const { send, server } = yield* start(subject, { requestTimeout: "3 seconds" })
        yield* server.always(LangfuseServer.Fault.hang())
        const sending = yield* Effect.fork(send(...session()))
        yield* server.awaitRequests(1)
        yield* turns()
        yield* TestClock.adjust("3 seconds")
        const report = yield* Fiber.join(sending)
        assert.strictEqual(report.failed.length, 6)
        assert.deepStrictEqual(reasons(report), ["Timeout"])
      }))

    it.scoped("with a schedule it tries again what may still arrive, and nothing arrives twice", () =>
      Effect.gen(function*() {
        const { send, server } = yield* start(subject, { retry: Schedule.recurs(3) })
        yield* server.script(
          LangfuseServer.Fault.status(503),
          LangfuseServer.Fault.status(500),
          LangfuseServer.Fault.status(502)
        )
        const report = yield* send(...session())
        assert.deepStrictEqual(names(report.delivered), everything)
        assert.strictEqual((yield* server.observations).length, 3)
        assert.strictEqual((yield* server.scores).length, 1)
        assert.strictEqual((yield* server.logs).length, 1)
      }))

    it.scoped("a batch larger than a request takes several, and all of it arrives", () =>
      Effect.gen(function*() {
        const { send, server } = yield* start(subject, { maxBatchBytes: 20_000 })
        const [first, ...others] = Array.from({ length: 30 }, (_, n) =>
          event("span-create", {
            id: id(n + 1),
            traceId,
            startTime: time(n),
            endTime: time(n),
            input: "x".repeat(4000)
          }))
        if (first === undefined) {
          return assert.fail("no events")
        }
        const report = yield* send(first, ...others)
        assert.strictEqual(report.delivered.length, 30)
        const requests = (yield* server.requests).filter((each) => each.method === "POST")
        assert.isAtLeast(requests.length, 6)
        assert.isTrue(requests.every((each) => (each.body?.length ?? 0) <= 20_000))
        assert.strictEqual((yield* server.observations).length, 30)
      }))

    it.scoped("what is too large for a proxy goes through in halves", () =>
      Effect.gen(function*() {
        const { send, server } = yield* start(subject)
        const [first, ...others] = Array.from({ length: 8 }, (_, n) =>
          event("span-create", { id: id(n + 1), traceId, startTime: time(n), endTime: time(n) }))
        if (first === undefined) {
          return assert.fail("no events")
        }
        const route = subject.protocol === "ingestion" || subject.title === "auto to v3" ? "ingestion" : "otlp"
        yield* server.script(
          LangfuseServer.Fault.status(413, { route }),
          LangfuseServer.Fault.status(413, { route })
        )
        assert.strictEqual((yield* send(first, ...others)).delivered.length, 8)
        assert.deepStrictEqual(
          (yield* server.observations).map((each) =>
            each.id
          ),
          Arr.makeBy(8, (n) => id(n + 1))
        )
      }))

    it.scoped("what has arrived is known before the rest is", () =>
      Effect.gen(function*() {
        const { client, server } = yield* Memory.make({ ...keys, ...subject.server })
        const transport = yield* Memory.build(
          LangfuseTransport.LangfuseTransport,
          LangfuseTransport.layerProtocol(subject.protocol, { ...keys, baseUrl: server.url, maxBatchBytes: 1 }).pipe(
            Layer.provide(Layer.succeed(HttpClient.HttpClient, client))
          )
        )
        const route = subject.protocol === "ingestion" || subject.title === "auto to v3" ? "ingestion" : "otlp"
        yield* server.script(LangfuseServer.Fault.delay("1 second", { route }), LangfuseServer.Fault.hang({ route }))
        const settled = new Set<string>()
        const whole = (n: number) =>
          event("span-create", { id: id(n), traceId, endTime: time(9) }, { id: `whole ${n}` })
        const sending = yield* transport.send([whole(1), whole(2)]).pipe(
          Effect.provideService(LangfuseTransport.Progress, (report) => {
            for (const name of names(report.delivered)) settled.add(name)
          }),
          Effect.fork
        )
        yield* until(Effect.map(server.requests, (requests) => requests.some((each) => each.method === "POST")))
        assert.deepStrictEqual([...settled], [])
        yield* turns()
        yield* TestClock.adjust("1 second")
        yield* until(() => settled.size > 0)
        assert.deepStrictEqual([...settled], ["whole 1"])
        yield* turns()
        yield* TestClock.adjust("5 seconds")
        const report = yield* Fiber.join(sending)
        assert.deepStrictEqual(names(report.delivered), ["whole 1"])
        assert.deepStrictEqual(names(report.failed.map((each) => each.event)), ["whole 2"])
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
        const { drain, send, server } = yield* start(subject)
        yield* Effect.zipRight(send(...session()), drain).pipe(Effect.withTracer(tracer))
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
        const report = yield* send(...session())
        const said = JSON.stringify([report.failed.map(({ error }) => error.message), logs.lines])
        assert.notInclude(said, "sk-lf-test-secret")
        assert.notInclude(said, keys.publicKey)
      }))

    describe("under the ingest service", () => {
      it.scoped("the ledger counts an observation as pending until it is on the server", () =>
        Effect.gen(function*() {
          const { ingest, server } = yield* startIngest(subject)
          yield* ingest.enqueue(event("span-create", { id: id(1), traceId, name: "work" }, { at: 0 }))
          const first = yield* ingest.flush
          const stats = yield* ingest.stats
          assert.isTrue(isBalanced(stats))
          assert.strictEqual(stats.delivered, (yield* server.observations).length)
          assert.strictEqual(first.pending, 1 - stats.delivered)
          yield* ingest.enqueue(event("span-update", { id: id(1), endTime: time(100) }, { at: 1 }))
          const second = yield* ingest.flush
          assert.strictEqual(second.pending, 0)
          assert.deepInclude(yield* ingest.stats, { pending: 0, delivered: 2 })
          assert.deepStrictEqual((yield* server.observations).map((each) => [each.name, each.endTime]), [[
            "work",
            time(100)
          ]])
        }))

      it.scoped("closing sends everything, finished or not, and the books balance", () =>
        Effect.gen(function*() {
          const { server } = yield* Effect.scoped(Effect.gen(function*() {
            const started = yield* startIngest(subject)
            for (const each of session()) yield* started.ingest.enqueue(each)
            yield* started.ingest.enqueue(event("span-create", { id: id(9), traceId, name: "open" }))
            return started
          }))
          const observations = yield* server.observations
          assert.deepStrictEqual(observations.map((each) => each.name).sort(), ["agent", "note", "open", "turn"])
          assert.strictEqual((yield* server.scores).length, 1)
        }))
    })
  })
}

describe("LangfuseTransport.layerFunction", () => {
  it.effect("reports what it hands on as delivered", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const report = yield* Effect.flatMap(
        LangfuseTransport.LangfuseTransport,
        (transport) => transport.send(session())
      ).pipe(
        Effect.provide(LangfuseTransport.layerFunction((batch) => Effect.sync(() => seen.push(...names(batch)))))
      )
      assert.deepStrictEqual([names(report.delivered), seen], [everything, everything])
    }))
})
